//! Records the next step of a callback, which `policy` has decided.

use jiff::Timestamp;

use super::settle::close;
use super::state::Intended;
use super::turn::Turn;
use super::working_set::Line;
use super::{ceilings, people, seats, turns};
use crate::domain::callback::Waiting;
use crate::domain::message::Ordered;
use crate::domain::{
    AccountAlias, Attempt, AttemptId, CallPermission, Callback, CallbackId, Channel, ContentRef, Gate, Grant,
    Lane, Message, MessageId, MessagePurpose, Note, Numbers, Offer, Pair, PairKey, Phone, Place, Reason,
    Road, RoadKind, RoadName, State, TokenUse,
};
use crate::failpoint::panic_point;
use crate::policy::{self, Caps, Step, ledger, rolling};
use crate::webhooks::Topic;

const INVITE_UNKNOWN: &str = Reason::InviteUnknown { until: Timestamp::MIN }.code();
const AWAITING_CALL: &str = Reason::AwaitingCall { until: Timestamp::MIN }.code();

/// Decides for one waiting callback and records the decision in the turn.
pub(super) fn next(turn: &mut Turn<'_>, id: CallbackId) {
    let Some(callback) = turn.work.callbacks.get(id).cloned() else { return };
    if !matches!(callback.state, State::Waiting(_)) {
        return;
    }
    panic_point!("decide", "{callback:?}");
    if callback.offer().and_then(|offer| offer.until).is_none_or(|until| until <= turn.now) {
        turn.end_offer(id);
    }
    let (step, chosen) = step(turn, &callback);
    if !matches!(step.reason(), Reason::PreviewOffered { .. }) {
        turn.end_offer(id);
    }
    match step {
        Step::PlaceCall { sender } => place_call(turn, &callback, sender),
        Step::RequestPermission { sender, content } => {
            let key = people::pair(turn, Numbers { sender, consumer: callback.order.consumer });
            let open = turn.work.pairs.get(key).map(|pair| pair.permission);
            let why = match open {
                Some(CallPermission::Requested { .. }) => {
                    "The consumer has not answered the last request, so it is sent once more."
                }
                _ => "The callback needs the permission, and the limits allow a request.",
            };
            let intended = Line::new("permission.request_intended", why);
            ask(turn, &callback, sender, content, intended);
        }
        Step::Invite { sender, road, reason } => invite(turn, &callback, sender, road, &reason),
        Step::Wait { until, gate, reason } => {
            if let Reason::PreviewOffered { until, number, .. } = &reason {
                offer(turn, &callback, chosen, *until, *number);
            }
            let place = gate.map(|gate| place_at(turn, &callback, gate));
            wait(turn, id, Waiting { wake_at: until, place, note: reason.note() });
        }
        Step::Finish { outcome, reason } => close(turn, id, outcome, &reason),
    }
}

/// The place of a callback that waits at a gate from now on.
fn place_at(turn: &mut Turn<'_>, callback: &Callback, gate: Gate) -> Place {
    let aged = policy::aged(callback, &turn.scheduler.deps.rules);
    let class = Place::class(aged, callback.order.priority);
    turn.scheduler.gates.wait(&gate, Lane::of(&callback.order), class);
    Place { gate, aged, expires_at: expires_at(turn, callback) }
}

/// Begins an offer to agents, unless it is the one in progress. It counts for the room of the call that `sender` would place.
fn offer(turn: &mut Turn<'_>, callback: &Callback, sender: Option<Phone>, until: Timestamp, number: u32) {
    let deps = &turn.scheduler.deps;
    let resource = sender.and_then(|number| deps.directory.sender(number)).and_then(|sender| {
        let script = deps.documents.get(&callback.order.document);
        policy::holds(callback, sender, script, turn.now).of_offer().cloned()
    });
    if let Some(resource) = resource {
        turn.loads.offers.begin(callback.id, resource.clone(), until);
        if callback.offer().and_then(|offer| offer.until) != Some(until) {
            turns::pay_for_offer(turn, callback, resource);
        }
    }
    turn.work.callbacks.change(callback.id, |callback| {
        let offer = &mut callback.handled().offer;
        if offer.until != Some(until) {
            *offer = Offer { times: number, until: Some(until), taken: None };
        }
    });
}

