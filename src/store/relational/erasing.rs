//! The steps of an erasure: rows keep their times and counts, and lose what tells who the person is.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::rows::{collect, digits, limit, micros, micros_if};
use super::sql::{Connection, params};
use super::suppressions::Key;
use super::{agents, audits, callbacks, erasures, list, persons};
use crate::domain::{Callback, CallbackId, ContactKey, Erasure, ErasureId, Phone};
use crate::store::{ErasureStep, ErasureTraces, Result, Subject};

/// What is left of an event.
const ERASED: &str = "\"erased\"";
const DROP: &str = "UPDATE reports SET event = ?2 WHERE seq = ?1 AND event <> ?2 \
     AND NOT EXISTS (SELECT 1 FROM unfolded_reports AS u WHERE u.seq = ?1) \
     AND NOT EXISTS (SELECT 1 FROM commands AS c WHERE c.seq = ?1 AND c.outcome IS NULL)";
/// The ids of Twilio are random. Those of Meta have the number in them.
const HELD: &str = "INSERT INTO erasure_held (erasure, sid, account, kind) \
     SELECT ?1, sid, account, ?3 FROM source WHERE callback = ?2 AND sid IS NOT NULL AND IS_RANDOM \
     ON CONFLICT DO NOTHING";
/// The other legs of a call are calls too.
const LEG: &str = "INSERT INTO erasure_held (erasure, sid, account, kind) \
     SELECT ?1, LEG, account, 'call' FROM attempts WHERE callback = ?2 AND LEG GLOB 'CA[0-9a-f]*' \
     AND length(LEG) = 34 ON CONFLICT DO NOTHING";
const ATTEMPTS: &str = "UPDATE attempts SET consumer = ?2, sid = CASE WHEN IS_RANDOM THEN sid END, \
     second_sid = CASE WHEN length(second_sid) = 34 THEN second_sid END, \
     connection_sid = CASE WHEN length(connection_sid) = 34 THEN connection_sid END, \
     bridge_sid = CASE WHEN length(bridge_sid) = 34 THEN bridge_sid END, recordings = NULL, \
     recordings_due_at = NULL WHERE callback = ?1";
const MESSAGES: &str = "UPDATE messages SET consumer = ?2, sid = CASE WHEN IS_RANDOM THEN sid END, \
     psid = CASE WHEN psid IS NULL THEN NULL ELSE CAST(CAST(?2 AS BIGINT) AS TEXT) END WHERE callback = ?1";
const ALONE: &str = "UPDATE messages SET consumer = ?2, sid = CASE WHEN IS_RANDOM THEN sid END, \
     psid = CASE WHEN psid IS NULL THEN NULL ELSE CAST(CAST(?2 AS BIGINT) AS TEXT) END \
     WHERE callback IS NULL AND consumer = ?1";
const HELD_ALONE: &str = "INSERT INTO erasure_held (erasure, sid, account, kind) \
     SELECT ?1, sid, account, 'message' FROM messages WHERE callback IS NULL AND consumer = ?2 \
     AND sid IS NOT NULL AND IS_RANDOM ON CONFLICT DO NOTHING";
const UNNAMED: &str =
    "SELECT count(*) FROM source WHERE callback = ?1 AND sid IS NOT NULL AND NOT (IS_RANDOM)";
const IS_RANDOM: &str = "(length(sid) = 34 AND sid GLOB '[A-Z][A-Z][0-9a-f]*')";
const CALLBACK: &str = "UPDATE callbacks SET version = version + 1, consumer = ?2, variables = NULL, reference = NULL, metadata = NULL, psids = NULL, consent = NULL, note_sentence = ?3 WHERE id = ?1";

pub fn steps(db: &Connection, key: &Key, steps: &[ErasureStep]) -> Result<()> {
    for step in steps {
        match step {
            ErasureStep::Rows { erasure, most } => rows(db, key, erasure, *most)?,
            ErasureStep::Traces { id, found } => traces(db, id.bytes(), found)?,
            ErasureStep::Clean { id, at } => clean(db, *id, *at)?,
            ErasureStep::Held { id, sid, state, again_at, at } => {
                let sql = "UPDATE erasure_held SET state = ?3, due_at = ?4, \
                     tries = tries + CASE WHEN CAST(?4 AS BIGINT) IS NULL THEN 0 ELSE 1 END \
                     WHERE erasure = ?1 AND sid = ?2";
                let again_at = micros_if(*again_at);
                db.prepare_cached(sql)?.write(params![id.bytes(), sid, state.as_str(), again_at])?;
                end(db, *id, *at)?;
            }
        }
    }
    Ok(())
}

