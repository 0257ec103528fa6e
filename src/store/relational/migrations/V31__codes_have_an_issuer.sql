-- The number of an error code means something only together with the platform that gave it out. All codes until now
-- came from Twilio, which passes on some of Meta's: those have six digits.
ALTER TABLE attempts ADD COLUMN error_issuer TEXT;
ALTER TABLE messages ADD COLUMN error_issuer TEXT;

UPDATE attempts SET error_issuer = CASE WHEN error_code < 100000 THEN 'twilio' ELSE 'meta' END
WHERE error_code IS NOT NULL;
UPDATE messages SET error_issuer = CASE WHEN error_code < 100000 THEN 'twilio' ELSE 'meta' END
WHERE error_code IS NOT NULL;
