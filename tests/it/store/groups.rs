//! Dialling groups: what an order uses is of the group that used it first, and open callbacks follow their senders.

use std::collections::BTreeMap;

use ringmaster::domain::{
    Agent, Agents, Attempt, Callback, CampaignState, FollowUp, GroupName, Outcome, Phone, Resource, State,
};
use ringmaster::store::{
    Batch, Enqueue, Enqueued, IdempotencyKey, OtherGroup, PoolChanges, Regrouped, Store,
};

use super::campaigns::{campaign, change, id};
use super::samples::*;

fn group(name: &str) -> GroupName {
    name.parse().unwrap()
}

fn pool(name: &str) -> Resource {
    Resource::Pool(format!("default/{name}").parse().unwrap())
}

fn agent() -> Resource {
    Resource::Agents(Agents::new(Agent::client("alice")).unwrap())
}

/// An order of a group, which uses these.
fn order_of(n: u32, of: &str, uses: &[Resource]) -> Enqueue {
    let callback = Callback { group: group(of), ..callback(n) };
    Enqueue { of_one_group: uses.to_vec(), ..order(callback) }
}

/// The answers to orders that are stored together: the use and the group because of which one is refused.
async fn refused(store: &dyn Store, orders: Vec<Enqueue>) -> Vec<Option<(String, String)>> {
    let answers = store.enqueue_callbacks(orders).await.unwrap();
    let refusal = |answer| match answer {
        Enqueued::OtherGroup(OtherGroup { of, group }) => Some((of.to_string(), group.to_string())),
        _ => None,
    };
    answers.into_iter().map(refusal).collect()
}

fn of(resource: &Resource, group: &str) -> Option<(String, String)> {
    Some((resource.to_string(), group.to_owned()))
}

pub async fn what_an_order_uses_is_of_the_group_that_used_it_first(store: &dyn Store) {
    let orders = vec![
        order_of(1, "south", &[pool("a")]),
        order_of(2, "main", &[pool("a")]),
        order_of(3, "main", &[pool("b")]),
        order_of(4, "south", &[]),
    ];
    assert_eq!(refused(store, orders).await, [None, of(&pool("a"), "south"), None, None]);
    let orders = vec![
        order_of(5, "south", &[pool("a"), agent()]),
        order_of(6, "south", &[agent(), pool("b")]),
        order_of(7, "main", &[agent()]),
    ];
    let expected = [None, of(&pool("b"), "main"), of(&agent(), "south")];
    assert_eq!(refused(store, orders).await, expected);
    assert_eq!(store.census().await.unwrap().waiting, 4, "of a refused order nothing is kept");
    assert_eq!(stored(store, 5).await.group, group("south"));
    assert_eq!(stored(store, 3).await.group, group("main"));
}

pub async fn a_refused_order_takes_nothing_for_its_group(store: &dyn Store) {
    assert_eq!(refused(store, vec![order_of(1, "main", &[pool("a")])]).await, [None]);
    let both = vec![order_of(2, "south", &[agent(), pool("a")])];
    assert_eq!(refused(store, both).await, [of(&pool("a"), "main")]);
    assert_eq!(refused(store, vec![order_of(3, "main", &[agent()])]).await, [None]);
}

pub async fn a_repeated_order_is_the_first_one_whoever_uses_its_pool_now(store: &dyn Store) {
    let key = |body| Some(IdempotencyKey { token: "crm".into(), key: "one".into(), body: [body; 32] });
    let order = |n, body| Enqueue { idempotency: key(body), ..order_of(n, "south", &[pool("a")]) };
    let first = store.enqueue_callbacks(vec![order(1, 1)]).await.unwrap();
    assert_eq!(first, [Enqueued::New(callback_id(1))]);
    let removed = [("default/a".parse().unwrap(), None)].into();
    record(
        store,
        Batch { pools: PoolChanges { pools: removed, ..PoolChanges::default() }, ..Batch::default() },
    )
    .await;
    assert_eq!(
        refused(store, vec![order_of(2, "main", &[pool("a")])]).await,
        [None],
        "a removed pool is free"
    );
    let again = store.enqueue_callbacks(vec![order(3, 1), order(4, 2)]).await.unwrap();
    assert_eq!(again, [Enqueued::Repeated(callback_id(1)), Enqueued::KeyReused]);
}

