//! What leaves: each request once, after its commit, in time, and for a callback that is open.

use jiff::Timestamp;

use super::{CALL, FIRST_BYTE, MESSAGE, Seen};
use crate::domain::{Attempt, AttemptId, CallProgress, MessageId};
use crate::hook_urls::HookUrls;
use crate::sim::world::token_in_path;

impl Seen {
    pub(super) fn posted(&mut self, now: Timestamp, url: &str, form: &[(String, String)]) {
        let value = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| &**value);
        let token = |name| value(name).and_then(token_in_path);
        if url.ends_with("/Calls.json") {
            self.leaves(now, CALL);
            if let Some(token) = token("Url") {
                self.creates(now, CALL, token);
                self.sends(token);
            }
        } else if url.ends_with("/Messages.json") {
            self.leaves(now, MESSAGE);
            if let Some(token) = token("StatusCallback") {
                self.creates(now, MESSAGE, token);
            }
        } else if let Some((_, call)) = url.rsplit_once("/Calls/")
            && value("Status") == Some("canceled")
        {
            self.hangs_up(call.trim_end_matches(".json"));
        }
    }

    /// A message over the Graph API.
    pub(super) fn posted_json(&mut self, now: Timestamp, url: &str, body: &[u8]) {
        if !url.ends_with("/messages") {
            return;
        }
        self.leaves(now, MESSAGE);
        let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        if let Some(token) = body["biz_opaque_callback_data"].as_str() {
            self.creates(now, MESSAGE, token);
        }
    }

    /// The first byte of a call or message leaves: within a quarter of a second of the commit that lets it.
    fn leaves(&mut self, now: Timestamp, kind: usize) {
        let fresh = &mut self.fresh[kind];
        while fresh.front().is_some_and(|at| now.duration_since(*at) >= FIRST_BYTE) {
            fresh.pop_front();
        }
        if fresh.pop_front().is_none() {
            self.problem("a request left later than a quarter of a second after its commit".to_owned());
        }
    }

    /// Nothing is created for a callback that was canceled or closed before it leaves.
    fn creates(&mut self, now: Timestamp, kind: usize, token: &str) {
        let Some(id) = HookUrls::unverified_id(token) else { return };
        let callback = match kind {
            CALL => self.attempts.get(&AttemptId::new(id)).map(|attempt| attempt.callback),
            _ => self.messages.get(&MessageId::new(id)).copied(),
        };
        if let Some(callback) = callback.filter(|callback| self.over.contains(callback)) {
            let what = if kind == CALL { "call" } else { "message" };
            self.problem(format!(
                "a {what} left although its callback was canceled or closed on record: {callback} at {now}"
            ));
        }
    }

    /// A call is hung up only while it rings, for a callback that was canceled, or reached by an earlier call.
    fn hangs_up(&mut self, sid: &str) {
        let attempt = self.attempts.values().find(|attempt| attempt.submission.sid.as_deref() == Some(sid));
        let rings = |attempt: &Attempt| {
            attempt.is_live()
                && attempt.connected_at.is_none()
                && attempt.first_leg != CallProgress::InProgress
        };
        let problem = match attempt {
            None => "a call was hung up that is not on record",
            Some(attempt) if !self.over.contains(&attempt.callback) => {
                "a call was hung up although its callback needed it"
            }
            Some(attempt) if !rings(attempt) => "a call was hung up that was answered or over on record",
            Some(_) => return,
        };
        self.problem(problem.to_owned());
    }

    /// A create request is sent once for an attempt, and only after the attempt is stored as submitting.
    fn sends(&mut self, token: &str) {
        if !self.created.insert(token.to_owned()) {
            self.problem("a request to create a call was sent twice".to_owned());
        }
        if self.created.len() > self.submitted.len() {
            self.problem(
                "a request to create a call left before its attempt was submitting on record".to_owned(),
            );
        }
    }
}
