-- The people who sign in. `bounds` has a bound on each line, such as 'campaign:spring'; an empty text bounds nobody.
CREATE TABLE members (
    name TEXT NOT NULL PRIMARY KEY,
    role TEXT NOT NULL,
    tenant TEXT NOT NULL,
    bounds TEXT NOT NULL,
    -- Hashed by argon2id, in the PHC string format.
    password TEXT,
    -- Who it is at a provider of OpenID Connect.
    issuer TEXT,
    subject TEXT,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX members_by_subject ON members (issuer, subject) WHERE subject IS NOT NULL;

-- Their sessions, by the SHA-256 of the token in the cookie.
CREATE TABLE sessions (
    hash BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    way TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_name ON sessions (name, created_at);
CREATE INDEX sessions_by_end ON sessions (ends_at);
