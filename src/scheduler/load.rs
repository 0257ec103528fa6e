//! Reads the input of a turn: new reports, due callbacks, callbacks at open gates, and everything related to
//! them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::containment::At;
use super::named::names;
use super::overdue::Subject;
use super::request::{Done, News};
use super::state::Intended;
use super::turn::Turn;
use super::{
    campaigns, ceilings, erasures, follow_ups, lineage, metrics, people, recordings, rules_changed, wrap_ups,
};
use crate::domain::lane::Room;
use crate::domain::{Answer, Callback, Event, Gate, InviteToken, Name, Phone, Resource, UserId};
use crate::store::{self, CallUp, CalledUp, FiledReport, Input, Keys, Related, Store};

/// Reads new reports, due callbacks and callbacks at open gates, with everything related to them.
pub(super) async fn read(
    turn: &mut Turn<'_>,
    store: &dyn Store,
    max: usize,
) -> store::Result<(Vec<FiledReport>, Vec<Callback>)> {
    if turn.scheduler.containment.is_careful {
        return read_one(turn, store).await;
    }
    if turn.loads.held.is_everything() {
        let reports = store.unfolded_reports(max).await?;
        load(turn, store, &reports).await?;
        return Ok((reports, Vec::new()));
    }
    let tokens = Vec::from_iter(ceilings::unknown(turn, ceilings::waited_for(turn)));
    let Input { reports, due, budgets } = store.input(turn.now, max, &tokens).await?;
    ceilings::learn(turn, tokens.into_iter().zip(budgets));
    metrics::lateness(&turn.scheduler.deps.metrics, turn.now, &due);
    // Nothing is sent before all reports are folded.
    if reports.len() < max {
        turn.ready = turn.scheduler.take_ready();
    }
    let mut wanting = due;
    wanting.extend(call_up(turn, store, max).await?);
    let most = if is_idle(turn, &reports, &wanting) { max } else { max / BESIDE_OTHER_WORK };
    wanting.extend(rules_changed::read(turn, store, most.min(max.saturating_sub(wanting.len()))).await?);
    campaigns::sweep(turn, store, max).await?;
    follow_ups::read(turn, store, max).await?;
    erasures::sweep(turn, store, &reports, max).await?;
    recordings::sweep(turn, store).await?;
    load(turn, store, &reports).await?;
    Ok((reports, wanting))
}

/// A turn with other work decides at most this part of its size again after a change of the configuration: calls that are due
/// come first.
const BESIDE_OTHER_WORK: usize = 16;

/// Whether the turn has nothing else to do.
fn is_idle(turn: &Turn<'_>, reports: &[FiledReport], wanting: &[Callback]) -> bool {
    reports.is_empty() && wanting.is_empty() && turn.ready.is_empty() && turn.answers.is_empty()
}

/// Reads one report or, without one, one callback: a turn failed at nobody knows which. All that fails in this turn
/// belongs to it. Turns are ordinary again when there is nothing more.
async fn read_one(
    turn: &mut Turn<'_>,
    store: &dyn Store,
) -> store::Result<(Vec<FiledReport>, Vec<Callback>)> {
    let reports = store.unfolded_reports(1).await?;
    let mut due = Vec::new();
    if let Some(report) = reports.first() {
        let at = At::report(turn, report);
        turn.scheduler.containment.is_only_at(at);
    } else if !turn.loads.held.is_everything() {
        due = store.due_callbacks(turn.now, 1).await?;
    }
    if let Some(callback) = due.first() {
        turn.scheduler.containment.is_only_at(At::callback(callback));
    }
    turn.scheduler.containment.is_careful = !reports.is_empty() || !due.is_empty();
    load(turn, store, &reports).await?;
    if let Some(report) = reports.first() {
        // The person of the report is known now.
        let at = At::report(turn, report);
        turn.scheduler.containment.is_only_at(at);
    }
    Ok((reports, due))
}

