-- Lists of people whom nobody calls or writes to. Each version of an imported list is a row.
CREATE TABLE suppression_lists (
    id INTEGER PRIMARY KEY,
    -- 'house', 'erased', 'account:main', 'campaign:spring' or 'imported:register'.
    name TEXT NOT NULL,
    -- '' for a list without versions.
    version TEXT NOT NULL,
    -- The purposes that it binds, with a space between; '' for all.
    purposes TEXT NOT NULL,
    -- When its term ends. Its entries hold after that, too.
    valid_until INTEGER,
    source TEXT,
    made_at INTEGER NOT NULL,
    -- The name of the API token.
    made_by TEXT NOT NULL,
    entries INTEGER NOT NULL DEFAULT 0,
    -- When its import was said to be whole.
    complete_at INTEGER,
    -- When a newer version was complete. From then on its entries count no more.
    retired_at INTEGER,
    UNIQUE (name, version)
) STRICT;

-- An entry: HMAC-SHA-256 of the SHA-256 of a name. Rows are added and deleted, and never changed.
CREATE TABLE suppressions (
    hash BLOB NOT NULL,
    list INTEGER NOT NULL,
    scope TEXT NOT NULL,
    -- 0: it does not end by itself.
    expires_at INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    added_by TEXT NOT NULL,
    why TEXT,
    PRIMARY KEY (hash, list, scope, expires_at)
) STRICT, WITHOUT ROWID;

-- The marks of the keys with which entries were hashed.
CREATE TABLE suppression_keys (
    mark BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
