//! The ladder of invites: chooses the road by which a consumer is invited to call.
//!
//! The roads of a sender are tried in their order, and the first one that is open is taken. What a kind of road needs is
//! data ([`NEEDS`]). Each road that is passed over has its reason; `explain` and the scheduler read the same list.
//! Nothing here knows what an invite says: that is its content.

use jiff::{SignedDuration, Timestamp};

use super::addressee::other_request;
use super::{
    Assessment, Case, RestingRoad, Rolling, Rules, Step, finish, has_refused, permission_request, rolling,
    window,
};
use crate::domain::suppression::Outgoing;
use crate::domain::{
    CallPermission, Gate, OrderKind, Outcome, Pair, Purpose, Reason, RefusalKind, Road, RoadKind, RoadName,
    Sender, SenderPart,
};

/// What a kind of road needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// The open service window of the sender.
    pub service_window: bool,
    /// An id of the consumer for the page of Messenger, and the open window of that page.
    pub page_window: bool,
    /// A consumer who can be called on WhatsApp: a call button needs the same of the phone.
    pub callable: bool,
    /// Open hours, because the consumer may call at once.
    pub hours: bool,
}

/// What each kind needs. A message without a call button reaches also phones that cannot be called.
pub const NEEDS: [(RoadKind, Needs); 5] = [
    (RoadKind::CallButton, Needs { service_window: true, page_window: false, callable: true, hours: true }),
    (RoadKind::Template, Needs { service_window: false, page_window: false, callable: true, hours: true }),
    (RoadKind::UrlButton, Needs { service_window: true, page_window: false, callable: false, hours: false }),
    (RoadKind::DeepLink, Needs { service_window: true, page_window: false, callable: false, hours: true }),
    (RoadKind::Messenger, Needs { service_window: false, page_window: true, callable: false, hours: true }),
];

/// What a road of this kind needs.
#[must_use]
pub fn needs(kind: RoadKind) -> Needs {
    let found = NEEDS.iter().find(|(known, _)| *known == kind);
    found.map_or(NEEDS[0].1, |(_, needs)| *needs)
}

/// The roads of a sender in their order. Content for invites at the sender's own account is a template: it may be
/// approved there, and it leaves at any time.
#[must_use]
pub fn roads(sender: &Sender) -> Vec<Road> {
    let mut roads = sender.roads.clone();
    if let Some(content) = &sender.invite {
        let buttons = |road: &Road| matches!(road.kind, RoadKind::CallButton | RoadKind::Template);
        let place = roads.iter().rposition(buttons).map_or(0, |last| last + 1);
        let own =
            Road { kind: RoadKind::Template, account: sender.account.clone(), content: content.clone() };
        roads.insert(place, own);
    }
    roads
}

/// One road of a sender, and whether it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    pub road: Road,
    pub standing: Standing,
}

/// Whether a road is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Open,
    /// It opens at this time by itself.
    Later(Timestamp, Reason),
    /// Its account, its sender or its content rests.
    Resting(Gate, Reason),
    /// It is passed over.
    Over(Reason),
}

impl Standing {
    /// Why it is not open.
    #[must_use]
    pub const fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Open => None,
            Self::Later(_, reason) | Self::Resting(_, reason) | Self::Over(reason) => Some(reason),
        }
    }

    /// Whether the road is shut for a time because the platform or an operator wants that.
    const fn is_a_rest(&self) -> bool {
        matches!(self, Self::Resting(..) | Self::Later(_, Reason::PairPaused { .. }))
    }
}

/// What the ladder comes to.
enum Choice {
    Take(Road),
    Wait { until: Timestamp, gate: Option<Gate>, reason: Reason },
    Nothing,
}

