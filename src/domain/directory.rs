//! The senders that the operator declared, by number.

use std::collections::{BTreeMap, BTreeSet};

use super::{AccountAlias, GroupName, Phone, Sender};

/// All senders of all accounts. A number belongs to one account only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    senders: BTreeMap<Phone, Sender>,
    /// The dialling groups of accounts that are not in `main`.
    groups: BTreeMap<AccountAlias, GroupName>,
    main: GroupName,
}

impl Directory {
    #[must_use]
    pub fn new(senders: impl IntoIterator<Item = Sender>) -> Self {
        let senders = senders.into_iter().map(|sender| (sender.number, sender)).collect();
        Self { senders, ..Self::default() }
    }

    /// The same, with the dialling groups of these accounts. Every other account is in the group `main`.
    #[must_use]
    pub fn with_groups(self, groups: impl IntoIterator<Item = (AccountAlias, GroupName)>) -> Self {
        Self { groups: groups.into_iter().collect(), ..self }
    }

    /// The dialling group of an account.
    #[must_use]
    pub fn group_of(&self, account: &AccountAlias) -> &GroupName {
        self.groups.get(account).unwrap_or(&self.main)
    }

    /// The dialling group of an order with these senders: that of the first one that is declared, or else `main`.
    #[must_use]
    pub fn group_of_senders(&self, senders: &[Phone]) -> GroupName {
        let first = senders.iter().find_map(|number| self.sender(*number));
        first.map_or_else(GroupName::default, |sender| self.group_of(&sender.account).clone())
    }

    /// Whether some account is in another group than `main`.
    #[must_use]
    pub fn has_groups(&self) -> bool {
        self.groups.values().any(|group| *group != self.main)
    }

    /// All dialling groups, by name; `main` only if an account of a sender is in it.
    #[must_use]
    pub fn groups(&self) -> BTreeSet<&GroupName> {
        self.accounts().into_iter().map(|account| self.group_of(account)).collect()
    }

    #[must_use]
    pub fn sender(&self, number: Phone) -> Option<&Sender> {
        self.senders.get(&number)
    }

    /// In order of their numbers.
    pub fn senders(&self) -> impl Iterator<Item = &Sender> {
        self.senders.values()
    }

    /// Every account that something leaves by: those of the senders, and those of the roads by which they invite or ask.
    #[must_use]
    pub fn accounts(&self) -> BTreeSet<&AccountAlias> {
        let of_roads = self.senders().flat_map(|sender| sender.roads.iter().map(|road| &road.account));
        let of_requests = self.senders().filter_map(|sender| Some(&sender.request_road.as_ref()?.account));
        self.senders().map(|sender| &sender.account).chain(of_roads).chain(of_requests).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Road, RoadKind};

    fn sender(number: &str) -> Sender {
        Sender::new(Phone::parse(number).unwrap(), "main")
    }

    #[test]
    fn a_sender_is_found_by_its_number_and_all_are_listed_in_order() {
        let [first, second] = ["+551151991234", "+551151995678"].map(sender);
        let directory = Directory::new([second.clone(), first.clone()]);
        assert_eq!(directory.sender(first.number), Some(&first));
        assert_eq!(directory.sender(second.number), Some(&second));
        assert_eq!(directory.sender(Phone::parse("+551151990000").unwrap()), None);
        assert!(directory.senders().eq([&first, &second]));
    }

    #[test]
    fn accounts_that_no_group_names_are_in_the_main_group() {
        let other = Sender::new(Phone::parse("+551151995678").unwrap(), "brazil");
        let brazil = "south".parse::<GroupName>().unwrap();
        let directory =
            Directory::new([sender("+551151991234"), other]).with_groups([("brazil".into(), brazil.clone())]);
        assert_eq!(directory.group_of(&"main".into()).as_str(), "main");
        assert_eq!(directory.group_of(&"brazil".into()), &brazil);
        let names: Vec<&str> = directory.groups().into_iter().map(GroupName::as_str).collect();
        assert_eq!(names, ["main", "south"]);
        assert!(directory.has_groups() && !Directory::new([sender("+551151991234")]).has_groups());
    }

    #[test]
    fn an_order_is_in_the_group_of_its_first_sender_that_is_declared() {
        let other = Sender::new(Phone::parse("+551151995678").unwrap(), "brazil");
        let south = "south".parse::<GroupName>().unwrap();
        let directory =
            Directory::new([sender("+551151991234"), other]).with_groups([("brazil".into(), south)]);
        for (senders, group) in [
            (&["+551151995678"][..], "south"),
            (&["+551151991234"], "main"),
            (&["+551151990000", "+551151995678"], "south"),
            (&["+551151990000"], "main"),
            (&[], "main"),
        ] {
            let senders: Vec<Phone> = senders.iter().map(|number| Phone::parse(number).unwrap()).collect();
            assert_eq!(directory.group_of_senders(&senders).as_str(), group, "{senders:?}");
        }
    }

    #[test]
    fn accounts_are_those_of_senders_and_of_their_roads_each_once() {
        let road = |account: &str| Road {
            kind: RoadKind::Messenger,
            account: account.into(),
            content: "call_us".parse().unwrap(),
        };
        let first = Sender { roads: vec![road("shop"), road("main")], ..sender("+551151991234") };
        let directory = Directory::new([first, sender("+551151995678")]);
        let names: Vec<&str> = directory.accounts().into_iter().map(|alias| &**alias).collect();
        assert_eq!(names, ["main", "shop"]);
    }
}
