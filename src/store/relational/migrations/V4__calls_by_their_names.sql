-- A call that is found at the platform may be one that we know: of another attempt.
CREATE INDEX attempts_by_sid ON attempts (sid) WHERE sid IS NOT NULL;

-- The consumer's last call that is over: it may be reported again.
ALTER TABLE pairs ADD COLUMN ended_inbound TEXT;

-- When we heard of the consumer's call in progress, and when a call of ours was last missed, in microseconds: a
-- call forgives only what came before it.
ALTER TABLE pairs ADD COLUMN inbound_began_at INTEGER;
ALTER TABLE pairs ADD COLUMN missed_at INTEGER;
