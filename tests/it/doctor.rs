//! The setup of a sender at the simulated Twilio: activated, examined, in the way of another program, and killed between
//! two steps.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use async_trait::async_trait;
use jiff::SignedDuration;
use ringmaster::config::Config;
use ringmaster::domain::Phone;
use ringmaster::hook_urls::SenderUrls;
use ringmaster::onboarding::{
    Activated, Code, Deactivated, Examined, Finding, Order, Refused, Severity, Verdict, activate, deactivate,
    examine, voice,
};
use ringmaster::sim::world::{AccountSetup, ContentSetup, SenderSetup, Setup};
use ringmaster::sim::{InProcess, World};
use ringmaster::twilio::{
    Account, Basic, Client, Created, NewApplication, Request, Response, Transport, TransportError,
};

use crate::content::{Jumping, configured as program, sandbox};
use crate::harness::process::Program;

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const ASK: &str = "HX00000000000000000000000000000001";
const PUBLIC: &str = "https://calls.example.com";
const SENDER: &str = "+551151991234";
const FLOW: &str = "https://webhooks.twilio.com/v1/Accounts/AC00000000000000000000000000000001/Flows/FW00000000000000000000000000000001";

fn sender() -> Phone {
    Phone::parse(SENDER).unwrap()
}

/// Notes the methods of all requests.
struct Noting {
    inner: InProcess,
    methods: Arc<Mutex<Vec<String>>>,
    /// How many more requests are answered.
    left: Mutex<usize>,
}

#[async_trait]
impl Transport for Noting {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.methods.lock().unwrap().push(request.method.to_string());
        let answer = self.inner.send(request).await;
        let is_alive = {
            let mut left = self.left.lock().unwrap();
            let is_alive = *left > 0;
            *left = left.saturating_sub(1);
            is_alive
        };
        if is_alive { answer } else { std::future::pending().await }
    }
}

/// A bare account: a sender without calls and without a webhook.
struct Bare {
    world: Arc<Mutex<World>>,
    clock: Jumping,
    methods: Arc<Mutex<Vec<String>>>,
    urls: SenderUrls,
    config: Config,
    asks_at_meta: BTreeSet<Phone>,
}

impl Bare {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut SenderSetup)) -> Self {
        let mut account = AccountSetup::new(ACCOUNT, "secret");
        let mut setup = SenderSetup { is_voice_on: false, ..SenderSetup::new(sender()) };
        change(&mut setup);
        account.senders.push(setup);
        account.contents.push(ContentSetup::permission_request(ASK, true));
        let world = Arc::new(Mutex::new(World::new(Setup::new(5, vec![account]))));
        let config = format!(
            "[http]\npublic_url = \"{PUBLIC}\"\n[accounts.main]\naccount_sid = \"{ACCOUNT}\"\n\
             api_key_sid = \"SK00000000000000000000000000000001\"\n[accounts.main.senders.\"{SENDER}\"]\n\
             permission_request_template_sid = \"{ASK}\"\n"
        );
        let variables = [
            ("RINGMASTER_ACCOUNTS__MAIN__API_KEY_SECRET", "secret"),
            ("RINGMASTER_ACCOUNTS__MAIN__AUTH_TOKEN", "secret"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            world,
            clock: Jumping::at("2026-11-20T12:00:00Z"),
            methods: Arc::default(),
            urls: SenderUrls::below(PUBLIC),
            config: configured(&config, variables),
            asks_at_meta: BTreeSet::new(),
        }
    }

    fn client_that_dies_after(&self, left: usize, password: &str) -> Client {
        let inner = InProcess::new(self.world.clone(), self.clock.0.clone());
        let transport = Noting { inner, methods: self.methods.clone(), left: Mutex::new(left) };
        let auth = Basic::new(ACCOUNT, password.to_owned());
        Client::new(Arc::new(transport), Account::new(ACCOUNT, auth))
    }

    fn client(&self) -> Client {
        self.client_that_dies_after(usize::MAX, "secret")
    }

    fn order(&self) -> Order<'_> {
        let patience = SignedDuration::from_secs(60);
        Order { number: sender(), urls: &self.urls, may_replace: false, patience }
    }

    async fn activate(&self) -> Result<Activated, Refused> {
        activate(&self.client(), self.order(), &self.clock).await
    }

    async fn examined_with(&self, client: &Client, urls: &SenderUrls) -> Vec<Finding> {
        let (alias, account) = self.config.accounts.iter().next().unwrap();
        let folder = ringmaster::content::Folder::default();
        let public_url = self.config.http.public_url.url();
        let asks_at_meta = &self.asks_at_meta;
        let examined = Examined { alias, account, folder: &folder, public_url, urls, asks_at_meta };
        examine(client, &examined, &self.clock).await
    }

    async fn examined(&self) -> Vec<Finding> {
        self.examined_with(&self.client(), &self.urls).await
    }

    /// Gives the sender the application of another program.
    async fn taken_by(&self, name: &str, voice_url: &str) -> String {
        let new = NewApplication {
            friendly_name: name.to_owned(),
            voice_url: voice_url.to_owned(),
            status_callback: String::new(),
        };
        let Created::Accepted(made) = self.client().create_application(&new).await else { panic!("created") };
        let all = self.client().list_senders().await.unwrap();
        let sid = all[0].sid.clone().unwrap();
        self.client().set_voice_application(&sid, Some(&made.sid)).await.unwrap();
        made.sid
    }
}

