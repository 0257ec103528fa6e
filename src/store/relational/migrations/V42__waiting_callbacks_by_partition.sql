-- How many callbacks of each partition wait, so that a turn looks for those of a consumer only where somebody waits. The
-- index that it replaces cost every new order a page of its own. Changed with callback_counts.
DROP INDEX callbacks_waiting_by_consumer;
CREATE TABLE waiting_by_partition (
    partition_no INTEGER PRIMARY KEY,
    callbacks INTEGER NOT NULL
) STRICT;
INSERT INTO waiting_by_partition (partition_no, callbacks)
    SELECT partition_no, count(*) FROM callbacks WHERE state = 'waiting' GROUP BY partition_no;
