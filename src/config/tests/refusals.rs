//! What is refused: each refusal names its key and the rule.

use std::collections::BTreeSet;

use super::*;

/// Each line has the input, the key that the fault must name, and a part of the rule.
fn each_is_refused(table: &[(&str, &str, &str)]) {
    for (text, key, rule) in table {
        let found = parse(text, &[]).1.faults;
        let fault = found.iter().find(|fault| fault.key.ends_with(key) && fault.problem.contains(rule));
        assert!(fault.is_some(), "{text}: {}", ConfigErrors(found));
    }
}

#[test]
fn a_refusal_of_the_server_or_of_a_rule_names_its_key_and_what_is_expected() {
    each_is_refused(&[
        ("[http]\nlisten = 8080", "http.listen", "an address and a port"),
        ("[http]\nbody_max_bytes = -1", "http.body_max_bytes", "not negative"),
        ("[http]\nbody_max_bytes = 1.5", "http.body_max_bytes", "is a number"),
        ("[http]\nconnections_max = 7", "http.connections_max", "7 is out of range: expected 8 to 100000"),
        ("http = 1", "http", "is a section"),
        ("[http.listen]\nport = 1", "http.listen", "is a value, but a section was written"),
        ("[registers.\"a/b\"]", "registers.\"a/b\"", "expected 1 to 100 letters, digits"),
        ("[registers.\"a?b\"]", "registers.\"a?b\"", "expected 1 to 100 letters, digits"),
        ("[registers.\"a%b\"]", "registers.\"a%b\"", "expected 1 to 100 letters, digits"),
        ("[registers.\"a#b\"]", "registers.\"a#b\"", "expected 1 to 100 letters, digits"),
        ("[retention]\ncallbacks = \"23h\"", "retention.callbacks", "is out of range"),
        ("[retention]\naudit = \"23h\"", "retention.audit", "is out of range"),
        ("[retention]\ninbox = \"719h\"", "retention.inbox", "shorter than limits.call_button_lifetime"),
        (
            "[retention]\noutbox = \"800h\"\n[limits]\npermission_requests_long_window = \"801h\"",
            "retention.outbox",
            "shorter than limits.permission_requests_long_window",
        ),
        ("[store]\nreaders = 0", "store.readers", "expected 1 to 64"),
        ("[store]\npath = \"\"", "store.path", "is empty"),
        ("[store]\npath = \"a.db\"\nurl = \"postgres://r@h/d\"", "store.url", "is given beside store.path"),
        ("[store]\nurl = \"ringmaster.db\"", "store.url", "is no address"),
        ("[store]\nurl = \"mysql://r@h/d\"", "store.url", "is not the address of a PostgreSQL database"),
        ("[store]\nurl = \"postgres://r:geheim@h/d\"", "store.url", "has a password: set it with"),
        ("[store]\nurl = \"postgres://r@h/d?password=geheim\"", "store.url", "has a password: set it with"),
        ("[store]\nlisten_url = \"postgres://r@h\"", "store.listen_url", "names no database"),
        (
            "[store]\npassword = \"geheim\"",
            "store.password",
            "secrets are not taken from the configuration file",
        ),
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
        ("[calling]\nhours = \"daily 09:00-18:00 @Factory\"", "calling.hours", "no zone of a place"),
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
    ]);
}

#[test]
fn a_refusal_of_an_account_or_an_agent_names_its_key_and_what_is_expected() {
    let brazil = sender("+5511987654321");
    each_is_refused(&[
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
        ("[pools.\"two words\"]\nurl = \"https://x.test/p\"", "pools.\"two words\"", "no name of a pool"),
        ("[pools.a]\nevery = \"5s\"", "pools.a", "has no source"),
        ("[pools.a]\nurl = \"http://x.test/p\"", "pools.a.url", "not https"),
        ("[pools.a]\nurl = \"https://x.test/p\"\nevery = \"1s\"", "pools.a.every", "out of range"),
        ("[pools.a.taskrouter]\naccount = \"main\"", "pools.a.taskrouter", "needs account"),
        (
            "[pools.a.taskrouter]\naccount = \"other\"\nworkspace_sid = \"WS00000000000000000000000000000000\"\n\
             task_queue_sid = \"WQ00000000000000000000000000000000\"",
            "pools.a.taskrouter.account",
            "is no account",
        ),
        (
            "[pools.a]\nevery = \"30s\"\n[pools.a.taskrouter]\naccount = \"main\"\n\
             workspace_sid = \"WS00000000000000000000000000000000\"\n\
             task_queue_sid = \"WQ00000000000000000000000000000000\"",
            "pools.a.every",
            "is not shorter",
        ),
        ("[node]\nname = \"a b\"", "node.name", "is no name"),
        ("[node]\nurl = \"http://calls.test\"", "node.url", "not https"),
        ("[groups.\"a b\"]\naccounts = [\"main\"]", "groups.\"a b\"", "is no name"),
        ("[groups.south]\naccounts = []", "groups.south.accounts", "is empty"),
        ("[groups.south]\naccounts = [\"other\"]", "groups.south.accounts", "which is no account"),
        (
            "[groups.north]\naccounts = [\"main\"]\n[groups.south]\naccounts = [\"main\"]",
            "groups.south.accounts",
            "an account is in one group",
        ),
        ("[accounts.main]\nmonitor_url = \"https://u:p@x.test\"", "accounts.main.monitor_url", "credentials"),
        ("[accounts.main]\ncontent_url = \"x\"", "accounts.main.content_url", "is not a URL"),
        ("[accounts.main.senders.\"+55119\"]", "accounts.main.senders.\"+55119\"", "is not E.164"),
        ("[accounts.main.senders.support]", "accounts.main.senders.support", "is not E.164"),
        (&format!("{brazil}concurrent_calls_max = 1001"), "concurrent_calls_max", "expected 1 to 1000"),
        (&format!("{brazil}callback_permission = true"), "callback_permission", "missed-and-answered"),
        (&format!("{brazil}agent = \"+551133334444\""), "agent", "client:name"),
        (&format!("{brazil}agent = \"sip:a@localhost\""), "agent", "names the machine itself"),
        ("[agents.\"sip:a@127.0.0.1\"]\ncalls_max = 2", "127.0.0.1\"", "names the machine itself"),
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
    ]);
}

