//! Until when this process may let submissions leave: its trust in the lease of its dialling group.
//!
//! Whoever keeps the lease sets it; a request asks it right before its first byte. It decides nothing about who leads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;
use tokio::sync::watch;

use crate::domain::lease::{LeaseEnd, LeaseTerm};

/// A term that this process trusts for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leadership {
    pub lease: LeaseTerm,
    /// How the term before ended.
    pub began_after: Option<LeaseEnd>,
    /// By the monotonic clock.
    pub trusted_until: SignedDuration,
}

/// Whether this process leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// There is no lease: the lock of the store's file proves that this process is alone.
    Alone,
    Leads(Leadership),
    Follows,
}

/// The trust of this process. Clones share it.
#[derive(Clone)]
pub struct Trust(Arc<Shared>);

struct Shared {
    standing: Mutex<Standing>,
    /// The term that this process leads in; `None` while it follows.
    term: watch::Sender<Option<u64>>,
    /// No submission begins to leave with less trust left.
    left_at_least: SignedDuration,
}

impl Trust {
    /// Of a process that needs no lease.
    #[must_use]
    pub fn alone() -> Self {
        Self::of(Standing::Alone, Some(0), SignedDuration::ZERO)
    }

    /// Of a process that follows until it has a lease. No submission begins to leave with less trust left than
    /// `left_at_least`.
    #[must_use]
    pub fn by_lease(left_at_least: SignedDuration) -> Self {
        Self::of(Standing::Follows, None, left_at_least)
    }

    fn of(standing: Standing, term: Option<u64>, left_at_least: SignedDuration) -> Self {
        let standing = Mutex::new(standing);
        Self(Arc::new(Shared { standing, term: watch::Sender::new(term), left_at_least }))
    }

    /// This process has the lease at `up`. `true` if that is another term than before, or the one before was not
    /// trusted any more.
    pub fn hold(&self, up: SignedDuration, leadership: Leadership) -> bool {
        let term = leadership.lease.term;
        let before = std::mem::replace(&mut *self.lock(), Standing::Leads(leadership));
        let goes_on = |before: &Leadership| before.lease.term == term && up < before.trusted_until;
        let is_new = !matches!(before, Standing::Leads(before) if goes_on(&before));
        self.tell(Some(term));
        is_new
    }

    /// This process has the lease no longer. `true` if it led until now.
    pub fn lose(&self) -> bool {
        let mut standing = self.lock();
        let led = matches!(*standing, Standing::Leads(_));
        if led {
            *standing = Standing::Follows;
        }
        drop(standing);
        if led {
            self.tell(None);
        }
        led
    }

    /// The same, if it led in this term.
    pub fn lose_term(&self, term: u64) {
        let is_it = matches!(&*self.lock(), Standing::Leads(leadership) if leadership.lease.term == term);
        if is_it {
            self.lose();
        }
    }

    /// What this process is at `up`, the time by the monotonic clock. A lease that it does not trust any more is none.
    #[must_use]
    pub fn standing(&self, up: SignedDuration) -> Standing {
        match &*self.lock() {
            Standing::Leads(leadership) if up >= leadership.trusted_until => Standing::Follows,
            standing => standing.clone(),
        }
    }

    /// Whether this process needs no lease.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        matches!(*self.lock(), Standing::Alone)
    }

    /// Whether a submission of this term may begin to leave at `up`.
    #[must_use]
    pub fn may_leave(&self, up: SignedDuration, term: u64) -> bool {
        match &*self.lock() {
            Standing::Alone => true,
            Standing::Follows => false,
            Standing::Leads(leadership) => {
                let needed = up.saturating_add(self.0.left_at_least);
                leadership.lease.term == term && needed <= leadership.trusted_until
            }
        }
    }

    /// Ends when this process leads, at once if it does.
    pub async fn led(&self) {
        // The sender lives as long as this value.
        let _ = self.0.term.subscribe().wait_for(Option::is_some).await;
    }

    /// Ends when this process does not lead any more.
    pub async fn lost(&self) {
        let _ = self.0.term.subscribe().wait_for(Option::is_none).await;
    }

    fn tell(&self, term: Option<u64>) {
        self.0.term.send_if_modified(|told| std::mem::replace(told, term) != term);
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.0.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::domain::lease::RunId;

    fn leadership(term: u64, trusted_until_ms: i64) -> Leadership {
        let lease = LeaseTerm { group: "main".parse().unwrap(), run: RunId([1; 16]), term };
        let trusted_until = SignedDuration::from_millis(trusted_until_ms);
        Leadership { lease, began_after: None, trusted_until }
    }

    fn ms(millis: i64) -> SignedDuration {
        SignedDuration::from_millis(millis)
    }

    #[test]
    fn a_submission_leaves_with_a_second_of_trust_and_not_with_less() {
        let trust = Trust::by_lease(ms(1_000));
        assert!(!trust.may_leave(ms(0), 1), "nobody leads");
        assert!(trust.hold(ms(0), leadership(1, 7_000)));
        assert!(trust.may_leave(ms(5_999), 1));
        assert!(trust.may_leave(ms(6_000), 1));
        assert!(!trust.may_leave(ms(6_001), 1));
        assert!(!trust.may_leave(ms(0), 2), "it is of another term");
        assert!(!trust.hold(ms(0), leadership(1, 9_000)), "a renewal");
        assert!(trust.may_leave(ms(8_000), 1));
        assert!(trust.hold(ms(9_000), leadership(1, 12_000)), "it was not trusted any more");
        assert!(trust.hold(ms(0), leadership(2, 9_000)));
        assert!(!trust.may_leave(ms(0), 1) && trust.may_leave(ms(0), 2));
    }

    #[test]
    fn what_is_not_trusted_any_more_is_no_lease() {
        let trust = Trust::by_lease(ms(1_000));
        trust.hold(ms(0), leadership(1, 7_000));
        assert!(matches!(trust.standing(ms(6_999)), Standing::Leads(_)));
        assert_eq!(trust.standing(ms(7_000)), Standing::Follows);
        trust.lose_term(2);
        assert!(matches!(trust.standing(ms(0)), Standing::Leads(_)));
        trust.lose_term(1);
        assert_eq!(trust.standing(ms(0)), Standing::Follows);
        assert!(!trust.lose(), "it is lost already");
    }

    #[test]
    fn who_is_alone_always_leads() {
        let trust = Trust::alone();
        assert!(trust.may_leave(SignedDuration::MAX, 9) && trust.is_alone());
        assert!(trust.led().now_or_never().is_some());
        assert!(!trust.lose() && trust.lost().now_or_never().is_none());
    }

    #[test]
    fn who_waits_hears_of_the_lead_and_of_its_end() {
        let trust = Trust::by_lease(ms(1_000));
        assert!(trust.led().now_or_never().is_none() && trust.lost().now_or_never().is_some());
        trust.hold(ms(0), leadership(1, 7_000));
        assert!(trust.led().now_or_never().is_some() && trust.lost().now_or_never().is_none());
        trust.lose();
        assert!(trust.led().now_or_never().is_none());
    }
}
