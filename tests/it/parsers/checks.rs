//! Properties that must hold for any bytes, for each parser of outside input. The property tests and the fuzz targets in
//! `fuzz/` share them.

use std::borrow::Cow;

use axum::body::Body;
use http::Request;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use ringmaster::config::Config;
use ringmaster::domain::spelling;
use ringmaster::domain::{AgentTarget, AttemptId, CallingHours, MessageId, Phone, Words};
use ringmaster::http::auth;
use ringmaster::simulation::{Fixture, Simulation, fixture};
use ringmaster::store::Token;
use ringmaster::text::{json, visible};
use ringmaster::twilio::forms::{self, Form};
use ringmaster::twilio::signature::{Key, Payload, Signed, Verifier, with_body_digest};
use ringmaster::twilio::{Address, Response};
use ringmaster::twiml::{Document, SIZE_MAX, Values};
use secrecy::SecretString;
use uuid::Uuid;

/// The replacement for numbers in error texts.
const EXAMPLE: &str = "+5511987654321";

/// A form is read, or refused with an error without a number.
pub fn forms(bytes: &[u8]) {
    let form = Form::parse(bytes);
    let attempt = AttemptId::new(Uuid::from_u128(1));
    let errors = [
        forms::call_status(&form, attempt).err(),
        forms::document_fetched(&form, attempt).err(),
        forms::connection(&form, attempt).err(),
        forms::inbound_message(&form, &Words::new(["stop"], ["start"])).err(),
        forms::permission_reply(&form).err(),
        forms::inbound_call(&form).err(),
        forms::message_status(&form, Some(MessageId::new(Uuid::from_u128(2)))).err(),
    ];
    for error in errors.into_iter().flatten() {
        let told = format!("{error} {error:?}").replace(EXAMPLE, "");
        let repeats = |value: &str| can_be_number(value) && told.contains(value.trim());
        assert!(!form.pairs().iter().any(|(_, value)| repeats(value)), "an error repeats a value: {told}");
    }
    let event = ringmaster::domain::Event::DocumentFetched { attempt, sid: String::new() };
    let key = forms::dedupe_key("route", &event, &form);
    assert_eq!(key, forms::dedupe_key("route", &event, &Form::parse(bytes)));
    // The order of the parameters and repetitions of them are not signed.
    let mut others: Vec<_> = form.pairs().iter().rev().cloned().collect();
    others.extend(form.pairs().first().cloned());
    assert_eq!(key, forms::dedupe_key("route", &event, &others.into_iter().collect()));
}

/// JSON is the text without its byte-order mark, and shown text cannot control a terminal.
pub fn text(bytes: &[u8]) {
    if let Ok(json) = json::open(bytes) {
        assert!(bytes.ends_with(json) && bytes.len() - json.len() <= 3);
    }
    // JSON is accepted, unless it begins like a table or a page.
    if serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes).is_ok() {
        assert_eq!(json::open(bytes), Ok(bytes));
    }
    let text = String::from_utf8_lossy(bytes);
    let shown = visible::escaped(&text);
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    assert_eq!(visible::escaped(&shown), shown);
    if visible::check_name(&text).is_ok() {
        assert_eq!(shown, text);
    }
}

/// The spellings of a number are spellings of each other, and possible numbers of the same person are other numbers.
pub fn spelling(bytes: &[u8]) {
    let Ok(phone) = Phone::parse(&String::from_utf8_lossy(bytes)) else { return };
    let key = spelling::key(phone);
    let spellings = spelling::spellings(phone);
    assert_eq!(spelling::key(key), key, "a key is its own key");
    assert!(spellings.len() <= 8 && spellings.first() == Some(&key));
    for other in &spellings {
        assert_eq!(spelling::key(*other), key, "{} of {}", other.e164(), phone.e164());
    }
    let possible = spelling::possibly(phone);
    assert!(possible.len() <= 16 && !possible.contains(&key));
}

/// Headers with times and durations are read or ignored.
pub fn headers(bytes: &[u8]) {
    let Ok(value) = http::HeaderValue::from_bytes(bytes) else { return };
    let headers: http::HeaderMap =
        [(http::header::DATE, value.clone()), (http::header::RETRY_AFTER, value)].into_iter().collect();
    let response = Response { status: 429, headers, body: axum::body::Bytes::new() };
    let _ = response.retry_after();
}

/// A phone number has at least seven digits.
fn can_be_number(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_digit).count() >= 7
}

