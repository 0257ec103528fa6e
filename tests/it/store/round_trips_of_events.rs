//! Every report and command reads as it was written.

use ringmaster::domain::calendar::CalendarMark;
use ringmaster::domain::event::{
    AttemptChange, AttemptCommand, AttemptOverride, CallReport, ConnectionReport, MessageOverride,
    MessageReport, PermissionAnswer, PermissionOverride, PermissionReply, SuppressionAdded,
    SuppressionRemoved, Word,
};
use ringmaster::domain::{
    AccountAlias, AttemptResolution, BreakerChange, CallProgress, CampaignAct, CampaignCommand, CampaignId,
    ErrorCode, Event, Figure, FollowUp, InviteToken, Issuer, MessageResolution, Named, Pause, PauseId,
    PoolAct, PoolCommand, PoolKey, Psid, RecordingReport, Restricted, Tenant,
};
use ringmaster::store::{Report, Store};
use uuid::Uuid;

use super::round_trips::{CONNECTIONS, MESSAGES, ODD, PROGRESS};
use super::samples::*;

/// Named by the number, or by the user id alone.
fn named(by_id: bool) -> Named {
    if by_id { Named { number: None, user_id: "BR.1".parse().ok() } } else { Named::number(consumer(1)) }
}

pub async fn events(store: &dyn Store) {
    let call = |progress, full: bool| {
        Event::Call(CallReport {
            attempt: attempt_id(1),
            sid: "CA1".into(),
            parent_sid: full.then(|| "CA0".into()),
            progress,
            at: full.then(|| at(3)),
            duration_s: full.then_some(0),
            sip_code: full.then_some(u16::MAX),
            error_code: full.then_some(ErrorCode { issuer: Issuer::Messenger, number: u32::MAX }),
        })
    };
    let connected = |ended, full: bool| {
        Event::Connected(ConnectionReport {
            attempt: attempt_id(1),
            sid: "CA1".into(),
            leg_sid: full.then(|| "CA2".into()),
            ended,
            duration_s: full.then_some(7),
        })
    };
    let reply = |answer, full: bool| {
        Event::PermissionReply(PermissionReply {
            sender: sender(1),
            who: named(full),
            answer,
            replied_to: full.then(|| ODD.into()),
            automatic: full,
            replied_at: full.then(|| at(2)),
        })
    };
    let inbound = |progress, full: bool| Event::InboundCall {
        sender: sender(1),
        who: named(full),
        sid: "CA3".into(),
        progress,
        came_to_at: full.then(|| at(3)),
        duration_s: full.then_some(1),
        invite: full.then(|| InviteToken::Message(message_id(1))),
    };
    let message = |progress, full: bool| {
        Event::Message(MessageReport {
            message: full.then(|| message_id(1)),
            sid: "MM1".into(),
            progress,
            error_code: full.then_some(ErrorCode::of_twilio(63_024)),
            from: full.then(|| sender(1)),
            to: if full { named(full) } else { Named::default() },
        })
    };
    let psid: Psid = "6789012345678901".parse().unwrap();
    let page = || AccountAlias::from("page");
    let link = Event::InboundCall {
        sender: sender(1),
        who: named(false),
        sid: "CA3".into(),
        progress: CallProgress::Ringing,
        came_to_at: None,
        duration_s: None,
        invite: Some(InviteToken::Callback(callback_id(7))),
    };
    let roads = [false, true].into_iter().flat_map(|full| {
        [
            Event::MessengerCall { account: page(), psid: psid.clone(), at: full.then(|| at(3)) },
            Event::MessengerMessage {
                account: page(),
                psid: psid.clone(),
                word: full.then_some(Word::Start),
                wrote_at: full.then(|| at(2)),
            },
            Event::Restriction {
                account: page(),
                sender: full.then(|| sender(1)),
                what: if full { Restricted::Placed } else { Restricted::Everything },
                why: full.then(|| ODD.into()),
                until: full.then(|| at(9)),
                told_at: full.then(|| at(8)),
            },
        ]
    });
    let mut events: Vec<Event> = roads.chain([link]).collect();
    events.push(Event::DocumentFetched { attempt: attempt_id(1), sid: "CA1".into() });
    for full in [false, true] {
        events.push(Event::CancelRequested { callback: callback_id(7) });
        events.push(Event::InboundMessage {
            sender: sender(1),
            who: named(full),
            word: full.then_some(Word::Stop),
            wrote_at: full.then(|| at(2)),
        });
        events.extend(PROGRESS.map(|progress| call(progress, full)));
        events.extend(PROGRESS.map(|progress| inbound(progress, full)));
        events.extend(CONNECTIONS.map(|end| connected(end, full)));
        events.push(Event::Recorded(RecordingReport {
            attempt: attempt_id(1),
            call_sid: "CA1".into(),
            sid: "RE1".into(),
            duration_s: full.then_some(7),
            is_absent: full,
        }));
        events.extend(MESSAGES.map(|progress| message(progress, full)));
        events.extend(
            [AttemptChange::End, AttemptChange::AskAgain, AttemptChange::Hold, AttemptChange::Release].map(
                |change| {
                    Event::AttemptCommand(AttemptCommand { attempt: attempt_id(1), by: ODD.into(), change })
                },
            ),
        );
        events.extend(AttemptResolution::ALL.map(|fate| {
            let (sid, note) = (full.then(|| "CA1".into()), full.then(|| ODD.into()));
            Event::AttemptResolved(AttemptOverride {
                attempt: attempt_id(1),
                fate,
                sid,
                by: ODD.into(),
                note,
            })
        }));
        events.extend(MessageResolution::ALL.map(|fate| {
            let (sid, note) = (full.then(|| "MM1".into()), full.then(|| ODD.into()));
            Event::MessageResolved(MessageOverride {
                message: message_id(1),
                fate,
                sid,
                by: ODD.into(),
                note,
            })
        }));
        let answers = [
            PermissionAnswer::Temporary { expires_at: None },
            PermissionAnswer::Temporary { expires_at: Some(at(8)) },
            PermissionAnswer::Permanent,
            PermissionAnswer::Rejected,
        ];
        events.extend(answers.map(|answer| reply(answer, full)));
        events.extend(answers.map(|answer| {
            Event::PermissionOverride(PermissionOverride {
                sender: sender(1),
                consumer: consumer(1),
                answer,
                by: "crm".into(),
                reason: if full { ODD.into() } else { String::new() },
                ends_refusals: full,
            })
        }));
    }
    let scopes = ["all", "account:main", "sender:551151991234", "person:5511987654321"];
    events.extend(scopes.iter().zip([Some(at(9)), None, Some(at(9)), None]).map(|(scope, until)| {
        Event::PauseSet(Pause {
            id: PauseId::new(Uuid::from_u128(7)),
            scope: scope.parse().unwrap(),
            tenant: "other".parse().unwrap(),
            who: "ops".into(),
            why: ODD.into(),
            from: at(4),
            until,
        })
    }));
    for (list, is_full) in [("house", false), ("imported:a:b", true)] {
        events.push(Event::Suppressed(SuppressionAdded {
            list: list.parse().unwrap(),
            list_id: 7,
            entries: 2,
            consumers: if is_full { vec![consumer(1), consumer(2)] } else { Vec::new() },
            waiting: if is_full { vec![callback_id(1), callback_id(2)] } else { Vec::new() },
            is_cut: is_full,
            by: "ops".into(),
        }));
    }
    events.push(Event::SuppressionRemoved(SuppressionRemoved {
        list: "account:main".parse().unwrap(),
        hashes: vec![[7; 32], [0; 32]],
        why: ODD.into(),
        by: "ops".into(),
    }));
    events.push(Event::SuppressionComplete { list_id: 7, by: "ops".into() });
    events.extend(["closed", "open", "default"].map(|mark| {
        Event::CalendarMarked(CalendarMark {
            calendar: "BR-SP".parse().unwrap(),
            first: "2026-12-24".parse().unwrap(),
            last: "2027-01-06".parse().unwrap(),
            mark: mark.parse().unwrap(),
            who: "ops".into(),
            why: ODD.into(),
        })
    }));
    events.push(Event::PauseLifted { pause: PauseId::new(Uuid::from_u128(7)), by: "ops".into() });
    events.extend(campaign_events());
    events.extend(pool_events());
    let reports: Vec<_> = (0..)
        .zip(&events)
        .map(|(n, event)| Report { key: [n; 16], received_at: at(4), event: event.clone() })
        .collect();
    store.append_reports(reports).await.unwrap();
    let filed = store.unfolded_reports(1_000).await.unwrap();
    assert_eq!(filed.into_iter().map(|filed| filed.event).collect::<Vec<_>>(), events);
}

