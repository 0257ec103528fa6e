//! Declared templates against the simulated Cloud API: runs that are killed or lose answers, and reviews that take time,
//! reject, or change the category.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use jiff::SignedDuration;
use ringmaster::clock::{Clock as _, ManualClock};
use ringmaster::content::apply::{Done, apply};
use ringmaster::content::{Catalogue as _, Declaration, Failure, Plan, Status, Step};
use ringmaster::meta::{Graph, GraphAccount, Templates};
use ringmaster::sim::world::{AppSetup, BusinessAccountSetup, Faults, Setup};
use ringmaster::sim::{InProcess, World};
use ringmaster::transport::Transport;
use secrecy::SecretString;

use crate::content::{Dying, Jumping, declared};

const ACCOUNT: &str = "102290129340398";
const TOKEN: &str = "EAAJB-the-token";

fn template(name: &str) -> Declaration {
    declared(&format!(
        "name = \"{name}\"\nlanguage = \"en\"\ncategory = \"UTILITY\"\napproval = \"whatsapp\"\n\
         type = \"meta/template\"\nbody = \"Hello {{{{first}}}}, please call us.\"\n\
         [[actions]]\ntype = \"VOICE_CALL\"\ntitle = \"Call now\"\nttl_minutes = 1440\n\
         [[actions]]\ntype = \"URL\"\ntitle = \"See it\"\nurl = \"https://shop.example/orders\"\n\
         [variables]\nfirst = \"Ana\"\n"
    ))
}

/// A business account of the world, without a socket.
struct Stage {
    world: Arc<Mutex<World>>,
    clock: Arc<ManualClock>,
}

impl Stage {
    fn new() -> Self {
        let mut setup = Setup::new(5, Vec::new());
        let mut app = AppSetup::new("670843887433847", "secret", TOKEN);
        app.business_accounts.push(BusinessAccountSetup::new(ACCOUNT, Vec::new()));
        setup.graph.apps.push(app);
        let clock = Arc::new(ManualClock::new("2026-11-20T12:00:00Z".parse().unwrap()));
        Self { world: Arc::new(Mutex::new(World::new(setup))), clock }
    }

    fn templates(&self, over: impl FnOnce(InProcess) -> Arc<dyn Transport>, token: &str) -> Templates {
        let transport = over(InProcess::new(self.world.clone(), self.clock.clone()));
        let account = GraphAccount::new("https://graph.facebook.com", "v25.0", SecretString::from(token));
        Templates::new(Graph::new(transport, account), ACCOUNT)
    }

    fn plain(&self) -> Templates {
        self.templates(|transport| Arc::new(transport), TOKEN)
    }

    async fn apply(&self, declarations: &[Declaration]) -> Result<Vec<Done>, Failure> {
        let mut all = Vec::new();
        let clock = Jumping(self.clock.clone());
        apply(&self.plain(), declarations, &clock, |_, done| all.push(done.clone())).await?;
        Ok(all)
    }

    async fn steps(&self, declarations: &[Declaration]) -> Vec<Step> {
        let held = self.plain().list().await.unwrap();
        Plan::new(declarations, &held).items.into_iter().map(|item| item.step).collect()
    }

    fn pass(&self, by: SignedDuration) {
        self.clock.set(self.clock.now() + by);
    }
}

#[tokio::test]
async fn a_run_that_is_killed_after_any_request_and_run_again_leaves_one_of_each() {
    let declarations = [template("one"), template("two")];
    for survived in 0..3 {
        let stage = Stage::new();
        let dying = |inner| Arc::new(Dying { inner, left: AtomicUsize::new(survived) }) as Arc<dyn Transport>;
        let (templates, clock) = (stage.templates(dying, TOKEN), Jumping(stage.clock.clone()));
        let mut run = Box::pin(apply(&templates, &declarations, &clock, |_, _| {}));
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
async fn lost_answers_make_no_twins() {
    let declarations = [template("one")];
    for faults in [
        Faults { drop_answer: 1.0, ..Faults::default() },
        Faults { error_after: 1.0, ..Faults::default() },
        Faults { error_before: 1.0, ..Faults::default() },
        Faults { throttle: 1.0, ..Faults::default() },
    ] {
        let stage = Stage::new();
        stage.world.lock().unwrap().set_faults(faults.clone());
        for _ in 0..3 {
            // An account that cannot be listed ends a run.
            let _ = stage.apply(&declarations).await;
        }
        stage.world.lock().unwrap().set_faults(Faults::default());
        let done = stage.apply(&declarations).await.unwrap();
        assert!(done.iter().all(Done::is_good), "{faults:?}: {done:?}");
        assert_eq!(stage.plain().list().await.unwrap().len(), 1, "{faults:?}");
    }
}

#[tokio::test]
async fn reviews_take_time_and_what_was_changed_or_rejected_is_told() {
    let names = ["plain", "is_rejected", "is_recategorized", "is_slow"];
    let declarations = names.map(template);
    let stage = Stage::new();
    stage.apply(&declarations).await.unwrap();
    let steps = stage.steps(&declarations).await;
    assert!(steps.iter().all(|step| matches!(step, Step::Keep { status: Status::Pending, .. })), "{steps:?}");
    stage.pass(SignedDuration::from_secs(60));
    let steps = stage.steps(&declarations).await;
    assert!(
        matches!(&steps[0], Step::Keep { status: Status::Approved, changed_category: None, .. }),
        "{steps:?}"
    );
    let Step::Blocked { why, .. } = &steps[1] else { panic!("{:?}", steps[1]) };
    assert!(why.to_string().contains("TAG_CONTENT_MISMATCH"), "{why}");
    let Step::Keep { changed_category: Some(given), .. } = &steps[2] else { panic!("{:?}", steps[2]) };
    assert_eq!(given, "MARKETING");
    assert!(matches!(&steps[3], Step::Keep { status: Status::Pending, .. }), "{steps:?}");
    stage.pass(SignedDuration::from_hours(1));
    assert!(matches!(&stage.steps(&declarations).await[3], Step::Keep { status: Status::Approved, .. }));
    // The rejected one is left alone, and its name is not used again.
    let done = stage.apply(&declarations).await.unwrap();
    assert!(matches!(done[1], Done::Blocked { .. }), "{done:?}");
    let held = stage.plain().list().await.unwrap();
    for sid in held.iter().map(|held| &held.sid) {
        stage.plain().delete(sid).await.unwrap();
    }
    assert_eq!(stage.plain().list().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_list_of_several_pages_is_read_to_its_end() {
    let stage = Stage::new();
    let declarations: Vec<Declaration> = (0..201).map(|number| template(&format!("no_{number}"))).collect();
    stage.apply(&declarations).await.unwrap();
    assert_eq!(stage.plain().list().await.unwrap().len(), 201);
}

#[tokio::test]
async fn a_token_that_is_not_of_the_account_is_told_as_credentials() {
    let stage = Stage::new();
    let failure =
        stage.templates(|transport| Arc::new(transport), "EAAG-of-a-page").list().await.unwrap_err();
    assert!(matches!(failure, Failure::Credentials(_)), "{failure:?}");
}
