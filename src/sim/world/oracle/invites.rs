//! The laws of invites, and of all messages over WhatsApp's Cloud API.

use std::collections::HashMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::{FIRST_BYTE, Law, ON_ITS_WAY, Oracle};
use crate::domain::{Phone, RoadKind};

/// How much earlier than allowed the next invite of a person may arrive: the first one counts from its intent, and may
/// have waited before it left.
const INTENT_WAITS: SignedDuration = SignedDuration::from_mins(10);

/// How much closer than the pace two messages may arrive: each first byte leaves up to 250 ms after its check.
const PACE_VARIES: SignedDuration = SignedDuration::from_secs(1);

/// The pace of a pair: one message in 6 s (Meta, *Cloud API overview*, 2026).
const PAIR_PACE: SignedDuration = SignedDuration::from_secs(6);

/// What was sent to whom.
#[derive(Debug, Default)]
pub(super) struct Invites {
    /// When a person last got an invite that can be delivered.
    invited_at: HashMap<Phone, Timestamp>,
    /// The latest message of a pair over the Cloud API.
    sent_at: HashMap<(Phone, Phone), Timestamp>,
    /// Until when the daemon may believe that the service window is open.
    believed_until: HashMap<(Phone, Phone), Timestamp>,
    /// How often each token of a message was taken.
    tokens: HashMap<String, u32>,
    /// For whom each payload is.
    payloads: HashMap<String, Phone>,
    /// When the daemon learnt what a sender must not send, and until when.
    restricted: HashMap<(Phone, Stops), (Timestamp, Option<Timestamp>)>,
}

/// What a restriction stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::sim::world) enum Stops {
    Everything,
    /// Requests for a permission, because the calls that they are for are restricted.
    Requests,
    /// What lets the consumer call at once.
    Buttons,
    /// Both.
    Calls,
}

/// What a message over the Cloud API is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim::world) enum Sent {
    Request,
    Button,
    Other,
}

impl Stops {
    /// Read from the words of a kind, such as `RESTRICTED_BUSINESS_INITIATED_CALLING`.
    pub(in crate::sim::world) fn of(kind: &str) -> Self {
        let by_users = kind.contains("USER_INITIATED_CALLING");
        let by_business = kind.contains("BUSINESS_INITIATED_CALLING") || kind.contains("BIZ_INITIATED_AND");
        match (by_business, by_users) {
            (true, true) => Self::Calls,
            (true, false) => Self::Requests,
            (false, true) => Self::Buttons,
            (false, false) => Self::Everything,
        }
    }

    const fn stops(self, sent: Sent) -> bool {
        match self {
            Self::Everything => true,
            Self::Requests => matches!(sent, Sent::Request),
            Self::Buttons => matches!(sent, Sent::Button),
            Self::Calls => matches!(sent, Sent::Request | Sent::Button),
        }
    }
}

impl Oracle {
    /// A message to the pair was asked for over the Cloud API.
    pub(in crate::sim::world) fn sends_over(
        &mut self,
        now: Timestamp,
        (sender, consumer): (Phone, Phone),
        sent: Sent,
    ) {
        let last = self.invites.sent_at.get(&(sender, consumer)).copied();
        let tolerance = SignedDuration::from_millis(self.limits.pace_tolerance_ms).max(PACE_VARIES);
        if last.is_some_and(|last| now.duration_since(last) < PAIR_PACE - tolerance) {
            self.break_law(Law::PairPace, now, format!("{sender} wrote to {consumer} twice within 6 s"));
        }
        let holds = self.invites.restricted.iter().any(|((restricted, stops), (told_at, until))| {
            *restricted == sender
                && stops.stops(sent)
                && now.duration_since(*told_at) >= FIRST_BYTE
                && until.is_none_or(|until| now < until)
        });
        if holds {
            let details = format!("{sender} wrote to {consumer} during a restriction");
            self.break_law(Law::RestrictionIsKept, now, details);
        }
    }

