//! The methods of the ports: each is one command to the writer, or one read.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

use super::sql::Connection;
use super::{
    Committed, SqlStore, agents, attempts, batch, breakers, calendars, callbacks, campaigns, ceilings, clock,
    commands, consumer_records, contacts, counts, erasures, facts, gates, held_back, lineage, list, loads,
    messages, open_orders, pairs, pauses, persons, pools, recordings, references, related, reports,
    restrictions, set_aside, suppression_lists, suppressions, term, timeline, tokens, traces, unmatched,
    waiting,
};
use crate::domain::calendar::MarkedDay;
use crate::domain::lease::LeaseTerm;
use crate::domain::timeline::Entry;
use crate::domain::{
    AccountAlias, Attempt, AttemptId, Budget, Callback, CallbackId, Campaign, CampaignCalls, CampaignId,
    ClockMark, Contact, ContactKey, Erasure, ErasureId, Gate, Lane, Lineage, ListName, Loads, Message,
    MessageId, Name, OrderKind, Pair, PairKey, Pause, Person, Phone, Pool, Restriction, SetAside, SetAsideId,
    Tenant, TokenName, Unrecorded, UserId, WrapUpSeat,
};
use crate::store::{
    Awaiting, Batch, CallFacts, CallUp, CalledUp, CampaignReads, CampaignRecord, CampaignRows, Census,
    CommandRecord, ConsumerRecord, DecideKeys, Deletions, Enqueue, Enqueued, EntryName, ErasureRecord,
    ErasureTraces, ErasureWork, Erasures, FiledReport, Filter, Hashing, HeldBack, IdempotencyKey, Inbox,
    Input, KeyPlace, Keys, Lead, LedgersWanted, Lineages, Listed, NewCommand, NewErasure, NewList,
    NewSuppressions, OpenOrder, Orders, Page, PlatformName, Record, RecordingsDue, Records, Related, Report,
    Result, Suppressed, SuppressionList, Suppressions, TimelineEnds, TimelineLine, ToDecide, Token, Tokens,
    Turns, Whom,
};

use crate::suppression::NameHash;

#[async_trait]
impl Orders for SqlStore {
    async fn enqueue_callbacks(&self, orders: Vec<Enqueue>) -> Result<Vec<Enqueued>> {
        self.order(orders).await
    }

    async fn known_order(&self, key: IdempotencyKey) -> Result<Option<Enqueued>> {
        self.read(move |db| callbacks::known(db, &key)).await
    }

    async fn callback(&self, id: CallbackId) -> Result<Option<Record>> {
        self.read(move |db| {
            let Some(callback) = callbacks::one(db, id)? else { return Ok(None) };
            let attempts = attempts::of_callback(db, id)?;
            let (messages, wrap_up) = (messages::of_callback(db, id)?, agents::one(db, id)?);
            Ok(Some(Record { callback, attempts, messages, wrap_up }))
        })
        .await
    }

    async fn referenced(
        &self,
        tenant: &Tenant,
        kind: OrderKind,
        reference: &str,
        most: usize,
    ) -> Result<Vec<CallbackId>> {
        let (tenant, reference) = (tenant.clone(), reference.to_owned());
        self.read(move |db| references::referenced(db, &tenant, kind, &reference, most)).await
    }

    async fn with_open_orders(
        &self,
        tenant: &Tenant,
        kind: OrderKind,
        consumers: &[Phone],
    ) -> Result<Vec<(Phone, OpenOrder)>> {
        if consumers.is_empty() {
            return Ok(Vec::new());
        }
        let (tenant, consumers) = (tenant.clone(), consumers.to_vec());
        self.read(move |db| open_orders::with_open_orders(db, &tenant, kind, consumers)).await
    }

    async fn list_callbacks(&self, filter: &Filter, page: &Page) -> Result<Listed> {
        let (filter, page) = (filter.clone(), *page);
        self.read(move |db| list::page(db, &filter, &page, &list::BOUNDS)).await
    }

    async fn timeline(&self, id: CallbackId) -> Result<Vec<Entry>> {
        self.read(move |db| timeline::of_callback(db, id)).await
    }

    async fn pair_timeline(&self, key: PairKey) -> Result<Vec<Entry>> {
        self.read(move |db| timeline::of_pair(db, key)).await
    }

