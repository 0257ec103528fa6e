//! What a TwiML document does with a call, as far as it matters to those who place it.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Agent, AgentTarget, Agents, Callback, LegOrder, Proof, Sender};

/// What a document does with a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Script {
    pub order: LegOrder,
    /// What shows that a consumer who answered was served.
    pub proof: Proof,
    /// The agents of each `<Dial>`, by `<Client>` and `<Sip>`. Any of one `<Dial>` may answer.
    pub dials: Arc<[Vec<Noun>]>,
    /// Whether it hands the call to a bot: `<Connect>` with a stream, a relay or a virtual agent.
    pub has_bot: bool,
}

/// An agent as a document writes it, with placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Noun {
    pub kind: NounKind,
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NounKind {
    Client,
    Sip,
}

/// A part of a name in a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    Text(String),
    Variable(String),
    Agent,
    Sender,
    Consumer,
    Callback,
    Reference,
    /// The attempt's id. Whoever has it in the name is called once.
    Attempt,
}

impl Script {
    /// A document that calls the consumer and speaks itself.
    #[must_use]
    pub fn message() -> Self {
        Self { order: LegOrder::ConsumerFirst, proof: Proof::Answer, dials: [].into(), has_bot: false }
    }

    /// Those of whom one has to be free, as far as this is known before the call: the agent who is called first, and for
    /// each `<Dial>` those whom it rings. `at` is when the call begins. Nobody for queues, conferences and messages.
    #[must_use]
    pub fn agents(&self, callback: &Callback, sender: &Sender, at: Timestamp) -> Vec<Agents> {
        let target = callback.agent_at(at).or(sender.agent.as_ref());
        let called_first = target.filter(|_| self.order == LegOrder::AgentFirst).and_then(Agent::of);
        let dialled = self.dials.iter().filter_map(|nouns| {
            Agents::new(nouns.iter().filter_map(|noun| noun.agent(callback, sender, target)))
        });
        Agents::new(called_first).into_iter().chain(dialled).collect()
    }
}

impl Noun {
    fn agent(&self, callback: &Callback, sender: &Sender, target: Option<&AgentTarget>) -> Option<Agent> {
        let order = &callback.order;
        let mut name = String::new();
        for part in &self.parts {
            let text: Cow<'_, str> = match part {
                Part::Text(text) => text.into(),
                Part::Variable(variable) => order.variables.get(variable)?.into(),
                Part::Agent => target?.noun().into(),
                Part::Sender => sender.number.e164().into(),
                Part::Consumer => order.consumer.e164().into(),
                Part::Callback => callback.id.to_string().into(),
                Part::Reference => order.reference.as_deref().unwrap_or_default().into(),
                Part::Attempt => return None,
            };
            name.push_str(&text);
        }
        match self.kind {
            NounKind::Client => Agent::client(&name),
            NounKind::Sip => Agent::sip(&name),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::callback::Waiting;
    use crate::domain::{CallbackId, Order, Phone, State};

    fn callback() -> Callback {
        let at = Timestamp::UNIX_EPOCH;
        let consumer = Phone::parse("+5511987654321").unwrap();
        let mut order = Order::new(consumer, Vec::new(), "dial", at, at);
        order.variables = [("team".to_owned(), "north".to_owned())].into();
        order.reference = Some("r-7".to_owned());
        Callback::new(CallbackId::new(Uuid::from_u128(1)), at, order, State::Waiting(Waiting::set_aside()))
    }

    fn sender() -> Sender {
        Sender {
            agent: Some("client:carol".parse().unwrap()),
            ..Sender::new(Phone::parse("+551151991234").unwrap(), "main")
        }
    }

    fn script(nouns: impl IntoIterator<Item = (NounKind, Vec<Part>)>) -> Script {
        let nouns: Vec<Noun> = nouns.into_iter().map(|(kind, parts)| Noun { kind, parts }).collect();
        Script { dials: [nouns].into(), ..Script::message() }
    }

    fn names(script: &Script, callback: &Callback) -> Option<String> {
        let all: Vec<String> =
            script.agents(callback, &sender(), Timestamp::UNIX_EPOCH).iter().map(Agents::to_string).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    #[test]
    fn a_name_is_filled_as_the_document_will_be() {
        let text = |text: &str| Part::Text(text.to_owned());
        let variable = |name: &str| Part::Variable(name.to_owned());
        let of = |kind, parts: &[Part]| names(&script([(kind, parts.to_vec())]), &callback());
        assert_eq!(of(NounKind::Client, &[text("alice")]).as_deref(), Some("client:alice"));
        assert_eq!(
            of(NounKind::Client, &[text("desk-"), variable("team")]).as_deref(),
            Some("client:desk-north")
        );
        assert_eq!(
            of(NounKind::Sip, &[text("sip:"), variable("team"), text("@Example.com")]).as_deref(),
            Some("sip:north@example.com")
        );
        assert_eq!(of(NounKind::Client, &[Part::Agent]).as_deref(), Some("client:carol"));
        assert_eq!(of(NounKind::Client, &[Part::Reference]).as_deref(), Some("client:r-7"));
        assert_eq!(of(NounKind::Client, &[text("x"), Part::Attempt]), None);
        assert_eq!(of(NounKind::Client, &[variable("nowhere")]), None);
    }

    #[test]
    fn the_agent_of_the_order_goes_before_the_senders() {
        let mut callback = callback();
        callback.order.agent = Some("sip:desk@example.com".parse().unwrap());
        let first = Script { order: LegOrder::AgentFirst, ..script([]) };
        assert_eq!(names(&first, &callback).as_deref(), Some("sip:desk@example.com"));
        callback.order.agent = None;
        assert_eq!(names(&first, &callback).as_deref(), Some("client:carol"));
    }

    #[test]
    fn the_nouns_of_one_dial_are_a_group_and_a_document_without_any_needs_nobody() {
        let one = |name: &str| (NounKind::Client, vec![Part::Text(name.to_owned())]);
        let both = script([one("bob"), one("alice"), one("bob")]);
        assert_eq!(names(&both, &callback()).as_deref(), Some("client:alice client:bob"));
        let text = |name: &str| Noun { kind: NounKind::Client, parts: vec![Part::Text(name.to_owned())] };
        let one_after_the_other = Script { dials: [vec![text("bob")], vec![text("alice")]].into(), ..both };
        assert_eq!(names(&one_after_the_other, &callback()).as_deref(), Some("client:bob, client:alice"));
        assert_eq!(
            names(&script([]), &callback()),
            None,
            "the sender's agent is not called by a message or a queue"
        );
    }
}
