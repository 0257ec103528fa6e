//! Recordings of calls: listed by their call, and deleted. Their sound is not kept.

use serde_json::{Value, json};

use super::World;
use super::listing::Page;
use super::rest::{Asked, Served};
use super::state::{CallId, Recording};
use super::wire::{ApiResponse, rfc2822};

impl World {
    /// A document recorded so many seconds of the call.
    pub(in crate::sim::world) fn recorded(&mut self, call: CallId, sid: &str, seconds: String) {
        let call = &self.calls[call];
        self.recordings.push(Recording {
            sid: sid.to_owned(),
            account: call.account,
            call_sid: call.sid.clone(),
            seconds,
            created: self.now,
            deleted: false,
        });
    }

    pub(super) fn list_recordings(&self, asked: &Asked<'_>) -> ApiResponse {
        let of_call = asked.query.value("CallSid");
        let all: Vec<usize> = (0..self.recordings.len()).collect();
        let mut page = Page::asked(&asked.query, 50, all.len());
        let picked = page.pick(&all, |id| {
            let recording = &self.recordings[id];
            recording.account == asked.account
                && !recording.deleted
                && of_call.is_none_or(|call| recording.call_sid == call)
        });
        let items = picked.into_iter().map(|id| self.recording_resource(id)).collect();
        page.v2010(asked, "recordings", items)
    }

    pub(super) fn delete_recording(&mut self, asked: &Asked<'_>, sid: &str) -> Served {
        let own = |recording: &&mut Recording| {
            recording.account == asked.account && !recording.deleted && recording.sid == sid
        };
        let found = self.recordings.iter_mut().find(own).ok_or_else(|| asked.not_found())?;
        found.deleted = true;
        Ok(ApiResponse::empty(204))
    }

    fn recording_resource(&self, id: usize) -> Value {
        let recording = &self.recordings[id];
        let account = &self.accounts[recording.account].sid;
        let at = rfc2822(recording.created);
        json!({
            "sid": recording.sid,
            "account_sid": account,
            "call_sid": recording.call_sid,
            "conference_sid": null,
            "api_version": "2010-04-01",
            "channels": 1,
            "source": "RecordVerb",
            "status": "completed",
            "duration": recording.seconds,
            "price": null,
            "price_unit": "USD",
            "error_code": null,
            "encryption_details": null,
            "start_time": at,
            "date_created": at,
            "date_updated": at,
            "uri": format!("/2010-04-01/Accounts/{account}/Recordings/{}.json", recording.sid),
        })
    }
}