fn configured(text: &str, variables: [(String, String); 2]) -> Config {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Config::load(Some(file.path()), variables.into_iter()).unwrap()
}

fn codes(found: &[Finding]) -> Vec<Code> {
    found.iter().map(|finding| finding.code).collect()
}

fn wrong(found: &[Finding]) -> Vec<Code> {
    let is_wrong = |code: &Code| code.kind().severity != Severity::Hint;
    codes(found).into_iter().filter(is_wrong).collect()
}

#[tokio::test]
async fn a_bare_sender_is_activated_once_and_then_nothing_is_found() {
    let bare = Bare::new();
    let before = bare.examined().await;
    assert_eq!(wrong(&before), [Code::MessagesUnset, Code::VoiceOff]);
    assert_eq!(Verdict::of(&before).exit_code(), 2);
    let done = bare.activate().await.unwrap();
    assert!(done.is_created && done.is_webhook_set && !done.was_active, "{done:?}");
    let after = bare.examined().await;
    assert_eq!(codes(&after), [Code::Manager], "{after:?}");
    assert_eq!(Verdict::of(&after).exit_code(), 0);
    let again = bare.activate().await.unwrap();
    assert!(again.was_active && !again.is_created && !again.is_webhook_set, "{again:?}");
    assert_eq!(again.application, done.application);
    assert_eq!(bare.client().applications_named(voice::NAME).await.unwrap().len(), 1);
    let cleared = deactivate(&bare.client(), bare.order(), &bare.clock).await.unwrap();
    assert_eq!(cleared, Deactivated::Cleared(done.application.clone()));
    let again = deactivate(&bare.client(), bare.order(), &bare.clock).await.unwrap();
    assert_eq!(again, Deactivated::WasOff);
    let reused = bare.activate().await.unwrap();
    assert!(!reused.is_created, "the application that is there is used");
    assert_eq!(reused.application, done.application);
}

#[tokio::test]
async fn an_examination_sends_nothing_but_reads() {
    let bare = Bare::new();
    bare.activate().await.unwrap();
    bare.methods.lock().unwrap().clear();
    bare.examined().await;
    let methods = bare.methods.lock().unwrap();
    assert!(methods.len() >= 5 && methods.iter().all(|method| method == "GET"), "{methods:?}");
}

#[tokio::test]
async fn a_kill_after_any_request_leaves_one_application_and_the_next_run_continues() {
    // The senders, the applications, the create, the applications again, two changes, and the sender.
    for survived in 0..7 {
        let bare = Bare::new();
        let client = bare.client_that_dies_after(survived, "secret");
        let mut run = Box::pin(activate(&client, bare.order(), &bare.clock));
        let is_over = std::future::poll_fn(|cx| Poll::Ready(run.as_mut().poll(cx).is_ready())).await;
        assert!(!is_over, "{survived}: the run was not killed");
        drop(run);
        bare.activate().await.unwrap();
        assert_eq!(bare.client().applications_named(voice::NAME).await.unwrap().len(), 1, "{survived}");
        assert_eq!(codes(&bare.examined().await), [Code::Manager], "{survived}");
    }
}

#[tokio::test]
async fn the_application_of_another_program_is_replaced_only_if_that_is_asked_for() {
    for (name, url, code) in [
        ("Support flow", FLOW, Code::VoiceStudio),
        ("Flex Voice", FLOW, Code::VoiceFlex),
        ("another", "https://other.example.com/voice", Code::VoiceUrl),
    ] {
        let bare = Bare::with(|sender| sender.message_url = Some(format!("{PUBLIC}/hooks/messages")));
        let theirs = bare.taken_by(name, url).await;
        assert_eq!(wrong(&bare.examined().await), [code], "{name}");
        let refused = bare.activate().await.unwrap_err();
        assert!(matches!(&refused, Refused::Foreign { sid, .. } if *sid == theirs), "{name}: {refused:?}");
        let refused = deactivate(&bare.client(), bare.order(), &bare.clock).await.unwrap_err();
        assert!(matches!(refused, Refused::Foreign { .. }), "{name}");
        assert_eq!(wrong(&bare.examined().await), [code], "{name}: nothing was changed");
        let order = Order { may_replace: true, ..bare.order() };
        let done = activate(&bare.client(), order, &bare.clock).await.unwrap();
        assert_eq!(done.replaced.as_deref(), Some(&*theirs), "{name}");
        assert_eq!(wrong(&bare.examined().await), [], "{name}");
        assert_eq!(bare.client().fetch_application(&theirs).await.unwrap().voice_url, url, "{name}");
    }
}

