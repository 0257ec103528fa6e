//! The table of callbacks: inserts, changes, and the scheduler's queries.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;

use super::campaigns::Named;
use super::ceilings::Ceilings;
use super::counts::{Counts, Standing};
use super::grouping::Uses;
use super::hours_text::HoursText;
use super::order_texts::{psids, read_psids, read_senders, read_variables, senders, variables};
use super::rows::{self, Cells, collect, corrupt, digits, first, limit, micros, micros_if};
use super::sql::{CachedStatement, Connection, ToSql, Value, params};
use super::suppressions::{self, Key};
use super::{agents, consents, failures, links, terms};
use crate::domain::callback::{Closed, Waiting};
use crate::domain::{
    AgentTarget, Callback, CallbackId, Gate, Lane, MissedWindow, Note, Order, OrderKind, Outcome, Phone,
    Place, PoolName, Priority, Purpose, State,
};
use crate::store::{Enqueue, Enqueued, Error, IdempotencyKey, Result, Status};

macro_rules! columns {
    () => {
        "id, version, consumer, created_at, tenant, ordered_by, senders, earliest, latest, hours, priority, document, \
         variables, agent, attempts_max, campaign, reference, metadata, state, at, gate, expires_at, attempt, \
         note_code, note_sentence, note_lifts_at, attempts_made, faults, retry_at, invited_at, \
         cancel_requested_at, attempts_opened, attempt_allowed_at, purpose, waive_gap, abandoned_at, reached_late_at, \
         kind, psids, invited_by, roads_failed, missed_call_at, missed_window, consent, links, separate, aged, \
         pool, terms, handling, offered_until, group_name"
    };
}

/// An error rolls back the whole transaction, so the rows before it need no journal of their own (`OR FAIL`).
const INSERT: &str = concat!("INSERT OR FAIL INTO callbacks (", columns!(), ", lane, partition_no) VALUES ");
/// The parameters of one new row.
const PARAMETERS: usize = 54;
/// How many rows one statement inserts. Its cursors stay where the row before was added. With more rows the bound texts
/// would outgrow the memory that SQLite sets aside for small ones.
const ROWS: usize = 4;
static INSERT_ONE: LazyLock<String> = LazyLock::new(|| insert(1));
static INSERT_ROWS: LazyLock<String> = LazyLock::new(|| insert(ROWS));

fn insert(rows: usize) -> String {
    let row = format!("({})", ["?"; PARAMETERS].join(", "));
    format!("{INSERT}{}", vec![row; rows].join(", "))
}

/// Of an order only what can be rescheduled changes. Leaving the other columns out spares their indexes.
const UPDATE: &str = "UPDATE callbacks SET version = ?2, earliest = ?3, latest = ?4, hours = ?5, priority = ?6, \
     state = ?7, at = ?8, gate = ?9, expires_at = ?10, attempt = ?11, note_code = ?12, note_sentence = ?13, \
     note_lifts_at = ?14, attempts_made = ?15, faults = ?16, retry_at = ?17, invited_at = ?18, \
     cancel_requested_at = ?19, attempts_opened = ?20, attempt_allowed_at = ?21, abandoned_at = ?22, \
     reached_late_at = ?23, invited_by = ?24, roads_failed = ?25, missed_call_at = ?26, links = ?27, aged = ?28, lane = ?29, \
     handling = ?30, offered_until = ?31 WHERE seq = ?1";

const KEEP_KEY: &str = "INSERT INTO idempotency_keys (token, key, body, callback) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT (token, key) DO NOTHING";

// SQLite has no statistics here and would seek by state and sort, so these name their index.
pub const NEXT_WAKE: &str =
    "SELECT min(at) FROM callbacks INDEXED BY callbacks_by_wake WHERE state = 'waiting'";
