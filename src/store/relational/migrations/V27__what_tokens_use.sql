-- Ceilings by the name of a token. They stay when the token is revoked, because the callbacks that it ordered go on.
CREATE TABLE token_ceilings (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    calls_per_day INTEGER,
    requests_per_day INTEGER,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

-- Calls and permission requests for the callbacks of a token, by the minute in which they were decided.
CREATE TABLE token_uses (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    minute INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    PRIMARY KEY (tenant, name, kind, minute)
) STRICT, WITHOUT ROWID;
