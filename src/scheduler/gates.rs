//! The gates with waiting callbacks, whose lanes wait there, and what these have paid for their turns.
//!
//! What was paid is kept in memory: after a start, everybody begins with nothing.

use std::collections::BTreeMap;

use crate::domain::lane::{self, Lanes, Paid};
use crate::domain::{CampaignId, Gate, Lane};

/// The gates with waiting callbacks.
#[derive(Debug, Default)]
pub(super) struct Gates {
    waiting: BTreeMap<Gate, Lanes>,
    accounts: BTreeMap<Gate, Account>,
}

/// What a campaign has paid for a turn at a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) gate: Gate,
    pub(super) campaign: Option<CampaignId>,
    pub(super) paid: u64,
}

/// What the lanes of a gate have paid.
#[derive(Debug, Default)]
struct Account {
    paid: Paid,
    /// The least that a waiting lane had paid. Who comes later begins here: a lane that was not there has saved nothing.
    floor: u64,
}

impl Account {
    fn of(&self, campaign: Option<CampaignId>) -> u64 {
        self.paid.get(&campaign).copied().unwrap_or_default().max(self.floor)
    }

    /// What is between it and the least.
    fn ahead(&self, campaign: Option<CampaignId>) -> u64 {
        self.of(campaign) - self.floor
    }
}

impl Gates {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Gate> {
        self.waiting.keys()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Begins anew with these, as they were read.
    pub(super) fn read(gates: impl IntoIterator<Item = (Gate, Lane)>) -> Self {
        let mut waiting: BTreeMap<Gate, Lanes> = BTreeMap::new();
        for (gate, lane) in gates {
            waiting.entry(gate).or_default().wait(lane, Lanes::UNKNOWN);
        }
        Self { waiting, accounts: BTreeMap::new() }
    }

    /// A callback of this class waits at the gate.
    pub(super) fn wait(&mut self, gate: &Gate, lane: Lane, class: i64) {
        match self.waiting.get_mut(gate) {
            Some(lanes) => lanes.wait(lane, class),
            None => {
                let mut lanes = Lanes::default();
                lanes.wait(lane, class);
                self.waiting.insert(gate.clone(), lanes);
            }
        }
    }

    /// The gate is looked at once, whether or not it is known that somebody waits there.
    pub(super) fn try_once(&mut self, gate: Gate) {
        self.waiting.entry(gate).or_default();
    }

    /// Puts the lanes that are left at a gate. Without any the gate is forgotten.
    pub(super) fn leave(&mut self, gate: &Gate, lanes: Lanes) {
        if lanes.is_empty() {
            self.waiting.remove(gate);
        } else if let Some(known) = self.waiting.get_mut(gate) {
            *known = lanes;
        }
    }

    /// Puts lanes back that were there before, because what was read from them is not written: the callbacks wait there still.
    pub(super) fn put_back(&mut self, before: Vec<(Gate, Lanes)>) {
        for (gate, lanes) in before {
            self.waiting.entry(gate).or_default().join(&lanes);
        }
    }

    /// The lanes at a gate, with what they have paid if there are several.
    pub(super) fn lanes(&self, gate: &Gate) -> (Lanes, Paid) {
        let Some(lanes) = self.waiting.get(gate).cloned() else { return Default::default() };
        if !lanes.are_several() {
            return (lanes, Paid::new());
        }
        let paid = lanes.campaigns().map(|campaign| (campaign, self.ahead_at(gate, campaign))).collect();
        (lanes, paid)
    }

    /// Opens accounts where callbacks of campaigns wait, and closes those where none do: who waits there then has paid
    /// nothing. The least that anybody waiting has paid is where all others begin.
    pub(super) fn settle_accounts(&mut self) {
        let Self { waiting, accounts } = self;
        let mut least: BTreeMap<&Gate, u64> = BTreeMap::new();
        for (gate, lanes) in &*waiting {
            let of_campaigns = lanes.campaigns().any(|campaign| campaign.is_some());
            let pays = |part: &&Gate| is_shared(part) && (of_campaigns || accounts.contains_key(*part));
            for part in parts(gate).filter(pays) {
                let of = |campaign| accounts.get(part).map_or(0, |account| account.of(campaign));
                if let Some(paid) = lanes.campaigns().map(of).min() {
                    least.entry(part).and_modify(|least| *least = paid.min(*least)).or_insert(paid);
                }
            }
        }
        accounts.retain(|gate, _| least.contains_key(gate));
        for (gate, least) in least {
            let account = match accounts.get_mut(gate) {
                Some(account) => account,
                None => accounts.entry(gate.clone()).or_default(),
            };
            account.floor = least.max(account.floor);
            let floor = account.floor;
            // Who has paid no more than the least has no line.
            account.paid.retain(|_, paid| *paid > floor);
        }
    }

