//! Whether a message may be sent that belongs to no callback: the rules of its person, the limits of its pair and the
//! pauses decide, and no order.
//!
//! Nobody decides about such a message again: one that may not leave is withdrawn with the reason, and who still
//! wants it makes another one. It waits for its account, and for a list that is to be imported again.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Candidate, PersonView, Rules, has_refused, ladder, ledger, permission_request};
use crate::domain::suppression::{Errand, Outgoing};
use crate::domain::{
    CallPermission, Directory, ListTerm, Loads, Message, MessagePurpose, Pair, PairKey, Reason, SenderPart,
};

/// Whom a message is for, and who sends it.
#[derive(Debug, Clone)]
pub struct Addressee<'a> {
    /// The sender with its ledger of the person, in which the message is not counted; `None` if the sender is not
    /// configured any more.
    pub candidate: Option<Candidate<'a>>,
    pub person: PersonView,
    /// Why everything to the person is held back.
    pub held: Option<Reason>,
    /// The terms of imported suppression lists.
    pub list_terms: Arc<[ListTerm]>,
}

impl<'a> Addressee<'a> {
    /// Builds the input of the rules. `pair` finds the ledger of a sender with the person; a missing one has no
    /// history.
    pub fn gather(
        message: &Message,
        directory: &'a Directory,
        loads: &Loads,
        person: PersonView,
        pair: impl Fn(PairKey) -> Option<Pair>,
    ) -> Self {
        let key = PairKey { sender: message.sender, person: person.id };
        let candidate = directory.sender(message.sender).map(|sender| Candidate {
            sender,
            pair: pair(key).unwrap_or_else(|| Pair::unknown(key)),
            load: Vec::new(),
            account: loads.account(&sender.account),
            paused: loads.paused_senders.get(&sender.number).cloned(),
            paused_parts: loads.parts_of(sender.number),
            rests: BTreeMap::new(),
            pauses: loads.pauses.of(sender, None, person.numbers().chain([message.consumer])),
            contents: loads.pauses.of_contents(sender),
        });
        let held = loads.held.to_person(person.id, message.consumer);
        Self { candidate, held, person, list_terms: Arc::clone(&loads.list_terms) }
    }
}

/// Whether the message may be sent at `now`. The pace of its account is not looked at: what waits for that stays an
/// intent.
///
/// # Errors
/// The reason why it must not be sent. [`Reason::ListExpired`] only if nothing else speaks against it: then it may be sent
/// when the list is imported again.
pub fn may_be_sent(
    now: Timestamp,
    message: &Message,
    addressee: &Addressee<'_>,
    rules: &Rules,
) -> Result<(), Reason> {
    if let Some(reason) = &addressee.held {
        return Err(reason.clone());
    }
    let candidate = addressee.candidate.as_ref().ok_or(Reason::SenderUnknown)?;
    if let Some(pause) = candidate.pauses_in_force(now).first() {
        return Err(pause.reason());
    }
    let person = &addressee.person;
    if let Some(prefix) = rules.bars(message.consumer) {
        return Err(Reason::DestinationBarred { prefix });
    }
    if let Some(kind) = person.refuses(message.sender, None, &rules.people) {
        return Err(Reason::PersonRefuses { kind });
    }
    let errand =
        Errand { account: message.account(), campaign: None, purpose: None, consumer: message.consumer };
    let forbids = |what| person.suppressed(now, what, &errand);
    let suppressed = match message.purpose {
        // A permission for calls that are forbidden is of no use.
        MessagePurpose::PermissionRequest => forbids(Outgoing::Request).or_else(|| forbids(Outgoing::Call)),
        MessagePurpose::Invite => forbids(Outgoing::Invite),
    };
    if let Some(reason) = suppressed {
        return Err(reason);
    }
    let mut pair = candidate.pair.clone();
    ledger::lapse(&mut pair, now);
    if has_refused(now, &pair) {
        return Err(Reason::Declined);
    }
    if matches!(pair.permission, CallPermission::Uncallable { .. }) {
        return Err(Reason::Uncallable);
    }
    if person.is_on_the_phone() {
        return Err(Reason::PairOnThePhone);
    }
    let part = match message.purpose {
        MessagePurpose::PermissionRequest => SenderPart::Placed,
        MessagePurpose::Invite => SenderPart::Buttons,
    };
    if let Some((_, reason)) = candidate.rest(now, Some(part)) {
        return Err(reason);
    }
    if let Some((_, reason)) = candidate.content_rest(now, message.account(), &message.content) {
        return Err(reason);
    }
    if let Some(until) = pair.paused_until.filter(|&until| until > now) {
        return Err(Reason::PairPaused { until });
    }
    if let Some(lifts_at) = ladder::message_gap(now, &pair, rules) {
        return Err(Reason::MessageGap { lifts_at });
    }
    if let Some(reason) = other_request(&pair) {
        return Err(reason);
    }
    if message.purpose == MessagePurpose::PermissionRequest {
        if pair.permission.is_live(now) {
            return Err(Reason::PermissionGranted);
        }
        if let Some(limit) = permission_request::limits_used_up(now, &pair, rules).into_iter().next() {
            return Err(limit);
        }
    }
    let sender = candidate.sender;
    let is_free = sender.free_request() == Some(&message.content)
        && sender.permission_template.as_ref() != Some(&message.content);
    if is_free && !permission_request::service_window_is_open(now, &pair, rules) {
        return Err(Reason::ServiceWindowClosed);
    }
    match rules.expired_list(now, &addressee.list_terms, None, message.consumer) {
        Some(reason) => Err(reason),
        None => Ok(()),
    }
}

/// A request that is on its way, or waits for its answer.
pub(super) fn other_request(pair: &Pair) -> Option<Reason> {
    pair.request?;
    Some(match pair.permission {
        CallPermission::Requested { expires_at } => Reason::AwaitingReply { lapses_at: expires_at },
        _ => Reason::PairFenced,
    })
}
