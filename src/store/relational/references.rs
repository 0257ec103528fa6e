//! Orders by their references.

use super::callbacks::partitions;
use super::rows::{collect, limit};
use super::sql::{Connection, params};
use crate::domain::{CallbackId, OrderKind, Tenant};
use crate::store::Result;

/// The newest orders with a reference in one partition.
pub const REFERENCED: &str = "SELECT id, state, kind FROM callbacks INDEXED BY callbacks_by_reference \
     WHERE partition_no = ?1 AND tenant = ?2 AND reference = ?3 ORDER BY seq DESC LIMIT ?4";

/// The maximum of orders with one reference that are read.
const REFERENCED_MAX: usize = 1000;

/// See [`Orders::referenced`](crate::store::Orders::referenced).
pub fn referenced(
    db: &Connection,
    tenant: &Tenant,
    kind: OrderKind,
    reference: &str,
    most: usize,
) -> Result<Vec<CallbackId>> {
    let mut statement = db.prepare_cached(REFERENCED)?;
    let (mut open, mut newest, mut left) = (Vec::new(), None, REFERENCED_MAX);
    for partition in partitions(db)? {
        let rows =
            collect(&mut statement, params![partition, tenant.as_str(), reference, limit(left)], |cells| {
                let (id, is_open) =
                    (cells.id::<CallbackId>()?, matches!(cells.text()?, "waiting" | "calling"));
                Ok((id, is_open, cells.parsed::<OrderKind>()?))
            })?;
        left -= rows.len();
        for (id, is_open, _) in rows.into_iter().filter(|(.., of)| *of == kind) {
            newest = newest.or(Some(id));
            open.extend(is_open.then_some(id));
        }
        if left == 0 || open.len() >= most {
            break;
        }
    }
    open.truncate(most);
    Ok(if open.is_empty() { newest.into_iter().collect() } else { open })
}
