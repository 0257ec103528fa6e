//! The layer of the pages: only a person gets past it, and a change only from our own forms.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};

use super::browser::{AtBrowser, up};
use super::enter::{CONSOLE, SIGN_IN};
use super::identify::{Asked, identify};
use super::origin::check_write;
use super::page;
use crate::http::{ApiError, App};

/// The largest form whose field `csrf` is looked for, in bytes. Larger bodies need the header.
const FORM_MAX: usize = 64 << 10;
/// The field `csrf` of a form with a file is its first part, which ends within so many bytes.
const FIRST_PART_MAX: usize = 4 << 10;
/// The longest address to which a sign-in leads back, in bytes.
const NEXT_MAX: usize = 1000;

/// The pages behind the sign-in: who is not signed in is led to the page where people sign in. A handler gets the
/// [`SignedIn`](super::SignedIn), and a [`Caller`](crate::http::auth::Caller) for requests to the API.
pub fn guarded(app: &Arc<App>, pages: Router) -> Router {
    pages.route_layer(from_fn_with_state(Arc::clone(app), guard))
}

async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let at_browser = AtBrowser::of(&request);
    at_browser.shown(passed(app, request, next).await.into_response())
}

async fn passed(app: Arc<App>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    let Some(person) = identify(&app, Asked::of(&request)).await? else {
        return Ok(not_signed_in(&app, &request));
    };
    if !is_read(request.method()) {
        let (checked, field) = with_field(request).await?;
        request = checked;
        check_write(&app, &person, request.extensions(), request.headers(), field.as_deref())?;
    }
    request.extensions_mut().insert(person.caller());
    request.extensions_mut().insert(person);
    Ok(next.run(request).await)
}

