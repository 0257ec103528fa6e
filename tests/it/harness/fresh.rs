//! A new store for a daemon on one thread.

use std::sync::Arc;

use ringmaster::store::relational::SqlStore;

use super::postgres::Database;

/// With `postgresql` in it, the daemons have their store in a database.
const STORE: &str = "RINGMASTER_TEST_STORE";

/// The database of a store, to be dropped after it; `None` if the store is in memory.
pub(crate) type OnDatabase = Option<Arc<Database>>;

pub(crate) fn fresh_store() -> (Arc<SqlStore>, OnDatabase) {
    if std::env::var_os(STORE).is_none_or(|store| store != "postgresql") {
        return (Arc::new(SqlStore::in_memory().unwrap()), None);
    }
    let database = Database::emptied();
    (Arc::new(SqlStore::connect_inline(database.reach()).unwrap()), Some(Arc::new(database)))
}
