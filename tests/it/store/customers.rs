//! The store for customers: enqueueing, listing and changing callbacks.

use futures_util::future::join_all;
use ringmaster::domain::{OrderKind, Outcome, Phone, Tenant};
use ringmaster::store::{
    Enqueue, Enqueued, Error, Filter, IdempotencyKey, Listed, OpenOrder, Page, Status, Store,
};

use super::samples::*;

fn keyed(n: u32, token: &str, body: u8) -> Enqueue {
    let idempotency = IdempotencyKey { token: token.into(), key: "once".into(), body: [body; 32] };
    Enqueue { callback: callback(n), idempotency: Some(idempotency), ceiling: None, of_one_group: Vec::new() }
}

pub async fn a_callback_is_found_as_it_was_enqueued(store: &dyn Store) {
    keep(store, [callback(1)]).await;
    let record = store.callback(callback_id(1)).await.unwrap().unwrap();
    assert_eq!(record.callback, callback(1));
    assert_eq!((record.attempts.len(), record.messages.len()), (0, 0));
    assert_eq!(store.timeline(callback_id(1)).await.unwrap(), []);
}

pub async fn an_order_repeated_with_its_key_gives_the_first_callback(store: &dyn Store) {
    let first = store.enqueue_callbacks(vec![keyed(1, "a", 7)]).await.unwrap();
    let again = store.enqueue_callbacks(vec![keyed(2, "a", 7)]).await.unwrap();
    assert_eq!(first, [Enqueued::New(callback_id(1))]);
    assert_eq!(again, [Enqueued::Repeated(callback_id(1))]);
    assert_eq!(listed(store, Filter::default()).await, [1]);
}

pub async fn a_key_with_another_body_stores_nothing(store: &dyn Store) {
    store.enqueue_callbacks(vec![keyed(1, "a", 7)]).await.unwrap();
    let other = store.enqueue_callbacks(vec![keyed(2, "a", 8)]).await.unwrap();
    assert_eq!(other, [Enqueued::KeyReused]);
    assert_eq!(listed(store, Filter::default()).await, [1]);
    let first = store.enqueue_callbacks(vec![keyed(3, "a", 7)]).await.unwrap();
    assert_eq!(first, [Enqueued::Repeated(callback_id(1))], "the first body is still the key's");
}

pub async fn a_key_belongs_to_its_own_token(store: &dyn Store) {
    store.enqueue_callbacks(vec![keyed(1, "a", 7)]).await.unwrap();
    let other = store.enqueue_callbacks(vec![keyed(2, "b", 7)]).await.unwrap();
    assert_eq!(other, [Enqueued::New(callback_id(2))]);
}

pub async fn a_key_repeated_within_one_command_is_recognised(store: &dyn Store) {
    let orders = vec![keyed(1, "a", 7), order(callback(2)), keyed(3, "a", 7), keyed(4, "a", 8)];
    let answers = store.enqueue_callbacks(orders).await.unwrap();
    let [one, two] = [callback_id(1), callback_id(2)];
    assert_eq!(
        answers,
        [Enqueued::New(one), Enqueued::New(two), Enqueued::Repeated(one), Enqueued::KeyReused]
    );
    assert_eq!(listed(store, Filter::default()).await, [2, 1]);
}

pub async fn orders_are_stored_together_or_not_at_all(store: &dyn Store) {
    keep(store, [callback(2)]).await;
    let taken = store.enqueue_callbacks(vec![keyed(1, "a", 7), order(callback(2))]).await;
    assert!(matches!(taken, Err(Error::Conflict)), "{taken:?}");
    assert_eq!(listed(store, Filter::default()).await, [2]);
    let free = store.enqueue_callbacks(vec![keyed(1, "a", 7)]).await.unwrap();
    assert_eq!(free, [Enqueued::New(callback_id(1))], "the key of the failed order is free");
}

