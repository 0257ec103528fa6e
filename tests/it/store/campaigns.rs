//! Campaigns are kept with their acts; their orders are admitted, counted and found.

use std::collections::BTreeMap;

use ringmaster::domain::message::Reply;
use ringmaster::domain::{
    Breaker, Bucket, CallCounts, Campaign, CampaignCalls, CampaignId, CampaignState, FieldChange, FollowUp,
    Gate, Lane, OrderKind, Outcome, State, Tenant,
};
use ringmaster::store::{
    Batch, CampaignCallsChange, CampaignChange, CampaignRows, Enqueued, IdempotencyKey, OpenOrder,
    RecordedAct, Store,
};
use uuid::Uuid;

use super::samples::*;

pub fn id(n: u8) -> CampaignId {
    CampaignId::new(Uuid::from_u128(n.into()))
}

pub fn campaign(n: u8, state: CampaignState) -> Campaign {
    Campaign {
        id: id(n),
        version: 1,
        tenant: Tenant::default(),
        name: "Spring".into(),
        state,
        defaults: r#"{"priority":3}"#.into(),
        concurrent_calls_max: Some(7),
        calls_per_minute: Some(30),
        weight: 30,
        breaker: ringmaster::domain::Breaker::default(),
        follow_up: None,
        created_at: at(1),
        created_by: "crm".into(),
        ended_at: None,
    }
}

pub fn change(campaign: Campaign, act: Option<RecordedAct>) -> Batch {
    Batch { campaigns: vec![CampaignChange { campaign, act }], ..Batch::default() }
}

fn act(second: i64, act: &str) -> RecordedAct {
    let change = FieldChange { field: "weight".into(), before: Some("10".into()), after: None };
    let changes = if act == "launch" { vec![change] } else { Vec::new() };
    RecordedAct { at: at(second), act: act.into(), by: "ops".into(), note: Some("agreed".into()), changes }
}

fn order_of(n: u32, campaign: u8) -> ringmaster::store::Enqueue {
    let mut callback = callback(n);
    callback.order.campaign = Some(id(campaign).to_string());
    order(callback)
}

pub async fn a_campaign_reads_as_it_was_written_with_its_acts(store: &dyn Store) {
    let mut changed = campaign(1, CampaignState::Draft);
    record(store, change(changed.clone(), Some(act(1, "create")))).await;
    record(store, change(campaign(2, CampaignState::Draft), None)).await;
    changed.version = 2;
    changed.follow_up = Some(
        FollowUp {
            of: id(2),
            outcomes: vec![Outcome::Expired],
            earliest: None,
            latest: at(9),
            after: 3,
            made: 2,
            left_out: 1,
            is_whole: false,
        }
        .into(),
    );
    (changed.state, changed.name, changed.concurrent_calls_max) =
        (CampaignState::Running, "Late spring".into(), None);
    record(store, change(changed.clone(), Some(act(2, "launch")))).await;
    let found = store.campaign(id(1)).await.unwrap().unwrap();
    assert_eq!(found.campaign, changed);
    assert_eq!(found.acts, [act(2, "launch"), act(1, "create")]);
    assert_eq!((found.counts.len(), found.open(), found.total()), (0, 0, 0));
    assert!(store.record(change(changed, None)).await.is_err(), "it is not newer");
    assert_eq!(store.campaign(id(9)).await.unwrap(), None);
}

pub async fn the_breaker_of_a_campaign_is_kept(store: &dyn Store) {
    let usual = campaign(1, CampaignState::Running);
    let own = Breaker {
        abandoned_percent_max: None,
        abandoned_of_min: 1,
        failed_percent_max: Some(0),
        failed_of_min: 1_000_000,
        failed_window_minutes: 1_440,
        on_quality_warning: false,
    };
    record(store, change(usual.clone(), None)).await;
    let changed = Campaign { version: 2, breaker: own, ..usual.clone() };
    assert_eq!(store.campaign(id(1)).await.unwrap().unwrap().campaign, usual);
    record(store, change(changed.clone(), None)).await;
    assert_eq!(store.campaign(id(1)).await.unwrap().unwrap().campaign, changed);
}

