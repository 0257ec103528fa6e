//! Implements the port `Platform` for Twilio: converts domain values to requests, and answers to domain
//! values.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::address::Address;
use super::calls::{Call, CallFilter, HangUp, NewCall};
use super::client::Client;
use super::messages::NewMessage;
use super::outcome::{Created, Error};
use super::words::error_code;
use crate::domain::{
    Answer, AttemptId, CallProgress, ContentRef, Disposition, ErrorCode, HeldKind, Issuer, LegOrder, Numbers,
};
use crate::hook_urls::{HookUrls, Purpose};
use crate::platform::{
    Abilities, CallPlan, Callee, CreatedCall, CreatedMessage, CreatedSince, Deleted, End, Finding, FoundCall,
    FoundMessage, Health, HungUp, LeaveBy, LostCall, LostMessage, MessagePlan, Platform, Reply,
};

/// One Twilio account as a platform.
pub struct TwilioPlatform {
    client: Client,
    hook_urls: Arc<HookUrls>,
    content_variables: BTreeMap<ContentRef, BTreeSet<String>>,
}

/// Asks Twilio to retry a report that we could not accept (connection overrides, a URL fragment that is
/// neither sent nor signed; Twilio, *Webhooks connection overrides*, 2026). All tries are within 15 s.
const TRIES: &str = "#rc=3&rp=ct,rt,5xx";

/// The caller that an agent sees. A call to a client or SIP address needs a `From` of the same kind.
const CALLER: &str = "ringmaster";

/// Twilio's code for refused credentials. Also used if the body has none.
const CREDENTIALS_REFUSED: ErrorCode = ErrorCode::new(Issuer::Twilio, 20003);

/// Twilio's code for content variables that are missing or empty, which is also our own refusal.
const VARIABLES_INVALID: ErrorCode = ErrorCode::new(Issuer::Twilio, 21656);

/// The maximum difference between a creation, by Twilio's clock, and our submission. The clocks may differ, and an
/// answer takes time.
const CREATED_EARLIEST: SignedDuration = SignedDuration::from_secs(-30);
const CREATED_LATEST: SignedDuration = SignedDuration::from_mins(2);

impl TwilioPlatform {
    #[must_use]
    pub fn new(client: Client, hook_urls: Arc<HookUrls>) -> Self {
        Self { client, hook_urls, content_variables: BTreeMap::new() }
    }

    /// The same, with the variables of content by its SID. Other content is sent without values.
    #[must_use]
    pub fn with_content_variables(self, content_variables: BTreeMap<ContentRef, BTreeSet<String>>) -> Self {
        Self { content_variables, ..self }
    }

    /// The values for the variables of the content of a message; `None` if one is missing or empty, because consumers
    /// would read its sample.
    fn values(&self, plan: &MessagePlan) -> Option<BTreeMap<String, String>> {
        let names = self.content_variables.get(&plan.content);
        let value = |name: &String| {
            let value = plan.variables.get(name).filter(|value| !value.trim().is_empty())?;
            Some((name.clone(), value.clone()))
        };
        names.into_iter().flatten().map(value).collect()
    }

    async fn known_call(&self, sid: &str, order: LegOrder) -> Result<FoundCall, Error> {
        let call = self.client.fetch_call(sid).await?;
        let completed = CallProgress::Ended(Disposition::Completed);
        let answered = |call: &Call| call.progress().is_ok_and(|progress| progress == completed);
        let leg = match order {
            LegOrder::AgentFirst => {
                let to_consumer = |call: &Call| matches!(call.to, Some(Address::WhatsApp(_)));
                self.legs_of(sid).await?.into_iter().find(to_consumer)
            }
            // Only the leg to the agent shows whether an agent answered.
            LegOrder::ConsumerFirst if answered(&call) => {
                self.legs_of(sid).await?.into_iter().find(|leg| answered(leg))
            }
            LegOrder::ConsumerFirst => None,
        };
        let leg = leg.map(|leg| found_call(leg, None)).transpose()?;
        found_call(call, leg)
    }

