//! The rules of content for Messenger, each at its boundary.

use super::super::Rule;
use super::{breaks, declared, faults};

fn message(kind: &str, rest: &str) -> String {
    format!("name = \"a\"\nlanguage = \"en\"\napproval = \"none\"\ntype = \"messenger/{kind}\"\n{rest}")
}

fn button(body: &str, more: &str) -> String {
    let call = format!("[[actions]]\ntype = \"AUDIO_CALL\"\ntitle = \"Call now\"\n{more}");
    message("button", &format!("body = \"{body}\"\n{call}"))
}

const CALL: &str = "[[elements.actions]]\ntype = \"AUDIO_CALL\"\ntitle = \"Call now\"\n";
const PAGE: &str =
    "[[elements.actions]]\ntype = \"WEB_URL\"\ntitle = \"See\"\nurl = \"https://shop.example/\"\n";

fn cards(fields: &str, buttons: &str) -> String {
    message("generic", &format!("[[elements]]\n{fields}\n{buttons}"))
}

fn text(length: usize) -> String {
    "x".repeat(length)
}

fn at_most(rule: Rule, key: &str, source: impl Fn(usize) -> String) {
    let most = rule.figure();
    for (count, is_broken) in [(most - 1, false), (most, false), (most + 1, true)] {
        let source = source(count);
        assert_eq!(breaks(&source, key, rule), is_broken, "{} {count}: {:?}", rule.code(), faults(&source));
    }
}

#[test]
fn content_of_both_types_can_be_without_a_fault() {
    for source in [
        button("Contact support", "expires_in_days = 5"),
        button("Contact {{who}}", "[variables]\nwho = \"us\""),
        cards("title = \"Contact support\"", CALL),
        cards(
            "title = \"a\"\nsubtitle = \"b\"\nimage_url = \"https://shop.example/a.png\"",
            &format!("{PAGE}{CALL}"),
        ),
    ] {
        assert!(faults(&source).is_empty(), "{:?}\n{source}", faults(&source));
    }
    let read = declared(&cards("title = \"a\"", &format!("{PAGE}{CALL}")));
    assert_eq!(read.elements[0].actions[1].key, "elements[0].actions[1]");
}

#[test]
fn texts_have_their_lengths() {
    at_most(Rule::MessengerText, "body", |length| button(&text(length), ""));
    at_most(Rule::MessengerTitle, "elements[0].title", |length| {
        cards(&format!("title = \"{}\"", text(length)), CALL)
    });
    at_most(Rule::MessengerSubtitle, "elements[0].subtitle", |length| {
        cards(&format!("title = \"a\"\nsubtitle = \"{}\"", text(length)), CALL)
    });
    at_most(Rule::MessengerButton, "elements[0].actions[0].title", |length| {
        cards("title = \"a\"", &CALL.replace("Call now", &text(length)))
    });
    for (title, is_broken) in [("a", false), ("", true), (" a", true)] {
        let source = button("b", "").replace("Call now", title);
        assert_eq!(breaks(&source, "actions[0].title", Rule::White), is_broken, "{title:?}");
    }
}

#[test]
fn a_message_has_1_to_10_elements_of_up_to_3_buttons() {
    let element = format!("[[elements]]\ntitle = \"a\"\n{CALL}");
    for (count, is_broken) in [(0, true), (1, false), (10, false), (11, true)] {
        let source = message("generic", &element.repeat(count));
        assert_eq!(breaks(&source, "elements", Rule::MessengerElements), is_broken, "{count}");
    }
    for (count, is_broken) in [(2, false), (3, false), (4, true)] {
        let source = cards("title = \"a\"", &CALL.repeat(count));
        assert_eq!(breaks(&source, "elements[0].actions", Rule::MessengerButtons), is_broken, "{count}");
    }
}

#[test]
fn an_audio_call_works_for_1_to_7_days() {
    let key = "actions[0].expires_in_days";
    for (days, is_broken) in [(-1, true), (0, true), (1, false), (7, false), (8, true)] {
        let source = button("b", &format!("expires_in_days = {days}"));
        assert_eq!(breaks(&source, key, Rule::ExpiresInDays), is_broken, "{days}");
    }
}

#[test]
fn a_message_without_a_call_or_with_a_lone_title_is_refused() {
    assert_eq!(faults(&cards("title = \"a\"", PAGE)), ["elements messenger.call"]);
    let alone =
        message("generic", &format!("[[elements]]\ntitle = \"a\"\n[[elements]]\ntitle = \"b\"\n{CALL}"));
    assert_eq!(faults(&alone), ["elements[0].title messenger.element_more"]);
    assert_eq!(faults(&message("button", "body = \"b\"")), ["actions messenger.call"]);
    assert!(breaks(&button("b", "").replace("body = \"b\"", ""), "body", Rule::MessengerText));
}

#[test]
fn buttons_of_other_types_and_urls_of_private_sites_are_refused() {
    let other = button("b", "").replace("AUDIO_CALL", "VOICE_CALL");
    assert!(breaks(&other, "actions[0].type", Rule::ActionType));
    for url in ["http://localhost/", "shop.example", "https://{{host}}/"] {
        let source = cards("title = \"a\"", &format!("{CALL}{}", PAGE.replace("https://shop.example/", url)));
        assert!(breaks(&source, "elements[0].actions[1].url", Rule::MessengerUrl), "{url}");
    }
    let link =
        cards("title = \"a\"", &format!("{CALL}{}", PAGE.replace("https://shop.example/", "{{link}}")));
    assert!(faults(&link).is_empty());
}

#[test]
fn an_unknown_variable_is_told_with_its_place() {
    let source = cards("title = \"Hi {{name}}\"", CALL);
    assert_eq!(faults(&source), ["elements[0].title variable.unknown"]);
    assert_eq!(
        faults(&button("b", "").replace("\"none\"", "\"whatsapp\"\ncategory = \"UTILITY\"")),
        ["approval approval.of_type"]
    );
}
