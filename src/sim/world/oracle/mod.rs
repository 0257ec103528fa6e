//! The oracle: records what the daemon does, and reports each violation of a law.
//!
//! It shares no code with the daemon's rules or with the world's limit checks, so that a mistake in either is
//! found. It judges by what the daemon could know: a revocation counts once its webhook was delivered.

pub(in crate::sim::world) mod invites;
mod pages;
mod permission;
mod slots;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use self::invites::Invites;
use self::pages::Pages;
use super::stops::{Stop, Stops};
use crate::domain::Phone;
use crate::sim::world::setup::{Callable, Limits};

/// A rule that must never be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Law {
    /// No call is created without a live permission.
    CallNeedsPermission,
    /// No call is created, and none rings, outside the calling window.
    CallInsideWindow,
    /// A sender stays within its concurrent calls, inbound calls included.
    SenderConcurrency,
    /// Create requests do not arrive faster than the account starts calls.
    CallsPerSecond,
    /// At most one accepted create for each attempt.
    OneCallPerAttempt,
    /// A pair stays within its permission requests in 24 hours and in 7 days.
    PermissionRequestLimit,
    /// A pair has one call at a time.
    OneCallPerPair,
    /// An agent who is called by name has one call at a time, or as many as configured.
    OneCallPerAgent,
    /// A pair stays within its connected calls in 24 hours.
    ConnectedCallsPerDay,
    /// No call is created that would revoke the permission if it were missed as well.
    MissStreak,
    /// After as many misses as cause WhatsApp's nudge, the consumer is invited before the next call.
    InviteBeforeNudge,
    /// No free-form permission request is sent more than 24 h after the consumer last wrote or called.
    ServiceWindow,
    /// No permission request is sent after the consumer's answer was acknowledged.
    RequestAfterAnswer,
    /// After a person's acknowledged refusal, no sender calls, asks or invites the person until the person starts again.
    NoIsKept,
    /// No request and no invite is sent outside the consumer's hours or after the deadline.
    MessageInsideHours,
    /// Nothing is called, asked or invited that an operator has paused, while the pause is in force.
    PauseIsKept,
    /// A WhatsApp call is never connected to the telephone network.
    NoTelephoneNetwork,
    /// A person is invited at most once in seven days, by whatever sender and road.
    InvitesPerPerson,
    /// Over the Cloud API, no free invite is sent outside the service window, and over Messenger none outside the page's.
    InviteNeedsWindow,
    /// The payload of an invite is for one person, and does not show the number.
    TokenIsOwn,
    /// A message over the Cloud API is taken at most once.
    OneMessagePerToken,
    /// Two messages over the Cloud API to one consumer are at least 6 s apart.
    PairPace,
    /// While the daemon knows of a restriction, nothing that it stops is sent over the account or number.
    RestrictionIsKept,
}

/// One violation. Phone numbers in the text are masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    pub law: Law,
    pub at: Timestamp,
    pub details: String,
}

/// The maximum number of violations with details. All are counted.
const VIOLATIONS_KEPT: usize = 1_000;

/// How long a request may take to arrive.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_secs(30);

/// How long after an acknowledgement a message may still arrive that was sent before.
const FIRST_BYTE: SignedDuration = SignedDuration::from_millis(250);

/// How much earlier than the platform the daemon may treat a permission as expired.
const CAUTION: SignedDuration = SignedDuration::from_mins(3);

/// How long a refusal certainly holds.
const A_NO_LASTS: SignedDuration = SignedDuration::from_hours(24);

/// How long a document may play to the agent before it dials the consumer.
const DOCUMENT_RUNS: SignedDuration = SignedDuration::from_secs(15);

