//! Messages: their kinds, limits and refusals.

use super::*;

#[test]
fn a_message_is_taken_sent_and_delivered() {
    let mut room = room();
    room.writes(FOLLOWS);
    let mut said = text("Hello");
    said["biz_opaque_callback_data"] = json!("token-1");
    let (status, answer) = room.message(FOLLOWS, &said);
    assert_eq!(status, 200);
    assert_eq!(answer["contacts"][0]["wa_id"], FOLLOWS[1..]);
    let id = answer["messages"][0]["id"].as_str().unwrap().to_owned();
    room.advance(hours(1));
    assert_eq!(room.states(&id)[..2], ["sent", "delivered"]);
    assert!(room.items("statuses").iter().all(|status| status["biz_opaque_callback_data"] == "token-1"));
}

#[test]
fn a_token_a_number_and_a_version_have_to_be_known() {
    let mut room = room();
    let body = json!({"messaging_product": "whatsapp", "to": FOLLOWS, "text": {"body": "Hello"}});
    let path = format!("{NUMBER_ID}/messages");
    let (status, answer) = room.graph_as("EAAJB-another", "POST", &path, &body);
    assert_eq!((status, &answer["error"]["code"]), (401, &json!(190)));
    let (status, answer) = room.graph("POST", "1/messages", &body);
    assert_eq!(
        (status, &answer["error"]["code"], &answer["error"]["error_subcode"]),
        (400, &json!(100), &json!(33))
    );
    for (version, code) in [("v20.0", 2635), ("v28.0", 2635)] {
        let request = ApiRequest {
            method: "GET".to_owned(),
            path: format!("/{version}/me"),
            authorization: Some(format!("Bearer {TOKEN}")),
            ..ApiRequest::default()
        };
        let response = room.world.serve(room.now, &request);
        let answer: Value = serde_json::from_str(&response.body).unwrap();
        assert_eq!((response.status, &answer["error"]["code"]), (400, &json!(code)), "{version}");
    }
    assert_eq!(room.graph("GET", "me?fields=id", &json!({})).0, 200);
}

#[test]
fn every_kind_of_message_is_taken() {
    let mut room = room();
    room.writes(FOLLOWS);
    let action = json!({"buttons": [{"type": "reply", "reply": {"id": "1", "title": "Yes"}}]});
    for said in [
        text("Hello"),
        json!({"type": "image", "image": {"link": "https://x.example/a.png"}}),
        json!({"type": "location", "location": {"latitude": 1.5, "longitude": 2.5}}),
        json!({"type": "reaction", "reaction": {"message_id": "wamid.A", "emoji": "x"}}),
        json!({"type": "interactive", "interactive": {"type": "button", "body": {"text": "Hi"}, "action": action}}),
        button(&json!({})),
        json!({"type": "interactive", "interactive": {"type": "cta_url", "body": {"text": "See"},
            "header": {"type": "document", "document": {"link": "https://x.example/a.pdf"}},
            "action": {"name": "cta_url", "parameters": {"display_text": "See", "url": "https://x.example"}}}}),
        json!({"type": "interactive", "interactive": {"type": "call_permission_request",
            "action": {"name": "call_permission_request"}}}),
        template("call_us", &json!([{"type": "ttl_minutes", "ttl_minutes": 100}])),
    ] {
        room.sent(FOLLOWS, &said);
        room.advance(seconds(7));
    }
    let read = json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.unknown"});
    assert_eq!(room.graph("POST", &format!("{NUMBER_ID}/messages"), &read).0, 400);
    let written = room.items("messages")[0]["id"].clone();
    let read = json!({"messaging_product": "whatsapp", "status": "read", "message_id": written});
    assert_eq!(room.graph("POST", &format!("{NUMBER_ID}/messages"), &read).0, 200);
}

fn cta(change: impl FnOnce(&mut Value)) -> Value {
    let mut interactive = json!({"type": "cta_url", "body": {"text": "See"},
        "action": {"name": "cta_url", "parameters": {"display_text": "See", "url": "https://x.example"}}});
    change(&mut interactive);
    json!({"type": "interactive", "interactive": interactive})
}

