//! The metrics, the alert rules and the dashboard fit together, and promtool accepts them. Without promtool the tests
//! print that and skip that part; `tests/run` installs it if possible.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use ringmaster::metrics::{Kind, Metrics, Picture, PoolSeats, ResourceUse};
use serde_json::Value;

const ALERTS: &str = include_str!("../../../docs/monitoring/alerts.yml");
const ALERT_TESTS: &str = include_str!("../../../docs/monitoring/alerts.test.yml");
const DASHBOARD: &str = include_str!("../../../docs/monitoring/dashboard.json");
const OPERATING: &str = include_str!("../../../docs/OPERATING.md");

/// Runs promtool with an input. `None` if it is not installed.
fn promtool(arguments: &[&str], input: &str) -> Option<(bool, String)> {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.ok()?;
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Some((output.status.success(), text))
}

/// Metrics with a series of each.
fn of_each() -> Metrics {
    let metrics = Metrics::default();
    let took = Duration::from_millis(3);
    metrics.hook_received("call_status");
    metrics.hook_repeated("call_status");
    metrics.hook_refused("call_status", "signature");
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
    metrics.platform_code("twilio", 20_003, true, true);
    metrics.pauses("all", 1);
    metrics.node_role("alone");
    metrics.http_answered("/healthz", &http::Method::GET, http::StatusCode::OK, took);
    let name = "a \"name\" with \\ and\nlines".to_owned();
    metrics.show(&Picture {
        resources: vec![ResourceUse { kind: "campaign", name, in_use: 1, ceiling: Some(2) }],
        pools: vec![PoolSeats {
            name: "default/support".into(),
            usable: 3,
            in_calls: 1,
            in_wrap_up: 0,
            holds_for_s: -1.5,
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
fn promtool_accepts_the_names_and_the_text_of_all_metrics() {
    let metrics = of_each();
    let text = metrics.encode_classic();
    for described in metrics.described() {
        assert!(text.contains(&format!("# TYPE {} ", described.name)), "{} has no series", described.name);
    }
    let Some((is_good, told)) = promtool(&["check", "metrics"], &text) else { return };
    assert!(is_good && told.is_empty(), "{told}");
    let (is_good, told) = promtool(&["check", "metrics"], "# TYPE a_total gauge\na_total 1\n").unwrap();
    assert!(!is_good, "a bad name is found: {told}");
}

#[test]
fn promtool_accepts_the_alert_rules_and_their_tests() {
    for arguments in [
        ["check", "rules", "docs/monitoring/alerts.yml"],
        ["test", "rules", "docs/monitoring/alerts.test.yml"],
    ] {
        let Some((is_good, told)) = promtool(&arguments, "") else { return };
        assert!(is_good, "{told}");
    }
}

/// The values of a key in the lines of a file.
fn values<'t>(text: &'t str, key: &'t str) -> impl Iterator<Item = &'t str> {
    text.lines().filter_map(move |line| line.trim_start().trim_start_matches("- ").strip_prefix(key))
}

#[test]
fn each_alert_has_a_section_and_a_test_that_it_fires_and_one_that_it_is_silent() {
    let names: Vec<&str> = values(ALERTS, "alert: ").collect();
    assert!(names.len() > 20 && names.len() == names.iter().collect::<BTreeSet<_>>().len(), "{names:?}");
    let sections: Vec<&str> =
        OPERATING.lines().filter_map(|line| line.strip_prefix("### Ringmaster")).collect();
    let told: Vec<&str> = names.iter().map(|name| name.strip_prefix("Ringmaster").unwrap()).collect();
    assert_eq!(sections, told, "the sections of docs/OPERATING.md in the order of the rules");
    let tests: Vec<&str> = values(ALERT_TESTS, "name: ").collect();
    let wanted: Vec<String> =
        names.iter().flat_map(|name| [format!("{name} fires"), format!("{name} is silent")]).collect();
    assert_eq!(tests, wanted);
    for runbook in values(ALERTS, "runbook: ") {
        let name = runbook.trim_matches('"').strip_prefix("docs/OPERATING.md, ").unwrap();
        assert!(names.contains(&name), "{runbook}");
    }
}

/// The metrics that expressions name.
fn named(expressions: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = expressions.match_indices("ringmaster_").map(|(at, _)| &expressions[at..]);
    starts.map(|rest| rest.split(|c| !is_part(c)).next().unwrap()).collect()
}

/// The series of all metrics.
fn series() -> BTreeSet<String> {
    let metrics = Metrics::default();
    let each = metrics.described().iter().flat_map(|described| match described.kind {
        Kind::Histogram => {
            ["_bucket", "_sum", "_count"].map(|end| format!("{}{end}", described.name)).to_vec()
        }
        Kind::Counter | Kind::Gauge => vec![described.name.clone()],
    });
    each.collect()
}

#[test]
fn alerts_and_the_dashboard_name_metrics_that_exist() {
    let series = series();
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries: Vec<&str> = targets.map(|target| target["expr"].as_str().unwrap()).collect();
    let queries = queries.join("\n");
    let rules = values(ALERTS, "expr: ").collect::<Vec<_>>().join("\n");
    for name in named(&queries).into_iter().chain(named(&rules)) {
        assert!(series.contains(name), "{name} does not exist");
    }
    let shown = named(&queries);
    for described in Metrics::default().described() {
        let is_shown = shown.iter().any(|name| name.starts_with(&described.name));
        assert!(is_shown, "the dashboard has no panel with {}", described.name);
    }
}
