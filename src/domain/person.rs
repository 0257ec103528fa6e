//! A person: the consumer, under every name by which the person is known.
//!
//! The platform may name a person by several spellings of one number, by a user id, or by another number. Refusals and
//! the call in progress belong to the person and not to a number. We always dial the number that was ordered.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use super::{AttemptId, Phone, Suppression, spelling};

/// Identifies a person: the number by which the person was first known, in its key spelling. It may be a number that
/// cannot be dialled. Prints masked, as a number does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(Phone);

impl PersonId {
    /// The person of a number without a record.
    #[must_use]
    pub fn of(number: Phone) -> Self {
        Self(spelling::key(number))
    }

    /// A stored id. It may be another spelling than the key of today's table.
    #[must_use]
    pub const fn from_stored(number: Phone) -> Self {
        Self(number)
    }

    #[must_use]
    pub const fn number(self) -> Phone {
        self.0
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The operator's name of a Meta business portfolio. A user id identifies a person within one portfolio.
pub type Portfolio = Arc<str>;

/// The portfolio of accounts without a configured one.
pub const PORTFOLIO_DEFAULT: &str = "default";

/// WhatsApp's id of a user for one business portfolio, such as `GB.1349120865530274` (Meta, *Business-scoped user
/// IDs*, 5 Nov 2026). Case matters. Prints masked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(Arc<str>);

/// The text is not a user id. The error does not contain the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a user id: expected two capital letters, a dot, and up to 128 letters and digits")]
pub struct UserIdError;

impl UserId {
    /// The id without a mask. Do not log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserId {
    type Err = UserIdError;

    /// With or without the prefix of its channel. A parent id has `ENT.` after the country.
    fn from_str(text: &str) -> Result<Self, UserIdError> {
        let id = text.strip_prefix("whatsapp:").unwrap_or(text);
        let (country, rest) = id.split_once('.').ok_or(UserIdError)?;
        let rest = rest.strip_prefix("ENT.").unwrap_or(rest);
        let is_country = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
        let is_id = (1..=128).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric());
        if is_country && is_id { Ok(Self(id.into())) } else { Err(UserIdError) }
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text is ASCII.
        let shown = self.0.len().saturating_sub(4).max(3);
        write!(f, "{}***{}", &self.0[..3], self.0.get(shown..).unwrap_or_default())
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One name of a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    Number(Phone),
    User { portfolio: Portfolio, id: UserId },
}

impl Name {
    /// The number, if it is one.
    #[must_use]
    pub const fn number(&self) -> Option<Phone> {
        match self {
            Self::Number(number) => Some(*number),
            Self::User { .. } => None,
        }
    }
}

/// The names of a consumer in one report of the platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    pub number: Option<Phone>,
    pub user_id: Option<UserId>,
}

impl Named {
    #[must_use]
    pub const fn number(number: Phone) -> Self {
        Self { number: Some(number), user_id: None }
    }

    /// All names in the report. `portfolio` is that of the sender.
    pub fn names(&self, portfolio: &Portfolio) -> impl Iterator<Item = Name> {
        let user = self.user_id.clone().map(|id| Name::User { portfolio: portfolio.clone(), id });
        self.number.map(Name::Number).into_iter().chain(user)
    }
}

/// One refusal of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub kind: RefusalKind,
    /// The sender whom the person refused.
    pub sender: Phone,
    pub at: Timestamp,
}

/// How a person refuses. The names are stored and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum RefusalKind {
    /// Answered a permission request with no.
    Decline,
    /// Took a permission back.
    Revocation,
    /// Wrote STOP, or a word for it in another language.
    Stop,
    /// The platform says that the person wants no messages (21610, 131050).
    OptOut,
    /// The platform says that the person has blocked the sender (63014).
    Block,
    /// An operator recorded a refusal that was given elsewhere.
    Operator,
    /// The platform says that the person wants no marketing messages (`user_preferences`). It is no refusal of anything
    /// else.
    Marketing,
}

impl RefusalKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How a person ends a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Wrote START, or a word for it in another language.
    Word,
    /// Called a sender.
    Called,
    /// Allowed calls, or an operator recorded that.
    Allowed,
    /// Wants marketing messages again, by the platform.
    Resumed,
}

