//! All states of two nodes with one lease and one attempt: each node is paused anywhere, and each message between a node
//! and the database is late or lost.
//!
//! The rules are the daemon's own (`policy::lease`). A paused node takes no step while the time goes on.

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::{GroupName, Lease, LeaseEnd, RunId};
use ringmaster::policy::lease::{self, Claimant};
use stateright::{Checker as _, HasDiscoveries, Model, Property};

/// The lease of a node that asked at 0 can be claimed at 8, and is trusted until 7; a submission needs one second more. So
/// the second before each of these, it, and the second after.
const TIMES: [i64; 6] = [0, 1, 6, 7, 8, 9];
const ASKS_MAX: u8 = 2;
const ATTEMPTS: usize = 2;

/// A fault that the model has to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Flaw {
    None,
    /// It counts its trust from the arrival of the answer.
    TrustsFromTheAnswer,
    /// It does not ask its trust before the first byte.
    SendsWithoutTrust,
    /// A new leader does not wait for the end of the lease.
    DoesNotWait,
    /// A new leader takes what was submitting for an intent.
    SubmitsAgain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Stage {
    Nothing,
    Intent,
    Submitting,
    Unknown,
    Withdrawn,
}

/// The row of the lease.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Row {
    node: usize,
    term: u64,
    until: i64,
    is_resigned: bool,
    after_resigned: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Leadership {
    term: u64,
    trusted_until: i64,
    after_resigned: bool,
}

