//! Declared content against the simulated world: runs that are killed or lose answers, reviews, and senders by name.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use ringmaster::clock::{Clock, ManualClock};
use ringmaster::content::apply::{Done, apply};
use ringmaster::content::read::read;
use ringmaster::content::{Catalogue, Declaration, Failure, Plan, Status, Step};
use ringmaster::domain::{Phone, Reading};
use ringmaster::sim::world::{AccountSetup, Faults, SenderSetup, Setup};
use ringmaster::sim::{InProcess, Sandbox, World};
use ringmaster::twilio::{Account, Basic, Client, Request, Response, Transport, TransportError};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::harness::process::{Answer, Program, Started};

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const SENDER: &str = "+442079460000";

const ASK: &str = r#"
name = "ask"
language = "en"
approval = "none"
type = "twilio/call-to-action"
body = "May we call you?"
[[actions]]
type = "VOICE_CALL_REQUEST"
title = "Call me"
"#;

fn invite(name: &str) -> String {
    format!(
        "name = \"{name}\"\nlanguage = \"en\"\ncategory = \"UTILITY\"\napproval = \"whatsapp\"\n\
         type = \"whatsapp/card\"\nbody = \"Call us when it suits you.\"\n\
         [[actions]]\ntype = \"VOICE_CALL\"\ntitle = \"Call now\"\nttl_minutes = 1440\n"
    )
}

pub(crate) fn declared(source: &str) -> Declaration {
    read(source).0.expect("the declaration can be read").declaration
}

/// A clock on which every sleep is over at once.
pub(crate) struct Jumping(pub(crate) Arc<ManualClock>);

impl Jumping {
    pub(crate) fn at(start: &str) -> Self {
        Self(Arc::new(ManualClock::new(start.parse().unwrap())))
    }
}

impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn reading(&self) -> Reading {
        self.0.reading()
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.set(at.max(self.0.now()));
        Box::pin(std::future::ready(()))
    }
}

/// An account of the world, without a socket.
struct Stage {
    world: Arc<Mutex<World>>,
    clock: Arc<ManualClock>,
}

impl Stage {
    fn new() -> Self {
        let account = AccountSetup::new(ACCOUNT, "secret");
        let world = Arc::new(Mutex::new(World::new(Setup::new(5, vec![account]))));
        let clock = Arc::new(ManualClock::new("2026-11-20T12:00:00Z".parse().unwrap()));
        Self { world, clock }
    }

    fn client(&self, over: impl FnOnce(InProcess) -> Arc<dyn Transport>) -> Client {
        let transport = over(InProcess::new(self.world.clone(), self.clock.clone()));
        Client::new(transport, Account::new(ACCOUNT, Basic::new(ACCOUNT, "secret".to_owned())))
    }

    fn plain(&self) -> Client {
        self.client(|transport| Arc::new(transport))
    }

    async fn apply(&self, declarations: &[Declaration]) -> Result<Vec<Done>, Failure> {
        let mut all = Vec::new();
        apply(&self.plain(), declarations, &Jumping(self.clock.clone()), |_, done| all.push(done.clone()))
            .await?;
        Ok(all)
    }

    fn pass(&self, by: SignedDuration) {
        self.clock.set(self.clock.now() + by);
    }

    fn set_faults(&self, faults: Faults) {
        self.world.lock().unwrap().set_faults(faults);
    }
}

/// Lets some requests be answered; the answer of the next one never comes, and nothing is sent after it.
pub(crate) struct Dying {
    pub(crate) inner: InProcess,
    pub(crate) left: AtomicUsize,
}

#[async_trait]
impl Transport for Dying {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let answer = self.inner.send(request).await;
        let is_alive =
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if is_alive { answer } else { std::future::pending().await }
    }
}

