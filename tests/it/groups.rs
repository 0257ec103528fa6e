//! Dialling groups at the door: what is of one group is refused for another one, and what was ordered is on record with its
//! group.

use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::config::{AgentSettings, Campaign, Config};
use ringmaster::domain::{Agent, Agents, Callback};
use ringmaster::simulation::SENDERS;
use serde_json::{Value, json};

use crate::harness::{RecordingTransport, TestDaemon, message};

/// The last sender of the fixture, in the account `south` of the group `brazil`.
fn two_groups(config: &mut Config) {
    let main = config.accounts.get_mut("main").unwrap();
    let (number, mut sender) = main.senders.pop_last().unwrap();
    let mut south = main.clone();
    sender.account = "south".into();
    south.account_sid = "AC6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b".to_owned();
    south.senders = [(number, sender)].into();
    config.accounts.insert("south".into(), south);
    config.groups.insert("brazil".parse().unwrap(), vec!["south".into()]);
}

async fn daemon(change: impl FnOnce(&mut Config)) -> TestDaemon {
    let platform = Arc::new(RecordingTransport::default());
    TestDaemon::configured(platform, |config| {
        two_groups(config);
        change(config);
    })
    .await
}

/// An order of the sender of `main` (0) or of `brazil` (1), with more fields.
fn order(sender: usize, n: usize, more: &Value) -> Value {
    let consumer = format!("+551198765{n:04}");
    let mut order = message();
    let fields = json!({"consumer": consumer, "sender": SENDERS[sender], "latest": "2026-12-03T12:00:00Z"});
    for fields in [&fields, more] {
        order.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    }
    order
}

/// The code and the field of the only fault of an order; nothing if it is taken.
async fn refused(daemon: &mut TestDaemon, order: Value) -> Option<(String, String)> {
    let (status, answer) = daemon.try_post("/v1/callbacks", order).await;
    if status == 202 {
        return None;
    }
    assert_eq!((status, answer["errors"].as_array().map(Vec::len)), (422, Some(1)), "{answer}");
    let text = |field: &str| answer["errors"][0][field].as_str().unwrap().to_owned();
    assert!(text("detail").contains("dialling group"), "{answer}");
    Some((text("code"), text("field")))
}

fn fault(code: &str, field: &str) -> Option<(String, String)> {
    Some((code.to_owned(), field.to_owned()))
}

fn with_agent(agent: &str) -> Value {
    json!({"document": "agent-first", "agent": agent, "variables": {}})
}

async fn stored(daemon: &mut TestDaemon, answer: &Value) -> Callback {
    let id = answer["id"].as_str().unwrap().parse().unwrap();
    daemon.watch().callback(id).await.unwrap().unwrap().callback
}

#[tokio::test]
async fn an_order_is_on_record_with_the_group_of_its_senders() {
    let mut daemon = daemon(|_| {}).await;
    for (sender, group) in [(0, "main"), (1, "brazil")] {
        let answer = daemon.post("/v1/callbacks", order(sender, sender, &json!({}))).await;
        assert_eq!(stored(&mut daemon, &answer).await.group.as_str(), group);
    }
}

#[tokio::test]
async fn a_pool_is_of_the_group_whose_senders_used_it_first() {
    let mut daemon = daemon(|_| {}).await;
    let pool = json!({"pool": "support"});
    assert_eq!(refused(&mut daemon, order(1, 1, &pool)).await, None);
    assert_eq!(refused(&mut daemon, order(0, 2, &pool)).await, fault("pool.group", "pool"));
    assert_eq!(refused(&mut daemon, order(1, 3, &pool)).await, None);
    let rows =
        [order(0, 4, &pool), order(0, 5, &json!({"pool": "sales"})), order(1, 6, &json!({"pool": "sales"}))];
    let (status, answer) = daemon.try_post("/v1/callbacks/bulk", json!(rows)).await;
    let codes: Vec<_> = answer.as_array().unwrap().iter().map(|row| row["error"]["code"].clone()).collect();
    assert_eq!(codes, [json!("pool.group"), Value::Null, json!("pool.group")], "{status} {answer}");
    // A dry run says the same, also about what its first rows would take.
    let other = json!({"pool": "other"});
    let rows = [order(0, 4, &pool), order(1, 5, &pool), order(1, 6, &other), order(0, 7, &other)];
    let (_, checked) = daemon.try_post("/v1/imports/check", json!(rows)).await;
    let refused_rows: Vec<_> = checked["refused"].as_array().unwrap().iter().map(|row| &row["row"]).collect();
    assert_eq!(refused_rows, [&json!(1), &json!(4)], "{checked}");
    assert_eq!(checked["good"], 2, "{checked}");
    // A pool that is removed is free for another group.
    let fed = daemon.try_put("/v1/pools/support", json!({"seats": 2, "valid_for": 60})).await;
    assert!(fed.0 < 300, "{fed:?}");
    assert!(daemon.try_delete("/v1/pools/support").await.0 < 300);
    assert_eq!(refused(&mut daemon, order(0, 7, &pool)).await, None);
}

