//! The words of declarations.

use super::super::messages::{Header, Parameter, Template, UrlButton, Words};
use super::*;
use crate::content::read::read;

fn said(source: &str) -> Option<Words> {
    words(&read(source).0.unwrap().declaration)
}

fn free(kind: &str, rest: &str) -> Option<Words> {
    said(&format!("name = \"a\"\nlanguage = \"en\"\napproval = \"none\"\ntype = \"{kind}\"\n{rest}"))
}

#[test]
fn free_messages_say_what_is_declared() {
    let call = |ttl_minutes, display_text| {
        Some(Words::VoiceCall { body: "Call us".into(), display_text, ttl_minutes })
    };
    let button = "body = \"Call us\"\n[[actions]]\ntype = \"VOICE_CALL\"\n";
    assert_eq!(free("meta/voice_call", button), call(None, None));
    let full = format!("{button}title = \"Call\"\nttl_minutes = 100");
    assert_eq!(free("meta/voice_call", &full), call(Some(100), Some("Call".into())));
    for (key, header) in [
        ("header_text", Header::Text("h".into())),
        ("header_image", Header::Image("h".into())),
        ("header_video", Header::Video("h".into())),
        ("header_document", Header::Document("h".into())),
    ] {
        let fields = format!(
            "{key} = \"h\"\nbody = \"b\"\nfooter = \"f\"\n[[actions]]\ntype = \"URL\"\ntitle = \"t\"\nurl = \"u\""
        );
        let expected = Words::CtaUrl {
            header: Some(header),
            body: "b".into(),
            footer: Some("f".into()),
            display_text: "t".into(),
            url: "u".into(),
        };
        assert_eq!(free("meta/cta_url", &fields), Some(expected), "{key}");
    }
    assert_eq!(free("meta/text", "body = \"b\""), Some(Words::Text { body: "b".into() }));
    assert_eq!(free("meta/call_permission_request", ""), Some(Words::PermissionRequest { body: None }));
    assert_eq!(free("messenger/button", "body = \"b\""), None);
    assert_eq!(free("twilio/text", "body = \"b\""), None);
}

#[test]
fn a_template_fills_its_variables_in_the_order_of_each_component() {
    let source = |header: &str, body: &str, url: &str| {
        said(&format!(
            "name = \"a\"\nlanguage = \"pt_BR\"\napproval = \"whatsapp\"\ntype = \"meta/template\"\nheader_text = \
             \"{header}\"\nbody = \"{body}\"\n[[actions]]\ntype = \"VOICE_CALL\"\nttl_minutes = 1440\n[[actions]]\n\
             type = \"URL\"\ntitle = \"t\"\nurl = \"https://shop.example/{url}\""
        ))
    };
    let parameter =
        |name: Option<&str>, text: &str| Parameter { name: name.map(str::to_owned), text: text.to_owned() };
    let Some(Words::Template(numbered)) = source("{{2}}", "{{3}} {{1}} {{3}}", "{{4}}") else { panic!() };
    let expected = Template {
        name: numbered.name.clone(),
        language: "pt_BR".into(),
        header: vec![parameter(None, "{{2}}")],
        body: vec![parameter(None, "{{3}}"), parameter(None, "{{1}}")],
        voice_call: Some(1_440),
        url_button: Some(UrlButton { index: 1, text: "{{4}}".into() }),
    };
    assert_eq!(numbered, expected);
    assert!(numbered.name.starts_with("a_") && numbered.name.len() == 12, "{}", numbered.name);
    let Some(Words::Template(named)) = source("h", "{{first}}", "fixed") else { panic!() };
    assert_eq!(named.body, [parameter(Some("first"), "{{first}}")]);
    assert_eq!((named.header, named.url_button), (vec![], None));
}
