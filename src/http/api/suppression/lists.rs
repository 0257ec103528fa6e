//! `/v1/suppression/lists`: the lists, and the versions of imported ones.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::add::no_list;
use super::{list as list_name, shown, version};
use crate::domain::{Country, Event, ListName, Purpose};
use crate::http::api::body::{JsonBytes, json};
use crate::http::api::commands::{Command, answer_with};
use crate::http::api::permissions::{fault, for_the_record, read};
use crate::http::api::query::Given;
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::{ApiError, App};
use crate::store::{NewList, SuppressionList};
use crate::text::time::moment;

/// A version of an imported list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuppressionListOrder)]
pub(in crate::http::api) struct Draft {
    /// `imported:` and a name.
    #[schema(required = true, example = "imported:register")]
    list: Option<String>,
    /// 1 to 100 visible ASCII characters, such as the date of the export.
    #[schema(required = true, example = "2026-11")]
    version: Option<String>,
    /// The purposes of the orders that it binds; all without it.
    #[serde(default)]
    purposes: Vec<String>,
    /// The countries of the numbers that it binds, such as `BR`; all without it.
    #[serde(default)]
    countries: Vec<String>,
    /// When its term ends. Its entries hold after that, but `past_its_term` shows it.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<String>,
    /// Where it comes from; at most 200 bytes.
    source: Option<String>,
}

/// A version to be completed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuppressionListVersion)]
pub(in crate::http::api) struct Whole {
    #[schema(required = true)]
    list: Option<String>,
    #[schema(required = true)]
    version: Option<String>,
}

/// A suppression list, or a version of an imported one.
#[derive(Serialize, ToSchema)]
#[schema(as = SuppressionList)]
struct View {
    list: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    /// The purposes of the orders that it binds; empty for all.
    purposes: Vec<&'static str>,
    /// The countries of the numbers that it binds; empty for all.
    countries: Vec<String>,
    entries: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
    /// Its term has ended, so a newer version is due. Its entries still hold.
    past_its_term: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// The name of the API token.
    by: String,
    /// When it was said to be whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    complete_at: Option<Timestamp>,
}

impl View {
    fn of(now: Timestamp, list: &SuppressionList) -> Self {
        Self {
            list: list.name.to_string(),
            version: list.version.clone(),
            purposes: shown(&list.purposes),
            countries: list.countries.iter().map(Country::to_string).collect(),
            entries: list.entries,
            valid_until: list.valid_until,
            past_its_term: list.valid_until.is_some_and(|at| at <= now),
            source: list.source.clone(),
            made_at: list.made_at,
            by: list.made_by.clone(),
            complete_at: list.complete_at,
        }
    }
}

/// All suppression lists.
#[derive(Serialize, ToSchema)]
#[schema(as = SuppressionLists)]
struct PageView {
    lists: Vec<View>,
}

/// The version that is complete.
#[derive(Serialize, ToSchema)]
#[schema(as = SuppressionListComplete)]
struct Taken {
    list: String,
    version: String,
}

/// The suppression lists with their entries, by name. Versions that a newer one replaced are not shown.
#[utoipa::path(get, path = "/v1/suppression/lists", operation_id = "list_suppression_lists", tag = "suppression",
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
    Ok(json(StatusCode::OK, &PageView { lists: lists.iter().map(|list| View::of(now, list)).collect() }))
}