    async fn timeline_after(&self, position: i64, most: usize) -> Result<Vec<TimelineLine>> {
        self.read(move |db| timeline::after(db, position, most)).await
    }

    async fn timeline_ends(&self) -> Result<TimelineEnds> {
        self.read(timeline::ends).await
    }

    async fn awaiting_reply(&self, tenant: &Tenant, now: Timestamp, most: usize) -> Result<Awaiting> {
        let tenant = tenant.clone();
        self.read(move |db| messages::awaiting_reply(db, &tenant, now, most)).await
    }

    async fn held_back(&self, whom: &Whom, now: Timestamp, until: Option<Timestamp>) -> Result<HeldBack> {
        let whom = whom.clone();
        self.read(move |db| held_back::count(db, &whom, now, until, HeldBack::LOOKED_AT_MAX)).await
    }

    async fn census(&self) -> Result<Census> {
        self.read(counts::census).await
    }

    async fn wrong_counts(&self) -> Result<Vec<String>> {
        self.read(counts::wrong).await
    }
}

#[async_trait]
impl Inbox for SqlStore {
    async fn append_reports(&self, reports: Vec<Report>) -> Result<Vec<bool>> {
        let sealed = reports.iter().map(reports::seal).collect::<Result<Vec<_>>>()?;
        self.write(move |db| reports::append(db, &sealed)).await
    }

    async fn append_command(&self, command: NewCommand) -> Result<bool> {
        let sealed = reports::seal(&command.report)?;
        self.write(move |db| commands::append(db, &command, &sealed)).await
    }

    async fn command(&self, key: [u8; 16]) -> Result<Option<CommandRecord>> {
        self.read(move |db| commands::by_key(db, key)).await
    }

    async fn oldest_unfolded(&self) -> Result<Option<Timestamp>> {
        self.read(reports::oldest_unfolded).await
    }

    async fn unmatched_reports(&self, limit: usize) -> Result<Vec<FiledReport>> {
        self.read(move |db| unmatched::newest(db, limit)).await
    }
}

#[async_trait]
impl CampaignReads for SqlStore {
    async fn open_campaigns(&self) -> Result<Vec<Campaign>> {
        self.read(campaigns::open).await
    }

    async fn campaign_calls(&self) -> Result<CampaignCalls> {
        self.read(breakers::calls).await
    }

    async fn campaign(&self, id: CampaignId) -> Result<Option<CampaignRecord>> {
        self.read(move |db| campaigns::record(db, id)).await
    }

    async fn campaign_names(
        &self,
        tenant: &Tenant,
        ids: &[CampaignId],
    ) -> Result<BTreeMap<CampaignId, String>> {
        let (tenant, ids) = (tenant.clone(), ids.to_vec());
        self.read(move |db| campaigns::names(db, &tenant, &ids)).await
    }

    async fn list_campaigns(
        &self,
        tenant: &Tenant,
        before: Option<CampaignId>,
        most: usize,
    ) -> Result<Vec<Campaign>> {
        let tenant = tenant.clone();
        self.read(move |db| campaigns::list(db, &tenant, before, most)).await
    }

    async fn campaign_sample(&self, id: CampaignId, most: usize) -> Result<Vec<Callback>> {
        self.read(move |db| facts::sample(db, id, most)).await
    }

    async fn call_facts(&self, tenant: &Tenant, now: Timestamp, since: Timestamp) -> Result<CallFacts> {
        let tenant = tenant.clone();
        self.read(move |db| facts::facts(db, &tenant, now, since)).await
    }

    async fn campaign_rows(&self, id: CampaignId, after: i64, most: usize) -> Result<CampaignRows> {
        self.read(move |db| campaigns::rows(db, id, after, most)).await
    }
}

#[async_trait]
impl Records for SqlStore {
    async fn ping(&self) -> Result<()> {
        let term = self.term();
        self.read(move |db| term::check(db, term)).await
    }

    async fn callbacks(&self, ids: &[CallbackId]) -> Result<Vec<Callback>> {
        self.found(ids, callbacks::one).await
    }

