//! Pages of Messenger through the public interface of the world.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{CallShape, PageSetup};
use crate::domain::Phone;
use crate::sim::world::{
    ApiRequest, ApiResponse, AppSetup, Fate, Faults, Law, Restriction, Setup, Stop, Webhook, WebhookReply,
    World,
};

const PAGE: &str = "1234567890";
const TOKEN: &str = "the-token-of-the-page";
/// Follows invites, by its last digits.
const CALLS: &str = "+5511987650007";
const TALKS: &str = "+5511987650001";

fn phone(number: &str) -> Phone {
    Phone::parse(number).unwrap()
}

struct Lab {
    world: World,
    now: Timestamp,
}

impl Lab {
    fn new(change: impl FnOnce(&mut Setup)) -> Self {
        let mut app = AppSetup::new("77", "the-secret", "the-token-of-the-app");
        app.webhook_url = Some("https://daemon.example/hooks/messenger/page".to_owned());
        app.pages.push(PageSetup::new(PAGE, TOKEN));
        let mut setup = Setup::new(5, Vec::new());
        setup.graph.apps.push(app);
        change(&mut setup);
        Self { world: World::new(setup), now: "2026-11-20T12:00:00Z".parse().unwrap() }
    }

    fn ask(&mut self, method: &str, path: &str, token: &str, body: &Value) -> ApiResponse {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = ApiRequest {
            method: method.to_owned(),
            path: format!("/v25.0/{path}"),
            query: query.to_owned(),
            authorization: Some(format!("Bearer {token}")),
            content_type: Some("application/json".to_owned()),
            body: body.to_string().into_bytes(),
            ..ApiRequest::default()
        };
        self.world.serve(self.now, &request)
    }

    /// Sends to a person; the status and the body.
    fn send(&mut self, psid: &str, message: &Value) -> (u16, Value) {
        let body = json!({"recipient": {"id": psid}, "message": message});
        let answer = self.ask("POST", &format!("{PAGE}/messages"), TOKEN, &body);
        (answer.status, serde_json::from_str(&answer.body).unwrap())
    }

    /// Why it is not taken: status, code and subcode.
    fn refused(&mut self, psid: &str, message: &Value) -> (u16, u64, Option<u64>) {
        let (status, body) = self.send(psid, message);
        let error = &body["error"];
        (status, error["code"].as_u64().unwrap_or(0), error["error_subcode"].as_u64())
    }

    fn psid(&mut self, consumer: &str) -> String {
        self.world.psid(PAGE, phone(consumer)).unwrap()
    }

    fn writes(&mut self, consumer: &str, text: &str) {
        assert!(self.world.consumer_writes_to_page(self.now, PAGE, phone(consumer), text));
    }

    /// Lets the time pass; the webhooks of it, each answered with 200.
    fn pass(&mut self, by: SignedDuration) -> Vec<Webhook> {
        let until = self.now + by;
        let mut told = Vec::new();
        loop {
            let at = self.world.next_at().unwrap_or(until).clamp(self.now, until);
            self.now = at;
            let due = self.world.due(at);
            for webhook in &due {
                let reply = WebhookReply::Answer { status: 200, content_type: None, body: String::new() };
                self.world.answered(at, webhook.id, reply);
            }
            let is_over = due.is_empty() && at >= until;
            told.extend(due);
            if is_over {
                return told;
            }
        }
    }

    /// The items of the webhooks of the next minutes.
    fn told(&mut self, by: SignedDuration) -> Vec<Value> {
        let told = self.pass(by);
        let bodies = told.iter().map(|webhook| serde_json::from_str::<Value>(&webhook.json).unwrap());
        let entries = bodies.flat_map(|body| {
            assert_eq!(body["object"], "page");
            body["entry"].as_array().unwrap().clone()
        });
        let items = entries.flat_map(|entry| {
            assert_eq!(entry["id"], PAGE);
            let lists =
                ["messaging", "changes"].map(|name| entry[name].as_array().cloned().unwrap_or_default());
            lists.concat()
        });
        items.collect()
    }