pub const DUE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM callbacks INDEXED BY callbacks_by_wake WHERE state = 'waiting' AND at <= ?1 ORDER BY at, seq LIMIT ?2"
);
pub const AT_GATE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM callbacks INDEXED BY callbacks_by_gate WHERE state = 'waiting' AND gate = ?1 AND ifnull(lane, '') = ?2 \
     AND ifnull(aged, -priority) <= ?3 ORDER BY ifnull(aged, -priority), expires_at, id LIMIT ?4 OFFSET ?5"
);
/// A partition is 65,536 callbacks in a row. The indexes by consumer and by reference begin with it, so that new rows
/// change only the pages of the last partition. Only partitions with a waiting callback are looked into.
pub const WAITING_TO: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM waiting_by_partition AS w CROSS JOIN callbacks INDEXED BY callbacks_by_consumer USING (partition_no) \
     WHERE w.callbacks > 0 AND consumer = ?1 AND state = 'waiting' ORDER BY w.partition_no, seq"
);
const VERSION_AND_STANDING: &str =
    "SELECT seq, version, state, abandoned_at, partition_no, note_code FROM callbacks WHERE id = ?1";

pub fn enqueue<'a>(
    db: &Connection,
    orders: impl IntoIterator<Item = &'a Enqueue>,
    key: &Key,
) -> Result<Vec<Enqueued>> {
    let hashing = key.if_used(db)?;
    let (mut ceilings, mut campaigns) = (Ceilings::default(), Named::default());
    let (mut uses, mut wrong_numbers) = (Uses::default(), None);
    let (mut new, mut answers) = (Vec::new(), Vec::new());
    for order in orders {
        let id = order.callback.id;
        if let Some(lifts_at) = ceilings.lifts_at(db, order)? {
            let known = order.idempotency.as_ref().map(|key| known(db, key)).transpose()?.flatten();
            answers.push(known.unwrap_or(Enqueued::OverCeiling { lifts_at }));
            continue;
        }
        if let Some(hashing) = &hashing
            && let Some(entry) = suppressions::refuses(db, hashing, &order.callback)?
        {
            let known = order.idempotency.as_ref().map(|key| known(db, key)).transpose()?.flatten();
            let refused = Enqueued::Suppressed { list: entry.list, scope: entry.scope };
            answers.push(known.unwrap_or(refused));
            continue;
        }
        if order.callback.order.reference.is_some()
            && agents::is_wrong_number(db, key, &mut wrong_numbers, &order.callback)?
        {
            let known = order.idempotency.as_ref().map(|key| known(db, key)).transpose()?.flatten();
            answers.push(known.unwrap_or(Enqueued::WrongNumber));
            continue;
        }
        let Some(held) = campaigns.admit(db, &order.callback)? else {
            let known = order.idempotency.as_ref().map(|key| known(db, key)).transpose()?.flatten();
            answers.push(known.unwrap_or(Enqueued::CampaignClosed));
            continue;
        };
        if let Some(other) = uses.refuses(db, &order.of_one_group, &order.callback.group)? {
            let known = order.idempotency.as_ref().map(|key| known(db, key)).transpose()?.flatten();
            answers.push(known.unwrap_or(Enqueued::OtherGroup(other)));
            continue;
        }
        let answer = match &order.idempotency {
            Some(key) => keep_key(db, key, id)?,
            None => Enqueued::New(id),
        };
        if let Enqueued::New(_) = answer {
            new.push(held.map_or(Cow::Borrowed(&order.callback), Cow::Owned));
            ceilings.count(order);
        }
        answers.push(answer);
    }
    add(db, &new)?;
    ceilings.write(db)?;
    Ok(answers)
}

/// Inserts callbacks that the scheduler made.
pub fn make(db: &Connection, new: &[Callback]) -> Result<()> {
    if new.is_empty() { Ok(()) } else { add(db, &new.iter().map(Cow::Borrowed).collect::<Vec<_>>()) }
}

