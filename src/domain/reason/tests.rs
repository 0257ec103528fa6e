//! Sentence, `lifts_at` and `lifted_by` of each reason.

use super::*;
use crate::domain::DayPart;
use crate::domain::callback::Waiting;

fn at(second: i64) -> Timestamp {
    "2026-11-23T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
}

fn paused(until: Option<Timestamp>) -> Reason {
    Reason::Paused { scope: PauseKind::All, who: "ops".into(), why: "a fire drill".into(), until }
}

#[test]
fn a_pause_names_who_why_and_until() {
    let end = at(1) + SignedDuration::from_millis(500);
    assert_eq!(
        paused(Some(end)).sentence(),
        "Everything is paused by the token \"ops\" until 2026-11-23T12:00:01Z: a fire drill."
    );
    let kinds = [PauseKind::All, PauseKind::Account, PauseKind::Sender, PauseKind::Person];
    let reasons = kinds.map(|scope| Reason::Paused {
        scope,
        who: "ops".into(),
        why: "a fire drill".into(),
        until: None,
    });
    assert_eq!(
        reasons.each_ref().map(Reason::code),
        ["pause.all", "pause.account", "pause.sender", "pause.person"]
    );
    assert!(reasons.iter().all(|reason| reason.sentence().contains("until it is lifted: a fire drill")));
}

#[test]
fn paused_content_is_named_with_its_end_and_the_platforms_reason() {
    let (content, why) =
        ("call_us/en".parse().unwrap(), "WhatsApp paused the template for low quality".into());
    let reason = Reason::ContentPaused { content, until: at(1) + SignedDuration::from_millis(500), why };
    assert_eq!(
        (reason.code(), &*reason.sentence()),
        (
            "content.paused",
            "The content call_us/en is paused until 2026-11-23T12:00:01Z: WhatsApp paused the template for low quality."
        )
    );
}

#[test]
fn what_time_alone_does_not_lift_says_who_can() {
    let answer = "the consumer's answer to the permission request";
    let operator = "an operator, with `ringmaster set-aside retry` or `ringmaster set-aside drop`";
    let call = "the end of a call in progress";
    for (reason, lifted_by) in [
        (Reason::NoPermission, answer),
        (Reason::AwaitingReply { lapses_at: at(0) }, answer),
        (Reason::AwaitingCall { until: at(0) }, "the consumer's call"),
        (
            Reason::ServiceWindowClosed,
            "a message or call from the consumer, or an approved template for the sender",
        ),
        (Reason::NoRequestContent, "content for permission requests in the sender's configuration"),
        (Reason::StreakGuard { misses: 3, revoked_at: 4 }, "a connected call in either direction"),
        (
            Reason::PermissionEndsFirst { expires_at: at(0) },
            "a new permission, or an earlier time for the call",
        ),
        (
            Reason::DestinationBarred { prefix: Prefix::parse("+53").unwrap() },
            "a change of limits.destinations_refused",
        ),
        (Reason::PairOnThePhone, call),
        (Reason::SenderFull { live: 2, max: 2 }, call),
        (Reason::AccountFull { live: 2, max: 2 }, call),
        (Reason::UrgentReserved { live: 9, max: 10, reserved: 1 }, call),
        (Reason::CampaignFull { live: 2, max: 2 }, call),
        (Reason::AgentBusy { live: 1, max: 1 }, call),
        (Reason::BotsBusy { live: 2, max: 2 }, call),
        (
            Reason::PoolFull { pool: "support".parse().unwrap(), used: 2, max: 2 },
            "a call that frees a seat, or a new figure of the pool",
        ),
        (
            Reason::PoolExpired { pool: "support".parse().unwrap(), since: at(0) },
            "a figure of the pool, with `ringmaster pool set`",
        ),
        (Reason::CallInProgress, call),
        (Reason::ReportSetAside, operator),
        (Reason::CallbackSetAside, operator),
        (Reason::DiallingStopped { since: at(0) }, "a restart"),
        (
            Reason::ClockInDoubt { since: at(0), by: SignedDuration::from_mins(6) },
            "dates of the platform that agree with the clock, or an operator, with `ringmaster clock confirm`",
        ),
        (Reason::Deposed { since: at(0) }, "the other daemon, or a restart of this one"),
        (Reason::StoreWentBack { since: at(0) }, "an operator, with `ringmaster lineage release`"),
        (Reason::CheckingCall, "a report or lookup of the call, or an operator who resolves it"),
        (Reason::PairFenced, "a report on the message, or an operator who resolves it"),
        (paused(None), "an operator, with `ringmaster resume`"),
        (Reason::SenderUnknown, "the sender in the configuration"),
        (Reason::DocumentUnknown, "the document in the TwiML directory"),
        (Reason::NoAgent, "an agent in the order or in the sender's configuration"),
    ] {
        assert_eq!((reason.lifted_by(), reason.lifts_at()), (Some(lifted_by), None), "{reason:?}");
    }
}

