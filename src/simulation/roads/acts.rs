//! What consumers, Meta and the operator do in a run of the ladder.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{CLIENTS, CONSUMERS, Place, Run, path};
use crate::domain::Phone;
use crate::sim::world::{Restriction, Stop};
use crate::simulation::simulate::{STEP_MAX_S, consumer};
use crate::simulation::{Customer, SENDERS};

/// Restrictions of an account, by the names of Meta.
const KINDS: [&str; 2] = ["RESTRICTED_BIZ_INITIATED_MESSAGING", "RESTRICTED_USER_INITIATED_CALLING"];

impl Run {
    pub(super) async fn act(&mut self) -> anyhow::Result<()> {
        match self.random.u8(0..26) {
            0..=7 => self.order().await?,
            8 => self.cancel().await?,
            9 | 10 => self.writes("hello"),
            11 => self.writes_to_page("hello"),
            12 => self.says_no_or_yes(),
            13 | 14 => self.calls(),
            15..=17 => self.taps(),
            18 => self.opens_a_link().await?,
            19 => self.calls_the_page(),
            20 if self.trouble.faults => self.restrict(),
            21 if self.trouble.faults => self.switch_calls(),
            22 if self.trouble.faults => self.changes_client(),
            23 => self.pause().await?,
            24 if self.trouble.deaths => self.daemon.restart().await?,
            _ => {}
        }
        Ok(())
    }

    pub(super) fn consumer(&mut self) -> Phone {
        consumer(self.random.u64(0..CONSUMERS))
    }

    /// One of the senders of the run.
    fn sender(&mut self) -> Phone {
        match self.place {
            Place::Both if self.random.bool() => {
                Phone::parse(SENDERS[0]).expect("the fixture's senders are numbers")
            }
            _ => self.number(),
        }
    }

    fn writes(&mut self, text: &str) {
        let (now, sender, consumer) = (self.daemon.now(), self.sender(), self.consumer());
        self.daemon.world().consumer_writes(now, sender, consumer, text);
    }

    fn writes_to_page(&mut self, text: &str) {
        let (now, consumer) = (self.daemon.now(), self.consumer());
        let Some(page) = &self.page else { return };
        self.daemon.world().consumer_writes_to_page(now, &page.page_id, consumer, text);
    }

    /// Mostly yes, so that not everybody has said no in the end.
    fn says_no_or_yes(&mut self) {
        let word = if self.random.u8(0..3) == 0 { "stop" } else { "start" };
        if self.random.bool() { self.writes(word) } else { self.writes_to_page(word) }
    }

    fn calls(&mut self) {
        let (now, sender, consumer) = (self.daemon.now(), self.sender(), self.consumer());
        self.daemon.world().consumer_calls(now, sender, consumer);
    }

    fn taps(&mut self) {
        let (now, number, consumer) = (self.daemon.now(), self.number(), self.consumer());
        let at_page = self.random.u8(0..4) == 0;
        match &self.page {
            Some(page) if at_page => {
                self.daemon.world().consumer_taps_at_page(now, &page.page_id, consumer);
            }
            _ => _ = self.daemon.world().consumer_taps(now, number, consumer),
        }
    }

    fn calls_the_page(&mut self) {
        let (now, consumer) = (self.daemon.now(), self.consumer());
        let blocks = self.random.u8(0..5) == 0;
        let Some(page) = &self.page else { return };
        match blocks {
            true => self.daemon.world().consumer_blocks_page(now, &page.page_id, consumer),
            false => self.daemon.world().consumer_calls_page(now, &page.page_id, consumer),
        };
    }

