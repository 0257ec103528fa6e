//! The ladder of invites under faults and kills, from fixed seeds; and each of its limits weakened, which must be found.

use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::config::Config;
use ringmaster::simulation::{Mutation, NoMutation, RunReport, Trace, Trouble, run_ladder_seed};

const BOTH: Trouble = Trouble { faults: true, deaths: true };

async fn run(seed: u64, trouble: Trouble, mutation: Arc<dyn Mutation>) -> RunReport {
    let run = run_ladder_seed(seed, trouble, mutation, Arc::default()).await;
    run.unwrap_or_else(|error| panic!("seed {seed}: {error:#}"))
}

async fn run_seeds(seeds: std::ops::Range<u64>, trouble: Trouble) -> Vec<RunReport> {
    let mut reports = Vec::new();
    for seed in seeds {
        let report = run(seed, trouble, Arc::new(NoMutation)).await;
        assert!(report.problems.is_empty(), "seed {seed}: {:#?}", report.problems);
        reports.push(report);
    }
    reports
}

#[tokio::test]
async fn in_a_simulation_the_ladder_of_invites_breaks_no_rule_in_peace() {
    let reports = run_seeds(0..20, Trouble { faults: false, deaths: false }).await;
    assert!(reports.iter().map(|run| run.counts.invites).sum::<u64>() > 40);
    assert!(reports.iter().map(|run| run.counts.inbound_connected).sum::<u64>() > 40);
}

#[tokio::test]
async fn in_a_simulation_the_ladder_of_invites_breaks_no_rule_under_faults_and_kills() {
    let reports = run_seeds(100..140, BOTH).await;
    assert!(reports.iter().map(|run| run.deaths).sum::<u32>() > 10);
}

#[tokio::test]
async fn a_seed_of_the_ladder_gives_the_same_simulation_again() {
    let traced = || run_ladder_seed(7, BOTH, Arc::new(NoMutation), Arc::new(Trace::kept()));
    let (first, second) = (traced().await.unwrap(), traced().await.unwrap());
    assert_eq!(first.trace, second.trace);
    assert!(!first.trace.is_empty());
}

struct Weak(fn(&mut Config));

impl Mutation for Weak {
    fn configure(&self, config: &mut Config) {
        (self.0)(config);
    }
}

/// Whether one of some seeds finds the weaker rule.
async fn is_noticed(weak: fn(&mut Config), told: &str) {
    for seed in 0..60 {
        let report = run(seed, BOTH, Arc::new(Weak(weak))).await;
        if report.problems.iter().any(|problem| problem.contains(told)) {
            return;
        }
    }
    panic!("nothing tells {told:?}");
}

#[tokio::test]
async fn a_weakened_limit_of_the_person_is_found() {
    is_noticed(|config| config.inviting.per_person = SignedDuration::from_hours(6 * 24), "was invited at")
        .await;
}

#[tokio::test]
async fn a_weakened_service_window_is_found() {
    let weak = |config: &mut Config| config.limits.service_window = Some(SignedDuration::from_hours(30));
    is_noticed(weak, "outside the service window").await;
}

#[tokio::test]
async fn a_weakened_window_of_the_page_is_found() {
    let weak = |config: &mut Config| config.limits.page_window = Some(SignedDuration::from_hours(60));
    is_noticed(weak, "outside the window of the page").await;
}

#[tokio::test]
async fn a_weakened_pace_of_the_pair_is_found() {
    let weak = |config: &mut Config| config.limits.message_gap = Some(SignedDuration::from_secs(1));
    is_noticed(weak, "got messages at").await;
}
