//! What calls, requests and callbacks count as, each boundary.

use uuid::Uuid;

use super::*;
use crate::domain::callback::{Closed, Waiting};
use crate::domain::event::{CallReport, ConnectionEnd, ConnectionReport};
use crate::domain::message::Ordered;
use crate::domain::{
    AttemptId, CallProgress, CallbackId, ErrorCode, Grant, LegOrder, MessageId, Numbers, Order, Phone, Proof,
    Reason,
};

const CALL: &str = "CA00000000000000000000000000000001";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn numbers() -> Numbers {
    Numbers {
        sender: Phone::parse("+551151991234").unwrap(),
        consumer: Phone::parse("+5511987654321").unwrap(),
    }
}

/// A call that was sent at this moment.
fn attempt(sent_at: &str) -> Attempt {
    let (id, callback) = (AttemptId::new(Uuid::from_u128(1)), CallbackId::new(Uuid::from_u128(2)));
    let mut attempt = Attempt::new(id, callback, numbers(), "main", LegOrder::ConsumerFirst, at(sent_at));
    attempt.submission.submit(at(sent_at));
    attempt
}

fn report(attempt: &mut Attempt, moment: &str, progress: CallProgress, duration_s: Option<u32>) {
    let report = CallReport {
        attempt: attempt.id,
        sid: CALL.to_owned(),
        parent_sid: None,
        progress,
        at: Some(at(moment)),
        duration_s,
        sip_code: None,
        error_code: None,
    };
    attempt.observe(at(moment), &report);
}

fn counted(attempt: &Attempt) -> Vec<Counted> {
    let facts = Facts {
        campaign: "spring",
        purpose: Purpose::Service,
        agent: Some("client:ana"),
        told: attempt.disposition(),
        promised_at: None,
        first_rang_at: None,
    };
    of_attempt(attempt, &facts)
}

fn of(all: &[Counted], family: Family) -> Vec<(&str, Quarter, Counts)> {
    let own = all.iter().filter(|counted| counted.family == family);
    own.map(|counted| (&*counted.label, counted.quarter, counted.counts)).collect()
}

#[test]
fn a_call_in_progress_counts_as_nothing() {
    let mut attempt = attempt("2026-11-23T12:00:00Z");
    assert_eq!(counted(&attempt), []);
    report(&mut attempt, "2026-11-23T12:00:05Z", CallProgress::Ringing, None);
    assert_eq!(counted(&attempt), []);
    report(&mut attempt, "2026-11-23T12:00:09Z", CallProgress::InProgress, None);
    assert_eq!(counted(&attempt), []);
}

#[test]
fn a_call_counts_in_the_quarter_in_which_it_was_sent() {
    let mut attempt = attempt("2026-11-23T12:14:59.999999Z");
    report(&mut attempt, "2026-11-23T12:15:07Z", CallProgress::InProgress, None);
    report(&mut attempt, "2026-11-23T12:46:07Z", CallProgress::Ended(Disposition::Completed), Some(1_861));
    let all = counted(&attempt);
    let quarter = Quarter::of(at("2026-11-23T12:00:00Z"));
    let mut expected = Counts::default();
    expected[Calls::PLACED] = 1;
    expected[Calls::ANSWERED] = 1;
    expected[Calls::SERVED] = 1;
    expected[Calls::TALK_S] = 1_860;
    expected[Calls::LINE_S] = 1_861;
    assert_eq!(of(&all, Family::Sender), [("551151991234", quarter, expected)]);
    assert_eq!(of(&all, Family::Campaign), [("spring\t551151991234", quarter, expected)]);
    let lines = of(&all, Family::Country);
    assert_eq!((lines[0].0, lines[0].2[Lines::MINUTES_BEGUN]), ("spring\t55", 32));
    // The conversation is spread over three quarters.
    let busy: Vec<i64> = of(&all, Family::Agent).iter().map(|(_, _, counts)| counts[Hours::BUSY_S]).collect();
    assert_eq!(busy, [893, 900, 67]);
    let handled: i64 = of(&all, Family::Agent).iter().map(|(_, _, counts)| counts[Hours::HANDLED]).sum();
    assert_eq!(handled, 1);
}

#[test]
fn each_end_has_a_place_of_its_own() {
    for (end, place) in [
        (Disposition::NoAnswer, Calls::NO_ANSWER),
        (Disposition::Busy, Calls::BUSY),
        (Disposition::Failed, Calls::FAILED),
        (Disposition::Canceled, Calls::CANCELED),
    ] {
        let mut attempt = attempt("2026-11-23T12:00:00Z");
        report(&mut attempt, "2026-11-23T12:00:40Z", CallProgress::Ended(end), Some(0));
        let all = counted(&attempt);
        let counts = of(&all, Family::Sender)[0].2;
        let there: Vec<usize> = (0..PLACES).filter(|&place| counts[place] != 0).collect();
        assert_eq!(there, [Calls::PLACED, place], "{end:?}");
        assert!(of(&all, Family::Agent).is_empty());
    }
}

