//! `token create`, `list` and `revoke`: API tokens. A token is printed once; only its hash is stored.

use std::io::Write;
use std::sync::Arc;

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
use crate::daemon::{self, open_store};
use crate::domain::{Phone, Scope, Scopes, Tenant, TokenLimits, Way};
use crate::http::auth::new_token;
use crate::store::relational::{Access, Options, SqlStore};
use crate::store::{AuditEntry, PendingAudit, Token, Tokens as _, audited};

/// The longest name, in characters.
const NAME_MAX: usize = 64;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create an API token and print it once
    ///
    /// Works while a daemon runs, which accepts the token at once. Only the hash is stored, so a lost token must be
    /// replaced. The name is in every timeline line that the token causes. Without flags, the token may do everything
    /// except manage access, in the tenant "default", without an expiry time.
    #[command(after_long_help = "Examples:\n  \
        export RINGMASTER_TOKEN=$(ringmaster token create crm --config ringmaster.toml)\n  \
        ringmaster token create shop --tenant shop --scope order,read --sender +551151991234\n  \
        ringmaster token create trial --document message --expires +90d --orders-per-day 5000")]
    Create(Create),
    /// List the API tokens with their names, rights and marks
    ///
    /// The mark is the beginning of the token's hash. It distinguishes tokens of the same name, and cannot be used as a
    /// token.
    #[command(after_long_help = "Example:\n  ringmaster token list --config ringmaster.toml")]
    List(List),
    /// Revoke an API token
    ///
    /// Works while a daemon runs, which refuses the token from then on.
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
    /// The name of the token
    #[arg(value_parser = name)]
    name: String,
    /// The mark of the token, from "token list", if several have that name
    #[arg(long, conflicts_with = "all")]
    mark: Option<String>,
    /// Revoke all tokens of that name
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The name of the token: letters, digits, "-", "_" and "."
    #[arg(value_parser = name)]
    name: String,
    /// Its scopes: order, read, reveal, work, own, lead, supervise, operate, admin [default: all but own, lead and admin]
    #[arg(long, value_name = "SCOPE,...", value_delimiter = ',', value_parser = scope)]
    scope: Vec<Scope>,
    /// The tenant whose callbacks it sees and orders
    #[arg(long, value_name = "NAME", default_value = Tenant::DEFAULT, value_parser = tenant)]
    tenant: Tenant,
    /// When it expires: with an offset, or from now, such as +90d
    #[arg(long, value_name = "WHEN", value_parser = expiry)]
    expires: Option<Timestamp>,
    /// A sender that it may use, in E.164; may be repeated [default: all]
    #[arg(long, value_name = "NUMBER", value_parser = sender)]
    sender: Vec<Phone>,
    /// A document that it may order; may be repeated [default: all]
    #[arg(long, value_name = "NAME")]
    document: Vec<String>,
    /// API requests per second, 1 to 100000 [default: no limit]
    #[arg(long, value_name = "COUNT", value_parser = |text: &str| count(text, 100_000))]
    requests_per_second: Option<u32>,
    /// Callbacks that it may order in any 24 hours, 1 to 100000000 [default: no limit]
    #[arg(long, value_name = "COUNT", value_parser = |text: &str| count(text, 100_000_000))]
    orders_per_day: Option<u32>,
    /// Calls in any 24 hours for its callbacks and those of all tokens of its name, 1 to 100000000 [default: no limit]
    #[arg(long, value_name = "COUNT", value_parser = |text: &str| count(text, 100_000_000))]
    calls_per_day: Option<u32>,
    /// Permission requests in any 24 hours for the same callbacks, 1 to 100000000 [default: no limit]
    #[arg(long, value_name = "COUNT", value_parser = |text: &str| count(text, 100_000_000))]
    requests_per_day: Option<u32>,
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
        format!("expected one or more of {names}, such as --scope order,read")
    })
}

fn tenant(text: &str) -> Result<Tenant, String> {
    text.parse().map_err(|error| format!("{error}, such as --tenant shop"))
}

fn sender(text: &str) -> Result<Phone, String> {
    phone(text).map_err(|error| format!("{error}; such as --sender +551151991234"))
}

fn expiry(text: &str) -> Result<Timestamp, String> {
    let at = moment(text)?;
    if at <= SystemClock.now() {
        return Err("expected a time in the future, such as +90d".to_owned());
    }
    Ok(at)
}

