-- When invites were intended that may have reached the person, by any sender and road: eight bytes each, big endian.
ALTER TABLE persons ADD COLUMN invites BLOB NOT NULL DEFAULT x'';
-- Invites of before count too, as far as they are known.
UPDATE persons SET invites = (
    SELECT unhex(printf('%016x', max(invited_at))) FROM pairs WHERE pairs.person = persons.id AND invited_at IS NOT NULL
) WHERE id IN (SELECT person FROM pairs WHERE invited_at IS NOT NULL);
-- When a message of ours last left.
ALTER TABLE pairs ADD COLUMN messaged_at INTEGER;
-- By which road the consumer was invited, 'kind:alias'; the roads that failed, as JSON; the consumer's unanswered call.
ALTER TABLE callbacks ADD COLUMN invited_by TEXT;
ALTER TABLE callbacks ADD COLUMN roads_failed TEXT;
ALTER TABLE callbacks ADD COLUMN missed_call_at INTEGER;

-- Whom the pages of Messenger know.
CREATE TABLE messenger_contacts (
    account TEXT NOT NULL,
    psid TEXT NOT NULL,
    version INTEGER NOT NULL,
    -- From the last order that named the id.
    sender INTEGER,
    consumer INTEGER,
    wrote_at INTEGER,
    stopped_at INTEGER,
    PRIMARY KEY (account, psid)
) STRICT, WITHOUT ROWID;

-- What platforms restrict. A row is deleted when its restriction has ended.
CREATE TABLE restrictions (
    account TEXT NOT NULL,
    -- 0 for the whole account.
    sender INTEGER NOT NULL,
    why TEXT NOT NULL,
    -- NULL: until the platform says so.
    until INTEGER,
    PRIMARY KEY (account, sender)
) STRICT, WITHOUT ROWID;
