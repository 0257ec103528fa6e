//! Recordings of calls: what a report of one is kept as, and that the platform is asked to delete it when its time is over.
//!
//! The time of the next try is committed before the platform is asked, so nothing else is remembered of a try: after a
//! restart the next one follows at its time.

use jiff::Timestamp;

use super::request::Effect;
use super::settle::change_attempt;
use super::turn::Turn;
use super::working_set::Line;
use crate::domain::recording::Told;
use crate::domain::{Attempt, AttemptId, RecordingReport, RecordingTerms, is_pseudonym};
use crate::platform::Deleted;
use crate::store::{self, RecordingsDue, Store};

/// Reads whose recordings are due.
pub(super) async fn sweep(turn: &mut Turn<'_>, store: &dyn Store) -> store::Result<()> {
    let deleting = &mut turn.scheduler.deleting;
    if deleting.alarm().is_none_or(|at| at > turn.now) {
        return Ok(());
    }
    let RecordingsDue { attempts, next_at } = store.recordings_due(turn.now, deleting.room()).await?;
    // Those that are due have a later time after the commit of this turn: only then the next one is known.
    if attempts.is_empty() {
        deleting.due_at = next_at;
    }
    turn.recordings_due = attempts;
    Ok(())
}

/// Asks platforms to delete what is due.
pub(super) fn ask(turn: &mut Turn<'_>) {
    let now = turn.now;
    for id in std::mem::take(&mut turn.recordings_due) {
        let Some(attempt) = turn.work.attempts.get(id).cloned() else { continue };
        let has_account = turn.scheduler.deps.accounts.contains_key(&attempt.account);
        for sid in attempt.recordings.due(now) {
            let deleting = &mut turn.scheduler.deleting;
            if !has_account {
                turn.work.attempts.change(id, |attempt| attempt.recordings.refused(sid));
                refused(turn, &attempt, sid, "The account of the call is not configured any more");
            } else if deleting.asked.contains(sid) || deleting.room() > 0 {
                turn.work.attempts.change(id, |attempt| attempt.recordings.ask(now, sid));
                if deleting.asked.insert(sid.to_owned()) {
                    let account = attempt.account.clone();
                    turn.effects.push(Effect::DeleteRecording { account, attempt: id, sid: sid.to_owned() });
                }
            }
        }
    }
}

/// A platform answered.
pub(super) fn answered(turn: &mut Turn<'_>, id: AttemptId, sid: &str, answer: Deleted) {
    let now = turn.now;
    turn.scheduler.deleting.asked.remove(sid);
    let Some(attempt) = turn.work.attempts.get(id).cloned() else { return };
    if !attempt.recordings.as_slice().iter().any(|recording| recording.sid == sid) {
        return;
    }
    match answer {
        Deleted::Gone => {
            turn.work.attempts.change(id, |attempt| attempt.recordings.deleted(now, sid));
            let why = format!("The platform has the recording {sid} no more.");
            turn.work.note(now, Line::new("recording.deleted", why).of_attempt(&attempt));
        }
        Deleted::Refused => {
            turn.work.attempts.change(id, |attempt| attempt.recordings.refused(sid));
            refused(turn, &attempt, sid, "The platform does not delete it");
        }
        Deleted::NoAnswer => {
            if turn.work.attempts.change(id, |attempt| attempt.recordings.unanswered(sid)) == Some(true) {
                refused(turn, &attempt, sid, "The platform did not answer in all tries");
            }
        }
    }
}

fn refused(turn: &mut Turn<'_>, attempt: &Attempt, sid: &str, why: &str) {
    tracing::warn!(attempt = %attempt.id, recording = sid, "a recording is past its time and was not deleted: {why}");
    let why = format!("{why}: the recording {sid} has to be deleted at the platform by somebody.");
    turn.work.note(turn.now, Line::new("recording.not_deleted", why).of_attempt(attempt));
}

/// Folds a report that was received at `at`. A recording of an erased person gets no link, and is deleted at once.
pub(super) fn fold(turn: &mut Turn<'_>, at: Timestamp, report: &RecordingReport) {
    let Some(attempt) = turn.work.attempts.get(report.attempt).cloned() else {
        tracing::warn!(attempt = %report.attempt, recording = report.sid, "a recording of a call that is not in the store");
        return;
    };
    let terms = terms(turn, at, &attempt, report);
    let delete_at = terms.delete_at;
    let mut told = Told::Nothing;
    change_attempt(turn, attempt.id, |attempt| {
        attempt.submission.prove(at, &report.call_sid);
        told = attempt.recordings.observe(at, report, terms);
    });
    let ask_at = turn.work.attempts.get(attempt.id).and_then(|attempt| attempt.recordings.ask_at());
    turn.scheduler.deleting.wake_by(ask_at);
    match told {
        Told::New if report.is_absent => {
            let why = "The platform reports that the recording has nothing in it.";
            turn.work.note(at, Line::new("recording.absent", why).of_attempt(&attempt));
        }
        Told::New => {
            let until = match delete_at {
                Some(at) => format!("it is deleted at {at:.0}"),
                None => "it is kept until somebody deletes it at the platform".to_owned(),
            };
            let why = format!("The platform recorded the call; {until}.");
            turn.work.note(at, Line::new("recording.kept", why).of_attempt(&attempt));
        }
        Told::Nothing if !attempt.recordings.as_slice().iter().any(|known| known.sid == report.sid) => {
            tracing::warn!(attempt = %attempt.id, recording = report.sid, "a call has more recordings than are kept");
        }
        Told::More | Told::Nothing => {}
    }
}

fn terms(turn: &Turn<'_>, at: Timestamp, attempt: &Attempt, report: &RecordingReport) -> RecordingTerms {
    let deps = &turn.scheduler.deps;
    let rules = &deps.settings.recordings;
    let document = turn.work.callbacks.get(attempt.callback).map(|callback| &callback.order.document);
    let notice = document.map_or(rules.notice, |document| rules.notice(document));
    if is_pseudonym(attempt.consumer) {
        return RecordingTerms { link: None, notice, delete_at: Some(at) };
    }
    let account = deps.accounts.get(&attempt.account);
    let link = account.and_then(|account| account.platform.recording_link(&report.sid));
    RecordingTerms { link, notice, delete_at: rules.delete_at(at) }
}
