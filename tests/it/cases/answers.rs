//! Cases 11, 16 and 22: answers of the platform to a create.

use http::header::RETRY_AFTER;
use jiff::SignedDuration;
use ringmaster::policy::errors;
use ringmaster::twilio::Response;
use serde_json::Value;

use crate::harness::{CONSUMER, RecordingTransport, TestDaemon, message};
use ringmaster::twilio::words::error_code;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The timeline of a callback as one text.
async fn timeline(daemon: &mut TestDaemon, id: &str) -> String {
    daemon.get(&format!("/v1/callbacks/{id}/timeline")).await.to_string()
}

#[tokio::test]
async fn a_refusal_with_a_known_code_is_tried_once_and_explained() {
    let answers: Vec<Value> =
        serde_json::from_str(include_str!("../../cases/11-error-codes-unknown/answers.json")).unwrap();
    for answer in answers {
        let code = u32::try_from(answer["code"].as_u64().unwrap()).unwrap();
        let status = u16::try_from(answer["status"].as_u64().unwrap()).unwrap();
        for has_permission in [false, true] {
            let platform = RecordingTransport::refusing(Response::new(status, answer.to_string()));
            let mut daemon = TestDaemon::open(platform.clone()).await;
            if has_permission {
                daemon.grant(CONSUMER).await;
            }
            let id = daemon.order(CONSUMER, message()).await["id"].as_str().unwrap().to_owned();
            daemon.advance(SignedDuration::ZERO).await;
            daemon.advance_to(daemon.now() + SignedDuration::from_hours(48)).await;
            let tries = (platform.messages().len(), platform.calls().len());
            assert_eq!(tries, if has_permission { (0, 1) } else { (1, 0) }, "{code}");
            let meaning = errors::meaning(error_code(code)).unwrap();
            let timeline = timeline(&mut daemon, &id).await;
            assert!(timeline.contains(meaning), "{code}: {meaning} is not in {timeline}");
        }
    }
}

/// Reads an answer from a file: status line, headers, an empty line, the body.
fn answer(text: &str) -> Response {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Response::new(status, body.to_owned());
    for (name, value) in head.lines().skip(1).filter_map(|line| line.split_once(": ")) {
        answer.headers.insert(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    answer
}

#[tokio::test]
async fn a_pause_is_at_most_one_day() {
    for text in [
        include_str!("../../cases/16-retry-after/answer.txt"),
        include_str!("../../cases/22-retry-after-crash/answer.txt"),
    ] {
        for has_permission in [false, true] {
            let answer = answer(text);
            assert_eq!(answer.status, 429);
            assert!(answer.headers.contains_key(RETRY_AFTER));
            let platform = RecordingTransport::refusing(answer);
            let mut daemon = TestDaemon::open(platform.clone()).await;
            if has_permission {
                daemon.grant(CONSUMER).await;
            }
            daemon.order(CONSUMER, message()).await;
            daemon.advance(SignedDuration::ZERO).await;
            let tries = || platform.messages().len() + platform.calls().len();
            assert_eq!(tries(), 1);
            daemon.advance_to(daemon.now() + SignedDuration::from_hours(24) - SECOND).await;
            assert_eq!(tries(), 1, "it rests");
            daemon.advance_to(daemon.now() + SECOND * 2).await;
            assert_eq!(tries(), 2, "a day is the longest pause");
            // The next daemon reads the same store.
            let mut daemon = daemon.restart(platform.clone()).await;
            daemon.advance(SignedDuration::ZERO).await;
            let callbacks = &daemon.get("/v1/status").await["callbacks"];
            let open = callbacks["waiting"].as_u64().unwrap() + callbacks["calling"].as_u64().unwrap();
            assert_eq!(open, 1, "{callbacks}");
        }
    }
}
