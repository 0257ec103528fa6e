//! Events as JSON, for the inbox. The types mirror those of the domain field by field, which the compiler checks.
//! Renaming a field here would make stored reports unreadable.

use std::sync::Arc;

mod agents;
mod campaigns;
mod fields;
mod pools;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::serde::timestamp::microsecond;
use serde::{Deserialize, Serialize};

use crate::domain::calendar::{CalendarMark, Mark};
use crate::domain::event::{
    AttemptChange, AttemptCommand, AttemptOverride, CallReport, CallbackChange, CallbackCommand,
    ConnectionEnd, ConnectionReport, Event, MessageOverride, MessageProgress, MessageReport, OfferAct,
    PermissionAnswer, PermissionOverride, PermissionReply, SetAsideWord, SuppressionAdded,
    SuppressionRemoved, Word,
};
use crate::domain::{
    AccountAlias, Answer, AttemptId, AttemptResolution, CalendarName, CallProgress, CallbackId, CallingHours,
    CampaignCommand, ErasureId, ErrorCode, InviteToken, ListName, MessageId, MessageResolution, Named, Pause,
    PauseId, PauseScope, Phone, PoolCommand, Priority, Psid, RecordingReport, Restricted, SetAsideId,
    SetAsideVerdict, Tenant, UserId, WrapUp,
};
use crate::store::{Error, Result};

use agents::{OfferShape, wrap_up};
use campaigns::CampaignShape;
use fields::{
    code_if, hours_if, id, id_if, ids, invite_if, level, name, name_if, phone, phone_if, phones, psid,
    shared, user_id_if,
};
use pools::PoolShape;

pub fn to_json(event: &Event) -> Result<String> {
    #[derive(Serialize)]
    #[serde(transparent)]
    struct Kept<'a>(#[serde(with = "EventShape")] &'a Event);

    serde_json::to_string(&Kept(event)).map_err(|error| Error::Corrupt(error.to_string()))
}

