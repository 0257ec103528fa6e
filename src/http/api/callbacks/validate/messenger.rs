//! The consumer's ids at Messenger's pages.

use std::collections::BTreeMap;

use super::Validator;
use crate::domain::{AccountAlias, Psid, RoadKind};
use crate::http::api::callbacks::field_errors::{FieldErrors, nearest, quoted};
use crate::http::api::callbacks::request_body::Variables;

impl Validator<'_> {
    /// The ids by the names of their pages' accounts. A page that no sender invites through is not known here.
    pub(super) fn psids(
        &self,
        given: Option<Variables<'_>>,
        faults: &mut FieldErrors,
    ) -> BTreeMap<AccountAlias, Psid> {
        let mut psids = BTreeMap::new();
        let Some(given) = given else { return psids };
        let pages = self.pages();
        for (alias, psid) in &given.0 {
            let field = format!("messenger.{}", quoted(alias).trim_matches('"'));
            let Some(page) = pages.get(&**alias).copied() else {
                let near = nearest(alias, pages.keys().copied());
                let detail = format!("no Messenger account has this name{near}");
                faults.add(field, "messenger.unknown", detail);
                continue;
            };
            // The id is not repeated: it names a person.
            match psid.parse() {
                Ok(psid) => _ = psids.insert(AccountAlias::clone(page), psid),
                Err(error) => faults.add(field, "psid.invalid", format!("{error}")),
            }
        }
        psids
    }

    /// The Messenger accounts that some sender invites through.
    fn pages(&self) -> BTreeMap<&str, &AccountAlias> {
        let roads = self.app.directory.senders().flat_map(|sender| &sender.roads);
        let pages = roads.filter(|road| road.kind == RoadKind::Messenger);
        pages.map(|road| (&*road.account, &road.account)).collect()
    }
}
