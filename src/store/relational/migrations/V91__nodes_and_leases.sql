-- Who dials for a group of accounts: one row for each group, never deleted. The term counts its tenures. The times are the
-- database's.
CREATE TABLE leases (
    group_name TEXT PRIMARY KEY,
    node TEXT NOT NULL,
    run BLOB NOT NULL,
    term INTEGER NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    resigned_at INTEGER,
    -- How the tenure before ended; NULL for the first.
    began_after TEXT
) STRICT, WITHOUT ROWID;

-- The log of leadership: the last thousand tenures of each group.
CREATE TABLE leaders (
    group_name TEXT NOT NULL,
    term INTEGER NOT NULL,
    node TEXT NOT NULL,
    run BLOB NOT NULL,
    since INTEGER NOT NULL,
    -- Set when it ended.
    until INTEGER,
    ended TEXT,
    PRIMARY KEY (group_name, term)
) STRICT, WITHOUT ROWID;

-- Every node that has used this store, by its name.
CREATE TABLE nodes (
    name TEXT PRIMARY KEY,
    run BLOB NOT NULL,
    version TEXT NOT NULL,
    url TEXT,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    left_at INTEGER,
    -- In microseconds.
    clock_ahead INTEGER NOT NULL,
    resign_asked_at INTEGER,
    -- The name of the API token.
    resign_asked_by TEXT
) STRICT, WITHOUT ROWID;
