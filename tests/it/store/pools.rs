//! Pools of agents, and the seats that are held after their calls.

use jiff::SignedDuration;
use ringmaster::domain::{AttemptId, Figure, Pool, WrapUpSeat};
use ringmaster::store::{Batch, PoolChanges, Store};
use uuid::Uuid;

use super::samples::*;

fn pool(name: &str, figure: Figure) -> Pool {
    Pool {
        key: format!("shop/{name}").parse().unwrap(),
        figure,
        as_of: at(3),
        valid_until: at(123),
        headroom: 2,
        wrap_up: SignedDuration::from_secs(45),
        by: "acd: \"one\" 🎩".into(),
        fault: None,
    }
}

fn wrap_up(n: u128, until: i64) -> WrapUpSeat {
    WrapUpSeat {
        attempt: AttemptId::new(Uuid::from_u128(n)),
        pool: "shop/support".parse().unwrap(),
        taken_at: at(1),
        busy_since: at(2),
        until: at(until),
    }
}

async fn change(store: &dyn Store, pools: PoolChanges) {
    record(store, Batch { pools, ..Batch::default() }).await;
}

pub async fn a_pool_is_read_as_it_was_fed_last(store: &dyn Store) {
    let set = |pools: &[Pool]| PoolChanges {
        pools: pools.iter().map(|pool| (pool.key.clone(), Some(pool.clone()))).collect(),
        ..PoolChanges::default()
    };
    let (desk, support) = (pool("desk", Figure::Seats(0)), pool("support", Figure::Free(10_000)));
    change(store, set(&[support.clone(), desk.clone()])).await;
    assert_eq!(store.pools().await.unwrap(), [desk.clone(), support.clone()]);
    let failed = Pool { fault: Some("status 500".into()), valid_until: at(4), ..support };
    change(store, set(std::slice::from_ref(&failed))).await;
    assert_eq!(store.pools().await.unwrap(), [desk.clone(), failed.clone()]);
    let removed = PoolChanges { pools: [(desk.key, None)].into(), ..PoolChanges::default() };
    change(store, removed).await;
    assert_eq!(store.pools().await.unwrap(), [failed]);
}

pub async fn a_wrap_up_is_found_until_its_end_or_until_it_is_ended(store: &dyn Store) {
    let held = [wrap_up(1, 10), wrap_up(2, 20), wrap_up(3, 30)];
    change(store, PoolChanges { wrap_ups: held.to_vec(), ..PoolChanges::default() }).await;
    let found = async |second| store.seats_in_wrap_up(at(second)).await.unwrap();
    assert_eq!(found(9).await, held);
    assert_eq!(found(10).await, held[1..]);
    let ended = PoolChanges { wrapped_up: vec![held[2].attempt], at: at(10), ..PoolChanges::default() };
    change(store, ended).await;
    // The first one is over, and deleted.
    assert_eq!(found(0).await, held[1..2]);
}
