//! `simulate`: whole daemons and worlds played from seeds, as many as are asked for, until one goes wrong.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;

use super::failure::Hint as _;
use crate::sim::world::Faults;
use crate::simulation::{Campaign, NoMutation, Played, Trace, Trouble, play_with};

#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// How many plays
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first seed; the others follow it
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    from: u64,
    /// Play this seed alone
    #[arg(long, value_name = "SEED", conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Print everything that happens in the play
    #[arg(long, requires = "seed")]
    trace: bool,
    /// A platform without faults
    #[arg(long)]
    no_faults: bool,
    /// A daemon that is never killed
    #[arg(long)]
    no_deaths: bool,
    /// One campaign instead: consumers of every habit, called over a month; `--jobs` daemons share them
    #[arg(long, conflicts_with_all = ["seeds", "no_deaths"])]
    campaign: bool,
    /// Consumers of the campaign
    #[arg(long, value_name = "COUNT", requires = "campaign", default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    consumers: u64,
    /// Days of the campaign
    #[arg(long, value_name = "COUNT", requires = "campaign", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=365))]
    days: u32,
    /// How many plays at a time
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=256))]
    jobs: u64,
}

/// Of a play that went wrong, where its trace was not asked for.
const LINES_SHOWN: usize = 40;

/// Of a long run, so that nobody thinks it hangs.
const TOLD_EVERY: Duration = Duration::from_secs(20);

type Ended = (u64, anyhow::Result<Played>);

/// What all plays came to.
#[derive(Default)]
struct Sum {
    plays: u64,
    callbacks: usize,
    calls: u64,
    connected: u64,
    deaths: u64,
    webhooks: u64,
    requests: u64,
    faults: u64,
    days: i64,
}

impl Simulate {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let began = Instant::now();
        let (sum, failed) = match self.seed {
            _ if self.campaign => self.play_campaign(),
            Some(seed) => collect(std::iter::once((seed, self.play(seed, self.trace)))),
            None => self.play_all()?,
        };
        if let Some((_, Ok(played))) = &failed
            && self.trace
        {
            print_trace(out, played)?;
        }
        write_sum(out, &sum, began.elapsed().as_secs_f64())?;
        let Some((seed, ended)) = failed else { return Ok(()) };
        let again = if self.campaign {
            let (consumers, days) = (self.consumers, self.days);
            let flags = self.flags();
            format!(
                "ringmaster simulate --campaign --seed {seed} --consumers {consumers} --days {days}{flags}"
            )
        } else {
            format!("ringmaster simulate --seed {seed} --trace{}", self.flags())
        };
        let played = ended.with_context(|| format!("seed {seed} cannot be played")).hint(again.clone())?;
        if played.wrongs.is_empty() {
            return Ok(());
        }
        if !self.trace && !self.campaign {
            let traced = self.play(seed, true)?;
            let end = traced.trace.len().saturating_sub(LINES_SHOWN);
            writeln!(out, "the last {} lines of the play:", traced.trace.len() - end)?;
            traced.trace[end..].iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
        for wrong in &played.wrongs {
            writeln!(out, "{wrong}")?;
        }
        Err(anyhow::anyhow!("seed {seed}: {} things went wrong", played.wrongs.len())).hint(again)
    }

    fn flags(&self) -> String {
        let flag = |set, name| if set { name } else { "" };
        format!("{}{}", flag(self.no_faults, " --no-faults"), flag(self.no_deaths, " --no-deaths"))
    }

