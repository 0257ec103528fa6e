//! The item that a turn is processing, so that a panic belongs to one report, one command or one callback.

use super::containment::At;
use super::turn::Turn;
use crate::domain::callback::Waiting;
use crate::domain::{
    Attempt, Callback, CallbackId, Event, Message, Name, Named, Numbers, PersonId, Phone, SetAsideItem, State,
};
use crate::store::FiledReport;

impl At {
    pub(super) fn callback(callback: &Callback) -> Self {
        Self::of(callback.id)
    }

    const fn of(callback: CallbackId) -> Self {
        let item = SetAsideItem::Callback(callback);
        Self { item, pair: None, callback: Some(callback), kind: "callback" }
    }

    pub(super) fn report(turn: &Turn<'_>, report: &FiledReport) -> Self {
        let item = match report.is_command {
            true => SetAsideItem::Command(report.seq),
            false => SetAsideItem::Report(report.seq),
        };
        let (pair, callback) = about(turn, &report.event);
        Self { item, pair, callback, kind: report.event.kind() }
    }
}

/// The person of a report, and the callback of a command.
fn about(turn: &Turn<'_>, event: &Event) -> (Option<Numbers>, Option<CallbackId>) {
    let of_attempt = |id| turn.work.attempts.get(id).map(Attempt::numbers);
    let of_message = |id| turn.work.messages.get(id).map(Message::numbers);
    let named = |sender: Phone, who: &Named, replied_to: Option<&str>| {
        let answered = replied_to.and_then(|sid| by_sid(turn, sid)).map(|message| message.consumer);
        let consumer = answered.or_else(|| number_of(turn, sender, who))?;
        Some(Numbers { sender, consumer })
    };
    let numbers = match event {
        Event::Call(report) => of_attempt(report.attempt),
        Event::DocumentFetched { attempt, .. } => of_attempt(*attempt),
        Event::Connected(report) => of_attempt(report.attempt),
        Event::Recorded(report) => of_attempt(report.attempt),
        Event::AttemptResolved(word) => of_attempt(word.attempt),
        Event::CallAnswered { attempt, .. } => of_attempt(*attempt),
        Event::MessageAnswered { message, .. } => of_message(*message),
        Event::AttemptCommand(command) => of_attempt(command.attempt),
        Event::MessageResolved(word) => of_message(word.message),
        Event::Message(report) => {
            let ours = match report.message {
                Some(id) => of_message(id),
                None => by_sid(turn, &report.sid).map(Message::numbers),
            };
            ours.or_else(|| named(report.from?, &report.to, None))
        }
        Event::PermissionReply(reply) => named(reply.sender, &reply.who, reply.replied_to.as_deref()),
        Event::PermissionOverride(word) => Some(Numbers { sender: word.sender, consumer: word.consumer }),
        Event::InboundMessage { sender, who, .. }
        | Event::MarketingPreference { sender, who, .. }
        | Event::InboundCall { sender, who, .. } => named(*sender, who, None),
        Event::CancelRequested { callback } => return (None, Some(*callback)),
        Event::Command(command) => return (None, Some(command.callback)),
        Event::SetAside(_)
        | Event::ClockConfirmed { .. }
        | Event::LineageReleased { .. }
        | Event::PauseSet(_)
        | Event::CalendarMarked(_)
        | Event::PauseLifted { .. }
        | Event::Suppressed(_)
        | Event::SuppressionRemoved(_)
        | Event::SuppressionComplete { .. }
        | Event::Campaign(_)
        | Event::Pool(_)
        | Event::Erasure { .. }
        | Event::Erased
        | Event::MessengerCall { .. }
        | Event::MessengerMessage { .. }
        | Event::Restriction { .. } => None,
    };
    (numbers, None)
}

fn by_sid<'t>(turn: &'t Turn<'_>, sid: &str) -> Option<&'t Message> {
    turn.work.messages.values().find(|message| message.submission.sid.as_deref() == Some(sid))
}

/// A number of the person who has this user id, or else the reported number.
fn number_of(turn: &Turn<'_>, sender: Phone, who: &Named) -> Option<Phone> {
    let portfolio = turn.portfolio(sender);
    let names = who.names(&portfolio);
    let known =
        names.filter(|name| matches!(name, Name::User { .. })).find_map(|name| turn.work.names.of(&name));
    known.map(PersonId::number).or(who.number)
}

impl Turn<'_> {
    pub(super) fn is_at(&mut self, at: At) {
        self.scheduler.containment.at = Some(at);
    }

    /// The turn works on an attempt or a message of this callback.
    pub(super) fn is_at_callback(&mut self, callback: CallbackId) {
        self.is_at(At::of(callback));
    }

    pub(super) fn is_at_nothing(&mut self) {
        self.scheduler.containment.leave();
    }

    /// Whether the callback, its attempts and its messages must not change.
    pub(super) fn is_set_aside(&self, callback: CallbackId) -> bool {
        self.loads.held.is_set_aside(callback)
    }

    /// Whether the message is left alone, because its callback is.
    pub(super) fn is_of_what_is_set_aside(&self, message: &Message) -> bool {
        message.callback.is_some_and(|callback| self.is_set_aside(callback))
    }
}

/// Lets a waiting callback wait for an operator.
pub(super) fn park(callback: &mut Callback) {
    if matches!(callback.state, State::Waiting(_)) {
        callback.state = State::Waiting(Waiting::set_aside());
    }
}
