//! Nobody sees or does more than their part: buttons, forms sent by hand, tenants, and forms of other sites.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use ringmaster::console::pages::table::PAGES;
use ringmaster::console::pages_for;
use ringmaster::console::person::Person;
use ringmaster::domain::{Role, Scope, Scopes};
use ringmaster::store::AuditFilter;
use serde_json::json;

use super::super::harness::answer;
use super::{CSRF, Visitor, assert_page, get, person, post};

#[tokio::test]
async fn a_viewer_sees_no_form_and_is_refused_every_act() {
    let visitor = Visitor::with_everything().await;
    let viewer = visitor.seen_by(Scopes::from_iter([Scope::Read]));
    // What a viewer may look up with a form changes nothing.
    let of_viewers = ["show-permission"];
    for page in PAGES {
        let path = page.path.replace("{id}", "cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f");
        let shown = get(&viewer, &path).await;
        for act in page.acts {
            let is_there = shown.text.contains(&format!("value=\"{}\"", act.name));
            assert_eq!(is_there, of_viewers.contains(&act.name), "{path}: {}", act.name);
            if of_viewers.contains(&act.name) {
                continue;
            }
            let fields: Vec<(&str, &str)> = act.fields.iter().map(|field| (field.name, "x")).collect();
            let sent: Vec<_> = fields.into_iter().chain([("act", act.name)]).collect();
            let refused = post(&viewer, &path, &sent).await;
            assert_page(&refused, StatusCode::FORBIDDEN);
            assert!(refused.text.contains("Your role does not include this."), "{}", refused.text);
        }
    }
}

#[tokio::test]
async fn a_part_that_a_role_does_not_include_is_said_and_not_shown_as_empty() {
    let visitor = Visitor::with_everything().await;
    let operator = visitor.seen_by(Scopes::from_iter([Scope::Operate]));
    let system = get(&operator, "system").await;
    assert_page(&system, StatusCode::OK);
    assert!(system.text.contains("Your role does not include this part."), "{}", system.text);
    assert!(!system.text.contains("There is no token."), "{}", system.text);
}

