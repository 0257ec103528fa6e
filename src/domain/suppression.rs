//! Suppression: lists of people whom nobody calls or writes to, whatever is ordered and whatever they allow.
//!
//! An entry is known by a hash of a name; which name that was is not stored here. How entries are found is the store's.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use super::{AccountAlias, Country, Order, OrderKind, Phone, Purpose};

/// A list. Its text is `house`, `erased`, or a kind and a name, such as `imported:register`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListName {
    /// The operator's own. It binds every sender.
    House,
    /// People whose data was erased. No entry is removed from it.
    Erased,
    /// Binds the senders of one account.
    Account(AccountAlias),
    /// Binds the orders of one campaign.
    Campaign(Arc<str>),
    /// A list of somebody else's, such as a national register. It has versions, and binds every sender.
    Imported(Arc<str>),
}

/// The text is not the name of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a list: expected \"house\", \"erased\", or \"account:\", \"campaign:\" or \"imported:\" and a name of at \
     most {} bytes",
    ListName::NAME_MAX
)]
pub struct ListNameError;

impl ListName {
    /// The longest name after the kind, in bytes.
    pub const NAME_MAX: usize = 100;

    /// Whether it comes in versions that are imported whole.
    #[must_use]
    pub const fn has_versions(&self) -> bool {
        matches!(self, Self::Imported(_))
    }

    /// Whether it binds what this account sends for this campaign.
    #[must_use]
    pub fn binds(&self, account: &AccountAlias, campaign: Option<&str>) -> bool {
        match self {
            Self::House | Self::Erased | Self::Imported(_) => true,
            Self::Account(own) => own == account,
            Self::Campaign(own) => Some(&**own) == campaign,
        }
    }
}

impl fmt::Display for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::House => f.write_str("house"),
            Self::Erased => f.write_str("erased"),
            Self::Account(name) => write!(f, "account:{name}"),
            Self::Campaign(name) => write!(f, "campaign:{name}"),
            Self::Imported(name) => write!(f, "imported:{name}"),
        }
    }
}

impl FromStr for ListName {
    type Err = ListNameError;

    fn from_str(text: &str) -> Result<Self, ListNameError> {
        match text {
            "house" => return Ok(Self::House),
            "erased" => return Ok(Self::Erased),
            _ => {}
        }
        let (kind, name) = text.split_once(':').ok_or(ListNameError)?;
        if name.trim() != name
            || !(1..=Self::NAME_MAX).contains(&name.len())
            || name.contains(char::is_control)
        {
            return Err(ListNameError);
        }
        match kind {
            "account" => Ok(Self::Account(name.into())),
            "campaign" => Ok(Self::Campaign(name.into())),
            "imported" => Ok(Self::Imported(name.into())),
            _ => Err(ListNameError),
        }
    }
}

/// What leaves for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outgoing {
    Call,
    Request,
    Invite,
}

/// What an entry forbids. The names are stored and are those of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum SuppressionScope {
    Calls,
    Requests,
    Invites,
    #[default]
    All,
    /// Nothing: a register was asked about the person, and the answer counts until the entry ends.
    Checked,
}

impl SuppressionScope {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    #[must_use]
    pub const fn covers(self, what: Outgoing) -> bool {
        matches!(
            (self, what),
            (Self::All, _)
                | (Self::Calls, Outgoing::Call)
                | (Self::Requests, Outgoing::Request)
                | (Self::Invites, Outgoing::Invite)
        )
    }
}

/// One entry for a person, with what its list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    pub list: ListName,
    pub scope: SuppressionScope,
    /// The purposes that the list binds; empty for all. A message for no order has none, and every list binds it.
    pub purposes: Vec<Purpose>,
    /// The countries of the numbers that the list binds; empty for all.
    pub countries: Vec<Country>,
    pub added_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Why it was added, if that was said.
    pub why: Option<Arc<str>>,
}

/// The term of a list that comes in versions: what its newest whole version says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListTerm {
    pub list: ListName,
    /// The purposes that it binds; empty for all.
    pub purposes: Vec<Purpose>,
    /// The countries of the numbers that it binds; empty for all.
    pub countries: Vec<Country>,
    /// From then on it says nothing certain of anybody.
    pub valid_until: Timestamp,
}

impl ListTerm {
    /// Whether it is over at `now`, for what would leave for this purpose to this number. What belongs to no order has no
    /// purpose, and every list binds it.
    #[must_use]
    pub fn is_over(&self, now: Timestamp, purpose: Option<Purpose>, consumer: Phone) -> bool {
        self.valid_until <= now
            && purpose.is_none_or(|own| self.purposes.is_empty() || self.purposes.contains(&own))
            && (self.countries.is_empty()
                || Country::of(consumer).is_some_and(|country| self.countries.contains(&country)))
    }
}