#[derive(Debug)]
pub struct Oracle {
    limits: Limits,
    callable: Option<Callable>,
    windows: HashMap<(Phone, Phone), Vec<(Timestamp, Timestamp)>>,
    /// The hours in which messages may be sent to a consumer. Consumers without an entry may get them at any time.
    hours: HashMap<(Phone, Phone), Vec<(Timestamp, Timestamp)>>,
    books: HashMap<(Phone, Phone), Book>,
    /// When each account can start the next call.
    starts: HashMap<usize, Timestamp>,
    /// People who refused any sender and have not started again, with the time at which the daemon learnt it.
    noes: HashMap<Phone, Option<Timestamp>>,
    /// What operators paused.
    stops: Stops,
    accepted: HashMap<String, u32>,
    /// Tokens of delivered webhooks about grants and revocations.
    told: HashSet<String>,
    load: BTreeMap<Phone, Load>,
    /// Calls in progress of each agent.
    agents: HashMap<String, usize>,
    invites: Invites,
    pages: Pages,
    violations: Vec<Violation>,
    total: u64,
    excused: u64,
}

/// The history of one pair.
#[derive(Debug, Default)]
struct Book {
    granted_until: Option<Timestamp>,
    /// The end of a grant that was revoked, until the daemon learns of the revocation.
    untold_until: Option<Timestamp>,
    /// When the daemon learnt of the live permission, and when that ends.
    told_yes: Option<(Timestamp, Timestamp)>,
    /// When the daemon learnt of the consumer's last refusal.
    told_no_at: Option<Timestamp>,
    /// When the daemon last learnt of a revocation.
    told_at: Option<Timestamp>,
    requests: VecDeque<Timestamp>,
    connected: VecDeque<Timestamp>,
    calls: u32,
    /// Missed calls in a row.
    misses: u32,
    /// When the consumer was last invited to call, unless a connected call or a new permission came after.
    invited_at: Option<Timestamp>,
}

/// The calls in progress of one sender.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::sim::world) struct Load {
    pub(in crate::sim::world) live: usize,
    pub(in crate::sim::world) peak: usize,
    /// When a consumer last called this sender.
    called_at: Option<Timestamp>,
}

impl Oracle {
    pub(in crate::sim::world) fn new(limits: Limits, callable: Option<Callable>) -> Self {
        Self {
            limits,
            callable,
            windows: HashMap::new(),
            hours: HashMap::new(),
            books: HashMap::new(),
            starts: HashMap::new(),
            noes: HashMap::new(),
            stops: Stops::default(),
            accepted: HashMap::new(),
            told: HashSet::new(),
            load: BTreeMap::new(),
            agents: HashMap::new(),
            invites: Invites::default(),
            pages: Pages::default(),
            violations: Vec::new(),
            total: 0,
            excused: 0,
        }
    }

    /// Registers a calling window of a pair. Without one, calls to a pair are allowed at any time.
    pub fn allow(&mut self, sender: Phone, consumer: Phone, from: Timestamp, until: Timestamp) {
        self.windows.entry((sender, consumer)).or_default().push((from, until));
    }

    /// From now on, messages to this pair must be inside its registered hours.
    pub fn allow_messages(&mut self, sender: Phone, consumer: Phone, from: Timestamp, until: Timestamp) {
        self.hours.entry((sender, consumer)).or_default().push((from, until));
    }

    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    pub(in crate::sim::world) const fn total(&self) -> u64 {
        self.total
    }

    pub(in crate::sim::world) const fn excused(&self) -> u64 {
        self.excused
    }

    pub(in crate::sim::world) fn attempts_called(&self) -> usize {
        self.accepted.len()
    }

