-- When the chance to call ends, for those who wait at a gate: of equal priority, whose ends first goes first.
ALTER TABLE callbacks ADD COLUMN expires_at INTEGER;
UPDATE callbacks SET expires_at = latest WHERE gate IS NOT NULL;
DROP INDEX callbacks_by_gate;
CREATE INDEX callbacks_by_gate ON callbacks (gate, priority DESC, expires_at, id)
    WHERE state = 'waiting' AND gate IS NOT NULL;
