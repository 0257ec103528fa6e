-- The same as the migration of SQLite of this number.
-- least: 85

CREATE TABLE copying_from (
    one BIGINT PRIMARY KEY CHECK (one = 1),
        source TEXT COLLATE "C" NOT NULL
);

CREATE TABLE copied_tables (
    name TEXT COLLATE "C" PRIMARY KEY,
    row_count BIGINT NOT NULL,
    checksum BYTEA NOT NULL
);
