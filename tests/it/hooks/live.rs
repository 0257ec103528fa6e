//! The documents of live calls.

use ringmaster::domain::calendar::{Mark, MarkedDay};

use super::*;

#[tokio::test]
async fn the_document_of_an_attempt_is_filled_for_post_and_get() {
    for fetch in [Knock::post, Knock::get] {
        let daemon = hooks_with(attempt());
        let door = knock(path(Purpose::Document), &call_params("in-progress"));
        let response = daemon.response(fetch(&door)).await;
        assert_eq!(response.headers()["content-type"], "text/xml; charset=utf-8");
        let (status, body) = daemon.ask(fetch(&door)).await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains("<Say>Ready &lt;now&gt; &amp; here</Say>"), "{body}");
        assert_eq!(daemon.events(), [Event::DocumentFetched { attempt: attempt_id(), sid: CALL.to_owned() }]);
    }
}

#[tokio::test]
async fn a_document_has_our_urls_and_the_agent_of_its_callback() {
    let daemon = {
        let (attempt, mut callback) = attempt();
        callback.order.document = "dial-client".to_owned();
        callback.order.agent = Some(AgentTarget::Client("ana".to_owned()));
        hooks_with((attempt, callback))
    };
    let (_, body) = daemon.ask(knock(path(Purpose::Document), &call_params("in-progress")).post()).await;
    for part in [
        format!("action=\"{}\"", addresses().attempt(attempt_id(), Purpose::Action)),
        format!("statusCallback=\"{}\"", addresses().attempt(attempt_id(), Purpose::Leg)),
        "<Identity>ana</Identity>".to_owned(),
    ] {
        assert!(body.contains(&part), "{part}\n{body}");
    }
}

#[tokio::test]
async fn a_callback_without_agent_and_workflow_uses_those_of_the_sender() {
    let others = "WW00000000000000000000000000000002";
    for (name, variable, part) in [
        ("dial-sip", None, ">sip:desk@pbx.example</Sip>"),
        ("enqueue", None, WORKFLOW),
        ("enqueue", Some(others), others),
    ] {
        let (attempt, mut callback) = attempt();
        callback.order.document = name.to_owned();
        callback.order.variables =
            variable.map(|sid| ("workflow".to_owned(), sid.to_owned())).into_iter().collect();
        let daemon = hooks_with((attempt, callback));
        let (_, body) = daemon.ask(knock(path(Purpose::Document), &call_params("in-progress")).post()).await;
        assert!(body.contains(part), "{name}: {body}");
    }
}

#[tokio::test]
async fn a_live_call_without_a_document_is_hung_up() {
    type Spoil = fn(&mut Attempt, &mut Callback);
    let spoiled: [(Spoil, &str); 3] = [
        (|_, callback| callback.order.document = "gone".to_owned(), "document"),
        (|_, callback| callback.order.variables.clear(), "render"),
        (|attempt, _| attempt.account = "other".into(), "sender"),
    ];
    for (spoil, reason) in spoiled {
        let daemon = {
            let (mut attempt, mut callback) = attempt();
            spoil(&mut attempt, &mut callback);
            hooks_with((attempt, callback))
        };
        let request = knock(path(Purpose::Document), &call_params("in-progress")).post();
        assert_eq!(daemon.ask(request).await, (StatusCode::OK, hangup().to_owned()), "{reason}");
        daemon.refused("call_document", reason);
    }
    let daemon = daemon();
    let request = knock(path(Purpose::Document), &call_params("in-progress")).post();
    assert_eq!(daemon.ask(request).await, (StatusCode::OK, hangup().to_owned()));
    daemon.refused("call_document", "attempt");
    assert_eq!(daemon.events().len(), 1, "the request is stored all the same");
}

