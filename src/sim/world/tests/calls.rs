//! Calls: creation, the queue, the platform's refusals, habits and lists.

use super::*;

#[test]
fn an_answered_call_reports_all_stages_in_order() {
    let mut room = Room::new();
    room.grant(TALKS);
    let sid = room.call(TALKS, "talk");
    assert_eq!(room.status(&sid), "queued");
    room.advance(hours(1));
    assert_eq!(room.values("/status", "CallStatus"), ["initiated", "ringing", "in-progress", "completed"]);
    assert_eq!(room.values("/status", "SequenceNumber"), ["0", "1", "2", "3"]);
    let last = room.hooks("/status").pop().unwrap();
    let call = room.read(&format!("Calls/{sid}.json"));
    assert_eq!(call["status"], "completed");
    assert_eq!(call["duration"].as_str(), last.get("CallDuration").map(String::as_str));
    assert!(last.contains_key("Timestamp") && last["CallbackSource"] == "call-progress-events");
    assert_eq!(last["To"], format!("whatsapp:{TALKS}"));
    assert_eq!(room.hooks("/document/talk").len(), 1);
    assert_eq!(room.laws(), []);
    assert_eq!(room.world.report().calls_live, 0);
}

#[test]
fn a_created_call_has_the_fields_of_the_resource() {
    let mut room = Room::new();
    let (_, call) = room.try_call(TALKS, "talk");
    for field in [
        "sid",
        "account_sid",
        "parent_call_sid",
        "to",
        "to_formatted",
        "from",
        "from_formatted",
        "phone_number_sid",
        "status",
        "start_time",
        "end_time",
        "duration",
        "price",
        "price_unit",
        "direction",
        "answered_by",
        "api_version",
        "forwarded_from",
        "group_sid",
        "caller_name",
        "queue_time",
        "trunk_sid",
        "uri",
        "subresource_uris",
        "date_created",
        "date_updated",
    ] {
        assert!(call.get(field).is_some(), "{field}");
    }
    assert_eq!(call["date_created"], "Fri, 20 Nov 2026 12:00:00 +0000");
    assert_eq!(call["direction"], "outbound-api");
    assert_eq!(call["queue_time"], "0");
}

#[test]
fn creation_is_refused_with_twilios_codes() {
    let (good_to, good_from) = (format!("whatsapp:{TALKS}"), format!("whatsapp:{SENDER}"));
    let url = "https://d.example/document/talk";
    let long = "x".repeat(4_001);
    let cases: [(&[(&str, &str)], u64); 11] = [
        (&[("From", &good_from), ("Url", url)], 21201),
        (&[("To", "whatsapp:12"), ("From", &good_from), ("Url", url)], 21211),
        (&[("To", TALKS), ("From", &good_from), ("Url", url)], 21211),
        (&[("To", &good_to), ("From", "nonsense"), ("Url", url)], 21212),
        (&[("To", &good_to), ("From", "whatsapp:+551140000001"), ("Url", url)], 37008),
        (&[("To", &good_to), ("From", &good_from)], 21205),
        (&[("To", &good_to), ("From", &good_from), ("Url", "/relative")], 21205),
        (&[("To", &good_to), ("From", &good_from), ("Twiml", &long)], 32018),
        (&[("To", &good_to), ("From", &good_from), ("Url", url), ("Timeout", "601")], 21208),
        (&[("To", &good_to), ("From", &good_from), ("ApplicationSid", "AP1")], 21218),
        (
            &[
                ("To", &good_to),
                ("From", &good_from),
                ("Url", url),
                ("StatusCallback", "https://a_b.example/"),
            ],
            21609,
        ),
    ];
    for (form, code) in cases {
        let (status, body) = Room::new().post("Calls.json", form);
        assert_eq!((status, body["code"].as_u64()), (400, Some(code)), "{form:?}");
    }
}

#[test]
fn wrong_credentials_and_unknown_paths_are_distinguished() {
    let mut room = Room::new();
    let mut request = ApiRequest {
        method: "GET".to_owned(),
        path: format!("/2010-04-01/Accounts/{ACCOUNT}/Calls.json"),
        ..ApiRequest::default()
    };
    let mut status = |credentials: Option<&str>, path: Option<&str>| {
        request.authorization = credentials.map(|pair| format!("Basic {}", STANDARD.encode(pair)));
        if let Some(path) = path {
            request.path = path.to_owned();
        }
        let answer = room.world.serve(room.now, &request);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        (answer.status, body["code"].as_u64())
    };
    assert_eq!(status(None, None), (401, Some(20003)));
    assert_eq!(status(Some(&format!("{ACCOUNT}:wrong")), None), (401, Some(20003)));
    assert_eq!(status(Some("SK1:key-secret"), None), (200, None));
    assert_eq!(status(Some("SK1:secret"), None), (401, Some(20003)));
    let missing = format!("/2010-04-01/Accounts/{ACCOUNT}/Calls/CA0.json");
    assert_eq!(status(Some("SK1:key-secret"), Some(&missing)), (404, Some(20404)));
}

