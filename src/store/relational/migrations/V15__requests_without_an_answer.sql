-- How many permission requests of a pair nobody has answered yet. A request that was open before this counts as one.
ALTER TABLE pairs ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;
