-- What operators paused. A row stays when its pause is over.
CREATE TABLE pauses (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    -- 'all', 'account:main', 'sender:551151991234' or 'person:5511987654321'.
    scope TEXT NOT NULL,
    tenant TEXT NOT NULL,
    -- The name of the API token.
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    -- NULL: until it is lifted.
    until INTEGER,
    lifted_at INTEGER,
    lifted_by TEXT
) STRICT;

CREATE INDEX pauses_open ON pauses (until) WHERE lifted_at IS NULL;

-- Permissions that end by themselves, to tell how many end during a pause.
CREATE INDEX pairs_permission_ends ON pairs (permission_until, sender) WHERE permission = 'temporary';
