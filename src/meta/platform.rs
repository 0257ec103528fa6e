//! One phone number at WhatsApp's Cloud API as a platform that sends messages and places no calls.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::graph::Graph;
use super::messages::{self, Contents, Values};
use super::outcome::{Created, Refusal, reply};
use crate::clock::Clock;
use crate::domain::{Answer, Channel, ErrorCode, Issuer, LegOrder, Phone, deep_link};
use crate::hook_urls::HookUrls;
use crate::platform::{
    Abilities, CallPlan, End, Finding, FoundCall, FoundMessage, Health, HungUp, LeaveBy, LostCall,
    LostMessage, MessagePlan, Platform, Reply,
};

/// One phone number as a platform.
pub struct MetaPlatform {
    graph: Graph,
    phone_number_id: String,
    contents: Contents,
    hook_urls: Arc<HookUrls>,
    clock: Arc<dyn Clock>,
}

/// How the platform is called in sentences.
const NAME: &str = "WhatsApp";

impl MetaPlatform {
    #[must_use]
    pub fn new(
        graph: Graph,
        phone_number_id: String,
        contents: Contents,
        hook_urls: Arc<HookUrls>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { graph, phone_number_id, contents, hook_urls, clock }
    }

    /// The body of a message; else why it is not sent.
    fn body(&self, plan: &MessagePlan) -> Result<Value, String> {
        if !matches!(plan.channel, Channel::WhatsApp { .. }) {
            return Err("it is for another channel".to_owned());
        }
        let words = self.contents.get(&plan.content).ok_or("no such content is declared")?;
        let invite = plan.invite.as_ref();
        if let Some(invite) = invite
            && !words.serves(invite.road)
        {
            return Err(format!("the content is not of the kind that {} needs", invite.road.as_str()));
        }
        let payload = invite.map(|invite| self.hook_urls.invite_token(invite.token));
        let values = Values {
            variables: &plan.variables,
            link: invite.map(|invite| deep_link(invite.link_to, payload.as_deref())),
            payload,
            now: self.clock.now(),
            ends_at: invite.map(|invite| invite.ends_at),
        };
        let token = self.hook_urls.message_token(plan.message);
        messages::body(plan.numbers.consumer, &token, words, &values).map_err(|fault| fault.to_string())
    }
}

#[async_trait]
impl Platform for MetaPlatform {
    /// Neither calls nor messages can be listed: a status webhook or an operator resolves what is unknown.
    fn abilities(&self) -> Abilities {
        Abilities { lists_calls: false, lists_messages: false }
    }

    async fn place(&self, plan: &CallPlan, _: LeaveBy) -> Reply {
        tracing::error!(attempt = %plan.attempt, "no call leaves by WhatsApp's Cloud API (our rule)");
        refused_by_us()
    }

    async fn send(&self, plan: &MessagePlan, leave_by: LeaveBy) -> Reply {
        let body = match self.body(plan) {
            Ok(body) => body,
            Err(why) => {
                tracing::warn!(message = %plan.message, content = %plan.content, why, "a message is not sent");
                return unfit();
            }
        };
        let path = format!("{}/messages", self.phone_number_id);
        let created = self.graph.leaving_by(leave_by).create(&path, &body, accepted).await;
        let spelled = match &created {
            Created::Accepted(sent) => sent.spelled,
            _ => None,
        };
        Reply { spelled, ..reply(created, NAME, code, |sent| sent.id) }
    }

    async fn hang_up(&self, _: &str, _: End, _: LeaveBy) -> HungUp {
        HungUp::Refused
    }

    async fn call(&self, _: &str, _: LegOrder) -> Finding<FoundCall> {
        Finding::Absent
    }

    async fn calls_like(&self, _: &LostCall) -> Finding<Vec<FoundCall>> {
        Finding::NoAnswer
    }

    async fn identify(&self, _: &LostCall, _: Vec<FoundCall>) -> Finding<Vec<FoundCall>> {
        Finding::NoAnswer
    }

    async fn date(&self) -> Option<Timestamp> {
        self.graph.date().await
    }

    async fn messages_like(&self, _: &LostMessage) -> Finding<Vec<FoundMessage>> {
        Finding::NoAnswer
    }
}

/// Nothing was sent, because a rule of ours does not allow it.
const fn refused_by_us() -> Reply {
    Reply::of(Answer::Rejected { error_code: None }, Health::Fine)
}