/// The database goes while the phone rings.
#[tokio::test]
async fn a_consumer_whose_phone_rang_gets_the_document_while_the_store_is_away() {
    for (order, rang, waits, is_served) in [
        (LegOrder::ConsumerFirst, true, 30, true),
        (LegOrder::ConsumerFirst, false, 30, false),
        (LegOrder::ConsumerFirst, true, 120, false),
        (LegOrder::AgentFirst, true, 30, false),
    ] {
        let daemon = hooks_with(ordered(order, |_, _| {}));
        let progress = if rang { "ringing" } else { "initiated" };
        let told = daemon.ask(knock(path(Purpose::Status), &call_params(progress)).post()).await;
        assert_eq!(told.0, StatusCode::NO_CONTENT);
        daemon.clock.advance(SignedDuration::from_secs(waits));
        daemon.store.faults.away.store(true, SeqCst);
        let request = knock(path(Purpose::Document), &call_params("in-progress")).post();
        // For as long as a live call waits for the store.
        let mut steps = 0..20;
        let mut asked = std::pin::pin!(daemon.ask(request));
        let answer = std::future::poll_fn(|context| {
            let polled = asked.as_mut().poll(context);
            if polled.is_pending() && steps.next().is_some() {
                daemon.clock.advance(SignedDuration::from_millis(250));
                context.waker().wake_by_ref();
            }
            polled
        })
        .await;
        assert_eq!(answer.0, StatusCode::OK);
        assert_eq!(answer.1 != hangup(), is_served, "{order:?} {rang} {waits}: {}", answer.1);
    }
}

/// Attack 10: neither a captured request nor a late one of Twilio gets the document of a call that is over.
#[tokio::test]
async fn the_document_of_an_ended_attempt_is_a_hangup_without_a_number() {
    type End = fn(&mut Attempt, &mut Callback);
    let ends: [End; 3] = [
        |attempt, _| attempt.ended_at = Some(at("2026-11-21T11:59:30Z")),
        |attempt, _| attempt.submission.stage = Stage::Withdrawn,
        |_, callback| {
            let note = Reason::Answered.note();
            callback.state =
                State::Closed(Closed { outcome: Outcome::Reached, at: at("2026-11-21T11:59:30Z"), note });
        },
    ];
    for end in ends {
        for order in [LegOrder::ConsumerFirst, LegOrder::AgentFirst] {
            let daemon = hooks_with(ordered(order, end));
            let request = knock(path(Purpose::Document), &call_params("in-progress")).post();
            assert_eq!(daemon.ask(request).await, (StatusCode::OK, hangup().to_owned()));
            daemon.refused("call_document", "over");
        }
    }
}

#[tokio::test]
async fn the_document_is_served_only_to_the_call_of_the_attempt() {
    for order in [LegOrder::ConsumerFirst, LegOrder::AgentFirst] {
        for (known, status) in [(Some(CALL), true), (None, true), (Some(LEG), false)] {
            let daemon = hooks_with(ordered(order, |_, _| {}));
            let mut kept = ordered(order, |_, _| {});
            kept.0.submission.sid = known.map(str::to_owned);
            let batch = Batch { attempts: vec![kept.0], ..Batch::default() };
            daemon.store.inner.record(batch).await.unwrap();
            allow_calls(&daemon).await;
            let request = knock(path(Purpose::Document), &call_params("in-progress")).post();
            let (_, body) = daemon.ask(request).await;
            assert_eq!(body != hangup(), status, "{order:?} {known:?}: {body}");
            assert_eq!(daemon.events().len(), usize::from(status), "{order:?} {known:?}");
            if !status {
                daemon.refused("call_document", "call");
            }
        }
    }
}

/// Case 08: the hang-up was lost, and the call is answered. So too that of a call that is not needed any more, because
/// an earlier one turned out to have served the consumer.
#[tokio::test]
async fn a_call_that_nobody_needs_and_that_is_answered_plays_a_goodbye_and_dials_nobody() {
    let unneeded = Some(at("2026-11-21T11:59:30Z"));
    for order in [LegOrder::ConsumerFirst, LegOrder::AgentFirst] {
        for is_canceled in [true, false] {
            let daemon = hooks_with(ordered(order, |_, callback| match is_canceled {
                true => callback.cancel_requested_at = unneeded,
                false => callback.reached_late_at = unneeded,
            }));
            allow_calls(&daemon).await;
            let request = knock(path(Purpose::Document), &call_params("in-progress")).post();
            let (status, body) = daemon.ask(request).await;
            assert_eq!(status, StatusCode::OK);
            assert!(body.contains("has been canceled") && body.ends_with("<Hangup/></Response>"), "{body}");
            assert!(!body.contains("Dial") && !body.contains("5511987654321"), "{body}");
            assert_eq!(daemon.events().len(), 1, "that somebody answered is known all the same");
        }
    }
}

