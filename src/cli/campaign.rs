//! `campaign`: create, launch, pause and end campaigns.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::forecast::Forecast;
use super::remote::{Ask, Body, Target};
use super::table::{Rows, name, plain, second, standing};
use super::values::moment;
use crate::domain::CampaignId;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a campaign, as a draft
    ///
    /// Callbacks belong to it if their order names its id: enqueue --campaign cmp_... Nothing is sent for them before it is
    /// launched.
    #[command(after_long_help = "Example:\n  ringmaster campaign create renewals \
                                 --defaults '{\"document\":\"message\",\"priority\":3}' --calls-max 20")]
    Create(Create),
    /// List the campaigns, newest first
    #[command(after_long_help = "Example:\n  ringmaster campaign list")]
    List(List),
    /// Show a campaign, its progress and who changed it
    #[command(after_long_help = "Example:\n  ringmaster campaign show cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Show(One),
    /// Forecast how a campaign may go on: when it ends, its calls by day, and what it waits for
    #[command(
        after_long_help = "Example:\n  ringmaster campaign forecast cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"
    )]
    Forecast(Forecast),
    /// Change the name, the ceiling, the pace, the weight or the breaker of a campaign
    #[command(
        after_long_help = "Example:\n  ringmaster campaign change cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --calls-max 5"
    )]
    Change(Change),
    /// Declare a draft complete: it takes no more orders until it is launched
    #[command(after_long_help = "Example:\n  ringmaster campaign ready cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Ready(Act),
    /// Launch a campaign
    #[command(
        after_long_help = "Example:\n  ringmaster campaign launch cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --note approved"
    )]
    Launch(Act),
    /// Pause a campaign: no call, permission request or invite leaves for it
    #[command(
        after_long_help = "Example:\n  ringmaster campaign pause cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --why lunch --until +1h"
    )]
    Pause(Pause),
    /// End the pauses of a campaign
    #[command(
        after_long_help = "Example:\n  ringmaster campaign resume cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"
    )]
    Resume(Act),
    /// Make a new draft of those whom a campaign did not reach
    ///
    /// Consumers who declined, were reached, or are on a suppression list are not taken over. The draft can be launched when
    /// all callbacks are made: campaign show tells how far it is.
    #[command(
        after_long_help = "Example:\n  ringmaster campaign follow-up cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --latest +3d"
    )]
    FollowUp(FollowUp),
    /// Let a campaign end: it takes no more orders, and finishes what it has
    #[command(after_long_help = "Example:\n  ringmaster campaign drain cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Drain(Act),
    /// Cancel a campaign: its open callbacks are closed
    #[command(
        after_long_help = "Example:\n  ringmaster campaign cancel cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --note wrong-list"
    )]
    Cancel(Act),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// A name for people
    #[arg(value_name = "NAME")]
    name: String,
    /// Fields that its orders get if they leave them out, as a JSON object
    #[arg(long, value_name = "JSON", value_parser = object)]
    defaults: Option<Value>,
    /// The most calls of it that may be in progress at once
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    calls_max: Option<u32>,
    /// How many of its calls may begin in a minute
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=6_000))]
    calls_per_minute: Option<u32>,
    /// How many turns it has among campaigns whose callbacks have equal priority; without it 10
    #[arg(long, value_name = "TURNS", value_parser = clap::value_parser!(u32).range(1..=100))]
    weight: Option<u32>,
    /// When it is paused without an operator, as a JSON object; what it leaves out has the default
    #[arg(long, value_name = "JSON", value_parser = object)]
    breaker: Option<Value>,
    #[command(flatten)]
    record: ForTheRecord,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// At most so many, 1 to 500
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct Change {
    #[command(flatten)]
    which: Which,
    /// The new name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The most calls of it that may be in progress at once
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    calls_max: Option<u32>,
    /// Remove the limit of calls in progress
    #[arg(long, conflicts_with = "calls_max")]
    no_calls_max: bool,
    /// How many of its calls may begin in a minute
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=6_000))]
    calls_per_minute: Option<u32>,
    /// Remove the limit of calls in a minute
    #[arg(long, conflicts_with = "calls_per_minute")]
    no_calls_per_minute: bool,
    /// How many turns it has among campaigns whose callbacks have equal priority
    #[arg(long, value_name = "TURNS", value_parser = clap::value_parser!(u32).range(1..=100))]
    weight: Option<u32>,
    /// When it is paused without an operator, as a JSON object; what it leaves out stays
    #[arg(long, value_name = "JSON", value_parser = object)]
    breaker: Option<Value>,
    #[command(flatten)]
    record: ForTheRecord,
}

