-- When an operator allowed one more attempt in spite of the streak guard; NULL once it was used up.
ALTER TABLE callbacks ADD COLUMN attempt_allowed_at INTEGER;