#[tokio::test]
async fn a_missing_status_callback_is_a_fault_that_activate_mends_without_replace() {
    let bare = Bare::with(|sender| {
        sender.is_voice_on = true;
        sender.voice_url = Some(format!("{PUBLIC}/hooks/inbound"));
        sender.message_url = Some(format!("{PUBLIC}/hooks/messages#rc=3&rp=ct,rt,5xx"));
    });
    assert_eq!(codes(&bare.examined().await), [Code::Fragment, Code::VoiceStatus, Code::Manager]);
    let done = bare.activate().await.unwrap();
    assert!(done.is_created && done.replaced.is_some() && !done.is_webhook_set);
    assert_eq!(codes(&bare.examined().await), [Code::Manager]);
}

#[tokio::test]
async fn a_webhook_of_another_program_is_kept_and_told() {
    let theirs = "https://other.example.com/inbox?token=secret-of-theirs";
    let bare = Bare::with(|sender| sender.message_url = Some(theirs.to_owned()));
    let found = bare.examined().await;
    assert_eq!(wrong(&found), [Code::MessagesUrl, Code::VoiceOff]);
    assert!(found.iter().all(|finding| !finding.detail.contains("secret-of-theirs")), "{found:?}");
    assert!(matches!(bare.activate().await, Err(Refused::ForeignWebhook)));
    assert_eq!(wrong(&bare.examined().await), [Code::MessagesUrl, Code::VoiceOff], "nothing was changed");
    let done =
        activate(&bare.client(), Order { may_replace: true, ..bare.order() }, &bare.clock).await.unwrap();
    assert!(done.is_webhook_set);
    assert_eq!(wrong(&bare.examined().await), []);
}

#[tokio::test]
async fn urls_below_another_public_url_are_a_fault() {
    let bare = Bare::new();
    bare.activate().await.unwrap();
    let moved = SenderUrls::below("https://new.example.com");
    let found = bare.examined_with(&bare.client(), &moved).await;
    assert_eq!(wrong(&found), [Code::MessagesUrl, Code::VoiceUrl]);
}

#[tokio::test]
async fn a_sender_below_the_messaging_limit_is_refused_with_twilios_reason() {
    let bare = Bare::with(|sender| sender.messaging_limit = "1K Customers/24hr");
    assert!(codes(&bare.examined().await).contains(&Code::SenderLimit));
    let refused = bare.activate().await.unwrap_err();
    assert!(refused.to_string().contains("too low for calls"), "{refused}");
}

#[tokio::test]
async fn refused_credentials_end_the_examination() {
    let bare = Bare::new();
    let client = bare.client_that_dies_after(usize::MAX, "another");
    let found = bare.examined_with(&client, &bare.urls).await;
    assert_eq!(codes(&found), [Code::Credentials]);
}

#[tokio::test]
async fn a_sender_without_content_of_requests_is_told_unless_its_number_asks_at_meta() {
    let mut bare = Bare::new();
    bare.activate().await.unwrap();
    let account = bare.config.accounts.values_mut().next().unwrap();
    account.senders.get_mut(&sender()).unwrap().permission_template = None;
    assert_eq!(wrong(&bare.examined().await), [Code::ContentNone]);
    bare.asks_at_meta.insert(Phone::parse("+551140000002").unwrap());
    assert_eq!(wrong(&bare.examined().await), [Code::ContentNone], "another number");
    bare.asks_at_meta.insert(sender());
    assert_eq!(wrong(&bare.examined().await), []);
}

#[tokio::test]
async fn a_deleted_application_and_missing_content_are_told() {
    let mut bare = Bare::new();
    let done = bare.activate().await.unwrap();
    bare.client().delete_application(&done.application).await.unwrap();
    let account = bare.config.accounts.values_mut().next().unwrap();
    account.senders.get_mut(&sender()).unwrap().invite =
        Some("HX00000000000000000000000000000009".parse().unwrap());
    assert_eq!(wrong(&bare.examined().await), [Code::VoiceGone, Code::ContentMissing]);
    let done = bare.activate().await.unwrap();
    assert!(done.is_created, "a deleted application is no use");
}

