//! Templates: their reviews, and how messages fill them.

use super::*;

fn creation(name: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut body = json!({"name": name, "language": "en", "category": "UTILITY", "components": [
        {"type": "BODY", "text": "Your order is ready. Call us for questions."},
        {"type": "BUTTONS", "buttons": [
            {"type": "voice_call", "text": "Call now", "ttl_minutes": 1440},
            {"type": "URL", "text": "See it", "url": "https://x.example/orders"}]},
    ]});
    change(&mut body);
    body
}

impl Room {
    fn create(&mut self, body: &Value) -> (u16, Value) {
        self.graph("POST", &format!("{ACCOUNT}/message_templates"), body)
    }

    fn shown(&mut self, name: &str) -> Value {
        let (_, list) = self.graph("GET", &format!("{ACCOUNT}/message_templates?name={name}"), &json!({}));
        list["data"][0].clone()
    }

    fn say(&mut self, name: &str) -> (u16, u64) {
        let said = json!({"type": "template", "template": {"name": name, "language": {"code": "en"}}});
        let (status, answer) = self.message(FOLLOWS, &said);
        (status, answer["error"]["code"].as_u64().unwrap_or_default())
    }
}

#[test]
fn a_template_is_reviewed_before_it_can_be_sent() {
    let mut room = room();
    let (status, created) = room.create(&creation("order_ready", |_| {}));
    assert_eq!((status, &created["status"]), (200, &json!("PENDING")));
    assert_eq!(room.say("order_ready"), (404, 132_001));
    room.advance(seconds(59));
    assert_eq!(room.shown("order_ready")["status"], "PENDING");
    room.advance(seconds(1));
    assert_eq!(room.shown("order_ready")["status"], "APPROVED");
    assert_eq!(room.say("order_ready").0, 200);
    room.advance(seconds(1));
    let told = &room.told()[0]["entry"][0]["changes"][0];
    assert_eq!(told["field"], "message_template_status_update");
    assert_eq!((&told["value"]["event"], &told["value"]["reason"]), (&json!("APPROVED"), &json!("NONE")));
}

#[test]
fn the_name_decides_about_the_review() {
    let mut room = room();
    for name in ["is_rejected", "is_paused", "is_disabled", "is_slow", "is_recategorized"] {
        assert_eq!(room.create(&creation(name, |_| {})).0, 200);
    }
    room.advance(seconds(61));
    let status = |room: &mut Room, name: &str| room.shown(name)["status"].as_str().unwrap().to_owned();
    assert_eq!(status(&mut room, "is_rejected"), "REJECTED");
    assert_eq!(room.shown("is_rejected")["rejected_reason"], "TAG_CONTENT_MISMATCH");
    assert_eq!(status(&mut room, "is_paused"), "APPROVED");
    assert_eq!(status(&mut room, "is_slow"), "PENDING");
    assert_eq!(room.shown("is_recategorized")["category"], "MARKETING");
    assert_eq!(room.say("is_rejected"), (404, 132_001));
    room.advance(hours(1));
    assert_eq!(status(&mut room, "is_slow"), "APPROVED");
    assert_eq!((room.say("is_paused"), room.say("is_disabled")), ((400, 132_015), (400, 132_016)));
    let (_, found) = room.graph("GET", &format!("{ACCOUNT}/message_templates?limit=2"), &json!({}));
    assert_eq!(found["data"].as_array().unwrap().len(), 2);
    assert!(found["paging"]["next"].is_string());
}

