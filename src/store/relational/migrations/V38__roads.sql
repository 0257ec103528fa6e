-- An order may only invite, and names the consumer's ids at Messenger's pages (JSON, by the alias of the page).
ALTER TABLE callbacks ADD COLUMN kind TEXT NOT NULL DEFAULT 'callback';
ALTER TABLE callbacks ADD COLUMN psids TEXT;
-- How a message invites, and the page's id of the person on Messenger.
ALTER TABLE messages ADD COLUMN road TEXT;
ALTER TABLE messages ADD COLUMN psid TEXT;
