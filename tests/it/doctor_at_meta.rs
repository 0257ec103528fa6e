//! `doctor` at the simulated Meta: numbers of WhatsApp's Cloud API and pages of Messenger, each fault by itself, and the
//! command against the sandbox.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use ringmaster::clock::Clock as _;
use ringmaster::config::{Config, Secret};
use ringmaster::content::Folder;
use ringmaster::domain::{AccountAlias, Phone, RoadKind};
use ringmaster::hook_urls::of_number;
use ringmaster::meta::{Graph, GraphAccount};
use ringmaster::onboarding::{
    Code, ExaminedNumber, ExaminedPage, Finding, Severity, examine_number, examine_page,
};
use ringmaster::sim::world::{Restriction, Setup};
use ringmaster::sim::{InProcess, World};
use ringmaster::simulation::{AtMessenger, CLOUD, Cloud, Fixture, PAGE, fixture};

use crate::content::Jumping;
use crate::harness::process::with_sandbox_of;

const NUMBER: &str = "+551140000009";
const ROADS: [RoadKind; 4] =
    [RoadKind::CallButton, RoadKind::Template, RoadKind::UrlButton, RoadKind::DeepLink];

const TEMPLATE: &str = "name = \"please_call\"\nlanguage = \"en\"\ncategory = \"UTILITY\"\n\
    approval = \"whatsapp\"\ntype = \"meta/template\"\nbody = \"Please call us about your request.\"\n\
    [[actions]]\ntype = \"VOICE_CALL\"\ntitle = \"Call now\"\n";
const BUTTON: &str = "name = \"call_the_page\"\nlanguage = \"en\"\napproval = \"none\"\n\
    type = \"messenger/button\"\nbody = \"Call us when it suits you.\"\n\
    [[actions]]\ntype = \"AUDIO_CALL\"\ntitle = \"Call now\"\n";

/// What is configured and what is at Meta.
struct Stage {
    config: Config,
    setup: Setup,
    folder: tempfile::TempDir,
}

type Change = fn(&mut Stage);

impl Stage {
    /// A number and a page without a fault.
    fn new(roads: &[RoadKind]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let with = Fixture { senders: 1, ..Fixture::default() };
        let (mut config, mut setup) = fixture(&with);
        let cloud = Cloud { roads: roads.to_vec(), ..Cloud::new(Phone::parse(NUMBER).unwrap()) };
        cloud.add(&with, (&mut config, &mut setup), folder.path()).unwrap();
        AtMessenger::default().add(&with, (&mut config, &mut setup), folder.path()).unwrap();
        Self { config, setup, folder }
    }

    fn meta(&mut self) -> &mut ringmaster::config::Meta {
        self.config.meta.get_mut(CLOUD).unwrap()
    }

    fn page(&mut self) -> &mut ringmaster::config::Messenger {
        self.config.messenger.get_mut(PAGE).unwrap()
    }

    /// The findings about the number and about the page, without hints.
    async fn examined(&self) -> (Vec<Code>, Vec<Code>) {
        self.examined_after(|_, _| {}).await
    }

    /// The same, after something happened at Meta.
    async fn examined_after(&self, happens: impl FnOnce(&mut World, Timestamp)) -> (Vec<Code>, Vec<Code>) {
        let clock = Jumping::at("2026-11-23T12:00:00Z");
        let mut world = World::new(self.setup.clone());
        happens(&mut world, clock.now());
        let world = Arc::new(Mutex::new(world));
        let graph = |token: &str| {
            let transport = Arc::new(InProcess::new(world.clone(), clock.0.clone()));
            Graph::new(transport, GraphAccount::new("http://graph.example", "v25.0", token))
        };
        let folder = Folder::load(self.folder.path()).unwrap();
        let (meta, page) = (&self.config.meta[CLOUD], &self.config.messenger[PAGE]);
        let alias = AccountAlias::from(CLOUD);
        let webhook = of_number(self.config.http.public_url.as_str(), &alias);
        let examined = ExaminedNumber { alias: &alias, meta, folder: &folder, webhook: &webhook };
        let number = examine_number(&graph(meta.token.expose()), &examined, &clock).await;
        let alias = AccountAlias::from(PAGE);
        let examined = ExaminedPage { alias: &alias, page, folder: &folder };
        let page = examine_page(&graph(page.token.expose()), &examined, &clock).await;
        (wrong(&number), wrong(&page))
    }
}

fn wrong(found: &[Finding]) -> Vec<Code> {
    let codes = found.iter().map(|finding| finding.code);
    codes.filter(|code| code.kind().severity != Severity::Hint).collect()
}