pub(super) fn is_read(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

/// To the page where people sign in, or the reason why there is none.
fn not_signed_in(app: &App, request: &Request) -> Response {
    if !is_read(request.method()) {
        return ApiError::new("auth.missing", "nobody is signed in, or the session has ended")
            .into_response();
    }
    if !app.sign_in.is_configured() {
        return page::only_here(&up(request));
    }
    let up = up(request);
    let here = request.uri().path_and_query().map_or("", |all| all.as_str());
    let here = here.strip_prefix(CONSOLE).unwrap_or("");
    let next: String = form_urlencoded::byte_serialize(here.as_bytes()).collect();
    let page = SIGN_IN.strip_prefix(CONSOLE).unwrap_or(SIGN_IN);
    let to = if next.is_empty() || next.len() > NEXT_MAX {
        format!("{up}{page}")
    } else {
        format!("{up}{page}?next={next}")
    };
    redirect(&to)
}

/// To an address of our own: `303`, so that a form is not sent again.
pub(super) fn redirect(to: &str) -> Response {
    let to = HeaderValue::try_from(to).unwrap_or_else(|_| HeaderValue::from_static("./"));
    (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response()
}

/// Whether a browser takes this part of a path for the folder above. It reads `%2e` as a dot.
fn is_step_up(part: &str) -> bool {
    part.to_ascii_lowercase().replace("%2e", ".") == ".."
}

/// Where a sign-in leads: an address below the console, relative to the page where people sign in. It begins with `./`, so
/// that it names no other site, whatever follows.
pub(super) fn led_to(next: Option<&str>) -> String {
    let is_plain = |text: &&str| {
        text.len() <= NEXT_MAX
            && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
            && !text.split(['/', '?', '#']).any(is_step_up)
    };
    format!("./{}", next.filter(is_plain).unwrap_or("").trim_start_matches('/'))
}

/// The field `csrf` of a form of a bounded size, and the request as it was.
async fn with_field(request: Request) -> Result<(Request, Option<String>), ApiError> {
    if media(request.headers()).eq_ignore_ascii_case("multipart/form-data") {
        return with_first_part(request).await;
    }
    if !is_small_form(request.headers()) {
        return Ok((request, None));
    }
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, FORM_MAX).await.map_err(incomplete)?;
    let field = form_urlencoded::parse(&bytes).find(|(name, _)| name == "csrf");
    let field = field.map(|(_, value)| value.into_owned());
    Ok((Request::from_parts(parts, Body::from(bytes)), field))
}

fn incomplete(_: axum::Error) -> ApiError {
    ApiError::new("body.incomplete", "the connection ended before the body was complete")
}

/// The field `csrf` of a form with a file, and the request as it was. No more is read than the beginning: the file goes on
/// to the page as it arrives.
async fn with_first_part(request: Request) -> Result<(Request, Option<String>), ApiError> {
    let (parts, body) = request.into_parts();
    let mut body = body.into_data_stream();
    let mut begun = Vec::new();
    while begun.len() < FIRST_PART_MAX && first_part(&begun).is_none() {
        match body.next().await {
            Some(bytes) => begun.extend_from_slice(&bytes.map_err(incomplete)?),
            None => break,
        }
    }
    let field = first_part(&begun);
    let whole = stream::iter([Ok(Bytes::from(begun))]).chain(body);
    Ok((Request::from_parts(parts, Body::from_stream(whole)), field))
}

/// The value of the first part, if that is the field `csrf` and has arrived.
fn first_part(begun: &[u8]) -> Option<String> {
    let begun = begun.get(..begun.len().min(FIRST_PART_MAX))?;
    // What follows the first part may be any bytes.
    let text = String::from_utf8_lossy(begun);
    let (head, rest) = text.split_once("\r\n\r\n")?;
    let is_token = head.lines().skip(1).any(|line| {
        let (name, value) = line.split_once(':').unwrap_or_default();
        name.eq_ignore_ascii_case("content-disposition") && value.trim() == "form-data; name=\"csrf\""
    });
    let (value, _) = rest.split_once("\r\n")?;
    is_token.then(|| value.to_owned())
}

/// The media type of the body, without its parameters.
fn media(headers: &HeaderMap) -> &str {
    let told = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    told.split(';').next().unwrap_or("").trim()
}

fn is_small_form(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    media(headers).eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && text(CONTENT_LENGTH).parse().is_ok_and(|length: usize| length <= FORM_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_leads_to_our_own_pages_only() {
        for (next, to) in [
            (None, "./"),
            (Some("callbacks?state=waiting"), "./callbacks?state=waiting"),
            (Some("//evil.example"), "./evil.example"),
            (Some("https://evil.example"), "./https://evil.example"),
            (Some("/\\evil.example"), "./"),
            (Some("\\\\evil.example"), "./"),
            (Some("../../evil"), "./"),
            (Some("a/../../evil"), "./"),
            (Some("%2e%2E/x"), "./"),
            (Some("a/.%2e/x"), "./"),
            (Some("a..b/...?c"), "./a..b/...?c"),
            (Some("a\r\nSet-Cookie: x=y"), "./"),
            (Some("javascript:alert(1)"), "./javascript:alert(1)"),
        ] {
            assert_eq!(led_to(next), to, "{next:?}");
        }
        assert_eq!(led_to(Some(&"a".repeat(NEXT_MAX + 1))), "./");
    }

    fn upload(first: &str, chunks: Vec<&'static [u8]>) -> Request {
        let first = format!("--b\r\nContent-Disposition: form-data; {first}\r\n\r\ntoken\r\n--b\r\n");
        let chunks = std::iter::once(Bytes::from(first)).chain(chunks.into_iter().map(Bytes::from_static));
        let body = Body::from_stream(stream::iter(chunks.map(Ok::<_, std::io::Error>)));
        Request::post("/console/x")
            .header(CONTENT_TYPE, "multipart/form-data; boundary=b")
            .body(body)
            .unwrap()
    }

    #[tokio::test]
    async fn the_token_of_a_form_with_a_file_is_its_first_part_and_the_body_stays_whole() {
        let file: &[u8] = &[0xff; 9000];
        let (request, field) = with_field(upload("name=\"csrf\"", vec![file, b"end"])).await.unwrap();
        assert_eq!(field.as_deref(), Some("token"));
        let whole = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
        assert!(whole.starts_with(b"--b\r\n") && whole.ends_with(b"end"), "{}", whole.len());
        assert_eq!(whole.iter().filter(|byte| **byte == 0xff).count(), 9000);
        for first in ["name=\"file\"", "name=\"csrf\"; filename=\"x\"", "name=\"other\"; x=\"name=\"csrf\"\""]
        {
            let (_, field) = with_field(upload(first, vec![file])).await.unwrap();
            assert_eq!(field, None, "{first}");
        }
        assert_eq!(
            first_part(b"--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\ntok"),
            None,
            "it goes on"
        );
    }
}
