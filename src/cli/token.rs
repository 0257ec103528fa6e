//! `token create`, `list` and `revoke`: API tokens. One is printed when it is made; only its hash is kept.

use std::io::Write;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Unit;
use serde_json::json;

use super::failure::{Hint as _, refusal};
use super::settings::ConfigFile;
use super::table::{Rows, name as bold, plain};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::http::auth::new_token;
use crate::store::sqlite::{Access, Sqlite};
use crate::store::{Store as _, Token};

/// The longest name, in characters.
const NAME_MAX: usize = 64;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an API token and print it, once
    ///
    /// Works beside a running daemon, which knows the token at once. Only the token's hash is kept, so a lost
    /// token is replaced, never found. The name says whose it is.
    #[command(after_long_help = "Example:\n  \
                                 export RINGMASTER_TOKEN=$(ringmaster token create crm --config ringmaster.toml)")]
    Create(Create),
    /// List the API tokens: whose each is, when it was made, and its mark
    ///
    /// The mark is the beginning of the token's hash; it tells tokens of one name apart, and nobody comes in by it.
    #[command(after_long_help = "Example:\n  ringmaster token list --config ringmaster.toml")]
    List(List),
    /// Take an API token away
    ///
    /// Works beside a running daemon, which refuses the token from then on.
    #[command(after_long_help = "Examples:\n  \
                                 ringmaster token revoke crm --config ringmaster.toml\n  \
                                 ringmaster token revoke crm --mark 5f2b8c01 --config ringmaster.toml")]
    Revoke(Revoke),
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
pub(super) struct Revoke {
    /// Whose token it is
    #[arg(value_parser = name)]
    name: String,
    /// Which of several of that name, as "token list" shows it
    #[arg(long, conflicts_with = "all")]
    mark: Option<String>,
    /// All of that name
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Whose token it is: letters, digits, "-", "_" and "."
    #[arg(value_parser = name)]
    name: String,
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Create(create) => create.run(out),
        Command::List(list) => list.run(out),
        Command::Revoke(revoke) => revoke.run(out),
    }
}

fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if (1..=NAME_MAX).contains(&text.len()) && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected 1 to {NAME_MAX} letters, digits, \"-\", \"_\" or \".\""))
    }
}

impl Create {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let (token, hash) = new_token(random()?);
        let kept = Token { name: self.name.clone(), hash, created_at: SystemClock.now() };
        Shelf::open(&config)
            .and_then(|shelf| shelf.keep(kept))
            .context("the token cannot be kept")
            .hint("the store is the file that store.path names; the token was not made")?;
        Ok(writeln!(out, "{token}")?)
    }
}

impl List {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let tokens = Shelf::open(&self.config.load()?)?.tokens()?;
        if self.json {
            let object = |token: &Token| json!({"name": token.name, "created_at": token.created_at, "mark": mark(token)});
            let tokens: Vec<_> = tokens.iter().map(object).collect();
            serde_json::to_writer_pretty(&mut *out, &tokens)?;
            return Ok(writeln!(out)?);
        }
        if tokens.is_empty() {
            return Ok(writeln!(out, "no tokens")?);
        }
        let mut rows = Rows::new(&["token", "made", "mark"]);
        for token in &tokens {
            let made = token.created_at.round(Unit::Second).unwrap_or(token.created_at);
            rows.push([bold(&token.name), plain(made), plain(mark(token))]);
        }
        Ok(rows.write(out)?)
    }
}

impl Revoke {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let shelf = Shelf::open(&self.config.load()?)?;
        let mut tokens = shelf.tokens()?;
        tokens.retain(|token| token.name == self.name);
        if let Some(wanted) = &self.mark {
            tokens.retain(|token| mark(token) == *wanted);
        }
        match tokens.as_slice() {
            [] => refusal("there is no such token", ["ringmaster token list shows the tokens"]),
            [_, _, ..] if !self.all => refusal(
                format!("there are {} tokens of that name", tokens.len()),
                tokens
                    .iter()
                    .map(|token| format!("--mark {} takes away the one of {}", mark(token), token.created_at))
                    .chain(["--all takes away all of them".to_owned()]),
            ),
            tokens => {
                for token in tokens {
                    shelf.revoke(token.hash)?;
                    writeln!(out, "{} {} is taken away", token.name, mark(token))?;
                }
                Ok(())
            }
        }
    }
}

/// Eight digits of the hash: enough to tell tokens apart, and nothing to come in by.
fn mark(token: &Token) -> String {
    token.hash[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The store of a daemon that may run, and a runtime to ask it in.
struct Shelf {
    store: Sqlite,
    runtime: tokio::runtime::Runtime,
}

impl Shelf {
    fn open(config: &Config) -> anyhow::Result<Self> {
        let store = Sqlite::open(&config.store.path, Access::Beside)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { store, runtime })
    }

    fn keep(&self, token: Token) -> anyhow::Result<()> {
        Ok(self.runtime.block_on(self.store.create_token(token))?)
    }

    fn tokens(&self) -> anyhow::Result<Vec<Token>> {
        Ok(self.runtime.block_on(self.store.tokens())?)
    }

    fn revoke(&self, hash: [u8; 32]) -> anyhow::Result<bool> {
        Ok(self.runtime.block_on(self.store.revoke_token(hash))?)
    }
}

/// 256 bits that nobody can guess.
pub(super) fn random() -> anyhow::Result<[u8; 32]> {
    let mut random = [0; 32];
    let provider = rustls::crypto::ring::default_provider();
    let filled = provider.secure_random.fill(&mut random);
    filled.map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
    Ok(random)
}
