-- A dispatcher that takes a row claims it: `due_at` becomes the end of the claim, and `claimed` is set until the
-- row is settled. A dispatcher that starts alone on the file voids the claims of the one before.
ALTER TABLE outbox ADD COLUMN claimed INTEGER;
CREATE INDEX outbox_claimed ON outbox (claimed) WHERE claimed IS NOT NULL;
