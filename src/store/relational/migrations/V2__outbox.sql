-- What customers are told over their webhook. A row is written with the change that it tells of, and kept when
-- it is delivered, so that it can be delivered again.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    callback BLOB NOT NULL REFERENCES callbacks (id),
    what TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- 'waiting', 'delivered' or 'given_up'.
    state TEXT NOT NULL,
    -- The next try. NULL when settled, and while an earlier row of the same callback waits.
    due_at INTEGER,
    tries INTEGER NOT NULL,
    first_tried_at INTEGER,
    settled_at INTEGER
) STRICT;

CREATE INDEX outbox_by_due ON outbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_by_callback ON outbox (callback, seq);
CREATE INDEX outbox_waiting ON outbox (created_at) WHERE state = 'waiting';
CREATE INDEX outbox_given_up ON outbox (seq) WHERE state = 'given_up';
-- A callback ends once, and is told to have ended once.
CREATE UNIQUE INDEX outbox_closed_once ON outbox (callback) WHERE what = 'callback.closed';
