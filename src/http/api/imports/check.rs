//! `POST /v1/imports/check`: what would become of each row of a list, now. It stores nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::preflight::{CHECKS, Candidate};
use crate::domain::suppression::refuses_order;
use crate::domain::{
    Calendars, Callback, GroupName, Loads, Name, OrderKind, Pair, PersonId, Phone, Resource, spelling,
};
use crate::http::api::body::json;
use crate::http::api::callbacks::bulk_answer::FAULTS_BYTES_MAX;
use crate::http::api::callbacks::campaigns::CampaignsOfOrders;
use crate::http::api::callbacks::create::suppressed;
use crate::http::api::callbacks::create_many::{BulkBody, off_the_workers, parse_row, read};
use crate::http::api::callbacks::groups;
use crate::http::api::callbacks::request_body::RequestBody;
use crate::http::api::callbacks::validate::{Validator, ZonesOfPeople};
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::{ApiError, App};
use crate::import::Report;
use crate::import::report::Group;
use crate::policy::{self, People, Situation, Surroundings, ledger};
use crate::store::{OpenOrder, OtherGroup};
use crate::twiml::Document;

/// How many rows are looked at together.
const CHUNK_ROWS_MAX: usize = 500;

/// What would become of the rows.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportReport)]
pub(in crate::http::api) struct View<'a> {
    /// Rows that are not blank.
    rows: u64,
    /// Rows that would be ordered.
    good: u64,
    /// The faults of rows that would be refused, in order. If they exceed 16 MiB, later ones are left out.
    refused: &'a [RefusedRow],
    /// What was found about the other rows, by check and code, and which rows are refused by which suppression list.
    findings: Vec<FindingView<'a>>,
}

/// A fault of a row.
#[derive(Serialize, ToSchema)]
#[schema(as = RefusedImportRow)]
struct RefusedRow {
    /// From 1; in NDJSON the number of the line.
    row: usize,
    #[serde(flatten)]
    fault: FieldError,
}

/// Something that was found about rows.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportFinding)]
struct FindingView<'a> {
    /// `open`, `suppressed`, `permission`, `sender`, `hours`, `zone`, `step` or `reason`.
    check: &'a str,
    /// `open`: `already_open`, `in_this_campaign` or `in_a_draft`. `suppressed`: the list. `permission`: `live`, `asked`, `ends_before`, `must_ask`, `revoked_automatically`,
    /// `must_wait`, `guarded_by_streak`, `revoked_by_consumer` or `uncallable`. `sender`: `cannot_call`. `hours`:
    /// `deadline.little_time`. `zone`: `given`, `by_person`, `by_number`, `ambiguous` or `unknown`. `step` and `reason`: as in the explanation of a callback.
    code: &'a str,
    /// In how many rows.
    count: u64,
    /// The first of them, at most 20.
    rows: &'a [u32],
}

