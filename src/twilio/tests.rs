//! The client with a scripted transport: its requests in Twilio's format, and the meaning of each answer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::http::HeaderValue;
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::content::{Catalogue, Declaration, Failure};
use crate::domain::event::MessageProgress;
use crate::domain::{AttemptId, CallProgress, Disposition, Phone};

const CALL: &str = "CA0123456789abcdef0123456789abcdef";
const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";

/// Answers in the order of the script, and records the requests.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Result<Response, TransportError>>>,
    asked: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.asked.lock().unwrap().push(request);
        self.answers.lock().unwrap().pop_front().expect("the script has an answer for every request")
    }
}

impl Script {
    fn urls(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|request| request.url.clone()).collect()
    }

    fn form(&self) -> Vec<(String, String)> {
        match &self.asked.lock().unwrap()[0].body {
            Body::Form(pairs) => pairs.clone(),
            other => panic!("not a form: {other:?}"),
        }
    }

    fn json(&self) -> Value {
        match &self.asked.lock().unwrap()[0].body {
            Body::Json(bytes) => serde_json::from_slice(bytes).unwrap(),
            other => panic!("not JSON: {other:?}"),
        }
    }
}

fn client(answers: impl IntoIterator<Item = Result<Response, TransportError>>) -> (Client, Arc<Script>) {
    let script = Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), ..Script::default() });
    let account = Account::new(ACCOUNT, Basic::new("SK1", "hush".to_owned()));
    (Client::new(script.clone(), account), script)
}

fn answer(status: u16, body: &Value) -> Result<Response, TransportError> {
    Ok(Response::new(status, body.to_string()))
}

fn raw(status: u16, body: &'static str) -> Result<Response, TransportError> {
    Ok(Response::new(status, body))
}

fn new_call() -> NewCall {
    let from = Phone::parse("+14155552671").unwrap();
    let to = Phone::parse("+5511987654321").unwrap();
    NewCall::whatsapp(from, to, "https://r.example/twiml/t", "https://r.example/status/t")
}

async fn create(reply: Result<Response, TransportError>) -> Created<Call> {
    let (client, script) = client([reply]);
    let created = client.create_call(&new_call()).await;
    assert_eq!(script.asked.lock().unwrap().len(), 1, "a create is sent once, whatever the answer");
    created
}

