//! `GET /v1/status`: counts of callbacks and invites, and the state of the accounts.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;
use utoipa::ToSchema;

use super::body::json;
use super::views::known_end;
use super::{nodes, pauses};
use crate::domain::calendar::holidays;
use crate::domain::{Loads, Outcome};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::reports::DailyState;
use crate::store::SuppressionList;

/// So many days before the end of the holiday data, the status says that it ends.
const HOLIDAYS_WARNED_DAYS: i32 = 90;

/// The state of the daemon.
#[derive(Serialize, ToSchema)]
#[schema(as = Status)]
pub(super) struct View {
    /// The daemon's clock.
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    /// When the scheduler published its load; absent before its first turn. The counts of calls and the pauses are of
    /// this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    as_of: Option<Timestamp>,
    /// The node that answers, and who dials.
    node: NodeView,
    callbacks: CensusView,
    invites: InviteCensusView,
    /// Stored reports of the platform that are not yet applied.
    unfolded_reports: u64,
    /// Reports of the last 30 days without a known person; `/v1/inbox/unmatched` lists them.
    unmatched_reports: u64,
    /// Repeated reports since the start; they changed nothing. Twilio repeats a few; many may be replays of captured
    /// requests.
    repeated_reports: u64,
    /// Reports, commands and callbacks at which the program failed; see `/v1/set-aside`.
    set_aside: usize,
    /// When dialling and sending stopped, because the program failed three times within a minute. A restart resumes
    /// them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    dialling_stopped_since: Option<Timestamp>,
    /// Since when it is known that another daemon has opened the store: this one dials and writes nothing more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    deposed_since: Option<Timestamp>,
    /// Set while nothing is dialled or sent and nothing expires, because the machine's clock jumped; see
    /// `/v1/clock/confirm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_in_doubt: Option<DoubtView>,
    /// Since when nothing is dialled or sent, because the store is not the one that was last written; see `/v1/lineage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    lineage_held_since: Option<Timestamp>,
    /// The time zone data in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    zone_data: Option<ZoneDataView>,
    holiday_data: HolidayDataView,
    accounts: Vec<AccountView>,
    /// What operators paused, as in `/v1/pauses`.
    pauses: Vec<pauses::View>,
    /// Imported suppression lists whose term has ended, so that newer versions are due. Their entries still hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppression_lists_past_term: Vec<String>,
    /// The daily files of reports, if they are configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    daily_reports: Option<DailyReportsView>,
}

/// The node that answers, and who dials; `/v1/nodes` has more.
#[derive(Serialize, ToSchema)]
#[schema(as = NodeStatus)]
struct NodeView {
    #[schema(example = "calls-1")]
    name: String,
    /// `alone`, `leader` or `follower`.
    role: &'static str,
    /// The node that dials; absent while none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    leader: Option<String>,
    /// The dialling groups.
    groups: Vec<String>,
}

impl NodeView {
    fn of(app: &App, lead: &nodes::Lead) -> Self {
        Self {
            name: app.presence.name.to_string(),
            role: lead.role.as_str(),
            leader: lead.lease.as_ref().map(|lease| lease.node.to_string()),
            groups: app.directory.groups().into_iter().map(ToString::to_string).collect(),
        }
    }
}

/// The daily files of reports.
#[derive(Serialize, ToSchema)]
#[schema(as = DailyReports)]
struct DailyReportsView {
    /// The last day whose files were written since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    written: Option<Date>,
    /// Since when they cannot be written, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    failed_since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl DailyReportsView {
    fn of(state: &DailyState) -> Self {
        let (failed_since, why) = state.now().failed.unzip();
        Self { written: state.now().written, failed_since, why }
    }
}

/// The time zone data of calling hours: the newer of the machine's and the program's.
#[derive(Serialize, ToSchema)]
#[schema(as = ZoneData)]
struct ZoneDataView {
    /// The version of the time zone database, if it is known.
    #[schema(example = "2026a")]
    version: Option<String>,
    /// `machine` or `program`.
    origin: &'static str,
}

/// The public holidays that the program has.
#[derive(Serialize, ToSchema)]
#[schema(as = HolidayDataState)]
struct HolidayDataView {
    /// The version of the data.
    #[schema(example = "0.109")]
    version: &'static str,
    /// No holiday is known after this day.
    #[schema(value_type = String, format = Date)]
    last_day: Date,
    /// Whether that is within 90 days: a newer program has later years.
    ends_soon: bool,
}

impl HolidayDataView {
    fn at(now: Timestamp) -> Self {
        let last_day = holidays::last_day();
        let warned_from = last_day.checked_sub(HOLIDAYS_WARNED_DAYS.days()).unwrap_or(Date::MIN);
        let ends_soon = now.to_zoned(TimeZone::UTC).date() >= warned_from;
        Self { version: holidays::version(), last_day, ends_soon }
    }
}

/// A jump of the machine's clock.
#[derive(Serialize, ToSchema)]
#[schema(as = ClockInDoubt)]
struct DoubtView {
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// In whole seconds; negative if it jumped back.
    jumped_by_s: i64,
    /// The time of the machine's clock. `now` continues from before the jump.
    #[schema(value_type = String, format = DateTime)]
    machine_clock: Timestamp,
}