/// The current end of the dialling window.
pub(super) fn expires_at(turn: &Turn<'_>, callback: &Callback) -> Timestamp {
    let person = turn.work.names.of_number(callback.order.consumer);
    let keys = callback.order.senders.iter().map(|&sender| PairKey { sender, person });
    let pairs = keys.filter_map(|key| turn.work.pairs.get(key));
    policy::expires_at(turn.now, callback, &turn.loads.calendars, pairs)
}

/// The next step, and the sender that takes it.
fn step(turn: &Turn<'_>, callback: &Callback) -> (Step, Option<Phone>) {
    let assessed = policy::assess(turn.now, &turn.situation(callback), &turn.scheduler.deps.rules);
    (assessed.step, assessed.sender)
}

/// Opens an attempt: takes the pair, the sender's slot and the account's rate together, in one batch.
fn place_call(turn: &mut Turn<'_>, callback: &Callback, number: Phone) {
    let now = turn.now;
    let numbers = Numbers { sender: number, consumer: callback.order.consumer };
    let key = people::pair(turn, numbers);
    let deps = &turn.scheduler.deps;
    let (Some(sender), Some(script)) =
        (deps.directory.sender(number), deps.documents.get(&callback.order.document))
    else {
        return;
    };
    let account = sender.account.clone();
    let attempt = Attempt {
        number: callback.attempts_opened + 1,
        grant: turn.work.pairs.get(key).and_then(|pair| waited_for(callback, pair)),
        proof: script.proof,
        holds: policy::holds(callback, sender, Some(script), now),
        agent: callback.agent_at(now).cloned(),
        ..Attempt::new(
            AttemptId::new(deps.ids.uuid(now)),
            callback.id,
            numbers,
            account.clone(),
            script.order,
            now,
        )
    };
    let id = attempt.id;
    if let Some(pace) = turn.scheduler.paces.get_mut(&account) {
        pace.take(now);
        turn.loads.accounts.insert(account.clone(), pace.view());
    }
    turn.take(&attempt.holds);
    turns::pay(turn, callback, &attempt);
    seats::take(turn, &attempt);
    if let Some(campaign) = callback.order.campaign_id() {
        turn.loads.campaign_paces.take(campaign, &turn.loads.campaigns, now);
    }
    ceilings::count(turn, callback.id, TokenUse::Call, now);
    let is_counted = turn.scheduler.deps.rules.remember_calls();
    turn.work.persons.change(key.person, |person| {
        person.live.insert(id);
        if is_counted {
            rolling::trim(&mut person.calls, now, Caps::WEEK);
            person.called(now);
        }
    });
    turn.work.callbacks.change(callback.id, |callback| {
        callback.state = State::Calling { attempt: id };
        callback.attempts_opened += 1;
    });
    let line = Line::new("attempt.opened", "The call can be placed now.").of_attempt(&attempt);
    turn.work.note(now, line);
    turn.work.tell(callback.id, Topic::Calling);
    turn.work.attempts.add(id, attempt);
    turn.opened.push((account, Intended::Call(id)));
}

/// The grant for which the callback had waited, if no attempt of it has counted since.
fn waited_for(callback: &Callback, pair: &Pair) -> Option<Grant> {
    let grant = pair.granted.as_ref().filter(|_| callback.attempts_made == 0)?;
    (callback.created_at <= grant.at).then(|| grant.clone())
}

/// Intends a permission request. The pair waits for its result.
fn ask(turn: &mut Turn<'_>, callback: &Callback, number: Phone, content: ContentRef, intended: Line) {
    let now = turn.now;
    let Some(sender) = turn.scheduler.deps.directory.sender(number) else { return };
    let account = sender.request_account(&content).clone();
    let rules = turn.scheduler.deps.rules.clone();
    let message = message(turn, callback, number, content, MessagePurpose::PermissionRequest, account);
    let id = message.id;
    turn.work.note(now, intended.of_message(&message));
    let key = people::pair(turn, message.numbers());
    turn.work.pairs.change(key, |pair| ledger::request_intended(pair, now, id, &rules));
    ceilings::count(turn, callback.id, TokenUse::Request, now);
    let latest = callback.order.latest;
    let lapses_at = latest.min(now + rules.limits.request_lifetime);
    wait_for(turn, callback.id, latest, &Reason::AwaitingReply { lapses_at });
    open(turn, message);
}

