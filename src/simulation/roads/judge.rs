//! What must hold of a run of the ladder when it is over. It compares what the world saw with what the daemon kept.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use uuid::Uuid;

use super::{Run, brings_a_call};
use crate::domain::{Callback, CallbackId, Message, MessageId, Outcome, Reason, RoadKind};
use crate::hook_urls::HookUrls;
use crate::sim::world::{AnsweredCall, SentInvite};
use crate::simulation::judge::APART;

/// An invite counts from its intent, and this long after it has left at the latest.
const LEAVES_IN: SignedDuration = SignedDuration::from_mins(10);

/// Describes everything that the daemon did wrong.
pub(super) async fn problems(run: &Run) -> anyhow::Result<Vec<String>> {
    let ids: Vec<CallbackId> = run.ordered.keys().copied().collect();
    let kept = run.daemon.store.callbacks(&ids).await?;
    let (sent, calls) = {
        let world = run.daemon.world();
        (world.invites_sent(), world.answered_calls())
    };
    let of_messages = sent.iter().filter_map(|sent| sent.token.as_deref().and_then(HookUrls::unverified_id));
    let of_payloads = calls.iter().filter_map(token_of).filter(|(kind, _)| *kind == 'm');
    let ids: Vec<MessageId> = of_messages.chain(of_payloads.map(|(_, id)| id)).map(MessageId::new).collect();
    let messages = run.daemon.store.messages(&ids).await?;
    let book = Book {
        kept: kept.into_iter().map(|callback| (callback.id, callback)).collect(),
        messages: messages.into_iter().map(|message| (message.id, message)).collect(),
    };
    let mut problems: Vec<String> = sent.iter().flat_map(|sent| book.ground(sent)).collect();
    problems.extend(calls.iter().filter_map(|call| book.lost_token(call)));
    problems.extend(calls.iter().flat_map(|call| book.left_open(call)));
    problems.extend(book.kept.values().filter_map(|callback| unexplained(callback, &calls)));
    Ok(problems)
}

/// What the daemon kept.
struct Book {
    kept: BTreeMap<CallbackId, Callback>,
    messages: BTreeMap<MessageId, Message>,
}

impl Book {
    /// Whether an invite had an order that wanted it when it was taken.
    fn ground(&self, sent: &SentInvite) -> Vec<String> {
        let road = sent.road.as_str();
        let at = sent.at;
        let wants = |callback: &&Callback| {
            let order = &callback.order;
            order.consumer == sent.consumer && (order.earliest - APART..order.latest + APART).contains(&at)
        };
        let callback = match sent.token.as_deref() {
            Some(token) => self.of_message(HookUrls::unverified_id(token)).filter(wants),
            // A page's messages have no token: any order that names the consumer's id may be the cause.
            None => {
                let named = self.kept.values().filter(|callback| !callback.order.psids.is_empty());
                named.filter(wants).max_by_key(|callback| callback.order.latest)
            }
        };
        let Some(callback) = callback else {
            return vec![format!("{at} {road}: sent for no order of the consumer")];
        };
        let mut problems = Vec::new();
        let over = callback.closed().is_some_and(|closed| closed.at + LEAVES_IN < at);
        if over && sent.token.is_some() {
            problems.push(format!("{at} {road}: sent for {}, which was closed", callback.id));
        }
        // Messenger counts whole days.
        let spare = if sent.road == RoadKind::Messenger { SignedDuration::from_hours(24) } else { APART };
        if brings_a_call(sent.road) && sent.ends_at.is_some_and(|end| end > callback.order.latest + spare) {
            problems.push(format!("{at} {road}: lasts longer than {}", callback.id));
        }
        problems
    }

    fn of_message(&self, id: Option<Uuid>) -> Option<&Callback> {
        let message = self.messages.get(&MessageId::new(id?))?;
        self.kept.get(&message.callback?)
    }

    /// The order of the token that a call had.
    fn of_payload(&self, call: &AnsweredCall) -> Option<&Callback> {
        match token_of(call)? {
            ('m', id) => self.of_message(Some(id)),
            (_, id) => self.kept.get(&CallbackId::new(id)),
        }
    }

    /// An answered call with a token of its caller closes the order of the token once it was told. A caller who is told
    /// by the user id alone may be anybody, and a token counts for its own person only.
    fn lost_token(&self, call: &AnsweredCall) -> Option<String> {
        let (callback, told_at) = (self.of_payload(call)?, call.told_at.filter(|_| !call.is_nameless)?);
        let is_own = callback.order.consumer == call.consumer;
        // An attempt in progress ends first.
        let reached_at = callback.reached_late_at.or_else(|| Some(callback.closed()?.at));
        let in_time = reached_at.is_some_and(|at| at <= told_at + APART);
        (is_own && !in_time)
            .then(|| format!("{}: the token of the call of {} is lost", callback.id, call.answered_at))
    }

    /// Without a token, an answered call closes every order for which its caller was invited before, if the order names
    /// who was called.
    fn left_open(&self, call: &AnsweredCall) -> Vec<String> {
        let Some(told_at) = call.told_at.filter(|_| !call.is_nameless && call.payload.is_none()) else {
            return Vec::new();
        };
        let is_meant = |callback: &&Callback| {
            let by_page = callback.invited_by.as_ref().is_some_and(|road| road.kind == RoadKind::Messenger);
            let is_called = match call.sender {
                Some(sender) => callback.order.senders.contains(&sender),
                None => by_page,
            };
            callback.order.consumer == call.consumer
                && is_called
                && callback.invited_at.is_some_and(|at| at + APART < call.ended_at)
        };
        let open = |callback: &&Callback| callback.closed().is_none_or(|closed| closed.at > told_at + APART);
        let told =
            |callback: &Callback| format!("{} is open after the call of {}", callback.id, call.answered_at);
        self.kept.values().filter(is_meant).filter(open).map(told).collect()
    }
}

/// An order is reached by the consumer only if its own consumer was answered before.
fn unexplained(callback: &Callback, calls: &[AnsweredCall]) -> Option<String> {
    let code = Reason::ConsumerCalled.note().code;
    let closed = callback.closed().filter(|closed| closed.outcome == Outcome::Reached);
    let closed = closed.filter(|closed| closed.note.code == code)?;
    let is_it = |call: &AnsweredCall| {
        call.consumer == callback.order.consumer && call.answered_at <= closed.at + APART
    };
    (!calls.iter().any(is_it))
        .then(|| format!("{} is reached, and its consumer was never answered", callback.id))
}

/// What the token of a call stands for: a message (`m`) or an order, and its id.
fn token_of(call: &AnsweredCall) -> Option<(char, Uuid)> {
    let payload = call.payload.as_deref()?;
    let kind = payload.chars().next().filter(|kind| matches!(kind, 'm' | 'c'))?;
    Some((kind, HookUrls::unverified_id(payload.get(1..)?)?))
}
