//! `suppression`: people whom nobody calls or writes to.

mod import;
mod print;
mod register;

use std::io::Write;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::remote::{Ask, Body, Target};
use super::values::{moment, phone};
use crate::domain::{ListName, Phone};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add people to a list
    ///
    /// From the answer on nothing leaves for them that the list forbids. What waits is closed, and new orders are refused. No
    /// START ends an entry.
    #[command(after_long_help = "Examples:\n  \
        ringmaster suppression add +5511987654321 --why asked-by-mail\n  \
        ringmaster suppression add +5511987654321 --scope requests --expires +90d --why complaint")]
    Add(Add),
    /// Take a person off a list
    #[command(
        after_long_help = "Example:\n  ringmaster suppression remove +5511987654321 --why asked-by-mail"
    )]
    Remove(Remove),
    /// Show on which lists a person is
    #[command(after_long_help = "Example:\n  ringmaster suppression check +5511987654321")]
    Check(Check),
    /// List the lists with their entries and terms
    #[command(after_long_help = "Example:\n  ringmaster suppression list")]
    List(Flags),
    /// Import a file into a list, in parts
    ///
    /// Each line has a number in E.164 or its SHA-256: alone, in the first column of CSV, or as JSON with "consumer" or
    /// "sha256". Each part is in force when it is answered. Lines that cannot be read are told by number and not imported;
    /// then the version is not completed. The same command may be repeated after a failure.
    #[command(after_long_help = "Examples:\n  \
        ringmaster suppression import register.csv --list imported:register --version 2026-11 --purpose marketing\n  \
        ringmaster suppression import blocked.txt --list house --why moved-from-the-old-dialler")]
    Import(import::Import),
    /// Ask a register about the people of open orders, such as Não Me Perturbe
    #[command(subcommand)]
    Register(register::Command),
}

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The numbers, in E.164
    #[arg(value_name = "NUMBER", value_parser = phone, required_unless_present = "user_id")]
    numbers: Vec<Phone>,
    /// WhatsApp's id of a user, once for each user
    #[arg(long, value_name = "ID")]
    user_id: Vec<String>,
    /// The Meta business portfolio of the user ids
    #[arg(long, value_name = "NAME", requires = "user_id")]
    portfolio: Option<String>,
    /// house, or account:NAME, campaign:NAME
    #[arg(long, value_name = "LIST", default_value = "house", value_parser = list)]
    list: ListName,
    /// What is forbidden
    #[arg(long, value_enum, default_value = "all")]
    scope: Scope,
    /// Why, for the record
    #[arg(long)]
    why: String,
    /// When it ends by itself: with an offset, or from now, such as +90d
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    expires: Option<Timestamp>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Scope {
    Calls,
    Requests,
    Invites,
    All,
}

impl Scope {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Requests => "requests",
            Self::Invites => "invites",
            Self::All => "all",
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    #[command(flatten)]
    who: Who,
    /// house, or account:NAME, campaign:NAME, imported:NAME
    #[arg(long, value_name = "LIST", default_value = "house", value_parser = list)]
    list: ListName,
    /// Why, for the record
    #[arg(long)]
    why: String,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    flags: Flags,
}

/// One person.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// The number, in E.164
    #[arg(value_name = "NUMBER", value_parser = phone, required_unless_present = "user_id", conflicts_with = "user_id")]
    number: Option<Phone>,
    /// WhatsApp's id of the user, instead of the number
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
    /// The Meta business portfolio of the user id
    #[arg(long, value_name = "NAME", requires = "user_id")]
    portfolio: Option<String>,
}

impl Who {
    pub(super) fn body(&self) -> Value {
        let mut body = json!({});
        if let Some(number) = self.number {
            body["consumer"] = number.e164().into();
        }
        for (field, given) in [("user_id", &self.user_id), ("portfolio", &self.portfolio)] {
            if let Some(text) = given {
                body[field] = text.clone().into();
            }
        }
        body
    }
}

fn list(text: &str) -> Result<ListName, String> {
    text.parse().map_err(|error| format!("{error}"))
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Add(add) => add.run(out),
        Command::Remove(Remove { who, list, why, flags }) => {
            let mut body = who.body();
            body["list"] = list.to_string().into();
            body["why"] = why.clone().into();
            let answer = flags.daemon.command(Ask::post("v1/suppression/remove", Body::Json(body)))?;
            flags.show(answer, print::removed, out)
        }
        Command::Check(Check { who, flags }) => {
            let ask = Ask::post("v1/suppression/check", Body::Json(who.body()));
            flags.show(flags.daemon.ask_json(&ask)?, print::found, out)
        }
        Command::List(flags) => {
            flags.show(flags.daemon.ask_json(&Ask::get("v1/suppression/lists"))?, print::lists, out)
        }
        Command::Import(import) => import.run(out),
        Command::Register(command) => register::run(command, out),
    }
}

impl Flags {
    /// Prints an answer of the daemon: as it is, or as a table.
    fn show(
        &self,
        answer: Value,
        print: fn(Value, &mut dyn Write) -> anyhow::Result<()>,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        if self.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        print(answer, out)
    }
}

impl Add {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let numbers: Vec<String> = self.numbers.iter().map(|number| number.e164()).collect();
        let mut body = json!({
            "list": self.list.to_string(), "scope": self.scope.as_str(), "why": self.why,
            "consumers": numbers, "user_ids": self.user_id,
        });
        if let Some(portfolio) = &self.portfolio {
            body["portfolio"] = portfolio.clone().into();
        }
        if let Some(expires) = self.expires {
            body["expires_at"] = expires.to_string().into();
        }
        let answer = self.flags.daemon.command(Ask::post("v1/suppression", Body::Json(body)))?;
        self.flags.show(answer, print::added, out)
    }
}
