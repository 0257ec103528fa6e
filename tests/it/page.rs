//! A whole daemon with a page at the simulated Messenger: invites to their end, the errors that Meta names, and faults.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use ringmaster::clock::ManualClock;
use ringmaster::config::Config;
use ringmaster::domain::{Phone, RoadKind};
use ringmaster::messenger::page::{Eligibility, eligibility};
use ringmaster::meta::{Graph, GraphAccount, GraphError};
use ringmaster::sim::world::{AppSetup, CallShape, Client, Faults, PageSetup, Restriction, Setup};
use ringmaster::sim::{InProcess, World};
use ringmaster::simulation::{AtMessenger, Cloud, Fixture, NoMutation, PAGE, SENDERS, fixture};
use serde_json::{Value, json};

use crate::harness::SimulatedDaemon;

/// A number that only invites on WhatsApp.
const NUMBER: &str = "+551140000009";
/// The ending 07 means that the consumer follows every invite.
const FOLLOWS: &str = "+5511987650007";
/// The ending 03 means that the consumer does nothing.
const IGNORES: &str = "+5511987650003";
const START: &str = "2026-11-23T12:00:00Z";
const LATEST: &str = "2026-12-03T12:00:00Z";

struct Paged {
    daemon: SimulatedDaemon,
    at: AtMessenger,
    /// The declarations, which a restart reads again.
    _folder: tempfile::TempDir,
}

impl Deref for Paged {
    type Target = SimulatedDaemon;

    fn deref(&self) -> &SimulatedDaemon {
        &self.daemon
    }
}

impl DerefMut for Paged {
    fn deref_mut(&mut self) -> &mut SimulatedDaemon {
        &mut self.daemon
    }
}

fn phone(number: &str) -> Phone {
    Phone::parse(number).unwrap()
}

const fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

const fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

impl Paged {
    async fn begin() -> Self {
        Self::configured(&[], |_, _| {}).await
    }

    /// With a number at the Cloud API too, if it has roads.
    async fn configured(roads: &[RoadKind], change: impl FnOnce(&mut Config, &mut Setup)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let with = Fixture { senders: 1, ..Fixture::default() };
        let (mut config, mut setup) = fixture(&with);
        let at = AtMessenger::default();
        at.add(&with, (&mut config, &mut setup), folder.path()).unwrap();
        if !roads.is_empty() {
            let cloud = Cloud { roads: roads.to_vec(), ..Cloud::new(phone(NUMBER)) };
            cloud.add(&with, (&mut config, &mut setup), folder.path()).unwrap();
        }
        change(&mut config, &mut setup);
        let daemon = SimulatedDaemon::begin_with(&config, setup, START, Arc::new(NoMutation)).await;
        Self { daemon, at, _folder: folder }
    }

    fn psid(&mut self, consumer: &str) -> String {
        let page = self.at.page_id.clone();
        self.world().psid(&page, phone(consumer)).unwrap()
    }

    /// Orders an invite of a sender, which names the consumer's id at the page.
    async fn invite_of(&mut self, sender: &str, consumer: &str) -> String {
        let psid = self.psid(consumer);
        let order =
            json!({"consumer": consumer, "sender": sender, "latest": LATEST, "messenger": {PAGE: psid}});
        self.post("/v1/invites", &order).await["id"].as_str().unwrap().to_owned()
    }

    async fn invite(&mut self, consumer: &str) -> String {
        self.invite_of(SENDERS[0], consumer).await
    }

    async fn writes(&mut self, consumer: &str, text: &str) {
        let (now, page) = (self.now(), self.at.page_id.clone());
        assert!(self.world().consumer_writes_to_page(now, &page, phone(consumer), text));
        self.pass(SignedDuration::from_secs(10)).await;
    }

    async fn shown(&mut self, id: &str) -> Value {
        self.get(&format!("/v1/invites/{id}")).await
    }

