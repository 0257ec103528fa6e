//! A whole daemon with a number at the simulated Cloud API: every road of WhatsApp to its end, codes, restrictions and
//! faults.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::config::Config;
use ringmaster::domain::{Phone, RoadKind};
use ringmaster::sim::world::{Client, Faults, Restriction, Setup};
use ringmaster::simulation::{Cloud, Fixture, NoMutation, SENDERS, fixture};
use serde_json::{Value, json};

use crate::harness::SimulatedDaemon;

const NUMBER: &str = "+551140000009";
/// The ending 07 means that the consumer follows every invite.
const FOLLOWS: &str = "+5511987650007";
/// The ending 03 means that the consumer does nothing.
const IGNORES: &str = "+5511987650003";
/// The ending 01 means that the consumer allows calls and answers.
const WILLING: &str = "+5511987650001";
const START: &str = "2026-11-23T12:00:00Z";
const LATEST: &str = "2026-12-03T12:00:00Z";

struct Clouded {
    daemon: SimulatedDaemon,
    cloud: Cloud,
    /// The declarations, which a restart reads again.
    _folder: tempfile::TempDir,
}

impl Deref for Clouded {
    type Target = SimulatedDaemon;

    fn deref(&self) -> &SimulatedDaemon {
        &self.daemon
    }
}

impl DerefMut for Clouded {
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

impl Clouded {
    async fn by(roads: &[RoadKind]) -> Self {
        Self::configured(roads, |_, _| {}).await
    }

    async fn configured(roads: &[RoadKind], change: impl FnOnce(&mut Config, &mut Setup)) -> Self {
        let mut cloud = Cloud::new(phone(NUMBER));
        cloud.roads = roads.to_vec();
        Self::with(cloud, change).await
    }

    async fn with(cloud: Cloud, change: impl FnOnce(&mut Config, &mut Setup)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let with = Fixture { senders: 1, ..Fixture::default() };
        let (mut config, mut setup) = fixture(&with);
        cloud.add(&with, (&mut config, &mut setup), folder.path()).unwrap();
        change(&mut config, &mut setup);
        let daemon = SimulatedDaemon::begin_with(&config, setup, START, Arc::new(NoMutation)).await;
        Self { daemon, cloud, _folder: folder }
    }

    async fn invite(&mut self, consumer: &str) -> String {
        let order = json!({"consumer": consumer, "sender": NUMBER, "latest": LATEST});
        self.post("/v1/invites", &order).await["id"].as_str().unwrap().to_owned()
    }

    async fn shown(&mut self, id: &str) -> Value {
        self.get(&format!("/v1/invites/{id}")).await
    }

    /// The consumer writes, which opens the service window.
    async fn writes(&mut self, consumer: &str) {
        let now = self.now();
        assert!(self.world().consumer_writes(now, phone(NUMBER), phone(consumer), "hello"));
        self.pass(SignedDuration::from_secs(10)).await;
    }

    /// The status, the outcome and the code of the reason.
    async fn standing(&mut self, id: &str) -> (String, Value, String) {
        let shown = self.shown(id).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&shown["status"]), shown["outcome"].clone(), text(&shown["reason"]["code"]))
    }

    async fn is_reached(&mut self, id: &str) {
        let shown = self.shown(id).await;
        assert_eq!(shown["outcome"], "reached", "{shown:#}");
    }

    /// The codes of failed messages, by the world.
    fn errors(&self) -> Vec<u32> {
        self.world().report().counts.errors.keys().copied().collect()
    }
}

