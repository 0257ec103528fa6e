//! All pauses that are known, found by what they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::{
    AccountAlias, CampaignId, ContentRef, Directory, Gate, Pause, PauseId, PauseScope, Phone, Resource,
    Sender, Tenant, campaign, spelling,
};

/// The pauses that were not lifted. One that has ended by itself can be among them; it holds nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pauses {
    pauses: BTreeMap<PauseId, Arc<Pause>>,
    /// Those of everything, of accounts, of senders, of campaigns and of content.
    wide: BTreeMap<PauseScope, BTreeSet<PauseId>>,
    /// Those of people, by every number that may be the person's.
    people: BTreeMap<Phone, BTreeSet<PauseId>>,
}

impl Pauses {
    /// So many of everything, of accounts and of senders may be in force at once; and so many of people for each tenant.
    /// Those of campaigns are as few as the campaigns.
    pub const MOST: usize = 1_000;

    #[must_use]
    pub fn new(pauses: impl IntoIterator<Item = Pause>) -> Self {
        let mut all = Self::default();
        pauses.into_iter().for_each(|pause| all.set(pause));
        all
    }

    pub fn set(&mut self, pause: Pause) {
        match &pause.scope {
            PauseScope::Person(number) => {
                for number in alike(*number) {
                    self.people.entry(number).or_default().insert(pause.id);
                }
            }
            scope => _ = self.wide.entry(scope.clone()).or_default().insert(pause.id),
        }
        self.pauses.insert(pause.id, Arc::new(pause));
    }

    /// Removes a pause, if it is known.
    pub fn remove(&mut self, id: PauseId) -> Option<Arc<Pause>> {
        let pause = self.pauses.remove(&id)?;
        if let PauseScope::Person(number) = &pause.scope {
            alike(*number).iter().for_each(|number| take(&mut self.people, number, id));
        } else {
            take(&mut self.wide, &pause.scope, id);
        }
        Some(pause)
    }

    /// Removes those that have ended.
    pub fn forget_ended(&mut self, now: Timestamp) {
        let ended = self.pauses.values().filter(|pause| !pause.is_in_force(now)).map(|pause| pause.id);
        for id in ended.collect::<Vec<_>>() {
            self.remove(id);
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pauses.is_empty()
    }

    /// Whether one more of this scope may be set for this tenant. Those of people leave room for the others, and those of
    /// one tenant for those of the next. Those of content do not count: the configuration bounds them.
    #[must_use]
    pub fn has_room(&self, scope: &PauseScope, tenant: &Tenant, now: Timestamp) -> bool {
        let is_person = |scope: &PauseScope| matches!(scope, PauseScope::Person(_));
        if scope.campaign().is_some() {
            return true;
        }
        let is_content = |scope: &PauseScope| matches!(scope, PauseScope::Content(..));
        let counts = |pause: &&Arc<Pause>| {
            pause.is_in_force(now)
                && pause.scope.campaign().is_none()
                && !is_content(&pause.scope)
                && is_person(&pause.scope) == is_person(scope)
                && (!is_person(scope) || pause.tenant == *tenant)
        };
        self.pauses.values().filter(counts).count() < Self::MOST
    }

    /// One that is in force.
    #[must_use]
    pub fn get(&self, id: PauseId, now: Timestamp) -> Option<&Arc<Pause>> {
        self.pauses.get(&id).filter(|pause| pause.is_in_force(now))
    }

    /// Those in force, in the order in which they were set.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> Vec<&Arc<Pause>> {
        let mut found: Vec<_> = self.pauses.values().filter(|pause| pause.is_in_force(now)).collect();
        found.sort_by_key(|pause| (pause.from, pause.id));
        found
    }

