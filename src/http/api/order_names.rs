//! The ids of orders in answers about something else: `callback` has that of a callback, `invite` that of an invite.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{CallbackId, OrderKind};
use crate::http::{ApiError, App};

/// The order that something belongs to, if it belongs to one.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = OrderName)]
pub(super) struct OrderName {
    /// Its callback, if it belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<String>,
    /// Its invite, if it belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    invite: Option<String>,
}

impl OrderName {
    pub(super) fn of(kind: OrderKind, id: CallbackId) -> Self {
        let name = Some(kind.show_id(id));
        match kind {
            OrderKind::Callback => Self { callback: name, invite: None },
            OrderKind::Invite => Self { callback: None, invite: name },
        }
    }
}

/// Which of some orders are invites.
pub(super) struct OrderNames(BTreeSet<CallbackId>);

impl OrderNames {
    /// Reads the orders from the store.
    ///
    /// # Errors
    /// As any read of the store.
    pub(super) async fn read(app: &App, ids: impl IntoIterator<Item = CallbackId>) -> Result<Self, ApiError> {
        let ids: BTreeSet<CallbackId> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(Self(ids));
        }
        let orders = app.store.callbacks(&Vec::from_iter(ids)).await?;
        let invites = orders.iter().filter(|order| order.order.kind == OrderKind::Invite);
        Ok(Self(invites.map(|order| order.id).collect()))
    }

    pub(super) fn name(&self, id: Option<CallbackId>) -> OrderName {
        let kind = |id| if self.0.contains(&id) { OrderKind::Invite } else { OrderKind::Callback };
        id.map_or_else(OrderName::default, |id| OrderName::of(kind(id), id))
    }
}