    /// The legs that the document of a call dialled.
    async fn legs_of(&self, sid: &str) -> Result<Vec<Call>, Error> {
        let filter = CallFilter { parent_call_sid: Some(sid.to_owned()), ..CallFilter::default() };
        self.client.list_calls(&filter).await
    }

    async fn listed_calls(&self, lost: &LostCall) -> Result<Vec<FoundCall>, Error> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for list in lists(lost) {
            for call in self.client.list_calls(&list).await? {
                if may_be_of(lost.submitted_at, call.date_created) && seen.insert(call.sid.clone()) {
                    let same_ends = is_between(&call, lost);
                    found.push(FoundCall { same_ends, ..found_call(call, None)? });
                }
            }
        }
        Ok(found)
    }

    /// The log of a call has the URLs that Twilio requested for it, so it proves the attempt of a call even if the
    /// numbers do not.
    async fn identified(&self, lost: &LostCall, candidates: Vec<FoundCall>) -> Result<Vec<FoundCall>, Error> {
        let mut silent = Vec::new();
        for call in candidates {
            let events = self.client.call_events(&call.sid).await?;
            let mut tokens = events.iter().filter_map(|event| HookUrls::token_in(&event.url)).peekable();
            // The log may also have other requests, such as lookups of the call.
            if tokens.peek().is_none() {
                silent.push(call);
            } else if tokens.any(|token| self.hook_urls.attempt_of(token) == Some(lost.attempt)) {
                return Ok(vec![call]);
            }
        }
        Ok(silent)
    }

    /// Everything between senders and consumers since then. Twilio's filters leave out what is queued, so calls in the
    /// queue are listed apart.
    async fn all_since(&self, since: Timestamp) -> Result<CreatedSince, Error> {
        let started = CallFilter { started_from: Some(since), ..CallFilter::default() };
        let queued = CallFilter { status: Some(CallProgress::Queued), ..CallFilter::default() };
        let mut created = CreatedSince::default();
        let mut seen = HashSet::new();
        for filter in [queued, started] {
            for call in self.client.list_calls(&filter).await? {
                let at = call.date_created.or(call.start_time).unwrap_or(since);
                if at >= since
                    && seen.insert(call.sid.clone())
                    && let Some(call) = created_call(&call, at)
                {
                    created.calls.push(call);
                }
            }
        }
        for message in self.client.list_messages_since(since).await? {
            let at = message.date_created.or(message.date_sent).unwrap_or(since);
            let is_inbound = message.direction.as_deref() == Some("inbound");
            let ends = (message.from.as_ref(), message.to.as_ref());
            let (Some(Address::WhatsApp(from)), Some(Address::WhatsApp(to))) = ends else { continue };
            let numbers = match is_inbound {
                true => Numbers { sender: *to, consumer: *from },
                false => Numbers { sender: *from, consumer: *to },
            };
            if at >= since {
                created.messages.push(CreatedMessage { sid: message.sid, numbers, at, is_inbound });
            }
        }
        Ok(created)
    }

    /// The log of a call has the URLs that Twilio requested for it.
    async fn proved_attempt(&self, sid: &str) -> Result<AttemptId, Error> {
        let events = self.client.call_events(sid).await?;
        let mut tokens = events.iter().filter_map(|event| HookUrls::token_in(&event.url));
        tokens.find_map(|token| self.hook_urls.attempt_of(token)).ok_or(Error::NotFound)
    }

    /// A message has no reference to its request, so it is matched by numbers and time.
    async fn listed_messages(&self, lost: &LostMessage) -> Result<Vec<FoundMessage>, Error> {
        let Numbers { sender, consumer } = lost.numbers;
        let messages = self.client.list_messages(sender, consumer).await?;
        let sent = messages.into_iter().filter(|message| {
            message.direction.as_deref() != Some("inbound")
                && may_be_of(lost.submitted_at, message.date_created)
        });
        sent.map(|message| {
            let progress = message.progress().map_err(|word| Error::Unexpected(word.to_string().into()))?;
            Ok(FoundMessage { sid: message.sid, progress, error_code: message.error_code.map(error_code) })
        })
        .collect()
    }
}

