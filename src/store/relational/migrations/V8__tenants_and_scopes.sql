-- Whose a callback is, and by which token it was ordered. What was stored before belongs to the tenant 'default'.
ALTER TABLE callbacks ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';
ALTER TABLE callbacks ADD COLUMN ordered_by TEXT;
-- Every list is of one tenant.
DROP INDEX callbacks_by_state;
CREATE INDEX callbacks_by_state ON callbacks (tenant, state, id);
DROP INDEX callbacks_by_campaign;
CREATE INDEX callbacks_by_campaign ON callbacks (tenant, campaign, id) WHERE campaign IS NOT NULL;

-- The token that caused a line, where one did.
ALTER TABLE timeline ADD COLUMN by_token TEXT;

-- What a token may do. Tokens that were made before may do everything but manage access.
ALTER TABLE tokens ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';
ALTER TABLE tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT 'order,read,reveal,work,supervise,operate';
ALTER TABLE tokens ADD COLUMN expires_at INTEGER;
ALTER TABLE tokens ADD COLUMN last_used_at INTEGER;
-- Digits, each number between commas; ',' allows all senders.
ALTER TABLE tokens ADD COLUMN senders TEXT NOT NULL DEFAULT ',';
-- A JSON array of names; '[]' allows all documents.
ALTER TABLE tokens ADD COLUMN documents TEXT NOT NULL DEFAULT '[]';
ALTER TABLE tokens ADD COLUMN requests_per_second INTEGER;
ALTER TABLE tokens ADD COLUMN orders_per_day INTEGER;

-- How many callbacks a token ordered in each minute, for tokens with a daily ceiling. A minute is its number
-- since 1970.
CREATE TABLE orders_by_minute (
    token BLOB NOT NULL,
    minute INTEGER NOT NULL,
    orders INTEGER NOT NULL,
    PRIMARY KEY (token, minute)
) STRICT, WITHOUT ROWID;