/// The log is empty: what is left is at platforms.
fn clean(db: &Connection, id: ErasureId, at: Timestamp) -> Result<()> {
    db.prepare_cached("UPDATE erasures SET state = 'deleting' WHERE id = ?1")?.write([id.bytes()])?;
    db.prepare_cached("UPDATE erasure_held SET due_at = ?2 WHERE erasure = ?1 AND state = 'held'")?
        .write(params![id.bytes(), micros(at)])?;
    end(db, id, at)
}

/// An erasure is done when no platform has to be asked any more.
fn end(db: &Connection, id: ErasureId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE erasures SET state = 'done', done_at = ?2 WHERE id = ?1 AND done_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM erasure_held WHERE erasure = ?1 AND state = 'held')";
    db.prepare_cached(sql)?.write(params![id.bytes(), micros(at)])?;
    Ok(())
}

/// Takes the text of these reports and commands away, unless they are not folded yet.
pub fn drop_reports(db: &Connection, seqs: &[i64]) -> Result<u64> {
    let mut dropped = 0;
    for seq in seqs {
        if db.prepare_cached(DROP)?.execute(params![seq, ERASED])? == 1 {
            dropped += 1;
            db.prepare_cached("DELETE FROM unmatched_reports WHERE seq = ?1")?.write([seq])?;
        }
    }
    Ok(dropped)
}

/// The next orders of the person, and after the last one everything else that is found by a name.
fn rows(db: &Connection, key: &Key, erasure: &Erasure, most: usize) -> Result<()> {
    let numbers: BTreeSet<Phone> = erasure.numbers().collect();
    let found = next(db, &numbers, most)?;
    let orders = callbacks::by_ids(db, &found)?;
    let pages: BTreeSet<ContactKey> = orders.iter().flat_map(Callback::contacts).collect();
    for (account, psid) in &pages {
        db.prepare_cached("DELETE FROM messenger_contacts WHERE account = ?1 AND psid = ?2")?
            .write(params![&**account, psid.as_str()])?;
    }
    let mut all_pages = erasures::one(db, erasure.id)?.map(|stored| stored.pages).unwrap_or_default();
    all_pages.extend(pages.into_iter().map(|(_, psid)| psid.as_str().to_owned()));
    let all_pages = Value::from(Vec::from_iter(all_pages)).to_string();
    let (mut attempts, mut messages, mut unnamed) = (0, 0, 0);
    for id in &found {
        let gone = order(db, erasure, *id)?;
        attempts += gone.attempts;
        messages += gone.messages;
        unnamed += gone.unnamed;
    }
    let is_last = found.len() < most;
    if is_last {
        messages += person(db, key, erasure, &numbers)?;
    }
    db.prepare_cached(
        "UPDATE erasures SET pages = ?2, orders = orders + ?3, attempts = attempts + ?4, messages = messages + ?5, \
         unnamed = unnamed + ?6, state = CASE WHEN ?7 THEN 'searching' ELSE state END WHERE id = ?1",
    )?
    .write(params![
        erasure.id.bytes(),
        all_pages,
        limit(found.len()),
        limit(attempts),
        limit(messages),
        unnamed,
        is_last
    ])?;
    Ok(())
}

/// The next orders to these numbers. Erased ones are to the pseudonym.
fn next(db: &Connection, numbers: &BTreeSet<Phone>, most: usize) -> Result<Vec<CallbackId>> {
    let mut seek = db.prepare_cached(list::TO_CONSUMER)?;
    let mut found: Vec<CallbackId> = Vec::new();
    for partition in callbacks::partitions(db)? {
        for number in numbers {
            let room = limit(most.saturating_sub(found.len()));
            let params = params![partition, digits(*number), room];
            found.extend(collect(&mut seek, params, |cells| cells.id::<CallbackId>())?);
        }
        if found.len() >= most {
            break;
        }
    }
    Ok(found)
}

