//! Runs against an account in memory that throttles, loses answers, and lets the run be killed.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::super::apply::{Done, apply};
use super::super::plan::Plan;
use super::super::{Catalogue, Declaration, Failure, Held, Review, Status};
use super::{ASK, INVITE, declared, held};
use crate::clock::{Clock, ManualClock};
use crate::domain::Reading;

/// An account, and what happens at its next requests.
#[derive(Default)]
struct Account {
    held: Mutex<Vec<Held>>,
    asked: Mutex<Vec<String>>,
    /// Each strikes once, at the first request whose name begins with the text.
    faults: Mutex<Vec<(&'static str, Fault)>>,
}

#[derive(Clone)]
enum Fault {
    Before(Failure),
    /// It is done, and its answer is lost.
    After,
    /// It is done, and the process ends there.
    Death,
}

impl Account {
    fn with(faults: impl IntoIterator<Item = (&'static str, Fault)>) -> Self {
        Self { faults: Mutex::new(faults.into_iter().collect()), ..Self::default() }
    }

    fn strikes(&self, name: &str) -> Option<Fault> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut faults = self.faults.lock().unwrap();
        let at = faults.iter().position(|(prefix, _)| name.starts_with(prefix))?;
        Some(faults.remove(at).1)
    }

    async fn act<T>(&self, name: &str, act: impl FnOnce(&mut Vec<Held>) -> T) -> Result<T, Failure> {
        match self.strikes(name) {
            Some(Fault::Before(failure)) => Err(failure),
            Some(Fault::After) => {
                act(&mut self.held.lock().unwrap());
                Err(Failure::Unknown("the answer was lost".to_owned()))
            }
            Some(Fault::Death) => {
                act(&mut self.held.lock().unwrap());
                std::future::pending().await
            }
            None => Ok(act(&mut self.held.lock().unwrap())),
        }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn count(&self) -> usize {
        self.held.lock().unwrap().len()
    }
}

#[async_trait]
impl Catalogue for Account {
    async fn list(&self) -> Result<Vec<Held>, Failure> {
        self.act("list", |held| held.clone()).await
    }

    async fn create(&self, declaration: &Declaration) -> Result<String, Failure> {
        let add = |all: &mut Vec<Held>| {
            let digit = char::from_digit(u32::try_from(all.len()).unwrap() + 1, 16).unwrap();
            all.push(held(declaration, digit, Status::Unsubmitted));
            all.last().unwrap().sid.clone()
        };
        self.act(&format!("create {}", declaration.name), add).await
    }

    async fn submit(&self, sid: &str, declaration: &Declaration) -> Result<Review, Failure> {
        let submit = |all: &mut Vec<Held>| {
            let held = all.iter_mut().find(|held| held.sid == sid).unwrap();
            held.review = self::held(declaration, '1', Status::Received).review;
            held.review.clone()
        };
        self.act(&format!("submit {}", declaration.name), submit).await
    }