    /// The outcome, and the code of the reason.
    async fn standing(&mut self, id: &str) -> (Option<String>, String) {
        let shown = self.shown(id).await;
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        (text(&shown["outcome"]), text(&shown["reason"]["code"]).unwrap_or_default())
    }

    async fn is_reached(&mut self, id: &str) {
        let shown = self.shown(id).await;
        assert_eq!(shown["outcome"], "reached", "{shown:#}");
        assert_eq!(shown["reason"]["code"], "invite.consumer_called", "{shown:#}");
    }

    /// The codes of refused requests, by the world.
    fn errors(&self) -> Vec<u32> {
        self.world().report().counts.errors.keys().copied().collect()
    }
}

#[tokio::test]
async fn a_message_to_the_page_opens_its_window_and_the_call_to_it_reaches() {
    let mut paged = Paged::begin().await;
    let id = paged.invite(FOLLOWS).await;
    paged.pass(hours(1)).await;
    assert_eq!(paged.standing(&id).await, (None, "invite.page_window_closed".to_owned()));
    assert_eq!(paged.world().report().counts.notes, 0);
    paged.writes(FOLLOWS, "hello").await;
    paged.pass(hours(1)).await;
    paged.is_reached(&id).await;
    let counts = paged.world().report().counts;
    assert_eq!((counts.invites, counts.notes, counts.taps, counts.page_calls), (1, 1, 1, 1));
    let shown = paged.shown(&id).await;
    assert!(shown["messages"][0]["sid"].as_str().unwrap().starts_with("m_"), "{shown:#}");
}

#[tokio::test]
async fn both_shapes_of_an_answer_and_of_a_call_are_understood() {
    for shape in [CallShape::Messaging, CallShape::Change] {
        let mut paged = Paged::configured(&[], |_, setup| {
            setup.behaviour.page_answers_nested = true;
            setup.behaviour.page_call_shape = shape;
        })
        .await;
        paged.writes(FOLLOWS, "hello").await;
        let id = paged.invite(FOLLOWS).await;
        paged.pass(hours(1)).await;
        paged.is_reached(&id).await;
        let shown = paged.shown(&id).await;
        assert!(shown["messages"][0]["sid"].as_str().unwrap().starts_with("m_"), "{shown:#}");
    }
}

#[tokio::test]
async fn a_road_of_whatsapp_that_fails_gives_way_to_the_page() {
    let mut paged = Paged::configured(&[RoadKind::CallButton], |_, _| {}).await;
    paged.world().set_client(phone(FOLLOWS), Client { has_no_buttons: true, ..Client::default() });
    let now = paged.now();
    assert!(paged.world().consumer_writes(now, phone(NUMBER), phone(FOLLOWS), "hello"));
    paged.writes(FOLLOWS, "hello").await;
    let id = paged.invite_of(NUMBER, FOLLOWS).await;
    paged.pass(hours(1)).await;
    paged.is_reached(&id).await;
    assert_eq!(paged.errors(), [131_026]);
    let counts = paged.world().report().counts;
    assert_eq!((counts.posts, counts.notes, counts.page_calls), (1, 1, 1));
}

#[tokio::test]
async fn each_refusal_of_the_page_is_told_with_its_code_and_sends_nothing() {
    type Change = fn(&mut Setup);
    let cases: [(Change, u32); 3] = [
        (|setup| setup.graph.apps[0].pages[0].is_calling_on = false, 2_018_389),
        (|setup| setup.graph.apps[0].pages[0].may_message = false, 2_018_028),
        (|setup| setup.graph.apps[0].pages[0].token = "another".to_owned(), 190),
    ];
    for (change, code) in cases {
        let mut paged = Paged::configured(&[], |_, setup| change(setup)).await;
        paged.writes(FOLLOWS, "hello").await;
        let id = paged.invite(FOLLOWS).await;
        paged.pass(hours(1)).await;
        assert_eq!(paged.errors(), [code]);
        let shown = paged.shown(&id).await;
        assert_eq!(shown["messages"][0]["error"]["code"], code, "{shown:#}");
        assert_ne!(shown["outcome"], "reached", "{code}");
        assert_eq!(paged.world().report().counts.notes, 0, "{code}");
        let tried = paged.world().report().counts.errors[&code];
        assert!(tried <= 61, "{tried} requests with {code} in an hour");
    }
}

