-- How many turns the campaign has among others; NULL: 10.
ALTER TABLE campaigns ADD COLUMN weight INTEGER;
-- Of callbacks at a gate: whose turn it is with them. NULL: they belong to no campaign. Otherwise the campaign, with ! for
-- urgent priorities.
ALTER TABLE callbacks ADD COLUMN lane TEXT;
-- Of a lower one go first. NULL: the priority, negated.
ALTER TABLE callbacks ADD COLUMN aged INTEGER;
UPDATE callbacks SET lane = lower(campaign) || iif(priority >= 8, '!', '')
    WHERE state = 'waiting' AND gate IS NOT NULL
    AND campaign GLOB 'cmp_*' AND length(campaign) = 36 AND substr(campaign, 5) NOT GLOB '*[^0-9a-fA-F]*';
DROP INDEX callbacks_by_gate;
CREATE INDEX callbacks_by_gate ON callbacks (gate, ifnull(lane, ''), ifnull(aged, -priority), expires_at, id)
    WHERE state = 'waiting' AND gate IS NOT NULL;
