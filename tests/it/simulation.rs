//! Simulations from fixed seeds, with customers, consumers, faults and kills. They must find no problem.

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
async fn a_faulty_platform_causes_no_problem() {
    run_seeds(100..160, Trouble { faults: true, deaths: false }).await;
}

#[tokio::test]
async fn a_killed_daemon_causes_no_problem() {
    let reports = run_seeds(200..260, Trouble { faults: false, deaths: true }).await;
    assert!(reports.iter().map(|run| run.deaths).sum::<u32>() > 10);
}

const BOTH: Trouble = Trouble { faults: true, deaths: true };

#[tokio::test]
async fn a_faulty_platform_and_kills_cause_no_problem() {
    run_seeds(300..360, BOTH).await;
}

#[tokio::test]
async fn a_faulty_platform_and_kills_cause_no_problem_on_other_days() {
    run_seeds(360..420, BOTH).await;
}

/// Seeds that once had a problem, each with a different cause.
#[tokio::test]
async fn seeds_with_former_problems_have_none() {
    for seed in [
        15, 44, 50, 85, 125, 192, 496, 660, 1_244, 3_806, 12_244, 18_622, 20_589, 25_174, 31_595, 43_750,
        100_667, 1_101_604, 1_102_204, 102_307, 107_841, 115_182,
    ] {
        run_seeds(seed..seed + 1, BOTH).await;
    }
}

#[tokio::test]
async fn a_seed_gives_the_same_run_again() {
    let traced = || run_seed_with(42, BOTH, Arc::new(NoMutation), Arc::new(Trace::kept()));
    let (first, second) = (traced().await.unwrap(), traced().await.unwrap());
    assert!(first.trace.len() > 100);
    assert_eq!(first.trace, second.trace);
    assert_eq!((first.counts, first.deaths), (second.counts, second.deaths));
}
