//! Why Meta does not take or does not deliver a message.

use jiff::SignedDuration;

use super::fault::GraphFault;
use super::said::Said;
use super::state::{NumberId, PostId};
use crate::sim::world::World;
use crate::sim::world::habits::Habit;
use crate::sim::world::state::{PairId, recent};

/// Messages per second of a number (Meta, *Throughput*, 21 Nov 2025).
const PER_SECOND: usize = 80;

/// The most messages to one consumer at once, and the time of one: about ten a minute, borrowed in advance (Meta, *Cloud
/// API overview*, 2026).
const PAIR_BURST: i64 = 45;
const PAIR_EACH_S: i64 = 6;

impl World {
    /// Refuses at once what can be known at once.
    pub(super) fn may_be_posted(
        &mut self,
        number: NumberId,
        pair: PairId,
        said: &Said,
    ) -> Result<(), GraphFault> {
        if let Some(code) = self.setup.behaviour.refuse_posts {
            return Err(GraphFault::new(400, code, "Refused", "The platform does not accept this message"));
        }
        let now = self.now;
        if recent(&mut self.graph.numbers[number].sent, now, SignedDuration::from_secs(1)) >= PER_SECOND {
            let details = "Cloud API message throughput has been reached";
            return Err(GraphFault::new(400, 130_429, "Rate limit hit", details));
        }
        if matches!(said, Said::Button(_)) && !self.graph.numbers[number].has_call_buttons {
            return Err(GraphFault::value(
                "interactive type voice_call is not supported: use button or list",
            ));
        }
        self.may_be_posted_now(number, said)?;
        self.pair_pace(pair)?;
        if said.is_request()
            && let Some((code, why)) = self.why_not_to_ask(pair)
        {
            return Err(GraphFault::new(400, code, "Call permission request refused", why));
        }
        Ok(())
    }

    fn may_be_posted_now(&self, number: NumberId, said: &Said) -> Result<(), GraphFault> {
        let waba = self.graph.numbers[number].waba;
        if self.is_restricted(waba, "BIZ_INITIATED_MESSAGING") && said.is_template() {
            let title = "Temporarily blocked for policies violations";
            return Err(GraphFault::new(
                403,
                368,
                title,
                "The account is restricted from initiating messages",
            ));
        }
        if said.is_request() && self.is_restricted(waba, "BUSINESS_INITIATED_CALLING") {
            let title = "Calling disabled";
            return Err(GraphFault::new(400, 138_014, title, "Calling is disabled for low quality"));
        }
        let needs_calls = said.is_request();
        if needs_calls && !self.graph.numbers[number].is_calling_on {
            return Err(GraphFault::new(401, 138_000, "Calling not enabled", "Calling is not enabled"));
        }
        Ok(())
    }

    fn pair_pace(&mut self, pair: PairId) -> Result<(), GraphFault> {
        let now = self.now;
        let until = &mut self.pairs[pair].posts_until;
        let free = (*until).max(now) + SignedDuration::from_secs(PAIR_EACH_S);
        if free.duration_since(now) > SignedDuration::from_secs(PAIR_BURST * PAIR_EACH_S) {
            let title = "(Business Account, Consumer Account) pair rate limit hit";
            return Err(GraphFault::new(400, 131_056, title, "Too many messages to this consumer"));
        }
        *until = free;
        Ok(())
    }

    /// Why WhatsApp will not deliver the message. Decided when it is taken, told later.
    pub(super) fn why_not_to_deliver_post(&mut self, post: PostId) -> Option<(u32, &'static str)> {
        let (pair, said) = (self.graph.posts[post].pair, self.graph.posts[post].said.clone());
        let (_, consumer) = self.numbers(pair);
        let client = self.client(consumer);
        if let Some(code) = self.setup.behaviour.fail_posts {
            return Some((code, "The platform does not deliver this message"));
        }
        let needs_buttons = said.button().is_some() || said.is_request();
        if self.habit(consumer) == Habit::Absent || (needs_buttons && client.has_no_buttons) {
            return Some((131_026, "Message undeliverable"));
        }
        let Said::Template { template, .. } = said else {
            let is_open = self.pairs[pair].service_until.is_some_and(|until| self.now < until);
            return (!is_open).then_some((131_047, "Re-engagement message"));
        };
        if self.graph.templates[template].given_category != "MARKETING" {
            return None;
        }
        if self.graph.unmarketed.contains(&(self.pairs[pair].sender, consumer)) {
            return Some((131_050, "The user stopped marketing messages"));
        }
        // No marketing template is delivered to a number of the United States (Meta, since 1 Apr 2025).
        (consumer.calling_code() == 1)
            .then_some((131_049, "This message was not delivered to maintain healthy ecosystem engagement"))
    }
}