/// The code for a message that the content and the order do not make: the template's variables are wrong.
const CONTENT_UNFIT: ErrorCode = ErrorCode::new(Issuer::Meta, 132_000);

/// Nothing was sent, because the message cannot be made. It is as if Meta had refused it, so that the road has failed for
/// the callback and the next one is taken.
const fn unfit() -> Reply {
    Reply::of(Answer::Rejected { error_code: Some(CONTENT_UNFIT) }, Health::Fine)
}

/// A parameter that is not accepted. With the subcode [`NO_SUCH_OBJECT`] it is no fault of the message.
const PARAMETER: u32 = 100;
/// The token sees no object with the id of the path: a wrong id, a token of something else, or a number that was
/// deleted (Meta, *WhatsApp error codes*, 18 Jun 2026).
const NO_SUCH_OBJECT: u32 = 33;

/// The code by which a refusal is looked up.
fn code(refusal: &Refusal) -> Option<ErrorCode> {
    let number = match (refusal.code?, refusal.subcode) {
        (PARAMETER, Some(NO_SUCH_OBJECT)) => NO_SUCH_OBJECT,
        (code, _) => code,
    };
    Some(ErrorCode::new(Issuer::Meta, number))
}

/// The longest identifier of a message that is taken, in bytes. Those of November 2026 have about 60 (our rule).
pub(super) const ID_MAX: usize = 256;

/// What a success tells.
#[derive(Debug, PartialEq, Eq)]
struct Accepted {
    id: String,
    /// The consumer's number as WhatsApp writes it.
    spelled: Option<Phone>,
}

/// The id of the message in the body of a success, and the number of its one contact.
fn accepted(body: &[u8]) -> Option<Accepted> {
    #[derive(Deserialize)]
    struct Sent {
        messages: Vec<Identified>,
        #[serde(default)]
        contacts: Vec<Value>,
    }
    #[derive(Deserialize)]
    struct Identified {
        id: String,
    }
    let sent: Sent = serde_json::from_slice(body).ok()?;
    let id = sent.messages.into_iter().next()?.id;
    let spelled = match sent.contacts.as_slice() {
        [contact] => contact["wa_id"].as_str().and_then(|told| Phone::told(told).ok()),
        _ => None,
    };
    is_id(&id).then_some(Accepted { id, spelled })
}