/// Makes a version of an imported list. Its entries are added with `POST /v1/suppression` and hold at once, beside those of
/// the version before, until it is complete. The same version may be made again.
#[utoipa::path(post, path = "/v1/suppression/lists", operation_id = "make_suppression_list", tag = "suppression",
    request_body(content = Draft),
    responses(
        (status = 200, description = "It is there.", body = View),
        (status = 409, description = "The version exists with other data, or a newer one replaced it.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn make(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Draft = read(&bytes)?;
    let new = check(&app, &caller, &draft)?;
    let made = app.store.make_list(new.clone()).await?;
    let is_same = (&made.purposes, &made.countries, made.valid_until, &made.source)
        == (&new.purposes, &new.countries, new.valid_until, &new.source);
    if !is_same || made.retired_at.is_some() {
        let detail = "the version exists with other data, or a newer one replaced it: choose another version";
        return Err(ApiError::new("suppression.other_list", detail));
    }
    Ok(json(StatusCode::OK, &View::of(new.at, &made)))
}

/// Says that a version of an imported list is whole. It replaces all older versions of the list.
#[utoipa::path(post, path = "/v1/suppression/lists/complete", operation_id = "complete_suppression_list",
    tag = "suppression",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body(content = Whole),
    responses(
        (status = 200, description = "It replaces the older versions.", body = Taken),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = Taken),
        (status = 404, description = "There is no such version.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn complete(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Whole = read(&bytes)?;
    let mut faults = Vec::new();
    let name = imported(&app, draft.list.as_deref(), &mut faults);
    let version = version(name.as_ref(), draft.version.as_deref(), &mut faults);
    let Some(name) = name.filter(|_| faults.is_empty()) else {
        return Err(ApiError::fields("suppression.invalid", faults));
    };
    let lists = app.store.suppression_lists().await?;
    let known = lists.into_iter().find(|list| list.name == name && list.version == version);
    let list_id = known.ok_or_else(no_list)?.id;
    // The same version is complete once.
    let command = Command::new(&app, &caller, &headers, &format!("suppression list {list_id}"), 0)?;
    let event = Event::SuppressionComplete { list_id, by: caller.name().to_owned() };
    let carried = command.carry_out(event, None).await?;
    Ok(answer_with(&Taken { list: name.to_string(), version }, &carried))
}

fn imported(app: &App, given: Option<&str>, faults: &mut Vec<FieldError>) -> Option<ListName> {
    if given.is_none() {
        faults.push(fault("list", "field.missing", "is missing: \"imported:\" and a name"));
        return None;
    }
    let name = list_name(app, given, faults)?;
    if !name.has_versions() {
        faults.push(fault("list", "field.value", "has no versions: expected \"imported:\" and a name"));
    }
    Some(name)
}

/// The most countries of a list.
const COUNTRIES_MAX: usize = 250;

fn countries(given: &[String], faults: &mut Vec<FieldError>) -> Vec<Country> {
    let mut countries = Vec::new();
    for (index, text) in given.iter().enumerate().take(COUNTRIES_MAX) {
        match Country::parse(text).filter(|country| country.is_known()) {
            Some(country) if !countries.contains(&country) => countries.push(country),
            Some(_) => faults.push(fault(&format!("countries[{index}]"), "field.value", "is repeated")),
            None => {
                let detail = "is no country: expected two capital letters of ISO 3166, such as BR";
                faults.push(fault(&format!("countries[{index}]"), "field.value", detail));
            }
        }
    }
    countries.sort_unstable();
    countries
}

fn check(app: &App, caller: &Caller, draft: &Draft) -> Result<NewList, ApiError> {
    let mut faults = Vec::new();
    let name = imported(app, draft.list.as_deref(), &mut faults);
    let version = version(name.as_ref(), draft.version.as_deref(), &mut faults);
    let mut purposes: Vec<Purpose> = Vec::new();
    for (index, text) in draft.purposes.iter().enumerate().take(Purpose::ALL.len() + 1) {
        match text.parse() {
            Ok(purpose) if !purposes.contains(&purpose) => purposes.push(purpose),
            Ok(_) => faults.push(fault(&format!("purposes[{index}]"), "field.value", "is repeated")),
            Err(_) => {
                let all: Vec<&str> = shown(&Purpose::ALL);
                let detail = format!("is no purpose: expected one of {}", all.join(", "));
                faults.push(fault(&format!("purposes[{index}]"), "field.value", &detail));
            }
        }
    }
    purposes.sort_unstable();
    let countries = countries(&draft.countries, &mut faults);
    let valid_until = draft.valid_until.as_deref().and_then(|text| match moment(text) {
        Ok(at) => Some(Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)),
        Err(error) => {
            faults.push(fault("valid_until", "time.invalid", &error.to_string()));
            None
        }
    });
    let source = for_the_record("source", draft.source.as_deref()).unwrap_or_else(|fault| {
        faults.push(fault);
        None
    });
    match name {
        Some(name) if faults.is_empty() => Ok(NewList {
            name,
            version,
            purposes,
            countries,
            valid_until,
            source,
            at: app.clock.now(),
            by: caller.name().to_owned(),
        }),
        _ => Err(ApiError::fields("suppression.invalid", faults)),
    }
}
