//! People: roles at every route, sessions, what other sites cannot do, bounds, and the audit log.

mod own_password;
mod rights;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use jiff::SignedDuration;
use ringmaster::domain::{Bounds, Role, Scope, Scopes, Tenant, Way};
use ringmaster::http::api::routes;
use ringmaster::http::auth::Caller;
use ringmaster::http::peers::{Peer, TrustedProxies};
use ringmaster::http::sign_in::{Oidc, SignInSettings, SignedIn, hash_password};
use ringmaster::http::{App, SignIn, auth, router};
use ringmaster::store::{AuditEntry, AuditFilter, AuditOutcome, Member, MemberChanged, Session, Token};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::commands::copy;
use super::harness::{Answer, ApiHarness, CONSUMER, SENDER, answer, api, order, phone};

const PASSWORD: &str = "correct horse battery";
const ELSEWHERE: &str = "192.0.2.1";

/// The API with people who sign in.
pub(super) struct House {
    pub(super) api: ApiHarness,
    pub(super) app: Arc<App>,
    router: Router,
}

async fn house(settings: SignInSettings) -> House {
    house_with(settings, None).await
}

pub(super) async fn house_with(settings: SignInSettings, oidc: Option<Oidc>) -> House {
    let api = api().await;
    let sign_in = Arc::new(SignIn::new(settings, oidc, &[9; 32]));
    let app = Arc::new(App { sign_in, ..copy(&api.app) });
    House { router: router(Arc::clone(&app)), app, api }
}

fn by_password() -> SignInSettings {
    SignInSettings { password: true, ..SignInSettings::default() }
}

fn entry() -> AuditEntry {
    AuditEntry::new("2026-11-23T12:00:00Z".parse().unwrap(), "machine", Way::Machine, "test")
}

impl House {
    async fn add(&self, name: &str, role: Role, change: impl FnOnce(&mut Member)) {
        let mut member = Member::new(name, role, self.app.clock.now());
        change(&mut member);
        assert!(self.app.store.add_member(member, entry()).await.unwrap());
    }

    /// A session of a person, as its token.
    async fn session(&self, name: &str) -> String {
        let (token, hash) =
            auth::new_token(*uuid::Uuid::new_v4().as_bytes().repeat(2).first_chunk().unwrap());
        let now = self.app.clock.now();
        let session = Session {
            hash,
            name: name.into(),
            way: Way::Password,
            created_at: now,
            last_used_at: now,
            ends_at: now + SignedDuration::from_hours(12),
        };
        assert!(self.app.store.begin_session(session, None, entry()).await.unwrap());
        token
    }

    pub(super) async fn ask(
        &self,
        peer: &str,
        request: axum::http::request::Builder,
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = request.header("x-request-id", "req-1").body(body.into()).unwrap();
        request.extensions_mut().insert(Peer(peer.parse::<IpAddr>().unwrap()));
        answer(&self.router, request).await
    }

    /// A request of a signed-in person from a page of ours.
    pub(super) async fn by(&self, session: &str, method: &str, path: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("cookie", format!("__Host-ringmaster={session}"))
            .header("x-csrf-token", self.app.sign_in.csrf(session))
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json");
        let body = if method == "GET" { Body::empty() } else { Body::from(body.to_string()) };
        self.ask(ELSEWHERE, request, body).await
    }

    async fn sign_in(&self, name: &str, password: &str, next: &str, cookie: &str) -> Answer {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("name", name)
            .append_pair("password", password)
            .append_pair("next", next)
            .finish();
        let request = Request::post("/console/sign-in")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .header("cookie", cookie);
        self.ask(ELSEWHERE, request, form).await
    }

    pub(super) async fn audit(&self) -> Vec<AuditEntry> {
        let found = self.app.store.audit(&AuditFilter::default(), None, 100).await.unwrap();
        found.into_iter().map(|(_, entry)| entry).collect()
    }
}

/// The token in the cookie that an answer sets.
fn cookie(answer: &Answer) -> Option<String> {
    let set = answer.header("set-cookie").strip_prefix("__Host-ringmaster=")?;
    set.split(';').next().filter(|value| !value.is_empty()).map(str::to_owned)
}

