-- JSON: when the campaign is paused without an operator. NULL: the default.
ALTER TABLE campaigns ADD COLUMN breaker TEXT;

-- Calls of open campaigns that are over, by five minutes and sender. A day of them is kept.
CREATE TABLE campaign_calls (
    campaign BLOB NOT NULL,
    -- Microseconds of the time divided by 300,000,000.
    bucket INTEGER NOT NULL,
    -- The digits of the number.
    sender INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    abandoned INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    PRIMARY KEY (campaign, bucket, sender)
) STRICT, WITHOUT ROWID;
