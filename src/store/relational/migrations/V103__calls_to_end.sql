-- When a person wanted the call ended, so that a restart goes on ending it.
ALTER TABLE attempts ADD COLUMN end_requested_at INTEGER;