/// Reads callbacks at open gates, as many as each gate has room for.
async fn call_up(turn: &mut Turn<'_>, store: &dyn Store, max: usize) -> store::Result<Vec<Callback>> {
    turn.scheduler.gates.settle_accounts();
    let gates = turn.scheduler.gates.iter().map(|gate| (gate.clone(), room_at(turn, gate).at_most(max)));
    let open: Vec<(Gate, Room)> = gates.filter(|(_, room)| room.all > 0).collect();
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let call = |(gate, room): (Gate, Room)| {
        let (lanes, paid) = turn.scheduler.gates.lanes(&gate);
        CallUp { gate, room, lanes, paid, campaigns: Arc::clone(&turn.loads.campaigns) }
    };
    // Of reserved places bulk gets none, so it is not read.
    let may_take = |call: &CallUp| call.room.bulk > 0 || !call.lanes.are_bulk();
    let calls: Vec<CallUp> = open.into_iter().map(call).filter(may_take).collect();
    if calls.is_empty() {
        return Ok(Vec::new());
    }
    let answers = store.callbacks_at_gates(&calls).await?;
    let mut wanting = Vec::new();
    for (CallUp { gate, lanes: before, .. }, CalledUp { callbacks, lanes }) in calls.into_iter().zip(answers)
    {
        if !lanes.is_empty() {
            turn.called_up.extend(callbacks.iter().map(|callback| (callback.id, gate.clone())));
        }
        turn.scheduler.gates.leave(&gate, lanes);
        turn.lanes_before.push((gate, before));
        wanting.extend(callbacks);
    }
    Ok(wanting)
}

/// How many callbacks a gate may let through now. A callback that finds no room waits at the gate again.
fn room_at(turn: &Turn<'_>, gate: &Gate) -> Room {
    let deps = &turn.scheduler.deps;
    if turn.loads.pauses.at_gate(gate, &deps.directory, turn.now).is_some() {
        return Room::NONE;
    }
    match gate {
        Gate::Any(parts) => parts.iter().map(|part| room_at(turn, part)).fold(Room::NONE, Room::and),
        Gate::Room(Resource::Pool(key)) => {
            Room::of(turn.loads.seats.room(&turn.loads.pools, key, turn.now) as usize)
        }
        Gate::Room(resource) => {
            let live = turn.loads.in_use.of(resource);
            let own = turn.loads.campaigns.ceiling(resource).map_or(u32::MAX, |max| max.saturating_sub(live));
            let all = deps.rules.room(resource, live).min(own);
            let bulk = all.saturating_sub(deps.rules.reserved(resource));
            Room { all: all as usize, bulk: bulk as usize }
        }
        Gate::Offer(resource) => {
            let room = room_at(turn, &Gate::Room(resource.clone()));
            room.without(turn.loads.offers.of(resource) as usize)
        }
        gate => Room::of(places_at(turn, gate)),
    }
}

/// The same, where nothing is reserved.
fn places_at(turn: &Turn<'_>, gate: &Gate) -> usize {
    match gate {
        // These have their room from `room_at`.
        Gate::Any(_) | Gate::Room(_) | Gate::Offer(_) => 0,
        // Its pause is over. Whoever waits for something else then goes on to the gate of that.
        Gate::Pause(_) => usize::MAX,
        // Of an earlier version: a day may have opened since.
        Gate::Calendar(name, version) if turn.loads.calendars.version(name) == *version => 0,
        Gate::Calendar(..) => usize::MAX,
        Gate::Account(alias) => turn.scheduler.paces.get(alias).map_or(0, |pace| pace.room(turn.now)),
        Gate::Pace(id) => {
            let room = turn.loads.campaign_paces.room(*id, &turn.loads.campaigns, turn.now);
            room.unwrap_or(usize::MAX)
        }
        Gate::Rest(number) => {
            let rests = turn.loads.paused_senders.get(number).is_some_and(|(until, _)| *until > turn.now);
            if rests { 0 } else { room_of_sender(turn, *number) }
        }
        Gate::Part(number, part) => {
            let rests = turn.loads.paused_parts.get(&(*number, *part));
            let rests = rests.is_some_and(|(until, _)| *until > turn.now);
            if rests { 0 } else { room_of_sender(turn, *number) }
        }
        // Without a ceiling there is no limit.
        Gate::Token(token, what) => turn
            .budgets
            .get(token)
            .and_then(|budget| budget.left(*what, turn.now))
            .map_or(usize::MAX, |left| left as usize),
    }
}

/// How many calls and messages the account of a sender takes now. A sender that is not configured any more has no limit.
fn room_of_sender(turn: &Turn<'_>, number: Phone) -> usize {
    let account = turn.scheduler.deps.directory.sender(number).map(|sender| &sender.account);
    let pace = account.and_then(|account| turn.scheduler.paces.get(account));
    pace.map_or(usize::MAX, |pace| pace.room(turn.now))
}