/// How much of an order was erased.
struct Gone {
    attempts: usize,
    messages: usize,
    unnamed: i64,
}

fn order(db: &Connection, erasure: &Erasure, id: CallbackId) -> Result<Gone> {
    let pseudonym = digits(erasure.pseudonym);
    let mut unnamed = 0;
    for (source, kind) in [("attempts", "call"), ("messages", "message")] {
        db.prepare_cached(&of(HELD, source))?.write(params![erasure.id.bytes(), id.bytes(), kind])?;
        let count = |row: &super::sql::Row<'_>| row.get::<_, i64>(0);
        unnamed += db.prepare_cached(&of(UNNAMED, source))?.query_row([id.bytes()], count)?;
    }
    for leg in ["second_sid", "connection_sid", "bridge_sid"] {
        db.prepare_cached(&LEG.replace("LEG", leg))?.write(params![erasure.id.bytes(), id.bytes()])?;
    }
    let attempts = db.prepare_cached(&of(ATTEMPTS, ""))?.execute(params![id.bytes(), pseudonym])?;
    let messages = db.prepare_cached(&of(MESSAGES, ""))?.execute(params![id.bytes(), pseudonym])?;
    db.prepare_cached(
        "UPDATE timeline SET consumer = CASE WHEN consumer IS NULL THEN NULL ELSE CAST(?2 AS BIGINT) END, why = '' \
         WHERE callback = ?1",
    )?
    .write(params![id.bytes(), pseudonym])?;
    deliveries(db, id)?;
    agents::erase(db, id)?;
    audits::erase_objects(db, id)?;
    let sentence = crate::domain::Reason::Erased.sentence();
    db.prepare_cached(CALLBACK)?.write(params![id.bytes(), pseudonym, sentence])?;
    Ok(Gone { attempts, messages, unnamed })
}

fn of(sql: &str, source: &str) -> String {
    sql.replace("IS_RANDOM", IS_RANDOM).replace("source", source)
}

/// Webhooks say what happened, and nothing that the customer knows the person by.
fn deliveries(db: &Connection, id: CallbackId) -> Result<()> {
    let sql = "SELECT seq, payload FROM outbox WHERE subject = ?1";
    let kept = collect(&mut db.prepare_cached(sql)?, [id.bytes()], |cells| {
        Ok((cells.take::<i64>()?, cells.take::<String>()?))
    })?;
    for (seq, payload) in kept {
        let mut body: Value = serde_json::from_str(&payload).unwrap_or_default();
        if let Some(data) = body.get_mut("data").and_then(Value::as_object_mut) {
            data.remove("reference");
            data.remove("metadata");
        }
        db.prepare_cached("UPDATE outbox SET payload = ?2 WHERE seq = ?1")?
            .write(params![seq, body.to_string()])?;
    }
    Ok(())
}

/// Webhooks about the person say what happened, and not to whom.
fn news(db: &Connection, consumer: Phone, pseudonym: Phone) -> Result<()> {
    let (subject, new) = (Subject::of_consumer(consumer), Subject::of_consumer(pseudonym));
    let sql = "SELECT seq, payload FROM outbox WHERE subject = ?1";
    let kept = collect(&mut db.prepare_cached(sql)?, [subject.bytes()], |cells| {
        Ok((cells.take::<i64>()?, cells.take::<String>()?))
    })?;
    for (seq, payload) in kept {
        let mut body: Value = serde_json::from_str(&payload).unwrap_or_default();
        if let Some(data) = body.get_mut("data").and_then(Value::as_object_mut) {
            data.remove("consumer");
        }
        db.prepare_cached("UPDATE outbox SET payload = ?2, subject = ?3 WHERE seq = ?1")?.write(params![
            seq,
            body.to_string(),
            new.bytes()
        ])?;
    }
    Ok(())
}