/// For what something would leave.
#[derive(Debug, Clone, Copy)]
pub struct Errand<'a> {
    pub account: &'a AccountAlias,
    pub campaign: Option<&'a str>,
    /// `None` for what belongs to no order.
    pub purpose: Option<Purpose>,
    /// Whom it is for.
    pub consumer: Phone,
}

impl<'a> Errand<'a> {
    /// An order, from a sender of this account.
    #[must_use]
    pub fn of(order: &'a Order, account: &'a AccountAlias) -> Self {
        Self {
            account,
            campaign: order.campaign.as_deref(),
            purpose: Some(order.purpose),
            consumer: order.consumer,
        }
    }
}

impl Suppression {
    /// Whether it has not ended at `now`.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }

    /// Whether it forbids this.
    #[must_use]
    pub fn forbids(&self, now: Timestamp, what: Outgoing, errand: &Errand<'_>) -> bool {
        let binds_purpose =
            || errand.purpose.is_none_or(|own| self.purposes.is_empty() || self.purposes.contains(&own));
        let binds_country = || {
            self.countries.is_empty()
                || Country::of(errand.consumer).is_some_and(|country| self.countries.contains(&country))
        };
        self.scope.covers(what)
            && self.is_in_force(now)
            && self.list.binds(errand.account, errand.campaign)
            && binds_purpose()
            && binds_country()
    }
}

/// The entry that forbids this, if there is one; that of the first list, if there are several.
#[must_use]
pub fn forbidden<'s>(
    suppressions: &'s [Suppression],
    now: Timestamp,
    what: Outgoing,
    errand: &Errand<'_>,
) -> Option<&'s Suppression> {
    let all = suppressions.iter().filter(|entry| entry.forbids(now, what, errand));
    all.min_by(|one, other| (&one.list, one.added_at).cmp(&(&other.list, other.added_at)))
}

