//! What an attempt, a message and a callback count as.

use jiff::Timestamp;

use super::{Counts, Family, PLACES, Quarter};
use crate::domain::event::MessageProgress;
use crate::domain::message::Reply;
use crate::domain::{
    Attempt, Callback, Disposition, EffectKind, Message, MessagePurpose, OrderKind, Outcome, Phone, Purpose,
    Resource, Stage, State, WrapUpRecord, is_pseudonym,
};

/// One row counts as this in one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub family: Family,
    pub label: String,
    pub quarter: Quarter,
    pub counts: Counts,
}

/// The places of calls. A call is counted when it is over, in the quarter in which it was sent to the platform.
#[derive(Debug)]
pub struct Calls;

impl Calls {
    /// The platform placed it.
    pub const PLACED: usize = 0;
    /// The consumer answered.
    pub const ANSWERED: usize = 1;
    /// The consumer answered and was served.
    pub const SERVED: usize = 2;
    /// The consumer answered and was not served.
    pub const ABANDONED: usize = 3;
    pub const NO_ANSWER: usize = 4;
    pub const BUSY: usize = 5;
    pub const FAILED: usize = 6;
    /// We hung up before an answer.
    pub const CANCELED: usize = 7;
    /// The platform refused it, so it was not placed.
    pub const REFUSED: usize = 8;
    /// From the answer to the end, in seconds.
    pub const TALK_S: usize = 9;
    /// The length of the first leg, in seconds, as the platform reports it.
    pub const LINE_S: usize = 10;
    /// From the request to the answer or the end, in seconds, of calls that held an agent or a seat of a pool: for so long
    /// agents waited.
    pub const AGENTS_WAITED_S: usize = 11;
}

/// The places of calls by country.
#[derive(Debug)]
pub struct Lines;

impl Lines {
    pub const PLACED: usize = 0;
    pub const ANSWERED: usize = 1;
    pub const SERVED: usize = 2;
    /// In seconds.
    pub const LINE_S: usize = 3;
    /// Minutes, each call's last one as a whole one.
    pub const MINUTES_BEGUN: usize = 4;
    /// Permission requests and invites that the platform has taken, in the quarter in which they left.
    pub const MESSAGES: usize = 5;
}

/// The places of agents.
#[derive(Debug)]
pub struct Hours;

impl Hours {
    /// Handled calls, in the quarter in which the conversation began.
    pub const HANDLED: usize = 0;
    /// Seconds of conversations within the quarter.
    pub const BUSY_S: usize = 1;
    /// The quarter itself, once for each conversation in it.
    pub const QUARTERS: usize = 2;
}

/// The places of permission requests. All but the last two are counted in the quarter in which the request left.
#[derive(Debug)]
pub struct Contents;

impl Contents {
    /// The platform has taken it.
    pub const ASKED: usize = 0;
    pub const DELIVERED: usize = 1;
    pub const READ: usize = 2;
    pub const FAILED: usize = 3;
    /// The consumer said yes or no.
    pub const ANSWERED: usize = 4;
    pub const GRANTED: usize = 5;
    /// A first call after the grant, in the quarter of the call.
    pub const CALLED: usize = 6;
    /// The consumer answered it.
    pub const CONNECTED: usize = 7;
}

/// The places of promised times.
#[derive(Debug)]
pub struct Promises;

impl Promises {
    pub const PROMISED: usize = 0;
    /// The phone rang at most ten minutes before or after.
    pub const KEPT: usize = 1;
    /// How far off is still kept, in seconds.
    pub const TOLERANCE_S: i64 = 600;
}

/// The places of what agents said of calls, in the quarter in which they said it.
#[derive(Debug)]
pub struct Words;

impl Words {
    pub const SAID: usize = 0;
    /// The number is that of the person who was to be called.
    pub const RIGHT_PARTY: usize = 1;
}

/// The last place of attempts to reach: so many and more.
pub const REACH_MOST: usize = PLACES - 1;

/// The longest time of each place of the time from the grant to the ringing, in seconds. The last place has all above.
pub const SPEED_STEPS_S: [i64; PLACES - 1] =
    [30, 60, 120, 300, 600, 900, 1_800, 3_600, 14_400, 43_200, 86_400];

/// A conversation is spread over at most so many quarters.
const QUARTERS_MAX: i64 = 96;

/// What is known of an attempt beside its row. The texts are labels already.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Empty for none.
    pub campaign: &'a str,
    pub purpose: Purpose,
    pub agent: Option<&'a str>,
    /// How the attempt ended, by all that the platform told.
    pub told: Option<Disposition>,
    /// When the consumer was promised to be called.
    pub promised_at: Option<Timestamp>,
    /// When the consumer's phone first rang for the callback.
    pub first_rang_at: Option<Timestamp>,
}

/// The place of so many seconds among these steps: the first step that they do not pass.
#[must_use]
pub fn seconds_step(seconds: i64) -> usize {
    SPEED_STEPS_S.iter().position(|step| seconds <= *step).unwrap_or(SPEED_STEPS_S.len())
}