impl Restart {
    /// A refusal that an operator recorded ends only with a permission, and one of marketing only where it was given.
    const fn ends(self, kind: RefusalKind) -> bool {
        match (self, kind) {
            (Self::Resumed, kind) => matches!(kind, RefusalKind::Marketing),
            (_, RefusalKind::Marketing) => false,
            (Self::Allowed, _) => true,
            (Self::Word | Self::Called, kind) => !matches!(kind, RefusalKind::Operator),
        }
    }
}

/// One person, across all senders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    /// Incremented by each change. A write based on an older version is refused.
    pub version: u64,
    /// The names that we learned, without the number of the id and its spellings.
    pub names: BTreeSet<Name>,
    /// Our calls that are or may be in progress. Two only if two records turned out to be one person.
    pub live: BTreeSet<AttemptId>,
    /// At most one of each kind for each sender.
    pub refusals: Vec<Refusal>,
    /// When the last of our calls that the person answered ended.
    pub talked_until: Option<Timestamp>,
    /// When invites to call were intended that may have reached the person, by any sender and road, oldest first. Those
    /// that no longer count may be missing.
    pub invites: Vec<Timestamp>,
    /// The entries of suppression lists, as they were read with the person. They are not written with it.
    pub suppressions: Vec<Suppression>,
    /// When calls of ours were intended that rang or may have, by any sender, oldest first. Empty if the operator caps no
    /// calls; those that no longer count may be missing.
    pub calls: Vec<Timestamp>,
}

impl Person {
    /// A person of whom nothing is stored.
    #[must_use]
    pub const fn unknown(id: PersonId) -> Self {
        Self {
            id,
            version: 0,
            names: BTreeSet::new(),
            live: BTreeSet::new(),
            refusals: Vec::new(),
            talked_until: None,
            invites: Vec::new(),
            suppressions: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// Every number by which the person is known, in every certain spelling.
    #[must_use]
    pub fn numbers(&self) -> BTreeSet<Phone> {
        let learned = self.names.iter().filter_map(|name| match name {
            Name::Number(number) => Some(*number),
            Name::User { .. } => None,
        });
        std::iter::once(self.id.number()).chain(learned).flat_map(spelling::spellings).collect()
    }

    /// The person refuses. A later refusal of the same kind to the same sender replaces the earlier one.
    pub fn refuse(&mut self, refusal: Refusal) {
        let same = |known: &Refusal| known.kind == refusal.kind && known.sender == refusal.sender;
        match self.refusals.iter_mut().find(|known| same(known)) {
            Some(known) => known.at = known.at.max(refusal.at),
            None => self.refusals.push(refusal),
        }
    }

    /// The person wants contact again. Returns whether that ends a refusal. Refusals after `at` stay.
    pub fn start_again(&mut self, at: Timestamp, how: Restart) -> bool {
        let before = self.refusals.len();
        self.refusals.retain(|refusal| refusal.at > at || !how.ends(refusal.kind));
        self.refusals.len() < before
    }

    /// A call counts from `at` on, when it was intended. The same call counts once.
    pub fn called(&mut self, at: Timestamp) {
        if let Err(place) = self.calls.binary_search(&at) {
            self.calls.insert(place, at);
        }
    }

    /// The call of this time did not ring, and does not count.
    pub fn not_called(&mut self, at: Timestamp) {
        self.calls.retain(|&other| other != at);
    }

    /// An invite counts from `at` on, when it left, or was intended if it has not left.
    pub fn invited(&mut self, at: Timestamp) {
        let place = self.invites.partition_point(|&other| other <= at);
        self.invites.insert(place, at);
    }

    /// An invite that counted from `at` on did not reach the person, so it does not count.
    pub fn not_invited(&mut self, at: Timestamp) {
        if let Some(place) = self.invites.iter().rposition(|&other| other == at) {
            self.invites.remove(place);
        }
    }

    /// Whether the person has another user id in this portfolio. Then the number has a new owner, or the account is new.
    #[must_use]
    pub fn has_other_id(&self, portfolio: &Portfolio, id: &UserId) -> bool {
        self.names.iter().any(|name| match name {
            Name::User { portfolio: scope, id: known } => scope == portfolio && known != id,
            Name::Number(_) => false,
        })
    }

    /// Merges the record of the same person into this one: names, calls and refusals.
    pub fn absorb(&mut self, other: &Self) {
        self.names.extend(other.names.iter().cloned());
        if other.id != self.id {
            self.names.insert(Name::Number(other.id.number()));
        }
        self.live.extend(&other.live);
        for refusal in &other.refusals {
            self.refuse(*refusal);
        }
        self.talked_until = self.talked_until.max(other.talked_until);
        other.invites.iter().for_each(|at| self.invited(*at));
        let new = other.suppressions.iter().filter(|entry| !self.suppressions.contains(entry));
        let new: Vec<Suppression> = new.cloned().collect();
        self.suppressions.extend(new);
        other.calls.iter().for_each(|at| self.called(*at));
    }
}

/// An index of the people that were read, by their names.
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeMap<Name, PersonId>);

impl Names {
    /// Adds all names of a person. A name of another person moves to this one.
    pub fn learn(&mut self, person: &Person) {
        self.0.insert(Name::Number(person.id.number()), person.id);
        self.0.extend(person.names.iter().map(|name| (name.clone(), person.id)));
    }

