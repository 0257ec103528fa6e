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
    AccountAlias, Callback, CallbackId, Contact, ContactKey, Numbers, PairKey, Psid, RefusalKind, RoadKind,
};

/// Somebody wrote to the page, which opens its window.
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
            Some(Word::Stop) => contact.stopped_at = Some(at),
            Some(Word::Start) => contact.stopped_at = None,
            None => {}
        }
    });
    let Some(pair) = pair(turn, &key) else { return };
    match word {
        Some(Word::Stop) => stop(turn, at, pair),
        Some(Word::Start) => people::start_again(turn, pair, at, Restart::Word),
        None => {}
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
    let Some(pair) = pair(turn, &key) else { return };
    let called_at = called_at.map_or(at, |told| told.min(at));
    turn.work.note(
        at,
        Line::new("consumer.called_page", "The consumer called the page of Messenger.").of_pair(pair),
    );
    callers::at_page(turn, key, called_at);
}

fn hold(turn: &mut Turn<'_>, account: &AccountAlias, psid: &Psid) -> ContactKey {
    let key = (account.clone(), psid.clone());
    turn.work.contacts.hold(key.clone(), Contact::unknown(key.clone()));
    key
}

/// The pair of a sender and the person, if an order has named the page's id. The callbacks to the person are decided
/// again.
fn pair(turn: &mut Turn<'_>, key: &ContactKey) -> Option<PairKey> {
    let numbers = turn.work.contacts.get(key.clone())?.numbers?;
    turn.stirred.insert(numbers.consumer);
    Some(people::pair(turn, numbers))
}

/// Links the consumers of callbacks to the people of pages that their orders name.
pub(super) fn link(turn: &mut Turn<'_>, ids: &[CallbackId]) {
    for id in ids {
        let Some(callback) = turn.work.callbacks.get(*id).cloned() else { continue };
        for (account, psid) in &callback.order.psids {
            if let Some(numbers) = numbers(turn, &callback, account) {
                link_one(turn, account, psid, numbers);
            }
        }
    }
}

/// The consumer, and the first sender of the order that invites through the page.
fn numbers(turn: &Turn<'_>, callback: &Callback, account: &AccountAlias) -> Option<Numbers> {
    let directory = &turn.scheduler.deps.directory;
    let invites = |number: &&crate::domain::Phone| {
        let roads = directory.sender(**number).map(|sender| sender.roads.iter());
        roads.into_iter().flatten().any(|road| road.kind == RoadKind::Messenger && road.account == *account)
    };
    let sender = callback.order.senders.iter().find(invites)?;
    Some(Numbers { sender: *sender, consumer: callback.order.consumer })
}

fn link_one(turn: &mut Turn<'_>, account: &AccountAlias, psid: &Psid, numbers: Numbers) {
    let key = hold(turn, account, psid);
    let known = turn.work.contacts.get(key.clone()).and_then(|contact| contact.numbers);
    if known.is_some_and(|known| known.consumer == numbers.consumer) {
        return;
    }
    let stopped_at = turn.work.contacts.change(key, |contact| {
        contact.numbers = Some(numbers);
        contact.stopped_at
    });
    // What was said before anybody knew who it was.
    if let Some(at) = stopped_at.flatten() {
        let pair = people::pair(turn, numbers);
        stop(turn, at, pair);
    }
}
