//! Pages of the callbacks of one tenant, newest first, with filters.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::callbacks::{SELECT, SEQS_OF_CONSUMER, SEQS_OF_REFERENCE, read, sender_in};
use super::rows::{collect, digits, limit};
use crate::domain::{Callback, Outcome};
use crate::store::{Filter, Page, Result, Status};

pub fn page(db: &Connection, filter: &Filter, page: &Page) -> Result<Vec<Callback>> {
    let (sql, values) = query(filter, page);
    collect(&mut db.prepare_cached(&sql)?, params_from_iter(values), read)
}

/// There are few forms of filters, so the statements are cached.
///
/// SQLite does not know how common a value is. The narrowest condition is left to the indexes and the others are
/// hidden from them by a plus: a reference and a consumer have few callbacks, a campaign fewer than a state. Without
/// any of these, each state is read by itself, as far as the page could need it, so that no page walks over other
/// states or tenants.
pub fn query(filter: &Filter, page: &Page) -> (String, Vec<Value>) {
    let states = states(filter);
    let is_narrow = filter.reference.is_some() || filter.consumer.is_some() || filter.campaign.is_some();
    if !is_narrow && states.len() != 1 {
        let parts: Vec<_> = states.iter().map(|state| one_state("SELECT id", filter, page, state)).collect();
        let ids: Vec<_> = parts.iter().map(|(sql, _)| format!("SELECT * FROM ({sql})")).collect();
        let none = if ids.is_empty() { "NULL" } else { "" };
        let mut values: Vec<_> = parts.into_iter().flat_map(|(_, values)| values).collect();
        values.push(limit(page.limit).into());
        let sql =
            format!("{SELECT} WHERE id IN ({none}{}) ORDER BY id DESC LIMIT ?", ids.join(" UNION ALL "));
        return (sql, values);
    }
    if let ([state], false) = (&states[..], is_narrow) {
        return one_state(SELECT.trim_end_matches(" FROM callbacks "), filter, page, state);
    }
    let mut part = Part::new(SELECT.trim_end_matches(" FROM callbacks "));
    if let Some(reference) = &filter.reference {
        part.values.push(filter.tenant.as_str().to_owned().into());
        part.and(&format!("seq IN ({SEQS_OF_REFERENCE})"), reference.clone().into());
    }
    if let Some(consumer) = filter.consumer {
        match filter.reference {
            Some(_) => part.and("+consumer = ?", digits(consumer).into()),
            None => part.and(&format!("seq IN ({SEQS_OF_CONSUMER})"), digits(consumer).into()),
        }
    }
    let plus = if filter.reference.is_some() || filter.consumer.is_some() { "+" } else { "" };
    part.and(&format!("{plus}tenant = ?"), filter.tenant.as_str().to_owned().into());
    if let Some(campaign) = &filter.campaign {
        part.and(&format!("{plus}campaign = ?"), campaign.clone().into());
    }
    if states.len() < ALL_STATES {
        part.and_any("+state", &states);
    }
    part.finish(filter, page, plus)
}

/// How many states there are: waiting, calling, and each outcome.
const ALL_STATES: usize = 2 + Outcome::ALL.len();

/// The states that match the filter.
fn states(filter: &Filter) -> Vec<&'static str> {
    let open = [Status::Waiting, Status::Calling].map(|status| (status, status.as_str()));
    let closed = Outcome::ALL.map(|outcome| (Status::Closed, outcome.as_str()));
    open.into_iter()
        .chain(closed)
        .filter(|(status, _)| filter.status.is_none_or(|wanted| wanted == *status))
        .filter(|(_, state)| filter.outcome.is_none_or(|wanted| wanted.as_str() == *state))
        .map(|(_, state)| state)
        .collect()
}

/// The newest callbacks of a tenant in one state.
fn one_state(select: &str, filter: &Filter, page: &Page, state: &str) -> (String, Vec<Value>) {
    let mut part = Part::new(select);
    part.and("tenant = ?", filter.tenant.as_str().to_owned().into());
    part.and("state = ?", state.to_owned().into());
    part.finish(filter, page, "")
}

/// A statement being built.
struct Part {
    sql: String,
    glue: &'static str,
    values: Vec<Value>,
}

impl Part {
    fn new(select: &str) -> Self {
        Self { sql: format!("{select} FROM callbacks"), glue: " WHERE ", values: Vec::new() }
    }

    fn and(&mut self, condition: &str, value: Value) {
        self.sql.push_str(std::mem::replace(&mut self.glue, " AND "));
        self.sql.push_str(condition);
        self.values.push(value);
    }

    fn and_any(&mut self, column: &str, words: &[&str]) {
        self.sql.push_str(std::mem::replace(&mut self.glue, " AND "));
        self.sql.push_str(&format!("{column} IN ({})", vec!["?"; words.len()].join(", ")));
        self.values.extend(words.iter().map(|word| Value::from((*word).to_owned())));
    }

    fn finish(mut self, filter: &Filter, page: &Page, plus: &str) -> (String, Vec<Value>) {
        if let Some(sender) = filter.sender {
            self.and("instr(senders, ?) > 0", sender_in(sender).into());
        }
        if let Some(before) = page.before {
            self.and(&format!("{plus}id < ?"), before.bytes().to_vec().into());
        }
        self.sql.push_str(" ORDER BY id DESC LIMIT ?");
        self.values.push(limit(page.limit).into());
        (self.sql, self.values)
    }
}
