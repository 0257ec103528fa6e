//! All states of one attempt: the transitions of the protocol, with a crash at each step and each message lost,
//! repeated, late or out of order.
//!
//! The transitions are the daemon's own. This file models the network, the platform, and the memory that a crash loses.

use std::hash::{Hash, Hasher};

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::event::CallReport;
use ringmaster::domain::{
    Answer, Attempt, AttemptId, CallProgress, CallbackId, Disposition, ErrorCode, LegOrder, Numbers, Phone,
    Stage,
};
use stateright::{Checker as _, Model, Property};
use uuid::Uuid;

const SID: &str = "CA00000000000000000000000000000001";
const CRASHES_MAX: u8 = 2;
const DOUBLES_MAX: u8 = 1;

/// The create request on the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Nothing,
    OnItsWay,
    /// It arrived, or will never arrive.
    Done,
}

/// The daemon's state in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    Down,
    /// The intent is committed and may be submitted.
    Intends,
    /// The submission is committed; the request is about to be sent.
    Sends,
    /// The daemon waits for the answer.
    Awaits,
    Idle,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct World {
    /// The committed attempt.
    attempt: Attempt,
    memory: Memory,
    wire: Wire,
    answer: Option<Answer>,
    calls: u8,
    call: Option<CallProgress>,
    /// Reports that may arrive, in any order.
    reports: Vec<CallProgress>,
    /// The results of lookups that are on their way back.
    finding: Option<Option<CallProgress>>,
    crashes: u8,
    doubles: u8,
    regressed: bool,
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        format!("{self:?}").hash(state);
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Submit,
    Withdraw,
    Send,
    NeverLeaves,
    Arrives(Arrival),
    IsLost,
    AnswerArrives,
    AnswerIsLost,
    TimesOut,
    CallGoesOn(CallProgress),
    ReportArrives(usize),
    ReportIsDoubled(usize),
    ReportIsLost(usize),
    Asks,
    FindingArrives,
    FindingIsLost,
    Crashes,
    Restarts,
}

/// How the platform handles a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    Accepted,
    /// It exists, and the platform answers with a failure.
    AcceptedWith500,
    Refused,
    Throttled,
    /// It does not exist, and the platform answers with a failure.
    Failed500,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

/// A time after the submission when no request can be in transit.
fn horizon() -> Timestamp {
    at(0) + SignedDuration::from_mins(15)
}

fn report(progress: CallProgress) -> CallReport {
    CallReport {
        attempt: AttemptId::new(Uuid::from_u128(1)),
        sid: SID.to_owned(),
        parent_sid: None,
        progress,
        at: Some(at(0)),
        duration_s: None,
        sip_code: None,
        error_code: None,
    }
}

fn begin() -> World {
    World {
        attempt: Attempt::new(
            AttemptId::new(Uuid::from_u128(1)),
            CallbackId::new(Uuid::from_u128(2)),
            Numbers {
                sender: Phone::parse("+551151991234").unwrap(),
                consumer: Phone::parse("+5511987654321").unwrap(),
            },
            "main",
            LegOrder::ConsumerFirst,
            at(0),
        ),
        memory: Memory::Intends,
        wire: Wire::Nothing,
        answer: None,
        calls: 0,
        call: None,
        reports: Vec::new(),
        finding: None,
        crashes: 0,
        doubles: 0,
        regressed: false,
    }
}

impl World {
    fn accept(&mut self) {
        self.calls += 1;
        self.call = Some(CallProgress::Queued);
    }

    fn call_lives(&self) -> bool {
        self.call.is_some_and(|call| !matches!(call, CallProgress::Ended(_)))
    }

    /// Whether the daemon would look the attempt up.
    fn is_silent(&self) -> bool {
        self.attempt.is_live() && matches!(self.attempt.submission.stage, Stage::Unknown | Stage::Accepted)
    }

    fn change(&mut self, change: impl FnOnce(&mut Attempt)) {
        let before = self.attempt.clone();
        change(&mut self.attempt);
        let (was, is) = (&before, &self.attempt);
        let lost = |was: bool, is: bool| was && !is;
        self.regressed |= is.first_leg.rank() < was.first_leg.rank()
            || lost(was.ended_at.is_some(), is.ended_at.is_some())
            || lost(was.connected_at.is_some(), is.connected_at.is_some())
            || lost(was.submission.sid.is_some(), is.submission.sid.is_some())
            || (was.submission.stage != is.submission.stage
                && !was.submission.stage.may_become(is.submission.stage));
    }

