//! The leader: the one scheduler whose batches the store accepts.

use super::state::Scheduler;
use crate::store::{self, Batch, Error, Lead};

impl Scheduler {
    /// Writes a batch as this leader, under the next number.
    ///
    /// # Errors
    /// As [`Turns::record`](store::Turns::record), but not [`Error::OutcomeUnknown`]: the number tells whether the batch
    /// was written. If that cannot be read, the state in memory is built anew, in a term that shuts the batch out.
    pub(super) async fn write(&mut self, batch: Batch) -> store::Result<()> {
        let Some(led) = self.led else { return Err(Error::Deposed) };
        let lead = led.next();
        let store = self.deps.store.clone();
        let written = match store.record(Batch { lead: Some(lead), ..batch }).await {
            Err(Error::OutcomeUnknown) => match store.last_batch().await {
                Ok(last) if last == lead.number => Ok(()),
                Ok(_) => Err(Error::Conflict),
                Err(error) => {
                    self.containment.must_rebuild = true;
                    Err(error)
                }
            },
            written => written,
        };
        match &written {
            Ok(()) => self.led = Some(lead),
            Err(Error::Conflict) => self.compare_number(led).await?,
            Err(Error::Deposed) => self.be_deposed(),
            Err(_) => {}
        }
        written
    }

    /// A batch that counted as lost may have been written after all. Its effects are not in memory.
    async fn compare_number(&mut self, led: Lead) -> store::Result<()> {
        self.containment.must_rebuild |= self.deps.store.last_batch().await? != led.number;
        Ok(())
    }
}
