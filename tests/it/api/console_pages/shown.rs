//! What the pages show, with data and without, and when something cannot be read.

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use jiff::SignedDuration;
use ringmaster::console::pages::table::PAGES;
use ringmaster::domain::{CallPermission, Loads, Pair, PairKey, PersonId};
use serde_json::json;

use super::super::harness::{CONSUMER, NOW, SENDER, at, phone};
use super::{Visitor, assert_page, get};

/// A ledger of the sender with a consumer.
fn pair(number: &str, permission: CallPermission, misses: u32) -> Pair {
    let key = PairKey { sender: phone(SENDER), person: PersonId::of(phone(number)) };
    Pair { permission, misses, ..Pair::unknown(key) }
}

#[tokio::test]
async fn every_page_renders_when_there_is_nothing() {
    let visitor = Visitor::with_everything().await;
    for page in PAGES.iter().filter(|page| !page.path.contains('{')) {
        let answer = visitor.get(page.path).await;
        assert_page(&answer, StatusCode::OK);
        assert!(!answer.text.contains("could not be read"), "{}: {}", page.path, answer.text);
    }
    for (path, status) in [
        ("calendars/BR-SP", StatusCode::OK),
        ("reports/answer-rate", StatusCode::OK),
        ("calendars/nowhere", StatusCode::NOT_FOUND),
        ("reports/nothing", StatusCode::NOT_FOUND),
        ("imports/nothing", StatusCode::NOT_FOUND),
        ("campaigns/cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f", StatusCode::NOT_FOUND),
        ("campaigns/x%2F..%2Fy", StatusCode::BAD_REQUEST),
    ] {
        assert_page(&visitor.get(path).await, status);
    }
}

#[tokio::test]
async fn permissions_are_shown_by_their_state_with_misses_and_numbers_masked() {
    let visitor = Visitor::with_everything().await;
    let until = at(NOW) + SignedDuration::from_hours(48);
    visitor.api.store.put_pair(pair(CONSUMER, CallPermission::Temporary { expires_at: until }, 3)).await;
    visitor.api.store.put_pair(pair("+5521976543211", CallPermission::Declined { until }, 0)).await;
    let all = visitor.get("permissions").await;
    assert_page(&all, StatusCode::OK);
    assert!(all.text.contains("granted for some days") && all.text.contains("declined"));
    assert!(all.text.contains("one call left before WhatsApp blocks us"), "{}", all.text);
    assert!(!all.text.contains(&CONSUMER[1..]), "a number is shown without being revealed");
    let granted = visitor.get("permissions?state=granted&sender=Support").await.text;
    assert!(granted.contains("<span class=\"badge good\">granted for some days"), "{granted}");
    assert!(!granted.contains("<span class=\"badge bad\">declined"), "{granted}");
    let wrong = visitor.get("permissions?state=everything").await;
    assert_page(&wrong, StatusCode::BAD_REQUEST);
    assert!(wrong.text.contains("is none of granted"), "{}", wrong.text);
}

#[tokio::test]
async fn a_permission_is_looked_up_recorded_and_refused_at_its_field() {
    let visitor = Visitor::with_everything().await;
    let grant =
        [("act", "grant-permission"), ("sender", SENDER), ("consumer", CONSUMER), ("kind", "permanent")];
    let missing = visitor.post("permissions", &grant).await;
    assert_page(&missing, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(missing.text.contains("Why is missing.") && missing.text.contains("aria-invalid=\"true\""));
    let whole: Vec<_> = grant.into_iter().chain([("reason", "said so on the phone")]).collect();
    let done = visitor.act("permissions", &whole).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "?done=grant-permission"));
    let said = visitor.get("permissions?done=grant-permission").await.text;
    assert!(said.contains("The permission is recorded."), "{said}");
    let look = [("act", "show-permission"), ("sender", SENDER), ("consumer", CONSUMER)];
    let found = visitor.post("permissions", &look).await;
    assert_page(&found, StatusCode::OK);
    assert!(found.text.contains("<dd>granted for good</dd>"), "{}", found.text);
}

#[tokio::test]
async fn senders_pauses_and_pools_are_shown_and_changed() {
    let visitor = Visitor::with_everything().await;
    visitor.api.publish(Loads::default()).await;
    let page = visitor.get("senders").await.text;
    assert!(page.contains("Support (+551151991234)") && page.contains("Nothing is paused."), "{page}");
    let nothing =
        visitor.post("senders", &[("act", "set-pause"), ("scope", "sender"), ("why", "a drill")]).await;
    assert_page(&nothing, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nothing.text.contains("Sender is missing"), "{}", nothing.text);
    assert!(nothing.text.contains("value=\"a drill\""), "what was entered stays");
    let pause = [("act", "set-pause"), ("scope", "sender"), ("sender", SENDER), ("why", "a <b>drill</b>")];
    assert_eq!(visitor.act("senders", &pause).await.header("location"), "?done=set-pause");
    let page = visitor.get("senders").await.text;
    assert!(page.contains("a &lt;b&gt;drill&lt;/b&gt;") && !page.contains("<b>drill"), "{page}");
    let id = visitor.api.get("/v1/pauses").await.json()["pauses"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        visitor.act("senders", &[("act", "lift-pause"), ("id", &id)]).await.header("location"),
        "?done=lift-pause"
    );
    assert!(visitor.get("senders").await.text.contains("Nothing is paused."));
    let feed = [("act", "feed-pool"), ("name", "support"), ("seats", "3"), ("valid_for", "120")];
    assert_eq!(visitor.act("senders", &feed).await.header("location"), "?done=feed-pool");
    let page = visitor.get("agents").await.text;
    assert!(page.contains("support") && page.contains("3 seats"), "{page}");
    let wrong = [("act", "feed-pool"), ("name", "support"), ("seats", "many"), ("valid_for", "500")];
    let wrong = visitor.post("senders", &wrong).await;
    assert!(wrong.text.contains("Seats is not a whole number."), "{}", wrong.text);
}

