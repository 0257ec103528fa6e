//! People in a turn: finds the person of a number or a user id, adds names to a person, and merges two records of one
//! person.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::permission_log;
use super::turn::Turn;
use super::working_set::Line;
use crate::domain::person::Restart;
use crate::domain::{
    Holds, Message, MessageId, Name, Named, Numbers, Pair, PairKey, Person, PersonId, Phone, Portfolio,
    Refusal, RefusalKind, UserId,
};
use crate::policy::ledger;
use crate::store::{self, Store};

/// Reads the people of these names, with all their pairs, unless that was done in this turn.
pub(super) async fn read(
    turn: &mut Turn<'_>,
    store: &dyn Store,
    names: impl IntoIterator<Item = Name>,
) -> store::Result<()> {
    let new: Vec<Name> = names.into_iter().filter(|name| !turn.looked_up.contains(name)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let people = store.people(&new).await?;
    hold(turn, new, people);
    Ok(())
}

/// Takes in the people of these names, as they were read.
pub(super) fn hold(
    turn: &mut Turn<'_>,
    names: impl IntoIterator<Item = Name>,
    people: Vec<(Person, Vec<Pair>)>,
) {
    for (person, pairs) in people {
        turn.work.hold_person(person, pairs);
    }
    // A newer table of spellings may join two records.
    for name in names {
        turn.looked_up.insert(name.clone());
        if let Name::Number(number) = name {
            let several: BTreeSet<PersonId> = turn.work.names.all_of_number(number).collect();
            let several: Vec<PersonId> = several.into_iter().collect();
            several.windows(2).for_each(|two| unite(turn, turn.now, None, two[0], two[1]));
        }
    }
}

/// The pair of these numbers, held from now on also if it has no record yet.
pub(super) fn pair(turn: &mut Turn<'_>, numbers: Numbers) -> PairKey {
    let person = turn.work.names.of_number(numbers.consumer);
    pair_with(turn, numbers.sender, person)
}

fn pair_with(turn: &mut Turn<'_>, sender: Phone, person: PersonId) -> PairKey {
    let key = PairKey { sender, person };
    if !turn.work.persons.has(person) {
        turn.work.hold_person(Person::unknown(person), Vec::new());
    }
    turn.work.pairs.hold(key, Pair::unknown(key));
    key
}

/// The pair of a report, and what the report teaches about names. `None` if it names nobody who is known, which a
/// number always does.
///
/// `answered` is the consumer of the message of ours that it answers. That names the person; it says nothing about a
/// number that is no other spelling of the one to which the message went.
pub(super) fn of_report(
    turn: &mut Turn<'_>,
    at: Timestamp,
    sender: Phone,
    who: &Named,
    answered: Option<Phone>,
) -> Option<PairKey> {
    let portfolio = turn.portfolio(sender);
    let user = who.user_id.clone().map(|id| Name::User { portfolio: portfolio.clone(), id });
    let by_user = user.as_ref().and_then(|name| turn.work.names.of(name));
    let person = match (answered, by_user, who.number) {
        (Some(number), ..) => turn.work.names.of_number(number),
        (None, Some(person), _) => person,
        (None, None, Some(number)) => turn.work.names.of_number(number),
        (None, None, None) => return None,
    };
    let mut key = pair_with(turn, sender, person);
    if answered.is_none()
        && let Some(number) = who.number
    {
        key.person = learn_number(turn, at, sender, key.person, number);
    }
    if let Some(id) = &who.user_id {
        key.person = learn_id(turn, at, sender, key.person, &portfolio, id);
    }
    Some(pair_with(turn, sender, key.person))
}

/// Adds a number that the platform reported for the person. Returns the person, which may be another record now.
pub(super) fn learn_number(
    turn: &mut Turn<'_>,
    at: Timestamp,
    sender: Phone,
    person: PersonId,
    number: Phone,
) -> PersonId {
    let owner = turn.work.names.all_of_number(number).next();
    match owner {
        Some(owner) if owner == person => person,
        Some(owner) => {
            unite(turn, at, Some(sender), person, owner);
            turn.work.names.of_number(number)
        }
        None => {
            add_name(turn, person, Name::Number(number));
            person
        }
    }
}

/// Adds the number under which the platform sent a message of ours to the person.
pub(super) fn learn_spelling(turn: &mut Turn<'_>, message: MessageId, number: Phone) {
    let Some(numbers) = turn.work.messages.get(message).map(Message::numbers) else { return };
    let key = pair(turn, numbers);
    learn_number(turn, turn.now, key.sender, key.person, number);
}

/// Adds a user id that the platform reported for the person. Returns the person, which may be another record now.
pub(super) fn learn_id(
    turn: &mut Turn<'_>,
    at: Timestamp,
    sender: Phone,
    person: PersonId,
    portfolio: &Portfolio,
    id: &UserId,
) -> PersonId {
    let name = Name::User { portfolio: portfolio.clone(), id: id.clone() };
    match turn.work.names.of(&name) {
        Some(owner) if owner == person => person,
        Some(owner) => {
            unite(turn, at, Some(sender), person, owner);
            person.min(owner)
        }
        None => {
            if turn.work.persons.get(person).is_some_and(|known| known.has_other_id(portfolio, id)) {
                owner_changed(turn, at, person, portfolio);
            }
            add_name(turn, person, name);
            person
        }
    }
}

fn add_name(turn: &mut Turn<'_>, person: PersonId, name: Name) {
    turn.work.persons.change(person, |person| person.names.insert(name));
    if let Some(person) = turn.work.persons.get(person) {
        turn.work.names.learn(person);
    }
}

/// A known number arrived with another user id, so it has a new owner. The permissions of the former owner end, and the
/// former id no longer belongs to this person. A refusal stays.
fn owner_changed(turn: &mut Turn<'_>, at: Timestamp, person: PersonId, portfolio: &Portfolio) {
    let former = |name: &Name| matches!(name, Name::User { portfolio: scope, .. } if scope == portfolio);
    let gone: Vec<Name> = turn
        .work
        .persons
        .change(person, |person| person.names.extract_if(.., former).collect())
        .unwrap_or_default();
    gone.iter().for_each(|name| turn.work.names.forget(name));
    for key in pairs_of(turn, person) {
        let cause = || Line::because("The number came with another user id, so it may have a new owner.");
        permission_log::change(turn, key, at, cause, ledger::owner_changed);
    }
}

pub(super) fn pairs_of(turn: &Turn<'_>, person: PersonId) -> Vec<PairKey> {
    turn.work.pairs.values().map(|pair| pair.key).filter(|key| key.person == person).collect()
}

/// Merges two records of one person. The older id stays, with the stricter permissions, the counts of both, and both
/// fences. Both timelines get a line.
fn unite(turn: &mut Turn<'_>, at: Timestamp, sender: Option<Phone>, one: PersonId, other: PersonId) {
    let (kept, gone) = (one.min(other), one.max(other));
    let Some(record) = turn.work.persons.remove(gone).filter(|_| kept != gone) else { return };
    turn.work.persons.hold(kept, Person::unknown(kept));
    turn.work.persons.change(kept, |person| person.absorb(&record));
    if let Some(person) = turn.work.persons.get(kept) {
        turn.work.names.learn(person);
    }
    let mut senders: BTreeSet<Phone> = pairs_of(turn, kept).into_iter().map(|key| key.sender).collect();
    senders.extend(sender);
    for key in pairs_of(turn, gone) {
        senders.insert(key.sender);
        let Some(ledger) = turn.work.pairs.remove(key) else { continue };
        let into = PairKey { person: kept, ..key };
        turn.work.pairs.hold(into, Pair::unknown(into));
        let calls = |pair: &Pair| pair.live_inbound.is_some();
        if calls(&ledger) && turn.work.pairs.get(into).is_some_and(calls) {
            turn.give_back(&Holds::inbound(key.sender));
        }
        let cause = || Line::because("Two records proved to be one person.");
        permission_log::change(turn, into, at, cause, |kept| kept.absorb(&ledger));
    }
    if record.version > 0 {
        turn.work.united.push((gone, record.version));
    }
    for sender in senders {
        let why = "Two records proved to be one person; the stricter permission applies, and the counts of both are added.";
        let line = Line::new("person.united", why);
        turn.work.note(at, line.of_pair(PairKey { sender, person: kept }));
    }
}

/// Records a refusal of the person, which binds every sender.
pub(super) fn refuse(turn: &mut Turn<'_>, key: PairKey, kind: RefusalKind, at: Timestamp) {
    let refusal = Refusal { kind, sender: key.sender, at };
    turn.work.persons.change(key.person, |person| person.refuse(refusal));
}

/// Ends the refusals of the person, for every sender.
pub(super) fn start_again(turn: &mut Turn<'_>, key: PairKey, at: Timestamp, how: Restart) {
    let ended = turn.work.persons.change(key.person, |person| person.start_again(at, how));
    let is_free =
        turn.work.persons.get(key.person).is_some_and(|person| {
            person.refusals.iter().all(|refusal| refusal.kind == RefusalKind::Marketing)
        });
    if !is_free {
        return;
    }
    let why = match how {
        Restart::Word => "The consumer wrote START, or a word for it.",
        Restart::Called => "The consumer called.",
        Restart::Allowed => "The consumer allows calls, and so may be spoken to again.",
        Restart::Resumed => "The consumer wants marketing messages again.",
    };
    for other in pairs_of(turn, key.person) {
        permission_log::change(turn, other, at, || Line::because(why), ledger::started_again);
    }
    if ended == Some(true) {
        turn.work.note(at, Line::new("person.started_again", why).of_pair(key));
    }
}

/// Ends the refusal of marketing. The permissions stay as they are.
pub(super) fn resume_marketing(turn: &mut Turn<'_>, key: PairKey, at: Timestamp) {
    let ended = turn.work.persons.change(key.person, |person| person.start_again(at, Restart::Resumed));
    if ended == Some(true) {
        let why = "The consumer wants marketing messages again.";
        turn.work.note(at, Line::new("person.resumed_marketing", why).of_pair(key));
    }
}
