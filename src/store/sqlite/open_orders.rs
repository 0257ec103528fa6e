//! To whom orders are open, for the check of a list: only whether there is one, and nothing of it.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use super::rows::{collect, digits};
use crate::domain::{OrderKind, Phone, Tenant};
use crate::store::Result;

/// Whether an order waits for a consumer; the partitions where nobody waits are not sought.
pub const WAITS_FOR: &str = "SELECT 1 FROM waiting_by_partition AS w \
     CROSS JOIN callbacks INDEXED BY callbacks_by_consumer USING (partition_no) \
     WHERE w.callbacks > 0 AND consumer = ?1 AND state = 'waiting' AND tenant = ?2 AND kind = ?3 LIMIT 1";
/// Whom the orders in calls are for. There are only as many as senders have slots.
pub const IN_CALLS: &str = "SELECT consumer FROM callbacks INDEXED BY callbacks_by_state \
     WHERE kind = ?1 AND tenant = ?2 AND state = 'calling' LIMIT 10000";

/// See [`Orders::with_open_orders`](crate::store::Orders::with_open_orders).
pub fn with_open_orders(
    db: &Connection,
    tenant: &Tenant,
    kind: OrderKind,
    mut consumers: Vec<Phone>,
) -> Result<Vec<Phone>> {
    consumers.sort_unstable();
    consumers.dedup();
    let (tenant, kind) = (tenant.as_str(), kind.as_str());
    let mut in_calls = db.prepare_cached(IN_CALLS)?;
    let in_calls: BTreeSet<Phone> =
        collect(&mut in_calls, params![kind, tenant], |cells| cells.phone())?.into_iter().collect();
    let mut waits = db.prepare_cached(WAITS_FOR)?;
    let mut open = Vec::new();
    for consumer in consumers {
        if in_calls.contains(&consumer) || waits.exists(params![digits(consumer), tenant, kind])? {
            open.push(consumer);
        }
    }
    Ok(open)
}