#[test]
fn calls_above_the_rate_wait_in_the_queue_and_start_a_second_apart() {
    let mut room = Room::new();
    let consumers = ["+5511987650101", "+5511987650201", "+5511987650301"];
    let start = room.now;
    let mut queue_times = Vec::new();
    for consumer in consumers {
        room.grant(consumer);
        queue_times.push(room.try_call(consumer, "talk").1["queue_time"].as_str().unwrap().to_owned());
    }
    assert_eq!(queue_times, ["0", "1000", "2000"]);
    room.advance(seconds(10));
    let initiated: Vec<_> = room
        .seen
        .iter()
        .filter(|(_, hook)| hook.params.contains(&("CallStatus".to_owned(), "initiated".to_owned())))
        .map(|(at, _)| at.duration_since(start).as_millis())
        .collect();
    assert_eq!(initiated, [0, 1_000, 2_000]);
    assert_eq!(room.laws(), [Law::CallsPerSecond; 2]);
}

#[test]
fn a_call_canceled_in_the_queue_does_not_ring_or_delay_others() {
    let mut room = Room::new();
    for consumer in ["+5511987650101", "+5511987650201", "+5511987650301"] {
        room.grant(consumer);
    }
    room.call("+5511987650101", "talk");
    let second = room.call("+5511987650201", "talk");
    let third = room.call("+5511987650301", "talk");
    let (status, call) = room.post(&format!("Calls/{second}.json"), &[("Status", "canceled")]);
    assert_eq!((status, call["status"].as_str()), (200, Some("canceled")));
    room.advance(SignedDuration::from_millis(1_000));
    let call = room.read(&format!("Calls/{third}.json"));
    assert_eq!(call["start_time"], "Fri, 20 Nov 2026 12:00:01 +0000");
    let (status, body) = room.post(&format!("Calls/{second}.json"), &[("Status", "completed")]);
    assert_eq!((status, body["code"].as_u64()), (400, Some(21220)));
}

#[test]
fn the_queue_is_full_after_its_hours() {
    let mut setup = setup();
    setup.limits.queue_hours = 1;
    let mut room = Room::with(setup);
    // The first call leaves the queue at once.
    for _ in 0..=3_600 {
        room.call(TALKS, "talk");
    }
    let (status, body) = room.try_call(TALKS, "talk");
    assert_eq!((status, body["code"].as_u64()), (400, Some(22005)));
    room.advance(seconds(1));
    assert_eq!(room.try_call(TALKS, "talk").0, 201, "a started call makes room");
}

#[test]
fn each_habit_has_its_own_end_of_a_call() {
    for (digits, end, sip) in [
        ("01", "completed", "200"),
        ("05", "no-answer", "487"),
        ("06", "busy", "486"),
        ("08", "busy", "486"),
        ("10", "completed", "200"),
        ("11", "no-answer", "487"),
    ] {
        let mut room = Room::new();
        let consumer = format!("+55119876500{digits}");
        room.grant(&consumer);
        room.call(&consumer, "talk");
        room.advance(hours(1));
        let last = room.hooks("/status").pop().unwrap();
        assert_eq!((last["CallStatus"].as_str(), last["SipResponseCode"].as_str()), (end, sip), "{digits}");
        assert_eq!(room.laws(), [], "{digits}");
    }
}

#[test]
fn a_call_without_permission_fails_when_it_is_dialled() {
    let mut room = Room::new();
    room.call(TALKS, "talk");
    room.advance(seconds(10));
    assert_eq!(room.values("/status", "CallStatus"), ["initiated", "failed"]);
    assert_eq!(room.hooks("/status")[1]["ErrorCode"], "37000");
    assert_eq!(room.laws(), [Law::CallNeedsPermission]);
    let alerts = room.ask("GET", "/v1/Alerts", &[]);
    assert!(alerts.body.contains("37000"), "{}", alerts.body);
}

#[test]
fn the_platform_may_refuse_at_creation_instead() {
    let mut setup = setup();
    setup.behaviour.refuse_at_creation = true;
    let mut room = Room::with(setup);
    let (status, body) = room.try_call(TALKS, "talk");
    assert_eq!((status, body["code"].as_u64()), (400, Some(37000)));
    room.grant(TALKS);
    assert_eq!(room.try_call(TALKS, "talk").0, 201);
}

#[test]
fn a_permission_lasts_a_week_to_the_second() {
    for (before_end, end) in [(1, "completed"), (0, "failed")] {
        let mut room = Room::new();
        room.grant(TALKS);
        room.advance(hours(168) - seconds(before_end));
        let sid = room.call(TALKS, "talk");
        room.advance(hours(1));
        assert_eq!(room.status(&sid), end);
        assert_eq!(room.laws().is_empty(), before_end == 1);
    }
}

