//! Requests to the API, as the customer of a scenario.

use anyhow::{Result, ensure};
use axum::body::Body;
use http::Request;
use http::request::Builder;
use serde_json::Value;

use super::runner::Runner;

const TYPE: &str = "content-type";
const JSON: &str = "application/json";

impl Runner {
    pub(super) async fn delete(&mut self, path: &str) -> Result<(u16, Value)> {
        let request = Request::delete(path).header("authorization", format!("Bearer {}", self.token));
        let (status, body) = self.simulation_mut()?.request(request.body(Body::empty())?).await?;
        Ok((status, serde_json::from_str(&body).unwrap_or(Value::Null)))
    }

    pub(super) async fn post(&mut self, path: &str, body: &Value) -> Result<(u16, Value)> {
        self.tell(Request::post(path).header(TYPE, JSON), Body::from(body.to_string())).await
    }

    pub(super) async fn put(&mut self, path: &str, body: &Value) -> Result<(u16, Value)> {
        self.tell(Request::put(path).header(TYPE, JSON), Body::from(body.to_string())).await
    }

    pub(super) async fn tell(&mut self, request: Builder, body: Body) -> Result<(u16, Value)> {
        let request = request.header("authorization", format!("Bearer {}", self.token)).body(body)?;
        let (status, body) = self.simulation_mut()?.request(request).await?;
        Ok((status, serde_json::from_str(&body).unwrap_or(Value::Null)))
    }

    pub(super) async fn get(&mut self, path: &str) -> Result<Value> {
        let request = Request::get(path)
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::empty())?;
        let (status, body) = self.simulation_mut()?.request(request).await?;
        ensure!(status == 200, "answered {status}: {body}");
        Ok(serde_json::from_str(&body)?)
    }
}
