//! `/v1/suppression/registers`: the registers that answer a submitted list, and the numbers to submit.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::shown;
use crate::domain::{Country, Phone, Register};
use crate::http::api::body::json;
use crate::http::api::query::{Given, fault, limit};
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// So many waiting callbacks are looked at for one page.
const LIMIT_DEFAULT: usize = 5_000;
const LIMIT_MAX: usize = 10_000;

/// A register, as it is configured.
#[derive(Serialize, ToSchema)]
#[schema(as = Register)]
struct View {
    /// Its name in the configuration. The list that has its answers is `imported:` and the name.
    name: String,
    /// How long an answer counts.
    age_hours: i64,
    /// The countries of the numbers that it binds; empty for all.
    countries: Vec<String>,
    /// The purposes that it binds; empty for all.
    purposes: Vec<&'static str>,
    /// Whether nobody is called who was not checked.
    required: bool,
    /// The version that was completed last: when the register answered, and the receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
    /// When its answer is too old.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
    /// It is too old.
    stale: bool,
}

/// All registers.
#[derive(Serialize, ToSchema)]
#[schema(as = Registers)]
struct PageView {
    registers: Vec<View>,
}

/// Numbers to submit.
#[derive(Serialize, ToSchema)]
#[schema(as = RegisterNumbers)]
struct NumbersView {
    /// In E.164, each once on a page.
    numbers: Vec<String>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The list without `imported:`.
fn name_of(register: &Register) -> String {
    let list = register.list.to_string();
    list.strip_prefix("imported:").map_or_else(|| list.clone(), str::to_owned)
}

/// The registers of the configuration, and how old their answers are.
#[utoipa::path(get, path = "/v1/suppression/registers", operation_id = "list_registers", tag = "suppression",
    responses(
        (status = 200, body = PageView),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn list(
    State(app): State<Arc<App>>,
    given: Given,
) -> Result<Response, ApiError> {
    given.read(|_, _| Ok(false))?;
    let (now, lists) = (app.clock.now(), app.store.suppression_lists().await?);
    let view = |register: &Register| {
        let versions = lists.iter().filter(|list| list.name == register.list && list.complete_at.is_some());
        let last = versions.max_by_key(|list| list.complete_at);
        let valid_until = last.and_then(|list| list.valid_until);
        View {
            name: name_of(register),
            age_hours: register.age.as_hours(),
            countries: register.countries.iter().map(Country::to_string).collect(),
            purposes: shown(&register.purposes),
            required: register.required,
            version: last.map(|list| list.version.clone()),
            receipt: last.and_then(|list| list.source.clone()),
            valid_until,
            stale: valid_until.is_none_or(|until| until <= now),
        }
    };
    let registers = app.rules.registers.iter().map(view).collect();
    Ok(json(StatusCode::OK, &PageView { registers }))
}

/// The numbers of open orders that a register binds, a page at a time.
#[utoipa::path(get, path = "/v1/suppression/registers/{name}/numbers", operation_id = "list_register_numbers",
    tag = "suppression",
    params(
        ("name" = String, Path, description = "The name of the register in the configuration"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the previous page"),
        ("limit" = Option<usize>, Query, description = "How many orders are looked at, 1 to 10,000"),
    ),
    responses(
        (status = 200, body = NumbersView),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn numbers(
    State(app): State<Arc<App>>,
    Id(name): Id,
    given: Given,
) -> Result<Response, ApiError> {
    let (mut after, mut most) = (0, LIMIT_DEFAULT);
    given.read(|name, value| {
        match name {
            "cursor" => {
                let detail = "is not a cursor: expected the next_cursor of the previous page";
                after = value.parse::<i64>().ok().filter(|at| *at >= 0).ok_or_else(|| fault(name, detail))?;
            }
            "limit" => most = limit("limit", &value, LIMIT_MAX)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let register = app.rules.registers.iter().find(|register| name_of(register) == name);
    let Some(register) = register else {
        return Err(ApiError::new("register.not_found", "the configuration has no register of this name"));
    };
    let (waiting, next) = app.store.waiting_orders(after, most).await?;
    let bound = waiting.iter().map(|callback| &callback.order);
    let bound = bound.filter(|order| register.binds(order.purpose, order.consumer));
    let numbers: BTreeSet<Phone> = bound.map(|order| order.consumer).collect();
    let numbers = numbers.into_iter().map(Phone::e164).collect();
    Ok(json(StatusCode::OK, &NumbersView { numbers, next_cursor: next.map(|next| next.to_string()) }))
}
