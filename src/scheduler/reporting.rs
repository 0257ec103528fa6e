//! Adds what a turn changes to the counts of reports. They are written with its batch; nothing is decided by them.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use super::state::Scheduler;
use super::turn::Turn;
use crate::domain::reporting::{self, Counted, Facts, LabelKind, NewLabel, Quarter};
use crate::domain::{Attempt, Callback, Disposition, Message, Order, Stage, Tenant, WrapUpRecord, zones};
use crate::policy::errors::told_by_sip;
use crate::store;

/// An attempt has changed.
pub(super) fn attempt(turn: &mut Turn<'_>, before: &Attempt, after: &Attempt) {
    if before.disposition().is_none() && after.disposition().is_none() {
        return;
    }
    let Some(callback) = turn.work.callbacks.get(after.callback) else { return };
    let (order, tenant) = (callback.order.clone(), callback.tenant.clone());
    let (promised_at, first_rang_at) = (order.promised_at(), callback.first_rang_at());
    let campaign = campaign_label(turn, &tenant, &order);
    let agent = after.agent.as_ref().or_else(|| order.agent_at(after.submission.intended_at));
    let agent = agent.map(ToString::to_string);
    let agent = agent.map(|agent| label(turn, &tenant, LabelKind::Agent, &agent));
    let counted = |attempt: &Attempt| {
        let told = attempt.disposition().map(|end| told(attempt, end));
        let agent = agent.as_deref();
        let purpose = order.purpose;
        let facts = Facts { campaign: &campaign, purpose, agent, told, promised_at, first_rang_at };
        reporting::of_attempt(attempt, &facts)
    };
    let (before, after) = (counted(before), counted(after));
    replace(turn, &tenant, Some(&order), before, after);
}

/// How an attempt ended, by all that the platform told, as reports count it.
#[must_use]
pub fn told(attempt: &Attempt, end: Disposition) -> Disposition {
    told_by_sip(attempt, end)
}

/// A message has changed.
pub(super) fn message(turn: &mut Turn<'_>, before: &Message, after: &Message) {
    let is_counted = |message: &Message| message.submission.stage == Stage::Accepted;
    if !is_counted(before) && !is_counted(after) {
        return;
    }
    let tenant = &after.tenant;
    let campaign = after.ordered.as_ref().and_then(|ordered| ordered.campaign.as_deref());
    let campaign = label(turn, tenant, LabelKind::Campaign, campaign.unwrap_or_default());
    let of = |message| reporting::of_message(message, &campaign);
    let (before, after) = (of(before), of(after));
    if before != after {
        replace(turn, tenant, None, before, after);
    }
}

/// An agent said something of a call, or something else than before.
pub(super) fn wrap_up(
    turn: &mut Turn<'_>,
    callback: &Callback,
    before: Option<&WrapUpRecord>,
    after: &WrapUpRecord,
) {
    let campaign = campaign_label(turn, &callback.tenant, &callback.order);
    let counted = |record| reporting::of_wrap_up(record, &campaign);
    let (before, after) = (before.map(counted), counted(after));
    replace(turn, &callback.tenant, Some(&callback.order), Vec::from_iter(before), vec![after]);
}

/// A callback has changed, from this to what the turn has of it.
pub(super) fn callback(turn: &mut Turn<'_>, before: &Callback) {
    let Some(after) = turn.work.callbacks.get(before.id).cloned() else { return };
    let (order, tenant) = (after.order.clone(), after.tenant.clone());
    let campaign = campaign_label(turn, &tenant, &order);
    let (before, after) =
        (reporting::of_callback(before, &campaign), reporting::of_callback(&after, &campaign));
    if before != after {
        replace(turn, &tenant, Some(&order), before, after);
    }
}

fn replace(
    turn: &mut Turn<'_>,
    tenant: &Tenant,
    order: Option<&Order>,
    before: Vec<Counted>,
    after: Vec<Counted>,
) {
    let now = turn.now;
    let usual = &turn.scheduler.deps.settings.reports_zone;
    let is_late = |quarter: Quarter| quarter.is_closed(now, || zone_of(order, usual));
    turn.reported.cells.replace(tenant, before, after, is_late);
}

/// The zone of the days of an order: that of its hours, or the usual one.
fn zone_of(order: Option<&Order>, usual: &TimeZone) -> TimeZone {
    let own = order.and_then(|order| order.hours.as_ref()).and_then(|hours| zones::zone(&hours.zone).ok());
    own.unwrap_or_else(|| usual.clone())
}

fn campaign_label(turn: &mut Turn<'_>, tenant: &Tenant, order: &Order) -> String {
    let text = order.campaign.as_deref().unwrap_or_default();
    label(turn, tenant, LabelKind::Campaign, text)
}

/// The label under which a text is counted. A new one is remembered with the batch.
fn label(turn: &mut Turn<'_>, tenant: &Tenant, kind: LabelKind, text: &str) -> String {
    let (label, is_new) = turn.scheduler.report_labels.label(&turn.reported.labels, tenant, kind, text);
    let label = label.to_owned();
    if is_new {
        turn.reported.labels.insert((tenant.clone(), kind, label.clone()));
    }
    label
}

impl Scheduler {
    /// Reads the labels that have cells of their own.
    pub(super) async fn read_report_labels(&mut self) -> store::Result<()> {
        self.report_labels = self.deps.store.report_labels().await?;
        Ok(())
    }

    /// A batch with these labels was written.
    pub(super) fn labels_written(&mut self, labels: BTreeSet<NewLabel>) {
        labels.into_iter().for_each(|label| self.report_labels.add(label));
    }
}
