//! Consumers who call: by a button, a link, or of themselves.

use super::*;

impl Room {
    fn calls(&self) -> Vec<Value> {
        self.items("calls")
    }
}

#[test]
fn a_tapped_button_calls_with_its_payload() {
    let mut room = room();
    room.writes(FOLLOWS);
    room.sent(FOLLOWS, &button(&json!({"payload": "token-7"})));
    room.advance(hours(1));
    let calls = room.calls();
    let events: Vec<&str> = calls.iter().map(|call| call["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["connect", "terminate"]);
    assert!(calls.iter().all(|call| call["cta_payload"] == "token-7" && call["id"] == calls[0]["id"]));
    assert_eq!((&calls[0]["direction"], &calls[0]["from"]), (&json!("USER_INITIATED"), &json!(FOLLOWS[1..])));
    assert!(calls[0]["duration"].is_null() && calls[1]["duration"].as_i64().unwrap() > 0);
    let counts = room.world.report().counts;
    assert_eq!((counts.taps, counts.graph_calls, counts.inbound_connected), (1, 1, 1));
}

#[test]
fn the_latest_button_that_arrived_is_tapped() {
    let mut room = room();
    room.world.set_habit(phone(FOLLOWS), Habit::Talks);
    room.writes(FOLLOWS);
    room.sent(FOLLOWS, &button(&json!({"payload": "first"})));
    assert!(!room.world.consumer_taps(room.now, phone(NUMBER), phone(FOLLOWS)), "it is on its way");
    room.advance(seconds(10));
    room.world.set_client(phone(FOLLOWS), Client { has_no_buttons: true, ..Client::default() });
    let lost = room.sent(FOLLOWS, &button(&json!({"payload": "second"})));
    room.advance(seconds(10));
    assert_eq!(room.failure(&lost), Some(131_026));
    assert!(room.world.consumer_taps(room.now, phone(NUMBER), phone(FOLLOWS)));
    room.advance(hours(1));
    assert!(!room.calls().is_empty() && room.calls().iter().all(|call| call["cta_payload"] == "first"));
}

#[test]
fn a_call_that_nobody_answers_has_no_duration() {
    let mut setup = at_meta();
    setup.behaviour.numbers_answer_of_ten = 0;
    let mut room = Room::with(setup);
    assert!(room.world.consumer_calls(room.now, phone(NUMBER), phone(FOLLOWS)));
    room.advance(seconds(44));
    assert_eq!(room.calls().len(), 1);
    room.advance(seconds(2));
    let calls = room.calls();
    assert_eq!((&calls[1]["event"], &calls[1]["status"]), (&json!("terminate"), &json!("COMPLETED")));
    assert!(calls[1]["duration"].is_null() && calls[1]["cta_payload"].is_null());
}

#[test]
fn a_link_calls_the_number_that_it_names() {
    let mut room = room();
    let payload = Some("token-8");
    assert!(room.world.consumer_opens(room.now, phone(NUMBER), phone(FOLLOWS), payload));
    room.advance(hours(1));
    assert!(room.calls().iter().all(|call| call["deeplink_payload"] == "token-8"));
    assert_eq!(room.calls().len(), 2);
    room.writes(FOLLOWS);
    room.sent(FOLLOWS, &text("https://wa.me/call/551140000009?biz_payload=token-9"));
    room.advance(hours(1));
    assert_eq!(room.calls()[2]["deeplink_payload"], "token-9");
    assert!(!room.world.consumer_opens(room.now, phone("+551140000077"), phone(FOLLOWS), None));
}

#[test]
fn an_old_client_drops_the_payload_and_a_computer_opens_no_link() {
    let mut room = room();
    let (old, desktop) = ("+5511987650107", "+5511987650207");
    room.world.set_client(phone(old), Client { drops_payload: true, ..Client::default() });
    room.world.set_client(phone(desktop), Client { is_desktop: true, ..Client::default() });
    for consumer in [old, desktop] {
        room.writes(consumer);
        room.sent(consumer, &text("https://wa.me/call/551140000009?biz_payload=token"));
    }
    room.advance(hours(1));
    let calls = room.calls();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|call| call["from"] == old[1..] && call["deeplink_payload"].is_null()));
    assert_eq!(room.world.report().counts.payloads_dropped, 1);
}

