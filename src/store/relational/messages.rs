//! The table of messages: permission requests and invites.

use jiff::Timestamp;

use super::attempts::read_submission;
use super::rows::{Cells, collect, corrupt, digits, first, limit, micros, micros_if};
use super::sql::{Connection, params};
use crate::domain::message::{Ordered, Reply};
use crate::domain::{CallbackId, Channel, Message, MessageId, Psid, RoadKind, Stage, Tenant};
use crate::store::{Awaiting, PlatformName, Result};

macro_rules! columns {
    () => {
        "id, purpose, callback, tenant, channel, account, sender, consumer, content, stage, intended_at, \
         submitted_at, answered_at, sid, error_code, error_issuer, progress, delivered_at, road, psid, reply, order_purpose, campaign"
    };
}

const WRITE: &str = concat!(
    "INSERT INTO messages (",
    columns!(),
    ", unsettled) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24) \
     ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, intended_at = excluded.intended_at, \
     submitted_at = excluded.submitted_at, answered_at = excluded.answered_at, sid = excluded.sid, \
     error_code = excluded.error_code, error_issuer = excluded.error_issuer, progress = excluded.progress, delivered_at = excluded.delivered_at, \
     reply = excluded.reply, unsettled = excluded.unsettled"
);

pub const UNSETTLED: &str = concat!("SELECT ", columns!(), " FROM messages WHERE unsettled = 1 ORDER BY seq");

/// The answered ones are not looked at. Takes the moment, the tenant and a limit.
pub const ASKED: &str = "SELECT p.request, p.permission_until FROM pairs p \
     CROSS JOIN messages m ON m.id = p.request \
     WHERE p.permission = 'requested' AND p.request IS NOT NULL AND p.permission_until > ?1 \
     AND m.stage = 'accepted' AND m.tenant = ?2 ORDER BY p.request LIMIT ?3";

/// How many unanswered requests are looked at.
const ASKED_MAX: usize = 10_000;

pub fn platform_name(db: &Connection, id: MessageId) -> Result<Option<PlatformName>> {
    let mut statement = db.prepare_cached("SELECT account, sid FROM messages WHERE id = ?1")?;
    first(&mut statement, [id.bytes()], |cells| {
        Ok(PlatformName { account: cells.account()?, sid: cells.take()? })
    })
}

pub fn write(db: &Connection, messages: &[Message]) -> Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let mut statement = db.prepare_cached(WRITE)?;
    for message in messages {
        let submission = &message.submission;
        let unsettled = matches!(submission.stage, Stage::Intent | Stage::Submitting | Stage::Unknown);
        statement.write(params![
            message.id.bytes(),
            message.purpose.as_str(),
            message.callback.as_ref().map(CallbackId::bytes),
            message.tenant.as_str(),
            message.channel.as_str(),
            message.account().as_ref(),
            digits(message.sender),
            digits(message.consumer),
            message.content.as_str(),
            submission.stage.as_str(),
            micros(submission.intended_at),
            micros_if(submission.submitted_at),
            micros_if(submission.answered_at),
            submission.sid,
            submission.error_code.map(|code| code.number),
            submission.error_code.map(|code| code.issuer.as_str()),
            message.progress.as_str(),
            micros_if(message.delivered_at),
            message.road.map(RoadKind::as_str),
            message.channel.psid().map(Psid::as_str),
            message.reply.map(Reply::as_str),
            message.ordered.as_ref().map(|ordered| ordered.purpose.as_str()),
            message.ordered.as_ref().and_then(|ordered| ordered.campaign.as_deref()),
            unsettled,
        ])?;
    }
    Ok(())
}

fn read(cells: &mut Cells<'_>) -> Result<Message> {
    let (id, purpose, callback, tenant) = (cells.id()?, cells.parsed()?, cells.id_if()?, cells.parsed()?);
    let (channel, account) = (cells.text()?, cells.account()?);
    Ok(Message {
        id,
        purpose,
        callback,
        tenant,
        sender: cells.phone()?,
        consumer: cells.phone()?,
        content: cells.parsed()?,
        submission: read_submission(cells)?,
        progress: cells.parsed()?,
        delivered_at: cells.moment_if()?,
        road: cells.parsed_if()?,
        channel: Channel::named(channel, account, cells.parsed_if()?)
            .ok_or_else(|| corrupt("a channel", channel))?,
        reply: cells.parsed_if()?,
        ordered: read_ordered(cells)?,
    })
}

fn read_ordered(cells: &mut Cells<'_>) -> Result<Option<Ordered>> {
    let (purpose, campaign) = (cells.parsed_if()?, cells.take::<Option<String>>()?);
    Ok(purpose.map(|purpose| Ordered { purpose, campaign }))
}

pub fn one(db: &Connection, id: MessageId) -> Result<Option<Message>> {
    let sql = concat!("SELECT ", columns!(), " FROM messages WHERE id = ?1");
    first(&mut db.prepare_cached(sql)?, [id.bytes()], read)
}

pub fn by_sid(db: &Connection, sid: &str) -> Result<Option<Message>> {
    let sql = concat!("SELECT ", columns!(), " FROM messages WHERE sid = ?1");
    first(&mut db.prepare_cached(sql)?, [sid], read)
}

pub fn of_callback(db: &Connection, id: CallbackId) -> Result<Vec<Message>> {
    let sql = concat!("SELECT ", columns!(), " FROM messages WHERE callback = ?1 ORDER BY seq");
    collect(&mut db.prepare_cached(sql)?, [id.bytes()], read)
}

pub fn unsettled(db: &Connection) -> Result<Vec<Message>> {
    collect(&mut db.prepare_cached(UNSETTLED)?, [], read)
}

pub fn awaiting_reply(db: &Connection, tenant: &Tenant, now: Timestamp, most: usize) -> Result<Awaiting> {
    let read = |cells: &mut Cells<'_>| Ok((cells.id()?, cells.moment()?));
    let asked = collect(
        &mut db.prepare_cached(ASKED)?,
        params![micros(now), tenant.as_str(), limit(ASKED_MAX)],
        read,
    )?;
    let total = asked.len();
    let mut requests = Vec::new();
    for (id, lapses_at) in asked.into_iter().take(most) {
        requests.extend(one(db, id)?.map(|message| (message, lapses_at)));
    }
    Ok(Awaiting { requests, total })
}
