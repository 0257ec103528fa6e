//! Decides when a callback without a permission may request it, and what it waits for.

use jiff::Timestamp;

use super::{Assessment, Case, Rolling, Rules, Step, dialling, ladder, rolling, window};
use crate::domain::calendar::Opening;
use crate::domain::suppression::Outgoing;
use crate::domain::{CallPermission, ContentRef, Gate, Outcome, Pair, Purpose, Reason, SenderPart, TokenUse};

/// The step of a callback without a permission for its earliest dialling time. Also returns the reasons that
/// will apply after that.
pub(super) fn assess(case: &Case<'_>, dial_at: Timestamp) -> Assessment {
    let mut assessment = step(case, dial_at);
    if !matches!(assessment.step, Step::Finish { .. }) {
        assessment.binding.extend(limits_used_up(case.now, case.pair, case.rules));
        assessment.binding.extend(dialling::once_permitted(case));
    }
    assessment
}

fn step(case: &Case<'_>, dial_at: Timestamp) -> Assessment {
    let Case { now, pair, .. } = *case;
    match pair.permission {
        CallPermission::Uncallable { .. } => return case.give_up(Outcome::Failed, Reason::Uncallable),
        CallPermission::Requested { expires_at } => {
            return asked(case, dial_at, expires_at);
        }
        CallPermission::Declined { .. } | CallPermission::RevokedByConsumer => {
            return case.declined(Reason::Declined);
        }
        // The permission is live but ends before the call can be placed. No request is sent while it is live.
        CallPermission::Temporary { expires_at } => {
            let at = ask_at(case, expires_at, dial_at).at;
            return case.wait(expires_at, None, Reason::AskLater { at });
        }
        CallPermission::None
        | CallPermission::Expired
        | CallPermission::RevokedAutomatically
        | CallPermission::Permanent => {}
    }
    // A consumer who declined one sender is not asked by another.
    if case.refused && !case.rules.people.decline_binds_its_sender_only {
        return case.declined(Reason::Declined);
    }
    if let Some(reason) = case.suppressed(Outgoing::Request) {
        return case.give_up(Outcome::Declined, reason);
    }
    if let Some(kind) = case.person.refuses_requests(case.callback.order.purpose) {
        return case.give_up(Outcome::Declined, Reason::PersonRefuses { kind });
    }
    if pair.request.is_some() {
        return case.wait(case.callback.order.latest, None, Reason::PairFenced);
    }
    // With a permission the streak guard would still prevent the call, so do not ask.
    if let Some(assessment) = dialling::streak_guard(case) {
        return assessment;
    }
    let Some(content) = content(case) else { return no_content(case) };
    let ask_at = ask_at(case, now, dial_at);
    if ask_at.at > now {
        return hold(case, ask_at);
    }
    send(case, content)
}

/// Asks now, unless the account, the sender or the content is paused.
fn send(case: &Case<'_>, content: ContentRef) -> Assessment {
    let now = case.now;
    if let Some(until) = case.callback.not_today(now) {
        return case.wait(until, None, Reason::NotToday { until });
    }
    let account = case.sender.request_account(&content);
    if *account != case.sender.account {
        if let Some((gate, reason)) = case.candidate.account_rest(now, account) {
            return case.wait(case.callback.order.latest, Some(gate), reason);
        }
    } else if let Some((until, why)) = &case.candidate.account.paused {
        let reason = Reason::AccountPaused { until: *until, why: why.clone() };
        let gate = Gate::Account(account.clone());
        return case.wait(case.callback.order.latest, Some(gate), reason);
    }
    if let Some((gate, reason)) = case.candidate.rest(now, Some(SenderPart::Placed)) {
        return case.wait(case.callback.order.latest, Some(gate), reason);
    }
    if let Some((gate, reason)) = case.candidate.content_rest(now, account, &content) {
        return case.wait(case.callback.order.latest, Some(gate), reason);
    }
    if let Some((gate, reason)) = dialling::ceiling(case, TokenUse::Request) {
        return case.wait(case.callback.order.latest, Some(gate), reason);
    }
    let sender = case.sender.number;
    Assessment {
        step: Step::RequestPermission { sender, content },
        sender: Some(sender),
        binding: vec![Reason::NoPermission],
        is_about_invites: false,
    }
}

