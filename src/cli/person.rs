//! `person add`, `list`, `change`, `remove` and `password`: the people who sign in. They work on the daemon's machine, so that
//! whoever has its store can always get in again.

use std::io::{BufRead as _, Write};

use clap::{Args, Subcommand};
use serde_json::json;
use strum::IntoEnumIterator as _;

use super::failure::refusal;
use super::settings::ConfigFile;
use super::table::{Rows, name as bold, plain, second};
use super::token::random;
use crate::clock::{Clock as _, SystemClock};
use crate::daemon::open_store;
use crate::domain::{Bounds, Role, Tenant, Way, is_name_of_person};
use crate::http::auth::new_token;
use crate::http::sign_in::{PASSWORD_MAX, hash_password};
use crate::store::relational::{Access, Options, SqlStore};
use crate::store::{AuditEntry, Member, MemberChange, MemberChanged, Members as _, PasswordHash};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a person who signs in
    ///
    /// Works while a daemon runs, which lets the person in at once. With --password a new password is printed once; with
    /// --password-stdin the first line of the standard input is the password. Without a password the person signs in by a
    /// proxy. Whoever signs in by OpenID Connect is added then.
    #[command(after_long_help = "Examples:\n  \
        ringmaster person add ana --role admin --password --config ringmaster.toml\n  \
        ringmaster person add bo --role supervisor --tenant shop --bound campaign:spring --config ringmaster.toml")]
    Add(Add),
    /// List the people who sign in
    #[command(after_long_help = "Example:\n  ringmaster person list --config ringmaster.toml")]
    List(List),
    /// Change what a person may do or see
    ///
    /// What is not given stays. The sessions of the person end. The last admin stays one.
    #[command(after_long_help = "Examples:\n  \
        ringmaster person change ana --role operator --config ringmaster.toml\n  \
        ringmaster person change ana --unbound --config ringmaster.toml")]
    Change(Change),
    /// Remove a person, who is out at once
    #[command(after_long_help = "Example:\n  ringmaster person remove ana --config ringmaster.toml")]
    Remove(Named),
    /// Set a new password of a person, and print it once
    ///
    /// The sessions of the person end.
    #[command(after_long_help = "Examples:\n  \
        ringmaster person password ana --config ringmaster.toml\n  \
        ringmaster person password ana --password-stdin --config ringmaster.toml")]
    Password(Password),
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// The name of the person
    #[arg(value_name = "PERSON", value_parser = person)]
    name: String,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    who: Named,
    /// What the person may do: viewer, agent, supervisor, operator or admin
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Role,
    /// The tenant whose callbacks the person sees
    #[arg(long, value_name = "NAME", default_value = Tenant::DEFAULT, value_parser = tenant)]
    tenant: Tenant,
    /// What the person sees of it: campaign:NAME, sender:+DIGITS or pool:NAME; may be repeated [default: all]
    #[arg(long, value_name = "BOUND", value_parser = bound)]
    bound: Vec<String>,
    /// Make a password, and print it once
    #[arg(long, conflicts_with = "password_stdin")]
    password: bool,
    /// Read the password from the standard input
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Print an array of objects
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Debug, Args)]
pub(super) struct Change {
    #[command(flatten)]
    who: Named,
    /// What the person may do: viewer, agent, supervisor, operator or admin
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Option<Role>,
    /// The tenant whose callbacks the person sees
    #[arg(long, value_name = "NAME", value_parser = tenant)]
    tenant: Option<Tenant>,
    /// What the person sees of it from now on: campaign:NAME, sender:+DIGITS or pool:NAME; may be repeated
    #[arg(long, value_name = "BOUND", value_parser = bound, conflicts_with = "unbound")]
    bound: Vec<String>,
    /// The person sees the whole tenant from now on
    #[arg(long)]
    unbound: bool,
}

#[derive(Debug, Args)]
pub(super) struct Password {
    #[command(flatten)]
    who: Named,
    /// Read the password from the standard input
    #[arg(long)]
    password_stdin: bool,
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Add(add) => add.run(out),
        Command::List(list) => list.run(out),
        Command::Change(change) => change.run(out),
        Command::Remove(named) => remove(named, out),
        Command::Password(password) => password.run(out),
    }
}

fn person(text: &str) -> Result<String, String> {
    if is_name_of_person(text) {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 64 of a-z, 0-9, \".\", \"-\", \"_\", \"+\" and \"@\"".to_owned())
    }
}

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|_| {
        let names = Role::iter().map(Role::as_str).collect::<Vec<_>>().join(", ");
        format!("expected one of {names}, such as --role supervisor")
    })
}

fn tenant(text: &str) -> Result<Tenant, String> {
    text.parse().map_err(|error| format!("{error}, such as --tenant shop"))
}

fn bound(text: &str) -> Result<String, String> {
    Bounds::default().add(text).map_err(|error| format!("{error}, such as --bound campaign:spring"))?;
    Ok(text.to_owned())
}

fn bounds(lines: &[String]) -> anyhow::Result<Bounds> {
    let mut bounds = Bounds::default();
    lines.iter().try_for_each(|line| bounds.add(line))?;
    if bounds.len() > Bounds::MAX {
        return refusal(format!("--bound: there are more than {}", Bounds::MAX), ["repeat it less often"]);
    }
    Ok(bounds)
}

/// The store of a daemon, which may be running, and a runtime for it.
pub(super) struct Beside {
    pub(super) store: SqlStore,
    pub(super) runtime: tokio::runtime::Runtime,
}

impl Beside {
    pub(super) fn open(config: &ConfigFile) -> anyhow::Result<Self> {
        let store = open_store(&config.load()?.store, Access::Beside, &Options::default())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { store, runtime })
    }
}