/// Checks the rows of a list and orders nothing.
///
/// The body and the limits are those of `POST /v1/callbacks/bulk`. Each row is checked as an order would be, and what
/// the rules would do with it now is told as for a callback that waits. The answer has row numbers and no phone number.
#[utoipa::path(
    post, path = "/v1/imports/check", operation_id = "check_import", tag = "imports",
    request_body(content(
        (RequestBody<'static> = "application/x-ndjson"),
        (Vec<RequestBody<'static>> = "application/json"),
    )),
    responses(
        (status = 200, body = View<'static>),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn check(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let body = read(&app, &caller, request).await?;
    let loads = Arc::new(app.loads().await?);
    let calendars = app.marked_calendars().await?;
    let campaigns = CampaignsOfOrders::read(&app, &caller, &body.bytes).await?;
    let mut found = Box::new(Found::default());
    let list = Arc::new(List { app, caller, calendars, loads, body, campaigns });
    for first in (0..list.body.rows.len()).step_by(CHUNK_ROWS_MAX) {
        let (parse, mut so_far) = (Arc::clone(&list), found);
        let chunk = list.body.rows[first..].iter().take(CHUNK_ROWS_MAX);
        let zones = list.app.zones_of_orders(chunk.map(|row| row.of(&list.body.bytes))).await?;
        let (so_far, orders) = off_the_workers(move || {
            let orders = parse.parse(first, zones, &mut so_far);
            (so_far, orders)
        })
        .await?;
        found = list.look(orders, so_far).await?;
    }
    // A chunk is parsed before its people are looked at.
    found.refused.sort_by_key(|fault| fault.row);
    let view = View {
        rows: found.report.rows,
        good: found.report.good,
        refused: &found.refused,
        findings: found.report.findings.iter().map(FindingView::of).collect(),
    };
    Ok(json(StatusCode::OK, &view))
}

impl<'a> FindingView<'a> {
    fn of(((check, code), group): (&'a (String, String), &'a Group)) -> Self {
        Self { check, code, count: group.count, rows: &group.rows }
    }
}

/// What was found so far.
#[derive(Default)]
struct Found {
    report: Report,
    refused: Vec<RefusedRow>,
    faults_bytes: usize,
    /// The dialling groups of what rows use: as they are stored, or of the first row that would use it.
    groups: BTreeMap<Resource, GroupName>,
}

/// A list, shared with the threads that look at it.
struct List {
    app: Arc<App>,
    caller: Caller,
    calendars: Calendars,
    loads: Arc<Loads>,
    body: BulkBody,
    campaigns: CampaignsOfOrders,
}

/// The open callbacks by the number of their consumer.
type OpenTo = BTreeMap<Phone, Vec<OpenOrder>>;

/// A row that would be ordered.
struct Order {
    row: u32,
    callback: Callback,
    warnings: Vec<FieldError>,
    zone_from: &'static str,
}

impl List {
    /// The orders of the chunk that begins with this row.
    fn parse(&self, first: usize, zones: Arc<ZonesOfPeople>, found: &mut Found) -> Vec<Order> {
        let validator = Validator::of_list(&self.app, &self.caller, self.calendars.clone()).knowing(zones);
        let mut orders = Vec::new();
        for row in self.body.rows[first..].iter().take(CHUNK_ROWS_MAX) {
            let number = u32::try_from(row.number()).unwrap_or(u32::MAX);
            match parse_row(&validator, &self.campaigns, OrderKind::Callback, row.of(&self.body.bytes)) {
                Ok((callback, named)) => {
                    let warnings = validator.warnings(&callback.order);
                    let is_usual = self.app.defaults.hours.as_ref().is_some_and(|it| !it.zones.is_empty());
                    let zone_from = match PersonId::of(callback.order.consumer) {
                        _ if named.zone || is_usual => "given",
                        person if validator.zones.contains_key(&person) => "by_person",
                        _ => "by_number",
                    };
                    orders.push(Order { row: number, callback, warnings, zone_from });
                }
                Err(faults) => found.refuse(number, faults),
            }
        }
        orders
    }

    /// Applies the checks, with what the store knows of the people.
    async fn look(
        self: &Arc<Self>,
        orders: Vec<Order>,
        mut found: Box<Found>,
    ) -> Result<Box<Found>, ApiError> {
        if orders.is_empty() {
            return Ok(found);
        }
        let names: BTreeSet<Name> =
            orders.iter().map(|order| Name::Number(order.callback.order.consumer)).collect();
        let people = People::of(self.app.store.people(&Vec::from_iter(names)).await?);
        let numbers: BTreeSet<Phone> =
            orders.iter().flat_map(|order| numbers_of(&people, order.callback.order.consumer)).collect();
        let (tenant, numbers) = (self.caller.tenant(), Vec::from_iter(numbers));
        let mut open = OpenTo::new();
        for (number, order) in self.app.store.with_open_orders(tenant, OrderKind::Callback, &numbers).await? {
            open.entry(number).or_default().push(order);
        }
        let uses: BTreeSet<Resource> =
            orders.iter().flat_map(|order| self.app.of_one_group(&order.callback)).collect();
        for (resource, group) in self.app.store.groups_of(&Vec::from_iter(uses)).await? {
            found.groups.entry(resource).or_insert(group);
        }
        let list = Arc::clone(self);
        off_the_workers(move || {
            for order in &orders {
                list.check(order, &people, &open, &mut found);
            }
            found
        })
        .await
    }

    fn check(&self, order: &Order, people: &People, open: &OpenTo, found: &mut Found) {
        let (app, callback) = (&self.app, &order.callback);
        let now = callback.created_at;
        let consumer = callback.order.consumer;
        let mut pairs: Vec<Pair> =
            callback.order.senders.iter().map(|&sender| people.pair(sender, consumer)).collect();
        for pair in &mut pairs {
            ledger::lapse(pair, now);
        }
        let person = people.view(consumer);
        let accounts = callback.order.senders.iter().filter_map(|&sender| app.directory.sender(sender));
        let accounts = accounts.map(|sender| (sender.number, sender.account.clone())).collect();
        if let Some(entry) = refuses_order(&person.suppressions, now, &callback.order, &accounts) {
            found.report.find("suppressed", &entry.list.to_string(), 1, &[order.row]);
            found.refuse(order.row, vec![suppressed(&entry.list, entry.scope).fault()]);
            return;
        }
        if let Some(other) = found.other_group(app.of_one_group(callback), &callback.group) {
            found.refuse(order.row, vec![groups::fault(&other)]);
            return;
        }
        let open = numbers_of(people, consumer).filter_map(|number| open.get(&number));
        let open: BTreeSet<OpenOrder> = open.flatten().copied().collect();
        let document = app.documents.document(&callback.order.document).map(Document::script);
        let pair = |key| pairs.iter().find(|pair| pair.key == key).cloned();
        let surroundings = Surroundings { now, directory: &app.directory, loads: &self.loads };
        let situation = Situation::gather(callback, document, surroundings, person, pair);
        let assessment = policy::assess(now, &situation, &app.rules);
        let candidate = Candidate {
            now,
            callback,
            pairs: &pairs,
            assessment: &assessment,
            open: &open,
            warnings: &order.warnings,
            zone_from: order.zone_from,
            number_zones: &app.defaults.number_zones,
        };
        found.report.accept();
        for check in CHECKS {
            for code in (check.find)(&candidate) {
                found.report.find(check.name, code, 1, &[order.row]);
            }
        }
    }
}

/// Every number by which the person is known, in every spelling. Orders keep the spelling that they came with.
fn numbers_of(people: &People, consumer: Phone) -> impl Iterator<Item = Phone> {
    let known: Vec<Phone> = people.view(consumer).numbers().chain([consumer]).collect();
    known.into_iter().flat_map(spelling::spellings)
}

impl Found {
    /// What a row uses that is of another group. Without that, it is of this group for later rows.
    fn other_group(&mut self, uses: Vec<Resource>, group: &GroupName) -> Option<OtherGroup> {
        for of in &uses {
            if let Some(other) = self.groups.get(of).filter(|other| *other != group) {
                return Some(OtherGroup { of: of.clone(), group: other.clone() });
            }
        }
        self.groups.extend(uses.into_iter().map(|of| (of, group.clone())));
        None
    }

    fn refuse(&mut self, row: u32, faults: Vec<FieldError>) {
        self.report.refuse("order", row, faults.iter().map(|fault| fault.code));
        for fault in faults {
            if self.faults_bytes >= FAULTS_BYTES_MAX {
                return;
            }
            self.faults_bytes += size_of::<RefusedRow>() + fault.field.len() + fault.detail.len();
            self.refused.push(RefusedRow { row: row as usize, fault });
        }
    }
}