/// Whether the role has one of the scopes.
fn may(role: Role, scopes: &[Scope]) -> bool {
    // Numbers are masked for a person who does not ask for them, and a route of numbers only is then refused.
    let held: Scopes = role.scopes().iter().filter(|scope| *scope != Scope::Reveal).collect();
    scopes.iter().any(|scope| held.contains(*scope))
}

#[tokio::test]
async fn each_role_may_use_its_routes_and_no_others() {
    let house = house(by_password()).await;
    let id = house.api.callback().await;
    for role in Role::all() {
        house.add(role.as_str(), role, |_| {}).await;
        for (method, path, scopes) in routes::ROUTES {
            let session = house.session(role.as_str()).await;
            let path = path.replace("{id}", &id.to_string());
            let answer = house.by(&session, method, &path, &json!({})).await;
            let is_refused = answer.status == StatusCode::FORBIDDEN && answer.code() == "auth.scope";
            assert_eq!(is_refused, !may(role, scopes), "{role} at {method} {path}: {}", answer.text);
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{role} at {method} {path}: {}", answer.text);
        }
    }
}

#[test]
fn the_table_of_roles_in_the_docs_is_that_of_the_code() {
    let mut table = String::from("| route |");
    for role in Role::all() {
        table.push_str(&format!(" {role} |"));
    }
    table.push_str(&format!("\n|---|{}\n", "---|".repeat(Role::all().count())));
    for (method, path, scopes) in routes::ROUTES {
        table.push_str(&format!("| `{method} {path}` |"));
        for role in Role::all() {
            let held = scopes.iter().any(|scope| role.scopes().contains(*scope));
            table.push_str(if held { " yes |" } else { " |" });
        }
        table.push('\n');
    }
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/SIGN_IN.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = page.split_once("<!-- roles -->\n").expect("the page has the mark before the table");
    let (written, after) = rest.split_once("<!-- end of roles -->").expect("it has the mark after it");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let page = format!("{before}<!-- roles -->\n{table}<!-- end of roles -->{after}");
        std::fs::write(&file, page).unwrap();
        return;
    }
    assert!(written == table, "docs/SIGN_IN.md differs from the code; run the tests with UPDATE_DOCS=1");
}

#[test]
fn the_tables_of_routes_name_routes_that_exist() {
    let is_known = |row: &(&str, &str)| routes::ROUTES.iter().any(|known| (known.0, known.1) == *row);
    for table in [routes::OF_PARTS, routes::READING, routes::AUDITED_READS, routes::OF_ALL_TENANTS] {
        for row in table {
            assert!(is_known(row), "{row:?}");
        }
    }
    assert!(routes::ROUTES.iter().all(|(.., scopes)| !scopes.is_empty()), "a route without a scope");
}

