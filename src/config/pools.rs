//! `[pools.<name>]`: pools of agents whose figures are read from a source.

use std::time::Duration;

use jiff::SignedDuration;
use url::Url;

use super::Config;
use super::accounts::sid;
use super::http::endpoint;
use super::secret::Secret;
use super::section::{Reading, Section};
use super::tree::Origin;
use crate::domain::pool::{Pool, PoolName};

/// A pool that is fed from a source.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    pub source: PoolSource,
    /// From one question to the next.
    pub every: Duration,
    /// A source that takes longer has failed.
    pub timeout: Duration,
    /// Seats that are kept back, unless the source says otherwise.
    pub headroom: u32,
    /// How long a seat is held after an answered call, unless the source says otherwise.
    pub wrap_up: SignedDuration,
}

/// Where the figures come from.
#[derive(Debug, Clone)]
pub enum PoolSource {
    /// A URL that answers with a figure in the form of the API.
    Url { url: Url, secret: Option<Secret> },
    /// A task queue of Twilio's TaskRouter.
    TaskRouter { account: String, workspace_sid: String, task_queue_sid: String, valid_for: SignedDuration },
}

/// Reads one pool.
pub(super) fn read(name: &str, section: &mut Section<'_>) -> Option<(PoolName, PoolSettings)> {
    let pool = PoolName::given(name);
    if let Err(error) = &pool {
        section.fault("", error.to_string());
    }
    let seconds = Duration::from_secs;
    let faults = section.reading.faults.len();
    let url: Option<Url> = section.ask("url").rule(endpoint).optional();
    let secret = section.secret("secret").optional();
    let every = section.ask("every").within(seconds(2), seconds(60)).or(seconds(10));
    let timeout = section.ask("timeout").within(seconds(1), seconds(30)).or(seconds(3));
    let headroom = section.ask("headroom").within(0, Pool::SEATS_MOST).or(Pool::HEADROOM_DEFAULT);
    let longest = Pool::WRAP_UP_LONGEST;
    let wrap_up = section.ask("wrap_up").within(SignedDuration::ZERO, longest).or(SignedDuration::ZERO);
    let (is_given, queue) = section.section("taskrouter", task_router);
    let source = match (url, is_given) {
        (Some(_), true) => {
            section.fault("url", "is given beside taskrouter: a pool has one source");
            None
        }
        // A refused URL is told already.
        (None, false) if section.reading.faults.len() > faults => None,
        (None, false) => {
            section.fault("", "has no source: give it url, or a section taskrouter");
            None
        }
        (Some(url), false) => Some(PoolSource::Url { url, secret }),
        (None, true) => queue,
    };
    if let Some(PoolSource::TaskRouter { valid_for, .. }) = &source
        && SignedDuration::try_from(every).is_ok_and(|every| *valid_for <= every)
    {
        section.fault(
            "every",
            "is not shorter than taskrouter.valid_for: the pool would have no seat in between",
        );
    }
    Some((pool.ok()?, PoolSettings { source: source?, every, timeout, headroom, wrap_up }))
}

/// Whether the section has anything, and what.
fn task_router(section: &mut Section<'_>) -> (bool, Option<PoolSource>) {
    let account: Option<String> = section.ask("account").optional();
    let workspace_sid = sid(section, "workspace_sid", "WS").optional();
    let task_queue_sid = sid(section, "task_queue_sid", "WQ").optional();
    let (least, longest) = (SignedDuration::from_secs(5), Pool::VALID_LONGEST);
    let valid_for = section.ask("valid_for").within(least, longest).or(SignedDuration::from_secs(30));
    let is_given = account.is_some() || workspace_sid.is_some() || task_queue_sid.is_some();
    match (account, workspace_sid, task_queue_sid) {
        (Some(account), Some(workspace_sid), Some(task_queue_sid)) => {
            let queue = PoolSource::TaskRouter { account, workspace_sid, task_queue_sid, valid_for };
            (true, Some(queue))
        }
        _ => {
            if is_given {
                section.fault("", "needs account, workspace_sid and task_queue_sid");
            }
            (is_given, None)
        }
    }
}

/// The accounts of task queues have to be there.
pub(super) fn check(config: &Config, reading: &mut Reading) {
    for (name, pool) in &config.pools {
        let PoolSource::TaskRouter { account, .. } = &pool.source else { continue };
        if config.accounts.contains_key(account.as_str()) {
            continue;
        }
        let section = format!("pools.{name}.taskrouter");
        let answer = reading.answers.iter().find(|it| it.section == section && it.key == "account");
        let origin = answer.map_or(Origin::Nowhere, |answer| answer.origin.clone());
        reading.fault(
            &origin,
            &format!("{section}.account"),
            format!("is no account: there is no [accounts.{account}]"),
        );
    }
}
