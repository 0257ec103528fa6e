//! Webhooks in the documented shapes, and faulty ones.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::domain::event::{MessageProgress, PermissionAnswer, Word};
use crate::domain::{CallProgress, Disposition, InviteToken, MessageId, Restricted};

fn urls() -> HookUrls {
    HookUrls::new("https://x.example", &[7; 32])
}

fn message_id() -> MessageId {
    MessageId::new(Uuid::from_u128(7))
}

fn reading(body: &Value) -> Result<Read, BodyError> {
    let urls = urls();
    let words = Words::new(["STOP"], ["START"]);
    let account = AccountAlias::from("cloud");
    let ours = Ours {
        account: &account,
        sender: Phone::parse("+551151991234").unwrap(),
        phone_number_id: "106540352242922",
        business_account_id: "102290129340398",
        words: &words,
        hook_urls: &urls,
    };
    read(body.to_string().as_bytes(), &ours)
}

fn change(field: &str, value: Value) -> Value {
    json!({"object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "time": 1_790_000_000, "changes": [{"field": field, "value": value}]}]})
}

fn of_number(field: &str, mut value: Value) -> Value {
    value["messaging_product"] = "whatsapp".into();
    value["metadata"] = json!({"display_phone_number": "551151991234", "phone_number_id": "106540352242922"});
    change(field, value)
}

fn only(body: &Value) -> Event {
    let read = reading(body).unwrap();
    assert_eq!(read.left_out, []);
    let [item] = &read.items[..] else { panic!("{read:?}") };
    item.event.clone()
}

fn left_out(body: &Value) -> LeftOut {
    let read = reading(body).unwrap();
    let ([], [why]) = (&read.items[..], &read.left_out[..]) else { panic!("{read:?}") };
    *why
}

fn reply(message: Value) -> PermissionReplyShown {
    let Event::PermissionReply(reply) = only(&of_number("messages", json!({"messages": [message]}))) else {
        panic!("no reply")
    };
    assert_eq!(reply.replied_at, Some("2026-09-21T14:13:20Z".parse().unwrap()));
    let number = reply.who.number.map(Phone::e164);
    (number, reply.answer, reply.replied_to, reply.automatic)
}

type PermissionReplyShown = (Option<String>, PermissionAnswer, Option<String>, bool);

fn permission(context: Option<&str>, reply: Value) -> Value {
    let mut message = json!({"from": "5511987654321", "id": "wamid.R", "timestamp": "1790000000",
        "type": "interactive",
        "interactive": {"type": "call_permission_reply", "call_permission_reply": reply}});
    if let Some(context) = context {
        message["context"] = json!({"from": "551151991234", "id": context});
    }
    message
}

#[test]
fn the_six_documented_permission_replies_are_read() {
    let number = Some("+5511987654321".to_owned());
    let asked = Some("wamid.Q".to_owned());
    let expires_at = Some(Timestamp::constant(1_790_600_000, 0));
    let temporary = PermissionAnswer::Temporary { expires_at };
    for (context, fields, expected) in [
        (
            Some("wamid.Q"),
            json!({"response": "accept", "is_permanent": false, "expiration_timestamp": "1790600000",
                "response_source": "user_action"}),
            (number.clone(), temporary, asked.clone(), false),
        ),
        (
            Some("wamid.Q"),
            json!({"response": "accept", "is_permanent": false, "expiration_timestamp": 1_790_600_000}),
            (number.clone(), temporary, asked.clone(), false),
        ),
        (
            Some("wamid.Q"),
            json!({"response": "accept", "is_permanent": true, "response_source": "user_action"}),
            (number.clone(), PermissionAnswer::Permanent, asked.clone(), false),
        ),
        (
            None,
            json!({"response": "accept", "is_permanent": true, "response_source": "user_action"}),
            (number.clone(), PermissionAnswer::Permanent, None, false),
        ),
        (
            Some("wamid.Q"),
            json!({"response": "reject", "response_source": "user_action"}),
            (number.clone(), PermissionAnswer::Rejected, asked.clone(), false),
        ),
        (
            Some("wacid.C"),
            json!({"response": "accept", "expiration_timestamp": 1_790_600_000, "response_source": "automatic"}),
            (number.clone(), temporary, None, true),
        ),
        (
            None,
            json!({"response": "reject", "response_source": "automatic"}),
            (number.clone(), PermissionAnswer::Rejected, None, true),
        ),
        (
            Some("wamid.Q"),
            json!({"response": "perhaps"}),
            (number, PermissionAnswer::NotUnderstood, asked, false),
        ),
    ] {
        assert_eq!(reply(permission(context, fields.clone())), expected, "{fields}");
    }
}

#[test]
fn a_reply_without_a_number_has_the_user_id_of_its_field_or_of_its_contact() {
    let mut message = permission(Some("wamid.Q"), json!({"response": "reject"}));
    message.as_object_mut().unwrap().remove("from");
    let who = |value: Value| match only(&of_number("messages", value)) {
        Event::PermissionReply(reply) => reply.who,
        other => panic!("{other:?}"),
    };
    let named =
        who(json!({"messages": [message.clone()], "contacts": [{"user_id": "BR.13491208655302741918"}]}));
    assert_eq!((named.number, named.user_id), (None, "BR.13491208655302741918".parse().ok()));
    message["from_user_id"] = "BR.2".into();
    let two = json!([{"user_id": "BR.1"}, {"user_id": "BR.3"}]);
    let named = who(json!({"messages": [message.clone()], "contacts": two}));
    assert_eq!((named.number, named.user_id), (None, "BR.2".parse().ok()));
    message["from_user_id"] = Value::Null;
    let two = json!([{"user_id": "BR.1"}, {"user_id": "BR.3"}]);
    assert_eq!(who(json!({"messages": [message], "contacts": two})), Named::default(), "of two, neither");
}

#[test]
fn a_message_opens_the_window_and_its_words_are_read() {
    let message = |fields: Value| {
        let mut message = json!({"from": "5511987654321", "id": "wamid.M", "timestamp": "1790000000"});
        message.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        match only(&of_number("messages", json!({"messages": [message]}))) {
            Event::InboundMessage { word, wrote_at, .. } => {
                assert_eq!(wrote_at, Some("2026-09-21T14:13:20Z".parse().unwrap()));
                word
            }
            other => panic!("{other:?}"),
        }
    };
    for (fields, word) in [
        (json!({"type": "text", "text": {"body": "stop!"}}), Some(Word::Stop)),
        (json!({"type": "text", "text": {"body": "Start"}}), Some(Word::Start)),
        (json!({"type": "text", "text": {"body": "how to stop a pain"}}), None),
        (json!({"type": "image", "image": {"id": "1"}}), None),
        (json!({"type": "button", "button": {"text": "Start", "payload": "STOP"}}), Some(Word::Stop)),
        (
            json!({"type": "interactive", "interactive": {"type": "button_reply",
                "button_reply": {"id": "STOP", "title": "No more"}}}),
            Some(Word::Stop),
        ),
        (json!({"type": "a_new_type"}), None),
    ] {
        assert_eq!(message(fields.clone()), word, "{fields}");
    }
    let system = json!({"messages": [{"from": "5511987654321", "id": "wamid.S", "type": "system"}]});
    assert_eq!(left_out(&of_number("messages", system)), LeftOut::Kind);
}

#[test]
fn what_comes_from_our_own_number_or_from_nobody_is_left_out() {
    let message = |fields: Value| {
        let mut message = json!({"id": "wamid.M", "timestamp": "1790000000", "type": "text",
            "text": {"body": "stop"}});
        message.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        of_number("messages", json!({"messages": [message]}))
    };
    assert_eq!(left_out(&message(json!({"from": "551151991234"}))), LeftOut::Kind);
    assert_eq!(left_out(&message(json!({}))), LeftOut::Unreadable);
    assert_eq!(left_out(&message(json!({"from": "nobody", "from_user_id": "x"}))), LeftOut::Unreadable);
    only(&message(json!({"from_user_id": "BR.1"})));
    // An answer is found by the message that it answers.
    let answer = |context: Option<&str>| {
        let mut answer = permission(context, json!({"response": "reject"}));
        answer.as_object_mut().unwrap().remove("from");
        of_number("messages", json!({"messages": [answer]}))
    };
    only(&answer(Some("wamid.Q")));
    assert_eq!(left_out(&answer(None)), LeftOut::Unreadable);
    assert_eq!(left_out(&answer(Some("wacid.C"))), LeftOut::Unreadable);
}

#[test]
fn a_status_names_the_message_by_its_token_and_teaches_the_spelling() {
    let token = urls().message_token(message_id());
    let status = |fields: Value| {
        let mut status = json!({"id": "wamid.M", "status": "delivered", "recipient_id": "551187654321",
            "timestamp": "1790000000", "biz_opaque_callback_data": token});
        status.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        of_number("messages", json!({"statuses": [status]}))
    };
    let report = |fields: Value| match only(&status(fields)) {
        Event::Message(report) => report,
        other => panic!("{other:?}"),
    };
    let delivered = report(json!({}));
    assert_eq!((delivered.message, &*delivered.sid), (Some(message_id()), "wamid.M"));
    assert_eq!(delivered.to.number.map(Phone::e164).as_deref(), Some("+551187654321"));
    assert_eq!(report(json!({"biz_opaque_callback_data": "forged"})).message, None);
    let failed = report(json!({"status": "failed", "errors": [{"code": 131_026, "title": "x"}]}));
    assert_eq!(failed.progress, MessageProgress::Failed);
    assert_eq!(failed.error_code, Some(crate::domain::ErrorCode::new(crate::domain::Issuer::Meta, 131_026)));
    for (word, progress) in
        [("sent", MessageProgress::Sent), ("read", MessageProgress::Read), ("played", MessageProgress::Read)]
    {
        assert_eq!(report(json!({"status": word})).progress, progress);
    }
    assert_eq!(left_out(&status(json!({"status": "melted"}))), LeftOut::Unreadable);
    assert_eq!(left_out(&status(json!({"id": ""}))), LeftOut::Unreadable);
    assert_eq!(left_out(&status(json!({"type": "call", "status": "RINGING"}))), LeftOut::Kind);
}

fn call(fields: Value) -> Value {
    let mut call = json!({"id": "wacid.C", "from": "5511987654321", "to": "551151991234",
        "direction": "USER_INITIATED", "timestamp": "1790000000"});
    call.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    of_number("calls", json!({"calls": [call]}))
}

#[test]
fn a_call_is_answered_only_if_its_end_has_a_duration() {
    let progress = |fields: Value| match only(&call(fields)) {
        Event::InboundCall { progress, duration_s, came_to_at, .. } => {
            assert_eq!(came_to_at, Some(Timestamp::constant(1_790_000_000, 0)));
            (progress, duration_s)
        }
        other => panic!("{other:?}"),
    };
    let ended = CallProgress::Ended;
    for (fields, expected) in [
        (json!({"event": "connect"}), (CallProgress::Ringing, None)),
        (
            json!({"event": "terminate", "status": "COMPLETED", "duration": 8}),
            (ended(Disposition::Completed), Some(8)),
        ),
        (
            json!({"event": "terminate", "status": "COMPLETED", "duration": "0"}),
            (ended(Disposition::Completed), Some(0)),
        ),
        (
            json!({"event": "terminate", "status": "COMPLETED", "duration": 20.0}),
            (ended(Disposition::Completed), Some(20)),
        ),
        (
            json!({"event": "terminate", "status": "COMPLETED", "duration": "604800"}),
            (ended(Disposition::Completed), Some(604_800)),
        ),
        (
            json!({"event": "terminate", "status": "COMPLETED", "duration": ""}),
            (ended(Disposition::NoAnswer), None),
        ),
        (json!({"event": "terminate", "status": "COMPLETED"}), (ended(Disposition::NoAnswer), None)),
        (json!({"event": "terminate", "status": "FAILED"}), (ended(Disposition::Failed), None)),
    ] {
        assert_eq!(progress(fields.clone()), expected, "{fields}");
    }
    for (fields, why) in [
        (json!({"event": "connect", "direction": "BUSINESS_INITIATED"}), LeftOut::Kind),
        (json!({"event": "connect", "direction": null}), LeftOut::Unreadable),
        (json!({"event": "call_recording_available"}), LeftOut::Kind),
        (json!({"event": "connect", "id": null}), LeftOut::Unreadable),
        (json!({"event": "connect", "from": "551151991234"}), LeftOut::Kind),
        (json!({"event": "terminate", "duration": -1}), LeftOut::Unreadable),
        (json!({"event": "terminate", "duration": 1e300}), LeftOut::Unreadable),
        (json!({"event": "terminate", "duration": 20.5}), LeftOut::Unreadable),
        (json!({"event": "terminate", "duration": 604_801}), LeftOut::Unreadable),
        (json!({"event": "terminate", "duration": "+8"}), LeftOut::Unreadable),
        (json!({"event": "terminate", "duration": true}), LeftOut::Unreadable),
        (json!({}), LeftOut::Unreadable),
    ] {
        assert_eq!(left_out(&call(fields.clone())), why, "{fields}");
    }
}

#[test]
fn a_payload_of_ours_is_read_and_a_foreign_one_counted() {
    let token = InviteToken::Message(message_id());
    let ours = urls().invite_token(token);
    for (fields, invite, foreign) in [
        (json!({"cta_payload": ours}), Some(token), 0),
        (json!({"deeplink_payload": ours}), Some(token), 0),
        (json!({"cta_payload": "campaign-7", "deeplink_payload": ours}), Some(token), 0),
        (json!({"cta_payload": "campaign-7"}), None, 1),
        (json!({"cta_payload": ""}), None, 0),
        (json!({}), None, 0),
    ] {
        let mut fields = fields;
        fields["event"] = "connect".into();
        let read = reading(&call(fields.clone())).unwrap();
        let Event::InboundCall { invite: told, .. } = &read.items[0].event else { panic!() };
        assert_eq!((*told, read.foreign_payloads), (invite, foreign), "{fields}");
    }
}

#[test]
fn a_restriction_has_its_reason_and_its_end() {
    let restricted = |body: &Value| match only(body) {
        Event::Restriction { sender, what, why, until, .. } => (sender.is_some(), why, until, what),
        other => panic!("{other:?}"),
    };
    let kind = "RESTRICTED_BUSINESS_INITIATED_CALLING";
    let listed = json!([{"restriction_type": kind, "expiration": 1_790_600_000},
        {"restriction_type": "call +5511987654321", "expiration": "1790700000"}]);
    let body = change("account_update", json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": listed}));
    let (of_sender, why, until, what) = restricted(&body);
    assert_eq!((of_sender, until), (false, Some(Timestamp::constant(1_790_700_000, 0))));
    assert_eq!(what, Restricted::Everything, "a kind that is not known stops everything");
    assert_eq!(why.unwrap(), format!("Meta restricts the account: {kind}, a kind without a name"));
    let Event::Restriction { told_at, .. } = only(&body) else { panic!() };
    assert_eq!(told_at, body["entry"][0]["time"].as_i64().map(|time| Timestamp::constant(time, 0)));
    let endless =
        json!([{"restriction_type": kind}, {"restriction_type": kind, "expiration": 1_790_600_000}]);
    let body = change("account_update", json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": endless}));
    assert_eq!(restricted(&body).2, None);
    let ban = |state: &str| {
        change("account_update", json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}}))
    };
    assert!(restricted(&ban("DISABLE")).1.is_some());
    assert_eq!(restricted(&ban("REINSTATE")), (false, None, None, Restricted::Everything));
    let calling = |status: &str| {
        change(
            "account_settings_update",
            json!({"type": "phone_number_settings",
            "phone_number_settings": {"phone_number_id": "106540352242922", "calling": {"status": status}}}),
        )
    };
    let off = restricted(&calling("DISABLED"));
    assert!(off.1.is_some() && off.3 == Restricted::Calls, "{off:?}");
    assert_eq!(restricted(&calling("ENABLED")), (true, None, None, Restricted::Everything));
    for (value, why) in [
        (json!({"event": "ACCOUNT_VIOLATION"}), LeftOut::Kind),
        (json!({"event": "ACCOUNT_RESTRICTION"}), LeftOut::Unreadable),
        (
            json!({"event": "ACCOUNT_RESTRICTION",
                "restriction_info": [{"restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION"}]}),
            LeftOut::Kind,
        ),
        (json!({}), LeftOut::Unreadable),
    ] {
        assert_eq!(left_out(&change("account_update", value.clone())), why, "{value}");
    }
}

#[test]
fn what_a_restriction_stops_is_read_from_its_kind() {
    let stops = |kinds: &[&str]| {
        let listed: Vec<Value> = kinds.iter().map(|kind| json!({"restriction_type": kind})).collect();
        let value = json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": listed});
        match only(&change("account_update", value)) {
            Event::Restriction { what, .. } => what,
            other => panic!("{other:?}"),
        }
    };
    for (kinds, expected) in [
        (&["RESTRICTED_BUSINESS_INITIATED_CALLING"][..], Restricted::Placed),
        (&["RESTRICTED_USER_INITIATED_CALLING"], Restricted::Buttons),
        (&["RESTRICTED_USER_INITIATED_CALLING_CALL_BUTTON_HIDDEN"], Restricted::Buttons),
        (&["RESTRICTED_BIZ_INITIATED_AND_USER_INITIATED_CALLING"], Restricted::Calls),
        (&["RESTRICTED_CALLING"], Restricted::Calls),
        (&["RESTRICTED_BUSINESS_INITIATED_CALLING", "RESTRICTED_USER_INITIATED_CALLING"], Restricted::Calls),
        (&["RESTRICTED_BIZ_INITIATED_MESSAGING"], Restricted::Everything),
        (
            &["RESTRICTED_BIZ_INITIATED_MESSAGING", "RESTRICTED_USER_INITIATED_CALLING"],
            Restricted::Everything,
        ),
        (&["A_NEW_KIND"], Restricted::Everything),
    ] {
        assert_eq!(stops(kinds), expected, "{kinds:?}");
    }
}

#[test]
fn one_faulty_entry_does_not_lose_the_others() {
    let mut body = call(json!({"event": "connect"}));
    let good = body["entry"][0].clone();
    let mut foreign = good.clone();
    foreign["changes"][0]["value"]["metadata"]["phone_number_id"] = "1".into();
    let mut other_account = good.clone();
    other_account["id"] = "1".into();
    body["entry"] = json!([7, {}, foreign, other_account, {"id": "102290129340398", "changes": [
        {"field": "a_new_field", "value": {}}, {"value": {}}, 3]}, good]);
    let read = reading(&body).unwrap();
    assert_eq!(read.items.len(), 1);
    use LeftOut::{Foreign, Kind, Unreadable};
    assert_eq!(read.left_out, [Unreadable, Unreadable, Foreign, Foreign, Kind, Unreadable, Unreadable]);
}

#[test]
fn two_deliveries_of_one_thing_have_one_key_and_two_things_have_two() {
    let key = |body: &Value| reading(body).unwrap().items[0].key;
    let connect = key(&call(json!({"event": "connect"})));
    assert_eq!(connect, key(&call(json!({"event": "connect", "timestamp": "1790000001"}))));
    assert_ne!(connect, key(&call(json!({"event": "terminate"}))));
    assert_ne!(connect, key(&call(json!({"event": "connect", "id": "wacid.D"}))));
}

#[test]
fn a_body_that_is_no_webhook_of_an_account_is_refused_and_a_huge_one_too() {
    for body in [json!({}), json!([]), json!({"object": "page", "entry": []}), json!({"entry": []})] {
        assert_eq!(reading(&body), Err(BodyError::Unreadable));
    }
    let with = |count: usize| {
        let statuses = vec![json!({}); count];
        reading(&of_number("messages", json!({"statuses": statuses})))
    };
    assert_eq!(with(ITEMS_MAX).unwrap().left_out.len(), ITEMS_MAX);
    assert_eq!(with(ITEMS_MAX + 1), Err(BodyError::TooMany));
}

#[test]
fn a_choice_about_marketing_messages_is_read_and_opens_no_window() {
    let body = |preference: Value| of_number("user_preferences", json!({"user_preferences": [preference]}));
    let preference = |value: &str| {
        json!({"wa_id": "5511987654321", "category": "marketing_messages", "value": value,
            "detail": "User requested to stop marketing messages", "timestamp": 1_790_000_000})
    };
    for (value, expected) in [("stop", true), ("resume", false), ("STOP", true)] {
        let Event::MarketingPreference { sender, who, is_stopped } = only(&body(preference(value))) else {
            panic!("no preference")
        };
        assert_eq!(sender, Phone::parse("+551151991234").unwrap());
        assert_eq!(who, Named::number(Phone::parse("+5511987654321").unwrap()));
        assert_eq!(is_stopped, expected);
    }
    assert_eq!(left_out(&body(preference("maybe"))), LeftOut::Unreadable);
    let other = json!({"wa_id": "5511987654321", "category": "utility_messages", "value": "stop"});
    assert_eq!(left_out(&body(other)), LeftOut::Kind);
    let key = |time: u32| {
        let mut told = preference("stop");
        told["timestamp"] = time.into();
        reading(&body(told)).unwrap().items[0].key
    };
    assert_eq!(key(1), key(1));
    assert_ne!(key(1), key(2), "a later stop is another one");
    let key = |sent_at: u32| {
        let mut told = preference("stop");
        told.as_object_mut().unwrap().remove("timestamp");
        let mut body = body(told);
        body["entry"][0]["time"] = sent_at.into();
        reading(&body).unwrap().items[0].key
    };
    assert_eq!(key(1), key(1));
    assert_ne!(key(1), key(2), "without a time of its own it has that of its delivery");
    let nobody = json!({"category": "marketing_messages", "value": "stop", "timestamp": 1});
    assert_eq!(left_out(&body(nobody)), LeftOut::Unreadable);
    let by_id = json!({"user_id": "BR.1349120865530274", "category": "marketing_messages", "value": "stop"});
    let Event::MarketingPreference { who, .. } = only(&body(by_id)) else { panic!("no preference") };
    assert!(who.number.is_none() && who.user_id.is_some());
}
