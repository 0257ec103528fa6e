//! The content of the messages that an order may lead to, and the order's values for it.

use std::collections::{BTreeMap, BTreeSet};

use super::Validator;
use crate::domain::{AccountAlias, ContentRef, OrderKind, Phone, Psid, RoadKind, Sender};
use crate::http::api::callbacks::field_errors::FieldErrors;
use crate::http::api::callbacks::request_body::Variables;

/// The variables of content.
#[derive(Debug, Default)]
pub(super) struct ContentNames<'a> {
    /// A message that this order can lead to has them, so each needs a value.
    pub needed: BTreeSet<&'a str>,
    /// Also those of roads that are closed to this order, such as a page at which the consumer has no id.
    pub known: BTreeSet<&'a str>,
    /// Some content is named by its identifier at the platform, so its variables are not known. It is sent without values.
    pub is_partial: bool,
}

impl<'a> Validator<'a> {
    /// The variables of all content that a message for this order may have.
    pub(super) fn of_content(
        &self,
        kind: OrderKind,
        senders: &[Phone],
        psids: &BTreeMap<AccountAlias, Psid>,
    ) -> ContentNames<'a> {
        if self.app.contents.variables.is_empty() {
            return ContentNames { is_partial: true, ..ContentNames::default() };
        }
        let mut names = ContentNames::default();
        for (content, is_open) in self.contents(kind, senders, psids) {
            let variables = self.app.contents.variables.get(content);
            names.is_partial |= variables.is_none();
            for name in variables.into_iter().flatten().map(String::as_str) {
                names.known.insert(name);
                if is_open {
                    names.needed.insert(name);
                }
            }
        }
        names
    }

    /// The content of the senders, and whether a message for this order can have it. An order that only invites asks for no
    /// permission.
    fn contents(
        &self,
        kind: OrderKind,
        senders: &[Phone],
        psids: &BTreeMap<AccountAlias, Psid>,
    ) -> Vec<(&'a ContentRef, bool)> {
        let senders = senders.iter().filter_map(|&number| self.app.directory.sender(number));
        let of = |sender: &'a Sender| {
            let asks = [sender.free_request(), sender.permission_template.as_ref()];
            let asks = asks.into_iter().flatten().map(|content| (content, true));
            let asks = asks.filter(move |_| kind == OrderKind::Callback);
            let roads = sender.roads.iter().map(move |road| {
                let is_open = road.kind != RoadKind::Messenger || psids.contains_key(&road.account);
                (&road.content, is_open)
            });
            asks.chain(sender.invite.iter().map(|content| (content, true))).chain(roads)
        };
        senders.flat_map(of).collect()
    }

    /// Refuses values with which a message of the order would not be sent, such as a text that becomes too long.
    pub(super) fn check_contents(
        &self,
        kind: OrderKind,
        consumer: Phone,
        senders: &[Phone],
        (variables, psids): (&Variables<'_>, &BTreeMap<AccountAlias, Psid>),
        faults: &mut FieldErrors,
    ) {
        if self.app.contents.meta.is_empty() && self.app.contents.pages.is_empty() {
            return;
        }
        let given: BTreeMap<String, String> =
            variables.0.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let contents = self.contents(kind, senders, psids);
        let open: BTreeSet<&ContentRef> =
            contents.into_iter().filter(|(_, is_open)| *is_open).map(|(content, _)| content).collect();
        for content in open {
            // The id is one of any page: only the lengths are checked.
            let psid = psids.values().next();
            let misfit = self.app.contents.misfit(content, consumer, psid, &given, self.now);
            if let Some(why) = misfit.filter(|_| !faults.has("variables")) {
                faults.add("variables", "content.refused", format!("do not fit content {content}: {why}"));
            }
        }
    }
}