/// A message with this text.
type Said = fn(Value) -> Value;

#[test]
fn each_limit_of_a_text_is_exact() {
    let long = |count: usize| json!("ä".repeat(count));
    let at: [(usize, Said); 8] = [
        (1024, |text| cta(|it| it["body"]["text"] = text)),
        (60, |text| cta(|it| it["header"] = json!({"type": "text", "text": text}))),
        (60, |text| cta(|it| it["footer"] = json!({"text": text}))),
        (20, |text| cta(|it| it["action"]["parameters"]["display_text"] = text)),
        (20, |text| button(&json!({"display_text": text}))),
        (512, |text| button(&json!({"payload": text}))),
        (512, |text| template("call_us", &json!([{"type": "payload", "payload": text}]))),
        (4096, |text| json!({"type": "text", "text": {"body": text}})),
    ];
    let mut room = room();
    room.writes(FOLLOWS);
    for (most, said) in at {
        room.sent(FOLLOWS, &said(long(most)));
        assert_eq!(room.refused(FOLLOWS, &said(long(most + 1))), (400, 131_009), "{most}");
    }
}

#[test]
fn a_button_can_be_used_for_a_minute_to_thirty_days() {
    let mut room = room();
    room.writes(FOLLOWS);
    for minutes in [1, 43_200] {
        room.sent(FOLLOWS, &button(&json!({"ttl_minutes": minutes})));
        room.sent(FOLLOWS, &template("call_us", &json!([{"type": "ttl_minutes", "ttl_minutes": minutes}])));
    }
    for minutes in [json!(0), json!(43_201), json!(-1), json!("100"), json!(1.5)] {
        assert_eq!(
            room.refused(FOLLOWS, &button(&json!({"ttl_minutes": minutes}))),
            (400, 131_009),
            "{minutes}"
        );
    }
}

#[test]
fn a_malformed_message_is_refused() {
    let mut room = room();
    room.writes(FOLLOWS);
    let two = json!({"type": "image", "image": {"link": "https://x.example/a.png"},
        "video": {"link": "https://x.example/a.mp4"}});
    for (said, code) in [
        (cta(|it| it["header"] = two.clone()), 131_009),
        (cta(|it| it["header"] = json!({"type": "audio", "audio": {}})), 131_009),
        (cta(|it| it["action"]["name"] = json!("voice_call")), 131_009),
        (cta(|it| it["action"]["parameters"]["url"] = json!("no url")), 131_009),
        (cta(|it| it["body"] = json!(null)), 131_008),
        (cta(|it| it["action"]["parameters"]["url"] = json!(null)), 131_008),
        (json!({"type": "text"}), 131_008),
        (json!({"type": "hologram", "hologram": {}}), 131_051),
        (json!({"type": "location", "location": {"latitude": 1}}), 131_008),
        (
            json!({"type": "text", "text": {"body": "x"}, "biz_opaque_callback_data": "x".repeat(513)}),
            131_009,
        ),
    ] {
        assert_eq!(room.refused(FOLLOWS, &said).1, code, "{said}");
    }
    let nobody = json!({"messaging_product": "whatsapp", "text": {"body": "x"}});
    let path = format!("{NUMBER_ID}/messages");
    assert_eq!(room.graph("POST", &path, &nobody).1["error"]["code"], 100);
    let no_product = json!({"to": FOLLOWS, "text": {"body": "x"}});
    assert_eq!(room.graph("POST", &path, &no_product).1["error"]["code"], 100);
    assert_eq!(room.refused(NUMBER, &text("to myself")).1, 131_021);
}

