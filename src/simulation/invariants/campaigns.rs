//! Campaigns: nothing leaves for one that is not running, none has more calls at once or in a minute than it may, and none
//! waits while another one is called again and again.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::Seen;
use crate::domain::lane::{ROUND, price};
use crate::domain::{
    Attempt, AttemptId, Callback, CallbackId, Campaign, CampaignId, CampaignState, Gate, MessageId, Pause,
    PauseId, PauseScope, Place, Priority, Resource, Stage, State,
};
use crate::simulation::simulate::STEP_MAX_S;
use crate::store::Batch;

/// More than the clock of a simulated daemon steps back.
const STEP_BACK: SignedDuration = SignedDuration::from_secs(2 * STEP_MAX_S + 5);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// So much one campaign may get ahead of another one that waits for the same sender.
const AHEAD_MAX: i128 = 2 * ROUND as i128;

/// What was committed about campaigns.
#[derive(Debug, Default)]
pub(super) struct Conduct {
    campaigns: BTreeMap<CampaignId, Campaign>,
    pauses: BTreeMap<PauseId, Pause>,
    /// The campaigns of callbacks.
    of: BTreeMap<CallbackId, CampaignId>,
    /// When the calls of the last minute were decided, of campaigns with a pace.
    begun: BTreeMap<CampaignId, VecDeque<Timestamp>>,
    /// Where callbacks of campaigns wait for a sender: the gate, the class and the campaign.
    places: BTreeMap<CallbackId, Queue>,
    waiting: BTreeMap<Queue, usize>,
    /// What the first campaign has paid more than the second one while this one waited.
    ahead: BTreeMap<(Queue, CampaignId), i128>,
    term: u64,
}

/// The callbacks of a campaign that wait for a sender, of one class.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Queue {
    gate: Gate,
    class: i64,
    campaign: CampaignId,
}

/// What a commit began, by the stage that it was in before.
pub(super) struct Begun {
    opened: Vec<AttemptId>,
    submitted: Vec<AttemptId>,
    messages: Vec<MessageId>,
}

impl Begun {
    /// Before the commit is taken over.
    pub(super) fn of(seen: &Seen, batch: &Batch) -> Self {
        let new = |attempt: &&Attempt| !seen.attempts.contains_key(&attempt.id) && attempt.is_live();
        let submitting = |attempt: &&Attempt| {
            let before = seen.attempts.get(&attempt.id).map(|before| before.submission.stage);
            attempt.submission.stage == Stage::Submitting && before != Some(Stage::Submitting)
        };
        let leaving = batch.messages.iter().filter(|message| {
            message.submission.stage == Stage::Submitting
                && seen.stages.get(&message.id) != Some(&Stage::Submitting)
        });
        let messages = leaving.map(|message| message.id).collect();
        Self {
            opened: batch.attempts.iter().filter(new).map(|attempt| attempt.id).collect(),
            submitted: batch.attempts.iter().filter(submitting).map(|attempt| attempt.id).collect(),
            messages,
        }
    }
}

impl Conduct {
    /// Takes over what a commit says about campaigns.
    fn take(&mut self, batch: &Batch) {
        if let Some(lead) = batch.lead.filter(|lead| lead.term != self.term) {
            // A pace and what was paid are in memory.
            (self.term, self.begun, self.ahead) = (lead.term, BTreeMap::new(), BTreeMap::new());
        }
        self.pauses.extend(batch.pauses.iter().map(|pause| (pause.id, pause.clone())));
        for lifted in &batch.pauses_lifted {
            self.pauses.remove(&lifted.id);
        }
        for change in &batch.campaigns {
            let before = self.campaigns.insert(change.campaign.id, change.campaign.clone());
            let was = |what: fn(&Campaign) -> Option<u32>| before.as_ref().and_then(what);
            if was(|it| it.calls_per_minute) != change.campaign.calls_per_minute {
                self.begun.remove(&change.campaign.id);
            }
            if was(|it| Some(it.weight)) != Some(change.campaign.weight) {
                self.ahead.clear();
            }
        }
        for callback in &batch.callbacks {
            if let Some(campaign) = callback.order.campaign_id() {
                self.of.insert(callback.id, campaign);
            }
        }
    }

    /// Why nothing of the campaign may be decided or leave at `now`.
    fn stopped(&self, campaign: CampaignId, now: Timestamp) -> Option<String> {
        let known = self.campaigns.get(&campaign)?;
        if !matches!(known.state, CampaignState::Running | CampaignState::Draining) {
            return Some(known.state.as_str().to_owned());
        }
        // A clock that steps back just after the end would show the pause as in force again.
        let still = now.checked_add(STEP_BACK).unwrap_or(Timestamp::MAX);
        let holds = |pause: &&Pause| {
            pause.is_in_force(still)
                && matches!(pause.scope, PauseScope::Campaign(id) | PauseScope::Draft(id)
                    | PauseScope::Canceled(id) if id == campaign)
        };
        self.pauses.values().find(holds).map(|pause| format!("paused: {}", pause.why))
    }

    /// A call of the campaign was decided. Returns how many were within the minute, if that is too many.
    fn begin(&mut self, campaign: CampaignId, at: Timestamp) -> Option<usize> {
        let pace = self.campaigns.get(&campaign)?.calls_per_minute? as usize;
        let begun = self.begun.entry(campaign).or_default();
        if begun.back().is_some_and(|last| *last > at) {
            // The clock stepped back, and what it shows now was before.
            begun.clear();
        }
        begun.push_back(at);
        while begun.front().is_some_and(|first| at.duration_since(*first) >= MINUTE) {
            begun.pop_front();
        }
        let most = pace + pace.div_ceil(60) + 1;
        (begun.len() > most).then_some(begun.len())
    }