/// What an agent's word of a call counts as.
#[must_use]
pub fn of_wrap_up(record: &WrapUpRecord, campaign: &str) -> Counted {
    let mut counts = [0; PLACES];
    counts[Words::SAID] = 1;
    counts[Words::RIGHT_PARTY] = i64::from(record.said.effect.kind() != EffectKind::WrongPerson);
    let label = Family::pair(campaign, &record.said.disposition);
    Counted { family: Family::WrapUp, label, quarter: Quarter::of(record.at), counts }
}

/// What an attempt counts as: nothing while it is in progress, or if the platform did not get it.
#[must_use]
pub fn of_attempt(attempt: &Attempt, facts: &Facts<'_>) -> Vec<Counted> {
    let (Some(told), Stage::Accepted | Stage::Rejected) = (facts.told, attempt.submission.stage) else {
        return Vec::new();
    };
    if attempt.disposition().is_none() {
        return Vec::new();
    }
    let began_at = attempt.submission.submitted_at.unwrap_or(attempt.submission.intended_at);
    let quarter = Quarter::of(began_at);
    let sender = attempt.sender.digits().to_string();
    let counts = calls(attempt, told);
    let mut all = vec![
        Counted { family: Family::Campaign, label: Family::pair(facts.campaign, &sender), quarter, counts },
        Counted { family: Family::Sender, label: sender, quarter, counts },
    ];
    if counts[Calls::PLACED] > 0 {
        all.push(line(attempt, facts, quarter, &counts));
    }
    if let Some(agent) = facts.agent.filter(|_| counts[Calls::SERVED] > 0) {
        all.extend(handled(attempt, agent));
    }
    all.extend(after_the_grant(attempt, facts, quarter, &counts));
    all.extend(promise(attempt, facts, quarter));
    all
}

/// The end of a call in its places.
fn calls(attempt: &Attempt, told: Disposition) -> Counts {
    let mut counts = Counts::default();
    if attempt.submission.stage == Stage::Rejected {
        counts[Calls::REFUSED] = 1;
        return counts;
    }
    counts[Calls::PLACED] = 1;
    counts[Calls::LINE_S] = attempt.duration_s.map_or(0, i64::from);
    counts[Calls::AGENTS_WAITED_S] = agents_waited(attempt);
    let end = match told {
        Disposition::Completed => Calls::ANSWERED,
        Disposition::NoAnswer => Calls::NO_ANSWER,
        Disposition::Busy => Calls::BUSY,
        Disposition::Failed => Calls::FAILED,
        Disposition::Canceled => Calls::CANCELED,
    };
    counts[end] = 1;
    if told == Disposition::Completed {
        counts[if attempt.is_served() { Calls::SERVED } else { Calls::ABANDONED }] = 1;
        counts[Calls::TALK_S] =
            attempt.connected_at.zip(attempt.ended_at).map_or(0, |(from, to)| seconds(from, to));
    }
    counts
}

