//! An order that only invites: no call, so no document, agent or attempts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::times::Times;
use super::values::{check_metadata, name, priority, purpose, required, too_long};
use super::{CAMPAIGN_MAX, REFERENCE_MAX, VARIABLE_MAX, Validator, phone};
use crate::domain::{Order, OrderKind, Phone, Priority};
use crate::http::api::callbacks::field_errors::{FieldErrors, quoted};
use crate::http::api::callbacks::request_body::{RequestBody, Variables};
use crate::text::visible::check_name;

/// The longest name of a variable, in characters; as in declared content (`docs/CONTENT.md`).
const VARIABLE_NAME_MAX: usize = 16;

impl Validator<'_> {
    /// The order of an invite in a body; `None` if `faults` is not empty.
    pub(in crate::http::api::callbacks) fn invite(
        &self,
        body: RequestBody<'_>,
        faults: &mut FieldErrors,
    ) -> Option<Order> {
        let consumer = required("consumer", body.consumer, faults)
            .and_then(|text| phone(self.app, "consumer", &text, faults));
        let field = if body.senders.is_some() { "senders" } else { "sender" };
        let senders = self.senders(body.sender, body.senders, faults);
        if let Some(consumer) = consumer {
            self.check_consumer(consumer, &senders, faults);
        }
        self.check_roads(field, &senders, faults);
        let Times { earliest, latest, hours } = self.times(body.earliest, body.latest, body.hours, faults);
        let variables = body.variables.unwrap_or_default();
        check_variables(&variables, faults);
        let psids = self.psids(body.messenger, faults);
        let priority = priority(body.priority, faults);
        let campaign = name("campaign", body.campaign, CAMPAIGN_MAX, faults);
        let purpose = purpose(body.purpose, faults);
        let reference = name("reference", body.reference, REFERENCE_MAX, faults);
        let metadata = body.metadata.map(|json| json.get());
        check_metadata(metadata, faults);
        if !faults.is_empty() {
            return None;
        }
        let owned = |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into_owned(), value.into_owned());
        Some(Order {
            kind: OrderKind::Invite,
            psids,
            hours,
            priority: priority.unwrap_or(Priority::DEFAULT),
            variables: variables.0.into_iter().map(owned).collect::<BTreeMap<_, _>>(),
            campaign,
            purpose: purpose.unwrap_or_default(),
            reference,
            metadata: metadata.map(str::to_owned),
            ..Order::new(consumer?, senders, "", earliest, latest?)
        })
    }

    /// Refuses an order of which no sender has content that invites: nothing could ever be sent.
    fn check_roads(&self, field: &str, senders: &[Phone], faults: &mut FieldErrors) {
        let invites = |number: &Phone| {
            let sender = self.app.directory.sender(*number);
            sender.is_some_and(|sender| sender.invite.is_some() || !sender.roads.is_empty())
        };
        if !senders.is_empty() && !senders.iter().any(invites) {
            let detail = "has no content that invites: the operator has to configure one for the sender";
            faults.add(field, "sender.no_invite", detail);
        }
    }
}

/// Which variables the content has, the sender of the message decides; what it does not use is not sent.
fn check_variables(given: &Variables<'_>, faults: &mut FieldErrors) {
    for (name, value) in &given.0 {
        let field = || format!("variables.{}", quoted(name).trim_matches('"'));
        let fits = (1..=VARIABLE_NAME_MAX).contains(&name.len());
        if !fits || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let detail =
                format!("is no name of a variable: expected 1 to {VARIABLE_NAME_MAX} letters and digits");
            faults.add(field(), "variable.name", detail);
        } else if value.trim().is_empty() {
            faults.add(field(), "field.empty", "is blank: WhatsApp sends no empty value");
        } else if value.len() > VARIABLE_MAX {
            faults.add(field(), "field.too_long", too_long(value.len(), VARIABLE_MAX));
        } else if let Err(hidden) = check_name(value) {
            faults.add(field(), "field.characters", hidden.to_string());
        }
    }
}
