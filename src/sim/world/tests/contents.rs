//! Content: what is taken and refused, lists, and reviews that take time, fail or change the category.

use super::*;

fn post(room: &mut Room, path: &str, body: &Value) -> (u16, Value) {
    let request = ApiRequest {
        method: "POST".to_owned(),
        path: path.to_owned(),
        authorization: Some(format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:secret")))),
        content_type: Some("application/json".to_owned()),
        body: body.to_string().into_bytes(),
        origin: "https://content.twilio.com".to_owned(),
        ..ApiRequest::default()
    };
    let answer = room.world.serve(room.now, &request);
    (answer.status, serde_json::from_str::<Value>(&answer.body).unwrap())
}

fn get(room: &mut Room, target: &str) -> Value {
    serde_json::from_str(&room.ask("GET", target, &[]).body).unwrap()
}

fn ask() -> Value {
    json!({"language": "en", "friendly_name": "ask", "types": {"twilio/call-to-action": {
        "body": "b", "actions": [{"type": "VOICE_CALL_REQUEST", "title": "a"}],
    }}})
}

/// Creates content and submits it under this name.
fn submitted(room: &mut Room, content: &Value, name: &str) -> String {
    let (status, created) = post(room, "/v1/Content", content);
    assert_eq!(status, 201, "{created}");
    let approvals = format!("/v1/Content/{}/ApprovalRequests", created["sid"].as_str().unwrap());
    let body = json!({"name": name, "category": "UTILITY"});
    let (status, approval) = post(room, &format!("{approvals}/whatsapp"), &body);
    assert_eq!((status, approval["status"].as_str()), (201, Some("received")));
    approvals
}

fn review(room: &mut Room, approvals: &str) -> (String, String) {
    let shown = get(room, approvals)["whatsapp"].clone();
    let text = |key: &str| shown[key].as_str().unwrap().to_owned();
    (text("status"), text("category"))
}

#[test]
fn content_is_created_listed_approved_and_deleted() {
    let mut room = Room::new();
    let (status, content) = post(&mut room, "/v1/Content", &ask());
    assert_eq!((status, content["friendly_name"].as_str()), (201, Some("ask")));
    let sid = content["sid"].as_str().unwrap().to_owned();
    let approvals = format!("/v1/Content/{sid}/ApprovalRequests");
    assert_eq!(review(&mut room, &approvals).0, "unsubmitted");
    let approvals = submitted(&mut room, &ask(), "n");
    room.advance(seconds(29));
    assert_eq!(review(&mut room, &approvals).0, "received");
    room.advance(seconds(30));
    assert_eq!(review(&mut room, &approvals).0, "pending");
    room.advance(seconds(1));
    assert_eq!(review(&mut room, &approvals).0, "approved");
    let page = get(&mut room, "/v1/Content?PageSize=3");
    assert_eq!(page["contents"][1]["sid"], sid.as_str());
    let next = page["meta"]["next_page_url"].as_str().unwrap();
    let next = get(&mut room, next.strip_prefix("https://api.twilio.com").unwrap());
    assert_eq!(next["contents"].as_array().unwrap().len(), 2);
    assert!(next["meta"]["next_page_url"].is_null());
    let page = get(&mut room, "/v1/ContentAndApprovals");
    assert_eq!(page["contents"][0]["approval_requests"]["status"], "approved");
    assert_eq!(room.ask("DELETE", &format!("/v1/Content/{sid}"), &[]).status, 204);
    assert_eq!(room.ask("GET", &format!("/v1/Content/{sid}"), &[]).status, 404);
}

#[test]
fn content_that_twilio_does_not_take_is_refused_with_its_code() {
    let mut room = Room::new();
    let action = |kind: &str| json!([{"type": kind, "title": "a"}]);
    let card = |fields: Value| json!({"language": "en", "types": {"whatsapp/card": fields}});
    let cases = [
        (json!({"language": "en"}), 92001),
        (json!({"language": "en", "types": {"twilio/text": null}}), 92001),
        (json!({"types": {"twilio/text": {"body": "b"}}}), 92003),
        (json!({"language": "xx", "types": {"twilio/text": {"body": "b"}}}), 92004),
        (json!({"language": "en", "types": {"twilio/button": {}}}), 92008),
        (json!({"language": "en", "types": {"twilio/text": {}}}), 20001),
        (json!({"language": "en", "types": {"twilio/text": {"body": "b", "title": "t"}}}), 20001),
        (card(json!({"body": "x".repeat(1_025)})), 20001),
        (card(json!({"body": "b", "actions": action("VOICE_CALL_REQUEST")})), 20001),
        (card(json!({"body": "b", "actions": action("URL")})), 20001),
        (card(json!({"body": "b", "actions": [{"type": "VOICE_CALL"}]})), 20001),
        (
            card(json!({"body": "b", "actions": [{"type": "VOICE_CALL", "title": "a", "payload": "p"}]})),
            20001,
        ),
    ];
    for (body, code) in cases {
        let (status, refusal) = post(&mut room, "/v1/Content", &body);
        assert_eq!((status, &refusal["code"]), (400, &json!(code)), "{body}");
    }
    let mut two = ask();
    two["types"]["twilio/call-to-action"]["actions"] = json!([
        {"type": "VOICE_CALL_REQUEST", "title": "a"}, {"type": "URL", "title": "b", "url": "https://a.example/"},
    ]);
    assert_eq!(post(&mut room, "/v1/Content", &two).0, 400, "a permission request stands alone");
    for count in [100, 101] {
        let names = (0..count).map(|number| (format!("v{number}"), json!("x")));
        let mut body = ask();
        body["variables"] = Value::Object(names.collect());
        let expected = if count == 100 { 201 } else { 400 };
        assert_eq!(post(&mut room, "/v1/Content", &body).0, expected, "{count}");
    }
}

#[test]
fn a_name_decides_what_becomes_of_a_review() {
    let mut room = Room::new();
    let names = ["plain", "rejected_1", "recategorized_1", "paused_1", "disabled_1", "slow_1"];
    let all: Vec<String> = names.iter().map(|name| submitted(&mut room, &ask(), name)).collect();
    let statuses = |room: &mut Room| all.iter().map(|one| review(room, one).0).collect::<Vec<_>>();
    room.advance(seconds(60));
    let soon = ["approved", "rejected", "approved", "approved", "approved", "received"];
    assert_eq!(statuses(&mut room), soon);
    assert_eq!(review(&mut room, &all[2]).1, "MARKETING");
    assert_eq!(get(&mut room, &all[1])["whatsapp"]["rejection_reason"], "The template is too generic");
    room.advance(hours(1));
    let late = ["approved", "rejected", "approved", "paused", "disabled", "approved"];
    assert_eq!(statuses(&mut room), late);
}

#[test]
fn a_submission_is_taken_once_and_a_name_once() {
    let mut room = Room::new();
    let first = submitted(&mut room, &ask(), "n");
    let again = json!({"name": "m", "category": "UTILITY"});
    let (status, refusal) = post(&mut room, &format!("{first}/whatsapp"), &again);
    assert_eq!((status, &refusal["code"]), (400, &json!(92009)));
    let second = submitted(&mut room, &ask(), "n");
    room.advance(seconds(60));
    assert_eq!(review(&mut room, &first).0, "approved");
    assert_eq!(review(&mut room, &second).0, "rejected");
    let third = post(&mut room, "/v1/Content", &ask()).1["sid"].as_str().unwrap().to_owned();
    for body in [
        json!({"name": "With-Other", "category": "UTILITY"}),
        json!({"name": "n2", "category": "utility"}),
        json!({"name": "n2"}),
    ] {
        let path = format!("/v1/Content/{third}/ApprovalRequests/whatsapp");
        assert_eq!(post(&mut room, &path, &body).0, 400, "{body}");
    }
}

#[test]
fn misplaced_variables_are_rejected() {
    let mut room = Room::new();
    for (body, expected) in [
        ("Dear {{1}}, hello", "approved"),
        ("{{1}} hello", "rejected"),
        ("hello {{1}}.", "rejected"),
        ("a {{1}} {{2}} b", "rejected"),
    ] {
        let content = json!({"language": "en", "types": {"twilio/text": {"body": body}}});
        let name = format!("n{}", body.len());
        let approvals = submitted(&mut room, &content, &name);
        room.advance(seconds(60));
        assert_eq!(review(&mut room, &approvals).0, expected, "{body}");
    }
}

#[test]
fn paused_content_is_not_delivered() {
    let mut room = Room::new();
    let approvals = submitted(&mut room, &ask(), "paused");
    let sid = approvals.split('/').nth(3).unwrap().to_owned();
    room.advance(seconds(3_700));
    let form =
        [("To", format!("whatsapp:{TALKS}")), ("From", format!("whatsapp:{SENDER}")), ("ContentSid", sid)];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (status, text) = room.post("Messages.json", &form);
    assert_eq!(status, 201);
    room.advance(seconds(60));
    let text = room.read(&format!("Messages/{}.json", text["sid"].as_str().unwrap()));
    assert_eq!(text["error_code"], 63041);
}
