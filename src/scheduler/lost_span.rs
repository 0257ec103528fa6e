//! What is known in memory of a lost span of the store, and when the platforms are asked for it: each account at once, and
//! at growing intervals while it does not answer.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::clock::later;
use crate::domain::{AccountAlias, Lineage};

const PAUSE_FIRST: SignedDuration = SignedDuration::from_secs(1);
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(1);
/// The clocks of the platforms may differ, and the last commit may have been a little earlier than what it tells.
const SLACK: SignedDuration = SignedDuration::from_secs(30);
/// The longest span that is asked for. Nothing that is older counts for a limit.
const SPAN_MAX: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A lost span that is not released.
#[derive(Debug, Default)]
pub(super) struct LostSpan {
    pub(super) held: Option<Lineage>,
    asks: BTreeMap<AccountAlias, Ask>,
}

#[derive(Debug)]
struct Ask {
    next_at: Timestamp,
    pause: SignedDuration,
    under_way: bool,
}

impl LostSpan {
    /// Asks those of the accounts that have not told yet.
    pub(super) fn new<'a>(
        held: Option<Lineage>,
        accounts: impl Iterator<Item = &'a AccountAlias>,
        now: Timestamp,
    ) -> Self {
        let Some(lineage) = &held else { return Self::default() };
        let ask = || Ask { next_at: now, pause: PAUSE_FIRST, under_way: false };
        let left = accounts.filter(|account| !lineage.accounts.contains_key(*account));
        let asks = left.map(|account| (account.clone(), ask())).collect();
        Self { held, asks }
    }

    /// From when on the platforms are asked.
    pub(super) fn asked_from(&self) -> Option<Timestamp> {
        let Lineage { since, from, .. } = self.held.as_ref()?;
        let earliest = since.checked_sub(SPAN_MAX).unwrap_or(Timestamp::MIN);
        Some(from.checked_sub(SLACK).unwrap_or(Timestamp::MIN).max(earliest))
    }

    /// The accounts to ask now. Their questions count as under way.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<AccountAlias> {
        let due = self.asks.iter_mut().filter(|(_, ask)| !ask.under_way && ask.next_at <= now);
        due.map(|(account, ask)| {
            ask.under_way = true;
            account.clone()
        })
        .collect()
    }

    /// The question was not sent.
    pub(super) fn unsent(&mut self, account: &AccountAlias) {
        if let Some(ask) = self.asks.get_mut(account) {
            ask.under_way = false;
        }
    }

    /// The question was answered, or not. It is asked again until its answer is written.
    pub(super) fn answered(&mut self, account: &AccountAlias, now: Timestamp) {
        if let Some(ask) = self.asks.get_mut(account) {
            ask.under_way = false;
            ask.next_at = later(now, ask.pause);
            ask.pause = ask.pause.saturating_add(ask.pause).min(PAUSE_MAX);
        }
    }

    /// The account has told.
    pub(super) fn told(&mut self, account: &AccountAlias) {
        self.asks.remove(account);
    }

    /// The accounts that have not told yet.
    pub(super) fn untold(&self) -> impl Iterator<Item = &AccountAlias> {
        self.asks.keys()
    }

    /// When the next question is due.
    pub(super) fn alarm(&self) -> Option<Timestamp> {
        self.asks.values().filter(|ask| !ask.under_way).map(|ask| ask.next_at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{LineageCause, Position};

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_790_000_000, 0) + SignedDuration::from_secs(second)
    }

    fn held(from: Timestamp) -> Lineage {
        Lineage {
            since: at(0),
            cause: LineageCause::GoneBack,
            from,
            stored: Position::default(),
            witnessed: None,
            accounts: BTreeMap::new(),
            released: None,
        }
    }

    #[test]
    fn an_account_is_asked_once_at_a_time_until_it_has_told() {
        let (one, two) = (AccountAlias::from("one"), AccountAlias::from("two"));
        let mut span = LostSpan::new(Some(held(at(-60))), [&one, &two].into_iter(), at(0));
        assert_eq!(span.take(at(0)), [one.clone(), two.clone()]);
        assert_eq!((span.take(at(9)), span.alarm()), (vec![], None));
        span.answered(&one, at(10));
        span.unsent(&two);
        assert_eq!(span.take(at(10)), std::slice::from_ref(&two));
        span.told(&two);
        assert_eq!(span.alarm(), Some(at(11)));
        assert_eq!((span.take(at(10)), span.take(at(11))), (vec![], vec![one.clone()]));
        span.answered(&one, at(11));
        assert_eq!(span.alarm(), Some(at(13)), "the interval doubles");
        assert!(span.untold().eq([&one]));
    }

    #[test]
    fn the_span_begins_a_little_before_the_last_commit_and_at_most_30_days_ago() {
        let from = |from| LostSpan::new(Some(held(from)), [].into_iter(), at(0)).asked_from();
        assert_eq!(from(at(-60)), Some(at(-90)));
        assert_eq!(from(Timestamp::MIN), Some(at(-30 * 24 * 3_600)));
        assert_eq!(LostSpan::default().asked_from(), None);
    }
}
