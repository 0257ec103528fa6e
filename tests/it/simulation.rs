//! Simulations from fixed seeds, with customers, consumers, faults and crashes, must find no problem.

use std::sync::Arc;

use ringmaster::simulation::{NoMutation, RunReport, Trace, Trouble, run_seed, run_seed_with};

async fn run_seeds(seeds: std::ops::Range<u64>, trouble: Trouble) -> Vec<RunReport> {
    let mut reports = Vec::new();
    for seed in seeds {
        let run = run_seed(seed, trouble).await.unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
        assert!(run.problems.is_empty(), "seed {seed}: {:#?}", run.problems);
        reports.push(run);
    }
    reports
}

#[tokio::test]
async fn in_peace_nothing_goes_wrong() {
    let reports = run_seeds(0..30, Trouble { faults: false, deaths: false }).await;
    assert!(reports.iter().map(|run| run.counts.calls_connected).sum::<u64>() > 10);
}

#[tokio::test]
async fn with_a_faulty_platform_nothing_goes_wrong() {
    run_seeds(100..160, Trouble { faults: true, deaths: false }).await;
}

#[tokio::test]
async fn with_a_daemon_that_is_killed_nothing_goes_wrong() {
    let reports = run_seeds(200..260, Trouble { faults: false, deaths: true }).await;
    assert!(reports.iter().map(|run| run.deaths).sum::<u32>() > 10);
}

const BOTH: Trouble = Trouble { faults: true, deaths: true };

#[tokio::test]
async fn with_both_nothing_goes_wrong() {
    run_seeds(300..360, BOTH).await;
}

#[tokio::test]
async fn with_both_nothing_goes_wrong_on_other_days() {
    run_seeds(360..420, BOTH).await;
}

/// Seeds that once went wrong, each for a reason of its own.
#[tokio::test]
async fn what_once_went_wrong_does_not_any_more() {
    for seed in [
        15, 44, 50, 85, 125, 192, 496, 660, 1_244, 3_806, 12_244, 18_622, 20_589, 25_174, 31_595, 43_750,
        100_667,
    ] {
        run_seeds(seed..seed + 1, BOTH).await;
    }
}

#[tokio::test]
async fn a_seed_plays_the_same_way_again() {
    let traced = || run_seed_with(42, BOTH, Arc::new(NoMutation), Arc::new(Trace::kept()));
    let (first, second) = (traced().await.unwrap(), traced().await.unwrap());
    assert!(first.trace.len() > 100);
    assert_eq!(first.trace, second.trace);
    assert_eq!((first.counts, first.deaths), (second.counts, second.deaths));
}
