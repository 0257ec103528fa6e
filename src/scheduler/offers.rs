//! Folds the answers of agents to offers: exactly one agent takes an offer, because commands are folded one by one.

use jiff::Timestamp;

use super::settle::{close_by, wake};
use super::turn::Turn;
use super::working_set::Line;
use crate::domain::event::OfferAct;
use crate::domain::{AgentTarget, Callback, CommandOutcome, Offer, Outcome, Reason, State, Taken};

/// Folds an answer that was received at `at`, by a token.
pub(super) fn fold(
    turn: &mut Turn<'_>,
    at: Timestamp,
    callback: &Callback,
    act: &OfferAct,
    by: &str,
) -> CommandOutcome {
    let refused = |code: &'static str| CommandOutcome::Refused(code.into());
    let offer = callback.offer().cloned().unwrap_or_default();
    if let State::Closed(closed) = &callback.state {
        let is_ours =
            matches!(act, OfferAct::Close { .. }) && closed.note.code == Reason::PreviewClosed.code();
        return if is_ours { CommandOutcome::Applied } else { refused("callback.closed") };
    }
    match act {
        OfferAct::Accept { agent, .. } if is_taken_by(&offer, agent.as_ref()) => CommandOutcome::Applied,
        _ if offer.taken.as_ref().is_some_and(|taken| taken.holds(at))
            || matches!(callback.state, State::Calling { .. }) =>
        {
            refused("offer.taken")
        }
        OfferAct::Accept { until, .. } | OfferAct::Skip { until } if !is_open(&offer, *until, at) => {
            refused("offer.over")
        }
        OfferAct::Accept { agent, .. } => {
            let exclusive = callback.order.exclusive_until().is_some_and(|until| at < until);
            if exclusive && agent.is_some() && agent.as_ref() != callback.order.agent_at(at) {
                return refused("offer.other_agent");
            }
            let who = agent.as_ref().map_or_else(String::new, |agent| format!(" for {agent}"));
            let why = format!("The offer was accepted by the token {by:?}{who}; the consumer is called.");
            let taken = Some(Taken { agent: agent.clone(), at });
            change(turn, at, callback, Line::new("offer.accepted", why).by(by), |offer| {
                *offer = Offer { times: offer.times, until: None, taken };
            })
        }
        OfferAct::Skip { .. } => {
            let why = format!("The offer was skipped by the token {by:?}.");
            change(turn, at, callback, Line::new("offer.skipped", why).by(by), |offer| offer.until = None)
        }
        OfferAct::Close { until } if !is_open(&offer, *until, at) && !is_nobodys(callback) => {
            refused("offer.over")
        }
        OfferAct::Close { .. } => {
            close_by(turn, callback.id, Outcome::Canceled, &Reason::PreviewClosed, Some(by));
            CommandOutcome::Applied
        }
    }
}

/// Whether this is the offer in progress at `at`.
fn is_open(offer: &Offer, until: Timestamp, at: Timestamp) -> bool {
    offer.until == Some(until) && at < until
}

/// Whether nobody took any of its offers, so that it waits for somebody to decide.
fn is_nobodys(callback: &Callback) -> bool {
    let nobody = Reason::PreviewNobody { times: 0 };
    matches!(&callback.state, State::Waiting(waiting) if waiting.note.code == nobody.code())
}

fn is_taken_by(offer: &Offer, agent: Option<&AgentTarget>) -> bool {
    offer.taken.as_ref().is_some_and(|taken| taken.agent.as_ref() == agent && agent.is_some())
}

/// Changes the offer, and decides about the callback in this turn.
fn change(
    turn: &mut Turn<'_>,
    at: Timestamp,
    callback: &Callback,
    line: Line,
    change: impl FnOnce(&mut Offer),
) -> CommandOutcome {
    let (id, now) = (callback.id, turn.now);
    turn.work.callbacks.change(id, |callback| change(&mut callback.handled().offer));
    wake(turn, id, now);
    turn.work.note(at, line.of_callback(id));
    CommandOutcome::Applied
}
