//! `/v1/people`: the people who sign in.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{bytes, json};
use super::query::Given;
use super::small_body;
use crate::domain::{Bounds, Role, Tenant, is_name_of_person};
use crate::http::audit::random;
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::path::Id;
use crate::http::sign_in::address;
use crate::http::{ApiError, App};
use crate::store::{AuditEntry, Member, MemberChange, MemberChanged, PasswordHash};

/// A person who signs in.
#[derive(Serialize, ToSchema)]
#[schema(as = StaffMember)]
pub(super) struct View {
    name: String,
    /// `viewer`, `agent`, `supervisor`, `operator` or `admin`.
    role: &'static str,
    scopes: Vec<&'static str>,
    tenant: String,
    /// What the person sees of the tenant: `campaign:NAME`, `sender:+DIGITS`, `pool:NAME`. Empty is everything.
    bounds: Vec<String>,
    has_password: bool,
    /// The provider of `OpenID` Connect that knows the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl View {
    fn of(member: &Member) -> Self {
        Self {
            name: member.name.clone(),
            role: member.role.as_str(),
            scopes: member.role.scopes().iter().map(crate::domain::Scope::as_str).collect(),
            tenant: member.tenant.to_string(),
            bounds: member.bounds.lines().collect(),
            has_password: member.password.is_some(),
            issuer: member.subject.as_ref().map(|subject| subject.issuer.clone()),
            created_at: member.created_at,
        }
    }
}

/// The people who sign in, by name.
#[derive(Serialize, ToSchema)]
#[schema(as = StaffMembers)]
pub(super) struct PageView {
    people: Vec<View>,
}

/// A new person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStaffMember)]
pub(super) struct Draft {
    /// 1 to 64 of `a-z`, `0-9`, `.`, `-`, `_`, `+` and `@`.
    name: String,
    #[serde(flatten)]
    rights: Rights,
}

/// What changes of a person. What is absent stays.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
#[schema(as = StaffMemberChange)]
pub(super) struct Rights {
    #[serde(default)]
    role: Option<String>,
    /// The caller's tenant, if it is absent.
    #[serde(default)]
    tenant: Option<String>,
    /// At most 100; an empty list is everything.
    #[serde(default)]
    bounds: Option<Vec<String>>,
    /// 15 characters or more, 256 bytes or fewer.
    #[serde(default)]
    password: Option<String>,
}

/// The rights as they were read.
#[derive(Default)]
struct Read {
    role: Option<Role>,
    tenant: Option<Tenant>,
    bounds: Option<Bounds>,
}

impl Rights {
    fn read(&self, caller: &Caller, faults: &mut Vec<FieldError>) -> Read {
        let mut fault = |field: &str, detail: String| {
            faults.push(FieldError { field: field.into(), code: "field.value", detail });
        };
        let mut read = Read::default();
        if let Some(text) = &self.role {
            read.role = text.parse().ok();
            if read.role.is_none() {
                fault("role", "expected viewer, agent, supervisor, operator or admin".into());
            }
        }
        if let Some(text) = &self.tenant {
            match text.parse::<Tenant>() {
                Ok(tenant) if manages(caller, &tenant) => read.tenant = Some(tenant),
                Ok(_) => fault("tenant", "is not the caller's tenant".into()),
                Err(error) => fault("tenant", error.to_string()),
            }
        }
        if let Some(lines) = &self.bounds {
            let mut bounds = Bounds::default();
            for (at, line) in lines.iter().enumerate().take(Bounds::MAX + 1) {
                if let Err(error) = bounds.add(line) {
                    fault(&format!("bounds[{at}]"), error.to_string());
                }
            }
            if lines.len() > Bounds::MAX {
                fault("bounds", format!("has more than {} bounds", Bounds::MAX));
            }
            read.bounds = Some(bounds);
        }
        read
    }
}

/// Whether the caller manages the people of a tenant: of the own one, or of all in the default tenant.
fn manages(caller: &Caller, tenant: &Tenant) -> bool {
    *caller.tenant() == Tenant::default() || caller.tenant() == tenant
}

async fn known(app: &App, caller: &Caller, name: &str) -> Result<Member, ApiError> {
    let member = if is_name_of_person(name) { app.store.member(name).await? } else { None };
    member.filter(|member| manages(caller, &member.tenant)).ok_or_else(not_found)
}

fn not_found() -> ApiError {
    ApiError::new("person.not_found", "nobody who signs in has this name")
}

/// Where a request came from, before its body is read.
fn from(app: &App, caller: &Caller, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
    caller.person().and_then(|person| person.from).or_else(|| address(app, extensions, headers))
}

fn entry(app: &App, caller: &Caller, what: &str, name: &str, from: Option<IpAddr>) -> AuditEntry {
    AuditEntry {
        tenant: caller.tenant().clone(),
        object: Some(name.to_owned()),
        from,
        ..AuditEntry::new(app.clock.now(), caller.name(), caller.way(), what)
    }
}

async fn password(app: &App, given: Option<String>) -> Result<Option<PasswordHash>, ApiError> {
    let Some(given) = given else { return Ok(None) };
    Ok(Some(app.sign_in.hash(given, random()?).await?))
}

