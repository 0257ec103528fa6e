//! The pages that are tables of acts: their routes, and what happens when a form is sent.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, RawPathParams};
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post, put};

use super::{agents, calendars, campaign, campaigns, import, import_report, permissions, reports, senders};
use super::{suppression, system};
use crate::console::Console;
use crate::console::acts::{Posted, Said, Then};
use crate::console::ask::Refused;
use crate::console::asking::{Asking, query, segment};
use crate::console::form::Form;
use crate::console::layout::{self, Page};
use crate::console::page_of::{PageOf, Place};
use crate::console::visit::Visit;

/// All of them.
pub const PAGES: &[&PageOf] = &[
    &permissions::PAGE,
    &campaigns::PAGE,
    &campaign::PAGE,
    &import::PAGE,
    &import_report::PAGE,
    &agents::PAGE,
    &senders::PAGE,
    &suppression::PAGE,
    &calendars::LIST,
    &calendars::ONE,
    &reports::LIST,
    &reports::ONE,
    &system::PAGE,
];

/// A picture of a report has its own colours within it, and nothing else.
const PICTURE: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");

pub(super) fn router() -> Router<Arc<Console>> {
    let mut router = Router::new();
    for page in PAGES.iter().copied() {
        let shown = get(move |params: RawPathParams, visit: Visit| async move {
            let asking = Asking::new(visit);
            let place = place(&params, &asking.visit);
            let said = Said::of_query(&place.query);
            answer(page, &asking, &place, &said).await
        });
        let path = format!("/console/{}", page.path);
        router = match page.acts.is_empty() {
            true if page.path == import::PAGE.path => router
                .route(&path, shown.post(import::upload).layer(DefaultBodyLimit::max(import::UPLOAD_MAX))),
            true => router.route(&path, shown),
            false => {
                let acted =
                    move |params: RawPathParams, form: Form| async move { act(page, &params, form).await };
                router.route(&path, shown.post(acted))
            }
        };
    }
    router
        .route("/console/campaigns/{id}/import/begin", post(import::begun))
        .route("/console/imports/{id}/part", put(import::part).layer(DefaultBodyLimit::max(import::FILE_MAX)))
        .route("/console/imports/{id}/complete", post(import::completed))
        .route("/console/permissions/callable.csv", get(callable))
        .route("/console/system/audit.csv", get(audit))
        .route("/console/imports/{id}/refused.csv", get(refused_rows))
        .route("/console/reports/{id}/table.csv", get(|params, visit| report(params, visit, "csv")))
        .route("/console/reports/{id}/data.json", get(|params, visit| report(params, visit, "json")))
        .route("/console/reports/{id}/plot.svg", get(|params, visit| report(params, visit, "svg")))
}

fn place(params: &RawPathParams, visit: &Visit) -> Place {
    let id = params.iter().next().map_or("", |(_, value)| value).to_owned();
    Place { id, query: Posted(visit.pairs().to_vec()) }
}

async fn answer(page: &PageOf, asking: &Asking, place: &Place, said: &Said) -> Response {
    let shown = (page.show)(asking, place, said).await;
    let status = match said {
        Said::Refused(_, _, refused) => refused.status,
        _ => shown.status,
    };
    let page = Page::new(&shown.title).head(shown.head).rest(shown.body);
    let page = match shown.live {
        Some(live) => page.live(live),
        None => page,
    };
    layout::answer(&asking.visit, status, page)
}

/// Sends the form of an act, and shows the page again: with what was refused, or by another GET.
async fn act(page: &'static PageOf, params: &RawPathParams, form: Form) -> Response {
    let posted = Posted(form.fields().to_vec());
    let place = place(params, &form.visit);
    let asking = Asking::new(form.visit);
    let Some(act) = page.acts.iter().find(|act| Some(act.name) == posted.get("act")) else {
        let detail = "The page does not know this form. Open it again.";
        let refused = Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "The form is not known", detail);
        return asking.visit.refused(&refused);
    };
    let said = match act.carry_out(&asking, &posted).await {
        Err(refused) => Said::Refused(act.name, posted, refused),
        Ok(answered) => {
            let id = answered.body["id"].as_str().unwrap_or_default();
            match act.then {
                Then::Show => Said::Shown(act.name, posted, answered.body),
                // The page of what was made is beside this one, or below it.
                Then::Open if !id.is_empty() => {
                    let here = page.path.rsplit('/').next().unwrap_or_default();
                    let below = if place.id.is_empty() { format!("{here}/") } else { String::new() };
                    return layout::see_other(&format!("{below}{}", segment(id)));
                }
                Then::Leave(other) => return layout::see_other(other),
                Then::Back | Then::Open => {
                    let said = if answered.is_pending { "stored" } else { "done" };
                    return layout::see_other(&place.with(said, act.name));
                }
            }
        }
    };
    answer(page, &asking, &place, &said).await
}

/// Who can be called, with complete numbers.
async fn callable(visit: Visit) -> Response {
    // A live part is made once for several people, so it has no complete numbers.
    if visit.is_part() {
        let detail = "A part of a page that changes by itself shows no complete numbers.";
        return visit.refused(&Refused::new(StatusCode::FORBIDDEN, "Numbers stay masked", detail));
    }
    let sender = visit.query_of(&["sender"]);
    let asking = Asking::new(visit.revealing());
    let path = "/v1/permissions/callable";
    let path = if sender.is_empty() { path.to_owned() } else { format!("{path}?{sender}") };
    file(&asking, &path).await
}

/// The whole audit log.
async fn audit(visit: Visit) -> Response {
    file(&Asking::new(visit), "/v1/audit/export?format=csv").await
}

async fn refused_rows(params: RawPathParams, visit: Visit) -> Response {
    let id = place(&params, &visit).id;
    file(&Asking::new(visit), &format!("/v1/imports/{}/refused", segment(&id))).await
}

async fn report(params: RawPathParams, visit: Visit, format: &'static str) -> Response {
    let place = place(&params, &visit);
    let filters = reports::FILTERS.map(|name| (name, place.filter(name).unwrap_or_default()));
    let path = format!(
        "/v1/reports/{}{}",
        segment(&place.id),
        query(filters.into_iter().chain([("format", format)]))
    );
    let mut response = file(&Asking::new(visit), &path).await;
    if format == "svg" && response.status().is_success() {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, PICTURE);
    }
    response
}

/// Passes a file of the API on.
async fn file(asking: &Asking, path: &str) -> Response {
    match asking.fetch(path).await {
        Ok(response) => response,
        Err(refused) => asking.visit.refused(&refused),
    }
}
