//! Preview: callbacks that are offered to agents before they are dialled, and assigned agents.

use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::config::Config;
use ringmaster::domain::AllowedHosts;
use serde_json::{Value, json};

use crate::harness::{CONSUMER, RecordingTransport, SENDER, TestDaemon, to_alice};

const NOTHING: SignedDuration = SignedDuration::ZERO;

struct Offered {
    daemon: TestDaemon,
    platform: Arc<RecordingTransport>,
    id: String,
}

fn previewed() -> Value {
    let mut order = to_alice();
    order["preview"] = true.into();
    order["preview_s"] = 20.into();
    order["preview_times"] = 2.into();
    order
}

impl Offered {
    async fn new(order: Value) -> Self {
        let platform = Arc::new(RecordingTransport::default());
        let one_call = |config: &mut Config| config.calling.agent_calls_max = 1;
        let mut daemon = TestDaemon::configured(platform.clone(), one_call).await;
        daemon.grant(CONSUMER).await;
        let id = daemon.order(CONSUMER, order).await["id"].as_str().unwrap().to_owned();
        daemon.advance(NOTHING).await;
        Self { daemon, platform, id }
    }

    async fn offers(&mut self, query: &str) -> Vec<Value> {
        let view = self.daemon.get(&format!("/v1/offers{query}")).await;
        view["offers"].as_array().unwrap().clone()
    }

    async fn answer(&mut self, verb: &str, body: Value) -> (u16, Value) {
        let answer = self.daemon.try_post(&format!("/v1/offers/{}/{verb}", self.id), body).await;
        self.daemon.advance(NOTHING).await;
        answer
    }

    async fn reason(&mut self) -> Value {
        self.daemon.get(&format!("/v1/callbacks/{}", self.id)).await["reason"]["code"].clone()
    }
}