    fn laws(&self) -> Vec<Law> {
        self.world.report().violations.iter().map(|broken| broken.law).collect()
    }
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

fn call_button(days: i64) -> Value {
    json!({"type": "audio_call", "title": "Call Now", "expires_in_days": days})
}

fn with_buttons(text: &str, buttons: Value) -> Value {
    json!({"attachment": {"type": "template",
        "payload": {"template_type": "button", "text": text, "buttons": buttons}}})
}

fn invite() -> Value {
    with_buttons("Call us", json!([call_button(7)]))
}

fn cards(elements: Value) -> Value {
    json!({"attachment": {"type": "template", "payload": {"template_type": "generic", "elements": elements}}})
}

#[test]
fn an_invite_is_taken_delivered_and_followed_by_a_call() {
    let mut lab = Lab::new(|setup| setup.behaviour.read_of_ten = 10);
    let psid = lab.psid(CALLS);
    lab.writes(CALLS, "hello");
    let written = &lab.told(minutes(1))[0];
    assert_eq!(written["sender"]["id"], psid.as_str());
    assert_eq!(written["recipient"]["id"], PAGE);
    assert_eq!(written["message"]["text"], "hello");
    let (status, answer) = lab.send(&psid, &invite());
    assert_eq!((status, &answer["recipient_id"]), (200, &json!(psid)));
    let id = answer["message_id"].clone();
    let told = lab.told(minutes(30));
    assert_eq!(told[0]["message"]["is_echo"], true);
    assert_eq!(told[0]["sender"]["id"], PAGE);
    assert!(told.iter().any(|item| item["delivery"]["mids"] == json!([id])), "{told:?}");
    assert!(told.iter().any(|item| item["read"].is_object()));
    let call = told.iter().find(|item| item["call"].is_object()).unwrap();
    assert_eq!(call["sender"]["id"], psid.as_str());
    let counts = lab.world.report().counts;
    assert_eq!((counts.invites, counts.notes, counts.taps, counts.page_calls), (1, 1, 1, 1));
    assert_eq!(lab.laws(), []);
}

#[test]
fn both_shapes_of_answers_and_of_calls_are_told() {
    let mut lab = Lab::new(|setup| {
        setup.behaviour.page_answers_nested = true;
        setup.behaviour.page_call_shape = CallShape::Change;
    });
    let psid = lab.psid(TALKS);
    lab.writes(TALKS, "hello");
    let (_, answer) = lab.send(&psid, &invite());
    assert_eq!(answer["recipient"]["id"], psid.as_str());
    assert!(answer["recipient"]["message_id"].is_string());
    assert!(!lab.world.consumer_taps_at_page(lab.now, PAGE, phone(TALKS)), "it is on its way");
    lab.pass(minutes(1));
    assert!(lab.world.consumer_taps_at_page(lab.now, PAGE, phone(TALKS)));
    let told = lab.told(minutes(1));
    let call = told.iter().find(|item| item["field"] == "calls").unwrap();
    assert_eq!(call["value"]["calls"][0]["from"], psid.as_str());
}

#[test]
fn each_error_that_the_document_names_is_answered() {
    let mut lab = Lab::new(|setup| {
        let app = &mut setup.graph.apps[0];
        app.pages.push(PageSetup { is_calling_on: false, ..PageSetup::new("2", "token-2") });
        app.pages.push(PageSetup { may_message: false, ..PageSetup::new("3", "token-3") });
    });
    let psid = lab.psid(TALKS);
    assert_eq!(lab.refused("1", &invite()), (400, 100, Some(2_018_001)), "no such person");
    assert_eq!(lab.refused(&psid, &invite()), (403, 10, Some(2_018_278)), "nothing was written");
    lab.writes(TALKS, "hello");
    let late = with_buttons("Call us", json!([call_button(8)]));
    assert_eq!(lab.refused(&psid, &late), (400, 100, None), "8 days");
    for (page, expected) in [("2", (400, 100, Some(2_018_389))), ("3", (403, 200, Some(2_018_028)))] {
        let psid = lab.world.psid(page, phone(TALKS)).unwrap();
        assert!(lab.world.consumer_writes_to_page(lab.now, page, phone(TALKS), "hello"));
        let body = json!({"recipient": {"id": psid}, "message": invite()});
        let answer = lab.ask("POST", &format!("{page}/messages"), &format!("token-{page}"), &body);
        let error: Value = serde_json::from_str(&answer.body).unwrap();
        let error = &error["error"];
        let found = (answer.status, error["code"].as_u64().unwrap(), error["error_subcode"].as_u64());
        assert_eq!(found, expected, "{page}");
    }
    let body = json!({"recipient": {"id": psid}, "message": invite()});
    for (path, token, status, code) in [
        ("1234567890/messages", "wrong", 401, 190),
        ("1234567890/messages", "the-token-of-the-app", 401, 190),
        ("2/messages", TOKEN, 400, 100),
        ("551140000000/messages", TOKEN, 400, 100),
    ] {
        let answer = lab.ask("POST", path, token, &body);
        let error: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, error["error"]["code"].as_u64()), (status, Some(code)), "{path} {token}");
    }
    assert_eq!(lab.world.report().counts.notes, 0);
}

