//! One page of Messenger as a platform that sends messages and places no calls.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::messages::{self, Contents, Values};
use crate::clock::Clock;
use crate::domain::{Answer, Channel, ErrorCode, Issuer, LegOrder, RoadKind, deep_link};
use crate::hook_urls::HookUrls;
use crate::meta::{Graph, Refusal, reply};
use crate::platform::{
    Abilities, CallPlan, End, Finding, FoundCall, FoundMessage, Health, HungUp, LeaveBy, LostCall,
    LostMessage, MessagePlan, Platform, Reply,
};

/// One page as a platform.
pub struct PagePlatform {
    graph: Graph,
    page_id: String,
    contents: Contents,
    hook_urls: Arc<HookUrls>,
    clock: Arc<dyn Clock>,
}

/// How the platform is called in sentences.
const NAME: &str = "Messenger";

impl PagePlatform {
    #[must_use]
    pub fn new(
        graph: Graph,
        page_id: String,
        contents: Contents,
        hook_urls: Arc<HookUrls>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { graph, page_id, contents, hook_urls, clock }
    }

    /// The body of a message; else why it is not sent.
    fn body(&self, plan: &MessagePlan) -> Result<Value, String> {
        let Channel::Messenger { psid, .. } = &plan.channel else {
            return Err("it is for another channel".to_owned());
        };
        let declaration = self.contents.get(&plan.content).ok_or("no such content is declared")?;
        let invite = plan.invite.as_ref();
        if let Some(invite) = invite.filter(|invite| invite.road != RoadKind::Messenger) {
            return Err(format!("a page serves no invite by {}", invite.road.as_str()));
        }
        let payload = invite.map(|invite| self.hook_urls.invite_token(invite.token));
        let values = Values {
            variables: &plan.variables,
            link: invite.map(|invite| deep_link(invite.link_to, payload.as_deref())),
            payload,
            now: self.clock.now(),
            ends_at: invite.map(|invite| invite.ends_at),
        };
        messages::body(psid, declaration, &values).map_err(|fault| fault.to_string())
    }
}

#[async_trait]
impl Platform for PagePlatform {
    /// Messenger lists neither calls nor messages: an operator resolves what is unknown.
    fn abilities(&self) -> Abilities {
        Abilities { lists_calls: false, lists_messages: false }
    }

    async fn place(&self, plan: &CallPlan, _: LeaveBy) -> Reply {
        tracing::error!(attempt = %plan.attempt, "no call leaves by Messenger (our rule)");
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
        let path = format!("{}/messages", self.page_id);
        let created = self.graph.leaving_by(leave_by).create(&path, &body, accepted).await;
        reply(created, NAME, code, |id| id)
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

/// The code for a message that the content and the order do not make: a parameter is not accepted.
const CONTENT_UNFIT: ErrorCode = ErrorCode::new(Issuer::Messenger, 100);

/// Nothing was sent, because the message cannot be made. It is as if Messenger had refused it.
const fn unfit() -> Reply {
    Reply::of(Answer::Rejected { error_code: Some(CONTENT_UNFIT) }, Health::Fine)
}

/// Subcodes that say more than their code (Meta, *Messenger common error codes*, 18 Mar 2026, and second-hand lists of
/// November 2026). Any other leaves the meaning to the code.
pub(super) const SUBCODES: &[u32] = &[
    33, 99, 1_357_046, 1_545_041, 2_018_001, 2_018_015, 2_018_028, 2_018_040, 2_018_041, 2_018_053,
    2_018_065, 2_018_108, 2_018_278, 2_018_344, 2_018_352, 2_018_354, 2_018_389, 2_018_390, 2_018_391,
    2_018_392, 2_018_393, 2_018_394, 2_018_395, 2_018_396, 2_534_022,
];

/// The code by which a refusal is looked up.
pub(super) fn code(refusal: &Refusal) -> Option<ErrorCode> {
    let subcode = refusal.subcode.filter(|subcode| SUBCODES.contains(subcode));
    subcode.or(refusal.code).map(|number| ErrorCode::new(Issuer::Messenger, number))
}

/// The longest identifier of a message that is taken, in bytes (our rule).
const ID_MAX: usize = 512;

/// The id of the message in the body of a success: beside the recipient, as the Send API answers, or inside it, as
/// *Call Audio CTA* shows.
pub(super) fn accepted(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let id = [&body["message_id"], &body["recipient"]["message_id"]].into_iter().find_map(Value::as_str)?;
    is_id(id).then(|| id.to_owned())
}

/// Whether a text can be an identifier of a message.
pub(super) fn is_id(text: &str) -> bool {
    (1..=ID_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
