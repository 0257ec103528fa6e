//! `pause`, `resume`, `pauses`: stop calls, permission requests and invites for a while.

use std::fmt::Debug;
use std::io::Write;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::failure::refusal;
use super::remote::{Ask, Body, Target};
use super::table::{Rows, name, plain, second, standing};
use super::values::{moment, phone};
use crate::content::canonical::{name_in, version_in};
use crate::domain::{PauseId, Phone};

#[derive(Debug, Subcommand)]
pub(super) enum Pause {
    /// Pause everything
    #[command(after_long_help = "Example:\n  ringmaster pause all --why agents-in-a-meeting --until +1h")]
    All(All<Stop>),
    /// Pause all senders of an account
    #[command(after_long_help = "Example:\n  ringmaster pause account main --why open-bill")]
    Account(Account<Stop>),
    /// Pause a sender
    #[command(
        after_long_help = "Example:\n  ringmaster pause sender +551151991234 --why low-quality --until +1d"
    )]
    Sender(Number<Stop>),
    /// Pause calls and messages to a consumer, under every number of the person
    #[command(after_long_help = "Example:\n  ringmaster pause person +5511987654321 --why open-complaint")]
    Person(Number<Stop>),
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Resume {
    /// One pause by its id (ps_ and 32 digits)
    #[arg(value_name = "PAUSE", value_parser = id, required = true)]
    id: Option<PauseId>,
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    scope: Option<Scope>,
}

#[derive(Debug, Subcommand)]
enum Scope {
    /// Lift the pauses of everything
    #[command(after_long_help = "Example:\n  ringmaster resume all")]
    All(All<Flags>),
    /// Lift the pauses of an account
    #[command(after_long_help = "Example:\n  ringmaster resume account main")]
    Account(Account<Flags>),
    /// Lift the pauses of a sender
    #[command(after_long_help = "Example:\n  ringmaster resume sender +551151991234")]
    Sender(Number<Flags>),
    /// Lift the pauses of a consumer
    #[command(after_long_help = "Example:\n  ringmaster resume person +5511987654321")]
    Person(Number<Flags>),
    /// Lift the pauses of content that a platform refused
    #[command(after_long_help = "Example:\n  ringmaster resume content HX0123456789abcdef0123456789abcdef")]
    Content(Content),
}

#[derive(Debug, Args)]
struct Content {
    /// Its SID at Twilio, its declared name at Meta (or its name in WhatsApp Manager)
    #[arg(value_name = "CONTENT")]
    name: String,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct Pauses {
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct All<F: Args + Debug> {
    #[command(flatten)]
    flags: F,
}

#[derive(Debug, Args)]
pub(super) struct Account<F: Args + Debug> {
    /// The name of the account in the configuration
    #[arg(value_name = "ACCOUNT")]
    name: String,
    #[command(flatten)]
    flags: F,
}

#[derive(Debug, Args)]
pub(super) struct Number<F: Args + Debug> {
    /// The number, in E.164
    #[arg(value_name = "NUMBER", value_parser = phone)]
    number: Phone,
    #[command(flatten)]
    flags: F,
}

/// What a pause says beside its scope.
#[derive(Debug, Args)]
pub(super) struct Stop {
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
pub(super) struct Flags {
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

fn id(text: &str) -> Result<PauseId, &'static str> {
    text.parse()
        .map_err(|_| "expected ps_ and 32 hexadecimal digits, or all, account, sender, person or content")
}

impl Pause {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let (mut order, stop) = match self {
            Self::All(all) => (json!({"scope": "all"}), &all.flags),
            Self::Account(of) => (json!({"scope": "account", "account": of.name}), &of.flags),
            Self::Sender(of) => (json!({"scope": "sender", "sender": of.number.e164()}), &of.flags),
            Self::Person(of) => (json!({"scope": "person", "consumer": of.number.e164()}), &of.flags),
        };
        order["why"] = stop.why.clone().into();
        if let Some(until) = stop.until {
            order["until"] = until.to_string().into();
        }
        let answer = stop.flags.daemon.command(Ask::post("v1/pauses", Body::Json(order)))?;
        if stop.flags.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        print_taken(&serde_json::from_value(answer)?, out)
    }
}

impl Resume {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let (flags, ids) = match &self.scope {
            None => (&self.flags, self.id.iter().map(ToString::to_string).collect()),
            Some(Scope::All(all)) => (&all.flags, of(&all.flags, "all", None)?),
            Some(Scope::Account(it)) => (&it.flags, of(&it.flags, "account", Some(&it.name))?),
            Some(Scope::Sender(it)) => (&it.flags, of(&it.flags, "sender", Some(&it.number.e164()))?),
            Some(Scope::Person(it)) => (&it.flags, of(&it.flags, "person", Some(&it.number.e164()))?),
            Some(Scope::Content(it)) => (&it.flags, of_content(&it.flags, &it.name)?),
        };
        let lifts = ids.into_iter().map(|id| flags.daemon.command(Ask::delete(format!("v1/pauses/{id}"))));
        let lifted = lifts.collect::<anyhow::Result<Vec<_>>>()?;
        if flags.json {
            return Ok(writeln!(out, "{:#}", json!(lifted))?);
        }
        for answer in lifted {
            writeln!(out, "{}  lifted", answer["lifted"].as_str().unwrap_or_default())?;
        }
        Ok(())
    }
}

/// The pauses in force with exactly this scope.
fn of(flags: &Flags, scope: &str, subject: Option<&str>) -> anyhow::Result<Vec<String>> {
    some(page(flags)?.of(scope, subject))
}

/// The pauses in force of this content.
fn of_content(flags: &Flags, name: &str) -> anyhow::Result<Vec<String>> {
    some(page(flags)?.of_content(name))
}

fn page(flags: &Flags) -> anyhow::Result<Page> {
    Ok(serde_json::from_value(flags.daemon.ask_json(&Ask::get("v1/pauses"))?)?)
}

/// The ids, if there are any.
fn some(ids: Vec<String>) -> anyhow::Result<Vec<String>> {
    if ids.is_empty() {
        return refusal(
            "no such pause is in force",
            ["\"ringmaster pauses\" shows them; \"ringmaster resume ps_...\" lifts one"],
        );
    }
    Ok(ids)
}

impl Pauses {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let answer = self.flags.daemon.ask_json(&Ask::get("v1/pauses"))?;
        if self.flags.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        print(&serde_json::from_value(answer)?, out)
    }
}

