-- Whether the document of the attempt connects the consumer with somebody: then an answer alone has reached nobody.
ALTER TABLE attempts ADD COLUMN must_connect INTEGER NOT NULL DEFAULT 0;