/// Only signed content is accepted.
pub fn signature(bytes: &[u8]) {
    let (url, body) = bytes.split_at(bytes.len() / 2);
    let url = format!("https://h.example/{}", String::from_utf8_lossy(url).replace('#', ""));
    let claimed = String::from_utf8_lossy(bytes);
    let form = Form::parse(body);
    let key = || Key::auth_token(&SecretString::from("token"));
    let verifier = Verifier::new(vec![key()]);
    let payload = || Payload::Form(form.pairs());
    let made = key().sign(&url, payload());
    let signed =
        |url, payload, signature| Signed { url, payload, signature: Some(signature), settings: None };
    assert!(verifier.verify(&signed(&url, payload(), &made)).is_ok());
    let with_port = url.replacen("h.example", "h.example:443", 1);
    assert!(verifier.verify(&signed(&with_port, payload(), &made)).is_ok());
    // One more parameter, under a name that the form does not have.
    let name =
        form.pairs().iter().map(|(name, _)| name).max().map_or("zz".to_owned(), |name| format!("{name}z"));
    let mut more = form.pairs().to_vec();
    more.push((Cow::from(name), Cow::from("1")));
    assert!(verifier.verify(&signed(&url, Payload::Form(&more), &made)).is_err());
    assert!(verifier.verify(&signed("https://other.example/", Payload::None, &claimed)).is_err());
    // A request needs the right signature, whatever its headers are.
    let shared = || Key::shared(Some("webhooks_sharedkey_1".into()), &SecretString::from("secret"));
    let both = Verifier::new(vec![key(), shared()]);
    let settings = Some(&*claimed);
    let other = "https://other.example/";
    assert!(
        both.verify(&Signed { url: other, payload: payload(), signature: Some(&made), settings }).is_err()
    );
    raw_signature(&url, body, &shared());
}

/// A body that is not a form is accepted by the digest that was signed with its URL.
fn raw_signature(url: &str, body: &[u8], key: &Key) {
    if url.contains("bodySHA256") {
        return;
    }
    let url = with_body_digest(url, body);
    let made = key.sign(&url, Payload::Raw(body));
    let settings = key.settings();
    let verifier = Verifier::new(vec![key.clone()]);
    let signed =
        |payload| Signed { url: &url, payload, signature: Some(&made), settings: settings.as_deref() };
    assert!(verifier.verify(&signed(Payload::Raw(body))).is_ok());
    let mut longer = body.to_vec();
    longer.push(b' ');
    assert!(verifier.verify(&signed(Payload::Raw(&longer))).is_err());
}

/// A number prints and reads the same, and is displayed masked.
pub fn phone(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(phone) = Phone::parse(&text) {
        assert_eq!(Phone::parse(&phone.e164()), Ok(phone));
        assert!(phone.to_string().contains('*'));
        assert!((7..=15).contains(&phone.digits().to_string().len()));
        assert!(text.starts_with(&format!("+{}", phone.calling_code())));
    }
    if let Ok(hours) = text.parse::<CallingHours>() {
        assert_eq!(hours.to_string().parse::<CallingHours>().as_ref(), Ok(&hours));
    }
    if let Ok(agent) = text.parse::<AgentTarget>() {
        assert_eq!(agent.to_string().parse::<AgentTarget>().as_ref(), Ok(&agent));
    }
    let Ok(address) = text.parse::<Address>();
    let shown = address.to_string();
    assert_eq!(address.wire().parse::<Address>().as_ref(), Ok(&address));
    let digits_in_a_row = shown.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    assert!(digits_in_a_row < Some(7), "a number is shown: {shown}");
}

/// A document is read or refused with a fault, and values never change its elements. The value follows the first NUL.
pub fn document(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (source, value) = text.split_once('\0').unwrap_or((&text, "any"));
    let document = match Document::parse("any", source) {
        Ok(document) => document,
        Err(faults) => return assert!(!faults.is_empty()),
    };
    assert_eq!(document.name(), "any");
    let numbers = ["+551140000001", "+5511987650001"].map(|number| Phone::parse(number).unwrap());
    for agent in [AgentTarget::Client("alice".into()), AgentTarget::Sip("sip:desk@example.com".into())] {
        let values = Values {
            sender: numbers[0],
            consumer: Some(numbers[1]),
            agent: Some(&agent),
            callback: "callback",
            attempt: "attempt",
            reference: Some(value),
            action_url: "https://h.example/action?a=1&b=2",
            leg_status_url: "https://h.example/leg?a=1&b=2",
            recording_url: "https://ring.example/recording",
            variables: &|_| Some(value),
            is_our_sender: &|phone| phone == numbers[0],
        };
        let refusals = document.check(&values);
        match document.render(&values) {
            Ok(filled) => {
                assert!(refusals.is_empty(), "{refusals:?}");
                assert!(filled.len() <= SIZE_MAX);
                assert_eq!(shape(&filled), shape(source), "{filled}");
            }
            Err(refusal) => assert!(refusals.contains(&refusal), "{refusal:?} is not in {refusals:?}"),
        }
    }
}

