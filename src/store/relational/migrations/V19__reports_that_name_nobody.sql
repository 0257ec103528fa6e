-- Reports that name nobody who is known: kept until the person becomes known, or for 30 days.
CREATE TABLE unmatched_reports (
    seq INTEGER PRIMARY KEY REFERENCES reports (seq),
    received_at INTEGER NOT NULL,
    -- WhatsApp's id of the person, without a portfolio; NULL if none was told.
    user_id TEXT,
    -- The SID of the message of ours that it answers.
    replied_to TEXT
) STRICT;
CREATE INDEX unmatched_by_user_id ON unmatched_reports (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX unmatched_by_reply ON unmatched_reports (replied_to) WHERE replied_to IS NOT NULL;
CREATE INDEX unmatched_by_age ON unmatched_reports (received_at);
