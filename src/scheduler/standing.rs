//! Leading by a lease, and following: a node that does not lead decides, writes and sends nothing.
//!
//! The answers to what it submitted while it led are reports of the inbox then: whoever leads folds them. Nothing here
//! decides who leads.

use super::request::{Done, News};
use super::round::{self, Next};
use super::state::Scheduler;
use crate::domain::Event;
use crate::platform::Standing;
use crate::store::{self, Report};

impl Scheduler {
    /// Runs one turn as what this node is now.
    pub(super) async fn turn_by_standing(&mut self) -> store::Result<Next> {
        match self.standing() {
            Standing::Alone => self.lead_turn().await,
            Standing::Leads(leadership) => {
                let term = leadership.lease.term;
                if self.leadership.as_ref().is_none_or(|before| before.lease.term != term) {
                    self.step_down();
                    // The state is built anyway.
                    self.containment.must_rebuild = false;
                    self.containment.pending = None;
                    self.leadership = Some(leadership);
                    self.leaves_alone = true;
                    tracing::info!(term, "this node leads from now on");
                }
                match self.lead_turn().await {
                    // Another node has claimed the lease in the meantime.
                    Err(store::Error::Deposed) => {
                        self.deps.trust.lose_term(term);
                        Ok(Next::Again)
                    }
                    next => next,
                }
            }
            Standing::Follows => self.follow().await,
        }
    }

    /// What this node is, by its own clock.
    pub(super) fn standing(&self) -> Standing {
        if self.deps.trust.is_alone() {
            return Standing::Alone;
        }
        self.deps.trust.standing(self.deps.clock.reading().up)
    }

    /// A turn of a node that does not lead: it appends the answers to its requests. A wake-up ends its sleep.
    async fn follow(&mut self) -> store::Result<Next> {
        if self.leadership.take().is_some() {
            self.step_down();
            self.deps.metrics.follows();
            tracing::info!("this node does not lead any more");
        }
        round::gather_answers(self, self.deps.clock.now());
        self.append_answers().await?;
        Ok(Next::Sleep(None))
    }

    /// Appends the answers that arrived. Those of lookups and hang-ups are dropped: whoever leads asks again.
    async fn append_answers(&mut self) -> store::Result<()> {
        let answers = std::mem::take(&mut self.answers);
        let received_at = self.deps.clock.now();
        let reports: Vec<Report> = answers.iter().filter_map(|done| report(done, received_at)).collect();
        if reports.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.deps.store.append_reports(reports).await {
            self.answers = answers;
            return Err(error);
        }
        // Whoever leads may be in this process.
        self.deps.waker.appended();
        Ok(())
    }

    /// Whoever leads now waits for an answer no longer than its time-out, so one that came does not wait for the others.
    /// What cannot be appended is appended with the rest.
    pub(super) async fn append_if_it_follows(&mut self) {
        if matches!(self.standing(), Standing::Follows) {
            round::gather_answers(self, self.deps.clock.now());
            if let Err(error) = self.append_answers().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "an answer could not be appended yet"
                );
            }
        }
    }

    /// Waits for the answers to all requests in flight, and records them: in a batch of the leader, or else as reports.
    pub(super) async fn settle_the_rest(&mut self) -> store::Result<()> {
        let leads = self.led.is_some() && !matches!(self.standing(), Standing::Follows);
        if leads {
            match round::settle_only(self).await {
                Err(store::Error::Deposed) if !self.deps.trust.is_alone() => {}
                settled => return settled,
            }
        }
        round::gather_answers(self, self.deps.clock.now());
        self.append_answers().await
    }
}

/// An answer as a report. Its key is that of the submission, so that it is appended once.
fn report(done: &Done, received_at: jiff::Timestamp) -> Option<Report> {
    let (key, event) = match &done.news {
        News::Call { attempt, answer, .. } => {
            (*attempt.bytes(), Event::CallAnswered { attempt: *attempt, answer: answer.clone() })
        }
        News::Message { message, answer, .. } => {
            (*message.bytes(), Event::MessageAnswered { message: *message, answer: answer.clone() })
        }
        News::HungUp { .. }
        | News::Deleted { .. }
        | News::RecordingDeleted { .. }
        | News::Asked { .. }
        | News::Sought { .. }
        | News::SoughtMessage { .. }
        | News::AskedInbound { .. }
        | News::Since { .. }
        | News::Date(_) => return None,
    };
    // No webhook has such a key: theirs are hashes.
    let mut key = key;
    key.iter_mut().for_each(|byte| *byte ^= 0xA5);
    Some(Report { key, received_at, event })
}
