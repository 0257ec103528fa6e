//! Accepted and refused configurations, and the error texts.

mod messenger;
mod meta;
mod public_url;
mod reference;
mod refusals;
mod secrets;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;

use super::section::Reading;
use super::*;
use crate::domain::CallbackPermission;
use crate::domain::country::{BARRED_DESTINATIONS, EXCLUSIONS, Platform};
use crate::policy::limits::{Limits, Profile};

const SID: &str = "0123456789abcdef0123456789abcdef";

/// The smallest accepted configuration, as variables.
fn least() -> BTreeMap<String, String> {
    [
        ("HTTP__PUBLIC_URL", "https://calls.example.com".to_owned()),
        ("ACCOUNTS__MAIN__ACCOUNT_SID", format!("AC{SID}")),
        ("ACCOUNTS__MAIN__API_KEY_SID", format!("SK{SID}")),
        ("ACCOUNTS__MAIN__API_KEY_SECRET", "key-secret-value".to_owned()),
        ("ACCOUNTS__MAIN__AUTH_TOKEN", "00123456".to_owned()),
        ("ACCOUNTS__MAIN__SENDERS__5511987654321__LABEL", "true".to_owned()),
    ]
    .map(|(name, value)| (format!("RINGMASTER_{name}"), value))
    .into()
}

fn parse(text: &str, variables: &[(&str, &str)]) -> (Config, Reading) {
    let mut environment = least();
    for (name, value) in variables {
        environment.insert(format!("RINGMASTER_{name}"), (*value).to_owned());
    }
    Config::parse(text, Path::new("ringmaster.toml"), environment.into_iter())
}

fn accepted(text: &str, variables: &[(&str, &str)]) -> Config {
    let (config, reading) = parse(text, variables);
    assert!(reading.faults.is_empty(), "{}", ConfigErrors(reading.faults));
    config
}

fn faults(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    parse(text, variables).1.faults.iter().map(ToString::to_string).collect()
}

#[test]
fn accounts_are_in_the_group_that_names_them() {
    let config = accepted("[groups.south]\naccounts = [\"main\"]", &[]);
    assert_eq!(config.directory().group_of(&"main".into()).as_str(), "south");
    let config = accepted("[node]\nname = \"calls-1\"", &[]);
    assert_eq!(config.directory().group_of(&"main".into()).as_str(), "main");
    assert_eq!(config.node.name.as_deref(), Some("calls-1"));
}

fn sender(number: &str) -> String {
    format!("[accounts.main.senders.\"{number}\"]\n")
}

#[test]
fn what_is_over_may_be_kept_as_long_as_the_longest_window_or_for_ever() {
    let kept = accepted("[retention]\ncallbacks = \"720h\"\ninbox = \"800h\"", &[]).retention;
    let hours = |hours| Some(SignedDuration::from_hours(hours));
    assert_eq!((kept.callbacks, kept.inbox, kept.timeline), (hours(720), hours(800), None));
    assert!(!kept.is_off() && accepted("", &[]).retention.is_off());
    let kept = accepted("[retention]\naudit = \"24h\"", &[]).retention;
    assert_eq!(kept.audit, hours(24), "no window counts its entries");
}

#[test]
fn variables_alone_make_a_configuration() {
    let config = accepted("", &[]);
    let (alias, sender) = config.senders().next().unwrap();
    assert_eq!(&**alias, "main");
    assert_eq!(sender.number.e164(), "+5511987654321");
    assert_eq!(sender.account, *alias);
    assert_eq!(sender.callback_permission, CallbackPermission::Off);
}

#[test]
fn variables_that_look_like_numbers_or_booleans_stay_texts() {
    let config = accepted("", &[("ACCOUNTS__MAIN__AUTH_TOKEN_NEXT", "+14155552671")]);
    let account = &config.accounts["main"];
    assert_eq!(account.auth_tokens().map(Secret::expose).collect::<Vec<_>>(), ["00123456", "+14155552671"]);
    let sender = account.senders.values().next().unwrap();
    assert_eq!(sender.label.as_deref(), Some("true"));
}

#[test]
fn a_variable_overrides_the_file_and_the_file_overrides_the_default() {
    let text = "[http]\nlisten = \"127.0.0.1:1\"\nconnections_max = 77\n[calling.retry]\nbusy = \"20m\"\n";
    let config = accepted(text, &[("HTTP__LISTEN", "127.0.0.1:9000"), ("METRICS__ENABLED", "false")]);
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:9000");
    assert_eq!(config.http.connections_max, 77);
    assert_eq!(config.http.request_timeout, Duration::from_secs(15));
    assert_eq!(config.calling.retry.busy, SignedDuration::from_mins(20));
    assert!(!config.metrics.enabled);
}

