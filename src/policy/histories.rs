//! Property tests with random histories of a pair: invariants, and that the ledger, which drops old entries,
//! agrees with a simple evaluation of the whole history.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::event::PermissionAnswer;
use crate::domain::{MessageId, PairKey};

const MARGIN: SignedDuration = SignedDuration::from_secs(30);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const WEEK: SignedDuration = SignedDuration::from_hours(168);

/// Events of a pair.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Occurrence {
    /// A request is sent if the limits allow it. It is delivered, fails, or has no report.
    Ask {
        fate: Option<bool>,
    },
    Reply {
        answer: PermissionAnswer,
        automatic: bool,
    },
    Connect,
    InboundConnect,
    Miss,
    Denied,
}

fn happening() -> impl Strategy<Value = Occurrence> {
    use Occurrence::{Ask, Connect, Denied, InboundConnect, Miss, Reply};
    let answer = prop_oneof![
        3 => Just(PermissionAnswer::Temporary { expires_at: None }),
        1 => Just(PermissionAnswer::Permanent),
        2 => Just(PermissionAnswer::Rejected),
    ];
    prop_oneof![
        4 => proptest::option::of(any::<bool>()).prop_map(|fate| Ask { fate }),
        4 => (answer, any::<bool>()).prop_map(|(answer, automatic)| Reply { answer, automatic }),
        1 => Just(Connect),
        1 => Just(InboundConnect),
        4 => Just(Miss),
        1 => Just(Denied),
    ]
}

/// Gaps from zero to three days, often close to the length of a window.
fn history() -> impl Strategy<Value = Vec<(i64, Occurrence)>> {
    let gap = prop_oneof![0_i64..7200, 0_i64..(3 * 86_400), 86_395_i64..86_435];
    proptest::collection::vec((gap, happening()), 1..60)
}

fn rules(undelivered_requests_count: bool) -> Rules {
    let minutes = SignedDuration::from_mins;
    let counting = Counting { undelivered_requests_count, ..Counting::CAUTIOUS };
    Rules {
        limits: Limits::of(Profile::Twilio),
        retry: Retry {
            no_answer: minutes(240),
            busy: minutes(15),
            canceled: minutes(5),
            failed: minutes(5),
            abandoned: minutes(10),
            shift: false,
        },
        ask_ahead: DAY,
        margin: MARGIN,
        faults_max: 5,
        counting,
        pull_forward: minutes(60),
        ask_again: Some(AskAgain::DAILY),
        ceilings: super::Ceilings::new(),
        agent_calls_max: 1,
        destinations_refused: Vec::new(),
        people: super::PeopleRules::CAUTIOUS,
        registers: Vec::new(),
        stop_when_list_expired: false,
        number_zones: crate::domain::number_zones::Narrowed::default(),
        inviting: super::InviteRules::CAUTIOUS,
        queueing: super::Queueing::STRICT,
    }
}

/// The whole history. Nothing is dropped or reset.
#[derive(Default)]
struct Record(Vec<(Timestamp, Occurrence)>);

/// The result of a simple evaluation of the history.
#[derive(Debug, PartialEq)]
struct Reading {
    requests_day: usize,
    requests_week: usize,
    connected: usize,
    misses: u32,
    /// The end of the permission.
    permitted_until: Option<Timestamp>,
}

impl Record {
    fn read(&self, now: Timestamp, rules: &Rules) -> Reading {
        let counts = |fate| rules.counting.undelivered_requests_count || fate != Some(false);
        let connects = |happening| matches!(happening, Occurrence::Connect | Occurrence::InboundConnect);
        let last_connect = self.0.iter().rposition(|&(_, happening)| connects(happening));
        let forgiven = last_connect.map(|index| self.0[index].0);
        let requests = |window: SignedDuration| {
            let inside = |&&(at, happening): &&(Timestamp, Occurrence)| {
                let counted = matches!(happening, Occurrence::Ask { fate } if counts(fate));
                counted && at + window + MARGIN > now && forgiven.is_none_or(|call| at > call)
            };
            self.0.iter().filter(inside).count()
        };
        let ours = |&&(at, happening): &&(Timestamp, Occurrence)| {
            happening == Occurrence::Connect && at + DAY + MARGIN > now
        };
        let (misses, permitted_until) = self.standing(now);
        Reading {
            requests_day: requests(DAY),
            requests_week: requests(WEEK),
            connected: self.0.iter().filter(ours).count(),
            misses,
            permitted_until,
        }
    }

