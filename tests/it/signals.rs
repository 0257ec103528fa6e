//! Signals to a daemon as a separate process: a second one ends it at once, and exceeding the limit of a file's size is
//! an error of the write.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use jiff::SignedDuration;
use ringmaster::clock::{Clock as _, SystemClock};
use serde_json::json;

use crate::harness::process::{Started, address, with_sandbox};

/// The exit code of a process that a signal interrupted, as shells expect it.
const INTERRUPTED: Option<i32> = Some(130);

/// Two signals of the same number may become one before they are delivered, so the second one is the other.
fn end_at_once(daemon: Started) -> Option<i32> {
    daemon.signal("TERM");
    daemon.signal("INT");
    daemon.ended()
}

#[test]
fn a_second_signal_ends_a_daemon_that_waits_for_a_request() {
    let (_sandbox, program) = with_sandbox();
    let mut daemon = Started::of(program.command(&["serve"]));
    let mut log = daemon.log();
    let mut slow = TcpStream::connect(address(&mut log)).unwrap();
    let token = program.run(&["token", "create", "me"]).output();
    let head = format!(
        "POST /v1/callbacks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nexpect: 100-continue\r\n\
         content-type: application/json\r\ncontent-length: 100\r\n\r\n",
        token.trim()
    );
    slow.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100", "the request is in progress");
    assert_eq!(end_at_once(daemon), INTERRUPTED);
}

#[cfg(feature = "failpoints")]
#[test]
fn a_stuck_runtime_is_logged_and_a_second_signal_ends_it() {
    let (_sandbox, program) = with_sandbox();
    let mut daemon = Started::of(program.command(&["serve", "--stick"]));
    let mut log = daemon.log();
    let told =
        log.find(|line| line["message"].as_str().unwrap().starts_with("the runtime is stuck")).unwrap();
    assert_eq!(told["level"], "ERROR", "{told}");
    assert_eq!(end_at_once(daemon), INTERRUPTED);
}

#[test]
fn a_file_at_its_size_limit_is_an_error_and_the_daemon_continues() {
    let (_sandbox, program) = with_sandbox();
    // The limit is at least 4 MiB, as shells count blocks of 512 or 1,024 bytes. The schema is smaller.
    let mut limited = Command::new("sh");
    let serve = program.command(&["serve"]);
    limited.args(["-c", "ulimit -f 8192 && exec \"$0\" serve"]).arg(serve.get_program());
    limited.current_dir(serve.get_current_dir().unwrap());
    for (name, value) in serve.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let mut daemon = Started::of(limited);
    let mut log = daemon.log();
    let address = address(&mut log);
    // Read the log, or the daemon would block when the pipe is full.
    std::thread::spawn(move || log.count());
    let token = program.run(&["token", "create", "me"]).output();
    let earliest = (SystemClock.now() + SignedDuration::from_hours(24)).to_string();
    let row = |n: u32| {
        let row = json!({
            "consumer": format!("+4477009{n:05}"), "document": "conference", "earliest": earliest,
            "metadata": "x".repeat(3000),
        });
        format!("{row}\n")
    };
    let rows: String = (0..3000).map(row).collect();
    let program = program
        .file("rows.ndjson", rows)
        .with("RINGMASTER_URL", &format!("http://{address}"))
        .with("RINGMASTER_TOKEN", token.trim());
    let refused = program.run(&["enqueue", "--file", "rows.ndjson"]);
    assert!(refused.is_refused(), "nine megabytes do not fit");
    let listed = program.run(&["list", "--json"]);
    assert!(!listed.is_refused(), "it still answers");
    assert!(daemon.terminate().is_some(), "a signal killed it");
}
