//! The console's pages of lists, asked as a browser asks them: each renders with data and without, says what could not be
//! read, refuses wrong forms at their fields, and shows nobody more than their part.

mod campaigns;
mod files;
mod imports;
mod rights;
mod shown;
mod tables;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use ringmaster::console::pages_for;
use ringmaster::console::person::Person;
use ringmaster::domain::{Bounds, Role, Scope, Scopes, Tenant, Way};

use super::harness::{Answer, ApiHarness, answer, api};

const CSRF: &str = "the-token-of-the-form";

/// A person with a browser.
struct Visitor {
    api: ApiHarness,
    pages: Router,
}

/// A person with these scopes.
fn person(scopes: Scopes) -> Person {
    Person {
        name: "maria".into(),
        role: Role::Supervisor,
        scopes,
        tenant: Tenant::default(),
        bounds: Bounds::default(),
        csrf: CSRF.into(),
        how: Way::Password,
        session: None,
        from: Some([192, 0, 2, 7].into()),
    }
}

/// Somebody who may do all that a token may.
fn everything() -> Scopes {
    Scopes::usual().iter().chain([Scope::Admin]).collect()
}

impl Visitor {
    async fn new(scopes: Scopes) -> Self {
        Self::of(person(scopes)).await
    }

    async fn of(person: Person) -> Self {
        let api = api().await;
        let pages = pages_for(&api.app, person);
        Self { api, pages }
    }

    async fn with_everything() -> Self {
        Self::new(everything()).await
    }

    /// The same daemon, seen by somebody else.
    fn seen_by(&self, scopes: Scopes) -> Router {
        pages_for(&self.api.app, person(scopes))
    }

    async fn get(&self, path: &str) -> Answer {
        get(&self.pages, path).await
    }

    /// Sends a form of a page.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        post(&self.pages, path, fields).await
    }

    /// Sends a form, lets the scheduler fold it, and sends it again with the same key, as an impatient person does. The answer
    /// is the second one.
    async fn act(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        static FORMS: AtomicUsize = AtomicUsize::new(0);
        let key = format!("form-{}", FORMS.fetch_add(1, Ordering::Relaxed));
        let keyed: Vec<_> = fields.iter().copied().chain([("key", key.as_str())]).collect();
        let first = self.post(path, &keyed).await;
        if first.status != StatusCode::SEE_OTHER || !first.header("location").contains("stored=") {
            return first;
        }
        self.api.fold().await;
        self.post(path, &keyed).await
    }
}

async fn get(pages: &Router, path: &str) -> Answer {
    let request = Request::get(format!("/console/{path}")).header("host", "localhost");
    answer(pages, request.body(Body::empty()).unwrap()).await
}

async fn post(pages: &Router, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("csrf", CSRF).extend_pairs(fields);
    let request = Request::post(format!("/console/{path}"))
        .header("host", "localhost")
        .header("content-type", "application/x-www-form-urlencoded");
    answer(pages, request.body(Body::from(body.finish())).unwrap()).await
}

/// A form with a file, as browsers send it.
fn multipart(fields: &[(&str, &str)], file: &[u8]) -> (String, Vec<u8>) {
    let mut text = String::new();
    for (name, value) in fields {
        _ = write!(text, "--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    text.push_str("--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"l.csv\"\r\n\r\n");
    let mut body = text.into_bytes();
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--edge--\r\n");
    ("multipart/form-data; boundary=edge".to_owned(), body)
}

/// Asserts that a page is whole and has nothing that its policy forbids.
#[track_caller]
fn assert_page(answer: &Answer, status: StatusCode) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(answer.header("content-security-policy").contains("script-src 'self'"));
    assert!(answer.text.contains("<h1>") && answer.text.ends_with("</html>"), "{}", answer.text);
    for inline in [" style=", " onclick=", "javascript:", "<style", "<script>"] {
        assert!(!answer.text.contains(inline), "{inline} in {}", answer.text);
    }
}
