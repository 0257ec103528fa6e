//! The JSON shape of what is stored of a person.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{CallPermission, Contact, Held, Name, OrderKind, Pair, Person, Refusal};
use crate::http::api::invites;
use crate::http::api::suppression::check::EntryView;
use crate::http::api::views;
use crate::store::{ConsumerRecord, Record};

/// What is stored of a person.
#[derive(Serialize, ToSchema)]
#[schema(as = ConsumerExport)]
pub(super) struct View<'a> {
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// Whether anything is stored.
    known: bool,
    /// The numbers, in every certain spelling.
    numbers: BTreeSet<String>,
    /// The time zones that the person is known to be in.
    zones: Vec<String>,
    /// The user ids at WhatsApp; only for a token with the scope `reveal`.
    user_ids: Vec<UserIdView<'a>>,
    /// The end of the last call of ours that the person answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    talked_until: Option<Timestamp>,
    /// When invites were sent that count.
    #[schema(value_type = Vec<String>)]
    invites: Vec<Timestamp>,
    refusals: Vec<RefusalView>,
    /// For each sender, what WhatsApp counts.
    permissions: Vec<PermissionView>,
    /// Entries of suppression lists.
    suppression: Vec<EntryView>,
    /// Whom pages of Messenger know under the ids of these orders.
    messenger_contacts: Vec<ContactView<'a>>,
    /// Callbacks and invites, newest first.
    orders: Vec<OrderView<'a>>,
    /// Pass it as `cursor` for older orders; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// The person has more than 10,000 orders; older ones are on no page.
    is_cut: bool,
}

/// A user id.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedUserId)]
struct UserIdView<'a> {
    portfolio: &'a str,
    user_id: &'a str,
}

/// A refusal of the person.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedRefusal)]
struct RefusalView {
    kind: &'static str,
    /// The sender that was refused.
    sender: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// What is counted for a sender and the person.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedPermission)]
struct PermissionView {
    sender: String,
    /// As in `/v1/permissions/show`.
    permission: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Permission requests that count.
    #[schema(value_type = Vec<String>)]
    requests: Vec<Timestamp>,
    /// Connected calls that count.
    #[schema(value_type = Vec<String>)]
    connected_calls: Vec<Timestamp>,
    /// Calls missed or declined in a row.
    misses: u32,
    /// When the person last wrote or called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    wrote_or_called_at: Option<Timestamp>,
}

/// A person as a page of Messenger knows them.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedContact)]
struct ContactView<'a> {
    account: &'a str,
    /// The id at the page; only for a token with the scope `reveal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    psid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    wrote_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    stopped_at: Option<Timestamp>,
}

/// A callback or an invite, and the tenant that ordered it.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedOrder)]
struct OrderView<'a> {
    tenant: &'a str,
    /// As `GET /v1/callbacks/{id}` shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<views::RecordView<'a>>,
    /// As `GET /v1/invites/{id}` shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    invite: Option<invites::RecordView<'a>>,
}

impl<'a> View<'a> {
    pub(super) fn of(
        now: Timestamp,
        found: &'a ConsumerRecord,
        zones: Vec<String>,
        held: &Held,
        reveals: bool,
    ) -> Self {
        let people = || found.people.iter().map(|(person, _)| person);
        let entries = people().flat_map(|person| &person.suppressions);
        let spelled = people().flat_map(Person::numbers);
        let ordered = found.orders.iter().map(|record| record.callback.order.consumer);
        let mut invites: Vec<Timestamp> =
            people().flat_map(|person| person.invites.iter().copied()).collect();
        invites.sort_unstable();
        Self {
            as_of: now,
            known: !found.people.is_empty() || !found.orders.is_empty(),
            numbers: spelled.chain(ordered).map(|number| number.e164()).collect(),
            zones,
            user_ids: people().filter(|_| reveals).flat_map(user_ids).collect(),
            talked_until: people().filter_map(|person| person.talked_until).max(),
            invites,
            refusals: people().flat_map(|person| &person.refusals).map(RefusalView::of).collect(),
            permissions: found.people.iter().flat_map(|(_, pairs)| pairs).map(PermissionView::of).collect(),
            suppression: entries.map(|entry| EntryView::of(now, entry)).collect(),
            messenger_contacts: found.contacts.iter().map(|known| ContactView::of(known, reveals)).collect(),
            orders: found.orders.iter().map(|record| OrderView::of(record, held)).collect(),
            next_cursor: found.next.map(|id| id.to_string()),
            is_cut: found.is_cut,
        }
    }
}

fn user_ids(person: &Person) -> impl Iterator<Item = UserIdView<'_>> {
    person.names.iter().filter_map(|name| match name {
        Name::User { portfolio, id } => Some(UserIdView { portfolio, user_id: id.as_str() }),
        Name::Number(_) => None,
    })
}

impl RefusalView {
    fn of(refusal: &Refusal) -> Self {
        Self { kind: refusal.kind.as_str(), sender: refusal.sender.e164(), at: refusal.at }
    }
}

impl PermissionView {
    fn of(pair: &Pair) -> Self {
        let until = match pair.permission {
            CallPermission::Requested { expires_at } | CallPermission::Temporary { expires_at } => {
                Some(expires_at)
            }
            CallPermission::Declined { until } | CallPermission::Uncallable { until } => Some(until),
            _ => None,
        };
        Self {
            sender: pair.key.sender.e164(),
            permission: pair.permission.as_str(),
            until,
            requests: pair.requests.clone(),
            connected_calls: pair.connected.clone(),
            misses: pair.misses,
            wrote_or_called_at: pair.inbound_at,
        }
    }
}

impl<'a> ContactView<'a> {
    fn of(contact: &'a Contact, reveals: bool) -> Self {
        Self {
            account: &contact.account,
            psid: reveals.then(|| contact.psid.as_str()),
            wrote_at: contact.wrote_at,
            stopped_at: contact.stopped_at,
        }
    }
}

impl<'a> OrderView<'a> {
    fn of(record: &'a Record, held: &Held) -> Self {
        let is_callback = record.callback.order.kind == OrderKind::Callback;
        Self {
            tenant: record.callback.tenant.as_str(),
            callback: is_callback.then(|| views::RecordView::of(record, held)),
            invite: (!is_callback).then(|| invites::RecordView::of(record, held)),
        }
    }
}
