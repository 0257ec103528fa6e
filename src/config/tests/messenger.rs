//! `[messenger.<alias>]`.

use super::*;
use crate::domain::{Phone, RoadKind};

const PAGE: &str = "[messenger.page]\npage_id = \"1234567890\"\n";

fn read(text: &str) -> (Config, Vec<String>) {
    let secrets = [
        ("MESSENGER__PAGE__TOKEN", "hush"),
        ("MESSENGER__PAGE__APP_SECRET", "0123456789abcdef"),
        ("MESSENGER__PAGE__VERIFY_TOKEN", "hush"),
    ];
    let (config, reading) = parse(text, &secrets);
    (config, reading.faults.iter().map(ToString::to_string).collect())
}

#[test]
fn a_page_is_a_road_of_all_senders_or_of_those_it_names() {
    let number = Phone::parse("+5511987654321").unwrap();
    let other = Phone::parse("+551151991234").unwrap();
    let (config, faults) = read(&format!("{PAGE}invite = \"call_us\"\n"));
    assert_eq!(faults, Vec::<String>::new());
    let page = &config.messenger["page"];
    let road = page.road(&"page".into(), other).unwrap();
    assert_eq!((road.kind, road.content.as_str(), &*road.account), (RoadKind::Messenger, "call_us", "page"));
    assert_eq!((&*page.graph_version, page.graph_url.as_str()), ("v25.0", "https://graph.facebook.com/"));
    let (config, faults) = read(&format!("{PAGE}invite = \"call_us\"\nsenders = [\"+5511987654321\"]\n"));
    assert_eq!(faults, Vec::<String>::new());
    let page = &config.messenger["page"];
    assert!(page.road(&"page".into(), number).is_some() && page.road(&"page".into(), other).is_none());
    let (config, _) = read(PAGE);
    assert!(config.messenger["page"].road(&"page".into(), number).is_none());
}

#[test]
fn a_fault_names_its_key_and_the_rule() {
    for (text, key, rule) in [
        ("[messenger.Page]\npage_id = \"1\"", "messenger.Page", "is not an alias"),
        ("[messenger.page]\npage_id = \"EAAJB\"", "messenger.page.page_id", "expected 1 to 32 digits"),
        ("[messenger.page]\npage_id = \"\"", "messenger.page.page_id", "is empty"),
        ("[messenger.page]", "messenger.page.page_id", "the id of the page"),
        ("[messenger.page]\npage_id = \"1\"\ngraph_version = \"25\"", "graph_version", "\"v25.0\""),
        ("[messenger.page]\npage_id = \"1\"\ngraph_url = \"http://example.com\"", "graph_url", "https"),
        ("[messenger.page]\npage_id = \"1\"\nsenders = [\"x\"]", "messenger.page.senders", "is none"),
        ("[messenger.page]\npage_id = \"1\"\nsenders = [\"+551151991234\"]", "senders", "no sender"),
        ("[messenger.page]\npage_id = \"1\"\ninvite = \"call us\"", "invite", "is not the name of content"),
        (
            "[messenger.page]\npage_id = \"1\"\nphone_number_id = \"1\"",
            "phone_number_id",
            "not a key that is known",
        ),
        ("[messenger.page]\npage_id = \"1\"\ntoken = \"a\"", "messenger.page.token", ""),
    ] {
        let (_, faults) = read(text);
        assert!(faults.iter().any(|fault| fault.contains(key) && fault.contains(rule)), "{text}: {faults:?}");
    }
    let twice = format!("{PAGE}[messenger.other]\npage_id = \"1234567890\"\n");
    let secrets = ["PAGE", "OTHER"].map(|alias| {
        ["TOKEN", "APP_SECRET", "VERIFY_TOKEN"]
            .map(|key| (format!("MESSENGER__{alias}__{key}"), "0123456789abcdef"))
    });
    let secrets: Vec<(&str, &str)> =
        secrets.iter().flatten().map(|(name, value)| (&**name, *value)).collect();
    let faults: Vec<String> = parse(&twice, &secrets).1.faults.iter().map(ToString::to_string).collect();
    assert!(matches!(&faults[..], [one] if one.contains("page_id: belongs to another")), "{faults:?}");
}
