-- What reports count. The writer adds to the cells in the transaction that changes an attempt, a message or a callback.
-- The family says what c0 to c11 are; see domain/reporting.
CREATE TABLE report_cells (
    tenant TEXT NOT NULL,
    family TEXT NOT NULL,
    label TEXT NOT NULL,
    -- Seconds since 1970 divided by 900.
    quarter INTEGER NOT NULL,
    -- 1: it was counted after the day had closed.
    late INTEGER NOT NULL,
    c0 INTEGER NOT NULL,
    c1 INTEGER NOT NULL,
    c2 INTEGER NOT NULL,
    c3 INTEGER NOT NULL,
    c4 INTEGER NOT NULL,
    c5 INTEGER NOT NULL,
    c6 INTEGER NOT NULL,
    c7 INTEGER NOT NULL,
    c8 INTEGER NOT NULL,
    c9 INTEGER NOT NULL,
    c10 INTEGER NOT NULL,
    c11 INTEGER NOT NULL,
    PRIMARY KEY (tenant, family, label, quarter, late)
) STRICT, WITHOUT ROWID;

-- The free texts that have cells of their own; the others are counted together.
CREATE TABLE report_labels (
    tenant TEXT NOT NULL,
    -- 'campaign' or 'agent'.
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, label)
) STRICT, WITHOUT ROWID;

-- What the consumer answered to a request: 'granted' or 'declined'.
ALTER TABLE messages ADD COLUMN reply TEXT;
-- The last grant, and the content of the request that it answers.
ALTER TABLE pairs ADD COLUMN granted_at INTEGER;
ALTER TABLE pairs ADD COLUMN granted_by TEXT;
-- The grant for which the callback had waited, if this is its first call since.
ALTER TABLE attempts ADD COLUMN granted_at INTEGER;
ALTER TABLE attempts ADD COLUMN granted_by TEXT;
