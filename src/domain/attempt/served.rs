//! Whether a consumer who answered was served. An answer alone is not enough where a document has somebody to connect
//! with, or reports that it was played to its end.

use jiff::{SignedDuration, Timestamp};
use strum::{EnumString, IntoStaticStr};

use super::Attempt;
use crate::domain::event::{CallReport, ConnectionEnd, ConnectionReport};
use crate::domain::{CallProgress, Disposition};

/// What shows that a consumer who answered was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Proof {
    /// The answer itself: the document reports nothing else, or the agent was called first.
    Answer,
    /// The answer, unless the connection with the bot is reported as failed.
    Bot,
    /// The report of a `<Dial>` or `<Enqueue>`, or of a leg to an agent.
    Bridge,
    /// The document's last verb asks for our action URL, so the document was played to its end.
    Playback,
}

impl Proof {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The leg to an agent who answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    pub sid: String,
    /// When the agent answered, by the platform's clock, if reported.
    pub at: Option<Timestamp>,
}

impl Attempt {
    /// Whether a consumer who answers is served, as far as is known now. A call whose document reports nothing serves
    /// whoever answers; the others need the report.
    #[must_use]
    pub fn is_served(&self) -> bool {
        self.known_service().unwrap_or(matches!(self.proof, Proof::Answer | Proof::Bot))
    }

    /// Whether the consumer answered, and was not served until the call was over.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.disposition() == Some(Disposition::Completed) && !self.is_served()
    }

    /// How the attempt ended for the consumer, in one word: as [`Attempt::disposition`], and `abandoned`.
    #[must_use]
    pub fn ending(&self) -> Option<&'static str> {
        match self.is_abandoned() {
            true => Some("abandoned"),
            false => self.disposition().map(Disposition::as_str),
        }
    }

    /// What was reported about it; `None` if nothing was that decides it.
    ///
    /// A connection stands above every other end. Any other end of the connecting verb says that its own leg was not
    /// connected, even if that leg was answered; an answered leg of another SID is a connection.
    pub(super) fn known_service(&self) -> Option<bool> {
        match (self.proof, self.connection) {
            (_, Some(ConnectionEnd::Bridged | ConnectionEnd::Played)) => Some(true),
            _ if self.was_bridged() => Some(true),
            (_, Some(ConnectionEnd::Nobody))
            | (Proof::Bridge, Some(_))
            | (Proof::Bot, Some(ConnectionEnd::Failed)) => Some(false),
            _ => None,
        }
    }

    /// Whether an agent answered while the consumer was there. In the second in which the consumer's call ended, the
    /// agent came too late: the platform reports whole seconds.
    fn was_bridged(&self) -> bool {
        let in_time = |at: Option<Timestamp>| match (at, self.ended_at) {
            (Some(answered), Some(ended)) => answered < ended,
            _ => true,
        };
        self.bridge.as_ref().is_some_and(|bridge| !self.is_refuted(bridge) && in_time(bridge.at))
    }

    /// Whether the connecting verb reported that this leg was not connected.
    fn is_refuted(&self, bridge: &Bridge) -> bool {
        self.connection_sid.as_ref() == Some(&bridge.sid)
    }

    /// Notes a leg to an agent that was answered. Of two, the one that can prove more stays.
    pub(super) fn note_bridge(&mut self, report: &CallReport) {
        let at = match report.progress {
            CallProgress::InProgress => report.at,
            CallProgress::Ended(Disposition::Completed) => began_at(report),
            _ => return,
        };
        let found = Bridge { sid: report.sid.clone(), at };
        self.bridge = Some(match self.bridge.take() {
            None => found,
            Some(known) if known.sid == found.sid => {
                Bridge { at: [known.at, found.at].into_iter().flatten().min(), ..known }
            }
            Some(known) if self.is_refuted(&known) => found,
            Some(known) if !self.is_refuted(&found) && known.at.is_some() && found.at < known.at => found,
            Some(known) => known,
        });
    }

    /// Notes the end of a connecting verb, or that the document was played. The first end stays, except that a
    /// connection with another leg stands above it: a document can have two verbs, and each reports once. The word of
    /// an operator gives way.
    pub(super) fn note_connection(&mut self, report: &ConnectionReport) {
        if report.ended == ConnectionEnd::Played && self.proof != Proof::Playback {
            return;
        }
        let stands = match self.connection {
            None | Some(ConnectionEnd::Nobody) => false,
            Some(ConnectionEnd::Bridged | ConnectionEnd::Played) => true,
            Some(_) => report.ended != ConnectionEnd::Bridged || report.leg_sid == self.connection_sid,
        };
        if !stands {
            self.connection = Some(report.ended);
            self.connection_sid.clone_from(&report.leg_sid);
        }
    }
}

