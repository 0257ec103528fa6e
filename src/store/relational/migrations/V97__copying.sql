-- A copy of another store that is not finished: no daemon opens it.
CREATE TABLE copying_from (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    -- The source and how far its history goes.
    source TEXT NOT NULL
) STRICT;

-- The tables that are copied and compared.
CREATE TABLE copied_tables (
    name TEXT PRIMARY KEY,
    row_count INTEGER NOT NULL,
    checksum BLOB NOT NULL
) STRICT;
