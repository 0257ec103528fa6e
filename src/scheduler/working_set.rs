//! The working set of one turn: values read, values changed, and the batch of the changes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use jiff::Timestamp;

use crate::domain::calendar::MarkedDay;
use crate::domain::timeline::Entry;
use crate::domain::{
    Attempt, AttemptId, Callback, CallbackId, Campaign, CommandOutcome, Contact, ContactKey, Message,
    MessageId, Names, Numbers, Pair, PairKey, Pause, Person, PersonId, Phone, Restriction, TokenName,
    TokenUse,
};
use crate::policy::PersonView;
use crate::store::{
    AgentChanges, Batch, CampaignCallsChange, CampaignChange, Enqueue, LineageChange, ListChange, OutboxRow,
    PauseLifted, PoolChanges, ReportChange, SetAsideEnded, Unmatched,
};
use crate::webhooks::{ConsumerNews, Topic};

/// Values by their key; those that were changed are written, the others were only read.
#[derive(Debug, Default)]
pub(super) struct WorkingSet {
    pub(super) callbacks: Held<CallbackId, Callback>,
    pub(super) pairs: Held<PairKey, Pair>,
    pub(super) persons: Held<PersonId, Person>,
    pub(super) names: Names,
    /// Records that were taken into another one, with the version that was read.
    pub(super) united: Vec<(PersonId, u64)>,
    pub(super) attempts: Held<AttemptId, Attempt>,
    pub(super) messages: Held<MessageId, Message>,
    /// Whom pages of Messenger know.
    pub(super) contacts: Held<ContactKey, Contact>,
    pub(super) restrictions: Vec<Restriction>,
    pub(super) folded: Vec<i64>,
    pub(super) unmatched: Vec<Unmatched>,
    pub(super) matched: Vec<i64>,
    pub(super) outcomes: Vec<(i64, CommandOutcome)>,
    pub(super) set_aside_ended: Vec<SetAsideEnded>,
    pub(super) pauses: Vec<Pause>,
    pub(super) pauses_lifted: Vec<PauseLifted>,
    pub(super) suppressions: Vec<ListChange>,
    /// The days of calendars that operators marked.
    pub(super) marked_days: Vec<MarkedDay>,
    /// New callbacks of campaigns that follow others.
    pub(super) made: Vec<Callback>,
    pub(super) pools: PoolChanges,
    pub(super) campaigns: Vec<CampaignChange>,
    /// New callbacks, of wrap-ups and missed calls.
    pub(super) orders: Vec<Callback>,
    /// What agents said.
    pub(super) agents: AgentChanges,
    /// Commands whose text has words of an agent: it goes when they are folded.
    pub(super) spoken: Vec<i64>,
    /// Uses of tokens, by minute: more or less than before.
    pub(super) uses: BTreeMap<(TokenName, TokenUse, i64), i32>,
    /// What is learnt of a lost span of the store.
    pub(super) lineage: LineageChange,
    entries: Vec<Entry>,
    words: Vec<&'static str>,
    topics: Vec<(CallbackId, Topic)>,
    /// What customers are told of consumers, and of campaigns that are finished.
    pub(super) consumer_news: Vec<ConsumerNews>,
    pub(super) finished: Vec<Campaign>,
}

#[derive(Debug)]
pub(super) struct Held<K, V>(BTreeMap<K, (V, bool)>);

impl<K, V> Default for Held<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone, V: Clone + PartialEq> Held<K, V> {
    /// Takes in what was read, unless a value with that key is held already: that one is newer.
    pub(super) fn hold(&mut self, key: K, value: V) {
        if let Slot::Vacant(slot) = self.0.entry(key) {
            slot.insert((value, false));
        }
    }

    /// Adds a value that did not exist before.
    pub(super) fn add(&mut self, key: K, value: V) {
        self.0.insert(key, (value, true));
    }

    pub(super) fn get(&self, key: K) -> Option<&V> {
        self.0.get(&key).map(|(value, _)| value)
    }

    pub(super) fn has(&self, key: K) -> bool {
        self.0.contains_key(&key)
    }

    /// Lets `change` change the value; it is written only if that made a difference.
    pub(super) fn change<R>(&mut self, key: K, change: impl FnOnce(&mut V) -> R) -> Option<R> {
        let (value, changed) = self.0.get_mut(&key)?;
        let before = value.clone();
        let answer = change(value);
        *changed |= *value != before;
        Some(answer)
    }

    /// Takes a value out; it is not written.
    pub(super) fn remove(&mut self, key: K) -> Option<V> {
        self.0.remove(&key).map(|(value, _)| value)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.values().map(|(value, _)| value)
    }

    /// The values in order of their keys, from this one on.
    pub(super) fn from(&self, key: K) -> impl Iterator<Item = &V> {
        self.0.range(key..).map(|(_, (value, _))| value)
    }

    pub(super) fn changed(&self) -> impl Iterator<Item = (K, &V)> {
        self.0.iter().filter(|(_, (_, changed))| *changed).map(|(key, (value, _))| (key.clone(), value))
    }

    fn into_changed(self) -> impl Iterator<Item = V> {
        self.0.into_values().filter_map(|(value, changed)| changed.then_some(value))
    }
}

