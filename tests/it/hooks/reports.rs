//! Which reports are stored, how often, and how they are answered.

use super::routes::every_door;
use super::*;

#[tokio::test]
async fn every_report_is_stored_before_it_is_answered() {
    for (knock, event) in every_door() {
        let daemon = daemon();
        let (status, body) = daemon.ask(knock.post()).await;
        assert_eq!(daemon.events(), [event], "{}", knock.path);
        assert_eq!(daemon.reports()[0].received_at, daemon.clock.now());
        assert!(daemon.waker.given().now_or_never().is_some(), "{}", knock.path);
        if ["status", "leg", "recording"].iter().any(|end| knock.path.ends_with(end)) {
            assert_eq!((status, body.as_str()), (StatusCode::NO_CONTENT, ""), "{}", knock.path);
        } else {
            assert_eq!(status, StatusCode::OK, "{}", knock.path);
            assert!(body.starts_with(r#"<?xml version="1.0" encoding="UTF-8"?><Response"#), "{body}");
        }
    }
}

#[tokio::test]
async fn ended_verbs_and_messages_are_answered_with_empty_twiml() {
    for (knock, _) in every_door() {
        if knock.path.ends_with("action") || knock.path == "/hooks/messages" {
            let response = daemon().response(knock.post()).await;
            assert_eq!(response.headers()["content-type"], "text/xml; charset=utf-8");
            assert_eq!(daemon().ask(knock.post()).await.1, NOTHING, "{}", knock.path);
        }
    }
}

#[tokio::test]
async fn a_repeated_report_is_stored_once() {
    let daemon = daemon();
    let progress = with(call_params("ringing"), &[("SequenceNumber", "1")]);
    let same_event =
        |token| knock(path(Purpose::Status), &progress).header("i-twilio-idempotency-token", token);
    assert_eq!(daemon.ask(same_event("a").post()).await.0, StatusCode::NO_CONTENT);
    assert!(daemon.waker.given().now_or_never().is_some());
    assert_eq!(daemon.ask(same_event("b").post()).await.0, StatusCode::NO_CONTENT);
    assert!(daemon.waker.given().now_or_never().is_none(), "a repeated report wakes nobody");
    assert_eq!(daemon.events().len(), 1);
    let message =
        |token| knock("/hooks/messages", &message_params()).header("i-twilio-idempotency-token", token);
    for token in ["c", "c", "d"] {
        assert_eq!(daemon.ask(message(token).post()).await.0, StatusCode::OK);
        assert_eq!(daemon.events().len(), 2, "{token}");
    }
    let plain = knock(message_path(), &status_params());
    for _ in 0..2 {
        assert_eq!(daemon.ask(plain.post()).await.0, StatusCode::NO_CONTENT);
        assert_eq!(daemon.events().len(), 3);
    }
    daemon.counted(r#"ringmaster_hooks_received_total{kind="message"} 3"#);
    daemon.counted(r#"ringmaster_hooks_repeated_total{kind="message"} 2"#);
    daemon.counted(r#"ringmaster_hooks_repeated_total{kind="call_status"} 1"#);
    daemon.counted(r#"ringmaster_hooks_repeated_total{kind="message_status"} 1"#);
    assert_eq!(daemon.metrics.hooks_repeated_total(), 4);
}

/// One captured answer with its signature, sent again with all changes that the signature does not cover.
#[tokio::test]
async fn a_captured_yes_does_not_undo_a_later_no() {
    let form = |text: &str| {
        let known = form_urlencoded::parse(text.as_bytes());
        let mut params: Vec<(String, String)> =
            known.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        for (name, value) in &mut params {
            match name.as_str() {
                "AccountSid" => *value = ACCOUNT.to_owned(),
                "To" => *value = SENDER.to_owned(),
                _ => {}
            }
        }
        params
    };
    let yes = form(include_str!("../../cases/20-consent-replayed/yes.form"));
    let no = form(include_str!("../../cases/20-consent-replayed/no.form"));
    let send = |params: &[(String, String)], headers: &[(&'static str, &'static str)]| {
        let params: Pairs<'_> = params.iter().map(|(name, value)| (&**name, &**value)).collect();
        let mut knock = knock("/hooks/messages", &params);
        knock.headers.extend(headers);
        knock.post()
    };
    const TOKEN: &str = "i-twilio-idempotency-token";
    let daemon = daemon();
    assert_eq!(daemon.ask(send(&yes, &[(TOKEN, "t-2")])).await.0, StatusCode::OK);
    assert_eq!(daemon.ask(send(&no, &[(TOKEN, "t-3")])).await.0, StatusCode::OK);
    assert_eq!(daemon.events().len(), 2);
    let mut swapped = yes.clone();
    swapped.swap(0, 5);
    let mut doubled = yes.clone();
    doubled.push(yes[3].clone());
    // The boundary between a name and its value is not signed: this form has no SmsStatus any more.
    let mut moved = yes.clone();
    let status = moved.iter_mut().find(|(name, _)| name == "SmsStatus").unwrap();
    *status = ("SmsStatu".into(), "sreceived".into());
    let replays = [
        send(&yes, &[(TOKEN, "t-9")]),
        send(&yes, &[]),
        send(&yes, &[(TOKEN, "t-2"), (TOKEN, "t-9")]),
        send(&swapped, &[(TOKEN, "t-9")]),
        send(&doubled, &[]),
        send(&moved, &[]),
    ];
    for replay in replays {
        assert_eq!(daemon.ask(replay).await.0, StatusCode::OK);
        assert_eq!(daemon.events().len(), 2);
    }
    // Without its identifier it is refused, because a repetition could not be detected.
    let mut nameless = yes;
    let sid = nameless.iter_mut().find(|(name, _)| name == "MessageSid").unwrap();
    *sid = ("MessageSidS".into(), sid.1[1..].to_owned());
    assert_eq!(daemon.ask(send(&nameless, &[])).await.0, StatusCode::OK);
    assert_eq!(daemon.events().len(), 2);
    daemon.counted(r#"ringmaster_hooks_repeated_total{kind="message"} 6"#);
    daemon.refused("message", "unreadable");
}

#[tokio::test]
async fn reports_are_stored_in_the_order_of_their_arrival() {
    let daemon = daemon();
    for (sequence, status) in [("3", "completed"), ("0", "initiated"), ("2", "in-progress"), ("1", "ringing")]
    {
        let params = with(call_params(status), &[("SequenceNumber", sequence)]);
        assert_eq!(daemon.ask(knock(path(Purpose::Status), &params).post()).await.0, StatusCode::NO_CONTENT);
    }
    let ranks: Vec<u8> = daemon
        .events()
        .iter()
        .map(|event| match event {
            Event::Call(report) => report.progress.rank(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ranks, [4, 1, 3, 2]);
}

#[tokio::test]
async fn a_report_that_cannot_be_read_is_answered_and_not_stored() {
    for (path, params, kind) in [
        (path(Purpose::Status), call_params("bored"), "call_status"),
        (path(Purpose::Status), with(call_params("ringing"), &[("CallSid", "CA1")]), "call_status"),
        (path(Purpose::Leg), call_params("completed"), "call_leg"),
        (path(Purpose::Action), with(call_params("bored"), &[("Digits", "1")]), "call_action"),
        (message_path(), with(status_params(), &[("MessageStatus", "lost")]), "message_status"),
        ("/hooks/messages".into(), with(message_params(), &[("To", "whatsapp:ID.7")]), "message"),
        ("/hooks/inbound/status".into(), with(inbound_params("x"), &[]), "inbound_status"),
    ] {
        let daemon = daemon();
        let (status, body) = daemon.ask(knock(path.clone(), &params).post()).await;
        let expected = match kind {
            "message" | "call_action" => (StatusCode::OK, NOTHING),
            _ => (StatusCode::NO_CONTENT, ""),
        };
        assert_eq!((status, body.as_str()), expected, "{path}");
        assert_eq!(daemon.events(), [], "{path}");
        daemon.refused(kind, "unreadable");
    }
}

#[tokio::test]
async fn a_leg_of_a_consumers_call_is_not_the_call() {
    let daemon = daemon();
    let leg =
        with(inbound_params("busy"), &[("ParentCallSid", CALL), ("CallSid", LEG), ("To", "client:ana")]);
    assert_eq!(daemon.ask(knock("/hooks/inbound/status", &leg).post()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(daemon.events(), []);
}

#[tokio::test]
async fn a_report_that_cannot_be_stored_is_answered_with_503() {
    for (door, _) in every_door() {
        if door.path.ends_with("status") || door.path.ends_with("leg") || door.path == "/hooks/messages" {
            let daemon = daemon();
            daemon.store.faults.full.store(true, SeqCst);
            assert_eq!(daemon.ask(door.post()).await, (StatusCode::SERVICE_UNAVAILABLE, String::new()));
            assert!(daemon.waker.given().now_or_never().is_none());
            daemon.store.faults.full.store(false, SeqCst);
            assert!(daemon.ask(door.post()).await.0.is_success(), "the repetition is accepted");
            assert_eq!(daemon.events().len(), 1);
        }
    }
}
