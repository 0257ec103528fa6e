-- Who leads: each time a scheduler builds its state from the store, a term of a leader begins. A batch of an older one
-- changes nothing.
ALTER TABLE term ADD COLUMN leader INTEGER NOT NULL DEFAULT 0;
-- How many batches of leaders were written. A batch has the next number, so that whoever does not know whether one was
-- written can read it.
ALTER TABLE term ADD COLUMN batches INTEGER NOT NULL DEFAULT 0;