#[test]
fn a_refusal_of_webhooks_log_or_metrics_names_its_key_and_what_is_expected() {
    each_is_refused(&[
        ("[webhooks]\nurl = \"https://x.test\"", "webhooks.secret", "RINGMASTER_WEBHOOKS__SECRET"),
        ("[webhooks]\nurl = \"http://x.test\"", "webhooks.url", "is not https"),
        ("[webhooks]\nurl = \"http://127.0.0.1:9\"", "webhooks.allow", "is required"),
        ("[webhooks]\nallow = [\"10.0.0.0/33\"]", "webhooks.allow", "is no subnet"),
        ("[webhooks]\nallow = [\"::1\", \"10.1.2\"]", "webhooks.allow", "is no subnet and no host"),
        ("[webhooks]\nallow = [\"*.internal\"]", "webhooks.allow", "is no subnet and no host"),
        ("[webhooks]\nallow = [\"crm.internal:443\"]", "webhooks.allow", "is no subnet and no host"),
        ("[log]\nfilter = \"info,=loud=\"", "log.filter", "is not a filter"),
        ("[metrics]\npath = \"metrics\"", "metrics.path", "is not a path"),
        ("[metrics]\npath = \"/livez\"", "metrics.path", "begins with /livez, which has other pages"),
        ("[metrics]\npath = \"/v1/metrics\"", "metrics.path", "begins with /v1, which has other pages"),
        ("[tracing]\nendpoint = \"ftp://otel.test\"", "tracing.endpoint", "http or https"),
        ("[tracing]\nendpoint = \"https://a:b@otel.test\"", "tracing.endpoint", "tracing.headers"),
        ("[tracing]\nendpoint = \"https://otel.test/?a=b\"", "tracing.endpoint", "a query"),
        ("[tracing]\nsample_ratio = 1.01", "tracing.sample_ratio", "expected 0.0 to 1.0"),
        ("[tracing]\nservice_name = \"a b\"", "tracing.service_name", "visible ASCII"),
    ]);
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
        ("TRACING__HEADERS", "x-api-key", "tracing.headers", "has no \"=\" in its part 1"),
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
fn headers_of_a_collector_leave_only_by_https_or_on_this_machine() {
    let key = [("TRACING__HEADERS", "x-api-key=hush")];
    for (url, refused) in
        [("http://otel.test:4318", true), ("https://otel.test", false), ("http://127.0.0.1:4318", false)]
    {
        let (config, reading) = parse(&format!("[tracing]\nendpoint = \"{url}\"\n"), &key);
        let faults: Vec<_> = reading.faults.iter().filter(|fault| fault.key == "tracing.endpoint").collect();
        assert_eq!(faults.len(), usize::from(refused), "{url}");
        assert!(!config.to_masked_string().contains("hush"));
    }
}

#[test]
fn what_the_senders_of_two_groups_share_is_refused() {
    let variables = [
        ("ACCOUNTS__SOUTH__ACCOUNT_SID", "ACabcdef0123456789abcdef0123456789"),
        ("ACCOUNTS__SOUTH__API_KEY_SID", "SKabcdef0123456789abcdef0123456789"),
        ("ACCOUNTS__SOUTH__API_KEY_SECRET", "another-secret-value"),
        ("ACCOUNTS__SOUTH__AUTH_TOKEN", "00654321"),
    ];
    let two = |main: &str, south: &str, more: &str| {
        let text = format!(
            "[accounts.main.senders.\"+5511987654321\"]\n{main}\n[accounts.south.senders.\"+5511987654322\"]\n{south}\n\
             [groups.brazil]\naccounts = [\"south\"]\n{more}"
        );
        let found = parse(&text, &variables).1.faults;
        found.iter().map(|fault| format!("{} {}", fault.key, fault.problem)).collect::<Vec<_>>()
    };
    let (pool, alice) = ("pool = \"front\"", "agent = \"client:alice\"");
    let section = "[agents.\"client:alice\"]\ncalls_max = 2";
    for (main, south, more, named) in [
        ("", "", "", None),
        (pool, "pool = \"back\"", "", None),
        (pool, pool, "", Some("the pool \"front\"")),
        (alice, alice, "", None),
        (alice, alice, section, Some("the agent")),
        (alice, "agent = \"client:bob\"", section, None),
    ] {
        let found = two(main, south, more);
        assert_eq!(found.len(), usize::from(named.is_some()), "{found:?}");
        if let Some(named) = named {
            assert!(found[0].starts_with("groups.brazil.accounts") && found[0].contains(named), "{found:?}");
        }
    }
}
