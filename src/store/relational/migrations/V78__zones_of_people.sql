-- The time zones that people are known to be in.
CREATE TABLE person_zones (
    -- The person's number in its key spelling.
    person INTEGER PRIMARY KEY,
    -- IANA names, with a space between.
    zones TEXT NOT NULL,
    told_at INTEGER NOT NULL,
    -- The name of the API token.
    told_by TEXT NOT NULL
) STRICT;