#[test]
fn a_second_call_of_a_pair_fails_during_the_first() {
    let mut room = Room::new();
    room.grant(TALKS);
    room.call(TALKS, "talk");
    room.advance(seconds(1));
    room.call(TALKS, "talk");
    room.advance(seconds(1));
    let failed = room.hooks("/status").into_iter().find(|hook| hook["CallStatus"] == "failed").unwrap();
    assert_eq!(failed["ErrorCode"], "37003");
    assert_eq!(room.laws(), [Law::OneCallPerPair]);
}

#[test]
fn the_sixth_connected_call_in_a_day_fails() {
    let mut room = Room::new();
    room.grant(TALKS);
    for _ in 0..6 {
        room.call(TALKS, "talk");
        room.advance(hours(1));
    }
    assert_eq!(room.hooks("/status").pop().unwrap()["ErrorCode"], "37006");
    assert_eq!(room.laws(), [Law::ConnectedCallsPerDay]);
    assert_eq!(room.world.report().counts.calls_connected, 5);
}

#[test]
fn a_sender_of_a_barred_country_cannot_call() {
    let mut setup = setup();
    setup.accounts[0].senders.push(SenderSetup::new(phone("+14155550000")));
    let mut room = Room::with(setup);
    let sender = phone("+14155550000");
    room.world.consumer_answers(room.now, sender, phone(TALKS), Answer::Accept);
    let (to, from) = (format!("whatsapp:{TALKS}"), "whatsapp:+14155550000");
    let (_, call) = room.post("Calls.json", &[("To", &to), ("From", from), ("Twiml", "<Response/>")]);
    room.advance(seconds(1));
    let sid = call["sid"].as_str().unwrap();
    let notes = room.read(&format!("Calls/{sid}/Notifications.json"));
    assert_eq!(notes["notifications"][0]["error_code"], "37007");
}

#[test]
fn a_full_sender_accepts_no_further_call() {
    let mut setup = setup();
    setup.limits.concurrent_calls_per_sender = 2;
    setup.accounts[0].calls_per_second = 10;
    let mut room = Room::with(setup);
    for consumer in ["+5511987650101", "+5511987650201", "+5511987650301"] {
        room.grant(consumer);
        room.call(consumer, "talk");
    }
    room.advance(seconds(5));
    assert_eq!(room.values("/status", "ErrorCode").iter().filter(|code| *code == "10004").count(), 1);
    assert_eq!(room.world.report().senders[0].calls_peak, 2);
}

#[test]
fn a_sender_that_started_too_many_calls_in_a_day_has_to_wait() {
    let mut setup = setup();
    setup.limits.calls_started_per_sender_and_day = 1;
    let mut room = Room::with(setup);
    let consumers = ["+5511987650101", "+5511987650201", "+5511987650301"];
    for consumer in consumers {
        room.grant(consumer);
    }
    room.call(consumers[0], "talk");
    room.advance(hours(24) - seconds(1));
    room.call(consumers[1], "talk");
    room.advance(seconds(1));
    assert_eq!(room.hooks("/status").pop().unwrap()["ErrorCode"], "37004");
    let sid = room.call(consumers[2], "talk");
    room.advance(hours(1));
    assert_eq!(room.status(&sid), "completed");
}