/// Asked and not answered. The answer may be lost, so the consumer is asked once more if that can still lead to a
/// call.
fn asked(case: &Case<'_>, dial_at: Timestamp, lapses_at: Timestamp) -> Assessment {
    // An answer after the deadline is of no use to this callback.
    let reason = Reason::AwaitingReply { lapses_at: lapses_at.min(case.callback.order.latest) };
    match content(case).zip(again_at(case, dial_at, lapses_at)) {
        Some((content, at)) if at <= case.now => send(case, content),
        Some((_, at)) => {
            let mut assessment = case.wait(at, None, reason);
            assessment.binding.push(Reason::AskedAgain { at });
            assessment
        }
        None => case.wait(lapses_at, None, reason),
    }
}

/// When to ask once more, if at all.
fn again_at(case: &Case<'_>, dial_at: Timestamp, lapses_at: Timestamp) -> Option<Timestamp> {
    let Case { pair, callback, rules, .. } = *case;
    let again = rules.ask_again?;
    let is_suppressed = case.suppressed(Outgoing::Request).is_some();
    let refuses =
        case.refused || case.person.refuses_requests(callback.order.purpose).is_some() || is_suppressed;
    if pair.unanswered > 1 || refuses || dialling::streak_guard(case).is_some() {
        return None;
    }
    let first = lapses_at.checked_sub(rules.limits.request_lifetime).ok();
    let last = pair.requests.last().copied().or(first)?;
    let at = ask_at(case, last.checked_add(again.after).ok()?, dial_at).at;
    let answered_at = at.checked_add(again.answer_time).ok()?;
    let latest = callback.order.latest;
    let can_dial = match case.hours {
        Some(hours) => window::next_dial(hours, answered_at, latest).is_some(),
        None => answered_at < latest,
    };
    (can_dial && at < lapses_at).then_some(at)
}

/// The content of the request: unapproved content inside the service window, the template outside it. The
/// margin shortens this window, as it lengthens those of the limits. Paused content is passed over where the other can ask;
/// of two that are paused it is the one whose pause ends first.
fn content(case: &Case<'_>) -> Option<ContentRef> {
    let Case { now, sender, pair, rules, .. } = *case;
    let open = service_window_is_open(now, pair, rules);
    let free = sender.free_request().filter(|_| open);
    let paused_until = |content: &&ContentRef| {
        let rest = case.candidate.content_rest(now, sender.request_account(content), content);
        rest.map(|(_, reason)| reason.lifts_at().unwrap_or(Timestamp::MAX))
    };
    free.into_iter().chain(&sender.permission_template).min_by_key(paused_until).cloned()
}

pub(super) fn service_window_is_open(now: Timestamp, pair: &Pair, rules: &Rules) -> bool {
    service_window_closes_at(pair, rules).is_some_and(|closes_at| now < closes_at)
}

/// When the service window closes or has closed; `None` if the consumer never opened it.
pub(super) fn service_window_closes_at(pair: &Pair, rules: &Rules) -> Option<Timestamp> {
    let window = rules.limits.service_window - rules.margin;
    pair.inbound_at?.checked_add(window).ok()
}

fn no_content(case: &Case<'_>) -> Assessment {
    if case.sender.free_request().is_none() {
        return case.give_up(Outcome::Failed, Reason::NoRequestContent);
    }
    case.wait(case.callback.order.latest, None, Reason::ServiceWindowClosed)
}

/// When to ask, and the reasons until then, in the order in which they end.
struct AskAt {
    at: Timestamp,
    binding: Vec<Reason>,
}