#[tokio::test]
async fn a_campaign_and_its_defaults_are_of_one_group() {
    let mut daemon = daemon(|_| {}).await;
    let both = json!({"name": "Spring", "defaults": {"senders": SENDERS}});
    let (status, answer) = daemon.try_post("/v1/campaigns", both).await;
    let fault_of_both = (&answer["errors"][0]["code"], &answer["errors"][0]["field"]);
    assert_eq!(
        (status, fault_of_both),
        (422, (&json!("sender.group"), &json!("defaults.senders"))),
        "{answer}"
    );
    let campaign = daemon.post("/v1/campaigns", json!({"name": "Spring"})).await["id"].clone();
    let named = json!({"campaign": campaign});
    assert_eq!(refused(&mut daemon, order(1, 1, &named)).await, None);
    assert_eq!(refused(&mut daemon, order(0, 2, &named)).await, fault("campaign.group", "campaign"));
}

#[tokio::test]
async fn the_defaults_of_a_campaign_say_its_group() {
    let mut daemon = daemon(|_| {}).await;
    let body = json!({"name": "Spring", "defaults": {"sender": SENDERS[1]}});
    let named = json!({"campaign": daemon.post("/v1/campaigns", body).await["id"]});
    assert_eq!(refused(&mut daemon, order(0, 1, &named)).await, fault("campaign.group", "campaign"));
    assert_eq!(refused(&mut daemon, order(1, 2, &named)).await, None);
}

#[tokio::test]
async fn a_link_calls_no_sender_of_another_group() {
    // Both senders have one country calling code.
    let mut daemon = daemon(|_| {}).await;
    let id = daemon.post("/v1/callbacks", order(0, 1, &json!({}))).await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/callbacks/{id}/link");
    let (status, answer) = daemon.try_post(&path, json!({"sender": SENDERS[1]})).await;
    let codes = (&answer["errors"][0]["code"], &answer["errors"][0]["field"]);
    assert_eq!((status, codes), (422, (&json!("sender.group"), &json!("sender"))), "{answer}");
    assert_eq!(daemon.try_post(&path, json!({"sender": SENDERS[0]})).await.0, 200);
}

#[tokio::test]
async fn an_agent_with_a_ceiling_takes_offers_of_one_group() {
    let mut daemon = daemon(|config| {
        let bob = Agents::new(Agent::client("bob")).unwrap();
        config.agents.insert(bob, AgentSettings { calls_max: 2 });
    })
    .await;
    let mut offered = Vec::new();
    for sender in [0, 1] {
        let mut order = order(sender, sender, &with_agent("client:alice"));
        order["preview"] = true.into();
        daemon.grant(order["consumer"].as_str().unwrap()).await;
        offered.push(daemon.post("/v1/callbacks", order).await["id"].as_str().unwrap().to_owned());
        daemon.advance(SignedDuration::ZERO).await;
    }
    let accept = async |daemon: &mut TestDaemon, id: &str| {
        daemon.try_post(&format!("/v1/offers/{id}/accept"), json!({"agent": "client:bob"})).await
    };
    let (status, answer) = accept(&mut daemon, &offered[0]).await;
    assert!(status < 300, "{answer}");
    let (status, answer) = accept(&mut daemon, &offered[1]).await;
    let codes = (&answer["errors"][0]["code"], &answer["errors"][0]["field"]);
    assert_eq!((status, codes), (422, (&json!("agent.group"), &json!("agent"))), "{answer}");
}

#[tokio::test]
async fn what_has_a_ceiling_is_of_one_group() {
    let mut daemon = daemon(|config| {
        let alice = Agents::new(Agent::client("alice")).unwrap();
        config.agents.insert(alice, AgentSettings { calls_max: 2 });
        config.campaigns.insert("spring".to_owned(), Campaign { concurrent_calls_max: 3 });
    })
    .await;
    for (more, expected) in [
        (with_agent("client:alice"), fault("agent.group", "agent")),
        (json!({"campaign": "spring"}), fault("campaign.group", "campaign")),
        (json!({"campaign": "a label"}), None),
        (with_agent("client:bob"), None),
    ] {
        assert_eq!(refused(&mut daemon, order(0, 1, &more)).await, None, "{more}");
        assert_eq!(refused(&mut daemon, order(1, 2, &more)).await, expected, "{more}");
    }
}

#[tokio::test]
async fn with_one_group_everything_may_be_shared() {
    let platform = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::open(platform).await;
    let shared = json!({"pool": "support"});
    for sender in [0, 1] {
        let answer = daemon.post("/v1/callbacks", order(sender, sender, &shared)).await;
        assert!(stored(&mut daemon, &answer).await.group.is_main());
    }
    let mut both = order(0, 3, &shared);
    both.as_object_mut().unwrap().remove("sender");
    both["senders"] = json!(SENDERS);
    assert_eq!(refused(&mut daemon, both).await, None);
}
