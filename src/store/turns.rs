//! The port `Turns`: what one turn of the scheduler reads, and the batch that it writes.
//!
//! Writers are optimistic: what they write names the version that they read, and a [`Batch`] with one stale version
//! changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    AgentChanges, CampaignCallsChange, CampaignChange, Enqueue, ErasureStep, FiledReport, LineageChange,
    ListChange, OutboxRow, PoolChanges, ReportChange, Result, Unmatched,
};
use crate::domain::calendar::MarkedDay;
use crate::domain::lane::{Lanes, Paid, Room};
use crate::domain::lease::LeaseTerm;
use crate::domain::timeline::Entry;
use crate::domain::{
    AccountAlias, Attempt, AttemptId, Budget, Callback, CallbackId, Campaigns, ClockMark, CommandOutcome,
    Contact, ContactKey, Gate, Lane, Loads, Message, MessageId, Name, Pair, PairKey, Pause, PauseId, Person,
    PersonId, Phone, Restriction, SetAside, SetAsideEnd, SetAsideId, TokenName, TokenUse, UserId, WrapUpSeat,
};

/// The reads and writes of the scheduler alone.
#[async_trait]
pub trait Turns: Send + Sync {
    /// What no batch has folded yet: commands, oldest first, then reports, oldest first.
    ///
    /// # Errors
    /// [`Error::Unreadable`](super::Error::Unreadable) with those among them that cannot be read.
    async fn unfolded_reports(&self, limit: usize) -> Result<Vec<FiledReport>>;

    /// Waiting callbacks with `wake_at <= now`, longest due first.
    async fn due_callbacks(&self, now: Timestamp, limit: usize) -> Result<Vec<Callback>>;

    /// What a turn begins with, at one moment: at most `limit` unfolded reports and as many due callbacks, as
    /// [`Turns::unfolded_reports`] and [`Turns::due_callbacks`] give them, and the budgets of these tokens.
    ///
    /// # Errors
    /// As [`Turns::unfolded_reports`].
    async fn input(&self, now: Timestamp, limit: usize, tokens: &[TokenName]) -> Result<Input>;

    /// When the next waiting callback is due, if there is one.
    async fn next_wake(&self) -> Result<Option<Timestamp>>;

    /// For each gate the callbacks that wait at it, at most as many as there is room for: the lowest class first, of the
    /// same class each lane by its weight, and within a lane the nearest end of the dialling window.
    async fn callbacks_at_gates(&self, calls: &[CallUp]) -> Result<Vec<CalledUp>>;

    /// Gates with waiting callbacks, with each lane in which they wait.
    async fn gates(&self) -> Result<Vec<(Gate, Lane)>>;

    /// All waiting callbacks to these consumers, whichever sender they want; each once.
    async fn waiting_callbacks_to(&self, consumers: &[Phone]) -> Result<Vec<Callback>>;

    /// Unmatched reports that these people sent or that answer these messages.
    async fn unmatched_of(&self, ids: &[UserId], sids: &[String]) -> Result<Vec<FiledReport>>;

    /// The ledgers of pairs, in the order of the keys; a pair that was never written is returned as
    /// [`Pair::unknown`].
    async fn pairs(&self, keys: &[PairKey]) -> Result<Vec<Pair>>;

    /// Everything that reports, answers and intents refer to, each once, with the people of all of it.
    async fn related(&self, keys: &Keys) -> Result<Related>;

    /// What a turn decides about, at one moment: the callbacks that wait for somebody, with their people and budgets.
    async fn to_decide(&self, now: Timestamp, keys: &DecideKeys) -> Result<ToDecide>;

    /// Attempts by the SID of their first leg.
    async fn attempts_by_sid(&self, sids: &[String]) -> Result<Vec<Attempt>>;

    /// Pairs with an inbound call in progress, which takes a slot of the sender.
    async fn pairs_with_live_inbound(&self) -> Result<Vec<Pair>>;