#[test]
fn free_words_need_the_open_window_and_templates_do_not() {
    let mut room = room();
    let cold = room.sent(FOLLOWS, &text("Hello"));
    room.advance(seconds(7));
    let approved = room.sent(FOLLOWS, &template("call_us", &Value::Null));
    room.advance(hours(1));
    assert_eq!(room.failure(&cold), Some(131_047));
    assert_eq!(room.failure(&approved), None);
    room.writes("+5511987650003");
    room.advance(hours(24) - seconds(1));
    let warm = room.sent("+5511987650003", &text("Hello"));
    room.advance(seconds(7));
    let late = room.sent("+5511987650003", &text("Hello"));
    room.advance(seconds(60));
    assert_eq!((room.failure(&warm), room.failure(&late)), (None, Some(131_047)));
}

#[test]
fn who_cannot_get_a_message_is_told_by_its_code() {
    let mut room = room();
    let (absent, old) = ("+5511987650101", "+5511987650201");
    room.world.set_habit(phone(absent), Habit::Absent);
    room.world.set_client(phone(old), Client { has_no_buttons: true, ..Client::default() });
    for consumer in [absent, old, FOLLOWS] {
        room.writes(consumer);
    }
    let ids = [absent, old, FOLLOWS].map(|consumer| room.sent(consumer, &button(&json!({}))));
    let plain = room.sent(old, &text("Hello"));
    room.advance(seconds(60));
    let failures = ids.map(|id| room.failure(&id));
    assert_eq!(failures, [Some(131_026), Some(131_026), None]);
    assert_eq!(room.failure(&plain), None);
}

#[test]
fn a_country_without_call_buttons_and_a_restriction_refuse_at_once() {
    let mut setup = at_meta();
    setup.graph.apps[0].business_accounts[0].numbers[0].has_call_buttons = false;
    let mut room = Room::with(setup);
    room.writes(FOLLOWS);
    assert_eq!(room.refused(FOLLOWS, &button(&json!({}))), (400, 131_009));
    let until = Some(room.now + hours(24));
    let kind = "RESTRICTED_BUSINESS_INITIATED_CALLING".to_owned();
    assert!(room.world.restrict(room.now, ACCOUNT, Restriction { kind, until }));
    let request = json!({"type": "interactive", "interactive": {"type": "call_permission_request",
        "action": {"name": "call_permission_request"}}});
    assert_eq!(room.refused(FOLLOWS, &request), (400, 138_014));
    room.advance(hours(24));
    room.writes(FOLLOWS);
    room.sent(FOLLOWS, &request);
}

#[test]
fn one_consumer_gets_at_most_45_messages_at_once() {
    let mut room = room();
    room.writes(FOLLOWS);
    for _ in 0..45 {
        room.sent(FOLLOWS, &text("Hello"));
    }
    assert_eq!(room.refused(FOLLOWS, &text("Hello")), (400, 131_056));
    room.advance(seconds(6));
    room.sent(FOLLOWS, &text("Hello"));
    assert_eq!(room.refused(FOLLOWS, &text("Hello")), (400, 131_056));
}

#[test]
fn a_number_sends_at_most_80_messages_in_a_second() {
    let mut room = room();
    for index in 0..80 {
        room.sent(&format!("+55119876600{index:02}"), &template("call_us", &Value::Null));
    }
    assert_eq!(room.refused(FOLLOWS, &template("call_us", &Value::Null)), (400, 130_429));
    room.advance(seconds(1));
    room.sent(FOLLOWS, &template("call_us", &Value::Null));
}

#[test]
fn a_permission_is_asked_for_once_a_day() {
    let mut room = room();
    let request = json!({"type": "interactive", "interactive": {"type": "call_permission_request",
        "action": {"name": "call_permission_request"}}});
    room.writes("+5511987650003");
    room.sent("+5511987650003", &request);
    room.advance(hours(23));
    assert_eq!(room.refused("+5511987650003", &request), (400, 138_009));
    room.writes("+5511987650003");
    room.advance(hours(1));
    room.sent("+5511987650003", &request);
    let shown =
        room.graph("GET", &format!("{NUMBER_ID}/call_permissions?user_wa_id=5511987650003"), &json!({}));
    assert_eq!(shown.1["permission"]["status"], "no_permission");
    assert_eq!(shown.1["actions"][0]["can_perform_action"], false);
}