pub async fn simultaneous_orders_are_all_stored(store: &dyn Store) {
    let answers = join_all((0..300).map(|n| store.enqueue_callbacks(vec![order(callback(n))]))).await;
    for (n, answer) in (0..).zip(answers) {
        assert_eq!(answer.unwrap(), [Enqueued::New(callback_id(n))]);
    }
    assert_eq!(store.census().await.unwrap().waiting, 300);

    // All with the same key: one is stored, and all get its id.
    let answers = join_all((300..350).map(|n| store.enqueue_callbacks(vec![keyed(n, "a", 7)]))).await;
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().remove(0)).collect();
    let new: Vec<_> = answers.iter().filter(|answer| matches!(answer, Enqueued::New(_))).collect();
    let [Enqueued::New(first)] = new[..] else { panic!("{new:?}") };
    assert_eq!(answers.iter().filter(|answer| **answer == Enqueued::Repeated(*first)).count(), 49);
    assert_eq!(store.census().await.unwrap().waiting, 301);
}

pub async fn lists_are_newest_first_and_continue_where_a_page_ended(store: &dyn Store) {
    keep(store, [callback(2), callback(5), callback(1), callback(4), callback(3)]).await;
    let all = Filter::default();
    let page = async |before, limit| {
        numbers(&store.list_callbacks(&all, &Page { before, limit }).await.unwrap().callbacks)
    };
    assert_eq!(page(None, 2).await, [5, 4]);
    assert_eq!(page(Some(callback_id(4)), 2).await, [3, 2]);
    assert_eq!(page(Some(callback_id(2)), 2).await, [1]);
    assert_eq!(page(Some(callback_id(1)), 2).await, [0; 0]);
    assert_eq!(page(None, 0).await, [0; 0]);
    let filter = Filter { consumer: Some(consumer(4)), ..Filter::default() };
    let past = store.list_callbacks(&filter, &Page { before: Some(callback_id(4)), limit: 9 }).await;
    assert_eq!(past.unwrap(), Listed::default());
}

pub async fn open_orders_are_those_of_their_tenant_and_kind(store: &dyn Store) {
    let mut other_tenant = callback(3);
    other_tenant.tenant = "acme".parse().unwrap();
    let mut invite = callback(4);
    invite.order.kind = OrderKind::Invite;
    let mut labelled = callback(6);
    labelled.order.campaign = Some("spring".into());
    keep(store, [callback(1), callback(2), other_tenant, invite, callback(5), labelled]).await;
    for (n, state) in
        [(2, ringmaster::domain::State::Calling { attempt: attempt_id(2) }), (5, closed(Outcome::Reached))]
    {
        let before = stored(store, n).await;
        assert!(amend(store, next(&before, state), vec![], vec![]).await.unwrap());
    }
    let all: Vec<Phone> = (0..7).map(consumer).collect();
    let open = async |tenant: &Tenant, kind| store.with_open_orders(tenant, kind, &all).await.unwrap();
    let plain = |n| (consumer(n), OpenOrder { campaign: None, is_launched: true });
    let own = callback(1).tenant;
    assert_eq!(open(&own, OrderKind::Callback).await, [1, 2, 6].map(plain));
    assert_eq!(open(&own, OrderKind::Invite).await, [plain(4)]);
    assert_eq!(open(&"acme".parse().unwrap(), OrderKind::Callback).await, [plain(3)]);
    assert_eq!(store.with_open_orders(&own, OrderKind::Callback, &[]).await.unwrap(), []);
}

