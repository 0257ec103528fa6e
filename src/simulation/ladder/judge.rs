//! What must hold of the invites of a run. It looks at what the platforms took and what people did, and knows the
//! published limits by itself.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Facts, Run};
use crate::domain::{Callback, CallbackId, CallingHours, Outcome, Phone, Reason, RoadKind, zones};
use crate::sim::local::Sent;

const DAY: SignedDuration = SignedDuration::from_hours(24);
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Between the decision about an invite, from which it counts, and its sending.
const SENDING: SignedDuration = SignedDuration::from_mins(2);
const GAP: SignedDuration = SignedDuration::from_secs(6);
/// The first byte leaves at most this long after the last check.
const LEAVING: SignedDuration = SignedDuration::from_millis(250);

/// Describes everything that the daemon did wrong.
pub(super) async fn problems(run: &Run) -> anyhow::Result<Vec<String>> {
    let of_message = run.callbacks_of_messages().await?;
    let ids = Vec::from_iter(run.ordered.iter().copied());
    let kept = run.daemon.store.callbacks(&ids).await?;
    let kept: BTreeMap<CallbackId, Callback> =
        kept.into_iter().map(|callback| (callback.id, callback)).collect();
    let mut sent = [run.cloud.sent(), run.page.sent()].concat();
    sent.sort_by_key(|sent| sent.at);
    let mut problems = Vec::new();
    for one in &sent {
        let callback = of_message.get(&one.plan.message).and_then(|id| kept.get(id));
        let Some(callback) = callback else {
            problems.push(format!("{} was sent for nothing", one.plan.message));
            continue;
        };
        problems.extend(ground(one, callback, &run.facts));
    }
    problems.extend(too_often(&sent));
    problems.extend(lost_tokens(run, &kept));
    problems.extend(unexplained(run, &kept));
    Ok(problems)
}

/// Whether a message had its ground when it was sent.
fn ground(sent: &Sent, callback: &Callback, facts: &Facts) -> Vec<String> {
    let (at, consumer) = (sent.at, sent.plan.numbers.consumer);
    let Some(invite) = &sent.plan.invite else { return vec![format!("{} has no road", sent.plan.message)] };
    let mut problems = Vec::new();
    let mut wrong = |what: &str| problems.push(format!("{at} {}: {what}", invite.road.as_str()));
    let recent = |log: &[(Timestamp, Phone)]| {
        log.iter().any(|(then, who)| *who == consumer && *then <= at && at.duration_since(*then) < DAY)
    };
    match invite.road {
        RoadKind::CallButton | RoadKind::UrlButton | RoadKind::DeepLink if !recent(&facts.heard) => {
            wrong("sent outside the service window");
        }
        RoadKind::Messenger if !recent(&facts.at_page) => wrong("sent outside the window of the page"),
        _ => {}
    }
    let last = facts.stops.iter().rfind(|(then, who, _)| *who == consumer && *then + LEAVING < at);
    if last.is_some_and(|(_, _, is_no)| *is_no) {
        wrong("sent after a no");
    }
    let is_restricted = |(from, until): &(Timestamp, Timestamp)| *from + LEAVING < at && at < *until;
    if invite.road != RoadKind::Messenger && facts.restricted.iter().any(is_restricted) {
        wrong("sent while the account was restricted");
    }
    if at >= callback.order.latest || at < callback.order.earliest {
        wrong("sent outside the time of its order");
    }
    if invite.road != RoadKind::UrlButton
        && callback.order.hours.as_ref().is_some_and(|hours| !is_open(hours, at))
    {
        wrong("sent outside the hours");
    }
    if invite.ends_at > callback.order.latest {
        wrong("lasts longer than its callback");
    }
    problems
}

/// The hours of these runs are 09:00 to 18:00 of every day.
fn is_open(hours: &CallingHours, at: Timestamp) -> bool {
    zones::zone(&hours.zone).is_ok_and(|zone| (9..18).contains(&at.to_zoned(zone).hour()))
}

/// Two invites of one person within seven days, or two messages of one pair within six seconds.
fn too_often(sent: &[Sent]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut arrived: BTreeMap<Phone, Timestamp> = BTreeMap::new();
    let mut left: BTreeMap<Phone, Timestamp> = BTreeMap::new();
    for one in sent {
        let consumer = one.plan.numbers.consumer;
        if one.is_delivered
            && let Some(before) = arrived.insert(consumer, one.at)
            && one.at.duration_since(before) < WEEK - SENDING
        {
            problems.push(format!("{consumer} was invited at {before} and at {}", one.at));
        }
        if one.plan.channel.psid().is_none()
            && let Some(before) = left.insert(consumer, one.at)
            && one.at.duration_since(before) < GAP
        {
            problems.push(format!("{consumer} got messages at {before} and at {}", one.at));
        }
    }
    problems
}

/// An answered call with a token of its caller closes the callback of the token.
fn lost_tokens(run: &Run, kept: &BTreeMap<CallbackId, Callback>) -> Vec<String> {
    let mut problems = Vec::new();
    for call in &run.facts.answered {
        let Some(callback) = call.token.and_then(|id| kept.get(&id)) else { continue };
        if callback.order.consumer != call.consumer {
            continue;
        }
        let closed = callback.closed();
        if closed.is_none_or(|closed| closed.at > call.at + LEAVING) {
            problems.push(format!("{} was not closed by the call of {}", callback.id, call.at));
        }
    }
    problems
}

/// A callback is reached only by a call of its own consumer.
fn unexplained(run: &Run, kept: &BTreeMap<CallbackId, Callback>) -> Vec<String> {
    let code = Reason::ConsumerCalled.note().code;
    let mut problems = Vec::new();
    for callback in kept.values() {
        let Some(closed) = callback.closed().filter(|closed| closed.outcome == Outcome::Reached) else {
            continue;
        };
        let by_page = callback.invited_by.as_ref().is_some_and(|road| road.kind == RoadKind::Messenger);
        let own = run.facts.answered.iter().any(|call| {
            call.consumer == callback.order.consumer && call.at <= closed.at && (by_page || !call.is_at_page)
        });
        if closed.note.code != code || !own {
            problems.push(format!("{} is reached, and its consumer has not called", callback.id));
        }
    }
    problems
}