/// Inserts and counts new callbacks.
fn add(db: &Connection, new: &[Cow<'_, Callback>]) -> Result<()> {
    let mut counts = Counts::default();
    let last = last(db)?;
    let mut numbered = (last..).map(|before: i64| before >> 16).zip(new.iter().map(AsRef::as_ref));
    let mut hours = HoursText::default();
    let whole = new.len() / ROWS;
    for (sql, at_once, times) in [(&*INSERT_ROWS, ROWS, whole), (&*INSERT_ONE, 1, new.len() % ROWS)] {
        if times == 0 {
            continue;
        }
        let mut statement = db.prepare_cached(sql)?;
        for _ in 0..times {
            statement.clear_bindings();
            for (row, (partition, callback)) in numbered.by_ref().take(at_once).enumerate() {
                let hours = callback.order.hours.as_ref().map(|of| hours.of(of));
                bind(&mut statement, row * PARAMETERS, callback, hours, partition)?;
                counts.enter(callback, partition, standing(callback));
            }
            statement.raw_execute()?;
        }
    }
    counts.write(db)
}

/// The number before that of the next row. PostgreSQL leaves out numbers after a transaction was rolled back, unless it is
/// told the next one.
fn last(db: &Connection) -> Result<i64> {
    const SQLITE: &str = "SELECT ifnull(max(seq), 0) FROM callbacks";
    const POSTGRES: &str = "SELECT setval(pg_get_serial_sequence('callbacks', 'seq'), coalesce(max(seq), 0) + 1, false) - 1 \
         FROM callbacks";
    let sql = if db.postgres().is_some() { POSTGRES } else { SQLITE };
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

fn keep_key(db: &Connection, key: &IdempotencyKey, id: CallbackId) -> Result<Enqueued> {
    let kept = db.prepare_cached(KEEP_KEY)?.execute(params![key.token, key.key, key.body, id.bytes()])?;
    if kept == 1 {
        return Ok(Enqueued::New(id));
    }
    known(db, key)?.ok_or_else(|| corrupt("a kept key", "nothing"))
}

/// The earlier result of this idempotency key.
pub fn known(db: &Connection, key: &IdempotencyKey) -> Result<Option<Enqueued>> {
    let seen = first(
        &mut db
            .prepare_cached("SELECT body, callback FROM idempotency_keys WHERE token = ?1 AND key = ?2")?,
        params![key.token, key.key],
        |cells| Ok((cells.take::<[u8; 32]>()?, cells.id()?)),
    )?;
    Ok(seen.map(
        |(body, first)| {
            if body == key.body { Enqueued::Repeated(first) } else { Enqueued::KeyReused }
        },
    ))
}

/// Replaces callbacks whose stored version is the one before.
///
/// # Errors
/// [`Error::Conflict`] if another version of one of them is stored.
pub fn amend(db: &Connection, callbacks: &[Callback]) -> Result<()> {
    if callbacks.is_empty() {
        return Ok(());
    }
    let mut stored = db.prepare_cached(VERSION_AND_STANDING)?;
    let mut update = db.prepare_cached(UPDATE)?;
    let mut counts = Counts::default();
    for callback in callbacks {
        let (seq, version, before, partition) = first(&mut stored, [callback.id.bytes()], |cells| {
            let (seq, version) = (cells.take::<i64>()?, cells.version()?);
            let state = known_state(cells.text()?)?;
            let is_abandoned = cells.moment_if()?.is_some();
            let partition = cells.take::<i64>()?;
            let reason = cells.text_if()?.unwrap_or_default().to_owned().into();
            Ok((seq, version, Standing { state, is_abandoned, reason }, partition))
        })?
        .ok_or(Error::Conflict)?;
        if version.checked_add(1) != Some(callback.version) {
            return Err(Error::Conflict);
        }
        change(&mut update, seq, callback)?;
        counts.leave(callback, partition, before);
        counts.enter(callback, partition, standing(callback));
    }
    counts.write(db)
}

/// How the state is stored: open callbacks by their status, closed ones by their outcome.
fn state_word(callback: &Callback) -> &'static str {
    match &callback.state {
        State::Waiting(_) => Status::Waiting.as_str(),
        State::Calling { .. } => Status::Calling.as_str(),
        State::Closed(closed) => closed.outcome.as_str(),
    }
}

fn standing(callback: &Callback) -> Standing {
    let reason = match &callback.state {
        State::Waiting(waiting) => waiting.note.code.clone(),
        State::Calling { .. } | State::Closed(_) => Cow::Borrowed(""),
    };
    Standing { state: state_word(callback), is_abandoned: callback.abandoned_at.is_some(), reason }
}

fn known_state(word: &str) -> Result<&'static str> {
    match word {
        "waiting" => Ok(Status::Waiting.as_str()),
        "calling" => Ok(Status::Calling.as_str()),
        _ => rows::parse::<Outcome>(word).map(Outcome::as_str),
    }
}

