//! `limits`: the effective limits of the platforms with their sources, and our own rules.

use std::io::Write;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use serde_json::json;

use super::settings::ConfigFile;
use super::table::{Rows, name, plain};
use crate::config::{Chosen, LimitOverrides};
use crate::policy::limits::{PUBLISHED, Profile, Published, Value};

#[derive(Debug, Args)]
pub(super) struct Limits {
    /// The profile of published limits [default: the configured one, or twilio]
    #[arg(long, value_name = "PROFILE", value_parser = PossibleValuesParser::new(Profile::ALL.map(Profile::as_str))
        .try_map(|name| name.parse::<Profile>().map_err(|_| "is not a profile")))]
    profile: Option<Profile>,
    /// Print an array of objects
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFile,
}

/// One effective limit.
struct InForce {
    published: &'static Published,
    value: i64,
    is_overridden: bool,
}

impl Limits {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let config = self.config.load_if_named()?;
        let configured = config.as_ref().map(|config| config.calling.limit_profile);
        let profile = self.profile.or(configured).unwrap_or(Profile::Twilio);
        let config = config.unwrap_or_default();
        let rules: Vec<&Chosen> = config.chosen().iter().filter(|chosen| !is_published(chosen)).collect();
        let overrides = config.limits.clone();
        let limits: Vec<InForce> =
            PUBLISHED.iter().map(|published| in_force(published, profile, &overrides)).collect();
        if self.json {
            return write_json(&limits, &rules, out);
        }
        write_table(&limits, profile, out)?;
        write_rules(&rules, out)
    }
}

/// Whether the key is in the table of limits, or selects that table.
fn is_published(chosen: &Chosen) -> bool {
    let is_limit = |name: &str| PUBLISHED.iter().any(|published| published.name == name);
    chosen.key == "calling.limit_profile" || chosen.key.strip_prefix("limits.").is_some_and(is_limit)
}

fn in_force(published: &'static Published, profile: Profile, overrides: &LimitOverrides) -> InForce {
    let column = Profile::ALL.iter().position(|&other| other == profile).unwrap_or_default();
    let value = match published.values[column] {
        Value::Count(count) => i64::from(count),
        Value::Hours(hours) => hours * 3600,
        Value::Seconds(seconds) => seconds,
    };
    let set = overridden(published.name, overrides);
    InForce { published, value: set.unwrap_or(value), is_overridden: set.is_some() }
}

/// The value in the configuration: a count, or seconds.
fn overridden(limit: &str, set: &LimitOverrides) -> Option<i64> {
    let count = |count: Option<u32>| count.map(i64::from);
    let span = |span: Option<jiff::SignedDuration>| span.map(|span| span.as_secs());
    match limit {
        "permission_requests_short_max" => count(set.permission_requests_short_max),
        "permission_requests_short_window" => span(set.permission_requests_short_window),
        "permission_requests_long_max" => count(set.permission_requests_long_max),
        "permission_requests_long_window" => span(set.permission_requests_long_window),
        "permission_lifetime" => span(set.permission_lifetime),
        "request_lifetime" => span(set.request_lifetime),
        "connected_calls_max" => count(set.connected_calls_max),
        "connected_calls_window" => span(set.connected_calls_window),
        "concurrent_calls_per_sender_max" => count(set.concurrent_calls_per_sender_max),
        "misses_before_nudge" => count(set.misses_before_nudge),
        "misses_before_revocation" => count(set.misses_before_revocation),
        "service_window" => span(set.service_window),
        "message_gap" => span(set.message_gap),
        "page_window" => span(set.page_window),
        "call_button_lifetime" => span(set.call_button_lifetime),
        "page_button_lifetime" => span(set.page_button_lifetime),
        _ => None,
    }
}

impl InForce {
    const fn is_span(&self) -> bool {
        matches!(self.published.values[0], Value::Hours(_) | Value::Seconds(_))
    }

    const fn unit(&self) -> &'static str {
        if self.is_span() { "seconds" } else { "count" }
    }

    /// A duration in the largest unit that gives a whole number.
    fn shown(&self) -> String {
        match self.value {
            count if !self.is_span() => count.to_string(),
            seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
            seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
            seconds => format!("{seconds}s"),
        }
    }
}

fn write_json(limits: &[InForce], rules: &[&Chosen], out: &mut dyn Write) -> anyhow::Result<()> {
    let object = |limit: &InForce| {
        json!({
            "name": limit.published.name, "value": limit.value, "unit": limit.unit(),
            "counts": limit.published.counts, "since": limit.published.since,
            "source": limit.published.source, "overridden": limit.is_overridden,
        })
    };
    let rule = |rule: &&Chosen| {
        json!({
            "name": rule.key, "value": rule.value, "unit": "toml",
            "source": rule.origin.as_deref().unwrap_or("default"), "overridden": rule.origin.is_some(),
        })
    };
    let all: Vec<_> = limits.iter().map(object).chain(rules.iter().map(rule)).collect();
    serde_json::to_writer_pretty(&mut *out, &all)?;
    Ok(writeln!(out)?)
}

fn write_table(limits: &[InForce], profile: Profile, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "profile {}", profile.as_str())?;
    let mut rows = Rows::new(&["limit", "value", "counts", "since", "source"]);
    for limit in limits {
        let (since, source) = match limit.is_overridden {
            true => ("-", "your configuration"),
            false => (limit.published.since, limit.published.source),
        };
        rows.push([
            name(limit.published.name),
            plain(limit.shown()),
            plain(limit.published.counts),
            plain(since),
            plain(source),
        ]);
    }
    Ok(rows.write(out)?)
}

fn write_rules(rules: &[&Chosen], out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "\nour own rules")?;
    let mut rows = Rows::new(&["key", "value", "set by"]);
    for rule in rules {
        let origin = rule.origin.as_deref().unwrap_or("default");
        rows.push([name(&rule.key), plain(&rule.value), plain(origin)]);
    }
    Ok(rows.write(out)?)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn every_limit_can_be_overridden_and_shows_it() {
        let (count, span) = (Some(7), Some(SignedDuration::from_mins(90)));
        let overrides = LimitOverrides {
            permission_requests_short_max: count,
            permission_requests_short_window: span,
            permission_requests_long_max: count,
            permission_requests_long_window: span,
            permission_lifetime: span,
            request_lifetime: span,
            connected_calls_max: count,
            connected_calls_window: span,
            concurrent_calls_per_sender_max: count,
            misses_before_nudge: count,
            misses_before_revocation: count,
            service_window: span,
            message_gap: span,
            page_window: span,
            call_button_lifetime: span,
            page_button_lifetime: span,
            sender_countries_refused: None,
            destinations_refused: None,
        };
        for published in &PUBLISHED {
            let limit = in_force(published, Profile::Meta, &overrides);
            let expected = if limit.is_span() { "90m" } else { "7" };
            assert_eq!((limit.shown().as_str(), limit.is_overridden), (expected, true), "{}", published.name);
        }
    }

    #[test]
    fn without_overrides_the_profile_applies() {
        let connected = PUBLISHED.iter().find(|limit| limit.name == "connected_calls_max").unwrap();
        let shown = |profile| in_force(connected, profile, &LimitOverrides::default()).shown();
        assert_eq!((shown(Profile::Twilio), shown(Profile::Meta)), ("5".into(), "100".into()));
    }
}
