//! `token create`, `list` and `revoke`: API tokens. One is printed when it is made; only its hash is kept.

use std::io::Write;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;
use strum::IntoEnumIterator as _;

use super::failure::{Hint as _, refusal};
use super::settings::ConfigFile;
use super::table::{Rows, name as bold, plain, second};
use super::values::{moment, phone};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::domain::{Phone, Scope, Scopes, Tenant, TokenLimits};
use crate::http::auth::new_token;
use crate::store::sqlite::{Access, Sqlite};
use crate::store::{Store as _, Token};

/// The longest name, in characters.
const NAME_MAX: usize = 64;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create an API token and print it once
    ///
    /// Works beside a running daemon, which knows the token at once. Only the token's hash is kept, so a lost
    /// token is replaced, never found. The name says whose it is; it is on every timeline line that the token
    /// causes. Without flags the token may do everything but manage access, in the tenant "default", for
    /// ever.
    #[command(after_long_help = "Examples:\n  \
        export RINGMASTER_TOKEN=$(ringmaster token create crm --config ringmaster.toml)\n  \
        ringmaster token create shop --tenant shop --scope order,read --sender +551151991234\n  \
        ringmaster token create trial --document message --expires +90d --orders-per-day 5000")]
    Create(Create),
    /// List the API tokens: whose each is, what it may do, and its mark
    ///
    /// The mark is the beginning of the token's hash; it tells tokens of one name apart, and nobody can use
    /// it as a token.
    #[command(after_long_help = "Example:\n  ringmaster token list --config ringmaster.toml")]
    List(List),
    /// Revoke an API token
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
    /// What it may do: order, read, reveal, work, supervise, operate, admin [default: all but admin]
    #[arg(long, value_name = "SCOPE,...", value_delimiter = ',', value_parser = scope)]
    scope: Vec<Scope>,
    /// Whose callbacks it sees and orders
    #[arg(long, value_name = "NAME", default_value = Tenant::DEFAULT, value_parser = tenant)]
    tenant: Tenant,
    /// From when on it is refused: with an offset, or from now as +90d
    #[arg(long, value_name = "WHEN", value_parser = expiry)]
    expires: Option<Timestamp>,
    /// A sender that it may use, in E.164; may be repeated [default: all]
    #[arg(long, value_name = "NUMBER", value_parser = sender)]
    sender: Vec<Phone>,
    /// A document that it may order; may be repeated [default: all]
    #[arg(long, value_name = "NAME")]
    document: Vec<String>,
    /// API requests a second, 1 to 100000 [default: no limit]
    #[arg(long, value_name = "COUNT", value_parser = |text: &str| count(text, 100_000))]
    requests_per_second: Option<u32>,
    /// Callbacks that it may order in any 24 hours, 1 to 100000000 [default: no limit]
    #[arg(long, value_name = "COUNT", value_parser = |text: &str| count(text, 100_000_000))]
    orders_per_day: Option<u32>,
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

fn scope(text: &str) -> Result<Scope, String> {
    text.parse().map_err(|_| {
        let names = Scope::iter().map(Scope::as_str).collect::<Vec<_>>().join(", ");
        format!("expected one or more of {names}, as --scope order,read")
    })
}

fn tenant(text: &str) -> Result<Tenant, String> {
    text.parse().map_err(|error| format!("{error}, as --tenant shop"))
}

fn sender(text: &str) -> Result<Phone, String> {
    phone(text).map_err(|error| format!("{error}; give it as --sender +551151991234"))
}

fn expiry(text: &str) -> Result<Timestamp, String> {
    let at = moment(text)?;
    if at <= SystemClock.now() {
        return Err("expected a moment that lies ahead, as +90d".to_owned());
    }
    Ok(at)
}

fn count(text: &str, max: u32) -> Result<u32, String> {
    let given = text.parse().ok().filter(|count| (1..=max).contains(count));
    given.ok_or_else(|| format!("expected a whole number from 1 to {max}, as 1000"))
}