    /// A callback waits elsewhere now, or no longer.
    fn moves(&mut self, callback: &Callback) {
        let queue = match &callback.state {
            State::Waiting(waiting) => waiting.place.as_ref().and_then(|place| queue(callback, place)),
            _ => None,
        };
        let before = match queue.clone() {
            Some(queue) => self.places.insert(callback.id, queue),
            None => self.places.remove(&callback.id),
        };
        if before == queue {
            return;
        }
        if let Some(queue) = queue {
            *self.waiting.entry(queue).or_default() += 1;
        }
        if let Some(before) = before
            && let Some(count) = self.waiting.get_mut(&before)
        {
            *count -= 1;
            if *count == 0 {
                self.waiting.remove(&before);
                let of_it = |known: &Queue, other: CampaignId| {
                    known.gate == before.gate
                        && known.class == before.class
                        && (known.campaign == before.campaign || other == before.campaign)
                };
                self.ahead.retain(|(known, other), _| !of_it(known, *other));
            }
        }
    }

    /// A call of the campaign took a turn at the gate. Returns the campaign that waits for too long.
    fn turn(&mut self, queue: &Queue) -> Option<CampaignId> {
        let weight = |id| self.campaigns.get(id).map_or(Campaign::WEIGHT, |campaign| campaign.weight);
        let paid = i128::from(price(weight(&queue.campaign)));
        let others = self.waiting.keys().filter(|other| {
            other.gate == queue.gate && other.class == queue.class && other.campaign != queue.campaign
        });
        let others: Vec<CampaignId> = others.map(|other| other.campaign).collect();
        let mut late = None;
        for other in others {
            let ahead = self.ahead.entry((queue.clone(), other)).or_default();
            *ahead += paid;
            if *ahead > AHEAD_MAX {
                late = Some(other);
            }
            let back = Queue { campaign: other, ..queue.clone() };
            *self.ahead.entry((back, queue.campaign)).or_default() -= paid;
        }
        late
    }
}

/// The queue in which a callback waits for a sender. Urgent callbacks have places of their own.
fn queue(callback: &Callback, place: &Place) -> Option<Queue> {
    let is_of_sender = |gate: &Gate| matches!(gate, Gate::Room(Resource::Sender(_)));
    let of_sender = match &place.gate {
        Gate::Any(parts) => parts.iter().all(is_of_sender),
        gate => is_of_sender(gate),
    };
    let campaign = callback.order.campaign_id().filter(|_| of_sender)?;
    Some(Queue { gate: place.gate.clone(), class: class(place.aged, callback.order.priority), campaign })
}

fn class(aged: Option<i64>, priority: Priority) -> i64 {
    Place::class(aged, priority)
}

impl Seen {
    /// The commit was taken over. Its moments are those of the daemon's clock.
    pub(super) fn conduct(&mut self, batch: &Batch, begun: &Begun) {
        self.campaigns.take(batch);
        for id in &begun.messages {
            let message = batch.messages.iter().find(|message| message.id == *id);
            let at = message.and_then(|message| message.submission.submitted_at);
            let callback =
                self.messages.get(id).and_then(|callback| self.campaigns.of.get(callback)).copied();
            self.may_go(callback, at, &id.to_string());
        }
        for id in &begun.opened {
            let at = self.attempts.get(id).map(|attempt| attempt.submission.intended_at);
            self.may_go(self.campaign_of(*id), at, &id.to_string());
        }
        for id in &begun.submitted {
            let at = self.attempts.get(id).and_then(|attempt| attempt.submission.submitted_at);
            self.may_go(self.campaign_of(*id), at, &id.to_string());
        }
        for id in &begun.opened {
            self.opens(*id);
        }
        for callback in &batch.callbacks {
            self.campaigns.moves(callback);
        }
    }

    fn campaign_of(&self, attempt: AttemptId) -> Option<CampaignId> {
        self.campaigns.of.get(&self.attempts.get(&attempt)?.callback).copied()
    }

    fn may_go(&mut self, campaign: Option<CampaignId>, at: Option<Timestamp>, what: &str) {
        let (Some(campaign), Some(at)) = (campaign, at) else { return };
        if let Some(state) = self.campaigns.stopped(campaign, at) {
            self.problem(format!("{what} is of {campaign}, which is {state}"));
        }
    }

    fn opens(&mut self, id: AttemptId) {
        let (Some(campaign), Some(attempt)) = (self.campaign_of(id), self.attempts.get(&id).cloned()) else {
            return;
        };
        let resource = Resource::campaign(&campaign.to_string());
        let max = self.campaigns.campaigns.get(&campaign).and_then(|known| known.concurrent_calls_max);
        let live = self.live.values().filter(|holds| holds.iter().any(|held| *held == resource)).count();
        if max.is_some_and(|max| live > max as usize) {
            self.problem(format!("{campaign} has {live} calls at once, of {max:?}"));
        }
        if let Some(calls) = self.campaigns.begin(campaign, attempt.submission.intended_at) {
            self.problem(format!("{campaign} began {calls} calls within a minute"));
        }
        // Where it waited before this commit.
        if let Some(queue) = self.campaigns.places.get(&attempt.callback).cloned()
            && let Some(late) = self.campaigns.turn(&queue)
        {
            self.problem(format!("{late} waits for a sender, and {campaign} is called again and again"));
        }
    }
}
