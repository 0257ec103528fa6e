//! Generates and checks `docs/REASONS.md` and the keys of `docs/CONFIGURATION.md`.
//!
//! `UPDATE_DOCS=1` writes them, and the ranges in `src/config/default.toml`.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use ringmaster::config::Config;
use ringmaster::domain::country::Prefix;
use ringmaster::domain::{
    DayPart, ErrorCode, Issuer, ListName, PauseKind, Reason, RefusalKind, RoadKind, SuppressionScope,
};
use ringmaster::metrics::Metrics;
use strum::EnumCount as _;

/// Compares a file with the generated text, or writes the file.
fn assert_is_generated(path: &str, text: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let written = std::fs::read_to_string(file).unwrap_or_default();
    assert!(written == text, "{path} differs from the code; run the tests with UPDATE_DOCS=1");
}

/// Every reason once, with example figures.
fn reasons() -> Vec<Reason> {
    let at: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    let (day, why) = (SignedDuration::from_hours(24), "too many requests at once");
    let mut all = vec![
        Reason::Ready,
        Reason::BeforeEarliest { earliest: at },
        Reason::NotToday { until: at },
        Reason::OutsideHours { opens_at: at },
        Reason::CalendarClosed { calendar: "BR-SP".parse().unwrap(), opens_at: at },
        Reason::CalendarUnknown { calendar: "office".parse().unwrap() },
        Reason::RetryNotBefore { at },
        Reason::RetryShifted { at, part: DayPart::Evening },
        Reason::RetryAbandoned { at },
        Reason::NoPermission,
        Reason::PermissionGranted,
        Reason::AskLater { at },
        Reason::AwaitingReply { lapses_at: at },
        Reason::AskedAgain { at },
        Reason::AwaitingCall { until: at },
        Reason::InviteUnknown { until: at },
        Reason::SenderCannotCall,
        Reason::InviteOrdered,
        Reason::InvitedBefore { window: day * 7, lifts_at: at },
        Reason::MessageGap { lifts_at: at },
        Reason::NoRoad,
        Reason::RoadFailed { road: RoadKind::CallButton, code: Some(ErrorCode::new(Issuer::Meta, 131_009)) },
        Reason::RoadNeedsWindow { road: RoadKind::CallButton },
        Reason::NoPageId,
        Reason::PageWindowClosed,
        Reason::PageStopped,
        Reason::RoadChanged,
        Reason::PermissionEndsFirst { expires_at: at },
        Reason::RequestLimit { used: 1, max: 1, window: day, lifts_at: at },
        Reason::ServiceWindowClosed,
        Reason::NoRequestContent,
        Reason::Declined,
        Reason::Uncallable,
        Reason::ConnectedLimit { used: 5, max: 5, window: day, lifts_at: at },
        Reason::StreakGuard { misses: 3, revoked_at: 4 },
        Reason::PairOnThePhone,
        Reason::PairFenced,
        Reason::PairPaused { until: at },
        Reason::SenderFull { live: 50, max: 50 },
        Reason::SenderPaused { until: at, why: why.into() },
        Reason::AccountFull { live: 500, max: 500 },
        Reason::UrgentReserved { live: 45, max: 50, reserved: 5 },
        Reason::CampaignFull { live: 20, max: 20 },
        Reason::CampaignPaced { next_at: at },
        Reason::TokenCalls { max: 500, lifts_at: at },
        Reason::TokenRequests { max: 500, lifts_at: at },
        Reason::AgentBusy { live: 1, max: 1 },
        Reason::BotsBusy { live: 100, max: 100 },
        Reason::PoolFull { pool: "support".parse().unwrap(), used: 3, max: 3 },
        Reason::PoolExpired { pool: "support".parse().unwrap(), since: at },
        Reason::PoolUnknown { pool: "support".parse().unwrap() },
        Reason::AccountPaced { next_at: at },
        Reason::AccountPaused { until: at, why: why.into() },
        Reason::SenderUnknown,
        Reason::DocumentUnknown,
        Reason::NoAgent,
        Reason::DestinationBarred { prefix: Prefix::parse("+53").unwrap() },
        Reason::NoTimeLeft { latest: at },
        Reason::DeadlinePassed { latest: at },
        Reason::AttemptsUsed { used: 3, max: 3 },
        Reason::Refused {
            code: Some(ErrorCode::of_twilio(21_216)),
            meaning: Some("Twilio blocks calls to this number"),
        },
        Reason::RefusedUnknown { code: Some(ErrorCode::of_twilio(99_999)) },
        Reason::OptedOut { code: Some(ErrorCode::of_twilio(21_610)) },
        Reason::TooManyFaults { faults: 10 },
        Reason::CallInProgress,
        Reason::CheckingCall,
        Reason::CallbackClosed,
        Reason::Answered,
        Reason::ConsumerCalled,
        Reason::ReachedElsewhere { by: "cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f".into() },
        Reason::CustomerCanceled,
        Reason::Erased,
        Reason::PreviewOffered { until: at, number: 2, times: 3 },
        Reason::PreviewNobody { times: 3 },
        Reason::PreviewClosed,
        Reason::WrappedUp,
        Reason::Suppressed { list: ListName::House, scope: SuppressionScope::All },
        Reason::RegisterStale { list: ListName::Imported("register".into()) },
        Reason::ListExpired { list: ListName::Imported("register".into()), since: at },
        Reason::NoConsent,
        Reason::JustTalked { until: at },
        Reason::WindowMissed { closed_at: at },
        Reason::WindowAsks { closed_at: at },
        Reason::PersonCapped { max: 2, days: 1, lifts_at: at },
        Reason::ReportSetAside,
        Reason::CallbackSetAside,
        Reason::DroppedByOperator,
        Reason::DiallingStopped { since: at },
        Reason::ClockInDoubt { since: at, by: SignedDuration::from_hours(2) },
        Reason::Deposed { since: at },
        Reason::StoreWentBack { since: at },
    ];
    let kinds = [
        RefusalKind::Decline,
        RefusalKind::Revocation,
        RefusalKind::Operator,
        RefusalKind::Stop,
        RefusalKind::OptOut,
        RefusalKind::Block,
        RefusalKind::Marketing,
    ];
    all.extend(kinds.map(|kind| Reason::PersonRefuses { kind }));
    let (who, why) = ("ops", "the agents are in a meeting");
    let paused = |(scope, until)| Reason::Paused { scope, who: who.into(), why: why.into(), until };
    let scopes =
        [PauseKind::All, PauseKind::Account, PauseKind::Sender, PauseKind::Person, PauseKind::Campaign];
    all.extend(scopes.map(|scope| paused((scope, Some(at)))));
    all.extend([PauseKind::Draft, PauseKind::Canceled].map(|scope| paused((scope, None))));
    all.push(paused((PauseKind::All, None)));
    let low = "WhatsApp paused the template for low quality";
    all.push(Reason::ContentPaused {
        content: "call_us_a986f17ded/en".parse().unwrap(),
        until: at,
        why: low.into(),
    });
    all
}

