//! The comparisons, each at its boundary.

mod graph;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::checks::{self, messaging_limit};
use super::finding::{Code, Finding, Severity, Verdict};
use super::voice::{CALL_TRIES, Match, Owner, compare, owner};
use crate::hook_urls::SenderUrls;
use crate::twilio::{Alert, Application};

const START: Timestamp = Timestamp::constant(1_790_000_000, 0);

#[test]
fn a_messaging_limit_is_read_as_twilio_and_meta_write_it() {
    for (text, limit) in [
        ("250 Customers/24hr", Some(250)),
        ("1K Customers/24hr", Some(1_000)),
        ("1,999 Customers/24hr", Some(1_999)),
        ("2,000 Customers/24hr", Some(2_000)),
        ("2K Customers/24hr", Some(2_000)),
        ("10K Customers/24hr", Some(10_000)),
        ("1M Customers/24hr", Some(1_000_000)),
        ("TIER_2K", Some(2_000)),
        ("Unlimited Customers/24hr", Some(u64::MAX)),
        ("TIER_UNLIMITED", Some(u64::MAX)),
        ("", None),
        ("K", None),
        ("many", None),
        ("-5K", None),
        ("99999999999999999999K", None),
        ("18446744073709551615M", None),
    ] {
        assert_eq!(messaging_limit(text), limit, "{text:?}");
    }
}

#[test]
fn a_clock_is_warned_about_from_30_seconds_and_is_a_fault_from_five_minutes() {
    for (seconds, code) in [
        (0, None),
        (29, None),
        (30, Some(Code::ClockSlow)),
        (299, Some(Code::ClockSlow)),
        (300, Some(Code::Clock)),
    ] {
        for sign in [1, -1] {
            let twilios = START + SignedDuration::from_secs(sign * seconds);
            assert_eq!(checks::clock(START, twilios).map(|(code, _)| code), code, "{seconds}");
        }
    }
}

#[test]
fn a_url_is_compared_without_its_fragment_and_to_the_letter() {
    let ours = "https://calls.example.com/hooks/inbound";
    let with = |end: &str| format!("{ours}{end}");
    for (set, expected) in [
        (with(CALL_TRIES), Match::Same),
        (with(""), Match::OtherTries),
        (with("#rc=1"), Match::OtherTries),
        (with("/"), Match::Different),
        (with("?a=b"), Match::Different),
        (ours.replace("https", "http"), Match::Different),
        (ours.replace("calls", "Calls"), Match::Different),
        (String::new(), Match::Different),
    ] {
        assert_eq!(compare(&set, ours, CALL_TRIES), expected, "{set}");
    }
}

#[test]
fn an_application_is_ours_of_studio_of_flex_or_of_another() {
    let urls = SenderUrls::below("https://calls.example.com");
    let flow = "https://webhooks.twilio.com/v1/Accounts/AC1/Flows/FW1";
    for (name, url, expected) in [
        ("any", urls.calls.as_str(), Owner::Us),
        ("Flex", urls.calls.as_str(), Owner::Us),
        ("Support", flow, Owner::Studio),
        ("Flex voice", flow, Owner::Flex),
        ("Flex voice", "", Owner::Flex),
        ("any", "", Owner::Other),
        ("any", "https://webhooks.twilio.com.evil.example/v1/Accounts/AC1/Flows/FW1", Owner::Other),
        ("any", "https://other.example.com/hooks/inbound", Owner::Other),
    ] {
        let shown = serde_json::json!({"sid": "AP1", "friendly_name": name, "voice_url": url});
        let application: Application = serde_json::from_value(shown).unwrap();
        assert_eq!(owner(&application, &urls), expected, "{name} {url}");
    }
}

#[test]
fn a_public_url_is_doubted_unless_twilio_is_local_too() {
    let doubted = |base: &str, api: &str| {
        checks::public_url(&Url::parse(base).unwrap(), &Url::parse(api).unwrap()).is_some()
    };
    let twilio = "https://api.twilio.com";
    for (base, expected) in [
        ("https://calls.example.com", false),
        ("http://calls.example.com", true),
        ("https://localhost", true),
        ("https://127.0.0.1", true),
        ("https://192.168.0.1", true),
        ("https://[::1]", true),
    ] {
        assert_eq!(doubted(base, twilio), expected, "{base}");
        assert!(!doubted(base, "http://127.0.0.1:4010"), "{base}");
    }
}

#[test]
fn alerts_are_counted_by_their_code_and_others_are_left_out() {
    let alert = |code: u32, at: &str| -> Alert {
        let shown = serde_json::json!({"error_code": code.to_string(), "date_created": at});
        serde_json::from_value(shown).unwrap()
    };
    let alerts = [
        alert(37_003, "2026-11-20T10:00:00Z"),
        alert(36_999, "2026-11-20T10:00:00Z"),
        alert(37_003, "2026-11-20T09:00:00Z"),
        alert(37_999, "2026-11-20T09:00:00Z"),
        alert(38_000, "2026-11-20T09:00:00Z"),
        alert(11_200, "2026-11-20T09:00:00Z"),
    ];
    let seen = checks::alerts(&alerts);
    let codes: Vec<Code> = seen.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, [Code::Alert11200, Code::Alert37003, Code::Alert370]);
    assert_eq!(seen[1].1, "37003 2 times in 24 h, the last at 2026-11-20T10:00:00Z");
}

#[test]
fn the_worst_finding_decides_the_exit_code() {
    let of = |codes: &[Code]| {
        let finding = |code: &Code| Finding {
            code: *code,
            account: "main".into(),
            sender: None,
            detail: String::new(),
        };
        Verdict::of(&codes.iter().map(finding).collect::<Vec<_>>()).exit_code()
    };
    assert_eq!(of(&[]), 0);
    assert_eq!(of(&[Code::Manager]), 0);
    assert_eq!(of(&[Code::Manager, Code::Trial]), 1);
    assert_eq!(of(&[Code::VoiceOff, Code::Trial]), 2);
    assert!(Severity::Hint < Severity::Warning && Severity::Warning < Severity::Fault);
}