    /// The misses in a row, and the end of the permission.
    fn standing(&self, now: Timestamp) -> (u32, Option<Timestamp>) {
        let (mut misses, mut until, mut revoked) = (0, None::<Timestamp>, false);
        for &(at, happening) in &self.0 {
            let stood = until.is_some_and(|until| at < until);
            let granted = match happening {
                Occurrence::Connect | Occurrence::InboundConnect => {
                    misses = 0;
                    continue;
                }
                Occurrence::Miss => {
                    misses += 1;
                    if misses >= 4 && stood {
                        (until, revoked) = (None, true);
                    }
                    continue;
                }
                Occurrence::Ask { .. } => {
                    // A revoked permission was asked for again, so it is not revoked any more.
                    revoked = false;
                    continue;
                }
                Occurrence::Denied => {
                    until = until.filter(|_| !stood);
                    continue;
                }
                Occurrence::Reply { answer: PermissionAnswer::Rejected, automatic } => {
                    revoked = revoked || stood || automatic;
                    until = None;
                    continue;
                }
                Occurrence::Reply { answer: PermissionAnswer::Permanent, .. } => Timestamp::MAX,
                Occurrence::Reply { automatic: true, .. } if until == Some(Timestamp::MAX) => Timestamp::MAX,
                Occurrence::Reply { .. } => at + WEEK - MARGIN,
            };
            if revoked || misses >= 4 {
                misses = 0;
            }
            (until, revoked) = (Some(granted), false);
        }
        (misses, until.filter(|&until| now < until))
    }
}

/// The ledger of the daemon, driven as the scheduler drives it.
struct Model {
    pair: Pair,
    rules: Rules,
    record: Record,
    messages: u128,
}

impl Model {
    fn new(rules: Rules) -> Self {
        let phone = |text| Phone::parse(text).unwrap();
        let key = PairKey::of(phone("+551151991234"), phone("+5511987654321"));
        Self { pair: Pair::unknown(key), rules, record: Record::default(), messages: 0 }
    }

    fn take(&mut self, now: Timestamp, happening: Occurrence) {
        ledger::lapse(&mut self.pair, now);
        let (pair, rules) = (&mut self.pair, &self.rules);
        match happening {
            Occurrence::Ask { fate } => {
                let limits = [rules.limits.requests_short, rules.limits.requests_long];
                let used_up = limits
                    .iter()
                    .any(|&limit| rolling::used_up(&pair.requests, now, limit, MARGIN).is_some());
                if used_up || pair.permission.is_live(now) || pair.request.is_some() {
                    return;
                }
                self.messages += 1;
                let message = MessageId::new(Uuid::from_u128(self.messages));
                ledger::request_intended(pair, now, message, rules);
                ledger::request_sent(pair, message, now, rules);
                match fate {
                    Some(true) => ledger::request_delivered(pair, message, now, rules),
                    Some(false) => ledger::request_failed(pair, message, now, rules),
                    None => {}
                }
            }
            Occurrence::Reply { answer, automatic } => {
                ledger::replied(pair, now, answer, automatic, rules);
            }
            Occurrence::Connect => ledger::call_connected(pair, now, rules),
            Occurrence::InboundConnect => ledger::inbound_connected(pair, now, rules),
            Occurrence::Miss => ledger::call_missed(pair, now, rules),
            Occurrence::Denied => ledger::permission_denied(pair),
        }
        self.record.0.push((now, happening));
    }

