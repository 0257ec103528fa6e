-- What the leader last published of its load, for those who explain in whatever process. One row: it is read as a whole,
-- and a batch writes it with one statement.
CREATE TABLE loads (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    -- Of the leader who wrote it. A row of a newer term stays.
    term INTEGER NOT NULL,
    as_of INTEGER NOT NULL,
    -- JSON, with whole numbers of senders.
    load TEXT NOT NULL
) STRICT;
