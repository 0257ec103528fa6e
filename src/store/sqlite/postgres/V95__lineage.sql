-- The same as the migration of SQLite of this number.
-- least: 85

CREATE TABLE lineage (
    one BIGINT PRIMARY KEY CHECK (one = 1),
        identity BYTEA NOT NULL,
        copied_at BIGINT,
        held_since BIGINT,
    cause TEXT COLLATE "C",
        lost_from BIGINT,
    stored_leader BIGINT,
    stored_batch BIGINT,
    witness_identity BYTEA,
    witness_leader BIGINT,
    witness_batch BIGINT,
    witness_at BIGINT,
        released_at BIGINT,
    released_by TEXT COLLATE "C",
    released_why TEXT COLLATE "C"
);

CREATE TABLE lineage_accounts (
    account TEXT COLLATE "C" PRIMARY KEY,
    listed_at BIGINT NOT NULL,
    is_listed BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    inbound BIGINT NOT NULL
);

CREATE TABLE lineage_strangers (
    account TEXT COLLATE "C" NOT NULL,
    sid TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    sender BIGINT NOT NULL,
    consumer BIGINT NOT NULL,
    callback BYTEA,
    attempt BYTEA,
    PRIMARY KEY (account, sid)
);