    async fn attempt(&self, id: AttemptId) -> Result<Option<(Attempt, Callback)>> {
        self.read(move |db| {
            let Some(attempt) = attempts::one(db, id)? else { return Ok(None) };
            Ok(callbacks::one(db, attempt.callback)?.map(|callback| (attempt, callback)))
        })
        .await
    }

    async fn name_of_attempt(&self, id: AttemptId) -> Result<Option<PlatformName>> {
        self.read(move |db| attempts::platform_name(db, id)).await
    }

    async fn name_of_message(&self, id: MessageId) -> Result<Option<PlatformName>> {
        self.read(move |db| messages::platform_name(db, id)).await
    }

    async fn attempts(&self, ids: &[AttemptId]) -> Result<Vec<Attempt>> {
        self.found(ids, attempts::one).await
    }

    async fn live_attempts(&self) -> Result<Vec<Attempt>> {
        self.read(attempts::live).await
    }

    async fn messages(&self, ids: &[MessageId]) -> Result<Vec<Message>> {
        self.found(ids, messages::one).await
    }

    async fn unsettled_messages(&self) -> Result<Vec<Message>> {
        self.read(messages::unsettled).await
    }

    async fn people(&self, names: &[Name]) -> Result<Vec<(Person, Vec<Pair>)>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let (names, key) = (names.to_vec(), self.key());
        self.read(move |db| persons::known(db, &names, &key)).await
    }

    async fn ledgers(&self, wanted: LedgersWanted) -> Result<Vec<Pair>> {
        self.read(move |db| pairs::page(db, &wanted)).await
    }

    async fn consumer(&self, name: &Name, page: &Page) -> Result<ConsumerRecord> {
        let (name, page, key) = (name.clone(), *page, self.key());
        self.read(move |db| consumer_records::read(db, &name, &page, &key)).await
    }

    async fn contacts(&self, keys: &[ContactKey]) -> Result<Vec<Contact>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let keys = keys.to_vec();
        self.read(move |db| contacts::known(db, &keys)).await
    }

    async fn loads(&self) -> Result<Loads> {
        self.read(loads::read).await
    }

    async fn set_aside(&self) -> Result<Vec<SetAside>> {
        self.read(set_aside::open).await
    }

    async fn pauses(&self, now: Timestamp) -> Result<Vec<Pause>> {
        self.read(move |db| pauses::open(db, now)).await
    }

    async fn marked_days(&self, from: Date) -> Result<Vec<MarkedDay>> {
        self.read(move |db| calendars::from(db, from)).await
    }

    async fn pools(&self) -> Result<Vec<Pool>> {
        self.read(pools::all).await
    }

    async fn set_aside_by_id(&self, id: SetAsideId) -> Result<Option<SetAside>> {
        self.read(move |db| set_aside::one(db, id)).await
    }
}

#[async_trait]
impl Turns for SqlStore {
    async fn unfolded_reports(&self, limit: usize) -> Result<Vec<FiledReport>> {
        self.read(move |db| reports::unfolded(db, limit)).await
    }

    async fn due_callbacks(&self, now: Timestamp, limit: usize) -> Result<Vec<Callback>> {
        self.read(move |db| callbacks::due(db, now, limit)).await
    }

    async fn input(&self, now: Timestamp, limit: usize, tokens: &[TokenName]) -> Result<Input> {
        let tokens = tokens.to_vec();
        self.read(move |db| related::input(db, now, limit, &tokens)).await
    }

    async fn seats_in_wrap_up(&self, now: Timestamp) -> Result<Vec<WrapUpSeat>> {
        self.read(move |db| pools::seats_in_wrap_up(db, now)).await
    }

    async fn restrictions(&self, now: Timestamp) -> Result<Vec<Restriction>> {
        self.read(move |db| restrictions::open(db, now)).await
    }

    async fn next_wake(&self) -> Result<Option<Timestamp>> {
        let term = self.term();
        self.read(move |db| {
            term::check(db, term)?;
            callbacks::next_wake(db)
        })
        .await
    }

