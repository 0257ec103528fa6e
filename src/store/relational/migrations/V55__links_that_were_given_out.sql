-- The senders to which calling links were given out for the callback, with the time of the first one, as JSON:
-- [[sender, microseconds], ...]; NULL for none.
ALTER TABLE callbacks ADD COLUMN links TEXT;