#[async_trait]
impl Platform for TwilioPlatform {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn abilities(&self) -> Abilities {
        Abilities { lists_calls: true, lists_messages: true }
    }

    async fn place(&self, plan: &CallPlan, leave_by: LeaveBy) -> Reply {
        let (from, to) = ends(plan.numbers, &plan.callee);
        let call = NewCall {
            from,
            to,
            url: self.hook_urls.attempt(plan.attempt, Purpose::Document),
            fallback_url: None,
            status_callback: self.hook_urls.attempt(plan.attempt, Purpose::Status) + TRIES,
            ring_timeout_s: plan.ring_timeout_s,
            time_limit_s: Some(plan.time_limit_s),
            machine_detection: None,
        };
        reply(self.client.leaving_by(leave_by).create_call(&call).await, |call| call.sid)
    }

    async fn send(&self, plan: &MessagePlan, leave_by: LeaveBy) -> Reply {
        let Some(content_variables) = self.values(plan) else {
            tracing::warn!("a message was not sent: its order has no value for a variable of its content");
            return Reply::of(Answer::Rejected { error_code: Some(VARIABLES_INVALID) }, Health::Fine);
        };
        let message = NewMessage {
            from: plan.numbers.sender,
            to: plan.numbers.consumer,
            content_sid: plan.content.to_string(),
            content_variables,
            status_callback: Some(self.hook_urls.message(plan.message) + TRIES),
            validity_s: None,
        };
        reply(self.client.leaving_by(leave_by).create_message(&message).await, |message| message.sid)
    }

    async fn hang_up(&self, sid: &str, how: End, leave_by: LeaveBy) -> HungUp {
        let how = match how {
            End::IfUnanswered => HangUp::IfUnanswered,
            End::Always => HangUp::Always,
        };
        match self.client.leaving_by(leave_by).hang_up(sid, how).await {
            Ok(_) => HungUp::Done,
            Err(error) => {
                tracing::info!(error = &error as &dyn std::error::Error, "a call could not be canceled");
                match error {
                    Error::NotFound | Error::Rejected(_) => HungUp::Refused,
                    Error::RateLimited { .. } | Error::Unreachable(_) | Error::Unexpected(_) => {
                        HungUp::NoAnswer
                    }
                }
            }
        }
    }

    async fn delete(&self, kind: HeldKind, sid: &str) -> Deleted {
        let done = match kind {
            HeldKind::Call => self.client.delete_call(sid).await,
            HeldKind::Message => self.client.delete_message(sid).await,
        };
        deleted(done)
    }

    async fn delete_recording(&self, sid: &str) -> Deleted {
        deleted(self.client.delete_recording(sid).await)
    }

    fn recording_link(&self, sid: &str) -> Option<String> {
        self.client.recording_link(sid)
    }

    async fn call(&self, sid: &str, order: LegOrder) -> Finding<FoundCall> {
        finding(self.known_call(sid, order).await)
    }

    async fn calls_like(&self, lost: &LostCall) -> Finding<Vec<FoundCall>> {
        finding(self.listed_calls(lost).await)
    }

    async fn identify(&self, lost: &LostCall, candidates: Vec<FoundCall>) -> Finding<Vec<FoundCall>> {
        finding(self.identified(lost, candidates).await)
    }

    async fn date(&self) -> Option<Timestamp> {
        self.client.date().await
    }

    async fn messages_like(&self, lost: &LostMessage) -> Finding<Vec<FoundMessage>> {
        finding(self.listed_messages(lost).await)
    }

    async fn created_since(&self, since: Timestamp) -> Finding<CreatedSince> {
        match finding(self.all_since(since).await) {
            // Twilio lists; an account that it does not find cannot be asked.
            Finding::Absent => Finding::NoAnswer,
            found => found,
        }
    }

    async fn attempt_of(&self, sid: &str) -> Finding<AttemptId> {
        finding(self.proved_attempt(sid).await)
    }
}