/// Reads everything that reports, answers and intents refer to.
pub(super) async fn load(
    turn: &mut Turn<'_>,
    store: &dyn Store,
    reports: &[FiledReport],
) -> store::Result<()> {
    let mut wanted = Wanted::default();
    wanted.keys.callbacks.extend(turn.sweep.iter().flat_map(|sweep| sweep.open.iter().copied()));
    wanted.keys.callbacks.extend(turn.erasing.closing.iter().map(|(id, _)| *id));
    erasures::find(turn, store, reports).await?;
    turn.silent.iter().for_each(|subject| wanted.by_silence(*subject));
    wanted.keys.attempts.extend(turn.scheduler.hang_ups.due(turn.now));
    wanted.keys.attempts.extend(&turn.recordings_due);
    for report in reports {
        wanted.by_event(&report.event);
        wanted.keys.names.extend(names(turn, &report.event));
        if let Event::SetAside(word) = &report.event {
            let item = turn.scheduler.containment.aside(word.id);
            wanted.keys.callbacks.extend(item.and_then(|item| item.callback));
            // The timelines of the person get a line.
            wanted.keys.names.extend(item.and_then(|item| item.consumer).map(Name::Number));
        }
    }
    turn.answers.iter().for_each(|done| wanted.by_answer(done));
    turn.ready.iter().for_each(|(_, intended)| wanted.by_intent(*intended));

    lineage::read(turn, store).await?;
    let mut names_read = wanted.keys.names.clone();
    let Related { callbacks, attempts, messages, people, contacts } = match wanted.keys.is_empty() {
        true => Related::default(),
        false => store.related(&wanted.keys).await?,
    };
    for attempt in attempts {
        names_read.insert(Name::Number(attempt.consumer));
        turn.work.attempts.hold(attempt.id, attempt);
    }
    for message in messages {
        names_read.insert(Name::Number(message.consumer));
        turn.work.messages.hold(message.id, message);
    }
    for callback in callbacks {
        turn.work.callbacks.hold(callback.id, callback);
    }
    for contact in contacts {
        names_read.extend(contact.consumers().map(Name::Number));
        turn.work.contacts.hold(contact.key(), contact);
    }
    if !turn.scheduler.has_unmatched {
        people::hold(turn, names_read, people);
        return wrap_ups::read(turn, store, reports).await;
    }
    turn.recalled = recall(turn, store, &names_read).await?;
    people::hold(turn, names_read, people);
    let theirs: BTreeSet<Name> = turn.recalled.iter().flat_map(|report| names(turn, &report.event)).collect();
    people::read(turn, store, theirs).await?;
    wrap_ups::read(turn, store, reports).await
}

/// Unmatched reports of the people in this turn, and answers to messages whose SID is known now.
async fn recall(
    turn: &Turn<'_>,
    store: &dyn Store,
    names: &BTreeSet<Name>,
) -> store::Result<Vec<FiledReport>> {
    let ids: Vec<UserId> = names
        .iter()
        .filter_map(|name| match name {
            Name::User { id, .. } => Some(id.clone()),
            Name::Number(_) => None,
        })
        .collect();
    let mut sids: Vec<String> = Vec::new();
    for done in &turn.answers {
        match &done.news {
            News::Message { answer: Answer::Accepted { sid }, .. } => sids.push(sid.clone()),
            News::SoughtMessage { finding, .. } => {
                sids.extend(finding.found().into_iter().flatten().map(|message| message.sid.clone()));
            }
            _ => {}
        }
    }
    sids.extend(turn.work.messages.values().filter_map(|message| message.submission.sid.clone()));
    store.unmatched_of(&ids, &sids).await
}

/// The values that a turn reads first.
#[derive(Default)]
struct Wanted {
    keys: Keys,
}