    /// Attempts with recordings that their platforms are to be asked at `now` to delete, at most `most`, the longest due
    /// first.
    async fn recordings_due(&self, now: Timestamp, most: usize) -> Result<RecordingsDue>;

    /// The accounts whose calls were submitted at `since` or later, one for each call, over or not. Only the
    /// 4,096 attempts that were opened last are looked at.
    async fn submitted_since(&self, since: Timestamp) -> Result<Vec<AccountAlias>>;

    /// Waiting callbacks in the order in which they were stored, after a position, at most `most`, and the position of the
    /// last; without one, nothing waits after it.
    async fn waiting_after(&self, position: i64, most: usize) -> Result<(Vec<Callback>, Option<i64>)>;

    /// The digest that [`Turns::keep_rules_digest`] kept last.
    async fn rules_digest(&self) -> Result<Option<[u8; 32]>>;

    /// Keeps what everything that waits was decided by.
    async fn keep_rules_digest(&self, digest: [u8; 32]) -> Result<()>;

    /// Seats of pools that are still held at `now` after their calls.
    async fn seats_in_wrap_up(&self, now: Timestamp) -> Result<Vec<WrapUpSeat>>;

    /// What platforms restrict at `now`.
    async fn restrictions(&self, now: Timestamp) -> Result<Vec<Restriction>>;

    /// Begins the term of a leader, which ends the one before: no batch of another leader is written any more. Where
    /// several nodes use the store, the leader proves its lease: without it, it is [`Error::Deposed`](super::Error::Deposed).
    async fn lead(&self, lease: Option<LeaseTerm>) -> Result<Lead>;

    /// The number of the last batch of a leader; 0 before the first.
    async fn last_batch(&self) -> Result<u64>;

    /// The last trusted reading of the machine's clocks, and the doubt, if there is one.
    async fn clock_mark(&self) -> Result<Option<ClockMark>>;

    /// Writes a batch in one transaction, or nothing: [`Error::Conflict`](super::Error::Conflict) if a callback or pair in it has
    /// another version than the one before the batch's, if a folded report was folded already or is set aside, if
    /// something that is set aside in it was folded or has ended before, or if its ground has changed, or if
    /// the number of its lead is not the next one. [`Error::Deposed`](super::Error::Deposed) if another leader has begun
    /// a term since. After [`Error::OutcomeUnknown`](super::Error::OutcomeUnknown) [`Turns::last_batch`] tells whether it
    /// was written.
    async fn record(&self, batch: Batch) -> Result<()>;
}

/// Whose recordings are to be deleted: [`Turns::recordings_due`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingsDue {
    pub attempts: Vec<AttemptId>,
    /// When the next one is due that is not yet.
    pub next_at: Option<Timestamp>,
}

/// What a turn wants of a gate: [`Turns::callbacks_at_gates`].
#[derive(Debug, Clone)]
pub struct CallUp {
    pub gate: Gate,
    pub room: Room,
    /// The lanes that are known to wait there.
    pub lanes: Lanes,
    /// What these have paid for earlier turns, from the least on.
    pub paid: Paid,
    /// Whose weights count.
    pub campaigns: Arc<Campaigns>,
}

/// What is stored of a [`CallUp`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CalledUp {
    pub callbacks: Vec<Callback>,
    /// The lanes in which more may wait.
    pub lanes: Lanes,
}

/// What a turn begins with: [`Turns::input`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Input {
    pub reports: Vec<FiledReport>,
    pub due: Vec<Callback>,
    /// In the order of the tokens.
    pub budgets: Vec<Budget>,
}

/// What a turn wants to read: [`Turns::related`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// With the attempt that each of them has in progress.
    pub callbacks: BTreeSet<CallbackId>,
    /// With their callbacks and the attempts that these have in progress; so too messages.
    pub attempts: BTreeSet<AttemptId>,
    pub messages: BTreeSet<MessageId>,
    /// SIDs of first legs.
    pub call_sids: BTreeSet<String>,
    pub message_sids: BTreeSet<String>,
    /// Whose people are read, beside those of the attempts and messages.
    pub names: BTreeSet<Name>,
    /// Whom pages of Messenger know, with the people of their numbers; beside those of the callbacks.
    pub contacts: BTreeSet<ContactKey>,
}