/// The columns of a state beside its word.
struct Standstill<'a> {
    at: Option<Timestamp>,
    place: Option<&'a Place>,
    attempt: Option<[u8; 16]>,
    note: Option<&'a Note>,
}

impl<'a> Standstill<'a> {
    fn of(state: &'a State) -> Self {
        let (at, place, attempt, note) = match state {
            State::Waiting(waiting) => {
                (Some(waiting.wake_at), waiting.place.as_ref(), None, Some(&waiting.note))
            }
            State::Calling { attempt } => (None, None, Some(*attempt.bytes()), None),
            State::Closed(closed) => (Some(closed.at), None, None, Some(&closed.note)),
        };
        Self { at, place, attempt, note }
    }
}

/// Writes what can change of a stored callback.
fn change(statement: &mut CachedStatement<'_>, seq: i64, callback: &Callback) -> Result<()> {
    let order = &callback.order;
    let Standstill { at, place, attempt, note } = Standstill::of(&callback.state);
    statement.write(params![
        seq,
        callback.version.cast_signed(),
        micros(order.earliest),
        micros(order.latest),
        order.hours.as_ref().map(ToString::to_string),
        order.priority.level(),
        state_word(callback),
        micros_if(at),
        place.map(|place| place.gate.to_string()),
        micros_if(place.map(|place| place.expires_at)),
        attempt,
        note.map(|note| note.code.as_ref()),
        note.map(|note| note.sentence.as_ref()),
        note.and_then(|note| micros_if(note.lifts_at)),
        callback.attempts_made,
        callback.faults,
        micros_if(callback.retry_at),
        micros_if(callback.invited_at),
        micros_if(callback.cancel_requested_at),
        callback.attempts_opened,
        micros_if(callback.attempt_allowed_at),
        micros_if(callback.abandoned_at),
        micros_if(callback.reached_late_at),
        callback.invited_by.as_ref().map(ToString::to_string),
        failures::text(&callback.roads_failed)?,
        micros_if(callback.missed_call_at),
        links::text(&callback.links)?,
        place.and_then(|place| place.aged),
        place.and_then(|_| lane(order)),
        callback.handling.as_deref().map(terms::handling_text).transpose()?,
        offered_until(callback),
    ])?;
    Ok(())
}

/// Binds the parameters of a new row after as many of the rows before it.
fn bind(
    statement: &mut CachedStatement<'_>,
    before: usize,
    callback: &Callback,
    hours: Option<&str>,
    partition: i64,
) -> Result<()> {
    let order = &callback.order;
    let Standstill { at, place, attempt, note } = Standstill::of(&callback.state);
    let row: &[&dyn ToSql; PARAMETERS] = &[
        &callback.id.bytes(),
        &callback.version.cast_signed(),
        &digits(order.consumer),
        &micros(callback.created_at),
        &callback.tenant.as_str(),
        &callback.ordered_by.as_deref(),
        &senders(&order.senders),
        &micros(order.earliest),
        &micros(order.latest),
        &hours,
        &order.priority.level(),
        &order.document,
        &variables(&order.variables)?,
        &order.agent.as_ref().map(AgentTarget::to_string),
        &order.attempts_max,
        &order.campaign,
        &order.reference,
        &order.metadata,
        &state_word(callback),
        &micros_if(at),
        &place.map(|place| place.gate.to_string()),
        &micros_if(place.map(|place| place.expires_at)),
        &attempt,
        &note.map(|note| note.code.as_ref()),
        &note.map(|note| note.sentence.as_ref()),
        &note.and_then(|note| micros_if(note.lifts_at)),
        &callback.attempts_made,
        &callback.faults,
        &micros_if(callback.retry_at),
        &micros_if(callback.invited_at),
        &micros_if(callback.cancel_requested_at),
        &callback.attempts_opened,
        &micros_if(callback.attempt_allowed_at),
        &order.purpose.as_str(),
        &order.waive_gap,
        &micros_if(callback.abandoned_at),
        &micros_if(callback.reached_late_at),
        &order.kind.as_str(),
        &psids(&order.psids)?,
        &callback.invited_by.as_ref().map(ToString::to_string),
        &failures::text(&callback.roads_failed)?,
        &micros_if(callback.missed_call_at),
        &missed_window(order),
        &order.consent.as_ref().map(consents::text).transpose()?,
        &links::text(&callback.links)?,
        &order.separate.then_some(1),
        &place.and_then(|place| place.aged),
        &order.pool.as_ref().map(PoolName::as_str),
        &order.terms.as_deref().map(terms::text).transpose()?,
        &callback.handling.as_deref().map(terms::handling_text).transpose()?,
        &offered_until(callback),
        &(!callback.group.is_main()).then(|| callback.group.as_str()),
        &place.and_then(|_| lane(order)),
        &partition,
    ];
    for (at, value) in row.iter().enumerate() {
        let value = value.to_sql();
        // What was not bound since the last rows is NULL.
        if value != Value::Null {
            statement.raw_bind_parameter(before + at + 1, value)?;
        }
    }
    Ok(())
}

