//! The load of the daemon: each count has its own key, and an absent key is free.

use super::*;

#[test]
fn the_calls_of_a_sender_are_counted_by_its_number() {
    let in_use = [(Resource::Sender(sender_number()), 3)].into_iter().collect();
    let loads = Loads { in_use, ..Loads::default() };
    assert_eq!(loads.live_calls(sender_number()), 3);
    assert_eq!(loads.live_calls(Phone::parse("+551151995678").unwrap()), 0);
}

#[test]
fn a_call_holds_its_sender_its_account_and_the_campaign_of_its_callback() {
    let all = |campaign: Option<&str>| {
        let mut case = ready();
        case.callback.order.campaign = campaign.map(Into::into);
        holds(&case.callback, &case.sender, None, at(0))
    };
    let always = [Resource::Sender(sender_number()), Resource::Account("main".into())];
    assert_eq!(all(None), Holds::new(always.clone()));
    assert_eq!(all(Some("spring")), Holds::new(always.into_iter().chain([Resource::campaign("spring")])));
}

#[test]
fn a_resource_without_a_ceiling_always_has_room() {
    let mut rules = rules();
    let (sender, campaign) = (Resource::Sender(sender_number()), Resource::campaign("spring"));
    assert_eq!([rules.room(&sender, 999), rules.room(&sender, 1001)], [1, 0]);
    assert_eq!(rules.room(&campaign, 1_000_000), u32::MAX);
    rules.ceilings.insert(campaign.clone(), 2);
    assert_eq!([0, 1, 2, 3].map(|live| rules.room(&campaign, live)), [2, 1, 0, 0]);
}

/// Twilio, WhatsApp Business Calling: 1,000 calls in progress of one sender.
#[test]
fn the_thousand_and_first_call_waits_at_the_senders_gate() {
    ready().with(|case| case.live_calls = 999).check(&Call);
    ready().with(|case| case.live_calls = 1000).check(&Wait("sender.concurrency", 10 * DAY, true));
}

fn own_ceiling(case: &mut Case, max: u32) {
    case.rules.ceilings.insert(Resource::Sender(case.sender.number), max);
}

#[test]
fn the_operators_own_ceiling_binds_where_it_is_lower() {
    let case = || ready().with(|case| own_ceiling(case, 2));
    case().with(|case| case.live_calls = 1).check(&Call);
    case().with(|case| case.live_calls = 2).check(&Wait("sender.concurrency", 10 * DAY, true));
    ready()
        .with(|case| {
            own_ceiling(case, 5000);
            case.live_calls = 1000;
        })
        .check(&Wait("sender.concurrency", 10 * DAY, true));
}

/// The operator's own ceiling, in `[campaigns]`.
#[test]
fn a_campaign_has_no_more_calls_than_its_ceiling() {
    let case = |live| {
        ready().with(move |case| {
            case.callback.order.campaign = Some("spring".into());
            _ = case.rules.ceilings.insert(Resource::campaign("spring"), 2);
            case.campaign_calls = live;
        })
    };
    case(1).check(&Call);
    case(2).check(&Wait("campaign.concurrency", 10 * DAY, true));
    case(3).check(&Wait("campaign.concurrency", 10 * DAY, true));
    case(3).with(|case| case.callback.order.campaign = Some("autumn".into())).check(&Call);
    case(3).with(|case| case.callback.order.campaign = None).check(&Call);
    let Step::Wait { gate, .. } = case(2).assess().step else { panic!("it waits") };
    assert_eq!(gate, Some(Gate::campaign("spring")));
}

fn alice() -> Resource {
    Resource::Agents(Agents::new(Agent::client("alice")).unwrap())
}

#[test]
fn an_agent_takes_one_call_at_a_time() {
    let case = |live| {
        ready().with(move |case| {
            case.document = Some(LegOrder::AgentFirst);
            case.callback.order.agent = Some("client:alice".parse().unwrap());
            case.agent_calls = live;
        })
    };
    case(0).check(&Call);
    case(1).check(&Wait("agent.busy", 10 * DAY, true));
    let Step::Wait { gate, .. } = case(1).assess().step else { panic!("it waits") };
    assert_eq!(gate, Some(Gate::Room(alice())));
    case(1).with(|case| case.rules.agent_calls_max = 2).check(&Call);
    case(2).with(|case| case.rules.agent_calls_max = 2).check(&Wait("agent.busy", 10 * DAY, true));
    // Alice has a section of her own.
    case(2).with(|case| _ = case.rules.ceilings.insert(alice(), 3)).check(&Call);
    case(3).with(|case| _ = case.rules.ceilings.insert(alice(), 3)).check(&Wait(
        "agent.busy",
        10 * DAY,
        true,
    ));
    // Nobody is called first.
    case(1).with(|case| case.document = Some(LegOrder::ConsumerFirst)).check(&Call);
}

