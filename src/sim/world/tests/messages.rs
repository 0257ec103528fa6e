//! Permission requests and their limits, replies by habit, invites and inbound calls.

use super::*;

fn replies(room: &Room) -> Vec<String> {
    room.values("/messages", "ButtonPayload")
}

#[test]
fn an_approved_request_is_sent_delivered_and_answered() {
    let mut room = Room::new();
    let sid = room.send(TALKS, REQUEST);
    room.advance(hours(1));
    let statuses = room.values("/message-status", "MessageStatus");
    assert_eq!(statuses[..3], ["queued", "sent", "delivered"]);
    let reply = room.hooks("/messages").pop().unwrap();
    for (name, value) in [
        ("MessageType", "interactive"),
        ("Body", "VOICE_CALL_REQUEST"),
        ("ButtonText", "VOICE_CALL_REQUEST"),
        ("ButtonPayload", "ACCEPTED"),
        ("SmsStatus", "received"),
        ("From", "whatsapp:+5511987650001"),
        ("To", "whatsapp:+551140000000"),
        ("WaId", "5511987650001"),
        ("OriginalRepliedMessageSid", &sid),
        ("AccountSid", ACCOUNT),
    ] {
        assert_eq!(reply.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(room.laws(), []);
}

#[test]
fn each_habit_answers_a_request_its_own_way() {
    let cases: [(&str, &[&str]); 7] = [
        ("01", &["ACCEPTED"]),
        ("02", &["REJECTED"]),
        ("03", &[]),
        ("04", &["REJECTED", "ACCEPTED"]),
        ("07", &[]),
        ("09", &["ACCEPTED", "REJECTED"]),
        ("10", &["ACCEPTED"]),
    ];
    for (digits, expected) in cases {
        let mut room = Room::new();
        room.send(&format!("+55119876500{digits}"), REQUEST);
        room.advance(hours(24));
        assert_eq!(replies(&room), expected, "{digits}");
    }
}

#[test]
fn a_set_habit_overrides_the_number() {
    let mut room = Room::new();
    room.world.set_habit(phone(TALKS), Habit::Refuses);
    room.send(TALKS, REQUEST);
    room.advance(hours(1));
    assert_eq!(replies(&room), ["REJECTED"]);
}

#[test]
fn a_second_request_within_a_day_fails_and_is_a_violation() {
    for (wait, broken) in [(hours(24) - seconds(1), true), (hours(24), false)] {
        let mut room = Room::new();
        let ignores = "+5511987650003";
        room.send(ignores, REQUEST);
        room.advance(wait);
        room.seen.clear();
        let sid = room.send(ignores, REQUEST);
        room.advance(seconds(10));
        let failed = room.values("/message-status", "MessageStatus").contains(&"failed".to_owned());
        assert_eq!(failed, broken);
        assert_eq!(room.laws(), if broken { vec![Law::PermissionRequestLimit] } else { Vec::new() });
        if broken {
            let message = room.read(&format!("Messages/{sid}.json"));
            assert_eq!(message["error_code"], 63032);
            assert!(message["error_message"].as_str().unwrap().contains("138009"));
        }
    }
}

#[test]
fn the_third_request_in_a_week_fails_unless_a_call_connected() {
    for connected in [false, true] {
        let mut room = Room::new();
        let consumer = "+5511987650003";
        for _ in 0..2 {
            room.send(consumer, REQUEST);
            room.advance(hours(30));
        }
        if connected {
            room.world.consumer_calls(room.now, phone(SENDER), phone(consumer));
            room.advance(hours(1));
        }
        room.send(consumer, REQUEST);
        room.advance(hours(1));
        assert_eq!(room.laws().is_empty(), connected);
    }
}

#[test]
fn an_unapproved_request_needs_an_open_service_window() {
    for (wait, delivered) in [(hours(24) - seconds(1), true), (hours(24), false)] {
        let mut room = Room::new();
        room.world.consumer_writes(room.now, phone(SENDER), phone(TALKS), "hello");
        room.advance(wait);
        room.send(TALKS, DRAFT);
        room.advance(seconds(10));
        let errors = room.values("/message-status", "ErrorCode");
        assert_eq!(!errors.contains(&"63016".to_owned()), delivered);
    }
}

#[test]
fn messages_are_refused_with_twilios_codes() {
    let (to, from) = (format!("whatsapp:{TALKS}"), format!("whatsapp:{SENDER}"));
    let cases: [(&[(&str, &str)], u64); 6] = [
        (&[("From", &from), ("ContentSid", REQUEST)], 21604),
        (&[("To", TALKS), ("From", &from), ("ContentSid", REQUEST)], 21211),
        (&[("To", &to), ("From", "whatsapp:+551140000001"), ("ContentSid", REQUEST)], 63007),
        (&[("To", &to), ("From", &from), ("ContentSid", "HX9")], 21655),
        (&[("To", &to), ("From", &from)], 21619),
        (
            &[("To", &to), ("From", &from), ("ContentSid", REQUEST), ("ContentVariables", "{\"1\":null}")],
            21656,
        ),
    ];
    for (form, code) in cases {
        let (status, body) = Room::new().post("Messages.json", form);
        assert_eq!((status, body["code"].as_u64()), (400, Some(code)), "{form:?}");
    }
}

#[test]
fn a_consumer_calls_when_invited() {
    let mut room = Room::new();
    let calls_in = "+5511987650007";
    room.send(calls_in, INVITE);
    room.advance(hours(2));
    let fetched = room.hooks("/document/inbound").pop().unwrap();
    assert_eq!(fetched["From"], format!("whatsapp:{calls_in}"));
    assert_eq!((fetched["Direction"].as_str(), fetched["CallStatus"].as_str()), ("inbound", "ringing"));
    assert_eq!(room.values("/inbound-status", "CallStatus"), ["completed"]);
    assert_eq!(room.values("/document/queue-end", "QueueResult").len(), 1);
    assert_eq!(room.world.report().counts.inbound_connected, 1);
    assert!(replies(&room).is_empty(), "callback permission is off");
}

#[test]
fn a_consumers_call_grants_a_permission_if_that_is_on() {
    for (document, counted) in [("inbound", 1), ("reject", 0)] {
        let mut setup = setup();
        setup.accounts[0].senders[0].callback_permission = true;
        setup.accounts[0].senders[0].voice_url = Some(format!("https://d.example/document/{document}"));
        let mut room = Room::with(setup);
        room.documents.insert("reject", "<Response><Reject reason=\"busy\"/></Response>");
        room.world.consumer_calls(room.now, phone(SENDER), phone(TALKS));
        room.advance(hours(1));
        assert_eq!(replies(&room), ["ACCEPTED"], "missed or connected");
        assert_eq!(room.world.report().counts.inbound_connected, counted);
        let sid = room.call(TALKS, "talk");
        room.advance(hours(1));
        assert_eq!(room.status(&sid), "completed");
        assert_eq!(room.laws(), []);
    }
}

#[test]
fn a_consumers_call_to_a_sender_without_voice_fails_with_an_alert() {
    let mut setup = setup();
    setup.accounts[0].senders[0].voice_url = None;
    let mut room = Room::with(setup);
    room.world.consumer_calls(room.now, phone(SENDER), phone(TALKS));
    room.advance(seconds(1));
    assert_eq!(room.values("/inbound-status", "ErrorCode"), ["37009"]);
}