#[derive(Deserialize)]
struct Page {
    pauses: Vec<Row>,
}

/// A pause in an answer of the daemon.
#[derive(Deserialize)]
pub(super) struct Row {
    id: String,
    scope: String,
    account: Option<String>,
    sender: Option<String>,
    consumer: Option<String>,
    campaign: Option<String>,
    content: Option<String>,
    by: String,
    why: String,
    since: Timestamp,
    pub(super) until: Option<Timestamp>,
}

impl Page {
    /// The ids of those with exactly this scope and subject.
    fn of(&self, scope: &str, subject: Option<&str>) -> Vec<String> {
        let same = |row: &&Row| row.scope == scope && row.subject().map(String::as_str) == subject;
        self.pauses.iter().filter(same).map(|row| row.id.clone()).collect()
    }

    /// The ids of those of this content: as it is paused, else by the declared name in a name at WhatsApp.
    fn of_content(&self, name: &str) -> Vec<String> {
        let ids = self.of("content", Some(name));
        let version = version_in(name).filter(|_| ids.is_empty());
        let declared = version.as_deref().and_then(name_in);
        declared.map_or(ids, |declared| self.of("content", Some(declared)))
    }
}

impl Row {
    fn subject(&self) -> Option<&String> {
        let named = [&self.content, &self.account, &self.sender, &self.consumer, &self.campaign];
        named.into_iter().find_map(Option::as_ref)
    }

    /// "until 2026-11-23T12:00:00Z", or that somebody has to lift it.
    pub(super) fn end(&self) -> String {
        self.until.map_or_else(|| "it is lifted".to_owned(), second)
    }

    /// The account and the paused content.
    fn of_whom(&self) -> Option<String> {
        match (&self.content, &self.account) {
            (Some(content), Some(account)) => Some(format!("{content} ({account})")),
            _ => self.subject().cloned(),
        }
    }

    /// The paused content; empty if it is a pause of something else.
    pub(super) fn content(&self) -> &str {
        self.content.as_deref().unwrap_or_default()
    }

    /// The account that is paused, or that sends the paused content.
    pub(super) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Why, and by whom.
    pub(super) fn cause(&self) -> String {
        format!("{} ({})", self.why, self.by)
    }
}

#[derive(Deserialize)]
struct Taken {
    pause: Row,
    holds: Option<Holds>,
}

/// What a pause holds back.
#[derive(Deserialize)]
pub(super) struct Holds {
    callbacks: Count,
    deadlines: Count,
    permissions: Count,
    promises: Option<Count>,
}

impl Holds {
    /// Adds what ends before the pause does.
    pub(super) fn show(&self, has_end: bool, rows: &mut Rows) {
        let when = if has_end { "before it ends" } else { "unless it is lifted" };
        rows.push([name("holds"), plain(format!("{} waiting callbacks and invites", self.callbacks))]);
        rows.push([name("deadlines"), plain(format!("{} of these pass {when}", self.deadlines))]);
        if let Some(promises) = &self.promises {
            rows.push([name("promises"), plain(format!("{promises} of these come due {when}"))]);
        }
        rows.push([name("permissions"), plain(format!("{} end {when}", self.permissions))]);
    }
}

#[derive(Deserialize)]
struct Count {
    count: u64,
    at_least: bool,
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", if self.at_least { "at least " } else { "" }, self.count)
    }
}

fn print_taken(Taken { pause, holds }: &Taken, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut rows = Rows::new(&[]);
    let what = pause.subject().map_or_else(|| pause.scope.clone(), |it| format!("{} {it}", pause.scope));
    rows.push([name("paused"), plain(format!("{what}, until {}", pause.end()))]);
    rows.push([name("id"), plain(&pause.id)]);
    if let Some(holds) = holds {
        holds.show(pause.until.is_some(), &mut rows);
    }
    Ok(rows.write(out)?)
}

