-- Webhooks come in any order. What was told first does not replace or end what was told later.
ALTER TABLE restrictions ADD COLUMN told_at INTEGER;
-- The latest end of all restrictions of an account or a sender (0: of the whole account), so that an older restriction
-- that comes later is not taken. A row is replaced, and goes never: there is one for each account and sender.
CREATE TABLE restriction_ends (
    account TEXT NOT NULL,
    sender INTEGER NOT NULL,
    told_at INTEGER NOT NULL,
    PRIMARY KEY (account, sender)
) STRICT, WITHOUT ROWID;
