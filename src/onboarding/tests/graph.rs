//! Numbers at WhatsApp's Cloud API and pages of Messenger, as a scripted Graph API shows them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::super::graph_reads::trouble;
use super::super::number::{number_at_meta, settings_shown, template, webhook_shown};
use super::super::page::subscribed;
use super::super::{Code, ExaminedNumber, ExaminedPage, Finding, Graph, examine_number, examine_page};
use super::START;
use crate::clock::ManualClock;
use crate::config::Config;
use crate::content::canonical::{template_name, types, version};
use crate::content::read::read;
use crate::content::version::declared_fills;
use crate::content::{Declaration, Folder, Held, Review, Status};
use crate::domain::Phone;
use crate::meta::{GraphAccount, GraphError};
use crate::transport::{Request, Response, Transport, TransportError};

const NUMBER: &str = "106540352242922";
const ACCOUNT: &str = "102290129340398";
const PAGE: &str = "613000000000001";
const WEBHOOK: &str = "https://calls.example.com/hooks/meta/cloud";

/// Answers by the path behind the version, without the query. What is not scripted is refused with code 100.
struct Script {
    answers: BTreeMap<String, (u16, Value)>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let url = request.url.strip_prefix("http://graph.test/v25.0/").unwrap_or_default();
        let path = url.split('?').next().unwrap_or_default();
        // One path is read for several sets of fields.
        let path =
            if url.contains("webhook_configuration") { format!("{path}?webhook") } else { path.into() };
        self.asked.lock().unwrap().push(format!("{} {path}", request.method));
        let unknown = (400, json!({"error": {"message": "Unsupported get request", "code": 100}}));
        let (status, body) = self.answers.get(&path).unwrap_or(&unknown);
        Ok(Response::new(*status, body.to_string()))
    }
}

fn graph(answers: impl IntoIterator<Item = (String, (u16, Value))>) -> (Arc<Script>, Graph) {
    let script = Arc::new(Script { answers: answers.into_iter().collect(), asked: Mutex::default() });
    (script.clone(), Graph::new(script, GraphAccount::new("http://graph.test", "v25.0", "token".to_owned())))
}

#[test]
fn what_was_not_reached_is_told_without_a_word_about_what_was_sent() {
    for error in [
        TransportError::Lost("connection refused".into()),
        TransportError::NotSent("connection refused".into()),
    ] {
        let told = trouble(&GraphError::Unreachable(Box::new(error))).told();
        assert_eq!(told, "meta cannot be reached: connection refused");
    }
}

/// A number that is as it should be.
fn good() -> BTreeMap<String, (u16, Value)> {
    let ok = |value: Value| (200, value);
    BTreeMap::from([
        (
            NUMBER.to_owned(),
            ok(json!({"id": NUMBER, "display_phone_number": "+55 11 5199-1234", "status": "CONNECTED",
                "quality_rating": "GREEN"})),
        ),
        (
            format!("{NUMBER}?webhook"),
            ok(json!({"webhook_configuration": {"application": WEBHOOK}, "id": NUMBER})),
        ),
        (format!("{NUMBER}/settings"), ok(json!({"calling": {"status": "ENABLED"}}))),
        (format!("{ACCOUNT}/phone_numbers"), ok(json!({"data": [{"id": "1"}, {"id": NUMBER}]}))),
        (
            format!("{ACCOUNT}/subscribed_apps"),
            ok(json!({"data": [{"whatsapp_business_api_data": {"id": "9"}}]})),
        ),
    ])
}

fn config() -> Config {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let text = format!(
        "[http]\npublic_url = \"https://calls.example.com\"\n[meta.cloud]\nnumber = \"+551151991234\"\n\
         phone_number_id = \"{NUMBER}\"\nbusiness_account_id = \"{ACCOUNT}\"\n\
         invite_call_button = \"call_us\"\n[messenger.page]\npage_id = \"{PAGE}\"\n"
    );
    file.write_all(text.as_bytes()).unwrap();
    let secrets = ["META__CLOUD", "MESSENGER__PAGE"].into_iter().flat_map(|section| {
        let of = move |key: &str| (format!("RINGMASTER_{section}__{key}"), format!("{section}-{key}-secret"));
        ["TOKEN", "APP_SECRET", "VERIFY_TOKEN"].map(of)
    });
    Config::load(Some(file.path()), secrets).unwrap()
}

