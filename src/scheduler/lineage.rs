//! A store that is not the one that was last written: asks the platforms what they have of the lost span, and takes in
//! what the store does not know, so that nothing is done twice. An operator then releases it.

use std::collections::BTreeSet;

use super::lost_span::LostSpan;
use super::request::{Effect, News, Question};
use super::settle::change_attempt;
use super::state::Scheduler;
use super::turn::Turn;
use super::working_set::Line;
use super::{ceilings, people, permission_log, seats};
use crate::domain::{
    AccountAlias, AccountListed, Answer, Attempt, AttemptId, CallProgress, Callback, CallbackId,
    CommandOutcome, Disposition, LineageReleased, Numbers, OrderKind, PairKey, Phone, Proof, State, TokenUse,
    Unrecorded, UnrecordedKind,
};
use crate::platform::{CreatedCall, CreatedMessage, CreatedSince, Finding, Platform};
use crate::policy::{self, ledger};
use crate::store::{self, Keys, LineageChange, Store};

/// How many SIDs are looked up in one read.
const SIDS_AT_ONCE: usize = 1_000;
/// For how many unknown calls the platform is asked for their attempts: each is a request.
const PROOFS_MAX: usize = 2_000;

impl Scheduler {
    /// Reads whether the store is held.
    pub(super) async fn read_lineage(&mut self) -> store::Result<()> {
        let held = self.deps.store.lineage().await?.filter(|lineage| lineage.released.is_none());
        self.containment.held.lineage_since = held.as_ref().map(|lineage| lineage.since);
        self.lineage = LostSpan::new(held, self.deps.accounts.keys(), self.deps.clock.now());
        self.publish_held();
        Ok(())
    }

    /// What a turn learnt is written. Returns whether the store is released now, so that everything is decided again.
    pub(super) fn lineage_written(&mut self, change: LineageChange) -> bool {
        for (account, listed) in change.accounts {
            self.lineage.told(&account);
            if let Some(held) = &mut self.lineage.held {
                held.accounts.insert(account, listed);
            }
        }
        let Some(released) = change.released else { return false };
        tracing::warn!(token = &*released.by, "an operator releases the store; dialling goes on");
        self.lineage = LostSpan::default();
        self.containment.held.lineage_since = None;
        self.publish_held();
        true
    }
}

/// Asks the platforms what they have of the lost span.
pub(super) fn ask(turn: &mut Turn<'_>) {
    let Some(since) = turn.scheduler.lineage.asked_from() else { return };
    for account in turn.scheduler.lineage.take(turn.now) {
        let question = Question::Since { account: account.clone(), since };
        turn.effects.push(Effect::Ask { account, question });
    }
}

/// What a platform has since then that the store does not know: calls with the attempts that they were placed for, if the
/// platform proves them, messages of ours, and all messages of consumers.
pub(super) async fn unrecorded(
    platform: &dyn Platform,
    store: &dyn Store,
    since: jiff::Timestamp,
) -> Finding<CreatedSince> {
    let mut created = match platform.created_since(since).await {
        Finding::Found(created) => created,
        nothing => return nothing,
    };
    let calls: Vec<String> = created.calls.iter().map(|call| call.sid.clone()).collect();
    let ours = created.messages.iter().filter(|message| !message.is_inbound);
    let messages: Vec<String> = ours.map(|message| message.sid.clone()).collect();
    let mut known = BTreeSet::new();
    for sids in calls.chunks(SIDS_AT_ONCE) {
        let Ok(attempts) = store.attempts_by_sid(sids).await else { return Finding::NoAnswer };
        known.extend(attempts.into_iter().filter_map(|attempt| attempt.submission.sid));
    }
    for sids in messages.chunks(SIDS_AT_ONCE) {
        let keys = Keys { message_sids: sids.iter().cloned().collect(), ..Keys::default() };
        let Ok(related) = store.related(&keys).await else { return Finding::NoAnswer };
        known.extend(related.messages.into_iter().filter_map(|message| message.submission.sid));
    }
    created.calls.retain(|call| !known.contains(&call.sid));
    created.messages.retain(|message| message.is_inbound || !known.contains(&message.sid));
    for call in created.calls.iter_mut().take(PROOFS_MAX) {
        match platform.attempt_of(&call.sid).await {
            Finding::Found(attempt) => call.attempt = Some(attempt),
            Finding::Absent => {}
            Finding::NoAnswer => return Finding::NoAnswer,
        }
    }
    Finding::Found(created)
}

