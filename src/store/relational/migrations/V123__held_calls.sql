-- Until when a person holds a call of unknown fate, and what the last lookup found, as JSON.
ALTER TABLE attempts ADD COLUMN held_until INTEGER;
ALTER TABLE attempts ADD COLUMN last_look TEXT;
