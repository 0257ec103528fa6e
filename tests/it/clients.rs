//! Tests of the sandbox with Twilio's own clients for Python and Node.
//!
//! `tests/clients/install.sh` installs them, and `RINGMASTER_PYTHON`, `RINGMASTER_NODE` and `RINGMASTER_NODE_MODULES`
//! select others; without them these tests fail. They run in real time, in a world with short delays.

#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use ringmaster::clock::SystemClock;
use ringmaster::domain::Phone;
use ringmaster::sim::world::{AccountSetup, Report, SenderSetup, Setup, Span};
use ringmaster::sim::{Sandbox, World};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

const ACCOUNT: &str = "ACbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const TOKEN: &str = "the-auth-token-of-the-sandbox";
const KEY: &str = "SKcccccccccccccccccccccccccccccccc";
const SECRET: &str = "the-secret-of-the-key";
const SENDER: &str = "+551140000000";
/// The ending 01 means that the consumer grants and talks.
const CONSUMER: &str = "+5511987650001";

/// Far longer than a check takes; stops a check that hangs.
const PATIENCE: Duration = Duration::from_secs(120);

fn quick_world() -> World {
    let mut account = AccountSetup::new(ACCOUNT, TOKEN);
    account.api_keys.push((KEY.to_owned(), SECRET.to_owned()));
    account.senders.push(SenderSetup::new(Phone::parse(SENDER).unwrap()));
    let mut setup = Setup::new(11, vec![account]);
    let timing = &mut setup.timing;
    timing.dialing = Span(5, 20);
    timing.consumer_answers = Span(5, 20);
    timing.agent_answers = Span(5, 20);
    timing.talk = Span(1_500, 2_000);
    timing.message_step = Span(5, 20);
    timing.reply = Span(5, 20);
    timing.review_ms = 0;
    timing.sender_update_ms = 0;
    World::new(setup)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn path(variable: &str, otherwise: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| root().join(otherwise).into_os_string())
}

/// A check in another language, and its arguments.
pub(crate) struct Script(Command);

impl Script {
    /// `file` is below `tests/clients`.
    pub(crate) fn new(program: OsString, file: &str) -> Self {
        let mut command = Command::new(program);
        command.arg(root().join("tests/clients").join(file));
        Self(command)
    }

    /// A script for Node, which needs this package.
    pub(crate) fn node(file: &str, package: &str) -> Self {
        let modules = path("RINGMASTER_NODE_MODULES", "tests/clients/node/node_modules");
        assert!(PathBuf::from(&modules).join(package).is_dir(), "run tests/clients/install.sh first");
        let node = std::env::var_os("RINGMASTER_NODE").unwrap_or_else(|| "node".into());
        Self::new(node, &format!("node/{file}")).arg("--modules", modules)
    }

    pub(crate) fn arg(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.arg(name).arg(value);
        self
    }

    /// Runs it to its end, without a failure.
    pub(crate) async fn succeeds(mut self) {
        let child = self.0.stdin(Stdio::null()).kill_on_drop(true).output();
        let output = tokio::time::timeout(PATIENCE, child).await.expect("the check ends");
        let output = output.unwrap_or_else(|why| panic!("run tests/clients/install.sh first: {why}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Runs a check against a new sandbox, and returns the world's report.
async fn check(script: Script) -> Report {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    let sandbox = Sandbox::new(quick_world(), Arc::new(SystemClock), shutdown.clone());
    let server = tokio::spawn(sandbox.clone().serve(listener));
    script
        .arg("--base", &base)
        .arg("--account", ACCOUNT)
        .arg("--token", TOKEN)
        .arg("--key", KEY)
        .arg("--secret", SECRET)
        .arg("--sender", SENDER)
        .arg("--consumer", CONSUMER)
        .succeeds()
        .await;
    let report = sandbox.report();
    shutdown.cancel();
    server.await.unwrap().unwrap();
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twilios_python_client_works_with_the_sandbox() {
    let python = path("RINGMASTER_PYTHON", "target/clients/venv/bin/python");
    let report = check(Script::new(python, "python/check.py")).await;
    assert!(report.counts.calls_connected >= 2, "{report:?}");
    assert_eq!(report.counts.webhooks_refused, 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twilios_node_client_works_with_the_sandbox() {
    let report = check(Script::node("check.mjs", "twilio")).await;
    assert!(report.counts.calls_connected >= 2, "{report:?}");
    assert_eq!(report.counts.webhooks_refused, 0, "{report:?}");
}
