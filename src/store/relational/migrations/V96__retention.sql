-- What was counted of rows that are deleted because they are old, so that a recount finds the same numbers.
CREATE TABLE retired_counts (
    kind TEXT NOT NULL,
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    callbacks INTEGER NOT NULL,
    PRIMARY KEY (kind, tenant, state)
) STRICT;

CREATE TABLE retired_campaign_counts (
    campaign TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    callbacks INTEGER NOT NULL,
    PRIMARY KEY (campaign, kind, state)
) STRICT;

CREATE TABLE retired_cells (
    tenant TEXT NOT NULL,
    family TEXT NOT NULL,
    label TEXT NOT NULL,
    quarter INTEGER NOT NULL,
    c0 INTEGER NOT NULL,
    c1 INTEGER NOT NULL,
    c2 INTEGER NOT NULL,
    c3 INTEGER NOT NULL,
    c4 INTEGER NOT NULL,
    c5 INTEGER NOT NULL,
    c6 INTEGER NOT NULL,
    c7 INTEGER NOT NULL,
    c8 INTEGER NOT NULL,
    c9 INTEGER NOT NULL,
    c10 INTEGER NOT NULL,
    c11 INTEGER NOT NULL,
    PRIMARY KEY (tenant, family, label, quarter)
) STRICT;