/// A call of ours to a consumer; `None` for every other one. A leg that a document dialled belongs to the call of the
/// agent, which is the one that we placed.
fn created_call(call: &Call, at: Timestamp) -> Option<CreatedCall> {
    let (Some(Address::WhatsApp(sender)), Some(Address::WhatsApp(consumer))) = (&call.from, &call.to) else {
        return None;
    };
    let (sid, order) = match (call.direction.as_deref(), &call.parent_call_sid) {
        (Some("outbound-api"), None) => (call.sid.clone(), LegOrder::ConsumerFirst),
        (Some("outbound-dial"), Some(parent)) => (parent.clone(), LegOrder::AgentFirst),
        _ => return None,
    };
    let numbers = Numbers { sender: *sender, consumer: *consumer };
    // An unknown state is one of a call that exists.
    let progress = call.progress().unwrap_or(CallProgress::InProgress);
    Some(CreatedCall { sid, numbers, order, at, progress, attempt: None })
}

/// The two ends of a call.
fn ends(numbers: Numbers, callee: &Callee) -> (Address, Address) {
    match callee {
        Callee::Consumer => (Address::WhatsApp(numbers.sender), Address::WhatsApp(numbers.consumer)),
        Callee::Agent(agent) => {
            let to = agent.to_string().parse().unwrap_or_else(|never| match never {});
            (Address::Client(CALLER.to_owned()), to)
        }
    }
}

/// The filters to search for a lost call.
fn lists(lost: &LostCall) -> Vec<CallFilter> {
    let (from, to) = ends(lost.numbers, &lost.callee);
    let between = CallFilter { from: Some(from), to: Some(to), ..CallFilter::default() };
    if lost.callee == Callee::Consumer {
        return vec![between];
    }
    // An agent may have had thousands of calls. A queued call has no start time. A call that leaves the queue after the
    // first list was read is in the second.
    let queued = CallFilter { status: Some(CallProgress::Queued), ..between.clone() };
    let started =
        CallFilter { started_from: lost.submitted_at.checked_add(CREATED_EARLIEST).ok(), ..between };
    vec![queued, started]
}

/// Whether the call is between the two ends that were requested. Twilio may leave an end out, or spell a number otherwise.
fn is_between(call: &Call, lost: &LostCall) -> bool {
    let (from, to) = ends(lost.numbers, &lost.callee);
    call.from.as_ref() == Some(&from) && call.to.as_ref() == Some(&to)
}

/// Whether something was created at the time of the request.
fn may_be_of(submitted_at: Timestamp, created_at: Option<Timestamp>) -> bool {
    created_at.is_none_or(|at| (CREATED_EARLIEST..=CREATED_LATEST).contains(&at.duration_since(submitted_at)))
}

fn found_call(call: Call, leg: Option<FoundCall>) -> Result<FoundCall, Error> {
    let progress = call.progress().map_err(|word| Error::Unexpected(word.to_string().into()))?;
    Ok(FoundCall {
        sid: call.sid,
        progress,
        created_at: call.date_created.or(call.start_time),
        same_ends: true,
        ended_at: call.end_time,
        duration_s: call.duration_s,
        leg: leg.map(Box::new),
    })
}

/// What came of a request to delete.
fn deleted(done: Result<(), Error>) -> Deleted {
    match done {
        Ok(()) | Err(Error::NotFound) => Deleted::Gone,
        Err(Error::Rejected(_)) => Deleted::Refused,
        Err(Error::RateLimited { .. } | Error::Unreachable(_) | Error::Unexpected(_)) => Deleted::NoAnswer,
    }
}

fn finding<T>(found: Result<T, Error>) -> Finding<T> {
    match found {
        Ok(found) => Finding::Found(found),
        Err(Error::NotFound) => Finding::Absent,
        Err(error) => {
            tracing::info!(error = &error as &dyn std::error::Error, "a lookup at the platform failed");
            Finding::NoAnswer
        }
    }
}

