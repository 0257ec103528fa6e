//! The final checks, after the last daemon has had time to finish everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::customers::{Books, pass};
use crate::setting::Setting;

/// All callbacks that the daemon lists.
#[derive(Default)]
pub struct Callbacks {
    pub all: BTreeSet<String>,
    /// Counts by outcome, and by status for open callbacks.
    pub ends: BTreeMap<String, u64>,
    pub open: u64,
}

impl Callbacks {
    fn read(setting: &Setting) -> Self {
        let mut callbacks = Self::default();
        let mut cursor = String::new();
        loop {
            let path = format!("/v1/callbacks?limit=500{cursor}");
            let (_, page) = setting.daemon("GET", &path, None, "").expect("a running daemon answers");
            for callback in page["callbacks"].as_array().unwrap() {
                callbacks.all.insert(callback["id"].as_str().unwrap().to_owned());
                callbacks.open += u64::from(callback["status"] != "closed");
                let end = callback["outcome"].as_str().or(callback["status"].as_str()).unwrap();
                *callbacks.ends.entry(end.to_owned()).or_default() += 1;
            }
            let Some(next) = page["next_cursor"].as_str() else { return callbacks };
            cursor = format!("&cursor={next}");
        }
    }
}

/// Waits until the world has no live call, every callback is closed, and every webhook was delivered.
pub fn settle(setting: &Setting, books: &Books, patience: Duration) -> (Callbacks, Duration) {
    let began = Instant::now();
    // Retry the reports at which a process failed on purpose.
    let (_, aside) = setting.daemon("GET", "/v1/set-aside?limit=500", None, "").unwrap();
    for item in aside["set_aside"].as_array().unwrap() {
        let path = format!("/v1/set-aside/{}/retry", item["id"].as_str().unwrap());
        let (status, answer) = setting.daemon("POST", &path, None, "").unwrap();
        assert!(matches!(status, 200 | 202), "{answer}");
    }
    loop {
        let calls = setting.report()["calls_live"].as_u64().unwrap();
        let (_, waiting) = setting.daemon("GET", "/v1/callbacks?status=waiting&limit=1", None, "").unwrap();
        let (_, calling) = setting.daemon("GET", "/v1/callbacks?status=calling&limit=1", None, "").unwrap();
        let open =
            [waiting, calling].iter().map(|page| page["callbacks"].as_array().unwrap().len()).sum::<usize>();
        // A call whose last report was lost is looked up, also one of a consumer's that no callback waits for.
        let (_, senders) = setting.daemon("GET", "/v1/senders", None, "").unwrap();
        let held: u64 =
            senders["senders"].as_array().unwrap().iter().map(|it| it["live_calls"].as_u64().unwrap()).sum();
        let untold = books.accepted.lock().unwrap().len().saturating_sub(books.told.lock().unwrap().len());
        if (calls == 0 && open == 0 && held == 0 && untold == 0) || began.elapsed() > patience {
            return (Callbacks::read(setting), began.elapsed());
        }
        pass(Duration::from_millis(200));
    }
}

/// Counts from the store after the daemon has stopped.
#[derive(Debug)]
pub struct Stored {
    pub is_whole: bool,
    /// Attempts with the SID of their call.
    pub called: u64,
    /// What is still live.
    pub open: Vec<(&'static str, u64)>,
    /// Attempts withdrawn after a crash, left unknown by one, and found not to exist.
    pub withdrawn: u64,
    pub unknown: u64,
    pub not_placed: u64,
    /// Permission requests and invites whose delivery is unknown.
    pub messages_unknown: u64,
    /// The user ids of the kept reports that name nobody who is known.
    pub unmatched: BTreeSet<String>,
}

impl Stored {
    pub fn read(setting: &Setting) -> Self {
        let count = |sql: &str| setting.ask(sql)[0].parse::<u64>().unwrap();
        let noted = |what: &str| count(&format!("SELECT count(*) FROM timeline WHERE what = '{what}'"));
        Self {
            unmatched: setting.ask("SELECT user_id FROM unmatched_reports").into_iter().collect(),
            is_whole: setting.is_whole(),
            called: count("SELECT count(*) FROM attempts WHERE sid IS NOT NULL"),
            open: [
                ("attempts", "SELECT count(*) FROM attempts WHERE live = 1"),
                ("persons", "SELECT count(*) FROM persons WHERE coalesce(live, '') <> ''"),
                ("calls of consumers", "SELECT count(*) FROM pairs WHERE live_inbound IS NOT NULL"),
                ("messages", "SELECT count(*) FROM messages WHERE stage IN ('intent', 'submitting')"),
            ]
            .into_iter()
            .map(|(what, sql)| (what, count(sql)))
            .filter(|(_, count)| *count > 0)
            .collect(),
            withdrawn: noted("attempt.withdrawn"),
            unknown: noted("attempt.unknown"),
            not_placed: noted("attempt.not_placed"),
            messages_unknown: noted("permission.request_unknown") + noted("invite.unknown"),
        }
    }
}

/// Counts from the world's report.
pub struct World<'a>(pub &'a Value);

impl World<'_> {
    pub fn number(&self, path: &str) -> u64 {
        let value = path.split('.').fold(self.0, |value, name| &value[name]);
        value.as_u64().unwrap_or_else(|| panic!("the sandbox's report has no number {path}"))
    }

    /// Calls created for an attempt that already had one.
    pub fn duplicates(&self) -> u64 {
        self.number("counts.creates_accepted") - self.number("attempts_called")
    }

    pub fn dials(&self) -> u64 {
        self.number("counts.creates_accepted") + self.number("counts.creates_refused")
    }
}
