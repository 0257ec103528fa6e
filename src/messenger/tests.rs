//! Bodies against the shapes of Meta's pages, answers, codes, and webhooks.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::messages::{Fault, Values, body};
use super::page::{Eligibility, read_eligibility};
use super::platform::{SUBCODES, accepted, code};
use super::webhook::{BodyError, ITEMS_MAX, Item, LeftOut, Ours, read};
use crate::content::{Action, ActionKind, Approval, Declaration, Element, Kind, Rule};
use crate::domain::event::{MessageProgress, Word};
use crate::domain::{AccountAlias, ErrorCode, Event, Issuer, Psid, Words};
use crate::meta::Refusal;
use crate::policy::errors::{find, tables};

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

fn psid() -> Psid {
    "6789012345678901".parse().unwrap()
}

fn action(kind: ActionKind, title: &str) -> Action {
    Action {
        key: "actions[0]".into(),
        kind,
        title: Some(title.into()),
        url: None,
        phone: None,
        code: None,
        id: None,
        ttl_minutes: None,
        payload: None,
        expires_in_days: None,
    }
}

fn call(days: Option<i64>) -> Action {
    Action { expires_in_days: days, ..action(ActionKind::AudioCall, "Call Now") }
}

fn page(url: &str) -> Action {
    Action { url: Some(url.into()), ..action(ActionKind::WebUrl, "View Website") }
}

fn declaration(kind: Kind, text: &str, actions: Vec<Action>) -> Declaration {
    let is_card = kind == Kind::MessengerGeneric;
    let element = || Element {
        index: 0,
        title: Some(text.into()),
        subtitle: None,
        image_url: None,
        actions: actions.clone(),
    };
    Declaration {
        name: "call_us".into(),
        language: "en".into(),
        category: None,
        approval: Approval::None,
        revision: 1,
        kind,
        body: (!is_card).then(|| text.into()),
        title: None,
        subtitle: None,
        header_text: None,
        header_image: None,
        header_video: None,
        header_document: None,
        footer: None,
        media: vec![],
        elements: is_card.then(element).into_iter().collect(),
        actions: if is_card { vec![] } else { actions },
        variables: BTreeMap::new(),
    }
}

fn made(
    declaration: &Declaration,
    variables: &[(&str, &str)],
    left: Option<SignedDuration>,
) -> Result<Value, Fault> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let values = Values {
        variables: &variables,
        link: Some("https://wa.me/call/551151991234?biz_payload=t".into()),
        payload: Some("t".into()),
        now: NOW,
        ends_at: left.map(|left| NOW + left),
    };
    body(&psid(), declaration, &values)
}

#[test]
fn a_generic_template_has_the_documented_shape() {
    let content = declaration(
        Kind::MessengerGeneric,
        "Contact Support!",
        vec![page("https://shop.example/"), call(Some(5))],
    );
    let expected = json!({
        "recipient": {"id": "6789012345678901"},
        "message": {"attachment": {"type": "template", "payload": {
            "template_type": "generic",
            "elements": [{"title": "Contact Support!", "buttons": [
                {"type": "web_url", "title": "View Website", "url": "https://shop.example/"},
                {"type": "audio_call", "title": "Call Now", "expires_in_days": 5},
            ]}],
        }}},
    });
    assert_eq!(made(&content, &[], None).unwrap(), expected);
}

#[test]
fn a_button_template_has_the_documented_shape() {
    let content = declaration(Kind::MessengerButton, "Contact {{who}}!", vec![call(None), page("{{link}}")]);
    let expected = json!({
        "recipient": {"id": "6789012345678901"},
        "message": {"attachment": {"type": "template", "payload": {
            "template_type": "button",
            "text": "Contact Support!",
            "buttons": [
                {"type": "audio_call", "title": "Call Now", "expires_in_days": 7},
                {"type": "web_url", "title": "View Website",
                    "url": "https://wa.me/call/551151991234?biz_payload=t"},
            ],
        }}},
    });
    assert_eq!(made(&content, &[("who", "Support")], None).unwrap(), expected);
}

