//! A whole house and a whole world on one thread, under virtual time: what tests, scenarios and simulations
//! are played on.
//!
//! The house is the real one, with its real doors, scheduler and store; only the clock is moved by hand, and
//! requests and webhooks pass without a socket. The same configuration, world and script play the same way.

mod clocks;
mod mortal;
mod simulate;
mod stage;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard};

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use http::{Request, header};
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tower::ServiceExt as _;

use crate::clock::Clock as _;
use crate::config::Config;
use crate::daemon::{self, House, Materials};
use crate::mint::Mint;
use crate::scheduler::{Next, Scheduler};
use crate::sim::world::{Method, Setup, Webhook, WebhookReply};
use crate::sim::{InProcess, World};
use crate::store::Store;
use crate::store::sqlite::Sqlite;
use crate::telemetry::Metrics;
use crate::twilio::Transport;
use crate::twilio::signature::{Key, Payload};

use clocks::{Clocks, HouseClock, WorldClock};
use mortal::Mortal;

pub use mortal::Fate;
pub use simulate::{Played, Trouble, play};
pub use stage::{SENDERS, Stage, stage};

/// A house and a world, and the hand that moves their clocks.
pub struct Rehearsal {
    pub store: Arc<dyn Store>,
    /// Decides when the house dies.
    pub fate: Arc<Fate>,
    pub deaths: u32,
    lives: u64,
    config: Config,
    clocks: Arc<Clocks>,
    world: Arc<Mutex<World>>,
    scheduler: Scheduler,
    router: Router,
    /// By the house's clock.
    wakes_at: Option<Timestamp>,
    heard: Vec<Heard>,
}

/// A webhook that came to the house's doors, and how it was answered.
#[derive(Debug, Clone)]
pub struct Heard {
    /// By the world's clock.
    pub at: Timestamp,
    pub path: String,
    pub params: Vec<(String, String)>,
    pub status: u16,
}

impl Rehearsal {
    /// Builds both, recovers the house, and lets it settle.
    ///
    /// # Errors
    /// What makes the house impossible.
    pub async fn begin(config: &Config, setup: Setup, start: Timestamp) -> anyhow::Result<Self> {
        let clocks = Clocks::new(start);
        let world = Arc::new(Mutex::new(World::new(setup)));
        let store: Arc<dyn Store> = Arc::new(Sqlite::in_memory()?);
        let fate = Arc::new(Fate::default());
        let (scheduler, router) = house(config, &store, &clocks, &world, &fate, 1).await?;
        let mut rehearsal = Self {
            clocks,
            store,
            fate,
            deaths: 0,
            lives: 1,
            config: config.clone(),
            world,
            scheduler,
            router,
            wakes_at: None,
            heard: Vec::new(),
        };
        rehearsal.settle().await?;
        Ok(rehearsal)
    }

