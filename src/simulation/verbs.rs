//! The methods of all ports of the store, once for all stores that wrap another one.

/// The types in the verbs, for those who call [`store_verbs`], but for those of the verbs that are `by_hand`.
pub(super) mod types {
    pub use std::collections::BTreeMap;

    pub use jiff::civil::Date;

    pub use crate::domain::calendar::MarkedDay;
    pub use crate::domain::lease::{GroupName, LeaderRecord, Lease, LeaseTerm, Node, RunId};
    pub use crate::domain::reporting::Labels;
    pub use crate::domain::timeline::Entry;
    pub use crate::domain::{
        AccountAlias, Budget, BulkId, Callback, CallbackId, Campaign, CampaignCalls, CampaignId, ClockMark,
        Contact, ContactKey, DeliveryId, Erasure, ErasureId, Gate, ImportId, Lane, Lineage, ListName, Loads,
        Message, MessageId, Name, OrderKind, Pair, PairKey, Pause, Person, PersonId, Phone, Pool, Resource,
        Restriction, SetAside, SetAsideId, Tenant, TokenName, Unrecorded, UserId, WrapUpRecord, WrapUpSeat,
    };
    pub use crate::store::{
        AuditEntry, AuditFilter, Awaiting, Backlog, Beat, Beaten, BulkRecord, CallFacts, CampaignRecord,
        CampaignRows, CellSums, CellsWanted, Census, CommandRecord, ConsumerRecord, Count, DecideKeys,
        Deletions, Delivery, DeliveryRecord, Enqueue, Enqueued, EntryName, ErasureRecord, ErasureTraces,
        ErasureWork, Expiring, FiledReport, Filter, Hashing, HeldBack, IdempotencyKey, ImportFindings,
        ImportRecord, ImportStep, ImportStepped, Input, Joined, KeyPlace, Lead, LedgersWanted, Listed,
        MadeImport, Member, MemberChange, MemberChanged, NewBulk, NewErasure, NewImport, NewList, NewNode,
        NewSuppressions, OidcSubject, OpenOrder, OtherGroup, Page, PlatformName, RecentOrder, Record,
        RecordingsDue, Regrouped, Session, Settled, StoredFault, Subject, Suppressed, SuppressionList,
        TimelineEnds, TimelineLine, ToDecide, Token, Told, Waiting, Whom,
    };
    pub use crate::suppression::NameHash;
}

