//! Folds reports of the inbox into attempts, messages and pairs. Their order, repetition and loss do no harm:
//! every change only moves forward, or replaces a value by a later one.

use jiff::Timestamp;

use super::settle::{self, change_attempt};
use super::turn::Turn;
use super::working_set::Line;
use super::{
    attempt_commands, calendars, call_answers, callers, campaigns, command, erasures, lineage, messages,
    pages, pauses, people, permission_log, recordings, resolve, restrictions, seats, set_aside, suppressions,
};
use crate::domain::event::{
    ConnectionReport, MessageReport, PermissionAnswer, PermissionOverride, PermissionReply, Word,
};
use crate::domain::message::Reply;
use crate::domain::person::Restart;
use crate::domain::{
    CallProgress, CommandOutcome, Disposition, Event, Grant, Holds, Message, MessageId, Named, Numbers,
    PairKey, Phone, Refusal, RefusalKind, Restriction, is_pseudonym,
};
use crate::failpoint::panic_point;
use crate::policy::ledger;
use crate::webhooks::ConsumerTopic;

/// Folds one report that was received at `at`. The outcome matters if the report is a command. A report without a known
/// person changes nothing, and is set in `turn.nobody`.
pub(super) fn report(turn: &mut Turn<'_>, at: Timestamp, event: &Event) -> CommandOutcome {
    panic_point!("fold", "{event:?}");
    turn.nobody = None;
    match event {
        Event::Command(command) => return command::fold(turn, at, command),
        Event::Call(report) => settle::observe(turn, report),
        Event::DocumentFetched { attempt, sid } => {
            let in_progress = turn.scheduler.deps.settings.timeouts.in_progress;
            change_attempt(turn, *attempt, |attempt| {
                if attempt.observe_document_fetched(at, sid) {
                    attempt.news_due_at = Some(at + in_progress);
                }
            });
        }
        Event::Connected(report) => connected(turn, at, report),
        Event::Recorded(report) => recordings::fold(turn, at, report),
        Event::PermissionReply(reply) => permission_reply(turn, at, reply),
        Event::PermissionOverride(word) => return operator_word(turn, at, word),
        Event::AttemptResolved(word) => return resolve::attempt(turn, at, word),
        Event::AttemptCommand(command) => return attempt_commands::fold(turn, at, command),
        Event::MessageResolved(word) => return resolve::message(turn, at, word),
        Event::InboundMessage { sender, who, word, wrote_at } => {
            inbound_message(turn, at, *sender, who, (*word, written(at, *wrote_at)));
        }
        Event::MarketingPreference { sender, who, is_stopped } => {
            marketing(turn, at, *sender, who, *is_stopped);
        }
        Event::InboundCall { sender, who, sid, progress, came_to_at, invite, .. } => {
            match people::of_report(turn, at, *sender, who, None) {
                Some(key) => {
                    may_start_again(turn, at, key, sid, *progress, *came_to_at);
                    inbound_call(turn, at, key, sid, *progress, *came_to_at);
                    turn.callers.told.extend(who.number.map(|number| (key, number)));
                    if let Some(invite) = invite {
                        callers::token(turn, at, key, *invite, *progress);
                    }
                }
                None => turn.nobody = Some((who.user_id.clone(), None)),
            }
        }
        Event::MessengerCall { account, psid, at: called_at } => {
            pages::called(turn, at, account, psid, *called_at);
        }
        Event::MessengerMessage { account, psid, word, wrote_at } => {
            pages::wrote(turn, written(at, *wrote_at), account, psid, *word);
        }
        Event::Restriction { account, sender, what, why, until, told_at } => {
            let (account, why) = (account.clone(), why.as_deref().map(Into::into));
            let (sender, what, until, told_at) = (*sender, *what, *until, *told_at);
            restrictions::fold(turn, Restriction { account, sender, what, why, until, told_at });
        }
        Event::Message(report) => message(turn, at, report),
        Event::SetAside(word) => return set_aside::fold(turn, at, word),
        Event::ClockConfirmed { by } => {
            turn.clock_is_confirmed = true;
            tracing::warn!(token = by, "an operator confirms the machine's clock");
        }
        Event::LineageReleased { by, why, despite_unlisted } => {
            return lineage::release(turn, by, why, *despite_unlisted);
        }
        Event::PauseSet(pause) => return pauses::set(turn, pause),
        Event::CalendarMarked(order) => return calendars::mark(turn, at, order),
        Event::PauseLifted { pause, by } => return pauses::lift(turn, at, *pause, by),
        Event::Suppressed(added) => suppressions::added(turn, added),
        Event::SuppressionRemoved(removed) => suppressions::removed(turn, removed),
        Event::SuppressionComplete { list_id, by } => suppressions::complete(turn, at, *list_id, by),
        Event::Erasure { erasure, list_id, entries, by } => {
            erasures::began(turn, *erasure, *list_id, *entries, by);
        }
        Event::CallAnswered { attempt, answer } => call_answers::answered(turn, *attempt, answer, ""),
        Event::MessageAnswered { message, answer } => messages::answered(turn, *message, answer, ""),
        Event::Erased => {}
        Event::Campaign(command) => return campaigns::fold(turn, at, command),
        Event::Pool(command) => return seats::fold(turn, at, command),
        // Written by versions before commands.
        Event::CancelRequested { callback } => settle::withdraw_or_hang_up(turn, *callback, ""),
    }
    CommandOutcome::Applied
}

