-- A platform may restrict a part of what a sender does. A restriction of one part does not replace that of another.
CREATE TABLE restrictions_by_part (
    account TEXT NOT NULL,
    -- 0 for the whole account.
    sender INTEGER NOT NULL,
    -- everything, placed, buttons or calls.
    what TEXT NOT NULL,
    why TEXT NOT NULL,
    -- NULL: until the platform says so.
    until INTEGER,
    PRIMARY KEY (account, sender, what)
) STRICT, WITHOUT ROWID;
INSERT INTO restrictions_by_part (account, sender, what, why, until)
SELECT account, sender, 'everything', why, until FROM restrictions;
DROP TABLE restrictions;
ALTER TABLE restrictions_by_part RENAME TO restrictions;