/// When a completed leg was answered, by its end and its duration.
fn began_at(report: &CallReport) -> Option<Timestamp> {
    let lasted = SignedDuration::from_secs(report.duration_s?.into());
    report.at?.checked_sub(lasted).ok()
}

#[cfg(test)]
mod tests {
    use ConnectionEnd::{Bridged, Failed, LeftQueue, NoAnswer, Nobody, Played};
    use uuid::Uuid;

    use super::*;
    use crate::domain::attempt::tests::permute;
    use crate::domain::attempt::{AttemptResolution, ResolutionRefused, UnresolvedAfter};
    use crate::domain::{AttemptId, CallbackId, LegOrder, Numbers, Phone};

    const CALL: &str = "CA00000000000000000000000000000001";
    const ANSWERED: CallProgress = CallProgress::InProgress;
    const DONE: CallProgress = CallProgress::Ended(Disposition::Completed);
    const CANCELED: CallProgress = CallProgress::Ended(Disposition::Canceled);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    /// A report about the call that we placed, or about a leg.
    fn report(sid: &str, second: i64, progress: CallProgress) -> CallReport {
        CallReport {
            attempt: AttemptId::new(Uuid::from_u128(1)),
            sid: sid.to_owned(),
            parent_sid: (sid != CALL).then(|| CALL.to_owned()),
            progress,
            at: Some(at(second)),
            duration_s: None,
            sip_code: None,
            error_code: None,
        }
    }

    fn verb(ended: ConnectionEnd, leg: Option<&str>) -> ConnectionReport {
        ConnectionReport {
            attempt: AttemptId::new(Uuid::from_u128(1)),
            sid: CALL.to_owned(),
            leg_sid: leg.map(ToOwned::to_owned),
            ended,
            duration_s: None,
        }
    }

    /// The consumer answered in second 5.
    fn answered(proof: Proof) -> Attempt {
        let numbers = Numbers {
            sender: Phone::parse("+551151991234").unwrap(),
            consumer: Phone::parse("+5511987654321").unwrap(),
        };
        let (id, callback) = (AttemptId::new(Uuid::from_u128(1)), CallbackId::new(Uuid::from_u128(2)));
        let mut attempt = Attempt::new(id, callback, numbers, "main", LegOrder::ConsumerFirst, at(0));
        attempt.proof = proof;
        attempt.submission.submit(at(0));
        attempt.observe(at(5), &report(CALL, 5, ANSWERED));
        attempt
    }

    /// One report of any kind.
    #[derive(Debug, Clone)]
    enum Told {
        Leg(CallReport),
        Verb(ConnectionReport),
    }

    fn leg(sid: &str, second: i64, progress: CallProgress) -> Told {
        Told::Leg(report(sid, second, progress))
    }

    /// Whether the consumer was served by a call that ended in second 60, in every order of these reports and of the
    /// end of the call.
    fn served(proof: Proof, told: &[Told]) -> bool {
        let mut all = told.to_vec();
        all.push(leg(CALL, 60, DONE));
        let mut found = Vec::new();
        permute(&mut all, 0, &mut |told| {
            let mut attempt = answered(proof);
            // Twice, because reports are repeated.
            for told in told.iter().chain(told) {
                match told {
                    Told::Leg(report) => attempt.observe(at(99), report),
                    Told::Verb(report) => attempt.observe_connection(at(99), report),
                };
            }
            assert_eq!(attempt.is_abandoned(), !attempt.is_served());
            found.push(attempt.is_served());
        });
        assert!(found.iter().all(|served| *served == found[0]), "the order of {told:?} matters");
        found[0]
    }

    #[test]
    fn a_connection_needs_a_report() {
        let bridged = |told: &[Told]| served(Proof::Bridge, told);
        assert!(!bridged(&[]));
        assert!(bridged(&[Told::Verb(verb(Bridged, Some("CA1")))]));
        assert!(bridged(&[Told::Verb(verb(Bridged, None))]));
        assert!(!bridged(&[Told::Verb(verb(LeftQueue, None))]));
        assert!(!bridged(&[leg("CA1", 8, CallProgress::Ringing)]));
        assert!(bridged(&[leg("CA1", 8, CallProgress::Ringing), leg("CA1", 9, ANSWERED)]));
    }

