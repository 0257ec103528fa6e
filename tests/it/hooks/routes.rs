//! One request to every hook URL.

use super::*;

/// One request to every hook URL, with the stored event.
pub(super) fn every_door() -> Vec<(Knock<'static>, Event)> {
    let call = |sid: &str, parent: Option<&str>, progress| {
        Event::Call(CallReport {
            attempt: attempt_id(),
            sid: sid.to_owned(),
            parent_sid: parent.map(str::to_owned),
            progress,
            at: None,
            duration_s: None,
            sip_code: None,
            error_code: None,
        })
    };
    let inbound = |progress, came_to_at| Event::InboundCall {
        sender: phone(SENDER),
        who: Named::number(phone(CONSUMER)),
        sid: CALL.to_owned(),
        progress,
        came_to_at,
        duration_s: None,
        invite: None,
    };
    let connected = |ended, leg: Option<&str>| {
        Event::Connected(ConnectionReport {
            attempt: attempt_id(),
            sid: CALL.to_owned(),
            leg_sid: leg.map(str::to_owned),
            ended,
            duration_s: None,
        })
    };
    let reply = [
        ("MessageType", "interactive"),
        ("Body", "VOICE_CALL_REQUEST"),
        ("ButtonText", "VOICE_CALL_REQUEST"),
        ("ButtonPayload", "REJECTED"),
    ];
    let leg = [("CallSid", LEG), ("ParentCallSid", CALL)];
    vec![
        (
            knock(path(Purpose::Document), &call_params("in-progress")),
            Event::DocumentFetched { attempt: attempt_id(), sid: CALL.to_owned() },
        ),
        (knock(path(Purpose::Status), &call_params("ringing")), call(CALL, None, CallProgress::Ringing)),
        (
            knock(path(Purpose::Leg), &with(call_params("busy"), &leg)),
            call(LEG, Some(CALL), CallProgress::Ended(Disposition::Busy)),
        ),
        (
            knock(
                path(Purpose::Action),
                &with(
                    call_params("in-progress"),
                    &[("DialCallStatus", "completed"), ("DialCallSid", LEG), ("DialBridged", "true")],
                ),
            ),
            connected(ConnectionEnd::Bridged, Some(LEG)),
        ),
        (
            knock(path(Purpose::Action), &with(call_params("completed"), &[("QueueResult", "hangup")])),
            connected(ConnectionEnd::LeftQueue, None),
        ),
        (
            knock(path(Purpose::Action), &with(call_params("in-progress"), &[("Digits", "1")])),
            connected(ConnectionEnd::Played, None),
        ),
        (
            knock(path(Purpose::Action), &with(call_params("completed"), &[("RecordingSid", "RE1")])),
            call(CALL, None, CallProgress::Ended(Disposition::Completed)),
        ),
        (
            knock(
                path(Purpose::Recording),
                &with(
                    call_params("completed"),
                    &[("RecordingSid", RECORDING), ("RecordingStatus", "completed")],
                ),
            ),
            Event::Recorded(RecordingReport {
                attempt: attempt_id(),
                call_sid: CALL.to_owned(),
                sid: RECORDING.to_owned(),
                duration_s: None,
                is_absent: false,
            }),
        ),
        (
            knock(path(Purpose::Action), &with(call_params("in-progress"), &[("SessionStatus", "failed")])),
            connected(ConnectionEnd::Failed, None),
        ),
        (
            knock("/hooks/messages", &message_params()),
            Event::InboundMessage {
                sender: phone(SENDER),
                who: Named::number(phone(CONSUMER)),
                word: None,
                wrote_at: None,
            },
        ),
        (
            knock("/hooks/messages", &with(message_params(), &reply)),
            Event::PermissionReply(PermissionReply {
                sender: phone(SENDER),
                who: Named::number(phone(CONSUMER)),
                answer: PermissionAnswer::Rejected,
                replied_to: None,
                automatic: false,
                replied_at: None,
            }),
        ),
        (
            knock(message_path(), &status_params()),
            Event::Message(MessageReport {
                message: Some(message_id()),
                sid: MESSAGE.to_owned(),
                progress: MessageProgress::Delivered,
                error_code: None,
                from: Some(phone(SENDER)),
                to: Named::number(phone(CONSUMER)),
            }),
        ),
        (
            knock("/hooks/inbound", &inbound_params("ringing")),
            inbound(CallProgress::Ringing, Some(at("2026-11-21T12:00:00Z"))),
        ),
        (
            knock("/hooks/inbound/status", &inbound_params("completed")),
            inbound(CallProgress::Ended(Disposition::Completed), None),
        ),
        (
            knock(
                "/hooks/inbound/action",
                &with(inbound_params("in-progress"), &[("QueueResult", "bridged")]),
            ),
            inbound(CallProgress::InProgress, None),
        ),
    ]
}
