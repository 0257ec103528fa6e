//! Accepted and refused configurations, and the error texts.

mod public_url;

use std::collections::{BTreeMap, BTreeSet};
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

fn sender(number: &str) -> String {
    format!("[accounts.main.senders.\"{number}\"]\n")
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

/// Each line has the input, the key that the fault must name, and a part of the rule.
#[test]
fn each_refusal_names_its_key_and_the_rule() {
    let brazil = sender("+5511987654321");
    let table: &[(&str, &str, &str)] = &[
        ("[http]\nlisten = 8080", "http.listen", "an address and a port"),
        ("[http]\nbody_max_bytes = -1", "http.body_max_bytes", "not negative"),
        ("[http]\nbody_max_bytes = 1.5", "http.body_max_bytes", "is a number"),
        ("[http]\nconnections_max = 7", "http.connections_max", "7 is out of range: expected 8 to 100000"),
        ("http = 1", "http", "is a section"),
        ("[http.listen]\nport = 1", "http.listen", "is a value, but a section was written"),
        ("[store]\nreaders = 0", "store.readers", "expected 1 to 64"),
        ("[store]\npath = \"\"", "store.path", "is empty"),
        ("[calling]\ndefault_country = \"XX\"", "calling.default_country", "\"XX\" is no country"),
        (
            "[calling]\ndefault_country = \"br\"",
            "calling.default_country",
            "\"br\" is not two capital letters",
        ),
        (
            "[limits]\nsender_countries_refused = [\"US\", \"ZZ\"]",
            "limits.sender_countries_refused",
            "\"ZZ\" is no country",
        ),
        ("[limits]\ndestinations_refused = [\"53\"]", "limits.destinations_refused", "has \"53\""),
        ("[calling]\nlimit_profile = \"vonage\"", "calling.limit_profile", "\"twilio\""),
        ("[calling]\nring_timeout = \"601s\"", "calling.ring_timeout", "expected \"5s\" to \"10m\""),
        ("[calling]\nring_timeout = \"5500ms\"", "calling.ring_timeout", "whole number of seconds"),
        ("[calling]\nattempts_max = 0", "calling.attempts_max", "expected 1 to 20"),
        ("[calling]\nhours = \"mon 9-18\"", "calling.hours", "is not calling hours"),
        ("[limits]\nconnected_calls_max = 0", "limits.connected_calls_max", "expected 1 to 1000"),
        (
            "[limits]\nmisses_before_nudge = 4\nmisses_before_revocation = 4",
            "limits.misses_before_nudge",
            "below",
        ),
        (
            "[limits]\npermission_requests_short_window = \"2h\"\npermission_requests_long_window = \"1h\"",
            "limits.permission_requests_short_window",
            "longer",
        ),
        ("[limits]\nsender_countries_refused = [\"usa\"]", "limits.sender_countries_refused", "two capital"),
        ("[accounts.Main]", "accounts.Main", "is not an alias"),
        ("[accounts.other]", "accounts.other.account_sid", "RINGMASTER_ACCOUNTS__OTHER__ACCOUNT_SID"),
        (
            "[accounts.other]",
            "accounts.other.api_key_secret",
            "set RINGMASTER_ACCOUNTS__OTHER__API_KEY_SECRET or name a file with api_key_secret_file",
        ),
        ("[accounts.other]", "accounts.other.senders", "at least one sender"),
        ("[accounts.main]\ncalls_per_second = 0.0", "accounts.main.calls_per_second", "expected 0.01 to"),
        ("[accounts.main]\ncalls_per_second = nan", "accounts.main.calls_per_second", "is not finite"),
        ("[accounts.main]\napi_url = \"http://twilio.test\"", "accounts.main.api_url", "is not https"),
        ("[accounts.main]\napi_url = \"https://api.ie1.twilio.com\"", "accounts.main.api_url", "dublin"),
        ("[accounts.main]\nmonitor_url = \"https://u:p@x.test\"", "accounts.main.monitor_url", "credentials"),
        ("[accounts.main]\ncontent_url = \"x\"", "accounts.main.content_url", "is not a URL"),
        ("[accounts.main.senders.\"+55119\"]", "accounts.main.senders.\"+55119\"", "is not E.164"),
        ("[accounts.main.senders.support]", "accounts.main.senders.support", "is not E.164"),
        (&format!("{brazil}concurrent_calls_max = 1001"), "concurrent_calls_max", "expected 1 to 1000"),
        (&format!("{brazil}callback_permission = true"), "callback_permission", "missed-and-answered"),
        (&format!("{brazil}agent = \"+551133334444\""), "agent", "client:name"),
        (&format!("{brazil}inbound_document = \"../x.xml\""), "inbound_document", "name of a document"),
        (&format!("{brazil}workflow_sid = \"WW1\""), "workflow_sid", "32 hexadecimal digits"),
        (&format!("{brazil}invite_content_sid = \"MG{SID}\""), "invite_content_sid", "\"HX\""),
        ("[agents.alice]\ncalls_max = 2", "agents.alice", "is not the address of an agent"),
        ("[agents.\"client:alice\"]", "agents.\"client:alice\".calls_max", "the most calls at a time"),
        (
            "[agents.\"client:alice\"]\ncalls_max = 0",
            "agents.\"client:alice\".calls_max",
            "expected 1 to 1000",
        ),
        ("[webhooks]\nurl = \"https://x.test\"", "webhooks.secret", "RINGMASTER_WEBHOOKS__SECRET"),
        ("[webhooks]\nurl = \"http://x.test\"", "webhooks.url", "is not https"),
        ("[webhooks]\nurl = \"http://127.0.0.1:9\"", "webhooks.allow", "is required"),
        ("[webhooks]\nallow = [\"10.0.0.0/33\"]", "webhooks.allow", "is no subnet"),
        ("[webhooks]\nallow = [\"::1\", \"10.1.2\"]", "webhooks.allow", "is no subnet and no host"),
        ("[webhooks]\nallow = [\"*.internal\"]", "webhooks.allow", "is no subnet and no host"),
        ("[webhooks]\nallow = [\"crm.internal:443\"]", "webhooks.allow", "is no subnet and no host"),
        ("[log]\nfilter = \"info,=loud=\"", "log.filter", "is not a filter"),
        ("[metrics]\npath = \"metrics\"", "metrics.path", "is not a path"),
    ];
    for (text, key, rule) in table {
        let found = parse(text, &[]).1.faults;
        let fault = found.iter().find(|fault| fault.key.ends_with(key) && fault.problem.contains(rule));
        assert!(fault.is_some(), "{text}: {}", ConfigErrors(found));
    }
}

#[test]
fn each_refused_variable_is_named() {
    for (name, value, key, rule) in [
        ("HTTP__LISTEN", "localhost", "http.listen", "an address and a port"),
        ("HTTP__PUBLIC_URL", "http://calls.example.com", "http.public_url", "is not https"),
        ("HTTP__PUBLIC_URL", "https://calls.example.com/?a=b", "http.public_url", "query"),
        ("HTTP__PUBLIC_URL", "https://calls.example.com/#a", "http.public_url", "fragment"),
        ("HTTP__PUBLIC_URL", "https://calls.example.com/a//b", "http.public_url", "plain segments"),
        ("METRICS__ENABLED", "yes", "metrics.enabled", "true or false"),
        ("HTTP", "x", "http", "is a section"),
        ("TWIML__DIRECTORY", "/srv/tw\u{fffd}ml", "twiml.directory", "is not UTF-8"),
        ("HTTP__LISTEN__PORT", "1", "http.listen.port", "not a section"),
        ("ACCOUNTS__MAIN__ACCOUNT_SID", "AC1", "accounts.main.account_sid", "\"AC\" and 32"),
        ("WEBHOOKS__SECRET", "whsec_short", "webhooks.secret", "24 to 64 bytes"),
    ] {
        let text = "[http]\nlisten = \"127.0.0.1:1\"\n";
        let found = parse(text, &[(name, value)]).1.faults;
        let named = found.iter().any(|fault| {
            fault.key == key
                && fault.problem.contains(rule)
                && fault.origin.as_deref() == Some(&format!("RINGMASTER_{name}"))
        });
        assert!(named, "{name}={value}: {}", ConfigErrors(found));
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let text =
        "[http]\nlisten = 1\nlisten_on = 2\n[store]\nreaders = 0\n[accounts.main]\napi_key_sid = \"x\"\n";
    let (_, reading) = parse(text, &[("LOG__FORMAT", "xml"), ("ACCOUNTS__MAIN__API_KEY_SID", "")]);
    let keys: BTreeSet<&str> = reading.faults.iter().map(|fault| fault.key.as_str()).collect();
    let expected =
        ["accounts.main.api_key_sid", "http.listen", "http.listen_on", "log.format", "store.readers"];
    assert_eq!(keys, BTreeSet::from(expected));
    let told = ConfigErrors(reading.faults).to_string();
    assert!(told.starts_with("the configuration is refused for 5 faults:\n  "), "{told}");
}

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    for (text, variable, key, nearest) in [
        ("[http]\nlisten_ = \"x\"", None, "http.listen_", Some("http.listen")),
        ("[htp]\nlisten = \"x\"", None, "htp", Some("http")),
        ("listen = \"x\"", None, "listen", Some("http.listen")),
        ("", Some("HTTP_LISTEN"), "http_listen", Some("http.listen")),
        ("", Some("CALLING__RETRY__NOANSWER"), "calling.retry.noanswer", Some("calling.retry.no_answer")),
        ("", Some("ACCOUNTS__MAIN__AUTHTOKEN"), "accounts.main.authtoken", Some("accounts.main.auth_token")),
        ("[http]\nzebra = 1", None, "http.zebra", None),
    ] {
        let variables: Vec<_> = variable.iter().map(|name| (*name, "x")).collect();
        let found = parse(text, &variables).1.faults;
        let [fault] = found.as_slice() else { panic!("{}", ConfigErrors(found)) };
        assert_eq!(fault.key, key);
        let hint = nearest.map_or_else(
            || "is not a key that is known".to_owned(),
            |nearest| format!("is not a key that is known; the nearest is {nearest}"),
        );
        assert_eq!(fault.problem, hint);
    }
}

#[test]
fn a_secret_in_the_file_is_refused_without_being_repeated() {
    let text = "[accounts.main]\nauth_token_next = \"hunter2hunter2\"\n";
    let found = faults(text, &[]);
    assert_eq!(
        faults(text, &[("ACCOUNTS__MAIN__AUTH_TOKEN_NEXT", "other")]),
        found,
        "a variable hides nothing"
    );
    assert_eq!(
        found,
        [
            "ringmaster.toml:2: accounts.main.auth_token_next: is a secret, and secrets are not taken from the \
          configuration file: set RINGMASTER_ACCOUNTS__MAIN__AUTH_TOKEN_NEXT or name a file with \
          auth_token_next_file"
        ]
    );
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let text = "[http]\nlisten = \"hunter2\"\n[accounts.main]\naccount_sid = \"hunter2\"\napi_url = \"hunter2\"\n\
                calls_per_second = \"hunter2\"\nhunter = \"hunter2\"\n";
    let told = faults(text, &[("ACCOUNTS__MAIN__ACCOUNT_SID", "")]).join("\n");
    assert!(!told.contains("hunter2"), "{told}");
    let told = faults("[http]\nlisten = \"hunter2\n", &[]).join("\n");
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn a_secret_is_read_from_its_file_without_one_line_end() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    let with = |contents: &str| {
        std::fs::write(&file, contents).unwrap();
        parse("", &[("ACCOUNTS__MAIN__AUTH_TOKEN_NEXT_FILE", file.to_str().unwrap())])
    };
    for contents in ["true", "true\n", "true\r\n"] {
        let (config, reading) = with(contents);
        assert_eq!(reading.faults, []);
        assert_eq!(config.accounts["main"].auth_token_next.as_ref().unwrap().expose(), "true");
    }
    for (contents, rule) in
        [("", "is empty"), ("\n", "is empty"), ("true\n\n", "white space"), (" a", "white space")]
    {
        let (_, reading) = with(contents);
        let [fault] = reading.faults.as_slice() else { panic!("{contents:?}") };
        assert_eq!(fault.key, "accounts.main.auth_token_next");
        assert!(fault.problem.contains(rule), "{fault}");
    }
}

#[test]
fn a_secret_file_that_cannot_be_read_or_a_secret_given_twice_is_refused() {
    let found = faults("[accounts.main]\nauth_token_next_file = \"/nowhere/token\"\n", &[]);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with(
            "ringmaster.toml:2: accounts.main.auth_token_next: the file /nowhere/token cannot be read: "
        ),
        "{}",
        found[0]
    );
    let found = faults("[accounts.main]\nauth_token_file = \"/nowhere/token\"\n", &[]);
    assert_eq!(
        found,
        [
            "RINGMASTER_ACCOUNTS__MAIN__AUTH_TOKEN: accounts.main.auth_token: is given twice: set either it or \
          auth_token_file"
        ]
    );
}

