//! Tests of all metrics together.

use std::collections::BTreeSet;
use std::time::Duration;

use super::platforms::UNKNOWN_CODES_MAX;
use super::*;

#[test]
fn what_was_counted_is_encoded() {
    let metrics = Metrics::default();
    metrics.hook_received("call_status");
    metrics.hook_repeated("call_status");
    metrics.hook_refused("call_status", "signature");
    metrics.callbacks_enqueued(3);
    metrics.callback_closed("reached");
    metrics.call_placed("accepted");
    metrics.call_ended("abandoned");
    metrics.permission_requested("rejected");
    metrics.invited("accepted");
    metrics.invited_by("call_button");
    metrics.invite_token("borrowed");
    metrics.webhook_delivered("delivered");
    metrics.scheduler_lagged(Duration::from_millis(3));
    metrics.store_committed(40, Duration::from_millis(1));
    metrics.calls_in_progress(2);
    metrics.pauses("person", 3);
    let text = metrics.encode();
    for line in [
        "ringmaster_hooks_received_total{kind=\"call_status\"} 1",
        "ringmaster_hooks_repeated_total{kind=\"call_status\"} 1",
        "ringmaster_hooks_refused_total{kind=\"call_status\",reason=\"signature\"} 1",
        "ringmaster_callbacks_enqueued_total 3",
        "ringmaster_callbacks_closed_total{outcome=\"reached\"} 1",
        "ringmaster_calls_placed_total{result=\"accepted\"} 1",
        "ringmaster_calls_ended_total{outcome=\"abandoned\"} 1",
        "ringmaster_permission_requests_total{result=\"rejected\"} 1",
        "ringmaster_invites_total{result=\"accepted\"} 1",
        "ringmaster_invite_roads_total{road=\"call_button\"} 1",
        "ringmaster_invite_tokens_total{result=\"borrowed\"} 1",
        "ringmaster_webhook_deliveries_total{result=\"delivered\"} 1",
        "ringmaster_scheduler_lag_seconds_bucket{le=\"0.005\"} 1",
        "ringmaster_store_commit_seconds_count 1",
        "ringmaster_store_group_size_bucket{le=\"32.0\"} 0",
        "ringmaster_store_group_size_bucket{le=\"64.0\"} 1",
        "ringmaster_calls_in_progress 2",
        "ringmaster_pauses{scope=\"person\"} 3",
    ] {
        assert!(text.lines().any(|written| written == line), "{line}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn unknown_codes_have_a_bounded_number_of_series() {
    let metrics = Metrics::default();
    metrics.platform_code("meta", 138_014, true, true);
    for code in 0..100 {
        metrics.platform_code("twilio", 900_000 + code, false, false);
    }
    metrics.platform_code("twilio", 900_000, false, false);
    let text = metrics.encode();
    let series =
        |text: &str| text.lines().filter(|line| line.starts_with("ringmaster_platform_codes_total")).count();
    assert_eq!(series(&text), 1 + UNKNOWN_CODES_MAX + 1);
    for line in [
        "ringmaster_platform_codes_total{issuer=\"meta\",code=\"138014\",for_operator=\"yes\"} 1",
        "ringmaster_platform_codes_total{issuer=\"twilio\",code=\"900000\",for_operator=\"no\"} 2",
        "ringmaster_platform_codes_total{issuer=\"twilio\",code=\"other\",for_operator=\"no\"} 68",
    ] {
        assert!(text.lines().any(|written| written == line), "{line}\n{text}");
    }
}

#[test]
fn requests_are_counted_by_template_known_method_and_class() {
    let metrics = Metrics::default();
    let brew = ::http::Method::from_bytes(b"BREW").unwrap();
    let teapot = ::http::StatusCode::IM_A_TEAPOT;
    metrics.http_answered("/v1/callbacks/{id}", &brew, teapot, Duration::from_millis(2));
    let text = metrics.encode();
    let line =
        "ringmaster_http_requests_total{route=\"/v1/callbacks/{id}\",method=\"other\",status=\"4xx\"} 1";
    assert!(text.lines().any(|written| written == line), "{text}");
}

#[test]
fn two_daemons_in_one_process_have_separate_metrics() {
    let (one, other) = (Metrics::default(), Metrics::default());
    one.callbacks_enqueued(1);
    assert!(one.encode().contains("ringmaster_callbacks_enqueued_total 1"));
    assert!(other.encode().contains("ringmaster_callbacks_enqueued_total 0"));
}

/// Metrics with a series of each.
pub(crate) fn of_each() -> Metrics {
    let metrics = Metrics::default();
    let took = Duration::from_millis(3);
    metrics.hook_received("call_status");
    metrics.hook_repeated("call_status");
    metrics.hook_refused("call_status", "signature");
    metrics.hook_folded(took);
    metrics.callback_closed("reached");
    metrics.call_placed("accepted");
    metrics.call_ended("abandoned");
    metrics.permission_requested("rejected");
    metrics.invited("accepted");
    metrics.invited_by("call_button");
    metrics.invite_token("borrowed");
    metrics.webhook_delivered("taken");
    metrics.spans("sent", 1);
    metrics.platform_answered("twilio", "place", "accepted", took);
    metrics.platform_code("twilio", 1, true, true);
    metrics.pauses("all", 1);
    metrics.node_role("alone");
    metrics.http_answered("/healthz", &::http::Method::GET, ::http::StatusCode::OK, took);
    metrics.show(&Picture {
        resources: vec![ResourceUse { kind: "bot", name: String::new(), in_use: 1, ceiling: Some(2) }],
        pools: vec![PoolSeats {
            name: "default/support".into(),
            usable: 3,
            in_calls: 1,
            in_wrap_up: 0,
            holds_for_s: 1.5,
        }],
        accounts: vec![("main".into(), false)],
        senders: vec![("main/1".into(), true)],
        callbacks: vec![("waiting", 1)],
        invites: vec![("waiting", 1)],
        waiting: vec![("account.paused".into(), 1)],
        gates: vec![("sender", "main/1".into(), 1)],
        store_bytes: vec![("data", 4096)],
        ..Picture::default()
    });
    metrics
}

#[test]
fn each_metric_is_described_with_its_labels() {
    let metrics = of_each();
    let text = metrics.encode_classic();
    for described in metrics.described() {
        let name = match described.kind {
            Kind::Histogram => format!("{}_count", described.name),
            Kind::Counter | Kind::Gauge => described.name.clone(),
        };
        let line = text.lines().find(|line| line.split(['{', ' ']).next() == Some(&name));
        let line = line.unwrap_or_else(|| panic!("{name} has no series in\n{text}"));
        let labels = line.split_once('{').map_or("", |(_, rest)| rest.split_once('}').unwrap().0);
        let labels: BTreeSet<&str> =
            labels.split(',').filter_map(|label| Some(label.split_once('=')?.0)).collect();
        assert_eq!(labels, described.labels.iter().copied().collect(), "{name}");
        assert!(text.contains(&format!("# TYPE {} {}\n", described.name, described.kind)), "{name}");
    }
    let typed = text.lines().filter(|line| line.starts_with("# TYPE ")).count();
    assert_eq!(typed, metrics.described().len(), "each metric is described once");
}

#[test]
fn what_is_gone_from_the_picture_has_no_series() {
    let metrics = of_each();
    assert!(metrics.encode().contains("ringmaster_resource_in_use{kind=\"bot\",name=\"\"} 1"));
    assert!(metrics.encode().contains("ringmaster_pool_seats{pool=\"default/support\",state=\"usable\"} 3"));
    metrics.show(&Picture::default());
    let text = metrics.encode();
    for name in
        ["resource_in_use{", "resource_ceiling{", "pool_seats{", "callbacks_waiting{", "sender_paused{"]
    {
        assert!(!text.contains(&format!("ringmaster_{name}")), "{name}");
    }
    assert!(text.contains("ringmaster_store_readable 1"));
    metrics.picture_failed();
    assert!(metrics.encode().contains("ringmaster_store_readable 0"));
}

#[test]
fn a_node_that_leads_no_more_has_no_gauges_of_its_time() {
    let metrics = Metrics::default();
    metrics.leads(Some(4));
    metrics.node_role("leader");
    metrics.oldest_due(Duration::from_secs(90));
    metrics.calls_in_progress(3);
    metrics.set_aside(1, true);
    metrics.lineage_held(true);
    let text = metrics.encode();
    let has = |text: &str, line: &str| text.lines().any(|written| written == format!("ringmaster_{line}"));
    assert!(has(&text, "leader_term 4") && has(&text, "node_role{role=\"leader\"} 1"), "{text}");
    metrics.leads(None);
    metrics.follows();
    metrics.node_role("follower");
    let text = metrics.encode();
    for line in [
        "leader_term 0",
        "scheduler_oldest_due_seconds 0.0",
        "calls_in_progress 0",
        "set_aside 0",
        "dialling_stopped 0",
        "lineage_held 0",
        "node_role{role=\"leader\"} 0",
        "node_role{role=\"follower\"} 1",
    ] {
        assert!(has(&text, line), "{line}\n{text}");
    }
}

#[test]
fn the_buckets_have_the_goal_of_dispatch_as_a_bound() {
    let metrics = Metrics::default();
    metrics.scheduler_lagged(Duration::from_millis(15));
    metrics.call_left(Duration::from_micros(15_001));
    let text = metrics.encode();
    assert!(text.contains("ringmaster_scheduler_lag_seconds_bucket{le=\"0.015\"} 1"));
    assert!(text.contains("ringmaster_call_leaving_seconds_bucket{le=\"0.015\"} 0"));
    assert!(text.contains("ringmaster_call_leaving_seconds_bucket{le=\"0.02\"} 1"));
}

#[test]
fn requests_that_do_not_verify_stand_out_until_one_does() {
    let metrics = Metrics::default();
    metrics.hook_refused("call_status", "store");
    assert_eq!(metrics.only_unverified(), None);
    metrics.hook_refused("call_status", "signature");
    metrics.hook_refused("call_status", "unsigned");
    assert_eq!(metrics.only_unverified(), Some(2));
    metrics.hook_received("call_status");
    assert_eq!(metrics.only_unverified(), None);
}