    /// Somebody opens the calling link of an order: its consumer, or another one who got hold of it.
    async fn opens_a_link(&mut self) -> anyhow::Result<()> {
        let all: Vec<_> = self.ordered.iter().map(|(id, kind)| (*id, *kind)).collect();
        let Some(&(id, kind)) = self.random.choice(&all) else { return Ok(()) };
        let request = Customer::get(&format!("{}/link", path(kind, id)))?;
        let (status, body) = self.daemon.request(request).await?;
        if status != 200 {
            anyhow::ensure!(matches!(status, 0 | 409), "a link was answered with {status}: {body}");
            return Ok(());
        }
        let shown: Value = serde_json::from_str(&body)?;
        let rest = shown["link"].as_str().and_then(|link| link.strip_prefix("https://wa.me/call/"));
        let Some((digits, payload)) = rest.and_then(|rest| rest.split_once("?biz_payload=")) else {
            anyhow::bail!("the link of an order is no calling link: {body}");
        };
        let sender = Phone::parse(&format!("+{digits}"))?;
        let known = self.daemon.store.callbacks(&[id]).await?;
        let own = known.first().map(|callback| callback.order.consumer);
        let other = self.consumer();
        let who = own.filter(|_| self.random.bool()).unwrap_or(other);
        let now = self.daemon.now();
        self.daemon.world().consumer_opens(now, sender, who, Some(payload));
        Ok(())
    }

    fn changes_client(&mut self) {
        let consumer = self.consumer();
        let client = CLIENTS[self.random.usize(0..CLIENTS.len())];
        let usual = self.random.bool();
        self.daemon.world().set_client(consumer, if usual { Default::default() } else { client });
    }

    fn restrict(&mut self) {
        let now = self.daemon.now();
        let at_page = self.page.as_ref().filter(|_| self.random.u8(0..4) == 0);
        let account = at_page.map_or(&self.cloud.business_account_id, |page| &page.page_id).clone();
        let until = now + SignedDuration::from_hours(self.random.i64(1..30));
        let kind = KINDS[self.random.usize(0..KINDS.len())].to_owned();
        let mut world = self.daemon.world();
        match self.random.u8(0..3) {
            0 => world.reinstate(now, &account),
            _ => world.restrict(now, &account, Restriction { kind, until: Some(until) }),
        };
    }

    fn switch_calls(&mut self) {
        let (now, on) = (self.daemon.now(), self.random.u8(0..3) > 0);
        self.daemon.world().switch_calls_of(now, &self.cloud.phone_number_id, on);
    }

    pub(super) fn lift_restrictions(&mut self) {
        let now = self.daemon.now();
        let mut world = self.daemon.world();
        world.reinstate(now, &self.cloud.business_account_id);
        if let Some(page) = &self.page {
            world.reinstate(now, &page.page_id);
        }
        world.switch_calls_of(now, &self.cloud.phone_number_id, true);
    }

    /// A pause of everything, of a sender or of a person. It ends by itself.
    async fn pause(&mut self) -> anyhow::Result<()> {
        let until = self.daemon.now() + SignedDuration::from_mins(self.random.i64(2..400));
        let (sender, person) = (self.sender(), self.consumer());
        let (mut order, senders, whom) = match self.random.u8(0..3) {
            0 => (json!({"scope": "all"}), None, None),
            1 => (json!({"scope": "sender", "sender": sender.e164()}), Some(vec![sender]), None),
            _ => (json!({"scope": "person", "consumer": person.e164()}), None, Some(person)),
        };
        order["why"] = "a drill".into();
        order["until"] = until.to_string().into();
        let request = Customer::post("/v1/pauses", "application/json", order.to_string())?;
        let (status, body) = self.daemon.request(request).await?;
        anyhow::ensure!(matches!(status, 0 | 200 | 202), "a pause was answered with {status}: {body}");
        if status == 200 {
            let answer: Value = serde_json::from_str(&body)?;
            let id = answer["pause"]["id"].as_str().unwrap_or_default().to_owned();
            let ends_at = Some(until - SignedDuration::from_secs(STEP_MAX_S));
            let stop = Stop { from: self.daemon.now(), until: ends_at, senders, consumer: whom };
            self.daemon.world().oracle_mut().paused(&id, stop);
        }
        Ok(())
    }
}
