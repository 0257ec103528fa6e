//! `token create`: a new API token, printed once. Only its hash is kept.

use std::io::Write;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::failure::Hint as _;
use super::settings::ConfigFile;
use crate::clock::{Clock as _, SystemClock};
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
        keep(&config.store.path, kept)
            .context("the token cannot be kept")
            .hint("the store is the file that store.path names; the token was not made")?;
        Ok(writeln!(out, "{token}")?)
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

fn keep(path: &std::path::Path, token: Token) -> anyhow::Result<()> {
    let store = Sqlite::open(path, Access::Beside)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(store.create_token(token))?)
}
