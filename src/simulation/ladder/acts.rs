//! What customers, consumers and the platforms do in a run of the ladder.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Answered, LONGEST_H, Run};
use crate::domain::callback::Waiting;
use crate::domain::event::Word;
use crate::domain::{
    CallProgress, Callback, CallbackId, Disposition, ErrorCode, Event, InviteToken, Issuer, Named, Order,
    OrderKind, Phone, Reason, Restricted, State,
};
use crate::sim::local::{Failure, Loss};
use crate::store::Enqueue;

/// Codes of messages: unsupported, undeliverable, a rate, a paused template, an opt-out, the pace of the pair.
const CODES: [u32; 6] = [131_009, 131_026, 80_007, 132_015, 131_050, 131_056];

impl Run {
    pub(super) async fn act(&mut self) -> anyhow::Result<()> {
        match self.random.u8(0..20) {
            0..=6 => self.order().await,
            7 | 8 => self.consumer_writes(None).await,
            9 => self.consumer_writes_to_page(None).await,
            10 => self.says_no_or_yes().await,
            11..=13 => self.consumer_calls().await,
            14 => self.consumer_calls_page().await,
            15 | 16 if self.trouble.faults => {
                self.break_a_road();
                Ok(())
            }
            17 if self.trouble.faults => self.restrict().await,
            18 if self.trouble.deaths => self.daemon.restart().await,
            19 if self.trouble.deaths => {
                self.daemon.crashes.crash_after(self.random.u32(0..20));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn order(&mut self) -> anyhow::Result<()> {
        let (now, consumer) = (self.daemon.now(), self.consumer());
        let latest = now + SignedDuration::from_mins(self.random.i64(30..LONGEST_H * 60));
        let earliest = now + SignedDuration::from_mins(self.random.i64(0..300) * self.random.i64(0..=1));
        let mut order = Order::new(consumer, vec![Self::sender()], "message", earliest.min(latest), latest);
        order.kind = if self.random.u8(0..3) > 0 { OrderKind::Invite } else { OrderKind::Callback };
        order.hours = match self.random.u8(0..3) {
            0 => "daily 09:00-18:00 @America/Sao_Paulo".parse().ok(),
            _ => None,
        };
        if self.random.bool() {
            order.psids.insert("page".into(), Self::psid(consumer));
        }
        let id = CallbackId::new(Uuid::from_u128(self.random.u128(..)));
        let waiting = Waiting { wake_at: now, place: None, note: Reason::Ready.note() };
        let callback = Callback::new(id, now, order, State::Waiting(waiting));
        let row = Enqueue { callback, idempotency: None, ceiling: None, of_one_group: Vec::new() };
        self.daemon.store.enqueue_callbacks(vec![row]).await?;
        self.ordered.insert(id);
        self.daemon.file(Vec::new()).await
    }

    async fn consumer_writes(&mut self, word: Option<Word>) -> anyhow::Result<()> {
        let (now, consumer) = (self.daemon.now(), self.consumer());
        self.wrote(now, consumer, word);
        let who = Named::number(consumer);
        self.file(vec![Event::InboundMessage { sender: Self::sender(), who, word, wrote_at: None }]).await
    }

    fn wrote(&mut self, now: Timestamp, consumer: Phone, word: Option<Word>) {
        self.facts.heard.push((now, consumer));
        self.facts.stops.extend(word.map(|word| (now, consumer, word == Word::Stop)));
    }

    async fn consumer_writes_to_page(&mut self, word: Option<Word>) -> anyhow::Result<()> {
        let (now, consumer) = (self.daemon.now(), self.consumer());
        self.facts.at_page.push((now, consumer));
        // Whose id it is, the daemon learns from an order.
        let is_known = self.is_known_at_page(consumer).await?;
        self.facts.stops.extend(word.filter(|_| is_known).map(|word| (now, consumer, word == Word::Stop)));
        let event = Event::MessengerMessage {
            account: "page".into(),
            psid: Self::psid(consumer),
            word,
            wrote_at: None,
        };
        self.file(vec![event]).await
    }

    async fn is_known_at_page(&self, consumer: Phone) -> anyhow::Result<bool> {
        let key = ("page".into(), Self::psid(consumer));
        let found = self.daemon.store.contacts(&[key]).await?;
        Ok(found.first().is_some_and(|contact| !contact.numbers.is_empty()))
    }

    /// Mostly yes, so that not everybody has said no in the end.
    async fn says_no_or_yes(&mut self) -> anyhow::Result<()> {
        let word = if self.random.u8(0..3) == 0 { Word::Stop } else { Word::Start };
        match self.random.bool() {
            true => self.consumer_writes(Some(word)).await,
            false => self.consumer_writes_to_page(Some(word)).await,
        }
    }

    /// A whole call to the sender, perhaps with the token of an invite, its own or another one's; perhaps told twice, by
    /// two accounts.
    async fn consumer_calls(&mut self) -> anyhow::Result<()> {
        let (now, consumer) = (self.daemon.now(), self.consumer());
        let sent = [self.cloud.sent(), self.page.sent()].concat();
        let token = match self.random.u8(0..4) {
            0 => None,
            // Mostly the caller's own.
            1 => self.random.choice(&sent).map(|sent| sent.plan.message),
            _ => {
                let own = sent.iter().rev().find(|sent| sent.plan.numbers.consumer == consumer);
                own.map(|sent| sent.plan.message)
            }
        };
        let end = if self.random.u8(0..3) > 0 { Disposition::Completed } else { Disposition::NoAnswer };
        let callback = match token {
            Some(id) => self.daemon.store.messages(&[id]).await?.pop().and_then(|message| message.callback),
            None => None,
        };
        self.facts.heard.push((now, consumer));
        self.facts.stops.push((now, consumer, false));
        let mut events = Vec::new();
        let named = self.random.u64(..);
        for sid in ["wacid", "CA"].into_iter().take(self.random.usize(1..=2)) {
            for progress in [CallProgress::Ringing, CallProgress::Ended(end)] {
                events.push(Event::InboundCall {
                    sender: Self::sender(),
                    who: Named::number(consumer),
                    sid: format!("{sid}{named:016x}"),
                    progress,
                    came_to_at: Some(now),
                    duration_s: None,
                    invite: token.map(InviteToken::Message).filter(|_| sid == "wacid"),
                });
            }
        }
        if end == Disposition::Completed {
            self.facts.answered.push(Answered { at: now, consumer, token: callback, is_at_page: false });
        }
        self.file(events).await
    }

    async fn consumer_calls_page(&mut self) -> anyhow::Result<()> {
        let (now, consumer) = (self.daemon.now(), self.consumer());
        if self.is_known_at_page(consumer).await? {
            self.facts.answered.push(Answered { at: now, consumer, token: None, is_at_page: true });
        }
        let event =
            Event::MessengerCall { account: "page".into(), psid: Self::psid(consumer), at: Some(now) };
        self.file(vec![event.clone(), event]).await
    }

    fn break_a_road(&mut self) {
        let platform = if self.random.u8(0..4) == 0 { self.page.clone() } else { self.cloud.clone() };
        match self.random.u8(0..6) {
            0 => platform.lose_next(Loss::AnswerOnly),
            1 => platform.lose_next(Loss::WithRequest),
            _ => {
                let code = CODES[self.random.usize(0..CODES.len())];
                let how = if self.random.bool() { Failure::Refused } else { Failure::Undelivered };
                platform.fail_next([(how, ErrorCode::new(Issuer::Meta, code))]);
            }
        }
    }

    async fn restrict(&mut self) -> anyhow::Result<()> {
        self.end_restriction().await?;
        let from = self.daemon.now();
        let until = from + SignedDuration::from_hours(self.random.i64(1..30));
        self.facts.restricted.push((from, until));
        let why = Some("RESTRICTED_BIZ_INITIATED_MESSAGING".to_owned());
        self.file(vec![restriction(why, Some(until))]).await
    }

    pub(super) async fn end_restriction(&mut self) -> anyhow::Result<()> {
        let now = self.daemon.now();
        let Some((_, until)) = self.facts.restricted.last_mut() else { return Ok(()) };
        *until = (*until).min(now);
        self.file(vec![restriction(None, None)]).await
    }
}

/// Everything of the account is restricted, or nothing any more.
fn restriction(why: Option<String>, until: Option<Timestamp>) -> Event {
    let what = Restricted::Everything;
    Event::Restriction { account: "cloud".into(), sender: None, what, why, until, told_at: None }
}
