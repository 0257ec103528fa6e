-- What agents said of calls: one row for each callback, the last word. While nobody said anything, due_at is when it is
-- missing.
CREATE TABLE wrap_ups (
    callback BLOB PRIMARY KEY REFERENCES callbacks (id),
    tenant TEXT NOT NULL,
    due_at INTEGER,
    -- NULL while nobody said anything.
    disposition TEXT,
    -- 'none', 'callback_at', 'suppress' or 'wrong_person'.
    effect TEXT,
    callback_at INTEGER,
    list TEXT,
    scope TEXT,
    note TEXT,
    agent TEXT,
    said_by TEXT,
    said_at INTEGER,
    -- The callback that it ordered.
    follow_up BLOB,
    -- 1 for the first word; each correction adds one.
    revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX wrap_ups_missing ON wrap_ups (due_at) WHERE disposition IS NULL;
CREATE INDEX wrap_ups_missing_of_tenant ON wrap_ups (tenant, callback) WHERE disposition IS NULL;

-- Numbers that are not the person's of a reference, as the HMAC of the tenant, the reference and the number. Which they
-- are is not stored.
CREATE TABLE wrong_numbers (
    hash BLOB PRIMARY KEY,
    -- The callback whose wrap-up said so.
    callback BLOB NOT NULL
) STRICT, WITHOUT ROWID;
