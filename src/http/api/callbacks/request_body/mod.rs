//! Parses an order from JSON to the right types. Values are validated later.
//!
//! `values` has the types of the fields, `reader` reads an order, and `fields` reads the fields of any object with all
//! their faults. `described` is only for the description of the API.

mod described;
mod fields;
mod reader;
mod values;

use serde_json::value::RawValue;
use utoipa::ToSchema;

pub(in crate::http::api) use described::NewInvite;
use described::{NewConsent, NewHours};

pub(super) use fields::{fields, flag, text, unknown, what, whole_number};
pub(super) use values::{ConsentObject, Hours, HoursObject, SpanObject, Text, Variables};

/// The order of a callback.
#[derive(Debug, Default, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCallback)]
pub(in crate::http::api) struct RequestBody<'a> {
    /// The number to call. Answers have it in E.164.
    #[schema(required, value_type = String, example = "+5511987654321")]
    pub consumer: Option<Text<'a>>,
    /// The sender to call from. Needed only if several senders are configured, and not together with `senders`.
    #[schema(value_type = Option<String>, example = "+551151991234")]
    pub sender: Option<Text<'a>>,
    /// The senders that may call, at most 20. The first one that can call is used.
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    pub senders: Option<Vec<Text<'a>>>,
    /// No call before this time; RFC 3339 with an offset. Default: now.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub earliest: Option<Text<'a>>,
    /// The deadline: no call is placed at or after this moment. If it is left out, the end of the third day on which
    /// the hours are open, in their zone; without hours, 72 hours after the earliest moment.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub latest: Option<Text<'a>>,
    /// When the consumer may be called: an object, or a text such as
    /// `mon-fri 09:00-18:00, sat 10:00-13:00 @America/Sao_Paulo`.
    #[schema(value_type = Option<NewHours>)]
    pub hours: Option<Hours<'a>>,
    /// The consumer's time zone, such as `America/Manaus`, in place of the zones of the hours. Without it, and if the hours
    /// name no zone, those of the person's record count, and else those of the number. It means nothing without hours.
    #[schema(value_type = Option<String>, example = "America/Manaus")]
    pub zone: Option<Text<'a>>,
    /// 0 is bulk, 9 is most urgent.
    #[schema(minimum = 0, maximum = 9, default = 5)]
    pub priority: Option<i64>,
    /// The name of the TwiML document of the call.
    #[schema(required, value_type = String, example = "dial-client")]
    pub document: Option<Text<'a>>,
    /// The values of the document's variables: all of them and no others. `workflow` may be absent if all senders
    /// have the same one.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub variables: Option<Variables<'a>>,
    /// The agent that the consumer is connected to: `client:name` or `sip:user@host`. May be absent if all senders
    /// have the same one.
    #[schema(value_type = Option<String>, example = "client:alice")]
    pub agent: Option<Text<'a>>,
    /// The pool of agents of which the call needs a free seat, instead of that of its sender: 1 to 64 letters, digits, `-`,
    /// `_` and `.`. The pool may be fed later.
    #[schema(value_type = Option<String>, max_length = 64, example = "support")]
    pub pool: Option<Text<'a>>,
    #[schema(minimum = 1, maximum = 20)]
    pub attempts_max: Option<i64>,
    /// The id of a campaign, which then gives what the order leaves out; any other text is a label that callbacks can be
    /// listed by. At most 100 bytes.
    #[schema(value_type = Option<String>, max_length = 100)]
    pub campaign: Option<Text<'a>>,
    /// Why the consumer is called: `requested` (by the consumer), `service`, `marketing` or `collections`.
    #[schema(value_type = Option<String>, default = "service")]
    pub purpose: Option<Text<'a>>,
    /// The consumer's consent. An order with the purpose `marketing` needs one that holds.
    #[schema(value_type = Option<NewConsent>)]
    pub consent: Option<ConsentObject<'a>>,
    /// Call also soon after an earlier call that the consumer answered.
    #[schema(default = false)]
    pub waive_gap: Option<bool>,
    /// Stay open when the consumer is reached for another order of the same purpose. Without it the callback closes then,
    /// as `reached_elsewhere`.
    #[schema(default = false)]
    pub separate: Option<bool>,
    /// What happens if the first calling hours at or after `earliest` pass without a call or an invite: `next_window` waits
    /// for the next ones, `close` ends the callback as expired, `ask` lets it wait until it is rescheduled or canceled. Not
    /// without hours.
    #[schema(value_type = Option<String>, default = "next_window")]
    pub missed_window: Option<Text<'a>>,
    /// Your own name for the callback. At most 200 bytes.
    #[schema(value_type = Option<String>, max_length = 200)]
    pub reference: Option<Text<'a>>,
    /// Any JSON of at most 4096 bytes; answers have it unchanged.
    #[schema(value_type = Option<serde_json::Value>)]
    pub metadata: Option<&'a RawValue>,
    /// The consumer's ids at the pages of Messenger accounts: by the name of the account, 1 to 64 digits.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub messenger: Option<Variables<'a>>,
    /// The agent who alone is called until `exclusive_until`: `client:name` or `sip:user@host`. Needs `exclusive_until`.
    #[schema(value_type = Option<String>, example = "client:alice")]
    pub assigned_agent: Option<Text<'a>>,
    /// The first moment at which `agent`, or that of the sender, is called; not after `latest`.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub exclusive_until: Option<Text<'a>>,
    /// The time that was told to the consumer. Answers have `late_s`, the first ring less this time.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub promised_at: Option<Text<'a>>,
    /// Since when the consumer has waited in a line: it goes before others of its priority, by this time. Not in the
    /// future.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub place_in_line_since: Option<Text<'a>>,
    /// Offer it to agents when everything else is free, in place of dialling it; see `GET /v1/offers`.
    #[schema(default = false)]
    pub preview: Option<bool>,
    /// How long one offer lasts.
    #[schema(minimum = 5, maximum = 600, default = 30)]
    pub preview_s: Option<i64>,
    /// How often it is offered before nobody took it.
    #[schema(minimum = 1, maximum = 20, default = 3)]
    pub preview_times: Option<i64>,
    /// What happens then: `ask` lets it wait until it is rescheduled or canceled, `dial` dials it.
    #[schema(value_type = Option<String>, default = "ask")]
    pub preview_else: Option<Text<'a>>,
}