/// Who can end the reason, and how.
const fn who(reason: &Reason) -> &'static str {
    match reason {
        Reason::CalendarClosed { .. } => "operator: `calendars open`",
        Reason::CalendarUnknown { .. } => "operator: configuration",
        Reason::BeforeEarliest { .. } | Reason::OutsideHours { .. } | Reason::NotToday { .. } => {
            "customer: `reschedule`"
        }
        Reason::NoPermission | Reason::AwaitingReply { .. } | Reason::AskedAgain { .. } => {
            "consumer; operator, by `permission grant`"
        }
        Reason::AwaitingCall { .. }
        | Reason::RoadNeedsWindow { .. }
        | Reason::PageWindowClosed
        | Reason::PageStopped => "consumer",
        Reason::ServiceWindowClosed => "consumer; operator, with a template",
        Reason::StreakGuard { .. } => "consumer, by a call; operator: `allow-attempt`",
        Reason::PairFenced | Reason::CheckingCall | Reason::InviteUnknown { .. } => {
            "platform; operator: `resolve`"
        }
        Reason::RetryNotBefore { .. }
        | Reason::RetryShifted { .. }
        | Reason::RetryAbandoned { .. }
        | Reason::AskLater { .. }
        | Reason::RequestLimit { .. }
        | Reason::ConnectedLimit { .. }
        | Reason::SenderFull { .. }
        | Reason::AccountFull { .. }
        | Reason::UrgentReserved { .. }
        | Reason::CampaignFull { .. }
        | Reason::TokenCalls { .. }
        | Reason::TokenRequests { .. }
        | Reason::AgentBusy { .. }
        | Reason::BotsBusy { .. }
        | Reason::AccountPaced { .. }
        | Reason::CampaignPaced { .. }
        | Reason::InvitedBefore { .. }
        | Reason::MessageGap { .. }
        | Reason::SenderCannotCall
        | Reason::NoRoad
        | Reason::NoRequestContent
        | Reason::SenderUnknown
        | Reason::DestinationBarred { .. } => "operator: configuration",
        Reason::PoolFull { .. } => "agents, who become free",
        Reason::PoolExpired { .. } | Reason::PoolUnknown { .. } => "who feeds the pool: `pool set`",
        Reason::DocumentUnknown => "operator: TwiML directory",
        Reason::ReportSetAside | Reason::CallbackSetAside => "operator: `set-aside`",
        Reason::NoPageId | Reason::RoadFailed { .. } => "customer, in a new order",
        Reason::DroppedByOperator => "customer, in a new order",
        Reason::DiallingStopped { .. } | Reason::Deposed { .. } => "operator: restart",
        Reason::StoreWentBack { .. } => "operator: `lineage release`",
        Reason::ClockInDoubt { .. } => "platform; operator: `clock confirm`",
        Reason::Paused { scope: PauseKind::Draft, .. } => "customer: `campaign launch`",
        Reason::Paused { scope: PauseKind::Campaign, .. } => "customer or operator: `campaign resume`",
        Reason::Paused { scope: PauseKind::Canceled, .. } => "customer, in a new order",
        Reason::Paused { .. } => "operator: `resume`",
        Reason::ContentPaused { .. } => "operator: other content, or `resume`",
        Reason::PairPaused { .. } | Reason::SenderPaused { .. } | Reason::AccountPaused { .. } => {
            "operator; see `docs/CODES.md`"
        }
        Reason::NoAgent => "customer, in a new order; operator: configuration",
        Reason::PermissionEndsFirst { .. } => "consumer; customer: `reschedule`",
        Reason::PairOnThePhone | Reason::CallInProgress => "consumer or agent, who hang up",
        Reason::Declined | Reason::PersonRefuses { .. } | Reason::OptedOut { .. } | Reason::Uncallable => {
            "consumer, for a new order"
        }
        Reason::Suppressed { .. } => "operator: `suppression remove`; then customer, in a new order",
        Reason::PreviewOffered { .. } => "agent: `offer`",
        Reason::PreviewNobody { .. } => "customer: `reschedule`",
        Reason::PreviewClosed | Reason::WrappedUp => "customer, in a new order",
        Reason::RegisterStale { .. } => "operator: `suppression register`",
        Reason::ListExpired { .. } => "operator: `suppression import`",
        Reason::WindowMissed { .. } | Reason::WindowAsks { .. } => "customer, in the order",
        Reason::PersonCapped { .. } => "operator: configuration",
        Reason::JustTalked { .. } => "customer, in the order; operator: configuration",
        Reason::NoConsent
        | Reason::NoTimeLeft { .. }
        | Reason::DeadlinePassed { .. }
        | Reason::AttemptsUsed { .. } => "customer, in a new order",
        Reason::Refused { .. } | Reason::RefusedUnknown { .. } | Reason::TooManyFaults { .. } => {
            "operator; then customer, in a new order"
        }
        Reason::Ready
        | Reason::PermissionGranted
        | Reason::CallbackClosed
        | Reason::Answered
        | Reason::ConsumerCalled
        | Reason::ReachedElsewhere { .. }
        | Reason::InviteOrdered
        | Reason::RoadChanged
        | Reason::CustomerCanceled
        | Reason::Erased => "–",
    }
}

