-- Days of calendars that operators closed, opened, or gave back to the calendar. A row stays when its day is over.
CREATE TABLE calendar_days (
    calendar TEXT NOT NULL,
    -- YYYY-MM-DD.
    day TEXT NOT NULL,
    -- 'closed', 'open' or 'default'.
    mark TEXT NOT NULL,
    -- The name of the API token.
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    marked_at INTEGER NOT NULL,
    PRIMARY KEY (calendar, day)
) STRICT, WITHOUT ROWID;

CREATE INDEX calendar_days_by_day ON calendar_days (day);
