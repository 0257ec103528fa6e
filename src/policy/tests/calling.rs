//! What a call waits for: windows, people, accounts and pauses.

use super::*;

/// Twilio error 37006: five connected calls in a rolling day.
#[test]
fn the_sixth_connected_call_waits_for_the_window() {
    let calls = |count: i64| (0..count).map(|n| at(-DAY + 100 + n)).collect::<Vec<_>>();
    ready().with(|case| case.pair.connected = calls(4)).check(&Call);
    let case = || ready().with(|case| case.pair.connected = calls(5));
    case().now(99).check(&Wait("limit.connected_calls", 100, false));
    case().now(100).check(&Call);
}

#[test]
fn one_person_has_one_call_at_a_time() {
    ready().with(|case| _ = case.person.live.insert(AttemptId::new(Uuid::from_u128(4)))).check(&Wait(
        "pair.on_the_phone",
        10 * DAY,
        false,
    ));
    ready().with(|case| case.pair.live_inbound = Some("CA1".into())).check(&Wait(
        "pair.on_the_phone",
        10 * DAY,
        false,
    ));
}

#[test]
fn the_accounts_pace_and_its_rest_are_waited_for_at_its_gate() {
    ready().with(|case| case.account.next_call_at = at(1)).check(&Wait(
        "account.calls_per_second",
        10 * DAY,
        true,
    ));
    ready().with(|case| case.account.paused = Some((at(60), "out of order".into()))).check(&Wait(
        "account.paused",
        10 * DAY,
        true,
    ));
    unasked().with(|case| case.account.paused = Some((at(60), "out of order".into()))).check(&Wait(
        "account.paused",
        10 * DAY,
        true,
    ));
}

#[test]
fn a_paused_pair_is_left_alone() {
    ready().with(|case| case.pair.paused_until = Some(at(60))).check(&Wait("pair.paused", 60, false));
    ready().with(|case| case.pair.paused_until = Some(at(60))).now(60).check(&Call);
    unasked().with(|case| case.pair.paused_until = Some(at(60))).check(&Wait("pair.paused", 60, false));
}

#[test]
fn a_call_beyond_the_pace_of_its_campaign_waits_at_its_gate_until_the_next_is_allowed() {
    let id = CampaignId::new(Uuid::from_u128(7));
    let case = ready().with(|case| case.callback.order.campaign = Some(id.to_string()));
    let mut situation = situation(&case.callback, [&case]);
    for load in &mut situation.candidates[0].load {
        load.next_at = (load.resource == Resource::campaign(&id.to_string())).then_some(at(1));
    }
    let step = |second| assess(at(second), &situation, &case.rules).step;
    let Step::Wait { until, gate, reason } = step(0) else { panic!("{:?}", step(0)) };
    assert_eq!((gate, reason), (Some(Gate::Pace(id)), Reason::CampaignPaced { next_at: at(1) }));
    assert_eq!(until, case.callback.order.latest);
    assert!(matches!(step(1), Step::PlaceCall { .. }));
}