    async fn delete(&self, sid: &str) -> Result<(), Failure> {
        self.act("delete", |held| held.retain(|held| held.sid != sid)).await
    }
}

/// A clock on which every sleep is over at once.
struct Jumping(ManualClock);

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

fn clock() -> Jumping {
    Jumping(ManualClock::new(Timestamp::UNIX_EPOCH))
}

async fn run(
    account: &Account,
    declarations: &[Declaration],
    clock: &dyn Clock,
) -> Result<Vec<Done>, Failure> {
    let done = Arc::new(Mutex::new(Vec::new()));
    let told = done.clone();
    apply(account, declarations, clock, move |_, one| told.lock().unwrap().push(one.clone())).await?;
    let done = done.lock().unwrap().clone();
    Ok(done)
}

/// Polls a run until it waits for ever, and drops it there: nothing of it happens any more.
async fn kill(account: &Account, declarations: &[Declaration]) {
    let clock = clock();
    let mut run = Box::pin(run(account, declarations, &clock));
    let ended = std::future::poll_fn(|cx| std::task::Poll::Ready(run.as_mut().poll(cx).is_ready())).await;
    assert!(!ended, "the run was not killed");
}

#[tokio::test]
async fn a_second_run_does_nothing() {
    let account = Account::default();
    let declarations = [declared(ASK), declared(INVITE)];
    let done = run(&account, &declarations, &clock()).await.unwrap();
    assert!(matches!(done[..], [Done::Created { .. }, Done::Submitted { is_new: true, .. }]), "{done:?}");
    assert_eq!(account.asked(), ["list", "create ask", "list", "create invite", "list", "submit invite"]);
    let done = run(&account, &declarations, &clock()).await.unwrap();
    assert!(matches!(done[..], [Done::Unchanged { .. }, Done::Unchanged { .. }]), "{done:?}");
    assert_eq!(account.asked(), ["list"]);
    assert!(Plan::new(&declarations, &account.held.lock().unwrap()).is_done());
}

#[tokio::test]
async fn a_run_that_was_killed_anywhere_is_continued_and_leaves_one_of_each() {
    let declarations = [declared(INVITE), declared(ASK)];
    for place in ["list", "create invite", "submit invite", "create ask"] {
        let account = Account::with([(place, Fault::Death)]);
        kill(&account, &declarations).await;
        // Killed twice at the same place.
        account.faults.lock().unwrap().push(("list", Fault::Death));
        kill(&account, &declarations).await;
        let done = run(&account, &declarations, &clock()).await.unwrap();
        assert!(done.iter().all(Done::is_good), "{place}: {done:?}");
        assert_eq!(account.count(), 2, "{place}");
        let held = account.held.lock().unwrap().clone();
        assert!(Plan::new(&declarations, &held).is_done(), "{place}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_and_nothing_is_done_twice() {
    let declarations = [declared(INVITE)];
    for place in ["create", "submit"] {
        let account = Account::with([(place, Fault::After)]);
        let done = run(&account, &declarations, &clock()).await.unwrap();
        assert!(matches!(done[..], [Done::Submitted { .. }]), "{place}: {done:?}");
        let asked = account.asked();
        assert_eq!(asked.iter().filter(|name| name.starts_with(place)).count(), 1, "{asked:?}");
        assert_eq!(account.count(), 1);
    }
    // It was not done after all: the next run does it.
    let lost = Fault::Before(Failure::Unknown("lost".to_owned()));
    let account = Account::with([("create", lost)]);
    let done = run(&account, &declarations, &clock()).await.unwrap();
    assert!(matches!(done[..], [Done::Failed { why: Failure::Unknown(_), .. }]), "{done:?}");
    assert_eq!(account.count(), 0);
}

#[tokio::test]
async fn a_throttled_request_is_repeated_after_the_time_that_twilio_names() {
    let throttled =
        |seconds| Fault::Before(Failure::Throttled { retry_after: Some(Duration::from_secs(seconds)) });
    let account =
        Account::with([("list", throttled(7)), ("create", throttled(11)), ("submit", throttled(600))]);
    let clock = clock();
    let done = run(&account, &[declared(INVITE)], &clock).await.unwrap();
    assert!(matches!(done[..], [Done::Submitted { .. }]), "{done:?}");
    // No wait is longer than two minutes.
    assert_eq!(clock.now().duration_since(Timestamp::UNIX_EPOCH), SignedDuration::from_secs(7 + 11 + 120));
    let always = (0..7).map(|_| ("create", throttled(1)));
    let account = Account::with(always);
    let done = run(&account, &[declared(INVITE)], &clock).await.unwrap();
    assert!(matches!(done[..], [Done::Failed { why: Failure::Throttled { .. }, .. }]), "{done:?}");
}

#[tokio::test]
async fn one_refused_declaration_does_not_keep_the_others_out_and_bad_credentials_do() {
    let refused = Failure::Refused { code: Some(92_004), message: "unknown language".to_owned() };
    let account = Account::with([("create ask", Fault::Before(refused.clone()))]);
    let declarations = [declared(ASK), declared(INVITE)];
    let done = run(&account, &declarations, &clock()).await.unwrap();
    assert_eq!(done[0], Done::Failed { sid: None, why: refused });
    assert!(done[1].is_good());
    let account = Account::with([("create ask", Fault::Before(Failure::Credentials("20003".to_owned())))]);
    let ended = run(&account, &declarations, &clock()).await;
    assert!(matches!(ended, Err(Failure::Credentials(_))), "{ended:?}");
    assert_eq!(account.asked(), ["list", "create ask"]);
}

#[tokio::test]
async fn content_that_was_submitted_already_counts_as_submitted() {
    let account = Account::with([(
        "submit",
        Fault::Before(Failure::Refused { code: Some(92_009), message: "already".to_owned() }),
    )]);
    let invite = declared(INVITE);
    // Another run submits it between our list and our submission.
    account.held.lock().unwrap().push(held(&invite, '1', Status::Unsubmitted));
    let clock = clock();
    let done = run(&account, std::slice::from_ref(&invite), &clock).await.unwrap();
    assert!(matches!(done[..], [Done::Failed { .. }]), "still unsubmitted: {done:?}");
    account.held.lock().unwrap()[0].review.status = Status::Pending;
    let done = run(&account, &[invite], &clock).await.unwrap();
    assert!(matches!(done[..], [Done::Unchanged { .. }]), "{done:?}");
}
