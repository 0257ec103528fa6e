//! Pages of callbacks, newest first, by whatever the filter names.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::callbacks::{SELECT, SEQS_OF_CONSUMER, read, sender_in};
use super::rows::{collect, digits, limit};
use crate::domain::Callback;
use crate::store::{Filter, Page, Result, Status};

pub fn page(db: &Connection, filter: &Filter, page: &Page) -> Result<Vec<Callback>> {
    let (sql, values) = query(filter, page);
    collect(&mut db.prepare_cached(&sql)?, params_from_iter(values), read)
}

/// There are few shapes of filters, so that the statements are worth caching.
///
/// SQLite knows nothing of how common a value is. The narrowest condition is left to the indexes and the
/// others are hidden from them by a plus: a consumer has few callbacks, a campaign fewer than a state.
pub fn query(filter: &Filter, page: &Page) -> (String, Vec<Value>) {
    let mut sql = SELECT.to_owned();
    let mut values = Vec::new();
    let mut glue = " WHERE ";
    let mut and = |condition: &str, value: Option<Value>| {
        sql.push_str(glue);
        sql.push_str(condition);
        glue = " AND ";
        values.extend(value);
    };
    if let Some(consumer) = filter.consumer {
        and(&format!("seq IN ({SEQS_OF_CONSUMER})"), Some(digits(consumer).into()));
    }
    if let Some(campaign) = &filter.campaign {
        let hidden = filter.consumer.is_some();
        and(if hidden { "+campaign = ?" } else { "campaign = ?" }, Some(campaign.clone().into()));
    }
    let hidden = filter.consumer.is_some() || filter.campaign.is_some();
    let state = if hidden { "+state = ?" } else { "state = ?" };
    match filter.status {
        Some(status @ (Status::Waiting | Status::Calling)) => {
            and(state, Some(status.as_str().to_owned().into()));
        }
        Some(Status::Closed) => and("+state NOT IN ('waiting', 'calling')", None),
        None => {}
    }
    if let Some(outcome) = filter.outcome {
        and(state, Some(outcome.as_str().to_owned().into()));
    }
    if let Some(sender) = filter.sender {
        and("instr(senders, ?) > 0", Some(sender_in(sender).into()));
    }
    if let Some(before) = page.before {
        let hidden = filter.consumer.is_some();
        and(if hidden { "+id < ?" } else { "id < ?" }, Some(before.bytes().to_vec().into()));
    }
    sql.push_str(" ORDER BY id DESC LIMIT ?");
    values.push(limit(page.limit).into());
    (sql, values)
}
