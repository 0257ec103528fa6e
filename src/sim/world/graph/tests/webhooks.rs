//! Webhooks: signatures, batches, repetitions and the check of the URL.

use secrecy::SecretString;

use super::*;
use crate::meta::signature;
use crate::sim::world::{Answer, Faults, Method};

#[test]
fn every_webhook_is_signed_with_the_secret_of_the_app() {
    let mut room = room();
    room.writes(FOLLOWS);
    room.advance(seconds(1));
    let webhook = room.metas().remove(0);
    assert_eq!((webhook.url.as_str(), webhook.method, webhook.account.as_str()), (URL, Method::Post, APP));
    let headers = room.world.headers(&webhook);
    let signed = headers.iter().find(|(name, _)| *name == "x-hub-signature-256").unwrap();
    let secret = SecretString::from(SECRET);
    assert_eq!(signature::verify(&secret, Some(&signed.1), webhook.body().1.as_bytes()), Ok(()));
    assert_eq!(webhook.body().0, "application/json");
}

#[test]
fn what_happens_at_once_is_told_in_one_body() {
    let mut room = room();
    for consumer in [FOLLOWS, "+5511987650003"] {
        room.writes(consumer);
    }
    room.advance(seconds(1));
    assert_eq!(room.told().len(), 1);
    let change = &room.told()[0]["entry"][0]["changes"];
    assert_eq!(change.as_array().unwrap().len(), 1);
    assert_eq!(change[0]["value"]["metadata"]["phone_number_id"], NUMBER_ID);
    let lengths = ["messages", "contacts"].map(|list| change[0]["value"][list].as_array().unwrap().len());
    assert_eq!(lengths, [2, 2]);
    room.writes(FOLLOWS);
    room.advance(seconds(1));
    assert_eq!(room.told().len(), 2);
}

#[test]
fn a_refused_webhook_is_repeated_until_it_is_taken() {
    let mut room = room();
    room.metas_status = 503;
    room.writes(FOLLOWS);
    room.advance(seconds(1));
    assert_eq!(room.metas().len(), 1);
    room.advance(seconds(5));
    assert_eq!(room.metas().len(), 2);
    room.metas_status = 200;
    room.advance(hours(24));
    let all = room.metas();
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|one| one.json == all[0].json));
    room.metas_status = 500;
    room.writes(FOLLOWS);
    room.advance(hours(24 * 30));
    assert_eq!(room.metas().len(), 3 + 14, "it is given up");
}

#[test]
fn a_lost_webhook_and_a_twice_delivered_one_are_possible() {
    let mut room = room();
    room.world.set_faults(Faults { lose_webhook: 1.0, ..Faults::default() });
    room.writes(FOLLOWS);
    room.advance(seconds(1));
    assert_eq!(room.metas().len(), 0);
    room.world.set_faults(Faults { duplicate_webhook: 1.0, ..Faults::default() });
    room.writes(FOLLOWS);
    room.advance(seconds(1));
    assert_eq!(room.metas().len(), 2);
}

#[test]
fn nothing_is_told_to_a_url_that_was_not_checked() {
    let mut setup = at_meta();
    setup.graph.apps[0].is_checked = false;
    let mut room = Room::with(setup);
    room.writes(FOLLOWS);
    room.advance(seconds(1));
    assert_eq!(room.metas().len(), 0);
    room.metas_status = 403;
    assert!(room.world.shake_hands(room.now, APP));
    room.advance(seconds(1));
    room.writes(FOLLOWS);
    room.advance(seconds(1));
    assert_eq!(room.metas().len(), 1, "only the refused check");
    room.metas_status = 200;
    assert!(room.world.shake_hands(room.now, APP));
    room.advance(seconds(1));
    let check = room.metas().remove(1);
    assert_eq!(check.method, Method::Get);
    assert!(
        check.url.contains("hub.mode=subscribe") && check.url.contains("hub.verify_token=chosen"),
        "{check:?}"
    );
    assert!(room.world.headers(&check).iter().all(|(name, _)| *name != "x-hub-signature-256"));
    room.writes(FOLLOWS);
    room.advance(seconds(1));
    assert_eq!(room.items("messages").len(), 1);
    assert!(!room.world.shake_hands(room.now, ACCOUNT));
}

#[test]
fn a_restriction_its_end_and_a_switch_are_told() {
    let mut room = room();
    let until = room.now + hours(1);
    let kind = "RESTRICTED_USER_INITIATED_CALLING".to_owned();
    assert!(room.world.restrict(room.now, ACCOUNT, Restriction { kind, until: Some(until) }));
    assert!(room.world.reinstate(room.now, ACCOUNT));
    assert!(room.world.switch_calls_of(room.now, NUMBER_ID, false));
    room.advance(seconds(1));
    let changes = room.told()[0]["entry"][0]["changes"].clone();
    assert_eq!(changes[0]["value"]["restriction_info"][0]["expiration"], until.as_second());
    assert_eq!(changes[1]["value"]["event"], "ACCOUNT_REINSTATED");
    let settings = &changes[2]["value"]["phone_number_settings"];
    assert_eq!(
        (&settings["phone_number_id"], &settings["calling"]["status"]),
        (&json!(NUMBER_ID), &json!("DISABLED"))
    );
    assert!(!room.world.restrict(room.now, NUMBER_ID, Restriction { kind: String::new(), until: None }));
}

#[test]
fn a_permission_reply_names_the_request_and_how_long_it_holds() {
    let mut room = room();
    let talks = "+5511987650001";
    room.writes(talks);
    let request = json!({"type": "interactive", "interactive": {"type": "call_permission_request",
        "action": {"name": "call_permission_request"}}});
    let id = room.sent(talks, &request);
    room.advance(hours(1));
    let reply = room.items("messages").pop().unwrap();
    assert_eq!(reply["context"]["id"], id.as_str());
    let answer = &reply["interactive"]["call_permission_reply"];
    assert_eq!((&answer["response"], &answer["is_permanent"]), (&json!("accept"), &json!(false)));
    assert_eq!(answer["response_source"], "user_action");
    room.world.consumer_answers(room.now, phone(NUMBER), phone(talks), Answer::Reject);
    room.advance(seconds(1));
    let reply = room.items("messages").pop().unwrap();
    assert!(reply["context"].is_null());
    assert_eq!(reply["interactive"]["call_permission_reply"]["response"], "reject");
}
