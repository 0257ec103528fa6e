//! `simulate`: runs a daemon against a simulated world for each seed, until one run has a problem.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;

use super::failure::Hint as _;
use super::scratch::Scratch;
use crate::sim::world::Faults;
use crate::simulation::{
    Campaign, NoMutation, RunReport, Trace, Trouble, run_ladder_seed, run_nodes_seed_with, run_roads_seed,
    run_seed_with,
};

#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// The number of seeds
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first seed; the others follow it
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    from: u64,
    /// Run only this seed
    #[arg(long, value_name = "SEED", conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Print the whole trace of the run
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Without faults of the platform
    #[arg(long)]
    no_faults: bool,
    /// Without killing the daemon
    #[arg(long)]
    no_deaths: bool,
    /// Run the ladder of invites instead: roads of WhatsApp's Cloud API and of a page of Messenger, in the simulated
    /// world; one seed of four on small platforms without webhooks
    #[arg(long, conflicts_with = "campaign")]
    ladder: bool,
    /// Run so many nodes on one store instead: one of them dials; they are killed, paused and asked to resign at random
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["ladder", "campaign", "no_faults", "no_deaths"],
          value_parser = clap::value_parser!(u8).range(2..=4))]
    nodes: Option<u8>,
    /// Run one campaign instead: many consumers over many days, shared by as many daemons as --jobs
    #[arg(long, conflicts_with_all = ["seeds", "no_deaths"])]
    campaign: bool,
    /// Consumers of the campaign
    #[arg(long, value_name = "COUNT", requires = "campaign", default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    consumers: u64,
    /// Days of the campaign
    #[arg(long, value_name = "COUNT", requires = "campaign", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=365))]
    days: u32,
    /// The number of seeds run at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=256))]
    jobs: u64,
}

/// Trace lines shown for a run with problems, if `--trace` was not given.
const LINES_SHOWN: usize = 40;

/// Progress interval of a long run.
const TOLD_EVERY: Duration = Duration::from_secs(20);

type Ended = (u64, anyhow::Result<RunReport>);

/// Totals of all runs.
#[derive(Default)]
struct Sum {
    seeds: u64,
    callbacks: usize,
    calls: u64,
    connected: u64,
    deaths: u64,
    webhooks: u64,
    requests: u64,
    invites: u64,
    faults: u64,
    days: i64,
}