    #[test]
    fn one_of_several_legs_was_answered() {
        // All ring, one is answered, and the platform cancels the others.
        let legs = [leg("CA1", 9, CANCELED), leg("CA2", 9, ANSWERED), leg("CA2", 50, DONE)];
        assert!(served(Proof::Bridge, &legs));
        // A conversation that ended with a failure counts all the same.
        let broken = [leg("CA1", 9, ANSWERED), leg("CA1", 50, CallProgress::Ended(Disposition::Failed))];
        assert!(served(Proof::Bridge, &broken));
    }

    #[test]
    fn a_verb_that_connected_nobody_refutes_the_answer_of_its_own_leg_only() {
        let unanswered = Told::Verb(verb(NoAnswer, Some("CA1")));
        assert!(!served(Proof::Bridge, &[unanswered.clone(), leg("CA1", 9, ANSWERED), leg("CA1", 20, DONE)]));
        assert!(served(Proof::Bridge, &[unanswered.clone(), leg("CA2", 9, ANSWERED)]));
        let both = [unanswered, leg("CA1", 9, ANSWERED), leg("CA2", 30, ANSWERED)];
        assert!(served(Proof::Bridge, &both));
    }

    #[test]
    fn an_agent_who_answers_when_the_call_is_over_has_served_nobody() {
        for (second, in_time) in [(59, true), (60, false), (61, false)] {
            assert_eq!(served(Proof::Bridge, &[leg("CA1", second, ANSWERED)]), in_time, "{second}");
        }
        // A leg that is over is dated by its end, and was answered its duration earlier.
        for (duration_s, in_time) in [(Some(0), false), (Some(1), true), (Some(50), true), (None, true)] {
            let over = Told::Leg(CallReport { duration_s, ..report("CA1", 60, DONE) });
            assert_eq!(served(Proof::Bridge, &[over]), in_time, "{duration_s:?}");
        }
        let undated = Told::Leg(CallReport { at: None, ..report("CA1", 0, ANSWERED) });
        assert!(served(Proof::Bridge, &[undated]));
        let late_and_in_time = [leg("CA1", 60, ANSWERED), leg("CA2", 59, ANSWERED)];
        assert!(served(Proof::Bridge, &late_and_in_time));
    }

    #[test]
    fn a_connection_that_is_reported_late_stands_above_another_end_if_it_is_about_another_leg() {
        let ends = |first: &ConnectionReport, then: &ConnectionReport| {
            let mut attempt = answered(Proof::Bridge);
            attempt.observe_connection(at(20), first);
            attempt.observe(at(60), &report(CALL, 60, DONE));
            assert_eq!(attempt.is_abandoned(), first.ended != Bridged);
            attempt.observe_connection(at(70), then);
            attempt.is_served()
        };
        let bridged = |leg| verb(Bridged, leg);
        let unanswered = verb(NoAnswer, Some("CA1"));
        // One leg has one end, and the first report of it stands.
        assert!(!ends(&unanswered, &bridged(Some("CA1"))));
        assert!(ends(&unanswered, &bridged(Some("CA2"))));
        assert!(ends(&unanswered, &bridged(None)));
        assert!(ends(&verb(LeftQueue, None), &bridged(Some("CA2"))));
        assert!(!ends(&verb(LeftQueue, None), &bridged(None)));
        // No later report takes a connection away.
        assert!(ends(&bridged(Some("CA1")), &verb(NoAnswer, Some("CA2"))));
    }

    #[test]
    fn a_message_needs_to_be_played_to_its_end() {
        assert!(!served(Proof::Playback, &[]));
        assert!(served(Proof::Playback, &[Told::Verb(verb(Played, None))]));
        // The same request proves nothing if the document connects an agent.
        assert!(!served(Proof::Bridge, &[Told::Verb(verb(Played, None))]));
        assert!(!served(Proof::Bridge, &[Told::Verb(verb(Played, None)), leg("CA1", 9, CANCELED)]));
    }

    #[test]
    fn a_bot_serves_unless_it_could_not_be_connected() {
        assert!(served(Proof::Bot, &[]));
        assert!(served(Proof::Bot, &[Told::Verb(verb(Played, None))]));
        assert!(!served(Proof::Bot, &[Told::Verb(verb(Failed, None))]));
    }

    #[test]
    fn a_document_that_reports_nothing_serves_whoever_answers() {
        assert!(served(Proof::Answer, &[]));
        assert!(served(Proof::Answer, &[Told::Verb(verb(NoAnswer, Some("CA1")))]));
        assert!(served(Proof::Answer, &[Told::Verb(verb(Played, None))]));
    }