pub async fn a_campaign_that_follows_another_is_of_its_group(store: &dyn Store) {
    let named = |n: u8| Resource::campaign(&id(n).to_string());
    record(store, change(campaign(1, CampaignState::Running), None)).await;
    let with = |n: u32, of: &str, campaign: u8| {
        let mut order = order_of(n, of, &[named(campaign)]);
        order.callback.order.campaign = Some(id(campaign).to_string());
        order
    };
    assert_eq!(refused(store, vec![with(1, "south", 1)]).await, [None]);
    let mut second = campaign(2, CampaignState::Draft);
    let follow_up = FollowUp {
        of: id(1),
        outcomes: vec![Outcome::Expired],
        earliest: None,
        latest: at(9),
        after: 0,
        made: 0,
        left_out: 0,
        is_whole: false,
    };
    second.follow_up = Some(follow_up.into());
    record(store, change(second, None)).await;
    let answers = refused(store, vec![with(2, "main", 2), with(3, "south", 2)]).await;
    assert_eq!(answers, [of(&named(2), "south"), None]);
}

pub async fn open_callbacks_follow_their_senders_into_another_group(store: &dyn Store) {
    let groups = |south: &[Phone]| -> BTreeMap<Phone, GroupName> {
        let name = |number: &Phone| if south.contains(number) { "south" } else { "main" };
        [sender(0), sender(1)].into_iter().map(|number| (number, group(name(&number)))).collect()
    };
    let of_sender = |n: u32, numbers: &[u32]| {
        let mut callback = callback(n);
        callback.order.senders = numbers.iter().map(|number| sender(*number)).collect();
        callback
    };
    let mut pooled = of_sender(4, &[0]);
    pooled.order.pool = Some("a".parse().unwrap());
    let all = [of_sender(1, &[0]), of_sender(2, &[1]), of_sender(3, &[1, 0]), pooled, of_sender(5, &[1])];
    keep(store, all).await;
    for (n, state) in [(2, State::Calling { attempt: attempt_id(1) }), (5, closed(Outcome::Canceled))] {
        let changed = next(&stored(store, n).await, state);
        assert!(amend(store, changed, vec![], vec![]).await.unwrap());
    }

    let live = Attempt { id: attempt_id(1), callback: callback_id(2), ..attempt(2) };
    record(store, Batch { attempts: vec![live], ..Batch::default() }).await;

    let nothing = Regrouped::default();
    assert_eq!(store.regroup(groups(&[])).await.unwrap(), nothing, "all are in the group main");
    let moved = store.regroup(groups(&[sender(1)])).await.unwrap();
    assert_eq!(moved, Regrouped { moved: 2, divided: 1 });
    // An order of a node that has not been started with these groups yet.
    keep(store, [of_sender(8, &[1])]).await;
    let again = store.regroup(groups(&[sender(1)])).await.unwrap();
    assert_eq!(again, Regrouped { moved: 1, divided: 1 });
    for (n, of, version) in [(1, "main", 1), (2, "south", 3), (3, "south", 2), (4, "main", 1), (5, "main", 2)]
    {
        let callback = stored(store, n).await;
        assert_eq!((callback.group.as_str(), callback.version), (of, version), "{n}");
    }
    // The open callback with the pool is of main.
    assert_eq!(refused(store, vec![order_of(6, "south", &[pool("a")])]).await, [of(&pool("a"), "main")]);
    // A decision with the group before is refused.
    let stale = Callback { version: 2, group: group("main"), ..stored(store, 3).await };
    assert!(!amend(store, stale, vec![], vec![]).await.unwrap());
    assert_eq!(
        store.regroup(groups(&[sender(0), sender(1)])).await.unwrap(),
        Regrouped { moved: 2, divided: 0 }
    );
    assert_eq!(refused(store, vec![order_of(7, "south", &[pool("a")])]).await, [None]);
    assert_eq!(store.wrong_counts().await.unwrap(), [""; 0]);
}
