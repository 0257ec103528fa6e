//! The scopes of each route of the API. Authorization and the OpenAPI description both use this table.

use axum::http::Method;

use crate::domain::Scope;

/// Method, path, and scopes; a token needs one of the scopes. A test checks that every route is listed here.
pub const ROUTES: &[(&str, &str, &[Scope])] = &[
    ("POST", "/v1/callbacks", &[Scope::Order]),
    ("GET", "/v1/callbacks", &[Scope::Read]),
    ("POST", "/v1/callbacks/bulk", &[Scope::Order]),
    ("POST", "/v1/callbacks/search", &[Scope::Read]),
    ("GET", "/v1/callbacks/{id}", &[Scope::Read]),
    ("POST", "/v1/callbacks/{id}/cancel", &[Scope::Order]),
    ("POST", "/v1/callbacks/{id}/reschedule", &[Scope::Order]),
    ("GET", "/v1/callbacks/{id}/explain", &[Scope::Read]),
    ("GET", "/v1/callbacks/{id}/timeline", &[Scope::Read]),
    ("POST", "/v1/callbacks/{id}/allow-attempt", &[Scope::Supervise]),
    ("POST", "/v1/callbacks/{id}/wrap-up", &[Scope::Work, Scope::Order, Scope::Supervise]),
    ("POST", "/v1/callbacks/{id}/replay", &[Scope::Operate]),
    ("GET", "/v1/callbacks/{id}/link", &[Scope::Read]),
    ("POST", "/v1/callbacks/{id}/link", &[Scope::Read]),
    ("GET", "/v1/dispositions", &[Scope::Work, Scope::Order, Scope::Read, Scope::Supervise]),
    ("GET", "/v1/offers", &[Scope::Work, Scope::Read, Scope::Supervise]),
    ("POST", "/v1/offers/{id}/accept", &[Scope::Work, Scope::Supervise]),
    ("POST", "/v1/offers/{id}/skip", &[Scope::Work, Scope::Supervise]),
    ("POST", "/v1/offers/{id}/close", &[Scope::Work, Scope::Supervise]),
    ("POST", "/v1/imports", &[Scope::Order]),
    ("GET", "/v1/imports", &[Scope::Order, Scope::Read]),
    ("POST", "/v1/imports/check", &[Scope::Order]),
    ("GET", "/v1/imports/{name}", &[Scope::Order, Scope::Read]),
    ("DELETE", "/v1/imports/{name}", &[Scope::Order]),
    ("PUT", "/v1/imports/{name}/parts", &[Scope::Order]),
    ("POST", "/v1/imports/{name}/complete", &[Scope::Order]),
    ("GET", "/v1/imports/{name}/refused", &[Scope::Order, Scope::Read]),
    ("POST", "/v1/imports/{name}/rows", &[Scope::Order]),
    ("POST", "/v1/invites", &[Scope::Order]),
    ("GET", "/v1/invites", &[Scope::Read]),
    ("POST", "/v1/invites/bulk", &[Scope::Order]),
    ("POST", "/v1/invites/search", &[Scope::Read]),
    ("GET", "/v1/invites/{id}", &[Scope::Read]),
    ("POST", "/v1/invites/{id}/cancel", &[Scope::Order]),
    ("POST", "/v1/invites/{id}/reschedule", &[Scope::Order]),
    ("GET", "/v1/invites/{id}/explain", &[Scope::Read]),
    ("GET", "/v1/invites/{id}/timeline", &[Scope::Read]),
    ("GET", "/v1/invites/{id}/link", &[Scope::Read]),
    ("POST", "/v1/invites/{id}/link", &[Scope::Read]),
    ("POST", "/v1/invites/{id}/replay", &[Scope::Operate]),
    ("POST", "/v1/campaigns", &[Scope::Order]),
    ("GET", "/v1/campaigns", &[Scope::Read]),
    ("GET", "/v1/campaigns/{id}", &[Scope::Read]),
    ("POST", "/v1/campaigns/{id}/forecast", &[Scope::Read]),
    ("POST", "/v1/campaigns/{id}/change", &[Scope::Order, Scope::Supervise]),
    ("POST", "/v1/campaigns/{id}/ready", &[Scope::Order, Scope::Supervise]),
    ("POST", "/v1/campaigns/{id}/launch", &[Scope::Order, Scope::Supervise]),
    ("POST", "/v1/campaigns/{id}/pause", &[Scope::Order, Scope::Supervise]),
    ("POST", "/v1/campaigns/{id}/resume", &[Scope::Order, Scope::Supervise]),
    ("POST", "/v1/campaigns/{id}/drain", &[Scope::Order, Scope::Supervise]),
    ("POST", "/v1/campaigns/{id}/cancel", &[Scope::Order, Scope::Supervise]),
    ("POST", "/v1/campaigns/{id}/follow-up", &[Scope::Order]),
    ("POST", "/v1/clock/confirm", &[Scope::Operate]),
    ("GET", "/v1/commands/{id}", &[Scope::Order, Scope::Read, Scope::Work, Scope::Supervise, Scope::Operate]),
    ("GET", "/v1/attempts", &[Scope::Read]),
    ("POST", "/v1/attempts/{id}/resolve", &[Scope::Supervise]),
    ("POST", "/v1/attempts/{id}/end", &[Scope::Supervise]),
    ("POST", "/v1/attempts/{id}/ask-again", &[Scope::Supervise]),
    ("GET", "/v1/events", &[Scope::Read]),
    ("GET", "/v1/inbox/unmatched", &[Scope::Operate, Scope::Supervise]),
    ("GET", "/v1/messages", &[Scope::Read]),
    ("POST", "/v1/messages/{id}/resolve", &[Scope::Supervise]),
    ("GET", "/v1/set-aside", &[Scope::Supervise, Scope::Operate]),
    ("POST", "/v1/set-aside/{id}/retry", &[Scope::Operate]),
    ("POST", "/v1/set-aside/{id}/drop", &[Scope::Operate]),
    ("POST", "/v1/pauses", &[Scope::Operate]),
    ("GET", "/v1/pauses", &[Scope::Operate, Scope::Supervise, Scope::Read]),
    ("DELETE", "/v1/pauses/{id}", &[Scope::Operate]),
    ("GET", "/v1/pools", &[Scope::Operate, Scope::Supervise, Scope::Read]),
    ("PUT", "/v1/pools/{name}", &[Scope::Operate, Scope::Supervise]),
    ("GET", "/v1/pools/{name}", &[Scope::Operate, Scope::Supervise, Scope::Read]),
    ("DELETE", "/v1/pools/{name}", &[Scope::Operate, Scope::Supervise]),
    ("POST", "/v1/suppression", &[Scope::Work, Scope::Supervise, Scope::Operate]),
    ("POST", "/v1/suppression/check", &[Scope::Supervise, Scope::Operate]),
    ("POST", "/v1/suppression/remove", &[Scope::Supervise]),
    ("POST", "/v1/suppression/lists", &[Scope::Operate]),
    ("GET", "/v1/suppression/lists", &[Scope::Supervise, Scope::Operate]),
    ("POST", "/v1/suppression/lists/complete", &[Scope::Operate]),
    ("GET", "/v1/suppression/registers", &[Scope::Supervise, Scope::Operate]),
    ("GET", "/v1/suppression/registers/{name}/numbers", &[Scope::Reveal]),
    ("POST", "/v1/consumers/erase", &[Scope::Admin]),
    ("POST", "/v1/consumers/export", &[Scope::Supervise]),
    ("PUT", "/v1/consumers/zone", &[Scope::Work, Scope::Supervise]),
    ("GET", "/v1/erasures/{id}", &[Scope::Admin, Scope::Supervise]),
    ("GET", "/v1/permissions", &[Scope::Read]),
    ("GET", "/v1/permissions/callable", &[Scope::Reveal]),
    ("POST", "/v1/permissions/show", &[Scope::Read]),
    ("POST", "/v1/permissions/grant", &[Scope::Supervise]),
    ("POST", "/v1/permissions/revoke", &[Scope::Work]),
    ("GET", "/v1/calendars", &[Scope::Read, Scope::Order, Scope::Operate]),
    ("GET", "/v1/calendars/{name}", &[Scope::Read, Scope::Order, Scope::Operate]),
    ("POST", "/v1/calendars/{name}/days", &[Scope::Operate]),
    ("POST", "/v1/calendars/simulate", &[Scope::Read, Scope::Order, Scope::Operate]),
    ("GET", "/v1/limits", &[Scope::Read]),
    ("GET", "/v1/reports", &[Scope::Read]),
    ("GET", "/v1/reports/{name}", &[Scope::Read]),
    ("GET", "/v1/senders", &[Scope::Read]),
    ("GET", "/v1/status", &[Scope::Operate]),
    ("GET", "/v1/tokens", &[Scope::Admin]),
    ("GET", "/v1/webhooks", &[Scope::Operate]),
    ("POST", "/v1/webhooks/enable", &[Scope::Operate]),
];

