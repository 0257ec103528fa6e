-- A webhook may be about a consumer or a campaign. Its subject is the id of the callback, invite or campaign, or made of
-- the consumer's number; rows of one subject are delivered in order.
CREATE TABLE outbox_of_subjects (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    subject BLOB NOT NULL,
    what TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- 'waiting', 'delivered' or 'given_up'.
    state TEXT NOT NULL,
    -- The next try. NULL when settled, and while an earlier row of the same subject waits.
    due_at INTEGER,
    tries INTEGER NOT NULL,
    first_tried_at INTEGER,
    settled_at INTEGER,
    -- 1 while a process delivers it.
    claimed INTEGER
) STRICT;

INSERT INTO outbox_of_subjects (seq, id, subject, what, payload, created_at, state, due_at, tries, first_tried_at,
    settled_at, claimed)
SELECT seq, id, callback, what, payload, created_at, state, due_at, tries, first_tried_at, settled_at, claimed FROM outbox;

DROP TABLE outbox;
ALTER TABLE outbox_of_subjects RENAME TO outbox;

CREATE INDEX outbox_by_due ON outbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_by_subject ON outbox (subject, seq);
CREATE INDEX outbox_waiting ON outbox (created_at) WHERE state = 'waiting';
CREATE INDEX outbox_given_up ON outbox (seq) WHERE state = 'given_up';
CREATE INDEX outbox_claimed ON outbox (claimed) WHERE claimed IS NOT NULL;
-- A callback ends once, and is told to have ended once.
CREATE UNIQUE INDEX outbox_closed_once ON outbox (subject) WHERE what = 'callback.closed';