#[derive(Debug, Args)]
pub(super) struct Act {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    record: ForTheRecord,
}

#[derive(Debug, Args)]
pub(super) struct Pause {
    #[command(flatten)]
    which: Which,
    /// Why, for the record; it is shown wherever a callback waits for the pause
    #[arg(long)]
    why: String,
    /// When it ends by itself: with an offset, or from now, such as +2h; without it somebody has to resume
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    until: Option<Timestamp>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct FollowUp {
    #[command(flatten)]
    which: Which,
    /// The deadline of the new callbacks: with an offset, or from now, such as +3d
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    latest: Timestamp,
    /// The earliest time of the new callbacks
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    earliest: Option<Timestamp>,
    /// Which callbacks are taken over, by their outcome; may be repeated [default: exhausted and expired]
    #[arg(long, value_parser = ["exhausted", "expired", "failed", "canceled"])]
    outcome: Vec<String>,
    /// A name for people; without it that of the first campaign
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    record: ForTheRecord,
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// The campaign by its id (cmp_ and 32 digits)
    #[arg(id = "campaign_id", value_name = "CAMPAIGN", value_parser = id)]
    campaign: CampaignId,
}

/// What a change says beside what it changes.
#[derive(Debug, Args)]
struct ForTheRecord {
    /// For the record, such as who agreed
    #[arg(long)]
    note: Option<String>,
    /// Makes it safe to run the command again after a lost answer
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
struct Flags {
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

fn id(text: &str) -> Result<CampaignId, &'static str> {
    text.parse()
        .map_err(|_| "expected cmp_ and 32 hexadecimal digits; \"ringmaster campaign list\" shows them")
}

fn object(text: &str) -> Result<Value, &'static str> {
    serde_json::from_str(text).ok().filter(Value::is_object).ok_or("expected a JSON object")
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Create(create) => {
            let mut body = json!({"name": create.name});
            if let Some(defaults) = &create.defaults {
                body["defaults"] = defaults.clone();
            }
            if let Some(max) = create.calls_max {
                body["concurrent_calls_max"] = max.into();
            }
            if let Some(pace) = create.calls_per_minute {
                body["calls_per_minute"] = pace.into();
            }
            if let Some(weight) = create.weight {
                body["weight"] = weight.into();
            }
            if let Some(breaker) = &create.breaker {
                body["breaker"] = breaker.clone();
            }
            create.record.send("v1/campaigns".to_owned(), body, out)
        }
        Command::List(list) => list.run(out),
        Command::Show(one) => {
            let path = format!("v1/campaigns/{}", one.which.campaign);
            print_answer(&one.flags.daemon.ask_json(&Ask::get(path))?, &one.flags, out)
        }
        Command::Forecast(forecast) => forecast.run(out),
        Command::Change(change) => {
            let mut body = json!({});
            if let Some(name) = &change.name {
                body["name"] = name.as_str().into();
            }
            match change.calls_max {
                Some(max) => body["concurrent_calls_max"] = max.into(),
                None if change.no_calls_max => body["concurrent_calls_max"] = Value::Null,
                None => {}
            }
            match change.calls_per_minute {
                Some(pace) => body["calls_per_minute"] = pace.into(),
                None if change.no_calls_per_minute => body["calls_per_minute"] = Value::Null,
                None => {}
            }
            if let Some(weight) = change.weight {
                body["weight"] = weight.into();
            }
            if let Some(breaker) = &change.breaker {
                body["breaker"] = breaker.clone();
            }
            change.record.send(change.which.path("change"), body, out)
        }
        Command::FollowUp(follow_up) => follow_up.run(out),
        Command::Ready(act) => act.run("ready", out),
        Command::Launch(act) => act.run("launch", out),
        Command::Resume(act) => act.run("resume", out),
        Command::Drain(act) => act.run("drain", out),
        Command::Cancel(act) => act.run("cancel", out),
        Command::Pause(pause) => {
            let mut body = json!({"why": pause.why});
            if let Some(until) = pause.until {
                body["until"] = until.to_string().into();
            }
            let ask = Ask::post(pause.which.path("pause"), Body::Json(body));
            print_answer(&pause.flags.daemon.command(ask)?, &pause.flags, out)
        }
    }
}

