//! A database that is on another server or timeline than before: it is held, unless a witness proves that nothing was lost.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use ringmaster::clock::{Clock as _, SystemClock};
use ringmaster::domain::lease::RunId;
use ringmaster::domain::{GroupName, LineageCause, Position, Server, ServerOrigin, StoreIdentity, Witnessed};
use ringmaster::onboarding::{Code, examine_store};
use ringmaster::store::relational::{SqlStore, server_settings};
use ringmaster::store::{
    Batch, Beat, Beaten, Claim, Error, Lead, Lineages as _, NewNode, Nodes as _, Turns as _, Witness,
};

use crate::harness::postgres::Database;

/// What a node remembers, in memory.
#[derive(Default)]
struct Memory(Mutex<Option<Witnessed>>);

impl Memory {
    fn change(&self, change: impl FnOnce(&mut Witnessed)) {
        self.0.lock().unwrap().as_mut().map(change).unwrap();
    }

    fn know(&self, identity: StoreIdentity, position: Position, server: Server) {
        *self.0.lock().unwrap() = Some(Witnessed { identity, position, at: SystemClock.now(), server });
    }
}

impl Witness for Memory {
    fn committed(&self, position: Position) {
        self.change(|known| known.position = position);
    }

    fn released(&self, identity: StoreIdentity, position: Position, server: Server) {
        self.know(identity, position, server);
    }

    fn seen(&self, identity: StoreIdentity, position: Position, server: Server) {
        self.know(identity, position, server);
    }

    fn newest(&self) -> Option<Witnessed> {
        *self.0.lock().unwrap()
    }

    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn held(&self) {
        *self.0.lock().unwrap() = None;
    }
}

/// A node that leads a database.
struct Leader {
    database: Database,
    store: SqlStore,
    memory: Arc<Memory>,
    lead: Lead,
}

const RUN: RunId = RunId([1; 16]);

impl Leader {
    async fn new() -> Self {
        let database = Database::new();
        let store = database.store();
        let memory = Arc::new(Memory::default());
        store.adopt(StoreIdentity::new([1; 16]), None).await.unwrap();
        store.watched_by(memory.clone());
        let node = NewNode {
            name: "one".into(),
            run: RUN,
            version: "1.0.0".into(),
            url: None,
            told_at: SystemClock.now(),
            gone_after: SignedDuration::from_secs(8),
            takes_over: false,
        };
        store.join(node).await.unwrap();
        let lead = store.lead(None).await.unwrap();
        let mut leader = Self { database, store, memory, lead };
        leader.record().await.unwrap();
        assert!(leader.beat().await.lease.is_some());
        leader
    }

    async fn beat(&self) -> Beaten {
        let claim =
            Claim { group: GroupName::default(), ttl: SignedDuration::from_secs(8), takes_over: false };
        let told_at = SystemClock.now();
        let clock_ahead = SignedDuration::ZERO;
        let beat = Beat { name: "one".into(), run: RUN, told_at, clock_ahead, claim: Some(claim) };
        self.store.beat(beat).await.unwrap()
    }

    async fn record(&mut self) -> Result<(), Error> {
        let published = Some(ringmaster::domain::Loads::default());
        let next = self.lead.next();
        self.store.record(Batch { lead: Some(next), published, ..Batch::default() }).await?;
        self.lead = next;
        Ok(())
    }

    /// As if the database had been on the timeline before this one until now.
    fn promote(&self) {
        self.database.run("UPDATE origin SET timeline = timeline - 1");
        self.memory.change(|known| {
            let origin = known.server.origin.unwrap();
            known.server.origin = Some(ServerOrigin { timeline: origin.timeline - 1, ..origin });
        });
    }

    async fn cause(&self) -> Option<LineageCause> {
        // A reader's first answer may tell of a lost connection only.
        let mut answer = self.store.lineage().await;
        while matches!(answer, Err(Error::Unavailable(_))) {
            answer = self.store.lineage().await;
        }
        answer.unwrap().filter(|lineage| lineage.released.is_none()).map(|lineage| lineage.cause)
    }
}