#[tokio::test]
async fn somebody_signs_in_with_a_password_and_gets_a_new_session_each_time() {
    let house = house(by_password()).await;
    house.add("ana", Role::Viewer, |ana| ana.password = hash_password(PASSWORD, [1; 16]).ok()).await;
    let page = house.ask(ELSEWHERE, Request::get("/console/sign-in"), "").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    // Somebody else planted a session in the browser: it is not taken over.
    let planted = house.session("ana").await;
    let cookie_line = format!("__Host-ringmaster={planted}");
    let entered = house.sign_in("Ana", PASSWORD, "callbacks?state=waiting", &cookie_line).await;
    assert_eq!(
        (entered.status, entered.header("location")),
        (StatusCode::SEE_OTHER, "./callbacks?state=waiting")
    );
    let set = entered.header("set-cookie");
    for part in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    let session = cookie(&entered).unwrap();
    assert_ne!(session, planted);
    assert_eq!(house.by(&session, "GET", "/v1/limits", &Value::Null).await.status, StatusCode::OK);
    assert_eq!(house.by(&planted, "GET", "/v1/limits", &Value::Null).await.code(), "auth.missing");
    let told = &house.audit().await[0];
    assert_eq!(
        (told.what.as_str(), told.who.as_str(), told.outcome.to_string()),
        ("sign_in", "person/ana", "done".into())
    );
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_look_alike_and_are_audited() {
    let house = house(by_password()).await;
    house.add("ana", Role::Viewer, |ana| ana.password = hash_password(PASSWORD, [1; 16]).ok()).await;
    house.add("zoe", Role::Viewer, |_| {}).await;
    let mut pages = Vec::new();
    for name in ["ana", "zoe", "nobody", "no body"] {
        let refused = house.sign_in(name, "another horse battery", "", "").await;
        assert_eq!((refused.status, cookie(&refused)), (StatusCode::UNAUTHORIZED, None), "{name}");
        pages.push(refused.text.replace(name, "NAME"));
        let told = house.audit().await.remove(0);
        assert_eq!((told.what.as_str(), told.outcome.to_string()), ("sign_in", "failed".into()));
        assert_eq!(told.from, Some(ELSEWHERE.parse().unwrap()));
    }
    assert!(pages.iter().all(|page| *page == pages[0]), "{pages:?}");
    for _ in 0..4 {
        house.sign_in("ana", "another horse battery", "", "").await;
    }
    let locked = house.sign_in("ana", PASSWORD, "", "").await;
    assert_eq!((locked.status, locked.code()), (StatusCode::TOO_MANY_REQUESTS, "auth.tries".into()));
    assert!(!locked.header("retry-after").is_empty());
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_too_old_or_signed_out() {
    let house = house(by_password()).await;
    house.add("ana", Role::Viewer, |_| {}).await;
    let status = async |session: &str| house.by(session, "GET", "/v1/limits", &Value::Null).await.status;
    let session = house.session("ana").await;
    house.api.clock.advance(SignedDuration::from_mins(30) - SignedDuration::from_secs(1));
    assert_eq!(status(&session).await, StatusCode::OK);
    house.api.clock.advance(SignedDuration::from_mins(30));
    assert_eq!(status(&session).await, StatusCode::UNAUTHORIZED, "idle");
    let session = house.session("ana").await;
    for _ in 0..24 {
        assert_eq!(status(&session).await, StatusCode::OK);
        house.api.clock.advance(SignedDuration::from_mins(29));
    }
    house.api.clock.advance(SignedDuration::from_mins(24));
    assert_eq!(status(&session).await, StatusCode::UNAUTHORIZED, "twelve hours");
    let session = house.session("ana").await;
    let left = house.by(&session, "POST", "/console/sign-out", &Value::Null).await;
    assert_eq!((left.status, left.header("location")), (StatusCode::SEE_OTHER, "sign-in"));
    assert_eq!(status(&session).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_removed_person_is_out_at_once_and_the_last_admin_stays() {
    let house = house(by_password()).await;
    house.add("ana", Role::Admin, |_| {}).await;
    house.add("bo", Role::Viewer, |_| {}).await;
    let (ana, bo) = (house.session("ana").await, house.session("bo").await);
    assert_eq!(house.by(&bo, "GET", "/v1/limits", &Value::Null).await.status, StatusCode::OK);
    let removed = house.by(&ana, "DELETE", "/v1/people/bo", &Value::Null).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text);
    assert_eq!(house.by(&bo, "GET", "/v1/limits", &Value::Null).await.code(), "auth.missing");
    assert_eq!(house.by(&ana, "DELETE", "/v1/people/bo", &Value::Null).await.code(), "person.not_found");
    let last = house.by(&ana, "DELETE", "/v1/people/ana", &Value::Null).await;
    assert_eq!((last.status, last.code()), (StatusCode::CONFLICT, "person.last_admin".into()));
    let demoted = house.by(&ana, "POST", "/v1/people/ana/change", &json!({"role": "viewer"})).await;
    assert_eq!(demoted.code(), "person.last_admin");
    // An admin of one tenant manages nobody else's people, and is not the last admin of all.
    house.add("cy", Role::Admin, |cy| cy.tenant = "shop".parse().unwrap()).await;
    let cy = house.session("cy").await;
    assert_eq!(house.by(&cy, "GET", "/v1/people/ana", &Value::Null).await.code(), "person.not_found");
    assert_eq!(house.by(&cy, "DELETE", "/v1/people/ana", &Value::Null).await.code(), "person.not_found");
    let lifted = house.by(&cy, "POST", "/v1/people/cy/change", &json!({"tenant": "default"})).await;
    assert_eq!(lifted.faults(), ["tenant: field.value"]);
    assert_eq!(house.app.store.remove_member("ana", entry()).await.unwrap(), MemberChanged::LastAdmin);
}

#[tokio::test]
async fn changed_rights_end_the_sessions_and_passwords_are_never_shown() {
    let house = house(by_password()).await;
    house.add("ana", Role::Admin, |_| {}).await;
    let ana = house.session("ana").await;
    let draft = json!({"name": "bo", "role": "agent", "password": PASSWORD, "bounds": ["campaign:spring"]});
    let added = house.by(&ana, "POST", "/v1/people", &draft).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    assert_eq!(added.json()["bounds"], json!(["campaign:spring"]));
    assert_eq!(house.by(&ana, "POST", "/v1/people", &draft).await.code(), "person.exists");
    let bo = house.session("bo").await;
    let changed = house.by(&ana, "POST", "/v1/people/bo/change", &json!({"role": "viewer"})).await;
    assert_eq!(changed.json()["role"], "viewer");
    assert_eq!(house.by(&bo, "GET", "/v1/dispositions", &Value::Null).await.code(), "auth.missing");
    let audit = house.by(&ana, "GET", "/v1/audit", &Value::Null).await;
    let newest = &audit.json()["entries"][0];
    assert_eq!(newest["what"], "person.change");
    assert_eq!(newest["before"], "role agent, tenant default, campaign:spring");
    assert_eq!(newest["after"], "role viewer, tenant default, campaign:spring");
    assert_eq!(newest["who"], "person/ana");
    assert_eq!(newest["from"], ELSEWHERE);
    assert!(!audit.text.contains(PASSWORD) && !audit.text.contains("argon2"), "{}", audit.text);
    for (draft, faults) in [
        (json!({"name": "A B", "role": "agent"}), vec!["name: field.value"]),
        (json!({"name": "cy"}), vec!["role: field.missing"]),
        (json!({"name": "cy", "role": "king"}), vec!["role: field.value"]),
        (json!({"name": "cy", "role": "agent", "bounds": ["x"]}), vec!["bounds[0]: field.value"]),
    ] {
        assert_eq!(house.by(&ana, "POST", "/v1/people", &draft).await.faults(), faults, "{draft}");
    }
    let short = house
        .by(&ana, "POST", "/v1/people", &json!({"name": "cy", "role": "agent", "password": "short"}))
        .await;
    assert_eq!(short.code(), "person.invalid");
    let shape = house.by(&ana, "POST", "/v1/people", &json!({"name": "cy", "role": 7})).await;
    assert_eq!(shape.code(), "body.shape");
}

#[tokio::test]
async fn another_site_cannot_make_a_persons_browser_change_anything() {
    let house = house(by_password()).await;
    house.add("ana", Role::Admin, |_| {}).await;
    let session = house.session("ana").await;
    let csrf = house.app.sign_in.csrf(&session);
    let post = || {
        Request::post("/v1/pauses")
            .header("cookie", format!("__Host-ringmaster={session}"))
            .header("content-type", "application/json")
            .header("host", "calls.example.com")
    };
    let body = json!({"scope": "all", "why": "x"}).to_string();
    let wrong = "0".repeat(64);
    for request in [
        post(),
        post().header("x-csrf-token", &wrong),
        post().header("x-csrf-token", &csrf).header("sec-fetch-site", "cross-site"),
        post().header("x-csrf-token", &csrf).header("sec-fetch-site", "same-site"),
        post().header("x-csrf-token", &csrf).header("origin", "https://evil.example"),
        post().header("x-csrf-token", &csrf).header("origin", "null"),
    ] {
        let refused = house.ask(ELSEWHERE, request, body.clone()).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "auth.csrf".into()));
    }
    assert!(house.app.store.pauses(house.app.clock.now()).await.unwrap().is_empty());
    let right = post().header("x-csrf-token", &csrf).header("origin", "https://calls.example.com");
    let taken = house.ask(ELSEWHERE, right, body).await;
    assert_ne!(taken.status, StatusCode::FORBIDDEN, "{}", taken.text);
    // The page where people sign in takes a form from our own page only.
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("accept", "*/*")]
    {
        let form = Request::post("/console/sign-in").header(name, value).header("host", "calls.example.com");
        assert_eq!(house.ask(ELSEWHERE, form, "name=ana").await.code(), "auth.csrf", "{name}: {value}");
    }
}