fn connected(turn: &mut Turn<'_>, at: Timestamp, report: &ConnectionReport) {
    change_attempt(turn, report.attempt, |attempt| _ = attempt.observe_connection(at, report));
}

fn permission_reply(turn: &mut Turn<'_>, at: Timestamp, reply: &PermissionReply) {
    let answered = reply.replied_to.as_deref().and_then(|sid| message_of(turn, sid)).cloned();
    let consumer = answered.as_ref().map(|message| message.consumer);
    let Some(key) = people::of_report(turn, at, reply.sender, &reply.who, consumer) else {
        turn.nobody = Some((reply.who.user_id.clone(), reply.replied_to.clone()));
        return;
    };
    let rules = turn.scheduler.deps.rules.clone();
    let said_at = written(at, reply.replied_at);
    if comes_too_late(turn, key, reply, answered.as_ref()) {
        let why = "The consumer said no later than this yes, or to a later request.";
        turn.work.note(at, Line::new("permission.answered_too_late", why).of_pair(key));
        return;
    }
    let had_permission = turn.work.pairs.get(key).is_some_and(|pair| pair.permission.is_live(at));
    let by = if reply.automatic { "The platform" } else { "The consumer" };
    let said = match reply.answer {
        PermissionAnswer::Temporary { .. } => "granted a temporary permission",
        PermissionAnswer::Permanent => "granted a permanent permission",
        PermissionAnswer::Rejected => "does not allow calls",
        PermissionAnswer::NotUnderstood => "gave an answer that is not understood",
    };
    permission_log::say(turn, key, at, Line::because(format!("{by} {said}.")), |pair| {
        ledger::wrote_or_called(pair, said_at);
        ledger::replied(pair, said_at, reply.answer, reply.automatic, &rules);
    });
    if let Some(message) = answered.filter(|_| !reply.automatic) {
        note_reply(turn, key, &message, said_at, reply.answer);
    }
    match (reply.answer, reply.automatic) {
        // An automatic change of the platform is not a decision of the consumer.
        (_, true) => {}
        (PermissionAnswer::Rejected, false) if had_permission => {
            people::refuse(turn, key, RefusalKind::Revocation, said_at);
        }
        (PermissionAnswer::Rejected, false) => people::refuse(turn, key, RefusalKind::Decline, said_at),
        (PermissionAnswer::NotUnderstood, false) => {}
        (_, false) => people::start_again(turn, key, said_at, Restart::Allowed),
    }
}

/// The request knows its answer, and the pair what it was granted for.
fn note_reply(turn: &mut Turn<'_>, key: PairKey, message: &Message, at: Timestamp, answer: PermissionAnswer) {
    let reply = match answer {
        PermissionAnswer::Temporary { .. } | PermissionAnswer::Permanent => Reply::Granted,
        PermissionAnswer::Rejected => Reply::Declined,
        PermissionAnswer::NotUnderstood => return,
    };
    messages::replied(turn, message.id, reply);
    if reply == Reply::Granted {
        let grant = Grant { at, by: Some(message.content.clone()) };
        turn.work.pairs.change(key, |pair| pair.granted = Some(grant));
    }
}

