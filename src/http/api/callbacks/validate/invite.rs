//! An order that only invites: no call, so no document, agent or attempts.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::content::ContentNames;
use super::document::{check_needed, variable};
use super::times::Times;
use super::values::{check_metadata, missed_window, name, priority, purpose, required};
use super::{CAMPAIGN_MAX, REFERENCE_MAX, VARIABLE_MAX, Validator, phone};
use crate::domain::{AccountAlias, Order, OrderKind, Phone, Priority, Psid, Road, RoadKind};
use crate::http::api::callbacks::field_errors::{FieldErrors, nearest, too_long};
use crate::http::api::callbacks::request_body::{RequestBody, Variables};
use crate::policy::ladder;
use crate::text::visible::check_name;

/// The longest name of a variable, in characters; as in declared content (`docs/CONTENT.md`).
const VARIABLE_NAME_MAX: usize = 16;

impl Validator<'_> {
    /// The order of an invite in a body; `None` if `faults` is not empty.
    pub(super) fn invite(&self, body: RequestBody<'_>, faults: &mut FieldErrors) -> Option<Order> {
        let consumer = required("consumer", body.consumer, faults)
            .and_then(|text| phone(self.app, "consumer", &text, faults));
        let purpose = purpose(body.purpose, faults);
        let field = if body.senders.is_some() { "senders" } else { "sender" };
        let senders = self.senders(body.sender, body.senders, faults);
        if let Some(consumer) = consumer {
            self.check_consumer(consumer, &senders, faults);
        }
        self.check_roads(field, &senders, faults);
        let Times { earliest, latest, hours } = self.times(
            body.earliest,
            body.latest,
            (body.hours, body.zone),
            (consumer, purpose.unwrap_or_default()),
            faults,
        );
        let missed_window = missed_window(body.missed_window, hours.as_ref(), faults);
        let variables = body.variables.unwrap_or_default();
        let psids = self.psids(body.messenger, faults);
        self.check_pages(&senders, &psids, faults);
        let of_content = self.of_content(OrderKind::Invite, &senders, &psids);
        check_variables(&variables, &of_content, faults);
        let priority = priority(body.priority, faults);
        let campaign = name("campaign", body.campaign, CAMPAIGN_MAX, faults);
        let consent = self.consent(body.consent, purpose, faults);
        let reference = name("reference", body.reference, REFERENCE_MAX, faults);
        let metadata = body.metadata.map(|json| json.get());
        check_metadata(metadata, faults);
        if let Some(consumer) = consumer {
            self.check_contents(OrderKind::Invite, consumer, &senders, (&variables, &psids), faults);
        }
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
            missed_window,
            consent,
            reference,
            metadata: metadata.map(str::to_owned),
            ..Order::new(consumer?, senders, "", earliest, latest?)
        })
    }

    /// Refuses an order whose senders invite by pages of Messenger only, without an id of the consumer at one of them:
    /// nothing could ever be sent.
    fn check_pages(&self, senders: &[Phone], psids: &BTreeMap<AccountAlias, Psid>, faults: &mut FieldErrors) {
        let configured = senders.iter().filter_map(|&number| self.app.directory.sender(number));
        let roads: Vec<Road> = configured.flat_map(ladder::roads).collect();
        if let Some(pages) = pages_without_an_id(&roads, psids).filter(|_| !faults.has("messenger")) {
            let pages = pages.into_iter().collect::<Vec<_>>().join(", ");
            let detail = format!(
                "is missing: the senders invite by Messenger only, so give the consumer's id at a page of {pages} \
                 (our own rule)"
            );
            faults.add("messenger", "messenger.missing", detail);
        }
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

/// The names of the pages' accounts, if the roads are pages only and the order has no id of the consumer at any of them.
fn pages_without_an_id<'a>(
    roads: &'a [Road],
    psids: &BTreeMap<AccountAlias, Psid>,
) -> Option<BTreeSet<&'a str>> {
    let is_page = |road: &Road| road.kind == RoadKind::Messenger && !psids.contains_key(&road.account);
    let pages_only = !roads.is_empty() && roads.iter().all(is_page);
    pages_only.then(|| roads.iter().map(|road| &*road.account).collect())
}

