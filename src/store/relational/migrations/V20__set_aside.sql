-- What a turn of the scheduler failed at. A report that is set aside has no row in unfolded_reports, and a command has
-- the outcome 'set_aside', until an operator retries or drops it.
CREATE TABLE set_aside (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    -- 'report', 'command' or 'callback'.
    item TEXT NOT NULL,
    -- The report or the command.
    report INTEGER REFERENCES reports (seq),
    -- The callback that is not decided meanwhile.
    callback BLOB,
    -- Who is neither asked nor called meanwhile.
    consumer INTEGER,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    place TEXT,
    -- NULL while it is set aside; 'retry' or 'drop'.
    verdict TEXT,
    ended_at INTEGER,
    ended_by TEXT
) STRICT;

CREATE INDEX set_aside_open ON set_aside (seq) WHERE verdict IS NULL;