#[test]
fn a_button_works_for_as_many_days_as_it_has_a_use() {
    let days = |declared, left| -> Result<i64, Fault> {
        let made = made(&declaration(Kind::MessengerButton, "Call", vec![call(declared)]), &[], Some(left))?;
        Ok(made["message"]["attachment"]["payload"]["buttons"][0]["expires_in_days"].as_i64().unwrap())
    };
    let (second, day) = (SignedDuration::from_secs(1), SignedDuration::from_hours(24));
    assert_eq!(days(None, SignedDuration::ZERO), Err(Fault::Ended));
    assert_eq!(days(None, -second), Err(Fault::Ended));
    for (declared, left, expected) in [
        (None, second, 1),
        (None, day, 1),
        (None, day + second, 2),
        (None, day * 7, 7),
        (None, day * 30, 7),
        (Some(3), day * 30, 3),
        (Some(3), day, 1),
    ] {
        assert_eq!(days(declared, left), Ok(expected), "{declared:?} {left:?}");
    }
}

#[test]
fn texts_are_measured_with_their_values() {
    let content = declaration(Kind::MessengerButton, "{{x}}", vec![call(None)]);
    let with = |length: usize| made(&content, &[("x", &"ü".repeat(length))], None).map(drop);
    assert_eq!(with(640), Ok(()));
    let too_long = Fault::TooLong { field: "text", rule: Rule::MessengerText, length: 641 };
    assert_eq!(with(641), Err(too_long.clone()));
    assert!(too_long.to_string().contains("at most 640 (Meta, Messenger"), "{too_long}");
    assert_eq!(with(0), Err(Fault::Empty { field: "text" }));
    let missing = Fault::NoValue { field: "text", name: "x".into() };
    assert_eq!(made(&content, &[], None), Err(missing));
    let card = declaration(Kind::MessengerGeneric, "{{x}}", vec![call(None)]);
    for (length, fits) in [(80, true), (81, false)] {
        assert_eq!(made(&card, &[("x", &"x".repeat(length))], None).is_ok(), fits, "{length}");
    }
    let other = declaration(Kind::MetaVoiceCall, "x", vec![]);
    assert_eq!(made(&other, &[], None), Err(Fault::Kind));
}

#[test]
fn both_shapes_of_an_answer_are_read() {
    for (answer, id) in [
        (json!({"recipient_id": "1", "message_id": "m_1"}), Some("m_1")),
        (json!({"recipient": {"id": "1", "message_id": "m_2"}}), Some("m_2")),
        (json!({"recipient_id": "1"}), None),
        (json!({"message_id": ""}), None),
        (json!({"message_id": "a b"}), None),
        (json!({"message_id": 7}), None),
        (json!([]), None),
    ] {
        assert_eq!(accepted(answer.to_string().as_bytes()).as_deref(), id, "{answer}");
    }
    assert_eq!(accepted(b"<html>"), None);
}

#[test]
fn a_refusal_is_looked_up_by_its_known_subcode_or_else_by_its_code() {
    let of = |number, subcode| {
        let refusal =
            Refusal { status: 400, code: Some(number), subcode, is_transient: false, message: String::new() };
        code(&refusal).unwrap()
    };
    // The five errors that Call Audio CTA names: an unknown page or person, calling not enabled, no right,
    // expires_in_days above 7, and outside the window.
    for (number, subcode, meaning) in [
        (100, Some(2_018_001), "the page does not know the person, or the page's id is wrong"),
        (100, Some(2_018_389), "audio calling is not enabled for the page"),
        (200, Some(7), "the page's token or rights do not suffice"),
        (190, Some(463), "the page's token or rights do not suffice"),
        (100, None, "Messenger does not accept a parameter, such as expires_in_days above 7"),
        (10, Some(2_018_278), "the person has not written to the page within 24 h"),
    ] {
        let row = find(of(number, subcode)).unwrap();
        assert_eq!(row.meaning, meaning, "{number} {subcode:?}");
        assert!(!row.advice.is_empty());
    }
    assert_eq!(of(190, Some(463)), ErrorCode::new(Issuer::Messenger, 190));
    for subcode in SUBCODES {
        assert!(find(ErrorCode::new(Issuer::Messenger, *subcode)).is_some(), "{subcode}");
    }
    assert!(!tables(Issuer::Messenger).is_empty());
}

