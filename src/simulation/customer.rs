//! The simulated customer: its API token, and requests with that token.

use axum::body::Body;
use http::Request;

use super::Simulation;
use crate::http::auth::new_token;
use crate::store::Token;

const SECRET: [u8; 32] = [7; 32];

pub(super) struct Customer;

impl Customer {
    /// Creates the customer's token in the daemon's store.
    pub(super) async fn admit(daemon: &Simulation) -> anyhow::Result<()> {
        let (_, hash) = new_token(SECRET);
        let token = Token::new("customer", hash, daemon.now());
        Ok(daemon.store.create_token(token).await?)
    }

    pub(super) fn get(path: &str) -> anyhow::Result<Request<Body>> {
        Ok(Request::get(path).header("authorization", bearer()).body(Body::empty())?)
    }

    pub(super) fn delete(path: &str) -> anyhow::Result<Request<Body>> {
        Ok(Request::delete(path).header("authorization", bearer()).body(Body::empty())?)
    }

    /// Like [`Customer::post`], with a key under which it may be repeated.
    pub(super) fn post_once(path: &str, body: String, key: &str) -> anyhow::Result<Request<Body>> {
        let mut request = Self::post(path, "application/json", body)?;
        request.headers_mut().insert("idempotency-key", key.parse()?);
        Ok(request)
    }

    pub(super) fn put(path: &str, body: String) -> anyhow::Result<Request<Body>> {
        let request = Request::put(path).header("authorization", bearer());
        Ok(request.header("content-type", "application/json").body(Body::from(body))?)
    }

    pub(super) fn post(path: &str, media: &str, body: String) -> anyhow::Result<Request<Body>> {
        let request = Request::post(path).header("authorization", bearer()).header("content-type", media);
        Ok(request.body(Body::from(body))?)
    }
}

fn bearer() -> String {
    format!("Bearer {}", new_token(SECRET).0)
}
