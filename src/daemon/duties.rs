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
            let tenure = shutdown.child_token();
            let mut task = std::pin::pin!(begin(tenure.clone()));
            tokio::select! {
                () = &mut task => {}
                () = trust.lost() => {
                    tenure.cancel();
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
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use jiff::SignedDuration;

    use super::*;
    use crate::domain::lease::{LeaseTerm, RunId};
    use crate::platform::Tenure;

    fn tenure(term: u64) -> Tenure {
        let lease = LeaseTerm { group: "main".parse().unwrap(), run: RunId([1; 16]), term };
        Tenure { lease, began_after: None, trusted_until: SignedDuration::MAX }
    }

    #[tokio::test]
    async fn a_task_runs_while_its_node_leads_and_begins_again_with_the_next_lead() {
        let trust = Trust::by_lease(SignedDuration::ZERO);
        let shutdown = CancellationToken::new();
        let (began, ended) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let counts = || (began.load(Ordering::SeqCst), ended.load(Ordering::SeqCst));
        let (begins, ends) = (began.clone(), ended.clone());
        let duty = while_leading(trust.clone(), shutdown.clone(), move |stop| {
            begins.fetch_add(1, Ordering::SeqCst);
            let ends = ends.clone();
            async move {
                stop.cancelled().await;
                ends.fetch_add(1, Ordering::SeqCst);
            }
        });
        let settle = async || {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        };
        settle().await;
        assert_eq!(counts(), (0, 0));
        trust.hold(SignedDuration::ZERO, tenure(1));
        settle().await;
        assert_eq!(counts(), (1, 0));
        trust.lose();
        settle().await;
        assert_eq!(counts(), (1, 1));
        trust.hold(SignedDuration::ZERO, tenure(2));
        settle().await;
        shutdown.cancel();
        duty.await.unwrap();
        assert_eq!(counts(), (2, 2));
    }
}
