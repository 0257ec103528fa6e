//! Rendering: values are escaped everywhere, and a document calls only what its attempt may call.

use proptest::prelude::*;

use super::*;

#[test]
fn output_is_compact_and_keeps_the_order_of_attributes() {
    let document = parsed(
        "<!-- gone -->\n  <Say  voice='a'\n loop=\"2\" >\n  Hello <!-- gone --> {{name}},\n\tit  is\n<emphasis>now</emphasis>\n </Say >\n \
         <Pause></Pause><Hangup />",
    );
    let rendered = filled(&document, &[("name", "  Ana  ")]).unwrap();
    assert_eq!(
        inside(&rendered),
        "<Say voice=\"a\" loop=\"2\">Hello   Ana  , it is <emphasis>now</emphasis></Say><Pause/><Hangup/>"
    );
}

#[test]
fn values_in_text_and_attributes_cannot_become_markup() {
    let document = parsed("<Say voice=\"{{v}}\">{{v}}</Say>");
    for attack in [
        "</Say><Dial>+14155552671</Dial><Say>",
        "\"><Dial>1</Dial><Say voice=\"",
        "<!-- ",
        "]]>",
        "<![CDATA[",
        "&lt;",
        "&amp;#60;",
        "{{agent}}",
        "{{v}}",
        "<?php",
        "' x='",
        "\r\n\t",
    ] {
        let attack = &format!("x{attack}");
        let rendered = filled(&document, &[("v", attack)]).unwrap();
        let (names, values, text) = read_back(&rendered);
        assert_eq!(names, ["Response", "Say"], "{attack}");
        assert_eq!(values, [attack.as_str()], "{attack}");
        assert_eq!(&text, attack);
    }
}

#[test]
fn values_in_a_task_cannot_become_json() {
    let document = parsed(
        "<Enqueue workflowSid=\"{{w}}\"><Task>{\"a\": \"{{v}}\", \"b\": \"<{{v}}>\"}</Task></Enqueue>"
            .replace("<{{v}}>", "&lt;{{v}}&gt;")
            .as_str(),
    );
    for attack in [
        "\",\"admin\":true,\"x\":\"",
        "\\",
        "\\\"",
        "</Task><Dial>1</Dial>",
        "\n\r\t",
        "\u{2028}é\u{1F600}",
        "&quot;",
    ] {
        let rendered = filled(&document, &[("v", attack), ("w", WORKFLOW)]).unwrap();
        let (names, _, text) = read_back(&rendered);
        assert_eq!(names, ["Response", "Enqueue", "Task"], "{attack}");
        let task: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(task, serde_json::json!({ "a": attack, "b": format!("<{attack}>") }), "{attack}");
    }
}

#[test]
fn values_inside_a_url_stay_behind_its_host() {
    let document = parsed("<Play>https://media.example/{{v}}/a.mp3?q={{v}}</Play>");
    let rendered = filled(&document, &[("v", "../x?y=1&z#@evil.example")]).unwrap();
    let part = "..%2Fx%3Fy%3D1%26z%23%40evil.example";
    assert_eq!(inside(&rendered), format!("<Play>https://media.example/{part}/a.mp3?q={part}</Play>"));
    assert!(matches!(filled(&document, &[("v", "..")]), Err(RenderError::Unfit { .. })));
    assert!(matches!(filled(&document, &[("v", "a\0")]), Err(RenderError::Character { .. })));
}

#[test]
fn values_inside_a_sip_address_stay_a_part_of_it() {
    let document = parsed("<Dial><Sip>sip:{{v}}@pbx.example</Sip></Dial>");
    assert!(filled(&document, &[("v", "alice.b+1")]).is_ok());
    for attack in ["", "a@evil.example;", "a b", "é", "a;x=y", "a:b"] {
        assert!(matches!(filled(&document, &[("v", attack)]), Err(RenderError::Unfit { .. })), "{attack}");
    }
}