#[test]
fn what_time_lifts_needs_nobody() {
    let (window, max) = (SignedDuration::from_hours(24), 1);
    for reason in [
        Reason::BeforeEarliest { earliest: at(1) },
        Reason::NotToday { until: at(1) },
        Reason::OutsideHours { opens_at: at(1) },
        Reason::RetryNotBefore { at: at(1) },
        Reason::RetryShifted { at: at(1), part: DayPart::Evening },
        Reason::RetryAbandoned { at: at(1) },
        Reason::AskLater { at: at(1) },
        Reason::RequestLimit { used: 1, max, window, lifts_at: at(1) },
        Reason::ConnectedLimit { used: 1, max, window, lifts_at: at(1) },
        Reason::TokenCalls { max: 3, lifts_at: at(1) },
        Reason::TokenRequests { max: 3, lifts_at: at(1) },
        Reason::PairPaused { until: at(1) },
        Reason::SenderPaused { until: at(1), why: "low quality".into() },
        paused(Some(at(1))),
        Reason::ContentPaused { content: "HX1".parse().unwrap(), until: at(1), why: "low quality".into() },
        Reason::AccountPaced { next_at: at(1) },
        Reason::AccountPaused { until: at(1), why: "out of order".into() },
    ] {
        assert_eq!((reason.lifts_at(), reason.lifted_by()), (Some(at(1)), None), "{reason:?}");
        assert_eq!(reason.note().lifts_at, Some(at(1)));
    }
}

#[test]
fn a_pause_without_an_end_is_lifted_by_the_platform() {
    let (until, why) = (Waiting::NEVER, Cow::from("Meta restricts the account: DISABLE"));
    for (reason, sentence) in [
        (
            Reason::AccountPaused { until, why: why.clone() },
            "The account is paused until the platform ends it: ",
        ),
        (Reason::SenderPaused { until, why }, "The sender is paused until the platform ends it: "),
    ] {
        assert_eq!(reason.sentence(), format!("{sentence}Meta restricts the account: DISABLE."));
        assert_eq!(reason.lifted_by(), Some("the platform, which reports the end"));
    }
}

#[test]
fn what_ends_a_callback_is_lifted_by_nothing() {
    for reason in [
        Reason::Answered,
        Reason::ConsumerCalled,
        Reason::CustomerCanceled,
        Reason::Erased,
        Reason::Declined,
        Reason::Uncallable,
        Reason::DeadlinePassed { latest: at(1) },
        Reason::NoTimeLeft { latest: at(1) },
        Reason::AttemptsUsed { used: 3, max: 3 },
        Reason::Refused {
            code: Some(ErrorCode::of_twilio(21_216)),
            meaning: Some("Twilio blocks calls to this number"),
        },
        Reason::RefusedUnknown { code: Some(ErrorCode::of_twilio(99_999)) },
        Reason::OptedOut { code: Some(ErrorCode::of_twilio(21_610)) },
        Reason::TooManyFaults { faults: 5 },
    ] {
        assert_eq!((reason.lifts_at(), reason.lifted_by()), (None, None), "{reason:?}");
    }
}

#[test]
fn a_window_of_whole_hours_is_told_in_hours() {
    let told = |window| {
        let limit = Reason::RequestLimit { used: 1, max: 2, window, lifts_at: at(0) };
        limit.sentence().into_owned()
    };
    let sentence = |window: &str| {
        format!(
            "1 of 2 permission requests in {window} are used; the next is allowed at 2026-11-23T12:00:00Z."
        )
    };
    assert_eq!(told(SignedDuration::from_hours(168)), sentence("168 h"));
    assert_eq!(told(SignedDuration::from_secs(7199)), sentence("1h 59m 59s"));
    assert_eq!(told(SignedDuration::from_secs(7200)), sentence("2 h"));
    assert_eq!(told(SignedDuration::from_secs(7201)), sentence("2h 1s"));
}

#[test]
fn people_read_whole_seconds() {
    let late = Reason::DeadlinePassed { latest: at(0) + SignedDuration::from_millis(999) };
    assert_eq!(late.sentence(), "The deadline 2026-11-23T12:00:00Z has passed.");
}
