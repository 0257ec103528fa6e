//! How the world runs TwiML documents, and what it does without one.

use super::*;

/// Calls a consumer who answers, serves this document, and advances one hour.
fn run(document: &'static str, agents_answer: u32) -> Room {
    let mut setup = setup();
    setup.behaviour.agents_answer_of_ten = agents_answer;
    let mut room = Room::with(setup);
    room.documents.insert("start", document);
    room.grant(TALKS);
    room.call(TALKS, "start");
    room.advance(hours(1));
    assert_eq!(room.world.report().calls_live, 0);
    room
}

fn last_status(room: &Room) -> String {
    room.values("/status", "CallStatus").pop().unwrap()
}

fn duration(room: &Room) -> i64 {
    room.hooks("/status").pop().unwrap()["CallDuration"].parse().unwrap()
}

#[test]
fn speaking_takes_time_and_the_end_of_the_document_ends_the_call() {
    let room = run("<Response><Say>Hi</Say><Pause length=\"5\"/><Play>a.mp3</Play></Response>", 10);
    assert_eq!(last_status(&room), "completed");
    assert_eq!(duration(&room), 9);
    assert_eq!(
        duration(&run("<Response><Pause length=\"2\"/><Hangup/><Pause length=\"9\"/></Response>", 10)),
        2
    );
}

#[test]
fn a_dialled_agent_is_a_separate_leg_and_the_action_gets_its_end() {
    let document = "<Response><Dial action=\"/document/end\"><Client statusCallback=\"/leg\" \
        statusCallbackEvent=\"initiated ringing answered completed\">anna</Client></Dial></Response>";
    let mut room = run(document, 10);
    assert_eq!(room.values("/leg", "CallStatus"), ["initiated", "ringing", "in-progress", "completed"]);
    let leg = room.hooks("/leg").pop().unwrap();
    let parent = room.hooks("/status")[0]["CallSid"].clone();
    assert_eq!((leg["To"].as_str(), leg["Direction"].as_str()), ("client:anna", "outbound-dial"));
    assert_eq!(leg["ParentCallSid"], parent);
    let action = room.hooks("/document/end").pop().unwrap();
    assert_eq!(action["DialCallStatus"], "completed");
    assert_eq!(action["DialCallSid"], leg["CallSid"]);
    assert_eq!(action["DialCallDuration"], leg["CallDuration"]);
    let legs = room.read(&format!("Calls.json?ParentCallSid={parent}"));
    assert_eq!(legs["calls"][0]["sid"].as_str(), Some(leg["CallSid"].as_str()));
}

#[test]
fn after_an_unanswered_agent_the_action_continues_the_call() {
    let document =
        "<Response><Dial timeout=\"5\" action=\"/document/end\"><Sip>sip:a@b.example</Sip></Dial></Response>";
    let mut room = run(document, 0);
    assert_eq!(room.values("/document/end", "DialCallStatus"), ["no-answer"]);
    assert_eq!(last_status(&room), "completed");
    let calls = room.read("Calls.json?To=sip%3Aa%40b.example");
    assert_eq!(calls["calls"][0]["status"], "no-answer");
}

#[test]
fn without_an_action_the_document_goes_on_after_a_dial() {
    let room = run(
        "<Response><Dial timeout=\"5\"><Client>a</Client></Dial><Redirect>/document/end</Redirect></Response>",
        0,
    );
    assert_eq!(room.hooks("/document/end").len(), 1);
}

#[test]
fn a_queue_and_a_conference_report_their_ends() {
    let queue = "<Response><Enqueue action=\"/document/end\">support</Enqueue></Response>";
    assert_eq!(run(queue, 10).values("/document/end", "QueueResult"), ["bridged"]);
    assert_eq!(run(queue, 0).values("/document/end", "QueueResult"), ["hangup"]);
    let conference = "<Response><Dial action=\"/document/end\"><Conference>c</Conference></Dial></Response>";
    assert_eq!(run(conference, 10).values("/document/end", "DialCallStatus"), ["completed"]);
}

#[test]
fn digits_and_recordings_are_sent_to_their_action() {
    let mut setup = setup();
    setup.behaviour.consumer_digits = "42".to_owned();
    let mut room = Room::with(setup);
    room.documents
        .insert("start", "<Response><Gather action=\"/document/keyed\"><Say>?</Say></Gather></Response>");
    room.documents.insert("keyed", "<Response><Record action=\"/document/end\" maxLength=\"3\"/></Response>");
    room.grant(TALKS);
    room.call(TALKS, "start");
    room.advance(hours(1));
    assert_eq!(room.values("/document/keyed", "Digits"), ["42"]);
    assert_eq!(room.values("/document/end", "RecordingDuration"), ["3"]);
    let silent = run("<Response><Gather action=\"/document/end\" timeout=\"3\"/></Response>", 10);
    assert_eq!(silent.hooks("/document/end").len(), 0);
    assert_eq!(duration(&silent), 3);
}