#[test]
fn values_must_fit_their_place() {
    for (inside, good, bad) in [
        ("<Say loop=\"{{v}}\">a</Say>", "2", "many"),
        ("<Dial record=\"{{v}}\"><Client>a</Client></Dial>", "do-not-record", "always"),
        ("<Play>{{v}}</Play>", "https://a.example/b.mp3", "b.mp3"),
        ("<Connect><Stream url=\"{{v}}\"/></Connect>", "wss://a.example/", "ws://a.example/"),
        ("<Enqueue workflowSid=\"{{v}}\"/>", WORKFLOW, "WW1"),
        ("<Dial><Conference>{{v}}</Conference></Dial>", "a", " "),
        ("<Dial><Client>{{v}}</Client></Dial>", "client:alice", "sip:a@b.example"),
        ("<Dial><Sip>{{v}}</Sip></Dial>", "sips:a@b.example", "+14155552671"),
        ("<Dial><Sip>{{v}}</Sip></Dial>", "sip:a@b.example", "sip:a@trunk.pstn.twilio.com"),
    ] {
        let document = parsed(inside);
        assert!(filled(&document, &[("v", good)]).is_ok(), "{inside}");
        let refusal = filled(&document, &[("v", bad)]).unwrap_err();
        assert!(matches!(&refusal, RenderError::Unfit { name, .. } if name == "v"), "{inside}: {refusal}");
        assert!(!refusal.to_string().contains(bad) || bad == " ", "{refusal}");
    }
}

#[test]
fn a_missing_value_is_named() {
    let document = parsed("<Say>{{greeting}} {{name}} {{greeting}} {{consumer}}</Say>");
    assert_eq!(document.variables().iter().map(String::as_str).collect::<Vec<_>>(), ["greeting", "name"]);
    assert_eq!(
        filled(&document, &[("greeting", "a")]),
        Err(RenderError::MissingVariable { name: "name".to_owned() })
    );
}

#[test]
fn a_variable_cannot_replace_a_built_in_value() {
    let document = parsed("<Say>{{callback}}</Say>");
    assert!(document.variables().is_empty());
    assert_eq!(inside(&filled(&document, &[("callback", "mine")]).unwrap()), "<Say>cb_1</Say>");
}

#[test]
fn a_character_outside_xml_is_refused_by_name() {
    let document = parsed("<Say>{{v}}</Say>");
    for value in ["a\0", "\u{1B}[0m", "\u{FFFF}"] {
        assert_eq!(filled(&document, &[("v", value)]), Err(RenderError::Character { name: "v".to_owned() }));
    }
}

#[test]
fn an_agent_is_required_where_the_document_uses_one() {
    let document = parsed("<Dial><Client>{{agent}}</Client></Dial>");
    assert!(document.needs_agent());
    assert_eq!(filled_for(&document, &[], None), Err(RenderError::MissingAgent));
    let rendered = filled_for(&document, &[], Some("client:alice")).unwrap();
    assert_eq!(inside(&rendered), "<Dial><Client>alice</Client></Dial>");
    assert!(!parsed("<Say>a</Say>").needs_agent());
}

#[test]
fn an_agent_of_the_other_kind_does_not_fit() {
    let (client, sip) =
        (parsed("<Dial><Client>{{agent}}</Client></Dial>"), parsed("<Dial><Sip>{{agent}}</Sip></Dial>"));
    for (document, good, bad) in
        [(client, "client:alice", "sip:a@b.example"), (sip, "sip:a@b.example", "client:alice")]
    {
        assert!(filled_for(&document, &[], Some(good)).is_ok());
        let refusal = filled_for(&document, &[], Some(bad)).unwrap_err();
        assert!(matches!(&refusal, RenderError::Unfit { name, .. } if name == "agent"), "{refusal}");
    }
}

#[test]
fn the_check_of_an_order_reports_all_faults() {
    let document =
        parsed("<Say loop=\"{{times}}\">{{a}} {{b}} {{a}}</Say><Dial><Client>{{agent}}</Client></Dial>");
    let refusals = document.check(&Values {
        sender: phone(SENDER),
        consumer: Some(phone(CONSUMER)),
        agent: None,
        callback: "",
        attempt: "",
        reference: None,
        action_url: "",
        leg_status_url: "",
        recording_url: "",
        variables: &|name| (name == "times").then_some("x"),
        is_our_sender: &|_| true,
    });
    assert!(
        matches!(
            &refusals[..],
            [
                RenderError::Unfit { .. },
                RenderError::MissingVariable { .. },
                RenderError::MissingVariable { .. },
                RenderError::MissingAgent,
            ]
        ),
        "{refusals:?}"
    );
}

#[test]
fn a_missing_reference_is_empty() {
    let document = parsed("<Say>{{reference}}</Say>");
    let rendered = document
        .render(&Values {
            sender: phone(SENDER),
            consumer: Some(phone(CONSUMER)),
            agent: None,
            callback: "",
            attempt: "",
            reference: None,
            action_url: "",
            leg_status_url: "",
            recording_url: "",
            variables: &|_| None,
            is_our_sender: &|_| false,
        })
        .unwrap();
    assert_eq!(inside(&rendered), "<Say></Say>");
}

fn agent_first(caller: &str, number: &str) -> Document {
    parsed(&format!(
        "<Dial callerId=\"whatsapp:{caller}\"><WhatsApp statusCallback=\"{{{{leg_status_url}}}}\">{number}</WhatsApp></Dial>"
    ))
}

