//! Nodes and their leases. A database with a clock of its own gives other moments; the order and the answers are the same.

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::{GroupName, LeaseEnd, RunId};
use ringmaster::policy::lease::{GONE_AFTER, TTL};
use ringmaster::store::{Beat, Claim, Error, Joined, NewNode, Store};

use super::samples::at;

const FIRST: RunId = RunId([1; 16]);
const SECOND: RunId = RunId([2; 16]);

fn node(name: &str, run: RunId, told_at: Timestamp, takes_over: bool) -> NewNode {
    let (version, gone_after) = ("1.0.0".into(), GONE_AFTER);
    NewNode { name: name.into(), run, version, url: None, told_at, gone_after, takes_over }
}

fn beat(name: &str, run: RunId, told_at: Timestamp, takes_over: bool) -> Beat {
    let claim = Some(Claim { group: GroupName::default(), ttl: TTL, takes_over });
    Beat { name: name.into(), run, told_at, clock_ahead: SignedDuration::ZERO, claim }
}

pub async fn one_node_has_the_lease_until_it_resigns(store: &dyn Store) {
    let now = at(100);
    assert_eq!(store.join(node("a", FIRST, now, false)).await.unwrap(), Joined::Joined);
    assert_eq!(store.join(node("b", SECOND, now, false)).await.unwrap(), Joined::Joined);
    let first = store.beat(beat("a", FIRST, now, false)).await.unwrap();
    assert_eq!(first.lasts(FIRST), Some(TTL));
    let lease = first.lease.unwrap();
    assert_eq!((lease.term, lease.began_after), (1, None));
    let refused = store.beat(beat("b", SECOND, now, false)).await.unwrap();
    assert_eq!((refused.lasts(SECOND), &*refused.lease.unwrap().node), (None, "a"));
    // A renewal keeps the term.
    assert_eq!(store.beat(beat("a", FIRST, now, false)).await.unwrap().lease.unwrap().term, 1);

    store.lead(Some(lease.term())).await.unwrap();
    let group = GroupName::default;
    assert!(!store.resign(group(), SECOND, 1, now).await.unwrap());
    assert!(!store.resign(group(), FIRST, 2, now).await.unwrap());
    assert!(store.resign(group(), FIRST, 1, now).await.unwrap());
    assert!(!store.resign(group(), FIRST, 1, now).await.unwrap());
    let refused = store.lead(Some(lease.term())).await;
    assert!(matches!(refused, Err(Error::Deposed)), "{refused:?}");

    let second = store.beat(beat("b", SECOND, now, false)).await.unwrap().lease.unwrap();
    assert_eq!((second.term, second.began_after), (2, Some(LeaseEnd::Resigned)));
    store.lead(Some(second.term())).await.unwrap();
    let terms = store.leaders(group(), 10).await.unwrap();
    let told: Vec<_> = terms.iter().map(|it| (it.term, &*it.node, it.ended)).collect();
    assert_eq!(told, [(2, "b", None), (1, "a", Some(LeaseEnd::Resigned))]);
    assert_eq!(store.leases().await.unwrap(), [second]);
}

pub async fn the_name_of_a_node_is_taken_until_it_leaves(store: &dyn Store) {
    let now = at(100);
    store.join(node("a", FIRST, now, false)).await.unwrap();
    let taken = store.join(node("a", SECOND, now, false)).await.unwrap();
    assert!(matches!(taken, Joined::NameIsTaken { by: FIRST, .. }), "{taken:?}");
    // Another run of the name does not end this one.
    store.leave("a".into(), SECOND, now).await.unwrap();
    assert!(store.beat(beat("a", FIRST, now, false)).await.unwrap().is_known);
    store.leave("a".into(), FIRST, now).await.unwrap();
    assert_eq!(store.join(node("a", SECOND, now, false)).await.unwrap(), Joined::Joined);
    let replaced = store.beat(beat("a", FIRST, now, true)).await.unwrap();
    assert!(!replaced.is_known && replaced.lease.is_none());
    let nodes = store.nodes().await.unwrap();
    assert_eq!((nodes.len(), nodes[0].run, nodes[0].left_at), (1, SECOND, None));
}

pub async fn a_node_is_asked_to_resign_until_it_has(store: &dyn Store) {
    let now = at(100);
    store.join(node("a", FIRST, now, false)).await.unwrap();
    assert!(!store.ask_to_resign("b".into(), "desk".into(), now).await.unwrap());
    assert!(!store.beat(beat("a", FIRST, now, false)).await.unwrap().is_asked_to_resign);
    assert!(store.ask_to_resign("a".into(), "desk".into(), now).await.unwrap());
    assert!(store.beat(beat("a", FIRST, now, false)).await.unwrap().is_asked_to_resign);
    assert!(store.resign(GroupName::default(), FIRST, 1, now).await.unwrap());
    assert!(!store.beat(beat("a", FIRST, now, false)).await.unwrap().is_asked_to_resign);
}
