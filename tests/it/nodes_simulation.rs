//! Simulations with several nodes on one store, and faults of a lease that they have to find.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use ringmaster::simulation::{Mutation, Trace, run_nodes_seed, run_nodes_seed_with};
use ringmaster::store::{Beat, Beaten, Result, Store};

#[tokio::test]
async fn two_nodes_and_three_keep_every_law_whatever_happens_to_them() {
    for seed in 0..3 {
        let report = run_nodes_seed(seed, 2 + usize::try_from(seed % 2).unwrap()).await.unwrap();
        assert_eq!(report.problems, Vec::<String>::new(), "seed {seed}");
        assert!(report.callbacks > 10, "{report:?}");
    }
}

async fn caught<F: Mutation + 'static>(flaw: impl Fn() -> F) -> String {
    for seed in 0..12 {
        let report =
            run_nodes_seed_with(seed, 2, Arc::new(flaw()), Arc::new(Trace::default())).await.unwrap();
        if !report.problems.is_empty() {
            return report.problems.join("\n");
        }
    }
    panic!("the mutation was not found in a dozen seeds");
}

/// The leader trusts its lease for half a minute.
struct TrustsTooLong;

#[async_trait]
impl Mutation for TrustsTooLong {
    async fn beat(&self, store: &dyn Store, beat: Beat) -> Result<Beaten> {
        let mut beaten = store.beat(beat).await?;
        if let Some(lease) = beaten.lease.as_mut().filter(|lease| lease.resigned_at.is_none()) {
            lease.until += SignedDuration::from_secs(22);
        }
        Ok(beaten)
    }
}

#[tokio::test]
async fn a_lease_that_is_trusted_for_too_long_is_found() {
    let problems = caught(|| TrustsTooLong).await;
    assert!(problems.contains("lead at once") || problems.contains("leads"), "{problems}");
}

/// A new leader does not wait for the end of the lease.
struct DoesNotWait;

#[async_trait]
impl Mutation for DoesNotWait {
    async fn beat(&self, store: &dyn Store, mut beat: Beat) -> Result<Beaten> {
        if let Some(claim) = &mut beat.claim {
            claim.takes_over = true;
        }
        store.beat(beat).await
    }
}

#[tokio::test]
async fn a_new_leader_that_does_not_wait_is_found() {
    let problems = caught(|| DoesNotWait).await;
    assert!(problems.contains("lead at once") || problems.contains("leads"), "{problems}");
}