    /// The next states of the call.
    fn ways_of_the_call(&self) -> Vec<CallProgress> {
        use CallProgress::{Ended, InProgress, Initiated, Queued, Ringing};
        match self.call {
            Some(Queued) => vec![Initiated, Ended(Disposition::Failed)],
            Some(Initiated) => vec![Ringing, Ended(Disposition::Failed)],
            Some(Ringing) => vec![InProgress, Ended(Disposition::NoAnswer)],
            Some(InProgress) => vec![Ended(Disposition::Completed)],
            Some(Ended(_)) | None => Vec::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Submit => {
                self.change(|attempt| _ = attempt.submission.submit(at(0)));
                self.memory = Memory::Sends;
            }
            Step::Withdraw => {
                self.change(|attempt| _ = attempt.submission.withdraw());
                self.memory = Memory::Idle;
            }
            Step::Send => (self.wire, self.memory) = (Wire::OnItsWay, Memory::Awaits),
            Step::NeverLeaves => {
                self.change(|attempt| _ = attempt.submission.answer(at(0), &Answer::NotSent));
                (self.wire, self.memory) = (Wire::Done, Memory::Idle);
            }
            Step::Arrives(arrival) => {
                self.wire = Wire::Done;
                if matches!(arrival, Arrival::Accepted | Arrival::AcceptedWith500) {
                    self.accept();
                }
                self.answer = Some(match arrival {
                    Arrival::Accepted => Answer::Accepted { sid: SID.to_owned() },
                    Arrival::AcceptedWith500 | Arrival::Failed500 => Answer::Unknown,
                    Arrival::Refused => Answer::Rejected { error_code: Some(ErrorCode::of_twilio(37000)) },
                    Arrival::Throttled => Answer::Throttled,
                });
            }
            Step::IsLost => self.wire = Wire::Done,
            Step::AnswerArrives => {
                if let Some(answer) = self.answer.take()
                    && self.memory == Memory::Awaits
                {
                    self.change(|attempt| _ = attempt.submission.answer(at(0), &answer));
                    self.memory = Memory::Idle;
                }
            }
            Step::AnswerIsLost => self.answer = None,
            Step::TimesOut => {
                self.change(|attempt| _ = attempt.submission.answer(at(0), &Answer::Unknown));
                self.answer = None;
                self.memory = Memory::Idle;
            }
            Step::CallGoesOn(progress) => {
                self.call = Some(*progress);
                self.reports.push(*progress);
                self.reports.sort_by_key(|progress| progress.rank());
            }
            Step::ReportArrives(index) => {
                let progress = self.reports.remove(*index);
                self.change(|attempt| _ = attempt.observe(at(0), &report(progress)));
            }
            Step::ReportIsDoubled(index) => {
                self.doubles += 1;
                let progress = self.reports[*index];
                self.change(|attempt| _ = attempt.observe(at(0), &report(progress)));
            }
            Step::ReportIsLost(index) => _ = self.reports.remove(*index),
            Step::Asks => self.finding = Some(self.call),
            Step::FindingArrives => match self.finding.take() {
                Some(Some(progress)) => {
                    self.change(|attempt| _ = attempt.observe(at(0), &report(progress)));
                }
                Some(None) if self.attempt.submission.stage == Stage::Unknown => {
                    self.change(|attempt| _ = attempt.submission.disprove(horizon()));
                }
                _ => {}
            },
            Step::FindingIsLost => self.finding = None,
            Step::Crashes => {
                self.crashes += 1;
                self.memory = Memory::Down;
                (self.answer, self.finding) = (None, None);
                // A request that was sent continues without the daemon.
            }
            Step::Restarts => {
                match self.attempt.submission.stage {
                    Stage::Intent => self.change(|attempt| _ = attempt.submission.withdraw()),
                    Stage::Submitting => self.change(|attempt| _ = attempt.submission.recover(at(0))),
                    _ => {}
                }
                if self.wire == Wire::Nothing {
                    self.wire = Wire::Done;
                }
                self.memory = Memory::Idle;
            }
        }
    }
}