/// Reads the callbacks that unknown calls may have been placed for.
pub(super) async fn read(turn: &mut Turn<'_>, store: &dyn Store) -> store::Result<()> {
    let found = turn.answers.iter().filter_map(|done| match &done.news {
        News::Since { finding, .. } => finding.found(),
        _ => None,
    });
    let calls = found.flat_map(|found| &found.calls).map(|call| call.numbers.consumer);
    let consumers: Vec<Phone> = calls.collect::<BTreeSet<_>>().into_iter().collect();
    for some in consumers.chunks(SIDS_AT_ONCE) {
        for callback in store.waiting_callbacks_to(some).await? {
            turn.work.callbacks.hold(callback.id, callback);
        }
    }
    Ok(())
}

/// Takes in what an account has of the lost span.
pub(super) fn found(turn: &mut Turn<'_>, account: &AccountAlias, finding: &Finding<CreatedSince>) {
    if turn.scheduler.lineage.held.is_none() {
        return;
    }
    let at = turn.now;
    let mut listed = AccountListed { at, is_listed: true, calls: 0, messages: 0, inbound: 0 };
    let mut created = match finding {
        Finding::Found(created) => created.clone(),
        Finding::Absent => {
            listed.is_listed = false;
            CreatedSince::default()
        }
        Finding::NoAnswer => return,
    };
    created.calls.retain(|call| is_ours(turn, call.numbers));
    created.messages.retain(|message| is_ours(turn, message.numbers));
    created.calls.sort_by_key(|call| call.at);
    created.messages.sort_by_key(|message| message.at);
    for call in &created.calls {
        listed.calls = listed.calls.saturating_add(1);
        let (callback, attempt) = take_in_call(turn, account, call).unzip();
        let (sid, kind) = (call.sid.clone(), UnrecordedKind::Call);
        let (account, numbers) = (account.clone(), call.numbers);
        turn.work.lineage.unrecorded.push(Unrecorded {
            account,
            sid,
            kind,
            at: call.at,
            numbers,
            callback,
            attempt,
        });
    }
    for message in &created.messages {
        let kind = match message.is_inbound {
            true => UnrecordedKind::InboundMessage,
            false => UnrecordedKind::Message,
        };
        let count = if message.is_inbound { &mut listed.inbound } else { &mut listed.messages };
        *count = count.saturating_add(1);
        take_in_message(turn, message);
        turn.work.lineage.unrecorded.push(Unrecorded {
            account: account.clone(),
            sid: message.sid.clone(),
            kind,
            at: message.at,
            numbers: message.numbers,
            callback: None,
            attempt: None,
        });
    }
    turn.work.lineage.accounts.push((account.clone(), listed));
}

/// An account may also serve numbers that are no senders of ours.
fn is_ours(turn: &Turn<'_>, numbers: Numbers) -> bool {
    turn.scheduler.deps.directory.sender(numbers.sender).is_some()
}

/// Records a call of ours that the store does not know: as an attempt of the callback that it was placed for, or else as a
/// call to its person. The attempt is then looked up like every other one.
fn take_in_call(
    turn: &mut Turn<'_>,
    account: &AccountAlias,
    call: &CreatedCall,
) -> Option<(CallbackId, AttemptId)> {
    let key = people::pair(turn, call.numbers);
    let known = call.attempt.and_then(|id| turn.work.attempts.get(id)).cloned();
    if let Some(attempt) = known {
        prove(turn, &attempt, call);
        return Some((attempt.callback, attempt.id));
    }
    let Some(callback) = callback_of(turn, key, call) else {
        count_for_person(turn, key, call);
        return None;
    };
    let attempt = open(turn, account, &callback, call);
    Some((callback.id, attempt))
}

/// The store has the intent of the call, which recovery withdrew.
fn prove(turn: &mut Turn<'_>, attempt: &Attempt, call: &CreatedCall) {
    let now = turn.now;
    change_attempt(turn, attempt.id, |attempt| {
        attempt.submission.prove(now, &call.sid);
        if attempt.is_live() {
            attempt.news_due_at = Some(now);
        }
    });
    let is_live = turn.work.attempts.get(attempt.id).is_some_and(Attempt::is_live);
    turn.work.callbacks.change(attempt.callback, |callback| {
        if is_live && matches!(callback.state, State::Waiting(_)) {
            callback.state = State::Calling { attempt: attempt.id };
        }
    });
}

/// The oldest waiting callback to the person that existed then; one that uses this sender comes first.
fn callback_of(turn: &Turn<'_>, key: PairKey, call: &CreatedCall) -> Option<Callback> {
    let all = turn.work.callbacks.values().filter(|callback| {
        matches!(callback.state, State::Waiting(_))
            && callback.order.kind == OrderKind::Callback
            && callback.created_at <= call.at
            && !turn.is_set_aside(callback.id)
            && turn.work.names.of_number(callback.order.consumer) == key.person
    });
    all.min_by_key(|callback| (!callback.order.senders.contains(&key.sender), callback.created_at)).cloned()
}

