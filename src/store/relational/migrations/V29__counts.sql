-- How many callbacks each tenant has in each state. Every transaction that inserts or changes a callback changes it.
CREATE TABLE callback_counts (
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    callbacks INTEGER NOT NULL,
    PRIMARY KEY (tenant, state)
) STRICT, WITHOUT ROWID;
INSERT INTO callback_counts (tenant, state, callbacks) SELECT tenant, state, count(*) FROM callbacks GROUP BY tenant, state;

-- A turn asks for those who wait for a consumer. Shelf by shelf, as callbacks_by_consumer, but only the shelves on
-- which anybody waits have a page.
CREATE INDEX callbacks_waiting_by_consumer ON callbacks (shelf, consumer) WHERE state = 'waiting';