/// A claim on its way, or its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Asked {
    at: i64,
    answer: Option<Option<(u64, i64, bool)>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Node {
    asks: u8,
    asked: Option<Asked>,
    leadership: Option<Leadership>,
    /// The number with which it writes, and the term of its lease then.
    led: Option<(u64, u64)>,
    /// What it is about to send: the attempt, and the term of the lease.
    sends: Option<(usize, u64)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    now: i64,
    lease: Option<Row>,
    /// The number of the writer whose batches the store accepts.
    writer: u64,
    attempt: usize,
    stage: Stage,
    first_bytes: [u8; ATTEMPTS],
    /// A byte left while the other node trusted its lease.
    two_sent: bool,
    nodes: [Node; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    TimePasses,
    Asks(usize),
    IsHandled(usize),
    AnswerArrives(usize),
    AnswerIsLost(usize),
    Leads(usize),
    Opens(usize),
    Submits(usize),
    Sends(usize),
    Resigns(usize),
    TimesOut(usize),
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn up(second: i64) -> SignedDuration {
    SignedDuration::from_secs(second)
}

impl World {
    fn trusts(&self, node: usize) -> bool {
        let until = self.nodes[node].leadership.map(|leadership| up(leadership.trusted_until));
        until.is_some_and(|until| lease::is_trusted(up(self.now), until))
    }

    /// Whether the node is the writer, and trusts its lease.
    fn leads(&self, node: usize) -> bool {
        let Node { led, leadership, .. } = &self.nodes[node];
        let writes = led.is_some_and(|(writer, term)| {
            writer == self.writer && leadership.is_some_and(|leadership| leadership.term == term)
        });
        writes && self.trusts(node)
    }

    /// The database handles a claim.
    fn claim(&mut self, node: usize, flaw: Flaw) -> Option<(u64, i64, bool)> {
        let (run, name) = (RunId([u8::try_from(node).unwrap(); 16]), ["a", "b"][node]);
        let until = |lease: &Lease| lease.until.duration_since(at(0)).as_secs();
        let Some(row) = &self.lease else {
            let ttl = lease::TTL.as_secs();
            let until = self.now + ttl;
            self.lease = Some(Row { node, term: 1, until, is_resigned: false, after_resigned: false });
            return Some((1, ttl, false));
        };
        let stored = Lease {
            group: GroupName::default(),
            node: ["a", "b"][row.node].into(),
            run: RunId([u8::try_from(row.node).unwrap(); 16]),
            term: row.term,
            since: at(0),
            until: at(row.until),
            resigned_at: row.is_resigned.then(|| at(0)),
            began_after: row.after_resigned.then_some(LeaseEnd::Resigned),
        };
        let by = Claimant { node: name, run, takes_over: flaw == Flaw::DoesNotWait };
        let given = lease::claim(&stored, &by, at(self.now))?;
        let after_resigned = given.began_after == Some(LeaseEnd::Resigned);
        let until = until(&given);
        self.lease = Some(Row { node, term: given.term, until, is_resigned: false, after_resigned });
        Some((given.term, until - self.now, after_resigned))
    }

    /// The node begins to write, if it still has the lease, and resolves what was in progress.
    fn lead(&mut self, node: usize, flaw: Flaw) {
        let Some(leadership) = self.nodes[node].leadership else { return };
        let is_ours = self
            .lease
            .as_ref()
            .is_some_and(|row| row.node == node && row.term == leadership.term && !row.is_resigned);
        if !is_ours {
            self.nodes[node].leadership = None;
            return;
        }
        self.writer += 1;
        self.nodes[node].led = Some((self.writer, leadership.term));
        self.stage = match self.stage {
            Stage::Intent => Stage::Withdrawn,
            Stage::Submitting if flaw == Flaw::SubmitsAgain => Stage::Intent,
            Stage::Submitting if !leadership.after_resigned => Stage::Unknown,
            stage => stage,
        };
    }

    fn send(&mut self, node: usize, flaw: Flaw) {
        let Some((attempt, term)) = self.nodes[node].sends.take() else { return };
        let may_leave = self.nodes[node].leadership.is_some_and(|leadership| {
            leadership.term == term && up(self.now) + lease::LEFT_AT_LEAST <= up(leadership.trusted_until)
        });
        if may_leave || flaw == Flaw::SendsWithoutTrust {
            self.first_bytes[attempt] += 1;
            self.two_sent |= self.trusts(1 - node);
        } else if attempt == self.attempt && self.stage == Stage::Submitting {
            // Recorded as not sent, by the leader or through the inbox.
            self.stage = Stage::Withdrawn;
        }
    }

    fn take(&mut self, step: Step, flaw: Flaw) {
        match step {
            Step::TimePasses => {
                self.now = TIMES.into_iter().find(|time| *time > self.now).unwrap_or(self.now)
            }
            Step::Asks(node) => {
                self.nodes[node].asks += 1;
                self.nodes[node].asked = Some(Asked { at: self.now, answer: None });
            }
            Step::IsHandled(node) => {
                let answer = Some(self.claim(node, flaw));
                if let Some(asked) = &mut self.nodes[node].asked {
                    asked.answer = answer;
                }
            }
            Step::AnswerArrives(node) => {
                let Some(Asked { at, answer: Some(answer) }) = self.nodes[node].asked.take() else { return };
                let from = if flaw == Flaw::TrustsFromTheAnswer { self.now } else { at };
                self.nodes[node].leadership = answer.map(|(term, lasts, after_resigned)| Leadership {
                    term,
                    trusted_until: lease::trusted_until(up(from), up(lasts)).as_secs(),
                    after_resigned,
                });
            }
            Step::AnswerIsLost(node) => self.nodes[node].asked = None,
            Step::Leads(node) => self.lead(node, flaw),
            Step::Opens(_) => {
                if self.stage == Stage::Withdrawn {
                    self.attempt += 1;
                }
                self.stage = Stage::Intent;
            }
            Step::Submits(node) => {
                self.stage = Stage::Submitting;
                let term = self.nodes[node].leadership.map_or(0, |leadership| leadership.term);
                self.nodes[node].sends = Some((self.attempt, term));
            }
            Step::Sends(node) => self.send(node, flaw),
            Step::Resigns(node) => {
                let term = self.nodes[node].leadership.take().map(|leadership| leadership.term);
                self.nodes[node].led = None;
                // One task keeps the lease: it does not wait for an answer any more.
                self.nodes[node].asked = None;
                let now = self.now;
                if let Some(row) =
                    self.lease.as_mut().filter(|row| row.node == node && Some(row.term) == term)
                {
                    (row.is_resigned, row.until) = (true, now);
                }
            }
            Step::TimesOut(_) => self.stage = Stage::Unknown,
        }
    }

    fn steps_of(&self, node: usize, steps: &mut Vec<Step>) {
        let it = &self.nodes[node];
        match it.asked {
            None if it.asks < ASKS_MAX => steps.push(Step::Asks(node)),
            None => {}
            Some(Asked { answer: None, .. }) => {
                steps.extend([Step::IsHandled(node), Step::AnswerIsLost(node)])
            }
            Some(Asked { answer: Some(_), .. }) => {
                steps.extend([Step::AnswerArrives(node), Step::AnswerIsLost(node)]);
            }
        }
        if it.sends.is_some() {
            steps.push(Step::Sends(node));
        }
        if self.trusts(node) {
            let leads = it.led.map(|(_, term)| term) == it.leadership.map(|leadership| leadership.term);
            steps.push(if leads { Step::Resigns(node) } else { Step::Leads(node) });
        }
        if !self.leads(node) {
            return;
        }
        match self.stage {
            Stage::Nothing => steps.push(Step::Opens(node)),
            Stage::Withdrawn if self.attempt + 1 < ATTEMPTS => steps.push(Step::Opens(node)),
            Stage::Intent if it.sends.is_none() => steps.push(Step::Submits(node)),
            Stage::Submitting if it.sends.is_none() => steps.push(Step::TimesOut(node)),
            Stage::Intent | Stage::Submitting | Stage::Withdrawn | Stage::Unknown => {}
        }
    }
}

struct Leases {
    flaw: Flaw,
}

impl Model for Leases {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            now: 0,
            lease: None,
            writer: 0,
            attempt: 0,
            stage: Stage::Nothing,
            first_bytes: [0; ATTEMPTS],
            two_sent: false,
            nodes: [Node::default(), Node::default()],
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if TIMES.last().is_some_and(|last| world.now < *last) {
            steps.push(Step::TimePasses);
        }
        world.steps_of(0, steps);
        world.steps_of(1, steps);
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut next = world.clone();
        next.take(step, self.flaw);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("an attempt has one first byte", |_, world: &World| {
                world.first_bytes.iter().all(|bytes| *bytes <= 1)
            }),
            Property::always("two nodes never trust the lease at once", |_, world: &World| {
                !(world.trusts(0) && world.trusts(1))
            }),
            Property::always("no byte leaves while another node leads", |_, world: &World| !world.two_sent),
            Property::sometimes("both nodes have led, and each has sent", |_, world: &World| {
                world.nodes.iter().all(|node| node.led.is_some())
                    && world.first_bytes.iter().all(|bytes| *bytes == 1)
            }),
        ]
    }
}

#[test]
fn of_two_nodes_one_dials_whatever_is_late_or_lost() {
    let checked = Leases { flaw: Flaw::None }.checker().threads(2).spawn_bfs().join();
    let never: Vec<&str> =
        checked.discoveries().into_keys().filter(|name| !name.starts_with("both")).collect();
    assert_eq!(never, Vec::<&str>::new());
    assert!(checked.unique_state_count() > 10_000, "{}", checked.unique_state_count());
}

#[test]
fn each_flaw_of_a_lease_is_found() {
    for (flaw, broken) in [
        (Flaw::TrustsFromTheAnswer, "two nodes never trust the lease at once"),
        (Flaw::SendsWithoutTrust, "no byte leaves while another node leads"),
        (Flaw::DoesNotWait, "two nodes never trust the lease at once"),
        (Flaw::SubmitsAgain, "an attempt has one first byte"),
    ] {
        let found = HasDiscoveries::AnyOf([broken].into());
        let checked = Leases { flaw }.checker().finish_when(found).spawn_bfs().join();
        assert!(checked.discovery(broken).is_some(), "{flaw:?}");
    }
}