/// The lane in which the order waits at a gate. That of all without a campaign is not written.
fn lane(order: &Order) -> Option<String> {
    let lane = Lane::of(order);
    lane.campaign.map(|_| lane.to_string())
}

/// The end of the offer in progress, by which offers are found. One that has run out is not in progress.
fn offered_until(callback: &Callback) -> Option<i64> {
    micros_if(callback.offer_in_progress())
}

/// What is usual is not written.
fn missed_window(order: &Order) -> Option<&'static str> {
    (order.missed_window != MissedWindow::default()).then(|| order.missed_window.as_str())
}

pub fn read(cells: &mut Cells<'_>) -> Result<Callback> {
    let id = cells.id()?;
    let version = cells.version()?;
    let consumer = cells.phone()?;
    let created_at = cells.moment()?;
    let tenant = cells.parsed()?;
    let ordered_by = cells.text_if()?.map(Into::into);
    let mut order = read_order(cells, consumer)?;
    let state = read_state(cells)?;
    let (attempts_made, faults) = (cells.take()?, cells.take()?);
    let (retry_at, invited_at, cancel_requested_at) =
        (cells.moment_if()?, cells.moment_if()?, cells.moment_if()?);
    let (attempts_opened, attempt_allowed_at) = (cells.take()?, cells.moment_if()?);
    order.purpose = cells.parsed()?;
    order.waive_gap = cells.take()?;
    let (abandoned_at, reached_late_at) = (cells.moment_if()?, cells.moment_if()?);
    order.kind = cells.parsed()?;
    order.psids = read_psids(cells.text_if()?)?;
    let (invited_by, roads_failed) = (cells.parsed_if()?, failures::read(cells.text_if()?)?);
    let missed_call_at = cells.moment_if()?;
    order.missed_window = cells.parsed_if()?.unwrap_or_default();
    order.consent = cells.text_if()?.map(consents::read).transpose()?;
    let links = links::read(cells.text_if()?)?;
    order.separate = cells.take::<Option<bool>>()?.unwrap_or(false);
    let aged = cells.take::<Option<i64>>()?;
    let state = in_class(state, aged);
    order.pool = cells.parsed_if()?;
    order.terms = cells.text_if()?.map(terms::read).transpose()?.map(Box::new);
    let handling = cells.text_if()?.map(terms::read_handling).transpose()?.map(Box::new);
    // The end of an offer is in its handling too.
    cells.take::<Option<i64>>()?;
    let group = cells.parsed_if()?.unwrap_or_default();
    Ok(Callback {
        id,
        version,
        order: order.into(),
        tenant,
        group,
        ordered_by,
        created_at,
        state,
        attempts_opened,
        attempts_made,
        faults,
        retry_at,
        abandoned_at,
        invited_at,
        invited_by,
        roads_failed,
        links,
        missed_call_at,
        attempt_allowed_at,
        cancel_requested_at,
        reached_late_at,
        handling,
    })
}