impl WorkingSet {
    /// Takes in a person who was read, with all pairs of the person.
    pub(super) fn hold_person(&mut self, person: Person, pairs: Vec<Pair>) {
        if self.persons.has(person.id) || self.united.iter().any(|(gone, _)| *gone == person.id) {
            return;
        }
        self.names.learn(&person);
        self.persons.hold(person.id, person);
        for pair in pairs {
            self.pairs.hold(pair.key, pair);
        }
    }

    /// What is known of the consumer with this number across all senders.
    pub(super) fn view(&self, consumer: Phone) -> PersonView {
        PersonView::find(consumer, &self.names, |id| self.persons.get(id), |key| self.pairs.from(key))
    }

    /// Adds a line to the timeline of a callback.
    pub(super) fn note(&mut self, at: Timestamp, line: Line) {
        self.words.push(line.what);
        self.entries.push(Entry {
            at,
            callback: line.callback,
            pair: line.pair,
            attempt: line.attempt,
            message: line.message,
            by: line.by.map(Into::into),
            what: line.what.into(),
            why: line.why,
        });
    }

    /// The common start of timeline lines.
    pub(super) fn words(&self) -> impl Iterator<Item = &'static str> {
        self.words.iter().copied()
    }

    /// The lines that this turn adds to timelines.
    pub(super) fn lines(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds a webhook to the customer with the state of the callback at the end of the turn.
    pub(super) fn tell(&mut self, callback: CallbackId, topic: Topic) {
        self.topics.push((callback, topic));
    }

    /// The batch of the turn; `row` creates webhooks. Versions of changed values rise by one.
    pub(super) fn into_batch(self, row: impl Fn(Topic, &Callback) -> Option<OutboxRow>) -> Batch {
        let told =
            self.topics.iter().filter_map(|(id, topic)| row(*topic, self.callbacks.get(*id)?)).collect();
        Batch {
            callbacks: self
                .callbacks
                .into_changed()
                .map(|callback| Callback { version: callback.version + 1, ..callback })
                .collect(),
            pairs: self.pairs.into_changed().map(|pair| Pair { version: pair.version + 1, ..pair }).collect(),
            persons: self
                .persons
                .into_changed()
                .map(|person| Person { version: person.version + 1, ..person })
                .collect(),
            united: self.united,
            attempts: self.attempts.into_changed().collect(),
            messages: self.messages.into_changed().collect(),
            contacts: self
                .contacts
                .into_changed()
                .map(|contact| Contact { version: contact.version + 1, ..contact })
                .collect(),
            restrictions: self.restrictions,
            folded: self.folded,
            unmatched: self.unmatched,
            matched: self.matched,
            outcomes: self.outcomes,
            uses: self
                .uses
                .into_iter()
                .filter(|(_, by)| *by != 0)
                .map(|((token, what, minute), by)| (token, what, minute, by))
                .collect(),
            entries: self.entries,
            outbox: told,
            set_aside: Vec::new(),
            set_aside_ended: self.set_aside_ended,
            pauses: self.pauses,
            pauses_lifted: self.pauses_lifted,
            suppressions: self.suppressions,
            marked_days: self.marked_days,
            made: self.made,
            campaigns: self.campaigns,
            orders: self.orders.into_iter().map(ordered).collect(),
            agents: self.agents,
            campaign_calls: CampaignCallsChange::default(),
            pools: self.pools,
            reported: ReportChange::default(),
            erasures: Vec::new(),
            dropped: self.spoken,
            lineage: self.lineage,
            clock: None,
            published: None,
            ground: None,
            lead: None,
        }
    }
}

/// A callback of our own. No token's ceiling counts it. What it uses of one group is added when it is written.
const fn ordered(callback: Callback) -> Enqueue {
    Enqueue { callback, idempotency: None, ceiling: None, of_one_group: Vec::new() }
}

/// A timeline line without its time.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) what: &'static str,
    pub(super) why: String,
    pub(super) callback: Option<CallbackId>,
    pub(super) pair: Option<Numbers>,
    pub(super) attempt: Option<AttemptId>,
    pub(super) message: Option<MessageId>,
    /// The API token that caused it.
    pub(super) by: Option<String>,
}

impl Line {
    pub(super) fn new(what: &'static str, why: impl Into<String>) -> Self {
        Self { what, why: why.into(), ..Self::default() }
    }

    /// The cause of a line whose code is determined later.
    pub(super) fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), ..Self::default() }
    }

    pub(super) fn of_attempt(self, attempt: &Attempt) -> Self {
        let pair = attempt.numbers();
        Self { callback: Some(attempt.callback), attempt: Some(attempt.id), pair: Some(pair), ..self }
    }

    pub(super) fn of_message(self, message: &Message) -> Self {
        let pair = message.numbers();
        Self { callback: message.callback, message: Some(message.id), pair: Some(pair), ..self }
    }

    pub(super) fn of_callback(self, callback: CallbackId) -> Self {
        Self { callback: Some(callback), ..self }
    }

    pub(super) fn by(self, token: &str) -> Self {
        Self { by: Some(token.to_owned()), ..self }
    }

    pub(super) fn of_pair(self, pair: PairKey) -> Self {
        Self { pair: Some(pair.into()), ..self }
    }
}
