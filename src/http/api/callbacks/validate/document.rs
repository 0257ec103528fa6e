//! The document of an order, and the values that fill it.

use std::borrow::Cow;

use super::content::ContentNames;
use super::{VARIABLE_MAX, Validator};
use crate::domain::{AgentTarget, Phone};
use crate::http::api::callbacks::field_errors::{FieldErrors, nearest, quoted, too_long};
use crate::http::api::callbacks::request_body::{Text, Variables};
use crate::twiml::{Document, RenderError, Values, is_unordered};

/// The variable that a sender may have a default for.
const WORKFLOW: &str = "workflow";

/// The placeholders that fields of their own fill.
const AGENT: &str = "agent";
const REFERENCE: &str = "reference";

/// A placeholder for an id that does not exist yet.
const ID_SHAPED: &str = "cb_00000000000000000000000000000000";

/// The parts of an order that its document needs.
pub(super) struct Simulation<'v, 'a> {
    pub variables: &'v Variables<'a>,
    pub agent: Option<&'v AgentTarget>,
    pub reference: Option<&'v str>,
}

impl<'a> Validator<'a> {
    pub(super) fn document(&self, name: &Text<'_>, faults: &mut FieldErrors) -> Option<&'a Document> {
        let documents = &self.app.documents;
        let found = documents.document(&name.0);
        if found.is_none() {
            let near = nearest(&name.0, documents.names());
            let detail = format!("no TwiML document is named {}{near}", quoted(&name.0));
            faults.add("document", "document.unknown", detail);
        } else if is_unordered(&name.0) {
            let detail = "is a document that no order names: Ringmaster serves it by itself";
            faults.add("document", "document.not_ordered", detail);
            return None;
        } else if !self.caller.may_use_document(&name.0) {
            faults.add("document", "document.not_allowed", "is not one of the documents of the token");
            return None;
        }
        found
    }

    /// The variables of the order, with those that all its senders share, checked against the document.
    pub(super) fn variables<'v>(
        &self,
        given: Option<Variables<'v>>,
        document: Option<&Document>,
        senders: &[Phone],
        of_content: &ContentNames<'_>,
        faults: &mut FieldErrors,
    ) -> Variables<'v>
    where
        'a: 'v,
    {
        let mut variables = given.unwrap_or_default();
        if document.is_some_and(|document| document.variables().contains(WORKFLOW))
            && !variables.0.contains_key(WORKFLOW)
            && let Some(workflow) = self.common(senders, |sender| sender.workflow.as_ref())
        {
            variables.0.insert(Cow::Borrowed(WORKFLOW), Cow::Borrowed(workflow));
        }
        check_variables(document, of_content, &variables, faults);
        variables
    }

    /// Fills the document as an attempt would, so that an unusable value is refused now and not when a consumer has
    /// answered. Missing values were reported before.
    pub(super) fn rehearse(
        &self,
        document: &Document,
        consumer: Phone,
        senders: &[Phone],
        with: &Simulation<'_, '_>,
        faults: &mut FieldErrors,
    ) {
        let base = self.app.hook_urls.base();
        for &sender in senders {
            let values = Values {
                sender,
                consumer: Some(consumer),
                agent: with.agent,
                callback: ID_SHAPED,
                attempt: ID_SHAPED,
                reference: with.reference,
                action_url: base,
                leg_status_url: base,
                recording_url: base,
                variables: &|name| with.variables.0.get(name).map(|value| &**value),
                is_our_sender: &|number| self.app.directory.sender(number).is_some(),
            };
            for error in document.check(&values) {
                let (field, code) = match &error {
                    RenderError::MissingVariable { .. }
                    | RenderError::MissingAgent
                    | RenderError::NoConsumer => continue,
                    RenderError::Character { name } | RenderError::Unfit { name, .. } => {
                        (value(name), if name == AGENT { "agent.invalid" } else { "variable.unfit" })
                    }
                    RenderError::Host { name, .. } => (value(name), "host.not_allowed"),
                    RenderError::TooLarge { .. } => ("variables".to_owned(), "document.too_large"),
                    RenderError::OtherConsumer | RenderError::OtherSender | RenderError::UnknownSender => {
                        ("variables".to_owned(), "document.refused")
                    }
                };
                if !faults.has(&field) {
                    faults.add(field, code, error.to_string());
                }
            }
        }
    }
}

