//! `GET /v1/permissions/callable`: who may be called now, as CSV.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::Response;
use futures_util::stream;
use jiff::Timestamp;

use super::{end, is_erased};
use crate::domain::suppression::{Errand, Outgoing};
use crate::domain::{Name, Pair, PairKey, Phone};
use crate::http::api::query::Given;
use crate::http::api::reports::show::sender;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::import::export::neutral;
use crate::policy::People;
use crate::store::LedgersWanted;

/// So many ledgers are read at once.
const AT_ONCE: usize = 1_000;

/// Exports who may be called now.
///
/// CSV with the columns `sender`, `consumer`, `permission`, `until`, `misses` and `misses_before_revocation`: each pair with a
/// live permission, but for people who refused, are on a suppression list that binds calls, or are paused by the platform.
/// Hours, limits and pauses of operators are looked at when a call is placed. Permissions belong to no tenant, so only a token
/// of the default tenant may export them. No cell begins with what a spreadsheet would compute: numbers have an apostrophe.
#[utoipa::path(get, path = "/v1/permissions/callable", operation_id = "export_callable", tag = "permissions",
    params(("sender" = Option<String>, Query,
        description = "Only this sender: its label, or the last 4 to 6 digits of its number")),
    responses(
        (status = 200, body = String, content_type = "text/csv"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn callable(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    given: Given,
) -> Result<Response, ApiError> {
    let mut only = None;
    given.read(|name, value| {
        if name == "sender" {
            only = Some(sender(&app, &value)?);
        }
        Ok(name == "sender")
    })?;
    let export = Arc::new(Export { caller, only, now: app.clock.now(), app });
    // A store that cannot be read is told with a status, and not with a list that ends.
    let (first, after) = export.piece(None).await?;
    let begun = [header(), first].concat();
    let pieces = stream::unfold(Some((Bytes::from(begun), after)), move |state| {
        let export = Arc::clone(&export);
        async move {
            let (piece, after) = state?;
            let next = match after {
                None => None,
                Some(after) => match export.piece(Some(after)).await {
                    Ok((piece, after)) => Some((Bytes::from(piece), after)),
                    Err(error) => return Some((Err(io::Error::other(error.code())), None)),
                },
            };
            Some((Ok(piece), next))
        }
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"callable.csv\""));
    Ok(response)
}

fn header() -> Vec<u8> {
    b"sender,consumer,permission,until,misses,misses_before_revocation\n".to_vec()
}

/// An export in progress.
struct Export {
    app: Arc<App>,
    caller: Caller,
    only: Option<Phone>,
    now: Timestamp,
}

impl Export {
    /// The lines of the ledgers after this one, and the last ledger; `None` if no ledger follows.
    async fn piece(&self, after: Option<PairKey>) -> Result<(Vec<u8>, Option<PairKey>), ApiError> {
        let wanted = LedgersWanted { sender: self.only, after, skip: 0, most: AT_ONCE };
        let found = self.app.store.ledgers(wanted).await?;
        let last = found.last().map(|pair| pair.key).filter(|_| found.len() == AT_ONCE);
        let live: Vec<Pair> = found.into_iter().filter(|pair| self.is_live(pair)).collect();
        let names: Vec<Name> = live.iter().map(|pair| Name::Number(pair.key.person.number())).collect();
        let people = People::of(self.app.store.people(&names).await?);
        let mut out = csv::Writer::from_writer(Vec::new());
        for pair in live.iter().filter(|pair| self.is_free(pair, &people)) {
            let until = end(pair.permission).map_or_else(String::new, |at| format!("{at:.0}"));
            let most = self.app.rules.limits.misses_before_revocation;
            let cells = [
                pair.key.sender.e164(),
                pair.key.person.number().e164(),
                pair.permission.as_str().to_owned(),
                until,
                pair.misses.to_string(),
                most.to_string(),
            ];
            out.write_record(cells.iter().map(|cell| neutral(cell).into_owned()))
                .map_err(ApiError::internal)?;
        }
        Ok((out.into_inner().map_err(|error| ApiError::internal(error.to_string()))?, last))
    }

    fn is_live(&self, pair: &Pair) -> bool {
        pair.permission.is_live(self.now)
            && !is_erased(pair)
            && self.caller.may_use_sender(pair.key.sender)
            && pair.paused_until.is_none_or(|until| until <= self.now)
    }

    /// Whether neither the person nor a suppression list forbids the call.
    fn is_free(&self, pair: &Pair, people: &People) -> bool {
        let Some(sender) = self.app.directory.sender(pair.key.sender) else { return false };
        let consumer = pair.key.person.number();
        let person = people.view(consumer);
        let errand = Errand { account: &sender.account, campaign: None, purpose: None, consumer };
        person.refuses(sender.number, None, &self.app.rules.people).is_none()
            && person.suppressed(self.now, Outgoing::Call, &errand).is_none()
    }
}
