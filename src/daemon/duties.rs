//! The background tasks that only the leader runs: deliveries, sources of pools, files of reports.
//!
//! When this node gets the lead, a task begins; when it loses the lead, the task ends. It does not know what they do.

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::platform::Trust;

/// Runs what `begin` makes while this node leads, until `shutdown`.
pub(super) fn while_leading<F>(
    trust: Trust,
    shutdown: CancellationToken,
    begin: impl Fn(CancellationToken) -> F + Send + 'static,
) -> JoinHandle<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = trust.led() => {}
                () = shutdown.cancelled() => return,
            }
            let leadership = shutdown.child_token();
            let mut task = std::pin::pin!(begin(leadership.clone()));
            tokio::select! {
                () = &mut task => {}
                () = trust.lost() => {
                    leadership.cancel();
                    task.await;
                }
            }
            if shutdown.is_cancelled() {
                return;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use tokio::sync::mpsc;

    use super::*;
    use crate::domain::lease::{LeaseTerm, RunId};
    use crate::platform::Leadership;

    fn leadership(term: u64) -> Leadership {
        let lease = LeaseTerm { group: "main".parse().unwrap(), run: RunId([1; 16]), term };
        Leadership { lease, began_after: None, trusted_until: SignedDuration::MAX }
    }

    #[tokio::test]
    async fn a_task_runs_while_its_node_leads_and_begins_again_with_the_next_lead() {
        let trust = Trust::by_lease(SignedDuration::ZERO);
        let shutdown = CancellationToken::new();
        let (tell, mut told) = mpsc::unbounded_channel();
        let duty = while_leading(trust.clone(), shutdown.clone(), move |stop| {
            let tell = tell.clone();
            async move {
                tell.send("began").unwrap();
                stop.cancelled().await;
                tell.send("ended").unwrap();
            }
        });
        trust.hold(SignedDuration::ZERO, leadership(1));
        assert_eq!(told.recv().await, Some("began"));
        trust.lose();
        assert_eq!(told.recv().await, Some("ended"));
        trust.hold(SignedDuration::ZERO, leadership(2));
        assert_eq!(told.recv().await, Some("began"));
        shutdown.cancel();
        assert_eq!(told.recv().await, Some("ended"));
        duty.await.unwrap();
        assert_eq!(told.recv().await, None);
    }
}