/// The addresses that look over all tenants, or change something for all of them. Only a token of the default tenant,
/// the operator's own, may use them.
pub const OF_ALL_TENANTS: &[(&str, &str)] = &[
    ("POST", "/v1/calendars/{name}/days"),
    ("POST", "/v1/clock/confirm"),
    ("POST", "/v1/consumers/erase"),
    ("POST", "/v1/consumers/export"),
    ("PUT", "/v1/consumers/zone"),
    ("GET", "/v1/erasures/{id}"),
    ("GET", "/v1/inbox/unmatched"),
    ("GET", "/v1/permissions"),
    ("GET", "/v1/permissions/callable"),
    ("GET", "/v1/status"),
    ("POST", "/v1/suppression/check"),
    ("POST", "/v1/suppression/remove"),
    ("POST", "/v1/suppression/lists"),
    ("GET", "/v1/suppression/lists"),
    ("POST", "/v1/suppression/lists/complete"),
    ("GET", "/v1/suppression/registers"),
    ("GET", "/v1/suppression/registers/{name}/numbers"),
    ("GET", "/v1/tokens"),
    ("GET", "/v1/webhooks"),
    ("POST", "/v1/webhooks/enable"),
];

/// Whether a request looks over all tenants.
pub fn is_of_all_tenants(method: &Method, path: &str) -> bool {
    OF_ALL_TENANTS.iter().any(|(known, address)| known == &known_method(method).as_str() && *address == path)
}

/// The scopes of a request, which needs one of them. `None` if no handler supports the method; then it needs no scope.
pub fn scope_of(method: &Method, path: &str) -> Option<&'static [Scope]> {
    let method = known_method(method);
    let row = ROUTES.iter().find(|(known, address, _)| *known == method.as_str() && *address == path);
    row.map(|(_, _, scopes)| *scopes)
}

/// HEAD is answered by the handler of GET.
fn known_method(method: &Method) -> Method {
    if *method == Method::HEAD { Method::GET } else { method.clone() }
}
