//! What verbs record: the end of a recording is told to the `action` of the verb and to its `recordingStatusCallback`.

use crate::sim::world::World;
use crate::sim::world::calls::{is_web_address, seconds};
use crate::sim::world::dial::owned;
use crate::sim::world::document::Element;
use crate::sim::world::hooks::Errand;
use crate::sim::world::state::{CallId, Tape};
use crate::sim::world::wire::Method;

impl World {
    /// Begins to record, if the verb says so.
    pub(super) fn start_tape(&mut self, call: CallId, verb: &Element) {
        let is_on = |word: &str| !matches!(word, "do-not-record" | "false");
        if verb.name != "Record" && !verb.attribute("record").is_some_and(is_on) {
            self.calls[call].tape = None;
            return;
        }
        let method = verb.attribute("recordingStatusCallbackMethod").and_then(Method::parse);
        let url = verb.attribute("recordingStatusCallback").map(|url| self.absolute(call, url));
        let callback = url.filter(|url| is_web_address(url)).map(|url| (url, method.unwrap_or(Method::Post)));
        let events = verb.attribute("recordingStatusCallbackEvent").unwrap_or("completed");
        let tells = |event: &str| events.split_whitespace().any(|word| word == event);
        let (tells_completed, tells_absent) = (tells("completed"), tells("absent"));
        self.calls[call].tape = Some(Tape { callback, tells_completed, tells_absent });
    }

    /// Ends what a `<Dial>` records of its leg.
    pub(super) fn end_tape_of_leg(
        &mut self,
        call: CallId,
        leg: Option<CallId>,
    ) -> Vec<(&'static str, String)> {
        let answered = leg.and_then(|leg| {
            let leg = &self.calls[leg];
            leg.answered.map(|from| seconds(from, leg.ended.unwrap_or(self.now)))
        });
        self.end_tape(call, answered.map_or(0, |seconds| u64::try_from(seconds).unwrap_or(0)))
    }

    /// Ends a recording after so many seconds, and returns what the action of its verb is told. One without sound is absent.
    pub(super) fn end_tape(&mut self, call: CallId, seconds: u64) -> Vec<(&'static str, String)> {
        let Some(tape) = self.calls[call].tape.take() else { return Vec::new() };
        let is_absent = seconds == 0;
        let sid = self.sid("RE");
        let account = self.calls[call].account;
        let account_sid = self.accounts[account].sid.clone();
        let url = format!("https://api.twilio.com/2010-04-01/Accounts/{account_sid}/Recordings/{sid}");
        if !is_absent {
            self.recorded(call, &sid, seconds.to_string());
        }
        let params =
            vec![("RecordingUrl", url), ("RecordingSid", sid), ("RecordingDuration", seconds.to_string())];
        if let Some((url, method)) = tape.callback
            && if is_absent { tape.tells_absent } else { tape.tells_completed }
        {
            let status = if is_absent { "absent" } else { "completed" };
            let mut told = vec![
                ("AccountSid", account_sid),
                ("CallSid", self.calls[call].sid.clone()),
                ("RecordingStatus", status.to_owned()),
            ];
            told.extend(params.clone());
            self.send(account, (&url, method), owned(told), Errand::CallReport(call));
        }
        if is_absent { Vec::new() } else { params }
    }
}
