//! The health checks: `/livez`, `/readyz` and `/healthz`. They need no token.
//!
//! An instance is not ready if another one should get its requests: it is stopping, its store cannot be read, or another
//! daemon has the store. What keeps it from dialling is a warning: the platforms still have to reach its hooks.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::time::timeout;

use super::api::{json, lead};
use super::{ApiError, App};
use crate::domain::Loads;
use crate::nodes::Role;
use crate::store;

const HEALTHZ: &str = "/healthz";
const LIVEZ: &str = "/livez";
const READYZ: &str = "/readyz";

/// The paths of the health checks. The limit per peer does not count them for the machine itself.
pub(super) const PATHS: [&str; 3] = [HEALTHZ, LIVEZ, READYZ];

/// From this age of the oldest report on, the scheduler is late.
const INBOX_LATE: SignedDuration = SignedDuration::from_secs(30);
/// A store that takes longer to answer counts as one that cannot be read: whoever asks gives up soon after.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(HEALTHZ, get(healthz))
        .route(LIVEZ, get(livez))
        .route(READYZ, get(readyz))
        .with_state(app)
}

/// The process answers.
async fn livez() -> &'static str {
    "ok\n"
}

/// Healthy if the store can be read and no other daemon has opened it since. While dialling is stopped the hooks and the
/// API work, so it says so and stays healthy.
async fn healthz(State(app): State<Arc<App>>) -> Result<String, ApiError> {
    let held = match timeout(ANSWER_WITHIN, app.loads()).await {
        Ok(loads) => loads?.held,
        Err(_) => return Err(store::Error::Overdue.into()),
    };
    if held.deposed_since.is_some() {
        return Err(store::Error::Deposed.into());
    }
    let state = match (held.stopped_since, held.clock_in_doubt) {
        (Some(_), _) => "ok, but dialling is stopped after too many failures; a restart resumes\n",
        (None, Some(_)) => "ok, but dialling is stopped because the machine's clock jumped\n",
        (None, None) => "ok\n",
    };
    // One of several says which it is. All of them serve, so all are healthy.
    Ok(match app.presence.role(app.clock.reading().up) {
        Role::Alone => state.to_owned(),
        role @ (Role::Leader | Role::Follower) => format!("{state}{} {}\n", role.as_str(), app.presence.name),
    })
}

/// Whether the instance should get requests, as JSON if the caller accepts it, and as text otherwise.
async fn readyz(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let report = Report::of(&app).await;
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let accepts = |text: &str| text.contains("application/json");
    let wants_json = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(accepts);
    match wants_json {
        true => json(status, &report),
        false => (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], report.text()).into_response(),
    }
}

/// How the instance is.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Report {
    ready: bool,
    /// What this node does: `alone`, `leader` or `follower`.
    role: &'static str,
    node: String,
    checks: Vec<Check>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Check {
    name: &'static str,
    state: Standing,
    /// What is wrong, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    Ok,
    /// Something is wrong, and the instance should still get requests.
    Warning,
    Failed,
}

impl Check {
    fn new(name: &'static str, bad: Standing, detail: Option<String>) -> Self {
        let state = if detail.is_some() { bad } else { Standing::Ok };
        Self { name, state, detail }
    }

    fn failing(name: &'static str, detail: Option<String>) -> Self {
        Self::new(name, Standing::Failed, detail)
    }

    fn warning(name: &'static str, detail: Option<String>) -> Self {
        Self::new(name, Standing::Warning, detail)
    }
}

impl Report {
    async fn of(app: &App) -> Self {
        let stopping =
            app.stopping_since.get().map(|since| format!("the daemon has been stopping since {since}"));
        let mut checks = vec![Check::failing("stopping", stopping)];
        let read = timeout(ANSWER_WITHIN, read(app)).await;
        match read.unwrap_or(Err(store::Error::Overdue)) {
            Ok((loads, oldest, somebody_leads)) => {
                checks.push(Check::failing("store", None));
                let disabled = app.webhook_endpoint.as_ref().and_then(|own| own.standing().disabled);
                checks.extend(checks_of(app.clock.now(), &loads, oldest, somebody_leads));
                checks.push(Check::warning("hooks", app.metrics.only_unverified().map(unverified)));
                let detail = disabled.map(|(since, why)| format!("disabled since {since}: {why}"));
                checks.push(Check::warning("webhooks", detail));
            }
            Err(error) => checks.push(Check::failing("store", Some(error.to_string()))),
        }
        Self {
            ready: checks.iter().all(|check| check.state != Standing::Failed),
            role: app.presence.role(app.clock.reading().up).as_str(),
            node: app.presence.name.to_string(),
            checks,
        }
    }