pub async fn calls_of_campaigns_are_added_up_and_forgotten(store: &dyn Store) {
    let one = CallCounts { calls: 1, answered: 1, abandoned: 1, failed: 1 };
    let calls = |buckets: &[(u8, i64)], counts: CallCounts| {
        let mut all = CampaignCalls::default();
        buckets
            .iter()
            .for_each(|&(campaign, bucket)| all.add(id(campaign), Bucket(bucket), sender(1), counts));
        all
    };
    let write = async |added, from, forgotten: &[u8]| {
        let forgotten = forgotten.iter().map(|n| id(*n)).collect();
        let campaign_calls = CampaignCallsChange { forgotten, added, from: Bucket(from) };
        record(store, Batch { campaign_calls, ..Batch::default() }).await;
        store.campaign_calls().await.unwrap()
    };
    let all = [(1, 1), (1, 2), (2, 1)];
    assert_eq!(write(calls(&all, one), 1, &[]).await, calls(&all, one));
    let less = CallCounts { abandoned: -1, ..CallCounts::default() };
    let mut expected = calls(&all, one);
    expected.take_in(&calls(&[(1, 2)], less), Bucket(2));
    assert_eq!(write(calls(&[(1, 2)], less), 2, &[]).await, expected, "the first bucket of 1 is too old");
    let anew = calls(&[(1, 3)], one);
    expected.forget(id(1));
    expected.take_in(&anew, Bucket(2));
    assert_eq!(write(anew, 2, &[1]).await, expected);
    assert_eq!(write(CampaignCalls::default(), 9, &[1, 2]).await, CampaignCalls::default());
}

pub async fn open_campaigns_and_those_of_a_tenant_are_listed(store: &dyn Store) {
    for n in 1..=3 {
        record(store, change(campaign(n, CampaignState::Draft), None)).await;
    }
    let other = Campaign { tenant: "other".parse().unwrap(), ..campaign(4, CampaignState::Draft) };
    record(store, change(other, None)).await;
    let over = Campaign { version: 2, ended_at: Some(at(9)), ..campaign(2, CampaignState::Finished) };
    record(store, change(over, None)).await;
    let ids = |campaigns: Vec<Campaign>| campaigns.iter().map(|campaign| campaign.id).collect::<Vec<_>>();
    assert_eq!(ids(store.open_campaigns().await.unwrap()), [id(1), id(3), id(4)]);
    let list =
        async |before, most| ids(store.list_campaigns(&Tenant::default(), before, most).await.unwrap());
    assert_eq!(list(None, 9).await, [id(3), id(2), id(1)]);
    assert_eq!(list(None, 2).await, [id(3), id(2)]);
    assert_eq!(list(Some(id(2)), 9).await, [id(1)]);
    assert_eq!(list(Some(id(9)), 9).await, []);
}

pub async fn an_order_of_a_draft_is_stored_at_the_gate_of_its_launch(store: &dyn Store) {
    record(store, change(campaign(1, CampaignState::Draft), None)).await;
    record(store, change(campaign(2, CampaignState::Running), None)).await;
    let answers = store.enqueue_callbacks(vec![order_of(1, 1), order_of(2, 2)]).await.unwrap();
    assert_eq!(answers, [Enqueued::New(callback_id(1)), Enqueued::New(callback_id(2))]);
    let gate = Gate::Pause(Campaign::draft_pause_id(id(1)));
    let held = stored(store, 1).await;
    let State::Waiting(waiting) = &held.state else { panic!("{:?}", held.state) };
    assert_eq!(waiting.place.as_ref().map(|place| &place.gate), Some(&gate));
    assert_eq!(waiting.wake_at, held.order.latest);
    assert_eq!(stored(store, 2).await.state, callback(2).state, "that one is launched");
    let lane = Lane { campaign: Some(id(1)), is_urgent: false };
    assert_eq!(store.gates().await.unwrap(), [(gate, lane)]);
}

