//! A situation, and the step that must follow. Boundaries are tested one second before, at and one second
//! after.

mod addressee;
mod asked_again;
mod asking;
mod breaker;
mod calendars;
mod calling;
mod caps;
mod clock_watch;
mod contents;
mod documents;
mod ended_attempts;
mod endings;
mod explaining;
mod giving_up;
mod ground;
mod grouping;
mod held;
mod ladder;
mod ladder_limits;
mod ledger_order;
mod ledger_rules;
mod loads;
mod missed_calls;
mod missed_window;
mod not_today;
mod open_day;
mod paused;
mod people;
mod permission_request;
mod preview;
mod pulled_forward;
mod queueing;
mod ranking;
mod registers;
mod restricted;
mod ringing;
mod senders;
mod shift;
mod streak_guard;
mod suppressed;
mod waking;
mod when;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::*;
use crate::domain::callback::Waiting;
use crate::domain::country::Prefix;
use crate::domain::event::PermissionAnswer;
use crate::domain::{
    AccountView, Agent, AgentTarget, Agents, Attempt, AttemptId, CallProgress, CallbackId,
    CallbackPermission, CampaignId, Disposition, Figure, Held, Holds, LegOrder, Load, Loads, MessageId,
    Numbers, Order, PairKey, Pause, PauseId, PauseScope, Person, PersonId, Pool, PoolKey, Pools, Priority,
    Purpose, Refusal, Resource, Rest, Script, Seat, Seats, SenderPart, SetAside, SetAsideId, SetAsideItem,
    Stage, State, Submission, Tenant,
};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// The time this many seconds after the start of every test, a Monday at 12:00 UTC.
fn at(second: i64) -> Timestamp {
    "2026-11-23T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
}

fn sender_number() -> Phone {
    Phone::parse("+551151991234").unwrap()
}

fn rules() -> Rules {
    Rules {
        limits: Limits::of(Profile::Twilio),
        retry: Retry {
            no_answer: SignedDuration::from_hours(4),
            busy: SignedDuration::from_mins(15),
            canceled: SignedDuration::from_mins(5),
            abandoned: SignedDuration::from_mins(10),
            shift: false,
            failed: SignedDuration::from_mins(5),
        },
        ask_ahead: SignedDuration::from_hours(24),
        margin: SignedDuration::ZERO,
        faults_max: 5,
        counting: Counting::CAUTIOUS,
        pull_forward: SignedDuration::from_hours(1),
        ask_again: None,
        ceilings: Ceilings::new(),
        agent_calls_max: 1,
        destinations_refused: vec![Prefix::parse("+53").unwrap()],
        people: PeopleRules::CAUTIOUS,
        registers: Vec::new(),
        stop_when_list_expired: false,
        number_zones: crate::domain::number_zones::Narrowed::default(),
        inviting: InviteRules::CAUTIOUS,
        queueing: Queueing::STRICT,
    }
}

/// A situation in which a call can be placed. Each test changes one thing.
struct Case {
    now: i64,
    document: Option<LegOrder>,
    callback: Callback,
    sender: Sender,
    pair: Pair,
    person: PersonView,
    live_calls: u32,
    account_calls: u32,
    agent_calls: u32,
    campaign_calls: u32,
    pools: Pools,
    seats: Seats,
    account: AccountView,
    paused: Option<Rest>,
    pauses: Vec<Pause>,
    contents: Vec<Pause>,
    paused_parts: Vec<(SenderPart, Rest)>,
    rests: BTreeMap<AccountAlias, Vec<(Gate, Reason)>>,
    contacts: BTreeMap<AccountAlias, Contact>,
    held: Option<Reason>,
    calendars: Calendars,
    list_terms: Vec<ListTerm>,
    rules: Rules,
}

fn ready() -> Case {
    let consumer = Phone::parse("+5511987654321").unwrap();
    let key = PairKey::of(sender_number(), consumer);
    Case {
        now: 0,
        document: Some(LegOrder::ConsumerFirst),
        callback: Callback::new(
            CallbackId::new(Uuid::from_u128(1)),
            at(-HOUR),
            Order::new(consumer, vec![key.sender], "message", at(-HOUR), at(10 * DAY)),
            State::Waiting(Waiting { wake_at: at(0), place: None, note: Reason::Ready.note() }),
        ),
        sender: Sender {
            permission_request: "HXfree".parse().ok(),
            permission_template: "HXtemplate".parse().ok(),
            ..Sender::new(key.sender, "main")
        },
        pair: Pair { permission: CallPermission::Permanent, ..Pair::unknown(key) },
        person: PersonView::unknown(key.person),
        live_calls: 0,
        account_calls: 0,
        agent_calls: 0,
        campaign_calls: 0,
        pools: Pools::default(),
        seats: Seats::default(),
        account: AccountView { paused: None, next_call_at: Timestamp::MIN },
        paused: None,
        pauses: Vec::new(),
        contents: Vec::new(),
        paused_parts: Vec::new(),
        rests: BTreeMap::new(),
        contacts: BTreeMap::new(),
        held: None,
        calendars: Calendars::default(),
        list_terms: Vec::new(),
        rules: rules(),
    }
}