fn page_of_reasons() -> String {
    let mut page = String::from(
        "# Reasons\n\n\
         Why a callback is in its state: all codes of `reason` in the API, the command line, the timeline and the log.\n\
         A code is stable: programs may rely on it. Some reasons have the same code. Sentences may change; their times and figures here are examples.\n\
         This page is made from `src/domain/reason/`; run the tests with `UPDATE_DOCS=1` after a change there.\n\n\
         *Waits for* is `lifts_at` (\"the time in the sentence\") or `lifted_by` of the API. A dash means that the \
         reason waits for nothing: it says that something is possible, or why a callback, attempt or message ended.\n\n\
         | code | sentence | waits for | who can change it |\n|---|---|---|---|\n",
    );
    for reason in reasons() {
        let waits_for = match (reason.lifts_at(), reason.lifted_by()) {
            (Some(_), _) => "the time in the sentence",
            (None, Some(lifted_by)) => lifted_by,
            (None, None) => "–",
        };
        let (code, sentence) = (reason.code(), reason.sentence());
        writeln!(page, "| `{code}` | {sentence} | {waits_for} | {} |", who(&reason)).unwrap();
    }
    page
}

#[test]
fn the_page_of_reasons_equals_the_code() {
    let variants: HashSet<_> = reasons().iter().map(std::mem::discriminant).collect();
    assert_eq!(variants.len(), Reason::COUNT, "a reason is missing in this file");
    assert_is_generated("docs/REASONS.md", &page_of_reasons());
}

