//! The scopes of each route of the API. Authorization and the OpenAPI description both use this table.

use axum::http::Method;

use crate::domain::Scope;

/// Method, path, and scopes; a token needs one of the scopes. A test checks that every route is listed here.
pub const ROUTES: &[(&str, &str, &[Scope])] = &[
    ("POST", "/v1/callbacks", &[Scope::Order, Scope::Own]),
    ("GET", "/v1/callbacks", &[Scope::Read, Scope::Own]),
    ("POST", "/v1/callbacks/bulk", &[Scope::Order]),
    ("POST", "/v1/callbacks/search", &[Scope::Read]),
    ("GET", "/v1/callbacks/{id}", &[Scope::Read, Scope::Own]),
    ("POST", "/v1/callbacks/{id}/cancel", &[Scope::Order, Scope::Own]),
    ("POST", "/v1/callbacks/{id}/reschedule", &[Scope::Order, Scope::Own]),
    ("GET", "/v1/callbacks/{id}/explain", &[Scope::Read, Scope::Own]),
    ("GET", "/v1/callbacks/{id}/timeline", &[Scope::Read, Scope::Own]),
    ("GET", "/v1/callbacks/{id}/deliveries", &[Scope::Read, Scope::Own]),
    ("POST", "/v1/callbacks/{id}/allow-attempt", &[Scope::Supervise]),
    ("POST", "/v1/callbacks/{id}/not-today", &[Scope::Supervise, Scope::Lead]),
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
    ("POST", "/v1/bulk", &[Scope::Order]),
    ("GET", "/v1/bulk", &[Scope::Read, Scope::Order]),
    ("GET", "/v1/bulk/{id}", &[Scope::Read, Scope::Order]),
    ("POST", "/v1/bulk/{id}/confirm", &[Scope::Order]),
    ("POST", "/v1/bulk/{id}/stop", &[Scope::Order]),
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
    (
        "GET",
        "/v1/commands/{id}",
        &[Scope::Order, Scope::Read, Scope::Work, Scope::Supervise, Scope::Operate, Scope::Own],
    ),
    ("GET", "/v1/attempts", &[Scope::Read]),
    ("POST", "/v1/attempts/{id}/resolve", &[Scope::Supervise]),
    ("POST", "/v1/attempts/{id}/end", &[Scope::Supervise]),
    ("POST", "/v1/attempts/{id}/ask-again", &[Scope::Supervise]),
    ("POST", "/v1/attempts/{id}/hold", &[Scope::Supervise, Scope::Lead]),
    ("POST", "/v1/attempts/{id}/release", &[Scope::Supervise, Scope::Lead]),
    ("GET", "/v1/events", &[Scope::Read]),
    ("GET", "/v1/inbox/unmatched", &[Scope::Operate, Scope::Supervise]),
    ("GET", "/v1/messages", &[Scope::Read]),
    ("POST", "/v1/messages/{id}/resolve", &[Scope::Supervise]),
    ("GET", "/v1/nodes", &[Scope::Operate]),
    ("POST", "/v1/nodes/{name}/resign", &[Scope::Operate]),
    ("GET", "/v1/set-aside", &[Scope::Supervise, Scope::Operate, Scope::Lead]),
    ("POST", "/v1/set-aside/{id}/retry", &[Scope::Operate]),
    ("POST", "/v1/set-aside/{id}/drop", &[Scope::Operate]),
    ("POST", "/v1/pauses", &[Scope::Operate, Scope::Lead]),
    ("GET", "/v1/pauses", &[Scope::Operate, Scope::Supervise, Scope::Read]),
    ("DELETE", "/v1/pauses/{id}", &[Scope::Operate, Scope::Lead]),
    ("GET", "/v1/pools", &[Scope::Operate, Scope::Supervise, Scope::Read]),
    ("PUT", "/v1/pools/{name}", &[Scope::Operate, Scope::Supervise]),
    ("GET", "/v1/pools/{name}", &[Scope::Operate, Scope::Supervise, Scope::Read]),
    ("DELETE", "/v1/pools/{name}", &[Scope::Operate, Scope::Supervise]),
    ("POST", "/v1/suppression", &[Scope::Work, Scope::Supervise, Scope::Operate]),
    ("POST", "/v1/suppression/check", &[Scope::Supervise, Scope::Operate, Scope::Lead]),
    ("POST", "/v1/suppression/remove", &[Scope::Supervise, Scope::Lead]),
    ("POST", "/v1/suppression/lists", &[Scope::Operate]),
    ("GET", "/v1/suppression/lists", &[Scope::Supervise, Scope::Operate, Scope::Lead]),
    ("POST", "/v1/suppression/lists/complete", &[Scope::Operate]),
    ("GET", "/v1/suppression/registers", &[Scope::Supervise, Scope::Operate, Scope::Lead]),
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
    ("GET", "/v1/lineage", &[Scope::Operate]),
    ("POST", "/v1/lineage/release", &[Scope::Operate]),
    ("GET", "/v1/reports", &[Scope::Read]),
    ("GET", "/v1/reports/{name}", &[Scope::Read]),
    ("GET", "/v1/senders", &[Scope::Read]),
    ("GET", "/v1/status", &[Scope::Operate, Scope::Lead]),
    ("POST", "/v1/people", &[Scope::Admin]),
    ("GET", "/v1/people", &[Scope::Admin]),
    ("GET", "/v1/people/{name}", &[Scope::Admin]),
    ("POST", "/v1/people/{name}/change", &[Scope::Admin]),
    ("DELETE", "/v1/people/{name}", &[Scope::Admin]),
    ("GET", "/v1/audit", &[Scope::Admin]),
    ("GET", "/v1/audit/export", &[Scope::Admin]),
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
    ("GET", "/v1/nodes"),
    ("POST", "/v1/nodes/{name}/resign"),
    ("GET", "/v1/lineage"),
    ("POST", "/v1/lineage/release"),
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

/// The addresses where what a person sees and does is bounded to the person's campaigns, senders and pools. All others are
/// refused to somebody with bounds.
pub const OF_PARTS: &[(&str, &str)] = &[
    ("POST", "/v1/callbacks"),
    ("GET", "/v1/callbacks"),
    ("POST", "/v1/callbacks/search"),
    ("GET", "/v1/callbacks/{id}"),
    ("POST", "/v1/callbacks/{id}/cancel"),
    ("POST", "/v1/callbacks/{id}/reschedule"),
    ("GET", "/v1/callbacks/{id}/explain"),
    ("GET", "/v1/callbacks/{id}/timeline"),
    ("GET", "/v1/callbacks/{id}/deliveries"),
    ("POST", "/v1/callbacks/{id}/allow-attempt"),
    ("POST", "/v1/callbacks/{id}/not-today"),
    ("POST", "/v1/callbacks/{id}/wrap-up"),
    ("POST", "/v1/callbacks/{id}/replay"),
    ("GET", "/v1/callbacks/{id}/link"),
    ("POST", "/v1/callbacks/{id}/link"),
    ("GET", "/v1/dispositions"),
    ("GET", "/v1/offers"),
    ("POST", "/v1/offers/{id}/accept"),
    ("POST", "/v1/offers/{id}/skip"),
    ("POST", "/v1/offers/{id}/close"),
    ("GET", "/v1/invites"),
    ("POST", "/v1/invites/search"),
    ("GET", "/v1/invites/{id}"),
    ("POST", "/v1/invites/{id}/cancel"),
    ("POST", "/v1/invites/{id}/reschedule"),
    ("GET", "/v1/invites/{id}/explain"),
    ("GET", "/v1/invites/{id}/timeline"),
    ("GET", "/v1/invites/{id}/link"),
    ("POST", "/v1/invites/{id}/link"),
    ("POST", "/v1/invites/{id}/replay"),
    ("GET", "/v1/campaigns"),
    ("GET", "/v1/campaigns/{id}"),
    ("POST", "/v1/campaigns/{id}/change"),
    ("POST", "/v1/campaigns/{id}/ready"),
    ("POST", "/v1/campaigns/{id}/launch"),
    ("POST", "/v1/campaigns/{id}/pause"),
    ("POST", "/v1/campaigns/{id}/resume"),
    ("POST", "/v1/campaigns/{id}/drain"),
    ("POST", "/v1/campaigns/{id}/cancel"),
    ("GET", "/v1/attempts"),
    ("POST", "/v1/attempts/{id}/resolve"),
    ("POST", "/v1/attempts/{id}/end"),
    ("POST", "/v1/attempts/{id}/ask-again"),
    ("POST", "/v1/attempts/{id}/hold"),
    ("POST", "/v1/attempts/{id}/release"),
    ("GET", "/v1/pools"),
    ("PUT", "/v1/pools/{name}"),
    ("GET", "/v1/pools/{name}"),
    ("DELETE", "/v1/pools/{name}"),
    ("GET", "/v1/calendars"),
    ("GET", "/v1/calendars/{name}"),
    ("POST", "/v1/calendars/simulate"),
    ("GET", "/v1/senders"),
    ("GET", "/v1/reports"),
    ("GET", "/v1/reports/{name}"),
];

/// Requests with another method than GET that change nothing. Everything else that is not GET is audited.
pub const READING: &[(&str, &str)] = &[
    ("POST", "/v1/callbacks/search"),
    ("POST", "/v1/invites/search"),
    ("POST", "/v1/imports/check"),
    ("POST", "/v1/campaigns/{id}/forecast"),
    ("POST", "/v1/suppression/check"),
    ("POST", "/v1/permissions/show"),
    ("POST", "/v1/calendars/simulate"),
];

/// Requests with GET that are audited, because they give out many numbers.
pub const AUDITED_READS: &[(&str, &str)] = &[
    ("GET", "/v1/suppression/registers/{name}/numbers"),
    ("GET", "/v1/permissions/callable"),
    ("GET", "/v1/audit/export"),
];

/// Whose bodies are orders. They are not kept in the audit log: the orders themselves are stored, with who ordered them.
const ORDERS: [&str; 4] = ["/v1/callbacks", "/v1/invites", "/v1/callbacks/bulk", "/v1/invites/bulk"];

fn has(table: &[(&str, &str)], method: &Method, path: &str) -> bool {
    let method = known_method(method);
    table.iter().any(|(known, address)| *known == method.as_str() && *address == path)
}

/// Whether a person's bounds hold for what the request sees and does.
pub fn keeps_bounds(method: &Method, path: &str) -> bool {
    has(OF_PARTS, method, path)
}

/// Whether a request has an entry in the audit log.
pub fn is_audited(method: &Method, path: &str) -> bool {
    if method.is_safe() { has(AUDITED_READS, method, path) } else { !has(READING, method, path) }
}

/// Whether the body of a request is kept in its entry of the audit log.
pub fn keeps_body(path: &str) -> bool {
    !ORDERS.contains(&path) && !path.starts_with("/v1/imports") && !path.starts_with("/v1/people")
}

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