/// Changes of the order of a waiting callback. Absent fields stay unchanged.
#[derive(Debug, Default, ToSchema)]
#[schema(as = Reschedule)]
pub(in crate::http::api) struct Amendment<'a> {
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) earliest: Option<Text<'a>>,
    /// If it is left out, the deadline moves with `earliest`.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) latest: Option<Text<'a>>,
    /// `null` removes the hours.
    #[schema(value_type = Option<NewHours>)]
    pub(super) hours: Option<Option<Hours<'a>>>,
    #[schema(minimum = 0, maximum = 9)]
    pub(super) priority: Option<i64>,
    /// The reason for the timeline, at most 200 bytes.
    #[schema(value_type = Option<String>, max_length = 200)]
    pub(super) reason: Option<Text<'a>>,
}

/// The fields of an order that few orders have.
#[derive(Debug, Default)]
pub(super) struct RareFields<'a> {
    pub assigned_agent: Option<Text<'a>>,
    pub exclusive_until: Option<Text<'a>>,
    pub promised_at: Option<Text<'a>>,
    pub place_in_line_since: Option<Text<'a>>,
    pub preview: Option<bool>,
    pub preview_s: Option<i64>,
    pub preview_times: Option<i64>,
    pub preview_else: Option<Text<'a>>,
}

impl<'a> RequestBody<'a> {
    /// Takes the fields out that few orders have.
    pub(super) fn take_rare(&mut self) -> RareFields<'a> {
        RareFields {
            assigned_agent: self.assigned_agent.take(),
            exclusive_until: self.exclusive_until.take(),
            promised_at: self.promised_at.take(),
            place_in_line_since: self.place_in_line_since.take(),
            preview: self.preview.take(),
            preview_s: self.preview_s.take(),
            preview_times: self.preview_times.take(),
            preview_else: self.preview_else.take(),
        }
    }
}

/// Why a body cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Broken {
    /// It is not JSON.
    Syntax { line: usize, column: usize, what: String },
    /// It is JSON, and not an object.
    NotAnObject,
}
