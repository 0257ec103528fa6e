//! People at the pages of Messenger: what they write, when they call, and which consumer they are.
//!
//! An order names the consumer's id at a page; that is the only link between a page's people and ours. No document that
//! we found describes the event of a Messenger call, so a call to the page counts as answered (an assumption).

use jiff::Timestamp;

use super::turn::Turn;
use super::working_set::Line;
use super::{callers, people};
use crate::domain::event::Word;
use crate::domain::person::Restart;
use crate::domain::{
    AccountAlias, Callback, CallbackId, Contact, ContactKey, Numbers, PairKey, Phone, Psid, RefusalKind,
    RoadKind,
};

/// Somebody wrote to the page at `at`, which opens its window.
pub(super) fn wrote(
    turn: &mut Turn<'_>,
    at: Timestamp,
    account: &AccountAlias,
    psid: &Psid,
    word: Option<Word>,
) {
    let key = hold(turn, account, psid);
    turn.work.contacts.change(key.clone(), |contact| {
        contact.wrote_at = contact.wrote_at.max(Some(at));
        match word {
            Some(Word::Stop) => contact.stopped_at = contact.stopped_at.max(Some(at)),
            // One that is delivered late ends no stop that is newer.
            Some(Word::Start) => contact.stopped_at = contact.stopped_at.filter(|&stopped| stopped > at),
            None => {}
        }
    });
    let pairs = pairs(turn, &key);
    match (word, pairs.as_slice()) {
        (Some(Word::Stop), _) => pairs.into_iter().for_each(|pair| stop(turn, at, pair)),
        (Some(Word::Start), [pair]) => people::start_again(turn, *pair, at, Restart::Word),
        // Which of several consumers wrote is not certain, and a yes counts for one who is.
        (Some(Word::Start) | None, _) => {}
    }
}

fn stop(turn: &mut Turn<'_>, at: Timestamp, pair: PairKey) {
    people::refuse(turn, pair, RefusalKind::Stop, at);
    let why = "The consumer wrote STOP to a page of Messenger, or a word for it: no call, request or invite by any sender.";
    turn.work.note(at, Line::new("person.stopped", why).of_pair(pair));
}

/// Somebody called the page, at `called_at` if the platform says when.
pub(super) fn called(
    turn: &mut Turn<'_>,
    at: Timestamp,
    account: &AccountAlias,
    psid: &Psid,
    called_at: Option<Timestamp>,
) {
    let key = hold(turn, account, psid);
    let pairs = pairs(turn, &key);
    if pairs.is_empty() {
        return;
    }
    let called_at = called_at.map_or(at, |told| told.min(at));
    for pair in pairs {
        let line = Line::new("consumer.called_page", "The consumer called the page of Messenger.");
        turn.work.note(at, line.of_pair(pair));
    }
    callers::at_page(turn, key, called_at);
}

fn hold(turn: &mut Turn<'_>, account: &AccountAlias, psid: &Psid) -> ContactKey {
    let key = (account.clone(), psid.clone());
    turn.work.contacts.hold(key.clone(), Contact::unknown(key.clone()));
    key
}

/// A pair of each person whom orders have named with the page's id. The callbacks to these people are decided again.
fn pairs(turn: &mut Turn<'_>, key: &ContactKey) -> Vec<PairKey> {
    let numbers = turn.work.contacts.get(key.clone()).map(|contact| contact.numbers.clone());
    let mut pairs: Vec<PairKey> = Vec::new();
    for numbers in numbers.unwrap_or_default() {
        turn.stirred.insert(numbers.consumer);
        let pair = people::pair(turn, numbers);
        // Two spellings of one number are one person.
        if pairs.iter().all(|known| known.person != pair.person) {
            pairs.push(pair);
        }
    }
    pairs
}

/// Links the consumers of callbacks to the people of pages that their orders name. Returns whether a stop became known by
/// that, which binds all callbacks of its person.
pub(super) fn link(turn: &mut Turn<'_>, ids: &[CallbackId]) -> bool {
    let mut has_stopped = false;
    for id in ids {
        let Some(callback) = turn.work.callbacks.get(*id).cloned() else { continue };
        for (account, psid) in &callback.order.psids {
            if let Some(numbers) = numbers(turn, &callback, account) {
                has_stopped |= link_one(turn, account, psid, numbers);
            }
        }
    }
    has_stopped
}

/// The consumer, and the first sender of the order that invites through the page.
fn numbers(turn: &Turn<'_>, callback: &Callback, account: &AccountAlias) -> Option<Numbers> {
    let directory = &turn.scheduler.deps.directory;
    let invites = |number: &&Phone| {
        let roads = directory.sender(**number).map(|sender| sender.roads.iter());
        roads.into_iter().flatten().any(|road| road.kind == RoadKind::Messenger && road.account == *account)
    };
    let sender = callback.order.senders.iter().find(invites)?;
    Some(Numbers { sender: *sender, consumer: callback.order.consumer })
}

/// Whether the person had stopped.
fn link_one(turn: &mut Turn<'_>, account: &AccountAlias, psid: &Psid, numbers: Numbers) -> bool {
    let key = hold(turn, account, psid);
    let known: Vec<Phone> =
        turn.work.contacts.get(key.clone()).into_iter().flat_map(Contact::consumers).collect();
    if known.contains(&numbers.consumer) {
        return false;
    }
    if known.len() >= Contact::CONSUMERS_MAX {
        tracing::warn!(%account, "orders name more than {} consumers with one id of a page", known.len());
        return false;
    }
    if !known.is_empty() {
        tracing::warn!(%account, "orders name several consumers with one id of a page; a stop there counts for all");
    }
    let stopped_at = turn.work.contacts.change(key, |contact| {
        contact.numbers.push(numbers);
        contact.stopped_at
    });
    // What was said before anybody knew who it was.
    let Some(at) = stopped_at.flatten() else { return false };
    let pair = people::pair(turn, numbers);
    stop(turn, at, pair);
    true
}