    pub(in crate::sim::world) fn load(&self) -> impl Iterator<Item = (Phone, Load)> + '_ {
        self.load.iter().map(|(sender, load)| (*sender, *load))
    }

    /// A document served earlier dials the consumer. A revocation that the daemon learnt while the document
    /// was running came too late, and is excused.
    pub(in crate::sim::world) fn document_dials(&mut self, now: Timestamp, sender: Phone, consumer: Phone) {
        let book = self.books.entry((sender, consumer)).or_default();
        let late = book.told_at.is_some_and(|at| now.duration_since(at) < DOCUMENT_RUNS);
        if late && book.granted_until.is_none() && book.untold_until.is_none() {
            book.untold_until = Some(now + DOCUMENT_RUNS);
            self.may_call(now, sender, consumer);
            self.books.entry((sender, consumer)).or_default().untold_until = None;
        } else {
            self.may_call(now, sender, consumer);
        }
        self.keeps_a_no(now, sender, consumer, "called", DOCUMENT_RUNS);
    }

    /// The daemon requested a call of this pair.
    pub(in crate::sim::world) fn asked_to_call(&mut self, now: Timestamp, sender: Phone, consumer: Phone) {
        self.keeps_a_no(now, sender, consumer, "called", FIRST_BYTE);
        self.keeps_a_pause(now, sender, consumer, "called");
        self.may_call(now, sender, consumer);
    }

    fn may_call(&mut self, now: Timestamp, sender: Phone, consumer: Phone) {
        let day = SignedDuration::from_hours(24);
        let most = self.limits.connected_calls_per_day;
        let book = self.books.entry((sender, consumer)).or_default();
        let live = |until: Option<Timestamp>| until.is_some_and(|until| now < until);
        let (granted, untold) = (live(book.granted_until), live(book.untold_until));
        let connected = within(&mut book.connected, now, day);
        let (calls, misses, invited) = (book.calls, book.misses, book.invited_at.is_some());
        // The daemon does not know that the permission was revoked, and may have reset its count of misses.
        let misled = !granted && untold;
        if misled {
            self.excused += 1;
        } else if !granted {
            let details = format!("{sender} called {consumer} without a permission");
            self.break_law(Law::CallNeedsPermission, now, details);
        }
        if connected >= most {
            let details = format!("{sender} called {consumer} after {connected} connected calls in 24 h");
            self.break_law(Law::ConnectedCallsPerDay, now, details);
        }
        if calls > 0 {
            let details = format!("{sender} called {consumer} during another call of the pair");
            self.break_law(Law::OneCallPerPair, now, details);
        }
        let load = self.load.get(&sender).copied().unwrap_or_default();
        // The webhook of the latest inbound call may not have arrived yet.
        let just_called =
            load.called_at.is_some_and(|at| now.duration_since(at) < ON_ITS_WAY) && load.live > 0;
        let known = load.live - usize::from(just_called);
        if known >= self.limits.concurrent_calls_per_sender {
            let details = format!("{sender} called {consumer} with {known} calls in progress");
            self.break_law(Law::SenderConcurrency, now, details);
        }
        if misses + 1 >= self.limits.misses_published && !misled {
            let details = format!("{sender} called {consumer} after {misses} missed calls in a row");
            self.break_law(Law::MissStreak, now, details);
        }
        if misses >= self.limits.misses_before_nudge && !invited && !misled {
            let details = format!("{sender} called {consumer} after {misses} misses without an invite");
            self.break_law(Law::InviteBeforeNudge, now, details);
        }
        self.inside_window(now, sender, consumer, "created");
    }

    /// An invite to call was accepted for delivery.
    pub(in crate::sim::world) fn invited(&mut self, now: Timestamp, sender: Phone, consumer: Phone) {
        self.message_inside_hours(now, sender, consumer, "invited");
        self.keeps_a_no(now, sender, consumer, "invited", FIRST_BYTE);
        self.keeps_a_pause(now, sender, consumer, "invited");
        self.inside_person_limit(now, &sender, consumer);
        self.books.entry((sender, consumer)).or_default().invited_at = Some(now);
    }

    /// A free-form request was sent after the service window had closed. If the window was never open, the
    /// daemon may have taken the content for an approved template, so that is no violation.
    pub(in crate::sim::world) fn asked_outside_service_window(
        &mut self,
        now: Timestamp,
        closed_at: Option<Timestamp>,
        (sender, consumer): (Phone, Phone),
    ) {
        // It may have been sent in time.
        if closed_at.is_some_and(|at| now.duration_since(at) > ON_ITS_WAY) {
            let details = format!("{sender} asked {consumer} outside the service window");
            self.break_law(Law::ServiceWindow, now, details);
        }
    }

    /// The create of a call of this pair was accepted.
    pub(in crate::sim::world) fn accepted(
        &mut self,
        now: Timestamp,
        pair: Option<(Phone, Phone)>,
        token: Option<&str>,
    ) {
        if let Some(pair) = pair {
            self.books.entry(pair).or_default().calls += 1;
        }
        let Some(token) = token else { return };
        let count = self.accepted.entry(token.to_owned()).or_default();
        *count += 1;
        let count = *count;
        if count > 1 {
            let head: String = token.chars().take(6).collect();
            let details = format!("{count} calls were accepted for the attempt {head}…");
            self.break_law(Law::OneCallPerAttempt, now, details);
        }
    }

    fn keeps_a_no(
        &mut self,
        now: Timestamp,
        sender: Phone,
        consumer: Phone,
        what: &str,
        grace: SignedDuration,
    ) {
        let told_at = self.noes.get(&consumer).copied().flatten();
        if told_at.is_some_and(|at| now.duration_since(at) >= grace) {
            self.break_law(
                Law::NoIsKept,
                now,
                format!("{sender} {what} {consumer} after an acknowledged refusal"),
            );
        }
    }

    /// The daemon acknowledged a pause, whose name is its id.
    pub fn paused(&mut self, id: &str, stop: Stop) {
        self.stops.begin(id, stop);
    }

    /// An operator is about to lift a pause.
    pub fn resumed(&mut self, id: &str) {
        self.stops.end(id);
    }

    fn keeps_a_pause(&mut self, now: Timestamp, sender: Phone, consumer: Phone, what: &str) {
        let since = self.stops.since(now, sender, consumer);
        if since.is_some_and(|since| now.duration_since(since) >= FIRST_BYTE) {
            self.break_law(Law::PauseIsKept, now, format!("{sender} {what} {consumer} during a pause"));
        }
    }

    /// A consumer called this sender.
    pub(in crate::sim::world) fn called_in(&mut self, now: Timestamp, sender: Phone, consumer: Phone) {
        self.started_again(consumer);
        self.load.entry(sender).or_default().called_at = Some(now);
    }

    pub(in crate::sim::world) fn rang(&mut self, now: Timestamp, sender: Phone, consumer: Phone) {
        self.inside_window(now, sender, consumer, "rang");
    }

    pub(in crate::sim::world) fn missed(&mut self, sender: Phone, consumer: Phone) {
        self.books.entry((sender, consumer)).or_default().misses += 1;
    }

    /// A call of the daemon was answered.
    pub(in crate::sim::world) fn connected(&mut self, now: Timestamp, sender: Phone, consumer: Phone) {
        self.connected_untold(sender, consumer);
        let book = self.books.entry((sender, consumer)).or_default();
        book.invited_at = None;
        book.connected.push_back(now);
    }

    /// A consumer's call was answered. Whether the consumer has to be invited again is known to the daemon only
    /// once it is told: [`told_of_call`](Self::told_of_call).
    pub(in crate::sim::world) fn connected_untold(&mut self, sender: Phone, consumer: Phone) {
        let book = self.books.entry((sender, consumer)).or_default();
        book.requests.clear();
        book.misses = 0;
    }

    /// The daemon received the report of a consumer's call that was answered at `answered_at`.
    pub(in crate::sim::world) fn told_of_call(
        &mut self,
        sender: Phone,
        consumer: Phone,
        answered_at: Timestamp,
    ) {
        let book = self.books.entry((sender, consumer)).or_default();
        _ = book.invited_at.take_if(|at| *at < answered_at);
    }

    /// A call that was accepted for this pair is over.
    pub(in crate::sim::world) fn over(&mut self, sender: Phone, consumer: Phone) {
        if let Some(book) = self.books.get_mut(&(sender, consumer)) {
            book.calls = book.calls.saturating_sub(1);
        }
    }

    pub(in crate::sim::world) fn requested(&mut self, now: Timestamp, sender: Phone, consumer: Phone) {
        self.message_inside_hours(now, sender, consumer, "asked");
        self.keeps_a_no(now, sender, consumer, "asked", FIRST_BYTE);
        self.keeps_a_pause(now, sender, consumer, "asked");
        self.request_after_answer(now, sender, consumer);
        let (day, week) = (SignedDuration::from_hours(24), SignedDuration::from_hours(168));
        let book = self.books.entry((sender, consumer)).or_default();
        let in_week = within(&mut book.requests, now, week);
        let in_day = book.requests.iter().filter(|at| now.duration_since(**at) < day).count();
        book.requests.push_back(now);
        let limits = &self.limits;
        if in_day >= limits.permission_requests_per_day || in_week >= limits.permission_requests_per_week {
            let details =
                format!("{sender} asked {consumer} after {in_day} requests in 24 h, {in_week} in 7 d");
            self.break_law(Law::PermissionRequestLimit, now, details);
        }
    }

    pub(in crate::sim::world) fn met_telephone_network(&mut self, now: Timestamp, call: &str) {
        self.break_law(
            Law::NoTelephoneNetwork,
            now,
            format!("the document of {call} dials a telephone number"),
        );
    }

    fn inside_window(&mut self, now: Timestamp, sender: Phone, consumer: Phone, what: &str) {
        let registered = self.windows.get(&(sender, consumer));
        let inside =
            registered.is_none_or(|windows| windows.iter().any(|(from, to)| (*from..*to).contains(&now)));
        let allowed = self.callable.as_ref().is_none_or(|callable| (callable.0)(sender, consumer, now));
        if !inside || !allowed {
            let details = format!("a call from {sender} to {consumer} {what} outside the window");
            self.break_law(Law::CallInsideWindow, now, details);
        }
    }

    fn message_inside_hours(&mut self, now: Timestamp, sender: Phone, consumer: Phone, what: &str) {
        let hours = self.hours.get(&(sender, consumer));
        let inside = |(from, to): &(Timestamp, Timestamp)| (*from..*to + FIRST_BYTE).contains(&now);
        if hours.is_some_and(|hours| !hours.iter().any(inside)) {
            let details = format!("{sender} {what} {consumer} outside the hours");
            self.break_law(Law::MessageInsideHours, now, details);
        }
    }

    /// Whether a grant or refusal was acknowledged some time ago.
    fn request_after_answer(&mut self, now: Timestamp, sender: Phone, consumer: Phone) {
        let Some(book) = self.books.get(&(sender, consumer)) else { return };
        // It is not documented what counts as a miss, so after misses the daemon may treat the permission as revoked.
        let yes = book.told_yes.filter(|_| book.misses < 2 && book.granted_until.is_some());
        let yes = yes.is_some_and(|(at, until)| {
            now.duration_since(at) >= FIRST_BYTE && until.duration_since(now) > CAUTION
        });
        let no = book.told_no_at.map(|at| now.duration_since(at));
        let no = no.is_some_and(|since| (FIRST_BYTE..A_NO_LASTS).contains(&since));
        if yes || no {
            let answer = if yes { "yes" } else { "no" };
            let details = format!("{sender} asked {consumer} after an acknowledged {answer}");
            self.break_law(Law::RequestAfterAnswer, now, details);
        }
    }

    fn break_law(&mut self, law: Law, at: Timestamp, details: String) {
        self.total += 1;
        if self.violations.len() < VIOLATIONS_KEPT {
            self.violations.push(Violation { law, at, details });
        }
    }
}

/// Drops entries older than `span` and counts the rest.
fn within(log: &mut VecDeque<Timestamp>, now: Timestamp, span: SignedDuration) -> usize {
    while log.front().is_some_and(|at| now.duration_since(*at) >= span) {
        log.pop_front();
    }
    log.len()
}