/// The elements with the names of their attributes, and their ends.
fn shape(xml: &str) -> Vec<String> {
    let named = |start: &BytesStart<'_>| {
        let mut parts = vec![start.name().into_inner().to_owned()];
        parts.extend(start.attributes().map(|attribute| attribute.unwrap().key.into_inner().to_owned()));
        parts.join(" ")
    };
    let end = |name: &str| format!("/{name}");
    let mut reader = Reader::from_str(xml.strip_prefix('\u{FEFF}').unwrap_or(xml));
    let mut shape = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return shape,
            Event::Start(start) => shape.push(named(&start)),
            Event::Empty(start) => {
                shape.push(named(&start));
                shape.push(end(start.name().into_inner()));
            }
            Event::End(tag) => shape.push(end(tag.name().into_inner())),
            _ => {}
        }
    }
}

/// A configuration is read or refused with a fault that names the key or the position.
pub fn configuration(bytes: &[u8]) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    match Config::load(Some(file.path()), std::iter::empty()) {
        Ok(config) => assert!(!config.to_masked_string().is_empty()),
        Err(errors) => assert!(!errors.to_string().is_empty()),
    }
}

/// Every route that reads JSON accepts or refuses a body; none answers with a 5xx.
pub fn rows(bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (config, setup) = fixture(&Fixture::default());
        let start = "2026-11-23T12:00:00Z".parse().unwrap();
        let daemon = Simulation::begin(&config, setup, start).await.unwrap();
        let (token, hash) = auth::new_token([7; 32]);
        daemon.store.create_token(Token::new("any", hash, start)).await.unwrap();
        let mut customer = Customer { daemon, token };
        // One callback waits, another has a call.
        let waiting = customer.asks("/v1/callbacks", JSON, TOMORROW).await;
        let waiting = format!("/v1/callbacks/{}", id_in(&waiting, "cb_"));
        customer.asks("/v1/permissions/grant", JSON, GRANT).await;
        customer.asks("/v1/callbacks", JSON, NOW).await;
        let attempts = customer.get("/v1/attempts").await;
        let attempt = format!("/v1/attempts/{}/resolve", id_in(&attempts, "at_"));
        for (path, kind) in [
            ("/v1/callbacks", JSON),
            ("/v1/callbacks/bulk", JSON),
            ("/v1/callbacks/bulk", "application/x-ndjson"),
            ("/v1/callbacks/search", JSON),
            (&format!("{waiting}/reschedule"), JSON),
            (&format!("{waiting}/allow-attempt"), JSON),
            (&format!("{waiting}/not-today"), JSON),
            (&attempt, JSON),
            ("/v1/permissions/show", JSON),
            ("/v1/permissions/grant", JSON),
            ("/v1/permissions/revoke", JSON),
            ("/v1/calendars/simulate", JSON),
            ("/v1/calendars/BR/days", JSON),
        ] {
            customer.asks(path, kind, bytes).await;
        }
    });
}

const JSON: &str = "application/json";
const TOMORROW: &[u8] = br#"{"consumer":"+5511987650011","sender":"+551140000001","document":"message","variables":{"message":"Hi"},"earliest":"2026-11-24T12:00:00Z"}"#;
const NOW: &[u8] = br#"{"consumer":"+5511987650012","sender":"+551140000001","document":"message","variables":{"message":"Hi"}}"#;
const GRANT: &[u8] =
    br#"{"consumer":"+5511987650012","sender":"+551140000001","kind":"permanent","reason":"on paper"}"#;

/// A client and a daemon that must always answer.
struct Customer {
    daemon: Simulation,
    token: String,
}

impl Customer {
    async fn asks(&mut self, path: &str, kind: &str, body: &[u8]) -> String {
        let request = Request::post(path).header("content-type", kind);
        self.sends(path, request, body).await
    }

    async fn get(&mut self, path: &str) -> String {
        self.sends(path, Request::get(path), &[]).await
    }

    async fn sends(&mut self, path: &str, request: http::request::Builder, body: &[u8]) -> String {
        let request = request
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::from(body.to_vec()))
            .unwrap();
        let (status, answer) = self.daemon.request(request).await.unwrap();
        assert!((200..500).contains(&status), "{path} answered {status}: {answer}");
        answer
    }
}

/// The first identifier with that prefix.
fn id_in<'a>(answer: &'a str, prefix: &str) -> &'a str {
    let at = answer.find(prefix).unwrap_or_else(|| panic!("no {prefix} in {answer}"));
    &answer[at..at + prefix.len() + 32]
}
