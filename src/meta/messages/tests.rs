//! Bodies compared with the examples of Meta's pages, and the boundaries of each limit.

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::constant(1_790_000_000 + second, 0)
}

const NONE: &BTreeMap<String, String> = &BTreeMap::new();

fn values(variables: &BTreeMap<String, String>) -> Values<'_> {
    Values {
        variables,
        link: Some("https://wa.me/call/551151991234?biz_payload=tok".to_owned()),
        payload: Some("payload data".to_owned()),
        now: at(0),
        ends_at: None,
    }
}

fn to() -> Phone {
    Phone::parse("+14085551234").unwrap()
}

fn made(words: &Words) -> Value {
    body(to(), "token", words, &values(NONE)).unwrap()
}

fn voice_call() -> Words {
    Words::VoiceCall {
        body: "You can call us on WhatsApp now for faster service!".to_owned(),
        display_text: Some("Call on WhatsApp".to_owned()),
        ttl_minutes: Some(100),
    }
}

#[test]
fn a_call_button_is_sent_as_in_the_example() {
    let expected = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+14085551234",
        "type": "interactive", "biz_opaque_callback_data": "token",
        "interactive": {
            "type": "voice_call",
            "body": {"text": "You can call us on WhatsApp now for faster service!"},
            "action": {"name": "voice_call", "parameters": {
                "display_text": "Call on WhatsApp", "ttl_minutes": 100, "payload": "payload data"}},
        },
    });
    assert_eq!(made(&voice_call()), expected);
}

#[test]
fn a_url_button_is_sent_as_in_the_example() {
    let words = Words::CtaUrl {
        header: Some(Header::Image("https://www.luckyshrub.com/assets/banner.png".to_owned())),
        body: "Tap the button below to see available dates.".to_owned(),
        footer: Some("Dates subject to change.".to_owned()),
        display_text: "See Dates".to_owned(),
        url: "https://www.luckyshrub.com?clickID=1".to_owned(),
    };
    let expected = json!({
        "type": "cta_url",
        "header": {"type": "image", "image": {"link": "https://www.luckyshrub.com/assets/banner.png"}},
        "body": {"text": "Tap the button below to see available dates."},
        "action": {"name": "cta_url", "parameters": {
            "display_text": "See Dates", "url": "https://www.luckyshrub.com?clickID=1"}},
        "footer": {"text": "Dates subject to change."},
    });
    assert_eq!(made(&words)["interactive"], expected);
    for (header, expected) in [
        (Header::Text("Hi".to_owned()), json!({"type": "text", "text": "Hi"})),
        (Header::Video("https://x".to_owned()), json!({"type": "video", "video": {"link": "https://x"}})),
        (
            Header::Document("https://x".to_owned()),
            json!({"type": "document", "document": {"link": "https://x"}}),
        ),
    ] {
        assert_eq!(values(NONE).header(&header), Ok(expected));
    }
}

fn template() -> Template {
    Template {
        name: "wa_voice_call".to_owned(),
        language: "en".to_owned(),
        header: Vec::new(),
        body: Vec::new(),
        voice_call: Some(100),
        url_button: None,
    }
}

#[test]
fn a_template_with_a_call_button_is_sent_as_in_the_example() {
    let expected = json!({
        "name": "wa_voice_call", "language": {"code": "en"},
        "components": [{"type": "button", "sub_type": "voice_call", "parameters": [
            {"type": "ttl_minutes", "ttl_minutes": 100}, {"type": "payload", "payload": "payload data"}]}],
    });
    let message = made(&Words::Template(template()));
    assert_eq!((&message["template"], &message["type"]), (&expected, &json!("template")));
}

#[test]
fn a_template_has_its_variables_in_order_and_its_url() {
    let variables = BTreeMap::from([("name".to_owned(), "Ana".to_owned())]);
    let parameter =
        |name: Option<&str>, text: &str| Parameter { name: name.map(str::to_owned), text: text.to_owned() };
    let words = Words::Template(Template {
        header: vec![parameter(None, "Hi")],
        body: vec![parameter(Some("first"), "{{name}}"), parameter(None, "x")],
        voice_call: None,
        url_button: Some(UrlButton { index: 1, text: "{{payload}}".to_owned() }),
        ..template()
    });
    let message = body(to(), "token", &words, &values(&variables)).unwrap();
    let expected = json!([
        {"type": "header", "parameters": [{"type": "text", "text": "Hi"}]},
        {"type": "body", "parameters": [
            {"type": "text", "parameter_name": "first", "text": "Ana"}, {"type": "text", "text": "x"}]},
        {"type": "button", "sub_type": "url", "index": "1",
         "parameters": [{"type": "text", "text": "payload data"}]},
    ]);
    assert_eq!(message["template"]["components"], expected);
}

