//! TaskRouter: how many workers of a task queue are free, by its real-time statistics.
//!
//! Twilio, *TaskQueue Statistics* (read November 2026): `total_available_workers` counts workers in an available activity,
//! who may be busy with a task; the figures may be some seconds old; above 100 workers they may not be accessible.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::client::{Client, Service, with_query};
use super::json;
use super::outcome::Error;
use crate::clock::{earlier, later};
use crate::domain::Figure;
use crate::platform::seats::{SeatSource, Told, Unread};

/// Twilio answers reliably for so many workers of a queue.
const WORKERS_MOST: u32 = 100;
/// How old the statistics may be when they are answered. Calls that were answered since are subtracted from them.
const LATENCY: SignedDuration = SignedDuration::from_secs(5);

/// The real-time statistics of a task queue, as far as they are needed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct QueueStatistics {
    /// Workers in an available activity, busy or not.
    #[serde(default, deserialize_with = "json::number")]
    pub total_available_workers: Option<u32>,
    /// All workers of the queue.
    #[serde(default, deserialize_with = "json::number")]
    pub total_eligible_workers: Option<u32>,
    /// How many tasks have each status. Twilio writes numbers or texts.
    #[serde(default)]
    tasks_by_status: Option<BTreeMap<String, Value>>,
}

impl QueueStatistics {
    /// Workers who have no task: those available, less one for each task that is reserved, assigned or wrapped up.
    ///
    /// # Errors
    /// If a figure is missing, or if the queue has more workers than Twilio answers for.
    pub fn free(&self) -> Result<u32, Unread> {
        let available = self.total_available_workers.zip(self.total_eligible_workers);
        let Some(((available, eligible), tasks)) = available.zip(self.tasks_by_status.as_ref()) else {
            return Err(Unread::because("the statistics of the task queue lack the workers or the tasks"));
        };
        if eligible > WORKERS_MOST {
            return Err(Unread::because(
                "the task queue has more than 100 workers, for whom Twilio's statistics may be missing",
            ));
        }
        let mut busy = 0_u32;
        for status in ["reserved", "assigned", "wrapping"] {
            busy = busy.saturating_add(match tasks.get(status) {
                None | Some(Value::Null) => 0,
                Some(count) => number(count).ok_or_else(|| {
                    Unread::because("the statistics of the task queue have no number of tasks")
                })?,
            });
        }
        Ok(available.saturating_sub(busy))
    }
}

fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => u32::try_from(number.as_u64()?).ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

impl Client {
    /// The real-time statistics of a task queue for the task channel `voice`.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn queue_statistics(&self, workspace: &str, queue: &str) -> Result<QueueStatistics, Error> {
        let path = format!("/v1/Workspaces/{workspace}/TaskQueues/{queue}/RealTimeStatistics");
        let path = with_query(&path, &[("TaskChannel", "voice".to_owned())]);
        self.read(Service::TaskRouter, &path).await
    }
}

/// The free workers of a task queue.
#[derive(Debug)]
pub struct QueueSource {
    pub client: Client,
    /// `WS…`.
    pub workspace_sid: String,
    /// `WQ…`.
    pub task_queue_sid: String,
    /// How long a figure holds.
    pub valid_for: SignedDuration,
}

#[async_trait]
impl SeatSource for QueueSource {
    async fn read(&self, now: Timestamp) -> Result<Told, Unread> {
        let read = self.client.queue_statistics(&self.workspace_sid, &self.task_queue_sid).await;
        let statistics = read.map_err(|error| Unread::because(why(&error)))?;
        Ok(Told {
            figure: Figure::Free(statistics.free()?),
            as_of: earlier(now, LATENCY),
            valid_until: later(now, self.valid_for),
            headroom: None,
            wrap_up: None,
        })
    }
}

fn why(error: &Error) -> String {
    match error {
        Error::NotFound => "Twilio knows no such task queue".to_owned(),
        Error::RateLimited { .. } => "Twilio answered that there are too many requests".to_owned(),
        Error::Rejected(refusal) => format!("Twilio refused it with status {}", refusal.status),
        Error::Unreachable(_) => "Twilio cannot be reached".to_owned(),
        Error::Unexpected(_) => "Twilio's answer cannot be understood".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn free(body: Value) -> Result<u32, String> {
        let statistics: QueueStatistics = serde_json::from_value(body).unwrap();
        statistics.free().map_err(|unread| unread.to_string())
    }

    #[test]
    fn workers_with_a_task_are_not_free() {
        let body = |available: u32, tasks: Value| json!({"total_available_workers": available, "total_eligible_workers": 100, "tasks_by_status": tasks});
        assert_eq!(free(body(5, json!({}))), Ok(5));
        let tasks = json!({"pending": 9, "reserved": 1, "assigned": "2", "wrapping": "1", "completed": "5"});
        assert_eq!(free(body(5, tasks.clone())), Ok(1));
        assert_eq!(free(body(4, tasks.clone())), Ok(0));
        assert_eq!(free(body(3, tasks)), Ok(0), "more tasks than workers");
        assert!(free(body(5, json!({"assigned": "many"}))).unwrap_err().contains("no number"));
    }

    #[test]
    fn without_all_figures_and_for_too_many_workers_nothing_is_known() {
        let whole =
            json!({"total_available_workers": 5, "total_eligible_workers": 100, "tasks_by_status": {}});
        assert_eq!(free(whole.clone()), Ok(5));
        for field in ["total_available_workers", "total_eligible_workers", "tasks_by_status"] {
            let mut lacking = whole.clone();
            lacking[field] = Value::Null;
            assert!(free(lacking).unwrap_err().contains("lack"), "{field}");
        }
        let mut large = whole;
        large["total_eligible_workers"] = 101.into();
        assert!(free(large).unwrap_err().contains("more than 100"));
    }
}
