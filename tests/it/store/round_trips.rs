//! Every field and every variant reads as it was written.

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::attempt::{Candidate, Look};
use ringmaster::domain::event::{ConnectionEnd, MessageProgress};
use ringmaster::domain::{
    AgentTarget, Attempt, Bridge, CallPermission, CallProgress, Callback, Channel, Consent, Disposition,
    ErrorCode, Gate, Holds, Issuer, LegOrder, LinkGiven, Message, MessagePurpose, Note, Notice, OrderKind,
    Outcome, Pair, Priority, Proof, Recording, RecordingState, Recordings, Resource, RoadFailure, RoadKind,
    Stage, State, Submission,
};
use ringmaster::store::{Batch, Store};

use super::samples::*;

const STAGES: [Stage; 8] = [
    Stage::Intent,
    Stage::Submitting,
    Stage::Accepted,
    Stage::Rejected,
    Stage::Throttled,
    Stage::Unknown,
    Stage::NotPlaced,
    Stage::Withdrawn,
];

pub(super) const PROGRESS: [CallProgress; 9] = [
    CallProgress::Queued,
    CallProgress::Initiated,
    CallProgress::Ringing,
    CallProgress::InProgress,
    CallProgress::Ended(Disposition::Completed),
    CallProgress::Ended(Disposition::NoAnswer),
    CallProgress::Ended(Disposition::Busy),
    CallProgress::Ended(Disposition::Failed),
    CallProgress::Ended(Disposition::Canceled),
];

pub(super) const CONNECTIONS: [ConnectionEnd; 8] = [
    ConnectionEnd::Bridged,
    ConnectionEnd::NoAnswer,
    ConnectionEnd::Busy,
    ConnectionEnd::Failed,
    ConnectionEnd::Canceled,
    ConnectionEnd::LeftQueue,
    ConnectionEnd::Played,
    ConnectionEnd::Nobody,
];

pub(super) const MESSAGES: [MessageProgress; 5] = [
    MessageProgress::Queued,
    MessageProgress::Sent,
    MessageProgress::Delivered,
    MessageProgress::Read,
    MessageProgress::Failed,
];

/// Characters that could end a quotation, a line or a text too early.
pub(super) const ODD: &str = "Zoë's \"5% off\",\n\t\\ ; -- 日本 🎩 {}";

fn full_callback(n: u32) -> Callback {
    let mut full = callback(n);
    full.order.senders = vec![sender(2), sender(1), sender(3)];
    full.order.hours = "mon-fri 09:00-18:00, sat 10:00-24:00 @Europe/Berlin".parse().ok();
    full.order.variables = [(String::new(), ODD.into()), (ODD.into(), String::new())].into();
    full.order.document = ODD.into();
    full.order.agent = Some(AgentTarget::Client("alice".into()));
    full.order.attempts_max = u32::MAX;
    full.order.campaign = Some(ODD.into());
    full.order.separate = true;
    full.order.pool = "support".parse().ok();
    full.order.consent = Some(Consent {
        source: ODD.into(),
        at: Timestamp::constant(1_790_000_000, 123_456_000),
        text_version: Some(ODD.into()),
        expires_at: Some(Timestamp::constant(1_790_000_060, 1_000)),
    });
    full.order.reference = Some(String::new());
    full.order.metadata = Some(" {\"b\": 1.0, \"a\" :null} ".into());
    full.tenant = "shop".parse().unwrap();
    full.ordered_by = Some(ODD.into());
    full.attempts_opened = 3;
    full.attempts_made = 2;
    full.faults = 3;
    full.retry_at = Some(at(11));
    full.invited_at = Some(at(12));
    full.invited_by = "url_button:cloud".parse().ok();
    full.roads_failed = [None, Some(ErrorCode::new(Issuer::Meta, 131_009))]
        .map(|code| RoadFailure { road: "call_button:cloud".parse().unwrap(), code })
        .into();
    full.links = vec![
        LinkGiven { sender: sender(1), at: at(19) },
        LinkGiven { sender: sender(7), at: Timestamp::constant(1_790_000_000, 1_000) },
    ];
    full.missed_call_at = Some(at(18));
    full.cancel_requested_at = Some(at(13));
    full.reached_late_at = Some(at(17));
    full
}

