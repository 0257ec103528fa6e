//! How much a pause holds back: waiting callbacks, their deadlines, and permissions that end. Each count looks at a bounded
//! number of rows.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::order_texts::read_senders;
use super::rows::{Cells, collect, digits, first, limit, micros};
use super::sql::{Connection, params};
use super::{persons, terms};
use crate::domain::{CampaignId, Name, PersonId, Phone, Tenant, spelling};
use crate::store::{Count, HeldBack, Result, Whom};

pub const WAITING: &str = "SELECT senders, latest, consumer, terms FROM callbacks INDEXED BY callbacks_by_wake \
     WHERE state = 'waiting' LIMIT ?1";
pub const WAITING_FOR: &str = "SELECT senders, latest, consumer, terms FROM waiting_by_partition AS w \
     CROSS JOIN callbacks INDEXED BY callbacks_by_consumer USING (partition_no) \
     WHERE w.callbacks > 0 AND consumer = ?1 AND state = 'waiting' LIMIT ?2";
pub const PERMITTED: &str = "SELECT sender, person FROM pairs INDEXED BY pairs_permission_ends \
     WHERE permission = 'temporary' AND permission_until > ?1 AND permission_until <= ?2 LIMIT ?3";
pub const PERMITTED_TO: &str = "SELECT sender, person FROM pairs INDEXED BY pairs_by_person \
     WHERE person = ?1 AND permission = 'temporary' AND permission_until > ?2 AND permission_until <= ?3 LIMIT ?4";

/// The newest callbacks of a campaign, in any state.
pub const OF_CAMPAIGN: &str = "SELECT senders, latest, consumer, terms, state \
     FROM callbacks INDEXED BY callbacks_by_campaign \
     WHERE kind = 'callback' AND tenant = ?1 AND campaign = ?2 ORDER BY id DESC LIMIT ?3";
pub const PERMITTED_PAIR: &str = "SELECT sender FROM pairs WHERE sender = ?1 AND person = ?2 \
     AND permission = 'temporary' AND permission_until > ?3 AND permission_until <= ?4 LIMIT 1";

/// `most`: how many rows each count looks at.
pub fn count(
    db: &Connection,
    whom: &Whom,
    now: Timestamp,
    until: Option<Timestamp>,
    most: usize,
) -> Result<HeldBack> {
    let until = until.map_or(i64::MAX, micros);
    let (waiting, permitted) = match whom {
        Whom::Everybody => (waiting(db, most)?, permitted(db, now, until, most)?),
        Whom::Senders(numbers) => {
            let only = |senders: &[Phone]| senders.iter().all(|sender| numbers.contains(sender));
            let waiting = waiting(db, most)?.filter(|callback| only(&callback.senders));
            (waiting, permitted(db, now, until, most)?.filter(|sender| numbers.contains(sender)))
        }
        Whom::Person(number) => of_person(db, *number, now, until, most)?,
        Whom::Campaign(tenant, id) => of_campaign(db, tenant, *id, (now, until), most)?,
    };
    let is_at_least = waiting.is_cut;
    let late = waiting.rows.iter().filter(|callback| callback.latest <= until).count();
    let is_promised =
        |callback: &&Waiting| callback.promised_at.is_some_and(|at| at >= now && micros(at) < until);
    let promised = waiting.rows.iter().filter(is_promised).count();
    Ok(HeldBack {
        callbacks: Count { number: waiting.rows.len() as u64, is_at_least },
        deadlines: Count { number: late as u64, is_at_least },
        permissions: Count { number: permitted.rows.len() as u64, is_at_least: permitted.is_cut },
        promises: Count { number: promised as u64, is_at_least },
    })
}

/// Rows that were looked at, and whether there are more.
struct Looked<T> {
    rows: Vec<T>,
    is_cut: bool,
}

impl<T> Looked<T> {
    /// Of `most + 1` rows at most.
    fn up_to(most: usize, mut rows: Vec<T>) -> Self {
        let is_cut = rows.len() > most;
        rows.truncate(most);
        Self { rows, is_cut }
    }

