//! The table of attempts.

use jiff::Timestamp;

use super::rows::{Cells, collect, corrupt, digits, first, micros, micros_if};
use super::sql::{Connection, params};
use super::terms::agent_of;
use super::{looks, recordings};
use crate::domain::event::ConnectionEnd;
use crate::domain::{
    AccountAlias, Attempt, AttemptId, Bridge, CallProgress, CallbackId, ContentRef, ErrorCode, Grant, Holds,
    Issuer, Recordings, Resource, Stage, Submission,
};
use crate::store::{PlatformName, Result};

macro_rules! columns {
    () => {
        "id, callback, number, account, sender, consumer, leg_order, stage, intended_at, submitted_at, \
         answered_at, sid, error_code, error_issuer, first_leg, second_leg, second_sid, connection, rang_at, \
         connected_at, ended_at, duration_s, sip_code, news_due_at, proof, \
         connection_sid, bridge_sid, bridge_at, holds, granted_at, granted_by, agent, end_requested_at, held_until, \
         last_look, recordings, recordings_due_at"
    };
}

/// The identity of an attempt never changes; only its progress does.
const WRITE: &str = concat!(
    "INSERT INTO attempts (",
    columns!(),
    ", live) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, \
     ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38) ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, \
     intended_at = excluded.intended_at, submitted_at = excluded.submitted_at, \
     answered_at = excluded.answered_at, sid = excluded.sid, error_code = excluded.error_code, error_issuer = excluded.error_issuer, \
     first_leg = excluded.first_leg, second_leg = excluded.second_leg, second_sid = excluded.second_sid, \
     connection = excluded.connection, rang_at = excluded.rang_at, connected_at = excluded.connected_at, \
     ended_at = excluded.ended_at, duration_s = excluded.duration_s, sip_code = excluded.sip_code, \
     news_due_at = excluded.news_due_at, connection_sid = excluded.connection_sid, \
     bridge_sid = excluded.bridge_sid, bridge_at = excluded.bridge_at, \
     end_requested_at = excluded.end_requested_at, held_until = excluded.held_until, \
     last_look = excluded.last_look, recordings = excluded.recordings, \
     recordings_due_at = excluded.recordings_due_at, live = excluded.live"
);

/// The same for a stored attempt that is live, or not live, as it was, so that the index of live attempts is spared.
const PROGRESS: &str = "UPDATE attempts SET stage = ?8, intended_at = ?9, submitted_at = ?10, answered_at = ?11, \
     sid = ?12, error_code = ?13, error_issuer = ?14, first_leg = ?15, second_leg = ?16, second_sid = ?17, \
     connection = ?18, rang_at = ?19, connected_at = ?20, ended_at = ?21, duration_s = ?22, sip_code = ?23, \
     news_due_at = ?24, connection_sid = ?26, bridge_sid = ?27, bridge_at = ?28, \
     end_requested_at = ?33, held_until = ?34, last_look = ?35, recordings = ?36, \
     recordings_due_at = ?37 WHERE id = ?1 AND live = ?38";

pub const LIVE: &str = concat!("SELECT ", columns!(), " FROM attempts WHERE live = 1 ORDER BY seq");

pub const SUBMITTED_SINCE: &str = "SELECT account FROM \
     (SELECT account, submitted_at FROM attempts ORDER BY seq DESC LIMIT 4096) AS last WHERE submitted_at >= ?1";

pub fn platform_name(db: &Connection, id: AttemptId) -> Result<Option<PlatformName>> {
    let mut statement = db.prepare_cached("SELECT account, sid FROM attempts WHERE id = ?1")?;
    first(&mut statement, [id.bytes()], |cells| {
        Ok(PlatformName { account: cells.account()?, sid: cells.take()? })
    })
}

pub fn write(db: &Connection, attempts: &[Attempt]) -> Result<()> {
    if attempts.is_empty() {
        return Ok(());
    }
    let mut write = db.prepare_cached(WRITE)?;
    let mut progress = db.prepare_cached(PROGRESS)?;
    for attempt in attempts {
        let submission = &attempt.submission;
        let holds = write_holds(&attempt.holds);
        let grant = attempt.grant.as_ref();
        let values = params![
            attempt.id.bytes(),
            attempt.callback.bytes(),
            attempt.number,
            attempt.account.as_ref(),
            digits(attempt.sender),
            digits(attempt.consumer),
            attempt.order.as_str(),
            submission.stage.as_str(),
            micros(submission.intended_at),
            micros_if(submission.submitted_at),
            micros_if(submission.answered_at),
            submission.sid,
            submission.error_code.map(|code| code.number),
            submission.error_code.map(|code| code.issuer.as_str()),
            attempt.first_leg.as_str(),
            attempt.second_leg.map(CallProgress::as_str),
            attempt.second_sid,
            attempt.connection.map(ConnectionEnd::as_str),
            micros_if(attempt.rang_at),
            micros_if(attempt.connected_at),
            micros_if(attempt.ended_at),
            attempt.duration_s,
            attempt.sip_code,
            micros_if(attempt.news_due_at),
            attempt.proof.as_str(),
            attempt.connection_sid,
            attempt.bridge.as_ref().map(|bridge| &bridge.sid),
            micros_if(attempt.bridge.as_ref().and_then(|bridge| bridge.at)),
            holds,
            grant.map(|grant| micros(grant.at)),
            grant.and_then(|grant| grant.by.as_ref()).map(ContentRef::as_str),
            attempt.agent.as_ref().map(ToString::to_string),
            micros_if(attempt.end_requested_at),
            micros_if(attempt.held_until),
            attempt.last_look.as_deref().map(looks::text).transpose()?,
            recordings::text(&attempt.recordings)?,
            micros_if(attempt.recordings.ask_at()),
            attempt.is_live(),
        ];
        let is_known = attempt.is_live() && submission.stage != Stage::Intent;
        if !is_known || progress.execute(values)? == 0 {
            write.write(values)?;
        }
    }
    Ok(())
}