fn entry(what: &str, name: &str, before: Option<String>, after: Option<String>) -> AuditEntry {
    AuditEntry {
        object: Some(name.to_owned()),
        before,
        after,
        ..AuditEntry::new(SystemClock.now(), "machine", Way::Machine, what)
    }
}

/// A new password: made and returned in words, or read from the standard input.
fn new_password(from_stdin: bool) -> anyhow::Result<(String, PasswordHash)> {
    let text = if from_stdin {
        let mut line = String::new();
        let most = u64::try_from(PASSWORD_MAX)?.saturating_add(3);
        std::io::Read::take(std::io::stdin().lock(), most).read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        new_token(random()?).0.trim_start_matches("rm_").chars().take(24).collect()
    };
    let mut salt = [0; 16];
    salt.copy_from_slice(&random()?[..16]);
    match hash_password(&text, salt) {
        Ok(hash) => Ok((text, hash)),
        Err(error) => refusal(format!("the password cannot be used: {error}"), ["give a longer one"]),
    }
}

impl Add {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let beside = Beside::open(&self.who.config)?;
        let made =
            (self.password || self.password_stdin).then(|| new_password(self.password_stdin)).transpose()?;
        let member = Member {
            tenant: self.tenant.clone(),
            bounds: bounds(&self.bound)?,
            password: made.as_ref().map(|(_, hash)| hash.clone()),
            ..Member::new(self.who.name.clone(), self.role, SystemClock.now())
        };
        let entry = entry("person.add", &member.name, None, Some(member.told(made.is_some())));
        if !beside.runtime.block_on(beside.store.add_member(member, entry))? {
            return refusal("somebody has this name", ["ringmaster person list shows the people"]);
        }
        match made.filter(|_| self.password) {
            Some((text, _)) => Ok(writeln!(out, "{text}")?),
            None => Ok(writeln!(out, "{} is added", self.who.name)?),
        }
    }
}

impl List {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let beside = Beside::open(&self.config)?;
        let members = beside.runtime.block_on(beside.store.members())?;
        if self.json {
            let members: Vec<_> = members.iter().map(object).collect();
            serde_json::to_writer_pretty(&mut *out, &members)?;
            return Ok(writeln!(out)?);
        }
        if members.is_empty() {
            return Ok(writeln!(out, "nobody signs in")?);
        }
        let mut rows = Rows::new(&["person", "role", "tenant", "sees", "signs in by", "made"]);
        for member in &members {
            let seen = Vec::from_iter(member.bounds.lines()).join(" ");
            rows.push([
                bold(&member.name),
                plain(member.role.as_str()),
                plain(member.tenant.as_str()),
                plain(if seen.is_empty() { "all".to_owned() } else { seen }),
                plain(way(member)),
                plain(second(member.created_at)),
            ]);
        }
        Ok(rows.write(out)?)
    }
}

fn way(member: &Member) -> &'static str {
    match (&member.password, &member.subject) {
        (_, Some(_)) => "a provider",
        (Some(_), None) => "a password",
        (None, None) => "a proxy",
    }
}

fn object(member: &Member) -> serde_json::Value {
    json!({
        "name": member.name,
        "role": member.role.as_str(),
        "tenant": member.tenant.as_str(),
        "bounds": member.bounds.lines().collect::<Vec<_>>(),
        "has_password": member.password.is_some(),
        "issuer": member.subject.as_ref().map(|subject| &subject.issuer),
        "created_at": member.created_at,
    })
}

impl Change {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let bounds = match (self.bound.as_slice(), self.unbound) {
            ([], false) => None,
            (lines, _) => Some(bounds(lines)?),
        };
        if (self.role, &self.tenant, &bounds) == (None, &None, &None) {
            return refusal("nothing is to be changed", ["give --role, --tenant, --bound or --unbound"]);
        }
        let change = MemberChange { role: self.role, tenant: self.tenant.clone(), bounds, password: None };
        changed(&self.who, change)?;
        Ok(writeln!(out, "{} is changed", self.who.name)?)
    }
}

fn changed(who: &Named, change: MemberChange) -> anyhow::Result<()> {
    let beside = Beside::open(&who.config)?;
    let Some(member) = beside.runtime.block_on(beside.store.member(&who.name))? else {
        return done(MemberChanged::Unknown);
    };
    let after = change.clone().of(member.clone()).told(change.password.is_some());
    let entry = entry("person.change", &who.name, Some(member.told(false)), Some(after));
    done(beside.runtime.block_on(beside.store.change_member(&who.name, change, entry))?)
}

fn done(changed: MemberChanged) -> anyhow::Result<()> {
    match changed {
        MemberChanged::Changed => Ok(()),
        MemberChanged::Unknown => {
            refusal("nobody has this name", ["ringmaster person list shows the people"])
        }
        MemberChanged::LastAdmin => refusal(
            "it would leave nobody with the role admin",
            ["add another admin first, as ringmaster person add NAME --role admin"],
        ),
    }
}

fn remove(named: &Named, out: &mut dyn Write) -> anyhow::Result<()> {
    let beside = Beside::open(&named.config)?;
    let member = beside.runtime.block_on(beside.store.member(&named.name))?;
    let entry = entry("person.remove", &named.name, member.map(|member| member.told(false)), None);
    done(beside.runtime.block_on(beside.store.remove_member(&named.name, entry))?)?;
    Ok(writeln!(out, "{} is removed", named.name)?)
}

impl Password {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let (text, hash) = new_password(self.password_stdin)?;
        let change = MemberChange { password: Some(hash), ..MemberChange::default() };
        changed(&self.who, change)?;
        if self.password_stdin {
            return Ok(writeln!(out, "{} has a new password", self.who.name)?);
        }
        Ok(writeln!(out, "{text}")?)
    }
}
