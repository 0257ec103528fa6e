//! The load of the daemon: each count has its own key, and an absent key is free.

use super::*;

#[test]
fn the_calls_of_a_sender_are_counted_by_its_number() {
    let loads = Loads { live_calls: BTreeMap::from([(sender_number(), 3)]), ..Loads::default() };
    assert_eq!(loads.live_calls(sender_number()), 3);
    assert_eq!(loads.live_calls(Phone::parse("+551151995678").unwrap()), 0);
}

#[test]
fn the_calls_of_a_campaign_are_counted_by_its_name() {
    let loads = Loads { campaign_calls: BTreeMap::from([("spring".into(), 3)]), ..Loads::default() };
    let calls = |campaign: Option<&str>| {
        let mut callback = ready().callback;
        callback.order.campaign = campaign.map(Into::into);
        loads.campaign_calls(&callback)
    };
    assert_eq!(calls(Some("spring")), 3);
    assert_eq!(calls(Some("autumn")), 0);
    assert_eq!(calls(None), 0);
}

#[test]
fn an_account_of_which_nothing_is_known_is_at_ease() {
    let busy = AccountView { paused: Some((at(60), "out of order".into())), next_call_at: at(1) };
    let loads = Loads { accounts: BTreeMap::from([("main".into(), busy.clone())]), ..Loads::default() };
    assert_eq!(loads.account("main"), busy);
    assert_eq!(loads.account("other"), AccountView { paused: None, next_call_at: Timestamp::MIN });
}
