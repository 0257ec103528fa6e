//! Reports of the inbox that cannot be read, because another version wrote them or because they are damaged.
//!
//! As much as can still be seen says whom they are about.

use serde_json::Value;

use super::rows::Cells;
use super::sql::Connection;
use super::{attempts, events, messages, persons};
use crate::domain::{AttemptId, CallbackId, MessageId, Numbers, PersonId, Phone, UserId};
use crate::store::{Error, FiledReport, Result, UnreadableReport};

/// A report as it lies in the inbox.
pub enum Stored {
    Report(FiledReport),
    Unreadable { seq: i64, is_command: bool, text: String, why: String },
}

/// Reads the columns `seq`, `received_at` and `event`.
pub fn read(cells: &mut Cells<'_>, is_command: bool) -> Result<Stored> {
    let seq = cells.take()?;
    let (received_at, text) = (cells.moment(), cells.text());
    let event = match &text {
        Ok(text) => events::from_json(text),
        Err(_) => Err(Error::Corrupt("its text is damaged".into())),
    };
    match received_at.and_then(|at| Ok((at, event?))) {
        Ok((received_at, event)) => Ok(Stored::Report(FiledReport { seq, received_at, event, is_command })),
        Err(Error::Corrupt(why)) => {
            let text = text.map(ToOwned::to_owned).unwrap_or_default();
            Ok(Stored::Unreadable { seq, is_command, text, why })
        }
        Err(error) => Err(error),
    }
}

/// The reports, if all of them can be read.
///
/// # Errors
/// [`Error::Unreadable`] with those that cannot.
pub fn all(db: &Connection, stored: Vec<Stored>) -> Result<Vec<FiledReport>> {
    let (mut reports, mut unreadable) = (Vec::with_capacity(stored.len()), Vec::new());
    for one in stored {
        match one {
            Stored::Report(report) => reports.push(report),
            Stored::Unreadable { seq, is_command, text, why } => {
                unreadable.push(describe(db, seq, is_command, &text, why)?);
            }
        }
    }
    if unreadable.is_empty() { Ok(reports) } else { Err(Error::Unreadable(unreadable)) }
}

fn describe(
    db: &Connection,
    seq: i64,
    is_command: bool,
    text: &str,
    why: String,
) -> Result<UnreadableReport> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let named = value.as_object().and_then(|object| object.iter().next());
    let kind = named.map(|(kind, _)| kind.clone()).filter(|kind| is_name(kind));
    let about = named.map_or(About::default(), |(_, fields)| about(db, fields));
    let callback = if is_command { callback_of(db, seq)? } else { None };
    Ok(UnreadableReport {
        seq,
        is_command,
        kind: kind.unwrap_or_else(|| "unreadable".to_owned()),
        consumer: about.consumer,
        pair: about.sender.zip(about.consumer).map(|(sender, consumer)| Numbers { sender, consumer }),
        callback,
        why,
    })
}

/// A kind of event, and no text from outside.
fn is_name(kind: &str) -> bool {
    kind.len() <= 40 && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[derive(Default)]
struct About {
    sender: Option<Phone>,
    consumer: Option<Phone>,
}

/// Whom the report is about: the one whom its attempt or message called or asked, else the one whom it names.
fn about(db: &Connection, fields: &Value) -> About {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let number = |name: &str| {
        let digits = fields.get(name).and_then(Value::as_u64)?;
        Phone::parse(&format!("+{digits}")).ok()
    };
    let attempt = || attempts::one(db, text("attempt")?.parse::<AttemptId>().ok()?).ok()?;
    let message = || messages::one(db, text("message")?.parse::<MessageId>().ok()?).ok()?;
    let answered = || messages::by_sid(db, text("replied_to")?).ok()?;
    let ours = attempt()
        .map(|attempt| attempt.numbers())
        .or_else(|| message().or_else(answered).map(|message| message.numbers()));
    if let Some(Numbers { sender, consumer }) = ours {
        return About { sender: Some(sender), consumer: Some(consumer) };
    }
    let known = || {
        let id: UserId = text("external_user_id")?.parse().ok()?;
        persons::of_user_id(db, &id).ok()?.into_iter().next().map(PersonId::number)
    };
    About { sender: number("sender").or_else(|| number("from")), consumer: number("consumer").or_else(known) }
}

fn callback_of(db: &Connection, seq: i64) -> Result<Option<CallbackId>> {
    let mut statement = db.prepare_cached("SELECT callback FROM commands WHERE seq = ?1")?;
    Ok(super::rows::first(&mut statement, [seq], |cells| cells.id_if())?.flatten())
}
