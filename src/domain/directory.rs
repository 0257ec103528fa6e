//! The senders that the operator declared, by number.

use std::collections::{BTreeMap, BTreeSet};

use super::{AccountAlias, Phone, Sender};

/// All senders of all accounts. A number belongs to one account only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    senders: BTreeMap<Phone, Sender>,
}

impl Directory {
    #[must_use]
    pub fn new(senders: impl IntoIterator<Item = Sender>) -> Self {
        Self { senders: senders.into_iter().map(|sender| (sender.number, sender)).collect() }
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
