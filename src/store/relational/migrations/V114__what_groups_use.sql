-- What only the senders of one dialling group may use, with the group that used it first: a pool, a campaign, or an agent with a
-- ceiling.
CREATE TABLE group_uses (
    -- As in attempts.holds: 'pool:default/support'.
    resource TEXT PRIMARY KEY,
    group_name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The senders that are not in the group main, as the last start found them. Open callbacks have their groups by it.
CREATE TABLE grouped_senders (
    sender INTEGER PRIMARY KEY,
    group_name TEXT NOT NULL
) STRICT, WITHOUT ROWID;
