-- That a consumer is not on WhatsApp ends after 30 days. What is known so far ends 30 days from now.
UPDATE pairs
SET permission_until = CAST(unixepoch() AS INTEGER) * 1000000 + 30 * 86400 * 1000000
WHERE permission = 'uncallable' AND permission_until IS NULL;

-- How often a daemon has opened this file. Each start is a term; whoever writes proves that its term is the last one,
-- so that a daemon of an older term changes nothing more.
CREATE TABLE term (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    term INTEGER NOT NULL
) STRICT;
INSERT INTO term (one, term) VALUES (1, 0);
