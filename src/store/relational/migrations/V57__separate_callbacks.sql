-- 1: the callback stays open when another one of the same purpose reaches the consumer. NULL: it does not.
ALTER TABLE callbacks ADD COLUMN separate INTEGER;