pub async fn an_order_is_taken_only_by_an_open_campaign_of_its_tenant(store: &dyn Store) {
    use CampaignState::{Canceled, Draining, Finished, Ready};
    for (n, state) in [(1, Ready), (2, Draining), (3, Finished), (4, Canceled)] {
        record(store, change(campaign(n, state), None)).await;
    }
    let other = Campaign { tenant: "other".parse().unwrap(), ..campaign(5, CampaignState::Running) };
    record(store, change(other, None)).await;
    let orders = (1..=6).map(|n| order_of(n.into(), n)).collect();
    assert_eq!(store.enqueue_callbacks(orders).await.unwrap(), vec![Enqueued::CampaignClosed; 6]);
    let mut label = callback(7);
    label.order.campaign = Some("cmp_spring".into());
    let answers = store.enqueue_callbacks(vec![order(label)]).await.unwrap();
    assert_eq!(answers, [Enqueued::New(callback_id(7))], "a label is no campaign");
    assert_eq!(store.campaign_rows(id(6), 0, 9).await.unwrap(), CampaignRows::default());
}

pub async fn an_open_order_is_told_with_its_campaign_and_whether_that_is_launched(store: &dyn Store) {
    use CampaignState::{Draft, Ready, Running};
    for (n, state) in [(1, Draft), (2, Running)] {
        record(store, change(campaign(n, state), None)).await;
    }
    let mut second = order_of(4, 2);
    second.callback.order.consumer = consumer(1);
    let mut again = order_of(5, 1);
    again.callback.order.consumer = consumer(1);
    store.enqueue_callbacks(vec![order_of(1, 1), second, again, order_of(2, 2)]).await.unwrap();
    let whom = [consumer(1), consumer(2)];
    let of = |campaign, is_launched| OpenOrder { campaign: Some(id(campaign)), is_launched };
    let open = async || store.with_open_orders(&Tenant::default(), OrderKind::Callback, &whom).await.unwrap();
    let told = [(consumer(1), of(1, false)), (consumer(1), of(2, true)), (consumer(2), of(2, true))];
    assert_eq!(open().await, told);
    record(store, change(Campaign { version: 2, ..campaign(1, Ready) }, None)).await;
    assert_eq!(open().await, told);
    record(store, change(Campaign { version: 3, ..campaign(1, Running) }, None)).await;
    assert_eq!(open().await[0], (consumer(1), of(1, true)));
}

pub async fn a_repeated_order_has_its_first_answer_also_when_its_campaign_is_closed(store: &dyn Store) {
    record(store, change(campaign(1, CampaignState::Draft), None)).await;
    let keyed = |n| {
        let key = IdempotencyKey { token: "t".into(), key: "k".into(), body: [1; 32] };
        ringmaster::store::Enqueue { idempotency: Some(key), ..order_of(n, 1) }
    };
    store.enqueue_callbacks(vec![keyed(1)]).await.unwrap();
    let over = Campaign { version: 2, ..campaign(1, CampaignState::Canceled) };
    record(store, change(over, None)).await;
    let again = store.enqueue_callbacks(vec![keyed(2)]).await.unwrap();
    assert_eq!(again, [Enqueued::Repeated(callback_id(1))]);
}

pub async fn what_waits_for_a_launch_is_counted_apart(store: &dyn Store) {
    let census = async || {
        let census = store.census().await.unwrap();
        let (invites, callbacks) = (census.invites, (census.waiting, census.unlaunched));
        (callbacks, (invites.waiting, invites.unlaunched))
    };
    record(store, change(campaign(1, CampaignState::Draft), None)).await;
    record(store, change(campaign(2, CampaignState::Draft), None)).await;
    record(store, change(campaign(3, CampaignState::Running), None)).await;
    let mut orders: Vec<_> = [(1, 1), (2, 1), (3, 1), (4, 2), (5, 3)].map(|(n, of)| order_of(n, of)).into();
    orders[2].callback.order.kind = OrderKind::Invite;
    orders.push(order(callback(6)));
    store.enqueue_callbacks(orders).await.unwrap();
    assert_eq!(census().await, ((2, 3), (0, 1)));
    let ready = Campaign { version: 2, ..campaign(1, CampaignState::Ready) };
    record(store, change(ready, None)).await;
    assert_eq!(census().await, ((2, 3), (0, 1)), "it is not launched either");
    let one = stored(store, 1).await;
    let done = next(&one, closed(Outcome::Expired));
    record(store, Batch { callbacks: vec![done], ..Batch::default() }).await;
    assert_eq!(census().await, ((2, 2), (0, 1)), "what is closed waits for nothing");
    let launched = Campaign { version: 3, ..campaign(1, CampaignState::Running) };
    record(store, change(launched, None)).await;
    assert_eq!(census().await, ((3, 1), (1, 0)));
    let canceled = Campaign { version: 2, ..campaign(2, CampaignState::Canceled) };
    record(store, change(canceled, None)).await;
    assert_eq!(census().await, ((4, 0), (1, 0)), "it waits to be closed");
    assert_eq!(store.campaign(id(1)).await.unwrap().unwrap().total(), 3, "invites are of the campaign too");
    assert_eq!(store.wrong_counts().await.unwrap(), Vec::<String>::new());
}

