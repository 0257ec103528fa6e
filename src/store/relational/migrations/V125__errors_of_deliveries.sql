-- Why the last try to deliver a webhook failed: a status or a fixed sentence.
ALTER TABLE outbox ADD COLUMN last_error TEXT;
