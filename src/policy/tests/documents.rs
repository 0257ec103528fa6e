//! What a callback needs of its document: that it is loaded, and an agent if it calls one first.

use super::*;

fn agent(text: &str) -> Option<AgentTarget> {
    Some(text.parse().unwrap())
}

fn agent_first() -> Case {
    ready().with(|case| case.document = Some(LegOrder::AgentFirst))
}

#[test]
fn a_callback_whose_document_is_gone_is_closed() {
    let gone = || ready().with(|case| case.document = None);
    gone().check(&Finish(Outcome::Failed, "document.unknown"));
    // What the customer or the clock has ended already ends as that.
    gone()
        .with(|case| case.callback.cancel_requested_at = Some(at(-1)))
        .check(&Finish(Outcome::Canceled, "customer.canceled"));
    gone()
        .with(|case| case.callback.order.latest = at(0))
        .check(&Finish(Outcome::Expired, "deadline.passed"));
}

#[test]
fn a_document_that_calls_an_agent_first_needs_an_agent() {
    agent_first().check(&Finish(Outcome::Failed, "document.no_agent"));
    agent_first().with(|case| case.callback.order.agent = agent("client:alice")).check(&Call);
    agent_first().with(|case| case.sender.agent = agent("client:desk")).check(&Call);
}

#[test]
fn of_two_senders_the_one_with_an_agent_calls() {
    let (without, mut with) = (agent_first(), agent_first());
    with.sender.number = Phone::parse("+551151995678").unwrap();
    with.sender.agent = agent("client:desk");
    let call = Step::PlaceCall { sender: with.sender.number };
    assert_eq!(next_step(at(0), &situation(&without.callback, [&without, &with]), &rules()), call);
    assert_eq!(next_step(at(0), &situation(&without.callback, [&with, &without]), &rules()), call);
}

#[test]
fn the_agent_that_was_ordered_comes_before_the_senders_own() {
    let case = agent_first().with(|case| {
        case.callback.order.agent = agent("client:alice");
        case.sender.agent = agent("client:desk");
    });
    let found = super::super::agent(&case.callback, &case.sender, at(0));
    assert_eq!(found.map(ToString::to_string).as_deref(), Some("client:alice"));
}
