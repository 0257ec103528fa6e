//! All waiting callbacks, part by part, in the order in which they were stored.

use super::callbacks;
use super::rows::{collect, limit};
use super::sql::{Connection, params};
use crate::domain::{Callback, CallbackId};
use crate::store::Result;

const PARTITIONS: &str = "SELECT partition_no FROM waiting_by_partition \
     WHERE callbacks > 0 AND partition_no >= ?1 ORDER BY partition_no";
pub const AFTER: &str = "SELECT seq, id FROM callbacks NOT INDEXED \
     WHERE seq > ?1 AND seq <= ?2 AND state = 'waiting' ORDER BY seq LIMIT ?3";

/// Waiting callbacks after a position, from partitions with waiting ones alone, and the position of the last.
pub fn after(db: &Connection, position: i64, most: usize) -> Result<(Vec<Callback>, Option<i64>)> {
    let mut partitions = db.prepare_cached(PARTITIONS)?;
    let mut rows = db.prepare_cached(AFTER)?;
    // The row with the number n is in the partition of n - 1.
    for partition in collect(&mut partitions, [position >> 16], |cells| cells.take::<i64>())? {
        let (after, last) = (position.max(partition << 16), (partition + 1) << 16);
        let found = collect(&mut rows, params![after, last, limit(most)], |cells| {
            Ok((cells.take::<i64>()?, cells.id::<CallbackId>()?))
        })?;
        if let Some(&(last, _)) = found.last() {
            let ids: Vec<CallbackId> = found.into_iter().map(|(_, id)| id).collect();
            return Ok((callbacks::by_ids(db, &ids)?, Some(last)));
        }
    }
    Ok((Vec::new(), None))
}