impl Which {
    pub(super) fn path(&self, act: &str) -> String {
        format!("v1/campaigns/{}/{act}", self.campaign)
    }
}

impl FollowUp {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut body = json!({"latest": self.latest.to_string()});
        if let Some(earliest) = self.earliest {
            body["earliest"] = earliest.to_string().into();
        }
        if !self.outcome.is_empty() {
            body["outcomes"] = self.outcome.clone().into();
        }
        if let Some(name) = &self.name {
            body["name"] = name.as_str().into();
        }
        self.record.send(self.which.path("follow-up"), body, out)
    }
}

impl Act {
    fn run(&self, act: &str, out: &mut dyn Write) -> anyhow::Result<()> {
        self.record.send(self.which.path(act), json!({}), out)
    }
}

impl ForTheRecord {
    fn send(&self, path: String, mut body: Value, out: &mut dyn Write) -> anyhow::Result<()> {
        if let Some(note) = &self.note {
            body["note"] = note.as_str().into();
        }
        let mut ask = Ask::post(path, Body::Json(body));
        if let Some(key) = &self.idempotency_key {
            ask = ask.with_key(key);
        }
        print_answer(&self.flags.daemon.command(ask)?, &self.flags, out)
    }
}

/// A campaign in an answer of the daemon.
#[derive(Deserialize)]
struct Campaign {
    id: String,
    name: String,
    state: String,
    concurrent_calls_max: Option<u32>,
    calls_per_minute: Option<u32>,
    weight: Option<u32>,
    breaker: Option<Breaker>,
    created_at: Timestamp,
    created_by: String,
    ended_at: Option<Timestamp>,
    pause: Option<super::pause::Row>,
    follow_up: Option<Following>,
    callbacks: Option<u64>,
    open: Option<u64>,
    #[serde(default)]
    by_state: BTreeMap<String, u64>,
    #[serde(default)]
    history: Vec<Recorded>,
    holds: Option<super::pause::Holds>,
}

#[derive(Deserialize)]
struct Breaker {
    abandoned_percent_max: Option<u8>,
    abandoned_of_min: u32,
    failed_percent_max: Option<u8>,
    failed_of_min: u32,
    failed_window_minutes: u32,
    on_quality_warning: bool,
}

impl Breaker {
    /// What pauses the campaign.
    fn causes(&self) -> String {
        let abandoned = self.abandoned_percent_max.map(|max| {
            format!("over {max} % of {} or more answered calls of 24 h abandoned", self.abandoned_of_min)
        });
        let failed = self.failed_percent_max.map(|max| {
            let (least, minutes) = (self.failed_of_min, self.failed_window_minutes);
            format!("over {max} % of {least} or more calls in {minutes} min failed")
        });
        let quality = self.on_quality_warning.then(|| "a quality warning".to_owned());
        let all: Vec<String> = [abandoned, failed, quality].into_iter().flatten().collect();
        if all.is_empty() { "nothing".to_owned() } else { all.join("; ") }
    }
}