    /// Those that hold a sender's calls of a campaign to a person with these numbers, whether or not they have ended.
    pub fn of(
        &self,
        sender: &Sender,
        campaign: Option<CampaignId>,
        numbers: impl IntoIterator<Item = Phone>,
    ) -> Vec<Arc<Pause>> {
        if self.is_empty() {
            return Vec::new();
        }
        let campaign = campaign.into_iter().flat_map(|id| self.of_campaign(id));
        let people = numbers.into_iter().filter_map(|number| self.people.get(&number));
        let ids: BTreeSet<PauseId> = people.flatten().copied().collect();
        let people = ids.iter().filter_map(|id| self.pauses.get(id));
        let wide = self.wide(Some(&sender.account), Some(sender.number));
        wide.chain(campaign).chain(people).cloned().collect()
    }

    /// Those of a campaign alone, whether or not they have ended.
    pub fn of_campaign(&self, id: CampaignId) -> impl Iterator<Item = &Arc<Pause>> {
        let scopes = [PauseScope::Campaign(id), PauseScope::Draft(id), PauseScope::Canceled(id)];
        let ids = scopes.into_iter().filter_map(|scope| self.wide.get(&scope)).flatten();
        ids.filter_map(|id| self.pauses.get(id))
    }

    /// The pause that holds everything that a sender sends; of several, the one that ends last.
    #[must_use]
    pub fn of_sender(&self, sender: &Sender, now: Timestamp) -> Option<&Arc<Pause>> {
        last(self.wide(Some(&sender.account), Some(sender.number)), now)
    }

    /// Those of an account alone, whether or not they have ended.
    pub fn of_account(&self, alias: &AccountAlias) -> impl Iterator<Item = &Arc<Pause>> {
        let ids = self.wide.get(&PauseScope::Account(Arc::clone(alias))).into_iter().flatten();
        ids.filter_map(|id| self.pauses.get(id))
    }

    /// The pause of an account alone; of several, the one that ends last.
    #[must_use]
    pub fn last_of_account(&self, alias: &AccountAlias, now: Timestamp) -> Option<&Arc<Pause>> {
        last(self.of_account(alias), now)
    }

    /// Those of the content that a sender uses, whether or not they have ended. Costs nothing while no content is paused.
    #[must_use]
    pub fn of_contents(&self, sender: &Sender) -> Vec<Arc<Pause>> {
        // In the order of the scopes, content is the last one.
        if !matches!(self.wide.last_key_value(), Some((PauseScope::Content(..), _))) {
            return Vec::new();
        }
        let found = sender.contents().flat_map(|(alias, content)| self.at_content(alias, content));
        found.cloned().collect()
    }

    /// The pause of one content of an account; of several, the one that ends last.
    #[must_use]
    pub fn of_content(
        &self,
        alias: &AccountAlias,
        content: &ContentRef,
        now: Timestamp,
    ) -> Option<&Arc<Pause>> {
        last(self.at_content(alias, content), now)
    }

    fn at_content(&self, alias: &AccountAlias, content: &ContentRef) -> impl Iterator<Item = &Arc<Pause>> {
        let scope = PauseScope::Content(Arc::clone(alias), content.clone());
        let ids = self.wide.get(&scope).into_iter().flatten();
        ids.filter_map(|id| self.pauses.get(id))
    }

    /// The pause that holds all callbacks at a gate, so that none of them is read; of several, the one that ends last.
    /// A gate of several is as closed as its parts.
    #[must_use]
    pub fn at_gate(&self, gate: &Gate, directory: &Directory, now: Timestamp) -> Option<&Arc<Pause>> {
        let account = |number: &Phone| directory.sender(*number).map(|sender| &sender.account);
        let (account, sender) = match gate {
            Gate::Pause(id) => return self.get(*id, now),
            Gate::Any(_) => return None,
            Gate::Account(alias)
            | Gate::Room(Resource::Account(alias))
            | Gate::Offer(Resource::Account(alias)) => (Some(alias), None),
            Gate::Rest(number)
            | Gate::Part(number, _)
            | Gate::Room(Resource::Sender(number))
            | Gate::Offer(Resource::Sender(number)) => (account(number), Some(*number)),
            Gate::Room(Resource::Campaign(name)) => {
                let campaign = campaign::campaign_id(name).into_iter();
                let own = campaign.flat_map(|id| self.of_campaign(id));
                return last(self.wide(None, None).chain(own), now);
            }
            Gate::Pace(id) => return last(self.wide(None, None).chain(self.of_campaign(*id)), now),
            Gate::Room(_) | Gate::Offer(_) | Gate::Token(..) | Gate::Calendar(..) => (None, None),
        };
        last(self.wide(account, sender), now)
    }