/// Whether a text can be an identifier of a message or a call.
pub(super) fn is_id(text: &str) -> bool {
    (1..=ID_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::SignedDuration;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::{InviteToken, MessageId, MessagePurpose, Numbers, RoadKind};
    use crate::meta::messages::Words;
    use crate::meta::tests::{Recorder, graph};
    use crate::platform::InvitePlan;
    use crate::policy::errors::{Reaction, reaction_to_code};
    use crate::transport::Response;

    fn phone(text: &str) -> Phone {
        Phone::parse(text).unwrap()
    }

    fn platform(recorder: Arc<Recorder>, clock: Arc<ManualClock>) -> MetaPlatform {
        let words =
            Words::VoiceCall { body: "Call us".to_owned(), display_text: None, ttl_minutes: Some(100) };
        let contents = Contents::from([("call-us".parse().unwrap(), words)]);
        let urls = Arc::new(HookUrls::new("https://x.example", &[7; 32]));
        MetaPlatform::new(graph(recorder), "106540352242922".to_owned(), contents, urls, clock)
    }

    fn plan(clock: &ManualClock, content: &str, road: RoadKind) -> MessagePlan {
        let message = MessageId::new(Uuid::from_u128(1));
        MessagePlan {
            message,
            purpose: MessagePurpose::Invite,
            channel: Channel::whatsapp("cloud"),
            numbers: Numbers { sender: phone("+551151991234"), consumer: phone("+5511987654321") },
            content: content.parse().unwrap(),
            variables: BTreeMap::new(),
            invite: Some(InvitePlan {
                road,
                token: InviteToken::Message(message),
                ends_at: clock.now() + SignedDuration::from_mins(30),
                link_to: phone("+551151991234"),
            }),
        }
    }

    #[tokio::test]
    async fn an_invite_has_its_token_and_ends_with_its_callback() {
        let clock = Arc::new(ManualClock::new(Timestamp::constant(1_790_000_000, 0)));
        let answer = json!({"messaging_product": "whatsapp",
            "contacts": [{"input": "+5511987654321", "wa_id": "551187654321"}],
            "messages": [{"id": "wamid.HBgL"}]});
        let recorder = Recorder::answering(Ok(Response::new(200, answer.to_string())));
        let platform = platform(recorder.clone(), clock.clone());
        let plan = plan(&clock, "call-us", RoadKind::CallButton);
        let reply = platform.send(&plan, LeaveBy::starting_now(clock)).await;
        assert_eq!(reply.answer, Answer::Accepted { sid: "wamid.HBgL".to_owned() });
        assert_eq!(reply.spelled, Some(phone("+551187654321")), "without the 9 of the order");
        let request = recorder.requests.lock().unwrap()[0].clone();
        assert!(request.url.ends_with("/v25.0/106540352242922/messages"), "{}", request.url);
        let body = recorder.body();
        let urls = &platform.hook_urls;
        assert_eq!(urls.message_of(body["biz_opaque_callback_data"].as_str().unwrap()), Some(plan.message));
        let parameters = &body["interactive"]["action"]["parameters"];
        assert_eq!(parameters["ttl_minutes"], 30);
        let payload = parameters["payload"].as_str().unwrap();
        assert_eq!(urls.read_invite(payload), Some(InviteToken::Message(plan.message)));
    }

    #[tokio::test]
    async fn content_of_another_road_or_without_declaration_is_not_sent() {
        let clock = Arc::new(ManualClock::new(Timestamp::constant(1_790_000_000, 0)));
        let recorder = Arc::new(Recorder::default());
        let platform = platform(recorder.clone(), clock.clone());
        for (content, road) in [("call-us", RoadKind::DeepLink), ("nothing", RoadKind::CallButton)] {
            let plan = plan(&clock, content, road);
            let reply = platform.send(&plan, LeaveBy::starting_now(clock.clone())).await;
            assert_eq!(reply, unfit());
        }
        assert_eq!(
            reaction_to_code(CONTENT_UNFIT),
            Reaction::Never,
            "the road has failed, and the next one is taken"
        );
        assert!(recorder.requests.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_id_that_the_token_does_not_see_is_a_fault_of_the_sender_and_not_of_the_order() {
        let clock = Arc::new(ManualClock::new(Timestamp::constant(1_790_000_000, 0)));
        let hour = SignedDuration::from_hours(1);
        for (subcode, expected) in
            [(Some(33), Reaction::PauseSender(hour)), (Some(34), Reaction::Never), (None, Reaction::Never)]
        {
            let refusal =
                json!({"error": {"message": "Unsupported request", "code": 100, "error_subcode": subcode}});
            let recorder = Recorder::answering(Ok(Response::new(400, refusal.to_string())));
            let platform = platform(recorder, clock.clone());
            let plan = plan(&clock, "call-us", RoadKind::CallButton);
            let reply = platform.send(&plan, LeaveBy::starting_now(clock.clone())).await;
            let Answer::Rejected { error_code: Some(code) } = reply.answer else { panic!("{reply:?}") };
            assert_eq!(reaction_to_code(code), expected, "{subcode:?}");
        }
    }

    #[test]
    fn a_success_without_an_id_is_none() {
        for (body, id) in [
            (r#"{"messages":[{"id":"wamid.A"}]}"#, Some("wamid.A")),
            (r#"{"messages":[{"id":""}]}"#, None),
            (r#"{"messages":[]}"#, None),
            (r#"{"success":true}"#, None),
            ("", None),
        ] {
            assert_eq!(accepted(body.as_bytes()).map(|sent| sent.id).as_deref(), id, "{body}");
        }
        let told = |contacts: &str| {
            let body = format!(r#"{{"messages":[{{"id":"wamid.A"}}],"contacts":{contacts}}}"#);
            accepted(body.as_bytes()).unwrap().spelled
        };
        assert_eq!(told(r#"[{"wa_id":"551187654321"}]"#), Some(phone("+551187654321")));
        for contacts in ["[]", r#"[{"wa_id":"x"}]"#, r#"[{}]"#, r#"[{"wa_id":"551187654321"},{}]"#] {
            assert_eq!(told(contacts), None, "{contacts}");
        }
        assert!(is_id(&"a".repeat(256)) && !is_id(&"a".repeat(257)) && !is_id("a b"));
    }
}