/// The meaning of the answer to a create for the submission and for the account.
fn reply<T>(created: Created<T>, sid: impl FnOnce(T) -> String) -> Reply {
    let (answer, health) = match created {
        Created::Accepted(created) => (Answer::Accepted { sid: sid(created) }, Health::Fine),
        Created::Refused(refusal) if refusal.is_credentials() => (
            Answer::Rejected { error_code: Some(CREDENTIALS_REFUSED) },
            Health::trouble("Twilio refused the account's credentials", Some(SignedDuration::from_secs(10))),
        ),
        Created::Refused(refusal) => {
            (Answer::Rejected { error_code: refusal.code.map(error_code) }, Health::Fine)
        }
        Created::Throttled { retry_after, .. } => {
            let at_least = retry_after.map(|after| after.try_into().unwrap_or(SignedDuration::MAX));
            (Answer::Throttled, Health::trouble("Twilio answered 429, too many requests", at_least))
        }
        Created::NotSent(cause) => {
            (Answer::NotSent, Health::trouble(format!("Twilio cannot be reached: {cause}"), None))
        }
        Created::TooLate => {
            (Answer::TooLate, Health::trouble("no connection to Twilio was available in time", None))
        }
        Created::Unknown(cause) => {
            (Answer::Unknown, Health::trouble(format!("Twilio gave no clear answer: {cause}"), None))
        }
    };
    Reply::of(answer, health)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AgentTarget, Phone};

    fn pair() -> Numbers {
        Numbers {
            sender: Phone::parse("+551151991234").unwrap(),
            consumer: Phone::parse("+5511987654321").unwrap(),
        }
    }

    #[test]
    fn an_agent_is_called_at_the_ordered_address() {
        for agent in ["client:alice", "sip:desk@example.com", "sips:desk@example.com"] {
            let target: AgentTarget = agent.parse().unwrap();
            let (from, to) = ends(pair(), &Callee::Agent(target));
            assert_eq!((from.wire(), to.wire()), ("client:ringmaster".to_owned(), agent.to_owned()));
        }
        let (from, to) = ends(pair(), &Callee::Consumer);
        assert_eq!((&*from.wire(), &*to.wire()), ("whatsapp:+551151991234", "whatsapp:+5511987654321"));
    }

    #[test]
    fn a_creation_may_belong_to_a_request_from_30_seconds_before_to_two_minutes_after_it() {
        let submitted_at = Timestamp::constant(1_790_000_000, 0);
        let may_be = |second| may_be_of(submitted_at, Some(submitted_at + SignedDuration::from_secs(second)));
        assert_eq!([-31, -30, 0, 120, 121].map(may_be), [false, true, true, true, false]);
        assert!(may_be_of(submitted_at, None), "a creation without a time may belong to any request");
    }

    #[test]
    fn a_message_has_a_value_for_each_variable_of_its_content_or_is_not_sent() {
        let transport =
            Arc::new(crate::twilio::HttpTransport::new(&crate::twilio::HttpOptions::default()).unwrap());
        let account =
            crate::twilio::Account::new("AC1", crate::twilio::Basic::new("AC1", "secret".to_owned()));
        let urls = Arc::new(HookUrls::new("https://calls.example.com", &[7; 32]));
        let content: ContentRef = "HX1".parse().unwrap();
        let names = ["1", "name"].map(str::to_owned).into_iter().collect();
        let platform = TwilioPlatform::new(Client::new(transport, account), urls)
            .with_content_variables(BTreeMap::from([(content.clone(), names)]));
        let plan = |content: &ContentRef, values: &[(&str, &str)]| MessagePlan {
            message: crate::domain::MessageId::new(uuid::Uuid::from_u128(1)),
            purpose: crate::domain::MessagePurpose::Invite,
            channel: crate::domain::Channel::whatsapp("main"),
            numbers: pair(),
            content: content.clone(),
            variables: values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            invite: None,
        };
        let all =
            platform.values(&plan(&content, &[("1", "Ana"), ("name", "Order 7"), ("other", "x")])).unwrap();
        assert_eq!(all.keys().collect::<Vec<_>>(), ["1", "name"], "other variables stay here");
        for values in [&[("1", "Ana")][..], &[("1", "Ana"), ("name", " ")], &[]] {
            assert_eq!(platform.values(&plan(&content, values)), None, "{values:?}");
        }
        let other: ContentRef = "HX2".parse().unwrap();
        assert_eq!(platform.values(&plan(&other, &[("1", "Ana")])), Some(BTreeMap::new()));
    }
}
