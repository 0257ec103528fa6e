//! Reports of recordings: of the action of a verb that records, and of `recordingStatusCallback`.
//!
//! No URL is taken from a report: a link is made of the account and the SID.

use super::super::json::is_sid;
use super::super::words::UnknownWord;
use super::{Form, FormError};
use crate::domain::{AttemptId, RecordingReport};

const SID: &str = "RecordingSid";
const STATUS: &str = "RecordingStatus";
const URL: &str = "RecordingUrl";

/// The recording that an action request of a document tells of; `None` if it tells of none, or a malformed one: the end of the
/// verb is not lost with it. The action of `<Dial>` is documented with the URL only, whose last part is the SID.
#[must_use]
pub fn of_action(form: &Form<'_>, attempt: AttemptId) -> Option<RecordingReport> {
    let of_url = || form.get(URL)?.rsplit('/').next();
    let sid = form.get(SID).or_else(of_url)?.to_owned();
    let is_absent = form.get(STATUS) == Some("absent");
    report(form, attempt, sid, is_absent).ok()
}

/// A recording status callback; `None` for one that says that the recording began.
///
/// # Errors
/// If an identifier is absent or malformed, or the status is unknown.
pub fn status(form: &Form<'_>, attempt: AttemptId) -> Result<Option<RecordingReport>, FormError> {
    let is_absent = match form.required(STATUS)? {
        "completed" => false,
        "absent" => true,
        "in-progress" => return Ok(None),
        other => {
            let source = UnknownWord(other.to_owned());
            return Err(FormError::UnknownWord { field: STATUS, source });
        }
    };
    report(form, attempt, form.required(SID)?.to_owned(), is_absent).map(Some)
}

fn report(
    form: &Form<'_>,
    attempt: AttemptId,
    sid: String,
    is_absent: bool,
) -> Result<RecordingReport, FormError> {
    if !is_sid(&sid, &["RE"]) {
        return Err(FormError::NotASid { field: SID });
    }
    let call_sid = form.sid("CallSid", &["CA"])?;
    Ok(RecordingReport { attempt, call_sid, sid, duration_s: form.number("RecordingDuration"), is_absent })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const CALL: &str = "CA00000000000000000000000000000001";
    const RECORDING: &str = "RE00000000000000000000000000000007";

    fn attempt() -> AttemptId {
        AttemptId::new(Uuid::from_u128(1))
    }

    fn form(pairs: &[(&'static str, &str)]) -> Form<'static> {
        let call = [("CallSid", CALL)];
        let all = call.iter().chain(pairs).map(|&(name, value)| (name.into(), value.to_owned().into()));
        all.collect()
    }

    #[test]
    fn an_action_names_its_recording_by_sid_or_by_url() {
        let url = format!("https://elsewhere.example/x/{RECORDING}");
        for pairs in [[("RecordingSid", RECORDING)], [("RecordingUrl", &*url)]] {
            let report = of_action(&form(&pairs), attempt()).unwrap();
            assert_eq!((&*report.sid, &*report.call_sid, report.is_absent), (RECORDING, CALL, false));
        }
        assert_eq!(of_action(&form(&[]), attempt()), None);
        for pairs in [[("RecordingSid", "RE1")], [("RecordingUrl", "https://elsewhere.example/RE1?x=1")]] {
            assert_eq!(of_action(&form(&pairs), attempt()), None, "{pairs:?}");
        }
    }

    #[test]
    fn a_status_is_completed_or_absent_and_its_beginning_is_no_report() {
        let of = |status: &str, more: &[(&'static str, &str)]| {
            let mut pairs = vec![("RecordingSid", RECORDING), ("RecordingStatus", status)];
            pairs.extend(more);
            status_of(&pairs)
        };
        let told = of("completed", &[("RecordingDuration", "42")]).unwrap().unwrap();
        assert_eq!((told.duration_s, told.is_absent), (Some(42), false));
        let told = of("absent", &[("RecordingDuration", "none")]).unwrap().unwrap();
        assert_eq!((told.duration_s, told.is_absent), (None, true));
        assert_eq!(of("in-progress", &[]), Ok(None));
        assert!(matches!(of("finished", &[]), Err(FormError::UnknownWord { field: STATUS, .. })));
        assert_eq!(status_of(&[("RecordingSid", RECORDING)]), Err(FormError::Missing(STATUS)));
        assert_eq!(status_of(&[("RecordingStatus", "completed")]), Err(FormError::Missing(SID)));
    }

    fn status_of(pairs: &[(&'static str, &str)]) -> Result<Option<RecordingReport>, FormError> {
        status(&form(pairs), attempt())
    }
}