#[tokio::test]
async fn a_number_is_tested_and_put_on_a_list() {
    let visitor = Visitor::with_everything().await;
    let check = [("act", "check-suppression"), ("consumer", CONSUMER)];
    let free = visitor.post("suppression", &check).await;
    assert!(free.text.contains("No list forbids anything"), "{}", free.text);
    let add = [
        ("act", "suppress"),
        ("list", "house"),
        ("scope", "all"),
        ("consumers", "12\n+55"),
        ("why", "asked"),
    ];
    let wrong = visitor.post("suppression", &add).await;
    assert_page(&wrong, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("<span class=\"fault\""), "{}", wrong.text);
    let add =
        [("act", "suppress"), ("list", "house"), ("scope", "all"), ("consumers", CONSUMER), ("why", "asked")];
    assert_eq!(visitor.act("suppression", &add).await.header("location"), "?done=suppress");
    let bound = visitor.post("suppression", &check).await;
    assert!(
        bound.text.contains("is on a list that is in force") && bound.text.contains("asked"),
        "{}",
        bound.text
    );
    let empty = visitor.post("suppression", &[("act", "check-suppression"), ("consumer", "")]).await;
    assert_page(&empty, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn hours_are_tested_at_a_moment_by_an_address_that_can_be_kept() {
    let visitor = Visitor::with_everything().await;
    let hours = "hours=mon-fri+09%3A00-18%3A00+%40America%2FSao_Paulo+except+BR-SP";
    let closed = visitor.get(&format!("calendars?{hours}&at=2026-12-25T15%3A00")).await;
    assert_page(&closed, StatusCode::OK);
    assert!(
        closed.text.contains(">closed</span>") && closed.text.contains("calendar, closed"),
        "{}",
        closed.text
    );
    let open = visitor.get(&format!("calendars?{hours}&at=2026-12-23T15%3A00")).await.text;
    assert!(open.contains(">open</span>"), "{open}");
    let wrong = visitor.get("calendars?hours=always&at=soon").await;
    assert!(wrong.text.contains("At is not a date and a time"), "{}", wrong.text);
    let mark = [
        ("act", "mark-days"),
        ("name", "BR-SP"),
        ("state", "closed"),
        ("first", "2026-12-28"),
        ("why", "inventory"),
    ];
    assert_eq!(visitor.act("calendars/BR-SP", &mark).await.header("location"), "?done=mark-days");
    assert!(visitor.get("calendars/BR-SP").await.text.contains("inventory"));
}

#[tokio::test]
async fn the_system_shows_limits_with_their_sources_and_tokens_without_secrets() {
    let visitor = Visitor::with_everything().await;
    visitor.api.publish(Loads::default()).await;
    let page = visitor.get("system").await.text;
    for part in [
        "Nothing that the daemon knows of",
        "permission requests short max",
        "crm",
        "The program failed at nothing",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains("rm_"), "a token is shown");
}

#[tokio::test]
async fn what_could_not_be_read_is_never_shown_as_nothing() {
    let visitor = Visitor::with_everything().await;
    visitor.api.store.faults().fails_after.store(1, Ordering::Relaxed);
    let senders = visitor.get("senders").await;
    assert_page(&senders, StatusCode::SERVICE_UNAVAILABLE);
    assert!(senders.text.contains("This could not be read."), "{}", senders.text);
    assert!(!senders.text.contains("There is no pool."), "{}", senders.text);
    assert!(!senders.text.contains("There is no sender"), "{}", senders.text);
}

#[tokio::test]
async fn an_offer_is_shown_with_its_time_and_answered_once() {
    let visitor = Visitor::with_everything().await;
    let page = visitor.get("agents").await.text;
    assert!(
        page.contains("Nothing is offered now.") && page.contains("Every call has its wrap-up."),
        "{page}"
    );
    let over = visitor
        .post("agents", &[("act", "accept-offer"), ("id", "cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")])
        .await;
    assert_page(&over, StatusCode::NOT_FOUND);
    assert!(over.text.contains("The callback does not exist."), "{}", over.text);
    let id = visitor.api.order(json!({})).await.id().to_string();
    let wrap = [("act", "wrap-up"), ("id", id.as_str()), ("disposition", "nothing")];
    let wrong = visitor.post("agents", &wrap).await;
    assert_page(&wrong, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("What came of the call cannot be"), "{}", wrong.text);
}

#[tokio::test]
async fn a_page_that_is_not_there_and_a_form_that_is_not_known_are_told() {
    let visitor = Visitor::with_everything().await;
    assert_page(&get(&visitor.pages, "nothing").await, StatusCode::NOT_FOUND);
    let unknown = visitor.post("senders", &[("act", "launch-campaign")]).await;
    assert_page(&unknown, StatusCode::UNPROCESSABLE_ENTITY);
}
