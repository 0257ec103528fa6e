-- Changes of many callbacks: each has its set from the preview on, with marks of what they were then.
CREATE TABLE bulks (
    id BLOB NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    made_by TEXT NOT NULL,
    -- cancel or reschedule.
    act TEXT NOT NULL,
    earliest INTEGER,
    latest INTEGER,
    priority INTEGER,
    why TEXT NOT NULL,
    filter TEXT NOT NULL,
    -- preview, running, stopped or done.
    state TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    confirmed_at INTEGER,
    ended_at INTEGER,
    total INTEGER NOT NULL
) STRICT;
CREATE INDEX bulks_of_tenant ON bulks (tenant, made_at, id);
CREATE INDEX bulks_running ON bulks (confirmed_at, id) WHERE state = 'running';
CREATE TABLE bulk_rows (
    bulk BLOB NOT NULL,
    row_no INTEGER NOT NULL,
    callback BLOB NOT NULL,
    version INTEGER NOT NULL,
    -- open, filed (it became the command) or changed (it was passed over).
    state TEXT NOT NULL,
    command INTEGER,
    PRIMARY KEY (bulk, row_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX bulk_rows_open ON bulk_rows (bulk, row_no) WHERE state = 'open';
