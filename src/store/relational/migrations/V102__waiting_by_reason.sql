-- How many callbacks wait for each reason, apart for each campaign object, so that a page that shows why they wait counts
-- nothing. Callbacks of no campaign object have an empty one. Changed with callback_counts.
CREATE TABLE waiting_by_reason (
    tenant TEXT NOT NULL,
    reason TEXT NOT NULL,
    campaign TEXT NOT NULL,
    callbacks INTEGER NOT NULL,
    PRIMARY KEY (tenant, reason, campaign)
) STRICT, WITHOUT ROWID;
CREATE INDEX waiting_by_reason_now ON waiting_by_reason (tenant, reason, callbacks) WHERE callbacks <> 0;
INSERT INTO waiting_by_reason (tenant, reason, campaign, callbacks)
    SELECT tenant, coalesce(note_code, ''), CASE WHEN campaign GLOB 'cmp_*' THEN campaign ELSE '' END, count(*)
    FROM callbacks WHERE kind = 'callback' AND state = 'waiting' GROUP BY 1, 2, 3;