#[test]
fn foreign_and_empty_variables_are_not_ours() {
    accepted(
        "",
        &[
            ("CONFIG", "/etc/ringmaster.toml"),
            ("SERVICE_HOST", "10.0.0.1"),
            ("SERVICE_PORT_HTTP", "80"),
            ("PORT", "tcp://10.0.0.1:80"),
            ("PORT_80_TCP_ADDR", "10.0.0.1"),
            ("HTTP__LISTEN", ""),
        ],
    );
    let other = ("RINGMASTERY__X".to_owned(), "1".to_owned());
    let (_, reading) = Config::parse("", Path::new(""), least().into_iter().chain([other]));
    assert_eq!(reading.faults, []);
}

#[test]
fn durations_are_read_with_their_units() {
    for (text, seconds) in [("90s", 90), ("15m", 900), ("1h", 3600), ("1h30m", 5400), ("7d", 604_800)] {
        let config = accepted(&format!("[calling.retry]\nno_answer = \"{text}\"\n"), &[]);
        assert_eq!(config.calling.retry.no_answer, SignedDuration::from_secs(seconds), "{text}");
    }
    for text in ["\"15\"", "15", "\"\"", "\"soon\"", "\"1 month\"", "true"] {
        let found = faults(&format!("[calling.retry]\nno_answer = {text}\n"), &[]);
        assert_eq!(found.len(), 1, "{text}");
        assert!(found[0].starts_with("ringmaster.toml:2: calling.retry.no_answer: is "), "{}", found[0]);
        assert!(found[0].contains("such as \"90s\""), "{}", found[0]);
    }
}

#[test]
fn a_limit_window_may_be_as_short_as_a_second() {
    let config = accepted("[limits]\npermission_lifetime = \"1s\"\n", &[]);
    assert_eq!(config.limits.permission_lifetime, Some(SignedDuration::from_secs(1)));
    assert_eq!(
        faults("[limits]\npermission_lifetime = \"999ms\"\n", &[]),
        [
            "ringmaster.toml:2: limits.permission_lifetime: \"999ms\" is out of range: expected \"1s\" to \"8784h\""
        ]
    );
}

#[test]
fn a_sender_whose_country_cannot_place_calls_is_refused() {
    for number in ["+14155552671", "+14165550123", "+201001234567", "+2348021234567", "+84912345678"] {
        for profile in ["twilio", "meta"] {
            let text = format!("[calling]\nlimit_profile = \"{profile}\"\n{}", sender(number));
            let found = faults(&text, &[]);
            assert_eq!(found.len(), 1, "{number} {found:?}");
            let place = format!("ringmaster.toml:3: accounts.main.senders.\"{number}\": is a number of ");
            assert!(found[0].starts_with(&place), "{}", found[0]);
        }
    }
    accepted(&sender("+18765550123"), &[]);
}

#[test]
fn the_profile_and_the_operator_decide_about_disputed_countries() {
    let turkey = sender("+905321234567");
    assert_eq!(faults(&turkey, &[]).len(), 1);
    accepted(&turkey, &[("CALLING__LIMIT_PROFILE", "meta")]);
    accepted(&turkey, &[("LIMITS__SENDER_COUNTRIES_REFUSED", "US, CA")]);
    accepted(&format!("[limits]\nsender_countries_refused = []\n{}", sender("+14155552671")), &[]);
}

#[test]
fn a_sender_belongs_to_one_account_only() {
    let found = faults("[accounts.zeta.senders.\"+5511987654321\"]\n", &[]);
    assert!(
        found.contains(
            &"ringmaster.toml:1: accounts.zeta.senders.\"+5511987654321\": belongs to accounts.main as well: \
              a sender belongs to one account only"
                .to_owned()
        ),
        "{found:?}"
    );
}

