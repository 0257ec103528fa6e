//! `status`: the callbacks of a running daemon by state and outcome, and what keeps it from dialling.

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::remote::{Ask, Target};
use super::table::{Rows, name, plain, second};

#[derive(Debug, Args)]
pub(super) struct Status {
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct View {
    node: Node,
    callbacks: Census,
    /// Those of a daemon that has invites.
    invites: Invites,
    unfolded_reports: u64,
    unmatched_reports: u64,
    set_aside: u64,
    dialling_stopped_since: Option<Timestamp>,
    deposed_since: Option<Timestamp>,
    clock_in_doubt: Option<Value>,
    lineage_held_since: Option<Timestamp>,
    pauses: Vec<Pause>,
    suppression_lists_past_term: Vec<String>,
    accounts: Vec<Account>,
    holiday_data: HolidayData,
    daily_reports: DailyReports,
}

/// The node that answers; without a name of a daemon that knows no nodes.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Node {
    name: String,
    role: String,
    leader: Option<String>,
    groups: Vec<String>,
}

/// The daily files of reports.
#[derive(Default, Deserialize)]
#[serde(default)]
struct DailyReports {
    failed_since: Option<Timestamp>,
    why: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct HolidayData {
    last_day: String,
    ends_soon: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Census {
    waiting: u64,
    /// Zero of a daemon that has no campaigns.
    unlaunched: u64,
    calling: u64,
    /// `None` of a daemon that does not count them.
    abandoned: Option<u64>,
    #[serde(default)]
    wrap_up_missing: u64,
    closed: BTreeMap<String, u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Invites {
    waiting: u64,
    unlaunched: u64,
    closed: BTreeMap<String, u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Account {
    name: String,
    paused_until: Option<Timestamp>,
    why: Option<String>,
}

/// A pause that an operator set.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Pause {
    scope: String,
    account: Option<String>,
    sender: Option<String>,
    consumer: Option<String>,
    content: Option<String>,
    by: String,
    why: String,
    until: Option<Timestamp>,
}

impl Pause {
    fn told(&self) -> String {
        let whom = [&self.content, &self.account, &self.sender, &self.consumer].into_iter().flatten().next();
        let whom = whom.map_or_else(String::new, |whom| format!(" {whom}"));
        let until = self
            .until
            .map_or_else(|| "until somebody resumes".to_owned(), |at| format!("until {}", second(at)));
        format!("{}{whom}, by {}, {until}: {}", self.scope, self.by, self.why)
    }
}

impl Status {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let answer = self.daemon.ask_json(&Ask::get("v1/status"))?;
        if self.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        print(&serde_json::from_value(answer)?, out)
    }
}

fn print(view: &View, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut rows = Rows::new(&[]);
    let mut say = |what: &str, told: String| rows.push([name(what), plain(told)]);
    say("waiting", view.callbacks.waiting.to_string());
    if view.callbacks.unlaunched > 0 {
        say("not launched", view.callbacks.unlaunched.to_string());
    }
    say("calling", view.callbacks.calling.to_string());
    if view.callbacks.wrap_up_missing > 0 {
        say("no wrap-up", view.callbacks.wrap_up_missing.to_string());
    }
    if let Some(abandoned) = view.callbacks.abandoned {
        say("abandoned", format!("{abandoned}{}", if abandoned > 0 { " of these" } else { "" }));
    }
    for (outcome, count) in &view.callbacks.closed {
        say(outcome, count.to_string());
    }
    let invites = &view.invites;
    let done = invites.closed.iter().filter(|(_, count)| **count > 0);
    let done: Vec<String> = done.map(|(outcome, count)| format!("{count} {outcome}")).collect();
    if invites.waiting > 0 || invites.unlaunched > 0 || !done.is_empty() {
        let unlaunched = (invites.unlaunched > 0).then(|| format!("{} not launched", invites.unlaunched));
        let parts = std::iter::once(format!("{} waiting", invites.waiting)).chain(unlaunched).chain(done);
        say("invites", parts.collect::<Vec<_>>().join(", "));
    }
    say("unfolded reports", view.unfolded_reports.to_string());
    say("unmatched reports", view.unmatched_reports.to_string());
    say("set aside", view.set_aside.to_string());
    if !view.suppression_lists_past_term.is_empty() {
        let lists = view.suppression_lists_past_term.join(", ");
        say("past their term", format!("{lists}; import a newer version"));
    }
    if let Some(since) = view.daily_reports.failed_since {
        let why = view.daily_reports.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        say("daily reports", format!("fail since {}{why}", second(since)));
    }
    if let Some(since) = view.dialling_stopped_since {
        say("dialling", format!("stopped since {}; a restart resumes", second(since)));
    }
    if let Some(since) = view.deposed_since {
        say("deposed", format!("since {}: another daemon has opened the store", second(since)));
    }
    let node = &view.node;
    if matches!(node.role.as_str(), "leader" | "follower") {
        let leader = node.leader.as_deref().unwrap_or("nobody");
        say("node", format!("{} ({}); dialled by {leader}", node.name, node.role));
    }
    if node.groups.len() > 1 {
        say("groups", node.groups.join(", "));
    }
    for pause in &view.pauses {
        say("paused", pause.told());
    }
    if view.clock_in_doubt.is_some() {
        say("clock", "in doubt; ringmaster clock confirm".to_owned());
    }
    if let Some(since) = view.lineage_held_since {
        say("lineage", format!("held since {}; ringmaster lineage show", second(since)));
    }
    if view.holiday_data.ends_soon {
        let last = &view.holiday_data.last_day;
        say("holidays", format!("none is known after {last}; a newer program has later years"));
    }
    for account in &view.accounts {
        let why = account.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        if let Some(until) = account.paused_until {
            say("account", format!("{} paused until {}{why}", account.name, second(until)));
        } else if account.why.is_some() {
            say("account", format!("{} paused until the platform ends it{why}", account.name));
        }
    }
    Ok(rows.write(out)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(view: Value) -> String {
        let mut out = Vec::new();
        print(&serde_json::from_value(view).unwrap(), &mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn a_status_shows_the_counts_and_what_keeps_from_dialling() {
        let text = printed(json!({
            "callbacks": {"waiting": 7, "calling": 2, "abandoned": 1, "closed": {"reached": 40, "failed": 0}},
            "unfolded_reports": 3,
            "dialling_stopped_since": "2026-11-23T12:00:00.5Z",
            "daily_reports": {"written": "2026-11-19", "failed_since": "2026-11-23T09:00:00Z",
                "why": "the directory cannot be read"},
            "deposed_since": "2026-11-23T12:00:01Z",
            "clock_in_doubt": {"jumped_by_s": 600},
            "holiday_data": {"last_day": "2027-01-01", "ends_soon": true},
            "pauses": [{"scope": "all", "by": "ops", "why": "a drill"},
                {"scope": "sender", "sender": "+442079460000", "by": "ops", "why": "low quality",
                    "until": "2026-11-23T13:00:00Z"}],
            "accounts": [{"name": "main"},
                {"name": "other", "paused_until": "2026-11-23T12:01:00.2Z", "why": "the call rate is used up"},
                {"name": "cloud", "why": "Meta restricts the account: DISABLE"}],
        }));
        insta::assert_snapshot!(text, @r"
        waiting            7
        calling            2
        abandoned          1 of these
        failed             0
        reached            40
        unfolded reports   3
        unmatched reports  0
        set aside          0
        daily reports      fail since 2026-11-23T09:00:00Z: the directory cannot be read
        dialling           stopped since 2026-11-23T12:00:00Z; a restart resumes
        deposed            since 2026-11-23T12:00:01Z: another daemon has opened the store
        paused             all, by ops, until somebody resumes: a drill
        paused             sender +442079460000, by ops, until 2026-11-23T13:00:00Z: low quality
        clock              in doubt; ringmaster clock confirm
        holidays           none is known after 2027-01-01; a newer program has later years
        account            other paused until 2026-11-23T12:01:00Z: the call rate is used up
        account            cloud paused until the platform ends it: Meta restricts the account: DISABLE
        ");
    }

    #[test]
    fn what_a_daemon_does_not_count_is_left_out() {
        let text = printed(json!({"callbacks": {"waiting": 1}}));
        assert!(text.contains("waiting") && !text.contains("abandoned"), "{text}");
    }
}