fn count(text: &str, max: u32) -> Result<u32, String> {
    let given = text.parse().ok().filter(|count| (1..=max).contains(count));
    given.ok_or_else(|| format!("expected a whole number from 1 to {max}, such as 1000"))
}

impl Create {
    /// The stored token.
    fn token(&self, hash: [u8; 32], config: &Config) -> anyhow::Result<Token> {
        let configured =
            |number: &Phone| config.accounts.values().any(|account| account.senders.contains_key(number));
        if let Some(place) = self.sender.iter().position(|number| !configured(number)) {
            return refusal(
                format!("--sender: number {} is not a sender in the configuration", place + 1),
                ["give a sender of accounts.<alias>.senders, such as --sender +551151991234"],
            );
        }
        if !self.document.is_empty() {
            let library = daemon::documents(config)?;
            if let Some(unknown) = self.document.iter().find(|name| library.document(name).is_none()) {
                return refusal(
                    format!("--document: there is no document {unknown:?}"),
                    ["\"ringmaster twiml list\" lists them"],
                );
            }
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
                calls_per_day: self.calls_per_day,
                requests_per_day: self.requests_per_day,
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
            .context("the token cannot be stored")
            .hint("the store is the file at store.path, or the database at store.url; the token was not created")?;
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
        "calls_per_day": token.limits.calls_per_day,
        "requests_per_day": token.limits.requests_per_day,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "mark": mark(token),
    })
}

/// The limits of the token, in one cell.
fn limits(token: &Token) -> String {
    let senders: Vec<String> = token.senders.iter().map(|sender| sender.e164()).collect();
    let limits = [
        (!senders.is_empty()).then(|| format!("from {}", senders.join(" "))),
        (!token.documents.is_empty()).then(|| format!("documents {}", token.documents.join(" "))),
        token.limits.requests_per_second.map(|count| format!("{count} requests/s")),
        token.limits.orders_per_day.map(|count| format!("{count} orders/day")),
        token.limits.calls_per_day.map(|count| format!("{count} calls/day")),
        token.limits.requests_per_day.map(|count| format!("{count} permission requests/day")),
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
            [] => refusal("the token does not exist", ["ringmaster token list shows the tokens"]),
            [_, _, ..] if !self.all => refusal(
                format!("there are {} tokens of that name", tokens.len()),
                tokens
                    .iter()
                    .map(|token| format!("--mark {} revokes the one of {}", mark(token), token.created_at))
                    .chain(["--all revokes all of them".to_owned()]),
            ),
            tokens => {
                for token in tokens {
                    store.revoke(&token.name, token.hash)?;
                    writeln!(out, "{} {} is revoked", token.name, mark(token))?;
                }
                Ok(())
            }
        }
    }
}

/// Eight digits of the hash. They distinguish tokens and give no access.
fn mark(token: &Token) -> String {
    token.hash[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The store of a daemon, which may be running, and a runtime for it.
struct TokenStore {
    store: SqlStore,
    runtime: tokio::runtime::Runtime,
}

impl TokenStore {
    fn open(config: &Config) -> anyhow::Result<Self> {
        let store = open_store(&config.store, Access::Beside, &Options::default())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { store, runtime })
    }

    fn keep(&self, token: Token) -> anyhow::Result<()> {
        let what =
            (token.name.clone(), "token.create", format!("tenant {}, scopes {}", token.tenant, token.scopes));
        Ok(self.runtime.block_on(audited(entry(what), self.store.create_token(token)))?)
    }

    fn tokens(&self) -> anyhow::Result<Vec<Token>> {
        Ok(self.runtime.block_on(self.store.tokens())?)
    }

    fn revoke(&self, name: &str, hash: [u8; 32]) -> anyhow::Result<bool> {
        Ok(self.runtime.block_on(audited(
            entry((name.to_owned(), "token.revoke", String::new())),
            self.store.revoke_token(hash),
        ))?)
    }
}

/// The entry of the audit log about a token.
fn entry((name, what, after): (String, &str, String)) -> Arc<PendingAudit> {
    let entry = AuditEntry::new(SystemClock.now(), "machine", Way::Machine, what);
    PendingAudit::new(AuditEntry { object: Some(name), after: (!after.is_empty()).then_some(after), ..entry })
}

/// 256 random bits.
pub(super) fn random() -> anyhow::Result<[u8; 32]> {
    let mut random = [0; 32];
    let provider = rustls::crypto::ring::default_provider();
    let filled = provider.secure_random.fill(&mut random);
    filled.map_err(|_| anyhow::anyhow!("the system has no random numbers"))?;
    Ok(random)
}
