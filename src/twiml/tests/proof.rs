//! The reports of documents about a consumer who answered, and the warnings about missing ones.

use super::*;

/// The report of a document with these verbs, and the lines of its warnings. The first verb is on line 2.
fn judged(inside: &str) -> (Proof, Vec<usize>) {
    let document = Document::parse("test", &response(inside)).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert!(document.warnings().iter().all(|fault| fault.rule == Rule::Unproved), "{inside}");
    (document.script().proof, document.warnings().iter().map(|fault| fault.line).collect())
}

const END: &str = "<Redirect>{{action_url}}</Redirect>";

#[test]
fn a_message_reports_its_end_by_a_redirect() {
    let played = (Proof::Playback, vec![]);
    assert_eq!(judged(&format!("<Say>Hello.</Say>\n{END}")), played);
    assert_eq!(judged("<Say>Hello.</Say>\n<Redirect>\n  {{action_url}}\n</Redirect>"), played);
    let gather = "<Gather action=\"{{action_url}}\"><Say>Press one.</Say></Gather>";
    assert_eq!(judged(&format!("{gather}\n{END}")), played);
    assert_eq!(judged("<Say>Hello.</Say>"), (Proof::Answer, vec![2]));
    assert_eq!(judged("<Say>Hello.</Say>\n<Hangup/>"), (Proof::Answer, vec![3]));
    // The end must be reached.
    assert_eq!(judged(&format!("<Say>Hello.</Say>\n<Hangup/>\n{END}")), (Proof::Answer, vec![4]));
    assert_eq!(judged(&format!("{END}\n<Say>Hello.</Say>\n{END}")), (Proof::Answer, vec![4]));
}

#[test]
fn a_connecting_verb_reports_its_end_or_its_legs() {
    let bridged = (Proof::Bridge, vec![]);
    let leg = "statusCallback=\"{{leg_status_url}}\"";
    assert_eq!(judged("<Dial action=\"{{action_url}}\"><Client>alice</Client></Dial>"), bridged);
    assert_eq!(judged("<Enqueue action=\"{{action_url}}\">support</Enqueue>"), bridged);
    assert_eq!(judged(&format!("<Dial><Client {leg}>alice</Client></Dial>")), bridged);
    assert_eq!(
        judged(&format!("<Dial><Client {leg}>alice</Client><Sip {leg}>sip:b@x.io</Sip></Dial>")),
        bridged
    );
    for (events, proof) in [
        ("initiated ringing", Proof::Answer),
        ("ringing answered", Proof::Bridge),
        ("completed", Proof::Bridge),
    ] {
        let dial = format!("<Dial><Client {leg} statusCallbackEvent=\"{events}\">alice</Client></Dial>");
        assert_eq!(judged(&dial).0, proof, "{events}");
    }
}

#[test]
fn without_a_report_of_the_connecting_verb_the_answer_counts() {
    let leg = "statusCallback=\"{{leg_status_url}}\"";
    let silent = |line| (Proof::Answer, vec![line]);
    assert_eq!(judged("<Dial><Client>alice</Client></Dial>"), silent(2));
    assert_eq!(judged("<Say>Hello.</Say>\n<Enqueue>support</Enqueue>"), silent(3));
    assert_eq!(judged(&format!("<Dial><Client {leg}>alice</Client><Client>bob</Client></Dial>")), silent(2));
    assert_eq!(judged("<Dial><Conference>room</Conference></Dial>"), silent(2));
    // Each connecting verb needs a report, because any of them may connect the consumer.
    let second = "<Dial action=\"{{action_url}}\"><Client>bob</Client></Dial>";
    assert_eq!(judged(&format!("<Dial><Client>alice</Client></Dial>\n{second}")), silent(2));
    // The end of the document does not report whether the consumer was connected.
    assert_eq!(judged(&format!("<Dial><Client>alice</Client></Dial>\n{END}")), silent(2));
}

#[test]
fn a_bot_and_an_agent_who_is_called_first_need_no_report() {
    let bot = "<Connect><ConversationRelay url=\"wss://bot.example/r\"/></Connect>";
    assert_eq!(judged(bot), (Proof::Bot, vec![]));
    assert_eq!(judged(&format!("{bot}\n<Dial><Client>alice</Client></Dial>")), (Proof::Bot, vec![]));
    let consumer = "<Dial callerId=\"whatsapp:{{sender}}\"><WhatsApp statusCallback=\"{{leg_status_url}}\">\
                    {{consumer}}</WhatsApp></Dial>";
    assert_eq!(judged(consumer), (Proof::Answer, vec![]));
}

#[test]
fn a_document_that_no_order_names_is_not_warned_about() {
    for (name, warnings) in [(APOLOGY, 0), (CANCELED, 0), ("inbound", 0), ("inbound-night", 0), ("night", 1)]
    {
        let document = Document::parse(name, &response("<Say>Goodbye.</Say>")).unwrap();
        assert_eq!(document.warnings().len(), warnings, "{name}");
        assert_eq!(document.script().proof, Proof::Answer);
    }
}
