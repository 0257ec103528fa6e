//! The verbs of all ports of the store, once for all stores that stand around another one.

/// Calls the given macro for each port: with its name and its verbs. Around those that are `by_hand`, a store does
/// something of its own, in a method of the same name; the others it treats alike, those that write and those that read.
macro_rules! store_verbs {
    ($macro:ident) => {
        $macro! {
            Orders
            by_hand {}
            writes {
                fn enqueue_callbacks(orders: Vec<$crate::store::Enqueue>) -> Vec<$crate::store::Enqueued>;
            }
            reads {
                fn known_order(key: $crate::store::IdempotencyKey) -> Option<$crate::store::Enqueued>;
                fn callback(id: $crate::domain::CallbackId) -> Option<$crate::store::Record>;
                fn referenced(
                    tenant: &$crate::domain::Tenant,
                    reference: &str,
                    most: usize
                ) -> Vec<$crate::domain::CallbackId>;
                fn list_callbacks(
                    filter: &$crate::store::Filter,
                    page: &$crate::store::Page
                ) -> $crate::store::Listed;
                fn timeline(id: $crate::domain::CallbackId) -> Vec<$crate::domain::timeline::Entry>;
                fn pair_timeline(key: $crate::domain::PairKey) -> Vec<$crate::domain::timeline::Entry>;
                fn awaiting_reply(
                    tenant: &$crate::domain::Tenant,
                    now: jiff::Timestamp,
                    most: usize
                ) -> $crate::store::Awaiting;
                fn census() -> $crate::store::Census;
                fn wrong_counts() -> Vec<String>;
            }
        }
        $macro! {
            Inbox
            by_hand {
                fn append_reports(reports: Vec<$crate::store::Report>) -> Vec<bool>;
            }
            writes {
                fn append_command(command: $crate::store::NewCommand) -> bool;
            }
            reads {
                fn command(key: [u8; 16]) -> Option<$crate::store::CommandRecord>;
                fn unmatched_reports(limit: usize) -> Vec<$crate::store::FiledReport>;
            }
        }
        $macro! {
            Records
            by_hand {
                fn attempts(ids: &[$crate::domain::AttemptId]) -> Vec<$crate::domain::Attempt>;
            }
            writes {}
            reads {
                fn callbacks(ids: &[$crate::domain::CallbackId]) -> Vec<$crate::domain::Callback>;
                fn ping() -> ();
                fn attempt(
                    id: $crate::domain::AttemptId
                ) -> Option<($crate::domain::Attempt, $crate::domain::Callback)>;
                fn live_attempts() -> Vec<$crate::domain::Attempt>;
                fn messages(ids: &[$crate::domain::MessageId]) -> Vec<$crate::domain::Message>;
                fn unsettled_messages() -> Vec<$crate::domain::Message>;
                fn people(
                    names: &[$crate::domain::Name]
                ) -> Vec<($crate::domain::Person, Vec<$crate::domain::Pair>)>;
                fn loads() -> $crate::domain::Loads;
                fn set_aside() -> Vec<$crate::domain::SetAside>;
                fn set_aside_by_id(id: $crate::domain::SetAsideId) -> Option<$crate::domain::SetAside>;
            }
        }
        $macro! {
            Turns
            by_hand {
                fn record(batch: $crate::store::Batch) -> ();
                fn related(keys: &$crate::store::Keys) -> $crate::store::Related;
            }
            writes {
                fn lead() -> $crate::store::Lead;
            }
            reads {
                fn unfolded_reports(limit: usize) -> Vec<$crate::store::FiledReport>;
                fn due_callbacks(now: jiff::Timestamp, limit: usize) -> Vec<$crate::domain::Callback>;
                fn input(
                    now: jiff::Timestamp,
                    limit: usize,
                    tokens: &[$crate::domain::TokenName]
                ) -> $crate::store::Input;
                fn to_decide(
                    now: jiff::Timestamp,
                    keys: &$crate::store::DecideKeys
                ) -> $crate::store::ToDecide;
                fn next_wake() -> Option<jiff::Timestamp>;
                fn callbacks_at_gates(
                    gates: &[($crate::domain::Gate, usize)]
                ) -> Vec<Vec<$crate::domain::Callback>>;
                fn gates() -> Vec<$crate::domain::Gate>;
                fn waiting_callbacks_to(
                    consumers: &[$crate::domain::Phone]
                ) -> Vec<$crate::domain::Callback>;
                fn unmatched_of(
                    ids: &[$crate::domain::UserId],
                    sids: &[String]
                ) -> Vec<$crate::store::FiledReport>;
                fn pairs(keys: &[$crate::domain::PairKey]) -> Vec<$crate::domain::Pair>;
                fn attempts_by_sid(sids: &[String]) -> Vec<$crate::domain::Attempt>;
                fn last_batch() -> u64;
                fn pairs_with_live_inbound() -> Vec<$crate::domain::Pair>;
                fn clock_mark() -> Option<$crate::domain::ClockMark>;
                fn submitted_since(since: jiff::Timestamp) -> Vec<$crate::domain::AccountAlias>;
            }
        }
        $macro! {
            Outbox
            by_hand {}
            writes {
                fn settle_delivery(
                    id: $crate::domain::DeliveryId,
                    tried_at: jiff::Timestamp,
                    settled: $crate::store::Settled
                ) -> ();
                fn replay_deliveries(callback: $crate::domain::CallbackId, now: jiff::Timestamp) -> u64;
            }
            reads {
                fn claim_deliveries(
                    now: jiff::Timestamp,
                    until: jiff::Timestamp,
                    limit: usize
                ) -> Vec<$crate::store::Delivery>;
                fn void_claims() -> ();
                fn next_delivery(after: jiff::Timestamp) -> Option<jiff::Timestamp>;
                fn backlog() -> $crate::store::Backlog;
            }
        }
        $macro! {
            Tokens
            by_hand {}
            writes {
                fn revoke_token(hash: [u8; 32]) -> bool;
                fn token_used(hash: [u8; 32], at: jiff::Timestamp) -> ();
            }
            reads {
                fn create_token(token: $crate::store::Token) -> ();
                fn tokens() -> Vec<$crate::store::Token>;
                fn token_by_hash(hash: [u8; 32]) -> Option<$crate::store::Token>;
                fn budgets(tokens: &[$crate::domain::TokenName], now: jiff::Timestamp) -> Vec<$crate::domain::Budget>;
                fn address_key(fresh: [u8; 32]) -> [u8; 32];
            }
        }
    };
}
pub(super) use store_verbs;