struct Protocol;

impl Model for Protocol {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![begin()]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        let up = world.memory != Memory::Down;
        match world.memory {
            Memory::Down => steps.push(Step::Restarts),
            Memory::Intends => steps.extend([Step::Submit, Step::Withdraw]),
            Memory::Sends => steps.extend([Step::Send, Step::NeverLeaves]),
            Memory::Awaits => steps.push(Step::TimesOut),
            Memory::Idle => {}
        }
        if up && world.crashes < CRASHES_MAX {
            steps.push(Step::Crashes);
        }
        if world.wire == Wire::OnItsWay {
            let arrivals = [
                Arrival::Accepted,
                Arrival::AcceptedWith500,
                Arrival::Refused,
                Arrival::Throttled,
                Arrival::Failed500,
            ];
            steps.extend(arrivals.map(Step::Arrives));
            steps.push(Step::IsLost);
        }
        if world.answer.is_some() {
            steps.extend([Step::AnswerArrives, Step::AnswerIsLost]);
        }
        steps.extend(world.ways_of_the_call().into_iter().map(Step::CallGoesOn));
        for index in 0..world.reports.len() {
            // A report is lost while the daemon is down, because the platform gives up.
            steps.push(Step::ReportIsLost(index));
            if up {
                steps.push(Step::ReportArrives(index));
            }
            if up && world.doubles < DOUBLES_MAX {
                steps.push(Step::ReportIsDoubled(index));
            }
        }
        // A lookup without a result counts from the horizon on, which is far longer than a request is in transit.
        if up && world.wire == Wire::Done && world.finding.is_none() && world.is_silent() {
            steps.push(Step::Asks);
        }
        if up && world.finding.is_some() {
            steps.extend([Step::FindingArrives, Step::FindingIsLost]);
        }
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut next = world.clone();
        next.take(&step);
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("at most one call is accepted", |_, world: &World| world.calls <= 1),
            Property::always("an attempt never goes back", |_, world: &World| !world.regressed),
            Property::always("a call in progress keeps its slot", |_, world: &World| {
                !world.call_lives() || world.attempt.is_live()
            }),
            Property::always("an accepted call has a SID", |_, world: &World| {
                world.attempt.submission.stage != Stage::Accepted || world.attempt.submission.sid.is_some()
            }),
            Property::always("no slot is leaked", |_, world: &World| ends(world.clone())),
            Property::sometimes("an unknown attempt is resolved with a call", |_, world: &World| {
                world.crashes > 0 && world.attempt.disposition() == Some(Disposition::Completed)
            }),
            Property::sometimes("an unknown attempt is resolved without a call", |_, world: &World| {
                world.attempt.submission.stage == Stage::NotPlaced && world.wire == Wire::Done
            }),
        ]
    }
}

/// Whether the slot is free at the end if every report is lost and there are no further faults.
fn ends(mut world: World) -> bool {
    world.reports.clear();
    if world.memory == Memory::Down {
        world.take(&Step::Restarts);
    }
    for _ in 0..12 {
        let step = match world.memory {
            Memory::Intends => Step::Submit,
            Memory::Sends => Step::Send,
            Memory::Awaits if world.wire == Wire::OnItsWay => Step::Arrives(Arrival::AcceptedWith500),
            Memory::Awaits => Step::TimesOut,
            Memory::Idle | Memory::Down => match (world.wire, world.ways_of_the_call().last()) {
                (Wire::OnItsWay, _) => Step::IsLost,
                (_, Some(progress)) => Step::CallGoesOn(*progress),
                _ if world.finding.is_some() => Step::FindingArrives,
                _ if world.is_silent() => Step::Asks,
                _ => break,
            },
        };
        world.take(&step);
    }
    !world.attempt.is_live()
}

#[test]
fn no_path_of_an_attempt_violates_a_property() {
    let checker = Protocol.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    let states = checker.unique_state_count();
    println!("{states} states, {} deep", checker.max_depth());
    assert!(states > 1_000, "only {states} states");
}
