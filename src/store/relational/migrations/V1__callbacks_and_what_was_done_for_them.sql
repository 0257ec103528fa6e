-- Moments are microseconds since 1970 in UTC, phone numbers their digits as integers, ids 16 bytes.
-- States, stages and the like are words, so that a person with a SQLite shell can read them.

CREATE TABLE callbacks (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    -- Counts up once in 65,536 rows; see callbacks_by_consumer.
    shelf INTEGER NOT NULL,
    version INTEGER NOT NULL,
    consumer INTEGER NOT NULL,
    -- Digits, each number between commas: ',551151991234,551151991235,'.
    senders TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    earliest INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    hours TEXT,
    priority INTEGER NOT NULL,
    document TEXT NOT NULL,
    -- JSON object; NULL if there are none.
    variables TEXT,
    agent TEXT,
    attempts_max INTEGER NOT NULL,
    campaign TEXT,
    reference TEXT,
    metadata TEXT,
    -- 'waiting', 'calling', or how it closed.
    state TEXT NOT NULL,
    -- When it wakes, if waiting; when it closed, if closed.
    at INTEGER,
    -- Where it waits, if at a gate.
    gate TEXT,
    -- The open attempt, if calling.
    attempt BLOB,
    note_code TEXT,
    note_sentence TEXT,
    note_lifts_at INTEGER,
    attempts_opened INTEGER NOT NULL,
    attempts_made INTEGER NOT NULL,
    faults INTEGER NOT NULL,
    retry_at INTEGER,
    invited_at INTEGER,
    cancel_requested_at INTEGER
) STRICT;

-- What the scheduler seeks by. Partial, so that closed callbacks weigh nothing.
CREATE INDEX callbacks_by_wake ON callbacks (at) WHERE state = 'waiting';
CREATE INDEX callbacks_by_gate ON callbacks (gate, priority DESC, latest, id)
    WHERE state = 'waiting' AND gate IS NOT NULL;
-- Consumers come in no order, and an index over all of them would dirty a page for each new row. Shelf by
-- shelf, new rows dirty the few pages of the last shelf; a reader looks into every shelf.
CREATE INDEX callbacks_by_consumer ON callbacks (shelf, consumer);
-- What lists and counts seek by.
CREATE INDEX callbacks_by_state ON callbacks (state, id);
CREATE INDEX callbacks_by_campaign ON callbacks (campaign, id) WHERE campaign IS NOT NULL;

CREATE TABLE idempotency_keys (
    token TEXT NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    callback BLOB NOT NULL,
    PRIMARY KEY (token, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    callback BLOB NOT NULL REFERENCES callbacks (id),
    number INTEGER NOT NULL,
    account TEXT NOT NULL,
    sender INTEGER NOT NULL,
    consumer INTEGER NOT NULL,
    leg_order TEXT NOT NULL,
    stage TEXT NOT NULL,
    intended_at INTEGER NOT NULL,
    submitted_at INTEGER,
    answered_at INTEGER,
    sid TEXT,
    error_code INTEGER,
    first_leg TEXT NOT NULL,
    second_leg TEXT,
    second_sid TEXT,
    connection TEXT,
    rang_at INTEGER,
    connected_at INTEGER,
    ended_at INTEGER,
    duration_s INTEGER,
    sip_code INTEGER,
    news_due_at INTEGER,
    -- Whether the call exists, or may, and is not known to be over.
    live INTEGER NOT NULL
) STRICT;

CREATE INDEX attempts_by_callback ON attempts (callback, number);
CREATE INDEX attempts_live ON attempts (live) WHERE live = 1;

CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    purpose TEXT NOT NULL,
    callback BLOB NOT NULL REFERENCES callbacks (id),
    account TEXT NOT NULL,
    sender INTEGER NOT NULL,
    consumer INTEGER NOT NULL,
    content TEXT NOT NULL,
    stage TEXT NOT NULL,
    intended_at INTEGER NOT NULL,
    submitted_at INTEGER,
    answered_at INTEGER,
    sid TEXT,
    error_code INTEGER,
    progress TEXT NOT NULL,
    delivered_at INTEGER,
    -- Whether the platform's answer, or its absence, is still to be learned.
    unsettled INTEGER NOT NULL
) STRICT;

CREATE INDEX messages_by_callback ON messages (callback);
CREATE INDEX messages_by_sid ON messages (sid) WHERE sid IS NOT NULL;
CREATE INDEX messages_unsettled ON messages (unsettled) WHERE unsettled = 1;

CREATE TABLE pairs (
    sender INTEGER NOT NULL,
    consumer INTEGER NOT NULL,
    version INTEGER NOT NULL,
    permission TEXT NOT NULL,
    -- When what the permission says ends, if it says so.
    permission_until INTEGER,
    request BLOB,
    -- Logs of moments: 8 bytes each, big-endian, oldest first.
    requests BLOB NOT NULL,
    connected BLOB NOT NULL,
    misses INTEGER NOT NULL,
    invited_at INTEGER,
    inbound_at INTEGER,
    live_attempt BLOB,
    live_inbound TEXT,
    paused_until INTEGER,
    external_user_id TEXT,
    PRIMARY KEY (sender, consumer)
) STRICT, WITHOUT ROWID;

CREATE INDEX pairs_with_live_inbound ON pairs (sender, consumer) WHERE live_inbound IS NOT NULL;

CREATE TABLE reports (
    seq INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    received_at INTEGER NOT NULL,
    event TEXT NOT NULL
) STRICT;

-- The reports that no batch has folded; folding deletes one row here and touches no other.
CREATE TABLE unfolded_reports (
    seq INTEGER PRIMARY KEY REFERENCES reports (seq)
) STRICT;

CREATE TABLE timeline (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    callback BLOB,
    sender INTEGER,
    consumer INTEGER,
    attempt BLOB,
    message BLOB,
    what TEXT NOT NULL,
    why TEXT NOT NULL
) STRICT;

CREATE INDEX timeline_by_callback ON timeline (callback) WHERE callback IS NOT NULL;
CREATE INDEX timeline_by_pair ON timeline (sender, consumer) WHERE sender IS NOT NULL;

CREATE TABLE tokens (
    hash BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    name TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