#[test]
fn an_agent_first_call_dials_the_consumer_with_the_same_laws() {
    for granted in [true, false] {
        let mut room = Room::new();
        room.documents.insert(
            "start",
            "<Response><Dial callerId=\"whatsapp:+551140000000\" action=\"/document/end\">\
             <WhatsApp url=\"/document/whisper\" statusCallback=\"/leg\">+5511987650001</WhatsApp></Dial></Response>",
        );
        room.documents.insert("whisper", "<Response><Say>An agent for you</Say></Response>");
        if granted {
            room.grant(TALKS);
        }
        let url = "https://d.example/document/start";
        let form = [("To", "client:anna"), ("From", "whatsapp:+551140000000"), ("Url", url)];
        assert_eq!(room.post("Calls.json", &form).0, 201);
        room.advance(hours(1));
        let leg = room.hooks("/leg").pop().unwrap();
        assert_eq!(leg["To"], "whatsapp:+5511987650001");
        let action = room.hooks("/document/end").pop().unwrap();
        if granted {
            assert_eq!(action["DialCallStatus"], "completed");
            assert_eq!(room.hooks("/document/whisper").len(), 1);
            assert_eq!(room.laws(), []);
        } else {
            assert_eq!((action["DialCallStatus"].as_str(), leg["ErrorCode"].as_str()), ("failed", "37000"));
            assert_eq!(room.laws(), [Law::CallNeedsPermission]);
        }
    }
}

#[test]
fn a_telephone_number_in_the_document_fails_the_call_and_breaks_a_law() {
    for noun in ["<Number>+15551230000</Number>", "+15551230000", "<Sim>DE1</Sim>"] {
        let document = format!("<Response><Dial>{noun}</Dial></Response>");
        let room = run(Box::leak(document.into_boxed_str()), 10);
        assert_eq!(last_status(&room), "failed");
        assert_eq!(room.laws(), [Law::NoTelephoneNetwork], "{noun}");
    }
}

#[test]
fn a_document_that_cannot_be_used_fails_the_call_with_the_reason() {
    for (document, code) in [("<Response><Say>", "12100"), ("<Other/>", "12100")] {
        let room = run(document, 10);
        let last = room.hooks("/status").pop().unwrap();
        assert_eq!((last["CallStatus"].as_str(), last["ErrorCode"].as_str()), ("failed", code));
    }
    let mut room = Room::new();
    room.grant(TALKS);
    let sid = room.call(TALKS, "missing");
    room.advance(hours(1));
    assert_eq!(room.hooks("/status").pop().unwrap()["ErrorCode"], "11200");
    let events = room.read(&format!("Calls/{sid}/Events.json"));
    let fetch = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["request"]["url"].as_str().unwrap().ends_with("/document/missing"));
    let fetch = fetch.unwrap();
    assert_eq!(fetch["response"]["response_code"], 404);
    assert_eq!(fetch["request"]["parameters"]["call_sid"], sid.as_str());
}

#[test]
fn the_fallback_is_requested_when_the_document_fails() {
    let mut room = Room::new();
    room.grant(TALKS);
    let (to, from) = (format!("whatsapp:{TALKS}"), format!("whatsapp:{SENDER}"));
    let (_, call) = room.post(
        "Calls.json",
        &[
            ("To", &to),
            ("From", &from),
            ("Url", "https://d.example/document/missing"),
            ("FallbackUrl", "https://d.example/document/end"),
        ],
    );
    room.advance(hours(1));
    assert_eq!(room.values("/document/end", "ErrorCode"), ["11200"]);
    assert_eq!(room.status(call["sid"].as_str().unwrap()), "completed");
}

#[test]
fn a_running_call_can_be_redirected_and_hung_up() {
    let mut room = Room::new();
    room.grant(TALKS);
    let sid = room.call(TALKS, "talk");
    let (status, _) = room.post(&format!("Calls/{sid}.json"), &[("Url", "https://d.example/document/talk")]);
    assert_eq!(status, 400, "it is not in progress yet");
    while room.status(&sid) != "in-progress" {
        room.advance(seconds(1));
    }
    room.post(&format!("Calls/{sid}.json"), &[("Url", "https://d.example/document/talk?again")]);
    room.advance(seconds(1));
    assert_eq!(room.hooks("/document/talk?again").len(), 1);
    let (_, call) = room.post(&format!("Calls/{sid}.json"), &[("Status", "completed")]);
    assert_eq!(call["status"], "completed");
}

#[test]
fn the_time_limit_ends_a_call() {
    let mut setup = setup();
    setup.timing.talk = Span(600_000, 600_000);
    let mut room = Room::with(setup);
    room.grant(TALKS);
    let (to, from) = (format!("whatsapp:{TALKS}"), format!("whatsapp:{SENDER}"));
    let twiml = "<Response><Pause length=\"900\"/></Response>";
    let (_, call) =
        room.post("Calls.json", &[("To", &to), ("From", &from), ("Twiml", twiml), ("TimeLimit", "30")]);
    room.advance(hours(1));
    let call = room.read(&format!("Calls/{}.json", call["sid"].as_str().unwrap()));
    assert_eq!((call["status"].as_str(), call["duration"].as_str()), (Some("completed"), Some("30")));
}
