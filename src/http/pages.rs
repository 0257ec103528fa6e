//! Routes without a token: health checks, and the description of the API with its pages.
//!
//! The pages are in the binary and load nothing from other hosts. Their links are relative, so that they work
//! if the public URL has a path.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{self, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa_swagger_ui::Config;

use super::{ApiError, App, api, error};
use crate::store;

/// The pages may load only their own files. Swagger UI sets inline styles and has icons in `data:` URLs; it has no
/// inline scripts. The pages cannot be framed.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

pub(super) const HEALTH: &str = "/healthz";

pub(super) fn router() -> Router {
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/docs", get(to_docs))
        .route("/docs/", get(docs_index))
        .route("/docs/{*file}", get(docs))
}

pub(super) fn health(app: Arc<App>) -> Router {
    Router::new().route(HEALTH, get(healthz)).with_state(app)
}

/// Healthy if the store can be read and no other daemon has opened it since. While dialling is stopped the hooks and the API work, so it says so and stays
/// healthy.
async fn healthz(State(app): State<Arc<App>>) -> Result<&'static str, ApiError> {
    let held = app.loads().await?.held;
    if held.deposed_since.is_some() {
        return Err(store::Error::Deposed.into());
    }
    if held.lineage_since.is_some() {
        return Ok(
            "ok, but dialling is stopped because the store is not the one that was last written; see ringmaster lineage show\n",
        );
    }
    Ok(match (held.stopped_since, held.clock_in_doubt) {
        (Some(_), _) => "ok, but dialling is stopped after too many failures; a restart resumes\n",
        (None, Some(_)) => "ok, but dialling is stopped because the machine's clock jumped\n",
        (None, None) => "ok\n",
    })
}

async fn openapi() -> Response {
    static JSON: LazyLock<Bytes> = LazyLock::new(|| {
        Bytes::from(api::openapi().to_pretty_json().expect("the description is plain data"))
    });
    ([(CONTENT_TYPE, "application/json")], JSON.clone()).into_response()
}

async fn to_docs() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, "docs/")]).into_response()
}

async fn docs_index() -> Response {
    page("index.html")
}

async fn docs(file: Result<Path<String>, PathRejection>) -> Response {
    file.map_or_else(|_| error::nothing_here().into_response(), |Path(file)| page(&file))
}

fn page(file: &str) -> Response {
    static CONFIG: LazyLock<Arc<Config<'static>>> =
        LazyLock::new(|| Arc::new(Config::from("../openapi.json")));
    match utoipa_swagger_ui::serve(file, Arc::clone(&CONFIG)) {
        Ok(Some(file)) => {
            // Nearly all files are static data of the binary and are not copied for each answer.
            let bytes = match file.bytes {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => Bytes::from(bytes),
            };
            let mut response = ([(CONTENT_TYPE, file.content_type)], bytes).into_response();
            let headers = response.headers_mut();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            headers
                .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
            if file.gzpipped {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            response
        }
        Ok(None) => error::nothing_here().into_response(),
        Err(error) => ApiError::internal(error.to_string()).into_response(),
    }
}
