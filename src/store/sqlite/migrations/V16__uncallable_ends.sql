-- That a consumer is not on WhatsApp ends after 30 days. What is known so far ends 30 days from now.
UPDATE pairs
SET permission_until = CAST(unixepoch() AS INTEGER) * 1000000 + 30 * 86400 * 1000000
WHERE permission = 'uncallable' AND permission_until IS NULL;
