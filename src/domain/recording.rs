//! Recordings of calls: what is kept of them. The sound stays at the platform.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use strum::{EnumString, IntoStaticStr};

use super::AttemptId;

/// One recording of a call, as the platform keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The platform's id of it.
    pub sid: String,
    /// Where it is at the platform. `None` if the platform has no such address, or the person is erased.
    pub link: Option<String>,
    /// How long it is, if reported.
    pub duration_s: Option<u32>,
    pub notice: Notice,
    /// When it was first heard of.
    pub told_at: Timestamp,
    /// By when it is deleted; `None` if it is kept until somebody deletes it at the platform.
    pub delete_at: Option<Timestamp>,
    pub state: RecordingState,
    /// When the platform is asked next to delete it.
    pub ask_at: Option<Timestamp>,
    /// How often the platform was asked.
    pub tries: u32,
    /// When the platform had it no more.
    pub deleted_at: Option<Timestamp>,
}

/// How a person learns that the call is recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Notice {
    /// The document says it.
    Spoken,
    /// The agent says it.
    Agent,
    /// Nobody says it.
    None,
    /// The configuration does not tell.
    #[default]
    Unstated,
}

impl Notice {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What became of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum RecordingState {
    /// The platform has it.
    Kept,
    /// The platform says that there is none: nothing was said in the call.
    Absent,
    /// The platform has it no more.
    Deleted,
    /// The platform did not delete it in all tries: somebody has to.
    Refused,
}

impl RecordingState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A report that a call was recorded, or that its recording has nothing in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingReport {
    pub attempt: AttemptId,
    /// The call that we placed.
    pub call_sid: String,
    /// The platform's id of the recording.
    pub sid: String,
    pub duration_s: Option<u32>,
    pub is_absent: bool,
}

/// What the configuration says of recordings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingRules {
    /// How long the platform keeps them after they are heard of; `None` until somebody deletes them there.
    pub keep: Option<SignedDuration>,
    /// For documents that are not in `notices`.
    pub notice: Notice,
    /// By the name of the document.
    pub notices: BTreeMap<String, Notice>,
}

impl RecordingRules {
    #[must_use]
    pub fn notice(&self, document: &str) -> Notice {
        self.notices.get(document).copied().unwrap_or(self.notice)
    }

    /// By when a recording is deleted that is heard of at `now`. A date out of range counts as none.
    #[must_use]
    pub fn delete_at(&self, now: Timestamp) -> Option<Timestamp> {
        now.checked_add(self.keep?).ok()
    }
}

/// What holds for a recording that is heard of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingTerms {
    pub link: Option<String>,
    pub notice: Notice,
    pub delete_at: Option<Timestamp>,
}

/// What a report of a recording changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It is the first report of this recording.
    New,
    /// It told more of a known one.
    More,
    /// It told nothing new, or the attempt has [`Recordings::MOST`] recordings.
    Nothing,
}

/// The recordings of one attempt, in the order in which they were heard of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recordings(Vec<Recording>);

/// When a request without an answer is repeated, in minutes after each; then an operator has to see to it.
const TRIES_AFTER_MIN: [i64; 8] = [1, 5, 15, 60, 180, 360, 720, 1_440];

impl Recordings {
    /// How many are kept of one attempt. Reports of further ones change nothing.
    pub const MOST: usize = 8;

    #[must_use]
    pub fn new(all: Vec<Recording>) -> Self {
        Self(all)
    }

    #[must_use]
    pub fn as_slice(&self) -> &[Recording] {
        &self.0
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Applies a report. Their order does not matter: a recording that one report has and another calls absent counts as
    /// one that is there, so that it is deleted.
    pub fn observe(&mut self, now: Timestamp, report: &RecordingReport, terms: RecordingTerms) -> Told {
        if let Some(known) = self.0.iter_mut().find(|known| known.sid == report.sid) {
            let before = known.clone();
            known.duration_s = known.duration_s.or(report.duration_s);
            if known.state == RecordingState::Absent && !report.is_absent {
                known.state = RecordingState::Kept;
                known.ask_at = known.delete_at;
            }
            return if *known == before { Told::Nothing } else { Told::More };
        }
        if self.0.len() >= Self::MOST {
            return Told::Nothing;
        }
        let state = if report.is_absent { RecordingState::Absent } else { RecordingState::Kept };
        self.0.push(Recording {
            sid: report.sid.clone(),
            link: terms.link,
            duration_s: report.duration_s,
            notice: terms.notice,
            told_at: now,
            delete_at: terms.delete_at,
            ask_at: terms.delete_at.filter(|_| state == RecordingState::Kept),
            state,
            tries: 0,
            deleted_at: None,
        });
        Told::New
    }

    /// When the platform is asked next to delete one of them.
    #[must_use]
    pub fn ask_at(&self) -> Option<Timestamp> {
        self.0.iter().filter_map(|recording| recording.ask_at).min()
    }

    /// The ids of those that the platform is to be asked about.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        let due = self.0.iter().filter(move |recording| recording.ask_at.is_some_and(|at| at <= now));
        due.map(|recording| recording.sid.as_str())
    }

    /// The platform is asked to delete this one; the next try is noted before it is asked.
    pub fn ask(&mut self, now: Timestamp, sid: &str) {
        if let Some(recording) = self.0.iter_mut().find(|recording| recording.sid == sid) {
            let tries = usize::try_from(recording.tries).unwrap_or(usize::MAX);
            let last = TRIES_AFTER_MIN[TRIES_AFTER_MIN.len() - 1];
            let wait = SignedDuration::from_mins(TRIES_AFTER_MIN.get(tries).copied().unwrap_or(last));
            recording.ask_at = now.checked_add(wait).ok();
            recording.tries = recording.tries.saturating_add(1);
        }
    }