    /// Plays on several threads, each on a runtime of its own, until one goes wrong.
    fn play_all(&self) -> anyhow::Result<(Sum, Option<Ended>)> {
        let next = AtomicU64::new(self.from);
        let end = self.from.saturating_add(self.seeds);
        let stop = AtomicBool::new(false);
        let (report, ended) = mpsc::channel();
        let mut ended = std::thread::scope(|scope| {
            for _ in 0..self.jobs.min(self.seeds) {
                let report = report.clone();
                scope.spawn(|| {
                    let report = report;
                    while !stop.load(Ordering::Relaxed) {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= end {
                            break;
                        }
                        let played = self.play(seed, false);
                        if !went_well(&played) {
                            stop.store(true, Ordering::Relaxed);
                        }
                        if report.send((seed, played)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(report);
            self.receive(&ended)
        });
        ended.sort_by_key(|(seed, _)| *seed);
        Ok(collect(ended.into_iter()))
    }

    /// Takes in the plays as they end, and tells on the standard error how far it is.
    fn receive(&self, ended: &mpsc::Receiver<Ended>) -> Vec<Ended> {
        let began = Instant::now();
        let mut told = began;
        let mut plays = Vec::new();
        while let Ok(play) = ended.recv() {
            plays.push(play);
            if told.elapsed() >= TOLD_EVERY {
                told = Instant::now();
                let seconds = began.elapsed().as_secs();
                _ = writeln!(anstream::stderr(), "{} of {} seeds after {seconds} s", plays.len(), self.seeds);
            }
        }
        plays
    }

    fn play(&self, seed: u64, traced: bool) -> anyhow::Result<Played> {
        let trouble = Trouble { faults: !self.no_faults, deaths: !self.no_deaths };
        runtime()?.block_on(play_with(seed, trouble, Arc::new(NoMutation), kept(traced)))
    }

    /// Each daemon has its share of the consumers, a world of its own, and a thread.
    fn play_campaign(&self) -> (Sum, Option<Ended>) {
        let first = self.seed.unwrap_or(1);
        let daemons = self.jobs.min(self.consumers);
        let play = |seed: u64| -> anyhow::Result<Played> {
            let mut campaign = Campaign {
                seed,
                consumers: self.consumers.div_ceil(daemons),
                days: self.days,
                ..Campaign::default()
            };
            if self.no_faults {
                campaign.faults = Faults::default();
            }
            runtime()?.block_on(campaign.play(Arc::new(NoMutation), kept(self.trace)))
        };
        let ended = std::thread::scope(|scope| {
            let plays: Vec<_> =
                (first..first + daemons).map(|seed| (seed, scope.spawn(move || play(seed)))).collect();
            let result = |play: std::thread::ScopedJoinHandle<'_, anyhow::Result<Played>>| {
                play.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the play panicked")))
            };
            plays.into_iter().map(|(seed, play)| (seed, result(play))).collect::<Vec<Ended>>()
        });
        collect(ended.into_iter())
    }
}

fn kept(traced: bool) -> Arc<Trace> {
    Arc::new(if traced { Trace::kept() } else { Trace::default() })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("the runtime cannot be started")
}

fn went_well(played: &anyhow::Result<Played>) -> bool {
    played.as_ref().is_ok_and(|played| played.wrongs.is_empty())
}

/// Adds up, and finds the first that is worth showing: one that went wrong, or one whose trace was kept.
fn collect(ended: impl Iterator<Item = Ended>) -> (Sum, Option<Ended>) {
    let mut sum = Sum::default();
    let mut shown = None;
    for (seed, played) in ended {
        sum.plays += 1;
        if let Ok(played) = &played {
            sum.callbacks += played.callbacks;
            sum.calls += played.counts.creates_accepted;
            sum.connected += played.counts.calls_connected;
            sum.webhooks += played.webhooks;
            sum.requests += played.counts.permission_requests;
            sum.deaths += u64::from(played.deaths);
            sum.faults += played.counts.faults;
            sum.days += played.lasted.as_hours() / 24;
        }
        let traced = played.as_ref().is_ok_and(|played| !played.trace.is_empty());
        if shown.is_none() && (traced || !went_well(&played)) {
            shown = Some((seed, played));
        }
    }
    (sum, shown)
}

fn print_trace(out: &mut dyn Write, played: &Played) -> std::io::Result<()> {
    for line in &played.trace {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
fn write_sum(out: &mut dyn Write, sum: &Sum, seconds: f64) -> std::io::Result<()> {
    let Sum { plays, callbacks, calls, connected, deaths, webhooks, requests, faults, days } = sum;
    let rate = *plays as f64 / seconds.max(0.001);
    writeln!(
        out,
        "{plays} seeds in {seconds:.1} s ({rate:.1} a second), {days} days played\n\
         {callbacks} callbacks, {requests} permission requests, {calls} calls, {connected} answered, \
         {webhooks} webhooks, {faults} faults, {deaths} deaths"
    )
}
