-- The permission requests that are not answered, oldest first: ids of messages grow with time.
CREATE INDEX pairs_asked ON pairs (request, permission_until) WHERE permission = 'requested' AND request IS NOT NULL;
