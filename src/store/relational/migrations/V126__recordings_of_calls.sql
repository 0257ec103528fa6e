-- What platforms recorded of a call, as JSON, and when the platform is asked next to delete one of the recordings.
ALTER TABLE attempts ADD COLUMN recordings TEXT;
ALTER TABLE attempts ADD COLUMN recordings_due_at INTEGER;
CREATE INDEX attempts_with_recordings_due ON attempts (recordings_due_at) WHERE recordings_due_at IS NOT NULL;