    fn filter(mut self, keep: impl Fn(&T) -> bool) -> Self {
        self.rows.retain(keep);
        self
    }
}

struct Waiting {
    senders: Vec<Phone>,
    latest: i64,
    consumer: Phone,
    promised_at: Option<Timestamp>,
}

fn waiting(db: &Connection, most: usize) -> Result<Looked<Waiting>> {
    Ok(Looked::up_to(most, collect(&mut db.prepare_cached(WAITING)?, [limit(most + 1)], callback)?))
}

fn callback(cells: &mut Cells<'_>) -> Result<Waiting> {
    Ok(Waiting {
        senders: read_senders(cells.text()?)?,
        latest: cells.take()?,
        consumer: cells.phone()?,
        promised_at: cells.text_if()?.map(terms::read).transpose()?.and_then(|terms| terms.promised_at),
    })
}

/// Callbacks of a campaign that wait, and the senders whose permission to call one of their consumers ends.
fn of_campaign(
    db: &Connection,
    tenant: &Tenant,
    id: CampaignId,
    (now, until): (Timestamp, i64),
    most: usize,
) -> Result<(Looked<Waiting>, Looked<Phone>)> {
    let params = params![tenant.as_str(), id.to_string(), limit(most + 1)];
    let rows = collect(&mut db.prepare_cached(OF_CAMPAIGN)?, params, |cells| {
        let waiting = callback(cells)?;
        Ok((cells.text()? == "waiting").then_some(waiting))
    })?;
    let Looked { rows, is_cut } = Looked::up_to(most, rows);
    let rows: Vec<Waiting> = rows.into_iter().flatten().collect();
    let pairs: BTreeSet<(Phone, PersonId)> = rows
        .iter()
        .flat_map(|row| row.senders.iter().map(|sender| (*sender, PersonId::of(row.consumer))))
        .collect();
    let mut seek = db.prepare_cached(PERMITTED_PAIR)?;
    let mut permitted = Vec::new();
    let is_all = pairs.len() <= most;
    for (sender, person) in pairs.into_iter().take(most) {
        let params = params![digits(sender), digits(person.number()), micros(now), until];
        permitted.extend(first(&mut seek, params, |cells| cells.phone())?);
    }
    let permitted = Looked { rows: permitted, is_cut: is_cut || !is_all };
    Ok((Looked { rows, is_cut }, permitted))
}

/// The senders whose permissions end.
fn permitted(db: &Connection, now: Timestamp, until: i64, most: usize) -> Result<Looked<Phone>> {
    let params = params![micros(now), until, limit(most + 1)];
    Ok(Looked::up_to(most, collect(&mut db.prepare_cached(PERMITTED)?, params, |cells| cells.phone())?))
}

fn of_person(
    db: &Connection,
    number: Phone,
    now: Timestamp,
    until: i64,
    most: usize,
) -> Result<(Looked<Waiting>, Looked<Phone>)> {
    let known = persons::recorded(db, &[Name::Number(number)])?;
    let ids: BTreeSet<PersonId> = known.iter().map(|(person, _)| person.id).collect();
    let numbers: BTreeSet<Phone> =
        known.iter().flat_map(|(person, _)| person.numbers()).chain(spelling::spellings(number)).collect();
    let (mut waiting, mut permitted) = (Vec::new(), Vec::new());
    let mut seek = db.prepare_cached(WAITING_FOR)?;
    for number in &numbers {
        let room = limit(most + 1 - waiting.len());
        waiting.extend(collect(&mut seek, params![digits(*number), room], callback)?);
    }
    for id in ids {
        let params = params![digits(id.number()), micros(now), until, limit(most + 1 - permitted.len())];
        permitted.extend(collect(&mut db.prepare_cached(PERMITTED_TO)?, params, |cells| cells.phone())?);
    }
    Ok((Looked::up_to(most, waiting), Looked::up_to(most, permitted)))
}
