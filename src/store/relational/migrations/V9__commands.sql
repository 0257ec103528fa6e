-- What customers and operators want changed. A command is a report with a row here in place of one in
-- unfolded_reports: its lane is folded first, and it keeps what became of it.
CREATE TABLE commands (
    seq INTEGER PRIMARY KEY REFERENCES reports (seq),
    tenant TEXT NOT NULL,
    -- The callback that it is about, if it is about one.
    callback BLOB,
    -- SHA-256 of what was asked for, to tell a repetition from another command with the same key.
    content BLOB NOT NULL,
    -- NULL while it waits; 'applied', or the code of the refusal.
    outcome TEXT
) STRICT;

CREATE INDEX commands_pending ON commands (seq) WHERE outcome IS NULL;
