//! Dialling groups at the door: what an order uses that only one group may use, and the refusal of an order that mixes two.

use super::field_errors::FieldErrors;
use super::request_body::RequestBody;
use crate::domain::{Agent, AgentTarget, Agents, Callback, CampaignId, OrderKind, Phone, Resource};
use crate::http::error::FieldError;
use crate::http::{ApiError, App};
use crate::policy;
use crate::store::OtherGroup;
use crate::twiml::Document;

impl App {
    /// What the order uses that has to be of its group.
    pub(in crate::http::api) fn of_one_group(&self, callback: &Callback) -> Vec<Resource> {
        let script = self.documents.document(&callback.order.document).map(Document::script);
        policy::of_one_group(callback, &self.directory, &self.rules, script)
    }
}

/// Takes a new campaign for the group of the senders of its defaults, if it has any.
pub(in crate::http::api) async fn take_campaign(
    app: &App,
    id: CampaignId,
    defaults: &str,
) -> Result<(), ApiError> {
    let mut faults = FieldErrors::within(app.limits.order);
    let Ok(body) = RequestBody::read(OrderKind::Callback, defaults.as_bytes(), &mut faults) else {
        return Ok(());
    };
    let texts = body.sender.into_iter().chain(body.senders.into_iter().flatten());
    let senders: Vec<Phone> =
        texts.filter_map(|text| Phone::read(&text.0, app.defaults.country).ok()).collect();
    if senders.is_empty() || !app.directory.has_groups() {
        return Ok(());
    }
    let campaign = Resource::campaign(&id.to_string());
    let group = app.directory.group_of_senders(&senders);
    match app.store.use_in_group(vec![campaign], group).await? {
        None => Ok(()),
        Some(other) => Err(ApiError::fields("campaign.invalid", vec![fault(&other)])),
    }
}

/// Takes an agent who accepts an offer for the callback's group, if the agent has a ceiling.
pub(in crate::http::api) async fn take_agent(
    app: &App,
    callback: &Callback,
    agent: &AgentTarget,
) -> Result<(), ApiError> {
    let alone = Agents::new(Agent::of(agent)).map(Resource::Agents);
    let Some(agent) = alone.filter(|agent| app.rules.ceilings.contains_key(agent)) else { return Ok(()) };
    if !app.directory.has_groups() {
        return Ok(());
    }
    match app.store.use_in_group(vec![agent], callback.group.clone()).await? {
        None => Ok(()),
        Some(other) => Err(ApiError::fields("offer.invalid", vec![fault(&other)])),
    }
}

/// The fault of an order that uses something of another group than its senders'.
pub(in crate::http::api) fn fault(other: &OtherGroup) -> FieldError {
    FieldError { field: other.field().to_owned(), code: other.code(), detail: other.to_string() }
}