    /// The platform has it no more.
    pub fn deleted(&mut self, now: Timestamp, sid: &str) {
        self.end(sid, RecordingState::Deleted, Some(now));
    }

    /// The platform does not delete it.
    pub fn refused(&mut self, sid: &str) {
        self.end(sid, RecordingState::Refused, None);
    }

    /// The platform did not answer. Returns whether that was the last try.
    pub fn unanswered(&mut self, sid: &str) -> bool {
        let tried = |recording: &&Recording| recording.sid == sid && recording.state == RecordingState::Kept;
        let is_last =
            self.0.iter().find(tried).is_some_and(|found| found.tries as usize > TRIES_AFTER_MIN.len());
        if is_last {
            self.refused(sid);
        }
        is_last
    }

    fn end(&mut self, sid: &str, state: RecordingState, deleted_at: Option<Timestamp>) {
        if let Some(recording) = self.0.iter_mut().find(|recording| recording.sid == sid) {
            recording.state = state;
            recording.deleted_at = deleted_at;
            recording.ask_at = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_790_000_000, 0) + SignedDuration::from_secs(second)
    }

    fn report(sid: &str, is_absent: bool, duration_s: Option<u32>) -> RecordingReport {
        let attempt = AttemptId::new(Uuid::from_u128(1));
        RecordingReport { attempt, call_sid: "CA1".to_owned(), sid: sid.to_owned(), duration_s, is_absent }
    }

    fn terms() -> RecordingTerms {
        RecordingTerms {
            link: Some("https://api.example/RE1".to_owned()),
            notice: Notice::Spoken,
            delete_at: Some(at(100)),
        }
    }

    #[test]
    fn a_recording_is_kept_once_in_whatever_order_its_reports_come() {
        for reports in [[(true, None), (false, Some(7))], [(false, Some(7)), (true, None)]] {
            let mut recordings = Recordings::default();
            for (is_absent, seconds) in reports {
                recordings.observe(at(0), &report("RE1", is_absent, seconds), terms());
            }
            let [recording] = recordings.as_slice() else { panic!("{recordings:?}") };
            assert_eq!((recording.state, recording.duration_s), (RecordingState::Kept, Some(7)));
            assert_eq!(recording.ask_at, Some(at(100)), "it is deleted, since it may be there");
        }
    }

    #[test]
    fn a_report_twice_and_one_more_than_the_most_change_nothing() {
        let mut recordings = Recordings::default();
        for n in 0..Recordings::MOST {
            assert_eq!(
                recordings.observe(at(0), &report(&format!("RE{n}"), false, None), terms()),
                Told::New
            );
        }
        assert_eq!(recordings.observe(at(1), &report("RE0", false, None), terms()), Told::Nothing);
        assert_eq!(recordings.observe(at(1), &report("RE9", false, None), terms()), Told::Nothing);
        assert_eq!(recordings.observe(at(1), &report("RE0", false, Some(3)), terms()), Told::More);
        assert_eq!(recordings.as_slice().len(), Recordings::MOST);
    }

    #[test]
    fn what_is_absent_is_not_deleted() {
        let mut recordings = Recordings::default();
        recordings.observe(at(0), &report("RE1", true, None), terms());
        assert_eq!(recordings.ask_at(), None);
        assert_eq!(recordings.due(at(1_000)).count(), 0);
    }

    #[test]
    fn it_is_due_at_its_date_and_not_before() {
        let mut recordings = Recordings::default();
        recordings.observe(at(0), &report("RE1", false, None), terms());
        assert_eq!(recordings.due(at(100) - SignedDuration::from_nanos(1)).count(), 0);
        assert_eq!(recordings.due(at(100)).collect::<Vec<_>>(), ["RE1"]);
    }

    #[test]
    fn without_an_answer_it_is_tried_nine_times_and_then_left_to_somebody() {
        let mut recordings = Recordings::default();
        recordings.observe(at(0), &report("RE1", false, None), terms());
        let (mut now, mut minutes) = (at(100), Vec::new());
        loop {
            assert_eq!(recordings.due(now).count(), 1);
            recordings.ask(now, "RE1");
            assert_eq!(recordings.due(now).count(), 0, "one at a time");
            if recordings.unanswered("RE1") {
                break;
            }
            let next = recordings.ask_at().unwrap();
            minutes.push(next.duration_since(now).as_mins());
            now = next;
        }
        assert_eq!(minutes, TRIES_AFTER_MIN);
        assert_eq!(recordings.as_slice()[0].state, RecordingState::Refused);
        assert_eq!(recordings.ask_at(), None);
    }

    #[test]
    fn one_that_is_deleted_is_asked_for_no_more_also_after_a_late_report() {
        let mut recordings = Recordings::default();
        recordings.observe(at(0), &report("RE1", false, None), terms());
        recordings.ask(at(100), "RE1");
        recordings.deleted(at(101), "RE1");
        assert_eq!(recordings.observe(at(102), &report("RE1", false, Some(5)), terms()), Told::More);
        let recording = &recordings.as_slice()[0];
        assert_eq!((recording.state, recording.deleted_at), (RecordingState::Deleted, Some(at(101))));
        assert_eq!(recording.ask_at, None);
    }
}
