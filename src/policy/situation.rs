//! Input of the rules: one callback, the senders that may call, and the load of all resources.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{PersonView, holds};
use crate::domain::calendar::Opening;
use crate::domain::{
    AccountAlias, AccountView, Budget, Calendars, Callback, Contact, ContentRef, Directory, Gate, LegOrder,
    ListTerm, Load, Loads, Pair, PairKey, Pause, PauseScope, Reason, Rest, Script, Sender, SenderPart,
};

/// All input for the next step of a callback.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    pub callback: &'a Callback,
    /// Who the callback's document calls first; `None` if the document is not loaded.
    pub document: Option<LegOrder>,
    /// The senders that may call, in the customer's order, without those that are not configured.
    pub candidates: Vec<Candidate<'a>>,
    pub person: PersonView,
    /// What the token that ordered it may use; `None` without a ceiling.
    pub budget: Option<Arc<Budget>>,
    /// The consumer as the pages of Messenger know them, by the account of the page.
    pub contacts: BTreeMap<AccountAlias, Contact>,
    pub calendars: Calendars,
    /// The terms of imported suppression lists.
    pub list_terms: Arc<[ListTerm]>,
    /// Why it is held back, whatever the rules say.
    pub held: Option<Reason>,
}

/// What holds for all callbacks while one is decided or explained.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    pub now: Timestamp,
    pub directory: &'a Directory,
    pub loads: &'a Loads,
}

impl<'a> Situation<'a> {
    /// Builds the input of the rules. The scheduler and `explain` both use it, so that a decision and an
    /// explanation at the same time agree.
    ///
    /// `document` is what the callback's document does, if it is loaded. `pair` finds the ledger of a sender
    /// with the person; a missing one has no history.
    pub fn gather(
        callback: &'a Callback,
        document: Option<&Script>,
        surroundings: Surroundings<'a>,
        person: PersonView,
        pair: impl Fn(PairKey) -> Option<Pair>,
    ) -> Self {
        let Surroundings { now, directory, loads } = surroundings;
        let senders = callback.order.senders.iter().filter_map(|&number| directory.sender(number));
        let candidates = senders.map(|sender| {
            let key = PairKey { sender: sender.number, person: person.id };
            Candidate {
                sender,
                pair: pair(key).unwrap_or_else(|| Pair::unknown(key)),
                load: loads.of(&holds(callback, sender, document, now)),
                account: loads.account(&sender.account),
                paused: loads.paused_senders.get(&sender.number).cloned(),
                paused_parts: loads.parts_of(sender.number),
                pauses: loads.pauses.of(
                    sender,
                    callback.order.campaign_id(),
                    person.numbers().chain([callback.order.consumer]),
                ),
                contents: loads.pauses.of_contents(sender),
                rests: rests(sender, loads),
            }
        });
        Self {
            callback,
            document: document.map(|script| script.order),
            candidates: candidates.collect(),
            held: loads.held.reason(callback, person.id),
            person,
            budget: None,
            contacts: BTreeMap::new(),
            calendars: loads.calendars.clone(),
            list_terms: Arc::clone(&loads.list_terms),
        }
    }

    /// The calling hours of the order, with their calendar.
    #[must_use]
    pub fn hours(&self) -> Option<Opening<'_>> {
        self.callback.order.hours.as_ref().map(|hours| self.calendars.opening(hours))
    }

    /// The same, with what the pages of Messenger know of the consumer. Only those that the order names are used.
    #[must_use]
    pub fn at_pages(mut self, contacts: impl IntoIterator<Item = Contact>) -> Self {
        let psids = &self.callback.order.psids;
        let own = contacts.into_iter().filter(|contact| psids.get(&contact.account) == Some(&contact.psid));
        self.contacts = own.map(|contact| (contact.account.clone(), contact)).collect();
        self
    }

    /// The same, with the ceilings of the token that ordered it.
    #[must_use]
    pub fn within(mut self, budget: Option<Arc<Budget>>) -> Self {
        self.budget = budget;
        self
    }
}