pub async fn callbacks(store: &dyn Store) {
    let mut samples = vec![callback(0), full_callback(1)];
    let mut add = |change: &dyn Fn(&mut Callback)| {
        let mut sample = full_callback(u32::try_from(samples.len()).unwrap());
        change(&mut sample);
        samples.push(sample);
    };
    add(&|c| c.order.agent = Some(AgentTarget::Sip("sips:daemon@example.com:5061;transport=tls".into())));
    add(&|c| c.order.senders = vec![]);
    add(&|c| c.group = "south".parse().unwrap());
    add(&|c| c.state = waiting(5, Some(Gate::sender(sender(7)))));
    add(&|c| c.state = waiting(5, Some(Gate::Account("a:b c".into()))));
    add(&|c| c.state = waiting(5, Some(Gate::campaign("spring: a, b"))));
    add(&|c| c.state = waiting(5, Some(Gate::Rest(sender(7)).or(Gate::Account("main".into())))));
    add(&|c| c.attempt_allowed_at = Some(at(6)));
    add(&|c| c.abandoned_at = Some(at(6)));
    add(&|c| c.reached_late_at = None);
    add(&|c| c.order.kind = OrderKind::Invite);
    add(&|c| {
        let psid = |digits: &str| digits.parse().unwrap();
        c.order.psids = [("page".into(), psid("6789012345678901")), ("two".into(), psid("1"))].into();
    });
    add(&|c| c.state = State::Calling { attempt: attempt_id(77) });
    for level in 0..=Priority::MAX {
        add(&|c| c.order.priority = Priority::new(level).unwrap());
    }
    for outcome in Outcome::ALL {
        add(&|c| c.state = closed(outcome));
    }
    let note = Note { code: ODD.into(), sentence: ODD.into(), lifts_at: Some(at(99)) };
    add(&|c| {
        if let State::Waiting(waiting) = &mut c.state {
            waiting.note = note.clone();
        }
    });
    keep(store, samples.clone()).await;
    let ids: Vec<_> = samples.iter().map(|sample| sample.id).collect();
    assert_eq!(store.callbacks(&ids).await.unwrap(), samples);

    // The same after a change.
    let amended: Vec<_> = samples.iter().map(|sample| next(sample, sample.state.clone())).collect();
    record(store, Batch { callbacks: amended.clone(), ..Batch::default() }).await;
    assert_eq!(store.callbacks(&ids).await.unwrap(), amended);
}

fn full_submission(stage: Stage) -> Submission {
    Submission {
        stage,
        intended_at: at(1),
        submitted_at: Some(at(2)),
        answered_at: Some(at(3)),
        sid: Some("CA00000000000000000000000000000001".into()),
        error_code: Some(ErrorCode { issuer: Issuer::Meta, number: u32::MAX }),
    }
}

fn full_attempt(n: u32) -> Attempt {
    Attempt {
        number: n,
        account: "other account".into(),
        order: LegOrder::AgentFirst,
        submission: full_submission(Stage::Accepted),
        first_leg: CallProgress::InProgress,
        second_leg: Some(CallProgress::Ringing),
        second_sid: Some("CA2".into()),
        connection: Some(ConnectionEnd::Bridged),
        connection_sid: Some("CA3".into()),
        bridge: Some(Bridge { sid: "CA2".into(), at: Some(at(5)) }),
        proof: Proof::Bridge,
        rang_at: Some(at(4)),
        connected_at: Some(at(5)),
        ended_at: Some(at(6)),
        duration_s: Some(u32::MAX),
        sip_code: Some(486),
        news_due_at: Some(at(7)),
        end_requested_at: Some(at(8)),
        held_until: Some(at(9)),
        last_look: Some(Box::new(Look {
            at: at(7),
            candidates: vec![Candidate {
                sid: "CA9".into(),
                progress: CallProgress::Ringing,
                created_at: Some(at(3)),
                duration_s: None,
                same_ends: false,
            }],
        })),
        recordings: Recordings::new(vec![Recording {
            sid: "RE1".into(),
            link: Some(ODD.into()),
            duration_s: Some(u32::MAX),
            notice: Notice::Spoken,
            told_at: at(6),
            delete_at: Some(at(10)),
            state: RecordingState::Kept,
            ask_at: Some(at(11)),
            tries: 1,
            deleted_at: None,
        }]),
        callback: callback_id(0),
        holds: Holds::new([Resource::Sender(sender(7)), Resource::campaign(ODD)]),
        ..attempt(n)
    }
}

pub async fn attempts(store: &dyn Store) {
    let mut samples = vec![attempt(0), full_attempt(1)];
    let mut add = |change: &dyn Fn(&mut Attempt)| {
        let mut sample = full_attempt(u32::try_from(samples.len()).unwrap());
        change(&mut sample);
        samples.push(sample);
    };
    for stage in STAGES {
        add(&|a| a.submission.stage = stage);
    }
    for progress in PROGRESS {
        add(&|a| a.first_leg = progress);
        add(&|a| a.second_leg = Some(progress));
    }
    for end in CONNECTIONS {
        add(&|a| a.connection = Some(end));
    }
    for proof in [Proof::Answer, Proof::Bot, Proof::Bridge, Proof::Playback] {
        add(&|a| a.proof = proof);
    }
    add(&|a| a.bridge = Some(Bridge { sid: ODD.into(), at: None }));
    samples[0].number = 0;
    keep(store, [callback(0)]).await;
    // They are stored from the last to the first, and are read in order of their numbers.
    let batch = Batch { attempts: samples.iter().rev().cloned().collect(), ..Batch::default() };
    record(store, batch).await;
    assert_eq!(store.callback(callback_id(0)).await.unwrap().unwrap().attempts, samples);
}

