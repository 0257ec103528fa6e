//! A store in memory with 100,000 entries of a suppression list, and checks of people against it.

use std::cell::Cell;

use jiff::Timestamp;
use ringmaster::domain::event::SuppressionAdded;
use ringmaster::domain::{Event, ListName, Name, Phone, SuppressionScope, Tenant};
use ringmaster::store::relational::SqlStore;
use ringmaster::store::{
    EntryName, Hashing, NewCommand, NewSuppressions, Records as _, Report, Suppressed, Suppressions as _,
};
use ringmaster::suppression::NameHasher;
use tokio::runtime::Runtime;

const ENTRIES: u64 = 100_000;
/// So many entries are added at once.
const BULK: u64 = 10_000;
/// So many people are looked up at once, as a turn does.
const AT_ONCE: u64 = 500;
/// A Brazilian mobile number has two spellings: with the ninth digit and without it.
const SPELLINGS_OF_ONE: u32 = 2;
const FIRST: u64 = 5_511_980_000_000;

pub fn hasher() -> NameHasher {
    NameHasher::new(&[7; 32])
}

/// Whom a check is about.
#[derive(Clone, Copy)]
pub enum Asked {
    OnNone,
    OnOne,
}

pub struct Shelf {
    runtime: Runtime,
    store: SqlStore,
    turn: Cell<u64>,
}

impl Shelf {
    pub fn filled() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime starts");
        let store = SqlStore::in_memory().expect("a store in memory opens");
        runtime.block_on(async {
            let hashing = Hashing { hasher: hasher(), accounts: [].into() };
            store.hash_with(hashing).await.expect("the store has no entries");
            for bulk in 0..ENTRIES / BULK {
                let added = store.suppress(entries(bulk)).await.expect("the store takes entries");
                assert!(matches!(added, Suppressed::Filed { is_new: true, .. }));
            }
        });
        Self { runtime, store, turn: Cell::new(0) }
    }

    /// Reads the entries of some people. Returns how many spellings they have together.
    pub fn check(&self, asked: Asked) -> u32 {
        let turn = self.turn.replace((self.turn.get() + 1) % (ENTRIES / AT_ONCE));
        let first = match asked {
            Asked::OnOne => turn * AT_ONCE,
            Asked::OnNone => ENTRIES + turn * AT_ONCE,
        };
        let names: Vec<Name> = (first..first + AT_ONCE).map(|n| Name::Number(number(n))).collect();
        let people = self.runtime.block_on(self.store.people(&names)).expect("the store reads");
        let found = people.iter().filter(|(person, _)| !person.suppressions.is_empty()).count();
        let expected = match asked {
            Asked::OnOne => names.len(),
            Asked::OnNone => 0,
        };
        assert_eq!(found, expected);
        u32::try_from(names.len()).map_or(0, |people| people * SPELLINGS_OF_ONE)
    }
}

fn number(n: u64) -> Phone {
    Phone::from_stored(FIRST + n)
}

fn entries(bulk: u64) -> NewSuppressions {
    let list: ListName = "house".parse().expect("a list");
    let added = SuppressionAdded {
        list: list.clone(),
        list_id: 0,
        entries: 0,
        consumers: Vec::new(),
        waiting: Vec::new(),
        is_cut: false,
        by: "bench".into(),
    };
    let mut key = [0; 16];
    key[..8].copy_from_slice(&bulk.to_be_bytes());
    let report = Report { key, received_at: Timestamp::UNIX_EPOCH, event: Event::Suppressed(added) };
    NewSuppressions {
        list,
        version: String::new(),
        scope: SuppressionScope::All,
        expires_at: None,
        why: None,
        names: (bulk * BULK..(bulk + 1) * BULK).map(|n| EntryName::Name(Name::Number(number(n)))).collect(),
        command: NewCommand { report, tenant: Tenant::default(), callback: None, content: [0; 32] },
    }
}