/// Opens an attempt that has been placed already.
fn open(turn: &mut Turn<'_>, account: &AccountAlias, callback: &Callback, call: &CreatedCall) -> AttemptId {
    let (now, at) = (turn.now, call.at);
    let numbers = Numbers { sender: call.numbers.sender, consumer: callback.order.consumer };
    let key = people::pair(turn, numbers);
    let deps = &turn.scheduler.deps;
    let script = deps.documents.get(&callback.order.document);
    let sender = deps.directory.sender(numbers.sender);
    let id = call.attempt.unwrap_or_else(|| AttemptId::new(deps.ids.uuid(now)));
    let plain = Attempt::new(id, callback.id, numbers, account.clone(), call.order, at);
    let attempt = Attempt {
        number: callback.attempts_opened.saturating_add(1),
        // Only an answer of an agent can be looked up. Whether a text was played to its end nobody tells any more.
        proof: script
            .map(|script| script.proof)
            .filter(|proof| *proof == Proof::Bridge)
            .unwrap_or(Proof::Answer),
        holds: sender.map_or(plain.holds.clone(), |sender| policy::holds(callback, sender, script, at)),
        ..plain
    };
    turn.end_offer(callback.id);
    turn.take(&attempt.holds);
    seats::take(turn, &attempt);
    ceilings::count(turn, callback.id, TokenUse::Call, at);
    let is_counted = turn.scheduler.deps.rules.remember_calls();
    turn.work.persons.change(key.person, |person| {
        person.live.insert(id);
        if is_counted {
            person.called(at);
        }
    });
    turn.work.callbacks.change(callback.id, |callback| {
        callback.state = State::Calling { attempt: id };
        callback.attempts_opened = callback.attempts_opened.saturating_add(1);
    });
    let why = "The platform has this call, which the store had forgotten.";
    turn.work.note(now, Line::new("attempt.opened", why).of_attempt(&attempt));
    turn.work.attempts.add(id, attempt);
    change_attempt(turn, id, |attempt| _ = attempt.submission.submit(at));
    change_attempt(turn, id, |attempt| {
        attempt.submission.answer(now, &Answer::Accepted { sid: call.sid.clone() });
        attempt.news_due_at = Some(now);
    });
    id
}

/// No callback is known that it was placed for: it counts for the limits of its person. One that is not over counts as
/// answered, because nobody looks it up again.
fn count_for_person(turn: &mut Turn<'_>, key: PairKey, call: &CreatedCall) {
    let (at, rules) = (call.at, turn.scheduler.deps.rules.clone());
    if rules.remember_calls() {
        turn.work.persons.change(key.person, |person| person.called(at));
    }
    match call.progress {
        CallProgress::Ended(Disposition::Failed | Disposition::Canceled) => {}
        CallProgress::Ended(Disposition::NoAnswer | Disposition::Busy) => {
            let cause = || Line::because("The platform has a missed call, which the store had forgotten.");
            permission_log::change(turn, key, at, cause, |pair| ledger::call_missed(pair, at, &rules));
        }
        _ => _ = turn.work.pairs.change(key, |pair| ledger::call_connected(pair, at, &rules)),
    }
}

/// A message of ours counts as a permission request and as an invite, because the list does not tell which it was. What a
/// consumer wrote is not known, and may be a no.
fn take_in_message(turn: &mut Turn<'_>, message: &CreatedMessage) {
    let (now, at) = (turn.now, message.at);
    let key = people::pair(turn, message.numbers);
    if message.is_inbound {
        let why = "The consumer wrote, and the store has forgotten what: it may be a no.";
        let cause = || Line::because(why);
        permission_log::change(turn, key, now, cause, ledger::permission_denied);
        return;
    }
    let rules = turn.scheduler.deps.rules.clone();
    turn.work.pairs.change(key, |pair| ledger::message_found(pair, at, &rules));
    turn.work.persons.change(key.person, |person| person.invited(at));
}

/// An operator's word that what is known suffices.
pub(super) fn release(turn: &mut Turn<'_>, by: &str, why: &str, despite_unlisted: bool) -> CommandOutcome {
    if turn.scheduler.lineage.held.is_none() {
        return CommandOutcome::Refused("lineage.not_held".into());
    }
    let told = &turn.work.lineage.accounts;
    let waits = turn.scheduler.lineage.untold().any(|account| !told.iter().any(|(it, _)| it == account));
    if waits && !despite_unlisted {
        return CommandOutcome::Refused("lineage.not_listed".into());
    }
    turn.work.lineage.released = Some(LineageReleased { at: turn.now, by: by.into(), why: why.into() });
    CommandOutcome::Applied
}
