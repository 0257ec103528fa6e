//! The maximum number of orders, calls and requests of a token in 24 hours; see [`crate::domain::ceiling`].

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;

use super::rows::{collect, first};
use super::sql::{Connection, params};
use crate::domain::ceiling::Minutes;
use crate::domain::{Budget, TokenLimits, TokenName, TokenUse};
use crate::store::{Enqueue, Result, Token};

/// The orders of the tokens in one write.
#[derive(Default)]
pub struct Ceilings(BTreeMap<[u8; 32], Window>);

/// The orders of one token that count now.
struct Window {
    orders: Minutes,
    now: Timestamp,
    /// The new ones among them.
    new: u32,
}

impl Ceilings {
    /// When the token may order again, if it has used its maximum. `None` if it may order now.
    pub fn lifts_at(&mut self, db: &Connection, order: &Enqueue) -> Result<Option<Timestamp>> {
        let Some(ceiling) = order.ceiling else { return Ok(None) };
        let window = match self.0.entry(ceiling.token) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Window::read(db, ceiling.token, order.callback.created_at)?),
        };
        Ok(window.orders.lifts_at(window.now, ceiling.orders_per_day))
    }

    /// The order was stored.
    pub fn count(&mut self, order: &Enqueue) {
        let window = order.ceiling.and_then(|ceiling| self.0.get_mut(&ceiling.token));
        if let Some(window) = window {
            window.orders.change(Minutes::of(window.now), 1);
            window.new += 1;
        }
    }

    /// Stores the new counts, and deletes the minutes that no longer count.
    pub fn write(self, db: &Connection) -> Result<()> {
        for (token, window) in self.0.into_iter().filter(|(_, window)| window.new > 0) {
            db.prepare_cached(
                "INSERT INTO orders_by_minute (token, minute, orders) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (token, minute) DO UPDATE SET orders = orders_by_minute.orders + excluded.orders",
            )?
            .write(params![token, Minutes::of(window.now), window.new])?;
            db.prepare_cached("DELETE FROM orders_by_minute WHERE token = ?1 AND minute < ?2")?
                .write(params![token, Minutes::first(window.now)])?;
        }
        Ok(())
    }
}

impl Window {
    fn read(db: &Connection, token: [u8; 32], now: Timestamp) -> Result<Self> {
        let sql = "SELECT minute, orders FROM orders_by_minute WHERE token = ?1 AND minute >= ?2";
        let mut statement = db.prepare_cached(sql)?;
        let orders = collect(&mut statement, params![token, Minutes::first(now)], |cells| {
            Ok((cells.take()?, cells.take()?))
        })?;
        Ok(Self { orders: orders.into_iter().collect(), now, new: 0 })
    }
}

/// The ceilings that a new token sets for its name.
pub fn set(db: &Connection, token: &Token) -> Result<()> {
    let TokenLimits { calls_per_day, requests_per_day, .. } = token.limits;
    db.prepare_cached(
        "INSERT INTO token_ceilings (tenant, name, calls_per_day, requests_per_day) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (tenant, name) DO UPDATE SET calls_per_day = excluded.calls_per_day, \
         requests_per_day = excluded.requests_per_day",
    )?
    .write(params![token.tenant.as_str(), token.name, calls_per_day, requests_per_day])?;
    Ok(())
}

pub fn budgets(db: &Connection, tokens: &[TokenName], now: Timestamp) -> Result<Vec<Budget>> {
    tokens.iter().map(|token| budget(db, token, now)).collect()
}

fn budget(db: &Connection, token: &TokenName, now: Timestamp) -> Result<Budget> {
    let sql = "SELECT calls_per_day, requests_per_day FROM token_ceilings WHERE tenant = ?1 AND name = ?2";
    let ceilings =
        first(&mut db.prepare_cached(sql)?, params![token.tenant.as_str(), token.name], |cells| {
            Ok((cells.take()?, cells.take()?))
        })?;
    let (calls_per_day, requests_per_day) = ceilings.unwrap_or_default();
    let mut budget = Budget { calls_per_day, requests_per_day, ..Budget::default() };
    if (calls_per_day, requests_per_day) == (None, None) {
        return Ok(budget);
    }
    let sql =
        "SELECT minute, uses FROM token_uses WHERE tenant = ?1 AND name = ?2 AND kind = ?3 AND minute >= ?4";
    let used = |what: TokenUse| -> Result<Minutes> {
        let of = params![token.tenant.as_str(), token.name, what.as_str(), Minutes::first(now)];
        let uses = collect(&mut db.prepare_cached(sql)?, of, |cells| Ok((cells.take()?, cells.take()?)))?;
        Ok(uses.into_iter().collect())
    };
    budget.calls = used(TokenUse::Call)?;
    budget.requests = used(TokenUse::Request)?;
    Ok(budget)
}

/// Adds what was used in a turn, and deletes what no longer counts.
pub fn write_uses(db: &Connection, uses: &[(TokenName, TokenUse, i64, i32)]) -> Result<()> {
    for (token, what, minute, by) in uses {
        let (tenant, kind) = (token.tenant.as_str(), what.as_str());
        db.prepare_cached(
            "INSERT INTO token_uses (tenant, name, kind, minute, uses) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (tenant, name, kind, minute) DO UPDATE SET \
             uses = CASE WHEN token_uses.uses + ?6 > 0 THEN token_uses.uses + ?6 ELSE 0 END",
        )?
        .write(params![tenant, token.name, kind, minute, (*by).max(0), by])?;
        db.prepare_cached(
            "DELETE FROM token_uses WHERE tenant = ?1 AND name = ?2 AND kind = ?3 AND minute < ?4",
        )?
        .write(params![tenant, token.name, kind, minute - 2 * Minutes::A_DAY])?;
    }
    Ok(())
}