async fn number_with(
    answers: BTreeMap<String, (u16, Value)>,
    folder: &Folder,
) -> (Vec<Finding>, Vec<String>) {
    let (script, graph) = graph(answers);
    let config = config();
    let (alias, meta) = config.meta.iter().next().unwrap();
    let examined = ExaminedNumber { alias, meta, folder, webhook: WEBHOOK };
    let found = examine_number(&graph, &examined, &ManualClock::new(START)).await;
    let asked = script.asked.lock().unwrap().clone();
    (found, asked)
}

/// A folder with a declaration that `config` names, faulty or not.
fn declared(is_good: bool) -> Folder {
    let folder = tempfile::tempdir().unwrap();
    let language = if is_good { "en" } else { "English" };
    let text = format!(
        "name = \"call_us\"\nlanguage = \"{language}\"\napproval = \"none\"\ntype = \"meta/voice_call\"\n\
         body = \"Call us.\"\n[[actions]]\ntype = \"VOICE_CALL\"\n"
    );
    std::fs::write(folder.path().join("a.toml"), text).unwrap();
    Folder::read(folder.path()).unwrap().0
}

fn codes(found: &[Finding]) -> Vec<Code> {
    found.iter().map(|finding| finding.code).collect()
}

#[tokio::test]
async fn a_number_that_is_set_up_has_one_hint_and_is_only_read() {
    let (found, asked) = number_with(good(), &declared(true)).await;
    assert_eq!(codes(&found), [Code::MetaFields]);
    assert!(asked.iter().all(|request| request.starts_with("GET ")), "{asked:?}");
    assert!(found.iter().all(|finding| finding.sender == Some(Phone::parse("+551151991234").unwrap())));
}

#[tokio::test]
async fn each_thing_that_is_wrong_with_a_number_is_one_finding() {
    type Change = (String, (u16, Value), Code);
    let ok = |value: Value| (200, value);
    let refused = |code: u32| (400, json!({"error": {"message": "no", "code": code}}));
    let changes: Vec<Change> = vec![
        (NUMBER.to_owned(), refused(100), Code::MetaNumber),
        (NUMBER.to_owned(), ok(json!({"display_phone_number": "+55 11 5199-9999"})), Code::MetaOther),
        (format!("{ACCOUNT}/phone_numbers"), ok(json!({"data": [{"id": "1"}]})), Code::MetaAccount),
        (format!("{ACCOUNT}/phone_numbers"), refused(100), Code::MetaAccount),
        (format!("{ACCOUNT}/subscribed_apps"), ok(json!({"data": []})), Code::MetaUnsubscribed),
        (format!("{ACCOUNT}/subscribed_apps"), refused(200), Code::Unread),
        (format!("{NUMBER}/settings"), ok(json!({"calling": {"status": "DISABLED"}})), Code::MetaCallsOff),
        (format!("{NUMBER}?webhook"), ok(json!({})), Code::MetaWebhookUnknown),
    ];
    for (path, answer, code) in changes {
        let mut answers = good();
        answers.insert(path.clone(), answer);
        let (found, _) = number_with(answers, &declared(true)).await;
        assert_eq!(codes(&found).first(), Some(&code), "{path}");
    }
}

#[tokio::test]
async fn a_refused_token_an_unknown_id_and_an_unreachable_meta_end_the_examination() {
    let answer = |status: u16, code: u32| (status, json!({"error": {"message": "no", "code": code}}));
    for (answer, code) in [
        (answer(401, 190), Code::MetaToken),
        (answer(400, 100), Code::MetaNumber),
        (answer(500, 2), Code::MetaUnreachable),
        (answer(400, 4), Code::MetaUnreachable),
    ] {
        let mut answers = good();
        answers.insert(NUMBER.to_owned(), answer);
        let (found, asked) = number_with(answers, &declared(true)).await;
        assert_eq!(codes(&found), [code]);
        assert_eq!(asked.len(), 1);
    }
}