#[tokio::test]
async fn apply_killed_after_any_request_and_run_twice_leaves_one_of_each() {
    let declarations = [declared(ASK), declared(&invite("invite"))];
    // The list, two creates and a submission.
    for survived in 0..4 {
        let stage = Stage::new();
        let client = stage.client(|inner| Arc::new(Dying { inner, left: AtomicUsize::new(survived) }));
        let clock = Jumping(stage.clock.clone());
        let mut run = Box::pin(apply(&client, &declarations, &clock, |_, _| {}));
        let ended = std::future::poll_fn(|cx| Poll::Ready(run.as_mut().poll(cx).is_ready())).await;
        assert!(!ended, "the run was not killed");
        drop(run);
        let done = stage.apply(&declarations).await.unwrap();
        assert!(done.iter().all(Done::is_good), "{survived}: {done:?}");
        let again = stage.apply(&declarations).await.unwrap();
        assert!(again.iter().all(|done| matches!(done, Done::Unchanged { .. })), "{survived}: {again:?}");
        assert_eq!(stage.plain().list().await.unwrap().len(), 2, "{survived}");
    }
}

#[tokio::test]
async fn lost_answers_and_refusals_of_the_platform_make_no_twins() {
    let declarations = [declared(&invite("invite"))];
    let faults = [
        Faults { drop_answer: 1.0, ..Faults::default() },
        Faults { error_after: 1.0, ..Faults::default() },
        Faults { error_before: 1.0, ..Faults::default() },
        Faults { throttle: 1.0, ..Faults::default() },
        Faults { throttle: 0.5, drop_answer: 0.5, error_before: 0.3, ..Faults::default() },
    ];
    for faults in faults {
        let stage = Stage::new();
        stage.set_faults(faults.clone());
        for _ in 0..5 {
            // An account that cannot be listed ends a run.
            let _ = stage.apply(&declarations).await;
        }
        stage.set_faults(Faults::default());
        let done = stage.apply(&declarations).await.unwrap();
        assert!(done.iter().all(Done::is_good), "{faults:?}: {done:?}");
        assert_eq!(stage.plain().list().await.unwrap().len(), 1, "{faults:?}");
    }
}

/// Another run creates the same content just before each create of this one.
struct Raced(Client, Arc<ManualClock>);

#[async_trait]
impl Catalogue for Raced {
    async fn list(&self) -> Result<Vec<ringmaster::content::Held>, Failure> {
        self.0.list().await
    }

    async fn create(&self, declaration: &Declaration) -> Result<String, Failure> {
        Catalogue::create(&self.0, declaration).await?;
        self.1.set(self.1.now() + SignedDuration::from_secs(1));
        Catalogue::create(&self.0, declaration).await
    }

    async fn submit(
        &self,
        sid: &str,
        declaration: &Declaration,
    ) -> Result<ringmaster::content::Review, Failure> {
        self.0.submit(sid, declaration).await
    }

    async fn delete(&self, sid: &str) -> Result<(), Failure> {
        self.0.delete(sid).await
    }
}

#[tokio::test]
async fn two_runs_at_the_same_time_leave_one_of_each() {
    let stage = Stage::new();
    let declarations = [declared(ASK), declared(&invite("invite"))];
    let raced = Raced(stage.plain(), stage.clock.clone());
    let mut all = Vec::new();
    apply(&raced, &declarations, &Jumping(stage.clock.clone()), |_, done| all.push(done.clone()))
        .await
        .unwrap();
    assert!(all.iter().all(Done::is_good), "{all:?}");
    assert_eq!(stage.plain().list().await.unwrap().len(), 2);
    let again = stage.apply(&declarations).await.unwrap();
    assert!(again.iter().all(|done| matches!(done, Done::Unchanged { .. })), "{again:?}");
}

