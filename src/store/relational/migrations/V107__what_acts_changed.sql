-- What an act changed of a campaign: JSON, a list of a field with its values before and after; NULL: nothing, or not known.
ALTER TABLE campaign_acts ADD COLUMN changes TEXT;
