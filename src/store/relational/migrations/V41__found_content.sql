-- The content that senders name, as it was last found at the platform: a start that cannot ask the platform uses it.
CREATE TABLE found_content (
    account TEXT NOT NULL,
    -- The sender's number and the key that names the content.
    sender INTEGER NOT NULL,
    role TEXT NOT NULL,
    -- The declared name. A row of another name is not used.
    name TEXT NOT NULL,
    sid TEXT NOT NULL,
    -- The names of its variables, as a JSON array.
    variables TEXT NOT NULL,
    found_at INTEGER NOT NULL,
    PRIMARY KEY (account, sender, role)
) STRICT, WITHOUT ROWID;
