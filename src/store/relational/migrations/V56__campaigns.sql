-- Campaigns, which hold, end and count their callbacks together.
CREATE TABLE campaigns (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    -- JSON: fields of an order.
    defaults TEXT NOT NULL,
    concurrent_calls_max INTEGER,
    created_at INTEGER NOT NULL,
    -- The name of the API token.
    created_by TEXT NOT NULL,
    -- NULL: it is not finished, or it is canceled and has open callbacks.
    ended_at INTEGER
) STRICT;

CREATE INDEX campaigns_by_tenant ON campaigns (tenant, seq);
CREATE INDEX campaigns_open ON campaigns (seq) WHERE ended_at IS NULL;

-- Who changed a campaign, when, and the note for the record.
CREATE TABLE campaign_acts (
    seq INTEGER PRIMARY KEY,
    campaign BLOB NOT NULL,
    at INTEGER NOT NULL,
    act TEXT NOT NULL,
    who TEXT NOT NULL,
    note TEXT
) STRICT;

CREATE INDEX campaign_acts_by_campaign ON campaign_acts (campaign, seq);

-- How many callbacks and invites of a campaign are in each state: changed with them, so that nobody has to count.
CREATE TABLE campaign_counts (
    campaign BLOB NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    callbacks INTEGER NOT NULL,
    PRIMARY KEY (campaign, kind, state)
) STRICT, WITHOUT ROWID;

-- Only orders of campaigns are in it; other texts in the column are labels. No change of a callback touches it.
CREATE INDEX callbacks_of_campaigns ON callbacks (campaign) WHERE campaign GLOB 'cmp_*';