pub async fn the_callbacks_of_a_campaign_are_counted_and_found_in_parts(store: &dyn Store) {
    record(store, change(campaign(1, CampaignState::Running), None)).await;
    record(store, change(campaign(2, CampaignState::Running), None)).await;
    let orders = (1..=5).map(|n| order_of(n, if n == 3 { 2 } else { 1 })).collect();
    store.enqueue_callbacks(orders).await.unwrap();
    let one = stored(store, 1).await;
    let done = next(&one, closed(Outcome::Reached));
    record(store, Batch { callbacks: vec![done], ..Batch::default() }).await;
    let found = store.campaign(id(1)).await.unwrap().unwrap();
    let counts = BTreeMap::from([("reached".to_owned(), 1), ("waiting".to_owned(), 3)]);
    assert_eq!((found.counts.clone(), found.open(), found.total()), (counts, 3, 4));
    let first = store.campaign_rows(id(1), 0, 2).await.unwrap();
    assert_eq!(first.open, [callback_id(2)]);
    let rest = store.campaign_rows(id(1), first.last.unwrap(), 9).await.unwrap();
    assert_eq!(rest.open, [callback_id(4), callback_id(5)]);
    assert_eq!(store.campaign_rows(id(1), rest.last.unwrap(), 9).await.unwrap().last, None);
    assert_eq!(store.wrong_counts().await.unwrap(), Vec::<String>::new());
}

pub async fn a_tenant_learns_of_its_own_calls_and_requests(store: &dyn Store) {
    let other: Tenant = "acme".parse().unwrap();
    let of_other = |n: u32| (3..=5).contains(&n);
    let orders = (1..=6).map(|n| {
        let mut callback = callback(n);
        if of_other(n) {
            callback.tenant = other.clone();
        }
        callback
    });
    keep(store, orders.collect::<Vec<_>>()).await;
    let calls = (1..=5).map(|n| {
        let mut attempt = attempt(n);
        attempt.submission.submit(at(10));
        attempt.connected_at = of_other(n).then(|| at(20));
        attempt.ended_at = Some(at(40));
        attempt
    });
    // The second one was refused, and nobody has answered the sixth one.
    let requests = (1..=6).map(|n| {
        let mut message = message(n);
        message.reply = (n == 2).then_some(Reply::Declined);
        message.submission.submit(at(10));
        if of_other(n) {
            message.tenant = other.clone();
        }
        message
    });
    let grants = [1, 3, 4, 5]
        .map(|n| ringmaster::domain::timeline::Entry { at: at(30), ..entry(n, "permission.granted") });
    let batch = Batch {
        attempts: calls.collect(),
        messages: requests.collect(),
        entries: grants.into(),
        ..Batch::default()
    };
    record(store, batch).await;
    let learned = async |tenant: &Tenant| {
        let facts = store.call_facts(tenant, at(200_000), at(0)).await.unwrap();
        (facts.calls, facts.answered, facts.asked, facts.granted)
    };
    let early = store.call_facts(&Tenant::default(), at(60), at(0)).await.unwrap();
    assert_eq!((early.asked, early.granted), (2, 1), "a refusal counts at once, as a grant does");
    assert_eq!(learned(&Tenant::default()).await, (2, 0, 3, 1));
    assert_eq!(learned(&other).await, (3, 3, 3, 3));
    assert_eq!(learned(&"nobody".parse().unwrap()).await, (0, 0, 0, 0));
}