#[test]
fn an_abandoned_call_is_answered_and_not_served_until_a_late_proof() {
    let mut attempt = attempt("2026-11-23T12:00:00Z");
    attempt.proof = Proof::Bridge;
    report(&mut attempt, "2026-11-23T12:00:09Z", CallProgress::InProgress, None);
    report(&mut attempt, "2026-11-23T12:00:19Z", CallProgress::Ended(Disposition::Completed), Some(10));
    let counts = of(&counted(&attempt), Family::Sender)[0].2;
    assert_eq!((counts[Calls::ANSWERED], counts[Calls::SERVED], counts[Calls::ABANDONED]), (1, 0, 1));
    let (id, sid, leg_sid) = (attempt.id, CALL.to_owned(), None);
    let proof =
        ConnectionReport { attempt: id, sid, leg_sid, ended: ConnectionEnd::Bridged, duration_s: None };
    attempt.observe_connection(at("2026-11-23T12:01:00Z"), &proof);
    let counts = of(&counted(&attempt), Family::Sender)[0].2;
    assert_eq!((counts[Calls::ANSWERED], counts[Calls::SERVED], counts[Calls::ABANDONED]), (1, 1, 0));
}

#[test]
fn what_the_platform_refused_was_not_placed_and_costs_nothing() {
    let mut attempt = attempt("2026-11-23T12:00:00Z");
    attempt.submission.stage = Stage::Rejected;
    attempt.submission.error_code = Some(ErrorCode::of_twilio(63_024));
    let all = counted(&attempt);
    let counts = of(&all, Family::Sender)[0].2;
    assert_eq!((counts[Calls::PLACED], counts[Calls::REFUSED]), (0, 1));
    assert!(of(&all, Family::Country).is_empty());
    for stage in [Stage::Throttled, Stage::NotPlaced, Stage::Withdrawn] {
        attempt.submission.stage = stage;
        assert_eq!(counted(&attempt), [], "{stage:?}");
    }
}

#[test]
fn the_time_from_a_grant_to_the_ringing_has_steps() {
    for (seconds, place) in [(0, 0), (30, 0), (31, 1), (60, 1), (86_400, 10), (86_401, 11), (i64::MAX, 11)] {
        assert_eq!(seconds_step(seconds), place, "{seconds}");
    }
    let mut attempt = attempt("2026-11-23T12:00:00Z");
    let content: crate::domain::ContentRef = "HXask".parse().unwrap();
    attempt.grant = Some(Grant { at: at("2026-11-23T11:59:00Z"), by: Some(content) });
    report(&mut attempt, "2026-11-23T12:00:01Z", CallProgress::Ringing, None);
    report(&mut attempt, "2026-11-23T12:00:40Z", CallProgress::Ended(Disposition::NoAnswer), None);
    let all = counted(&attempt);
    let speed = of(&all, Family::Speed);
    assert_eq!((speed[0].0, speed[0].2[2]), ("spring", 1), "61 seconds");
    let content = of(&all, Family::Content);
    assert_eq!(
        (content[0].0, content[0].2[Contents::CALLED], content[0].2[Contents::CONNECTED]),
        ("HXask", 1, 0)
    );
}

#[test]
fn a_promise_is_kept_within_ten_minutes_on_either_side() {
    for (promised, kept) in [
        ("2026-11-23T11:50:00Z", 1),
        ("2026-11-23T11:49:59.999Z", 0),
        ("2026-11-23T12:10:00Z", 1),
        ("2026-11-23T12:10:00.001Z", 0),
    ] {
        let mut attempt = attempt("2026-11-23T11:59:50Z");
        report(&mut attempt, "2026-11-23T12:00:00Z", CallProgress::Ringing, None);
        report(&mut attempt, "2026-11-23T12:00:40Z", CallProgress::Ended(Disposition::NoAnswer), None);
        let facts = Facts {
            campaign: "",
            purpose: Purpose::Service,
            agent: None,
            told: attempt.disposition(),
            promised_at: Some(at(promised)),
            first_rang_at: attempt.rang_at,
        };
        let all = of_attempt(&attempt, &facts);
        let counts = of(&all, Family::Promise)[0].2;
        assert_eq!((counts[Promises::PROMISED], counts[Promises::KEPT]), (1, kept), "{promised}");
    }
}

