//! The campaigns of new orders: what an order leaves out, its campaign gives. Orders without one cost nothing here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::field_errors::FieldErrors;
use super::request_body::RequestBody;
use crate::domain::campaign::campaign_id;
use crate::domain::{Calendars, Callback, Campaign, CampaignId, CampaignState, OrderKind};
use crate::http::auth::Caller;
use crate::http::error::FieldError;
use crate::http::{ApiError, App};

/// The campaigns that the orders of one request may name.
#[derive(Debug, Default)]
pub(in crate::http::api) struct CampaignsOfOrders(BTreeMap<CampaignId, Campaign>);

impl CampaignsOfOrders {
    /// Those of the caller's tenant that are open. They are read only if the body can name one: an id may be written
    /// with escapes.
    pub(in crate::http::api) async fn read(
        app: &App,
        caller: &Caller,
        body: &[u8],
    ) -> Result<Self, ApiError> {
        let may_name = |text: &str| text.contains(CampaignId::PREFIX) || text.contains("\\u");
        if std::str::from_utf8(body).is_ok_and(|text| !may_name(text)) {
            return Ok(Self::default());
        }
        Self::all(app, caller).await
    }

    /// All open ones of the caller's tenant.
    pub(in crate::http::api) async fn all(app: &App, caller: &Caller) -> Result<Self, ApiError> {
        let open = app.store.open_campaigns().await?.into_iter();
        let theirs = open.filter(|campaign| campaign.tenant == *caller.tenant());
        Ok(Self(theirs.map(|campaign| (campaign.id, campaign)).collect()))
    }

    /// Puts the defaults of the campaign into the fields that the order leaves out. Variables are taken one by one.
    pub(super) fn complete<'a>(
        &'a self,
        kind: OrderKind,
        body: &mut RequestBody<'a>,
        faults: &mut FieldErrors,
    ) {
        let Some(text) = body.campaign.as_ref() else { return };
        let Some(id) = campaign_id(&text.0) else {
            // A label would let it be called at once, and it was meant to wait for a launch.
            if text.0.starts_with(CampaignId::PREFIX) {
                faults.add("campaign", "campaign.unknown", NO_ID);
            }
            return;
        };
        let Some(campaign) = self.0.get(&id) else {
            faults.add("campaign", "campaign.unknown", UNKNOWN);
            return;
        };
        if !campaign.state.takes_orders() {
            let closed = closed();
            faults.add(closed.field, closed.code, closed.detail);
            return;
        }
        // The fields that only callbacks have are no fault of an invite here.
        let mut unheard = FieldErrors::default();
        if let Ok(defaults) = RequestBody::read(kind, campaign.defaults.as_bytes(), &mut unheard) {
            body.complete(defaults);
        }
    }

    /// Why a list cannot be for this campaign.
    pub(in crate::http::api) fn fault_of(&self, id: CampaignId) -> Option<FieldError> {
        match self.0.get(&id) {
            None => {
                let detail = UNKNOWN.to_owned();
                Some(FieldError { field: "campaign".to_owned(), code: "campaign.unknown", detail })
            }
            Some(campaign) => (!campaign.state.takes_orders()).then(closed),
        }
    }

    /// The order as the store will have it: one of a draft waits for the launch. Only the store may hold it, because the
    /// campaign may be launched before the order is stored.
    pub(super) fn as_stored<'c>(&self, callback: &'c Callback) -> Cow<'c, Callback> {
        let campaign = callback.order.campaign_id().and_then(|id| self.0.get(&id));
        match campaign.filter(|campaign| campaign.state == CampaignState::Draft) {
            None => Cow::Borrowed(callback),
            Some(campaign) => {
                let mut held = callback.clone();
                campaign.hold(&mut held);
                Cow::Owned(held)
            }
        }
    }
}

const NO_ID: &str =
    "begins as the id of a campaign, and is none: expected cmp_ and 32 hexadecimal digits, or another label";
const UNKNOWN: &str = "is not an open campaign of this tenant";

/// The fault of an order for a campaign that takes none.
pub(super) fn closed() -> FieldError {
    let detail = "takes no orders: only a draft or a running campaign does".to_owned();
    FieldError { field: "campaign".to_owned(), code: "campaign.closed", detail }
}

/// Shows a repeated order as it was stored first.
pub(super) async fn hold_again(app: &App, callback: &mut Callback) -> Result<(), ApiError> {
    let Some(id) = callback.order.campaign_id() else { return Ok(()) };
    let Some(record) = app.store.campaign(id).await? else { return Ok(()) };
    let launched = record.acts.iter().find(|act| &*act.act == "launch");
    if launched.is_none_or(|act| act.at > callback.created_at) {
        record.campaign.hold(callback);
    }
    Ok(())
}

