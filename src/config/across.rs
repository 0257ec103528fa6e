//! Rules across sections: which senders may place calls, and whether Twilio can reach us.

use std::collections::BTreeMap;

use crate::domain::country::exclusion_of;
use crate::domain::sip::SipAddress;
use crate::domain::{AccountAlias, AgentTarget, Country, Phone};

use super::Config;
use super::http::is_loopback;
use super::pools;
use super::section::Reading;
use super::tree::Origin;

pub(super) fn check(config: &Config, reading: &mut Reading) {
    let senders = std::mem::take(&mut reading.senders);
    let mut owners: BTreeMap<Phone, &AccountAlias> = BTreeMap::new();
    for (account, number, origin) in &senders {
        let key = format!("accounts.{account}.senders.\"{}\"", number.e164());
        if let Some(owner) = owners.insert(*number, account) {
            let problem =
                format!("belongs to accounts.{owner} as well: a sender belongs to one account only");
            reading.fault(origin, &key, problem);
        }
        if let Some(problem) = refused_country(config, *number) {
            reading.fault(origin, &key, problem);
        }
    }
    refuse_unreachable(config, reading);
    pools::check(config, reading);
    for (account, number, origin) in &senders {
        refuse_foreign_agent(config, account, *number, origin, reading);
    }
}

/// The agents of senders may be only at the hosts that orders may use.
fn refuse_foreign_agent(
    config: &Config,
    account: &AccountAlias,
    number: Phone,
    origin: &Origin,
    reading: &mut Reading,
) {
    let sender = config.accounts.get(account).and_then(|account| account.senders.get(&number));
    if let Some(AgentTarget::Sip(address)) = sender.and_then(|sender| sender.agent.as_ref())
        && !config.twiml.hosts.takes_sip(address)
    {
        let leads = SipAddress::parse(address).is_some_and(|address| address.may_lead_elsewhere());
        let problem = if leads {
            "has headers or the parameter maddr, which may lead to a host that twiml.sip_hosts does not list"
        } else {
            "is at a host that twiml.sip_hosts does not list"
        };
        let key = format!("accounts.{account}.senders.\"{}\".agent", number.e164());
        reading.fault(origin, &key, problem);
    }
}

fn refused_country(config: &Config, sender: Phone) -> Option<String> {
    let country = Country::of(sender)?;
    if !config.limits.refuses(country, config.calling.limit_profile) {
        return None;
    }
    let source = exclusion_of(country)
        .map_or_else(|| country.to_string(), |exclusion| format!("{} ({})", exclusion.name, exclusion.note));
    Some(format!(
        "is a number of {source}, whose business numbers cannot place WhatsApp calls; the list is \
         limits.sender_countries_refused"
    ))
}

/// Twilio cannot reach a loopback address.
fn refuse_unreachable(config: &Config, reading: &mut Reading) {
    let remote = config.accounts.values().find(|account| !is_loopback(&account.api_url));
    if let Some(account) = remote
        && is_loopback(config.http.public_url.url())
    {
        let host = account.api_url.host_str().unwrap_or("Twilio");
        let problem = format!(
            "is an address of this machine, which {host} cannot reach: set the https address under which \
             this daemon is reached from outside"
        );
        reading.fault(&Origin::Nowhere, "http.public_url", problem);
    }
}