#[tokio::test]
async fn reviews_are_followed_and_what_whatsapp_changed_or_rejected_is_told() {
    let names = ["invite", "invite_rejected", "invite_recategorized"];
    let declarations = names.map(|name| declared(&invite(name)));
    let stage = Stage::new();
    stage.apply(&declarations).await.unwrap();
    stage.pass(SignedDuration::from_secs(60));
    let held = stage.plain().list().await.unwrap();
    let steps: Vec<_> = Plan::new(&declarations, &held).items.into_iter().map(|item| item.step).collect();
    assert!(matches!(&steps[0], Step::Keep { status: Status::Approved, changed_category: None, .. }));
    assert!(matches!(&steps[1], Step::Blocked { .. }), "{:?}", steps[1]);
    let Step::Keep { changed_category: Some(given), .. } = &steps[2] else { panic!("{:?}", steps[2]) };
    assert_eq!(given, "MARKETING");
    // The rejected one is left alone, and the same text under another revision is new content.
    let done = stage.apply(&declarations).await.unwrap();
    assert!(matches!(done[1], Done::Blocked { .. }), "{done:?}");
    let again = declared(&format!("revision = 2\n{}", invite("invite_rejected")));
    let done = stage.apply(&[again]).await.unwrap();
    assert!(matches!(done[0], Done::Submitted { is_new: true, .. }), "{done:?}");
    for sid in held.iter().map(|held| &held.sid) {
        stage.plain().delete(sid).await.unwrap();
    }
    assert_eq!(stage.plain().list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_long_list_is_read_to_its_end() {
    let stage = Stage::new();
    let count = 501;
    let declarations: Vec<_> =
        (0..count).map(|number| declared(&ASK.replace("\"ask\"", &format!("\"ask{number}\"")))).collect();
    stage.apply(&declarations).await.unwrap();
    let done = stage.apply(&declarations).await.unwrap();
    assert!(done.iter().all(|done| matches!(done, Done::Unchanged { .. })));
    assert_eq!(stage.plain().list().await.unwrap().len(), count);
}

/// A configuration for the sandbox at this address, whose sender names content.
pub(crate) fn configured(address: &str, names: &str) -> Program {
    let config = format!(
        "[http]\npublic_url = \"http://127.0.0.1:8081\"\n[accounts.main]\naccount_sid = \"{ACCOUNT}\"\n\
         api_key_sid = \"SK00000000000000000000000000000001\"\napi_url = \"http://{address}\"\n\
         content_url = \"http://{address}\"\nmessaging_url = \"http://{address}\"\n\
         monitor_url = \"http://{address}\"\n[accounts.main.senders.\"{SENDER}\"]\n{names}\n"
    );
    let program = Program::new();
    std::fs::create_dir(program.path().join("content")).unwrap();
    program
        .file("ringmaster.toml", config)
        .file("content/ask.toml", ASK)
        .file("content/invite.toml", invite("invite"))
        .with("RINGMASTER_CONFIG", "ringmaster.toml")
        .with("RINGMASTER_ACCOUNTS__MAIN__API_KEY_SECRET", "secret-of-the-key")
        .with("RINGMASTER_ACCOUNTS__MAIN__AUTH_TOKEN", "secret")
}

/// All that a command wrote.
fn whole(answer: &Answer) -> String {
    format!("{}{}", answer.out, answer.err)
}

/// A sandbox on a port of its own, on a thread of its own: the program runs and is waited for.
pub(crate) fn sandbox() -> (String, CancellationToken) {
    let shutdown = CancellationToken::new();
    let (tell, told) = std::sync::mpsc::channel();
    let ends = shutdown.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut account = AccountSetup::new(ACCOUNT, "secret");
            let key = "SK00000000000000000000000000000001".to_owned();
            account.api_keys.push((key, "secret-of-the-key".to_owned()));
            account.senders.push(SenderSetup::new(Phone::parse(SENDER).unwrap()));
            let mut setup = Setup::new(5, vec![account]);
            setup.timing.review_ms = 0;
            setup.timing.sender_update_ms = 0;
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap().to_string()).unwrap();
            let clock = Arc::new(ringmaster::clock::SystemClock);
            Sandbox::new(World::new(setup), clock, ends).serve(listener).await.unwrap();
        });
    });
    (told.recv().unwrap(), shutdown)
}