    fn read(&self, now: Timestamp) -> Reading {
        let mut pair = self.pair.clone();
        ledger::lapse(&mut pair, now);
        Reading {
            requests_day: rolling::inside(&pair.requests, now, DAY + MARGIN),
            requests_week: rolling::inside(&pair.requests, now, WEEK + MARGIN),
            connected: rolling::inside(&pair.connected, now, DAY + MARGIN),
            misses: pair.misses,
            permitted_until: match pair.permission {
                CallPermission::Temporary { expires_at } => Some(expires_at),
                CallPermission::Permanent => Some(Timestamp::MAX),
                _ => None,
            },
        }
    }
}

/// Applies a history, and calls `look` after each event and a moment later.
fn apply(history: &[(i64, Occurrence)], rules: &Rules, mut look: impl FnMut(&Model, Timestamp)) {
    let mut model = Model::new(rules.clone());
    let mut now = Timestamp::constant(1_790_000_000, 0);
    for &(gap, happening) in history {
        now += SignedDuration::from_secs(gap);
        look(&model, now);
        model.take(now, happening);
        look(&model, now);
    }
}

proptest! {
    #[test]
    fn the_ledger_agrees_with_a_plain_reading_of_all_that_happened(
        history in history(),
        undelivered_count in any::<bool>(),
    ) {
        let rules = rules(undelivered_count);
        apply(&history, &rules, |model, now| {
            assert_eq!(model.read(now), model.record.read(now, &rules), "{:?}", model.record.0);
        });
    }

    /// Meta, Obtain user call permissions (26 Jun 2026): 1 in 24 h and 2 in 7 days, unless a call connected.
    #[test]
    fn no_window_holds_more_requests_than_are_allowed_unless_a_call_connected_between(history in history()) {
        let rules = rules(true);
        apply(&history, &rules, |model, _| {
            let asked = |happening: Occurrence| matches!(happening, Occurrence::Ask { .. });
            let connects =
                |happening: Occurrence| matches!(happening, Occurrence::Connect | Occurrence::InboundConnect);
            for (start, &(first, _)) in model.record.0.iter().enumerate().filter(|(_, (_, h))| asked(*h)) {
                let row = || model.record.0[start..].iter().take_while(|(_, h)| !connects(*h));
                let inside = |window: SignedDuration| {
                    row().filter(|(at, h)| asked(*h) && *at < first + window).count()
                };
                assert!(inside(DAY) <= 1, "{:?}", model.record.0);
                assert!(inside(WEEK) <= 2, "{:?}", model.record.0);
            }
        });
    }

    #[test]
    fn a_live_permission_follows_a_grant_that_nothing_revoked(history in history()) {
        let rules = rules(true);
        apply(&history, &rules, |model, now| {
            if !model.pair.permission.is_live(now) {
                return;
            }
            let record = &model.record.0;
            let says = |h: Occurrence, no: bool| {
                matches!(h, Occurrence::Reply { answer, .. } if (answer == PermissionAnswer::Rejected) == no)
            };
            let granted = record.iter().rposition(|&(_, h)| says(h, false)).expect("somebody granted it");
            let later = &record[granted + 1..];
            assert!(!later.iter().any(|&(_, h)| says(h, true) || h == Occurrence::Denied), "{record:?}");
        });
    }

    #[test]
    fn no_more_misses_are_counted_than_there_were_since_a_call_connected(history in history()) {
        let rules = rules(true);
        apply(&history, &rules, |model, _| {
            let connects = |h: Occurrence| matches!(h, Occurrence::Connect | Occurrence::InboundConnect);
            let row = model.record.0.iter().rev().take_while(|(_, h)| !connects(*h));
            let missed = row.filter(|(_, h)| *h == Occurrence::Miss).count();
            assert!(model.pair.misses as usize <= missed, "{:?}", model.record.0);
        });
    }
}