impl Create {
    /// The token that is kept.
    fn token(&self, hash: [u8; 32], config: &Config) -> anyhow::Result<Token> {
        let configured =
            |number: &Phone| config.accounts.values().any(|account| account.senders.contains_key(number));
        if let Some(place) = self.sender.iter().position(|number| !configured(number)) {
            return refusal(
                format!("--sender: number {} of them is not a sender of the configuration", place + 1),
                ["name a sender that accounts.<alias>.senders has, as --sender +551151991234"],
            );
        }
        let scopes = match self.scope.as_slice() {
            [] => Scopes::usual(),
            scopes => scopes.iter().copied().collect(),
        };
        Ok(Token {
            tenant: self.tenant.clone(),
            scopes,
            expires_at: self.expires,
            senders: self.sender.clone(),
            documents: self.document.clone(),
            limits: TokenLimits {
                requests_per_second: self.requests_per_second,
                orders_per_day: self.orders_per_day,
            },
            ..Token::new(&*self.name, hash, SystemClock.now())
        })
    }

    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let (token, hash) = new_token(random()?);
        let kept = self.token(hash, &config)?;
        TokenStore::open(&config)
            .and_then(|store| store.keep(kept))
            .context("the token cannot be kept")
            .hint("the store is the file that store.path names; the token was not made")?;
        Ok(writeln!(out, "{token}")?)
    }
}

impl List {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let tokens = TokenStore::open(&self.config.load()?)?.tokens()?;
        if self.json {
            let tokens: Vec<_> = tokens.iter().map(object).collect();
            serde_json::to_writer_pretty(&mut *out, &tokens)?;
            return Ok(writeln!(out)?);
        }
        if tokens.is_empty() {
            return Ok(writeln!(out, "no tokens")?);
        }
        let mut rows =
            Rows::new(&["token", "tenant", "scopes", "limits", "expires", "made", "last used", "mark"]);
        for token in &tokens {
            rows.push([
                bold(&token.name),
                plain(token.tenant.as_str()),
                plain(token.scopes.to_string()),
                plain(limits(token)),
                plain(token.expires_at.map_or_else(|| "never".to_owned(), second)),
                plain(second(token.created_at)),
                plain(token.last_used_at.map_or_else(|| "-".to_owned(), second)),
                plain(mark(token)),
            ]);
        }
        Ok(rows.write(out)?)
    }
}

fn object(token: &Token) -> serde_json::Value {
    json!({
        "name": token.name,
        "tenant": token.tenant.as_str(),
        "scopes": token.scopes.iter().map(Scope::as_str).collect::<Vec<_>>(),
        "senders": token.senders.iter().map(|sender| sender.e164()).collect::<Vec<_>>(),
        "documents": token.documents,
        "requests_per_second": token.limits.requests_per_second,
        "orders_per_day": token.limits.orders_per_day,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "mark": mark(token),
    })
}

/// What the token is held to, in one cell.
fn limits(token: &Token) -> String {
    let senders: Vec<String> = token.senders.iter().map(|sender| sender.e164()).collect();
    let limits = [
        (!senders.is_empty()).then(|| format!("from {}", senders.join(" "))),
        (!token.documents.is_empty()).then(|| format!("documents {}", token.documents.join(" "))),
        token.limits.requests_per_second.map(|count| format!("{count} requests/s")),
        token.limits.orders_per_day.map(|count| format!("{count} orders/day")),
    ];
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    if limits.is_empty() { "-".to_owned() } else { limits.join(", ") }
}

impl Revoke {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let store = TokenStore::open(&self.config.load()?)?;
        let mut tokens = store.tokens()?;
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
                    store.revoke(token.hash)?;
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
struct TokenStore {
    store: Sqlite,
    runtime: tokio::runtime::Runtime,
}

impl TokenStore {
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
