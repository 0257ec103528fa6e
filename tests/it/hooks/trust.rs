//! Which requests are accepted: signatures, keys, URLs, senders, and the form of a request.

use super::routes::every_door;
use super::*;

#[tokio::test]
async fn no_report_is_stored_without_a_valid_signature() {
    for (knock, _) in every_door() {
        let daemon = daemon();
        let (status, body) = daemon.ask(knock.without_signature()).await;
        assert_eq!((status, body.as_str()), (StatusCode::BAD_REQUEST, ""), "{}", knock.path);
        let retired = knock.clone().signed_with(token("retired")).post();
        assert_eq!(daemon.ask(retired).await, (StatusCode::FORBIDDEN, String::new()), "{}", knock.path);
        // The token of our other account, which is not the one in the request.
        let theirs = knock.clone().signed_with(token("theirs")).post();
        assert_eq!(daemon.ask(theirs).await.0, StatusCode::FORBIDDEN, "{}", knock.path);
        assert_eq!(daemon.events(), [], "{}", knock.path);
        assert!(daemon.waker.given().now_or_never().is_none());
        let counts = daemon.metrics.encode();
        assert!(counts.contains("reason=\"unsigned\"} 1") && counts.contains("reason=\"signature\"} 2"));
    }
}

#[tokio::test]
async fn an_altered_request_is_refused() {
    let daemon = daemon();
    let honest = knock(path(Purpose::Status), &call_params("ringing"));
    let signed = |request: Request<Body>| request.headers()[SIGNATURE_HEADER].to_str().unwrap().to_owned();
    let signature = signed(honest.post());
    let form = "application/x-www-form-urlencoded";
    let altered_body = honest.encoded().replace("ringing", "completed");
    let altered = honest.unsigned("POST", &honest.path, form, altered_body, Some(&signature));
    assert_eq!(daemon.ask(altered).await.0, StatusCode::FORBIDDEN);
    let elsewhere = path(Purpose::Leg);
    let moved = honest.unsigned("POST", &elsewhere, form, honest.encoded(), Some(&signature));
    assert_eq!(daemon.ask(moved).await.0, StatusCode::FORBIDDEN);
    let longer = format!("{}?x=1", honest.path);
    let longer = honest.unsigned("POST", &longer, form, honest.encoded(), Some(&signature));
    assert_eq!(daemon.ask(longer).await.0, StatusCode::FORBIDDEN);
    let fetch = knock(path(Purpose::Document), &call_params("in-progress"));
    let signature = signed(fetch.get());
    let query = format!("{}?{}", fetch.path, fetch.encoded().replace("in-progress", "ringing"));
    let altered = fetch.unsigned("GET", &query, "", String::new(), Some(&signature));
    assert_eq!(daemon.ask(altered).await.0, StatusCode::FORBIDDEN);
    assert_eq!(daemon.events(), []);
}