/// The earliest useful and allowed time: not so early that the permission would end before the call, within
/// the consumer's hours, and within the request limits.
fn ask_at(case: &Case<'_>, from: Timestamp, dial_at: Timestamp) -> AskAt {
    let Case { now, pair, rules, .. } = *case;
    let mut ask = AskAt { at: from.max(now), binding: Vec::new() };
    let useful_from = useful_from(dial_at, case.callback.order.purpose, case.hours, rules).unwrap_or(now);
    if useful_from > now {
        ask.at = ask.at.max(useful_from);
        ask.binding.push(Reason::AskLater { at: useful_from });
    }
    for limit in limits_used_up(now, pair, rules) {
        ask.at = ask.at.max(limit.lifts_at().unwrap_or(Timestamp::MAX));
        ask.binding.push(limit);
    }
    if let Some(lifts_at) = ladder::message_gap(now, pair, rules) {
        ask.at = ask.at.max(lifts_at);
        ask.binding.push(Reason::MessageGap { lifts_at });
    }
    if let Some(until) = pair.paused_until.filter(|&until| until > now) {
        ask.at = ask.at.max(until);
        ask.binding.push(Reason::PairPaused { until });
    }
    if let Some(hours) = case.hours {
        let far = ask.at.checked_add(window::FAR).unwrap_or(Timestamp::MAX);
        match window::next_open(hours, ask.at, far) {
            Some(opens_at) if opens_at == ask.at => {}
            Some(opens_at) => {
                ask.binding.push(window::closed(hours, ask.at, opens_at));
                ask.at = opens_at;
            }
            None => {
                let latest = case.callback.order.latest;
                ask.at = ask.at.max(latest);
                ask.binding.push(Reason::NoTimeLeft { latest });
            }
        }
    }
    ask
}

/// From when on a permission request for a call at `dial_at` is useful: not so early that the permission may end before the
/// call, and for a call that nobody asked for not earlier than [`Rules::ask_ahead`] before it. If that leaves the consumer
/// less open time than one open day to answer, it is the opening of the last open day before that of the call.
#[must_use]
pub fn useful_from(
    dial_at: Timestamp,
    purpose: Purpose,
    hours: Option<Opening<'_>>,
    rules: &Rules,
) -> Option<Timestamp> {
    let usual = dial_at.checked_sub(rules.lead(purpose)).ok()?;
    let longest = dial_at.checked_sub(rules.lead(Purpose::Requested)).ok()?;
    let Some(hours) = hours.filter(|_| longest < usual) else { return Some(usual) };
    let Some((opens_at, open_for)) = window::open_day_before(hours, dial_at, longest) else {
        return Some(usual);
    };
    let is_enough = window::open_time(hours, usual, dial_at, open_for) >= open_for;
    Some(if is_enough { usual } else { opens_at.min(usual) })
}

/// Request limits that are used up.
pub(super) fn limits_used_up(now: Timestamp, pair: &Pair, rules: &Rules) -> Vec<Reason> {
    let limits = &rules.limits;
    let used_up = |limit: Rolling| {
        let used_up = rolling::used_up(&pair.requests, now, limit, rules.margin)?;
        let (used, lifts_at) = (used_up.used, used_up.lifts_at);
        Some(Reason::RequestLimit { used, max: limit.max, window: limit.window, lifts_at })
    };
    [limits.requests_short, limits.requests_long].into_iter().filter_map(used_up).collect()
}

/// Waits until a request is allowed, or gives up if that is too late for the callback.
fn hold(case: &Case<'_>, mut ask: AskAt) -> Assessment {
    ask.binding.sort_by_key(|reason| std::cmp::Reverse(reason.lifts_at()));
    // The reason has the time at which the consumer is asked, not the start of the useful time.
    for reason in &mut ask.binding {
        if let Reason::AskLater { at } = reason {
            *at = ask.at;
        }
    }
    let deciding = ask.binding.first().cloned().unwrap_or(Reason::NoPermission);
    let mut assessment = if ask.at >= case.callback.order.latest {
        case.give_up(Outcome::Exhausted, deciding)
    } else {
        case.wait(ask.at, None, deciding)
    };
    assessment.binding = ask.binding;
    assessment.binding.push(Reason::NoPermission);
    assessment
}
