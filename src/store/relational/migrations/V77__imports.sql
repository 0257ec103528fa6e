-- Lists of callbacks that arrive in parts.
CREATE TABLE imports (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    -- receiving, complete, or removed while its rows are deleted.
    state TEXT NOT NULL,
    -- The campaign that waits for it; NULL: none.
    campaign BLOB,
    -- Whose keys its rows have.
    owner TEXT NOT NULL,
    -- JSON: how the list is read, and what all of its rows share.
    settings TEXT NOT NULL,
    -- In bytes; NULL: not told.
    size INTEGER,
    sha256 BLOB,
    created_at INTEGER NOT NULL,
    -- The name of the API token.
    created_by TEXT NOT NULL,
    completed_at INTEGER,
    -- So many bytes have arrived.
    received INTEGER NOT NULL DEFAULT 0,
    -- The last of them, in which no whole row was found yet.
    tail BLOB NOT NULL DEFAULT x'',
    -- JSON: what has to be known of the list to read on; NULL: nothing was read.
    place TEXT,
    -- The state of the SHA-256 of what has arrived.
    hash BLOB NOT NULL DEFAULT x'',
    -- Rows that are not empty; of these those that were ordered, now or before under the same name.
    rows INTEGER NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL DEFAULT 0,
    accepted_before INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX imports_by_name ON imports (tenant, name, seq);
CREATE INDEX imports_of_campaigns ON imports (campaign) WHERE state = 'receiving' AND campaign IS NOT NULL;

-- The first row of each person and sender of an import, by a hash.
CREATE TABLE import_people (
    import INTEGER NOT NULL,
    person BLOB NOT NULL,
    row INTEGER NOT NULL,
    PRIMARY KEY (import, person)
) STRICT, WITHOUT ROWID;

-- The faults of rows that were refused, without a value of the list.
CREATE TABLE import_faults (
    import INTEGER NOT NULL,
    row INTEGER NOT NULL,
    -- From 0, for a row with several.
    fault INTEGER NOT NULL,
    field TEXT NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (import, row, fault)
) STRICT, WITHOUT ROWID;

-- How many rows have what, by check and code.
CREATE TABLE import_findings (
    import INTEGER NOT NULL,
    -- 1: rows that were refused.
    refused INTEGER NOT NULL,
    subject TEXT NOT NULL,
    code TEXT NOT NULL,
    count INTEGER NOT NULL,
    -- The numbers of the first 20, with a space between.
    first_rows TEXT NOT NULL,
    PRIMARY KEY (import, refused, subject, code)
) STRICT, WITHOUT ROWID;