#[tokio::test]
async fn without_a_sign_in_only_this_machine_gets_in_and_only_by_its_own_name() {
    let house = house(SignInSettings::default()).await;
    let at = async |peer: &str, headers: &[(&str, &str)]| {
        let mut request = Request::get("/console/sign-in");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        house.ask(peer, request, "").await.status
    };
    let (here, refused) = (StatusCode::SEE_OTHER, StatusCode::FORBIDDEN);
    assert_eq!(at("127.0.0.1", &[("host", "127.0.0.1:8080")]).await, here);
    assert_eq!(at("::1", &[("host", "localhost:8080")]).await, here);
    assert_eq!(at("127.0.0.1", &[("host", "evil.example:8080")]).await, refused, "a name that leads here");
    assert_eq!(at("127.0.0.1", &[]).await, refused);
    assert_eq!(at("127.0.0.1", &[("host", "localhost"), ("x-forwarded-for", "127.0.0.1")]).await, refused);
    assert_eq!(at(ELSEWHERE, &[("host", "localhost")]).await, refused);
    // The API stays closed without a token, on this machine too, except for our own pages.
    let api =
        |csrf: &str| Request::get("/v1/limits").header("host", "localhost").header("x-csrf-token", csrf);
    let plain = house.ask("127.0.0.1", Request::get("/v1/limits").header("host", "localhost"), "").await;
    assert_eq!(plain.code(), "auth.missing");
    assert_eq!(house.ask("127.0.0.1", api("x"), "").await.code(), "auth.csrf");
    let csrf = house.app.sign_in.csrf("loopback");
    assert_eq!(house.ask("127.0.0.1", api(&csrf), "").await.status, StatusCode::OK);
    assert_eq!(house.ask(ELSEWHERE, api(&csrf), "").await.code(), "auth.missing");
}