    /// Kills the house where it stands, requests in flight and all, and starts another on the same store.
    ///
    /// # Errors
    /// What makes the house impossible.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.rebuild().await?;
        self.settle().await
    }

    /// The same with another configuration.
    ///
    /// # Errors
    /// What makes the house impossible.
    pub async fn restart_with(&mut self, config: &Config) -> anyhow::Result<()> {
        self.config = config.clone();
        self.restart().await
    }

    async fn rebuild(&mut self) -> anyhow::Result<()> {
        self.fate.spare();
        self.fate = Arc::new(Fate::default());
        self.lives += 1;
        let (scheduler, router) =
            house(&self.config, &self.store, &self.clocks, &self.world, &self.fate, self.lives).await?;
        self.scheduler = scheduler;
        self.router = router;
        Ok(())
    }

    /// The time of the world.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clocks.time.now()
    }

    /// The time that the house believes it is.
    #[must_use]
    pub fn house_now(&self) -> Timestamp {
        self.now() + self.clocks.off_by()
    }

    /// Lets the house's clock step, as when somebody sets it: backwards if the span is negative. The world's
    /// time goes on as it was.
    ///
    /// # Errors
    /// The store's.
    pub async fn step_clock(&mut self, by: SignedDuration) -> anyhow::Result<()> {
        self.clocks.step(by);
        self.settle().await
    }

    /// The webhooks that came since this was last asked, in order.
    pub fn heard(&mut self) -> Vec<Heard> {
        std::mem::take(&mut self.heard)
    }

    /// # Panics
    /// Never: nothing panics while it holds the world.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("nothing panics while it holds the world")
    }

    /// Sends a request through the house's doors, and lets what follows from it happen now. A house that died
    /// over it answers with status 0.
    ///
    /// # Errors
    /// The store's.
    pub async fn request(&mut self, request: Request<Body>) -> anyhow::Result<(u16, String)> {
        let fate = self.fate.clone();
        let answer = tokio::select! {
            biased;
            answer = ask(self.router.clone(), request) => answer?,
            () = fate.death() => {
                self.deaths += 1;
                self.rebuild().await?;
                (0, String::new())
            }
        };
        self.settle().await?;
        Ok(answer)
    }

    /// Lets time pass, and everything in it happen at its moment.
    ///
    /// # Errors
    /// The store's.
    pub async fn advance(&mut self, by: SignedDuration) -> anyhow::Result<()> {
        let until = self.now() + by;
        while self.step(until).await? {}
        Ok(())
    }

    /// Lets everything happen that happens at this moment, and moves on to the next at which something does,
    /// or to `until`. `false` when it has been `until` already.
    ///
    /// # Errors
    /// The store's.
    pub async fn step(&mut self, until: Timestamp) -> anyhow::Result<bool> {
        self.settle().await?;
        self.deliver().await?;
        let now = self.now();
        let wakes_at = self.wakes_at.map(|at| at - self.clocks.off_by());
        let next = [self.world().next_at(), wakes_at, self.clocks.next_alarm(now)];
        match next.into_iter().flatten().min().filter(|&next| next <= until) {
            Some(next) => self.clocks.time.set(next.max(now)),
            None if now < until => self.clocks.time.set(until),
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Takes turns until the house has nothing to do at this moment.
    async fn settle(&mut self) -> anyhow::Result<()> {
        loop {
            let fate = self.fate.clone();
            let turn = async {
                let next = self.scheduler.turn().await;
                // Lets the requests that left run to their ends; they wait for nothing but the clock.
                for _ in 0..8 {
                    tokio::task::yield_now().await;
                }
                next
            };
            let next = tokio::select! {
                biased;
                () = fate.death() => None,
                next = turn => Some(next.context("a turn failed")?),
            };
            let Some(next) = next else {
                self.deaths += 1;
                self.rebuild().await?;
                continue;
            };
            let heard = self.scheduler.has_answers();
            if let Next::Sleep(until) = next
                && !heard
            {
                self.wakes_at = until;
                if until.is_none_or(|until| until > self.house_now()) {
                    return Ok(());
                }
            }
        }
    }

    /// Brings the world's webhooks to the house's doors.
    async fn deliver(&mut self) -> anyhow::Result<()> {
        loop {
            let now = self.now();
            let due = self.world().due(now);
            if due.is_empty() {
                return Ok(());
            }
            for webhook in due {
                let id = webhook.id;
                let request = signed(&self.world(), &webhook);
                let fate = self.fate.clone();
                let response = tokio::select! {
                    biased;
                    () = fate.death() => None,
                    response = self.router.clone().oneshot(request) => Some(response?),
                };
                let Some(response) = response else {
                    self.deaths += 1;
                    self.rebuild().await?;
                    let now = self.now();
                    self.world().answered(now, id, WebhookReply::Unreachable);
                    continue;
                };
                let status = response.status().as_u16();
                let content_type = response.headers().get(header::CONTENT_TYPE);
                let content_type = content_type.and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
                let body = response.into_body().collect().await?.to_bytes();
                let body = String::from_utf8_lossy(&body).into_owned();
                self.heard.push(Heard {
                    at: now,
                    path: path_of(&webhook.url).to_owned(),
                    params: webhook.params,
                    status,
                });
                self.world().answered(now, id, WebhookReply::Answer { status, content_type, body });
            }
            self.settle().await?;
        }
    }
}

async fn house(
    config: &Config,
    store: &Arc<dyn Store>,
    clocks: &Arc<Clocks>,
    world: &Arc<Mutex<World>>,
    fate: &Arc<Fate>,
    life: u64,
) -> anyhow::Result<(Scheduler, Router)> {
    let transport: Arc<dyn Transport> =
        Arc::new(InProcess::new(world.clone(), Arc::new(WorldClock(clocks.clone()))));
    let transport: Arc<dyn Transport> = Arc::new(Mortal { inner: transport, fate: fate.clone() });
    let materials = Materials {
        store: Arc::new(Mortal { inner: store.clone(), fate: fate.clone() }),
        clock: Arc::new(HouseClock(clocks.clone())),
        // Or a house would name its attempts like the one before.
        mint: Arc::new(Mint::seeded(life)),
        transport: Box::new(move |_| Ok(transport.clone())),
        metrics: Arc::new(Metrics::default()),
    };
    let House { mut scheduler, router, .. } = daemon::assemble(config, materials).await?;
    scheduler.recover().await?;
    Ok((scheduler, router))
}

async fn ask(router: Router, request: Request<Body>) -> anyhow::Result<(u16, String)> {
    let response = router.oneshot(request).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

/// The webhook as Twilio would send it.
fn signed(world: &World, webhook: &Webhook) -> Request<Body> {
    let token = world.auth_token(&webhook.account).unwrap_or_default();
    let pairs: Vec<_> =
        webhook.params.iter().map(|(name, value)| (Cow::from(name), Cow::from(value))).collect();
    let payload = if pairs.is_empty() { Payload::None } else { Payload::Form(&pairs) };
    let signature = Key::auth_token(&SecretString::from(token)).sign(&webhook.url, payload);
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&webhook.params).finish();
    let method = match webhook.method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
    };
    Request::builder()
        .method(method)
        .uri(path_of(&webhook.url))
        .header("x-twilio-signature", signature)
        .header("i-twilio-idempotency-token", &webhook.idempotency_token)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .expect("a webhook of the world is a request")
}

fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |slash| &rest[slash..])
}