/// Whether the reply is a yes that was given before a no to the same sender, or that answers a request which is older than
/// the one that was answered with no.
fn comes_too_late(
    turn: &Turn<'_>,
    key: PairKey,
    reply: &PermissionReply,
    answered: Option<&Message>,
) -> bool {
    let is_yes = reply.answer != PermissionAnswer::Rejected;
    let is_no = |refusal: &Refusal| {
        refusal.sender == key.sender && matches!(refusal.kind, RefusalKind::Decline | RefusalKind::Revocation)
    };
    let refusals = turn.work.persons.get(key.person).map_or(&[][..], |person| &person.refusals);
    let is_older = |said_at| refusals.iter().any(|refusal| is_no(refusal) && refusal.at > said_at);
    if is_yes && reply.replied_at.is_some_and(is_older) {
        return true;
    }
    let is_yes = is_yes && !reply.automatic;
    let declined_at = turn.work.pairs.get(key).and_then(|pair| pair.declined_request_at);
    let asked_at =
        answered.map(|message| message.submission.submitted_at.unwrap_or(message.submission.intended_at));
    is_yes && asked_at.zip(declined_at).is_some_and(|(asked_at, declined_at)| asked_at < declined_at)
}

/// The message of ours with this SID.
fn message_of<'a>(turn: &'a Turn<'_>, sid: &str) -> Option<&'a Message> {
    turn.work.messages.values().find(|message| message.submission.sid.as_deref() == Some(sid))
}

/// When a message was written. It may be delivered late, and not before it was written. Without a time it is new.
fn written(at: Timestamp, wrote_at: Option<Timestamp>) -> Timestamp {
    wrote_at.map_or(at, |told| told.min(at))
}

/// The window opens, and a word counts, from the time at which the message was written: a START that is delivered late
/// does not end a refusal that is newer.
fn inbound_message(
    turn: &mut Turn<'_>,
    at: Timestamp,
    sender: Phone,
    who: &Named,
    (word, wrote_at): (Option<Word>, Timestamp),
) {
    let Some(key) = people::of_report(turn, at, sender, who, None) else {
        turn.nobody = Some((who.user_id.clone(), None));
        return;
    };
    let cause = || Line::because("The consumer wrote, so the consumer is on WhatsApp.");
    permission_log::change(turn, key, at, cause, |pair| ledger::wrote_or_called(pair, wrote_at));
    match word {
        Some(Word::Stop) => {
            people::refuse(turn, key, RefusalKind::Stop, wrote_at);
            let why = "The consumer wrote STOP, or a word for it: no call, request or invite by any sender.";
            turn.work.note(at, Line::new("person.stopped", why).of_pair(key));
        }
        Some(Word::Start) => people::start_again(turn, key, wrote_at, Restart::Word),
        None => {}
    }
}

/// The consumer stopped marketing messages, or wants them again. That is no message to the sender: no window opens.
fn marketing(turn: &mut Turn<'_>, at: Timestamp, sender: Phone, who: &Named, is_stopped: bool) {
    let Some(key) = people::of_report(turn, at, sender, who, None) else {
        turn.nobody = Some((who.user_id.clone(), None));
        return;
    };
    if is_stopped {
        people::refuse(turn, key, RefusalKind::Marketing, at);
        let why =
            "The consumer stopped marketing messages: no marketing call, request or invite by any sender.";
        turn.work.note(at, Line::new("person.stopped_marketing", why).of_pair(key));
    } else {
        people::resume_marketing(turn, key, at);
    }
}

/// A permission does not end what the person refused, unless the operator says that the person allowed calls since.
fn operator_word(turn: &mut Turn<'_>, at: Timestamp, word: &PermissionOverride) -> CommandOutcome {
    let key = people::pair(turn, Numbers { sender: word.sender, consumer: word.consumer });
    let rules = turn.scheduler.deps.rules.clone();
    let is_refused = turn.work.view(word.consumer).refused_by_the_person().is_some();
    let said = match word.answer {
        PermissionAnswer::Rejected | PermissionAnswer::NotUnderstood => "recorded that calls are not allowed",
        _ if is_refused && !word.ends_refusals => {
            return CommandOutcome::Refused("permission.refused".into());
        }
        PermissionAnswer::Temporary { .. } => "recorded a temporary permission",
        PermissionAnswer::Permanent => "recorded a permanent permission",
    };
    let said = format!("An operator, by the token {:?}, {said}: {}.", word.by, word.reason);
    permission_log::say(turn, key, at, Line::because(said).by(&word.by), |pair| {
        ledger::operator_said(pair, at, word.answer, &rules)
    });
    match word.answer {
        PermissionAnswer::Rejected | PermissionAnswer::NotUnderstood => {
            people::refuse(turn, key, RefusalKind::Operator, at);
        }
        _ => people::start_again(turn, key, at, Restart::Allowed),
    }
    CommandOutcome::Applied
}