/// Whose callbacks a campaign takes over.
#[derive(Deserialize)]
struct Following {
    of: String,
    made: u64,
    left_out: u64,
    whole: bool,
}

#[derive(Deserialize)]
struct Recorded {
    at: Timestamp,
    act: String,
    by: String,
    note: Option<String>,
    #[serde(default)]
    changes: Vec<Changed>,
}

#[derive(Deserialize)]
struct Changed {
    field: String,
    before: Option<String>,
    after: Option<String>,
}

impl Recorded {
    /// What it changed, and the note.
    fn told(&self) -> String {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        let of = |it: &Changed| format!("{} {} -> {}", it.field, value(&it.before), value(&it.after));
        let all: Vec<String> = self.changes.iter().map(of).chain(self.note.clone()).collect();
        all.join("; ")
    }
}

#[derive(Deserialize)]
struct Page {
    campaigns: Vec<Campaign>,
    next: Option<String>,
}

impl List {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut ask = Ask::get("v1/campaigns");
        ask.query.push(("limit", self.limit.to_string()));
        let answer = self.flags.daemon.ask_json(&ask)?;
        if self.flags.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        print_page(&serde_json::from_value(answer)?, out)
    }
}

fn print_page(page: &Page, out: &mut dyn Write) -> anyhow::Result<()> {
    if page.campaigns.is_empty() {
        return Ok(writeln!(out, "there are no campaigns")?);
    }
    let mut rows = Rows::new(&["id", "state", "calls at once", "created", "by", "name"]);
    for campaign in &page.campaigns {
        rows.push([
            name(&campaign.id),
            standing(&campaign.state),
            plain(campaign.concurrent_calls_max.map_or_else(|| "-".to_owned(), |max| max.to_string())),
            plain(second(campaign.created_at)),
            plain(&campaign.created_by),
            plain(&campaign.name),
        ]);
    }
    rows.write(out)?;
    if page.next.is_some() {
        writeln!(out, "there are more; --limit shows up to 500")?;
    }
    Ok(())
}

fn print_answer(answer: &Value, flags: &Flags, out: &mut dyn Write) -> anyhow::Result<()> {
    if flags.json {
        return Ok(writeln!(out, "{answer:#}")?);
    }
    let campaign = Campaign::deserialize(answer).context("the daemon's answer is not a campaign")?;
    print(&campaign, out)
}

/// Prints a campaign with its progress, as the daemon answered it.
pub(super) fn print_progress(answer: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let campaign = Campaign::deserialize(answer).context("the daemon's answer is not a campaign")?;
    print(&campaign, out)
}