#[tokio::test]
async fn in_the_open_window_a_call_button_invites_and_its_call_reaches() {
    let mut clouded = Clouded::by(&[RoadKind::CallButton, RoadKind::Template]).await;
    clouded.writes(FOLLOWS).await;
    let id = clouded.invite(FOLLOWS).await;
    clouded.pass(hours(1)).await;
    clouded.is_reached(&id).await;
    let shown = clouded.shown(&id).await;
    let messages = shown["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1);
    assert_eq!(
        messages[0]["road"]["kind"].as_str().or(messages[0]["road"].as_str()),
        Some("call_button"),
        "{shown:#}"
    );
    let counts = clouded.world().report().counts;
    assert_eq!((counts.invites, counts.taps, counts.graph_calls), (1, 1, 1));
}

#[tokio::test]
async fn outside_the_window_the_approved_template_invites() {
    let mut clouded = Clouded::by(&[RoadKind::CallButton, RoadKind::Template]).await;
    let id = clouded.invite(FOLLOWS).await;
    clouded.pass(hours(1)).await;
    clouded.is_reached(&id).await;
    assert_eq!(clouded.errors(), [] as [u32; 0]);
}

#[tokio::test]
async fn a_calling_link_reaches() {
    let mut clouded = Clouded::by(&[RoadKind::DeepLink]).await;
    clouded.writes(FOLLOWS).await;
    let id = clouded.invite(FOLLOWS).await;
    clouded.pass(hours(1)).await;
    clouded.is_reached(&id).await;
    assert_eq!(clouded.world().report().counts.taps, 1);
}

#[tokio::test]
async fn a_page_brings_no_call_and_the_consumers_own_call_reaches() {
    let mut clouded = Clouded::by(&[RoadKind::UrlButton]).await;
    clouded.writes(FOLLOWS).await;
    let id = clouded.invite(FOLLOWS).await;
    clouded.pass(hours(1)).await;
    assert_eq!(clouded.standing(&id).await.0, "waiting");
    let now = clouded.now();
    assert!(clouded.world().consumer_calls(now, phone(NUMBER), phone(FOLLOWS)));
    clouded.pass(hours(1)).await;
    clouded.is_reached(&id).await;
}

/// A call at Meta cannot be looked up. Without a limit, the person would be on the phone for ever.
#[tokio::test]
async fn a_call_whose_end_is_never_told_holds_the_person_for_four_hours() {
    let mut clouded = Clouded::by(&[RoadKind::CallButton]).await;
    let now = clouded.now();
    assert!(clouded.world().consumer_calls(now, phone(NUMBER), phone(FOLLOWS)));
    clouded.pass(SignedDuration::from_secs(3)).await;
    clouded.world().set_faults(Faults { lose_webhook: 1.0, ..Faults::default() });
    clouded.pass(hours(1)).await;
    clouded.world().set_faults(Faults::default());
    let id = clouded.invite(FOLLOWS).await;
    clouded.pass(minutes(170)).await;
    assert_eq!(clouded.world().report().counts.invites, 0);
    assert_eq!(clouded.standing(&id).await.2, "pair.on_the_phone");
    clouded.restart().await.unwrap();
    clouded.pass(minutes(75)).await;
    assert_eq!(clouded.world().report().counts.invites, 1);
    clouded.pass(hours(1)).await;
    clouded.is_reached(&id).await;
}

#[tokio::test]
async fn a_client_without_payloads_and_one_without_a_number_reach_as_well() {
    for client in [
        Client { drops_payload: true, ..Client::default() },
        Client { hides_number: true, ..Client::default() },
        Client { drops_payload: true, hides_number: true, ..Client::default() },
    ] {
        let mut clouded = Clouded::by(&[RoadKind::CallButton]).await;
        clouded.world().set_client(phone(FOLLOWS), client);
        // The message of somebody who is known by the user id alone opens no window before the id is known.
        clouded.writes(FOLLOWS).await;
        let id = clouded.invite(FOLLOWS).await;
        clouded.pass(hours(1)).await;
        let shown = clouded.shown(&id).await;
        if client.hides_number {
            assert_eq!(shown["status"], "waiting", "{client:?} {shown:#}");
            let mut template = Clouded::by(&[RoadKind::Template]).await;
            template.world().set_client(phone(FOLLOWS), client);
            let id = template.invite(FOLLOWS).await;
            template.pass(hours(1)).await;
            template.is_reached(&id).await;
        } else {
            clouded.is_reached(&id).await;
        }
    }
}

#[tokio::test]
async fn a_road_that_the_platform_does_not_have_gives_way_to_the_next() {
    let roads = [RoadKind::CallButton, RoadKind::DeepLink];
    let mut clouded = Clouded::configured(&roads, |_, setup| {
        setup.graph.apps[0].business_accounts[0].numbers[0].has_call_buttons = false;
    })
    .await;
    clouded.writes(FOLLOWS).await;
    let id = clouded.invite(FOLLOWS).await;
    clouded.pass(hours(1)).await;
    clouded.is_reached(&id).await;
    assert_eq!(clouded.errors(), [131_009]);

    let mut clouded = Clouded::by(&roads).await;
    clouded.world().set_client(phone(FOLLOWS), Client { has_no_buttons: true, ..Client::default() });
    clouded.writes(FOLLOWS).await;
    let id = clouded.invite(FOLLOWS).await;
    clouded.pass(hours(1)).await;
    clouded.is_reached(&id).await;
    assert_eq!(clouded.errors(), [131_026]);
}

#[tokio::test]
async fn a_template_that_is_not_approved_fails_with_its_code() {
    let mut cloud = Cloud::new(phone(NUMBER));
    cloud.roads = vec![RoadKind::Template];
    cloud.is_approved = false;
    let mut clouded = Clouded::with(cloud, |_, _| {}).await;
    let id = clouded.invite(FOLLOWS).await;
    clouded.pass(hours(1)).await;
    assert_eq!(clouded.errors(), [132_001]);
    let shown = clouded.shown(&id).await;
    assert_eq!(shown["messages"][0]["error"]["code"], 132_001, "{shown:#}");
    assert_eq!(clouded.world().report().counts.posts, 0);
}

#[tokio::test]
async fn a_call_that_nobody_answers_leaves_the_invite_open() {
    let mut clouded = Clouded::configured(&[RoadKind::CallButton], |_, setup| {
        setup.behaviour.numbers_answer_of_ten = 0;
    })
    .await;
    clouded.writes(FOLLOWS).await;
    let id = clouded.invite(FOLLOWS).await;
    clouded.pass(hours(1)).await;
    assert_eq!(clouded.world().report().counts.graph_calls, 1);
    assert_eq!(clouded.standing(&id).await.0, "waiting");
    clouded.world().set_behaviour(|behaviour| behaviour.numbers_answer_of_ten = 10);
    let now = clouded.now();
    clouded.world().consumer_taps(now, phone(NUMBER), phone(FOLLOWS));
    clouded.pass(hours(1)).await;
    clouded.is_reached(&id).await;
}

#[tokio::test]
async fn a_restriction_pauses_the_account_and_its_end_lets_the_invite_leave() {
    let mut clouded = Clouded::by(&[RoadKind::Template]).await;
    let account = clouded.cloud.business_account_id.clone();
    let now = clouded.now();
    let kind = "RESTRICTED_BIZ_INITIATED_MESSAGING".to_owned();
    let until = Some(now + hours(48));
    assert!(clouded.world().restrict(now, &account, Restriction { kind, until }));
    clouded.pass(minutes(1)).await;
    let id = clouded.invite(FOLLOWS).await;
    clouded.pass(hours(24)).await;
    assert_eq!(clouded.standing(&id).await.0, "waiting");
    assert_eq!(clouded.errors(), [] as [u32; 0]);
    assert_eq!(clouded.world().report().counts.posts, 0);
    let now = clouded.now();
    assert!(clouded.world().reinstate(now, &account));
    clouded.pass(hours(1)).await;
    clouded.is_reached(&id).await;
}

#[tokio::test]
async fn a_restriction_ends_by_its_date() {
    let mut clouded = Clouded::by(&[RoadKind::Template]).await;
    let account = clouded.cloud.business_account_id.clone();
    let now = clouded.now();
    let kind = "RESTRICTED_BIZ_INITIATED_MESSAGING".to_owned();
    let until = Some(now + hours(2));
    assert!(clouded.world().restrict(now, &account, Restriction { kind, until }));
    clouded.pass(minutes(1)).await;
    let id = clouded.invite(FOLLOWS).await;
    clouded.pass(hours(1)).await;
    assert_eq!(clouded.world().report().counts.posts, 0);
    clouded.pass(hours(2)).await;
    clouded.is_reached(&id).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_is_settled_by_the_status_webhook() {
    let mut clouded = Clouded::by(&[RoadKind::Template]).await;
    clouded.world().set_faults(Faults { drop_answer: 1.0, ..Faults::default() });
    let id = clouded.invite(IGNORES).await;
    clouded.pass(hours(1)).await;
    let shown = clouded.shown(&id).await;
    let messages = shown["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1, "{shown:#}");
    assert!(messages[0]["sid"].as_str().unwrap().starts_with("wamid."), "{shown:#}");
    assert_eq!(clouded.world().report().counts.posts, 1);
}

#[tokio::test]
async fn a_token_that_is_refused_rests_the_account_and_not_the_order() {
    let mut clouded = Clouded::configured(&[RoadKind::Template], |_, setup| {
        setup.graph.apps[0].token = "another".to_owned();
    })
    .await;
    let id = clouded.invite(FOLLOWS).await;
    clouded.pass(hours(1)).await;
    assert_eq!(clouded.errors(), [190]);
    let (status, ..) = clouded.standing(&id).await;
    assert_eq!(status, "waiting");
    let tried = clouded.world().report().counts.errors[&190];
    assert!(tried <= 61, "{tried} requests with a refused token in an hour");
}

#[tokio::test]
async fn the_daemon_passes_the_check_of_its_url() {
    let mut clouded = Clouded::configured(&[RoadKind::CallButton], |_, setup| {
        setup.graph.apps[0].is_checked = false;
    })
    .await;
    clouded.writes(FOLLOWS).await;
    let id = clouded.invite(FOLLOWS).await;
    clouded.pass(minutes(5)).await;
    assert_eq!(clouded.world().report().counts.posts, 0, "the message was not told");
    let (now, app) = (clouded.now(), clouded.cloud.app_id.clone());
    assert!(clouded.world().shake_hands(now, &app));
    clouded.pass(minutes(1)).await;
    assert_eq!(clouded.world().report().counts.handshakes, 1);
    clouded.writes(FOLLOWS).await;
    clouded.pass(hours(1)).await;
    clouded.is_reached(&id).await;
}

#[tokio::test]
async fn who_wrote_stop_is_not_invited() {
    let mut clouded = Clouded::by(&[RoadKind::CallButton, RoadKind::Template]).await;
    let now = clouded.now();
    clouded.world().consumer_writes(now, phone(NUMBER), phone(FOLLOWS), "stop");
    clouded.pass(minutes(1)).await;
    let id = clouded.invite(FOLLOWS).await;
    clouded.pass(hours(48)).await;
    let (_, outcome, _) = clouded.standing(&id).await;
    assert_eq!(outcome, "declined");
    assert_eq!(clouded.world().report().counts.posts, 0);
}

#[tokio::test]
async fn a_callback_that_cannot_be_completed_by_calling_is_closed_by_a_tap() {
    let mut clouded = Clouded::configured(&[RoadKind::Template], |_, _| {}).await;
    let order = json!({"consumer": FOLLOWS, "sender": NUMBER, "latest": LATEST,
        "document": "message", "variables": {"message": "Your parcel is at the door."}});
    let id = clouded.post("/v1/callbacks", &order).await["id"].as_str().unwrap().to_owned();
    clouded.pass(hours(1)).await;
    let shown = clouded.get(&format!("/v1/callbacks/{id}")).await;
    assert_eq!(shown["outcome"], "reached", "{shown:#}");
}

/// A number that a sender at Twilio has as well. Its requests in the open window leave by the Cloud API.
async fn shared() -> Clouded {
    let mut cloud = Cloud::new(phone(SENDERS[0]));
    (cloud.asks, cloud.roads) = (true, Vec::new());
    Clouded::with(cloud, |config, _| {
        let main = config.accounts.get_mut("main").unwrap();
        main.senders.values_mut().for_each(|sender| sender.permission_request = None);
    })
    .await
}

/// The callback of a consumer who allows calls, and its first message.
async fn asked(clouded: &mut Clouded) -> (Value, String) {
    let order = json!({"consumer": WILLING, "sender": SENDERS[0], "latest": LATEST,
        "document": "message", "variables": {"message": "Your parcel is at the door."}});
    let id = clouded.post("/v1/callbacks", &order).await["id"].as_str().unwrap().to_owned();
    clouded.pass(hours(24)).await;
    let shown = clouded.get(&format!("/v1/callbacks/{id}")).await;
    let sid = shown["messages"][0]["sid"].as_str().unwrap_or_default().to_owned();
    (shown, sid)
}

#[tokio::test]
async fn a_shared_number_asks_by_the_cloud_api_in_the_window_and_calls_by_twilio() {
    let mut clouded = shared().await;
    let now = clouded.now();
    assert!(clouded.world().consumer_writes(now, phone(SENDERS[0]), phone(WILLING), "hello"));
    clouded.pass(SignedDuration::from_secs(10)).await;
    let (shown, sid) = asked(&mut clouded).await;
    assert_eq!(shown["outcome"], "reached", "{shown:#}");
    assert!(sid.starts_with("wamid."), "{shown:#}");
    let counts = clouded.world().report().counts;
    assert_eq!((counts.posts, counts.permission_requests), (1, 1), "{counts:?}");
}

#[tokio::test]
async fn outside_the_window_a_shared_number_asks_by_its_template_at_twilio() {
    let mut clouded = shared().await;
    let (shown, sid) = asked(&mut clouded).await;
    assert_eq!(shown["outcome"], "reached", "{shown:#}");
    assert!(!sid.starts_with("wamid."), "{shown:#}");
    assert_eq!(clouded.world().report().counts.posts, 0);
}

#[tokio::test]
async fn a_paused_account_of_the_cloud_api_holds_the_request_and_no_permission() {
    let mut clouded = shared().await;
    let now = clouded.now();
    assert!(clouded.world().consumer_writes(now, phone(SENDERS[0]), phone(WILLING), "hello"));
    clouded.pass(SignedDuration::from_secs(10)).await;
    let pause =
        json!({"scope": "account", "account": "cloud", "why": "a drill", "until": "2026-11-23T20:00:00Z"});
    clouded.post("/v1/pauses", &pause).await;
    let order = json!({"consumer": WILLING, "sender": SENDERS[0], "latest": LATEST,
        "document": "message", "variables": {"message": "Your parcel is at the door."}});
    let id = clouded.post("/v1/callbacks", &order).await["id"].as_str().unwrap().to_owned();
    clouded.pass(hours(7)).await;
    let shown = clouded.get(&format!("/v1/callbacks/{id}")).await;
    assert_eq!(
        (&shown["reason"]["code"], clouded.world().report().counts.posts),
        (&json!("pause.account"), 0)
    );
    clouded.pass(hours(24)).await;
    let shown = clouded.get(&format!("/v1/callbacks/{id}")).await;
    assert_eq!(shown["outcome"], "reached", "{shown:#}");
}

#[tokio::test]
async fn a_restriction_of_business_calls_lets_invites_leave() {
    let mut clouded = Clouded::by(&[RoadKind::Template]).await;
    let account = clouded.cloud.business_account_id.clone();
    let now = clouded.now();
    let kind = "RESTRICTED_BUSINESS_INITIATED_CALLING".to_owned();
    assert!(clouded.world().restrict(now, &account, Restriction { kind, until: None }));
    clouded.pass(minutes(1)).await;
    let id = clouded.invite(FOLLOWS).await;
    clouded.pass(hours(1)).await;
    clouded.is_reached(&id).await;
}

#[tokio::test]
async fn faults_of_every_kind_break_no_law_and_lose_no_invite() {
    for seed in 0..6 {
        let roads = [RoadKind::CallButton, RoadKind::Template, RoadKind::UrlButton, RoadKind::DeepLink];
        let mut clouded = Clouded::configured(&roads, |config, setup| {
            setup.seed = seed;
            setup.behaviour.payload_dropped_of_ten = 3;
            config.calling.limit_margin = SignedDuration::from_secs(60);
        })
        .await;
        clouded.world().set_faults(Faults {
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
            if index % 2 == 0 {
                clouded.writes(&consumer).await;
            }
            ids.push(clouded.invite(&consumer).await);
            clouded.pass(minutes(7)).await;
        }
        clouded.pass(hours(24)).await;
        clouded.world().set_faults(Faults::default());
        clouded.restart().await.unwrap();
        clouded.pass(hours(24 * 12)).await;
        for id in ids {
            let shown = clouded.shown(&id).await;
            assert_eq!(shown["status"], "closed", "seed {seed}: {shown:#}");
        }
        let counts = clouded.world().report().counts;
        assert!(counts.posts >= 6 && counts.graph_calls > 0, "seed {seed}: {counts:?}");
    }
}
