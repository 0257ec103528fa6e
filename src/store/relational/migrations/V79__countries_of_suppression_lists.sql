-- The countries of the numbers that a list binds, with a space between; '' for all.
ALTER TABLE suppression_lists ADD COLUMN countries TEXT NOT NULL DEFAULT '';