impl Keys {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.callbacks.is_empty()
            && self.attempts.is_empty()
            && self.messages.is_empty()
            && self.call_sids.is_empty()
            && self.message_sids.is_empty()
            && self.names.is_empty()
            && self.contacts.is_empty()
    }
}

/// What is stored of [`Keys`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Related {
    pub callbacks: Vec<Callback>,
    pub attempts: Vec<Attempt>,
    pub messages: Vec<Message>,
    /// As [`Records::people`](super::Records::people) gives them.
    pub people: Vec<(Person, Vec<Pair>)>,
    /// Those of the keys and of the callbacks that are stored.
    pub contacts: Vec<Contact>,
}

/// What a turn wants to decide about: [`Turns::to_decide`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecideKeys {
    /// All waiting callbacks to these consumers, as [`Turns::waiting_callbacks_to`] gives them.
    pub waiting_to: BTreeSet<Phone>,
    /// Whose people are read, beside those of the callbacks.
    pub names: BTreeSet<Name>,
    /// Whose budgets are read, beside those of the callbacks.
    pub tokens: BTreeSet<TokenName>,
    /// The people of these, and the budgets of these tokens, are not read for a callback: they are known.
    pub known_names: BTreeSet<Name>,
    pub known_tokens: BTreeSet<TokenName>,
    /// Whom pages of Messenger know, beside those of the callbacks.
    pub contacts: BTreeSet<ContactKey>,
}

impl DecideKeys {
    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting_to.is_empty()
            && self.names.is_empty()
            && self.tokens.is_empty()
            && self.contacts.is_empty()
    }
}

/// What is stored of [`DecideKeys`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToDecide {
    pub callbacks: Vec<Callback>,
    /// The names that were sought: those given, and those of the callbacks that were not known.
    pub names: BTreeSet<Name>,
    pub people: Vec<(Person, Vec<Pair>)>,
    pub budgets: Vec<(TokenName, Budget)>,
    /// Those of the keys and of the callbacks that are stored.
    pub contacts: Vec<Contact>,
}