fn read_order(cells: &mut Cells<'_>, consumer: Phone) -> Result<Order> {
    Ok(Order {
        consumer,
        senders: read_senders(cells.text()?)?,
        earliest: cells.moment()?,
        latest: cells.moment()?,
        hours: cells
            .text_if()?
            .map(|text| text.parse().map_err(|_| corrupt("calling hours", text)))
            .transpose()?,
        priority: cells.take().and_then(|level: u8| {
            Priority::new(level).ok_or_else(|| corrupt("a priority", &level.to_string()))
        })?,
        document: cells.take()?,
        variables: read_variables(cells.text_if()?)?,
        agent: cells.text_if()?.map(terms::agent_of),
        attempts_max: cells.take()?,
        campaign: cells.take()?,
        reference: cells.take()?,
        metadata: cells.take()?,
        // They are the last columns of a row.
        purpose: Purpose::default(),
        consent: None,
        waive_gap: false,
        separate: false,
        pool: None,
        missed_window: MissedWindow::default(),
        kind: OrderKind::default(),
        psids: BTreeMap::new(),
        terms: None,
    })
}

fn read_state(cells: &mut Cells<'_>) -> Result<State> {
    let state = cells.text()?;
    let at = cells.moment_if()?;
    let gate = cells.text_if()?.map(read_gate).transpose()?;
    let place = gate.zip(cells.moment_if()?).map(|(gate, expires_at)| Place { gate, aged: None, expires_at });
    let attempt = cells.id_if()?;
    let code: Option<String> = cells.take()?;
    let sentence: Option<String> = cells.take()?;
    let lifts_at = cells.moment_if()?;
    let note = code.zip(sentence).map(|(code, sentence)| Note {
        code: code.into(),
        sentence: sentence.into(),
        lifts_at,
    });
    let read = match (state, at.zip(note), attempt) {
        ("waiting", Some((wake_at, note)), _) => Some(State::Waiting(Waiting { wake_at, place, note })),
        ("calling", _, Some(attempt)) => Some(State::Calling { attempt }),
        (word, Some((at, note)), _) => {
            word.parse().ok().map(|outcome| State::Closed(Closed { outcome, at, note }))
        }
        _ => None,
    };
    read.ok_or_else(|| corrupt("a state with what belongs to it", state))
}

/// The class is one of the last columns of a row.
fn in_class(mut state: State, aged: Option<i64>) -> State {
    if let State::Waiting(Waiting { place: Some(place), .. }) = &mut state {
        place.aged = aged;
    }
    state
}

pub fn read_gate(text: &str) -> Result<Gate> {
    text.parse().map_err(|()| Error::Corrupt("a callback waits at no gate".into()))
}

pub fn one(db: &Connection, id: CallbackId) -> Result<Option<Callback>> {
    let sql = concat!("SELECT ", columns!(), " FROM callbacks WHERE id = ?1");
    first(&mut db.prepare_cached(sql)?, [id.bytes()], read)
}

/// The stored version of a callback, if there is one.
pub fn version(db: &Connection, id: CallbackId) -> Result<Option<u64>> {
    first(&mut db.prepare_cached("SELECT version FROM callbacks WHERE id = ?1")?, [id.bytes()], |cells| {
        cells.version()
    })
}

pub fn due(db: &Connection, now: Timestamp, rows: usize) -> Result<Vec<Callback>> {
    collect(&mut db.prepare_cached(DUE)?, params![micros(now), limit(rows)], read)
}

pub fn next_wake(db: &Connection) -> Result<Option<Timestamp>> {
    Ok(first(&mut db.prepare_cached(NEXT_WAKE)?, [], |cells| cells.moment_if())?.flatten())
}

/// All partitions, the newest first.
pub fn partitions(db: &Connection) -> Result<impl Iterator<Item = i64> + use<>> {
    let newest: Option<i64> =
        first(&mut db.prepare_cached("SELECT max(seq) >> 16 FROM callbacks")?, [], |cells| cells.take())?
            .flatten();
    Ok((0..=newest.unwrap_or(-1)).rev())
}

pub fn by_ids(db: &Connection, ids: &[CallbackId]) -> Result<Vec<Callback>> {
    ids.iter().filter_map(|id| one(db, *id).transpose()).collect()
}

pub fn waiting_to(db: &Connection, mut consumers: Vec<Phone>) -> Result<Vec<Callback>> {
    consumers.sort_unstable();
    consumers.dedup();
    let mut statement = db.prepare_cached(WAITING_TO)?;
    let mut callbacks = Vec::new();
    for consumer in consumers {
        callbacks.extend(collect(&mut statement, [digits(consumer)], read)?);
    }
    Ok(callbacks)
}
