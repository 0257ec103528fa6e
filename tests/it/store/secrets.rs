//! Tokens and keys.

use futures_util::future::join_all;
use ringmaster::domain::ceiling::Minutes;
use ringmaster::domain::{Budget, Tenant, TokenLimits, TokenName, TokenUse};
use ringmaster::store::{Batch, Error, Store, Token};

use super::samples::at;

fn token(name: &str, hash: u8) -> Token {
    Token::new(name, [hash; 32], at(1))
}

pub async fn a_token_is_found_by_its_hash(store: &dyn Store) {
    store.create_token(token("scheduler", 1)).await.unwrap();
    assert_eq!(store.token_by_hash([1; 32]).await.unwrap(), Some(token("scheduler", 1)));
    assert_eq!(store.token_by_hash([2; 32]).await.unwrap(), None);
}

pub async fn a_hash_is_kept_once(store: &dyn Store) {
    store.create_token(token("first", 1)).await.unwrap();
    let again = store.create_token(token("second", 1)).await;
    assert!(matches!(again, Err(Error::Conflict)), "{again:?}");
    assert_eq!(store.token_by_hash([1; 32]).await.unwrap(), Some(token("first", 1)));
}

pub async fn tokens_are_listed_by_name_and_age(store: &dyn Store) {
    assert_eq!(store.tokens().await.unwrap(), []);
    let older = Token { created_at: at(0), ..token("crm", 3) };
    for kept in [token("web", 1), token("crm", 2), older.clone()] {
        store.create_token(kept).await.unwrap();
    }
    assert_eq!(store.tokens().await.unwrap(), [older, token("crm", 2), token("web", 1)]);
}

pub async fn only_a_removed_token_is_not_found(store: &dyn Store) {
    for hash in [1, 2] {
        store.create_token(token("crm", hash)).await.unwrap();
    }
    for taken in [true, false] {
        assert_eq!(store.revoke_token([1; 32]).await.unwrap(), taken);
    }
    assert_eq!(store.token_by_hash([1; 32]).await.unwrap(), None);
    assert_eq!(store.token_by_hash([2; 32]).await.unwrap(), Some(token("crm", 2)));
}

pub async fn the_first_address_key_stays(store: &dyn Store) {
    let keys = join_all((1..9).map(|n| store.address_key([n; 32]))).await;
    let keys: Vec<_> = keys.into_iter().map(Result::unwrap).collect();
    assert!(keys.iter().all(|key| *key == keys[0]), "all callers get the same key");
    assert_eq!(store.address_key([99; 32]).await.unwrap(), keys[0]);
}

pub async fn ceilings_belong_to_the_name_and_stay_when_its_token_is_removed(store: &dyn Store) {
    let name = TokenName { tenant: Tenant::default(), name: "crm".into() };
    let budget = async || store.budgets(std::slice::from_ref(&name), at(0)).await.unwrap().pop().unwrap();
    let limits = |calls, requests| TokenLimits {
        calls_per_day: calls,
        requests_per_day: requests,
        ..TokenLimits::default()
    };
    assert_eq!(budget().await, Budget::default());
    let first = Token { limits: limits(Some(5), None), ..token("crm", 1) };
    store.create_token(first.clone()).await.unwrap();
    store.create_token(Token { limits: limits(Some(1), Some(1)), ..token("other", 9) }).await.unwrap();
    assert_eq!(store.token_by_hash([1; 32]).await.unwrap(), Some(first));
    let minute = Minutes::of(at(0));
    for by in [3, -1, -5, 2] {
        let uses = vec![(name.clone(), TokenUse::Call, minute, by)];
        store.record(Batch { uses, ..Batch::default() }).await.unwrap();
    }
    assert!(store.revoke_token([1; 32]).await.unwrap());
    let two =
        Budget { calls_per_day: Some(5), calls: [(minute, 2)].into_iter().collect(), ..Budget::default() };
    assert_eq!(budget().await, two, "nothing falls below zero");
    store.create_token(Token { limits: limits(None, Some(7)), ..token("crm", 2) }).await.unwrap();
    assert_eq!(budget().await.max(TokenUse::Call), None, "the newest token of a name decides");
    assert_eq!(budget().await.max(TokenUse::Request), Some(7));
}