#[test]
fn a_group_takes_as_many_calls_as_its_agents_together() {
    let mut rules = rules();
    let names = ["alice", "bob", "cleo"];
    let group = Resource::Agents(Agents::new(names.into_iter().filter_map(Agent::client)).unwrap());
    assert_eq!(rules.ceiling(&group), Some(3));
    rules.ceilings.insert(alice(), 4);
    assert_eq!(rules.ceiling(&group), Some(6));
    assert_eq!([5, 6].map(|live| rules.room(&group, live)), [1, 0]);
}

/// The operator's own ceiling, in `[accounts]`.
#[test]
fn an_account_has_no_more_calls_than_its_ceiling() {
    let account = || Resource::Account("main".into());
    let case = |live| {
        ready().with(move |case| {
            case.rules.ceilings.insert(account(), 2);
            case.account_calls = live;
        })
    };
    case(1).check(&Call);
    case(2).check(&Wait("account.concurrency", 10 * DAY, true));
    let Step::Wait { gate, .. } = case(2).assess().step else { panic!("it waits") };
    assert_eq!(gate, Some(Gate::Room(account())));
}

#[test]
fn an_account_of_which_nothing_is_known_is_at_ease() {
    let busy = AccountView { paused: Some((at(60), "out of order".into())), next_call_at: at(1) };
    let loads = Loads { accounts: BTreeMap::from([("main".into(), busy.clone())]), ..Loads::default() };
    assert_eq!(loads.account("main"), busy);
    assert_eq!(loads.account("other"), AccountView { paused: None, next_call_at: Timestamp::MIN });
}

/// A callback that needs a seat of the pool `support`, of which so many are used of two.
fn seated(used: u128) -> Case {
    ready().with(|case| {
        let key: PoolKey = "default/support".parse().unwrap();
        case.callback.order.pool = Some(key.name.clone());
        case.pools.set(Pool {
            key: key.clone(),
            figure: Figure::Seats(3),
            as_of: at(0),
            valid_until: at(60),
            headroom: 1,
            wrap_up: SignedDuration::ZERO,
            by: "acd".into(),
            fault: None,
        });
        let seat = Seat { taken_at: at(0), busy_since: None, until: None };
        (1..=used).for_each(|n| case.seats.take(&key, AttemptId::new(Uuid::from_u128(n)), seat));
    })
}

#[test]
fn a_call_needs_a_seat_of_a_pool_whose_figure_holds() {
    seated(1).check(&Call);
    seated(2).check(&Wait("pool.no_seat", 10 * DAY, true));
    seated(3).check(&Wait("pool.no_seat", 10 * DAY, true));
    seated(0).now(59).check(&Call);
    seated(0).now(60).check(&Wait("pool.expired", 10 * DAY, true));
    seated(0).with(|case| case.pools = Pools::default()).check(&Wait("pool.unknown", 10 * DAY, true));
    let Step::Wait { gate, reason, .. } = seated(2).assess().step else { panic!("it waits") };
    assert_eq!(gate, Some(Gate::Room(Resource::Pool("default/support".parse().unwrap()))));
    assert_eq!(reason, Reason::PoolFull { pool: "support".parse().unwrap(), used: 2, max: 2 });
}

#[test]
fn a_pool_belongs_to_the_tenant_of_the_order_and_that_of_a_sender_to_the_operator() {
    let own = "shop".parse::<Tenant>().unwrap();
    // The shop has no pool of that name.
    seated(0).with(|case| case.callback.tenant = own.clone()).check(&Wait("pool.unknown", 10 * DAY, true));
    let of_sender = seated(0).with(|case| {
        case.callback.tenant = own;
        case.sender.pool = case.callback.order.pool.clone();
        case.callback.order = Order { pool: None, ..(*case.callback.order).clone() }.into();
    });
    of_sender.check(&Call);
    of_sender.with(|case| case.pools = Pools::default()).check(&Wait("pool.unknown", 10 * DAY, true));
}

#[test]
fn a_permission_is_asked_for_without_a_seat() {
    seated(3).with(|case| case.pair.permission = CallPermission::None).check(&template());
}
