//! Campaigns take turns at a gate.

use std::sync::Arc;

use ringmaster::domain::callback::Waiting;
use ringmaster::domain::lane::{Paid, Room};
use ringmaster::domain::{CampaignState, Campaigns, Gate, Lane, State};
use ringmaster::store::{CallUp, Store};

use super::campaigns::{campaign, change, id};
use super::samples::*;
use super::scheduler::at_gate;

/// Calls up callbacks of these lanes, which have paid nothing.
pub fn call_up(gate: Gate, room: usize, lanes: impl IntoIterator<Item = Lane>) -> CallUp {
    let (lanes, paid) = (lanes.into_iter().collect(), Paid::new());
    CallUp { gate, room: Room::of(room), lanes, paid, campaigns: Arc::new(Campaigns::default()) }
}

pub async fn campaigns_take_turns_at_a_gate(store: &dyn Store) {
    let gate = Gate::sender(sender(0));
    let of = |n: u32, campaign: u8, priority, second, aged| {
        let mut callback = at_gate(n, &gate, priority, second);
        callback.order.campaign = Some(id(campaign).to_string());
        if let State::Waiting(Waiting { place: Some(place), .. }) = &mut callback.state {
            place.aged = aged;
        }
        callback
    };
    let callbacks = [
        of(1, 1, 5, 100, None),
        of(2, 1, 5, 200, None),
        of(3, 2, 5, 300, None),
        of(4, 2, 3, 10, None),
        of(5, 1, 9, 900, None),
        at_gate(6, &gate, 5, 50),
        // It has waited for long.
        of(7, 2, 0, 900, Some(-7)),
    ];
    for n in [1, 2] {
        record(store, change(campaign(n, CampaignState::Running), None)).await;
    }
    keep(store, callbacks.clone()).await;
    for callback in &callbacks {
        assert_eq!(store.callback(callback.id).await.unwrap().unwrap().callback, *callback);
    }
    let lane = |campaign, is_urgent| Lane { campaign: Some(id(campaign)), is_urgent };
    let mut gates = store.gates().await.unwrap();
    gates.sort();
    let lanes = [Lane::default(), lane(1, false), lane(1, true), lane(2, false)];
    assert_eq!(gates, lanes.map(|lane| (gate.clone(), lane)));
    assert_eq!(store.waiting_at_gates(10, 10).await.unwrap(), [(gate.clone(), 7)]);
    assert_eq!(store.waiting_at_gates(10, 5).await.unwrap(), [(gate.clone(), 5)], "no further than told");
    assert_eq!(store.waiting_at_gates(0, 5).await.unwrap(), []);
    let called = |room, lanes: Vec<Lane>| {
        let call = call_up(gate.clone(), room, lanes);
        async move { numbers(&store.callbacks_at_gates(&[call]).await.unwrap().remove(0).callbacks) }
    };
    assert_eq!(called(2, lanes.to_vec()).await, [5, 7], "the lowest class");
    assert_eq!(called(5, lanes.to_vec()).await, [5, 7, 6, 1, 3], "one of each lane");
    assert_eq!(called(9, lanes.to_vec()).await, [5, 7, 6, 1, 2, 3, 4]);
    assert_eq!(called(2, vec![lane(2, false)]).await, [7, 3], "of one lane alone");
}
