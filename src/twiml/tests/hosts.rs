//! Documents, agents and values may name only the hosts that the operator lists.

use super::*;

fn hosts() -> Arc<AllowedHosts> {
    Arc::new(AllowedHosts::new(&["pbx.example".to_owned()], &["*.bots.example".to_owned()]))
}

fn held(inside: &str) -> Result<Document, Vec<Fault>> {
    parsed(inside).hold_to(hosts())
}

const RELAY: &str = "<Connect action=\"{{action_url}}\"><ConversationRelay url=\"URL\"/></Connect>";

#[test]
fn a_literal_address_must_be_at_a_listed_host() {
    let dial = |address: &str| format!("<Dial action=\"{{{{action_url}}}}\">\n<Sip>{address}</Sip></Dial>");
    let relay = |url: &str| RELAY.replace("URL", url);
    for taken in [
        dial("sip:ana@pbx.example"),
        dial("sip:{{name}}@pbx.example;transport=tls"),
        relay("wss://a.bots.example/talk"),
        relay("wss://a.bots.example/{{name}}"),
    ] {
        assert!(held(&taken).is_ok(), "{taken}");
    }
    for (refused, line) in [
        (dial("sip:ana@evil.example"), 3),
        (dial("sip:{{name}}@evil.example"), 3),
        (dial("sip:ana@pbx.example;maddr=evil.example"), 3),
        (relay("wss://bots.example/talk"), 2),
    ] {
        let faults = held(&refused).unwrap_err();
        let [fault] = faults.as_slice() else { panic!("{refused}: {faults:?}") };
        assert_eq!((fault.line, fault.rule, fault.is_error()), (line, Rule::Host, true), "{refused}");
    }
}

#[test]
fn a_value_must_be_at_a_listed_host() {
    let bot = held(&RELAY.replace("URL", "{{bot}}")).unwrap();
    assert!(filled(&bot, &[("bot", "wss://a.bots.example/talk")]).is_ok());
    let elsewhere = RenderError::Host { name: "bot".into(), list: "twiml.bot_hosts" };
    assert_eq!(filled(&bot, &[("bot", "wss://evil.example/talk")]), Err(elsewhere));
    let sip = held("<Dial action=\"{{action_url}}\"><Sip>{{agent}}</Sip></Dial>").unwrap();
    let to = |agent| filled_for(&sip, &[], Some(agent));
    assert!(to("sip:ana@pbx.example").is_ok());
    let elsewhere = RenderError::Host { name: "agent".into(), list: "twiml.sip_hosts" };
    assert_eq!(to("sip:ana@evil.example"), Err(elsewhere.clone()));
    // The document has no slot for an agent who is called first.
    let first = held(
        "<Dial callerId=\"whatsapp:{{sender}}\" action=\"{{action_url}}\"><WhatsApp statusCallback=\"{{leg_status_url}}\">{{consumer}}</WhatsApp></Dial>",
    )
    .unwrap();
    let to = |agent| filled_for(&first, &[], Some(agent));
    assert!(to("client:alice").is_ok() && to("sip:ana@pbx.example").is_ok());
    assert_eq!(to("sip:ana@evil.example"), Err(elsewhere));
}

#[test]
fn the_faults_of_a_library_name_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let text = response("<Dial action=\"{{action_url}}\"><Sip>sip:ana@evil.example</Sip></Dial>");
    std::fs::write(folder.path().join("desk.xml"), text).unwrap();
    let faults = Library::load(folder.path()).unwrap().hold_to(&hosts()).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "desk.xml:2: host: <Sip> leads to a host that twiml.sip_hosts does not list"
    );
    assert!(Library::embedded().hold_to(&hosts()).is_ok());
}