impl Case<'_> {
    /// The callback cannot be completed by calling. Invite the consumer if a road is open and that is not done yet; if
    /// it was done, wait for the consumer's call; otherwise close.
    pub(super) fn give_up(&self, outcome: Outcome, reason: Reason) -> Assessment {
        let step = self.climb(outcome, &reason);
        let sender = Some(self.sender.number);
        Assessment { step, sender, binding: vec![reason], is_about_invites: true }
    }

    fn climb(&self, outcome: Outcome, reason: &Reason) -> Step {
        let end = Step::Finish { outcome, reason: reason.clone() };
        if self.suppressed(Outgoing::Invite).is_some() {
            return end;
        }
        let rungs = self.rungs();
        let is_for_good = outcome == Outcome::Failed && *reason != Reason::Uncallable;
        if rungs.is_empty() || is_for_good {
            return end;
        }
        if self.callback.invited_at.is_some() {
            return if self.may_still_call() { self.awaits_call() } else { end };
        }
        let begins = self.not_before();
        let is_on_the_phone =
            rungs.iter().any(|rung| rung.standing.reason() == Some(&Reason::PairOnThePhone));
        match self.choose(rungs) {
            // The consumer would call at once.
            Choice::Take(road) => match begins {
                Some((at, reason)) => Step::Wait { until: at.min(self.turns_at()), gate: None, reason },
                None => Step::Invite { sender: self.sender.number, road, reason: reason.clone() },
            },
            Choice::Wait { until, gate, reason } => Step::Wait { until, gate, reason },
            // The call ends soon, and may reach the consumer.
            Choice::Nothing if is_on_the_phone => {
                Step::Wait { until: self.turns_at(), gate: None, reason: Reason::PairOnThePhone }
            }
            Choice::Nothing => end,
        }
    }

    /// Whether this sender only invites: the order wants nothing else, or the sender's account places no calls.
    pub(super) fn only_invites(&self) -> bool {
        self.callback.order.kind == OrderKind::Invite || !self.sender.can_call
    }

    /// The step of a sender that only invites. Unlike a callback that gave up, it waits for a road that an act of the
    /// consumer may open.
    pub(super) fn invite_only(&self) -> Assessment {
        let order = &self.callback.order;
        let sender = Some(self.sender.number);
        if let Some(refusal) = self.refuses_invites() {
            return finish(sender, Outcome::Declined, refusal);
        }
        let why = match order.kind {
            OrderKind::Invite => Reason::InviteOrdered,
            OrderKind::Callback => Reason::SenderCannotCall,
        };
        let told = |step| Assessment { step, sender, binding: vec![why.clone()], is_about_invites: true };
        if self.callback.invited_at.is_some() {
            return match self.may_still_call() {
                true => told(self.awaits_call()),
                false => told(Step::Finish { outcome: Outcome::Failed, reason: Reason::Uncallable }),
            };
        }
        if let Some((at, reason)) = self.not_before() {
            return told(Step::Wait { until: at.min(self.turns_at()), gate: None, reason });
        }
        let rungs = self.rungs();
        let shut: Vec<Reason> = rungs.iter().filter_map(|rung| rung.standing.reason().cloned()).collect();
        told(match self.choose(rungs) {
            Choice::Take(road) => Step::Invite { sender: self.sender.number, road, reason: why.clone() },
            Choice::Wait { until, gate, reason } => Step::Wait { until, gate, reason },
            Choice::Nothing => match to_wait_for(&shut) {
                Some(reason) => Step::Wait { until: self.turns_at(), gate: None, reason: reason.clone() },
                None => no_road(shut),
            },
        })
    }

    /// The first moment at which the consumer may be contacted, with its reason, if that is in the future.
    fn not_before(&self) -> Option<(Timestamp, Reason)> {
        let earliest = self.callback.order.earliest;
        let early = (earliest > self.now).then_some((earliest, Reason::BeforeEarliest { earliest }));
        let marked = self.callback.not_today(self.now).map(|until| (until, Reason::NotToday { until }));
        early.into_iter().chain(marked).max_by_key(|(at, _)| *at)
    }

    /// Waits for the call of a consumer who was invited.
    fn awaits_call(&self) -> Step {
        let latest = self.callback.order.latest;
        Step::Wait { until: self.turns_at(), gate: None, reason: Reason::AwaitingCall { until: latest } }
    }

    /// Whether the consumer can follow the invite: a call button works only on a phone that can be called.
    fn may_still_call(&self) -> bool {
        let kind = self.callback.invited_by.as_ref().map_or(RoadKind::Template, |road| road.kind);
        !needs(kind).callable || !matches!(self.pair.permission, CallPermission::Uncallable { .. })
    }

    /// Why the consumer is not invited, if a refusal or a suppression list is the cause. One who had asked to be called may be invited after a
    /// declined request, if the operator wants that.
    fn refuses_invites(&self) -> Option<Reason> {
        if let Some(reason) = self.suppressed(Outgoing::Invite) {
            return Some(reason);
        }
        let people = &self.rules.people;
        let is_forgiven = people.invite_after_decline && self.callback.order.purpose == Purpose::Requested;
        match self.person.refuses(self.sender.number, Some(self.callback.order.purpose), people) {
            Some(RefusalKind::Decline) if is_forgiven => return None,
            Some(kind) => return Some(Reason::PersonRefuses { kind }),
            None => {}
        }
        let by_another = self.refused && !people.decline_binds_its_sender_only;
        let has_refused = by_another || has_refused(self.now, self.pair);
        (has_refused && !is_forgiven).then_some(Reason::Declined)
    }

    /// Every road of the sender with its standing.
    pub(super) fn rungs(&self) -> Vec<Rung> {
        let rung = |road: Road| Rung { standing: self.standing(&road), road };
        roads(self.sender).into_iter().map(rung).collect()
    }

    fn standing(&self, road: &Road) -> Standing {
        match self.shut(road) {
            Some(reason) => Standing::Over(self.outlasting(road, &reason).unwrap_or(reason)),
            None => self.delayed(road).or_else(|| self.resting(road)).unwrap_or(Standing::Open),
        }
    }

    /// The limit of the person, if the road waits for a window and the limit ends after the deadline: opening the window
    /// would not help.
    fn outlasting(&self, road: &Road, shut: &Reason) -> Option<Reason> {
        if !matches!(shut, Reason::RoadNeedsWindow { .. } | Reason::PageWindowClosed) {
            return None;
        }
        match self.delayed(road)? {
            Standing::Over(reason @ Reason::InvitedBefore { .. }) => Some(reason),
            _ => None,
        }
    }

    /// Why the road cannot be used, whatever the time.
    fn shut(&self, road: &Road) -> Option<Reason> {
        let needs = needs(road.kind);
        if let Some(failure) = self.callback.road_failed(&RoadName::of(road)) {
            return Some(Reason::RoadFailed { road: road.kind, code: failure.code });
        }
        if let Some(reason) = self.refuses_invites() {
            return Some(reason);
        }
        // Before what ends by time: an open request keeps other senders from inviting, whatever the windows do.
        if let Some(reason) = other_request(self.pair) {
            return Some(reason);
        }
        if needs.page_window
            && let Some(reason) = self.page_is_shut(road)
        {
            return Some(reason);
        }
        if needs.callable && matches!(self.pair.permission, CallPermission::Uncallable { .. }) {
            return Some(Reason::Uncallable);
        }
        if self.person.is_on_the_phone() {
            return Some(Reason::PairOnThePhone);
        }
        let is_open = || permission_request::service_window_is_open(self.now, self.pair, self.rules);
        (needs.service_window && !is_open()).then_some(Reason::RoadNeedsWindow { road: road.kind })
    }

    /// Why the page of the road may not write to the consumer.
    fn page_is_shut(&self, road: &Road) -> Option<Reason> {
        if !self.callback.order.psids.contains_key(&road.account) {
            return Some(Reason::NoPageId);
        }
        let contact = self.contacts.get(&road.account);
        if contact.is_some_and(|contact| contact.stopped_at.is_some()) {
            return Some(Reason::PageStopped);
        }
        let is_open = self.page_closes_at(road).is_some_and(|closes_at| self.now < closes_at);
        (!is_open).then_some(Reason::PageWindowClosed)
    }

    /// When the window of the road's page closes or has closed; `None` if the consumer never wrote to it.
    fn page_closes_at(&self, road: &Road) -> Option<Timestamp> {
        let window = self.rules.limits.page_window - self.rules.margin;
        self.contacts.get(&road.account)?.wrote_at?.checked_add(window).ok()
    }

    /// When a window closes without which the road cannot be used, or the last hours before the deadline. What waits for the
    /// road is decided again then.
    fn closes_at(&self, road: &Road) -> Option<Timestamp> {
        let needs = needs(road.kind);
        let page = || self.page_closes_at(road);
        let service = || permission_request::service_window_closes_at(self.pair, self.rules);
        let hours = || Some(window::last_open(self.hours?, self.now, self.callback.order.latest)?.1);
        let windows = [
            needs.page_window.then(page),
            needs.service_window.then(service),
            self.needs_hours(road).then(hours),
        ];
        windows.into_iter().flatten().flatten().min()
    }

    /// What the road waits for by time: the person's limit, the pace and the pause of the pair, the hours. What does not
    /// end before the deadline shuts the road.
    fn delayed(&self, road: &Road) -> Option<Standing> {
        let order = &self.callback.order;
        let last = self.delays(road).into_iter().max_by_key(|(until, _)| *until);
        let from = last.as_ref().map_or(self.now, |(until, _)| *until);
        let opens_at = match self.hours {
            Some(hours) if self.needs_hours(road) => window::next_open(hours, from, order.latest),
            _ => Some(from),
        };
        match (opens_at.filter(|&at| at < order.latest), last) {
            (Some(_), Some((until, reason))) => Some(Standing::Later(until, reason)),
            (Some(at), None) if at > self.now => {
                let closed = self.hours.map(|hours| window::closed(hours, self.now, at));
                Some(Standing::Later(at, closed.unwrap_or(Reason::OutsideHours { opens_at: at })))
            }
            (Some(_), None) => None,
            (None, Some((_, reason))) => Some(Standing::Over(reason)),
            (None, None) => Some(Standing::Over(Reason::NoTimeLeft { latest: order.latest })),
        }
    }

    fn needs_hours(&self, road: &Road) -> bool {
        needs(road.kind).hours || !self.rules.inviting.url_outside_hours
    }

    /// The limits that hold the road back now, with the times at which they end.
    fn delays(&self, road: &Road) -> Vec<(Timestamp, Reason)> {
        let Self { now, pair, rules, .. } = *self;
        let window = rules.inviting.per_person;
        let once = Rolling { max: 1, window };
        let invited = rolling::used_up(&self.person.invites, now, once, SignedDuration::ZERO);
        let invited =
            invited.map(|used| (used.lifts_at, Reason::InvitedBefore { window, lifts_at: used.lifts_at }));
        let is_on_whatsapp = road.kind != RoadKind::Messenger;
        let gap = message_gap(now, pair, rules).map(|at| (at, Reason::MessageGap { lifts_at: at }));
        let paused = pair.paused_until.filter(|&until| until > now);
        let paused = paused.map(|until| (until, Reason::PairPaused { until }));
        invited.into_iter().chain(gap.into_iter().chain(paused).filter(|_| is_on_whatsapp)).collect()
    }

    /// The pause of the road's sender, account or content.
    fn resting(&self, road: &Road) -> Option<Standing> {
        // By the others that need open hours the consumer calls the sender at once.
        let part = needs(road.kind).hours.then_some(SenderPart::Buttons);
        if road.kind != RoadKind::Messenger
            && let Some((gate, reason)) = self.candidate.rest(self.now, part)
        {
            return Some(Standing::Resting(gate, reason));
        }
        let account = self.candidate.account_rest(self.now, &road.account);
        let (gate, reason) =
            account.or_else(|| self.candidate.content_rest(self.now, &road.account, &road.content))?;
        Some(Standing::Resting(gate, reason))
    }

    /// The first road that is open. A road that rests is skipped or waited for, as the operator chose; without an open
    /// road, the first to open is waited for.
    fn choose(&self, rungs: Vec<Rung>) -> Choice {
        let waits_for_rests = self.rules.inviting.resting_road == RestingRoad::Wait;
        let mut best: Option<(Timestamp, Reason)> = None;
        let (mut until, mut gate) = (self.turns_at(), None::<Gate>);
        for rung in rungs {
            let is_a_rest = rung.standing.is_a_rest();
            let (at, own_gate, reason) = match rung.standing {
                Standing::Open => return Choice::Take(rung.road),
                Standing::Over(_) => continue,
                Standing::Later(at, reason) => (at, None, reason),
                Standing::Resting(gate, reason) => (until, Some(gate), reason),
            };
            let at = self.closes_at(&rung.road).map_or(at, |closes_at| at.min(closes_at));
            until = until.min(at);
            // A few seconds are no reason for another road.
            if is_a_rest && waits_for_rests || matches!(reason, Reason::MessageGap { .. }) {
                return Choice::Wait { until: at.min(self.turns_at()), gate: own_gate, reason };
            }
            gate = match (gate.take(), own_gate) {
                (Some(one), Some(other)) => Some(one.or(other)),
                (one, other) => one.or(other),
            };
            let lifts_at = reason.lifts_at().unwrap_or(Timestamp::MAX);
            if best.as_ref().is_none_or(|(known, _)| lifts_at < *known) {
                best = Some((lifts_at, reason));
            }
        }
        best.map_or(Choice::Nothing, |(_, reason)| Choice::Wait { until, gate, reason })
    }
}