    /// A person has lost a name.
    pub fn forget(&mut self, name: &Name) {
        self.0.remove(name);
    }

    /// The person of a number in any spelling; a new person if none was read.
    #[must_use]
    pub fn of_number(&self, number: Phone) -> PersonId {
        self.all_of_number(number).next().unwrap_or_else(|| PersonId::of(number))
    }

    /// All records with a certain spelling of the number. If there are several, they are one person.
    pub fn all_of_number(&self, number: Phone) -> impl Iterator<Item = PersonId> {
        spelling::spellings(number).into_iter().filter_map(|told| self.0.get(&Name::Number(told)).copied())
    }

    #[must_use]
    pub fn of(&self, name: &Name) -> Option<PersonId> {
        self.0.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn number(text: &str) -> Phone {
        Phone::told(text).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_790_000_000 + second, 0)
    }

    #[test]
    fn two_spellings_of_a_number_are_one_person() {
        let (old, new) = (number("+5215555500142"), number("+525555500142"));
        assert_eq!(PersonId::of(old), PersonId::of(new));
        assert_ne!(PersonId::of(new), PersonId::of(number("+525555500143")));
    }

    #[test]
    fn a_user_id_is_read_whole_with_and_without_its_channel_and_shown_masked() {
        let id: UserId = "whatsapp:GB.1349120865530274".parse().unwrap();
        assert_eq!(id, "GB.1349120865530274".parse().unwrap());
        assert_eq!((id.as_str(), id.to_string()), ("GB.1349120865530274", "GB.***0274".to_owned()));
        assert_ne!(id, "GB.ENT.1349120865530274".parse().unwrap());
        assert_eq!("GB.1".parse::<UserId>().unwrap().to_string(), "GB.***1");
        let longest = format!("GB.{}", "a".repeat(128));
        assert!(longest.parse::<UserId>().is_ok());
        let too_long = longest + "a";
        for text in [
            "+447700900142",
            "447700900142",
            "GB.",
            "gb.12",
            "G.12",
            "GBR.12",
            "GB.1-2",
            "GB.1 2",
            "",
            &too_long,
        ] {
            assert_eq!(text.parse::<UserId>(), Err(UserIdError), "{text}");
        }
    }

    #[test]
    fn a_person_has_every_spelling_of_every_number() {
        let mut person = Person::unknown(PersonId::of(number("+525555500142")));
        person.names.insert(Name::Number(number("+5531987650144")));
        let numbers = person.numbers();
        for known in ["+525555500142", "+5215555500142", "+5531987650144", "+553187650144"] {
            assert!(numbers.contains(&number(known)), "{known}");
        }
        assert!(!numbers.contains(&number("+5531987650145")));
    }

    fn refusal(kind: RefusalKind, second: i64) -> Refusal {
        Refusal { kind, sender: number("+551151991234"), at: at(second) }
    }

