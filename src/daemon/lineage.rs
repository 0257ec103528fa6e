//! Compares the store with its witness at the start, before anything is led.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::witness::WitnessFile;
use crate::clock::{Clock, later};
use crate::config;
use crate::domain::{Lineage, LineageCause, LineageReleased, StoreIdentity, StoreSelf, Witnessed};
use crate::policy::lease;
use crate::policy::lineage::{LineageVerdict, compare};
use crate::store::relational::SqlStore;

/// The witness of a store that was compared with it.
pub struct Watched {
    file: Arc<WitnessFile>,
    path: PathBuf,
}

/// Where the witness of the configured store is. A database has one only if `store.state_dir` says where, because there is
/// no folder of its own.
#[must_use]
pub fn witness_path(store: &config::Store) -> Option<PathBuf> {
    match (&store.url, &store.state_dir) {
        (None, folder) => Some(WitnessFile::path(&store.path, folder.as_deref())),
        (Some(_), None) => None,
        (Some(url), Some(folder)) => {
            let digest = Sha256::digest(url.as_bytes());
            let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            Some(folder.join(format!("postgres-{name}.witness")))
        }
    }
}

/// Warns if the witness is restored together with the store.
pub(super) fn warn_if_beside(store: &config::Store) {
    if store.url.is_some() {
        if store.state_dir.is_none() {
            tracing::warn!(
                "without store.state_dir it is not noticed if the database goes back on its own timeline, and each promotion of a \
                 standby holds the store"
            );
        }
        return;
    }
    let folder = |path: &Path| path.canonicalize().ok();
    let beside = store.path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let beside = beside.unwrap_or(Path::new("."));
    let dir = store.state_dir.as_deref().unwrap_or(beside);
    if folder(dir) == folder(beside) {
        tracing::warn!(
            folder = %dir.display(),
            "the witness is in the folder of the store: a restore of the whole folder is not noticed; set store.state_dir to \
             a directory that is not restored with the store"
        );
    }
}

/// Compares the store with its witness. A store that is not the one that was last written is held: nothing leaves until it
/// is released. `adopts` says that a store without a matching witness is meant.
///
/// # Errors
/// If the witness cannot be read, or the store not be written.
pub async fn watch(
    store: &SqlStore,
    path: PathBuf,
    adopts: bool,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Watched> {
    // Before anything is judged: a directory that is not mounted has no witness, and the store would be held.
    WitnessFile::probe(&path).with_context(|| {
        format!(
            "{}: store.state_dir cannot be written; create or mount it, for the daemon's user",
            path.display()
        )
    })?;
    let witnessed = WitnessFile::read(&path).with_context(|| {
        format!(
            "{}: the witness of the store cannot be read; if the store is the right one, move that file away and start with --adopt",
            path.display()
        )
    })?;
    let own = store.own_lineage().await?;
    let now = clock.now();
    let verdict = match compare(&own, witnessed.as_ref(), adopts) {
        verdict if joins(store, &own, verdict, now).await? => {
            tracing::info!(witness = %path.display(), "another node dials from this database; its witness is written here too");
            LineageVerdict::Known
        }
        verdict => verdict,
    };
    match verdict {
        _ if own.is_held && !may_adopt(store, verdict, adopts).await? => tell_held(&path),
        LineageVerdict::Known => {
            if let Some((before, now)) =
                own.origin.zip(own.server.origin).filter(|(before, now)| before != now)
            {
                tracing::warn!(%before, %now, "a standby was promoted, and nothing was lost; dialling goes on");
            }
            store.opened().await?;
        }
        LineageVerdict::New | LineageVerdict::Adopted => {
            let why = "the daemon was started with --adopt";
            let released = LineageReleased { at: now, by: "--adopt".into(), why: why.into() };
            store.adopt(fresh(), own.is_held.then_some(released)).await?;
            if verdict == LineageVerdict::Adopted {
                tracing::warn!(witness = %path.display(), "the store is taken as the right one; its witness is written from now on");
            }
        }
        LineageVerdict::Held(cause) => {
            hold(store, cause, &own, witnessed, clock.as_ref()).await?;
            tell_held(&path);
        }
    }
    let file = WitnessFile::start(path.clone(), clock).context("the witness of the store cannot be kept")?;
    let file = Arc::new(file);
    store.watched_by(file.clone());
    Ok(Watched { file, path })
}

impl Watched {
    /// Writes what was committed last, if that is not written yet.
    pub fn flush(&self) {
        self.file.flush();
    }

    /// Writes the witness, unless the store is held. Called after a leader has begun its term, and before anything leaves.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn begin(&self, store: &SqlStore) -> anyhow::Result<()> {
        let own = store.own_lineage().await?;
        if let Some(identity) = own.identity.filter(|_| !own.is_held) {
            self.file.begin(identity, own.position, own.server).with_context(|| {
                format!("store.state_dir: the witness {} cannot be written", self.path.display())
            })?;
        }
        Ok(())
    }
}

/// Whether a node comes to a database from which another one dials now. That one has compared it with its own witness, so a
/// witness that does not know it is no sign that something is missing, and it keeps its identity. One that is behind its
/// witness is held nevertheless.
async fn joins(
    store: &SqlStore,
    own: &StoreSelf,
    verdict: LineageVerdict,
    now: Timestamp,
) -> anyhow::Result<bool> {
    use crate::store::Nodes as _;
    let is_unknown = match verdict {
        LineageVerdict::Adopted => true,
        // A lease that is in force may be that of a leader that died with the server before.
        LineageVerdict::Held(LineageCause::AnotherSystem | LineageCause::AnotherTimeline) => false,
        LineageVerdict::Held(cause) => cause != LineageCause::GoneBack,
        LineageVerdict::Known | LineageVerdict::New => false,
    };
    let is_compared = own.origin == own.server.origin;
    if !is_unknown || !is_compared || !store.is_shared() || own.is_held || own.identity.is_none() {
        return Ok(false);
    }
    // An old lease is not taken for one in force by a clock that is behind.
    let latest = later(now, lease::TTL.saturating_mul(2));
    Ok(store.leases().await?.iter().any(|lease| lease.is_held(now) && lease.until <= latest))
}

/// A store that was held since an earlier start stays so. The operator's word at the start suffices only where no calls are
/// known to be missing.
async fn may_adopt(store: &SqlStore, verdict: LineageVerdict, adopts: bool) -> anyhow::Result<bool> {
    use crate::store::Lineages as _;
    if !adopts || verdict != LineageVerdict::Adopted {
        return Ok(false);
    }
    let cause = store.lineage().await?.map(|lineage| lineage.cause);
    Ok(cause.is_some_and(|cause| cause != LineageCause::GoneBack))
}

async fn hold(
    store: &SqlStore,
    cause: LineageCause,
    own: &StoreSelf,
    witnessed: Option<Witnessed>,
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    let since = clock.now();
    // Without a batch it knows nothing of what was ever done.
    let from = own.last_at.or(own.copied_at).unwrap_or(Timestamp::UNIX_EPOCH).min(since);
    let lineage =
        Lineage { since, cause, from, stored: own.position, witnessed, accounts: [].into(), released: None };
    Ok(store.hold(fresh(), lineage).await?)
}

fn tell_held(path: &Path) {
    tracing::error!(
        witness = %path.display(),
        "the store is not the one that was last written; nothing is dialled or sent until an operator releases it with \
         `ringmaster lineage release`; `ringmaster lineage show` tells what is missing"
    );
}

fn fresh() -> StoreIdentity {
    StoreIdentity::new(*Uuid::new_v4().as_bytes())
}
