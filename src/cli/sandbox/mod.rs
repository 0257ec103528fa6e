//! `sandbox`: the simulated Twilio, Meta and WhatsApp as a separate server.
//!
//! Its credentials are not secrets: they only work for the simulation.

mod meta;
mod page;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use url::Url;

use super::failure::{Hint as _, refusal};
use super::stop;
use super::values::{phone, speed};
use crate::clock::{Clock, ScaledClock, SystemClock};
use crate::domain::Phone;
use crate::hook_urls::SenderUrls;
use crate::sim::World;
use crate::sim::world::{AccountSetup, ContentSetup, SenderSetup, Setup};

#[derive(Debug, Args)]
pub(super) struct Sandbox {
    /// The address to listen on; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4010")]
    listen: SocketAddr,
    /// The seed of all random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The speed: how many times faster than real time the world runs. A daemon uses real time and needs the speed 1
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = speed)]
    speed: f64,
    /// How many times shorter the delays of calls, messages and answers are; the clock keeps real time
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = speed)]
    haste: f64,
    /// An account: AC..., then ":" and its auth token, then ":SK...:" and the secret of an API key; absent parts are
    /// generated. May be repeated
    #[arg(long = "account", value_name = "SID", default_value = "AC00000000000000000000000000000001")]
    accounts: Vec<Account>,
    /// A WhatsApp sender, then "@" and the SID of its account (default: the first account). May be repeated
    #[arg(long = "sender", value_name = "NUMBER", default_value = "+442079460000")]
    senders: Vec<Sender>,
    /// A number at WhatsApp's Cloud API, for the [meta] section of a daemon; it may be a sender as well. May be repeated
    #[arg(long = "meta", value_name = "NUMBER", value_parser = phone)]
    numbers: Vec<Phone>,
    /// The id of a page of Messenger, for a [messenger] section of a daemon. May be repeated
    #[arg(long = "page", value_name = "PAGE", value_parser = page::id)]
    pages: Vec<String>,
    /// Senders as after their registration: without webhooks, calls and content
    #[arg(long)]
    bare: bool,
    /// Calls per second of each account
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    calls_per_second: u32,
    /// The daemon's URL, for webhooks of messages and calls that consumers start
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8081")]
    daemon: Url,
}

/// The secret of every app at Meta, with which webhooks are signed.
const APP_SECRET: &str = "sandbox-app-secret";

/// How much earlier than the account's pace a create may arrive. The daemon sends the calls of 50 ms at once, and the
/// first byte up to 250 ms after the commit (`platform::LeaveBy`); the rest is for the network and a busy machine.
const PACE_TOLERANCE_MS: i64 = 500;

/// An account in a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Account {
    sid: String,
    auth_token: String,
    key_sid: String,
    key_secret: String,
}

/// A sender in a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sender {
    number: Phone,
    account: Option<String>,
}

impl FromStr for Account {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(4, ':');
        let sid = sid("AC", parts.next().unwrap_or_default())?;
        let auth_token = parts.next().unwrap_or("sandbox").to_owned();
        let key_sid = match parts.next() {
            Some(text) => self::sid("SK", text)?,
            None => format!("SK{}", &sid[2..]),
        };
        let key_secret = parts.next().unwrap_or("sandbox").to_owned();
        if auth_token.is_empty() || key_secret.is_empty() {
            return Err("an auth token or a secret is empty".to_owned());
        }
        Ok(Self { sid, auth_token, key_sid, key_secret })
    }
}

fn sid(prefix: &str, text: &str) -> Result<String, String> {
    let digits = text.strip_prefix(prefix).unwrap_or_default();
    if digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected {prefix} and 32 hexadecimal digits in lower case"))
    }
}

impl FromStr for Sender {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('@') {
            Some((number, account)) => {
                Ok(Self { number: phone(number)?, account: Some(sid("AC", account)?) })
            }
            None => Ok(Self { number: phone(text)?, account: None }),
        }
    }
}