fn webhook(body: &Value) -> Result<(Vec<Item>, Vec<LeftOut>), BodyError> {
    let account = AccountAlias::from("page");
    let words = Words::new(["stop"], ["start"]);
    let ours = Ours { account: &account, page_id: "1234567890", words: &words };
    read(body.to_string().as_bytes(), &ours).map(|read| (read.items, read.left_out))
}

fn entry(fields: &Value) -> Value {
    let mut entry = json!({"id": "1234567890", "time": 1_790_000_000_000_i64});
    entry.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({"object": "page", "entry": [entry]})
}

fn from_person(fields: &Value) -> Value {
    let mut item = json!({
        "sender": {"id": "6789012345678901"},
        "recipient": {"id": "1234567890"},
        "timestamp": 1_790_000_000_123_i64,
    });
    item.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    item
}

fn one(item: &Value) -> Result<Event, LeftOut> {
    let (mut items, left_out) = webhook(&entry(&json!({"messaging": [item]}))).unwrap();
    assert_eq!(items.len() + left_out.len(), 1);
    items.pop().map(|item| item.event).ok_or_else(|| left_out[0])
}

#[test]
fn a_message_of_a_person_opens_the_window_and_its_word_is_read() {
    let wrote_at = Some("2026-09-21T14:13:20.123Z".parse().unwrap());
    let wrote = |word| Ok(Event::MessengerMessage { account: "page".into(), psid: psid(), word, wrote_at });
    for (message, expected) in [
        (json!({"message": {"mid": "m_1", "text": "hello"}}), wrote(None)),
        (json!({"message": {"mid": "m_1", "text": "STOP"}}), wrote(Some(Word::Stop))),
        (json!({"message": {"mid": "m_1", "attachments": []}}), wrote(None)),
        (json!({"postback": {"title": "Start", "payload": "x"}}), wrote(Some(Word::Start))),
        (json!({"postback": {"title": "Start", "payload": "stop"}}), wrote(Some(Word::Stop))),
        (json!({"message": {"mid": "m_1", "is_echo": true}}), Err(LeftOut::Kind)),
        (json!({"message": {"text": "hello"}}), Err(LeftOut::Unreadable)),
        (json!({"read": {"watermark": 1}}), Err(LeftOut::Kind)),
        (json!({"reaction": {"mid": "m_1"}}), Err(LeftOut::Kind)),
    ] {
        assert_eq!(one(&from_person(&message)), expected, "{message}");
    }
    let of_the_page = json!({"sender": {"id": "1234567890"}, "message": {"mid": "m_1", "text": "a"}});
    assert_eq!(one(&of_the_page), Err(LeftOut::Unreadable));
}