#[test]
fn the_window_of_a_page_is_a_day() {
    let mut lab = Lab::new(|_| {});
    let psid = lab.psid(TALKS);
    lab.writes(TALKS, "hello");
    lab.now = lab.now + SignedDuration::from_hours(24) - SignedDuration::from_secs(1);
    assert_eq!(lab.send(&psid, &invite()).0, 200);
    lab.now += SignedDuration::from_secs(1);
    assert_eq!(lab.refused(&psid, &json!({"text": "hello"})), (403, 10, Some(2_018_278)));
}

#[test]
fn the_limits_of_templates_hold_at_their_boundaries() {
    let mut lab = Lab::new(|_| {});
    let psid = lab.psid(TALKS);
    lab.writes(TALKS, "hello");
    let text = |length: usize| "x".repeat(length);
    let link = |length: usize| json!({"type": "web_url", "title": text(length), "url": "https://a.example"});
    let card = |title: usize, subtitle: usize| json!({"title": text(title), "subtitle": text(subtitle)});
    let buttons = |count: usize| json!(vec![link(1); count]);
    let good = [
        with_buttons(&text(640), json!([link(20), call_button(1), call_button(7)])),
        with_buttons("a", buttons(3)),
        cards(json!(vec![card(80, 80); 10])),
        cards(json!([{"title": "a", "buttons": [call_button(1)]}])),
        json!({"text": text(2_000)}),
    ];
    let bad = [
        with_buttons(&text(641), buttons(1)),
        with_buttons("", buttons(1)),
        with_buttons("a", buttons(0)),
        with_buttons("a", buttons(4)),
        with_buttons("a", json!([link(21)])),
        with_buttons("a", json!([call_button(0)])),
        with_buttons("a", json!([call_button(8)])),
        with_buttons("a", json!([{"type": "audio_call", "title": "a", "expires_in_days": "7"}])),
        with_buttons("a", json!([{"type": "audio_call"}])),
        with_buttons("a", json!([{"type": "web_url", "title": "a"}])),
        with_buttons("a", json!([{"type": "voice_call", "title": "a"}])),
        cards(json!([])),
        cards(json!(vec![card(1, 1); 11])),
        cards(json!([card(81, 1)])),
        cards(json!([card(1, 81)])),
        cards(json!([{"title": "alone"}])),
        json!({"text": text(2_001)}),
        json!({"text": "a", "attachment": {}}),
        json!({}),
    ];
    for message in good {
        assert_eq!(lab.send(&psid, &message).0, 200, "{message}");
    }
    for message in bad {
        assert_eq!(lab.refused(&psid, &message), (400, 100, None), "{message}");
    }
}