#[tokio::test]
async fn a_person_of_a_tenant_sees_no_permissions_lists_or_tokens_of_all() {
    let visitor = Visitor::with_everything().await;
    let mut bound = person(super::everything());
    bound.tenant = "shop".parse().unwrap();
    let pages = pages_for(&visitor.api.app, bound);
    for path in ["permissions", "suppression"] {
        let page = get(&pages, path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(page.text.contains("Your role does not include this part."), "{path}: {}", page.text);
        assert!(!page.text.contains("callable.csv"), "{path}");
    }
    assert_eq!(get(&pages, "permissions/callable.csv").await.status, StatusCode::FORBIDDEN);
    // The people and the audit log of the own tenant are on the page of the system.
    let system = get(&pages, "system").await;
    assert_page(&system, StatusCode::OK);
    assert!(system.text.contains("Your role does not include this part."), "{}", system.text);
    assert!(system.text.contains("Nobody signs in."), "{}", system.text);
}

#[tokio::test]
async fn who_exports_complete_numbers_is_in_the_audit_log_with_the_address() {
    let visitor = Visitor::with_everything().await;
    let of_log = async || visitor.api.app.store.audit(&AuditFilter::default(), None, 10).await.unwrap();
    let before = of_log().await.len();
    assert_eq!(visitor.get("permissions/callable.csv").await.status, StatusCode::OK);
    let log = of_log().await;
    assert_eq!(log.len(), before + 1);
    let (_, entry) = &log[0];
    assert_eq!((&*entry.who, &*entry.what), ("person/maria", "GET /v1/permissions/callable"));
    assert_eq!(entry.from, person(Scopes::usual()).from);
    // A live part is made once for several people, so it reveals nothing.
    let request = Request::get("/console/permissions/callable.csv").header("console-part", "live");
    let part = answer(&visitor.pages, request.body(Body::empty()).unwrap()).await;
    assert_eq!(part.status, StatusCode::FORBIDDEN, "{}", part.text);
    assert_eq!(of_log().await.len(), before + 1);
}

#[tokio::test]
async fn a_revealed_number_is_in_the_audit_log_with_the_address() {
    let visitor = Visitor::with_everything().await;
    let id = visitor.api.callback().await;
    let shown = visitor.post(&format!("callbacks/{id}/revealed"), &[]).await;
    assert_page(&shown, StatusCode::OK);
    let log = visitor.api.app.store.audit(&AuditFilter::default(), None, 10).await.unwrap();
    let of_person = log.iter().find(|(_, entry)| entry.what == "reveal GET /v1/callbacks/{id}").unwrap();
    assert_eq!(of_person.1.object, Some(id.to_string()));
    assert_eq!(of_person.1.from, person(Scopes::usual()).from);
}

#[tokio::test]
async fn what_is_done_with_a_form_is_in_the_audit_log_with_its_values_and_the_address() {
    let visitor = Visitor::with_everything().await;
    let pause = [("act", "set-pause"), ("scope", "all"), ("why", "a drill")];
    assert_eq!(visitor.post("senders", &pause).await.status, StatusCode::SEE_OTHER);
    let log = visitor.api.app.store.audit(&AuditFilter::default(), None, 10).await.unwrap();
    let (_, entry) = log.iter().find(|(_, entry)| entry.what == "POST /v1/pauses").unwrap();
    assert_eq!((&*entry.who, entry.from), ("person/maria", person(Scopes::usual()).from));
    assert!(entry.after.as_ref().is_some_and(|after| after.contains("a drill")), "{entry:?}");
}

/// A supervisor with these bounds.
fn bounded(bounds: &str) -> Person {
    Person { bounds: bounds.parse().unwrap(), ..person(Role::Supervisor.scopes()) }
}

#[tokio::test]
async fn somebody_with_bounds_sees_the_figures_of_their_part_on_the_first_page() {
    let visitor = Visitor::with_everything().await;
    let made = async |name: &str| {
        let made = visitor.api.change("/v1/campaigns", json!({"name": name}).to_string()).await;
        made.json()["id"].clone()
    };
    let (spring, autumn) = (made("Spring").await, made("Autumn").await);
    for (campaign, consumers) in [(&spring, 2), (&autumn, 3)] {
        for n in 0..consumers {
            let consumer = format!("+55119876543{n}{}", consumers);
            visitor.api.order(json!({"campaign": campaign, "consumer": consumer})).await;
        }
    }
    let bounds = format!("campaign:{}", spring.as_str().unwrap());
    let page = get(&pages_for(&visitor.api.app, bounded(&bounds)), "").await;
    assert_page(&page, StatusCode::OK);
    let waiting = "<span class=\"figure\">2</span><span class=\"what\">waiting</span>";
    assert!(page.text.contains(waiting) && page.text.contains("Spring"), "{}", page.text);
    assert!(!page.text.contains("Autumn"), "{}", page.text);
    // A pool has no counts of its own.
    let page = get(&pages_for(&visitor.api.app, bounded("pool:night")), "").await;
    assert_page(&page, StatusCode::OK);
    assert!(
        page.text.contains("checking with Twilio") && !page.text.contains("reached today"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn the_navigation_has_what_the_person_may_read_and_the_first_page_is_one_of_it() {
    let visitor = Visitor::with_everything().await;
    let navigation =
        |text: &str| text.split_once("<nav").unwrap().1.split_once("</nav>").unwrap().0.to_owned();
    let has = |text: &str, title: &str| navigation(text).contains(&format!(">{title}</a>"));
    let agent = visitor.seen_by(Role::Agent.scopes());
    let first = get(&agent, "").await;
    assert_eq!((first.status, first.header("location")), (StatusCode::SEE_OTHER, "./callbacks"));
    let own = get(&agent, "callbacks").await;
    assert_page(&own, StatusCode::OK);
    assert!(has(&own.text, "Agents") && !has(&own.text, "Now") && !has(&own.text, "Reports"), "{}", own.text);
    let bound = get(&pages_for(&visitor.api.app, bounded("campaign:spring")), "callbacks").await;
    assert!(has(&bound.text, "Campaigns") && !has(&bound.text, "Permissions"), "{}", bound.text);
    let first = get(&pages_for(&visitor.api.app, bounded("campaign:spring")), "").await;
    assert_page(&first, StatusCode::OK);
    assert!(
        first.text.contains("You see your part: campaign spring.") && has(&first.text, "Now"),
        "{}",
        first.text
    );
    assert!(!first.text.contains(">waiting<"), "a label has no count: {}", first.text);
    let leader = get(&visitor.seen_by(Role::Supervisor.scopes()), "").await;
    assert_page(&leader, StatusCode::OK);
    assert!(has(&leader.text, "Now") && has(&leader.text, "Suppression"), "{}", leader.text);
}

#[tokio::test]
async fn people_are_added_changed_and_removed_on_the_page_of_the_system() {
    let visitor = Visitor::with_everything().await;
    let people = async || visitor.api.app.store.members().await.unwrap();
    let weak = [("act", "add-person"), ("name", "bo"), ("role", "agent"), ("password", "too short")];
    let refused = visitor.post("system", &weak).await;
    assert_page(&refused, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!refused.text.contains("too short\""), "a password is not shown again: {}", refused.text);
    let draft = [("act", "add-person"), ("name", "bo"), ("role", "agent"), ("bounds", "campaign:spring")];
    assert_eq!(visitor.post("system", &draft).await.status, StatusCode::SEE_OTHER);
    let change = [("act", "change-person"), ("name", "bo"), ("role", "viewer")];
    assert_eq!(visitor.post("system", &change).await.status, StatusCode::SEE_OTHER);
    let told = people().await;
    assert_eq!((told[0].name.as_str(), told[0].role), ("bo", Role::Viewer));
    assert_eq!(told[0].bounds.to_string(), "campaign:spring", "what is left empty stays");
    let system = visitor.get("system").await;
    for part in ["person.change", "role agent, tenant default, campaign:spring", "person/maria", ">Nodes<"] {
        assert!(system.text.contains(part), "{part} is not in {}", system.text);
    }
    let export = visitor.get("system/audit.csv").await;
    assert_eq!(export.header("content-type"), "text/csv; charset=utf-8");
    let removed = [("act", "remove-person"), ("name", "bo")];
    assert_eq!(visitor.post("system", &removed).await.status, StatusCode::SEE_OTHER);
    assert!(people().await.is_empty());
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let visitor = Visitor::with_everything().await;
    let body = |csrf: &str| format!("csrf={csrf}&act=set-pause&scope=all&why=x");
    let form = |csrf: &str, site: &str| {
        Request::post("/console/senders")
            .header("host", "localhost")
            .header("sec-fetch-site", site)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body(csrf)))
            .unwrap()
    };
    for request in [form("", "same-origin"), form("another", "same-origin"), form(CSRF, "cross-site")] {
        assert_page(&answer(&visitor.pages, request).await, StatusCode::FORBIDDEN);
    }
    visitor.api.fold().await;
    assert_eq!(visitor.api.get("/v1/pauses").await.json()["pauses"].as_array().unwrap().len(), 0);
    let own = answer(&visitor.pages, form(CSRF, "same-origin")).await;
    assert_eq!(own.status, StatusCode::SEE_OTHER, "{}", own.text);
}