/// An agent has answered, and an operator has closed the day meanwhile: the consumer is not dialled.
#[tokio::test]
async fn an_agent_is_not_put_through_on_a_day_that_an_operator_closed() {
    for (mark, is_dialled) in [(None, true), (Some(Mark::Closed), false), (Some(Mark::Default), true)] {
        let daemon = hooks_with(ordered(LegOrder::AgentFirst, |_, callback| {
            callback.order.hours = "daily 00:00-24:00 @America/Sao_Paulo except BR".parse().ok();
        }));
        allow_calls(&daemon).await;
        let marked_days: Vec<MarkedDay> = mark
            .into_iter()
            .map(|mark| MarkedDay {
                calendar: "BR".parse().unwrap(),
                // A Saturday, on which the clock of these tests stands.
                day: "2026-11-21".parse().unwrap(),
                mark,
                who: "ops".into(),
                why: "a storm".into(),
                at: at("2026-11-21T11:59:00Z"),
            })
            .collect();
        daemon.store.inner.record(Batch { marked_days, ..Batch::default() }).await.unwrap();
        let request = knock(path(Purpose::Document), &call_params("in-progress")).post();
        let (_, body) = daemon.ask(request).await;
        assert_eq!(body != hangup(), is_dialled, "{mark:?}: {body}");
        if !is_dialled {
            daemon.refused("call_document", "ground");
        }
    }
}

/// An attempt with this leg order, changed by `spoil`.
fn ordered(order: LegOrder, spoil: impl FnOnce(&mut Attempt, &mut Callback)) -> (Attempt, Callback) {
    let (mut attempt, mut callback) = attempt();
    attempt.order = order;
    if order == LegOrder::AgentFirst {
        callback.order.document = "agent-first".to_owned();
        callback.order.agent = Some(AgentTarget::Client("ana".to_owned()));
    }
    spoil(&mut attempt, &mut callback);
    (attempt, callback)
}

/// The consumer has granted a permanent permission.
async fn allow_calls(daemon: &Hooked) {
    let key = PairKey::of(phone(SENDER), phone(CONSUMER));
    let pair = Pair { version: 1, permission: CallPermission::Permanent, ..Pair::unknown(key) };
    daemon.store.inner.record(Batch { pairs: vec![pair], ..Batch::default() }).await.unwrap();
}

#[tokio::test]
async fn a_live_call_waits_briefly_for_the_store_and_is_then_hung_up() {
    let daemon = hooks_with(attempt());
    daemon.store.faults.full.store(true, SeqCst);
    daemon.store.faults.away.store(true, SeqCst);
    let request = knock(path(Purpose::Document), &call_params("in-progress")).post();
    assert_eq!(daemon.ask_while_time_passes(request).await, (StatusCode::OK, hangup().to_owned()));
    daemon.counted("ringmaster_hooks_refused_total{kind=\"call_document\",reason=\"store\"} 1");
}

#[tokio::test]
async fn a_live_call_gets_its_document_when_the_store_recovers_or_is_read_only() {
    let daemon = hooks_with(attempt());
    daemon.store.faults.full.store(true, SeqCst);
    let door = knock(path(Purpose::Document), &call_params("in-progress"));
    let (status, body) = daemon.ask_while_time_passes(door.post()).await;
    assert!(status == StatusCode::OK && body.contains("Ready"), "{status} {body}");
    assert_eq!(daemon.events(), []);
    daemon.refused("call_document", "store");

    let mut answer = std::pin::pin!(daemon.ask(door.post()));
    assert_eq!((&mut answer).now_or_never(), None, "it waits for the store");
    daemon.store.faults.full.store(false, SeqCst);
    daemon.clock.advance(SignedDuration::from_secs(1));
    let (status, body) = answer.await;
    assert!(status == StatusCode::OK && body.contains("Ready"), "{status} {body}");
    assert_eq!(daemon.events().len(), 1);
}