#[test]
fn a_call_button_ends_after_its_days() {
    let mut lab = Lab::new(|_| {});
    let psid = lab.psid(TALKS);
    lab.writes(TALKS, "hello");
    assert_eq!(lab.send(&psid, &with_buttons("a", json!([call_button(1)]))).0, 200);
    lab.now = lab.now + SignedDuration::from_hours(24) - SignedDuration::from_secs(1);
    assert!(lab.world.consumer_taps_at_page(lab.now, PAGE, phone(TALKS)));
    assert_eq!(lab.world.report().counts.page_calls, 1);
    lab.now += SignedDuration::from_secs(1);
    assert!(lab.world.consumer_taps_at_page(lab.now, PAGE, phone(TALKS)));
    let counts = lab.world.report().counts;
    assert_eq!((counts.page_calls, counts.taps_expired), (1, 1));
}

#[test]
fn a_page_tells_whether_it_may_use_calls_and_knows_its_people() {
    let mut lab = Lab::new(|setup| {
        let page = PageSetup { is_calling_on: false, ..PageSetup::new("2", "token-2") };
        setup.graph.apps[0].pages.push(page);
    });
    let asked = json!({"features": [{"feature": "messenger_api_calling"}]});
    for (page, token, status) in [(PAGE, TOKEN, "ELIGIBLE"), ("2", "token-2", "NOT_ELIGIBLE")] {
        let answer = lab.ask("POST", &format!("{page}/business_messaging_feature_status"), token, &asked);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["features"][0]["status"], status, "{page}");
    }
    let psid = lab.psid(TALKS);
    let asked = |psid: &str| format!("{PAGE}/messenger_call_permissions?psid={psid}");
    let answer = lab.ask("GET", &asked(&psid), TOKEN, &Value::Null);
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["permission"]["status"], "no_permission");
    assert_eq!(lab.ask("GET", &asked("1"), TOKEN, &Value::Null).status, 400);
    assert_eq!(lab.ask("GET", "me?fields=id", TOKEN, &Value::Null).status, 200);
    assert_eq!(lab.world.psid("3", phone(TALKS)), None, "there is no such page");
}

#[test]
fn faults_of_the_world_reach_pages_and_a_lost_answer_is_of_a_sent_message() {
    let mut lab = Lab::new(|_| {});
    let psid = lab.psid(TALKS);
    lab.writes(TALKS, "hello");
    for (faults, status) in [
        (Faults { throttle: 1.0, ..Faults::default() }, 400),
        (Faults { error_before: 1.0, ..Faults::default() }, 503),
    ] {
        lab.world.set_faults(faults);
        assert_eq!(lab.send(&psid, &json!({"text": "a"})).0, status);
    }
    assert_eq!(lab.world.report().counts.notes, 0);
    lab.world.set_faults(Faults { drop_answer: 1.0, ..Faults::default() });
    let body = json!({"recipient": {"id": psid}, "message": {"text": "a"}});
    let answer = lab.ask("POST", &format!("{PAGE}/messages"), TOKEN, &body);
    assert_eq!(answer.fate, Fate::Drop);
    assert_eq!(lab.world.report().counts.notes, 1);
}

#[test]
fn a_person_who_blocked_the_page_is_not_available() {
    let mut lab = Lab::new(|_| {});
    let psid = lab.psid(TALKS);
    lab.writes(TALKS, "hello");
    assert!(lab.world.consumer_blocks_page(lab.now, PAGE, phone(TALKS)));
    assert_eq!(lab.refused(&psid, &invite()), (400, 551, Some(1_545_041)));
    lab.writes(TALKS, "hello");
    assert_eq!(lab.send(&psid, &invite()).0, 200);
}

