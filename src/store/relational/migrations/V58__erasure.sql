-- Erasures: the data of a person leaves the store, and what stays of it is written here.
CREATE TABLE erasures (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    -- closing, searching, cleaning or done.
    state TEXT NOT NULL,
    -- What stands in place of the person's number: no number of anybody.
    pseudonym INTEGER NOT NULL,
    -- JSON: the names of the person and the ids at pages. NULL when they are not needed any more.
    names TEXT,
    pages TEXT,
    asked_at INTEGER NOT NULL,
    asked_by TEXT NOT NULL,
    why TEXT NOT NULL,
    done_at INTEGER,
    -- Reports up to this one are searched.
    searched INTEGER NOT NULL DEFAULT 0,
    -- How much was erased.
    orders INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    messages INTEGER NOT NULL DEFAULT 0,
    reports INTEGER NOT NULL DEFAULT 0,
    -- Calls and messages at platforms whose ids tell the number, and are erased too.
    unnamed INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX erasures_open ON erasures (seq) WHERE done_at IS NULL;

-- What a platform still holds of an erased person, by the platform's id.
CREATE TABLE erasure_held (
    erasure BLOB NOT NULL,
    sid TEXT NOT NULL,
    account TEXT NOT NULL,
    -- call or message.
    kind TEXT NOT NULL,
    -- held, deleted or refused.
    state TEXT NOT NULL DEFAULT 'held',
    tries INTEGER NOT NULL DEFAULT 0,
    -- When the platform is asked to delete it; NULL: not again.
    due_at INTEGER,
    PRIMARY KEY (erasure, sid)
) STRICT, WITHOUT ROWID;

CREATE INDEX messages_alone ON messages (consumer) WHERE callback IS NULL;
