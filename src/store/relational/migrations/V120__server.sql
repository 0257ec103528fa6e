-- The server and the timeline on which the database was last known to be whole. A file has no row.
CREATE TABLE origin (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    -- PostgreSQL's system identifier.
    system INTEGER NOT NULL,
    timeline INTEGER NOT NULL
) STRICT;