fn check_variables(
    document: Option<&Document>,
    of_content: &ContentNames<'_>,
    given: &Variables<'_>,
    faults: &mut FieldErrors,
) {
    // If the variables could not be read, it is unknown which are missing.
    let unread = given.0.is_empty() && faults.has("variables");
    for (name, value) in given.0.iter().filter(|(_, value)| value.len() > VARIABLE_MAX) {
        faults.add(variable(name), "field.too_long", too_long(value.len(), VARIABLE_MAX));
    }
    let Some(document) = document else { return };
    let needed = document.variables();
    for name in needed.iter().filter(|name| !unread && !given.0.contains_key(name.as_str())) {
        let field = variable(name);
        if !faults.has(&field) {
            let detail = format!("is missing: the document {:?} needs it", document.name());
            faults.add(field, "variable.missing", detail);
        }
    }
    if !unread {
        check_needed(of_content, given, faults);
    }
    let is_known = |name: &str| needed.contains(name) || of_content.known.contains(name);
    for name in given.0.keys().filter(|name| !is_known(name)) {
        let near = nearest(name, needed.iter().map(String::as_str));
        let detail = format!("the document {:?} has no such variable{near}", document.name());
        faults.add(variable(name), "variable.unknown", detail);
    }
}

/// Refuses the order if it has no value for a variable of content.
pub(super) fn check_needed(of_content: &ContentNames<'_>, given: &Variables<'_>, faults: &mut FieldErrors) {
    for name in &of_content.needed {
        let is_given = given.0.get(*name).is_some_and(|value| !value.trim().is_empty());
        let field = variable(name);
        if !is_given && !faults.has(&field) {
            let detail = "is missing: content of the sender's messages needs it (our own rule: consumers must not read \
                          its sample)";
            faults.add(field, "variable.missing", detail);
        }
    }
}

/// The field of the order that fills a placeholder.
fn value(name: &str) -> String {
    if [AGENT, REFERENCE].contains(&name) { name.to_owned() } else { variable(name) }
}

pub(super) fn variable(name: &str) -> String {
    format!("variables.{}", quoted(name).trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::OrderLimits;
    use crate::twiml::Library;

    #[test]
    fn an_order_gives_a_value_for_each_variable_of_its_senders_content_and_no_unknown_one() {
        let library = Library::embedded();
        let document = library.document("message");
        let needed = BTreeSet::from(["1", "name"]);
        let of_content =
            ContentNames { known: &needed | &BTreeSet::from(["at_page"]), needed, is_partial: false };
        let told = |given: &[(&'static str, &'static str)]| {
            let borrowed =
                |(name, value): &(&'static str, &'static str)| (Cow::Borrowed(*name), Cow::Borrowed(*value));
            let given = Variables(given.iter().map(borrowed).collect());
            let limits = OrderLimits { bytes_max: 10_000, fields_max: 100, faults_max: 100 };
            let mut faults = FieldErrors::within(limits);
            check_variables(document, &of_content, &given, &mut faults);
            let faults = faults.into_vec().into_iter();
            faults.map(|fault| format!("{}: {}", fault.field, fault.code)).collect::<Vec<_>>()
        };
        assert_eq!(told(&[("message", "Hi"), ("1", "Ana"), ("name", "Order 7")]), Vec::<String>::new());
        assert_eq!(told(&[("message", "Hi"), ("1", "Ana")]), ["variables.name: variable.missing"]);
        assert_eq!(told(&[("message", "Hi"), ("1", " "), ("name", "x")]), ["variables.1: variable.missing"]);
        let unknown = told(&[("message", "Hi"), ("1", "Ana"), ("name", "x"), ("2", "y")]);
        assert_eq!(unknown, ["variables.2: variable.unknown"]);
        let of_a_page = told(&[("message", "Hi"), ("1", "Ana"), ("name", "x"), ("at_page", "y")]);
        assert_eq!(of_a_page, Vec::<String>::new());
    }
}
