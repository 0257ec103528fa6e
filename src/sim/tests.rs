//! The daemon's Twilio client with the world: the world serves its requests, and its forms read every webhook.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{InProcess, World};
use crate::clock::{Clock as _, ManualClock};
use crate::domain::{AttemptId, Figure, Phone, Words};
use crate::platform::seats::SeatSource as _;
use crate::sim::world::{
    AccountSetup, Answer, ContentSetup, Desk, Faults, SenderSetup, Setup, Webhook, WebhookReply,
};
use crate::twilio::forms::{self, Form};
use crate::twilio::{
    Account, Address, Basic, CallFilter, Client, Created, NewCall, NewMessage, QueueSource, UnknownCause,
};

const ACCOUNT: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const REQUEST: &str = "HX00000000000000000000000000000001";
const TOKEN: &str = "0123456789abcdef";

struct Fixture {
    world: Arc<Mutex<World>>,
    clock: Arc<ManualClock>,
    client: Client,
    seen: Vec<Webhook>,
}

fn numbers() -> (Phone, Phone) {
    (Phone::parse("+551140000000").unwrap(), Phone::parse("+5511987650001").unwrap())
}

impl Fixture {
    fn new() -> Self {
        let mut account = AccountSetup::new(ACCOUNT, "secret");
        account.senders.push(SenderSetup {
            message_url: Some("https://d.example/messages".to_owned()),
            voice_url: Some("https://d.example/voice".to_owned()),
            voice_status_url: Some("https://d.example/inbound".to_owned()),
            ..SenderSetup::new(numbers().0)
        });
        account.contents.push(ContentSetup::permission_request(REQUEST, true));
        let world = Arc::new(Mutex::new(World::new(Setup::new(5, vec![account]))));
        let start: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::new(start));
        let transport = InProcess::new(world.clone(), clock.clone());
        let basic = Basic::new(ACCOUNT, "secret".to_owned());
        let client = Client::new(Arc::new(transport), Account::new(ACCOUNT, basic));
        Self { world, clock, client, seen: Vec::new() }
    }

    fn advance(&mut self, by: SignedDuration) {
        let until = self.clock.now() + by;
        let mut world = self.world.lock().unwrap();
        loop {
            let now = self.clock.now();
            for webhook in world.due(now) {
                let document = webhook.url.contains("/voice");
                let twiml = "<Response><Dial action=\"https://d.example/action\"><Client>a</Client></Dial></Response>";
                let reply = WebhookReply::Answer {
                    status: 200,
                    content_type: document.then(|| "text/xml".to_owned()),
                    body: if document { twiml.to_owned() } else { String::new() },
                };
                world.answered(now, webhook.id, reply);
                self.seen.push(webhook);
            }
            match world.next_at().filter(|at| *at <= until) {
                Some(at) => self.clock.set(at.max(now)),
                None => break,
            }
        }
        self.clock.set(until);
    }

    async fn call(&self) -> Created<crate::twilio::Call> {
        let (sender, consumer) = numbers();
        let url = format!("https://d.example/hooks/calls/{TOKEN}/voice");
        let status = format!("https://d.example/hooks/calls/{TOKEN}/status");
        self.client.create_call(&NewCall::whatsapp(sender, consumer, url, status)).await
    }

    fn fault(&self, faults: Faults) {
        self.world.lock().unwrap().set_faults(faults);
    }
}

#[tokio::test]
async fn the_client_has_the_right_result_after_each_fault() {
    let room = Fixture::new();
    assert!(matches!(room.call().await, Created::Accepted(_)));
    room.fault(Faults { throttle: 1.0, ..Faults::default() });
    assert!(matches!(room.call().await, Created::Throttled { .. }));
    room.fault(Faults { drop_answer: 1.0, ..Faults::default() });
    assert!(matches!(room.call().await, Created::Unknown(UnknownCause::Lost(_))));
    room.fault(Faults { error_after: 1.0, ..Faults::default() });
    assert!(matches!(room.call().await, Created::Unknown(UnknownCause::Status { status: 500, .. })));
    assert_eq!(room.world.lock().unwrap().report().counts.creates_accepted, 3);
}

#[tokio::test]
async fn a_call_with_a_lost_answer_is_found_by_its_numbers_and_identified_by_its_log() {
    let room = Fixture::new();
    room.fault(Faults { drop_answer: 1.0, ..Faults::default() });
    assert!(matches!(room.call().await, Created::Unknown(_)));
    room.fault(Faults::default());
    let (sender, consumer) = numbers();
    let filter = CallFilter {
        from: Some(Address::WhatsApp(sender)),
        to: Some(Address::WhatsApp(consumer)),
        ..CallFilter::default()
    };
    let found = room.client.list_calls(&filter).await.unwrap();
    assert_eq!(found.len(), 1);
    let events = room.client.call_events(&found[0].sid).await.unwrap();
    assert!(
        events.iter().any(|event| event.names(TOKEN)),
        "the log has the token before the document is fetched"
    );
}

