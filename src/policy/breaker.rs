//! When the breaker of a campaign pauses it.

use crate::domain::breaker::{Breaker, CallCounts};
use crate::domain::{Attempt, Callback, Disposition, ErrorCode, Issuer, Stage};

use super::errors::told_by_sip;

/// Codes by which a platform tells that the quality of a sender or of its content is low. Meta, *WhatsApp error codes*,
/// 2026-06-18, and *Troubleshoot WhatsApp calling errors*, 2026-06-24.
const QUALITY_AT_META: [u32; 3] = [131_048, 132_015, 138_014];
/// Twilio, *Error and warning dictionary*, 2026-11-27.
const QUALITY_AT_TWILIO: [u32; 1] = [63_026];

/// Why a campaign is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trip {
    Abandoned { abandoned: i64, answered: i64, percent_max: u8, of_min: u32 },
    Failed { failed: i64, calls: i64, percent_max: u8, of_min: u32, minutes: u32 },
}

impl Trip {
    /// The reason of the pause, as it is shown.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::Abandoned { abandoned, answered, percent_max, of_min } => {
                let least = least(*answered, *of_min);
                format!(
                    "{abandoned} of {answered} answered calls in 24 h were abandoned, and at most {percent_max} %{least} may be"
                )
            }
            Self::Failed { failed, calls, percent_max, of_min, minutes } => {
                let least = least(*calls, *of_min);
                format!(
                    "{failed} of {calls} calls in {minutes} minutes failed, and at most {percent_max} %{least} may"
                )
            }
        }
    }
}

/// Tells of how many calls the share is taken, if that is more than there were.
fn least(all: i64, of_min: u32) -> String {
    if all < i64::from(of_min) { format!(" of at least {of_min}") } else { String::new() }
}

/// Whether the calls of the last day, or of the breaker's window, pause the campaign.
#[must_use]
pub fn trips(breaker: &Breaker, day: CallCounts, window: CallCounts) -> Option<Trip> {
    if let Some(percent_max) = breaker.abandoned_percent_max
        && is_above(day.abandoned, day.answered, percent_max, breaker.abandoned_of_min)
    {
        let CallCounts { abandoned, answered, .. } = day;
        let of_min = breaker.abandoned_of_min;
        return Some(Trip::Abandoned { abandoned, answered, percent_max, of_min });
    }
    if let Some(percent_max) = breaker.failed_percent_max
        && is_above(window.failed, window.calls, percent_max, breaker.failed_of_min)
    {
        let (CallCounts { failed, calls, .. }, minutes) = (window, breaker.failed_window_minutes);
        let of_min = breaker.failed_of_min;
        return Some(Trip::Failed { failed, calls, percent_max, of_min, minutes });
    }
    None
}

/// Whether `part` is more than so many percent of `all`, of which there are taken to be `least` at least.
fn is_above(part: i64, all: i64, percent_max: u8, least: u32) -> bool {
    let all = all.max(i64::from(least));
    part.saturating_mul(100) > all.saturating_mul(i64::from(percent_max))
}

/// What an attempt counts as: nothing while it is in progress, or if the platform did not get it.
#[must_use]
pub fn counts(attempt: &Attempt, callback: &Callback) -> CallCounts {
    let (Some(disposition), Stage::Accepted | Stage::Rejected) =
        (attempt.disposition(), attempt.submission.stage)
    else {
        return CallCounts::default();
    };
    let is_answered = told_by_sip(attempt, disposition) == Disposition::Completed;
    // A call that is not needed any more says goodbye.
    let is_abandoned = is_answered && !attempt.is_served() && callback.needs_its_call();
    let is_failed = told_by_sip(attempt, disposition) == Disposition::Failed;
    CallCounts {
        calls: 1,
        answered: i64::from(is_answered),
        abandoned: i64::from(is_abandoned),
        failed: i64::from(is_failed),
    }
}

/// Whether the code is a warning of the platform about quality.
#[must_use]
pub fn is_about_quality(code: ErrorCode) -> bool {
    match code.issuer {
        Issuer::Meta => QUALITY_AT_META.contains(&code.number),
        Issuer::Twilio => QUALITY_AT_TWILIO.contains(&code.number),
        Issuer::Messenger => false,
    }
}