#[test]
fn hosts_are_names_and_apply_to_the_agents_of_senders() {
    let agent = |hosts: &str| {
        format!(
            "[twiml]\nsip_hosts = {hosts}\n[accounts.main.senders.\"+551133334444\"]\n\
             agent = \"sip:ana@pbx.example\"\n"
        )
    };
    accepted(&agent("[]"), &[]);
    accepted(&agent("[\"PBX.example\"]"), &[]);
    let foreign = faults(&agent("[\"other.example\"]"), &[]);
    assert!(foreign[0].ends_with(".agent: is at a host that twiml.sip_hosts does not list"), "{foreign:?}");
    let no_host = faults(&agent("[\"sip:pbx.example\"]"), &[]);
    assert!(no_host[0].contains("twiml.sip_hosts: \"sip:pbx.example\" is no host"), "{no_host:?}");
}

#[test]
fn the_default_timeouts_equal_those_of_the_scheduler() {
    let (told, own) = (accepted("", &[]).calling.silence, crate::scheduler::Settings::default().timeouts);
    assert_eq!((told.unknown, told.ringing), (own.unknown, own.ringing));
    assert_eq!((told.in_progress, told.horizon), (own.in_progress, own.horizon));
    assert_eq!(faults("[calling.silence]\nhorizon = \"500ms\"\n", &[]).len(), 1);
}

#[test]
fn a_configuration_without_an_account_is_refused() {
    let errors = Config::load(None, std::iter::empty()).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "the configuration is refused: accounts: is empty: at least one account is needed, as [accounts.main]"
    );
}

#[test]
fn broken_toml_is_reported_with_file_and_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ringmaster.toml");
    std::fs::write(&file, "[http]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n= 3\n").unwrap();
    let errors = Config::load(Some(&file), least().into_iter()).unwrap_err();
    let lines: Vec<_> = errors.0.iter().map(|fault| fault.origin.clone().unwrap()).collect();
    let expected = [3, 4].map(|line| format!("{}:{line}:1", file.display()));
    assert_eq!(lines, expected, "{errors}");
}

#[test]
fn a_missing_configuration_file_is_named() {
    let errors = Config::load(Some(Path::new("/nowhere/ringmaster.toml")), std::iter::empty()).unwrap_err();
    let told = errors.to_string();
    assert!(
        told.starts_with("the configuration is refused: /nowhere/ringmaster.toml: cannot be read: "),
        "{told}"
    );
}

#[test]
fn the_effective_configuration_is_toml_that_reads_the_same() {
    let text = "[calling]\nhours = \"daily 09:00-18:00 @UTC\"\n[accounts.main.shared_keys.a]\nid = \"k\"\n";
    let shared = ("ACCOUNTS__MAIN__SHARED_KEYS__A__SECRET", "s");
    let config = accepted(text, &[shared]);
    let shown = config.to_masked_string();
    assert!(shown.contains("hours = \"daily 09:00-18:00 @UTC\"  # ringmaster.toml:2"), "{shown}");
    assert!(shown.contains("# auth_token = ***  # RINGMASTER_ACCOUNTS__MAIN__AUTH_TOKEN"), "{shown}");
    assert!(shown.contains("listen = \"127.0.0.1:8080\"  # default"), "{shown}");
    let without_origins = |text: &str| {
        text.lines().map(|l| l.split("  # ").next().unwrap_or("").to_owned()).collect::<Vec<_>>()
    };
    let again = accepted(shown, &[shared]);
    assert_eq!(without_origins(again.to_masked_string()), without_origins(shown));
}

#[test]
fn every_published_profile_can_be_selected() {
    for profile in Profile::ALL {
        let config = accepted("", &[("CALLING__LIMIT_PROFILE", profile.as_str())]);
        assert_eq!(config.calling.limit_profile, profile);
    }
}

#[test]
fn the_directory_has_the_senders_of_all_accounts() {
    let directory =
        accepted(&format!("{}callback_permission = \"missed\"\n", sender("+5511912345678")), &[]).directory();
    let numbers: Vec<_> = directory.senders().map(|sender| sender.number.e164()).collect();
    assert_eq!(numbers, ["+5511912345678", "+5511987654321"]);
    let missed = directory.senders().next().unwrap();
    assert_eq!(missed.callback_permission, CallbackPermission::Missed);
}

#[test]
fn subnets_and_hosts_are_in_one_list() {
    let text = "[webhooks]\nallow = [\"10.1.0.0/16\", \"CRM.internal\", \"::1\", \"localhost\"]";
    let webhooks = parse(text, &[]).0.webhooks;
    let addresses: Vec<_> = webhooks.allow.iter().map(|subnet| subnet.addr().to_string()).collect();
    assert_eq!(addresses, ["10.1.0.0", "::1"]);
    assert_eq!(webhooks.allow_hosts, ["crm.internal", "localhost"]);
}
