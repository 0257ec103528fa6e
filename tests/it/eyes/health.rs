//! `/livez` and `/readyz`, also while a daemon stops, and the metrics of a running daemon.

use std::time::Duration;

use ringmaster::config::Config;
use ringmaster::daemon::{self, Running};
use ringmaster::simulation::{Fixture, fixture};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

struct Served {
    running: Running,
    shutdown: CancellationToken,
    base: String,
    _folder: TempDir,
}

async fn served(change: impl FnOnce(&mut Config)) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let (mut config, _) = fixture(&Fixture::default());
    config.store.path = folder.path().join("ringmaster.db");
    config.http.listen = "127.0.0.1:0".parse().unwrap();
    config.http.hooks_listen = "127.0.0.2:0".parse().unwrap();
    change(&mut config);
    let shutdown = CancellationToken::new();
    let options = daemon::Options { shutdown: shutdown.clone(), ..daemon::Options::default() };
    let running = daemon::start(&config, options).await.unwrap();
    let base = format!("http://{}", running.address);
    Served { running, shutdown, base, _folder: folder }
}

impl Served {
    async fn ask(&self, path: &str, accept: &str) -> (u16, String) {
        let request = reqwest::Client::new().get(format!("{}{path}", self.base)).header("accept", accept);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

#[tokio::test]
async fn a_daemon_that_is_told_to_stop_is_not_ready_and_answers_until_the_delay_is_over() {
    let served = served(|config| config.http.shutdown_delay = Duration::from_secs(1)).await;
    assert_eq!(served.ask("/livez", "*/*").await, (200, "ok\n".to_owned()));
    let ready = "ready\nok: stopping\nok: store\nok: leader\nok: dialling\nok: clock\nok: lineage\nok: inbox\nok: hooks\nok: webhooks\n";
    assert_eq!(served.ask("/readyz", "*/*").await, (200, ready.to_owned()));
    let (status, json) = served.ask("/readyz", "application/json").await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((status, &json["ready"], &json["role"]), (200, &true.into(), &"alone".into()));
    assert_eq!(json["checks"][1], serde_json::json!({"name": "store", "state": "ok"}));

    served.shutdown.cancel();
    let (status, text) = loop {
        let answer = served.ask("/readyz", "*/*").await;
        if answer.0 != 200 {
            break answer;
        }
    };
    assert_eq!(status, 503);
    assert!(text.starts_with("not ready\nfailed: stopping: the daemon has been stopping since "), "{text}");
    assert_eq!(served.ask("/healthz", "*/*").await.0, 200, "it still answers");
    let hooks = reqwest::get(format!("http://{}/readyz", served.running.hooks_address)).await.unwrap();
    assert_eq!(hooks.status(), 503, "the listener of the hooks says the same");
    served.running.finished().await.unwrap();
    assert!(reqwest::get(format!("{}/livez", served.base)).await.is_err(), "it listens no more");
}

#[tokio::test]
async fn the_page_of_metrics_has_what_is_stored_and_in_use() {
    let served = served(|_| {}).await;
    let (status, text) = served.ask("/metrics", "*/*").await;
    assert_eq!(status, 200);
    for line in [
        "ringmaster_store_readable 1",
        "ringmaster_callbacks_open{state=\"waiting\"} 0",
        "ringmaster_submissions_unknown{kind=\"call\"} 0",
        "ringmaster_inbox_oldest_seconds 0.0",
        "ringmaster_node_role{role=\"alone\"} 1",
        "ringmaster_node_role{role=\"follower\"} 0",
    ] {
        assert!(text.lines().any(|written| written == line), "{line}\n{text}");
    }
    assert!(text.contains("ringmaster_resource_ceiling{kind=\"sender\",name=\""), "{text}");
    assert!(text.contains("ringmaster_store_size_bytes{part=\"data\"} "), "{text}");
    assert!(text.contains("# TYPE ringmaster_callbacks_enqueued counter\n") && text.ends_with("# EOF\n"));
    for number in ringmaster::simulation::SENDERS {
        assert!(!text.contains(number.trim_start_matches('+')), "no number of a sender");
    }
    let (_, classic) = served.ask("/metrics", "text/plain").await;
    assert!(
        classic.contains("# TYPE ringmaster_callbacks_enqueued_total counter\n")
            && !classic.contains("# EOF")
    );
    let term = text.lines().find_map(|line| line.strip_prefix("ringmaster_leader_term ")).unwrap();
    assert!(term.parse::<u64>().unwrap() > 0, "{term}");
    served.shutdown.cancel();
    served.running.finished().await.unwrap();
}