/// Every variable of the content needs a value, and no other is taken if all content is known.
fn check_variables(given: &Variables<'_>, of_content: &ContentNames<'_>, faults: &mut FieldErrors) {
    // Without the right senders it is unknown which content the order has.
    let is_of_others = ["sender", "senders"].iter().any(|field| faults.has(field));
    // If the variables could not be read, it is unknown which are missing.
    let unread = given.0.is_empty() && faults.has("variables");
    for (name, value) in &given.0 {
        let field = || variable(name);
        let fits = (1..=VARIABLE_NAME_MAX).contains(&name.len());
        if !fits || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let detail = format!(
                "is no name of a variable: expected 1 to {VARIABLE_NAME_MAX} letters and digits (our own rule)"
            );
            faults.add(field(), "variable.name", detail);
        } else if value.trim().is_empty() {
            faults.add(field(), "field.empty", "is blank: WhatsApp sends no empty value");
        } else if value.len() > VARIABLE_MAX {
            faults.add(field(), "field.too_long", too_long(value.len(), VARIABLE_MAX));
        } else if let Err(hidden) = check_name(value) {
            faults.add(field(), "field.characters", hidden.to_string());
        } else if !is_of_others && !of_content.is_partial && !of_content.known.contains(&**name) {
            let near = nearest(name, of_content.known.iter().copied());
            let detail =
                format!("no content of the senders' invites has such a variable (our own rule){near}");
            faults.add(field(), "variable.unknown", detail);
        }
    }
    if !unread {
        check_needed(of_content, given, faults);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::OrderLimits;

    #[test]
    fn an_id_is_needed_if_the_roads_are_pages_only() {
        let road =
            |kind, account: &str| Road { kind, account: account.into(), content: "HX1".parse().unwrap() };
        let [one, two] = ["one", "two"].map(|account| road(RoadKind::Messenger, account));
        let button = road(RoadKind::UrlButton, "cloud");
        let at = |accounts: &[&str]| -> BTreeMap<AccountAlias, Psid> {
            accounts.iter().map(|account| ((*account).into(), "6789012345678901".parse().unwrap())).collect()
        };
        let missing = |roads: &[Road], accounts: &[&str]| {
            pages_without_an_id(roads, &at(accounts))
                .map(|pages| pages.into_iter().collect::<Vec<_>>().join(" "))
        };
        let both = [one.clone(), two.clone()];
        assert_eq!(missing(&both, &[]).as_deref(), Some("one two"));
        assert_eq!(
            missing(&both, &["three"]).as_deref(),
            Some("one two"),
            "an id of another page does not help"
        );
        assert_eq!(missing(&both, &["two"]), None);
        assert_eq!(missing(&[one, button], &[]), None, "another road may open");
        assert_eq!(missing(&[], &[]), None, "that is told of the sender");
    }

    #[test]
    fn of_a_sender_that_is_not_known_no_variable_is_refused() {
        let of_content = ContentNames::default();
        for (field, is_told) in [("sender", false), ("senders[1]", false), ("consumer", true)] {
            let given = Variables([(Cow::Borrowed("who"), Cow::Borrowed("Ana"))].into());
            let mut faults = FieldErrors::within(OrderLimits::default());
            faults.add(field, "sender.unknown", "is not configured");
            check_variables(&given, &of_content, &mut faults);
            assert_eq!(faults.has("variables"), is_told, "{field}");
        }
    }

    #[test]
    fn an_invite_gives_a_value_for_each_variable_of_its_content_and_no_other() {
        let names = |is_partial: bool| ContentNames {
            needed: BTreeSet::from(["who"]),
            known: BTreeSet::from(["who", "page"]),
            is_partial,
        };
        let told_of = |of_content: ContentNames<'_>, given: &[(&'static str, &'static str)]| {
            let borrowed =
                |(name, value): &(&'static str, &'static str)| (Cow::Borrowed(*name), Cow::Borrowed(*value));
            let given = Variables(given.iter().map(borrowed).collect());
            let limits = OrderLimits { bytes_max: 10_000, fields_max: 100, faults_max: 100 };
            let mut faults = FieldErrors::within(limits);
            check_variables(&given, &of_content, &mut faults);
            let faults = faults.into_vec().into_iter();
            faults.map(|fault| format!("{}: {}", fault.field, fault.code)).collect::<Vec<_>>()
        };
        let told = |given: &[(&'static str, &'static str)]| told_of(names(false), given);
        assert_eq!(told(&[("who", "Ana")]), Vec::<String>::new());
        assert_eq!(told(&[("who", "Ana"), ("page", "x")]), Vec::<String>::new());
        assert_eq!(told(&[]), ["variables.who: variable.missing"]);
        assert_eq!(told(&[("who", " ")]), ["variables.who: field.empty"]);
        assert_eq!(told(&[("who", "Ana"), ("wo", "x")]), ["variables.wo: variable.unknown"]);
        assert_eq!(told_of(names(true), &[("who", "Ana"), ("wo", "x")]), Vec::<String>::new());
    }
}
