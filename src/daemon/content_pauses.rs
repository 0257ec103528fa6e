//! Pauses of content that the start knows of.
//!
//! What the platform shows as paused rests, as if it had refused a message with it. A pause of a template of `[meta]` goes by
//! the declared name, so it is lifted when another version is used. The scheduler folds both before it decides anything.

use jiff::Timestamp;

use crate::clock::{Clock, later};
use crate::domain::{AccountAlias, ContentRef, ErrorCode, Event, Issuer, Pause, PauseId, PauseScope, Tenant};
use crate::ids::IdGenerator;
use crate::policy::errors::{Reaction, meaning, reaction_to_code};
use crate::store::relational::SqlStore;
use crate::store::{self, Inbox as _, Records as _, Report};

/// The code by which each platform refuses a paused template.
const AT_TWILIO: ErrorCode = ErrorCode::new(Issuer::Twilio, 63_041);
const AT_META: ErrorCode = ErrorCode::new(Issuer::Meta, 132_015);

/// What the start works with.
#[derive(Clone, Copy)]
pub(super) struct Start<'a> {
    pub clock: &'a dyn Clock,
    pub store: &'a SqlStore,
    pub ids: &'a IdGenerator,
}

/// What was seen of the content of an account.
pub(super) struct SeenContent<'a> {
    pub account: &'a AccountAlias,
    /// As messages name it.
    pub content: &'a ContentRef,
    pub issuer: Issuer,
    /// Another version is sent than before.
    pub is_changed: bool,
    /// The platform shows it as paused.
    pub is_paused: bool,
}

impl Start<'_> {
    /// Lifts the pauses of the version before, and pauses what the platform shows as paused.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub(super) async fn pause(&self, seen: &SeenContent<'_>) -> store::Result<()> {
        if !seen.is_changed && !seen.is_paused {
            return Ok(());
        }
        let now = self.clock.now();
        let scope = PauseScope::Content(seen.account.clone(), seen.content.clone());
        let mut known = self.store.pauses(now).await?;
        known.retain(|pause| pause.scope == scope);
        let mut events = Vec::new();
        if seen.is_changed {
            let lifted = known.drain(..).map(|pause| pause.id);
            events.extend(lifted.map(|pause| Event::PauseLifted { pause, by: Pause::PLATFORM.to_owned() }));
        }
        if seen.is_paused && known.is_empty() {
            events.extend(self.paused(scope, seen.issuer, now).map(Event::PauseSet));
        }
        let report = |event| Report { key: self.ids.uuid(now).into_bytes(), received_at: now, event };
        let reports: Vec<Report> = events.into_iter().map(report).collect();
        if !reports.is_empty() {
            self.store.append_reports(reports).await?;
        }
        Ok(())
    }

    /// The pause that a refusal would cause.
    fn paused(&self, scope: PauseScope, issuer: Issuer, now: Timestamp) -> Option<Pause> {
        let code = if issuer == Issuer::Twilio { AT_TWILIO } else { AT_META };
        let Reaction::PauseContent(pause) = reaction_to_code(code) else { return None };
        Some(Pause {
            id: PauseId::new(self.ids.uuid(now)),
            scope,
            tenant: Tenant::default(),
            who: Pause::PLATFORM.into(),
            why: meaning(code).unwrap_or_default().into(),
            from: now,
            until: Some(later(now, pause)),
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::clock::ManualClock;
    use crate::store::Turns as _;

    #[test]
    fn the_codes_of_paused_templates_pause_content() {
        for code in [AT_TWILIO, AT_META] {
            assert_eq!(reaction_to_code(code), Reaction::PauseContent(SignedDuration::from_hours(6)));
            assert!(meaning(code).is_some());
        }
    }

    #[tokio::test]
    async fn a_pause_is_written_only_for_what_is_paused() {
        let store = SqlStore::in_memory().unwrap();
        let (clock, ids) = (ManualClock::new(Timestamp::constant(1_790_000_000, 0)), IdGenerator::seeded(1));
        let start = Start { clock: &clock, store: &store, ids: &ids };
        let account = AccountAlias::from("cloud");
        let content: ContentRef = "call_us".parse().unwrap();
        let events = async |is_changed: bool, is_paused: bool| {
            let (account, content) = (&account, &content);
            let seen = SeenContent { account, content, issuer: Issuer::Meta, is_changed, is_paused };
            start.pause(&seen).await.unwrap();
            store.unfolded_reports(10).await.unwrap().into_iter().map(|filed| filed.event).collect::<Vec<_>>()
        };
        assert!(events(false, false).await.is_empty());
        assert!(events(true, false).await.is_empty(), "nothing was paused");
        let written = events(true, true).await;
        let [Event::PauseSet(pause)] = &written[..] else { panic!("{written:?}") };
        assert_eq!(pause.scope, PauseScope::Content(account.clone(), content.clone()));
        assert_eq!(pause.until, Some(clock.now() + SignedDuration::from_hours(6)));
        assert_eq!((&*pause.who, pause.why.is_empty()), (Pause::PLATFORM, false));
    }
}