#[tokio::test]
async fn only_a_trusted_proxy_names_a_person() {
    let proxies = TrustedProxies::new(["10.0.0.0/8".parse().unwrap()]);
    let settings = SignInSettings {
        proxy_header: Some("x-remote-user".parse().unwrap()),
        trusted_proxies: proxies,
        ..SignInSettings::default()
    };
    let house = house(settings).await;
    house.add("ana", Role::Viewer, |_| {}).await;
    let by = async |peer: &str, names: &[&str]| {
        let mut request = Request::get("/v1/limits").header("host", "calls.example.com");
        for name in names {
            request = request.header("x-remote-user", *name);
        }
        house.ask(peer, request, "").await.status
    };
    assert_eq!(by("10.0.0.1", &["ana"]).await, StatusCode::OK);
    for (peer, names) in [
        (ELSEWHERE, &["ana"][..]),
        ("10.0.0.1", &["nobody"]),
        ("10.0.0.1", &["ana", "ana"]),
        ("10.0.0.1", &[""]),
        ("10.0.0.1", &["ANA"]),
        ("10.0.0.1", &["ana,bo"]),
        ("10.0.0.1", &[]),
    ] {
        assert_eq!(by(peer, names).await, StatusCode::UNAUTHORIZED, "{peer} {names:?}");
    }
    house.app.store.add_member(Member::new("bo", Role::Admin, house.app.clock.now()), entry()).await.unwrap();
    house.app.store.remove_member("ana", entry()).await.unwrap();
    assert_eq!(by("10.0.0.1", &["ana"]).await, StatusCode::UNAUTHORIZED, "removed");
}