    #[test]
    fn a_word_ends_what_the_person_said_before_and_not_what_an_operator_recorded() {
        let said = [
            RefusalKind::Decline,
            RefusalKind::Revocation,
            RefusalKind::Stop,
            RefusalKind::OptOut,
            RefusalKind::Block,
        ];
        for (how, operators_stays) in
            [(Restart::Word, true), (Restart::Called, true), (Restart::Allowed, false)]
        {
            let mut person = Person::unknown(PersonId::of(number("+525555500142")));
            said.into_iter().chain([RefusalKind::Operator]).for_each(|kind| person.refuse(refusal(kind, 0)));
            assert!(!person.start_again(at(-1), how), "{how:?} came before");
            assert!(person.start_again(at(0), how));
            let left: Vec<_> = person.refusals.iter().map(|refusal| refusal.kind).collect();
            assert_eq!(left, if operators_stays { vec![RefusalKind::Operator] } else { Vec::new() });
            assert!(!person.start_again(at(0), how));
        }
    }

    #[test]
    fn a_refusal_is_kept_once_for_each_kind_and_sender_with_its_latest_time() {
        let mut person = Person::unknown(PersonId::of(number("+525555500142")));
        person.refuse(refusal(RefusalKind::Stop, 5));
        person.refuse(refusal(RefusalKind::Stop, 3));
        person.refuse(refusal(RefusalKind::Decline, 1));
        person.refuse(Refusal { sender: number("+551151995678"), ..refusal(RefusalKind::Stop, 9) });
        assert_eq!(person.refusals.len(), 3);
        assert_eq!(person.refusals[0].at, at(5));
    }

    #[test]
    fn two_records_of_one_person_become_one_with_all_of_both() {
        let attempt = |n| AttemptId::new(Uuid::from_u128(n));
        let mut kept = Person::unknown(PersonId::of(number("+525555500142")));
        let mut gone = Person::unknown(PersonId::of(number("+447700900142")));
        kept.live.insert(attempt(1));
        gone.live.insert(attempt(2));
        gone.refuse(refusal(RefusalKind::Stop, 1));
        gone.talked_until = Some(at(7));
        (kept.calls, gone.calls) = (vec![at(1), at(5)], vec![at(3), at(5)]);
        gone.names.insert(Name::User { portfolio: PORTFOLIO_DEFAULT.into(), id: "GB.12".parse().unwrap() });
        kept.absorb(&gone);
        assert_eq!(kept.live, BTreeSet::from([attempt(1), attempt(2)]));
        assert_eq!(kept.calls, [at(1), at(3), at(5)]);
        assert_eq!((kept.refusals, kept.talked_until), (vec![refusal(RefusalKind::Stop, 1)], Some(at(7))));
        assert!(kept.names.contains(&Name::Number(number("+447700900142"))));
        assert_eq!(kept.names.len(), 2);
    }

    #[test]
    fn a_refusal_of_marketing_ends_only_when_the_platform_says_so_and_nothing_else_does_then() {
        for (how, left) in [
            (Restart::Word, RefusalKind::Marketing),
            (Restart::Called, RefusalKind::Marketing),
            (Restart::Allowed, RefusalKind::Marketing),
            (Restart::Resumed, RefusalKind::Stop),
        ] {
            let mut person = Person::unknown(PersonId::of(number("+5511987654321")));
            [RefusalKind::Stop, RefusalKind::Marketing]
                .into_iter()
                .for_each(|kind| person.refuse(refusal(kind, 0)));
            person.start_again(at(1), how);
            let kinds: Vec<_> = person.refusals.iter().map(|refusal| refusal.kind).collect();
            assert_eq!(kinds, [left], "{how:?}");
        }
    }

    #[test]
    fn another_id_in_the_same_portfolio_is_somebody_new() {
        let mut person = Person::unknown(PersonId::of(number("+447700900142")));
        let (ours, theirs): (Portfolio, Portfolio) = ("default".into(), "other".into());
        let id = |text: &str| text.parse::<UserId>().unwrap();
        assert!(!person.has_other_id(&ours, &id("GB.1")));
        person.names.insert(Name::User { portfolio: ours.clone(), id: id("GB.1") });
        assert!(!person.has_other_id(&ours, &id("GB.1")));
        assert!(person.has_other_id(&ours, &id("GB.2")));
        assert!(!person.has_other_id(&theirs, &id("GB.2")));
    }
}
