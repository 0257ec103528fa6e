//! State of one turn: what it has read and decided.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::budgets::Budgets;
use super::campaigns_ending::Sweep;
use super::counted::Counted;
use super::erasing::Step;
use super::following::Following;
use super::gates::Payment;
use super::heard::Heard;
use super::incoming::Callers;
use super::overdue::Subject;
use super::reached::Reached;
use super::request::{Done, Effect};
use super::state::{Intended, Scheduler};
use super::working_set::WorkingSet;
use crate::domain::lane::Lanes;
use crate::domain::person::PORTFOLIO_DEFAULT;
use crate::domain::{
    AccountAlias, AttemptId, Budget, CallPermission, Callback, CallbackId, Contact, ErrorCode, Gate, Holds,
    Loads, Name, PairKey, Phone, Portfolio, RoadKind, UserId, WrapUpRecord, is_pseudonym,
};
use crate::policy::{Situation, Surroundings};
use crate::store::{FiledReport, ReportChange};
use crate::webhooks::{ConsumerNews, ConsumerTopic};

/// State of one turn.
pub(super) struct Turn<'a> {
    pub(super) now: Timestamp,
    pub(super) scheduler: &'a mut Scheduler,
    pub(super) work: WorkingSet,
    /// The names whose people were read.
    pub(super) looked_up: BTreeSet<Name>,
    /// A copy: it replaces the scheduler's when the batch is committed.
    pub(super) loads: Loads,
    /// A copy, like the loads: what the tokens of callbacks have used.
    pub(super) budgets: Budgets,
    /// Requests to send after the commit.
    pub(super) effects: Vec<Effect>,
    /// New intents, which the next turn may submit.
    pub(super) opened: Vec<(AccountAlias, Intended)>,
    /// What has been silent for too long.
    pub(super) silent: Vec<Subject>,
    /// Consumers who called us.
    pub(super) callers: Callers,
    /// Consumers whose callbacks are decided in this turn, although no record of theirs changed.
    pub(super) stirred: BTreeSet<Phone>,
    /// Consumers about whom nothing is set aside after this turn: their callbacks are decided in the next one.
    pub(super) released: BTreeSet<Phone>,
    /// Callbacks that were read from gates where more may wait.
    pub(super) called_up: Vec<(CallbackId, Gate)>,
    /// The lanes that waited at gates before callbacks were read from there. They are put back if nothing is written.
    pub(super) lanes_before: Vec<(Gate, Lanes)>,
    /// What campaigns have paid for their turns at gates. It is given back if nothing is written.
    pub(super) paid: Vec<Payment>,
    /// A slot was freed for which callbacks wait at a gate.
    pub(super) slot_freed: bool,
    /// Calls of campaigns that are over.
    pub(super) counted: Counted,
    /// What reports count.
    pub(super) reported: ReportChange,
    /// Consumers who were reached in this turn, for whom their other callbacks may close.
    pub(super) reached: Vec<Reached>,
    /// Set by a report without a known person: its user id and the message that it answers.
    pub(super) nobody: Option<(Option<UserId>, Option<String>)>,
    /// Unmatched reports whose person may be known now.
    pub(super) recalled: Vec<FiledReport>,
    /// Attempts whose customer canceled in this turn.
    pub(super) canceled: Vec<AttemptId>,
    /// The reports that are folded in this turn.
    pub(super) heard: Vec<Heard>,
    /// How late the phones of consumers rang to whom a time was promised, and that rang first in this turn.
    pub(super) late: Vec<SignedDuration>,
    /// How the calls ended that are over since the turn began.
    pub(super) endings: Vec<&'static str>,
    /// The callbacks of a canceled campaign that are closed in this turn.
    pub(super) sweep: Option<Sweep>,
    /// The callbacks that a campaign takes over from another one in this turn.
    pub(super) following: Option<Following>,
    /// The position of the last callback that is decided again because the configuration has changed.
    pub(super) decided_again: Option<i64>,
    /// The wrap-ups of the callbacks about which agents say something in this turn.
    pub(super) wrap_ups: BTreeMap<CallbackId, WrapUpRecord>,
    /// Attempts with recordings whose time is over.
    pub(super) recordings_due: Vec<AttemptId>,
    /// What is done for erasures in this turn.
    pub(super) erasing: Step,
    /// A version of a suppression list is whole since this turn.
    pub(super) completes_list: bool,
    /// An operator confirmed the machine's clock in this turn.
    pub(super) clock_is_confirmed: bool,
    /// Error codes of the platform that occurred for the first time.
    pub(super) codes: Vec<ErrorCode>,
    /// The roads of invites that the platform has now.
    pub(super) roads_taken: Vec<RoadKind>,
    pub(super) answers: Vec<Done>,
    /// The number of the last report that was read.
    pub(super) read: i64,
    /// Committed intents that this turn may submit: only as many as their accounts have room for, so that a
    /// turn does not read a long queue.
    pub(super) ready: Vec<(AccountAlias, Intended)>,
    /// Intents of these for which there was no room.
    pub(super) kept: Vec<(AccountAlias, Intended)>,
    /// Messages of these that wait for a list past its term.
    pub(super) waiting_for_list: Vec<(AccountAlias, Intended)>,
}