    /// How far a campaign is ahead of the others at a gate.
    pub(super) fn ahead_at(&self, gate: &Gate, campaign: Option<CampaignId>) -> u64 {
        match gate {
            Gate::Any(parts) => parts.iter().map(|part| self.ahead_at(part, campaign)).sum(),
            gate => self.accounts.get(gate).map_or(0, |account| account.ahead(campaign)),
        }
    }

    /// A call or an offer of the campaign takes a turn at the gate. Nobody gets further ahead than a round of the smallest
    /// weight. Returns what was paid.
    pub(super) fn pay(&mut self, gate: &Gate, campaign: Option<CampaignId>, weight: u32) -> u64 {
        let Some(account) = self.accounts.get_mut(gate) else { return 0 };
        let before = account.of(campaign);
        let paid = before.saturating_add(lane::price(weight));
        let paid = paid.min(account.floor.saturating_add(lane::ROUND)).max(before);
        account.paid.insert(campaign, paid);
        paid - before
    }

    /// Gives back what was paid for turns of which nothing was written.
    pub(super) fn give_back(&mut self, paid: Vec<Payment>) {
        for Payment { gate, campaign, paid: amount } in paid {
            if let Some(account) = self.accounts.get_mut(&gate)
                && let Some(paid) = account.paid.get_mut(&campaign)
            {
                *paid = paid.saturating_sub(amount);
            }
        }
    }
}

/// The gate, or those of which it is made.
fn parts(gate: &Gate) -> impl Iterator<Item = &Gate> {
    let (one, parts) = match gate {
        Gate::Any(parts) => (None, Some(parts)),
        gate => (Some(gate), None),
    };
    one.into_iter().chain(parts.into_iter().flatten())
}

/// Whether a call or an offer pays at the gate.
const fn is_shared(gate: &Gate) -> bool {
    matches!(gate, Gate::Room(_) | Gate::Account(_) | Gate::Offer(_))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::Phone;

    fn campaign(n: u128) -> Option<CampaignId> {
        Some(CampaignId::new(Uuid::from_u128(n)))
    }

    fn lane(n: u128) -> Lane {
        Lane { campaign: campaign(n), is_urgent: false }
    }

    fn sender() -> Gate {
        Gate::sender(Phone::parse("+551151991234").unwrap())
    }

    fn two_at(gate: &Gate) -> Gates {
        let mut gates = Gates::default();
        gates.wait(gate, lane(1), -5);
        gates.wait(gate, lane(2), -5);
        gates.settle_accounts();
        gates
    }

    #[test]
    fn lanes_that_were_read_are_put_back_if_nothing_is_written() {
        let gate = sender();
        let mut gates = two_at(&gate);
        let (before, _) = gates.lanes(&gate);
        gates.leave(&gate, Lanes::default());
        assert_eq!(gates.iter().count(), 0);
        // Meanwhile another callback of a higher class waits.
        gates.wait(&gate, lane(1), -3);
        gates.put_back(vec![(gate.clone(), before.clone())]);
        assert_eq!(gates.lanes(&gate).0, before);
    }

    fn paid(gates: &mut Gates, gate: &Gate) -> Paid {
        gates.settle_accounts();
        gates.lanes(gate).1
    }

    #[test]
    fn a_turn_costs_the_more_the_smaller_the_weight_is() {
        let gate = sender();
        let mut gates = two_at(&gate);
        gates.pay(&gate, campaign(1), 10);
        gates.pay(&gate, campaign(2), 20);
        let expected = Paid::from([(campaign(1), lane::price(20)), (campaign(2), 0)]);
        assert_eq!(paid(&mut gates, &gate), expected, "from the least on");
    }

    #[test]
    fn who_comes_later_begins_where_the_last_one_is() {
        let gate = sender();
        let mut gates = two_at(&gate);
        for _ in 0..5 {
            gates.pay(&gate, campaign(1), 10);
            gates.pay(&gate, campaign(2), 10);
            gates.settle_accounts();
        }
        gates.wait(&gate, lane(3), -5);
        let expected = Paid::from([(campaign(1), 0), (campaign(2), 0), (campaign(3), 0)]);
        assert_eq!(paid(&mut gates, &gate), expected);
    }

    #[test]
    fn who_was_alone_is_not_ahead_of_who_comes_then() {
        let gate = sender();
        let mut gates = Gates::default();
        gates.wait(&gate, lane(1), -5);
        for _ in 0..5 {
            gates.pay(&gate, campaign(1), 10);
            gates.settle_accounts();
        }
        gates.wait(&gate, lane(2), -5);
        assert_eq!(paid(&mut gates, &gate), Paid::from([(campaign(1), 0), (campaign(2), 0)]));
    }

    #[test]
    fn lanes_that_were_found_at_a_start_pay_too() {
        let gate = sender();
        let mut gates = Gates::read([(gate.clone(), lane(1)), (gate.clone(), lane(2))]);
        gates.settle_accounts();
        gates.pay(&gate, campaign(1), 10);
        assert_eq!(paid(&mut gates, &gate), Paid::from([(campaign(1), lane::price(10)), (campaign(2), 0)]));
    }

    #[test]
    fn who_waits_for_one_of_several_senders_pays_at_each() {
        let other = Gate::sender(Phone::parse("+551151995678").unwrap());
        let either = sender().or(other.clone());
        let mut gates = two_at(&either);
        gates.pay(&sender(), campaign(1), 10);
        gates.pay(&other, campaign(1), 10);
        gates.pay(&other, campaign(2), 10);
        let expected = Paid::from([(campaign(1), lane::price(10)), (campaign(2), 0)]);
        assert_eq!(paid(&mut gates, &either), expected);
        gates.wait(&other, lane(3), -5);
        assert_eq!(gates.ahead_at(&other, campaign(3)), 0);
    }

    #[test]
    fn a_turn_of_which_nothing_is_written_is_given_back() {
        let gate = sender();
        let mut gates = two_at(&gate);
        let pay = |gates: &mut Gates, weight| {
            let paid = gates.pay(&gate, campaign(1), weight);
            Payment { gate: gate.clone(), campaign: campaign(1), paid }
        };
        pay(&mut gates, 10);
        let before = gates.ahead_at(&gate, campaign(1));
        let both = vec![pay(&mut gates, 10), pay(&mut gates, 1)];
        assert_eq!(gates.ahead_at(&gate, campaign(1)), lane::ROUND, "the last one paid only up to a round");
        gates.give_back(both);
        assert_eq!(gates.ahead_at(&gate, campaign(1)), before);
        let nothing = pay(&mut Gates::default(), 10);
        assert_eq!(nothing.paid, 0, "where nobody waits");
        gates.give_back(vec![nothing]);
        assert_eq!(gates.ahead_at(&gate, campaign(1)), before);
    }

    #[test]
    fn nobody_gets_ahead_by_more_than_a_round() {
        let gate = sender();
        let mut gates = two_at(&gate);
        (0..1_000).for_each(|_| _ = gates.pay(&gate, campaign(1), 10));
        assert_eq!(gates.ahead_at(&gate, campaign(1)), lane::ROUND);
    }

    #[test]
    fn where_nobody_waits_nothing_is_paid_and_nothing_kept() {
        let gate = sender();
        let mut gates = Gates::default();
        gates.pay(&gate, campaign(1), 10);
        assert_eq!(gates.ahead_at(&gate, campaign(1)), 0);
        let mut gates = two_at(&gate);
        gates.pay(&gate, campaign(1), 10);
        gates.leave(&gate, Lanes::default());
        assert!(gates.ahead_at(&gate, campaign(1)) > 0, "it is kept in the turn in which all were read");
        gates.settle_accounts();
        assert_eq!(gates.ahead_at(&gate, campaign(1)), 0);
    }

    #[test]
    fn callbacks_without_a_campaign_alone_keep_no_account() {
        let gate = sender();
        let mut gates = Gates::default();
        gates.wait(&gate, Lane::default(), -5);
        gates.settle_accounts();
        assert!(gates.accounts.is_empty());
    }
}