#[test]
fn a_text_has_the_link_and_a_request_its_body() {
    let text = made(&Words::Text { body: "Call us: {{link}}".to_owned() });
    assert_eq!(text["text"]["body"], "Call us: https://wa.me/call/551151991234?biz_payload=tok");
    let request = made(&Words::PermissionRequest { body: Some("May we call?".to_owned()) });
    let expected = json!({"type": "call_permission_request", "body": {"text": "May we call?"},
        "action": {"name": "call_permission_request"}});
    assert_eq!(request["interactive"], expected);
    assert_eq!(made(&Words::PermissionRequest { body: None })["interactive"]["body"], Value::Null);
}

#[test]
fn every_text_has_its_longest_length_in_characters() {
    let cta = |body: usize, footer: usize, button: usize, header: usize| Words::CtaUrl {
        header: Some(Header::Text("é".repeat(header))),
        body: "é".repeat(body),
        footer: Some("é".repeat(footer)),
        display_text: "é".repeat(button),
        url: "https://x".to_owned(),
    };
    let call = |body: usize, button: usize| Words::VoiceCall {
        body: "é".repeat(body),
        display_text: Some("é".repeat(button)),
        ttl_minutes: None,
    };
    let fault = |words: &Words| body(to(), "t", words, &values(NONE)).err().map(|fault| fault.to_string());
    assert_eq!(fault(&cta(1024, 60, 20, 60)), None);
    assert_eq!(fault(&call(1024, 20)), None);
    for (words, field) in [
        (cta(1025, 60, 20, 60), "body has 1025"),
        (cta(1024, 61, 20, 60), "footer has 61"),
        (cta(1024, 60, 21, 60), "display_text has 21"),
        (cta(1024, 60, 20, 61), "header has 61"),
        (call(1025, 20), "body has 1025"),
        (call(1024, 21), "display_text has 21"),
        (cta(0, 60, 20, 60), "body is empty"),
    ] {
        assert!(fault(&words).unwrap().starts_with(field), "{field}");
    }
    let payload = |length: usize| {
        let values = Values { payload: Some("p".repeat(length)), ..values(NONE) };
        body(to(), "t", &voice_call(), &values).is_ok()
    };
    assert!(payload(512) && !payload(513));
}

#[test]
fn a_button_lives_1_to_43200_minutes_and_not_longer_than_the_callback() {
    let ttl = |declared, ends_at| Values { ends_at, ..values(NONE) }.ttl(declared);
    for (declared, expected) in [
        (None, Ok(10_080)),
        (Some(0), Err(Fault::Ttl)),
        (Some(1), Ok(1)),
        (Some(43_200), Ok(43_200)),
        (Some(43_201), Err(Fault::Ttl)),
    ] {
        assert_eq!(ttl(declared, None), expected);
    }
    for (second, expected) in [
        (-1, Err(Fault::Ended)),
        (59, Err(Fault::Ended)),
        (60, Ok(1)),
        (119, Ok(1)),
        (6000, Ok(100)),
        (6060, Ok(100)),
    ] {
        assert_eq!(ttl(Some(100), Some(at(second))), expected, "{second}");
    }
}

#[test]
fn a_placeholder_without_a_value_is_not_sent() {
    let variables = BTreeMap::from([("name".to_owned(), "Ana {{x}}".to_owned())]);
    let text = |text: &str| {
        let words = Words::Text { body: text.to_owned() };
        body(to(), "t", &words, &values(&variables)).map(|body| body["text"]["body"].clone())
    };
    assert_eq!(
        text("Hi {{name}}, {{ name }}!").unwrap(),
        "Hi Ana {{x}}, Ana {{x}}!",
        "values stay as they are"
    );
    assert_eq!(text("a {{b").unwrap(), "a {{b");
    let fault = text("Hi {{nobody}}").unwrap_err();
    assert_eq!(fault, Fault::NoValue { field: "body", name: "nobody".to_owned() });
    assert_eq!(
        fault.to_string(),
        "body has the placeholder {{nobody}}, for which the order has no value (our rule)"
    );
    let alone = Values { link: None, ..values(NONE) };
    assert!(body(to(), "t", &Words::Text { body: "{{link}}".to_owned() }, &alone).is_err());
}

#[test]
fn each_road_has_its_kind_of_content() {
    let text = |body: &str| Words::Text { body: body.to_owned() };
    for (words, roads) in [
        (voice_call(), &[RoadKind::CallButton][..]),
        (Words::Template(template()), &[RoadKind::Template]),
        (text("{{link}}"), &[RoadKind::DeepLink]),
        (text("no link"), &[]),
        (Words::PermissionRequest { body: None }, &[]),
    ] {
        let served: Vec<_> = RoadKind::ALL.into_iter().filter(|road| words.serves(*road)).collect();
        assert_eq!(served, roads);
    }
}
