-- The purpose and the campaign of the order for which a message was sent, for reports. NULL: a message without a callback, an
-- order without a campaign, or an older message.
ALTER TABLE messages ADD COLUMN order_purpose TEXT;
ALTER TABLE messages ADD COLUMN campaign TEXT;