/// All that one turn of the scheduler decided. Values are whole: each replaces what is stored.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// With the version one above the stored one.
    pub callbacks: Vec<Callback>,
    /// New callbacks of campaigns that follow others; of version 1.
    pub made: Vec<Callback>,
    /// New callbacks, which the store takes or refuses as it does those of customers.
    pub orders: Vec<Enqueue>,
    /// What agents said.
    pub agents: AgentChanges,
    /// With the version one above the stored one; a new pair has version 1.
    pub pairs: Vec<Pair>,
    /// With the version one above the stored one; a new person has version 1.
    pub persons: Vec<Person>,
    /// People whose records were taken into another one, with the stored version.
    pub united: Vec<(PersonId, u64)>,
    pub attempts: Vec<Attempt>,
    pub messages: Vec<Message>,
    /// With the version one above the stored one; a new contact has version 1.
    pub contacts: Vec<Contact>,
    /// What platforms restrict from now on, or no longer.
    pub restrictions: Vec<Restriction>,
    /// The `seq` of the reports that this batch has taken in.
    pub folded: Vec<i64>,
    /// The folded reports of this batch without a known person. They are kept.
    pub unmatched: Vec<Unmatched>,
    /// The `seq` of kept reports whose person has become known, and that this batch has taken in.
    pub matched: Vec<i64>,
    /// The `seq` of the commands that this batch folded, with their results.
    pub outcomes: Vec<(i64, CommandOutcome)>,
    /// Uses of tokens in a minute, more or less than before; see [`Minutes::of`](crate::domain::ceiling::Minutes::of).
    pub uses: Vec<(TokenName, TokenUse, i64, i32)>,
    pub entries: Vec<Entry>,
    pub outbox: Vec<OutboxRow>,
    /// What is set aside from now on: a report or a command leaves its lane of the inbox.
    pub set_aside: Vec<SetAside>,
    /// What is set aside no longer: a report or a command that is retried lies in its lane again, in its place.
    pub set_aside_ended: Vec<SetAsideEnded>,
    /// New pauses.
    pub pauses: Vec<Pause>,
    /// Pauses that are over, because an operator said so.
    pub pauses_lifted: Vec<PauseLifted>,
    /// Changes of suppression lists.
    pub suppressions: Vec<ListChange>,
    /// Days of calendars that operators marked, in their order. One replaces an earlier mark of the day.
    pub marked_days: Vec<MarkedDay>,
    /// Campaigns that are new or changed, in the order of the changes.
    pub campaigns: Vec<CampaignChange>,
    pub campaign_calls: CampaignCallsChange,
    pub pools: PoolChanges,
    /// What reports count.
    pub reported: ReportChange,
    /// Steps of erasures. They come last.
    pub erasures: Vec<ErasureStep>,
    /// The `seq` of folded reports and commands that name an erased person: their text goes.
    pub dropped: Vec<i64>,
    /// What is learnt of a lost span of the store.
    pub lineage: LineageChange,
    /// The trusted reading of the machine's clocks, if it is another one than is stored.
    pub clock: Option<ClockMark>,
    /// The load as it is after this batch, if it is to be published. It replaces what was published before, but not
    /// what a leader of a newer term published.
    pub published: Option<Loads>,
    /// What must not have changed: the batch lets something leave.
    pub ground: Option<Ground>,
    /// Who writes it. Without one nothing is checked and no number is taken.
    pub lead: Option<Lead>,
}

/// A leader, and one of its batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lead {
    pub term: u64,
    /// Of the batch: one more than that of the last one. As the answer of [`Turns::lead`], that of the last one.
    pub number: u64,
}

impl Lead {
    /// For the next batch.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { number: self.number.saturating_add(1), ..self }
    }
}

/// The ground of a batch besides its own values: everything that was acknowledged before the batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ground {
    /// Reports up to this one were read before the batch was decided.
    pub read: i64,
    /// No report that was filed since may be about these; see [`Event::concerns`](crate::domain::Event::concerns).
    pub people: BTreeSet<PersonId>,
    /// These callbacks still have these versions, unless the batch itself writes them.
    pub callbacks: BTreeMap<CallbackId, u64>,
}

impl Batch {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.callbacks.is_empty()
            && self.made.is_empty()
            && self.orders.is_empty()
            && self.agents.is_empty()
            && self.pairs.is_empty()
            && self.persons.is_empty()
            && self.united.is_empty()
            && self.attempts.is_empty()
            && self.messages.is_empty()
            && self.contacts.is_empty()
            && self.restrictions.is_empty()
            && self.folded.is_empty()
            && self.outcomes.is_empty()
            && self.matched.is_empty()
            && self.uses.is_empty()
            && self.entries.is_empty()
            && self.outbox.is_empty()
            && self.set_aside.is_empty()
            && self.set_aside_ended.is_empty()
            && self.pauses.is_empty()
            && self.pauses_lifted.is_empty()
            && self.suppressions.is_empty()
            && self.marked_days.is_empty()
            && self.campaigns.is_empty()
            && self.campaign_calls.is_empty()
            && self.pools.is_empty()
            && self.reported.is_empty()
            && self.erasures.is_empty()
            && self.dropped.is_empty()
            && self.lineage.is_empty()
            && self.clock.is_none()
            && self.published.is_none()
    }
}

/// An operator's end of something that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAsideEnded {
    pub id: SetAsideId,
    pub end: SetAsideEnd,
}

/// An operator's end of a pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseLifted {
    pub id: PauseId,
    pub at: Timestamp,
    /// The name of the operator's API token.
    pub by: String,
}