    #[test]
    fn a_played_document_tells_that_the_consumer_answered() {
        let mut attempt = answered(Proof::Playback);
        (attempt.connected_at, attempt.rang_at) = (None, None);
        attempt.observe_connection(at(30), &verb(Played, None));
        assert_eq!((attempt.rang_at, attempt.connected_at), (Some(at(30)), Some(at(30))));
    }

    #[test]
    fn an_operator_may_say_what_no_report_contradicts() {
        const PATIENCE: UnresolvedAfter = UnresolvedAfter {
            ringing: SignedDuration::from_secs(100),
            in_progress: SignedDuration::from_secs(1000),
        };
        let completed = AttemptResolution::Ended(Disposition::Completed);
        let may = |proof, told: &[ConnectionReport]| {
            let mut attempt = answered(proof);
            told.iter().for_each(|report| _ = attempt.observe_connection(at(20), report));
            [completed, AttemptResolution::Abandoned]
                .map(|fate| attempt.may_be_resolved(at(9999), fate, &PATIENCE))
        };
        let (served, abandoned) =
            (ResolutionRefused::EndedAs(completed), ResolutionRefused::EndedAs(AttemptResolution::Abandoned));
        for proof in [Proof::Answer, Proof::Bot, Proof::Bridge, Proof::Playback] {
            assert_eq!(may(proof, &[]), [Ok(()), Ok(())], "{proof:?}");
        }
        assert_eq!(may(Proof::Bridge, &[verb(Bridged, None)]), [Ok(()), Err(served)]);
        assert_eq!(may(Proof::Bridge, &[verb(NoAnswer, None)]), [Err(abandoned), Ok(())]);
        assert_eq!(may(Proof::Playback, &[verb(Played, None)]), [Ok(()), Err(served)]);
    }

    #[test]
    fn an_operator_may_say_that_an_abandoned_call_served_where_no_report_denies_it() {
        const NOW: UnresolvedAfter =
            UnresolvedAfter { ringing: SignedDuration::ZERO, in_progress: SignedDuration::ZERO };
        let completed = AttemptResolution::Ended(Disposition::Completed);
        let over = |proof, told: &[ConnectionReport]| {
            let mut attempt = answered(proof);
            told.iter().for_each(|report| _ = attempt.observe_connection(at(20), report));
            attempt.observe(at(60), &report(CALL, 60, DONE));
            attempt
        };
        let refused = Err(ResolutionRefused::NotInDoubt);
        for (proof, end) in [(Proof::Playback, Played), (Proof::Bridge, Bridged)] {
            let mut attempt = over(proof, &[]);
            assert!(attempt.is_abandoned());
            for fate in AttemptResolution::ALL {
                let expected = if fate == completed { Ok(()) } else { refused };
                assert_eq!(attempt.may_be_resolved(at(99), fate, &NOW), expected, "{proof:?} {fate:?}");
            }
            attempt.resolve(at(99), completed, None);
            assert_eq!((attempt.ending(), attempt.connection), (Some("completed"), Some(end)));
            assert_eq!((attempt.ended_at, attempt.connected_at), (Some(at(60)), Some(at(5))));
        }
        let denied = over(Proof::Bridge, &[verb(NoAnswer, Some("CA1"))]);
        assert_eq!(denied.may_be_resolved(at(99), completed, &NOW), refused);
        let missed = {
            let mut attempt = answered(Proof::Playback);
            attempt.connected_at = None;
            attempt.observe(at(60), &report(CALL, 60, CallProgress::Ended(Disposition::NoAnswer)));
            attempt
        };
        assert_eq!(missed.may_be_resolved(at(99), completed, &NOW), refused);
    }

    #[test]
    fn a_report_stands_above_the_word_of_an_operator_that_nobody_was_there() {
        let unserved = || {
            let mut attempt = answered(Proof::Bridge);
            attempt.resolve(at(50), AttemptResolution::Abandoned, None);
            assert_eq!((attempt.connection, attempt.ending()), (Some(Nobody), Some("abandoned")));
            attempt
        };
        let mut bridged = unserved();
        bridged.observe_connection(at(70), &verb(Bridged, None));
        assert!(bridged.is_served());
        let mut joined = unserved();
        joined.observe(at(70), &report("CA1", 9, ANSWERED));
        assert!(joined.is_served());
        let mut alone = unserved();
        alone.observe_connection(at(70), &verb(NoAnswer, None));
        assert!(alone.is_abandoned());
    }
}
