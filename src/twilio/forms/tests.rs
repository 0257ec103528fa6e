//! Webhooks as Twilio documents them, and their events.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::event::{CallProgress, Disposition, MessageProgress};

const CALL: &str = "CA0123456789abcdef0123456789abcdef";
const LEG: &str = "CAffffffffffffffffffffffffffffffff";
const MESSAGE: &str = "SM0123456789abcdef0123456789abcdef";

fn form(pairs: &[(&'static str, &'static str)]) -> Form<'static> {
    pairs.iter().map(|(name, value)| (Cow::from(*name), Cow::from(*value))).collect()
}

fn attempt() -> AttemptId {
    AttemptId::new(Uuid::from_u128(7))
}

fn sender() -> Phone {
    Phone::parse("+14155552671").unwrap()
}

fn consumer() -> Phone {
    Phone::parse("+5511987654321").unwrap()
}

#[test]
fn a_finished_call_is_read_with_its_duration_and_its_error() {
    let body = b"CallSid=CA0123456789abcdef0123456789abcdef&AccountSid=AC1&From=whatsapp%3A%2B14155552671\
        &To=whatsapp%3A%2B5511987654321&CallStatus=completed&Duration=2&CallDuration=61&SipResponseCode=200\
        &Timestamp=Tue%2C+31+Aug+2010+20%3A36%3A28+%2B0000&CallbackSource=call-progress-events&SequenceNumber=3\
        &Brand=New";
    let report = call_status(&Form::parse(body), attempt()).unwrap();
    assert_eq!(
        report,
        CallReport {
            attempt: attempt(),
            sid: CALL.into(),
            parent_sid: None,
            progress: CallProgress::Ended(Disposition::Completed),
            at: Some("2010-08-31T20:36:28Z".parse().unwrap()),
            duration_s: Some(61),
            sip_code: Some(200),
            error_code: None,
        }
    );
}

#[test]
fn a_leg_has_its_parent_and_a_failure_its_code() {
    let form = form(&[
        ("CallSid", LEG),
        ("ParentCallSid", CALL),
        ("CallStatus", "failed"),
        ("ErrorCode", "37000"),
        ("Timestamp", "soon"),
        ("CallDuration", ""),
    ]);
    let report = call_status(&form, attempt()).unwrap();
    assert_eq!(report.parent_sid.as_deref(), Some(CALL));
    assert_eq!(report.error_code, Some(error_code(37000)));
    assert_eq!((report.at, report.duration_s), (None, None), "unreadable optional fields are absent");
}

#[test]
fn a_call_report_without_its_call_or_with_an_unknown_status_is_refused() {
    for (pairs, error) in [
        (vec![("CallStatus", "ringing")], "CallSid is missing"),
        (vec![("CallSid", "CA1"), ("CallStatus", "ringing")], "CallSid is not one of Twilio's identifiers"),
        (vec![("CallSid", MESSAGE), ("CallStatus", "ringing")], "CallSid is not one of Twilio's identifiers"),
        (vec![("CallSid", CALL)], "CallStatus is missing"),
        (vec![("CallSid", CALL), ("CallStatus", "on-hold")], "CallStatus: \"on-hold\" is not a known name"),
        (vec![("CallSid", CALL), ("CallStatus", "+5511987654321")], "CallStatus: is not a known name"),
    ] {
        assert_eq!(call_status(&form(&pairs), attempt()).unwrap_err().to_string(), error);
    }
}

#[test]
fn every_end_of_a_dial_is_read() {
    for (status, bridged, ended) in [
        ("completed", "true", ConnectionEnd::Bridged),
        ("completed", "", ConnectionEnd::Bridged),
        ("answered", "", ConnectionEnd::Bridged),
        ("completed", "false", ConnectionEnd::NoAnswer),
        ("no-answer", "", ConnectionEnd::NoAnswer),
        ("busy", "", ConnectionEnd::Busy),
        ("failed", "", ConnectionEnd::Failed),
        ("canceled", "", ConnectionEnd::Canceled),
    ] {
        let form = form(&[
            ("CallSid", CALL),
            ("DialCallStatus", status),
            ("DialBridged", bridged),
            ("DialCallSid", LEG),
            ("DialCallDuration", "12"),
        ]);
        let report = connection(&form, attempt()).unwrap();
        assert_eq!(report.ended, ended, "{status} {bridged}");
        assert_eq!((report.leg_sid.as_deref(), report.duration_s), (Some(LEG), Some(12)));
    }
}