#[test]
fn a_sender_without_its_voice_application_cannot_call() {
    let mut room = Room::new();
    room.grant(TALKS);
    let senders: Value = serde_json::from_str(&room.ask("GET", "/v2/Channels/Senders", &[]).body).unwrap();
    let sender = &senders["senders"][0];
    assert_eq!(sender["status"], "ONLINE");
    let application = sender["configuration"]["voice_application_sid"].clone();
    let path = format!("/v2/Channels/Senders/{}", sender["sid"].as_str().unwrap());
    for (voice, status) in [(Value::Null, 400), (application, 201)] {
        let body = serde_json::json!({"configuration": {"voice_application_sid": voice}}).to_string();
        let request = ApiRequest {
            method: "POST".to_owned(),
            path: path.clone(),
            authorization: Some(format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:secret")))),
            content_type: Some("application/json".to_owned()),
            body: body.into_bytes(),
            ..ApiRequest::default()
        };
        assert_eq!(room.world.serve(room.now, &request).status, 202);
        let (answered, body) = room.try_call(TALKS, "talk");
        assert_eq!(answered, status, "{body}");
    }
}

#[test]
fn four_misses_in_a_row_revoke_the_permission_with_a_report() {
    let mut room = Room::new();
    let misses = "+5511987650005";
    room.grant(misses);
    for round in 1..=4 {
        assert_eq!(room.world.report().counts.nudges, u64::from(round > 2), "before call {round}");
        room.call(misses, "talk");
        room.advance(hours(1));
    }
    assert_eq!(room.values("/messages", "ButtonPayload"), ["ACCEPTED", "REJECTED"]);
    assert_eq!(room.world.report().counts.permission_revocations, 1);
    let laws = room.laws();
    let broken = |law| laws.iter().filter(|&&other| other == law).count();
    assert_eq!(broken(Law::MissStreak), 1, "the fourth call is a violation");
    assert_eq!(
        broken(Law::InviteBeforeNudge),
        2,
        "the consumer was not invited before the third and the fourth call"
    );
    assert_eq!(laws.len(), 3);
    room.call(misses, "talk");
    assert!(room.laws().contains(&Law::CallNeedsPermission));
}

#[test]
fn calls_and_rings_outside_a_registered_window_are_violations() {
    let mut room = Room::new();
    room.grant(TALKS);
    let (from, until) = (room.now, room.now + seconds(1));
    room.world.oracle_mut().allow(phone(SENDER), phone(TALKS), from, until);
    room.call(TALKS, "talk");
    assert_eq!(room.laws(), []);
    room.advance(seconds(5));
    assert_eq!(room.laws(), [Law::CallInsideWindow], "created in time, but it rang too late");
}

#[test]
fn a_second_create_for_an_attempt_is_a_violation() {
    let mut room = Room::new();
    room.grant(TALKS);
    room.call(TALKS, "at_0123456789abcdef/talk");
    room.advance(hours(1));
    room.call(TALKS, "at_0123456789abcdef/other");
    assert_eq!(room.laws(), [Law::OneCallPerAttempt]);
}

#[test]
fn pages_do_not_shift_while_calls_are_created() {
    let mut room = Room::new();
    let mut expected: Vec<_> = (0..25).map(|_| room.call(TALKS, "talk")).collect();
    expected.reverse();
    let mut listed = Vec::new();
    let mut next = Some(format!("/2010-04-01/Accounts/{ACCOUNT}/Calls.json?PageSize=10"));
    while let Some(target) = next {
        let page: Value = serde_json::from_str(&room.ask("GET", &target, &[]).body).unwrap();
        let calls = page["calls"].as_array().unwrap();
        listed.extend(calls.iter().map(|call| call["sid"].as_str().unwrap().to_owned()));
        next = page["next_page_uri"].as_str().map(ToOwned::to_owned);
        room.call(TALKS, "talk");
    }
    assert_eq!(listed, expected);
}

#[test]
fn lists_filter_by_address_status_time_and_parent() {
    let mut room = Room::new();
    let other = "+5511987650101";
    room.grant(TALKS);
    let first = room.call(TALKS, "talk");
    room.advance(hours(36));
    room.call(other, "talk");
    room.advance(hours(1));
    room.call(other, "talk");
    room.call(other, "talk");
    let mut count =
        |query: &str| room.read(&format!("Calls.json?{query}"))["calls"].as_array().unwrap().len();
    assert_eq!(count(""), 4);
    assert_eq!(count("To=whatsapp%3A%2B5511987650001"), 1);
    assert_eq!(count("To=whatsapp%3A%2B5511987650101&From=whatsapp%3A%2B551140000000"), 3);
    assert_eq!(count("From=whatsapp%3A%2B551140000001"), 0);
    assert_eq!(count("Status=completed"), 1);
    assert_eq!(count("Status=failed"), 2);
    assert_eq!(count("Status=queued"), 1);
    assert_eq!(count("StartTime%3E=2026-11-21"), 2);
    assert_eq!(count("StartTime%3C=2026-11-20"), 1);
    assert_eq!(count("StartTime=2026-11-20"), 1);
    assert_eq!(count("StartTime%3E=2026-11-20T12%3A00%3A01Z"), 2);
    assert_eq!(count(&format!("ParentCallSid={first}")), 0);
    assert_eq!(count("ParentCallSid=CA0"), 0);
}

#[test]
fn the_same_seed_and_requests_give_the_same_trace() {
    let trace = |seed| {
        let mut setup = setup();
        setup.seed = seed;
        setup.faults.duplicate_webhook = 0.2;
        setup.faults.delay_webhook = 0.5;
        setup.faults.webhook_delay_ms = 20_000;
        let mut room = Room::with(setup);
        for number in 12..40 {
            let consumer = format!("+55119876500{number}");
            room.send(&consumer, REQUEST);
            room.advance(hours(1));
            room.try_call(&consumer, "talk");
            room.advance(seconds(90));
        }
        room.advance(hours(100));
        (format!("{:?}", room.seen), format!("{:?}", room.world.report()))
    };
    assert_eq!(trace(1), trace(1));
    assert_ne!(trace(1).0, trace(2).0);
}
