-- The dialling group of a callback: that of its senders when it was ordered, or when a daemon was last started with other groups.
-- NULL: main.
ALTER TABLE callbacks ADD COLUMN group_name TEXT;