#[test]
fn every_end_of_a_queue_is_read() {
    for (result, ended) in [
        ("bridged", ConnectionEnd::Bridged),
        ("redirected-from-bridged", ConnectionEnd::Bridged),
        ("hangup", ConnectionEnd::LeftQueue),
        ("leave", ConnectionEnd::LeftQueue),
        ("redirected", ConnectionEnd::LeftQueue),
        ("queue-full", ConnectionEnd::Failed),
        ("system-error", ConnectionEnd::Failed),
    ] {
        let report = connection(&form(&[("CallSid", CALL), ("QueueResult", result)]), attempt()).unwrap();
        assert_eq!((report.ended, report.leg_sid), (ended, None), "{result}");
    }
    let neither = connection(&form(&[("CallSid", CALL)]), attempt());
    assert_eq!(neither, Err(FormError::Missing("DialCallStatus")));
}

/// The fields of the documented sample.
fn reply(payload: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![
        ("MessageType", "interactive"),
        ("Body", "VOICE_CALL_REQUEST"),
        ("ButtonText", "VOICE_CALL_REQUEST"),
        ("ButtonPayload", payload),
        ("To", "whatsapp:+14155552671"),
        ("From", "whatsapp:+5511987654321"),
        ("WaId", "5511987654321"),
        ("MessageSid", MESSAGE),
    ]
}

#[test]
fn a_consumer_grants_and_rejects_by_the_button() {
    for (payload, answer) in [
        ("ACCEPTED", PermissionAnswer::Temporary { expires_at: None }),
        ("REJECTED", PermissionAnswer::Rejected),
        ("rejected", PermissionAnswer::Rejected),
        ("MAYBE", PermissionAnswer::NotUnderstood),
        ("", PermissionAnswer::NotUnderstood),
    ] {
        let expected = PermissionReply {
            sender: sender(),
            who: Named::number(consumer()),
            answer,
            replied_to: None,
            automatic: false,
            replied_at: None,
        };
        assert_eq!(
            super::inbound_message(&form(&reply(payload)), &words()),
            Ok(Event::PermissionReply(expected))
        );
    }
}