/// The people who sign in.
///
/// A caller of the default tenant sees the people of all tenants.
#[utoipa::path(get, path = "/v1/people", operation_id = "list_people", tag = "people", responses(
    (status = 200, body = PageView),
    (status = "default", body = Written<'static>, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    given: Given,
) -> Result<Response, ApiError> {
    given.read(|_, _| Ok(false))?;
    let members = app.store.members().await?;
    let people = members.iter().filter(|member| manages(&caller, &member.tenant)).map(View::of).collect();
    Ok(json(StatusCode::OK, &PageView { people }))
}

/// One person who signs in.
#[utoipa::path(get, path = "/v1/people/{name}", operation_id = "show_person", tag = "people",
    params(("name" = String, Path, description = "The name of the person")),
    responses(
        (status = 200, body = View),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(name): Id,
) -> Result<Response, ApiError> {
    Ok(json(StatusCode::OK, &View::of(&known(&app, &caller, &name).await?)))
}

/// Adds a person who signs in.
#[utoipa::path(post, path = "/v1/people", operation_id = "add_person", tag = "people",
    request_body(content = Draft),
    responses(
        (status = 201, body = View),
        (status = 409, description = "Somebody has this name.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn add(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let from = from(&app, &caller, request.extensions(), request.headers());
    let Draft { name, rights } = small_body::read(&bytes(request, &()).await?)?;
    let mut faults = Vec::new();
    if !is_name_of_person(&name) {
        let detail = "expected 1 to 64 of a-z, 0-9, \".\", \"-\", \"_\", \"+\" and \"@\"".to_owned();
        faults.push(FieldError { field: "name".into(), code: "field.value", detail });
    }
    let read = rights.read(&caller, &mut faults);
    if rights.role.is_none() {
        let detail = "is missing".to_owned();
        faults.push(FieldError { field: "role".into(), code: "field.missing", detail });
    }
    let (Some(role), true) = (read.role, faults.is_empty()) else {
        return Err(ApiError::fields("person.invalid", faults));
    };
    let password = password(&app, rights.password).await?;
    let member = Member {
        tenant: read.tenant.unwrap_or_else(|| caller.tenant().clone()),
        bounds: read.bounds.unwrap_or_default(),
        password,
        ..Member::new(name.clone(), role, app.clock.now())
    };
    let after = Some(member.told(member.password.is_some()));
    let entry = AuditEntry { after, ..entry(&app, &caller, "person.add", &name, from) };
    if !app.store.add_member(member.clone(), entry).await? {
        return Err(ApiError::new("person.exists", "somebody has this name"));
    }
    Ok(json(StatusCode::CREATED, &View::of(&member)))
}

/// Changes a person. All sessions of the person end.
#[utoipa::path(post, path = "/v1/people/{name}/change", operation_id = "change_person", tag = "people",
    params(("name" = String, Path, description = "The name of the person")),
    request_body(content = Rights),
    responses(
        (status = 200, body = View),
        (status = 409, description = "It is the last admin.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(name): Id,
    request: Request,
) -> Result<Response, ApiError> {
    let from = from(&app, &caller, request.extensions(), request.headers());
    let rights: Rights = small_body::read(&bytes(request, &()).await?)?;
    let member = known(&app, &caller, &name).await?;
    let mut faults = Vec::new();
    let Read { role, tenant, bounds } = rights.read(&caller, &mut faults);
    if !faults.is_empty() {
        return Err(ApiError::fields("person.invalid", faults));
    }
    let password = password(&app, rights.password).await?;
    let before = Some(member.told(false));
    let change = MemberChange { role, tenant, bounds, password };
    let member = change.clone().of(member);
    let after = Some(member.told(change.password.is_some()));
    let entry = AuditEntry { before, after, ..entry(&app, &caller, "person.change", &name, from) };
    done(app.store.change_member(&name, change, entry).await?)?;
    Ok(json(StatusCode::OK, &View::of(&member)))
}

/// Removes a person, who is out at once.
#[utoipa::path(delete, path = "/v1/people/{name}", operation_id = "remove_person", tag = "people",
    params(("name" = String, Path, description = "The name of the person")),
    responses(
        (status = 204, description = "The person is removed."),
        (status = 409, description = "It is the last admin.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(name): Id,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let from = from(&app, &caller, request.extensions(), request.headers());
    let member = known(&app, &caller, &name).await?;
    let before = Some(member.told(false));
    let entry = AuditEntry { before, ..entry(&app, &caller, "person.remove", &name, from) };
    done(app.store.remove_member(&name, entry).await?)?;
    Ok(StatusCode::NO_CONTENT)
}

fn done(changed: MemberChanged) -> Result<(), ApiError> {
    match changed {
        MemberChanged::Changed => Ok(()),
        MemberChanged::Unknown => Err(not_found()),
        MemberChanged::LastAdmin => {
            let detail = "it would leave nobody with the role admin in the default tenant; add another first";
            Err(ApiError::new("person.last_admin", detail))
        }
    }
}
