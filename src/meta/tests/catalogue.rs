//! Templates against the documented shapes, and runs that are killed between the list and the answer.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::tests::{Recorder, graph};
use super::*;
use crate::clock::ManualClock;
use crate::content::apply::{Done, apply};
use crate::content::check::check;
use crate::content::plan::{Plan, Step};
use crate::content::read::read;
use crate::transport::Response;

const TEMPLATE: &str = r#"
name = "call_us"
language = "pt_BR"
category = "UTILITY"
approval = "whatsapp"
type = "meta/template"
header_text = "Hello {{2}} there"
body = "Dear {{1}}, your order {{3}} is ready. Call us, {{1}}, now."
footer = "Shop"

[[actions]]
type = "VOICE_CALL"
title = "Call Now"
ttl_minutes = 1440

[[actions]]
type = "URL"
title = "See it"
url = "https://shop.example/orders/{{4}}"

[variables]
1 = "Ana"
2 = "you"
3 = "A7"
4 = "a7"
"#;

fn declared(source: &str) -> Declaration {
    let (read, faults) = read(source);
    let read = read.unwrap();
    let faults: Vec<_> = faults.into_iter().chain(check(&read)).collect();
    assert!(faults.is_empty(), "{faults:?}");
    read.declaration
}

fn templates(answers: &[(u16, Value)]) -> (Templates, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    for (status, body) in answers {
        recorder.answers.lock().unwrap().push_back(Ok(Response::new(*status, body.to_string())));
    }
    (Templates::new(graph(recorder.clone()), "102290129340398"), recorder)
}

fn sent(recorder: &Recorder) -> Vec<String> {
    let requests = recorder.requests.lock().unwrap();
    requests.iter().map(|request| format!("{} {}", request.method, request.url)).collect()
}

#[test]
fn a_template_is_created_in_the_documented_shape() {
    let declaration = declared(TEMPLATE);
    let expected = json!({
        "name": canonical::template_name(&declaration),
        "language": "pt_BR",
        "category": "UTILITY",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Hello {{1}} there",
                "example": {"header_text": ["you"]}},
            {"type": "BODY", "text": "Dear {{1}}, your order {{2}} is ready. Call us, {{1}}, now.",
                "example": {"body_text": [["Ana", "A7"]]}},
            {"type": "FOOTER", "text": "Shop"},
            {"type": "BUTTONS", "buttons": [
                {"type": "voice_call", "text": "Call Now", "ttl_minutes": 1440},
                {"type": "URL", "text": "See it", "url": "https://shop.example/orders/{{1}}",
                    "example": ["https://shop.example/orders/a7"]},
            ]},
        ],
    });
    assert_eq!(template::creation(&declaration), expected);
    let named = declared(
        "name = \"a\"\nlanguage = \"en\"\ncategory = \"MARKETING\"\napproval = \"whatsapp\"\ntype = \
         \"meta/template\"\nbody = \"Dear {{name}}, call us\"\n[[actions]]\ntype = \"VOICE_CALL\"\n[variables]\n\
         name = \"Ana\"",
    );
    let created = template::creation(&named);
    assert_eq!(created["parameter_format"], "NAMED");
    assert_eq!(
        created["components"][0],
        json!({
            "type": "BODY", "text": "Dear {{name}}, call us",
            "example": {"body_text_named_params": [{"param_name": "name", "example": "Ana"}]},
        })
    );
    assert_eq!(created["components"][1]["buttons"], json!([{"type": "voice_call"}]));
}

fn listed(declaration: &Declaration, status: &str, change: impl Fn(&mut Value)) -> Value {
    let mut template = template::creation(declaration);
    template["id"] = json!("594425479261596");
    template["status"] = json!(status);
    template["rejected_reason"] = json!("NONE");
    change(&mut template);
    json!({"data": [template], "paging": {"cursors": {"before": "a", "after": "b"}}})
}

#[tokio::test]
async fn a_second_run_after_a_kill_creates_nothing() {
    let declaration = declared(TEMPLATE);
    let (catalogue, recorder) = templates(&[
        (200, json!({"data": []})),
        (200, json!({"id": "594425479261596", "status": "PENDING", "category": "UTILITY"})),
        (200, listed(&declaration, "PENDING", |_| ())),
        (200, json!({"id": "594425479261596", "name": "x", "status": "PENDING", "category": "UTILITY"})),
        (200, listed(&declaration, "PENDING", |_| ())),
    ]);
    let clock = ManualClock::new(jiff::Timestamp::constant(1_790_000_000, 0));
    let mut told = Vec::new();
    for _ in 0..2 {
        apply(&catalogue, std::slice::from_ref(&declaration), &clock, |_, done| told.push(done.clone()))
            .await
            .unwrap();
    }
    let sid = "594425479261596".to_owned();
    assert_eq!(
        told,
        [
            Done::Submitted { sid: sid.clone(), is_new: true, status: Status::Pending },
            Done::Unchanged { sid, status: Status::Pending },
        ]
    );
    let methods: Vec<_> =
        sent(&recorder).iter().map(|line| line.split_once(' ').unwrap().0.to_owned()).collect();
    assert_eq!(methods, ["GET", "POST", "GET", "GET", "GET"]);
    assert!(sent(&recorder)[1].ends_with("/v25.0/102290129340398/message_templates"));
}

