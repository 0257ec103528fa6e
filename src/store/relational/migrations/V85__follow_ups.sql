-- JSON: whose callbacks the campaign takes over, and how far; NULL: it takes over none.
ALTER TABLE campaigns ADD COLUMN follow_up TEXT;
