-- The consumer's consent of an order, as JSON.
ALTER TABLE callbacks ADD COLUMN consent TEXT;
