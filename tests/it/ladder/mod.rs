//! The ladder of invites in a whole daemon: a sender that only invites, by WhatsApp's Cloud API and by a page of
//! Messenger, both simulated by the small platform.

mod callers;
mod contents;
mod failing;
mod late;
mod limits;
mod pages;
mod restrictions;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringmaster::config::Config;
use ringmaster::domain::callback::Waiting;
use ringmaster::domain::{
    AccountAlias, CallProgress, Callback, CallbackId, Consent, Disposition, ErrorCode, Event, InviteId,
    InviteToken, Issuer, LinkGiven, Named, Order, OrderKind, Phone, Psid, Purpose, Reason, Restricted, Road,
    RoadKind, State,
};
use ringmaster::platform::{MessagePlan, Platform};
use ringmaster::sim::local::{Failure, LocalPlatform};
use ringmaster::store::Enqueue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{CONSUMER, RecordingTransport, SENDER, TestDaemon};

const PSID: &str = "6789012345678901";
const OTHER: &str = "+5511987650013";

fn phone(number: &str) -> Phone {
    Phone::parse(number).unwrap()
}

fn psid() -> Psid {
    PSID.parse().unwrap()
}

fn meta(number: u32) -> ErrorCode {
    ErrorCode::new(Issuer::Meta, number)
}

/// The daemon, and the platforms of the accounts `cloud` and `page`.
struct Ladder {
    daemon: TestDaemon,
    cloud: Arc<LocalPlatform>,
    page: Arc<LocalPlatform>,
    ordered: u128,
}

/// The sender invites by every road, and does not call. The accounts exist without senders of their own.
fn only_invites(config: &mut Config) {
    let main = config.accounts.get_mut("main").unwrap();
    for sender in main.senders.values_mut() {
        let road = |kind: RoadKind| Road {
            kind,
            account: if kind == RoadKind::Messenger { "page".into() } else { "cloud".into() },
            content: format!("content-{}", kind.as_str()).parse().unwrap(),
        };
        sender.roads = RoadKind::ALL.map(road).into();
        sender.can_call = false;
    }
    for alias in ["cloud", "page"] {
        let mut account = config.accounts["main"].clone();
        account.senders.clear();
        config.accounts.insert(alias.into(), account);
    }
}

impl Ladder {
    async fn begin() -> Self {
        Self::configured(|_| {}).await
    }