#[tokio::test]
async fn a_restricted_page_rests_and_the_senders_roads_of_whatsapp_do_not() {
    let mut paged = Paged::configured(&[RoadKind::Template], |_, _| {}).await;
    let (now, page) = (paged.now(), paged.at.page_id.clone());
    let until = Some(now + hours(48));
    let kind = "RESTRICTED".to_owned();
    assert!(paged.world().restrict(now, &page, Restriction { kind, until }));
    paged.writes(FOLLOWS, "hello").await;
    paged.writes(IGNORES, "hello").await;
    let first = paged.invite(FOLLOWS).await;
    paged.pass(minutes(1)).await;
    let second = paged.invite(IGNORES).await;
    paged.pass(hours(1)).await;
    assert_eq!(paged.world().report().counts.errors.get(&368), Some(&1), "the page rests after one refusal");
    for id in [&first, &second] {
        assert_eq!(paged.standing(id).await, (None, "account.paused".to_owned()));
    }
    let other = "+5511987650107";
    let by_whatsapp = paged.invite_of(NUMBER, other).await;
    paged.pass(hours(1)).await;
    paged.is_reached(&by_whatsapp).await;
    assert_eq!(paged.world().report().counts.notes, 0);
    let now = paged.now();
    assert!(paged.world().reinstate(now, &page));
}

#[tokio::test]
async fn an_unknown_person_and_one_who_blocked_the_page_fail_the_road() {
    let mut paged = Paged::begin().await;
    paged.writes(IGNORES, "hello").await;
    let (now, page) = (paged.now(), paged.at.page_id.clone());
    assert!(paged.world().consumer_blocks_page(now, &page, phone(IGNORES)));
    paged.invite(IGNORES).await;
    paged.pass(hours(1)).await;
    assert_eq!(paged.errors(), [1_545_041]);
    assert_eq!(paged.world().report().counts.notes, 0);
}

#[tokio::test]
async fn who_wrote_stop_to_the_page_is_invited_by_no_road() {
    let mut paged = Paged::configured(&[RoadKind::Template], |_, _| {}).await;
    paged.writes(FOLLOWS, "stop").await;
    let id = paged.invite_of(NUMBER, FOLLOWS).await;
    paged.pass(hours(48)).await;
    assert_eq!(paged.standing(&id).await.0.as_deref(), Some("declined"));
    let counts = paged.world().report().counts;
    assert_eq!((counts.posts, counts.notes), (0, 0));
}

#[tokio::test]
async fn a_lost_answer_is_not_sent_again_and_the_call_reaches() {
    let mut paged = Paged::begin().await;
    paged.writes(FOLLOWS, "hello").await;
    paged.world().set_faults(Faults { drop_answer: 1.0, ..Faults::default() });
    let id = paged.invite(FOLLOWS).await;
    paged.pass(hours(12)).await;
    assert_eq!(paged.world().report().counts.notes, 1);
    paged.is_reached(&id).await;
}

#[tokio::test]
async fn the_daemon_passes_the_check_of_the_pages_url() {
    let mut paged = Paged::configured(&[], |_, setup| setup.graph.apps[0].is_checked = false).await;
    paged.writes(FOLLOWS, "hello").await;
    let id = paged.invite(FOLLOWS).await;
    paged.pass(minutes(5)).await;
    assert_eq!(paged.world().report().counts.notes, 0, "the message was not told");
    let (now, app) = (paged.now(), paged.at.app_id.clone());
    assert!(paged.world().shake_hands(now, &app));
    paged.pass(minutes(1)).await;
    assert_eq!(paged.world().report().counts.handshakes, 1);
    paged.writes(FOLLOWS, "hello").await;
    paged.pass(hours(1)).await;
    paged.is_reached(&id).await;
}