impl Turn<'_> {
    /// A call begins, and holds these.
    pub(super) fn take(&mut self, holds: &Holds) {
        self.loads.in_use.take(holds);
    }

    /// A call is over: what it held is free for those who wait.
    pub(super) fn give_back(&mut self, holds: &Holds) {
        self.loads.in_use.give_back(holds);
        self.slot_freed |=
            holds.iter().any(|held| self.scheduler.somebody_waits_at(&Gate::Room(held.clone())));
    }

    /// An offer to agents is over, if there was one: the next one may begin.
    pub(super) fn end_offer(&mut self, callback: CallbackId) {
        if let Some(resource) = self.loads.offers.end(callback) {
            self.slot_freed |= self.scheduler.somebody_waits_at(&Gate::Offer(resource));
        }
    }

    /// Tells the customer something of a consumer, if there is a webhook. The number is the key of its spellings.
    pub(super) fn tell_of_consumer(
        &mut self,
        topic: ConsumerTopic,
        key: PairKey,
        at: Timestamp,
        permission: Option<CallPermission>,
    ) {
        if self.scheduler.deps.webhook_events.endpoint().is_none() {
            return;
        }
        let consumer = key.person.number();
        if is_pseudonym(consumer) {
            return;
        }
        let expires_at = permission.and_then(|permission| match permission {
            CallPermission::Temporary { expires_at } => Some(expires_at),
            _ => None,
        });
        let permission = permission.map(CallPermission::as_str);
        let (sender, callbacks) = (key.sender, Vec::new());
        self.work.consumer_news.push(ConsumerNews {
            topic,
            sender,
            consumer,
            at,
            permission,
            expires_at,
            callbacks,
        });
    }

    /// The consumer of this order was reached, by a conversation that began at `at`.
    pub(super) fn reach(&mut self, by: CallbackId, at: Timestamp) {
        let Some(callback) = self.work.callbacks.get(by) else { return };
        let person = self.work.names.of_number(callback.order.consumer);
        self.reached.push(Reached::of(callback, person, at));
    }

    /// The input of the rules for a callback.
    pub(super) fn situation<'s>(&'s self, callback: &'s Callback) -> Situation<'s> {
        let deps = &self.scheduler.deps;
        let document = deps.documents.get(&callback.order.document);
        let person = self.work.view(callback.order.consumer);
        let pair = |key| self.work.pairs.get(key).cloned();
        let surroundings = Surroundings { now: self.now, directory: &deps.directory, loads: &self.loads };
        Situation::gather(callback, document, surroundings, person, pair)
            .within(self.budget(callback))
            .at_pages(self.contacts(callback))
    }

    /// The callback's consumer, as the pages of Messenger know them.
    pub(super) fn contacts(&self, callback: &Callback) -> Vec<Contact> {
        callback.contacts().filter_map(|key| self.work.contacts.get(key).cloned()).collect()
    }

    /// What the callback's token may use, if that was read.
    pub(super) fn budget(&self, callback: &Callback) -> Option<Arc<Budget>> {
        self.budgets.get(&callback.token()?).cloned()
    }

    /// The portfolio of the user ids that a sender receives.
    pub(super) fn portfolio(&self, sender: Phone) -> Portfolio {
        let ours = self.scheduler.deps.directory.sender(sender);
        ours.map_or_else(|| PORTFOLIO_DEFAULT.into(), |sender| sender.portfolio.clone())
    }

    /// Notes an error code.
    pub(super) fn hear_code(&mut self, before: Option<ErrorCode>, after: Option<ErrorCode>) {
        self.codes.extend(after.filter(|_| before.is_none()));
    }
}