impl Simulate {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let began = Instant::now();
        let (sum, failed) = match self.seed {
            _ if self.campaign => self.run_campaign(),
            Some(seed) => collect(std::iter::once((seed, self.run_seed(seed, self.trace)))),
            None => self.run_all()?,
        };
        if let Some((_, Ok(report))) = &failed
            && self.trace
        {
            print_trace(out, report)?;
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
        let report = ended.with_context(|| format!("seed {seed} cannot be simulated")).hint(again.clone())?;
        if report.problems.is_empty() {
            return Ok(());
        }
        if !self.trace && !self.campaign {
            let traced = self.run_seed(seed, true)?;
            let end = traced.trace.len().saturating_sub(LINES_SHOWN);
            writeln!(out, "the last {} lines of the trace:", traced.trace.len() - end)?;
            traced.trace[end..].iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
        for problem in &report.problems {
            writeln!(out, "{problem}")?;
        }
        Err(anyhow::anyhow!("seed {seed}: {} problems", report.problems.len())).hint(again)
    }

    fn flags(&self) -> String {
        let flag = |set, name| if set { name } else { "" };
        let (no_faults, no_deaths) =
            (flag(self.no_faults, " --no-faults"), flag(self.no_deaths, " --no-deaths"));
        let nodes = self.nodes.map_or_else(String::new, |nodes| format!(" --nodes {nodes}"));
        format!("{}{no_faults}{no_deaths}{nodes}", flag(self.ladder, " --ladder"))
    }

    /// Runs seeds on several threads, each with its own runtime, until one run has a problem.
    fn run_all(&self) -> anyhow::Result<(Sum, Option<Ended>)> {
        let next = AtomicU64::new(self.from);
        let end = self.from.saturating_add(self.seeds);
        let stop = AtomicBool::new(false);
        let (sender, ended) = mpsc::channel();
        let mut ended = std::thread::scope(|scope| {
            for _ in 0..self.jobs.min(self.seeds) {
                let ended = sender.clone();
                scope.spawn(|| {
                    let ended = ended;
                    while !stop.load(Ordering::Relaxed) {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= end {
                            break;
                        }
                        let report = self.run_seed(seed, false);
                        if !went_well(&report) {
                            stop.store(true, Ordering::Relaxed);
                        }
                        if ended.send((seed, report)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            self.receive(&ended)
        });
        ended.sort_by_key(|(seed, _)| *seed);
        Ok(collect(ended.into_iter()))
    }

    /// Collects finished runs, and writes the progress to standard error.
    fn receive(&self, ended: &mpsc::Receiver<Ended>) -> Vec<Ended> {
        let began = Instant::now();
        let mut told = began;
        let mut runs = Vec::new();
        while let Ok(run) = ended.recv() {
            runs.push(run);
            if told.elapsed() >= TOLD_EVERY {
                told = Instant::now();
                let seconds = began.elapsed().as_secs();
                _ = writeln!(anstream::stderr(), "{} of {} seeds after {seconds} s", runs.len(), self.seeds);
            }
        }
        runs
    }

    fn run_seed(&self, seed: u64, traced: bool) -> anyhow::Result<RunReport> {
        let trouble = Trouble { faults: !self.no_faults, deaths: !self.no_deaths };
        let (mutation, trace) = (Arc::new(NoMutation), kept(traced));
        let runtime = runtime()?;
        if let Some(nodes) = self.nodes {
            return runtime.block_on(run_nodes_seed_with(seed, nodes.into(), mutation, trace));
        }
        match (self.ladder, seed % 4) {
            (true, 3) => runtime.block_on(run_ladder_seed(seed, trouble, mutation, trace)),
            (true, _) => {
                let scratch = Scratch::new()?;
                runtime.block_on(run_roads_seed(seed, trouble, mutation, trace, scratch.path()))
            }
            (false, _) => runtime.block_on(run_seed_with(seed, trouble, mutation, trace)),
        }
    }

    /// Each daemon has a share of the consumers, its own world and its own thread.
    fn run_campaign(&self) -> (Sum, Option<Ended>) {
        let first = self.seed.unwrap_or(1);
        let daemons = self.jobs.min(self.consumers);
        let run = |seed: u64| -> anyhow::Result<RunReport> {
            let mut campaign = Campaign {
                seed,
                consumers: self.consumers.div_ceil(daemons),
                days: self.days,
                ..Campaign::default()
            };
            if self.no_faults {
                campaign.faults = Faults::default();
            }
            runtime()?.block_on(campaign.run(Arc::new(NoMutation), kept(self.trace)))
        };
        let ended = std::thread::scope(|scope| {
            let runs: Vec<_> =
                (first..first + daemons).map(|seed| (seed, scope.spawn(move || run(seed)))).collect();
            let result = |run: std::thread::ScopedJoinHandle<'_, anyhow::Result<RunReport>>| {
                run.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the run panicked")))
            };
            runs.into_iter().map(|(seed, run)| (seed, result(run))).collect::<Vec<Ended>>()
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

fn went_well(report: &anyhow::Result<RunReport>) -> bool {
    report.as_ref().is_ok_and(|report| report.problems.is_empty())
}

/// Adds up the runs. Also returns the first one to show: one with problems, or one with a trace.
fn collect(ended: impl Iterator<Item = Ended>) -> (Sum, Option<Ended>) {
    let mut sum = Sum::default();
    let mut shown = None;
    for (seed, report) in ended {
        sum.seeds += 1;
        if let Ok(report) = &report {
            sum.callbacks += report.callbacks;
            sum.calls += report.counts.creates_accepted;
            sum.connected += report.counts.calls_connected;
            sum.webhooks += report.webhooks;
            sum.requests += report.counts.permission_requests;
            sum.invites += report.counts.invites;
            sum.deaths += u64::from(report.deaths);
            sum.faults += report.counts.faults;
            sum.days += report.lasted.as_hours() / 24;
        }
        let traced = report.as_ref().is_ok_and(|report| !report.trace.is_empty());
        if shown.is_none() && (traced || !went_well(&report)) {
            shown = Some((seed, report));
        }
    }
    (sum, shown)
}

fn print_trace(out: &mut dyn Write, report: &RunReport) -> std::io::Result<()> {
    for line in &report.trace {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
fn write_sum(out: &mut dyn Write, sum: &Sum, seconds: f64) -> std::io::Result<()> {
    let Sum { seeds, callbacks, calls, connected, deaths, webhooks, requests, invites, faults, days } = sum;
    let rate = *seeds as f64 / seconds.max(0.001);
    writeln!(
        out,
        "{seeds} seeds in {seconds:.1} s ({rate:.1} a second), {days} days simulated\n\
         {callbacks} callbacks, {requests} permission requests, {invites} invites, {calls} calls, {connected} answered, \
         {webhooks} webhooks, {faults} faults, {deaths} deaths"
    )
}
