//! `[meta.<alias>]`.

use super::*;
use crate::domain::{Phone, RoadKind};

const CLOUD: &str = "[meta.cloud]\nnumber = \"+551151991234\"\nphone_number_id = \"106540352242922\"\n\
                     business_account_id = \"102290129340398\"\n";

/// As short as the secret of an app may be.
const HUSH: &str = "0123456789abcdef";

fn secrets(alias: &str) -> Vec<(String, &'static str)> {
    ["TOKEN", "APP_SECRET", "VERIFY_TOKEN"].map(|key| (format!("META__{alias}__{key}"), HUSH)).into()
}

fn with_secrets(text: &str) -> (Config, Vec<String>) {
    let secrets = secrets("CLOUD");
    let secrets: Vec<(&str, &str)> = secrets.iter().map(|(name, value)| (&**name, *value)).collect();
    let (config, reading) = parse(text, &secrets);
    (config, reading.faults.iter().map(ToString::to_string).collect())
}

#[test]
fn a_number_of_its_own_is_a_sender_that_only_invites() {
    let text = format!("{CLOUD}invite_deep_link = \"call_link\"\ninvite_call_button = \"call_us\"\n");
    let (config, faults) = with_secrets(&text);
    assert_eq!(faults, Vec::<String>::new());
    let directory = config.directory();
    let sender = directory.sender(Phone::parse("+551151991234").unwrap()).unwrap();
    assert_eq!((&*sender.account, sender.can_call), ("cloud", false));
    let roads: Vec<_> = sender.roads.iter().map(|road| (road.kind, road.content.as_str())).collect();
    assert_eq!(roads, [(RoadKind::CallButton, "call_us"), (RoadKind::DeepLink, "call_link")]);
    let meta = &config.meta["cloud"];
    assert_eq!((&*meta.graph_version, meta.graph_url.as_str()), ("v25.0", "https://graph.facebook.com/"));
    let other = directory.sender(Phone::parse("+5511987654321").unwrap()).unwrap();
    assert!(other.can_call && other.roads.is_empty());
}

#[test]
fn a_shared_number_has_to_be_said_and_keeps_its_calls() {
    let shared = CLOUD.replace("+551151991234", "+5511987654321");
    let (_, faults) = with_secrets(&shared);
    assert!(
        matches!(&faults[..], [one] if one.contains("meta.cloud.shared_number: has to be true")),
        "{faults:?}"
    );
    let (config, faults) =
        with_secrets(&format!("{shared}shared_number = true\ninvite_template = \"call_template\"\n"));
    assert_eq!(faults, Vec::<String>::new());
    let directory = config.directory();
    let sender = directory.sender(Phone::parse("+5511987654321").unwrap()).unwrap();
    assert_eq!((&*sender.account, sender.can_call), ("main", true));
    assert_eq!((sender.roads[0].kind, &*sender.roads[0].account), (RoadKind::Template, "cloud"));
    let (_, faults) = with_secrets(&format!("{CLOUD}shared_number = true\n"));
    assert!(matches!(&faults[..], [one] if one.contains("no sender of [accounts]")), "{faults:?}");
}

#[test]
fn a_shared_number_may_ask_here_and_then_its_sender_asks_by_no_other_content() {
    let asks = "permission_request_content = \"ask_here\"\n";
    let shared = format!("{}shared_number = true\n{asks}", CLOUD.replace("+551151991234", "+5511987654321"));
    let (config, faults) = with_secrets(&shared);
    assert_eq!((faults, config.doubts()), (Vec::new(), Vec::new()));
    let directory = config.directory();
    let sender = directory.sender(Phone::parse("+5511987654321").unwrap()).unwrap();
    let road = sender.request_road.as_ref().unwrap();
    assert_eq!((&*road.account, road.content.as_str(), &*sender.account), ("cloud", "ask_here", "main"));
    let (config, faults) = with_secrets(&format!("{CLOUD}{asks}"));
    assert_eq!(faults, Vec::<String>::new());
    assert!(
        matches!(&config.doubts()[..], [one] if one.contains("meta.cloud.permission_request_content is not used"))
    );
}

#[test]
fn every_fault_of_a_number_is_told() {
    let text = "[meta.Cloud]\nnumber = \"551151991234\"\nphone_number_id = \"EAAJB\"\ntoken = \"written\"\n\
                graph_version = \"25\"\ngraph_url = \"http://graph.example.com\"\ninvite_template = \"Two Words\"\n";
    let faults = faults(text, &[]);
    for expected in [
        "is not an alias",
        "number: is not E.164",
        "phone_number_id: is not an id of Meta's",
        "business_account_id: is required",
        "meta.Cloud.token: is a secret",
        "app_secret: is required",
        "verify_token: is required",
        "graph_version: is not a version",
        "graph_url",
        "invite_template: is not the name of content",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{expected}: {faults:?}");
    }
    assert!(!format!("{faults:?}").contains("EAAJB"), "an id may be a misplaced secret");
}

#[test]
fn the_secret_of_an_app_is_not_short_and_not_told() {
    let told = |secret: &'static str| {
        let mut secrets = secrets("CLOUD");
        secrets[1].1 = secret;
        let secrets: Vec<(&str, &str)> = secrets.iter().map(|(name, value)| (&**name, *value)).collect();
        faults(CLOUD, &secrets)
    };
    assert_eq!(told(HUSH), Vec::<String>::new());
    for (secret, count) in [(&HUSH[1..], "15"), ("x", "1")] {
        let [fault] = &told(secret)[..] else { panic!("one fault") };
        assert!(fault.contains(&format!("meta.cloud.app_secret: has {count} characters")), "{fault}");
        assert!(fault.contains("at least 16 (our rule)") && !fault.contains("123"), "{fault}");
    }
}

#[test]
fn an_alias_and_a_number_are_used_once() {
    let twice = format!("{CLOUD}{}", CLOUD.replace("cloud", "main"));
    let all: Vec<(String, &str)> = secrets("CLOUD").into_iter().chain(secrets("MAIN")).collect();
    let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (&**name, *value)).collect();
    let faults = faults(&twice, &all);
    for expected in
        ["meta.main: has the alias of accounts.main", "meta.main.number", "meta.main.phone_number_id"]
    {
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{expected}: {faults:?}");
    }
}

#[test]
fn a_configuration_with_only_a_number_of_meta_is_one() {
    let variables: BTreeMap<String, String> = secrets("CLOUD")
        .into_iter()
        .map(|(name, value)| (format!("RINGMASTER_{name}"), value.to_owned()))
        .chain([("RINGMASTER_HTTP__PUBLIC_URL".to_owned(), "https://calls.example.com".to_owned())])
        .collect();
    let (config, reading) = Config::parse(CLOUD, Path::new("x.toml"), variables.into_iter());
    assert_eq!(reading.faults, []);
    assert_eq!(config.directory().senders().count(), 1);
}