pub async fn lists_match_every_field_of_the_filter(store: &dyn Store) {
    let mut campaign = callback(1);
    campaign.order.campaign = Some("renewals".into());
    campaign.order.reference = Some("r-1".into());
    let mut two_senders = callback(2);
    two_senders.order.senders = vec![sender(0), sender(1)];
    two_senders.order.campaign = Some("renewals".into());
    two_senders.order.reference = Some("r-1".into());
    let mut same_consumer = callback(3);
    same_consumer.order.consumer = consumer(1);
    keep(store, [campaign, two_senders.clone(), same_consumer, callback(4), callback(5)]).await;
    for (n, state) in [
        (2, closed(Outcome::Reached)),
        (4, closed(Outcome::Expired)),
        (5, ringmaster::domain::State::Calling { attempt: attempt_id(5) }),
    ] {
        let before = stored(store, n).await;
        let after = ringmaster::domain::Callback {
            abandoned_at: [2, 5].contains(&n).then_some(at(9)),
            ..next(&before, state)
        };
        assert!(amend(store, after, vec![], vec![]).await.unwrap());
    }
    let all = Filter::default;
    let renewals = || Some("renewals".to_owned());
    let checks = [
        (Filter { status: Some(Status::Waiting), ..all() }, vec![3, 1]),
        (Filter { status: Some(Status::Calling), ..all() }, vec![5]),
        (Filter { status: Some(Status::Closed), ..all() }, vec![4, 2]),
        (Filter { outcome: Some(Outcome::Reached), ..all() }, vec![2]),
        (Filter { outcome: Some(Outcome::Failed), ..all() }, vec![]),
        (Filter { status: Some(Status::Closed), outcome: Some(Outcome::Expired), ..all() }, vec![4]),
        (Filter { abandoned: Some(true), ..all() }, vec![5, 2]),
        (Filter { abandoned: Some(false), ..all() }, vec![4, 3, 1]),
        (Filter { abandoned: Some(true), status: Some(Status::Calling), ..all() }, vec![5]),
        (Filter { abandoned: Some(true), campaign: renewals(), ..all() }, vec![2]),
        (Filter { abandoned: Some(true), tenant: "other".parse().unwrap(), ..all() }, vec![]),
        (Filter { sender: Some(sender(1)), ..all() }, vec![2]),
        (Filter { sender: Some(sender(0)), ..all() }, vec![5, 4, 3, 2, 1]),
        (Filter { consumer: Some(consumer(1)), ..all() }, vec![3, 1]),
        (Filter { campaign: renewals(), ..all() }, vec![2, 1]),
        (Filter { campaign: Some("renewal".into()), ..all() }, vec![]),
        (Filter { campaign: renewals(), status: Some(Status::Waiting), ..all() }, vec![1]),
        (Filter { campaign: renewals(), consumer: Some(consumer(1)), ..all() }, vec![1]),
        (Filter { consumer: Some(consumer(1)), status: Some(Status::Closed), ..all() }, vec![]),
        (
            Filter {
                kind: OrderKind::Callback,
                tenant: Tenant::default(),
                status: Some(Status::Closed),
                outcome: Some(Outcome::Reached),
                abandoned: Some(true),
                sender: Some(sender(1)),
                consumer: Some(consumer(2)),
                campaign: renewals(),
                reference: Some("r-1".into()),
                reason: None,
                wrap_up_missing_at: None,
            },
            vec![2],
        ),
        (Filter { reference: Some("r-1".into()), ..all() }, vec![2, 1]),
        (Filter { reference: Some("r-1".into()), consumer: Some(consumer(1)), ..all() }, vec![1]),
        (Filter { reference: Some("r-1".into()), tenant: "other".parse().unwrap(), ..all() }, vec![]),
        // A sender does not match because its digits are part of another one.
        (Filter { sender: Some(Phone::from_stored(55_113_000_000)), ..all() }, vec![]),
    ];
    for (filter, expected) in checks {
        assert_eq!(listed(store, filter.clone()).await, expected, "{filter:?}");
    }
}

pub async fn a_reference_finds_the_open_callbacks_or_the_newest_one(store: &dyn Store) {
    let named = |n: u32, reference: &str, tenant: &str| {
        let mut callback = callback(n);
        callback.order.reference = Some(reference.into());
        callback.tenant = tenant.parse().unwrap();
        callback
    };
    let default = Tenant::default();
    let ours = default.as_str();
    keep(store, [named(1, "a", ours), named(2, "a", ours), named(3, "a", ours), named(4, "a", "other")])
        .await;
    keep(store, [named(5, "A", ours), callback(6)]).await;
    let find = async |reference: &str, most| {
        store.referenced(&default, OrderKind::Callback, reference, most).await.unwrap()
    };
    assert_eq!(find("a", 9).await, [3, 2, 1].map(callback_id));
    assert_eq!(find("a", 2).await, [3, 2].map(callback_id));
    assert_eq!(find("A", 9).await, [callback_id(5)]);
    assert_eq!(find("b", 9).await, []);
    let close = async |n, state| {
        let before = stored(store, n).await;
        assert!(amend(store, next(&before, state), vec![], vec![]).await.unwrap());
    };
    close(3, closed(Outcome::Reached)).await;
    close(2, ringmaster::domain::State::Calling { attempt: attempt_id(2) }).await;
    assert_eq!(find("a", 9).await, [2, 1].map(callback_id));
    close(2, closed(Outcome::Reached)).await;
    close(1, closed(Outcome::Reached)).await;
    assert_eq!(find("a", 9).await, [callback_id(3)]);
}