impl Wanted {
    fn by_event(&mut self, event: &Event) {
        match event {
            Event::Call(report) => _ = self.keys.attempts.insert(report.attempt),
            Event::DocumentFetched { attempt, .. } => _ = self.keys.attempts.insert(*attempt),
            Event::Connected(report) => _ = self.keys.attempts.insert(report.attempt),
            Event::Recorded(report) => _ = self.keys.attempts.insert(report.attempt),
            Event::SetAside(_)
            | Event::ClockConfirmed { .. }
            | Event::LineageReleased { .. }
            | Event::PauseSet(_)
            | Event::CalendarMarked(_)
            | Event::PauseLifted { .. }
            // The people are read with their callbacks.
            | Event::Suppressed(_)
            | Event::SuppressionRemoved(_)
            | Event::SuppressionComplete { .. }
            | Event::Campaign(_)
            | Event::Pool(_)
            | Event::Erasure { .. }
            | Event::Erased
            | Event::Restriction { .. } => {}
            Event::MessengerCall { account, psid, .. } | Event::MessengerMessage { account, psid, .. } => {
                _ = self.keys.contacts.insert((account.clone(), psid.clone()));
            }
            Event::CancelRequested { callback } => _ = self.keys.callbacks.insert(*callback),
            Event::Command(command) => _ = self.keys.callbacks.insert(command.callback),
            Event::PermissionReply(reply) => self.keys.message_sids.extend(reply.replied_to.clone()),
            Event::AttemptCommand(command) => _ = self.keys.attempts.insert(command.attempt),
            Event::AttemptResolved(word) => _ = self.keys.attempts.insert(word.attempt),
            Event::CallAnswered { attempt, .. } => _ = self.keys.attempts.insert(*attempt),
            Event::MessageAnswered { message, .. } => _ = self.keys.messages.insert(*message),
            Event::MessageResolved(word) => _ = self.keys.messages.insert(word.message),
            // Their people are read by name.
            Event::PermissionOverride(_)
            | Event::InboundMessage { .. }
            | Event::MarketingPreference { .. } => {}
            Event::InboundCall { invite, .. } => match invite {
                Some(InviteToken::Message(message)) => _ = self.keys.messages.insert(*message),
                Some(InviteToken::Callback(callback)) => _ = self.keys.callbacks.insert(*callback),
                None => {}
            },
            Event::Message(report) => match report.message {
                Some(message) => _ = self.keys.messages.insert(message),
                None => _ = self.keys.message_sids.insert(report.sid.clone()),
            },
        }
    }

    fn by_silence(&mut self, subject: Subject) {
        match subject {
            Subject::Attempt(attempt) => _ = self.keys.attempts.insert(attempt),
            Subject::Message(message) => _ = self.keys.messages.insert(message),
            Subject::Inbound(key) => _ = self.keys.names.insert(Name::Number(key.person.number())),
        }
    }

    fn by_answer(&mut self, done: &Done) {
        match &done.news {
            News::Call { attempt, .. }
            | News::Asked { attempt, .. }
            | News::RecordingDeleted { attempt, .. } => _ = self.keys.attempts.insert(*attempt),
            News::Message { message, spelled, .. } => {
                self.keys.messages.insert(*message);
                self.keys.names.extend(spelled.map(Name::Number));
            }
            News::Sought { attempt, finding } => {
                self.keys.attempts.insert(*attempt);
                self.keys
                    .call_sids
                    .extend(finding.found().into_iter().flatten().map(|call| call.sid.clone()));
            }
            News::SoughtMessage { message, finding } => {
                self.keys.messages.insert(*message);
                let found = finding.found().into_iter().flatten();
                self.keys.message_sids.extend(found.map(|message| message.sid.clone()));
            }
            News::AskedInbound { key, .. } => _ = self.keys.names.insert(Name::Number(key.person.number())),
            News::Since { finding, .. } => {
                let found = finding.found();
                let calls = found.into_iter().flat_map(|found| &found.calls);
                self.keys.attempts.extend(calls.clone().filter_map(|call| call.attempt));
                let people = calls.map(|call| call.numbers.consumer);
                let wrote = found.into_iter().flat_map(|found| &found.messages);
                let people = people.chain(wrote.map(|message| message.numbers.consumer));
                self.keys.names.extend(people.map(Name::Number));
            }
            News::HungUp { .. } | News::Deleted { .. } | News::Date(_) => {}
        }
    }

    fn by_intent(&mut self, intended: Intended) {
        match intended {
            Intended::Call(attempt) => _ = self.keys.attempts.insert(attempt),
            Intended::Message(message) => _ = self.keys.messages.insert(message),
        }
    }
}
