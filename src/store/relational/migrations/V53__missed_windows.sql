-- What happens if the first calling hours of the order pass without a call: 'close' or 'ask'; NULL for the next hours.
ALTER TABLE callbacks ADD COLUMN missed_window TEXT;
