//! Which free texts have cells of their own. The first ones of a tenant do; the others are counted together.

use std::collections::{BTreeMap, BTreeSet};

use strum::{EnumString, IntoStaticStr};

use crate::domain::Tenant;
use crate::domain::campaign::campaign_id;

/// The label of everything that has no cells of its own.
pub const OTHER: &str = "(other)";

/// What a free text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum LabelKind {
    Campaign,
    Agent,
}

impl LabelKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// How many texts of a tenant have cells of their own.
    #[must_use]
    pub const fn most(self) -> usize {
        match self {
            Self::Campaign => 500,
            Self::Agent => 2_000,
        }
    }
}

/// A text that gets cells of its own.
pub type NewLabel = (Tenant, LabelKind, String);

/// The texts with cells of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<Tenant, BTreeMap<LabelKind, BTreeSet<String>>>);

impl Labels {
    /// Texts of tenants that are not remembered: so many tenants have labels.
    pub const TENANTS_MAX: usize = 1_000;

    pub fn add(&mut self, (tenant, kind, text): NewLabel) {
        self.0.entry(tenant).or_default().entry(kind).or_default().insert(text);
    }

    fn of(&self, tenant: &Tenant, kind: LabelKind) -> Option<&BTreeSet<String>> {
        self.0.get(tenant)?.get(&kind)
    }

    /// The label under which a text is counted, and whether the text has to be remembered for it. `new` are those that are
    /// to be remembered already. Campaigns with an id always have their own.
    #[must_use]
    pub fn label<'t>(
        &self,
        new: &BTreeSet<NewLabel>,
        tenant: &Tenant,
        kind: LabelKind,
        text: &'t str,
    ) -> (&'t str, bool) {
        let is_campaign = kind == LabelKind::Campaign && campaign_id(text).is_some();
        let known = self.of(tenant, kind);
        if text.is_empty() || is_campaign || known.is_some_and(|known| known.contains(text)) {
            return (text, false);
        }
        let mine = |label: &&NewLabel| label.0 == *tenant && label.1 == kind;
        if new.iter().filter(mine).any(|label| label.2 == text) {
            return (text, false);
        }
        let taken = known.map_or(0, BTreeSet::len) + new.iter().filter(mine).count();
        let has_room = taken < kind.most() && (known.is_some() || self.0.len() < Self::TENANTS_MAX);
        if has_room { (text, true) } else { (OTHER, false) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_texts_have_their_own_and_the_next_one_is_counted_with_the_others() {
        let (mut labels, mut new) = (Labels::default(), BTreeSet::new());
        let (tenant, kind) = (Tenant::default(), LabelKind::Campaign);
        for n in 0..kind.most() - 1 {
            labels.add((tenant.clone(), kind, format!("c{n}")));
        }
        assert_eq!(labels.label(&new, &tenant, kind, "c0"), ("c0", false), "it is known");
        assert_eq!(labels.label(&new, &tenant, kind, "last"), ("last", true));
        new.insert((tenant.clone(), kind, "last".to_owned()));
        assert_eq!(labels.label(&new, &tenant, kind, "last"), ("last", false), "it was noted in this turn");
        assert_eq!(labels.label(&new, &tenant, kind, "one more"), (OTHER, false));
        let id = "cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f";
        assert_eq!(labels.label(&new, &tenant, kind, id), (id, false), "a campaign has its own");
        assert_eq!(labels.label(&new, &tenant, kind, ""), ("", false), "no campaign");
        assert_eq!(labels.label(&new, &tenant, LabelKind::Agent, "client:ana"), ("client:ana", true));
        let other: Tenant = "acme".parse().unwrap();
        assert_eq!(labels.label(&new, &other, kind, "one more"), ("one more", true), "each tenant has room");
    }
}