/// A JSON array of texts: the names of campaigns may hold any character.
fn write_holds(holds: &Holds) -> String {
    let texts: Vec<String> = holds.iter().map(Resource::to_string).collect();
    serde_json::Value::from(texts).to_string()
}

fn read_holds(text: &str) -> Result<Holds> {
    let unknown = || corrupt("what an attempt holds", text);
    let texts: Vec<String> = serde_json::from_str(text).map_err(|_| unknown())?;
    let resources = texts.iter().map(|text| text.parse::<Resource>().map_err(|_| unknown()));
    resources.collect::<Result<Vec<_>>>().map(Holds::new)
}

fn read(cells: &mut Cells<'_>) -> Result<Attempt> {
    let mut attempt = read_columns(cells)?;
    // Attempts that were over before the column was there have none; they may prove to live after all.
    if let Some(text) = cells.take::<Option<String>>()? {
        attempt.holds = read_holds(&text)?;
    }
    attempt.grant = read_grant(cells)?;
    attempt.agent = cells.text_if()?.map(agent_of);
    attempt.end_requested_at = cells.moment_if()?;
    attempt.held_until = cells.moment_if()?;
    attempt.last_look = cells.text_if()?.map(looks::read).transpose()?.map(Box::new);
    if let Some(text) = cells.text_if()? {
        attempt.recordings = recordings::read(text)?;
    }
    // It is computed from the recordings.
    cells.moment_if()?;
    Ok(attempt)
}

fn read_columns(cells: &mut Cells<'_>) -> Result<Attempt> {
    let (id, callback, number, account) = (cells.id()?, cells.id()?, cells.take()?, cells.account()?);
    let sender = cells.phone()?;
    Ok(Attempt {
        id,
        callback,
        number,
        holds: Attempt::least_holds(sender, account.clone()),
        account,
        sender,
        consumer: cells.phone()?,
        order: cells.parsed()?,
        submission: read_submission(cells)?,
        first_leg: cells.parsed()?,
        second_leg: cells.parsed_if()?,
        second_sid: cells.take()?,
        connection: cells.parsed_if()?,
        rang_at: cells.moment_if()?,
        connected_at: cells.moment_if()?,
        ended_at: cells.moment_if()?,
        duration_s: cells.take()?,
        sip_code: cells.take()?,
        news_due_at: cells.moment_if()?,
        end_requested_at: None,
        held_until: None,
        last_look: None,
        proof: cells.parsed()?,
        connection_sid: cells.take()?,
        bridge: read_bridge(cells)?,
        grant: None,
        agent: None,
        recordings: Recordings::default(),
    })
}

fn read_bridge(cells: &mut Cells<'_>) -> Result<Option<Bridge>> {
    let sid: Option<String> = cells.take()?;
    let at = cells.moment_if()?;
    Ok(sid.map(|sid| Bridge { sid, at }))
}

/// Two columns of attempts and of pairs.
pub fn read_grant(cells: &mut Cells<'_>) -> Result<Option<Grant>> {
    let (at, by) = (cells.moment_if()?, cells.parsed_if()?);
    Ok(at.map(|at| Grant { at, by }))
}

/// Seven columns that attempts and messages have in common.
pub fn read_submission(cells: &mut Cells<'_>) -> Result<Submission> {
    Ok(Submission {
        stage: cells.parsed()?,
        intended_at: cells.moment()?,
        submitted_at: cells.moment_if()?,
        answered_at: cells.moment_if()?,
        sid: cells.take()?,
        error_code: error_code(cells.take()?, cells.parsed_if()?)?,
    })
}

/// Both columns of a code are filled, or neither.
fn error_code(number: Option<u32>, issuer: Option<Issuer>) -> Result<Option<ErrorCode>> {
    match (number, issuer) {
        (Some(number), Some(issuer)) => Ok(Some(ErrorCode { issuer, number })),
        (None, None) => Ok(None),
        (number, _) => Err(corrupt("an error code with its issuer", &format!("{number:?}"))),
    }
}

pub fn one(db: &Connection, id: AttemptId) -> Result<Option<Attempt>> {
    let sql = concat!("SELECT ", columns!(), " FROM attempts WHERE id = ?1");
    first(&mut db.prepare_cached(sql)?, [id.bytes()], read)
}

pub fn by_sid(db: &Connection, sid: &str) -> Result<Option<Attempt>> {
    let sql = concat!("SELECT ", columns!(), " FROM attempts WHERE sid = ?1");
    first(&mut db.prepare_cached(sql)?, [sid], read)
}

pub fn of_callback(db: &Connection, id: CallbackId) -> Result<Vec<Attempt>> {
    let sql = concat!("SELECT ", columns!(), " FROM attempts WHERE callback = ?1 ORDER BY number, seq");
    collect(&mut db.prepare_cached(sql)?, [id.bytes()], read)
}

pub fn live(db: &Connection) -> Result<Vec<Attempt>> {
    collect(&mut db.prepare_cached(LIVE)?, [], read)
}

pub fn submitted_since(db: &Connection, since: Timestamp) -> Result<Vec<AccountAlias>> {
    let account = |cells: &mut Cells<'_>| cells.take::<String>().map(Into::into);
    collect(&mut db.prepare_cached(SUBMITTED_SINCE)?, [micros(since)], account)
}
