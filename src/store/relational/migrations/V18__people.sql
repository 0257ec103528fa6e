-- A person has one record, whatever the spelling of the number, and pairs are a sender and a person.
-- The id is the number by which the person was first known; digits as an integer.
CREATE TABLE persons (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    -- Attempts that are or may be in progress: ids in hex, with spaces between them.
    live TEXT,
    -- 'kind sender moment', with semicolons between them.
    refusals TEXT,
    talked_until INTEGER
) STRICT;

-- The names that were learned, beside the number of the id and its spellings: 'tel:551151991234' or
-- 'user:portfolio:BR.1349120865530274'.
CREATE TABLE names (
    name TEXT PRIMARY KEY NOT NULL,
    person INTEGER NOT NULL,
    -- Of a user, without the portfolio.
    user_id TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX names_by_person ON names (person);
CREATE INDEX names_by_user_id ON names (user_id) WHERE user_id IS NOT NULL;

INSERT INTO persons (id, version, live, refusals)
SELECT
    consumer,
    1,
    group_concat(lower(hex(live_attempt)), ' ') FILTER (WHERE live_attempt IS NOT NULL),
    group_concat(
        CASE permission WHEN 'declined' THEN 'decline ' ELSE 'revocation ' END || sender || ' ' ||
        CASE permission
            -- A decline ends seven days after it was said.
            WHEN 'declined' THEN permission_until - 7 * 86400 * 1000000
            ELSE CAST(unixepoch() AS INTEGER) * 1000000
        END, ';'
    ) FILTER (WHERE permission IN ('declined', 'revoked_by_consumer'))
FROM pairs
GROUP BY consumer;

INSERT OR IGNORE INTO names (name, person, user_id)
SELECT
    'user:default:' || replace(external_user_id, 'whatsapp:', ''), consumer, replace(external_user_id, 'whatsapp:', '')
FROM pairs
WHERE replace(external_user_id, 'whatsapp:', '') GLOB '[A-Z][A-Z].?*';

ALTER TABLE pairs RENAME COLUMN consumer TO person;
ALTER TABLE pairs DROP COLUMN live_attempt;
ALTER TABLE pairs DROP COLUMN external_user_id;
-- When the request was sent that was answered last with no.
ALTER TABLE pairs ADD COLUMN declined_request_at INTEGER;
CREATE INDEX pairs_by_person ON pairs (person);

-- Why the consumer is called, and whether a pause after an earlier talk is kept.
ALTER TABLE callbacks ADD COLUMN purpose TEXT NOT NULL DEFAULT 'service';
ALTER TABLE callbacks ADD COLUMN waive_gap INTEGER NOT NULL DEFAULT 0;
