//! What must hold for any bytes at all, for each parser that reads what others wrote. Shared by the property
//! tests and by the fuzz targets in `fuzz/`.

use std::borrow::Cow;

use axum::body::Body;
use http::Request;
use ringmaster::config::Config;
use ringmaster::domain::{AttemptId, CallingHours, MessageId, Phone};
use ringmaster::http::auth;
use ringmaster::rehearsal::{Rehearsal, Stage, stage};
use ringmaster::store::Token;
use ringmaster::twilio::forms::{self, Form};
use ringmaster::twilio::signature::{Key, Payload, Signed, Verifier};
use ringmaster::twiml::Document;
use secrecy::SecretString;
use uuid::Uuid;

/// The number that stands for all others in what an error says.
const EXAMPLE: &str = "+5511987654321";

/// A form is read or refused; what is refused is told without repeating a number.
pub fn forms(bytes: &[u8]) {
    let form = Form::parse(bytes);
    let attempt = AttemptId::new(Uuid::from_u128(1));
    let errors = [
        forms::call_status(&form, attempt).err(),
        forms::document_fetched(&form, attempt).err(),
        forms::connection(&form, attempt).err(),
        forms::inbound_message(&form).err(),
        forms::permission_reply(&form).err(),
        forms::inbound_call(&form).err(),
        forms::message_status(&form, Some(MessageId::new(Uuid::from_u128(2)))).err(),
    ];
    for error in errors.into_iter().flatten() {
        let error = error.to_string();
        let repeats = |value: &str| value.len() >= 8 && error.contains(value) && !error.contains(EXAMPLE);
        assert!(!form.pairs().iter().any(|(_, value)| repeats(value)), "an error repeats a value: {error}");
    }
    let key = forms::dedupe_key("route", None, &form);
    assert_eq!(key, forms::dedupe_key("route", None, &Form::parse(bytes)));
}

/// What was signed is believed, and nothing else is.
pub fn signature(bytes: &[u8]) {
    let (url, body) = bytes.split_at(bytes.len() / 2);
    let url = format!("https://h.example/{}", String::from_utf8_lossy(url).replace('#', ""));
    let form = Form::parse(body);
    let key = || Key::auth_token(&SecretString::from("token"));
    let verifier = Verifier::new(vec![key()]);
    let payload = || Payload::Form(form.pairs());
    let made = key().sign(&url, payload());
    let signed =
        |url, payload, signature| Signed { url, payload, signature: Some(signature), settings: None };
    assert!(verifier.verify(&signed(&url, payload(), &made)).is_ok());
    let mut more = form.pairs().to_vec();
    more.push((Cow::from("zz-more"), Cow::from("1")));
    assert!(verifier.verify(&signed(&url, Payload::Form(&more), &made)).is_err());
    let claimed = String::from_utf8_lossy(bytes);
    assert!(verifier.verify(&signed("https://h.example/other", Payload::None, &claimed)).is_err());
}

/// A number that is read prints and reads the same, and shows itself masked.
pub fn phone(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(phone) = Phone::parse(&text) {
        assert_eq!(Phone::parse(&phone.e164()), Ok(phone));
        assert!(phone.to_string().contains('*'));
        assert!((7..=15).contains(&phone.digits().to_string().len()));
    }
    if let Ok(hours) = text.parse::<CallingHours>() {
        assert_eq!(hours.to_string().parse::<CallingHours>().as_ref(), Ok(&hours));
    }
}

/// A document is read or refused with a fault.
pub fn document(bytes: &[u8]) {
    match Document::parse("any", &String::from_utf8_lossy(bytes)) {
        Ok(document) => assert_eq!(document.name(), "any"),
        Err(faults) => assert!(!faults.is_empty()),
    }
}

/// A configuration is read or refused with a fault that names its key or its place.
pub fn configuration(bytes: &[u8]) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    match Config::load(Some(file.path()), std::iter::empty()) {
        Ok(config) => assert!(!config.to_masked_string().is_empty()),
        Err(errors) => assert!(!errors.to_string().is_empty()),
    }
}

/// An order, or a file of orders, is taken or refused by the customer's doors; they never break over it.
pub fn rows(bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (config, setup) = stage(&Stage::default());
        let start = "2026-11-23T12:00:00Z".parse().unwrap();
        let mut house = Rehearsal::begin(&config, setup, start).await.unwrap();
        let (token, hash) = auth::new_token([7; 32]);
        house.store.create_token(Token { name: "any".into(), hash, created_at: start }).await.unwrap();
        for (path, kind) in
            [("/v1/callbacks", "application/json"), ("/v1/callbacks/bulk", "application/x-ndjson")]
        {
            let request = Request::post(path)
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", kind)
                .body(Body::from(bytes.to_vec()))
                .unwrap();
            let (status, body) = house.request(request).await.unwrap();
            assert!((200..500).contains(&status), "{path} answered {status}: {body}");
        }
    });
}