#[test]
fn a_malformed_template_is_refused() {
    let mut room = room();
    let minutes = |minutes: u64| {
        creation(&format!("of_{minutes}"), |it| {
            it["components"][1]["buttons"][0]["ttl_minutes"] = json!(minutes)
        })
    };
    assert_eq!((room.create(&minutes(1440)).0, room.create(&minutes(43_200)).0), (200, 200));
    for body in [
        minutes(1439),
        minutes(43_201),
        creation("Two Words", |_| {}),
        creation("a", |it| it["category"] = json!("NEWS")),
        creation("b", |it| it["components"] = json!([{"type": "FOOTER", "text": "x"}])),
        creation("c", |it| it["components"][0]["text"] = json!("x".repeat(1025))),
        creation("d", |it| it["components"][1]["buttons"][0]["text"] = json!("x".repeat(21))),
        creation("e", |it| it["components"][1]["buttons"][1]["type"] = json!("voice_call")),
        creation("f", |it| it["components"][0]["text"] = json!("Hello {{1}} and welcome")),
        creation("g", |it| it["language"] = json!(null)),
    ] {
        let (status, answer) = room.create(&body);
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(100)), "{body}");
    }
    assert_eq!(room.create(&creation("call_us", |_| {})).1["error"]["error_subcode"], 2_388_024);
    let mut misplaced = creation("misplaced", |it| it["components"][0]["text"] = json!("{{1}} is ready"));
    misplaced["components"][0]["example"] = json!({"body_text": [["It"]]});
    assert_eq!(room.create(&misplaced).0, 200);
    room.advance(seconds(61));
    assert_eq!(room.shown("misplaced")["rejected_reason"], "INVALID_FORMAT");
}

#[test]
fn a_message_fills_what_the_template_has() {
    let mut room = room();
    room.sent(FOLLOWS, &template("call_us", &json!([{"type": "payload", "payload": "p"}])));
    let none = json!({"type": "template", "template": {"name": "call_us", "language": {"code": "en"}}});
    assert_eq!(room.refused(FOLLOWS, &none), (400, 132_000));
    let mut other = template("call_us", &Value::Null);
    other["template"]["language"]["code"] = json!("pt_BR");
    assert_eq!(room.refused(FOLLOWS, &other), (404, 132_001));
    let mut url = template("call_us", &Value::Null);
    let button = json!({"type": "button", "sub_type": "url", "index": "0", "parameters": []});
    url["template"]["components"].as_array_mut().unwrap().push(button);
    assert_eq!(room.refused(FOLLOWS, &url), (400, 132_018));
}

#[test]
fn a_deleted_template_is_gone_and_its_name_is_not_free() {
    let mut room = room();
    let id = room.shown("call_us")["id"].as_str().unwrap().to_owned();
    assert_eq!(room.graph("GET", &id, &json!({})).0, 200);
    let path = format!("{ACCOUNT}/message_templates?name=call_us&hsm_id={id}");
    assert_eq!(room.graph("DELETE", &path, &json!({})).0, 200);
    assert_eq!(room.graph("DELETE", &path, &json!({})).1["error"]["error_subcode"], 2_593_002);
    assert_eq!(room.graph("GET", &id, &json!({})).0, 400);
    assert_eq!(room.create(&creation("call_us", |_| {})).1["error"]["error_subcode"], 2_388_023);
}

#[test]
fn marketing_is_not_delivered_to_who_stopped_it_and_to_the_united_states() {
    let mut setup = at_meta();
    let mut marketing = call_template("offer");
    marketing.category = "MARKETING".to_owned();
    setup.graph.apps[0].business_accounts[0].templates.push(marketing);
    let mut room = Room::with(setup);
    assert!(room.world.consumer_prefers(room.now, phone(NUMBER), phone(FOLLOWS), false));
    let stopped = room.sent(FOLLOWS, &template("offer", &Value::Null));
    let utility = room.sent(FOLLOWS, &template("call_us", &Value::Null));
    let american = room.sent("+12025550101", &template("offer", &Value::Null));
    room.advance(seconds(60));
    assert_eq!(room.failure(&stopped), Some(131_050));
    assert_eq!((room.failure(&utility), room.failure(&american)), (None, Some(131_049)));
    let told = room.items("user_preferences");
    assert_eq!((&told[0]["value"], &told[0]["wa_id"]), (&json!("stop"), &json!(FOLLOWS[1..])));
}