/// Everything that a name finds and that belongs to no order. Returns how many messages were among it.
fn person(db: &Connection, key: &Key, erasure: &Erasure, numbers: &BTreeSet<Phone>) -> Result<usize> {
    let pseudonym = digits(erasure.pseudonym);
    let hasher = key.get()?;
    let mut ids: BTreeSet<i64> = BTreeSet::new();
    for name in &erasure.names {
        ids.extend(persons::of_name(db, name)?.into_iter().map(|id| digits(id.number())));
    }
    let mut known: BTreeSet<i64> = numbers.iter().map(|number| digits(*number)).collect();
    known.extend(&ids);
    let mut senders: BTreeSet<i64> = BTreeSet::new();
    for id in &ids {
        let mut seek = db.prepare_cached("SELECT sender FROM pairs WHERE person = ?1")?;
        senders.extend(collect(&mut seek, [id], |cells| cells.take::<i64>())?);
    }
    let mut messages = 0;
    for number in &known {
        for sender in &senders {
            let sql = "UPDATE timeline SET consumer = ?3, why = '' WHERE sender = ?1 AND consumer = ?2";
            db.prepare_cached(sql)?.write(params![sender, number, pseudonym])?;
        }
        db.prepare_cached(&of(HELD_ALONE, ""))?.write(params![erasure.id.bytes(), number])?;
        messages += db.prepare_cached(&of(ALONE, ""))?.execute(params![number, pseudonym])?;
        db.prepare_cached("DELETE FROM messenger_contacts WHERE consumer = ?1")?.write([number])?;
        db.prepare_cached("DELETE FROM person_zones WHERE person = ?1")?.write([number])?;
        audits::erase(db, *number, pseudonym)?;
        db.prepare_cached("UPDATE set_aside SET consumer = ?2 WHERE consumer = ?1")?
            .write(params![number, pseudonym])?;
        db.prepare_cached("UPDATE pauses SET scope = ?2, why = '' WHERE scope = ?1")?
            .write(params![format!("person:{number}"), format!("person:{pseudonym}")])?;
        for sql in [
            "UPDATE pauses SET why = '' WHERE instr(why, ?1) > 0",
            "UPDATE campaign_acts SET note = NULL WHERE instr(note, ?1) > 0",
            "UPDATE campaign_acts SET changes = NULL WHERE instr(changes, ?1) > 0",
        ] {
            db.prepare_cached(sql)?.write([number.to_string()])?;
        }
    }
    for number in &known {
        news(db, Phone::from_stored(number.cast_unsigned()), erasure.pseudonym)?;
    }
    for name in &erasure.names {
        let hash = hasher.hasher.of_name(name);
        db.prepare_cached("UPDATE suppressions SET why = NULL WHERE hash = ?1")?.write([hash])?;
    }
    for id in ids {
        for sql in [
            "DELETE FROM pairs WHERE person = ?1",
            "DELETE FROM names WHERE person = ?1",
            "DELETE FROM persons WHERE id = ?1",
        ] {
            db.prepare_cached(sql)?.write([id])?;
        }
    }
    Ok(messages)
}

/// What a search found. With its end the names of the erasure itself go.
fn traces(db: &Connection, id: &[u8; 16], found: &ErasureTraces) -> Result<()> {
    let reports = drop_reports(db, &found.reports)?;
    for seq in &found.reports {
        // Both are hashes of a body with a number in it. The same command is a new one from now on.
        let commands = "UPDATE commands SET content = ?2 WHERE seq = ?1 AND outcome IS NOT NULL";
        if db.prepare_cached(commands)?.execute(params![seq, [0_u8; 32]])? == 1 {
            db.prepare_cached("UPDATE reports SET key = ?2 WHERE seq = ?1")?
                .write(params![seq, Uuid::new_v4().into_bytes()])?;
        }
    }
    for (token, text) in &found.keys {
        db.prepare_cached("DELETE FROM idempotency_keys WHERE token = ?1 AND key = ?2")?
            .write(params![token, text])?;
    }
    db.prepare_cached(
        "UPDATE erasures SET searched = ?2, reports = reports + ?3, state = CASE WHEN ?4 THEN 'cleaning' ELSE state END, \
         names = CASE WHEN ?4 THEN NULL ELSE names END, pages = CASE WHEN ?4 THEN NULL ELSE pages END WHERE id = ?1",
    )?
    .write(params![id, found.searched, reports.cast_signed(), found.is_end])?;
    Ok(())
}
