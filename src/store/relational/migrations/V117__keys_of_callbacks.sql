-- The keys of an order go with it.
CREATE INDEX idempotency_keys_by_callback ON idempotency_keys (callback);
