-- How many calls of the campaign may begin in a minute; NULL: any number.
ALTER TABLE campaigns ADD COLUMN calls_per_minute INTEGER;
