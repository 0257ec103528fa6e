-- The callbacks whose last call was answered and served nobody, as callbacks_by_state: few of all.
CREATE INDEX callbacks_abandoned ON callbacks (tenant, state, id, abandoned_at) WHERE abandoned_at IS NOT NULL;
-- The open ones of them are counted beside the states, under a word that is no state.
INSERT INTO callback_counts (tenant, state, callbacks)
    SELECT tenant, 'abandoned', count(*) FROM callbacks
    WHERE abandoned_at IS NOT NULL AND state IN ('waiting', 'calling') GROUP BY tenant;
-- When a late report proved that an earlier call had served the consumer, while another attempt was in progress.
ALTER TABLE callbacks ADD COLUMN reached_late_at INTEGER;