#[test]
fn the_oracle_finds_an_invite_of_a_page_that_meta_refused_for_a_restriction() {
    let mut lab = Lab::new(|_| {});
    let psid = lab.psid(TALKS);
    lab.writes(TALKS, "hello");
    let restriction = Restriction { kind: "PAGE".to_owned(), until: Some(lab.now + minutes(60)) };
    assert!(lab.world.restrict(lab.now, PAGE, restriction));
    assert_eq!(lab.refused(&psid, &invite()).1, 368);
    assert_eq!(lab.laws(), [], "nobody knew of it before");
    lab.pass(minutes(1));
    assert_eq!(lab.refused(&psid, &invite()).1, 368);
    assert_eq!(lab.laws(), [Law::RestrictionIsKept]);
    lab.world.oracle_mut().daemon_began();
    assert_eq!(lab.refused(&psid, &invite()).1, 368);
    assert_eq!(lab.laws(), [Law::RestrictionIsKept], "a new process does not know it");
    lab.pass(minutes(24 * 60 - 6));
    lab.writes(TALKS, "hello");
    assert_eq!(lab.send(&psid, &invite()).0, 200);
    assert_eq!(lab.laws(), [Law::RestrictionIsKept; 2], "the end of the restriction is not told");
}

#[test]
fn the_oracle_finds_an_invite_too_soon_and_one_outside_the_window() {
    let mut lab = Lab::new(|_| {});
    let psid = lab.psid(TALKS);
    lab.writes(TALKS, "hello");
    assert_eq!(lab.send(&psid, &invite()).0, 200);
    lab.pass(minutes(1));
    assert_eq!(lab.send(&psid, &invite()).0, 200);
    assert_eq!(lab.laws(), [Law::InvitesPerPerson]);
    // A week after the first invite, within the time that its intent may have waited.
    lab.now += SignedDuration::from_hours(8 * 24);
    assert_eq!(lab.refused(&psid, &invite()).1, 10);
    assert_eq!(lab.laws(), [Law::InvitesPerPerson, Law::InviteNeedsWindow]);
}

#[test]
fn the_oracle_finds_an_invite_after_a_stop_or_during_a_pause() {
    let mut lab = Lab::new(|_| {});
    let psid = lab.psid(TALKS);
    lab.writes(TALKS, "STOP");
    assert_eq!(lab.send(&psid, &invite()).0, 200, "the daemon may not know it yet");
    assert_eq!(lab.laws(), []);
    lab.pass(minutes(1));
    assert_eq!(lab.send(&psid, &invite()).0, 200);
    assert_eq!(lab.laws(), [Law::NoIsKept, Law::InvitesPerPerson]);
    lab.writes(TALKS, "start");
    lab.now += SignedDuration::from_hours(8 * 24);
    lab.writes(TALKS, "hello");
    let stop = Stop { from: lab.now, until: None, senders: None, consumer: Some(phone(TALKS)) };
    lab.world.oracle_mut().paused("p", stop);
    lab.now += SignedDuration::from_secs(1);
    assert_eq!(lab.send(&psid, &invite()).0, 200);
    assert_eq!(lab.laws()[2..], [Law::PauseIsKept]);
}

#[test]
fn webhooks_of_a_page_are_signed_with_the_secret_of_its_app() {
    let mut lab = Lab::new(|_| {});
    lab.writes(TALKS, "hello");
    let due = lab.pass(minutes(1));
    let secret = secrecy::SecretString::from("the-secret");
    let headers = lab.world.headers(&due[0]);
    let signature = headers.iter().find(|(name, _)| *name == "x-hub-signature-256").unwrap();
    let checked = crate::meta::signature::verify(&secret, Some(&signature.1), due[0].json.as_bytes());
    assert_eq!(checked, Ok(()));
}
