-- The rarer fields of an order, as JSON; NULL for none: the assigned agent, what was promised, a place in line, a preview,
-- and what made it.
ALTER TABLE callbacks ADD COLUMN terms TEXT;
-- What became of these, as JSON; NULL for nothing: when the phone first rang, and how far the offers are.
ALTER TABLE callbacks ADD COLUMN handling TEXT;
-- The end of the offer to agents that is in progress, of a waiting callback.
ALTER TABLE callbacks ADD COLUMN offered_until INTEGER;

CREATE INDEX callbacks_offered ON callbacks (tenant, offered_until) WHERE offered_until IS NOT NULL;