    async fn callbacks_at_gates(&self, calls: &[CallUp]) -> Result<Vec<CalledUp>> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let calls = calls.to_vec();
        self.read(move |db| calls.into_iter().map(|call| gates::call_up(db, call)).collect()).await
    }

    async fn gates(&self) -> Result<Vec<(Gate, Lane)>> {
        self.read(gates::all).await
    }

    async fn waiting_callbacks_to(&self, consumers: &[Phone]) -> Result<Vec<Callback>> {
        if consumers.is_empty() {
            return Ok(Vec::new());
        }
        let consumers = consumers.to_vec();
        self.read(move |db| callbacks::waiting_to(db, consumers)).await
    }

    async fn unmatched_of(&self, ids: &[UserId], sids: &[String]) -> Result<Vec<FiledReport>> {
        if ids.is_empty() && sids.is_empty() {
            return Ok(Vec::new());
        }
        let (ids, sids) = (ids.to_vec(), sids.to_vec());
        self.read(move |db| unmatched::of(db, &ids, &sids)).await
    }

    async fn pairs(&self, keys: &[PairKey]) -> Result<Vec<Pair>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let keys = keys.to_vec();
        self.read(move |db| pairs::by_keys(db, &keys)).await
    }

    async fn related(&self, keys: &Keys) -> Result<Related> {
        if keys.is_empty() {
            return Ok(Related::default());
        }
        let (keys, key) = (keys.clone(), self.key());
        self.read(move |db| related::related(db, keys, &key)).await
    }

    async fn to_decide(&self, now: Timestamp, keys: &DecideKeys) -> Result<ToDecide> {
        if keys.is_empty() {
            return Ok(ToDecide::default());
        }
        let (keys, key) = (keys.clone(), self.key());
        self.read(move |db| related::to_decide(db, now, keys, &key)).await
    }

    async fn attempts_by_sid(&self, sids: &[String]) -> Result<Vec<Attempt>> {
        if sids.is_empty() {
            return Ok(Vec::new());
        }
        let sids = sids.to_vec();
        self.read(move |db| sids.iter().filter_map(|sid| attempts::by_sid(db, sid).transpose()).collect())
            .await
    }

    async fn pairs_with_live_inbound(&self) -> Result<Vec<Pair>> {
        self.read(pairs::with_live_inbound).await
    }

    async fn recordings_due(&self, now: Timestamp, most: usize) -> Result<RecordingsDue> {
        self.read(move |db| recordings::due(db, now, most)).await
    }

    async fn submitted_since(&self, since: Timestamp) -> Result<Vec<AccountAlias>> {
        self.read(move |db| attempts::submitted_since(db, since)).await
    }

    async fn waiting_after(&self, position: i64, most: usize) -> Result<(Vec<Callback>, Option<i64>)> {
        self.read(move |db| waiting::after(db, position, most)).await
    }

    async fn rules_digest(&self) -> Result<Option<[u8; 32]>> {
        self.read(tokens::rules_digest).await
    }

    async fn keep_rules_digest(&self, digest: [u8; 32]) -> Result<()> {
        self.write(move |db| tokens::keep_rules_digest(db, digest)).await
    }

    async fn lead(&self, lease: Option<LeaseTerm>) -> Result<Lead> {
        let lead = self.write(move |db| term::lead(db, lease.as_ref())).await?;
        self.compare_at_lead().await?;
        Ok(lead)
    }

    async fn last_batch(&self) -> Result<u64> {
        self.read(term::last_batch).await
    }

    async fn clock_mark(&self) -> Result<Option<ClockMark>> {
        self.read(clock::read).await
    }

    async fn record(&self, batch: Batch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let key = self.key();
        let committed = Committed { lead: batch.lead, releases: batch.lineage.released.is_some() };
        self.write(move |db| batch::record(db, &batch, &key)).await?;
        self.tell_witness(committed).await
    }
}

#[async_trait]
impl Lineages for SqlStore {
    async fn lineage(&self) -> Result<Option<Lineage>> {
        self.read(lineage::read).await
    }

    async fn unrecorded(&self, most: usize) -> Result<Vec<Unrecorded>> {
        self.read(move |db| lineage::unrecorded(db, most)).await
    }
}

#[async_trait]
impl Suppressions for SqlStore {
    async fn hash_with(&self, hashing: Hashing) -> Result<()> {
        let key = self.key();
        self.read(move |db| suppression_lists::hash_with(db, &key, hashing)).await
    }

    async fn suppress(&self, new: NewSuppressions) -> Result<Suppressed> {
        let key = self.key();
        self.write(move |db| suppression_lists::suppress(db, &key, &new)).await
    }