#[tokio::test]
async fn a_callback_is_offered_and_dialled_when_an_agent_accepts() {
    let mut offered = Offered::new(previewed()).await;
    assert!(offered.platform.calls().is_empty());
    let offers = offered.offers("").await;
    assert_eq!(offers.len(), 1);
    assert_eq!((&offers[0]["id"], &offers[0]["left_s"]), (&json!(offered.id), &json!(20)));
    assert_eq!((&offers[0]["number"], offered.reason().await), (&json!(1), json!("preview.offered")));
    let (status, answer) = offered.answer("accept", json!({"agent": "client:bob"})).await;
    assert_eq!(status, 200, "{answer}");
    let calls = offered.platform.calls();
    assert_eq!((calls.len(), &*calls[0].form["To"]), (1, "client:bob"));
    assert_eq!(offered.offers("").await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_offer_that_a_busy_agent_accepted_comes_again_after_a_minute() {
    let mut offered = Offered::new(previewed()).await;
    // Another call of the agent is in progress.
    let mut order = to_alice();
    order["agent"] = "client:bob".into();
    offered.daemon.grant("+5511987650002").await;
    offered.daemon.order("+5511987650002", order).await;
    offered.daemon.advance(NOTHING).await;
    assert_eq!(offered.platform.calls().len(), 1);
    // The account places one call a second.
    offered.daemon.advance(SignedDuration::from_secs(1)).await;
    assert_eq!(offered.answer("accept", json!({"agent": "client:bob"})).await.0, 200);
    assert_eq!((offered.offers("").await.len(), offered.reason().await), (0, json!("agent.busy")));
    offered.daemon.advance(SignedDuration::from_secs(59)).await;
    assert_eq!(offered.offers("").await.len(), 0);
    offered.daemon.advance(SignedDuration::from_secs(1)).await;
    assert_eq!((offered.offers("").await.len(), offered.reason().await), (1, json!("preview.offered")));
    assert_eq!(offered.answer("accept", json!({"agent": "client:carol"})).await.0, 200);
    assert_eq!(&*offered.platform.calls()[1].form["To"], "client:carol");
}

#[tokio::test]
async fn exactly_one_agent_gets_an_offer() {
    let mut offered = Offered::new(previewed()).await;
    assert_eq!(offered.answer("accept", json!({"agent": "client:bob"})).await.0, 200);
    let (status, refusal) = offered.answer("accept", json!({"agent": "client:carol"})).await;
    assert_eq!((status, &refusal["code"]), (409, &json!("offer.taken")));
    assert_eq!(offered.answer("accept", json!({"agent": "client:bob"})).await.0, 200, "the same again");
    assert_eq!(offered.platform.calls().len(), 1);
}

#[tokio::test]
async fn an_offer_runs_out_and_after_the_last_one_somebody_has_to_decide() {
    let mut offered = Offered::new(previewed()).await;
    offered.daemon.advance(SignedDuration::from_secs(20)).await;
    assert_eq!(offered.offers("").await[0]["number"], 2);
    offered.daemon.advance(SignedDuration::from_secs(20)).await;
    assert_eq!((offered.offers("").await.len(), offered.reason().await), (0, json!("preview.nobody")));
    let (status, refusal) = offered.answer("accept", json!({})).await;
    assert_eq!((status, &refusal["code"]), (409, &json!("offer.over")));
    assert!(offered.platform.calls().is_empty());
    // A new time begins anew.
    let earliest = offered.daemon.now() + SignedDuration::from_mins(1);
    let path = format!("/v1/callbacks/{}/reschedule", offered.id);
    offered.daemon.post(&path, json!({"earliest": earliest.to_string()})).await;
    offered.daemon.advance_to(earliest).await;
    assert_eq!(offered.offers("").await[0]["number"], 1);
}

#[tokio::test]
async fn as_many_are_offered_as_could_be_dialled_and_the_next_one_when_an_offer_ends() {
    let mut offered = Offered::new(previewed()).await;
    let other = "+5521987650202";
    offered.daemon.grant(other).await;
    let next = offered.daemon.order(other, previewed()).await["id"].as_str().unwrap().to_owned();
    offered.daemon.advance(NOTHING).await;
    let of = async |offered: &mut Offered| -> Vec<Value> {
        offered.offers("").await.into_iter().map(|offer| offer["id"].clone()).collect()
    };
    assert_eq!(of(&mut offered).await, [json!(offered.id)], "alice takes one call");
    let path = format!("/v1/callbacks/{next}");
    assert_eq!(offered.daemon.get(&path).await["reason"]["code"], "agent.busy");
    offered.daemon = offered.daemon.restart(offered.platform.clone()).await;
    offered.daemon.advance(NOTHING).await;
    assert_eq!(of(&mut offered).await, [json!(offered.id)], "after a restart too");
    assert_eq!(offered.answer("close", json!({})).await.0, 200);
    assert_eq!(of(&mut offered).await, [json!(next)]);
    assert!(offered.platform.calls().is_empty());
}

#[tokio::test]
async fn when_nobody_takes_it_the_order_may_have_it_dialled() {
    let mut order = previewed();
    order["preview_else"] = "dial".into();
    let mut offered = Offered::new(order).await;
    for _ in 0..2 {
        assert!(offered.platform.calls().is_empty());
        offered.daemon.advance(SignedDuration::from_secs(20)).await;
    }
    let calls = offered.platform.calls();
    assert_eq!((calls.len(), &*calls[0].form["To"]), (1, "client:alice"));
}

#[tokio::test]
async fn a_skipped_offer_comes_again_and_a_closed_one_cancels() {
    let mut offered = Offered::new(previewed()).await;
    assert_eq!(offered.answer("skip", json!({})).await.0, 200);
    assert_eq!(offered.offers("").await[0]["number"], 2);
    assert_eq!(offered.answer("close", json!({})).await.0, 200);
    let shown = offered.daemon.get(&format!("/v1/callbacks/{}", offered.id)).await;
    assert_eq!((&shown["outcome"], &shown["reason"]["code"]), (&json!("canceled"), &json!("preview.closed")));
    assert!(offered.platform.calls().is_empty());
}

#[tokio::test]
async fn only_what_is_offered_or_was_taken_by_nobody_is_closed() {
    let mut order = previewed();
    order["earliest"] = "2026-11-23T13:00:00Z".into();
    let mut offered = Offered::new(order).await;
    let (status, refusal) = offered.answer("close", json!({})).await;
    assert_eq!((status, &refusal["code"]), (409, &json!("offer.over")), "it is not yet offered");
    offered.daemon.advance_to("2026-11-23T13:00:00Z".parse().unwrap()).await;
    assert_eq!(offered.reason().await, "preview.offered");
    for _ in 0..2 {
        offered.daemon.advance(SignedDuration::from_secs(20)).await;
    }
    assert_eq!(offered.reason().await, "preview.nobody");
    assert_eq!(offered.answer("close", json!({})).await.0, 200);
    assert_eq!(offered.reason().await, "preview.closed");
    // Without a preview there is nothing to close.
    let mut order = to_alice();
    order["earliest"] = "2026-11-23T13:00:00Z".into();
    let mut plain = Offered::new(order).await;
    let (status, refusal) = plain.answer("close", json!({})).await;
    assert_eq!((status, &refusal["code"]), (409, &json!("offer.over")));
}

#[tokio::test]
async fn a_cut_list_says_so_and_takes_no_number_in_its_address() {
    let mut offered = Offered::new(previewed()).await;
    let other = "+5511987650001";
    offered.daemon.grant(other).await;
    let mut order = previewed();
    order["agent"] = "client:bob".into();
    offered.daemon.order(other, order).await;
    offered.daemon.advance(NOTHING).await;
    let one = offered.daemon.get("/v1/offers?limit=1").await;
    assert_eq!((one["offers"].as_array().unwrap().len(), &one["incomplete"]), (1, &json!(true)));
    let two = offered.daemon.get("/v1/offers?limit=2").await;
    assert_eq!((two["offers"].as_array().unwrap().len(), &two["incomplete"]), (2, &Value::Null));
    for (agent, status) in [("client:agent-123456", 200), ("sip:%2B5511987654321@pbx.example.com", 400)] {
        let (answered, refusal) = offered.daemon.ask_for(&format!("/v1/offers?agent={agent}")).await;
        assert_eq!(answered, status, "{refusal}");
        assert!(!refusal.to_string().contains("98765432"), "{refusal}");
    }
}

#[tokio::test]
async fn offers_of_an_assigned_agent_are_only_for_this_agent() {
    let mut order = previewed();
    order["assigned_agent"] = "client:dora".into();
    order["exclusive_until"] = "2026-11-23T12:30:00Z".into();
    let mut offered = Offered::new(order).await;
    assert_eq!(offered.offers("?agent=client:dora").await.len(), 1);
    assert_eq!(offered.offers("?agent=client:bob").await.len(), 0);
    let (status, refusal) = offered.answer("accept", json!({"agent": "client:bob"})).await;
    assert_eq!((status, &refusal["code"]), (409, &json!("offer.other_agent")));
    assert_eq!(offered.answer("accept", json!({})).await.0, 200);
    assert_eq!(offered.platform.calls()[0].form["To"], "client:dora");
}

#[tokio::test]
async fn an_assigned_agent_is_called_until_the_time_is_over() {
    let assigned = |earliest: &str| {
        let mut order = to_alice();
        order["assigned_agent"] = "client:dora".into();
        order["exclusive_until"] = "2026-11-23T12:30:00Z".into();
        order["earliest"] = earliest.into();
        order
    };
    for (earliest, expected) in
        [("2026-11-23T12:29:59Z", "client:dora"), ("2026-11-23T12:30:00Z", "client:alice")]
    {
        let mut offered = Offered::new(assigned(earliest)).await;
        offered.daemon.advance_to(earliest.parse().unwrap()).await;
        assert_eq!(offered.platform.calls()[0].form["To"], expected, "{earliest}");
    }
}

#[tokio::test]
async fn an_agent_at_a_host_that_is_not_listed_takes_nothing() {
    let platform = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::configured(platform.clone(), |config| {
        config.twiml.hosts = AllowedHosts::new(&["pbx.example.com".to_owned()], &[]);
    })
    .await;
    daemon.grant(CONSUMER).await;
    let id = daemon.order(CONSUMER, previewed()).await["id"].as_str().unwrap().to_owned();
    daemon.advance(NOTHING).await;
    let path = format!("/v1/offers/{id}/accept");
    let (status, refusal) = daemon.try_post(&path, json!({"agent": "sip:bob@elsewhere.example.com"})).await;
    assert_eq!((status, &refusal["errors"][0]["code"]), (422, &json!("host.not_allowed")));
    assert_eq!(daemon.try_post(&path, json!({"agent": "sip:bob@pbx.example.com"})).await.0, 200);
}

#[tokio::test]
async fn wrong_terms_are_refused_with_their_field() {
    let platform = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::open(platform).await;
    for (field, value, more, code) in [
        ("assigned_agent", json!("client:dora"), json!({}), "field.missing"),
        ("exclusive_until", json!("2026-11-23T12:30:00Z"), json!({}), "field.missing"),
        (
            "exclusive_until",
            json!("2026-11-23T12:00:00Z"),
            json!({"assigned_agent": "client:dora"}),
            "time.passed",
        ),
        (
            "exclusive_until",
            json!("2027-11-23T12:00:00Z"),
            json!({"assigned_agent": "client:dora"}),
            "time.too_far",
        ),
        ("place_in_line_since", json!("2026-11-23T12:05:01Z"), json!({}), "time.in_future"),
        ("preview_s", json!(4), json!({"preview": true}), "field.value"),
        ("preview_times", json!(21), json!({"preview": true}), "field.value"),
        ("preview_else", json!("dail"), json!({"preview": true}), "field.value"),
        ("promised_at", json!("tomorrow"), json!({}), "time.invalid"),
    ] {
        let mut order = to_alice();
        order["consumer"] = CONSUMER.into();
        order["sender"] = SENDER.into();
        order["latest"] = "2026-11-24T12:00:00Z".into();
        order[field] = value;
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, refusal) = daemon.try_post("/v1/callbacks", order).await;
        assert_eq!((status, &refusal["errors"][0]["code"]), (422, &json!(code)), "{field}: {refusal}");
    }
}