    /// An invite was asked for over the Cloud API. `window` is the end of the service window.
    pub(in crate::sim::world) fn asked_to_invite(
        &mut self,
        now: Timestamp,
        (sender, consumer): (Phone, Phone),
        road: RoadKind,
        window: Option<Timestamp>,
        payload: Option<&str>,
    ) {
        // A page in the browser brings no call, so that it may be sent outside the hours.
        if road != RoadKind::UrlButton {
            self.message_inside_hours(now, sender, consumer, "invited");
        }
        self.keeps_a_no(now, sender, consumer, "invited", FIRST_BYTE);
        self.keeps_a_pause(now, sender, consumer, "invited");
        self.inside_person_limit(now, &sender, consumer);
        let believed = self.invites.believed_until.get(&(sender, consumer)).copied();
        let is_open = window.max(believed).is_some_and(|until| now < until + ON_ITS_WAY);
        if road != RoadKind::Template && !is_open {
            let details = format!("{sender} invited {consumer} outside the service window");
            self.break_law(Law::InviteNeedsWindow, now, details);
        }
        let Some(payload) = payload else { return };
        let owner = *self.invites.payloads.entry(payload.to_owned()).or_insert(consumer);
        if owner != consumer || payload.contains(&consumer.digits().to_string()) {
            let details = format!("the payload for {consumer} is another's or shows the number");
            self.break_law(Law::TokenIsOwn, now, details);
        }
    }

    /// A person is invited at most once in the configured time, by whatever sender and road.
    pub(super) fn inside_person_limit(&mut self, now: Timestamp, by: &dyn fmt::Display, consumer: Phone) {
        let Some(&last) = self.invites.invited_at.get(&consumer) else { return };
        let gap = SignedDuration::from_hours(self.limits.invite_gap_hours) - INTENT_WAITS;
        if now.duration_since(last) < gap {
            let details = format!("{by} invited {consumer} again after {:#}", now.duration_since(last));
            self.break_law(Law::InvitesPerPerson, now, details);
        }
    }

    /// An invite was accepted for delivery. Whether it arrives is told later.
    pub(in crate::sim::world) fn invite_was_taken(&mut self, now: Timestamp, sender: Phone, consumer: Phone) {
        self.books.entry((sender, consumer)).or_default().invited_at = Some(now);
    }

    /// An invite was taken that will arrive.
    pub(in crate::sim::world) fn person_is_invited(&mut self, now: Timestamp, consumer: Phone) {
        self.invites.invited_at.insert(consumer, now);
    }

    /// A message was taken over the Cloud API, with the token that its status webhooks return.
    pub(in crate::sim::world) fn posted(
        &mut self,
        now: Timestamp,
        pair: (Phone, Phone),
        token: Option<&str>,
    ) {
        self.invites.sent_at.insert(pair, now);
        let Some(token) = token else { return };
        let count = self.invites.tokens.entry(token.to_owned()).or_default();
        *count += 1;
        let count = *count;
        if count > 1 {
            let head: String = token.chars().take(6).collect();
            let details = format!("{count} messages were taken with the token {head}…");
            self.break_law(Law::OneMessagePerToken, now, details);
        }
    }

    /// The daemon may have learnt now that the consumer wrote or called.
    pub(in crate::sim::world) fn heard(&mut self, now: Timestamp, sender: Phone, consumer: Phone) {
        let until = now + SignedDuration::from_hours(self.limits.service_window_hours);
        self.invites.believed_until.insert((sender, consumer), until);
    }

    /// The daemon acknowledged that the sender, or its account, is restricted.
    pub(in crate::sim::world) fn told_of_restriction(
        &mut self,
        now: Timestamp,
        sender: Phone,
        stops: Stops,
        until: Option<Timestamp>,
    ) {
        self.invites.restricted.insert((sender, stops), (now, until));
    }

    /// The restriction ends, whether or not the daemon knows it yet.
    pub(in crate::sim::world) fn unrestricted(&mut self, sender: Phone) {
        self.invites.restricted.retain(|(restricted, _), _| *restricted != sender);
    }
}