#[tokio::test]
async fn content_with_a_fault_or_without_a_declaration_is_told() {
    let (found, _) = number_with(good(), &declared(false)).await;
    assert_eq!(codes(&found), [Code::ContentBroken, Code::MetaFields]);
    assert_eq!(found[0].detail, "invite_call_button = \"call_us\"");
    let (found, _) = number_with(good(), &Folder::default()).await;
    assert_eq!(codes(&found), [Code::ContentUndeclared, Code::MetaFields]);
}

#[test]
fn a_number_is_compared_by_its_digits() {
    let ours = Phone::parse("+551151991234").unwrap();
    for (shown, status, code) in [
        ("+55 11 5199-1234", "CONNECTED", None),
        ("551151991234", "CONNECTED", None),
        ("", "", None),
        ("+55 11 5199-1235", "CONNECTED", Some(Code::MetaOther)),
        ("+55 11 5199-1234", "PENDING", Some(Code::MetaOffline)),
    ] {
        let shown = json!({"display_phone_number": shown, "status": status});
        let seen: Vec<_> = number_at_meta(&shown, ours).into_iter().map(|(code, _)| code).collect();
        assert_eq!(seen, Vec::from_iter(code), "{shown}");
    }
}

#[test]
fn the_webhook_of_the_number_goes_before_those_of_the_account_and_the_app() {
    let shown = |value: Value| webhook_shown(&json!({"webhook_configuration": value}), WEBHOOK);
    let code = |value: Value| shown(value).map(|(code, _)| code);
    assert_eq!(code(json!({"application": WEBHOOK})), None);
    let other = "https://other.example.com/x?token=secret";
    assert_eq!(
        code(json!({"application": WEBHOOK, "whatsapp_business_account": other})),
        Some(Code::MetaWebhook)
    );
    assert_eq!(code(json!({"phone_number": WEBHOOK, "whatsapp_business_account": other})), None);
    assert_eq!(code(json!({})), Some(Code::MetaWebhookUnknown));
    let (_, told) = shown(json!({"application": other})).unwrap();
    assert!(told.contains("https://other.example.com/x") && !told.contains("secret"), "{told}");
}

#[test]
fn call_settings_are_findings_each_for_itself() {
    let codes = |calling: Value, is_called: bool| {
        let seen = settings_shown(&json!({"calling": calling}), is_called);
        seen.into_iter().map(|(code, _)| code).collect::<Vec<_>>()
    };
    assert_eq!(codes(json!({"status": "ENABLED", "call_icon_visibility": "DEFAULT"}), true), []);
    assert_eq!(codes(json!({}), false), [], "an invite that leads to a page needs no calls");
    assert_eq!(codes(json!({}), true), [Code::MetaCallsOff]);
    let all = json!({
        "status": "ENABLED", "call_icon_visibility": "DISABLE_ALL", "call_hours": {"status": "ENABLED"},
        "sip": {"status": "ENABLED"},
        "restrictions": {"restrictions_list": [{"type": "RESTRICTED_USER_INITIATED_CALLING"}]},
    });
    assert_eq!(codes(all, true), [Code::MetaIcon, Code::MetaHours, Code::MetaSip, Code::MetaRestricted]);
}

const TEMPLATE: &str = "name = \"invite\"\nlanguage = \"en\"\ncategory = \"UTILITY\"\napproval = \"whatsapp\"\n\
    type = \"meta/template\"\nbody = \"Call us when it suits you.\"\n[[actions]]\ntype = \"VOICE_CALL\"\n";

fn held(declared: &Declaration, status: Status) -> Held {
    Held {
        sid: "1".to_owned(),
        friendly_name: version(declared),
        language: "en".to_owned(),
        types: types(declared),
        variables: BTreeMap::new(),
        fills: declared_fills(declared),
        created_at: None,
        review: Review { status, name: template_name(declared), category: None, reason: None },
    }
}