#[test]
fn only_the_consumer_of_the_attempt_is_dialled() {
    assert!(filled(&agent_first("{{sender}}", "{{consumer}}"), &[]).is_ok());
    assert!(filled(&agent_first("{{sender}}", CONSUMER), &[]).is_ok());
    assert_eq!(filled(&agent_first("{{sender}}", "+5511987654322"), &[]), Err(RenderError::OtherConsumer));
    let by_variable = agent_first("{{sender}}", "{{number}}");
    assert!(filled(&by_variable, &[("number", CONSUMER)]).is_ok());
    assert_eq!(filled(&by_variable, &[("number", "+5511987654322")]), Err(RenderError::OtherConsumer));
    for bad in ["", "whatsapp:+5511987654321", "5511987654321", " +5511987654321"] {
        assert!(matches!(filled(&by_variable, &[("number", bad)]), Err(RenderError::Unfit { .. })), "{bad}");
    }
}

#[test]
fn only_the_sender_of_the_attempt_calls() {
    assert!(filled(&agent_first(SENDER, "{{consumer}}"), &[]).is_ok());
    assert_eq!(filled(&agent_first("+551133334445", "{{consumer}}"), &[]), Err(RenderError::OtherSender));
    let rendered = agent_first("{{sender}}", "{{consumer}}").render(&Values {
        sender: phone("+551133334445"),
        consumer: Some(phone(CONSUMER)),
        agent: None,
        callback: "cb_1",
        attempt: "at_1",
        reference: None,
        action_url: "https://ring.example/a",
        leg_status_url: "https://ring.example/l",
        recording_url: "https://ring.example/recording",
        variables: &|_| None,
        is_our_sender: &|sender| sender == phone(SENDER),
    });
    assert_eq!(rendered, Err(RenderError::UnknownSender));
}

#[test]
fn a_document_too_large_when_filled_is_refused() {
    let document = parsed("<Say>{{v}}</Say>");
    let shell = filled(&document, &[("v", "")]).unwrap().len();
    let value = "a".repeat(SIZE_MAX - shell);
    assert_eq!(filled(&document, &[("v", &value)]).unwrap().len(), SIZE_MAX);
    let value = format!("{value}a");
    assert_eq!(filled(&document, &[("v", &value)]), Err(RenderError::TooLarge { size: SIZE_MAX + 1 }));
}

#[test]
fn no_error_and_no_debug_print_shows_a_number() {
    let values = Values {
        sender: phone(SENDER),
        consumer: Some(phone(CONSUMER)),
        agent: None,
        callback: "cb_1",
        attempt: "at_1",
        reference: None,
        action_url: "https://ring.example/secret",
        leg_status_url: "https://ring.example/secret",
        recording_url: "https://ring.example/recording",
        variables: &|_| None,
        is_our_sender: &|_| false,
    };
    let printed = format!("{values:?}");
    for hidden in [&SENDER[1..], &CONSUMER[1..], "secret"] {
        assert!(!printed.contains(hidden), "{printed}");
    }
}

proptest! {
    #[test]
    fn any_value_is_refused_or_reads_back_unchanged(value in any::<String>()) {
        let document = parsed(
            "<Say voice=\"x{{v}}y\">x{{v}}y</Say><Enqueue workflowSid=\"{{w}}\"><Task>{\"k\":\"x{{v}}y\"}</Task></Enqueue>",
        );
        let refused = value.chars().any(|c| !escape::is_xml_char(c));
        match filled(&document, &[("v", &value), ("w", WORKFLOW)]) {
            Err(error) => {
                prop_assert!(refused);
                prop_assert_eq!(error, RenderError::Character { name: "v".to_owned() });
            }
            Ok(rendered) => {
                prop_assert!(!refused);
                let (names, values, text) = read_back(&rendered);
                prop_assert_eq!(names, ["Response", "Say", "Enqueue", "Task"]);
                let written = format!("x{value}y");
                prop_assert_eq!(&values[0], &written);
                let task = text.strip_prefix(&written);
                prop_assert!(task.is_some());
                let task: serde_json::Value = serde_json::from_str(task.unwrap_or_default()).unwrap();
                prop_assert_eq!(&task["k"], &written);
            }
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(source in "(<|>|/|&|;|\"|'|=|\\{\\{|\\}\\}| |\n|Response|Say|Dial|voice|a|é|!--|--|\\?|#|\\]\\]|\u{0}){0,40}") {
        let _ = Document::parse("test", &source);
        let _ = Document::parse("test", &response(&source));
    }
}