    fn wide<'a>(
        &'a self,
        account: Option<&AccountAlias>,
        sender: Option<Phone>,
    ) -> impl Iterator<Item = &'a Arc<Pause>> {
        let account = account.map(|alias| PauseScope::Account(Arc::clone(alias)));
        let scopes = [Some(PauseScope::All), account, sender.map(PauseScope::Sender)];
        let ids = scopes.into_iter().flatten().filter_map(|scope| self.wide.get(&scope)).flatten();
        ids.filter_map(|id| self.pauses.get(id))
    }
}

/// Of those in force the one that ends last.
fn last<'a>(pauses: impl Iterator<Item = &'a Arc<Pause>>, now: Timestamp) -> Option<&'a Arc<Pause>> {
    pauses.filter(|pause| pause.is_in_force(now)).max_by_key(|pause| (pause.ends_at(), pause.id))
}

/// Every number that may be that of the same person.
fn alike(number: Phone) -> BTreeSet<Phone> {
    let possibly = spelling::possibly(number);
    let all = possibly.into_iter().chain([number]);
    all.flat_map(|number| spelling::spellings(number).into_iter().chain([number])).collect()
}

fn take<K: Ord>(index: &mut BTreeMap<K, BTreeSet<PauseId>>, key: &K, id: PauseId) {
    if let Some(ids) = index.get_mut(key) {
        ids.remove(&id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Tenant, TokenUse};

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_790_000_000 + second, 0)
    }

    fn number(text: &str) -> Phone {
        Phone::told(text).unwrap()
    }

    fn pause(n: u128, scope: PauseScope, until: Option<i64>) -> Pause {
        Pause {
            id: PauseId::new(Uuid::from_u128(n)),
            scope,
            tenant: Tenant::default(),
            who: "ops".into(),
            why: "a fire drill".into(),
            from: at(0),
            until: until.map(at),
        }
    }

    fn ids<'a>(pauses: impl IntoIterator<Item = &'a Arc<Pause>>) -> Vec<u128> {
        pauses.into_iter().map(|pause| pause.id.uuid().as_u128()).collect()
    }

    fn senders() -> [Sender; 2] {
        let other = Sender::new(number("+551151995678"), "other");
        [Sender::new(number("+551151991234"), "main"), other]
    }

    #[test]
    fn a_pause_holds_what_its_scope_names_and_nothing_else() {
        let [ours, other] = senders();
        let (mexican, stranger) = (number("+525555500142"), number("+447700900142"));
        let all = Pauses::new([
            pause(1, PauseScope::All, None),
            pause(2, PauseScope::Account("main".into()), None),
            pause(3, PauseScope::Sender(ours.number), None),
            pause(4, PauseScope::Person(number("+5215555500142")), None),
        ]);
        assert_eq!(ids(&all.of(&ours, None, [mexican])), [1, 2, 3, 4], "in whatever spelling");
        assert_eq!(ids(&all.of(&other, None, [stranger])), [1]);
        assert_eq!(ids(&all.of(&other, None, [stranger, mexican])), [1, 4], "under any of the numbers");
        assert!(Pauses::default().of(&ours, None, [mexican]).is_empty());
    }

    #[test]
    fn a_person_is_also_held_under_a_number_that_may_be_another_ones() {
        let (one, other) = alike_numbers();
        let pauses = Pauses::new([pause(1, PauseScope::Person(one), None)]);
        assert_eq!(ids(&pauses.of(&senders()[0], None, [other])), [1]);
    }

    /// Two numbers that may belong to one person.
    fn alike_numbers() -> (Phone, Phone) {
        use spelling::{Certainty, RULES};
        let rule = RULES.iter().find(|rule| rule.certainty == Certainty::Possible).unwrap();
        let (told, key) = rule.applies_to;
        (number(told), number(key))
    }

    #[test]
    fn what_is_removed_or_has_ended_holds_nothing() {
        let [ours, _] = senders();
        let person = number("+525555500142");
        let mut pauses = Pauses::new([
            pause(1, PauseScope::All, Some(10)),
            pause(2, PauseScope::Person(person), Some(20)),
            pause(3, PauseScope::Person(person), None),
        ]);
        let second = PauseId::new(Uuid::from_u128(2));
        assert_eq!(ids(pauses.in_force(at(9))), [1, 2, 3]);
        assert_eq!(ids(pauses.in_force(at(10))), [2, 3]);
        assert_eq!(pauses.get(second, at(19)).map(|pause| pause.id), Some(second));
        assert_eq!(pauses.get(second, at(20)), None);
        pauses.forget_ended(at(10));
        assert_eq!(ids(&pauses.of(&ours, None, [person])), [2, 3]);
        assert!(pauses.remove(second).is_some() && pauses.remove(second).is_none());
        assert_eq!(ids(&pauses.of(&ours, None, [person])), [3]);
        pauses.remove(PauseId::new(Uuid::from_u128(3)));
        assert_eq!(pauses, Pauses::default(), "nothing is left behind");
    }

    #[test]
    fn a_gate_is_closed_by_the_pause_that_holds_all_behind_it_and_ends_last() {
        let [ours, other] = senders();
        let directory = Directory::new([ours.clone(), other.clone()]);
        let (main, person) = (PauseScope::Account("main".into()), number("+525555500142"));
        let pauses = Pauses::new([
            pause(1, main.clone(), Some(20)),
            pause(2, PauseScope::Sender(ours.number), Some(30)),
            pause(3, PauseScope::Person(person), None),
        ]);
        let closed = |pauses: &Pauses, gate: &Gate, second| {
            pauses.at_gate(gate, &directory, at(second)).map(|pause| pause.id.uuid().as_u128())
        };
        let account = |name: &str| Gate::Account(name.into());
        for (gate, by) in [
            (account("main"), Some(1)),
            (Gate::Room(Resource::Account("main".into())), Some(1)),
            (Gate::sender(ours.number), Some(2)),
            (Gate::Rest(ours.number), Some(2)),
            (Gate::Part(ours.number, crate::domain::SenderPart::Placed), Some(2)),
            (Gate::Pause(PauseId::new(Uuid::from_u128(3))), Some(3)),
            (account("other"), None),
            (Gate::sender(other.number), None),
            (Gate::campaign("spring"), None),
            (account("main").or(account("other")), None),
        ] {
            assert_eq!(closed(&pauses, &gate, 5), by, "{gate:?}");
        }
        assert_eq!(closed(&pauses, &Gate::sender(ours.number), 29), Some(2));
        assert_eq!(closed(&pauses, &Gate::sender(ours.number), 30), None);
        let everything = Pauses::new([pause(1, PauseScope::All, Some(9)), pause(2, main, Some(8))]);
        let token = Gate::Token("default/crm".parse().unwrap(), TokenUse::Call);
        for gate in [Gate::campaign("spring"), token, account("main"), Gate::sender(other.number)] {
            assert_eq!(closed(&everything, &gate, 5), Some(1), "{gate:?}");
        }
        let unknown = Gate::Pause(PauseId::new(Uuid::from_u128(9)));
        assert_eq!(closed(&everything, &unknown, 5), None, "what is lifted is open");
        assert_eq!(everything.of_sender(&other, at(8)).map(|pause| pause.ends_at()), Some(at(9)));
        assert_eq!(everything.of_sender(&other, at(9)), None);
    }

    #[test]
    fn a_campaigns_pauses_hold_its_callbacks_and_the_gate_of_its_ceiling_alone() {
        let [ours, _] = senders();
        let directory = Directory::new([ours.clone()]);
        let campaign = |n| CampaignId::new(Uuid::from_u128(n));
        let pauses = Pauses::new([
            pause(1, PauseScope::Campaign(campaign(7)), Some(10)),
            pause(2, PauseScope::Draft(campaign(8)), None),
            pause(3, PauseScope::Canceled(campaign(9)), None),
        ]);
        let of = |n: Option<u128>| ids(&pauses.of(&ours, n.map(campaign), []));
        assert_eq!([of(Some(7)), of(Some(8)), of(Some(9))], [[1], [2], [3]].map(Vec::from));
        assert!(of(None).is_empty() && of(Some(6)).is_empty());
        let closed = |name: &str, second| {
            let gate = Gate::campaign(name);
            pauses.at_gate(&gate, &directory, at(second)).map(|pause| pause.id.uuid().as_u128())
        };
        let name = campaign(7).to_string();
        assert_eq!((closed(&name, 9), closed(&name, 10), closed("spring", 9)), (Some(1), None, None));
        assert_eq!(pauses.at_gate(&Gate::sender(ours.number), &directory, at(9)), None);
        let full =
            Pauses::new((1..=Pauses::MOST as u128).map(|n| pause(n, PauseScope::Draft(campaign(n)), None)));
        assert!(full.has_room(&PauseScope::All, &Tenant::default(), at(0)), "they take no room of others");
    }

    #[test]
    fn content_is_paused_by_its_account_and_name_and_holds_nothing_else() {
        let [ours, _] = senders();
        let [one, two]: [ContentRef; 2] = ["HXone", "HXtwo"].map(|name| name.parse().unwrap());
        let sender =
            Sender { invite: Some(one.clone()), permission_template: Some(two.clone()), ..ours.clone() };
        let content = |alias: &str, content: &ContentRef| PauseScope::Content(alias.into(), content.clone());
        let mut pauses = Pauses::new([
            pause(1, content("main", &one), Some(20)),
            pause(2, content("main", &one), Some(30)),
            pause(3, content("other", &two), Some(30)),
        ]);
        let found = |pauses: &Pauses, sender: &Sender| -> Vec<u128> {
            pauses.of_contents(sender).iter().map(|pause| pause.id.uuid().as_u128()).collect()
        };
        assert_eq!(found(&pauses, &sender), [1, 2], "of its own accounts only");
        assert_eq!(found(&pauses, &ours), Vec::<u128>::new(), "it does not use them");
        assert!(pauses.of(&sender, None, [number("+525555500142")]).is_empty(), "calls go on");
        assert_eq!(pauses.of_sender(&sender, at(5)), None);
        let ends_at =
            |second| pauses.of_content(&"main".into(), &one, at(second)).map(|pause| pause.ends_at());
        assert_eq!([29, 30].map(ends_at), [Some(at(30)), None]);
        for id in 1..=3 {
            pauses.remove(PauseId::new(Uuid::from_u128(id)));
        }
        assert_eq!(pauses, Pauses::default(), "nothing is left behind");
    }

    #[test]
    fn the_pauses_of_people_leave_room_for_the_others() {
        let person = || PauseScope::Person(Phone::parse("+447700900101").unwrap());
        let full = (0..Pauses::MOST as u128).map(|n| pause(n, person(), Some(10)));
        let pauses = Pauses::new(full);
        let (own, other) = (Tenant::default(), "other".parse().unwrap());
        assert!(!pauses.has_room(&person(), &own, at(9)));
        assert!(pauses.has_room(&person(), &own, at(10)), "they have ended");
        assert!(pauses.has_room(&person(), &other, at(9)));
        assert!(pauses.has_room(&PauseScope::All, &own, at(9)));
        let wide = Pauses::new((1..=Pauses::MOST as u128).map(|n| pause(n, PauseScope::All, None)));
        assert!(!wide.has_room(&PauseScope::All, &other, at(9)) && wide.has_room(&person(), &own, at(9)));
    }
}
