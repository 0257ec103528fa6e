-- A customer's reference names a callback wherever its id does. References come in no order, as consumers do; see
-- callbacks_by_consumer. Nothing in it ever changes after the insert.
CREATE INDEX callbacks_by_reference ON callbacks (shelf, tenant, reference) WHERE reference IS NOT NULL;
