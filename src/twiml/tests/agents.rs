//! The agents and bots of documents.

use super::*;
use crate::domain::{Noun, NounKind, Part};

fn dials(body: &str) -> Vec<Vec<Noun>> {
    parsed(body).script().dials.to_vec()
}

fn client(parts: impl IntoIterator<Item = Part>) -> Noun {
    Noun { kind: NounKind::Client, parts: parts.into_iter().collect() }
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

#[test]
fn the_nouns_of_one_dial_are_a_group() {
    let both =
        "<Dial action=\"{{action_url}}\"><Client>alice</Client><Sip>sip:{{desk}}@example.com</Sip></Dial>";
    let desk = vec![text("sip:"), Part::Variable("desk".to_owned()), text("@example.com")];
    assert_eq!(dials(both), [vec![client([text("alice")]), Noun { kind: NounKind::Sip, parts: desk }]]);
    let twice = "<Dial><Client>alice</Client></Dial><Dial><Client>bob</Client></Dial>";
    assert_eq!(dials(twice), [vec![client([text("alice")])], vec![client([text("bob")])]]);
}

#[test]
fn the_identity_of_a_client_is_its_name() {
    let body = "<Dial><Client><Identity>desk-{{reference}}</Identity><Parameter name=\"a\" value=\"b\"/></Client></Dial>";
    assert_eq!(dials(body), [vec![client([text("desk-"), Part::Reference])]]);
    assert_eq!(dials("<Dial><Client>{{attempt}}</Client></Dial>"), [vec![client([Part::Attempt])]]);
    assert_eq!(dials("<Dial><Conference>room</Conference></Dial>"), Vec::<Vec<Noun>>::new());
}

#[test]
fn a_stream_that_only_listens_is_not_a_bot() {
    let has_bot = |body: &str| parsed(body).script().has_bot;
    assert!(has_bot("<Connect><Stream url=\"wss://bot.example.com/media\"/></Connect>"));
    assert!(!has_bot("<Start><Stream url=\"wss://bot.example.com/media\"/></Start><Say>Hello</Say>"));
}