#[test]
fn a_permission_reply_has_the_fields_that_twilio_forwards() {
    let mut pairs = reply("ACCEPTED");
    pairs.push(("OriginalRepliedMessageSid", MESSAGE));
    pairs.push(("ExternalUserId", "whatsapp:ID.7"));
    pairs.push(("ChannelMetadata", r#"{"data":{"is_permanent":true,"response_source":"automatic"}}"#));
    let told = permission_reply(&form(&pairs)).unwrap();
    assert_eq!(told.answer, PermissionAnswer::Permanent);
    assert_eq!(told.replied_to.as_deref(), Some(MESSAGE));
    assert_eq!(told.who.user_id, "ID.7".parse().ok());
    assert!(told.automatic);
}

#[test]
fn a_consumer_who_types_the_button_text_grants_nothing() {
    let typed = form(&[
        ("MessageType", "text"),
        ("Body", "VOICE_CALL_REQUEST"),
        ("ButtonPayload", "ACCEPTED"),
        ("To", "+14155552671"),
        ("From", "+5511987654321"),
    ]);
    let who = Named::number(consumer());
    let expected = Event::InboundMessage { sender: sender(), who, word: None, wrote_at: None };
    assert_eq!(super::inbound_message(&typed, &words()), Ok(expected));
}

#[test]
fn a_consumer_without_a_number_in_from_is_identified_by_waid() {
    let known =
        form(&[("To", "whatsapp:+14155552671"), ("From", "whatsapp:ID.7"), ("WaId", "5511987654321")]);
    assert!(
        matches!(super::inbound_message(&known, &words()), Ok(Event::InboundMessage { who, .. }) if who.number == Some(consumer()) && who.user_id.is_some())
    );
    let unknown = form(&[("To", "whatsapp:+14155552671"), ("From", "whatsapp:ID.7"), ("WaId", "ID.7")]);
    assert!(matches!(
        super::inbound_message(&unknown, &words()),
        Ok(Event::InboundMessage { who: Named { number: None, user_id: Some(id) }, .. }) if id == "ID.7".parse().unwrap()
    ));
    let nobody = form(&[("To", "whatsapp:+14155552671"), ("From", "whatsapp:nobody")]);
    assert!(
        matches!(super::inbound_message(&nobody, &words()), Ok(Event::InboundMessage { who, .. }) if who == Named::default())
    );
}

#[test]
fn a_call_from_a_consumer_is_read_with_both_numbers() {
    let form = form(&[
        ("CallSid", CALL),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
        ("From", "whatsapp:+5511987654321"),
        ("To", "+14155552671"),
    ]);
    let expected = Event::InboundCall {
        sender: sender(),
        who: Named::number(consumer()),
        sid: CALL.into(),
        progress: CallProgress::Ringing,
        came_to_at: None,
        duration_s: None,
        invite: None,
    };
    assert_eq!(inbound_call(&form), Ok(expected));
}

#[test]
fn a_failed_message_is_read_with_its_code() {
    let form = form(&[("MessageSid", MESSAGE), ("MessageStatus", "undelivered"), ("ErrorCode", "63016")]);
    let report = message_status(&form, None).unwrap();
    assert_eq!((report.progress, report.error_code), (MessageProgress::Failed, Some(error_code(63016))));
    assert_eq!(report.sid, MESSAGE);
}

#[test]
fn a_refused_webhook_does_not_repeat_a_number() {
    let form = form(&[("To", "5521998877665"), ("From", "5521998877665")]);
    let error = super::inbound_message(&form, &words()).unwrap_err();
    assert!(!format!("{error} {error:?} {form:?}").contains("99887"), "{error}");
}

fn progress_form(sid: &'static str, sequence: &'static str, status: &'static str) -> Form<'static> {
    form(&[("CallSid", sid), ("SequenceNumber", sequence), ("CallStatus", status)])
}

/// The key of a form that is read as `read` reads it.
fn key(route: &str, form: &Form<'_>, read: impl Fn(&Form<'_>) -> Event) -> [u8; 16] {
    dedupe_key(route, &read(form), form)
}

fn as_call(form: &Form<'_>) -> Event {
    Event::Call(call_status(form, attempt()).unwrap())
}

fn as_fetch(form: &Form<'_>) -> Event {
    document_fetched(form, attempt()).unwrap()
}

fn as_message(form: &Form<'_>) -> Event {
    super::inbound_message(form, &words()).unwrap()
}

fn as_status(form: &Form<'_>) -> Event {
    Event::Message(message_status(form, None).unwrap())
}

#[test]
fn the_key_of_a_progress_event_is_its_leg_number_and_status() {
    let first = key("call", &progress_form(CALL, "1", "ringing"), as_call);
    let mut repeated = progress_form(CALL, "1", "ringing");
    repeated.pairs.push(("Added".into(), "later".into()));
    assert_eq!(key("call", &repeated, as_call), first);
    for (route, other) in [
        ("call", progress_form(LEG, "1", "ringing")),
        ("call", progress_form(CALL, "2", "ringing")),
        ("call", progress_form(CALL, "1", "in-progress")),
        ("other", progress_form(CALL, "1", "ringing")),
    ] {
        assert_ne!(key(route, &other, as_call), first);
    }
}

#[test]
fn the_key_of_a_message_is_its_sid_and_that_of_a_report_has_the_status_too() {
    let first = key("m", &form(&reply("ACCEPTED")), as_message);
    let mut more = reply("ACCEPTED");
    more.insert(0, ("ProfileName", "Ana"));
    assert_eq!(key("m", &form(&more), as_message), first);
    let mut other = reply("ACCEPTED");
    other.retain(|(name, _)| *name != "MessageSid");
    other.push(("MessageSid", "SM00000000000000000000000000000009"));
    assert_ne!(key("m", &form(&other), as_message), first);
    let queued = form(&[("MessageSid", MESSAGE), ("MessageStatus", "queued")]);
    let sent = form(&[("MessageSid", MESSAGE), ("MessageStatus", "sent")]);
    assert_ne!(key("m", &queued, as_status), key("m", &sent, as_status));
    let again = form(&[("MessageStatus", "sent"), ("MessageSid", MESSAGE), ("ErrorCode", "0")]);
    assert_eq!(key("m", &again, as_status), key("m", &sent, as_status));
}

#[test]
fn the_key_of_a_consumers_call_is_its_sid_and_status() {
    let call = |status, sequence| {
        form(&[
            ("CallSid", CALL),
            ("CallStatus", status),
            ("SequenceNumber", sequence),
            ("From", "+5511987654321"),
            ("To", "+14155552671"),
        ])
    };
    let as_inbound = |form: &Form<'_>| inbound_call(form).unwrap();
    let first = key("inbound", &call("completed", "3"), as_inbound);
    assert_eq!(key("inbound", &call("completed", "4"), as_inbound), first);
    assert_ne!(key("inbound", &call("ringing", "3"), as_inbound), first);
}

#[test]
fn the_key_of_everything_else_is_the_signed_text() {
    let fetched = |more: &[(&'static str, &'static str)]| {
        let mut pairs = vec![("CallSid", CALL)];
        pairs.extend(more);
        key("d", &form(&pairs), as_fetch)
    };
    let first = fetched(&[("A", "1"), ("B", "2")]);
    assert_eq!(fetched(&[("B", "2"), ("A", "1")]), first, "the order is not signed");
    assert_eq!(fetched(&[("A", "1"), ("B", "2"), ("A", "1")]), first, "a repeated parameter is signed once");
    assert_eq!(fetched(&[("A1", ""), ("B", "2")]), first, "Twilio's signature is the same");
    assert_ne!(fetched(&[("A", "1"), ("B", "3")]), first);
}

#[test]
fn an_answer_without_an_identifier_is_refused() {
    for (name, sid) in [("MessageSid", ""), ("MessageSid", "SM1"), ("MessageSidS", &MESSAGE[1..])] {
        let mut pairs = reply("ACCEPTED");
        pairs.retain(|(name, _)| *name != "MessageSid");
        pairs.push((name, sid));
        assert!(permission_reply(&form(&pairs)).is_err(), "{name}={sid}");
    }
}

proptest! {
    #[test]
    fn no_body_makes_the_parser_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let form = Form::parse(&body);
        let _ = call_status(&form, attempt());
        let _ = connection(&form, attempt());
        let _ = super::inbound_message(&form, &words());
        let _ = inbound_call(&form);
        let _ = message_status(&form, None);
        let _ = dedupe_key("x", &Event::DocumentFetched { attempt: attempt(), sid: String::new() }, &form);
    }
}

fn words() -> Words {
    Words::new(["stop", "sair"], ["start"])
}

#[test]
fn a_stop_word_is_found_in_every_field_and_the_stricter_reading_counts() {
    let read = |pairs: &[(&'static str, &'static str)]| {
        let mut all = vec![("To", "whatsapp:+14155552671"), ("From", "whatsapp:+5511987654321")];
        all.extend(pairs);
        match super::inbound_message(&form(&all), &words()) {
            Ok(Event::InboundMessage { word, .. }) => word,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(read(&[("Body", "Stop")]), Some(Word::Stop));
    assert_eq!(read(&[("ButtonPayload", "stop"), ("Body", "No more calls")]), Some(Word::Stop));
    assert_eq!(read(&[("ButtonText", "Sair")]), Some(Word::Stop));
    assert_eq!(read(&[("Body", "baja"), ("OptOutType", "STOP")]), Some(Word::Stop));
    assert_eq!(read(&[("Body", "ja"), ("OptOutType", "stop")]), Some(Word::Stop));
    assert_eq!(read(&[("Body", "start"), ("OptOutType", "STOP")]), Some(Word::Stop));
    assert_eq!(read(&[("Body", "stop"), ("OptOutType", "START")]), Some(Word::Stop));
    assert_eq!(read(&[("Body", "start")]), Some(Word::Start));
    assert_eq!(read(&[("Body", "help"), ("OptOutType", "HELP")]), None);
    assert_eq!(read(&[("Body", "please stop calling")]), None);
}