/// The same, with no permission yet.
fn unasked() -> Case {
    ready().with(|case| case.pair.permission = CallPermission::None)
}

impl Case {
    fn with(mut self, spoil: impl FnOnce(&mut Self)) -> Self {
        spoil(&mut self);
        self
    }

    fn now(self, second: i64) -> Self {
        self.with(|case| case.now = second)
    }

    fn assess(&self) -> Assessment {
        assess(at(self.now), &situation(&self.callback, [self]), &self.rules)
    }

    /// Whoever calls one sender is on the phone for all.
    fn person(&self) -> PersonView {
        PersonView { is_calling: self.pair.live_inbound.is_some(), ..self.person.clone() }
    }

    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            sender: &self.sender,
            pair: self.pair.clone(),
            load: self.load(),
            account: self.account.clone(),
            paused: self.paused.clone(),
            paused_parts: self.paused_parts.clone(),
            pauses: self.pauses.iter().cloned().map(Arc::new).collect(),
            contents: self.contents.iter().cloned().map(Arc::new).collect(),
            rests: self.rests.clone(),
        }
    }

    fn load(&self) -> Vec<Load> {
        let in_use = [
            (Resource::Sender(self.sender.number), self.live_calls),
            (Resource::Account(self.sender.account.clone()), self.account_calls),
            (Resource::campaign("spring"), self.campaign_calls),
        ];
        let script = Script { order: self.document.unwrap_or(LegOrder::ConsumerFirst), ..Script::message() };
        let holds = holds(&self.callback, &self.sender, Some(&script), at(self.now));
        let agents = holds.iter().filter(|held| matches!(held, Resource::Agents(_)));
        let agents = agents.map(|held| (held.clone(), self.agent_calls));
        let loads = Loads {
            in_use: in_use.into_iter().chain(agents).collect(),
            pools: Arc::new(self.pools.clone()),
            seats: self.seats.clone(),
            ..Loads::default()
        };
        loads.of(&holds)
    }

    #[track_caller]
    fn check(&self, expected: &Expect) {
        let step = self.assess().step;
        let found = match &step {
            Step::PlaceCall { .. } => Expect::Call,
            Step::RequestPermission { content, .. } => Expect::Ask(content.to_string()),
            Step::Invite { reason, .. } => Expect::Invite(reason.code()),
            Step::Wait { until, gate, reason } => {
                Expect::Wait(reason.code(), until.as_second() - at(0).as_second(), gate.is_some())
            }
            Step::Finish { outcome, reason } => Expect::Finish(*outcome, reason.code()),
        };
        assert_eq!(&found, expected, "{step:?}");
    }
}

/// A callback that the senders of these cases may call. The first case says what is not about a sender.
fn situation<'a, const N: usize>(callback: &'a Callback, cases: [&'a Case; N]) -> Situation<'a> {
    Situation {
        callback,
        document: cases.first().map_or(Some(LegOrder::ConsumerFirst), |case| case.document),
        held: cases.first().and_then(|case| case.held.clone()),
        candidates: cases.iter().map(|case| case.candidate()).collect(),
        budget: None,
        calendars: cases.first().map(|case| case.calendars.clone()).unwrap_or_default(),
        list_terms: cases.first().map(|case| case.list_terms.clone()).unwrap_or_default().into(),
        contacts: cases.first().map(|case| case.contacts.clone()).unwrap_or_default(),
        person: PersonView {
            is_calling: cases.iter().any(|case| case.pair.live_inbound.is_some()),
            ..cases.first().map_or_else(
                || PersonView::unknown(PersonId::of(callback.order.consumer)),
                |case| case.person(),
            )
        },
    }
}

#[derive(Debug, PartialEq)]
enum Expect {
    Call,
    Ask(String),
    Invite(&'static str),
    /// The reason, the end of the wait in seconds, and whether there is a gate.
    Wait(&'static str, i64, bool),
    Finish(Outcome, &'static str),
}

use Expect::{Ask, Call, Finish, Invite, Wait};

fn template() -> Expect {
    Ask("HXtemplate".into())
}