#[tokio::test]
async fn the_daemon_reads_every_webhook() {
    let mut room = Fixture::new();
    let (sender, consumer) = numbers();
    let message = NewMessage {
        from: sender,
        to: consumer,
        content_sid: REQUEST.to_owned(),
        content_variables: BTreeMap::new(),
        status_callback: Some("https://d.example/message-status".to_owned()),
        validity_s: None,
    };
    assert!(matches!(room.client.create_message(&message).await, Created::Accepted(_)));
    room.advance(SignedDuration::from_hours(1));
    assert!(matches!(room.call().await, Created::Accepted(_)));
    room.advance(SignedDuration::from_hours(1));
    let now = room.clock.now();
    let world = room.world.clone();
    assert!(world.lock().unwrap().consumer_calls(now, sender, consumer));
    assert!(world.lock().unwrap().consumer_writes(now, sender, consumer, "hello"));
    assert!(world.lock().unwrap().consumer_answers(now, sender, consumer, Answer::Reject));
    room.advance(SignedDuration::from_hours(1));

    let attempt = AttemptId::new(Uuid::from_u128(1));
    let mut kinds = BTreeMap::<_, usize>::new();
    for webhook in &room.seen {
        let pairs = webhook.params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let form = Form::parse(body.as_bytes());
        let kind = webhook.url.rsplit('/').next().unwrap();
        let understood = match kind {
            "status" => forms::call_status(&form, attempt).is_ok(),
            "voice" => forms::document_fetched(&form, attempt).is_ok(),
            "action" => forms::connection(&form, attempt).is_ok(),
            "inbound" => forms::inbound_call(&form).is_ok(),
            "messages" => forms::inbound_message(&form, &Words::default()).is_ok(),
            "message-status" => forms::message_status(&form, None).is_ok(),
            _ => false,
        };
        assert!(understood, "{kind}");
        *kinds.entry(kind).or_default() += 1;
    }
    assert_eq!((kinds["status"], kinds["voice"], kinds["action"]), (4, 2, 2));
    assert_eq!((kinds["inbound"], kinds["messages"]), (1, 3));
    assert!(kinds["message-status"] >= 3);
}

#[test]
fn a_fault_is_a_probability() {
    let with = |name: &str, value: f64| {
        let faults: Faults = serde_json::from_value(serde_json::json!({ name: value })).unwrap();
        faults.check()
    };
    let names = [
        "drop_answer",
        "delay_answer",
        "webhook_before_answer",
        "throttle",
        "error_before",
        "error_after",
        "duplicate_webhook",
        "delay_webhook",
        "lose_webhook",
    ];
    for name in names {
        assert_eq!([0.0, 0.5, 1.0].map(|value| with(name, value)), [Ok(()), Ok(()), Ok(())], "{name}");
        for value in [-0.1, 1.000_1, 2.0] {
            let told = with(name, value).unwrap_err();
            assert_eq!(told, format!("{name} is {value}: expected a probability from 0 to 1"));
        }
    }
}

#[tokio::test]
async fn a_task_queue_tells_its_free_workers_to_the_client() {
    let fixture = Fixture::new();
    let (workspace, queue) = (format!("WS{}", "0".repeat(32)), format!("WQ{}", "0".repeat(32)));
    let read = async || {
        let source = QueueSource {
            client: fixture.client.clone(),
            workspace_sid: workspace.clone(),
            task_queue_sid: queue.clone(),
            valid_for: SignedDuration::from_secs(30),
        };
        source.read(fixture.clock.now()).await.map_err(|unread| unread.to_string())
    };
    assert_eq!(read().await.unwrap_err(), "Twilio knows no such task queue");
    let desk = Desk { free: 3, reserved: 1, assigned: 4, wrapping: 2, away: 5 };
    fixture.world.lock().unwrap().set_desk(&queue, desk);
    let told = read().await.unwrap();
    assert_eq!(told.figure, Figure::Free(3));
    // The statistics may be some seconds old.
    let now = fixture.clock.now();
    let seconds = SignedDuration::from_secs;
    assert_eq!((told.as_of, told.valid_until), (now - seconds(5), now + seconds(30)));
    fixture.world.lock().unwrap().set_desk(&queue, Desk { away: 91, ..desk });
    assert!(read().await.unwrap_err().contains("more than 100"));
    fixture.world.lock().unwrap().set_faults(Faults { throttle: 1.0, ..Faults::default() });
    assert_eq!(read().await.unwrap_err(), "Twilio answered that there are too many requests");
}