pub async fn callbacks_and_invites_are_listed_counted_and_named_apart(store: &dyn Store) {
    let named = |n: u32, kind| {
        let mut callback = callback(n);
        callback.order.kind = kind;
        callback.order.consumer = consumer(1);
        callback.order.campaign = Some("renewals".into());
        callback.order.reference = Some("r-1".into());
        callback
    };
    let [callback, invite] = OrderKind::ALL;
    keep(store, [named(1, callback), named(2, invite), named(3, invite), named(4, callback)]).await;
    let filters = [
        Filter::default(),
        Filter { status: Some(Status::Waiting), ..Filter::default() },
        Filter { consumer: Some(consumer(1)), ..Filter::default() },
        Filter { sender: Some(sender(0)), ..Filter::default() },
        Filter { campaign: Some("renewals".into()), ..Filter::default() },
        Filter { reference: Some("r-1".into()), ..Filter::default() },
    ];
    for filter in filters {
        assert_eq!(listed(store, Filter { kind: callback, ..filter.clone() }).await, [4, 1], "{filter:?}");
        assert_eq!(listed(store, Filter { kind: invite, ..filter.clone() }).await, [3, 2], "{filter:?}");
    }
    let find = async |kind| store.referenced(&Tenant::default(), kind, "r-1", 9).await.unwrap();
    assert_eq!(find(callback).await, [4, 1].map(callback_id));
    assert_eq!(find(invite).await, [3, 2].map(callback_id));
    let ended = next(&named(3, invite), closed(Outcome::Reached));
    assert!(amend(store, ended, vec![], vec![]).await.unwrap());
    assert_eq!(find(invite).await, [callback_id(2)]);
    let census = store.census().await.unwrap();
    assert_eq!((census.waiting, census.invites.waiting), (2, 1));
    let reached = Outcome::ALL.iter().position(|outcome| *outcome == Outcome::Reached).unwrap();
    assert_eq!((census.closed[reached], census.invites.closed[reached]), (0, 1));
    assert_eq!(store.wrong_counts().await.unwrap(), Vec::<String>::new());
    assert_eq!(stored(store, 2).await.order.kind, invite);
}

pub async fn filters_that_contradict_each_other_match_nothing(store: &dyn Store) {
    keep(store, [callback(1)]).await;
    let filter =
        Filter { status: Some(Status::Waiting), outcome: Some(Outcome::Reached), ..Filter::default() };
    assert_eq!(listed(store, filter).await, [0; 0]);
}

pub async fn a_change_needs_the_previous_version(store: &dyn Store) {
    keep(store, [callback(1)]).await;
    for stale in [0, 1, 3] {
        let amended =
            ringmaster::domain::Callback { version: stale, cancel_requested_at: Some(at(5)), ..callback(1) };
        assert!(!amend(store, amended, vec![entry(1, "refused")], vec![]).await.unwrap());
    }
    assert_eq!(stored(store, 1).await, callback(1));
    assert_eq!(store.timeline(callback_id(1)).await.unwrap(), []);

    let mut amended = next(&callback(1), waiting(50, None));
    amended.order.latest = at(77);
    amended.order.priority = ringmaster::domain::Priority::new(9).unwrap();
    assert!(amend(store, amended.clone(), vec![entry(1, "amended")], vec![]).await.unwrap());
    assert_eq!(stored(store, 1).await, amended);
    assert_eq!(store.timeline(callback_id(1)).await.unwrap(), [entry(1, "amended")]);
}

pub async fn only_one_of_many_changes_of_a_version_succeeds(store: &dyn Store) {
    keep(store, [callback(1)]).await;
    let amend = |n| amend(store, next(&callback(1), waiting(n, None)), vec![entry(1, "amended")], vec![]);
    let won = join_all((0..20).map(amend)).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
    assert_eq!(won, 1);
    assert_eq!(stored(store, 1).await.version, 2);
    assert_eq!(store.timeline(callback_id(1)).await.unwrap().len(), 1);
}

pub async fn an_unknown_callback_is_not_found(store: &dyn Store) {
    assert_eq!(store.callback(callback_id(1)).await.unwrap(), None);
    assert!(!amend(store, next(&callback(1), waiting(1, None)), vec![], vec![]).await.unwrap());
}