#[test]
fn who_hides_the_number_is_known_by_the_user_id_alone() {
    let mut room = room();
    room.world.set_client(phone(FOLLOWS), Client { hides_number: true, ..Client::default() });
    room.writes(FOLLOWS);
    let (_, answer) = room.message(FOLLOWS, &button(&json!({"payload": "token"})));
    let user_id = answer["contacts"][0]["user_id"].as_str().unwrap().to_owned();
    assert!(answer["contacts"][0]["wa_id"].is_null());
    assert!(user_id.starts_with("BR.") && user_id.parse::<crate::domain::UserId>().is_ok());
    room.advance(hours(1));
    let items = [room.items("calls"), room.items("messages")].concat();
    assert_eq!(items.len(), 3);
    assert!(items.iter().all(|item| item["from"].is_null() && item["from_user_id"] == user_id.as_str()));
    assert!(room.items("statuses").iter().all(|it| it["recipient_id"].is_null()));
    assert!(!room.told().iter().any(|body| body.to_string().contains(&FOLLOWS[1..])));
    let to_id = json!({"messaging_product": "whatsapp", "recipient": user_id, "text": {"body": "Hello"}});
    assert_eq!(room.graph("POST", &format!("{NUMBER_ID}/messages"), &to_id).0, 200);
}

#[test]
fn a_button_that_ran_out_calls_nobody() {
    let mut setup = at_meta();
    setup.timing.call_in = crate::sim::world::Span(120_000, 120_000);
    let mut room = Room::with(setup);
    room.writes(FOLLOWS);
    room.sent(FOLLOWS, &button(&json!({"ttl_minutes": 1})));
    room.advance(hours(1));
    assert_eq!(room.calls().len(), 0);
    assert_eq!(room.world.report().counts.taps_expired, 1);
}

#[test]
fn a_restricted_or_switched_off_number_is_not_called() {
    let mut room = room();
    room.world.switch_calls_of(room.now, NUMBER_ID, false);
    room.world.consumer_calls(room.now, phone(NUMBER), phone(FOLLOWS));
    room.advance(hours(1));
    assert_eq!(room.calls().len(), 0);
    room.world.switch_calls_of(room.now, NUMBER_ID, true);
    room.world.consumer_calls(room.now, phone(NUMBER), phone(FOLLOWS));
    room.advance(hours(1));
    assert_eq!(room.calls().len(), 2);
}

#[test]
fn a_number_at_both_platforms_tells_both_of_a_call() {
    let mut setup = at_meta();
    let sender = Phone::parse(crate::sim::world::tests::SENDER).unwrap();
    setup.graph.apps[0].business_accounts[0].numbers.push(NumberSetup::new("106540352242999", sender));
    let mut room = Room::with(setup);
    assert!(room.world.consumer_calls(room.now, sender, phone(FOLLOWS)));
    room.advance(hours(1));
    let calls = room.calls();
    assert_eq!(calls.len(), 2);
    assert!(calls[1]["duration"].as_i64().unwrap() > 0);
    assert_eq!(room.hooks("/inbound-status").len(), 1, "and Twilio");
}

#[test]
fn a_call_grants_a_permission_where_that_is_switched_on() {
    let mut setup = at_meta();
    setup.graph.apps[0].business_accounts[0].numbers[0].callback_permission = true;
    let mut room = Room::with(setup);
    room.world.consumer_calls(room.now, phone(NUMBER), phone(FOLLOWS));
    room.advance(hours(1));
    let reply = room.items("messages").pop().unwrap();
    let answer = &reply["interactive"]["call_permission_reply"];
    assert_eq!((&answer["response"], &answer["response_source"]), (&json!("accept"), &json!("automatic")));
    assert_eq!(reply["context"]["id"], room.calls()[0]["id"]);
}
