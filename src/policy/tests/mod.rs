//! A situation, and the step that must follow. Boundaries are tested one second before, at and one second
//! after.

mod addressee;
mod asked_again;
mod clock_watch;
mod documents;
mod ended_attempts;
mod explaining;
mod giving_up;
mod ground;
mod held;
mod ledger_order;
mod ledger_rules;
mod loads;
mod paused;
mod people;
mod permission_request;
mod pulled_forward;
mod ranking;
mod ringing;
mod senders;
mod streak_guard;
mod waking;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::*;
use crate::domain::callback::Waiting;
use crate::domain::event::PermissionAnswer;
use crate::domain::{
    AccountView, Agent, AgentTarget, Agents, Attempt, AttemptId, CallProgress, CallbackId,
    CallbackPermission, Disposition, Held, Holds, LegOrder, Load, Loads, MessageId, Numbers, Order, PairKey,
    Pause, PauseId, PauseScope, Person, PersonId, Purpose, Refusal, Resource, Rest, Script, SetAside,
    SetAsideId, SetAsideItem, Stage, State, Submission, Tenant,
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
    account: AccountView,
    paused: Option<Rest>,
    pauses: Vec<Pause>,
    held: Option<Reason>,
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
            number: key.sender,
            account: "main".into(),
            portfolio: "default".into(),
            label: None,
            agent: None,
            workflow: None,
            permission_request: "HXfree".parse().ok(),
            permission_template: "HXtemplate".parse().ok(),
            invite: None,
            concurrent_calls_max: None,
            callback_permission: CallbackPermission::Off,
            inbound_document: None,
        },
        pair: Pair { permission: CallPermission::Permanent, ..Pair::unknown(key) },
        person: PersonView::unknown(key.person),
        live_calls: 0,
        account_calls: 0,
        agent_calls: 0,
        campaign_calls: 0,
        account: AccountView { paused: None, next_call_at: Timestamp::MIN },
        paused: None,
        pauses: Vec::new(),
        held: None,
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
            pauses: self.pauses.iter().cloned().map(Arc::new).collect(),
        }
    }

    fn load(&self) -> Vec<Load> {
        let in_use = [
            (Resource::Sender(self.sender.number), self.live_calls),
            (Resource::Account(self.sender.account.clone()), self.account_calls),
            (Resource::campaign("spring"), self.campaign_calls),
        ];
        let script = Script { order: self.document.unwrap_or(LegOrder::ConsumerFirst), ..Script::message() };
        let holds = holds(&self.callback, &self.sender, Some(&script));
        let agents = holds.iter().filter(|held| matches!(held, Resource::Agents(_)));
        let agents = agents.map(|held| (held.clone(), self.agent_calls));
        let loads = Loads { in_use: in_use.into_iter().chain(agents).collect(), ..Loads::default() };
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

#[test]
fn a_permitted_callback_that_is_due_is_called() {
    ready().check(&Call);
}

#[test]
fn nothing_is_called_before_the_earliest_moment() {
    let case = || ready().with(|case| case.callback.order.earliest = at(100));
    case().now(99).check(&Wait("window.before_earliest", 100, false));
    case().now(100).check(&Call);
    case().now(101).check(&Call);
}

#[test]
fn nothing_is_called_at_or_after_the_deadline() {
    let case = || ready().with(|case| case.callback.order.latest = at(100));
    case().now(99).check(&Call);
    case().now(100).check(&Finish(Outcome::Expired, "deadline.passed"));
    case().now(101).check(&Finish(Outcome::Expired, "deadline.passed"));
}

#[test]
fn at_the_deadline_the_outcome_says_what_stood_in_the_way() {
    let late = || ready().with(|case| case.callback.order.latest = at(100)).now(100);
    late().with(|case| case.callback.attempts_made = 3).check(&Finish(Outcome::Exhausted, "attempts.used"));
    late()
        .with(|case| case.pair.permission = CallPermission::Declined { until: at(DAY) })
        .check(&Finish(Outcome::Declined, "permission.declined"));
    late()
        .with(|case| case.pair.permission = CallPermission::RevokedByConsumer)
        .check(&Finish(Outcome::Declined, "permission.declined"));
}

#[test]
fn nothing_is_called_outside_the_consumers_hours() {
    // 18:00 in Sao Paulo is 21:00 UTC, nine hours after the beginning.
    let case = || {
        ready().with(|case| {
            case.callback.order.hours = Some("daily 09:00-18:00 @America/Sao_Paulo".parse().unwrap());
        })
    };
    // Five seconds pass until the phone rings.
    case().now(9 * HOUR - 6).check(&Call);
    case().now(9 * HOUR - 5).check(&Wait("window.outside_hours", DAY, false));
    case().now(9 * HOUR).check(&Wait("window.outside_hours", DAY, false));
    case().now(DAY - 1).check(&Wait("window.outside_hours", DAY, false));
    case().now(DAY).check(&Call);
}

#[test]
fn a_callback_whose_hours_never_come_in_time_is_closed_at_once() {
    ready()
        .with(|case| {
            case.callback.order.hours = Some("sun 09:00-10:00 @UTC".parse().unwrap());
            case.callback.order.latest = at(DAY);
        })
        .check(&Finish(Outcome::Expired, "deadline.no_time_left"));
}

#[test]
fn the_next_attempt_waits_for_its_time() {
    let case = || ready().with(|case| case.callback.retry_at = Some(at(100)));
    case().now(99).check(&Wait("retry.not_before", 100, false));
    case().now(100).check(&Call);
}

#[test]
fn a_temporary_permission_ends_on_the_second() {
    let case =
        || ready().with(|case| case.pair.permission = CallPermission::Temporary { expires_at: at(100) });
    case().now(99).check(&Call);
    case().now(100).check(&template());
    case().now(101).check(&template());
}

#[test]
fn nobody_is_asked_while_a_permission_lives_that_ends_too_early() {
    ready()
        .with(|case| {
            case.pair.permission = CallPermission::Temporary { expires_at: at(100) };
            case.callback.order.earliest = at(200);
        })
        .check(&Wait("permission.ask_later", 100, false));
}

#[test]
fn a_consumer_without_permission_is_asked() {
    unasked().check(&template());
}

#[test]
fn inside_the_service_window_the_free_content_asks() {
    let case = || unasked().with(|case| case.pair.inbound_at = Some(at(-DAY + 100)));
    case().now(99).check(&Ask("HXfree".into()));
    case().now(100).check(&template());
}

#[test]
fn without_a_template_the_service_window_is_waited_for() {
    unasked().with(|case| case.sender.permission_template = None).check(&Wait(
        "permission.service_window_closed",
        10 * DAY,
        false,
    ));
}

#[test]
fn a_sender_that_cannot_ask_closes_the_callback() {
    unasked()
        .with(|case| {
            case.sender.permission_template = None;
            case.sender.permission_request = None;
        })
        .check(&Finish(Outcome::Failed, "permission.no_request_content"));
}

/// Meta, Obtain user call permissions (26 Jun 2026): 1 in 24 h.
#[test]
fn a_second_request_waits_for_a_day() {
    let case = || unasked().with(|case| case.pair.requests = vec![at(-DAY + 100)]);
    case().now(99).check(&Wait("permission.request_limit", 100, false));
    case().now(100).check(&template());
    case().now(101).check(&template());
}

/// Meta, Obtain user call permissions (26 Jun 2026): 2 in 7 days.
#[test]
fn a_third_request_waits_for_a_week() {
    let case = || unasked().with(|case| case.pair.requests = vec![at(-7 * DAY + 100), at(-3 * DAY)]);
    case().now(99).check(&Wait("permission.request_limit", 100, false));
    case().now(100).check(&template());
}

#[test]
fn the_margin_holds_a_request_back() {
    let case = || {
        unasked().with(|case| {
            case.pair.requests = vec![at(-DAY)];
            case.rules.margin = SignedDuration::from_secs(2);
        })
    };
    case().now(1).check(&Wait("permission.request_limit", 2, false));
    case().now(2).check(&template());
}

#[test]
fn a_request_limit_that_outlasts_the_deadline_closes_the_callback() {
    unasked()
        .with(|case| {
            case.pair.requests = vec![at(-HOUR)];
            case.callback.order.latest = at(22 * HOUR);
        })
        .check(&Finish(Outcome::Exhausted, "permission.request_limit"));
}

#[test]
fn an_open_request_is_waited_for() {
    let case = || {
        unasked().with(|case| {
            case.pair.permission = CallPermission::Requested { expires_at: at(100) };
            case.pair.requests = vec![at(-2 * DAY)];
        })
    };
    case().now(99).check(&Wait("permission.awaiting_reply", 100, false));
    case().now(100).check(&template());
}

#[test]
fn a_request_whose_fate_is_open_fences_the_pair() {
    unasked().with(|case| case.pair.request = Some(MessageId::new(Uuid::from_u128(5)))).check(&Wait(
        "pair.fenced",
        10 * DAY,
        false,
    ));
}

#[test]
fn a_declined_consumer_is_left_alone() {
    let case = || unasked().with(|case| case.pair.permission = CallPermission::Declined { until: at(100) });
    case().now(99).check(&Finish(Outcome::Declined, "permission.declined"));
    case().now(100).check(&template());
}

#[test]
fn a_consumer_is_not_asked_so_early_that_the_answer_lapses() {
    let case = || unasked().with(|case| case.callback.order.earliest = at(3 * DAY));
    case().now(2 * DAY - 1).check(&Wait("permission.ask_later", 2 * DAY, false));
    case().now(2 * DAY).check(&template());
}

#[test]
fn who_asked_to_be_called_is_asked_when_it_is_ordered() {
    let case = |earliest| {
        unasked().with(move |case| {
            case.callback.order.purpose = crate::domain::Purpose::Requested;
            case.callback.order.earliest = at(earliest);
            case.callback.order.latest = at(30 * DAY);
        })
    };
    case(3 * DAY).now(0).check(&template());
    case(6 * DAY).now(0).check(&template());
    // A permission lasts for seven days, and must not end within a day of the call.
    case(10 * DAY).now(0).check(&Wait("permission.ask_later", 4 * DAY, false));
    case(10 * DAY).now(4 * DAY).check(&template());
    let outside = case(3 * DAY).with(|case| {
        case.callback.order.hours = Some("daily 09:00-18:00 @America/Sao_Paulo".parse().unwrap());
    });
    outside.now(9 * HOUR).check(&Wait("window.outside_hours", DAY, false));
}

#[test]
fn nobody_is_asked_outside_the_consumers_hours() {
    let case = || {
        unasked().with(|case| {
            case.callback.order.hours = Some("daily 09:00-18:00 @America/Sao_Paulo".parse().unwrap());
        })
    };
    case().now(9 * HOUR - 1).check(&template());
    case().now(9 * HOUR).check(&Wait("window.outside_hours", DAY, false));
}

/// Twilio error 37006: five connected calls in a rolling day.
#[test]
fn the_sixth_connected_call_waits_for_the_window() {
    let calls = |count: i64| (0..count).map(|n| at(-DAY + 100 + n)).collect::<Vec<_>>();
    ready().with(|case| case.pair.connected = calls(4)).check(&Call);
    let case = || ready().with(|case| case.pair.connected = calls(5));
    case().now(99).check(&Wait("limit.connected_calls", 100, false));
    case().now(100).check(&Call);
}

#[test]
fn one_person_has_one_call_at_a_time() {
    ready().with(|case| _ = case.person.live.insert(AttemptId::new(Uuid::from_u128(4)))).check(&Wait(
        "pair.on_the_phone",
        10 * DAY,
        false,
    ));
    ready().with(|case| case.pair.live_inbound = Some("CA1".into())).check(&Wait(
        "pair.on_the_phone",
        10 * DAY,
        false,
    ));
}

#[test]
fn the_accounts_pace_and_its_rest_are_waited_for_at_its_gate() {
    ready().with(|case| case.account.next_call_at = at(1)).check(&Wait(
        "account.calls_per_second",
        10 * DAY,
        true,
    ));
    ready().with(|case| case.account.paused = Some((at(60), "out of order".into()))).check(&Wait(
        "account.paused",
        10 * DAY,
        true,
    ));
    unasked().with(|case| case.account.paused = Some((at(60), "out of order".into()))).check(&Wait(
        "account.paused",
        10 * DAY,
        true,
    ));
}

#[test]
fn a_paused_pair_is_left_alone() {
    ready().with(|case| case.pair.paused_until = Some(at(60))).check(&Wait("pair.paused", 60, false));
    ready().with(|case| case.pair.paused_until = Some(at(60))).now(60).check(&Call);
    unasked().with(|case| case.pair.paused_until = Some(at(60))).check(&Wait("pair.paused", 60, false));
}

#[test]
fn a_callback_that_used_its_attempts_is_closed_or_invites() {
    let case = || ready().with(|case| case.callback.attempts_made = 3);
    ready().with(|case| case.callback.attempts_made = 2).check(&Call);
    case().check(&Finish(Outcome::Exhausted, "attempts.used"));
    case().with(|case| case.sender.invite = "HXinvite".parse().ok()).check(&Invite("attempts.used"));
}

#[test]
fn a_declined_consumer_can_be_invited_once_and_within_hours() {
    let case = || {
        unasked().with(|case| {
            case.pair.permission = CallPermission::Declined { until: at(5 * DAY) };
            case.callback.order.purpose = Purpose::Requested;
            case.rules.people.invite_after_decline = true;
            case.sender.invite = "HXinvite".parse().ok();
            case.callback.order.hours = Some("daily 09:00-18:00 @America/Sao_Paulo".parse().unwrap());
        })
    };
    case().check(&Invite("permission.declined"));
    case().now(9 * HOUR).check(&Wait("window.outside_hours", DAY, false));
    // When the refusal lapses the consumer may be asked again.
    case().with(|case| case.callback.invited_at = Some(at(-60))).check(&Wait(
        "invite.awaiting_call",
        5 * DAY,
        false,
    ));
}

#[test]
fn an_uncallable_consumer_is_neither_asked_nor_invited() {
    unasked()
        .with(|case| {
            case.pair.permission = CallPermission::Uncallable { until: at(40 * DAY) };
            case.sender.invite = "HXinvite".parse().ok();
        })
        .check(&Finish(Outcome::Failed, "permission.uncallable"));
}

#[test]
fn faults_in_a_row_close_the_callback() {
    ready().with(|case| case.callback.faults = 4).check(&Call);
    ready().with(|case| case.callback.faults = 5).check(&Finish(Outcome::Failed, "platform.too_many_faults"));
}

#[test]
fn a_canceled_callback_is_closed_whatever_else_binds() {
    unasked()
        .with(|case| case.callback.cancel_requested_at = Some(at(0)))
        .check(&Finish(Outcome::Canceled, "customer.canceled"));
}

#[test]
fn a_callback_that_an_earlier_call_reached_is_closed_so_whatever_else_binds() {
    let reached = || unasked().with(|case| case.callback.reached_late_at = Some(at(0)));
    let end = Finish(Outcome::Reached, "attempt.answered");
    reached().check(&end);
    reached().with(|case| case.callback.cancel_requested_at = Some(at(-1))).check(&end);
    reached().with(|case| case.callback.order.latest = at(0)).check(&end);
}

#[test]
fn a_callback_without_a_known_sender_fails() {
    let case = ready();
    let situation = situation(&case.callback, []);
    let step = next_step(at(0), &situation, &case.rules);
    assert_eq!(step, Step::Finish { outcome: Outcome::Failed, reason: Reason::SenderUnknown });
}

/// Twilio, WhatsApp Business Calling (2026): no calls to Cuba, Iran, North Korea and Syria.
#[test]
fn a_barred_consumer_is_neither_called_nor_asked_nor_invited() {
    let barred = |number: &str| {
        let consumer = Phone::parse(number).unwrap();
        ready().with(move |case| {
            case.callback.order.consumer = consumer;
            case.sender.invite = "HXinvite".parse().ok();
        })
    };
    let refused = Finish(Outcome::Failed, "consumer.destination_barred");
    barred("+5351234567").check(&refused);
    barred("+5351234567").with(|case| case.pair.permission = CallPermission::None).check(&refused);
    barred("+525512345678").check(&Call);
    barred("+541123456789").check(&Call);
    barred("+5351234567").with(|case| case.rules.destinations_refused.clear()).check(&Call);
}