#[test]
fn a_call_of_a_person_is_read_in_each_assumed_shape() {
    let called = |at: &str| Event::MessengerCall {
        account: "page".into(),
        psid: psid(),
        at: Some(at.parse().unwrap()),
    };
    let told = from_person(&json!({"call": {"id": "c_1", "event": "connect"}}));
    assert_eq!(one(&told), Ok(called("2026-09-21T14:13:20.123Z")));
    let placed = from_person(&json!({"call": {"id": "c_1", "direction": "BUSINESS_INITIATED"}}));
    assert_eq!(one(&placed), Err(LeftOut::Kind));
    for value in [
        json!({"calls": [{"id": "c_1", "from": "6789012345678901", "timestamp": "1790000000"}]}),
        json!({"from": {"id": "6789012345678901"}, "timestamp": 1_790_000_000}),
        json!({"psid": "6789012345678901", "timestamp": 1_790_000_000_000_i64}),
    ] {
        let (items, left_out) =
            webhook(&entry(&json!({"changes": [{"field": "calls", "value": value}]}))).unwrap();
        assert!(left_out.is_empty(), "{value}");
        assert_eq!(items[0].event, called("2026-09-21T14:13:20Z"), "{value}");
    }
    let nobody = entry(&json!({"changes": [{"field": "calls", "value": {"timestamp": 1}}]}));
    assert_eq!(webhook(&nobody).unwrap().1, [LeftOut::Unreadable]);
}

#[test]
fn the_same_call_told_twice_has_one_key() {
    let told = |event: &str, id: &str| {
        let item = from_person(&json!({"call": {"id": id, "event": event}}));
        webhook(&entry(&json!({"messaging": [item]}))).unwrap().0[0].key
    };
    assert_eq!(told("connect", "c_1"), told("terminate", "c_1"));
    assert_ne!(told("connect", "c_1"), told("connect", "c_2"));
}

#[test]
fn what_was_delivered_is_told_by_its_id() {
    let delivery = from_person(&json!({"delivery": {"mids": ["m_1", "m_2"], "watermark": 1}}));
    let (items, _) = webhook(&entry(&json!({"messaging": [delivery]}))).unwrap();
    let told: Vec<_> = items
        .iter()
        .map(|item| match &item.event {
            Event::Message(report) => (report.sid.as_str(), report.progress),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, [("m_1", MessageProgress::Delivered), ("m_2", MessageProgress::Delivered)]);
    assert_eq!(one(&from_person(&json!({"delivery": {"watermark": 1}}))), Err(LeftOut::Kind));
}

#[test]
fn one_faulty_item_does_not_lose_the_others() {
    let good = from_person(&json!({"message": {"mid": "m_1", "text": "a"}}));
    let body = json!({"object": "page", "entry": [
        {"id": "999", "messaging": [good]},
        7,
        {"id": "1234567890", "messaging": [7, {}, good], "changes": [{"field": "feed"}, null]},
    ]});
    let (items, left_out) = webhook(&body).unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(left_out.len(), 6);
    assert_eq!(left_out[..2], [LeftOut::Foreign, LeftOut::Foreign]);
    for body in [json!([]), json!({"object": "page"}), json!({"object": "instagram", "entry": []})] {
        assert_eq!(webhook(&body), Err(BodyError::Unreadable), "{body}");
    }
    let many = |count: usize| entry(&json!({"messaging": vec![json!({}); count]}));
    assert!(webhook(&many(ITEMS_MAX)).is_ok());
    assert_eq!(webhook(&many(ITEMS_MAX + 1)), Err(BodyError::TooMany));
}

#[test]
fn the_state_of_a_page_is_read_in_any_case_of_its_letters() {
    for (answer, expected) in [
        (
            json!({"features": [{"feature": "MESSENGER_API_CALLING", "status": "Eligible"}]}),
            Eligibility::Eligible,
        ),
        (json!({"data": [{"feature": "messenger_api_calling", "status": "ENABLED"}]}), Eligibility::Eligible),
        (
            json!([{"feature": "messenger_api_calling", "status": "NOT_ELIGIBLE"}]),
            Eligibility::NotEligible("not_eligible".into()),
        ),
        (json!({"features": [{"feature": "other", "status": "ELIGIBLE"}]}), Eligibility::Untold),
        (json!(null), Eligibility::Untold),
    ] {
        assert_eq!(read_eligibility(&answer), expected, "{answer}");
    }
}
