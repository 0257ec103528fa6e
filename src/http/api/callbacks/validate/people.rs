//! Whom an order calls, from which senders, and who serves the consumer.

use super::{SENDERS_MAX, Validator};
use crate::domain::country::barred_destination;
use crate::domain::{AgentTarget, Phone, Sender};
use crate::http::App;
use crate::http::api::callbacks::field_errors::FieldErrors;
use crate::http::api::callbacks::request_body::Text;
use crate::twiml::Document;

impl<'a> Validator<'a> {
    pub(super) fn senders(
        &self,
        one: Option<Text<'_>>,
        many: Option<Vec<Text<'_>>>,
        faults: &mut FieldErrors,
    ) -> Vec<Phone> {
        if faults.has("sender") || faults.has("senders") {
            return Vec::new();
        }
        let (field, texts) = match (one, many) {
            (Some(_), Some(_)) => {
                faults.add("senders", "sender.twice", "is given together with sender: give one of the two");
                return Vec::new();
            }
            (Some(one), None) => ("sender", vec![one]),
            (None, Some(many)) => ("senders", many),
            (None, None) => return self.only_sender(faults).into_iter().collect(),
        };
        if texts.is_empty() || texts.len() > SENDERS_MAX {
            let detail = format!("has {} senders: expected 1 to {SENDERS_MAX}", texts.len());
            faults.add(field, "sender.count", detail);
            return Vec::new();
        }
        let mut senders = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let path = || if field == "sender" { field.to_owned() } else { format!("{field}[{index}]") };
            let number = match Phone::read(&text.0, self.app.defaults.country) {
                Ok(number) => number,
                Err(error) => {
                    faults.add(path(), "phone.invalid", error.to_string());
                    continue;
                }
            };
            if self.app.directory.sender(number).is_none() {
                faults.add(
                    path(),
                    "sender.unknown",
                    "is not a configured sender; GET /v1/senders lists them",
                );
            } else if !self.caller.may_use_sender(number) {
                faults.add(path(), "sender.not_allowed", "is not one of the senders of the token");
            } else if senders.contains(&number) {
                faults.add(path(), "sender.twice", "is repeated");
            } else {
                senders.push(number);
            }
        }
        self.check_group(field, &senders, faults);
        senders
    }

    /// Refuses senders of different dialling groups: one leader has to dial for all of them.
    fn check_group(&self, field: &str, senders: &[Phone], faults: &mut FieldErrors) {
        let directory = &self.app.directory;
        let mut groups = senders
            .iter()
            .filter_map(|&number| directory.sender(number).map(|sender| directory.group_of(&sender.account)));
        let Some(first) = groups.next() else { return };
        if let Some(other) = groups.find(|group| *group != first) {
            let detail = format!(
                "has senders of the dialling groups {first} and {other}: the senders of an order are of one group"
            );
            faults.add(field, "sender.group", detail);
        }
    }

    /// Refuses a consumer who is one of our senders, and a destination that is not called.
    pub(super) fn check_consumer(&self, consumer: Phone, senders: &[Phone], faults: &mut FieldErrors) {
        if self.app.directory.sender(consumer).is_some() || senders.contains(&consumer) {
            let detail = "is one of our own senders: a sender cannot call itself";
            faults.add("consumer", "consumer.is_sender", detail);
        }
        self.check_destination(consumer, faults);
    }

    fn check_destination(&self, consumer: Phone, faults: &mut FieldErrors) {
        let Some(prefix) = self.app.rules.bars(consumer) else { return };
        let rule = barred_destination(prefix).map_or_else(
            || "by the operator's own rule".to_owned(),
            |barred| format!("{}, by sanctions ({}, {})", barred.name, barred.source, barred.as_of),
        );
        let detail =
            format!("starts with {prefix}, which is not called: {rule}; see limits.destinations_refused");
        faults.add("consumer", "consumer.destination_barred", detail);
    }

    fn only_sender(&self, faults: &mut FieldErrors) -> Option<Phone> {
        let allowed = |sender: &&Sender| self.caller.may_use_sender(sender.number);
        let mut senders = self.app.directory.senders().filter(allowed);
        match (senders.next(), senders.count()) {
            (Some(only), 0) => Some(only.number),
            (first, others) => {
                let count = others.saturating_add(usize::from(first.is_some()));
                let detail =
                    format!("is missing: {count} senders are configured, so the order must name one");
                faults.add("sender", "field.missing", detail);
                None
            }
        }
    }

    /// The value that all senders of a callback share, so that it does not depend on which one calls.
    pub(super) fn common<T: PartialEq>(
        &self,
        senders: &[Phone],
        of: fn(&Sender) -> Option<&T>,
    ) -> Option<&'a T> {
        let app: &'a App = self.app;
        let mut each = senders.iter().map(|&number| app.directory.sender(number).and_then(of));
        let first = each.next().flatten()?;
        each.all(|other| other == Some(first)).then_some(first)
    }

    /// The agent of the order, or the one whom all its senders share if the document needs one.
    pub(super) fn agent(
        &self,
        given: Option<Text<'_>>,
        document: Option<&Document>,
        senders: &[Phone],
        faults: &mut FieldErrors,
    ) -> Option<AgentTarget> {
        match (given, document) {
            (Some(text), _) => {
                text.0.parse().map_err(|error| faults.add("agent", "agent.invalid", format!("{error}"))).ok()
            }
            (None, Some(document)) if document.needs_agent() => self.usual_agent(document, senders, faults),
            (None, _) => None,
        }
    }

    /// The agent of the senders' calls, for orders without one.
    fn usual_agent(
        &self,
        document: &Document,
        senders: &[Phone],
        faults: &mut FieldErrors,
    ) -> Option<AgentTarget> {
        let usual = self.common(senders, |sender| sender.agent.as_ref());
        if usual.is_none() && !faults.has("agent") {
            let detail = format!(
                "is missing: the document {:?} connects an agent, and the senders do not share one",
                document.name()
            );
            faults.add("agent", "agent.missing", detail);
        }
        usual.cloned()
    }
}

pub(in crate::http::api::callbacks) fn phone(
    app: &App,
    field: &str,
    text: &Text<'_>,
    faults: &mut FieldErrors,
) -> Option<Phone> {
    Phone::read(&text.0, app.defaults.country)
        .map_err(|error| faults.add(field, "phone.invalid", error.to_string()))
        .ok()
}