#[test]
fn of_several_attempts_the_one_that_first_rang_counts_as_the_promised_call() {
    let mut second = attempt("2026-11-23T11:59:50Z");
    second.number = 2;
    report(&mut second, "2026-11-23T12:00:00Z", CallProgress::Ringing, None);
    report(&mut second, "2026-11-23T12:00:40Z", CallProgress::Ended(Disposition::NoAnswer), None);
    let count = |first_rang_at: Option<&str>| {
        let (told, first_rang_at) = (second.disposition(), first_rang_at.map(at));
        let promised_at = Some(at("2026-11-23T12:00:00Z"));
        let facts =
            Facts { campaign: "", purpose: Purpose::Service, agent: None, told, promised_at, first_rang_at };
        of(&of_attempt(&second, &facts), Family::Promise).len()
    };
    assert_eq!(count(Some("2026-11-23T12:00:00Z")), 1, "the first attempt did not ring");
    assert_eq!(count(Some("2026-11-23T11:00:00Z")), 0, "the first attempt rang");
}

#[test]
fn a_request_counts_by_its_content_and_its_last_answer() {
    let mut message = Message::new(
        MessageId::new(Uuid::from_u128(1)),
        MessagePurpose::PermissionRequest,
        "HXask".parse().unwrap(),
        numbers(),
        "main",
        at("2026-11-23T12:00:00Z"),
    );
    message.ordered = Some(Ordered { purpose: Purpose::Marketing, campaign: None });
    assert_eq!(of_message(&message, ""), []);
    message.submission.submit(at("2026-11-23T12:15:00Z"));
    assert_eq!(of_message(&message, ""), []);
    let observe = |message: &mut Message, progress| {
        message.observe(at("2026-11-23T12:15:09Z"), "SM1", progress, None);
        let all = of_message(message, "spring");
        let (label, quarter, counts) = of(&all, Family::Content)[0];
        assert_eq!((label, quarter), ("HXask", Quarter::of(at("2026-11-23T12:15:00Z"))));
        assert_eq!(of(&all, Family::Purpose), [("marketing", quarter, counts)]);
        counts
    };
    assert_eq!(observe(&mut message, MessageProgress::Sent)[..6], [1, 0, 0, 0, 0, 0]);
    assert_eq!(observe(&mut message, MessageProgress::Delivered)[..6], [1, 1, 0, 0, 0, 0]);
    message.reply = Some(Reply::Declined);
    assert_eq!(observe(&mut message, MessageProgress::Read)[..6], [1, 1, 1, 0, 1, 0]);
    message.reply = Some(Reply::Granted);
    assert_eq!(observe(&mut message, MessageProgress::Read)[..6], [1, 1, 1, 0, 1, 1]);
    message.purpose = MessagePurpose::Invite;
    let all = of_message(&message, "spring");
    assert_eq!(all.len(), 1, "an invite asks for nothing, and costs something");
    let (label, _, counts) = of(&all, Family::Country)[0];
    assert_eq!((label, counts[Lines::MESSAGES], counts[Lines::PLACED]), ("spring\t55", 1, 0));
}

#[test]
fn a_reached_callback_counts_by_its_attempts() {
    let until = at("2026-12-01T00:00:00Z");
    let order =
        Order::new(numbers().consumer, vec![numbers().sender], "message", at("2026-11-23T12:00:00Z"), until);
    let waiting = State::Waiting(Waiting { wake_at: until, place: None, note: Reason::Ready.note() });
    let id = CallbackId::new(Uuid::from_u128(2));
    let mut callback = Callback::new(id, at("2026-11-23T12:00:00Z"), order, waiting);
    assert_eq!(of_callback(&callback, "spring"), []);
    callback.attempts_made = 1;
    assert_eq!(of(&of_callback(&callback, "spring"), Family::List).len(), 1);
    assert_eq!(of_callback(&callback, ""), [], "there is no list without a campaign");
    let close = |outcome| {
        State::Closed(Closed { outcome, at: at("2026-11-24T08:00:00Z"), note: Reason::Ready.note() })
    };
    callback.state = close(Outcome::Expired);
    assert!(of(&of_callback(&callback, "spring"), Family::Reach).is_empty());
    for (made, place) in [(0, 0), (1, 1), (10, 10), (11, 11), (12, 11)] {
        callback.attempts_made = made;
        callback.state = close(Outcome::Reached);
        let all = of_callback(&callback, "spring");
        let reach = of(&all, Family::Reach);
        assert_eq!((reach[0].0, reach[0].2[place]), ("spring", 1), "{made}");
        assert_eq!(reach[0].1, Quarter::of(at("2026-11-24T08:00:00Z")));
    }
    callback.order.kind = OrderKind::Invite;
    assert_eq!(of_callback(&callback, "spring"), []);
}