#[tokio::test]
async fn a_number_and_a_page_without_a_fault_have_none() {
    assert_eq!(Stage::new(&ROADS).examined().await, (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn each_fault_of_a_number_is_found_by_itself() {
    let cases: [(Change, &[Code]); 10] = [
        (|it| it.meta().token = Secret::new("another"), &[Code::MetaToken]),
        (|it| it.meta().phone_number_id = "1".to_owned(), &[Code::MetaNumber]),
        (|it| it.meta().number = Phone::parse("+551140000008").unwrap(), &[Code::MetaOther]),
        (|it| it.meta().business_account_id = "1".to_owned(), &[Code::MetaAccount, Code::Unread]),
        (|it| it.meta().contents.clear(), &[Code::MetaNoContent]),
        (
            |it| it.setup.graph.apps[0].webhook_url = Some("https://other.example/hooks".to_owned()),
            &[Code::MetaWebhook],
        ),
        (|it| it.setup.graph.apps[0].is_checked = false, &[Code::MetaUnsubscribed]),
        (
            |it| it.setup.graph.apps[0].business_accounts[0].numbers[0].is_calling_on = false,
            &[Code::MetaCallsOff],
        ),
        (|it| it.setup.graph.apps[0].business_accounts[0].templates.clear(), &[Code::ContentMissing]),
        (
            |it| {
                let number = &mut it.setup.graph.apps[0].business_accounts[0].numbers[0];
                number.webhook_url = Some("https://other.example/hooks".to_owned());
            },
            &[Code::MetaWebhook],
        ),
    ];
    for (index, (change, expected)) in cases.into_iter().enumerate() {
        let mut stage = Stage::new(&ROADS);
        change(&mut stage);
        assert_eq!(stage.examined().await, (expected.to_vec(), Vec::new()), "case {index}");
    }
}

#[tokio::test]
async fn the_url_of_the_number_goes_before_that_of_the_app() {
    let mut stage = Stage::new(&ROADS);
    let app = &mut stage.setup.graph.apps[0];
    let ours = app.webhook_url.replace("https://other.example/hooks".to_owned());
    app.business_accounts[0].numbers[0].webhook_url = ours;
    assert_eq!(stage.examined().await, (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_number_that_only_opens_pages_needs_no_calls() {
    let mut stage = Stage::new(&[RoadKind::UrlButton]);
    stage.setup.graph.apps[0].business_accounts[0].numbers[0].is_calling_on = false;
    assert_eq!(stage.examined().await, (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_restriction_is_found_while_it_lasts() {
    let stage = Stage::new(&ROADS);
    let account = stage.setup.graph.apps[0].business_accounts[0].id.clone();
    let restricted = |until: i64| {
        let account = account.clone();
        move |world: &mut World, now: Timestamp| {
            let until = Some(now + SignedDuration::from_secs(until));
            let kind = "RESTRICTED_BUSINESS_INITIATED_CALLING".to_owned();
            assert!(world.restrict(now, &account, Restriction { kind, until }));
        }
    };
    assert_eq!(stage.examined_after(restricted(60)).await.0, [Code::MetaRestricted]);
    assert_eq!(stage.examined_after(restricted(0)).await.0, []);
}

#[tokio::test]
async fn each_fault_of_a_page_is_found_by_itself() {
    let cases: [(Change, &[Code]); 4] = [
        (|it| it.page().token = Secret::new("another"), &[Code::PageToken]),
        (|it| it.page().page_id = "1".to_owned(), &[Code::PageMissing]),
        (|it| it.page().invite = None, &[Code::PageNoContent]),
        (|it| it.setup.graph.apps[1].pages[0].is_calling_on = false, &[Code::PageCallsOff]),
    ];
    for (index, (change, expected)) in cases.into_iter().enumerate() {
        let mut stage = Stage::new(&ROADS);
        change(&mut stage);
        assert_eq!(stage.examined().await, (Vec::new(), expected.to_vec()), "case {index}");
    }
}

#[test]
fn the_command_finds_what_the_sandbox_lacks_and_then_nothing() {
    let flags = ["--meta", "+442079460009", "--page", "1234567890", "--haste", "1000"];
    let (sandbox, program) = with_sandbox_of(&flags, |line| line.contains("Its road names"));
    let found = program.run(&["doctor", "--json"]);
    assert_eq!(found.code, Some(1), "{}{}", found.out, found.err);
    let told: serde_json::Value = serde_json::from_str(&found.out).unwrap();
    let warnings: Vec<&str> = told["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["severity"] != "hint")
        .map(|finding| finding["code"].as_str().unwrap())
        .collect();
    assert_eq!(warnings, ["meta.no_content", "page.no_content"], "{told:#}");
    std::fs::create_dir(program.path().join("content")).unwrap();
    let config = std::fs::read_to_string(program.path().join("ringmaster.toml")).unwrap();
    let config = config
        .replace("[meta.cloud1]\n", "[meta.cloud1]\ninvite_template = \"please_call\"\n")
        .replace("[messenger.page1]\n", "[messenger.page1]\ninvite = \"call_the_page\"\n");
    let program = program
        .file("ringmaster.toml", config)
        .file("content/please_call.toml", TEMPLATE)
        .file("content/call_the_page.toml", BUTTON);
    program.run(&["content", "apply"]).output();
    program.run(&["content", "status", "--wait"]).output();
    let found = program.run(&["doctor"]);
    assert_eq!(found.code, Some(0), "{}{}", found.out, found.err);
    drop(sandbox);
}
