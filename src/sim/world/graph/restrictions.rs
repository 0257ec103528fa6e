//! Restrictions of an account and the switch for the calls of a number, with their webhooks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::hooks::{Fact, Piece};
use super::state::{Node, NumberId, WabaId};
use crate::sim::world::World;
use crate::sim::world::oracle::invites::Stops;

/// A restriction of a WhatsApp Business Account (Meta, *Configure call settings*, 26 Jun 2026, and *account_update*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restriction {
    /// Such as `RESTRICTED_BUSINESS_INITIATED_CALLING`.
    pub kind: String,
    /// When it ends; `None` if it has no date.
    pub until: Option<Timestamp>,
}

impl Restriction {
    pub(in crate::sim::world) fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl World {
    /// Meta restricts an account, or a page, of which no webhook tells. Returns `false` if there is neither.
    pub fn restrict(&mut self, now: Timestamp, account: &str, restriction: Restriction) -> bool {
        self.run_until(now);
        let Some(Node::Waba(waba)) = self.graph.nodes.get(account).copied() else {
            return self.restrict_page(account, Some(restriction));
        };
        let info = json!({"restriction_type": restriction.kind,
            "expiration": restriction.until.map(Timestamp::as_second)});
        let value = json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [without_nulls(info)]});
        let fact = Fact::Restricted { waba, stops: Stops::of(&restriction.kind), until: restriction.until };
        self.graph.wabas[waba].restrictions.push(restriction);
        self.tell(Piece::of_account(waba, "account_update", value).with(fact));
        true
    }

    /// Meta ends all restrictions of an account, or of a page, before their date. Returns `false` if there is neither.
    pub fn reinstate(&mut self, now: Timestamp, account: &str) -> bool {
        self.run_until(now);
        let Some(Node::Waba(waba)) = self.graph.nodes.get(account).copied() else {
            return self.restrict_page(account, None);
        };
        self.graph.wabas[waba].restrictions.clear();
        for number in self.graph.wabas[waba].numbers.clone() {
            let sender = self.senders[self.graph.numbers[number].sender].number;
            self.oracle.unrestricted(sender);
        }
        self.tell(Piece::of_account(waba, "account_update", json!({"event": "ACCOUNT_REINSTATED"})));
        true
    }

    /// Whether a restriction holds whose kind contains these words.
    pub(super) fn is_restricted(&self, waba: WabaId, words: &str) -> bool {
        let mut all = self.graph.wabas[waba].restrictions.iter();
        all.any(|restriction| restriction.holds(self.now) && restriction.kind.contains(words))
    }

    /// Somebody switches the calls of a number on or off.
    pub(super) fn switch_calls(&mut self, number: NumberId, on: bool) {
        self.graph.numbers[number].is_calling_on = on;
        let this = &self.graph.numbers[number];
        let value = json!({"type": "phone_number_settings", "timestamp": self.now.as_second().to_string(),
            "phone_number_settings": {"phone_number_id": this.id,
                "calling": {"status": if on { "ENABLED" } else { "DISABLED" }}}});
        let sender = this.sender;
        let mut piece = Piece::of_account(this.waba, "account_settings_update", value);
        if on {
            self.oracle.unrestricted(self.senders[sender].number);
        } else {
            piece = piece.with(Fact::CallsOff(sender));
        }
        self.tell(piece);
    }

    /// The same by the id of the number. Returns `false` if there is no such number.
    pub fn switch_calls_of(&mut self, now: Timestamp, phone_number_id: &str, on: bool) -> bool {
        self.run_until(now);
        let Some(Node::Number(number)) = self.graph.nodes.get(phone_number_id).copied() else { return false };
        self.switch_calls(number, on);
        true
    }
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    value
}
