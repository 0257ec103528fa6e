//! The rules and settings of a configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;

use crate::config::{Calling, Config};
use crate::domain::country::BARRED_DESTINATIONS;
use crate::domain::{Resource, Tenant};
use crate::policy::{AskAgain, Ceilings, Counting, Limits, MissedCallRule, Rolling, Rules};
use crate::scheduler::Settings;

/// The rules: the profile's limits with the operator's overrides.
#[must_use]
pub fn rules(config: &Config) -> Rules {
    let published = Limits::of(config.calling.limit_profile);
    let over = &config.limits;
    let rolling = |max: Option<u32>, window: Option<SignedDuration>, published: Rolling| Rolling {
        max: max.unwrap_or(published.max),
        window: window.unwrap_or(published.window),
    };
    let limits = Limits {
        requests_short: rolling(
            over.permission_requests_short_max,
            over.permission_requests_short_window,
            published.requests_short,
        ),
        requests_long: rolling(
            over.permission_requests_long_max,
            over.permission_requests_long_window,
            published.requests_long,
        ),
        permission_lifetime: over.permission_lifetime.unwrap_or(published.permission_lifetime),
        request_lifetime: over.request_lifetime.unwrap_or(published.request_lifetime),
        connected_calls: rolling(
            over.connected_calls_max,
            over.connected_calls_window,
            published.connected_calls,
        ),
        concurrent_calls_max: over.concurrent_calls_per_sender_max.unwrap_or(published.concurrent_calls_max),
        misses_before_nudge: over.misses_before_nudge.unwrap_or(published.misses_before_nudge),
        misses_before_revocation: over.misses_before_revocation.unwrap_or(published.misses_before_revocation),
        service_window: over.service_window.unwrap_or(published.service_window),
        message_gap: over.message_gap.unwrap_or(published.message_gap),
        page_window: over.page_window.unwrap_or(published.page_window),
        call_button_lifetime: over.call_button_lifetime.unwrap_or(published.call_button_lifetime),
        page_button_lifetime: over.page_button_lifetime.unwrap_or(published.page_button_lifetime),
    };
    Rules {
        limits,
        retry: config.calling.retry,
        ask_ahead: config.calling.permission_request_lead,
        margin: config.calling.limit_margin,
        faults_max: config.calling.faults_max,
        counting: counting(&config.calling),
        pull_forward: config.calling.pull_forward,
        ask_again: config.calling.ask_again.then_some(AskAgain::DAILY),
        ceilings: ceilings(config),
        agent_calls_max: config.calling.agent_calls_max,
        destinations_refused: over
            .destinations_refused
            .clone()
            .unwrap_or_else(|| BARRED_DESTINATIONS.iter().map(|barred| barred.prefix).collect()),
        registers: config.registers.values().cloned().collect(),
        stop_when_list_expired: config.suppression.stop_when_expired,
        number_zones: config.calling.number_zones.clone(),
        people: config.calling.people,
        inviting: config.inviting,
        queueing: config.calling.queueing,
    }
}

/// The operator's own ceilings.
fn ceilings(config: &Config) -> Ceilings {
    let senders = config
        .senders()
        .filter_map(|(_, sender)| Some((Resource::Sender(sender.number), sender.concurrent_calls_max?)));
    let campaigns = config.campaigns.iter();
    let campaigns = campaigns.map(|(name, own)| (Resource::campaign(name), own.concurrent_calls_max));
    let accounts = config.accounts.iter();
    let accounts = accounts
        .filter_map(|(alias, own)| Some((Resource::Account(alias.clone()), own.concurrent_calls_max?)));
    let agents = config.agents.iter();
    let agents = agents.map(|(agents, own)| (Resource::Agents(agents.clone()), own.calls_max));
    let bots = (Resource::Bot, config.calling.bot_calls_max);
    senders.chain(campaigns).chain(accounts).chain(agents).chain([bots]).collect()
}

const fn counting(calling: &Calling) -> Counting {
    Counting {
        connected_calls_reset_requests: calling.connected_calls_reset_requests,
        connected_calls_reset_misses: calling.connected_calls_reset_misses,
        undelivered_requests_count: calling.undelivered_requests_count,
        misses: calling.misses,
    }
}

/// What a missed call makes, if that is set.
fn missed_calls(config: &Config) -> Option<MissedCallRule> {
    let own = &config.missed_calls;
    Some(MissedCallRule {
        tenant: Tenant::default(),
        senders: own.senders.clone(),
        document: own.document.clone()?,
        variables: BTreeMap::new(),
        agent: own.agent.clone(),
        hours: own.hours.clone().or_else(|| config.calling.hours.clone()),
        presets: config.calling.hours_presets.clone(),
        number_zones: config.calling.number_zones.clone(),
        priority: own.priority,
        attempts_max: config.calling.attempts_max,
        within: own.within,
        quiet: own.quiet_after_call,
        per_day_max: own.per_day_max,
    })
}

pub(super) fn settings(config: &Config) -> Settings {
    let ring_timeout_s = u16::try_from(config.calling.ring_timeout.as_secs()).unwrap_or(600);
    let time_limit_s = u32::try_from(config.calling.call_time_limit.as_secs()).unwrap_or(u32::MAX);
    Settings {
        ring_timeout_s,
        time_limit_s,
        timeouts: config.calling.silence.clone(),
        wrap_up_after: config.calling.wrap_up_after,
        missed_calls: missed_calls(config).map(Arc::new),
        reports_zone: config.reports.zone.clone(),
        recordings: config.recordings.clone(),
        ..Settings::default()
    }
}