/// The begin of a consumer's call ends the refusals before it. Reports can be late, so the time of the call counts and
/// not the time of the report; what was said during the call is said later. A begin without a time ends nothing.
fn may_start_again(
    turn: &mut Turn<'_>,
    at: Timestamp,
    key: PairKey,
    sid: &str,
    progress: CallProgress,
    came_to_at: Option<Timestamp>,
) {
    let begins = matches!(progress, CallProgress::Queued | CallProgress::Initiated | CallProgress::Ringing);
    let is_over = turn.work.pairs.get(key).is_some_and(|pair| pair.ended_inbound.as_deref() == Some(sid));
    if let Some(began_at) = came_to_at.filter(|_| begins && !is_over) {
        people::start_again(turn, key, began_at.min(at), Restart::Called);
    }
}

pub(super) fn inbound_call(
    turn: &mut Turn<'_>,
    at: Timestamp,
    key: PairKey,
    sid: &str,
    progress: CallProgress,
    told_at: Option<Timestamp>,
) {
    let rules = turn.scheduler.deps.rules.clone();
    let directory = turn.scheduler.deps.directory.clone();
    let Some(sender) = directory.sender(key.sender) else { return };
    let setting = sender.callback_permission;
    // A repeated end of the call must not reset misses that came after it.
    if turn.work.pairs.get(key).is_some_and(|pair| pair.ended_inbound.as_deref() == Some(sid)) {
        return;
    }
    let live = |turn: &Turn<'_>| turn.work.pairs.get(key).is_some_and(|pair| pair.live_inbound.is_some());
    let was_live = live(turn);
    let cause = || Line::because("The sender lets a consumer's own call allow calls back for a time.");
    permission_log::lapse(turn, key, at);
    permission_log::change(turn, key, at, cause, |pair| match progress {
        CallProgress::Queued | CallProgress::Initiated | CallProgress::Ringing => {
            ledger::inbound_began(pair, at, sid);
        }
        CallProgress::InProgress => {
            ledger::inbound_began(pair, at, sid);
            ledger::inbound_connected(pair, at, &rules);
        }
        CallProgress::Ended(end) => {
            let answered = end == Disposition::Completed;
            if answered {
                ledger::inbound_was_answered(pair, at, sid, &rules);
            }
            ledger::inbound_ended(pair, at, sid, answered, setting, &rules);
        }
    });
    let is_live = live(turn);
    match (was_live, is_live) {
        (false, true) => turn.take(&Holds::inbound(key.sender)),
        (true, false) => turn.give_back(&Holds::inbound(key.sender)),
        _ => {}
    }
    let (topic, why) = match progress {
        CallProgress::Ended(Disposition::Completed) => {
            (ConsumerTopic::Called, "The consumer called and was answered.")
        }
        CallProgress::Ended(_) => (ConsumerTopic::CallMissed, "The consumer called and was not answered."),
        _ => return,
    };
    turn.work.note(at, Line::new(topic.as_str(), why).of_pair(key));
    turn.tell_of_consumer(topic, key, at, None);
    callers::ended(turn, at, key, progress, told_at);
}

/// Ends a consumer's call whose end was never reported. Otherwise the person would count as on the phone for ever, and would
/// be neither called nor invited.
pub(super) fn inbound_is_lost(turn: &mut Turn<'_>, key: PairKey, sid: &str) {
    let now = turn.now;
    let ended = turn.work.pairs.change(key, |pair| {
        ledger::inbound_is_lost(pair, now, sid);
        pair.live_inbound.is_none()
    });
    if ended == Some(true) {
        turn.give_back(&Holds::inbound(key.sender));
        let why = "The consumer called, and no report told the end of the call for four hours.";
        turn.work.note(now, Line::new("consumer.call_lost", why).of_pair(key));
    }
}

fn message(turn: &mut Turn<'_>, at: Timestamp, report: &MessageReport) {
    let found = report.message.or_else(|| message_of(turn, &report.sid).map(|message| message.id));
    if let Some(id) = found {
        learn_names(turn, at, id, report);
        messages::change(turn, id, |message| {
            message.observe(at, &report.sid, report.progress, report.error_code);
        });
    }
}

/// The platform reports the recipient of a message of ours, which proves the names of the person.
fn learn_names(turn: &mut Turn<'_>, at: Timestamp, id: MessageId, report: &MessageReport) {
    let Some(numbers) = turn.work.messages.get(id).map(Message::numbers) else { return };
    if is_pseudonym(numbers.consumer) {
        return;
    }
    let mut key = people::pair(turn, numbers);
    if let Some(number) = report.to.number {
        key.person = people::learn_number(turn, at, key.sender, key.person, number);
    }
    if let Some(user_id) = &report.to.user_id {
        let portfolio = turn.portfolio(key.sender);
        people::learn_id(turn, at, key.sender, key.person, &portfolio, user_id);
    }
}