/// The entry because of which a new order is refused: what it orders is forbidden to all of its senders. `accounts` are
/// those of the senders; one that is not configured counts for nothing.
#[must_use]
pub fn refuses_order<'s>(
    suppressions: &'s [Suppression],
    now: Timestamp,
    order: &Order,
    accounts: &BTreeMap<Phone, AccountAlias>,
) -> Option<&'s Suppression> {
    let what = match order.kind {
        OrderKind::Callback => Outgoing::Call,
        OrderKind::Invite => Outgoing::Invite,
    };
    let mut found = None;
    for account in order.senders.iter().filter_map(|sender| accounts.get(sender)) {
        found = Some(forbidden(suppressions, now, what, &Errand::of(order, account))?);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_790_000_000 + second, 0)
    }

    fn entry(list: &str, scope: SuppressionScope) -> Suppression {
        Suppression {
            list: list.parse().unwrap(),
            scope,
            purposes: Vec::new(),
            countries: Vec::new(),
            added_at: at(0),
            expires_at: None,
            why: None,
        }
    }

    fn brazil() -> Phone {
        Phone::parse("+5511987654321").unwrap()
    }

    #[test]
    fn a_list_binds_numbers_of_its_countries() {
        let account = main();
        let to = |number: &str| Errand {
            account: &account,
            campaign: None,
            purpose: Some(Purpose::Service),
            consumer: Phone::parse(number).unwrap(),
        };
        let countries = Country::parse("BR").into_iter().collect();
        let list = Suppression { countries, ..entry("imported:x", SuppressionScope::All) };
        assert!(list.forbids(at(0), Outgoing::Call, &to("+5511987654321")));
        assert!(!list.forbids(at(0), Outgoing::Call, &to("+4915112345678")));
        let checked = entry("imported:x", SuppressionScope::Checked);
        assert!(
            !checked.forbids(at(0), Outgoing::Call, &to("+5511987654321")),
            "it was asked, and forbids nothing"
        );
    }

    #[test]
    fn the_term_of_a_list_is_over_for_whom_it_binds() {
        let term = ListTerm {
            list: "imported:x".parse().unwrap(),
            purposes: vec![Purpose::Marketing],
            countries: Country::parse("BR").into_iter().collect(),
            valid_until: at(60),
        };
        let over = |second| term.is_over(at(second), Some(Purpose::Marketing), brazil());
        assert_eq!([over(59), over(60), over(61)], [false, true, true]);
        assert!(!term.is_over(at(60), Some(Purpose::Requested), brazil()));
        assert!(term.is_over(at(60), None, brazil()), "nobody has asked for that");
        assert!(!term.is_over(at(59), None, brazil()));
        let elsewhere = Phone::parse("+4915112345678").unwrap();
        assert!(!term.is_over(at(60), Some(Purpose::Marketing), elsewhere));
        assert!(!term.is_over(at(60), None, elsewhere));
        let all = ListTerm { purposes: Vec::new(), countries: Vec::new(), ..term };
        assert!(all.is_over(at(60), Some(Purpose::Service), elsewhere));
    }

    fn main() -> AccountAlias {
        "main".into()
    }

    #[test]
    fn the_name_of_a_list_is_read_as_it_is_written() {
        let longest = format!("imported:{}", "a".repeat(100));
        for text in ["house", "erased", "account:main", "campaign:spring 26", "imported:a:b", &longest] {
            assert_eq!(text.parse::<ListName>().map(|name| name.to_string()).as_deref(), Ok(text));
        }
        let too_long = format!("imported:{}", "a".repeat(101));
        for text in ["", "House", "account", "account:", "other:x", "imported: x", "imported:a\n", &too_long]
        {
            assert_eq!(text.parse::<ListName>(), Err(ListNameError), "{text}");
        }
    }

    #[test]
    fn each_scope_forbids_what_it_names() {
        let account = main();
        let errand =
            Errand { account: &account, campaign: None, purpose: Some(Purpose::Service), consumer: brazil() };
        for (scope, forbidden) in [
            (SuppressionScope::All, [true, true, true]),
            (SuppressionScope::Calls, [true, false, false]),
            (SuppressionScope::Requests, [false, true, false]),
            (SuppressionScope::Invites, [false, false, true]),
        ] {
            let found = [Outgoing::Call, Outgoing::Request, Outgoing::Invite]
                .map(|what| entry("house", scope).forbids(at(0), what, &errand));
            assert_eq!(found, forbidden, "{scope:?}");
        }
    }

    #[test]
    fn a_list_binds_its_own_account_campaign_and_purposes() {
        let (account, other) = (main(), AccountAlias::from("other"));
        let errand = |account, campaign, purpose| Errand { account, campaign, purpose, consumer: brazil() };
        let forbids = |entry: &Suppression, errand| entry.forbids(at(0), Outgoing::Call, &errand);
        let of_account = entry("account:main", SuppressionScope::All);
        assert!(forbids(&of_account, errand(&account, None, None)));
        assert!(!forbids(&of_account, errand(&other, None, None)));
        let of_campaign = entry("campaign:spring", SuppressionScope::All);
        assert!(forbids(&of_campaign, errand(&account, Some("spring"), None)));
        assert!(!forbids(&of_campaign, errand(&account, Some("summer"), None)));
        assert!(!forbids(&of_campaign, errand(&account, None, None)));
        let register =
            Suppression { purposes: vec![Purpose::Marketing], ..entry("imported:x", SuppressionScope::All) };
        assert!(forbids(&register, errand(&account, None, Some(Purpose::Marketing))));
        assert!(!forbids(&register, errand(&account, None, Some(Purpose::Requested))));
        assert!(forbids(&register, errand(&account, None, None)), "nobody has asked for that");
    }

    #[test]
    fn an_entry_ends_at_its_time_and_not_before() {
        let account = main();
        let errand = Errand { account: &account, campaign: None, purpose: None, consumer: brazil() };
        let ends = Suppression { expires_at: Some(at(60)), ..entry("house", SuppressionScope::All) };
        let at_second = |second| ends.forbids(at(second), Outgoing::Call, &errand);
        assert_eq!([at_second(59), at_second(60), at_second(61)], [true, false, false]);
    }

    #[test]
    fn an_order_is_refused_if_none_of_its_senders_may_carry_it_out() {
        let number = |text| Phone::parse(text).unwrap();
        let (one, two) = (number("+551151991234"), number("+551151995678"));
        let accounts = BTreeMap::from([(one, main()), (two, "other".into())]);
        let mut order = Order::new(number("+5511987654321"), vec![one, two], "message", at(0), at(9));
        let only_main = [entry("account:main", SuppressionScope::Calls)];
        assert_eq!(refuses_order(&only_main, at(0), &order, &accounts), None);
        order.senders = vec![one];
        assert_eq!(refuses_order(&only_main, at(0), &order, &accounts), Some(&only_main[0]));
        let requests = [entry("house", SuppressionScope::Requests)];
        assert_eq!(refuses_order(&requests, at(0), &order, &accounts), None, "a permission may be live");
        order.kind = OrderKind::Invite;
        assert_eq!(refuses_order(&only_main, at(0), &order, &accounts), None);
        order.senders = vec![number("+551151990000")];
        assert_eq!(refuses_order(&only_main, at(0), &order, &accounts), None, "it is not configured");
    }
}