#[tokio::test]
async fn a_call_is_placed_with_every_event_reported() {
    let (client, script) = client([answer(201, &json!({"sid": CALL, "status": "queued"}))]);
    let call = NewCall {
        fallback_url: Some("https://r.example/fallback".into()),
        ring_timeout_s: 45,
        time_limit_s: Some(600),
        machine_detection: Some(MachineDetection::Enable),
        ..new_call()
    };
    let Created::Accepted(placed) = client.create_call(&call).await else { panic!("not accepted") };
    assert_eq!((placed.sid.as_str(), placed.progress()), (CALL, Ok(CallProgress::Queued)));
    let url = format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Calls.json");
    assert_eq!(script.urls(), [url]);
    let expected = [
        ("To", "whatsapp:+5511987654321"),
        ("From", "whatsapp:+14155552671"),
        ("Url", "https://r.example/twiml/t"),
        ("Method", "POST"),
        ("FallbackUrl", "https://r.example/fallback"),
        ("FallbackMethod", "POST"),
        ("StatusCallback", "https://r.example/status/t"),
        ("StatusCallbackMethod", "POST"),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
        ("Timeout", "45"),
        ("TimeLimit", "600"),
        ("MachineDetection", "Enable"),
    ];
    let sent = script.form();
    let sent: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn a_call_with_a_sid_is_accepted_whatever_the_rest_of_the_answer() {
    for body in [
        json!({"sid": CALL}),
        json!({"sid": CALL, "status": null, "from": null, "duration": null, "queue_time": "0", "price": -1}),
        json!({"sid": CALL, "status": "parked", "to": 7, "date_created": "soon", "new_field": {}}),
    ] {
        let created = create(answer(201, &body)).await;
        assert!(matches!(&created, Created::Accepted(call) if call.sid == CALL), "{body} {created:?}");
    }
}

#[tokio::test]
async fn a_success_without_a_call_identifier_is_unknown() {
    for body in [
        "",
        "{}",
        "<html>",
        "{\"sid\":null}",
        "{\"sid\":\"CA1\"}",
        "{\"sid\":\"SM0123456789abcdef0123456789abcdef\"}",
    ] {
        let created = create(raw(201, body)).await;
        assert!(
            matches!(created, Created::Unknown(UnknownCause::Malformed { status: 201 })),
            "{body} {created:?}"
        );
    }
}

#[tokio::test]
async fn only_a_definite_refusal_is_a_refusal() {
    for status in [400, 401, 403, 404, 405, 409, 422, 451] {
        let created = create(raw(status, "")).await;
        assert!(matches!(&created, Created::Refused(no) if no.status == status), "{status} {created:?}");
    }
    for status in [301, 302, 307, 308, 408, 500, 502, 503, 504, 599] {
        let created = create(raw(status, "{\"code\":20500}")).await;
        assert!(
            matches!(created, Created::Unknown(UnknownCause::Status { status: s, code: Some(20500) }) if s == status),
            "{status} {created:?}"
        );
    }
    let mut throttled = Response::new(429, "{\"code\":20429,\"message\":\"Too Many Requests\"}");
    throttled.headers.insert("retry-after", HeaderValue::from_static("3"));
    let created = create(Ok(throttled)).await;
    assert!(
        matches!(&created, Created::Throttled { retry_after: Some(after), refusal } if *after == Duration::from_secs(3) && refusal.code == Some(20429)),
        "{created:?}"
    );
}

#[tokio::test]
async fn not_sent_and_lost_are_distinguished() {
    let created = create(Err(TransportError::NotSent("connection refused".into()))).await;
    assert!(matches!(&created, Created::NotSent(cause) if cause == "connection refused"), "{created:?}");
    let created = create(Err(TransportError::Lost("reset".into()))).await;
    assert!(matches!(created, Created::Unknown(UnknownCause::Lost(_))), "{created:?}");
}

#[tokio::test]
async fn every_form_of_refusal_is_read_and_numbers_are_masked() {
    for (body, code, message) in [
        (
            r#"{"code":21211,"message":"The 'To' number +5511987654321 is not valid.","more_info":"https://x","status":400}"#,
            Some(21211),
            "The 'To' number +************* is not valid.",
        ),
        (r#"{"message":"no code","status":400}"#, None, "no code"),
        (
            r#"{"type":"x","title":"Invalid","status":400,"code":"20001","detail":"Bad field","errors":[{"detail":"is 5511987654321","pointer":"/x"}]}"#,
            Some(20001),
            "Bad field (is *************)",
        ),
        (r#"{"title":"Invalid","errors":null}"#, None, "Invalid"),
        ("<html>no</html>", None, "no reason given"),
        ("", None, "no reason given"),
        ("[]", None, "no reason given"),
    ] {
        let Created::Refused(refusal) = create(raw(400, body)).await else { panic!("{body}") };
        assert_eq!((refusal.code, refusal.message.as_str()), (code, message), "{body}");
    }
}

#[tokio::test]
async fn refused_credentials_are_recognised() {
    for (status, body, credentials) in [
        (401, "", true),
        (401, r#"{"code":20003}"#, true),
        (403, "", true),
        (403, r#"{"code":20003}"#, true),
        (403, r#"{"code":37000}"#, false),
        (400, r#"{"code":21211}"#, false),
    ] {
        let Created::Refused(refusal) = create(raw(status, body)).await else { panic!("{status}") };
        assert_eq!(refusal.is_credentials(), credentials, "{status} {body}");
    }
}

#[tokio::test]
async fn a_finished_call_is_read_with_its_dates_and_numbers() {
    let body = json!({
        "sid": CALL, "account_sid": ACCOUNT, "parent_call_sid": null, "status": "no-answer",
        "from": "whatsapp:+14155552671", "to": "+5511987654321", "direction": "outbound-api",
        "duration": "15", "queue_time": "1000", "price": "-0.03000", "price_unit": "USD", "answered_by": null,
        "date_created": "Tue, 31 Aug 2010 20:36:28 +0000", "start_time": "Tue, 31 Aug 2010 20:36:29 +0000",
        "end_time": "", "subresource_uris": {"events": "/x"},
    });
    let (client, script) = client([answer(200, &body)]);
    let call = client.fetch_call(CALL).await.unwrap();
    assert_eq!(call.progress(), Ok(CallProgress::Ended(Disposition::NoAnswer)));
    assert_eq!(call.to.as_ref().and_then(Address::phone), Phone::parse("+5511987654321").ok());
    assert_eq!((call.duration_s, call.queue_time_ms), (Some(15), Some(1000)));
    assert_eq!(call.date_created, Some("2010-08-31T20:36:28Z".parse().unwrap()));
    assert_eq!(call.end_time, None);
    let attempt = AttemptId::new(uuid::Uuid::from_u128(7));
    let report = call.report(attempt).unwrap();
    assert_eq!((report.attempt, report.sid.as_str(), report.duration_s), (attempt, CALL, Some(15)));
    assert_eq!(report.progress, CallProgress::Ended(Disposition::NoAnswer));
    assert!(!format!("{call:?}").contains("98765"), "{call:?}");
    assert!(script.urls()[0].ends_with(&format!("/Calls/{CALL}.json")));
}

#[tokio::test]
async fn an_unknown_call_status_keeps_its_text() {
    let (client, _) = client([answer(200, &json!({"sid": CALL, "status": "parked"}))]);
    assert_eq!(client.fetch_call(CALL).await.unwrap().progress().unwrap_err().0, "parked");
}

#[tokio::test]
async fn a_list_is_read_to_its_end_at_the_same_service() {
    let (client, script) = client([
        answer(
            200,
            &json!({"calls": [{"sid": CALL}], "next_page_uri": "/2010-04-01/x.json?Page=1&PageToken=PA1"}),
        ),
        answer(
            200,
            &json!({"calls": [{"sid": CALL}], "next_page_uri": "https://evil.example/y.json?Page=2"}),
        ),
        answer(200, &json!({"calls": [], "next_page_uri": null})),
    ]);
    let filter = CallFilter {
        to: Some("whatsapp:+5511987654321".parse().unwrap()),
        status: Some(CallProgress::InProgress),
        started_from: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        ..CallFilter::default()
    };
    assert_eq!(client.list_calls(&filter).await.unwrap().len(), 2);
    let base = format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}");
    let urls = script.urls();
    assert_eq!(
        urls[0],
        format!(
            "{base}/Calls.json?To=whatsapp%3A%2B5511987654321&Status=in-progress&StartTime%3E=2026-01-01T00%3A00%3A00Z&PageSize=1000"
        )
    );
    assert_eq!(urls[1], "https://api.twilio.com/2010-04-01/x.json?Page=1&PageToken=PA1");
    assert_eq!(urls[2], "https://api.twilio.com/y.json?Page=2");
}

#[tokio::test]
async fn an_incomplete_or_endless_list_is_an_error() {
    let page = || answer(200, &json!({"calls": [{"sid": CALL}], "next_page_uri": "/again"}));
    let (broken, _) = client([page(), raw(503, "")]);
    let listed = broken.list_calls(&CallFilter::default()).await;
    assert!(matches!(listed, Err(Error::Unreachable(_))), "{listed:?}");
    let (endless, script) = client((0..1000).map(|_| page()));
    let listed = endless.list_calls(&CallFilter::default()).await;
    assert!(matches!(listed, Err(Error::Unexpected(_))), "{listed:?}");
    assert!(script.asked.lock().unwrap().len() < 1000);
}

#[tokio::test]
async fn a_lookup_has_an_error_for_each_case_of_its_callers() {
    async fn ask(reply: Result<Response, TransportError>) -> Error {
        client([reply]).0.fetch_call(CALL).await.unwrap_err()
    }
    assert!(matches!(ask(raw(404, "")).await, Error::NotFound));
    assert!(matches!(ask(raw(429, "")).await, Error::RateLimited { retry_after: None }));
    assert!(matches!(ask(raw(401, "")).await, Error::Rejected(refusal) if refusal.is_credentials()));
    for unreachable in [
        raw(500, ""),
        raw(408, ""),
        Err(TransportError::Lost("x".into())),
        Err(TransportError::NotSent("x".into())),
    ] {
        assert!(matches!(ask(unreachable).await, Error::Unreachable(_)));
    }
    for unexpected in [raw(200, "<html>"), raw(200, "{}"), raw(302, "")] {
        assert!(matches!(ask(unexpected).await, Error::Unexpected(_)));
    }
}

#[tokio::test]
async fn a_malformed_identifier_never_becomes_a_path() {
    let (client, script) = client([]);
    for sid in ["", "../Accounts", "CA1", "SM0123456789abcdef0123456789abcdef"] {
        assert!(matches!(client.fetch_call(sid).await, Err(Error::NotFound)));
        assert!(matches!(client.hang_up(sid, HangUp::Always).await, Err(Error::NotFound)));
        assert!(matches!(client.call_events(sid).await, Err(Error::NotFound)));
        assert!(matches!(client.fetch_sender(sid).await, Err(Error::NotFound)));
        assert!(matches!(client.fetch_content(sid).await, Err(Error::NotFound)));
    }
    assert!(matches!(client.fetch_message(CALL).await, Err(Error::NotFound)));
    assert!(script.urls().is_empty());
}

#[tokio::test]
async fn hanging_up_has_a_variant_that_spares_conversations() {
    for (how, word) in [(HangUp::IfUnanswered, "canceled"), (HangUp::Always, "completed")] {
        let (client, script) = client([answer(200, &json!({"sid": CALL, "status": word}))]);
        client.hang_up(CALL, how).await.unwrap();
        assert_eq!(script.form(), [("Status".to_owned(), word.to_owned())]);
    }
}

#[tokio::test]
async fn the_events_of_a_call_identify_its_attempt() {
    let body = json!({"events": [{
        "request": {"method": "POST", "url": "https://api.twilio.com/x.json", "parameters": {
            "to": "whatsapp:+5511987654321", "status_callback": "https://r.example/status/token7", "timeout": 55}},
        "response": {"response_code": 201, "request_duration": 50, "date_created": "Tue, 11 Aug 2020 17:44:08 +0000"},
    }, {"request": {"method": "GET", "url": "https://r.example/a?From=%2B5511987654321"}, "response": null}]});
    let (client, _) = client([answer(200, &body)]);
    let events = client.call_events(CALL).await.unwrap();
    assert!(events[0].names("token7") && !events[1].names("token7"));
    assert_eq!(events[0].response_status, Some(201));
    assert_eq!(events[0].at, Some("2020-08-11T17:44:08Z".parse().unwrap()));
    assert!(!format!("{events:?}").contains("5511987654321"), "{events:?}");
}

#[tokio::test]
async fn a_message_has_its_content_and_variables() {
    let sid = "MM0123456789abcdef0123456789abcdef";
    let (client, script) =
        client([answer(201, &json!({"sid": sid, "status": "accepted", "error_code": null}))]);
    let message = NewMessage {
        from: Phone::parse("+14155552671").unwrap(),
        to: Phone::parse("+5511987654321").unwrap(),
        content_sid: "HX1".into(),
        content_variables: BTreeMap::from([("1".into(), "Ana \"A\"".into()), ("2".into(), "10".into())]),
        status_callback: Some("https://r.example/m".into()),
        validity_s: Some(600),
    };
    let Created::Accepted(sent) = client.create_message(&message).await else { panic!("not accepted") };
    assert_eq!((sent.sid.as_str(), sent.progress()), (sid, Ok(MessageProgress::Queued)));
    let expected = [
        ("To", "whatsapp:+5511987654321"),
        ("From", "whatsapp:+14155552671"),
        ("ContentSid", "HX1"),
        ("ContentVariables", r#"{"1":"Ana \"A\"","2":"10"}"#),
        ("StatusCallback", "https://r.example/m"),
        ("ValidityPeriod", "600"),
    ];
    assert_eq!(script.form(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(!format!("{message:?}").contains("Ana"));
}

#[tokio::test]
async fn content_is_created_as_it_is_given() {
    let sid = "HX0123456789abcdef0123456789abcdef";
    let shown = json!({"body": "May we call?", "actions": [{"type": "VOICE_CALL_REQUEST", "title": "Call"}]});
    let (client, script) = client([answer(
        201,
        &json!({"sid": sid, "types": {"twilio/call-to-action": shown}, "date_created": "2015-07-30T19:00:00Z"}),
    )]);
    let content = NewContent {
        friendly_name: "request".into(),
        language: "en".into(),
        variables: BTreeMap::new(),
        types: json!({"twilio/call-to-action": shown}),
    };
    let Created::Accepted(created) = client.create_content(&content).await else { panic!("not accepted") };
    assert!(created.has_action("VOICE_CALL_REQUEST") && !created.has_action("VOICE_CALL"));
    assert_eq!(created.date_created, Some("2015-07-30T19:00:00Z".parse().unwrap()));
    assert_eq!(script.urls(), ["https://content.twilio.com/v1/Content"]);
    let expected =
        json!({"friendly_name": "request", "language": "en", "types": {"twilio/call-to-action": shown}});
    assert_eq!(script.json(), expected);
}

#[tokio::test]
async fn a_list_outside_v2010_is_read_to_its_end() {
    let next = "https://content.twilio.com/v1/Content?PageSize=500&Page=1&PageToken=x";
    let (client, script) = client([
        answer(
            200,
            &json!({"contents": [{"sid": "HX1", "types": {}}], "meta": {"next_page_url": next, "page": 0}}),
        ),
        answer(200, &json!({"contents": [{"sid": "HX2"}], "meta": {"next_page_url": null}})),
    ]);
    assert_eq!(client.list_content().await.unwrap().len(), 2);
    assert_eq!(script.urls()[1], next);
}

#[tokio::test]
async fn content_is_listed_with_approvals_of_any_shape() {
    let one = |approval: &Value| json!({"sid": "HX1", "friendly_name": "a", "approval_requests": approval});
    let shown = [
        json!({"status": "rejected", "rejection_reason": "too generic", "category": "UTILITY", "name": "a_1"}),
        json!({"status": null, "category": 7}),
        json!(null),
        json!([]),
    ];
    let contents: Vec<Value> = shown.iter().map(one).collect();
    let (client, script) = client([answer(200, &json!({"contents": contents, "meta": {}}))]);
    let held = Catalogue::list(&client).await.unwrap();
    assert_eq!(script.urls(), ["https://content.twilio.com/v1/ContentAndApprovals?PageSize=500"]);
    let statuses: Vec<_> = held.iter().map(|held| held.review.status.as_str()).collect();
    assert_eq!(statuses, ["rejected", "unsubmitted", "unsubmitted", "unsubmitted"]);
    assert_eq!(held[0].review.reason.as_deref(), Some("too generic"));
    assert!(held[0].variables.is_empty() && held[0].created_at.is_none());
}

#[tokio::test]
async fn a_submission_is_sent_once_whatever_comes_back() {
    let declaration = declared_invite();
    let sid = "HX0123456789abcdef0123456789abcdef";
    let throttled = Response { headers: retry_after("9"), ..Response::new(429, "{}") };
    let lost = Err(TransportError::Lost("gone".into()));
    let cases = [
        (answer(201, &json!({"status": "received", "category": "UTILITY"})), "received"),
        // The example of the specification shows the state before the submission.
        (answer(201, &json!({"status": "unsubmitted"})), "received"),
        (answer(201, &json!({"status": "rejected", "rejection_reason": "no"})), "rejected"),
        (answer(400, &json!({"code": 92009, "message": "submitted"})), "refused"),
        (answer(401, &json!({"code": 20003, "message": "Authenticate"})), "credentials"),
        (Ok(throttled), "throttled"),
        (answer(500, &json!({})), "unknown"),
        (raw(201, "not JSON"), "unknown"),
        (lost, "unknown"),
        (Err(TransportError::NotSent("no route".into())), "unreachable"),
    ];
    for (reply, expected) in cases {
        let (client, script) = client([reply]);
        let told = match client.submit(sid, &declaration).await {
            Ok(review) => review.status.as_str().to_owned(),
            Err(Failure::Refused { code: Some(92_009), .. }) => "refused".to_owned(),
            Err(Failure::Credentials(_)) => "credentials".to_owned(),
            Err(Failure::Throttled { retry_after: Some(wait) }) if wait.as_secs() == 9 => {
                "throttled".to_owned()
            }
            Err(Failure::Unknown(_)) => "unknown".to_owned(),
            Err(Failure::Unreachable(_)) => "unreachable".to_owned(),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(told, expected);
        let url = format!("https://content.twilio.com/v1/Content/{sid}/ApprovalRequests/whatsapp");
        assert_eq!(script.urls(), [url]);
        assert_eq!(script.json()["category"], "UTILITY");
        assert!(script.json()["name"].as_str().unwrap().starts_with("invite_"));
    }
}

#[tokio::test]
async fn deleted_content_is_gone_whether_it_was_there_or_not() {
    let sid = "HX0123456789abcdef0123456789abcdef";
    let (client, script) = client([raw(204, ""), answer(404, &json!({})), answer(500, &json!({}))]);
    assert_eq!(client.delete(sid).await, Ok(()));
    assert_eq!(client.delete(sid).await, Ok(()));
    assert!(matches!(client.delete(sid).await, Err(Failure::Unreachable(_))));
    assert_eq!(client.delete("HX1/../Content").await, Ok(()), "nothing is sent for what is no identifier");
    assert_eq!(script.urls().len(), 3);
    assert_eq!(script.asked.lock().unwrap()[0].method, ::http::Method::DELETE);
}

fn declared_invite() -> Declaration {
    let source = "name = \"invite\"\nlanguage = \"en\"\ncategory = \"UTILITY\"\napproval = \"whatsapp\"\n\
                  type = \"whatsapp/card\"\nbody = \"Call us.\"\n[[actions]]\ntype = \"VOICE_CALL\"\ntitle = \"Call\"";
    crate::content::read::read(source).0.unwrap().declaration
}

fn retry_after(seconds: &'static str) -> ::http::HeaderMap {
    ::http::HeaderMap::from_iter([(::http::header::RETRY_AFTER, HeaderValue::from_static(seconds))])
}

#[tokio::test]
async fn whether_a_sender_may_call_is_read_even_if_most_fields_are_null() {
    let sid = "XE0123456789abcdef0123456789abcdef";
    let (client, script) = client([
        answer(
            200,
            &json!({"senders": [{
            "sid": sid, "status": "ONLINE:UPDATING", "sender_id": "whatsapp:+14155552671",
            "configuration": {"waba_id": "1", "voice_application_sid": "AP1"},
            "properties": {"quality_rating": "HIGH", "messaging_limit": "10K Customers/24hr"},
            "offline_reasons": [{"code": "63020", "message": "x", "more_info": "y"}, null],
        }], "meta": {}}),
        ),
        answer(
            202,
            &json!({"sid": sid, "status": null, "sender_id": null, "configuration": null,
            "properties": null, "offline_reasons": null}),
        ),
    ]);
    let senders = client.list_senders().await.unwrap();
    let sender = &senders[0];
    assert!(sender.is_online());
    assert_eq!(sender.phone(), Phone::parse("+14155552671").ok());
    assert_eq!((sender.voice_application_sid(), sender.quality_rating()), (Some("AP1"), Some("HIGH")));
    assert_eq!(sender.offline_reasons().next().and_then(|reason| reason.code), Some(63020));
    let updated = client.set_voice_application(sid, None).await.unwrap();
    assert!(!updated.is_online() && updated.voice_application_sid().is_none());
    let asked = script.asked.lock().unwrap();
    assert_eq!(
        asked[0].url,
        "https://messaging.twilio.com/v2/Channels/Senders?Channel=whatsapp&PageSize=100"
    );
    let Body::Json(body) = &asked[1].body else { panic!("not JSON") };
    assert_eq!(&body[..], br#"{"configuration":{"voice_application_sid":null}}"#);
}

#[tokio::test]
async fn only_the_alerts_about_the_call_are_returned() {
    let (client, script) = client([answer(
        200,
        &json!({"alerts": [
            {"sid": "NO1", "resource_sid": CALL, "error_code": "37000", "log_level": "error",
             "alert_text": "To=%2B5511987654321"},
            {"sid": "NO2", "resource_sid": "CA2", "error_code": "11200"},
        ], "meta": {"next_page_url": null}}),
    )]);
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let alerts =
        client.alerts_about(CALL, at("2026-11-01T00:00:00Z"), at("2026-11-02T00:00:00Z")).await.unwrap();
    assert_eq!(alerts.iter().map(|alert| alert.error_code).collect::<Vec<_>>(), [Some(37000)]);
    assert!(!format!("{alerts:?}").contains("5511987654321"));
    assert!(
        script.urls()[0]
            .starts_with("https://monitor.twilio.com/v1/Alerts?StartDate=2026-11-01T00%3A00%3A00Z&"),
        "{:?}",
        script.urls()
    );
}

#[test]
fn one_url_can_serve_all_of_twilio() {
    let endpoints = Endpoints::all_at("http://127.0.0.1:8/");
    assert_eq!(endpoints.api, "http://127.0.0.1:8");
    assert_eq!(endpoints.api, endpoints.monitor);
}
