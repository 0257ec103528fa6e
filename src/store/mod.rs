//! The ports of the store: what must survive a crash, in the field's verbs. Each verb is atomic.
//!
//! There is one port for each kind of user; [`Store`] is all of them. Absent on purpose: decisions, clocks, and
//! transactions that outlive a call. Times are stored in microseconds; smaller units are cut off.

mod agents;
mod audit;
mod bulks;
mod campaigns;
mod erasures;
mod error;
mod groups;
mod imports;
mod inbox;
mod lineage;
mod members;
pub mod nodes;
mod orders;
mod outbox;
mod person_zones;
mod pools;
mod records;
pub mod relational;
mod reporting;
mod suppressions;
mod tokens;
mod turns;

pub use agents::{AgentChanges, AgentReads, RecentOrder, SuppressedByWrapUp, WrapUpDue, WrongNumber};
pub use audit::{AuditEntry, AuditFilter, AuditOutcome, Audits, PendingAudit, audited};
pub use bulks::{BulkAct, BulkRecord, BulkState, Bulks, NewBulk};
pub use campaigns::{
    CallFacts, CampaignCallsChange, CampaignChange, CampaignReads, CampaignRecord, CampaignRows, RecordedAct,
};
pub use erasures::{
    Deletions, ErasureRecord, ErasureStep, ErasureTraces, ErasureWork, Erasures, HeldElsewhere, KeyPlace,
    NewErasure,
};
pub use error::Error;
pub use groups::{Groups, OtherGroup, Regrouped};
pub use imports::{
    ImportFault, ImportFinding, ImportFindings, ImportRecord, ImportRow, ImportState, ImportStep,
    ImportStepped, ImportedRow, Imports, MadeImport, NewImport, Reached, StoredFault,
};
pub use inbox::{CommandRecord, FiledReport, Inbox, NewCommand, Report, Unmatched, UnreadableReport};
pub use lineage::{LineageChange, Lineages, Witness};
pub use members::{Member, MemberChange, MemberChanged, Members, OidcSubject, PasswordHash, Session};
pub use nodes::{Beat, Beaten, Claim, Joined, NewNode, Nodes};
pub use orders::{
    Awaiting, Census, Count, Enqueue, Enqueued, Filter, HeldBack, IdempotencyKey, InviteCensus, Listed,
    OpenOrder, OrderCeiling, Orders, Page, Record, Status, TimelineEnds, TimelineLine, Whom,
};
pub use outbox::{Backlog, Delivery, DeliveryRecord, DeliveryState, Outbox, OutboxRow, Settled, Subject};
pub use person_zones::PersonZones;
pub use pools::PoolChanges;
pub use records::{ConsumerRecord, LedgersWanted, PlatformName, Records};
pub use reporting::{
    CellSum, CellSums, CellsWanted, Expiring, LabelsWanted, ReportChange, Reporting, SumBy, Told, Waiting,
};
pub use suppressions::{
    EntryName, Hashing, ListChange, NewList, NewSuppressions, Suppressed, SuppressionList, Suppressions,
    list_terms,
};
pub use tokens::{Token, Tokens};
pub use turns::{
    Batch, CallUp, CalledUp, DecideKeys, Ground, Input, Keys, Lead, PauseLifted, RecordingsDue, Related,
    SetAsideEnded, ToDecide, Turns,
};

pub type Result<T> = std::result::Result<T, Error>;

/// Durable storage: all ports together. After an `Ok` the data survives `kill -9` and a loss of power.
pub trait Store: ApiStore + HookStore + Turns {}

/// What the API uses.
pub trait ApiStore:
    Orders
    + Inbox
    + Records
    + Outbox
    + Tokens
    + Members
    + Audits
    + Suppressions
    + CampaignReads
    + AgentReads
    + Erasures
    + Imports
    + Bulks
    + Groups
    + PersonZones
    + Reporting
    + Nodes
    + Lineages
{
}

/// What the hooks use: they append, and decide nothing.
pub trait HookStore: Inbox + Records {}

impl<T: ApiStore + HookStore + Turns + ?Sized> Store for T {}
impl<T> ApiStore for T where
    T: Orders
        + Inbox
        + Records
        + Outbox
        + Tokens
        + Members
        + Audits
        + Members
        + Audits
        + Suppressions
        + CampaignReads
        + AgentReads
        + Erasures
        + Imports
        + Bulks
        + Groups
        + PersonZones
        + Reporting
        + Nodes
        + Lineages
        + ?Sized
{
}
impl<T: Inbox + Records + ?Sized> HookStore for T {}