#[test]
fn a_shared_key_may_replace_the_auth_token() {
    let id = "webhooks_sharedkey_01K9";
    let key = [
        ("ACCOUNTS__MAIN__AUTH_TOKEN", ""),
        ("ACCOUNTS__MAIN__SHARED_KEYS__CURRENT__ID", id),
        ("ACCOUNTS__MAIN__SHARED_KEYS__CURRENT__SECRET", "shared-secret"),
    ];
    let config = accepted("", &key);
    assert_eq!(config.accounts["main"].shared_keys[id].expose(), "shared-secret");
    assert!(config.accounts["main"].auth_token.is_none());
    let found = faults("", &key[..1]);
    assert_eq!(
        found,
        ["accounts.main.auth_token: is required: Twilio signs with it, or with one of shared_keys; set \
          RINGMASTER_ACCOUNTS__MAIN__AUTH_TOKEN or name a file with auth_token_file"]
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
fn no_print_holds_a_secret() {
    let config = accepted("", &[]);
    for printed in [config.to_masked_string().to_owned(), format!("{config:?}")] {
        assert!(printed.contains("***"), "{printed}");
        assert!(!printed.contains("key-secret-value") && !printed.contains("00123456"), "{printed}");
    }
    assert!(!format!("{config:?}").contains("5511987654321"), "the whole number is for the operator only");
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

/// The reference with its optional keys enabled, and secret files in `directory`.
fn uncommented(directory: &Path) -> String {
    let text = super::uncommented();
    let webhook_key = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    for name in ["api_key_secret", "auth_token", "auth_token_next", "shared_key"] {
        std::fs::write(directory.join(name), "secret\n").unwrap();
    }
    for name in ["webhook_secret", "webhook_secret_next"] {
        std::fs::write(directory.join(name), webhook_key).unwrap();
    }
    text.replace("/run/secrets", directory.to_str().unwrap())
        .replace("http://127.0.0.1:8081", "https://calls.example.com")
}

#[test]
fn the_reference_has_every_key_and_its_examples_are_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let text = uncommented(directory.path());
    let (_, reading) = Config::parse(&text, Path::new("default.toml"), std::iter::empty());
    // Content is given by its SID or by its name; the reference shows both.
    let (twice, faults): (Vec<_>, Vec<_>) =
        reading.faults.iter().cloned().partition(|fault| fault.problem.contains("is given beside"));
    assert_eq!(faults, [], "{}", ConfigErrors(faults.clone()));
    assert_eq!(twice.len(), 3, "{twice:?}");
    let missing: Vec<_> = reading.answers.iter().filter(|answer| answer.origin == Origin::Nowhere).collect();
    assert!(missing.is_empty(), "keys that the reference does not name: {missing:?}");
}

#[test]
fn the_reference_has_the_defaults_in_force() {
    let answers = |text: &str| {
        let (_, reading) = parse(text, &[("HTTP__PUBLIC_URL", "")]);
        let answers = reading.answers.into_iter();
        answers.filter_map(|a| Some(((a.section, a.key), a.value?))).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(answers(Config::default_toml()), answers(""));
    let directory = tempfile::tempdir().unwrap();
    let (_, reading) =
        Config::parse(&uncommented(directory.path()), Path::new("default.toml"), std::iter::empty());
    let told: BTreeMap<_, _> =
        reading.answers.into_iter().filter_map(|a| Some(((a.section, a.key), a.value?))).collect();
    let (_, reading) = parse("", &[("HTTP__PUBLIC_URL", "https://calls.example.com")]);
    for answer in reading.answers.into_iter().filter(|answer| answer.origin == Origin::Nowhere) {
        if let Some(value) = answer.value {
            let key = (answer.section, answer.key);
            assert_eq!(told.get(&key), Some(&value), "{key:?}");
        }
    }
}

#[test]
fn the_reference_shows_the_limits_that_twilio_publishes() {
    let directory = tempfile::tempdir().unwrap();
    let (config, _) = Config::parse(&uncommented(directory.path()), Path::new(""), std::iter::empty());
    let published = Limits::of(Profile::Twilio);
    let shown = config.limits;
    assert_eq!(shown.permission_requests_short_max, Some(published.requests_short.max));
    assert_eq!(shown.permission_requests_short_window, Some(published.requests_short.window));
    assert_eq!(shown.permission_requests_long_max, Some(published.requests_long.max));
    assert_eq!(shown.permission_requests_long_window, Some(published.requests_long.window));
    assert_eq!(shown.permission_lifetime, Some(published.permission_lifetime));
    assert_eq!(shown.request_lifetime, Some(published.request_lifetime));
    assert_eq!(shown.connected_calls_max, Some(published.connected_calls.max));
    assert_eq!(shown.connected_calls_window, Some(published.connected_calls.window));
    assert_eq!(shown.concurrent_calls_per_sender_max, Some(published.concurrent_calls_max));
    assert_eq!(shown.misses_before_nudge, Some(published.misses_before_nudge));
    assert_eq!(shown.misses_before_revocation, Some(published.misses_before_revocation));
    assert_eq!(shown.service_window, Some(published.service_window));
    let listed = EXCLUSIONS.iter().filter(|exclusion| exclusion.is_by(Platform::Twilio));
    assert_eq!(shown.sender_countries_refused, Some(listed.map(|exclusion| exclusion.country).collect()));
    let barred = BARRED_DESTINATIONS.iter().map(|barred| barred.prefix).collect();
    assert_eq!(shown.destinations_refused, Some(barred));
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
