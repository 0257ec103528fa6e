-- A call that is found at the platform may be one that we know: of another attempt.
CREATE INDEX attempts_by_sid ON attempts (sid) WHERE sid IS NOT NULL;