impl<'a> RequestBody<'a> {
    /// Takes from `defaults` what it does not have itself.
    fn complete(&mut self, defaults: Self) {
        if self.sender.is_none() && self.senders.is_none() {
            (self.sender, self.senders) = (defaults.sender, defaults.senders);
        }
        fill(&mut self.earliest, defaults.earliest);
        fill(&mut self.latest, defaults.latest);
        fill(&mut self.hours, defaults.hours);
        fill(&mut self.priority, defaults.priority);
        fill(&mut self.document, defaults.document);
        fill(&mut self.agent, defaults.agent);
        fill(&mut self.pool, defaults.pool);
        fill(&mut self.attempts_max, defaults.attempts_max);
        fill(&mut self.purpose, defaults.purpose);
        fill(&mut self.missed_window, defaults.missed_window);
        fill(&mut self.separate, defaults.separate);
        fill(&mut self.preview, defaults.preview);
        fill(&mut self.preview_s, defaults.preview_s);
        fill(&mut self.preview_times, defaults.preview_times);
        fill(&mut self.preview_else, defaults.preview_else);
        if let Some(defaults) = defaults.variables {
            let own = &mut self.variables.get_or_insert_default().0;
            for (name, value) in defaults.0 {
                own.entry(name).or_insert(value);
            }
        }
    }
}

fn fill<T>(own: &mut Option<T>, default: Option<T>) {
    if own.is_none() {
        *own = default;
    }
}

/// The fields that a campaign may give its orders.
const GIVEN: [&str; 18] = [
    "sender",
    "senders",
    "earliest",
    "latest",
    "hours",
    "priority",
    "document",
    "variables",
    "agent",
    "pool",
    "attempts_max",
    "purpose",
    "missed_window",
    "separate",
    "preview",
    "preview_s",
    "preview_times",
    "preview_else",
];

/// The fields that each row of a list has for itself.
const OF_A_ROW: [&str; 2] = ["consumer", "reference"];

/// What is wrong with the fields that all rows of a list get, as far as it does not depend on the row: unknown fields, and
/// fields of a wrong type.
pub(in crate::http::api) fn faults_of_list(app: &App, defaults: &str) -> Vec<FieldError> {
    let mut faults = FieldErrors::within(app.limits.order);
    if let Ok(body) = RequestBody::read(OrderKind::Callback, defaults.as_bytes(), &mut faults) {
        for (name, is_given) in OF_A_ROW.into_iter().zip([body.consumer.is_some(), body.reference.is_some()])
        {
            if is_given {
                faults.add(name, "field.unknown", "is a field of each row, and no default");
            }
        }
    }
    let found = faults.into_vec().into_iter();
    found.map(|fault| FieldError { field: format!("defaults.{}", fault.field), ..fault }).collect()
}

/// What is wrong with the defaults of a new campaign: each as an order would have it, but for what is missing.
pub(in crate::http::api) fn faults_of(
    app: &App,
    caller: &Caller,
    calendars: Calendars,
    defaults: &[u8],
) -> Vec<FieldError> {
    let shape = |detail: &str| {
        let detail = detail.to_owned();
        vec![FieldError { field: "defaults".to_owned(), code: "field.type", detail }]
    };
    let limits = app.limits.order;
    if defaults.len() > limits.bytes_max {
        return shape(&format!("has more than {} bytes", limits.bytes_max));
    }
    let Ok(given) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(defaults) else {
        return shape("expected an object with fields of an order");
    };
    let mut faults = FieldErrors::within(limits);
    for name in given.keys().filter(|name| !GIVEN.contains(&name.as_str()) && *name != "preview_seconds") {
        let detail = format!("is not a field that a campaign gives; these are {}", GIVEN.join(", "));
        faults.add(super::field_errors::quoted(name), "field.unknown", detail);
    }
    if faults.is_empty()
        && let Ok(body) = RequestBody::read(OrderKind::Callback, defaults, &mut faults)
    {
        let validator = super::validate::Validator::open(app, caller, calendars);
        _ = validator.order_of(OrderKind::Callback, body, &mut faults);
    }
    let root = |field: &str| field.split(['.', '[']).next().unwrap_or_default().to_owned();
    let is_theirs =
        |fault: &FieldError| given.contains_key(&root(&fault.field)) || fault.code == "field.unknown";
    let is_to_come = |fault: &FieldError| fault.code.ends_with(".missing");
    let found = faults.into_vec().into_iter().filter(|fault| is_theirs(fault) && !is_to_come(fault));
    found.map(|fault| FieldError { field: format!("defaults.{}", fault.field), ..fault }).collect()
}