/// One sender that may call, with its load.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    pub sender: &'a Sender,
    pub pair: Pair,
    /// The resources that a call of this sender would hold.
    pub load: Vec<Load>,
    pub account: AccountView,
    /// Set while the sender is paused, with the reason.
    pub paused: Option<Rest>,
    /// The parts of what the sender does that the platform restricts. Some may have ended.
    pub paused_parts: Vec<(SenderPart, Rest)>,
    /// An operator's pauses of what it sends to the person. Some may have ended.
    pub pauses: Vec<Arc<Pause>>,
    /// Content of the sender that the platform does not send. Some pauses may have ended.
    pub contents: Vec<Arc<Pause>>,
    /// Why accounts of its roads are paused, by the platform or an operator. Some may have ended.
    pub rests: BTreeMap<AccountAlias, Vec<(Gate, Reason)>>,
}

impl Candidate<'_> {
    /// The platform's pause of the sender, or its restriction of this part of what the sender does, with its gate.
    pub(super) fn rest(&self, now: Timestamp, part: Option<SenderPart>) -> Option<(Gate, Reason)> {
        let told = |gate: Gate, (until, why): &Rest| {
            (*until > now).then(|| (gate, Reason::SenderPaused { until: *until, why: why.clone() }))
        };
        let number = self.sender.number;
        let whole = self.paused.as_ref().and_then(|rest| told(Gate::Rest(number), rest));
        whole.or_else(|| {
            let part = part?;
            let (_, rest) = self.paused_parts.iter().find(|(paused, _)| *paused == part)?;
            told(Gate::Part(number, part), rest)
        })
    }

    /// The pause of content that an account sends; of several, the one that ends last.
    pub(super) fn content_rest(
        &self,
        now: Timestamp,
        account: &AccountAlias,
        content: &ContentRef,
    ) -> Option<(Gate, Reason)> {
        let is_of_it = |pause: &&Arc<Pause>| match &pause.scope {
            PauseScope::Content(alias, paused) => alias == account && paused == content,
            _ => false,
        };
        let pauses = self.contents.iter().filter(is_of_it).filter(|pause| pause.is_in_force(now));
        let pause = pauses.max_by_key(|pause| (pause.ends_at(), pause.id))?;
        Some((Gate::Pause(pause.id), pause.reason()))
    }

    /// The pause of the account of a road; of several, the one that ends last.
    pub(super) fn account_rest(&self, now: Timestamp, account: &AccountAlias) -> Option<(Gate, Reason)> {
        let rests = self.rests.get(account).into_iter().flatten();
        let is_in_force = |reason: &Reason| reason.lifts_at().is_none_or(|at| at > now);
        rests
            .filter(|(_, reason)| is_in_force(reason))
            .max_by_key(|(_, reason)| reason.lifts_at().unwrap_or(Timestamp::MAX))
            .cloned()
    }
}

/// The pauses of the accounts of a sender's roads.
fn rests(sender: &Sender, loads: &Loads) -> BTreeMap<AccountAlias, Vec<(Gate, Reason)>> {
    let mut rests = BTreeMap::new();
    let own = sender.invite.iter().map(|_| &sender.account);
    let requests = sender.request_road.iter().map(|road| &road.account);
    for alias in sender.roads.iter().map(|road| &road.account).chain(own).chain(requests) {
        let platforms = loads.account(alias).paused;
        let platforms = platforms
            .map(|(until, why)| (Gate::Account(alias.clone()), Reason::AccountPaused { until, why }));
        // The pauses of everything and of the sender's own account are among its pauses.
        let operators = loads.pauses.of_account(alias);
        let operators = operators.map(|pause| (Gate::Pause(pause.id), pause.reason()));
        let all: Vec<_> = platforms.into_iter().chain(operators).collect();
        if !all.is_empty() {
            rests.insert(alias.clone(), all);
        }
    }
    rests
}
