-- Callbacks and invites are orders of one table. Lists and counts are of one kind, so their indexes begin with it.
DROP INDEX callbacks_by_state;
CREATE INDEX callbacks_by_state ON callbacks (kind, tenant, state, id);
DROP INDEX callbacks_by_campaign;
CREATE INDEX callbacks_by_campaign ON callbacks (kind, tenant, campaign, id) WHERE campaign IS NOT NULL;

ALTER TABLE callback_counts RENAME TO callback_counts_of_all_kinds;
CREATE TABLE callback_counts (
    kind TEXT NOT NULL,
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    callbacks INTEGER NOT NULL,
    PRIMARY KEY (kind, tenant, state)
) STRICT, WITHOUT ROWID;
-- No invite could be ordered before.
INSERT INTO callback_counts (kind, tenant, state, callbacks)
    SELECT 'callback', tenant, state, callbacks FROM callback_counts_of_all_kinds;
DROP TABLE callback_counts_of_all_kinds;
