//! How a house asks about many unknown fates: in its turn, and never all at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use jiff::{SignedDuration, Timestamp};
use ringmaster::clock::ManualClock;
use ringmaster::daemon::{self, House, Materials};
use ringmaster::http::auth;
use ringmaster::mint::Mint;
use ringmaster::rehearsal::{Stage, stage};
use ringmaster::scheduler::Scheduler;
use ringmaster::store::sqlite::Sqlite;
use ringmaster::store::{Store, Token};
use ringmaster::twilio::{Request, Response, Transport, TransportError};
use serde_json::json;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

/// A platform that loses every create, and keeps questions waiting until it is allowed to answer.
struct Slow {
    asked: AtomicUsize,
    answers: Semaphore,
}

#[async_trait]
impl Transport for Slow {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.method != http::Method::GET {
            return Err(TransportError::Lost("the line broke".into()));
        }
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.answers.acquire().await.unwrap().forget();
        Ok(Response::new(500, ""))
    }
}

async fn order(router: &Router, token: &str, consumer: usize) {
    let order = json!({
        "consumer": format!("+55119876{consumer:03}99"),
        "sender": "+551140000001",
        "document": "message",
        "variables": {"message": "Your parcel is at the door."},
        "latest": "2026-12-03T12:00:00Z",
    });
    let request = http::Request::post("/v1/callbacks")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Body::from(order.to_string()))
        .unwrap();
    assert_eq!(router.clone().oneshot(request).await.unwrap().status(), 202);
}

/// Lets everything happen that can happen now.
async fn turns(scheduler: &mut Scheduler) {
    for _ in 0..50 {
        scheduler.turn().await.unwrap();
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn many_unknown_fates_are_not_asked_about_all_at_once() {
    let (mut config, _) = stage(&Stage::default());
    config.accounts.values_mut().for_each(|account| account.requests_in_flight_max = 200);
    let start: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    let clock = Arc::new(ManualClock::new(start));
    let store: Arc<dyn Store> = Arc::new(Sqlite::in_memory().unwrap());
    let (token, hash) = auth::new_token([7; 32]);
    store.create_token(Token { name: "test".into(), hash, created_at: start }).await.unwrap();
    let slow = Arc::new(Slow { asked: AtomicUsize::new(0), answers: Semaphore::new(0) });
    let platform = slow.clone();
    let materials = Materials {
        store,
        clock: clock.clone(),
        mint: Arc::new(Mint::seeded(1)),
        transport: Box::new(move |_| Ok(platform.clone())),
        metrics: Arc::default(),
    };
    let House { mut scheduler, router, .. } = daemon::assemble(&config, materials).await.unwrap();
    for consumer in 0..100 {
        order(&router, &token, consumer).await;
    }
    turns(&mut scheduler).await;
    let mut asked_after = async |millis| {
        clock.advance(SignedDuration::from_millis(millis));
        turns(&mut scheduler).await;
        slow.asked.load(Ordering::Relaxed)
    };
    assert_eq!(asked_after(60_000).await, 16, "questions in a burst");
    assert_eq!(asked_after(500).await, 26, "and then twenty a second");
    assert_eq!(asked_after(60_000).await, 32, "questions on their way at once");
    slow.answers.add_permits(8);
    assert_eq!(asked_after(1_000).await, 40, "each answer makes room for one question");
}