#[test]
fn a_template_is_usable_only_if_it_is_approved() {
    let declared = read(TEMPLATE).0.unwrap().declaration;
    let seen = |held: &[Held]| template(&declared, held);
    let code = |status: Status| seen(&[held(&declared, status)]).map(|(code, _)| code);
    assert_eq!(code(Status::Approved), None);
    assert_eq!(code(Status::Pending), Some(Code::ContentInReview));
    assert_eq!(code(Status::Rejected), Some(Code::ContentRejected));
    assert_eq!(code(Status::Disabled), Some(Code::ContentDisabled));
    assert_eq!(code(Status::Paused), Some(Code::ContentPaused));
    assert_eq!(seen(&[]), Some((Code::ContentMissing, "invite_template = \"invite\"".to_owned())));
    let altered = Held { language: "de".to_owned(), ..held(&declared, Status::Approved) };
    assert_eq!(seen(&[altered]).map(|(code, _)| code), Some(Code::ContentAltered));
}

#[test]
fn an_older_template_is_a_hint_as_long_as_the_declared_one_is_in_review() {
    let declared = read(TEMPLATE).0.unwrap().declaration;
    let older = read(&TEMPLATE.replace("suits you", "suits you best")).0.unwrap().declaration;
    let pending = held(&declared, Status::Pending);
    let code = |older: Held| template(&declared, &[older, pending.clone()]).unwrap().0;
    assert_eq!(code(held(&older, Status::Approved)), Code::ContentOlder);
    assert_eq!(code(held(&older, Status::Paused)), Code::ContentPaused);
    assert_eq!(code(held(&older, Status::Rejected)), Code::ContentInReview);
    let other = Held { fills: BTreeSet::new(), ..held(&older, Status::Approved) };
    let (code, told) = template(&declared, &[other, pending.clone()]).unwrap();
    assert_eq!(code, Code::ContentInReview);
    assert!(told.contains("no older version has the same variables"), "{told}");
}

async fn page_with(answers: BTreeMap<String, (u16, Value)>) -> Vec<Code> {
    let (_, graph) = graph(answers);
    let config = config();
    let (alias, page) = config.messenger.iter().next().unwrap();
    let examined = ExaminedPage { alias, page, folder: &Folder::default() };
    codes(&examine_page(&graph, &examined, &ManualClock::new(START)).await)
}

#[tokio::test]
async fn a_page_is_examined_for_its_token_its_calls_and_its_webhooks() {
    let fields = json!(["messages", "messaging_postbacks", "message_deliveries", "calls"]);
    let good = || {
        BTreeMap::from([
            (PAGE.to_owned(), (200, json!({"id": PAGE, "name": "Shop"}))),
            (
                format!("{PAGE}/business_messaging_feature_status"),
                (200, json!({"features": [{"feature": "messenger_api_calling", "status": "ELIGIBLE"}]})),
            ),
            (
                format!("{PAGE}/subscribed_apps"),
                (200, json!({"data": [{"subscribed_fields": fields.clone()}]})),
            ),
        ])
    };
    assert_eq!(page_with(good()).await, [Code::PageNoContent]);
    let mut refused = good();
    refused.insert(PAGE.to_owned(), (401, json!({"error": {"code": 190}})));
    assert_eq!(page_with(refused).await, [Code::PageToken]);
    let mut missing = good();
    missing.remove(PAGE);
    assert_eq!(page_with(missing).await, [Code::PageMissing]);
    let mut off = good();
    let status = json!({"features": [{"feature": "messenger_api_calling", "status": "NOT_ELIGIBLE"}]});
    off.insert(format!("{PAGE}/business_messaging_feature_status"), (200, status));
    assert_eq!(page_with(off).await, [Code::PageCallsOff, Code::PageNoContent]);
}

#[test]
fn the_apps_of_a_page_take_all_fields_together_or_some_are_missing() {
    let code = |data: Value| subscribed(&json!({"data": data}));
    assert_eq!(code(json!([])), Some((Code::PageUnsubscribed, String::new())));
    let some = json!([{"subscribed_fields": ["messages", "calls"]}]);
    let missing = "messaging_postbacks, message_deliveries".to_owned();
    assert_eq!(code(some), Some((Code::PageFields, missing)));
    let two = json!([
        {"subscribed_fields": ["messages", "calls"]},
        {"subscribed_fields": [{"name": "messaging_postbacks"}, "message_deliveries"]},
    ]);
    assert_eq!(code(two), None);
}