impl Sandbox {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let setup = self.setup()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("the runtime cannot be started")?;
        runtime.block_on(async {
            let shutdown = stop::on_signal().context("signals cannot be received")?;
            let listener = TcpListener::bind(self.listen)
                .await
                .with_context(|| format!("cannot listen at {}", self.listen))
                .hint("choose another address with --listen; port 0 selects a free port")?;
            let address = listener.local_addr().context("the listener has no address")?;
            out.write_all(self.configuration(address)?.as_bytes())?;
            out.flush()?;
            let clock: Arc<dyn Clock> = if self.speed == 1.0 {
                Arc::new(SystemClock)
            } else {
                Arc::new(ScaledClock::new(SystemClock.now(), self.speed))
            };
            crate::sim::serve(listener, World::new(setup), clock, shutdown)
                .await
                .context("the sandbox failed")
        })
    }

    /// One account with one sender, whose calls and answers are short: for the demo of several nodes.
    pub(in crate::cli) fn hasty(daemon: Url, seed: u64) -> Self {
        let account = Account {
            sid: "AC00000000000000000000000000000001".to_owned(),
            auth_token: "sandbox".to_owned(),
            key_sid: "SK00000000000000000000000000000001".to_owned(),
            key_secret: "sandbox".to_owned(),
        };
        let number = Phone::parse("+442079460000").expect("a number for fiction is one");
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed,
            speed: 1.0,
            haste: 60.0,
            accounts: vec![account],
            senders: vec![Sender { number, account: None }],
            numbers: Vec::new(),
            pages: Vec::new(),
            bare: false,
            calls_per_second: 2,
            daemon,
        }
    }

    /// The first sender, as orders name it.
    pub(in crate::cli) fn first_sender(&self) -> String {
        self.senders.first().map(|sender| sender.number.e164()).unwrap_or_default()
    }

    pub(in crate::cli) fn setup(&self) -> anyhow::Result<Setup> {
        let sids: BTreeSet<&str> = self.accounts.iter().map(|account| account.sid.as_str()).collect();
        if sids.len() < self.accounts.len() {
            return refusal("an account is repeated", ["give each account once"]);
        }
        let numbers: BTreeSet<Phone> = self.senders.iter().map(|sender| sender.number).collect();
        if numbers.len() < self.senders.len() {
            return refusal("a sender is repeated", ["give each sender once"]);
        }
        meta::check(&self.numbers)?;
        page::check(&self.pages)?;
        let stray = self
            .senders
            .iter()
            .find_map(|sender| sender.account.as_deref().filter(|account| !sids.contains(account)));
        if let Some(stray) = stray {
            return refusal(
                format!("there is no account {stray} for its sender"),
                ["give the account with --account too"],
            );
        }
        let accounts = self.accounts.iter().enumerate().map(|(index, account)| self.account(index, account));
        let mut setup = Setup::new(self.seed, accounts.collect());
        setup.graph = meta::setup(&self.numbers, &self.daemon);
        setup.graph.apps.extend(page::apps(&self.pages, &self.daemon));
        setup.timing = setup.timing.hastened(self.haste);
        setup.limits.pace_tolerance_ms = PACE_TOLERANCE_MS;
        // The maximum of an agent's calls is a rule of the daemon, which the sandbox does not know.
        setup.limits.calls_per_agent = usize::MAX;
        // Nor does it know how often a person may be invited.
        setup.limits.invite_gap_hours = 0;
        Ok(setup)
    }

    fn account(&self, index: usize, account: &Account) -> AccountSetup {
        let urls = SenderUrls::below(self.daemon.as_str());
        let set = |url: &String| Some(url.clone()).filter(|_| !self.bare);
        let sender = |sender: &Sender| SenderSetup {
            message_url: set(&urls.messages),
            voice_url: set(&urls.calls),
            voice_status_url: set(&urls.call_status),
            is_voice_on: !self.bare,
            ..SenderSetup::new(sender.number)
        };
        let contents = vec![
            ContentSetup::permission_request(content(index, Content::Request), false),
            ContentSetup::permission_request(content(index, Content::Template), true),
            ContentSetup::invite(content(index, Content::Invite), true),
        ];
        AccountSetup {
            api_keys: vec![(account.key_sid.clone(), account.key_secret.clone())],
            calls_per_second: self.calls_per_second,
            senders: self.senders_of(index).map(sender).collect(),
            contents: if self.bare { Vec::new() } else { contents },
            ..AccountSetup::new(account.sid.clone(), account.auth_token.clone())
        }
    }

    fn senders_of(&self, index: usize) -> impl Iterator<Item = &Sender> {
        let account = &self.accounts[index].sid;
        self.senders.iter().filter(move |sender| match &sender.account {
            Some(sid) => sid == account,
            None => index == 0,
        })
    }

    /// The configuration that a daemon needs for this sandbox.
    pub(in crate::cli) fn configuration(&self, address: SocketAddr) -> Result<String, std::fmt::Error> {
        let mut text = format!("# The sandbox listens at http://{address}. A daemon needs for it:\n");
        for (index, account) in self.accounts.iter().enumerate() {
            // A daemon takes no account without a sender.
            if self.senders_of(index).next().is_none() {
                continue;
            }
            let alias = format!("sandbox{}", index + 1);
            let variable = format!("RINGMASTER_ACCOUNTS__{}", alias.to_uppercase());
            writeln!(text, "# export {variable}__API_KEY_SECRET={}", account.key_secret)?;
            writeln!(text, "# export {variable}__AUTH_TOKEN={}", account.auth_token)?;
            writeln!(text, "\n[accounts.{alias}]")?;
            writeln!(text, "account_sid = \"{}\"\napi_key_sid = \"{}\"", account.sid, account.key_sid)?;
            writeln!(text, "calls_per_second = {}.0", self.calls_per_second)?;
            for api in ["api", "content", "messaging", "monitor", "taskrouter"] {
                writeln!(text, "{api}_url = \"http://{address}\"")?;
            }
            for sender in self.senders_of(index) {
                writeln!(text, "\n[accounts.{alias}.senders.\"{}\"]", sender.number.e164())?;
                if self.bare {
                    continue;
                }
                writeln!(text, "permission_request_content_sid = \"{}\"", content(index, Content::Request))?;
                writeln!(
                    text,
                    "permission_request_template_sid = \"{}\"",
                    content(index, Content::Template)
                )?;
                writeln!(text, "invite_content_sid = \"{}\"", content(index, Content::Invite))?;
            }
        }
        let senders: BTreeSet<Phone> = self.senders.iter().map(|sender| sender.number).collect();
        meta::configure(&mut text, &self.numbers, &senders, address)?;
        page::configure(&mut text, &self.pages, address)?;
        Ok(text)
    }
}

