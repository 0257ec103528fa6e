//! Preview: a callback is offered to agents when everything else is free. And the assigned agent, who alone is called for a
//! time.

use super::*;
use crate::domain::{Assigned, Offer, Preview, PreviewElse, Taken, Terms};

fn previewed(otherwise: PreviewElse, offer: Offer) -> Case {
    ready().with(|case| {
        let preview = Some(Preview { seconds: 30, times: 2, otherwise });
        case.callback.order.terms = Terms { preview, ..Terms::default() }.kept();
        case.callback.handled().offer = offer;
    })
}

fn offered(times: u32, until: i64) -> Offer {
    Offer { times, until: Some(at(until)), taken: None }
}

#[test]
fn it_is_offered_when_it_could_be_dialled_and_not_before() {
    let new = || previewed(PreviewElse::Ask, Offer::default());
    new().check(&Wait("preview.offered", 30, false));
    new().with(|case| case.pair.permission = CallPermission::None).check(&template());
    new().with(|case| case.callback.order.earliest = at(60)).check(&Wait(
        "window.before_earliest",
        60,
        false,
    ));
    new().with(|case| case.live_calls = case.rules.limits.concurrent_calls_max).check(&Wait(
        "sender.concurrency",
        10 * DAY,
        true,
    ));
}

#[test]
fn an_offer_lasts_until_its_end_and_then_it_is_offered_again() {
    let case = |now| previewed(PreviewElse::Ask, offered(1, 30)).now(now);
    case(29).check(&Wait("preview.offered", 30, false));
    case(30).check(&Wait("preview.offered", 60, false));
    let Step::Wait { reason, .. } = case(30).assess().step else { panic!("it waits") };
    assert_eq!(reason, Reason::PreviewOffered { until: at(60), number: 2, times: 2 });
}

#[test]
fn when_nobody_takes_the_last_offer_it_waits_or_is_dialled() {
    previewed(PreviewElse::Ask, offered(2, 30)).now(30).check(&Wait("preview.nobody", 10 * DAY, false));
    previewed(PreviewElse::Dial, offered(2, 30)).now(30).check(&Call);
    previewed(PreviewElse::Dial, offered(2, 30)).now(29).check(&Wait("preview.offered", 30, false));
}

#[test]
fn a_taken_offer_is_dialled_within_a_minute() {
    let taken = Offer { times: 1, until: None, taken: Some(Taken { agent: None, at: at(0) }) };
    previewed(PreviewElse::Ask, taken.clone()).now(59).check(&Call);
    previewed(PreviewElse::Ask, taken).now(60).check(&Wait("preview.offered", 90, false));
}

#[test]
fn only_the_assigned_agent_is_called_until_the_time_is_over() {
    let agent = |text: &str| text.parse::<AgentTarget>().unwrap();
    let case = ready().with(|case| {
        let assigned = Some(Assigned { agent: agent("client:alice"), until: at(60) });
        case.callback.order.terms = Terms { assigned, ..Terms::default() }.kept();
        case.callback.order.agent = Some(agent("client:desk"));
        case.sender.agent = Some(agent("client:sender"));
    });
    let called = |case: &Case, second| {
        super::super::agent(&case.callback, &case.sender, at(second)).map(ToString::to_string)
    };
    assert_eq!(called(&case, 59).as_deref(), Some("client:alice"));
    assert_eq!(called(&case, 60).as_deref(), Some("client:desk"));
    let case = case.with(|case| case.callback.order.agent = None);
    assert_eq!(called(&case, 60).as_deref(), Some("client:sender"));
}

#[test]
fn a_callback_that_waits_for_the_assigned_agent_is_looked_at_when_others_may_be_called() {
    let agent = |text: &str| text.parse::<AgentTarget>().unwrap();
    let busy = |now| {
        ready().now(now).with(|case| {
            let assigned = Some(Assigned { agent: agent("client:alice"), until: at(60) });
            case.document = Some(LegOrder::AgentFirst);
            case.callback.order.terms = Terms { assigned, ..Terms::default() }.kept();
            case.agent_calls = 1;
        })
    };
    busy(0).check(&Wait("agent.busy", 60, true));
}

#[test]
fn who_took_the_offer_is_called() {
    let taken = Some(Taken { agent: "client:bob".parse().ok(), at: at(0) });
    let offer = Offer { times: 1, until: None, taken };
    let case = previewed(PreviewElse::Ask, offer).with(|case| {
        case.callback.order.agent = "client:desk".parse().ok();
    });
    let found = super::super::agent(&case.callback, &case.sender, at(0));
    assert_eq!(found.map(ToString::to_string).as_deref(), Some("client:bob"));
}
