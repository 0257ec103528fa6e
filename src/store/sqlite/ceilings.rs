//! The maximum number of orders of a token in 24 hours. Orders are counted by the minute. A minute counts until all
//! of it is 24 hours old, so that no 24 hours have more than the maximum.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::rows::{collect, moment};
use crate::store::{Enqueue, Result};

const MINUTE_US: i64 = 60_000_000;
const MINUTES_A_DAY: i64 = 24 * 60;

/// The orders of the tokens in one write.
#[derive(Default)]
pub struct Ceilings(BTreeMap<[u8; 32], Window>);

/// The orders of one token that count now.
struct Window {
    /// By minute, oldest first.
    orders: BTreeMap<i64, u32>,
    /// The new ones among them, all in one minute.
    new: u32,
    minute: i64,
}

impl Ceilings {
    /// When the token may order again, if it has used its maximum. `None` if it may order now.
    pub fn lifts_at(&mut self, db: &Connection, order: &Enqueue) -> Result<Option<Timestamp>> {
        let Some(ceiling) = order.ceiling else { return Ok(None) };
        let window = match self.0.entry(ceiling.token) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                new.insert(Window::read(db, ceiling.token, order.callback.created_at)?)
            }
        };
        let mut left = window.orders.values().sum::<u32>();
        for (minute, orders) in &window.orders {
            if left < ceiling.orders_per_day {
                break;
            }
            left -= orders;
            if left < ceiling.orders_per_day {
                return moment((minute + MINUTES_A_DAY + 1) * MINUTE_US).map(Some);
            }
        }
        Ok(None)
    }

    /// The order was stored.
    pub fn count(&mut self, order: &Enqueue) {
        let window = order.ceiling.and_then(|ceiling| self.0.get_mut(&ceiling.token));
        if let Some(window) = window {
            *window.orders.entry(window.minute).or_default() += 1;
            window.new += 1;
        }
    }

    /// Stores the new counts, and deletes the minutes that no longer count.
    pub fn write(self, db: &Connection) -> Result<()> {
        for (token, window) in self.0.into_iter().filter(|(_, window)| window.new > 0) {
            db.prepare_cached(
                "INSERT INTO orders_by_minute (token, minute, orders) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (token, minute) DO UPDATE SET orders = orders + excluded.orders",
            )?
            .execute(params![token, window.minute, window.new])?;
            db.prepare_cached("DELETE FROM orders_by_minute WHERE token = ?1 AND minute < ?2")?
                .execute(params![token, window.minute - MINUTES_A_DAY])?;
        }
        Ok(())
    }
}

impl Window {
    fn read(db: &Connection, token: [u8; 32], now: Timestamp) -> Result<Self> {
        let minute = now.as_microsecond().div_euclid(MINUTE_US);
        let sql = "SELECT minute, orders FROM orders_by_minute WHERE token = ?1 AND minute >= ?2";
        let mut statement = db.prepare_cached(sql)?;
        let orders = collect(&mut statement, params![token, minute - MINUTES_A_DAY], |cells| {
            Ok((cells.take()?, cells.take()?))
        })?;
        Ok(Self { orders: orders.into_iter().collect(), new: 0, minute })
    }
}