fn print(campaign: &Campaign, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut rows = Rows::new(&[]);
    rows.push([name("campaign"), plain(&campaign.name)]);
    rows.push([name("id"), plain(&campaign.id)]);
    rows.push([name("state"), standing(&campaign.state)]);
    if let Some(pause) = &campaign.pause {
        rows.push([name("paused"), plain(format!("until {}: {}", pause.end(), pause.cause()))]);
    }
    if let Some(holds) = &campaign.holds {
        let has_end = campaign.pause.as_ref().is_some_and(|pause| pause.until.is_some());
        holds.show(has_end, &mut rows);
    }
    if let Some(max) = campaign.concurrent_calls_max {
        rows.push([name("calls at once"), plain(format!("at most {max}"))]);
    }
    if let Some(weight) = campaign.weight.filter(|weight| *weight != crate::domain::Campaign::WEIGHT) {
        rows.push([name("weight"), plain(weight.to_string())]);
    }
    if let Some(pace) = campaign.calls_per_minute {
        rows.push([name("calls a minute"), plain(format!("at most {pace}"))]);
    }
    if let Some(Following { of, made, left_out, whole }) = &campaign.follow_up {
        let more = if *whole { "" } else { ", and more to come" };
        rows.push([name("follows"), plain(format!("{of}: {made} taken over, {left_out} left out{more}"))]);
    }
    if let Some(breaker) = &campaign.breaker {
        rows.push([name("pauses itself"), plain(breaker.causes())]);
    }
    if let (Some(all), Some(open)) = (campaign.callbacks, campaign.open) {
        rows.push([name("callbacks"), plain(format!("{all}, of which {open} are open"))]);
    }
    for (state, count) in &campaign.by_state {
        rows.push([name("  ".to_owned() + state), plain(count.to_string())]);
    }
    rows.push([
        name("created"),
        plain(format!("{} by {}", second(campaign.created_at), campaign.created_by)),
    ]);
    if let Some(ended_at) = campaign.ended_at {
        rows.push([name("ended"), plain(second(ended_at))]);
    }
    rows.write(out)?;
    if campaign.history.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let mut rows = Rows::new(&["at", "change", "by", "what changed, and the note"]);
    for act in &campaign.history {
        rows.push([plain(second(act.at)), name(&act.act), plain(&act.by), plain(act.told())]);
    }
    Ok(rows.write(out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(print: impl FnOnce(&mut Vec<u8>) -> anyhow::Result<()>) -> String {
        let mut out = Vec::new();
        print(&mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    fn spring() -> Value {
        json!({
            "id": "cmp_1", "name": "Spring renewals", "state": "paused", "defaults": {},
            "concurrent_calls_max": 20, "created_at": "2026-11-23T08:00:00Z", "created_by": "crm",
            "pause": {"id": "ps_1", "scope": "campaign", "campaign": "cmp_1", "by": "ops", "why": "lunch",
                "since": "2026-11-23T12:00:00Z", "until": "2026-11-23T13:00:00Z"},
        })
    }

    #[test]
    fn a_campaign_shows_its_progress_and_its_history() {
        let mut campaign = spring();
        campaign["callbacks"] = 3.into();
        campaign["open"] = 2.into();
        campaign["by_state"] = json!({"connected": 1, "waiting": 2});
        campaign["history"] = json!([
            {"at": "2026-11-23T12:00:00Z", "act": "pause", "by": "ops", "note": "lunch"},
            {"at": "2026-11-23T09:00:00Z", "act": "change", "by": "ops", "note": "slower", "changes": [
                {"field": "concurrent_calls_max", "before": null, "after": "20"}, {"field": "weight", "before": "10", "after": "5"}]},
            {"at": "2026-11-23T08:00:00Z", "act": "create", "by": "crm"},
        ]);
        let campaign = serde_json::from_value(campaign).unwrap();
        insta::assert_snapshot!(shown(|out| print(&campaign, out)), @r"
        campaign       Spring renewals
        id             cmp_1
        state          paused
        paused         until 2026-11-23T13:00:00Z: lunch (ops)
        calls at once  at most 20
        callbacks      3, of which 2 are open
          connected    1
          waiting      2
        created        2026-11-23T08:00:00Z by crm

        at                    change  by   what changed, and the note
        2026-11-23T12:00:00Z  pause   ops  lunch
        2026-11-23T09:00:00Z  change  ops  concurrent_calls_max none -> 20; weight 10 -> 5; slower
        2026-11-23T08:00:00Z  create  crm
        ");
    }

    #[test]
    fn a_list_shows_the_state_of_each() {
        let page = serde_json::from_value(json!({"campaigns": [spring()]})).unwrap();
        insta::assert_snapshot!(shown(|out| print_page(&page, out)), @r"
        id     state   calls at once  created               by   name
        cmp_1  paused  20             2026-11-23T08:00:00Z  crm  Spring renewals
        ");
        let nothing = serde_json::from_value(json!({"campaigns": []})).unwrap();
        assert_eq!(shown(|out| print_page(&nothing, out)), "there are no campaigns\n");
    }

    #[test]
    fn defaults_are_an_object() {
        assert!(object("{\"priority\": 3}").is_ok());
        assert!(object("[]").is_err() && object("{").is_err());
        assert!(id("spring").is_err());
    }
}