#[tokio::test]
async fn both_tokens_and_the_shared_key_are_accepted_while_keys_change() {
    let daemon = daemon();
    for (key, status) in
        [(token("current"), "initiated"), (token("next"), "ringing"), (shared(), "completed")]
    {
        let request = knock(path(Purpose::Status), &call_params(status)).signed_with(key).post();
        assert_eq!(daemon.ask(request).await.0, StatusCode::NO_CONTENT, "{status}");
    }
    assert_eq!(daemon.events().len(), 3);
    let unknown = Key::shared(Some("webhooks_sharedkey_2".into()), &SecretString::from("shared"));
    let request = knock(path(Purpose::Status), &call_params("busy")).signed_with(unknown).post();
    assert_eq!(daemon.ask(request).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_request_that_names_no_account_of_ours_is_refused() {
    let daemon = daemon();
    let stranger = with(call_params("ringing"), &[("AccountSid", "AC00000000000000000000000000000003")]);
    let nameless = &call_params("ringing")[1..];
    for params in [stranger.as_slice(), nameless] {
        let request = knock(path(Purpose::Status), params).post();
        assert_eq!(daemon.ask(request).await.0, StatusCode::FORBIDDEN);
    }
    assert_eq!(daemon.events(), []);
    daemon.counted("ringmaster_hooks_refused_total{kind=\"call_status\",reason=\"account\"} 2");
}

#[tokio::test]
async fn a_json_body_is_verified_by_its_digest() {
    let daemon = daemon();
    let body = format!(
        r#"{{"AccountSid":"{ACCOUNT}","CallSid":"{CALL}","From":"{SENDER}","To":"{CONSUMER}","CallStatus":"completed","CallDuration":12}}"#
    );
    let door = knock(path(Purpose::Status), &[]);
    let url = with_body_digest(&format!("{PUBLIC}{}", door.path), body.as_bytes());
    let signature = token("current").sign(&url, Payload::Raw(body.as_bytes()));
    let json = "application/json; charset=utf-8";
    let altered = body.replace("completed", "busy");
    let altered = door.unsigned("POST", &path_of(&url), json, altered, Some(&signature));
    assert_eq!(daemon.ask(altered).await.0, StatusCode::FORBIDDEN);
    assert_eq!(daemon.events(), []);
    let honest = door.unsigned("POST", &path_of(&url), json, body, Some(&signature));
    assert_eq!(daemon.ask(honest).await.0, StatusCode::NO_CONTENT);
    assert!(matches!(&daemon.events()[..], [Event::Call(report)] if report.duration_s == Some(12)));
}

#[tokio::test]
async fn a_form_is_accepted_in_any_spelling_of_its_type_and_other_types_are_refused() {
    let door = knock(path(Purpose::Status), &call_params("ringing"));
    let signature = door.post().headers()[SIGNATURE_HEADER].to_str().unwrap().to_owned();
    for (media_type, expected) in [
        ("application/x-www-form-urlencoded; charset=UTF-8", StatusCode::NO_CONTENT),
        ("Application/X-WWW-Form-Urlencoded", StatusCode::NO_CONTENT),
        ("text/plain", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let daemon = daemon();
        let request = door.unsigned("POST", &door.path, media_type, door.encoded(), Some(&signature));
        assert_eq!(daemon.ask(request).await, (expected, String::new()), "{media_type}");
        assert_eq!(daemon.events().len(), usize::from(expected == StatusCode::NO_CONTENT));
    }
}

#[tokio::test]
async fn a_body_of_64_kib_is_read_and_a_longer_one_is_refused() {
    let daemon = daemon();
    let bare = knock(path(Purpose::Status), &with(call_params("ringing"), &[("Extra", "")])).encoded().len();
    for (length, expected) in [(65_536, StatusCode::NO_CONTENT), (65_537, StatusCode::PAYLOAD_TOO_LARGE)] {
        let extra = "x".repeat(length - bare);
        let params = with(call_params("ringing"), &[("Extra", &extra)]);
        let door = knock(path(Purpose::Status), &params);
        assert_eq!(door.encoded().len(), length);
        assert_eq!(daemon.ask(door.post()).await.0, expected, "{length}");
    }
}

#[tokio::test]
async fn a_body_that_says_it_is_too_long_is_not_waited_for() {
    let daemon = daemon();
    let door = knock(path(Purpose::Status), &call_params("ringing"));
    for (length, expected) in
        [("65537", StatusCode::PAYLOAD_TOO_LARGE), ("99999999", StatusCode::PAYLOAD_TOO_LARGE)]
    {
        let (mut parts, _) = door.post().into_parts();
        parts.headers.insert("content-length", length.parse().unwrap());
        let never = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        let answer = daemon.ask(Request::from_parts(parts, never)).now_or_never();
        assert_eq!(answer, Some((expected, String::new())), "{length}");
    }
    daemon.counted("ringmaster_hooks_refused_total{kind=\"call_status\",reason=\"too_large\"} 2");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stops_arriving_is_answered_408() {
    let daemon = daemon();
    let (parts, _) = knock(path(Purpose::Status), &call_params("ringing")).post().into_parts();
    let never = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let answer = daemon.ask(Request::from_parts(parts, never)).await;
    assert_eq!(answer, (StatusCode::REQUEST_TIMEOUT, String::new()));
    daemon.counted("ringmaster_hooks_refused_total{kind=\"call_status\",reason=\"too_slow\"} 1");
}

#[tokio::test]
async fn a_token_that_is_not_utf_8_is_as_unknown_as_any_other() {
    let daemon = daemon();
    for path in ["/hooks/calls/%ff%fe/status", "/hooks/calls/%ff%fe/leg"] {
        let request = knock(path.to_owned(), &call_params("ringing")).post();
        assert_eq!(daemon.ask(request).await, (StatusCode::NOT_FOUND, String::new()), "{path}");
    }
}

#[tokio::test]
async fn a_url_that_we_did_not_create_is_refused() {
    let daemon = hooks_with(attempt());
    let forged = HookUrls::new(PUBLIC, &[8; 32]);
    let forged = |purpose| path_of(&forged.attempt(attempt_id(), purpose));
    let params = call_params("in-progress");
    let (status, body) = daemon.ask(knock(forged(Purpose::Document), &params).post()).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, hangup()));
    daemon.refused("call_document", "token");
    for purpose in [Purpose::Status, Purpose::Leg] {
        assert_eq!(daemon.ask(knock(forged(purpose), &params).post()).await.0, StatusCode::NOT_FOUND);
    }
    assert_eq!(
        daemon.ask(knock(forged(Purpose::Action), &params).post()).await,
        (StatusCode::OK, NOTHING.into())
    );
    let attempts = path(Purpose::Status).replace("/calls/", "/messages/");
    assert_eq!(daemon.ask(knock(attempts, &status_params()).post()).await.0, StatusCode::NOT_FOUND);
    assert_eq!(daemon.events(), []);
}

#[tokio::test]
async fn an_unknown_sender_or_one_of_another_account_is_refused() {
    let nobody = "whatsapp:+551133336666";
    for foreign in [OTHER_SENDER, nobody] {
        for (path, params, ours) in [
            (path(Purpose::Status), call_params("ringing"), "From"),
            (message_path(), status_params(), "From"),
            ("/hooks/messages".to_owned(), message_params(), "To"),
            ("/hooks/inbound/status".to_owned(), inbound_params("completed"), "To"),
        ] {
            let daemon = daemon();
            let request = knock(path.clone(), &with(params, &[(ours, foreign)])).post();
            assert_eq!(daemon.ask(request).await, (StatusCode::FORBIDDEN, String::new()), "{path}");
            assert_eq!(daemon.events(), [], "{path}");
            assert!(daemon.metrics.encode().contains("reason=\"sender\"} 1"), "{path}");
        }
        let daemon = daemon();
        let request = knock("/hooks/inbound", &with(inbound_params("ringing"), &[("To", foreign)])).post();
        assert_eq!(daemon.ask(request).await, (StatusCode::OK, hangup().to_owned()), "a live call");
        assert_eq!(daemon.events(), []);
    }
}

#[tokio::test]
async fn the_call_of_an_agent_has_no_sender_at_its_ends() {
    let daemon = daemon();
    let params =
        with(call_params("ringing"), &[("From", "client:ringmaster"), ("To", "sip:desk@pbx.example")]);
    assert_eq!(daemon.ask(knock(path(Purpose::Status), &params).post()).await.0, StatusCode::NO_CONTENT);
    let leg =
        with(call_params("ringing"), &[("ParentCallSid", CALL), ("From", CONSUMER), ("To", "client:ana")]);
    assert_eq!(daemon.ask(knock(path(Purpose::Leg), &leg).post()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(daemon.events().len(), 2);
}

#[tokio::test]
async fn other_methods_and_paths_are_not_served() {
    let daemon = daemon();
    for (method, path, expected) in [
        ("PUT", path(Purpose::Document), StatusCode::METHOD_NOT_ALLOWED),
        ("GET", path(Purpose::Status), StatusCode::METHOD_NOT_ALLOWED),
        ("GET", "/hooks/messages".to_owned(), StatusCode::METHOD_NOT_ALLOWED),
        ("DELETE", "/hooks/inbound".to_owned(), StatusCode::METHOD_NOT_ALLOWED),
        ("POST", "/hooks/calls".to_owned(), StatusCode::NOT_FOUND),
        ("POST", format!("{}/", path(Purpose::Status)), StatusCode::NOT_FOUND),
        ("POST", path(Purpose::Status).replace("/status", "/other"), StatusCode::NOT_FOUND),
    ] {
        let request = knock("", &[]).unsigned(method, &path, "", String::new(), None);
        assert_eq!(daemon.ask(request).await.0, expected, "{method} {path}");
    }
}

/// Attack 13: the signature, the token and the attempt must belong to one account, at every URL of an attempt.
#[tokio::test]
async fn a_report_about_an_attempt_of_another_account_is_refused() {
    let calls = [
        (Purpose::Status, call_params("completed"), (StatusCode::FORBIDDEN, String::new())),
        (
            Purpose::Leg,
            with(call_params("completed"), &[("ParentCallSid", CALL), ("CallSid", LEG)]),
            (StatusCode::FORBIDDEN, String::new()),
        ),
        (
            Purpose::Action,
            with(call_params("in-progress"), &[("DialCallStatus", "busy")]),
            (StatusCode::OK, NOTHING.to_owned()),
        ),
        (Purpose::Document, call_params("in-progress"), (StatusCode::OK, hangup().to_owned())),
    ];
    for (purpose, params, answer) in calls {
        // Neither end is a sender, so that no sender determines the account.
        let theirs = with(
            params,
            &[("AccountSid", OTHER_ACCOUNT), ("From", "client:ringmaster"), ("To", "client:ana")],
        );
        let daemon = hooks_with(attempt());
        let request = knock(path(purpose), &theirs).signed_with(token("theirs")).post();
        assert_eq!(daemon.ask(request).await, answer, "{purpose:?}");
        assert_eq!(daemon.events(), [], "{purpose:?}");
        assert!(daemon.metrics.encode().contains("reason=\"sender\"} 1"), "{purpose:?}");
    }
    let daemon = daemon();
    keep_message(&daemon, "main", None).await;
    let theirs = with(
        status_params(),
        &[("AccountSid", OTHER_ACCOUNT), ("From", OTHER_SENDER), ("MessageStatus", "failed")],
    );
    let request = knock(message_path(), &theirs).signed_with(token("theirs")).post();
    assert_eq!(daemon.ask(request).await.0, StatusCode::FORBIDDEN);
    assert_eq!(daemon.events(), []);
}

#[tokio::test]
async fn a_report_about_another_call_is_refused_once_the_attempts_call_is_known() {
    let other = "CA00000000000000000000000000000009";
    let cases = [
        (Purpose::Status, with(call_params("completed"), &[("CallSid", other)])),
        (Purpose::Leg, with(call_params("completed"), &[("ParentCallSid", other), ("CallSid", LEG)])),
        (
            Purpose::Action,
            with(call_params("in-progress"), &[("CallSid", other), ("DialCallStatus", "busy")]),
        ),
    ];
    for (purpose, params) in cases {
        let daemon = hooks_with(attempt());
        daemon.ask(knock(path(purpose), &params).post()).await;
        assert_eq!(daemon.events(), [], "{purpose:?}");
        assert!(daemon.metrics.encode().contains("reason=\"call\"} 1"), "{purpose:?}");
        let unknown = {
            let (mut attempt, callback) = attempt();
            attempt.submission = Submission { stage: Stage::Unknown, sid: None, ..attempt.submission };
            hooks_with((attempt, callback))
        };
        unknown.ask(knock(path(purpose), &params).post()).await;
        assert_eq!(unknown.events().len(), 1, "{purpose:?}");
    }
    for (known, kept) in
        [(Some(MESSAGE), true), (None, true), (Some("SM00000000000000000000000000000009"), false)]
    {
        let daemon = daemon();
        keep_message(&daemon, "main", known).await;
        let (status, _) = daemon.ask(knock(message_path(), &status_params()).post()).await;
        assert_eq!(status == StatusCode::NO_CONTENT, kept, "{known:?}");
        assert_eq!(daemon.events().len(), usize::from(kept), "{known:?}");
    }
}

#[tokio::test]
async fn a_report_is_answered_with_503_while_its_attempt_cannot_be_read() {
    let daemon = hooks_with(attempt());
    daemon.store.faults.away.store(true, SeqCst);
    let request = knock(path(Purpose::Status), &call_params("completed"));
    assert_eq!(daemon.ask(request.post()).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(daemon.events(), []);
    daemon.store.faults.away.store(false, SeqCst);
    assert_eq!(daemon.ask(request.post()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(daemon.events().len(), 1);
}

async fn keep_message(daemon: &Hooked, account: &str, sid: Option<&str>) {
    let pair = Numbers::of(phone(SENDER), phone(CONSUMER));
    let now = at("2026-11-21T11:59:00Z");
    let (_, callback) = attempt();
    let order = Enqueue {
        callback: Callback { version: 1, ..callback.clone() },
        idempotency: None,
        ceiling: None,
        of_one_group: Vec::new(),
    };
    daemon.store.inner.enqueue_callbacks(vec![order]).await.unwrap();
    let purpose = MessagePurpose::PermissionRequest;
    let mut message = Message::new(message_id(), purpose, "HX1".parse().unwrap(), pair, account, now)
        .for_callback(callback.id);
    message.submission.stage = Stage::Accepted;
    message.submission.sid = sid.map(str::to_owned);
    daemon.store.inner.record(Batch { messages: vec![message], ..Batch::default() }).await.unwrap();
}