    async fn make_list(&self, list: NewList) -> Result<SuppressionList> {
        self.write(move |db| suppression_lists::make(db, &list)).await
    }

    async fn suppression_lists(&self) -> Result<Vec<SuppressionList>> {
        self.read(suppression_lists::all).await
    }

    async fn waiting_orders(&self, after: i64, most: usize) -> Result<(Vec<Callback>, Option<i64>)> {
        self.read(move |db| waiting::after(db, after, most)).await
    }

    async fn entries_of(&self, list: &ListName, name: &EntryName) -> Result<Vec<NameHash>> {
        let (list, name, key) = (list.to_string(), name.clone(), self.key());
        self.read(move |db| suppressions::of_name(db, &key, &list, &name)).await
    }
}

#[async_trait]
impl Erasures for SqlStore {
    async fn erase(&self, new: NewErasure) -> Result<Option<Erasure>> {
        let key = self.key();
        self.write(move |db| erasures::erase(db, &key, &new)).await
    }

    async fn erasure(&self, id: ErasureId, most: usize) -> Result<Option<ErasureRecord>> {
        self.read(move |db| erasures::record(db, id, most)).await
    }

    async fn open_erasures(&self) -> Result<Vec<Erasure>> {
        self.read(erasures::open).await
    }

    async fn erasure_work(&self, erasure: &Erasure, most: usize) -> Result<ErasureWork> {
        let erasure = erasure.clone();
        self.read(move |db| erasures::work(db, &erasure, most)).await
    }

    async fn erasure_traces(
        &self,
        erasure: &Erasure,
        keys_after: &KeyPlace,
        most: usize,
    ) -> Result<ErasureTraces> {
        let (erasure, keys_after) = (erasure.clone(), keys_after.clone());
        self.read(move |db| traces::search(db, &erasure, &keys_after, most)).await
    }

    async fn erasure_deletions(&self, id: ErasureId, now: Timestamp, most: usize) -> Result<Deletions> {
        self.read(move |db| erasures::deletions(db, id, now, most)).await
    }

    async fn erased_names(&self, names: &[Name]) -> Result<Vec<Name>> {
        let (names, key) = (names.to_vec(), self.key());
        self.read(move |db| erasures::erased_names(db, &key, &names)).await
    }

    async fn has_erased(&self) -> Result<bool> {
        self.read(erasures::has_erased).await
    }

    async fn clean_log(&self) -> Result<bool> {
        self.truncate_log().await
    }
}

#[async_trait]
impl Tokens for SqlStore {
    async fn create_token(&self, token: Token) -> Result<()> {
        self.write(move |db| tokens::create(db, &token)).await
    }

    async fn tokens(&self) -> Result<Vec<Token>> {
        self.read(tokens::all).await
    }

    async fn revoke_token(&self, hash: [u8; 32]) -> Result<bool> {
        self.write(move |db| tokens::revoke(db, hash)).await
    }

    async fn token_used(&self, hash: [u8; 32], at: Timestamp) -> Result<()> {
        self.write(move |db| tokens::used(db, hash, at)).await
    }

    async fn token_by_hash(&self, hash: [u8; 32]) -> Result<Option<Token>> {
        self.token(hash).await
    }

    async fn budgets(&self, tokens: &[TokenName], now: Timestamp) -> Result<Vec<Budget>> {
        let tokens = tokens.to_vec();
        self.read(move |db| ceilings::budgets(db, &tokens, now)).await
    }

    async fn address_key(&self, fresh: [u8; 32]) -> Result<[u8; 32]> {
        self.write(move |db| tokens::address_key(db, fresh)).await
    }
}

impl SqlStore {
    /// The stored values of the ids, in the order of the ids. An empty request, which is common, does not go to a reader.
    async fn found<I, T>(
        &self,
        ids: &[I],
        one: impl Fn(&Connection, I) -> Result<Option<T>> + Send + 'static,
    ) -> Result<Vec<T>>
    where
        I: Copy + Send + 'static,
        T: Send + 'static,
    {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = ids.to_vec();
        self.read(move |db| ids.into_iter().filter_map(|id| one(db, id).transpose()).collect()).await
    }
}
