-- The same as the migration of SQLite of this number.
-- least: 85

CREATE TABLE retired_counts (
    kind TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    callbacks BIGINT NOT NULL,
    PRIMARY KEY (kind, tenant, state)
);

CREATE TABLE retired_campaign_counts (
    campaign TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    callbacks BIGINT NOT NULL,
    PRIMARY KEY (campaign, kind, state)
);

CREATE TABLE retired_cells (
    tenant TEXT COLLATE "C" NOT NULL,
    family TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C" NOT NULL,
    quarter BIGINT NOT NULL,
    c0 BIGINT NOT NULL,
    c1 BIGINT NOT NULL,
    c2 BIGINT NOT NULL,
    c3 BIGINT NOT NULL,
    c4 BIGINT NOT NULL,
    c5 BIGINT NOT NULL,
    c6 BIGINT NOT NULL,
    c7 BIGINT NOT NULL,
    c8 BIGINT NOT NULL,
    c9 BIGINT NOT NULL,
    c10 BIGINT NOT NULL,
    c11 BIGINT NOT NULL,
    PRIMARY KEY (tenant, family, label, quarter)
);
