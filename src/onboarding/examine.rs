//! Reads an account at Twilio and tells what is missing or wrong. Sends nothing but reads.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::checks::{self, Seen};
use super::finding::{Code, Finding};
use crate::clock::{Clock, earlier};
use crate::config::Account;
use crate::content::apply::list;
use crate::content::role::{Role, Unusable};
use crate::content::{Folder, Held};
use crate::domain::{AccountAlias, Phone};
use crate::hook_urls::SenderUrls;
use crate::transport::TransportError;
use crate::twilio::{Application, Client, Error};

/// What is examined.
#[derive(Debug, Clone, Copy)]
pub struct Examined<'a> {
    pub alias: &'a AccountAlias,
    pub account: &'a Account,
    /// The declarations of content.
    pub folder: &'a Folder,
    /// Below which our hooks are, as it is written.
    pub public_url: &'a Url,
    pub urls: &'a SenderUrls,
    /// The numbers that ask for the permission over WhatsApp's Cloud API.
    pub asks_at_meta: &'a BTreeSet<Phone>,
}

/// How far back alerts are read.
const RECENT: SignedDuration = SignedDuration::from_hours(24);

impl Examined<'_> {
    fn finding(&self, sender: Option<Phone>, (code, detail): Seen) -> Finding {
        Finding { code, account: self.alias.clone(), sender, detail }
    }

    fn unread(&self, what: &str, error: &Error) -> Finding {
        self.finding(None, (Code::Unread, format!("{what}: {}", chain(error))))
    }
}

/// The findings about one account, and one number of it.
pub(super) struct FoundBy {
    account: AccountAlias,
    sender: Option<Phone>,
    found: Vec<Finding>,
}

impl FoundBy {
    pub(super) fn new(account: &AccountAlias, sender: Option<Phone>) -> Self {
        Self { account: account.clone(), sender, found: Vec::new() }
    }

    pub(super) fn tell(&mut self, code: Code, detail: String) {
        let (account, sender) = (self.account.clone(), self.sender);
        self.found.push(Finding { code, account, sender, detail });
    }

    pub(super) fn all(&mut self, seen: impl IntoIterator<Item = Seen>) {
        seen.into_iter().for_each(|(code, detail)| self.tell(code, detail));
    }

    /// The end of an examination that cannot go on.
    pub(super) fn only(mut self, code: Code, detail: String) -> Vec<Finding> {
        self.tell(code, detail);
        self.found
    }

    pub(super) fn done(self) -> Vec<Finding> {
        self.found
    }
}

/// Everything that is found, in the order of the examination.
pub async fn examine(client: &Client, examined: &Examined<'_>, clock: &dyn Clock) -> Vec<Finding> {
    let all = |seen: Vec<Seen>| seen.into_iter().map(|seen| examined.finding(None, seen));
    let mut found = Vec::new();
    found.extend(all(checks::public_url(examined.public_url, &examined.account.api_url)
        .into_iter()
        .collect()));
    match client.fetch_account().await {
        Ok(state) => found.extend(all(checks::account(&state))),
        Err(error) => {
            let refused = matches!(&error, Error::Rejected(refusal) if refusal.is_credentials());
            let code = if refused { Code::Credentials } else { Code::Unreachable };
            found.push(examined.finding(None, (code, chain(&error))));
            return found;
        }
    }
    if let Some(date) = client.date().await {
        found.extend(all(checks::clock(clock.now(), date).into_iter().collect()));
    }
    found.extend(senders(client, examined).await);
    found.extend(contents(client, examined, clock).await);
    found.extend(alerts(client, examined, clock.now()).await);
    found.extend(all(vec![(Code::Manager, String::new())]));
    found
}

async fn senders(client: &Client, examined: &Examined<'_>) -> Vec<Finding> {
    let listed = match client.list_senders().await {
        Ok(listed) => listed,
        Err(error) => return vec![examined.unread("senders", &error)],
    };
    let mut applications: BTreeMap<String, Result<Application, Error>> = BTreeMap::new();
    let mut found = Vec::new();
    for &number in examined.account.senders.keys() {
        let mut tell = |seen: Seen| found.push(examined.finding(Some(number), seen));
        let Some(sender) = listed.iter().find(|sender| sender.phone() == Some(number)) else {
            tell((Code::SenderMissing, String::new()));
            continue;
        };
        checks::sender(sender, number, examined.urls).into_iter().for_each(&mut tell);
        let Some(sid) = sender.voice_application_sid() else {
            tell((Code::VoiceOff, String::new()));
            continue;
        };
        if !applications.contains_key(sid) {
            applications.insert(sid.to_owned(), client.fetch_application(sid).await);
        }
        match &applications[sid] {
            Ok(application) => checks::voice(application, examined.urls).into_iter().for_each(&mut tell),
            Err(Error::NotFound) => tell((Code::VoiceGone, sid.to_owned())),
            Err(error) => tell((Code::Unread, format!("the application {sid}: {}", chain(error)))),
        }
    }
    found
}

async fn contents(client: &Client, examined: &Examined<'_>, clock: &dyn Clock) -> Vec<Finding> {
    let account = examined.account;
    let by_sid = |number: &Phone| {
        let sender = &account.senders[number];
        [
            (Role::Request, &sender.permission_request),
            (Role::Template, &sender.permission_template),
            (Role::Invite, &sender.invite),
        ]
    };
    let is_used = !account.named_content.is_empty()
        || account.senders.keys().any(|number| by_sid(number).iter().any(|(_, sid)| sid.is_some()));
    let held: Option<Vec<Held>> = match is_used {
        false => Some(Vec::new()),
        true => match list(client, clock).await {
            Ok(held) => Some(held),
            Err(why) => {
                let unread = examined.finding(None, (Code::Unread, format!("content: {why}")));
                return vec![unread];
            }
        },
    };
    let held = held.unwrap_or_default();
    let mut found = Vec::new();
    for number in account.senders.keys() {
        let mut tell = |seen: Seen| found.push(examined.finding(Some(*number), seen));
        let mut asks = examined.asks_at_meta.contains(number);
        for (role, sid) in by_sid(number) {
            let name = account.named_content.get(&(*number, role));
            asks |= role != Role::Invite && (sid.is_some() || name.is_some());
            if let Some(name) = name {
                let declared = examined.folder.declaration(name);
                checks::declared_for(role, name, examined.folder).into_iter().for_each(&mut tell);
                match role.choose(name, declared, &held) {
                    // What is not declared cannot be applied.
                    Err(Unusable::Missing) if declared.is_none() => {}
                    chosen => checks::chosen(role, name, &chosen).into_iter().for_each(&mut tell),
                }
            } else if let Some(sid) = sid {
                checks::content(role, sid.as_str(), &held).into_iter().for_each(&mut tell);
            }
        }
        if !asks {
            tell((Code::ContentNone, String::new()));
        }
    }
    found
}

async fn alerts(client: &Client, examined: &Examined<'_>, now: Timestamp) -> Vec<Finding> {
    match client.alerts_between(earlier(now, RECENT), now).await {
        Ok(alerts) => checks::alerts(&alerts).into_iter().map(|seen| examined.finding(None, seen)).collect(),
        Err(error) => vec![examined.unread("alerts", &error)],
    }
}

/// An error with its causes. Whether a request may have been sent says nothing here: all of them only read.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let told = causes.filter(|error| !error.is::<TransportError>()).map(ToString::to_string);
    told.collect::<Vec<_>>().join(": ")
}
