-- When the last attempt that counts ended, if its consumer answered and was not served.
ALTER TABLE callbacks ADD COLUMN abandoned_at INTEGER;
