//! `[node]` and `[groups.<name>]`: this process among several, and which accounts are dialled by one leader.

use std::collections::BTreeMap;

use url::Url;

use super::Config;
use super::http::endpoint;
use super::section::{Reading, Section};
use super::tree::Origin;
use crate::domain::lease::{GroupName, NoNodeName, is_name};
use crate::domain::{AccountAlias, Agent, Agents, Directory};

/// `[node]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeSettings {
    /// `None` for the name of the machine.
    pub name: Option<String>,
    /// Where others reach the API of this node.
    pub url: Option<Url>,
}

impl NodeSettings {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let plain = |name: &String| if is_name(name) { Ok(()) } else { Err(NoNodeName.to_string()) };
        Self {
            name: section.ask("name").rule(plain).optional(),
            url: section.ask("url").rule(endpoint).optional(),
        }
    }
}

/// Reads one dialling group.
pub(super) fn group(name: &str, section: &mut Section<'_>) -> Option<(GroupName, Vec<AccountAlias>)> {
    let group = name.parse::<GroupName>();
    if let Err(error) = group {
        section.fault("", error.to_string());
    }
    let is_there = |accounts: &Vec<String>| match accounts.is_empty() {
        true => Err("is empty: a group has at least one account".to_owned()),
        false => Ok(()),
    };
    let accounts: Vec<String> = section.ask("accounts").rule(is_there).or(Vec::new());
    Some((group.ok()?, accounts.into_iter().map(AccountAlias::from).collect()))
}

/// Each account of a group has to be there, and in one group only; what a sender invites by is of the sender's group.
pub(super) fn check(config: &Config, reading: &mut Reading) {
    let mut groups: BTreeMap<&AccountAlias, &GroupName> = BTreeMap::new();
    for (group, accounts) in &config.groups {
        for alias in accounts {
            let is_known = config.accounts.contains_key(alias)
                || config.meta.contains_key(alias)
                || config.messenger.contains_key(alias);
            if !is_known {
                let problem = format!(
                    "has {alias:?}, which is no account: there is no [accounts.{alias}], [meta.{alias}] or \
                     [messenger.{alias}]",
                    alias = &**alias
                );
                fault(reading, group, problem);
            } else if let Some(other) = groups.insert(alias, group) {
                let alias = &**alias;
                fault(
                    reading,
                    group,
                    format!(
                        "has {alias:?}, which is in the group {other} as well: an account is in one group"
                    ),
                );
            }
        }
    }
    if config.groups.is_empty() {
        return;
    }
    let directory = config.directory();
    check_shared(config, &directory, reading);
    for sender in directory.senders() {
        let own = directory.group_of(&sender.account);
        let asks = sender.request_road.iter().map(|road| (&road.account, "asks"));
        for (road, does) in sender.roads.iter().map(|road| (&road.account, "invites")).chain(asks) {
            let group = directory.group_of(road);
            if group != own {
                let (account, road) = (&*sender.account, &**road);
                let problem = format!(
                    "has the account {account:?}, whose sender {does} by {road:?} of the group {group}: both have to \
                     be in one group"
                );
                fault(reading, own, problem);
            }
        }
    }
}

/// A pool of senders, and an agent with a ceiling, are of one group.
fn check_shared(config: &Config, directory: &Directory, reading: &mut Reading) {
    let mut first: BTreeMap<String, &GroupName> = BTreeMap::new();
    let mut use_of = |what: String, group| match *first.entry(what.clone()).or_insert(group) {
        own if own == group => None,
        own => Some((own, group, what)),
    };
    let mut faults = Vec::new();
    let missed = &config.missed_calls;
    for sender in directory.senders() {
        let group = directory.group_of(&sender.account);
        let pool = sender.pool.as_ref().map(|pool| format!("the pool {:?}", pool.as_str()));
        let covers = missed.document.is_some()
            && (missed.senders.is_empty() || missed.senders.contains(&sender.number));
        let by_rule = missed.agent.as_ref().filter(|_| covers);
        let agents =
            sender.agent.iter().chain(by_rule).filter_map(Agent::of).filter_map(|agent| Agents::new([agent]));
        let agents = agents.filter(|agent| config.agents.contains_key(agent));
        let agents = agents.map(|agent| format!("the agent {agent} of [agents]"));
        faults.extend(pool.into_iter().chain(agents).filter_map(|what| use_of(what, group)));
    }
    faults.dedup();
    for (first, other, what) in faults {
        // The group main may have no section of its own.
        let (named, against) = if other.is_main() { (first, other) } else { (other, first) };
        let problem =
            format!("has senders that use {what}, as senders of the group {against} do: it is of one group");
        fault(reading, named, problem);
    }
}

fn fault(reading: &mut Reading, group: &GroupName, problem: String) {
    let section = format!("groups.{group}");
    let answer = reading.answers.iter().find(|it| it.section == section && it.key == "accounts");
    let origin = answer.map_or(Origin::Nowhere, |answer| answer.origin.clone());
    reading.fault(&origin, &format!("{section}.accounts"), problem);
}
