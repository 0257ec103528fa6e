//! The pages of campaigns: made, changed, launched with a consent, paused, forecast, followed up.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::harness::SENDER;
use super::{Visitor, assert_page};

/// Makes a campaign with the form; the address of its page.
async fn made(visitor: &Visitor) -> String {
    let form = [
        ("act", "create-campaign"),
        ("name", "Autumn <b>list</b>"),
        ("defaults.sender", SENDER),
        ("defaults.document", "message"),
        ("defaults.variables", "message = Your parcel is here."),
        ("defaults.latest", "2026-11-24T12:00"),
        ("defaults.priority", "2"),
        ("concurrent_calls_max", "5"),
    ];
    let keyed: Vec<_> = form.into_iter().chain([("key", "form-campaign")]).collect();
    let first = visitor.post("campaigns", &keyed).await;
    assert_eq!(first.status, StatusCode::SEE_OTHER, "{}", first.text);
    visitor.api.fold().await;
    let again = visitor.post("campaigns", &keyed).await.header("location").to_owned();
    assert_eq!(again, first.header("location"), "the same form makes one campaign");
    assert!(again.starts_with("campaigns/cmp_"), "{again}");
    again
}

fn id_of(page: &str) -> &str {
    page.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn a_campaign_is_made_with_what_its_form_says() {
    let visitor = Visitor::with_everything().await;
    assert!(visitor.get("campaigns").await.text.contains("There is no campaign."));
    let page = made(&visitor).await;
    let stored = visitor.api.get(&format!("/v1/{page}")).await.json();
    let defaults = json!({"sender": SENDER, "document": "message", "priority": 2, "latest": "2026-11-24T12:00:00Z",
        "variables": {"message": "Your parcel is here."}});
    assert_eq!(stored["defaults"], defaults);
    assert_eq!((&stored["concurrent_calls_max"], &stored["created_by"]), (&json!(5), &json!("person/maria")));
    let shown = visitor.get(&page).await;
    assert_page(&shown, StatusCode::OK);
    for part in ["Autumn &lt;b&gt;list&lt;/b&gt;", "draft", "Launch", "Import a list", "created by maria"] {
        assert!(shown.text.contains(part), "{part} is not in {}", shown.text);
    }
    assert!(!shown.text.contains("<b>list"), "a name is text");
    assert!(visitor.get("campaigns").await.text.contains(&page), "the list leads to it");
}

#[tokio::test]
async fn every_wrong_field_of_a_new_campaign_is_named_at_its_place() {
    let visitor = Visitor::with_everything().await;
    let none = visitor
        .post("campaigns", &[("act", "create-campaign"), ("name", " "), ("concurrent_calls_max", "x")])
        .await;
    assert_page(&none, StatusCode::UNPROCESSABLE_ENTITY);
    for part in ["Name is missing.", "Calls at once is not a whole number.", "Nothing was changed."] {
        assert!(none.text.contains(part), "{part} is not in {}", none.text);
    }
    let form = [
        ("act", "create-campaign"),
        ("name", "x"),
        ("concurrent_calls_max", "0"),
        ("defaults.hours", "always"),
    ];
    let wrong = visitor.post("campaigns", &form).await;
    assert_page(&wrong, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("Calls at once is 0: expected 1 to 100000."), "{}", wrong.text);
    assert!(wrong.text.contains("value=\"always\""), "what was entered stays");
}

#[tokio::test]
async fn a_campaign_is_launched_with_a_consent_paused_and_resumed() {
    let visitor = Visitor::with_everything().await;
    let page = made(&visitor).await;
    let id = id_of(&page).to_owned();
    let act = |name: &'static str, more: Vec<(&'static str, &'static str)>| {
        [("act", name)].into_iter().chain(more).collect::<Vec<_>>()
    };
    let send = async |fields: Vec<(&str, &str)>| {
        let fields: Vec<_> = fields.into_iter().chain([("id", id.as_str())]).collect();
        let first = visitor.post(&page, &fields).await;
        visitor.api.fold().await;
        first
    };
    let without = send(act("launch-campaign", vec![])).await;
    assert_page(&without, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(without.text.contains("Consent is missing."), "{}", without.text);
    let state = async || visitor.api.get(&format!("/v1/{page}")).await.json()["state"].clone();
    assert_eq!(state().await, "draft");
    let launched =
        send(act("launch-campaign", vec![("note", "The shop has a consent of each, CRM 17")])).await;
    assert_eq!(launched.status, StatusCode::SEE_OTHER, "{}", launched.text);
    assert_eq!(state().await, "running");
    let history = visitor.get(&page).await.text;
    assert!(history.contains("launched by maria") && history.contains("The shop has a consent"), "{history}");
    let again = send(act("launch-campaign", vec![("note", "x")])).await;
    assert_page(&again, StatusCode::CONFLICT);
    assert!(again.text.contains("the campaign is running, so it cannot launch"), "{}", again.text);
    send(act("pause-campaign", vec![("why", "The line is bad")])).await;
    assert_eq!(state().await, "paused");
    assert!(visitor.get(&page).await.text.contains("The line is bad"));
    send(act("resume-campaign", vec![])).await;
    assert_eq!(state().await, "running");
    let change = vec![("name", "Winter"), ("concurrent_calls_max", ""), ("breaker.failed_percent_max", "30")];
    send(act("change-campaign", change)).await;
    let stored = visitor.api.get(&format!("/v1/{page}")).await.json();
    assert_eq!((&stored["name"], &stored["concurrent_calls_max"]), (&json!("Winter"), &Value::Null));
    assert_eq!(stored["breaker"]["failed_percent_max"], 30);
    assert_eq!(stored["breaker"]["on_quality_warning"], false, "a box that is not checked is no");
    send(act("cancel-campaign", vec![("note", "over")])).await;
    let shown = visitor.get(&page).await.text;
    assert!(shown.contains("cancelled") && !shown.contains("value=\"pause-campaign\""), "{shown}");
}

#[tokio::test]
async fn a_forecast_is_asked_for_by_an_address() {
    let visitor = Visitor::with_everything().await;
    let page = made(&visitor).await;
    let order = json!({"campaign": id_of(&page), "sender": SENDER});
    assert_eq!(visitor.api.order(order).await.status, StatusCode::ACCEPTED);
    let shown = visitor.get(&page).await.text;
    assert!(shown.contains("?forecast=1#forecast"), "{shown}");
    let forecast = visitor.get(&format!("{page}?forecast=1")).await;
    assert_page(&forecast, StatusCode::OK);
    for part in ["All contacts done", "What was assumed", "of 1 open contacts"] {
        assert!(forecast.text.contains(part), "{part} is not in {}", forecast.text);
    }
}

#[tokio::test]
async fn a_follow_up_opens_the_page_of_the_new_draft() {
    let visitor = Visitor::with_everything().await;
    let page = made(&visitor).await;
    let id = id_of(&page).to_owned();
    let launch = [("act", "launch-campaign"), ("id", &id), ("note", "consents in the CRM")];
    visitor.post(&page, &launch).await;
    visitor.api.fold().await;
    let form = [
        ("act", "follow-up"),
        ("id", &id),
        ("outcomes", "exhausted\nexpired"),
        ("latest", "2026-12-24T12:00"),
    ];
    let made = visitor.post(&page, &form).await;
    let location = made.header("location").to_owned();
    assert!(location.starts_with("cmp_") && location != id, "{location}: {}", made.text);
    visitor.api.fold().await;
    let shown = visitor.get(&format!("campaigns/{location}")).await.text;
    assert!(shown.contains("It follows up"), "{shown}");
    let wrong = [("act", "follow-up"), ("id", &id), ("outcomes", "reached"), ("latest", "2020-01-01T00:00")];
    let wrong = visitor.post(&page, &wrong).await;
    assert_page(&wrong, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("Which contacts "), "{}", wrong.text);
}