#[tokio::test]
async fn what_a_page_may_do_is_read_from_the_platform() {
    let mut app = AppSetup::new("1", "secret", "user");
    app.pages.push(PageSetup::new("11", "token-11"));
    app.pages.push(PageSetup { is_calling_on: false, ..PageSetup::new("12", "token-12") });
    let mut setup = Setup::new(1, Vec::new());
    setup.graph.apps.push(app);
    let world = Arc::new(Mutex::new(World::new(setup)));
    let clock = Arc::new(ManualClock::new(START.parse().unwrap()));
    let graph = |token: &str| {
        let transport = Arc::new(InProcess::new(world.clone(), clock.clone()));
        Graph::new(transport, GraphAccount::new("http://graph.example", "v25.0", token))
    };
    assert_eq!(eligibility(&graph("token-11"), "11").await.unwrap(), Eligibility::Eligible);
    let not = Eligibility::NotEligible("not_eligible".to_owned());
    assert_eq!(eligibility(&graph("token-12"), "12").await.unwrap(), not);
    let refused = eligibility(&graph("token-11"), "12").await;
    assert!(matches!(refused, Err(GraphError::Rejected(why)) if why.code == Some(100)));
}

#[tokio::test]
async fn a_person_is_invited_once_over_whatsapp_and_the_page() {
    let mut paged = Paged::configured(&[RoadKind::Template], |_, _| {}).await;
    paged.writes(IGNORES, "hello").await;
    paged.invite_of(NUMBER, IGNORES).await;
    paged.pass(minutes(10)).await;
    assert_eq!(paged.world().report().counts.posts, 1);
    let second = paged.invite(IGNORES).await;
    paged.pass(hours(20)).await;
    assert_eq!(paged.standing(&second).await, (None, "invite.person_limit".to_owned()));
    assert_eq!(paged.world().report().counts.notes, 0);
}

#[tokio::test]
async fn faults_of_every_kind_break_no_law_and_lose_no_invite() {
    for seed in 0..4 {
        let roads = [RoadKind::CallButton, RoadKind::DeepLink];
        let mut paged = Paged::configured(&roads, |config, setup| {
            setup.seed = seed;
            config.calling.limit_margin = SignedDuration::from_secs(60);
        })
        .await;
        paged.world().set_faults(Faults {
            drop_answer: 0.2,
            delay_answer: 0.2,
            answer_delay_ms: 20_000,
            webhook_before_answer: 0.2,
            throttle: 0.1,
            error_before: 0.1,
            error_after: 0.1,
            duplicate_webhook: 0.2,
            delay_webhook: 0.3,
            webhook_delay_ms: 20_000,
            lose_webhook: 0.1,
            ..Faults::default()
        });
        let mut ids = Vec::new();
        for index in 0..12 {
            let consumer = format!("+55119876{:03}{:02}", 500 + index, [7, 5, 11, 3][index % 4]);
            if index % 3 != 2 {
                paged.writes(&consumer, "hello").await;
            }
            let sender = if index % 2 == 0 { SENDERS[0] } else { NUMBER };
            ids.push(paged.invite_of(sender, &consumer).await);
            paged.pass(minutes(7)).await;
        }
        paged.pass(hours(24)).await;
        paged.world().set_faults(Faults::default());
        paged.restart().await.unwrap();
        paged.pass(hours(24 * 12)).await;
        for id in ids {
            let shown = paged.shown(&id).await;
            assert_eq!(shown["status"], "closed", "seed {seed}: {shown:#}");
        }
        let counts = paged.world().report().counts;
        assert!(counts.notes >= 3 && counts.page_calls > 0, "seed {seed}: {counts:?}");
    }
}
