//! Teams of agents: the task queues of TaskRouter, and the URL of a customer that tells a pool's seats.
//!
//! A lever of the sandbox says who is there and who is busy; both answers are made from that.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::World;
use super::rest::{Asked, Served};
use super::wire::ApiResponse;

/// The agents of a team, each in one of these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Desk {
    /// Ready for a task, and without one.
    pub free: u32,
    /// Asked whether they take a task. One who misses it goes away.
    pub reserved: u32,
    /// On a task.
    pub assigned: u32,
    /// Wrapping a task up.
    pub wrapping: u32,
    /// Not there, or on a break.
    pub away: u32,
}

impl Desk {
    /// Ready for tasks, busy or not.
    const fn available(self) -> u32 {
        self.free.saturating_add(self.reserved).saturating_add(self.assigned).saturating_add(self.wrapping)
    }
}

/// By the name of the pool, or the SID of the task queue.
pub(super) type Desks = BTreeMap<String, Desk>;

impl World {
    /// Sets who is in a team, by the name of its pool or the SID of its task queue.
    pub fn set_desk(&mut self, name: &str, desk: Desk) {
        self.desks.insert(name.to_owned(), desk);
    }

    /// What a customer's URL tells of a pool at this time; `None` for a team that is not known.
    #[must_use]
    pub fn figure_of_pool(&self, now: Timestamp, name: &str) -> Option<Value> {
        let desk = self.desks.get(name)?;
        Some(json!({"free": desk.free, "as_of": now.to_string(), "valid_for": 60}))
    }

    /// `GET /v1/Workspaces/{WS}/TaskQueues/{WQ}/RealTimeStatistics`. Numbers of tasks are texts, as in Twilio's examples.
    pub(super) fn queue_statistics(&self, asked: &Asked<'_>, workspace: &str, queue: &str) -> Served {
        let desk = self.desks.get(queue).ok_or_else(|| asked.not_found())?;
        let activity = |name: &str, workers: u32| json!({"friendly_name": name, "workers": workers});
        Ok(ApiResponse::json(
            200,
            &json!({
                "account_sid": self.accounts[asked.account].sid,
                "workspace_sid": workspace,
                "task_queue_sid": queue,
                "activity_statistics": [
                    activity("Available", desk.available()), activity("Offline", desk.away),
                ],
                "total_available_workers": desk.available(),
                "total_eligible_workers": desk.available().saturating_add(desk.away),
                "total_tasks": desk.reserved.saturating_add(desk.assigned).saturating_add(desk.wrapping),
                "tasks_by_status": {
                    "pending": "0",
                    "reserved": desk.reserved.to_string(),
                    "assigned": desk.assigned.to_string(),
                    "wrapping": desk.wrapping.to_string(),
                },
                "longest_task_waiting_age": 0,
                "longest_task_waiting_sid": null,
                "url": format!(
                    "{}/v1/Workspaces/{workspace}/TaskQueues/{queue}/RealTimeStatistics", asked.origin
                ),
            }),
        ))
    }
}