/// The section with placeholders for the example names of `default.toml`.
fn general(section: &str) -> String {
    [
        ("accounts.main", "accounts.<alias>"),
        (".current", ".<name>"),
        ("campaigns.spring", "campaigns.<name>"),
        ("client:alice", "<address>"),
    ]
    .iter()
    .fold(section.replace("+5511987654321", "<number>"), |text, (example, name)| text.replace(example, name))
}

fn table_of_keys() -> String {
    let mut table = String::new();
    let mut section = String::new();
    for key in Config::keys() {
        if key.section != section {
            section.clone_from(&key.section);
            let head = "| key | value | default |\n|---|---|---|";
            write!(table, "\n### `[{}]`\n\n{head}\n", general(&section)).unwrap();
        }
        let range = key.range.map(|range| format!(", {range}")).unwrap_or_default();
        let default = match key.default {
            Some(default) if default.len() > 120 => "see `default.toml`".to_owned(),
            Some(default) => format!("`{default}`"),
            None if key.is_required => "required".to_owned(),
            None if key.section == "limits" => "that of `limit_profile`".to_owned(),
            None => "none".to_owned(),
        };
        writeln!(table, "| `{}` | {}{range} | {default} |", key.name, key.kind).unwrap();
    }
    table
}

#[test]
fn the_table_of_keys_equals_the_code() {
    const PAGE: &str = "docs/CONFIGURATION.md";
    const MARKS: [&str; 2] =
        ["<!-- keys: made from src/config with UPDATE_DOCS=1 -->\n", "\n<!-- end of keys -->\n"];
    let page = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap();
    let (before, rest) = page.split_once(MARKS[0]).expect("the mark before the keys");
    let (_, after) = rest.split_once(MARKS[1]).expect("the mark after the keys");
    let page = [before, MARKS[0], &table_of_keys(), MARKS[1], after].concat();
    assert_is_generated(PAGE, &page);
}

/// In `default.toml` the range of a key is a comment after its value.
#[test]
fn the_ranges_in_the_default_configuration_equal_the_code() {
    let ranges: BTreeMap<(String, String), String> =
        Config::keys().into_iter().filter_map(|key| Some(((key.section, key.name), key.range?))).collect();
    let (mut text, mut section, mut shown) = (String::new(), String::new(), 0);
    for line in Config::default_toml().lines() {
        let bare = line.strip_prefix('#').unwrap_or(line);
        if let Some(name) = bare.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        }
        let is_comment = bare.is_empty() || bare.starts_with([' ', '[']);
        let key = bare.split(" = ").next().unwrap_or_default();
        let setting = line.split("  # ").next().unwrap_or_default();
        match ranges.get(&(section.clone(), key.to_owned())) {
            Some(range) if !is_comment => {
                shown += 1;
                writeln!(text, "{setting}  # {range}").unwrap();
            }
            None if !is_comment => writeln!(text, "{setting}").unwrap(),
            _ => writeln!(text, "{line}").unwrap(),
        }
    }
    assert_eq!(shown, ranges.len(), "default.toml does not name each key once");
    assert_is_generated("src/config/default.toml", &text);
}

#[test]
fn the_page_of_the_metrics_is_made_from_the_code() {
    let mut page = "# Metrics\n\n\
        Served at `metrics.path` as OpenMetrics text. This page is made from the code; `docs/OPERATING.md` says how to use \
        them.\n\
        A histogram `x` has the series `x_bucket`, `x_sum` and `x_count`. Durations are in seconds.\n\n\
        | name | kind | labels | what |\n|---|---|---|---|\n"
        .to_owned();
    for described in Metrics::default().described() {
        let labels: Vec<String> = described.labels.iter().map(|label| format!("`{label}`")).collect();
        let (labels, help) = (labels.join(", "), described.help);
        writeln!(page, "| `{}` | {} | {labels} | {help} |", described.name, described.kind).unwrap();
    }
    assert_is_generated("docs/METRICS.md", &page);
}