/// Callbacks by state.
#[derive(Serialize, ToSchema)]
#[schema(as = Census)]
struct CensusView {
    /// Without those of campaigns that are not launched.
    waiting: u64,
    /// Those that wait for the launch of their campaign.
    unlaunched: u64,
    calling: u64,
    /// Of those that wait or call: whose last call was answered and served nobody.
    abandoned: u64,
    /// Whose call with an agent is over, and about which no agent has said anything in time. Up to 10,000 are counted.
    wrap_up_missing: u64,
    /// By outcome.
    closed: BTreeMap<&'static str, u64>,
}

/// Invites by state.
#[derive(Serialize, ToSchema)]
#[schema(as = InviteCensus)]
struct InviteCensusView {
    /// Without those of campaigns that are not launched.
    waiting: u64,
    /// Those that wait for the launch of their campaign.
    unlaunched: u64,
    /// By outcome.
    closed: BTreeMap<&'static str, u64>,
}

/// A Twilio account, by the operator's name for it.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
struct AccountView {
    name: String,
    /// The end of the pause, if the account is paused. With a `why` alone it is paused until the platform ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    paused_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// The number of callbacks and of invites in each state, and the paused accounts.
#[utoipa::path(get, path = "/v1/status", operation_id = "status", tag = "status", responses(
    (status = 200, body = View),
    (status = "default", body = Written<'static>, content_type = "application/problem+json"),
))]
pub(super) async fn status(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, ApiError> {
    let census = app.store.census().await?;
    let now = app.clock.now();
    let wrap_up_missing = match app.defaults.wrap_up_after {
        Some(_) => app.store.wrap_ups_missing(now).await?.number,
        None => 0,
    };
    let loads = app.loads().await?;
    let lists = app.store.suppression_lists().await?;
    let lead = nodes::lead(&app).await?;
    let held = &loads.held;
    let paused = loads.pauses.in_force(now);
    let view = View {
        now,
        as_of: loads.as_of,
        node: NodeView::of(&app, &lead),
        callbacks: CensusView {
            waiting: census.waiting,
            unlaunched: census.unlaunched,
            calling: census.calling,
            abandoned: census.abandoned,
            wrap_up_missing,
            closed: by_outcome(census.closed),
        },
        invites: InviteCensusView {
            waiting: census.invites.waiting,
            unlaunched: census.invites.unlaunched,
            closed: by_outcome(census.invites.closed),
        },
        unfolded_reports: census.unfolded_reports,
        unmatched_reports: census.unmatched_reports,
        repeated_reports: app.metrics.hooks_repeated_total(),
        set_aside: held.count(),
        dialling_stopped_since: held.stopped_since,
        deposed_since: held.deposed_since,
        clock_in_doubt: held.clock_in_doubt.map(|doubt| DoubtView {
            since: doubt.since,
            jumped_by_s: doubt.by.as_secs(),
            machine_clock: app.clock.reading().wall,
        }),
        lineage_held_since: held.lineage_since,
        zone_data: app
            .zone_data
            .as_ref()
            .map(|data| ZoneDataView { version: data.version.clone(), origin: data.origin.as_str() }),
        holiday_data: HolidayDataView::at(now),
        accounts: accounts(&app, now, &loads),
        pauses: paused
            .into_iter()
            .filter(|pause| pauses::is_shown(&caller, pause))
            .map(|pause| pauses::View::of(pause))
            .collect(),
        suppression_lists_past_term: past_term(&lists, now),
        daily_reports: app.reports.daily.as_deref().map(DailyReportsView::of),
    };
    Ok(json(StatusCode::OK, &view))
}

fn past_term(lists: &[SuppressionList], now: Timestamp) -> Vec<String> {
    let past = lists.iter().filter(|list| list.valid_until.is_some_and(|at| at <= now));
    past.map(|list| list.name.to_string()).collect()
}

fn by_outcome(closed: [u64; Outcome::ALL.len()]) -> BTreeMap<&'static str, u64> {
    Outcome::ALL.iter().map(|outcome| outcome.as_str()).zip(closed).collect()
}

fn accounts(app: &App, now: Timestamp, loads: &Loads) -> Vec<AccountView> {
    let view = |name: &str| {
        let paused = loads.account(name).paused.filter(|(until, _)| *until > now);
        let (paused_until, why) = paused.map(|(until, why)| (until, why.into_owned())).unzip();
        AccountView { name: name.to_owned(), paused_until: paused_until.and_then(known_end), why }
    };
    app.directory.accounts().into_iter().map(|alias| view(alias)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_holidays_is_told_from_90_days_before() {
        let soon = |days: i32| {
            let day = holidays::last_day().checked_sub(days.days()).unwrap();
            let at = |hour| day.at(hour, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
            [at(0), at(23)].map(|now| HolidayDataView::at(now).ends_soon)
        };
        assert_eq!((soon(91), soon(90), soon(89), soon(-400)), ([false; 2], [true; 2], [true; 2], [true; 2]));
    }
}