/// Calls the given macro for each port: with its name and its verbs. Around those that are `by_hand`, a store does
/// something of its own, in a method of the same name; the others it treats alike, those that write and those that read.
macro_rules! store_verbs {
    ($macro:ident) => {
        $macro! {
            Orders
            by_hand {}
            writes {
                fn enqueue_callbacks(orders: Vec<Enqueue>) -> Vec<Enqueued>;
            }
            reads {
                fn known_order(key: IdempotencyKey) -> Option<Enqueued>;
                fn callback(id: CallbackId) -> Option<Record>;
                fn referenced(tenant: &Tenant, kind: OrderKind, reference: &str, most: usize) -> Vec<CallbackId>;
                fn with_open_orders(tenant: &Tenant, kind: OrderKind, consumers: &[Phone]) -> Vec<(Phone, OpenOrder)>;
                fn list_callbacks(filter: &Filter, page: &Page) -> Listed;
                fn timeline(id: CallbackId) -> Vec<Entry>;
                fn pair_timeline(key: PairKey) -> Vec<Entry>;
                fn timeline_after(position: i64, most: usize) -> Vec<TimelineLine>;
                fn timeline_ends() -> TimelineEnds;
                fn awaiting_reply(tenant: &Tenant, now: Timestamp, most: usize) -> Awaiting;
                fn held_back(whom: &Whom, now: Timestamp, until: Option<Timestamp>) -> HeldBack;
                fn census() -> Census;
                fn wrong_counts() -> Vec<String>;
            }
        }
        $macro! {
            Inbox
            by_hand {
                fn append_reports(reports: Vec<Report>) -> Vec<bool>;
                fn append_command(command: NewCommand) -> bool;
            }
            writes {}
            reads {
                fn command(key: [u8; 16]) -> Option<CommandRecord>;
                fn oldest_unfolded() -> Option<Timestamp>;
                fn unmatched_reports(limit: usize) -> Vec<FiledReport>;
            }
        }
        $macro! {
            Records
            by_hand {
                fn attempts(ids: &[AttemptId]) -> Vec<Attempt>;
                fn pauses(now: Timestamp) -> Vec<Pause>;
            }
            writes {}
            reads {
                fn callbacks(ids: &[CallbackId]) -> Vec<Callback>;
                fn ping() -> ();
                fn name_of_attempt(id: AttemptId) -> Option<PlatformName>;
                fn name_of_message(id: MessageId) -> Option<PlatformName>;
                fn attempt(id: AttemptId) -> Option<(Attempt, Callback)>;
                fn live_attempts() -> Vec<Attempt>;
                fn messages(ids: &[MessageId]) -> Vec<Message>;
                fn unsettled_messages() -> Vec<Message>;
                fn people(names: &[Name]) -> Vec<(Person, Vec<Pair>)>;
                fn ledgers(wanted: LedgersWanted) -> Vec<Pair>;
                fn consumer(name: &Name, page: &Page) -> ConsumerRecord;
                fn contacts(keys: &[ContactKey]) -> Vec<Contact>;
                fn loads() -> Loads;
                fn set_aside() -> Vec<SetAside>;
                fn marked_days(from: Date) -> Vec<MarkedDay>;
                fn pools() -> Vec<Pool>;
                fn set_aside_by_id(id: SetAsideId) -> Option<SetAside>;
            }
        }
        $macro! {
            Turns
            by_hand {
                fn record(batch: Batch) -> ();
                fn related(keys: &Keys) -> Related;
                fn callbacks_at_gates(calls: &[CallUp]) -> Vec<CalledUp>;
            }
            writes {
                fn lead(lease: Option<LeaseTerm>) -> Lead;
                fn keep_rules_digest(digest: [u8; 32]) -> ();
            }
            reads {
                fn unfolded_reports(limit: usize) -> Vec<FiledReport>;
                fn due_callbacks(now: Timestamp, limit: usize) -> Vec<Callback>;
                fn input(now: Timestamp, limit: usize, tokens: &[TokenName]) -> Input;
                fn to_decide(now: Timestamp, keys: &DecideKeys) -> ToDecide;
                fn next_wake() -> Option<Timestamp>;
                fn gates() -> Vec<(Gate, Lane)>;
                fn waiting_callbacks_to(consumers: &[Phone]) -> Vec<Callback>;
                fn unmatched_of(ids: &[UserId], sids: &[String]) -> Vec<FiledReport>;
                fn pairs(keys: &[PairKey]) -> Vec<Pair>;
                fn attempts_by_sid(sids: &[String]) -> Vec<Attempt>;
                fn seats_in_wrap_up(now: Timestamp) -> Vec<WrapUpSeat>;
                fn last_batch() -> u64;
                fn pairs_with_live_inbound() -> Vec<Pair>;
                fn clock_mark() -> Option<ClockMark>;
                fn restrictions(now: Timestamp) -> Vec<Restriction>;
                fn recordings_due(now: Timestamp, most: usize) -> RecordingsDue;
                fn submitted_since(since: Timestamp) -> Vec<AccountAlias>;
                fn waiting_after(position: i64, most: usize) -> (Vec<Callback>, Option<i64>);
                fn rules_digest() -> Option<[u8; 32]>;
            }
        }
        $macro! {
            Nodes
            by_hand {
                fn beat(beat: Beat) -> Beaten;
            }
            writes {}
            reads {
                fn join(node: NewNode) -> Joined;
                fn resign(group: GroupName, run: RunId, term: u64, told_at: Timestamp) -> bool;
                fn leave(name: Arc<str>, run: RunId, told_at: Timestamp) -> ();
                fn ask_to_resign(name: Arc<str>, by: Arc<str>, told_at: Timestamp) -> bool;
                fn nodes() -> Vec<Node>;
                fn leases() -> Vec<Lease>;
                fn leaders(group: GroupName, most: usize) -> Vec<LeaderRecord>;
            }
        }
        $macro! {
            Outbox
            by_hand {}
            writes {
                fn settle_delivery(id: DeliveryId, tried_at: Timestamp, settled: Settled, failure: Option<String>) -> ();
                fn replay_deliveries(callback: CallbackId, now: Timestamp) -> u64;
            }
            reads {
                fn claim_deliveries(now: Timestamp, until: Timestamp, limit: usize) -> Vec<Delivery>;
                fn void_claims() -> ();
                fn next_delivery(after: Timestamp) -> Option<Timestamp>;
                fn deliveries_of(subject: Subject, most: usize) -> Vec<DeliveryRecord>;
                fn backlog() -> Backlog;
            }
        }
        $macro! {
            Suppressions
            by_hand {
                fn suppress(new: NewSuppressions) -> Suppressed;
            }
            writes {
                fn make_list(list: NewList) -> SuppressionList;
            }
            reads {
                fn hash_with(hashing: Hashing) -> ();
                fn suppression_lists() -> Vec<SuppressionList>;
                fn waiting_orders(after: i64, most: usize) -> (Vec<Callback>, Option<i64>);
                fn entries_of(list: &ListName, name: &EntryName) -> Vec<NameHash>;
            }
        }
        $macro! {
            Erasures
            by_hand {}
            writes {
                fn erase(new: NewErasure) -> Option<Erasure>;
            }
            reads {
                fn erasure(id: ErasureId, most: usize) -> Option<ErasureRecord>;
                fn open_erasures() -> Vec<Erasure>;
                fn erasure_work(erasure: &Erasure, most: usize) -> ErasureWork;
                fn erasure_traces(erasure: &Erasure, keys_after: &KeyPlace, most: usize) -> ErasureTraces;
                fn erasure_deletions(id: ErasureId, now: Timestamp, most: usize) -> Deletions;
                fn erased_names(names: &[Name]) -> Vec<Name>;
                fn has_erased() -> bool;
                fn clean_log() -> bool;
            }
        }
        $macro! {
            Reporting
            by_hand {}
            writes {}
            reads {
                fn report_labels() -> Labels;
                fn cells(wanted: CellsWanted) -> CellSums;
                fn waiting_at_gates(gates_most: usize, each_most: u32) -> Vec<(Gate, u64)>;
                fn waiting_by_reason(tenant: &Tenant, campaign: Option<CampaignId>, most: usize) -> Waiting;
                fn expiring(from: Timestamp, until: Timestamp, most: usize) -> Vec<Expiring>;
                fn wrong_reports(told: Told) -> Vec<String>;
                fn report_tenants(most: usize) -> Vec<Tenant>;
            }
        }
        $macro! {
            CampaignReads
            by_hand {}
            writes {}
            reads {
                fn open_campaigns() -> Vec<Campaign>;
                fn campaign_calls() -> CampaignCalls;
                fn campaign(id: CampaignId) -> Option<CampaignRecord>;
                fn campaign_names(tenant: &Tenant, ids: &[CampaignId]) -> BTreeMap<CampaignId, String>;
                fn list_campaigns(tenant: &Tenant, before: Option<CampaignId>, most: usize) -> Vec<Campaign>;
                fn campaign_sample(id: CampaignId, most: usize) -> Vec<Callback>;
                fn call_facts(tenant: &Tenant, now: Timestamp, since: Timestamp) -> CallFacts;
                fn campaign_rows(id: CampaignId, after: i64, most: usize) -> CampaignRows;
            }
        }
        $macro! {
            AgentReads
            by_hand {}
            writes {}
            reads {
                fn wrap_ups(callbacks: &[CallbackId]) -> Vec<WrapUpRecord>;
                fn wrap_ups_missing(now: Timestamp) -> Count;
                fn offers(tenant: &Tenant, now: Timestamp, most: usize) -> Vec<Callback>;
                fn wrong_numbers(callbacks: &[Callback]) -> Vec<CallbackId>;
                fn all_offers(now: Timestamp) -> Vec<Callback>;
                fn recent_orders(numbers: &[Phone]) -> Vec<RecentOrder>;
            }
        }
        $macro! {
            Lineages
            by_hand {}
            writes {}
            reads {
                fn lineage() -> Option<Lineage>;
                fn unrecorded(most: usize) -> Vec<Unrecorded>;
            }
        }
        $macro! {
            PersonZones
            by_hand {}
            writes {
                fn set_zones(person: PersonId, zones: Vec<String>, at: Timestamp, by: String) -> ();
            }
            reads {
                fn knows_zones() -> bool;
                fn zones_of(people: &[PersonId]) -> Vec<(PersonId, Vec<String>)>;
            }
        }
        $macro! {
            Groups
            by_hand {}
            writes {
                fn use_in_group(uses: Vec<Resource>, group: GroupName) -> Option<OtherGroup>;
                fn regroup(senders: BTreeMap<Phone, GroupName>) -> Regrouped;
            }
            reads {
                fn groups_of(uses: &[Resource]) -> Vec<(Resource, GroupName)>;
            }
        }
        $macro! {
            Bulks
            by_hand {}
            writes {
                fn make_bulk(bulk: NewBulk) -> bool;
                fn confirm_bulk(id: BulkId, at: Timestamp) -> bool;
                fn stop_bulk(id: BulkId, at: Timestamp) -> bool;
                fn file_bulk(at: Timestamp, most: usize) -> bool;
            }
            reads {
                fn bulk(id: BulkId) -> Option<BulkRecord>;
                fn bulks(tenant: &Tenant, most: usize) -> Vec<BulkRecord>;
                fn has_running_bulk() -> bool;
            }
        }
        $macro! {
            Imports
            by_hand {}
            writes {
                fn make_import(import: NewImport) -> MadeImport;
                fn import_rows(step: ImportStep) -> ImportStepped;
                fn complete_import(id: ImportId, received: u64, at: Timestamp) -> bool;
                fn remove_import(id: ImportId, most: usize) -> bool;
                fn forget_people(id: ImportId, most: usize) -> bool;
            }
            reads {
                fn import(id: ImportId) -> Option<ImportRecord>;
                fn import_named(tenant: &Tenant, name: &str) -> Option<ImportRecord>;
                fn list_imports(tenant: &Tenant, campaign: Option<CampaignId>, before: Option<ImportId>, most: usize) -> Vec<ImportRecord>;
                fn import_findings(id: ImportId) -> ImportFindings;
                fn import_faults(id: ImportId, after: (u32, u32), most: usize) -> Vec<StoredFault>;
                fn unfinished_import(tenant: &Tenant, campaign: CampaignId) -> Option<String>;
            }
        }
        $macro! {
            Tokens
            by_hand {}
            writes {
                fn revoke_token(hash: [u8; 32]) -> bool;
                fn token_used(hash: [u8; 32], at: Timestamp) -> ();
            }
            reads {
                fn create_token(token: Token) -> ();
                fn tokens() -> Vec<Token>;
                fn token_by_hash(hash: [u8; 32]) -> Option<Token>;
                fn budgets(tokens: &[TokenName], now: Timestamp) -> Vec<Budget>;
                fn address_key(fresh: [u8; 32]) -> [u8; 32];
            }
        }
        $macro! {
            Members
            by_hand {}
            writes {
                fn add_member(member: Member, entry: AuditEntry) -> bool;
                fn change_member(name: &str, change: MemberChange, entry: AuditEntry) -> MemberChanged;
                fn remove_member(name: &str, entry: AuditEntry) -> MemberChanged;
                fn begin_session(session: Session, instead: Option<[u8; 32]>, entry: AuditEntry) -> bool;
                fn session_used(hash: [u8; 32], at: Timestamp) -> ();
                fn end_session(hash: [u8; 32], entry: AuditEntry) -> bool;
            }
            reads {
                fn members() -> Vec<Member>;
                fn member(name: &str) -> Option<Member>;
                fn member_of_subject(subject: &OidcSubject) -> Option<Member>;
                fn session(hash: [u8; 32]) -> Option<(Session, Member)>;
            }
        }
        $macro! {
            Audits
            by_hand {}
            writes {
                fn append_audit(entry: AuditEntry) -> ();
            }
            reads {
                fn audit(filter: &AuditFilter, before: Option<i64>, most: usize) -> Vec<(i64, AuditEntry)>;
            }
        }
    };
}
pub(super) use store_verbs;