#[tokio::test]
async fn a_call_goes_on_if_a_verb_ends_while_the_store_is_unavailable() {
    let daemon = daemon();
    daemon.store.faults.full.store(true, SeqCst);
    let params = with(call_params("in-progress"), &[("DialCallStatus", "busy")]);
    let request = knock(path(Purpose::Action), &params).post();
    assert_eq!(daemon.ask_while_time_passes(request).await, (StatusCode::OK, NOTHING.to_owned()));
    daemon.refused("call_action", "store");
}

#[tokio::test]
async fn an_inbound_call_gets_the_senders_document_or_the_default_one() {
    let usual = Library::embedded();
    let plain = |document: &Document, body: &str| {
        let last = document.name() == "inbound-message";
        body.contains("Thank you for calling") && body.contains("<Hangup/>") == last
    };
    for (own, heard) in [
        (Some("inbound-message"), "inbound-message"),
        (None, "inbound"),
        (Some("gone"), "inbound"),
        (Some("message"), "inbound"),
    ] {
        for fetch in [Knock::post, Knock::get] {
            let daemon = furnished(None, own);
            let (status, body) =
                daemon.ask(fetch(&knock("/hooks/inbound", &inbound_params("ringing")))).await;
            assert_eq!(status, StatusCode::OK);
            assert!(plain(usual.document(heard).unwrap(), &body), "{own:?}: {body}");
        }
    }
    let daemon = daemon();
    daemon.store.faults.full.store(true, SeqCst);
    let request = knock("/hooks/inbound", &inbound_params("ringing")).post();
    assert!(
        daemon.ask_while_time_passes(request).await.1.contains("Thank you"),
        "it does not need the store"
    );
}

#[tokio::test]
async fn an_apology_is_played_to_a_consumer_who_is_still_there_and_was_not_served() {
    let sorry = |body: &str| body.contains("We are sorry.");
    let unanswered = [("DialCallStatus", "no-answer"), ("DialCallSid", LEG)];
    let bridged = [("DialCallStatus", "completed"), ("DialCallSid", LEG), ("DialBridged", "true")];
    let whisper = [("DialCallStatus", "completed"), ("DialCallSid", LEG), ("DialBridged", "false")];
    let left = [("QueueResult", "queue-full")];
    let no_bot = [("SessionStatus", "failed")];
    let played = [];
    type Told<'a> = &'a [(&'a str, &'a str)];
    let cases: [(_, _, _, Told<'_>, _); 11] = [
        (Proof::Bridge, LegOrder::ConsumerFirst, "in-progress", &unanswered, true),
        (Proof::Bridge, LegOrder::ConsumerFirst, "in-progress", &whisper, true),
        (Proof::Bridge, LegOrder::ConsumerFirst, "in-progress", &left, true),
        (Proof::Bridge, LegOrder::ConsumerFirst, "completed", &unanswered, false),
        (Proof::Bridge, LegOrder::ConsumerFirst, "completed", &left, false),
        (Proof::Bridge, LegOrder::ConsumerFirst, "in-progress", &bridged, false),
        (Proof::Bot, LegOrder::ConsumerFirst, "in-progress", &no_bot, true),
        (Proof::Bot, LegOrder::ConsumerFirst, "in-progress", &played, false),
        (Proof::Playback, LegOrder::ConsumerFirst, "in-progress", &played, false),
        // The document does not report its end: the answer counts, and no apology announces another call.
        (Proof::Answer, LegOrder::ConsumerFirst, "in-progress", &unanswered, false),
        (Proof::Answer, LegOrder::AgentFirst, "in-progress", &unanswered, false),
    ];
    for (proof, order, status, told, apologises) in cases {
        let (started, callback) = attempt();
        let daemon = hooks_with((Attempt { proof, order, ..started }, callback));
        let knock = knock(path(Purpose::Action), &with(call_params(status), told));
        let (code, body) = daemon.ask(knock.post()).await;
        assert_eq!((code, sorry(&body)), (StatusCode::OK, apologises), "{proof:?} {status} {told:?}");
        assert_eq!(daemon.events().len(), 1, "{told:?}");
    }
}