#[tokio::test]
async fn a_lost_answer_of_a_creation_is_settled_by_the_list() {
    let declaration = declared(TEMPLATE);
    let (catalogue, recorder) = templates(&[
        (200, json!({"data": []})),
        (500, json!({"error": {"code": 2, "message": "try later"}})),
        (200, listed(&declaration, "PENDING", |_| ())),
        (200, json!({"id": "594425479261596", "name": "x", "status": "APPROVED"})),
    ]);
    let clock = ManualClock::new(jiff::Timestamp::constant(1_790_000_000, 0));
    let mut told = Vec::new();
    apply(&catalogue, &[declaration], &clock, |_, done| told.push(done.clone())).await.unwrap();
    let expected = Done::Submitted { sid: "594425479261596".into(), is_new: true, status: Status::Approved };
    assert_eq!(told, [expected]);
    assert_eq!(sent(&recorder).iter().filter(|line| line.starts_with("POST")).count(), 1);
}

#[tokio::test]
async fn a_plan_tells_what_meta_says_of_a_template() {
    let declaration = declared(TEMPLATE);
    let step = async |page: Value| {
        let (catalogue, _) = templates(&[(200, page)]);
        let held = catalogue.list().await.unwrap();
        Plan::new([&declaration], &held).items.remove(0).step
    };
    let keep = |changed: Option<&str>| Step::Keep {
        sid: "594425479261596".into(),
        status: Status::Approved,
        changed_category: changed.map(str::to_owned),
    };
    assert_eq!(step(listed(&declaration, "APPROVED", |_| ())).await, keep(None));
    let moved = listed(&declaration, "APPROVED", |template| template["category"] = json!("MARKETING"));
    assert_eq!(step(moved).await, keep(Some("MARKETING")));
    let rejected = listed(&declaration, "REJECTED", |template| {
        template["rejected_reason"] = json!("INVALID_FORMAT");
    });
    let blocked = step(rejected).await;
    assert!(
        matches!(&blocked, Step::Blocked { why, .. } if why.to_string().ends_with("INVALID_FORMAT")),
        "{blocked:?}"
    );
    let other =
        listed(&declaration, "APPROVED", |template| template["components"][2]["text"] = json!("Other"));
    assert!(matches!(step(other).await, Step::Blocked { .. }));
    let renamed = listed(&declaration, "APPROVED", |template| template["name"] = json!("call_us"));
    assert_eq!(step(renamed).await, Step::Create);
}

#[tokio::test]
async fn all_pages_of_the_list_are_read_and_no_part_of_it_is_given() {
    let page = |id: u32, after: Option<&str>| {
        let mut page = json!({"data": [{"id": id, "name": "a", "language": "en", "status": "APPROVED"}]});
        if let Some(after) = after {
            page["paging"] = json!({"cursors": {"after": after}, "next": "https://graph.facebook.com/next"});
        }
        (200, page)
    };
    let (catalogue, recorder) = templates(&[page(1, Some("x/y")), page(2, None)]);
    let sids: Vec<_> = catalogue.list().await.unwrap().into_iter().map(|held| held.sid).collect();
    assert_eq!(sids, ["1", "2"]);
    assert!(sent(&recorder)[1].contains("after=x%2Fy"), "{:?}", sent(&recorder));
    let (catalogue, _) = templates(&[page(1, Some("x")), (500, json!({}))]);
    assert!(matches!(catalogue.list().await, Err(Failure::Unreachable(_))));
    let endless: Vec<_> = (0..200).map(|id| page(id, Some(if id % 2 == 0 { "x" } else { "y" }))).collect();
    let (catalogue, recorder) = templates(&endless);
    assert!(matches!(catalogue.list().await, Err(Failure::Unreachable(_))));
    assert_eq!(sent(&recorder).len(), PAGES_MAX);
}

#[tokio::test]
async fn a_template_is_deleted_by_its_id_and_its_name() {
    let (catalogue, recorder) =
        templates(&[(200, json!({"id": "7", "name": "a_b"})), (200, json!({"success": true}))]);
    catalogue.delete("7").await.unwrap();
    assert!(sent(&recorder)[1].starts_with("DELETE "));
    assert!(sent(&recorder)[1].ends_with("/message_templates?hsm_id=7&name=a_b"));
    let (catalogue, _) = templates(&[(404, json!({}))]);
    catalogue.delete("7").await.unwrap();
    assert!(!catalogue.takes(Kind::MetaVoiceCall) && catalogue.takes(Kind::MetaTemplate));
}
