-- Pools of agents as they were last fed.
CREATE TABLE pools (
    -- The tenant and the name: 'default/support'.
    pool TEXT PRIMARY KEY,
    -- 'seats' or 'free'.
    kind TEXT NOT NULL,
    figure INTEGER NOT NULL,
    as_of INTEGER NOT NULL,
    valid_until INTEGER NOT NULL,
    headroom INTEGER NOT NULL,
    -- Microseconds.
    wrap_up INTEGER NOT NULL,
    -- The name of the API token, or of the source in the configuration.
    fed_by TEXT NOT NULL,
    -- Why the source feeds it no more.
    fault TEXT
) STRICT, WITHOUT ROWID;

-- Seats that are held after their call. Those of calls in progress are in attempts.holds.
CREATE TABLE seats_in_wrap_up (
    attempt BLOB PRIMARY KEY,
    pool TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    -- When the consumer answered.
    busy_since INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX seats_in_wrap_up_by_end ON seats_in_wrap_up (until);

-- Folded commands about pools. They are deleted an hour later, because a pool is fed every few seconds.
CREATE TABLE pool_commands (
    seq INTEGER PRIMARY KEY,
    folded_at INTEGER NOT NULL
) STRICT;

CREATE INDEX pool_commands_by_time ON pool_commands (folded_at);

-- A report that is deleted is sought here.
CREATE INDEX set_aside_by_report ON set_aside (report) WHERE report IS NOT NULL;
