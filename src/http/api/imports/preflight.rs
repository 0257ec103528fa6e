//! The checks of a row before it is ordered. Each names what it found by a code; none refuses the row.
//!
//! A new check is a new row of `CHECKS`. What the rules say comes from the rules themselves, as for a callback that
//! waits.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::number_zones::Narrowed;
use crate::domain::{CallPermission, Callback, CampaignId, Pair};
use crate::http::error::FieldError;
use crate::policy::{Assessment, Step};
use crate::store::OpenOrder;

/// What the checks look at.
pub(super) struct Candidate<'a> {
    pub now: Timestamp,
    /// The callback as it would be stored.
    pub callback: &'a Callback,
    /// The ledgers of the senders with the person.
    pub pairs: &'a [Pair],
    /// What the scheduler would do now.
    pub assessment: &'a Assessment,
    /// The callbacks to the person that are open.
    pub open: &'a BTreeSet<OpenOrder>,
    /// What is accepted and may still be a mistake.
    pub warnings: &'a [FieldError],
    /// Where the zone comes from, if there is one: `given`, `by_person` or `by_number`.
    pub zone_from: &'static str,
    /// The zones of numbers.
    pub number_zones: &'a Narrowed,
}

/// One check.
pub(super) struct PreflightCheck {
    pub name: &'static str,
    pub find: fn(&Candidate<'_>) -> Vec<&'static str>,
}

/// All checks, in the order of the report.
pub(super) const CHECKS: &[PreflightCheck] = &[
    PreflightCheck { name: "open", find: open },
    PreflightCheck { name: "permission", find: |row| vec![permission(row)] },
    PreflightCheck { name: "sender", find: sender },
    PreflightCheck { name: "hours", find: hours },
    PreflightCheck { name: "zone", find: |row| vec![zone(row)] },
    PreflightCheck { name: "step", find: |row| vec![step(&row.assessment.step)] },
    PreflightCheck { name: "reason", find: reasons },
];

fn open(row: &Candidate<'_>) -> Vec<&'static str> {
    let own = row.callback.order.campaign_id();
    let codes: BTreeSet<_> = row.open.iter().map(|order| of_open(own, *order)).collect();
    codes.into_iter().collect()
}

/// The code for an open order, beside a row of the campaign `own`.
fn of_open(own: Option<CampaignId>, order: OpenOrder) -> &'static str {
    match order {
        OpenOrder { campaign: Some(campaign), .. } if own == Some(campaign) => "in_this_campaign",
        OpenOrder { is_launched: true, .. } => "already_open",
        OpenOrder { is_launched: false, .. } => "in_a_draft",
    }
}

fn hours(row: &Candidate<'_>) -> Vec<&'static str> {
    let is_short = row.warnings.iter().any(|warning| warning.code == "deadline.little_time");
    if is_short { vec!["deadline.little_time"] } else { Vec::new() }
}

/// How many zones the calling hours have to be open in, or else the number may be in.
fn zone(row: &Candidate<'_>) -> &'static str {
    let order = &row.callback.order;
    let zones = match &order.hours {
        Some(hours) => hours.zones().count(),
        None => row.number_zones.of(order.consumer).len(),
    };
    match zones {
        0 => "unknown",
        1 => row.zone_from,
        _ => "ambiguous",
    }
}

const fn step(step: &Step) -> &'static str {
    match step {
        Step::PlaceCall { .. } => "place_call",
        Step::RequestPermission { .. } => "request_permission",
        Step::Invite { .. } => "invite",
        Step::Wait { .. } => "wait",
        Step::Finish { .. } => "finish",
    }
}

fn reasons(row: &Candidate<'_>) -> Vec<&'static str> {
    let mut codes = Vec::new();
    for reason in &row.assessment.binding {
        if !codes.contains(&reason.code()) {
            codes.push(reason.code());
        }
    }
    codes
}

/// The permission of the sender that has the best one. A request that the rules hold back is told apart.
fn permission(row: &Candidate<'_>) -> &'static str {
    let begins = row.callback.order.earliest.max(row.now);
    let told = row.pairs.iter().map(|pair| of_pair(&pair.permission, begins));
    let best = told.min_by_key(|(rank, _)| *rank).map_or("must_ask", |(_, word)| word);
    let is_held = |code: &str| row.assessment.binding.iter().any(|reason| reason.code() == code);
    held(best, is_held)
}

/// What becomes of a permission that has to be asked for, by the reasons that hold the request.
fn held(best: &'static str, is_held: impl Fn(&str) -> bool) -> &'static str {
    match best {
        "live" if is_held("limit.streak_guard") => "guarded_by_streak",
        "must_ask" | "ends_before" if is_held("limit.streak_guard") => "guarded_by_streak",
        "must_ask"
            if ["permission.request_limit", "permission.ask_later", "limit.message_gap"]
                .into_iter()
                .any(&is_held) =>
        {
            "must_wait"
        }
        best => best,
    }
}

/// Senders that place no call.
fn sender(row: &Candidate<'_>) -> Vec<&'static str> {
    let cannot = row.assessment.binding.iter().any(|reason| reason.code() == "sender.cannot_call");
    if cannot { vec!["cannot_call"] } else { Vec::new() }
}

/// How good a permission is for a call that may begin at `begins`, the best first, and its code.
fn of_pair(permission: &CallPermission, begins: Timestamp) -> (u8, &'static str) {
    match permission {
        CallPermission::Permanent => (0, "live"),
        CallPermission::Temporary { expires_at } if *expires_at > begins => (0, "live"),
        CallPermission::Requested { .. } => (1, "asked"),
        CallPermission::Temporary { .. } => (2, "ends_before"),
        CallPermission::None | CallPermission::Expired => (3, "must_ask"),
        CallPermission::RevokedAutomatically => (4, "revoked_automatically"),
        CallPermission::Declined { .. } => (5, "must_wait"),
        CallPermission::RevokedByConsumer => (6, "revoked_by_consumer"),
        CallPermission::Uncallable { .. } => (7, "uncallable"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_permission_that_ends_when_the_call_may_begin_is_too_short() {
        let begins = at("2026-11-23T12:00:00Z");
        let temporary = |expires_at| of_pair(&CallPermission::Temporary { expires_at }, begins).1;
        assert_eq!(temporary(at("2026-11-23T11:59:59Z")), "ends_before");
        assert_eq!(temporary(begins), "ends_before");
        assert_eq!(temporary(at("2026-11-23T12:00:01Z")), "live");
    }

    #[test]
    fn a_request_that_is_held_is_told_apart() {
        let by = |code: &'static str| move |held: &str| held == code;
        assert_eq!(held("must_ask", by("")), "must_ask");
        assert_eq!(held("must_ask", by("permission.request_limit")), "must_wait");
        assert_eq!(held("must_ask", by("permission.ask_later")), "must_wait");
        assert_eq!(held("ends_before", by("permission.ask_later")), "ends_before");
        assert_eq!(held("must_ask", by("limit.streak_guard")), "guarded_by_streak");
        assert_eq!(held("live", by("limit.streak_guard")), "guarded_by_streak");
        assert_eq!(held("live", by("permission.request_limit")), "live");
        assert_eq!(held("uncallable", by("limit.streak_guard")), "uncallable");
    }

    #[test]
    fn an_open_order_is_told_by_its_campaign() {
        let [own, other] = [1, 2].map(|id| CampaignId::new(uuid::Uuid::from_u128(id)));
        let order = |campaign, is_launched| OpenOrder { campaign, is_launched };
        for (campaign, is_launched, code) in [
            (None, true, "already_open"),
            (Some(other), true, "already_open"),
            (Some(other), false, "in_a_draft"),
            (Some(own), true, "in_this_campaign"),
            (Some(own), false, "in_this_campaign"),
        ] {
            assert_eq!(of_open(Some(own), order(campaign, is_launched)), code);
        }
        assert_eq!(of_open(None, order(Some(own), false)), "in_a_draft");
        assert_eq!(of_open(None, order(None, true)), "already_open");
    }

    #[test]
    fn the_checks_have_names_of_their_own() {
        for (index, check) in CHECKS.iter().enumerate() {
            assert!(CHECKS[..index].iter().all(|earlier| earlier.name != check.name), "{}", check.name);
        }
    }
}