    /// One line for the whole, one for each check, and one for the node if there are others.
    fn text(&self) -> String {
        let whole = if self.ready { "ready\n" } else { "not ready\n" };
        let line = |check: &Check| {
            let mark = match check.state {
                Standing::Ok => "ok",
                Standing::Warning => "warning",
                Standing::Failed => "failed",
            };
            match &check.detail {
                Some(detail) => format!("{mark}: {}: {detail}\n", check.name),
                None => format!("{mark}: {}\n", check.name),
            }
        };
        let text = self.checks.iter().map(line).fold(whole.to_owned(), |text, line| text + &line);
        if self.role == Role::Alone.as_str() { text } else { format!("{text}{} {}\n", self.role, self.node) }
    }
}

/// What the leader publishes, when the oldest report was received that has no effect yet, and whether any node leads.
async fn read(app: &App) -> store::Result<(Loads, Option<Timestamp>, bool)> {
    let loads = app.loads().await?;
    let somebody_leads = match app.presence.role(app.clock.reading().up) {
        Role::Alone | Role::Leader => true,
        Role::Follower => lead(app).await?.lease.is_some(),
    };
    Ok((loads, app.store.oldest_unfolded().await?, somebody_leads))
}

/// The likely causes are settings of ours, so an operator should look.
fn unverified(count: u64) -> String {
    format!(
        "{count} requests were refused for their signature since the start, and none verified: compare http.public_url \
         and the auth token with those of the platform"
    )
}

/// The checks of what the leader publishes, and of the inbox with its oldest report.
fn checks_of(now: Timestamp, loads: &Loads, oldest: Option<Timestamp>, somebody_leads: bool) -> Vec<Check> {
    let held = &loads.held;
    let nobody = (!somebody_leads).then(|| "no node leads; nothing is dialled until one does".to_owned());
    let deposed = held
        .deposed_since
        .map(|since| format!("another daemon has opened the store; this one has not dialled since {since}"));
    let stopped = held.stopped_since.map(|since| {
        format!("nothing is dialled since {since}, after too many failures of the code; a restart resumes")
    });
    let doubt = held.clock_in_doubt.map(|doubt| {
        format!("the machine's clock jumped at {}; nothing is dialled until it is confirmed", doubt.since)
    });
    let lineage = held.lineage_since.map(|since| {
        format!(
            "nothing is dialled since {since}, because the store is not the one that was last written; `ringmaster \
             lineage` tells more"
        )
    });
    let late = oldest.map(|at| now.duration_since(at)).filter(|age| *age >= INBOX_LATE);
    let late = late.map(|age| format!("the oldest report has waited for {} s to take effect", age.as_secs()));
    vec![
        match deposed {
            Some(deposed) => Check::failing("leader", Some(deposed)),
            None => Check::warning("leader", nobody),
        },
        Check::warning("dialling", stopped),
        Check::warning("clock", doubt),
        Check::warning("lineage", lineage),
        Check::warning("inbox", late),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ClockDoubt, Held};

    const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

    fn states(loads: &Loads, oldest: Option<Timestamp>) -> Vec<(&'static str, Standing)> {
        checks_of(NOW, loads, oldest, true).iter().map(|check| (check.name, check.state)).collect()
    }

    #[test]
    fn a_report_that_waits_for_half_a_minute_is_a_warning() {
        for (age, state) in [(29, Standing::Ok), (30, Standing::Warning), (-5, Standing::Ok)] {
            let oldest = NOW - SignedDuration::from_secs(age);
            let all = states(&Loads::default(), Some(oldest));
            assert_eq!(all.last(), Some(&("inbox", state)), "{age} s");
        }
        assert!(states(&Loads::default(), None).iter().all(|(_, state)| *state == Standing::Ok));
    }

    #[test]
    fn only_another_leader_makes_the_instance_not_ready() {
        let held = Held { deposed_since: Some(NOW), ..Held::default() };
        let loads = Loads { held, ..Loads::default() };
        assert_eq!(states(&loads, None)[0], ("leader", Standing::Failed));
        let doubt = ClockDoubt { since: NOW, by: SignedDuration::from_hours(1) };
        let held = Held {
            stopped_since: Some(NOW),
            clock_in_doubt: Some(doubt),
            lineage_since: Some(NOW),
            ..Held::default()
        };
        let all = states(&Loads { held, ..Loads::default() }, None);
        assert_eq!(all[1..4], ["dialling", "clock", "lineage"].map(|name| (name, Standing::Warning)));
        let all = checks_of(NOW, &Loads::default(), None, false);
        assert_eq!((all[0].name, all[0].state), ("leader", Standing::Warning), "nobody leads");
    }

    #[test]
    fn the_text_has_a_line_for_each_check() {
        let checks = vec![
            Check::failing("stopping", Some("since noon".into())),
            Check::failing("store", None),
            Check::warning("clock", Some("it jumped".into())),
        ];
        let mut report = Report { ready: false, role: "alone", node: "a".into(), checks };
        let text = "not ready\nfailed: stopping: since noon\nok: store\nwarning: clock: it jumped\n";
        assert_eq!(report.text(), text);
        report.role = "follower";
        assert_eq!(report.text(), format!("{text}follower a\n"));
    }
}