#[tokio::test]
async fn a_promoted_standby_that_may_lack_commits_is_held_at_the_next_sign_of_life() {
    let leader = Leader::new().await;
    leader.promote();
    assert!(leader.beat().await.lease.is_none(), "whoever leads begins anew");
    assert_eq!(leader.cause().await, Some(LineageCause::AnotherTimeline));
    assert!(leader.beat().await.lease.is_some(), "once");
    assert_eq!(leader.memory.newest(), None, "the witness stays as it was");
}

#[tokio::test]
async fn a_promoted_standby_that_every_commit_waited_for_is_taken_by_itself() {
    let leader = Leader::new().await;
    leader.promote();
    leader.memory.change(|known| known.server.is_synchronous = true);
    assert!(leader.beat().await.lease.is_some());
    assert_eq!(leader.cause().await, None);
    let own = leader.store.own_lineage().await.unwrap();
    assert_eq!(own.origin, own.server.origin, "it is known here from now on");
}

#[tokio::test]
async fn a_synchronous_standby_that_lacks_a_batch_is_held_nevertheless() {
    let leader = Leader::new().await;
    leader.promote();
    leader.memory.change(|known| {
        known.server.is_synchronous = true;
        known.position.batch += 1;
    });
    assert!(leader.beat().await.lease.is_none());
    assert_eq!(leader.cause().await, Some(LineageCause::GoneBack));
}

#[tokio::test]
async fn a_database_on_another_server_is_held_when_a_leader_begins() {
    let leader = Leader::new().await;
    leader.database.run("UPDATE origin SET system = system + 1");
    leader.store.lead(None).await.unwrap();
    assert_eq!(leader.cause().await, Some(LineageCause::AnotherSystem));
}

#[tokio::test]
async fn without_a_witness_a_promoted_standby_is_held() {
    let database = Database::new();
    let store = database.store();
    store.lead(None).await.unwrap();
    database.run("UPDATE origin SET timeline = timeline - 1");
    store.lead(None).await.unwrap();
    let lineage = store.lineage().await.unwrap().unwrap();
    assert_eq!((lineage.cause, lineage.witnessed), (LineageCause::AnotherTimeline, None));
    store.lead(None).await.unwrap();
    assert_eq!(store.lineage().await.unwrap().unwrap().since, lineage.since, "it is held once");
}

#[tokio::test]
async fn a_leader_whose_new_connection_leads_elsewhere_writes_nothing() {
    let mut leader = Leader::new().await;
    leader.promote();
    leader.record().await.unwrap();
    leader.database.cut();
    // The first answer may tell of the lost connection only.
    let mut refused = leader.record().await;
    while matches!(refused, Err(Error::Unavailable(_) | Error::OutcomeUnknown)) {
        refused = leader.record().await;
    }
    assert!(matches!(refused, Err(Error::Deposed)), "{refused:?}");
    leader.store.lead(None).await.unwrap();
    assert_eq!(leader.cause().await, Some(LineageCause::AnotherTimeline));
}

#[test]
fn the_examination_tells_what_a_crash_or_a_promotion_loses_and_what_cannot_be_read() {
    let database = Database::new();
    let settings = server_settings(database.reach()).unwrap();
    let codes: Vec<Code> = examine_store(Ok(&settings), false).iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::StoreWitness, Code::StoreFsync, Code::StoreCommit], "the tests' server is fast");
    assert_eq!(settings.origin.map(|origin| origin.timeline), Some(1));
}

#[tokio::test]
async fn a_user_who_may_not_read_the_timeline_is_left_to_the_numbers_of_batches() {
    let leader = Leader::new().await;
    let user = format!("u{}", leader.database.name());
    leader.database.run(&format!(
        "CREATE ROLE {user} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {user}; \
         REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC"
    ));
    let reach =
        || ringmaster::store::relational::Reach::new(&leader.database.url_as(&user), None, None).unwrap();
    assert_eq!(server_settings(reach()).unwrap().origin, None);
    let store = SqlStore::connect(reach(), &ringmaster::store::relational::Options::default()).unwrap();
    let own = store.own_lineage().await.unwrap();
    assert_eq!((own.server, own.origin), (Server::default(), None));
    drop(store);
    leader.database.run(&format!("DROP OWNED BY {user}; DROP ROLE {user}"));
}
