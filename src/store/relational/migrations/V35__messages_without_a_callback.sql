-- A message may belong to no callback, so it names its tenant itself, and the channel on which its account sends it.
CREATE TABLE messages_new (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    purpose TEXT NOT NULL,
    callback BLOB REFERENCES callbacks (id),
    tenant TEXT NOT NULL,
    channel TEXT NOT NULL,
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
    error_issuer TEXT,
    progress TEXT NOT NULL,
    delivered_at INTEGER,
    -- Whether the platform's answer, or its absence, is still to be learned.
    unsettled INTEGER NOT NULL
) STRICT;

INSERT INTO messages_new
SELECT m.seq, m.id, m.purpose, m.callback, c.tenant, 'whatsapp', m.account, m.sender, m.consumer, m.content, m.stage,
       m.intended_at, m.submitted_at, m.answered_at, m.sid, m.error_code, m.error_issuer, m.progress, m.delivered_at,
       m.unsettled
FROM messages m JOIN callbacks c ON c.id = m.callback
ORDER BY m.seq;

DROP TABLE messages;
ALTER TABLE messages_new RENAME TO messages;

CREATE INDEX messages_by_callback ON messages (callback) WHERE callback IS NOT NULL;
CREATE INDEX messages_by_sid ON messages (sid) WHERE sid IS NOT NULL;
CREATE INDEX messages_unsettled ON messages (unsettled) WHERE unsettled = 1;