/// The initial world of the accounts.
#[derive(Clone, Copy)]
enum Content {
    Request = 1,
    Template = 2,
    Invite = 3,
}

fn content(account: usize, content: Content) -> String {
    format!("HX{:024}{:08}", account + 1, content as u8)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Config;

    #[test]
    fn the_help_names_every_fault_that_can_be_injected() {
        use clap::CommandFactory as _;
        let faults = serde_json::to_value(crate::sim::world::Faults::default()).unwrap();
        let root = crate::cli::Cli::command();
        let help = root.find_subcommand("sandbox").unwrap().get_long_about().unwrap().to_string();
        for fault in faults.as_object().unwrap().keys() {
            assert!(help.contains(fault), "{fault} is not in the help");
        }
    }

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        sandbox: Sandbox,
    }

    fn sandbox(flags: &[&str]) -> Sandbox {
        Line::try_parse_from([&["sandbox"], flags].concat()).unwrap().sandbox
    }

    const OTHER: &str = "AC0000000000000000000000000000000f";

    #[test]
    fn the_configuration_that_it_prints_is_accepted() {
        let first = "AC0000000000000000000000000000000a:hush";
        let far = format!("+442079460001@{OTHER}");
        let sandbox =
            sandbox(&["--account", first, "--account", OTHER, "--sender", "+442079460000", "--sender", &far]);
        let config = loaded(&sandbox);
        assert_eq!(config.accounts.len(), 2);
        assert_eq!(config.senders().count(), 2);
        let setup = sandbox.setup().unwrap();
        for (account, made) in config.accounts.values().zip(&setup.accounts) {
            assert_eq!(account.account_sid, made.sid);
            assert_eq!(account.senders.len(), made.senders.len());
            assert_eq!(account.auth_tokens().next().unwrap().expose(), made.auth_token);
        }
    }

    /// The configuration that the sandbox prints, as a daemon reads it.
    fn loaded(sandbox: &Sandbox) -> Config {
        let text = sandbox.configuration("127.0.0.1:4010".parse().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ringmaster.toml");
        std::fs::write(&path, &text).unwrap();
        let exports = text.lines().filter_map(|line| line.strip_prefix("# export ")?.split_once('='));
        let exports = exports.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Config::load(Some(&path), exports).unwrap()
    }

    #[test]
    fn the_sections_of_meta_are_accepted_and_match_the_world() {
        let (own, shared) = ("+442079460009", "+442079460000");
        let sandbox = sandbox(&["--meta", own, "--meta", shared, "--daemon", "http://127.0.0.1:8081/rm/"]);
        let config = loaded(&sandbox);
        assert!(!config.meta["cloud1"].shared_number && config.meta["cloud2"].shared_number);
        let setup = sandbox.setup().unwrap();
        let app = &setup.graph.apps[0];
        let numbers = &app.business_accounts[0].numbers;
        for (number, (alias, meta)) in numbers.iter().zip(&config.meta) {
            assert_eq!((number.number, &number.id), (meta.number, &meta.phone_number_id));
            assert_eq!(app.business_accounts[0].id, meta.business_account_id);
            assert_eq!((meta.token.expose(), meta.app_secret.expose()), (&*app.token, &*app.secret));
            let url = format!("http://127.0.0.1:8081/rm/hooks/meta/{alias}");
            assert_eq!(number.webhook_url.as_deref(), Some(&*url));
        }
        let twice = self::sandbox(&["--meta", own, "--meta", own]).setup();
        assert!(twice.unwrap_err().to_string().contains("repeated"));
    }

    #[test]
    fn the_sections_of_messenger_are_accepted_and_match_the_world() {
        let sandbox = sandbox(&["--page", "111", "--page", "222", "--daemon", "http://127.0.0.1:8081/rm/"]);
        let config = loaded(&sandbox);
        let setup = sandbox.setup().unwrap();
        assert_eq!((config.messenger.len(), setup.graph.apps.len()), (2, 2));
        for (app, (alias, own)) in setup.graph.apps.iter().zip(&config.messenger) {
            let page = &app.pages[0];
            assert_eq!((&page.id, &*page.token), (&own.page_id, own.token.expose()));
            assert_eq!(
                (&*app.secret, &*app.verify_token),
                (own.app_secret.expose(), own.verify_token.expose())
            );
            let url = format!("http://127.0.0.1:8081/rm/hooks/messenger/{alias}");
            assert_eq!(app.webhook_url.as_deref(), Some(&*url));
        }
        let twice = self::sandbox(&["--page", "1", "--page", "1"]).setup();
        assert!(twice.unwrap_err().to_string().contains("repeated"));
        let letters = Line::try_parse_from(["sandbox", "--page", "a"]);
        assert!(letters.err().unwrap().to_string().contains("1 to 32 digits"));
    }

    #[test]
    fn a_bare_account_has_a_sender_and_nothing_else() {
        let bare = sandbox(&["--bare"]);
        let text = bare.configuration("127.0.0.1:4010".parse().unwrap()).unwrap();
        assert!(text.contains("senders.\"+442079460000\"]") && !text.contains("_content_sid"), "{text}");
        let account = &bare.setup().unwrap().accounts[0];
        assert!(account.contents.is_empty());
        let sender = &account.senders[0];
        let urls = [&sender.message_url, &sender.voice_url, &sender.voice_status_url];
        assert!(!sender.is_voice_on && urls.iter().all(|url| url.is_none()));
    }

    #[test]
    fn a_sender_of_an_unknown_account_is_refused() {
        let error = sandbox(&["--sender", &format!("+442079460001@{OTHER}")]).setup().unwrap_err();
        assert!(error.to_string().contains(OTHER));
        let twice = sandbox(&["--sender", "+442079460001", "--sender", "+442079460001"]);
        assert_eq!(twice.setup().unwrap_err().to_string(), "a sender is repeated");
    }

    #[test]
    fn haste_shortens_delays_and_does_not_change_limits() {
        let usual = sandbox(&[]).setup().unwrap();
        let hasty = sandbox(&["--haste", "10"]).setup().unwrap();
        assert_eq!((usual.timing.talk.0, hasty.timing.talk.0), (15_000, 1_500));
        assert_eq!((usual.timing.reply.1, hasty.timing.reply.1), (600_000, 60_000));
        let long = |setup: &Setup| setup.timing.long().as_secs();
        assert_eq!((long(&usual), long(&hasty)), (3_600, 360), "paused content is told so");
        assert_eq!((usual.timing.said(9_000), hasty.timing.said(9_000)), (9_000, 900));
        assert_eq!(usual.limits.permission_hours, hasty.limits.permission_hours);
    }

    #[test]
    fn the_missing_parts_of_an_account_are_generated() {
        let account: Account = OTHER.parse().unwrap();
        assert_eq!(account.key_sid, "SK0000000000000000000000000000000f");
        let key = "SK00000000000000000000000000000001";
        let whole: Account = format!("{OTHER}:token:{key}:se:cret").parse().unwrap();
        assert_eq!((whole.key_sid.as_str(), whole.key_secret.as_str()), (key, "se:cret"));
        for wrong in ["AC1", "SK00000000000000000000000000000001", &format!("{OTHER}:")] {
            assert!(wrong.parse::<Account>().is_err(), "{wrong}");
        }
    }
}