fn print(page: &Page, out: &mut dyn Write) -> anyhow::Result<()> {
    if page.pauses.is_empty() {
        return Ok(writeln!(
            out,
            "nothing is paused by operators, and no content; \"ringmaster senders\" shows what the platforms pause"
        )?);
    }
    let mut rows = Rows::new(&["id", "scope", "of", "since", "until", "by", "why"]);
    for row in &page.pauses {
        rows.push([
            name(&row.id),
            standing(&row.scope),
            plain(row.of_whom().as_deref().unwrap_or("-")),
            plain(second(row.since)),
            plain(row.end()),
            plain(&row.by),
            plain(&row.why),
        ]);
    }
    Ok(rows.write(out)?)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn shown(print: impl FnOnce(&mut Vec<u8>) -> anyhow::Result<()>) -> String {
        let mut out = Vec::new();
        print(&mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    fn row(scope: &str) -> Value {
        json!({"id": "ps_1", "scope": scope, "by": "ops", "why": "a drill", "since": "2026-11-23T12:00:00.4Z"})
    }

    #[test]
    fn a_pause_shows_what_it_holds_and_what_ends_meanwhile() {
        let mut pause = row("account");
        pause["account"] = "main".into();
        pause["until"] = "2026-11-23T14:00:00Z".into();
        let count = |count: u64, at_least| json!({"count": count, "at_least": at_least});
        let holds = json!({"callbacks": count(10_000, true), "deadlines": count(12, true),
            "permissions": count(3, false), "promises": count(2, true)});
        let taken = serde_json::from_value(json!({"pause": pause, "holds": holds})).unwrap();
        insta::assert_snapshot!(shown(|out| print_taken(&taken, out)), @r"
        paused       account main, until 2026-11-23T14:00:00Z
        id           ps_1
        holds        at least 10000 waiting callbacks and invites
        deadlines    at least 12 of these pass before it ends
        promises     at least 2 of these come due before it ends
        permissions  3 end before it ends
        ");
        let taken = serde_json::from_value(json!({"pause": row("all")})).unwrap();
        insta::assert_snapshot!(shown(|out| print_taken(&taken, out)), @r"
        paused  all, until it is lifted
        id      ps_1
        ");
    }

    #[test]
    fn a_list_shows_who_why_and_until() {
        let mut person = row("person");
        person["consumer"] = "+5511987654321".into();
        person["until"] = "2026-11-23T14:00:00Z".into();
        let mut content = row("content");
        (content["account"], content["content"]) = ("cloud".into(), "call_us".into());
        let page = serde_json::from_value(json!({"pauses": [row("all"), person, content]})).unwrap();
        insta::assert_snapshot!(shown(|out| print(&page, out)), @r"
        id    scope    of               since                 until                 by   why
        ps_1  all      -                2026-11-23T12:00:00Z  it is lifted          ops  a drill
        ps_1  person   +5511987654321   2026-11-23T12:00:00Z  2026-11-23T14:00:00Z  ops  a drill
        ps_1  content  call_us (cloud)  2026-11-23T12:00:00Z  it is lifted          ops  a drill
        ");
        let nothing = serde_json::from_value(json!({"pauses": []})).unwrap();
        let told = shown(|out| print(&nothing, out));
        assert!(told.starts_with("nothing is paused") && told.contains("ringmaster senders"), "{told}");
    }

    #[test]
    fn only_pauses_of_exactly_that_scope_are_resumed() {
        let (mut account, mut sender) = (row("account"), row("sender"));
        (account["account"], account["id"]) = ("main".into(), "ps_2".into());
        (sender["sender"], sender["id"]) = ("+551151991234".into(), "ps_3".into());
        let mut content = row("content");
        (content["account"], content["content"], content["id"]) =
            ("main".into(), "HX1".into(), "ps_4".into());
        let pauses = json!({"pauses": [row("all"), account, sender, content]});
        let page: Page = serde_json::from_value(pauses).unwrap();
        assert_eq!(page.of_content("HX1"), ["ps_4"]);
        let of = |paused: &str, name: &str| {
            let mut content = row("content");
            (content["account"], content["content"]) = ("cloud".into(), paused.into());
            serde_json::from_value::<Page>(json!({"pauses": [content]})).unwrap().of_content(name).len()
        };
        assert_eq!(of("call_us", "call_us"), 1);
        assert_eq!(of("call_us", "call_us_a986f17ded"), 1, "its name in WhatsApp Manager");
        assert_eq!(of("call_us_a986f17ded", "call_us_a986f17ded"), 1, "declared with such a name");
        assert_eq!(of("call", "call_us_a986f17ded"), 0);
        assert_eq!(of("call_us", "call_us_a986f17de"), 0);
        assert_eq!(page.of("all", None), ["ps_1"]);
        assert_eq!(page.of("account", Some("main")), ["ps_2"]);
        assert_eq!(page.of("sender", Some("+551151991234")), ["ps_3"]);
        assert!(
            page.of("account", Some("other")).is_empty()
                && page.of("person", Some("+551151991234")).is_empty()
        );
    }
}