#[tokio::test]
async fn what_a_page_asks_by_itself_is_no_use_of_the_session_and_its_stream_ends_with_it() {
    let house = house(by_password()).await;
    house.add("ana", Role::Viewer, |_| {}).await;
    let session = house.session("ana").await;
    let caller = Caller::of_person(SignedIn {
        name: "ana".into(),
        role: Role::Viewer,
        scopes: Role::Viewer.scopes(),
        tenant: Tenant::default(),
        bounds: Bounds::default(),
        csrf: "".into(),
        how: Way::Password,
        session: Some(Sha256::digest(&session).into()),
        from: None,
    });
    let poll = async || {
        let request = Request::get("/v1/limits")
            .header("cookie", format!("__Host-ringmaster={session}"))
            .header("console-part", "poll");
        house.ask(ELSEWHERE, request, "").await.status
    };
    house.api.clock.advance(SignedDuration::from_mins(30) - SignedDuration::from_secs(1));
    assert_eq!(poll().await, StatusCode::OK);
    assert!(caller.is_still_known(&house.app).await);
    house.api.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(poll().await, StatusCode::UNAUTHORIZED);
    assert!(!caller.is_still_known(&house.app).await);
}

#[tokio::test]
async fn a_refused_sign_in_is_a_page_for_a_browser_and_a_problem_for_a_program() {
    let trusted_proxies = TrustedProxies::new(["127.0.0.0/8".parse().unwrap()]);
    let house = house(SignInSettings { trusted_proxies, ..by_password() }).await;
    let post = |accept: &str| Request::post("/console/sign-in").header("accept", accept);
    let page = house.ask(ELSEWHERE, post("text/html,*/*"), "name=ana&password=x").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert!(
        page.text.contains("href=\"sign-in\"") && page.text.contains("assets/console.css"),
        "{}",
        page.text
    );
    assert_eq!(house.ask(ELSEWHERE, post("*/*"), "name=ana&password=x").await.code(), "auth.csrf");
    // A connection of a proxy that names no client is at least told as that.
    let wrong = Request::post("/console/sign-in").header("sec-fetch-site", "same-origin");
    house.ask("127.0.0.1", wrong, "name=ana&password=x").await;
    assert_eq!(house.audit().await[0].from, Some([127, 0, 0, 1].into()));
}

#[tokio::test]
async fn what_a_person_changes_is_in_the_audit_log_as_it_was_before() {
    let house = house(by_password()).await;
    house.add("ana", Role::Supervisor, |_| {}).await;
    let ana = house.session("ana").await;
    let id = house.api.callback().await;
    house.by(&ana, "POST", "/v1/pauses", &json!({"scope": "all", "why": "a drill"})).await;
    house.api.fold().await;
    let pauses = house.by(&ana, "GET", "/v1/pauses", &Value::Null).await.json();
    let pause = pauses["pauses"][0]["id"].as_str().unwrap().to_owned();
    house.by(&ana, "DELETE", &format!("/v1/pauses/{pause}"), &Value::Null).await;
    house.by(&ana, "POST", &format!("/v1/callbacks/{id}/cancel"), &json!({"why": "x"})).await;
    let log = house.audit().await;
    let before = |what: &str| log.iter().find(|entry| entry.what == what).unwrap().before.clone().unwrap();
    assert!(before("DELETE /v1/pauses/{id}").contains("a drill"), "{log:?}");
    assert!(before("POST /v1/callbacks/{id}/cancel").contains(r#""state":"waiting""#), "{log:?}");
    house.add("bo", Role::Admin, |_| {}).await;
    let bo = house.session("bo").await;
    let zones = json!({"consumer": CONSUMER, "zones": ["America/Manaus"]});
    for _ in 0..2 {
        house.by(&bo, "PUT", "/v1/consumers/zone", &zones).await;
    }
    let granted = json!({"consumer": CONSUMER, "sender": SENDER, "kind": "permanent", "reason": "on paper"});
    house.by(&bo, "POST", "/v1/permissions/grant", &granted).await;
    let entry = json!({"list": "house", "consumers": [CONSUMER], "why": "asked"});
    house.by(&bo, "POST", "/v1/suppression", &entry).await;
    let log = house.audit().await;
    let before = |what: &str| log.iter().find(|entry| entry.what == what).unwrap().before.clone().unwrap();
    assert!(before("PUT /v1/consumers/zone").contains("America/Manaus"), "{log:?}");
    assert!(before("POST /v1/permissions/grant").contains(r#""permission":"none""#), "{log:?}");
    assert!(before("POST /v1/suppression").contains(r#""entries":0"#), "{log:?}");
}
