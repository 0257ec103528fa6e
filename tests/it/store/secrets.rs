//! Tokens and keys.

use futures_util::future::join_all;
use ringmaster::store::{Error, Store, Token};

use super::samples::at;

fn token(name: &str, hash: u8) -> Token {
    Token { name: name.into(), hash: [hash; 32], created_at: at(1) }
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

pub async fn the_first_address_key_stays(store: &dyn Store) {
    let keys = join_all((1..9).map(|n| store.address_key([n; 32]))).await;
    let keys: Vec<_> = keys.into_iter().map(Result::unwrap).collect();
    assert!(keys.iter().all(|key| *key == keys[0]), "all hear the same key");
    assert_eq!(store.address_key([99; 32]).await.unwrap(), keys[0]);
}