/// Every command about a campaign, with all of its fields and with none.
fn campaign_events() -> Vec<Event> {
    let pause = PauseId::new(Uuid::from_u128(8));
    let none = BreakerChange::default();
    let off = BreakerChange { abandoned_percent_max: Some(None), failed_percent_max: Some(None), ..none };
    let whole = BreakerChange {
        abandoned_percent_max: Some(Some(7)),
        abandoned_of_min: Some(8),
        failed_percent_max: Some(Some(9)),
        failed_of_min: Some(10),
        failed_window_minutes: Some(11),
        on_quality_warning: Some(false),
    };
    let acts = [
        CampaignAct::Create {
            tenant: "other".parse().unwrap(),
            name: ODD.into(),
            defaults: r#"{"priority":3}"#.into(),
            concurrent_calls_max: Some(7),
            calls_per_minute: Some(8),
            weight: Some(20),
            breaker: whole,
            follow_up: Some(std::sync::Arc::new(FollowUp {
                of: CampaignId::new(Uuid::from_u128(9)),
                outcomes: FollowUp::OUTCOMES.to_vec(),
                earliest: Some(at(5)),
                latest: at(6),
                after: 7,
                made: 8,
                left_out: 9,
                is_whole: true,
            })),
        },
        CampaignAct::Create {
            tenant: Tenant::default(),
            name: "spring".into(),
            defaults: "{}".into(),
            concurrent_calls_max: None,
            calls_per_minute: None,
            weight: None,
            breaker: none,
            follow_up: None,
        },
        CampaignAct::Change {
            name: Some(ODD.into()),
            concurrent_calls_max: Some(Some(7)),
            calls_per_minute: Some(Some(8)),
            weight: Some(20),
            breaker: whole,
        },
        CampaignAct::Change {
            name: None,
            concurrent_calls_max: Some(None),
            calls_per_minute: Some(None),
            weight: None,
            breaker: off,
        },
        CampaignAct::Change {
            name: None,
            concurrent_calls_max: None,
            calls_per_minute: None,
            weight: None,
            breaker: none,
        },
        CampaignAct::Ready,
        CampaignAct::Launch,
        CampaignAct::Pause { pause, until: Some(at(9)) },
        CampaignAct::Pause { pause, until: None },
        CampaignAct::Resume,
        CampaignAct::Drain,
        CampaignAct::Cancel { pause },
    ];
    let event = |act: CampaignAct| {
        let note = matches!(act, CampaignAct::Launch).then(|| ODD.into());
        let campaign = CampaignId::new(Uuid::from_u128(7));
        Event::Campaign(CampaignCommand { campaign, by: "ops".into(), note, act })
    };
    acts.into_iter().map(event).collect()
}

fn pool_events() -> impl Iterator<Item = Event> {
    let feed = |figure| PoolAct::Feed {
        figure,
        as_of: at(1),
        valid_until: at(121),
        headroom: 10_000,
        wrap_up: jiff::SignedDuration::from_secs(3_600),
    };
    let acts = [
        feed(Figure::Seats(0)),
        feed(Figure::Free(10_000)),
        PoolAct::Fail { why: ODD.into() },
        PoolAct::Remove,
    ];
    let pool: PoolKey = "shop.one/support_2".parse().unwrap();
    acts.into_iter().map(move |act| Event::Pool(PoolCommand { pool: pool.clone(), by: "acd".into(), act }))
}
