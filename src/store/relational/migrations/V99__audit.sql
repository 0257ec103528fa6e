-- What people and tokens did. Rows are added and never changed, except that an erasure takes away what tells of the
-- erased person.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    way TEXT NOT NULL,
    tenant TEXT NOT NULL,
    what TEXT NOT NULL,
    object TEXT,
    -- The digits of the consumer's number.
    consumer INTEGER,
    address TEXT,
    outcome TEXT NOT NULL,
    -- The values before and after, as short text with masked numbers.
    was TEXT,
    became TEXT
) STRICT;
-- Orders, which are most rows, have neither.
CREATE INDEX audit_by_object ON audit (object) WHERE object IS NOT NULL;
CREATE INDEX audit_by_consumer ON audit (consumer) WHERE consumer IS NOT NULL;