/// When the sender may send the consumer the next message; `None` if at once.
pub(super) fn message_gap(now: Timestamp, pair: &Pair, rules: &Rules) -> Option<Timestamp> {
    let last = pair.messaged_at?;
    let at = last.checked_add(rules.limits.message_gap).unwrap_or(Timestamp::MAX);
    (at > now).then_some(at)
}

/// Of the reasons of roads that are passed over, the one that is waited for. The limit of the person holds every road, so no
/// other one says more.
fn to_wait_for(shut: &[Reason]) -> Option<&Reason> {
    let limit = shut.iter().find(|reason| matches!(reason, Reason::InvitedBefore { .. }));
    limit.or_else(|| shut.iter().find(|reason| may_open(reason)))
}

/// Whether an act of the consumer, the end of another message, or time may still open a road that is passed over.
const fn may_open(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::RoadNeedsWindow { .. }
            | Reason::PageWindowClosed
            | Reason::PageStopped
            | Reason::PairOnThePhone
            | Reason::PairFenced
            | Reason::AwaitingReply { .. }
    ) || reason.lifts_at().is_some()
}

/// The end of what can only be an invite, and has no road. A road that failed says more than one that was never open.
fn no_road(shut: Vec<Reason>) -> Step {
    let failed = shut.iter().rfind(|reason| matches!(reason, Reason::RoadFailed { .. })).cloned();
    let last = shut.into_iter().next_back();
    match last.filter(|reason| matches!(reason, Reason::NoTimeLeft { .. }) || failed.is_none()).or(failed) {
        Some(reason @ Reason::NoTimeLeft { .. }) => Step::Finish { outcome: Outcome::Expired, reason },
        Some(reason) => Step::Finish { outcome: Outcome::Failed, reason },
        None => Step::Finish { outcome: Outcome::Failed, reason: Reason::NoRoad },
    }
}