#[test]
fn the_commands_lead_from_a_sender_of_another_program_to_no_finding() {
    let (address, shutdown) = sandbox();
    let program = program(&address, "permission_request_content = \"ask\"");
    let before = program.run(&["doctor"]);
    assert_eq!(before.code, Some(2), "{}{}", before.out, before.err);
    for code in ["content.missing", "voice.url", "messages.unset"] {
        assert!(before.out.contains(&format!(": {code}: ")), "{code}: {}", before.out);
    }
    let refused = program.run(&["sender", "activate"]).error();
    assert!(refused.contains("not ours") && refused.contains("--replace"), "{refused}");
    let said = program.run(&["sender", "activate", "--replace"]).output();
    assert!(said.contains("calls are active with a new application: AP"), "{said}");
    assert!(program.run(&["sender", "activate"]).output().contains("calls were active"));
    assert!(program.run(&["sender", "list"]).output().contains("ONLINE"));
    program.run(&["content", "apply"]).output();
    let after = program.run(&["doctor", "--json"]).output();
    let after: serde_json::Value = serde_json::from_str(&after).unwrap();
    assert_eq!(after["verdict"], "good", "{after:#}");
    let findings = after["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["severity"] == "hint"), "{after:#}");
    let config = std::fs::read_to_string(program.path().join("ringmaster.toml")).unwrap();
    let without = config.replace("permission_request_content = \"ask\"", "");
    let program = program.file("ringmaster.toml", without);
    assert_eq!(program.run(&["doctor"]).code, Some(1), "no content is a warning");
    shutdown.cancel();
}

#[test]
fn content_that_is_not_declared_is_told_so_because_it_cannot_be_applied() {
    let (address, shutdown) = sandbox();
    let program = program(&address, "permission_request_template = \"mispelt\"\ninvite_content = \"invite\"");
    program.run(&["sender", "activate", "--replace"]).output();
    program.run(&["content", "apply"]).output();
    let told = |program: &Program| {
        let told = program.run(&["doctor", "--json"]);
        assert_eq!(told.code, Some(2), "{}{}", told.out, told.err);
        let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
        let found = told["findings"].as_array().unwrap().clone();
        found.into_iter().filter(|finding| finding["severity"] == "fault").collect::<Vec<_>>()
    };
    let faults = told(&program);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert_eq!(faults[0]["code"], "content.undeclared");
    assert_eq!(faults[0]["detail"], "permission_request_template = \"mispelt\"");
    assert!(faults[0]["mend"].as_str().unwrap().starts_with("Declare it"), "{faults:#?}");
    // A file with a fault is no declaration, and cannot be applied either.
    let program = program.file("content/mispelt.toml", "name = \"mispelt\"\ntype = \"twilio/none\"\n");
    let faults = told(&program);
    let codes: Vec<_> = faults.iter().map(|fault| &fault["code"]).collect();
    assert_eq!(codes, ["content.broken"], "{faults:#?}");
    shutdown.cancel();
}

#[test]
fn a_number_of_the_cloud_api_has_no_voice_application() {
    let meta = "permission_request_content = \"ask\"\n[meta.cloud]\nnumber = \"+551151991234\"\n\
                phone_number_id = \"106540352242922\"\nbusiness_account_id = \"102290129340398\"\n";
    let program = program("127.0.0.1:9", meta)
        .with("RINGMASTER_META__CLOUD__TOKEN", "EAAx")
        .with("RINGMASTER_META__CLOUD__APP_SECRET", "0123456789abcdef0123456789abcdef")
        .with("RINGMASTER_META__CLOUD__VERIFY_TOKEN", "v");
    for word in ["activate", "deactivate"] {
        let refused = program.run(&["sender", word, "+551151991234"]).error();
        assert!(refused.contains("the sender is one of [meta.cloud]"), "{refused}");
        let unknown = program.run(&["sender", word, "+551151990000"]).error();
        assert!(unknown.contains("the configuration has no such sender"), "{unknown}");
    }
}

#[test]
fn the_page_about_findings_has_them_all() {
    const PAGE: &str = "docs/DOCTOR.md";
    let row = |code: &Code| {
        let kind = code.kind();
        format!(
            "| `{}` | {} | {} | {} | {} |\n",
            kind.code,
            kind.severity.as_str(),
            kind.what,
            kind.why,
            kind.mend.replace('|', "\\|")
        )
    };
    let table: String = Code::ALL.iter().map(row).collect();
    let page = std::fs::read_to_string(PAGE).unwrap();
    let head = "| code | severity | what | why | what mends it |\n|---|---|---|---|---|\n";
    let (before, rest) = page.split_once(head).unwrap();
    let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
    let expected = format!("{before}{head}{table}\n{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, &expected).unwrap();
    } else {
        assert!(page == expected, "{PAGE} is out of date: run the tests with UPDATE_DOCS=1");
    }
    let mut seen: Vec<&str> = Code::ALL.iter().map(|code| code.kind().code).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), Code::ALL.len(), "a code is used once");
}
