//! The hand-over of an inbound call to a Studio flow.

use super::*;
use crate::twiml::Flow;

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const FLOW: &str = "FW00000000000000000000000000000007";

fn redirect(account: &str, flow: &str) -> String {
    response(&format!(
        "<Say>One moment.</Say>\n<Redirect>https://webhooks.twilio.com/v1/Accounts/{account}/Flows/{flow}</Redirect>"
    ))
}

fn listed(flow: &str) -> Arc<AllowedHosts> {
    Arc::new(AllowedHosts::default().with_flows(&[flow.to_owned()]))
}

#[test]
fn an_inbound_document_hands_over_to_a_listed_flow() {
    let document = Document::parse("inbound-studio", &redirect(ACCOUNT, FLOW)).unwrap();
    let flow = Flow { line: 3, account: ACCOUNT.to_owned(), sid: FLOW.to_owned() };
    assert_eq!(document.flows(), [flow]);
    let held = document.hold_to(listed(FLOW)).unwrap();
    let text = filled(&held, &[]).unwrap();
    assert!(text.ends_with(&format!("/Flows/{FLOW}</Redirect></Response>")), "{text}");
}

#[test]
fn a_flow_that_is_not_listed_is_refused_and_an_empty_list_has_none() {
    for hosts in [listed("FW00000000000000000000000000000008"), Arc::default()] {
        let document = Document::parse("inbound-studio", &redirect(ACCOUNT, FLOW)).unwrap();
        let faults = document.hold_to(hosts).unwrap_err();
        let [fault] = faults.as_slice() else { panic!("{faults:?}") };
        assert_eq!((fault.line, fault.rule), (3, Rule::Host));
        assert!(fault.message.contains("twiml.studio_flows"), "{}", fault.message);
    }
}

#[test]
fn a_document_of_an_order_hands_over_to_nobody() {
    let faults = Document::parse("studio", &redirect(ACCOUNT, FLOW)).unwrap_err();
    assert!(
        faults.iter().any(|fault| fault.rule == Rule::UncheckedDocument && fault.line == 3),
        "{faults:?}"
    );
}

#[test]
fn anything_else_than_the_url_of_a_flow_is_refused() {
    for (account, flow) in [
        ("{{account}}", FLOW),
        (ACCOUNT, "{{flow}}"),
        (ACCOUNT, "FW0000000000000000000000000000000"),
        (ACCOUNT, "FW00000000000000000000000000000007?FlowEvent=return"),
        (ACCOUNT, "FW00000000000000000000000000000007/../../x"),
        ("AC0000000000000000000000000000000G", FLOW),
        ("AC00000000000000000000000000000001/../AC00000000000000000000000000000002", FLOW),
    ] {
        let faults = Document::parse("inbound-studio", &redirect(account, flow)).unwrap_err();
        assert!(faults.iter().any(crate::twiml::Fault::is_error), "{account} {flow}");
    }
    let elsewhere =
        response("<Redirect>https://webhooks.twilio.com.evil.example/v1/Accounts/AC1/Flows/FW1</Redirect>");
    assert!(Document::parse("inbound-studio", &elsewhere).is_err());
}