/// For how long an agent, or a seat of a pool, was held before the consumer answered, in seconds.
fn agents_waited(attempt: &Attempt) -> i64 {
    let holds_agent = |held: &Resource| matches!(held, Resource::Pool(_) | Resource::Agents(_));
    let until = attempt.connected_at.or(attempt.ended_at);
    match attempt.submission.submitted_at.zip(until) {
        Some((from, until)) if attempt.holds.iter().any(holds_agent) => seconds(from, until),
        _ => 0,
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs().max(0)
}

fn line(attempt: &Attempt, facts: &Facts<'_>, quarter: Quarter, calls: &Counts) -> Counted {
    let code = country(attempt.consumer);
    let mut counts = Counts::default();
    counts[Lines::PLACED] = calls[Calls::PLACED];
    counts[Lines::ANSWERED] = calls[Calls::ANSWERED];
    counts[Lines::SERVED] = calls[Calls::SERVED];
    counts[Lines::LINE_S] = calls[Calls::LINE_S];
    counts[Lines::MINUTES_BEGUN] = calls[Calls::LINE_S].saturating_add(59).div_euclid(60);
    Counted { family: Family::Country, label: Family::pair(facts.campaign, &code), quarter, counts }
}

/// The calling code of a number; empty if it was erased.
fn country(consumer: Phone) -> String {
    if is_pseudonym(consumer) { String::new() } else { consumer.calling_code().to_string() }
}

/// A conversation, spread over the quarters in which it was.
fn handled(attempt: &Attempt, agent: &str) -> Vec<Counted> {
    let answered_at = attempt.bridge.as_ref().and_then(|bridge| bridge.at).or(attempt.connected_at);
    let (Some(from), Some(to)) = (answered_at, attempt.ended_at) else { return Vec::new() };
    let first = Quarter::of(from);
    let last = Quarter::of(to).0.clamp(first.0, first.0.saturating_add(QUARTERS_MAX));
    let quarters = (first.0..=last).map(Quarter);
    let counted = quarters.map(|quarter| {
        let next = Quarter(quarter.0.saturating_add(1)).start();
        let mut counts = Counts::default();
        counts[Hours::HANDLED] = i64::from(quarter == first);
        counts[Hours::BUSY_S] = seconds(from.max(quarter.start()), to.min(next));
        counts[Hours::QUARTERS] = 1;
        Counted { family: Family::Agent, label: agent.to_owned(), quarter, counts }
    });
    counted.collect()
}

/// A call that is the first one after a permission was granted for it.
fn after_the_grant(attempt: &Attempt, facts: &Facts<'_>, quarter: Quarter, calls: &Counts) -> Vec<Counted> {
    let Some(grant) = &attempt.grant else { return Vec::new() };
    let mut all = Vec::new();
    if let Some(content) = grant.by.as_ref().filter(|_| calls[Calls::PLACED] > 0) {
        let mut counts = Counts::default();
        counts[Contents::CALLED] = 1;
        counts[Contents::CONNECTED] = calls[Calls::ANSWERED];
        let label = content.as_str().to_owned();
        all.push(Counted { family: Family::Content, label, quarter, counts });
        let label = facts.purpose.as_str().to_owned();
        all.push(Counted { family: Family::Purpose, label, quarter, counts });
    }
    if let Some(rang_at) = attempt.rang_at {
        let mut counts = Counts::default();
        counts[seconds_step(seconds(grant.at, rang_at))] = 1;
        all.push(Counted { family: Family::Speed, label: facts.campaign.to_owned(), quarter, counts });
    }
    all
}

/// The call that first rang at somebody who was promised a time. Calls before it that did not ring do not count.
fn promise(attempt: &Attempt, facts: &Facts<'_>, quarter: Quarter) -> Option<Counted> {
    let (promised_at, rang_at) = (facts.promised_at?, attempt.rang_at?);
    if facts.first_rang_at != Some(rang_at) {
        return None;
    }
    let off = rang_at.duration_since(promised_at).abs();
    let mut counts = Counts::default();
    counts[Promises::PROMISED] = 1;
    counts[Promises::KEPT] = i64::from(off.as_millis() <= i128::from(Promises::TOLERANCE_S) * 1_000);
    Some(Counted { family: Family::Promise, label: facts.campaign.to_owned(), quarter, counts })
}

/// What a message counts as, with the label of the campaign of its order; empty for none.
#[must_use]
pub fn of_message(message: &Message, campaign: &str) -> Vec<Counted> {
    if message.submission.stage != Stage::Accepted {
        return Vec::new();
    }
    let left_at = message.submission.submitted_at.unwrap_or(message.submission.intended_at);
    let quarter = Quarter::of(left_at);
    let mut counts = Counts::default();
    counts[Lines::MESSAGES] = 1;
    let label = Family::pair(campaign, &country(message.consumer));
    let mut all = vec![Counted { family: Family::Country, label, quarter, counts }];
    if message.purpose == MessagePurpose::PermissionRequest {
        let counts = request(message);
        let label = message.content.as_str().to_owned();
        all.push(Counted { family: Family::Content, label, quarter, counts });
        if let Some(ordered) = &message.ordered {
            let label = ordered.purpose.as_str().to_owned();
            all.push(Counted { family: Family::Purpose, label, quarter, counts });
        }
    }
    all
}

/// A permission request in its places.
fn request(message: &Message) -> Counts {
    let mut counts = Counts::default();
    counts[Contents::ASKED] = 1;
    let is_read = message.progress == MessageProgress::Read;
    counts[Contents::READ] = i64::from(is_read);
    // Somebody who answers has got it.
    let has_come = is_read || message.progress == MessageProgress::Delivered || message.reply.is_some();
    counts[Contents::DELIVERED] = i64::from(has_come);
    counts[Contents::FAILED] = i64::from(message.progress == MessageProgress::Failed);
    counts[Contents::ANSWERED] = i64::from(message.reply.is_some());
    counts[Contents::GRANTED] = i64::from(message.reply == Some(Reply::Granted));
    counts
}

/// What a callback counts as: that it was attempted, in the quarter in which it was ordered, and that it was reached, in the
/// quarter in which it closed.
#[must_use]
pub fn of_callback(callback: &Callback, campaign: &str) -> Vec<Counted> {
    let mut all = Vec::new();
    if callback.order.kind != OrderKind::Callback {
        return all;
    }
    if callback.attempts_made > 0 && !campaign.is_empty() {
        let mut counts = Counts::default();
        counts[0] = 1;
        let quarter = Quarter::of(callback.created_at);
        all.push(Counted { family: Family::List, label: campaign.to_owned(), quarter, counts });
    }
    if let State::Closed(closed) = &callback.state
        && closed.outcome == Outcome::Reached
    {
        let mut counts = Counts::default();
        counts[(callback.attempts_made as usize).min(REACH_MOST)] = 1;
        let quarter = Quarter::of(closed.at);
        all.push(Counted { family: Family::Reach, label: campaign.to_owned(), quarter, counts });
    }
    all
}

#[cfg(test)]
mod tests;
