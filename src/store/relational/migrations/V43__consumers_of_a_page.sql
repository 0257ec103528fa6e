-- Further consumers that orders have named with the same id of a page, as JSON: [[sender, consumer], ...].
ALTER TABLE messenger_contacts ADD COLUMN others TEXT;
