-- The last reading of the machine's clocks that was trusted, and the doubt since the wall clock jumped. A jump while the
-- daemon is down is found at its next start, if the machine was not booted meanwhile.
CREATE TABLE clock (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    -- The name of the boot that `up` counts from.
    boot TEXT NOT NULL,
    wall INTEGER NOT NULL,
    -- Microseconds since the boot, including the time that the machine was suspended.
    up INTEGER NOT NULL,
    -- Both NULL, or both set while the wall clock is in doubt. `jumped_by` is in microseconds.
    doubt_since INTEGER,
    jumped_by INTEGER
) STRICT;
