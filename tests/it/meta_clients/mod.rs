//! Tests of the sandbox's face of the Graph API with clients of others, and of our own bodies with JSON schemas.
//!
//! The clients are `@kapso/whatsapp-cloud-api` for Node and `pywa` for Python. No library knows `payload`, the
//! `ttl_minutes` of a template, and Messenger's `audio_call`: for these there are schemas, written from Meta's pages. Each
//! body is checked by its schema and by the sandbox, and both have to agree. `tests/clients/install.sh` installs
//! everything.

mod bodies;

use std::path::PathBuf;
use std::sync::Arc;

use ringmaster::clock::SystemClock;
use ringmaster::domain::Phone;
use ringmaster::sim::world::{
    AppSetup, BusinessAccountSetup, NumberSetup, PageSetup, Report, Setup, Span, TemplateSetup,
};
use ringmaster::sim::{Sandbox, World};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clients::{Script, path};

const APP: &str = "202600000000001";
const SECRET: &str = "the-secret-of-the-app";
const TOKEN: &str = "the-token-of-the-app";
const NUMBER: &str = "106540352242922";
const ACCOUNT: &str = "102290129340398";
const PAGE: &str = "1234567890";
const PAGE_TOKEN: &str = "the-token-of-the-page";
const SENDER: &str = "+551140000000";
/// The ending 01 means that the consumer grants and talks.
const CONSUMER: &str = "+5511987650001";
/// Who gets our own bodies.
const OTHER: &str = "+5511987650003";

fn phone(number: &str) -> Phone {
    Phone::parse(number).unwrap()
}

fn template(name: &str, components: Value) -> TemplateSetup {
    TemplateSetup { name: name.into(), language: "en".into(), category: "UTILITY".into(), components }
}

fn quick_world() -> World {
    let number = NumberSetup::new(NUMBER, phone(SENDER));
    let mut account = BusinessAccountSetup::new(ACCOUNT, vec![number]);
    account.templates.push(template("plain", json!([{"type": "BODY", "text": "Hello"}])));
    account.templates.push(template("ours", bodies::template()));
    let mut app = AppSetup::new(APP, SECRET, TOKEN);
    app.business_accounts.push(account);
    app.pages.push(PageSetup::new(PAGE, PAGE_TOKEN));
    let mut setup = Setup::new(11, Vec::new());
    setup.graph.apps.push(app);
    let timing = &mut setup.timing;
    timing.agent_answers = Span(5, 20);
    timing.talk = Span(1_500, 2_000);
    timing.message_step = Span(5, 20);
    timing.reply = Span(5, 20);
    timing.call_in = Span(5, 20);
    timing.batch_ms = 10;
    timing.review_ms = 0;
    World::new(setup)
}

/// Runs a check against a new sandbox, and returns the world's report.
async fn check(script: Script) -> Report {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    let sandbox = Sandbox::new(quick_world(), Arc::new(SystemClock), shutdown.clone());
    let server = tokio::spawn(sandbox.clone().serve(listener));
    let psid = sandbox.with(|world, now| {
        assert!(world.consumer_writes_to_page(now, PAGE, phone(OTHER), "hello"));
        world.psid(PAGE, phone(OTHER)).unwrap()
    });
    let folder = tempfile::tempdir().unwrap();
    let ours: PathBuf = folder.path().join("ours.json");
    std::fs::write(&ours, bodies::all(&psid).to_string()).unwrap();
    script
        .arg("--base", &base)
        .arg("--app", APP)
        .arg("--secret", SECRET)
        .arg("--token", TOKEN)
        .arg("--number", NUMBER)
        .arg("--account", ACCOUNT)
        .arg("--sender", SENDER)
        .arg("--consumer", CONSUMER)
        .arg("--page", PAGE)
        .arg("--page-token", PAGE_TOKEN)
        .arg("--ours", &ours)
        .succeeds()
        .await;
    let report = sandbox.report();
    shutdown.cancel();
    server.await.unwrap().unwrap();
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kapsos_client_works_with_the_sandbox_and_our_bodies_fit_the_schemas() {
    let report = check(Script::node("meta.mjs", "@kapso/whatsapp-cloud-api")).await;
    assert_eq!(report.counts.webhooks_refused, 0, "{report:?}");
    assert_eq!(report.counts.handshakes, 1, "{report:?}");
    assert!(report.counts.notes >= 4, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pywa_works_with_the_sandbox() {
    let python = path("RINGMASTER_PYTHON", "target/clients/venv/bin/python");
    let report = check(Script::new(python, "python/meta.py")).await;
    assert_eq!(report.counts.webhooks_refused, 0, "{report:?}");
    assert_eq!(report.counts.handshakes, 1, "{report:?}");
}