    async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        let mut platforms = Vec::new();
        let daemon = TestDaemon::beyond_twilio(
            Arc::new(RecordingTransport::default()),
            |config| {
                only_invites(config);
                change(config);
            },
            |clock| {
                platforms = ["cloud", "page"].map(|_| Arc::new(LocalPlatform::new(clock.clone()))).into();
                let named = ["cloud", "page"].into_iter().zip(&platforms);
                named
                    .map(|(alias, it)| (AccountAlias::from(alias), it.clone() as Arc<dyn Platform>))
                    .collect()
            },
        )
        .await;
        let [cloud, page] = <[_; 2]>::try_from(platforms).ok().unwrap();
        Self { daemon, cloud, page, ordered: 0 }
    }

    async fn restart(self) -> Self {
        let daemon = self.daemon.restart(Arc::new(RecordingTransport::default())).await;
        Self { daemon, ..self }
    }

    /// Stores an order that is only an invite.
    async fn invite(&mut self, consumer: &str) -> CallbackId {
        self.order(consumer, |order| order.kind = OrderKind::Invite).await
    }

    async fn order(&mut self, consumer: &str, change: impl FnOnce(&mut Order)) -> CallbackId {
        let now = self.daemon.now();
        let latest = now + SignedDuration::from_hours(10 * 24);
        let mut order = Order::new(phone(consumer), vec![phone(SENDER)], "message", now, latest);
        change(&mut order);
        self.ordered += 1;
        let id = CallbackId::new(Uuid::from_u128(0x1111_0000 + self.ordered));
        let waiting = Waiting { wake_at: now, place: None, note: Reason::Ready.note() };
        let callback = Callback::new(id, now, order, State::Waiting(waiting));
        let order = Enqueue { callback, idempotency: None, ceiling: None, of_one_group: Vec::new() };
        self.daemon.watch().enqueue_callbacks(vec![order]).await.unwrap();
        self.daemon.advance(SignedDuration::ZERO).await;
        id
    }

    async fn callback(&self, id: CallbackId) -> Callback {
        self.daemon.watch().callback(id).await.unwrap().unwrap().callback
    }

    /// The code of its reason, and its outcome if it is closed.
    async fn standing(&self, id: CallbackId) -> (String, Option<&'static str>) {
        let callback = self.callback(id).await;
        let outcome = callback.closed().map(|closed| closed.outcome.as_str());
        let note = match callback.state {
            State::Waiting(waiting) => waiting.note,
            State::Closed(closed) => closed.note,
            State::Calling { .. } => panic!("nobody is called"),
        };
        (note.code.into_owned(), outcome)
    }

    async fn explain(&mut self, id: CallbackId) -> Value {
        let path = match self.callback(id).await.order.kind {
            OrderKind::Callback => format!("/v1/callbacks/{id}/explain"),
            OrderKind::Invite => format!("/v1/invites/{}/explain", InviteId::from(id)),
        };
        self.daemon.get(&path).await
    }

    /// Lets the time pass, with all reports and all timers in it.
    async fn pass(&mut self, by: SignedDuration) {
        let until = self.daemon.now() + by;
        loop {
            let next = [self.cloud.next_at(), self.page.next_at(), self.daemon.wakes_at()];
            let at = next.into_iter().flatten().min().unwrap_or(until).max(self.daemon.now()).min(until);
            self.daemon.advance_to(at).await;
            if at >= until {
                return;
            }
            let due = [self.cloud.due(at), self.page.due(at)].concat();
            self.daemon.file(due).await;
        }
    }

    async fn minute(&mut self) {
        self.pass(SignedDuration::from_mins(1)).await;
    }

    /// The consumer writes to the sender.
    async fn writes(&mut self, consumer: &str) {
        let event = Event::InboundMessage {
            sender: phone(SENDER),
            who: Named::number(phone(consumer)),
            word: None,
            wrote_at: None,
        };
        self.daemon.file(vec![event]).await;
    }

    async fn writes_to_page(&mut self, word: Option<ringmaster::domain::event::Word>) {
        self.daemon
            .file(vec![Event::MessengerMessage {
                account: "page".into(),
                psid: psid(),
                word,
                wrote_at: None,
            }])
            .await;
    }

    /// A whole call of the consumer to the sender, as one account reports it.
    async fn calls(&mut self, consumer: &str, sid: &str, end: Disposition, invite: Option<InviteToken>) {
        for progress in [CallProgress::Ringing, CallProgress::Ended(end)] {
            let event = Event::InboundCall {
                sender: phone(SENDER),
                who: Named::number(phone(consumer)),
                sid: sid.to_owned(),
                progress,
                came_to_at: Some(self.daemon.now()),
                duration_s: None,
                invite,
            };
            self.daemon.file(vec![event]).await;
        }
    }

    /// The roads of the invites that left, in their order: those of WhatsApp, then those of the page.
    fn sent(&self) -> Vec<RoadKind> {
        self.plans().iter().filter_map(|plan| Some(plan.invite.as_ref()?.road)).collect()
    }

    fn plans(&self) -> Vec<MessagePlan> {
        [self.cloud.messages(), self.page.messages()].concat()
    }

    /// The token of the only invite that left.
    fn token(&self) -> InviteToken {
        let plans = self.plans();
        assert_eq!(plans.len(), 1);
        plans[0].invite.as_ref().unwrap().token
    }

    async fn timeline(&self, id: CallbackId) -> BTreeMap<String, String> {
        let entries = self.daemon.watch().timeline(id).await.unwrap();
        entries.into_iter().map(|entry| (entry.what.to_string(), entry.why)).collect()
    }

    async fn metric(&mut self, line: &str) -> bool {
        self.daemon.look("/metrics").await.1.lines().any(|written| written == line)
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
