//! Each fault has its effect, and none when it is off.

use super::*;

fn with(change: impl FnOnce(&mut Faults)) -> Room {
    let mut setup = setup();
    change(&mut setup.faults);
    let mut room = Room::with(setup);
    room.grant(TALKS);
    room
}

fn create(room: &mut Room) -> ApiResponse {
    let (to, from) = (format!("whatsapp:{TALKS}"), format!("whatsapp:{SENDER}"));
    let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Calls.json");
    room.ask(
        "POST",
        &path,
        &[
            ("To", &to),
            ("From", &from),
            ("Url", "https://d.example/document/talk"),
            ("StatusCallback", "https://d.example/status"),
        ],
    )
}

#[test]
fn only_some_failures_leave_a_call_behind() {
    type Change = fn(&mut Faults);
    let cases: [(Change, u16, Fate, u64); 5] = [
        (|faults| faults.throttle = 1.0, 429, Fate::Deliver, 0),
        (|faults| faults.error_before = 1.0, 503, Fate::Deliver, 0),
        (|faults| faults.error_after = 1.0, 500, Fate::Deliver, 1),
        (|faults| faults.drop_answer = 1.0, 201, Fate::Drop, 1),
        (|_| {}, 201, Fate::Deliver, 1),
    ];
    for (change, status, fate, accepted) in cases {
        let mut room = with(change);
        let response = create(&mut room);
        let counted = room.world.report().counts.creates_accepted;
        assert_eq!((response.status, response.fate, counted), (status, fate, accepted));
    }
}

#[test]
fn an_answer_can_come_after_the_first_webhooks() {
    let mut room = with(|faults| faults.webhook_before_answer = 1.0);
    assert_eq!(create(&mut room).fate, Fate::DelayBy(seconds(3)));
    let mut room = with(|faults| (faults.delay_answer, faults.answer_delay_ms) = (1.0, 700));
    assert_eq!(create(&mut room).fate, Fate::DelayBy(SignedDuration::from_millis(700)));
}

#[test]
fn webhooks_are_lost_or_repeated_and_documents_are_not() {
    for (lose, double, reports) in [(0.0, 0.0, 1), (1.0, 0.0, 0), (0.0, 1.0, 2)] {
        let mut room = with(|faults| {
            faults.lose_webhook = lose;
            faults.duplicate_webhook = double;
        });
        create(&mut room);
        room.advance(hours(1));
        assert_eq!(room.hooks("/status").len(), reports);
        assert_eq!(room.hooks("/document/talk").len(), 1);
    }
    let mut room = with(|faults| faults.duplicate_webhook = 1.0);
    create(&mut room);
    room.advance(hours(1));
    let tokens: Vec<_> = room.seen.iter().filter(|(_, hook)| hook.url.ends_with("/status")).collect();
    assert_eq!(tokens[0].1.idempotency_token, tokens[1].1.idempotency_token);
}

#[test]
fn an_outage_has_a_beginning_and_an_end() {
    let mut room = Room::new();
    let (from, until) = (room.now + seconds(10), room.now + seconds(20));
    room.world.set_faults(Faults { outage_from: Some(from), outage_until: Some(until), ..Faults::default() });
    for (wait, status) in [(9, 201), (1, 503), (9, 503), (1, 201)] {
        room.advance(seconds(wait));
        assert_eq!(create(&mut room).status, status);
    }
}

#[test]
fn the_fragment_of_a_url_sets_the_retries() {
    for (fragment, tries) in [("", 1), ("#rc=2&rp=5xx", 3), ("#rc=2&rp=4xx", 1), ("#rc=9&rp=all", 6)] {
        let mut room = Room::new();
        room.grant(TALKS);
        let (to, from) = (format!("whatsapp:{TALKS}"), format!("whatsapp:{SENDER}"));
        let status = format!("https://d.example/status{fragment}");
        let twiml = "<Response/>";
        let form = [("To", &*to), ("From", &*from), ("Twiml", twiml), ("StatusCallback", &*status)];
        room.post("Calls.json", &form);
        let mut seen = Vec::new();
        while let Some(at) = room.world.next_at() {
            room.now = room.now.max(at);
            for webhook in room.world.due(room.now) {
                let reply = WebhookReply::Answer { status: 500, content_type: None, body: String::new() };
                room.world.answered(room.now, webhook.id, reply);
                assert!(!webhook.url.contains('#'));
                seen.push(webhook);
            }
        }
        let reports: Vec<_> = seen.iter().filter(|hook| hook.url.ends_with("/status")).collect();
        assert_eq!(reports.len(), tries, "{fragment}");
        assert!(reports.iter().all(|hook| hook.idempotency_token == reports[0].idempotency_token));
    }
}
