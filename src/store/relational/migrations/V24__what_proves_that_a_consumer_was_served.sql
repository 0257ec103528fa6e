-- What shows that a consumer who answered was served, in place of the flag that the document connects. An agent who is
-- called first proves it by the consumer's answer.
ALTER TABLE attempts ADD COLUMN proof TEXT NOT NULL DEFAULT 'answer';
UPDATE attempts SET proof = 'bridge' WHERE must_connect = 1 AND leg_order = 'consumer_first';
ALTER TABLE attempts DROP COLUMN must_connect;

-- The leg about which the connecting verb reported, and the leg to an agent that was answered.
ALTER TABLE attempts ADD COLUMN connection_sid TEXT;
ALTER TABLE attempts ADD COLUMN bridge_sid TEXT;
ALTER TABLE attempts ADD COLUMN bridge_at INTEGER;
UPDATE attempts SET bridge_sid = second_sid
 WHERE leg_order = 'consumer_first' AND second_sid IS NOT NULL AND second_leg IN ('in_progress', 'completed');
UPDATE attempts SET connection_sid = second_sid WHERE connection IS NOT NULL;