#[test]
fn the_commands_bring_declared_content_to_its_approval() {
    let (address, shutdown) = sandbox();
    let program = configured(&address, "permission_request_content = \"ask\"\ninvite_content = \"invite\"");
    let said = |arguments: &[&str]| program.run(arguments).output();
    assert!(said(&["config", "check"]).contains("invite_content = \"invite\""));
    assert!(said(&["content", "check"]).contains("2 declarations without a fault"));
    assert!(said(&["content", "plan"]).contains("create, submit"));
    let refused = program.run(&["serve"]).error();
    assert!(refused.contains("is not there") && !refused.contains(SENDER), "{refused}");
    let applied = said(&["content", "apply"]);
    assert!(
        applied.contains("main: ask is created: HX") && applied.contains("created and submitted"),
        "{applied}"
    );
    assert_eq!(said(&["content", "apply"]).matches("is unchanged").count(), 2);
    assert!(said(&["content", "plan"]).contains("nothing to do"));
    assert!(said(&["content", "status", "--wait", "--timeout", "10s"]).contains("approved"));
    assert!(said(&["content", "list"]).contains("invite@"));
    assert!(said(&["content", "prune"]).contains("nothing to delete"));
    // A changed text is new content, and the old one goes once the new one is approved.
    let program = program.file("content/invite.toml", invite("invite").replace("suits", "fits"));
    assert!(program.run(&["content", "apply"]).output().contains("created and submitted"));
    let unused = whole(&program.run(&["content", "prune"]));
    assert!(unused.contains("1 content may be"), "{unused}");
    assert!(program.run(&["content", "prune", "--yes"]).output().contains("is deleted"));
    assert!(program.run(&["content", "prune"]).output().contains("nothing to delete"));
    shutdown.cancel();
}

#[test]
fn a_daemon_with_names_starts_without_twilio_once_they_were_found() {
    let (address, shutdown) = sandbox();
    let program = configured(&address, "permission_request_content = \"ask\"");
    let config = std::fs::read_to_string(program.path().join("ringmaster.toml")).unwrap();
    let ports =
        "[log]\nformat = \"json\"\n[http]\nlisten = \"127.0.0.1:0\"\nhooks_listen = \"127.0.0.1:0\"\n";
    let config = config.replace("[http]\n", ports);
    let nobody = config.replace(&address, "127.0.0.1:9");
    // Never found.
    let program = program.file("ringmaster.toml", &nobody);
    let refused = program.run(&["serve"]).err;
    assert!(refused.contains("cannot be looked up"), "{refused}");
    // Found.
    let program = program.file("ringmaster.toml", &config);
    program.run(&["content", "apply"]).output();
    let mut daemon = Started::of(program.command(&["serve"]));
    assert!(daemon.log().any(|line| line["message"] == "ready"));
    daemon.terminate();
    shutdown.cancel();
    // Found before.
    let program = program.file("ringmaster.toml", &nobody);
    let mut daemon = Started::of(program.command(&["serve"]));
    let lines: Vec<_> = daemon.log().take_while(|line| line["message"] != "ready").collect();
    let is_told = |line: &serde_json::Value| {
        line["message"]
            .as_str()
            .is_some_and(|text| text.contains("what was found at") && !text.contains(SENDER))
    };
    assert!(lines.iter().any(is_told), "{lines:?}");
    daemon.terminate();
}

#[test]
fn a_name_that_does_not_fit_is_told_before_anybody_is_asked() {
    let check = |names: &str| configured("127.0.0.1:9", names).run(&["config", "check"]);
    let told = |names: &str| whole(&check(names));
    let missing = told("invite_content = \"other\"");
    assert!(missing.contains("\"other\" is not declared in content"), "{missing}");
    let misfit = told("invite_content = \"ask\"");
    assert!(misfit.contains("\"ask\" has no VOICE_CALL action"), "{misfit}");
    let free = told("permission_request_template = \"ask\"");
    assert!(free.contains("needs approval"), "{free}");
    let both = format!("invite_content = \"invite\"\ninvite_content_sid = \"HX{}\"", "0".repeat(32));
    let both = told(&both);
    assert!(both.contains("is given beside invite_content_sid"), "{both}");
    let name = told("invite_content = \"HX1\"");
    assert!(name.contains("is not the name of content"), "{name}");
}

#[test]
fn faults_of_declarations_are_told_with_file_line_key_rule_and_source() {
    let program = configured("127.0.0.1:9", "");
    let program = program.file("content/ask.toml", ASK.replace("Call me", "Call me as soon as you can"));
    let checked = whole(&program.run(&["content", "check"]));
    let expected = "content/ask.toml:9: actions[0].title: has 26 characters: at most 20 (action.title_length; \
                    Twilio, twilio/card, WhatsApp (other places of the page say 25))";
    assert!(checked.contains(expected), "{checked}");
    let rules = program.run(&["content", "check", "--rules"]).output();
    assert!(rules.contains("body.call_to_action_length") && rules.contains("640"), "{rules}");
}
