//! Nobody is dialled for a preview that no agent accepted, and a callback that is for one agent alone goes to no other.

use super::Seen;
use crate::domain::event::{CallbackChange, Event, OfferAct};
use crate::domain::{Attempt, Callback, PreviewElse, Stage, State};
use crate::store::{Batch, NewCommand};

impl Seen {
    /// Looks at a command before it is stored: an agent may accept an offer.
    pub(super) fn accepts(&mut self, command: &NewCommand) {
        let Event::Command(told) = &command.report.event else { return };
        if matches!(told.change, CallbackChange::Offer(OfferAct::Accept { .. })) {
            self.accepted.extend(command.callback);
        }
    }

    /// Looks at the calls that a batch opens.
    pub(super) fn previews(&mut self, batch: &Batch) {
        for attempt in &batch.attempts {
            if attempt.submission.stage != Stage::Intent {
                continue;
            }
            let opens = |callback: &&Callback| matches!(callback.state, State::Calling { attempt: id } if id == attempt.id);
            let Some(callback) = batch.callbacks.iter().find(opens) else { continue };
            let problems = [self.unasked(callback), elsewhere(callback, attempt)];
            problems.into_iter().flatten().for_each(|problem| self.problem(problem));
        }
    }

    fn unasked(&self, callback: &Callback) -> Option<String> {
        let preview = callback.order.preview()?;
        let (offer, id) = (callback.offer().cloned().unwrap_or_default(), callback.id);
        match &offer.taken {
            Some(_) if self.accepted.contains(&id) => None,
            Some(_) => Some(format!("{id} is dialled for an agent, and none has accepted its offer")),
            None if preview.otherwise == PreviewElse::Dial && offer.times >= preview.times => None,
            None => Some(format!("{id} is dialled, and nobody took its preview: {offer:?}")),
        }
    }
}

/// Whether a callback for one agent alone is dialled for another one.
fn elsewhere(callback: &Callback, attempt: &Attempt) -> Option<String> {
    let own = callback.order.terms.as_ref()?.assigned.as_ref()?;
    let is_exclusive = attempt.submission.intended_at < own.until;
    let is_other = attempt.agent.as_ref() != Some(&own.agent);
    (is_exclusive && is_other)
        .then(|| format!("{} is for {} alone, and is dialled for another agent", callback.id, own.agent))
}
