-- Which history the store is of, and what is lost of it. Without a row it never had a witness.
CREATE TABLE lineage (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    -- 16 random bytes. A store that was put back gets others.
    identity BLOB NOT NULL,
    -- Set in a copy that was made for a backup, until it is opened.
    copied_at INTEGER,
    -- Set since the store was found not to be the one that was last written.
    held_since INTEGER,
    cause TEXT,
    -- When the last batch was written that the store knows.
    lost_from INTEGER,
    stored_leader INTEGER,
    stored_batch INTEGER,
    witness_identity BLOB,
    witness_leader INTEGER,
    witness_batch INTEGER,
    witness_at INTEGER,
    -- The operator's word. The rest stays, to be looked at.
    released_at INTEGER,
    released_by TEXT,
    released_why TEXT
) STRICT;

-- The accounts whose platforms were asked what they have of the lost span.
CREATE TABLE lineage_accounts (
    account TEXT PRIMARY KEY,
    listed_at INTEGER NOT NULL,
    is_listed INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    inbound INTEGER NOT NULL
) STRICT;

-- What they had and the store did not know.
CREATE TABLE lineage_strangers (
    account TEXT NOT NULL,
    sid TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    consumer INTEGER NOT NULL,
    callback BLOB,
    attempt BLOB,
    PRIMARY KEY (account, sid)
) STRICT;