pub fn from_json(text: &str) -> Result<Event> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Kept(#[serde(with = "EventShape")] Event);

    // The text is not in the error, because it has phone numbers.
    let kept: Kept = serde_json::from_str(text).map_err(|error| {
        Error::Corrupt(match text.contains("\"not_understood\"") {
            true => "the answer to a permission request is neither a yes nor a no that is known".to_owned(),
            false => format!("a report is not an event, at byte {} of its text", error.column()),
        })
    })?;
    Ok(kept.0)
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Event", rename_all = "snake_case")]
enum EventShape {
    Call(#[serde(with = "CallShape")] CallReport),
    DocumentFetched {
        #[serde(with = "id")]
        attempt: AttemptId,
        sid: String,
    },
    Connected(#[serde(with = "ConnectionShape")] ConnectionReport),
    Recorded(#[serde(with = "RecordingShape")] RecordingReport),
    PermissionReply(#[serde(with = "ReplyShape")] PermissionReply),
    PermissionOverride(#[serde(with = "WordShape")] PermissionOverride),
    AttemptResolved(#[serde(with = "AttemptWordShape")] AttemptOverride),
    AttemptCommand(#[serde(with = "AttemptCommandShape")] AttemptCommand),
    MessageResolved(#[serde(with = "MessageWordShape")] MessageOverride),
    InboundMessage {
        #[serde(with = "phone")]
        sender: Phone,
        #[serde(flatten, with = "NamedShape")]
        who: Named,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "name_if")]
        word: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
        wrote_at: Option<Timestamp>,
    },
    InboundCall {
        #[serde(with = "phone")]
        sender: Phone,
        #[serde(flatten, with = "NamedShape")]
        who: Named,
        sid: String,
        #[serde(with = "name")]
        progress: CallProgress,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
        came_to_at: Option<Timestamp>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration_s: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "invite_if")]
        invite: Option<InviteToken>,
    },
    MarketingPreference {
        #[serde(with = "phone")]
        sender: Phone,
        #[serde(flatten, with = "NamedShape")]
        who: Named,
        is_stopped: bool,
    },
    MessengerCall {
        #[serde(with = "shared")]
        account: AccountAlias,
        #[serde(with = "psid")]
        psid: Psid,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
        at: Option<Timestamp>,
    },
    MessengerMessage {
        #[serde(with = "shared")]
        account: AccountAlias,
        #[serde(with = "psid")]
        psid: Psid,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "name_if")]
        word: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
        wrote_at: Option<Timestamp>,
    },
    Restriction {
        #[serde(with = "shared")]
        account: AccountAlias,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "phone_if")]
        sender: Option<Phone>,
        // An older program wrote none.
        #[serde(default, with = "name")]
        what: Restricted,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
        until: Option<Timestamp>,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
        told_at: Option<Timestamp>,
    },
    Message(#[serde(with = "MessageShape")] MessageReport),
    CancelRequested {
        #[serde(with = "id")]
        callback: CallbackId,
    },
    Command(#[serde(with = "CommandShape")] CallbackCommand),
    SetAside(#[serde(with = "SetAsideShape")] SetAsideWord),
    ClockConfirmed {
        by: String,
    },
    LineageReleased {
        by: String,
        why: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        despite_unlisted: bool,
    },
    PauseSet(#[serde(with = "PauseShape")] Pause),
    CalendarMarked(#[serde(with = "CalendarMarkShape")] CalendarMark),
    PauseLifted {
        #[serde(with = "id")]
        pause: PauseId,
        by: String,
    },
    Suppressed(#[serde(with = "SuppressionAddedShape")] SuppressionAdded),
    SuppressionRemoved(#[serde(with = "SuppressionRemovedShape")] SuppressionRemoved),
    SuppressionComplete {
        list_id: i64,
        by: String,
    },
    Campaign(#[serde(with = "CampaignShape")] CampaignCommand),
    Pool(#[serde(with = "PoolShape")] PoolCommand),
    Erasure {
        #[serde(with = "id")]
        erasure: ErasureId,
        list_id: i64,
        entries: u32,
        by: String,
    },
    CallAnswered {
        #[serde(with = "id")]
        attempt: AttemptId,
        #[serde(with = "SubmissionAnswerShape")]
        answer: Answer,
    },
    MessageAnswered {
        #[serde(with = "id")]
        message: MessageId,
        #[serde(with = "SubmissionAnswerShape")]
        answer: Answer,
    },
    Erased,
}

/// The answer of a platform to a submission.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Answer", rename_all = "snake_case")]
enum SubmissionAnswerShape {
    Accepted {
        sid: String,
    },
    Rejected {
        #[serde(default, skip_serializing_if = "Option::is_none", with = "code_if")]
        error_code: Option<ErrorCode>,
    },
    Throttled,
    NotSent,
    TooLate,
    Unknown,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Pause")]
struct PauseShape {
    #[serde(with = "id")]
    id: PauseId,
    #[serde(with = "id")]
    scope: PauseScope,
    #[serde(with = "id")]
    tenant: Tenant,
    #[serde(with = "shared")]
    who: Arc<str>,
    #[serde(with = "shared")]
    why: Arc<str>,
    #[serde(with = "microsecond::required")]
    from: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
    until: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SuppressionAdded")]
struct SuppressionAddedShape {
    #[serde(with = "id")]
    list: ListName,
    list_id: i64,
    entries: u32,
    #[serde(with = "phones")]
    consumers: Vec<Phone>,
    #[serde(with = "ids")]
    waiting: Vec<CallbackId>,
    is_cut: bool,
    by: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SuppressionRemoved")]
struct SuppressionRemovedShape {
    #[serde(with = "id")]
    list: ListName,
    hashes: Vec<[u8; 32]>,
    why: String,
    by: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CalendarMark")]
struct CalendarMarkShape {
    #[serde(with = "id")]
    calendar: CalendarName,
    #[serde(with = "id")]
    first: Date,
    #[serde(with = "id")]
    last: Date,
    #[serde(with = "name")]
    mark: Mark,
    #[serde(with = "shared")]
    who: Arc<str>,
    #[serde(with = "shared")]
    why: Arc<str>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SetAsideWord")]
struct SetAsideShape {
    #[serde(with = "id")]
    id: SetAsideId,
    #[serde(with = "name")]
    verdict: SetAsideVerdict,
    by: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CallbackCommand")]
struct CommandShape {
    #[serde(with = "id")]
    callback: CallbackId,
    by: String,
    #[serde(with = "ChangeShape")]
    change: CallbackChange,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CallbackChange", rename_all = "snake_case")]
enum ChangeShape {
    Cancel,
    Reschedule {
        #[serde(with = "microsecond::required")]
        earliest: Timestamp,
        #[serde(with = "microsecond::required")]
        latest: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "hours_if")]
        hours: Option<CallingHours>,
        #[serde(with = "level")]
        priority: Priority,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    AllowAttempt {
        reason: String,
    },
    NotToday {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    Link {
        #[serde(with = "phone")]
        sender: Phone,
    },
    WrapUp(#[serde(with = "wrap_up")] Box<WrapUp>),
    Offer(#[serde(with = "OfferShape")] OfferAct),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CallReport")]
struct CallShape {
    #[serde(with = "id")]
    attempt: AttemptId,
    sid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent_sid: Option<String>,
    #[serde(with = "name")]
    progress: CallProgress,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
    at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration_s: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sip_code: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "code_if")]
    error_code: Option<ErrorCode>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ConnectionReport")]
struct ConnectionShape {
    #[serde(with = "id")]
    attempt: AttemptId,
    sid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leg_sid: Option<String>,
    #[serde(with = "name")]
    ended: ConnectionEnd,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration_s: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RecordingReport")]
struct RecordingShape {
    #[serde(with = "id")]
    attempt: AttemptId,
    call_sid: String,
    sid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration_s: Option<u32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_absent: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PermissionReply")]
struct ReplyShape {
    #[serde(with = "phone")]
    sender: Phone,
    #[serde(flatten, with = "NamedShape")]
    who: Named,
    #[serde(with = "AnswerShape")]
    answer: PermissionAnswer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replied_to: Option<String>,
    #[serde(default)]
    automatic: bool,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
    replied_at: Option<Timestamp>,
}

/// Older versions wrote the user id as they received it, without a check.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Named")]
struct NamedShape {
    #[serde(rename = "consumer", default, skip_serializing_if = "Option::is_none", with = "phone_if")]
    number: Option<Phone>,
    #[serde(
        rename = "external_user_id",
        default,
        skip_serializing_if = "Option::is_none",
        with = "user_id_if"
    )]
    user_id: Option<UserId>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PermissionOverride")]
struct WordShape {
    #[serde(with = "phone")]
    sender: Phone,
    #[serde(with = "phone")]
    consumer: Phone,
    #[serde(with = "AnswerShape")]
    answer: PermissionAnswer,
    by: String,
    reason: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ends_refusals: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AttemptCommand")]
struct AttemptCommandShape {
    #[serde(with = "id")]
    attempt: AttemptId,
    by: String,
    #[serde(with = "name")]
    change: AttemptChange,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AttemptOverride")]
struct AttemptWordShape {
    #[serde(with = "id")]
    attempt: AttemptId,
    #[serde(with = "name")]
    fate: AttemptResolution,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MessageOverride")]
struct MessageWordShape {
    #[serde(with = "id")]
    message: MessageId,
    #[serde(with = "name")]
    fate: MessageResolution,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PermissionAnswer", rename_all = "snake_case")]
enum AnswerShape {
    Temporary {
        #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
        expires_at: Option<Timestamp>,
    },
    Permanent,
    Rejected,
    /// Written, and never read: whoever reads it sets the report aside.
    #[serde(skip_deserializing)]
    NotUnderstood,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MessageReport")]
struct MessageShape {
    #[serde(default, skip_serializing_if = "Option::is_none", with = "id_if")]
    message: Option<MessageId>,
    sid: String,
    #[serde(with = "name")]
    progress: MessageProgress,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "code_if")]
    error_code: Option<ErrorCode>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "phone_if")]
    from: Option<Phone>,
    #[serde(flatten, with = "NamedShape")]
    to: Named,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Issuer;

    fn code_of(written: &str) -> Option<ErrorCode> {
        let text = format!(r#"{{"message":{{"sid":"SM1","progress":"failed","error_code":{written}}}}}"#);
        match from_json(&text).unwrap() {
            Event::Message(report) => report.error_code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_answer_to_a_submission_is_read_as_it_was_written() {
        let attempt = AttemptId::new(uuid::Uuid::from_u128(1));
        let code = Some(ErrorCode::of_twilio(37_000));
        for answer in [
            Answer::Accepted { sid: "CA1".into() },
            Answer::Rejected { error_code: code },
            Answer::Rejected { error_code: None },
            Answer::Throttled,
            Answer::NotSent,
            Answer::TooLate,
            Answer::Unknown,
        ] {
            let event = Event::CallAnswered { attempt, answer };
            assert_eq!(from_json(&to_json(&event).unwrap()).unwrap(), event);
        }
        let text = to_json(&Event::CallAnswered { attempt, answer: Answer::Throttled }).unwrap();
        assert!(text.ends_with(r#""answer":"throttled"}}"#), "{text}");
    }

    #[test]
    fn a_code_that_was_stored_without_its_issuer_is_twilios_or_one_that_twilio_passed_on() {
        assert_eq!(code_of("99999"), Some(ErrorCode::of_twilio(99_999)));
        assert_eq!(code_of("100000"), Some(ErrorCode::new(Issuer::Meta, 100_000)));
        assert_eq!(code_of(r#"["twilio",131026]"#), Some(ErrorCode::of_twilio(131_026)));
    }
}
