//! What the customer orders and cancels in a run of the ladder.

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{LONGEST_H, NUMBER, Place, Run, path};
use crate::domain::{OrderKind, Phone};
use crate::simulation::script::Hours;
use crate::simulation::simulate::STEP_MAX_S;
use crate::simulation::{Customer, PAGE, SENDERS};

/// A kill is armed once, so the next try is answered.
const TRIES_MAX: u32 = 3;

impl Run {
    pub(super) async fn order(&mut self) -> anyhow::Result<()> {
        let (now, consumer) = (self.daemon.now(), self.consumer());
        let latest = now + SignedDuration::from_mins(self.random.i64(30..LONGEST_H * 60));
        let earliest = now + SignedDuration::from_mins(self.random.i64(0..300) * self.random.i64(0..=1));
        let earliest = earliest.min(latest - SignedDuration::from_mins(1));
        let hours = self.script.hours(&mut self.random);
        // The API refuses hours that never open.
        let hours = hours.filter(|hours| hours.windows(earliest, latest).is_ok_and(|open| !open.is_empty()));
        let kind = if self.random.u8(0..3) > 0 { OrderKind::Invite } else { OrderKind::Callback };
        let senders = self.senders(kind);
        self.allow(&senders, consumer, (earliest, latest), hours, kind)?;
        let mut order = json!({
            "consumer": consumer.e164(), "senders": senders, "earliest": earliest.to_string(),
            "latest": latest.to_string(), "priority": self.random.u8(0..=9),
        });
        if let Some(hours) = hours {
            order["hours"] = hours.text().into();
        }
        if kind == OrderKind::Callback {
            order["document"] = "message".into();
            order["variables"] = json!({"message": "Hello."});
            order["attempts_max"] = self.random.u8(1..=3).into();
        }
        if self.random.u8(0..4) > 0
            && let Some(page) = &self.page
        {
            let page = page.page_id.clone();
            // Some come from a conversation at the page.
            if self.random.bool() {
                self.daemon.world().consumer_writes_to_page(now, &page, consumer, "hello");
            }
            let psid = self.daemon.world().psid(&page, consumer);
            order["messenger"] = json!({PAGE: psid.context("the run has the page")?});
        }
        let noun = if kind == OrderKind::Invite { "/v1/invites" } else { "/v1/callbacks" };
        let (status, body) = self.ordered_once(noun, &order.to_string()).await?;
        if status != 202 {
            // A daemon with a wrong clock may find that the deadline has passed.
            let no_time = self.trouble.faults && body.contains("hours.never_open");
            // Nothing could be sent for an invite by a page alone, to somebody without an id there.
            let no_id = order.get("messenger").is_none() && body.contains("messenger.missing");
            anyhow::ensure!(
                status == 422 && (no_time || no_id),
                "an order was answered with {status}: {body}"
            );
            return Ok(());
        }
        let answer: Value = serde_json::from_str(&body)?;
        let id = answer["id"].as_str().and_then(|id| kind.read_id(id).ok());
        self.ordered.insert(id.context("an accepted order has an id")?, kind);
        Ok(())
    }

    /// Orders until there is an answer. A daemon that was killed after its commit has the order; the key is there so that
    /// it has it once.
    async fn ordered_once(&mut self, noun: &str, order: &str) -> anyhow::Result<(u16, String)> {
        let key = format!("order-{:016x}", self.random.u64(..));
        for _ in 0..TRIES_MAX {
            let request = Customer::post_once(noun, order.to_owned(), &key)?;
            let (status, body) = self.daemon.request(request).await?;
            if status != 0 {
                return Ok((status, body));
            }
        }
        anyhow::bail!("an order was not answered in {TRIES_MAX} tries")
    }

    fn senders(&mut self, kind: OrderKind) -> Vec<&'static str> {
        match self.place {
            Place::Alone => vec![NUMBER],
            Place::Shared => vec![SENDERS[0]],
            // An invite whose senders have no way to invite is refused.
            Place::Both if kind == OrderKind::Invite && !self.both_invite => vec![NUMBER],
            Place::Both => match self.random.u8(0..3) {
                0 => vec![NUMBER],
                1 => vec![SENDERS[0]],
                _ => vec![SENDERS[0], NUMBER],
            },
        }
    }

    /// Registers with the oracle when the order allows calls and messages.
    fn allow(
        &self,
        senders: &[&str],
        consumer: Phone,
        (earliest, latest): (Timestamp, Timestamp),
        hours: Option<Hours>,
        kind: OrderKind,
    ) -> anyhow::Result<()> {
        let windows = |from| match hours {
            Some(hours) => hours.windows(from, latest),
            None => Ok(vec![(from, latest)]),
        };
        // A permission may be asked for before the call may be placed, and an invite is no sooner.
        let may_ask = kind == OrderKind::Callback && self.has_calls();
        let messages = windows(if may_ask { self.daemon.now().min(earliest) } else { earliest })?;
        let calls = if kind == OrderKind::Callback { windows(earliest)? } else { Vec::new() };
        // The daemon does not know the offset of its clock.
        let wrong = SignedDuration::from_secs(if self.trouble.faults { STEP_MAX_S } else { 0 });
        let mut world = self.daemon.world();
        let oracle = world.oracle_mut();
        for sender in senders {
            let sender = Phone::parse(sender).context("the senders of a run are numbers")?;
            // An empty window, so that a pair without another one is checked.
            oracle.allow(sender, consumer, latest, latest);
            for (from, to) in &messages {
                oracle.allow_messages(sender, consumer, *from - wrong, *to + wrong);
            }
            for (from, to) in &calls {
                oracle.allow(sender, consumer, *from - wrong, *to + wrong);
            }
        }
        Ok(())
    }

    pub(super) async fn cancel(&mut self) -> anyhow::Result<()> {
        let all: Vec<_> = self.ordered.iter().map(|(id, kind)| (*id, *kind)).collect();
        let Some(&(id, kind)) = self.random.choice(&all) else { return Ok(()) };
        let path = format!("{}/cancel", path(kind, id));
        let request = Customer::post(&path, "application/json", String::new())?;
        let (status, body) = self.daemon.request(request).await?;
        anyhow::ensure!(matches!(status, 0 | 200 | 202 | 409), "a cancel was answered with {status}: {body}");
        Ok(())
    }
}