/// Intends an invite by a road. It counts for its person from now on.
fn invite(turn: &mut Turn<'_>, callback: &Callback, number: Phone, road: Road, reason: &Reason) {
    let now = turn.now;
    let name = RoadName::of(&road);
    let mut message =
        message(turn, callback, number, road.content, MessagePurpose::Invite, road.account.clone());
    message.road = Some(road.kind);
    if road.kind == RoadKind::Messenger {
        let Some(psid) = callback.order.psids.get(&road.account).cloned() else { return };
        message.channel = Channel::Messenger { account: road.account, psid };
    }
    let why = format!("By the road {}: {}", road.kind.as_str(), reason.sentence());
    turn.work.note(now, Line::new("invite.intended", why).of_message(&message));
    let key = people::pair(turn, message.numbers());
    let longest = turn.scheduler.deps.rules.inviting.per_person;
    turn.work.persons.change(key.person, |person| {
        rolling::trim(&mut person.invites, now, longest);
        person.invited(now);
    });
    turn.work.callbacks.change(callback.id, |callback| {
        callback.invited_at = Some(now);
        callback.invited_by = Some(name);
    });
    let latest = callback.order.latest;
    wait_for(turn, callback.id, latest, &Reason::AwaitingCall { until: latest });
    open(turn, message);
}

fn message(
    turn: &Turn<'_>,
    callback: &Callback,
    sender: Phone,
    content: ContentRef,
    purpose: MessagePurpose,
    account: AccountAlias,
) -> Message {
    let (now, numbers) = (turn.now, Numbers { sender, consumer: callback.order.consumer });
    let id = MessageId::new(turn.scheduler.deps.ids.uuid(now));
    let tenant = callback.tenant.clone();
    let order = &callback.order;
    let ordered = Some(Ordered { purpose: order.purpose, campaign: order.campaign.clone() });
    let message = Message::new(id, purpose, content, numbers, account, now).for_callback(callback.id);
    Message { tenant, ordered, ..message }
}

fn wait_for(turn: &mut Turn<'_>, id: CallbackId, wake_at: Timestamp, reason: &Reason) {
    turn.work.callbacks.change(id, |callback| {
        callback.state = State::Waiting(Waiting { wake_at, place: None, note: reason.note() });
    });
}

fn open(turn: &mut Turn<'_>, message: Message) {
    turn.opened.push((message.account().clone(), Intended::Message(message.id)));
    turn.work.messages.add(message.id, message);
}

/// Lets a callback wait. Written only if the reason has changed.
fn wait(turn: &mut Turn<'_>, id: CallbackId, mut waiting: Waiting) {
    let now = turn.now;
    let mut other_reason: Option<Note> = None;
    turn.work.callbacks.change(id, |callback| {
        if let State::Waiting(before) = &callback.state {
            // The rules do not look at the message: whether it was sent stays unknown.
            if before.note.code == INVITE_UNKNOWN && waiting.note.code == AWAITING_CALL {
                waiting.note.clone_from(&before.note);
            }
            let same = before.wake_at == waiting.wake_at && before.place == waiting.place;
            if same && before.note.code == waiting.note.code && before.wake_at > now {
                return;
            }
            if before.note.code != waiting.note.code {
                other_reason = Some(waiting.note.clone());
            }
        }
        callback.state = State::Waiting(waiting);
    });
    if let Some(note) = other_reason
        // A place in a queue changes every second, so it is not recorded; nor is a message that is just being
        // sent.
        && !matches!(
            &*note.code,
            "account.calls_per_second"
                | "sender.concurrency"
                | "account.concurrency"
                | "campaign.concurrency"
                | "bot.concurrency"
                | "urgent.reserved"
                | "pool.no_seat"
                | "pair.fenced"
        )
    {
        let line = Line::new("callback.waits", format!("{}: {}", note.code, note.sentence));
        turn.work.note(now, line.of_callback(id));
    }
}
