-- When calls to the person were intended that count for the operator's caps: eight bytes each, big endian.
ALTER TABLE persons ADD COLUMN calls BLOB NOT NULL DEFAULT x'';