pub async fn messages(store: &dyn Store) {
    let full = |n| Message {
        purpose: MessagePurpose::Invite,
        callback: Some(callback_id(0)),
        content: "call_permission/pt_BR;--'\"".parse().unwrap(),
        submission: full_submission(Stage::Accepted),
        progress: MessageProgress::Read,
        delivered_at: Some(at(9)),
        ..message(n)
    };
    let mut samples = vec![message(0), full(1)];
    let mut add = |change: &dyn Fn(&mut Message)| {
        let mut sample = full(u32::try_from(samples.len()).unwrap());
        change(&mut sample);
        samples.push(sample);
    };
    for stage in STAGES {
        add(&|m| m.submission.stage = stage);
    }
    for progress in MESSAGES {
        add(&|m| m.progress = progress);
    }
    for road in RoadKind::ALL {
        add(&|m| m.road = Some(road));
    }
    add(&|m| {
        m.channel = Channel::Messenger { account: "page".into(), psid: "6789012345678901".parse().unwrap() }
    });
    keep(store, [callback(0)]).await;
    record(store, Batch { messages: samples.clone(), ..Batch::default() }).await;
    assert_eq!(store.callback(callback_id(0)).await.unwrap().unwrap().messages, samples);

    let alone = Message { callback: None, tenant: "other".parse().unwrap(), ..message(1_000) };
    record(store, Batch { messages: vec![alone.clone()], ..Batch::default() }).await;
    assert_eq!(store.messages(&[alone.id]).await.unwrap(), [alone]);
}

pub async fn pairs(store: &dyn Store) {
    let full = |n| Pair {
        permission: CallPermission::Permanent,
        request: Some(message_id(4)),
        requests: vec![at(1), at(2), at(-3)],
        connected: (0..100).map(at).collect(),
        misses: u32::MAX,
        invited_at: Some(at(5)),
        inbound_at: Some(at(6)),
        live_inbound: Some("CA8".into()),
        ended_inbound: Some("CA7".into()),
        inbound_began_at: Some(at(21)),
        missed_at: Some(at(22)),
        paused_until: Some(at(9)),
        declined_request_at: Some(at(10)),
        messaged_at: Some(at(11)),
        ..pair(n)
    };
    let permissions = [
        CallPermission::None,
        CallPermission::Requested { expires_at: at(20) },
        CallPermission::Declined { until: at(21) },
        CallPermission::Temporary { expires_at: at(22) },
        CallPermission::Permanent,
        CallPermission::Expired,
        CallPermission::RevokedByConsumer,
        CallPermission::RevokedAutomatically,
        CallPermission::Uncallable { until: at(23) },
    ];
    let mut samples = vec![pair(0)];
    for (n, permission) in (1..).zip(permissions) {
        samples.push(Pair { permission, ..full(n) });
    }
    record(store, Batch { pairs: samples.clone(), ..Batch::default() }).await;
    let keys: Vec<_> = samples.iter().map(|pair| pair.key).collect();
    assert_eq!(store.pairs(&keys).await.unwrap(), samples);

    let changed: Vec<_> = samples
        .iter()
        .map(|pair| Pair { version: 2, requests: vec![], misses: 0, request: None, ..pair.clone() })
        .collect();
    record(store, Batch { pairs: changed.clone(), ..Batch::default() }).await;
    assert_eq!(store.pairs(&keys).await.unwrap(), changed);
}

pub async fn entries(store: &dyn Store) {
    let mut full = entry(1, "attempt.opened");
    full.attempt = Some(attempt_id(1));
    full.message = Some(message_id(1));
    full.why = ODD.into();
    let mut no_pair = entry(1, "callback.closed");
    no_pair.pair = None;
    let mut no_callback = entry(1, "permission.granted");
    no_callback.callback = None;
    let entries = vec![full.clone(), no_pair.clone(), no_callback.clone()];
    record(store, Batch { entries, ..Batch::default() }).await;
    assert_eq!(store.timeline(callback_id(1)).await.unwrap(), [full.clone(), no_pair]);
    assert_eq!(store.pair_timeline(key(1)).await.unwrap(), [full, no_callback]);
}

pub async fn times_are_stored_to_the_microsecond(store: &dyn Store) {
    let fine = |nanoseconds| at(1) + SignedDuration::from_nanos(nanoseconds);
    let early = Timestamp::constant(-1, -5_000);
    let samples = [fine(123_456_789), fine(999_999_999), fine(1_000), fine(999), early];
    let kept = [fine(123_456_000), fine(999_999_000), fine(1_000), fine(0), early];
    let entries = samples
        .map(|at| {
            let mut entry = entry(1, "noted");
            entry.at = at;
            entry
        })
        .to_vec();
    record(store, Batch { entries, ..Batch::default() }).await;
    let read = store.timeline(callback_id(1)).await.unwrap();
    assert_eq!(read.iter().map(|entry| entry.at).collect::<Vec<_>>(), kept);
}
