//! Random plays from fixed seeds: customers, consumers, faults and deaths, and nothing goes wrong.

use ringmaster::rehearsal::{Played, Trouble, play};

async fn plays(seeds: std::ops::Range<u64>, trouble: Trouble) -> Vec<Played> {
    let mut played = Vec::new();
    for seed in seeds {
        let play = play(seed, trouble).await.unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
        assert!(play.wrongs.is_empty(), "seed {seed}: {:#?}", play.wrongs);
        played.push(play);
    }
    played
}

#[tokio::test]
async fn in_peace_nothing_goes_wrong() {
    let played = plays(0..10, Trouble { faults: false, deaths: false }).await;
    assert!(played.iter().map(|play| play.counts.calls_connected).sum::<u64>() > 10);
}

#[tokio::test]
async fn with_a_faulty_platform_nothing_goes_wrong() {
    plays(100..110, Trouble { faults: true, deaths: false }).await;
}

#[tokio::test]
async fn with_a_mortal_house_nothing_goes_wrong() {
    let played = plays(200..210, Trouble { faults: false, deaths: true }).await;
    assert!(played.iter().map(|play| play.deaths).sum::<u32>() > 10);
}

#[tokio::test]
async fn with_both_nothing_goes_wrong() {
    plays(300..310, Trouble { faults: true, deaths: true }).await;
}

#[tokio::test]
async fn a_seed_plays_the_same_way_again() {
    let trouble = Trouble { faults: true, deaths: true };
    let first = play(42, trouble).await.unwrap();
    let second = play(42, trouble).await.unwrap();
    assert_eq!((first.counts, first.deaths), (second.counts, second.deaths));
}
