//! The kill loop: the real daemon on a real file, killed at random moments and started again, while customers
//! order callbacks. Nothing may be lost, called twice or left behind.
//!
//! `cargo test --release --test kill -- --cycles 1000` runs it for long; without arguments it is short.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a loop that cannot go on says so by its panic"
)]

mod loopback;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

const SENDERS: [&str; 3] = ["+442079460000", "+442079460001", "+442079460002"];

/// A program that runs; killed when it is dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Scene {
    folder: TempDir,
    variables: Vec<(String, String)>,
    address: String,
    sandbox_address: String,
    token: String,
}

impl Scene {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringmaster"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts the sandbox, and writes the configuration of a daemon for it.
    fn begin(seed: u64) -> (Self, Program) {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut scene = Self {
            folder: TempDir::new().unwrap(),
            variables: vec![("RINGMASTER_CONFIG".into(), "ringmaster.toml".into())],
            address: format!("127.0.0.1:{port}"),
            sandbox_address: String::new(),
            token: String::new(),
        };
        let seed = seed.to_string();
        let daemon = format!("http://{}", scene.address);
        let mut arguments = vec!["sandbox", "--listen", "127.0.0.1:0", "--seed", &seed, "--daemon", &daemon];
        arguments.extend(["--calls-per-second", "20"]);
        arguments.extend(SENDERS.iter().flat_map(|sender| ["--sender", sender]));
        let mut child = scene.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut printed = String::new();
        let mut left = SENDERS.len();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            printed.push_str(&format!("{line}\n"));
            left -= usize::from(line.starts_with("invite_content_sid"));
            if left == 0 {
                break;
            }
        }
        let first = printed.lines().next().unwrap();
        scene.sandbox_address =
            first.split("http://").nth(1).unwrap().split(['.', ' ']).collect::<Vec<_>>()[..4].join(".");
        let exports = printed.lines().filter_map(|line| line.strip_prefix("# export ")?.split_once('='));
        scene.variables.extend(exports.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let config = format!(
            "[http]\nlisten = \"{}\"\npublic_url = \"{daemon}\"\n[log]\nformat = \"json\"\n{printed}",
            scene.address
        );
        std::fs::write(scene.folder.path().join("ringmaster.toml"), config).unwrap();
        let token = scene.command(&["token", "create", "loop"]).output().unwrap();
        assert!(token.status.success(), "{}", String::from_utf8_lossy(&token.stderr));
        scene.token = String::from_utf8(token.stdout).unwrap().trim().to_owned();
        (scene, Program(child))
    }

    /// Starts the daemon, and waits until it is ready.
    fn serve(&self) -> Program {
        let mut child = self.command(&["serve"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = lines.by_ref().any(|line| line.is_ok_and(|line| line.contains("\"ready\"")));
        assert!(ready, "the daemon did not start: {:?}", child.wait());
        // Somebody has to read what it says, or it waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Program(child)
    }

    fn daemon(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<(u16, Value)> {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend(headers);
        loopback::ask(&self.address, method, path, &all, body)
    }

    fn report(&self) -> Value {
        loopback::ask(&self.sandbox_address, "GET", "/sandbox/report", &[], "").unwrap().1
    }
}

/// Waits, and nothing else.
fn pass(time: Duration) {
    let (_never, heard) = mpsc::channel::<()>();
    let _ = heard.recv_timeout(time);
}

/// Orders until the daemon takes it: a customer repeats what was not answered, under the same key.
fn order(scene: &Scene, number: u64, random: &mut fastrand::Rng, accepted: &mut BTreeSet<String>) -> bool {
    let habit = [1, 1, 10, 2, 6, 8, 11][random.usize(0..7)];
    let body = json!({
        "consumer": format!("+4477009{:03}{habit:02}", number % 1000),
        "senders": SENDERS,
        "document": "message",
        "variables": {"message": "Hello."},
        "attempts_max": 1,
    });
    let key = format!("order-{number}");
    match scene.daemon("POST", "/v1/callbacks", &[("idempotency-key", &key)], &body.to_string()) {
        Some((202, answer)) => {
            accepted.insert(answer["id"].as_str().unwrap().to_owned());
            true
        }
        Some((status, answer)) => panic!("an order was answered with {status}: {answer}"),
        None => false,
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let index = arguments.iter().position(|argument| argument == name)?;
        arguments.get(index + 1)?.parse::<u64>().ok()
    };
    if arguments.iter().any(|argument| argument == "--list") {
        return;
    }
    let (cycles, seed) = (value("--cycles").unwrap_or(12), value("--seed").unwrap_or(1));
    let began = Instant::now();
    let mut random = fastrand::Rng::with_seed(seed);
    let (scene, _sandbox) = Scene::begin(seed);
    let (mut accepted, mut ordered, mut open) = (BTreeSet::new(), 0, Vec::new());
    for cycle in 1..=cycles {
        let mut daemon = scene.serve();
        let life = Instant::now();
        let lives = Duration::from_millis(random.u64(5..2500));
        while life.elapsed() < lives {
            if open.len() < 3 {
                ordered += 1;
                open.push(ordered);
            }
            open.retain(|number| !order(&scene, *number, &mut random, &mut accepted));
            pass(Duration::from_millis(random.u64(0..40)).min(lives.saturating_sub(life.elapsed())));
        }
        daemon.0.kill().unwrap();
        daemon.0.wait().unwrap();
        if cycle % 100 == 0 {
            println!("{cycle} kills, {} callbacks, {:.0} s", accepted.len(), began.elapsed().as_secs_f64());
        }
    }
    let _daemon = scene.serve();
    open.retain(|number| !order(&scene, *number, &mut random, &mut accepted));
    assert!(open.is_empty(), "a daemon that lives took no order");
    let waiting = settle(&scene, Duration::from_secs(value("--settle").unwrap_or(90)));
    let report = scene.report();
    let lost = accepted.iter().filter(|id| !is_kept(&scene, id)).count();
    let counts = &report["counts"];
    println!(
        "{cycles} kills in {:.0} s: {} callbacks accepted, {lost} lost, {} calls, {} answered, {} violations, \
         {waiting} calls or questions of fate left open",
        began.elapsed().as_secs_f64(),
        accepted.len(),
        counts["creates_accepted"],
        counts["calls_connected"],
        report["violations_total"],
    );
    assert_eq!(lost, 0, "accepted callbacks were lost");
    assert_eq!(report["violations_total"], 0, "{report:#}");
    assert_eq!(waiting, 0, "slots were leaked");
}

/// Waits until no call lives in the world and the house has no attempt open; how many are left.
fn settle(scene: &Scene, patience: Duration) -> u64 {
    let began = Instant::now();
    loop {
        let calls = scene.report()["calls_live"].as_u64().unwrap();
        let (_, page) = scene.daemon("GET", "/v1/callbacks?status=calling&limit=100", &[], "").unwrap();
        let calling = page["callbacks"].as_array().map_or(0, Vec::len) as u64;
        if calls + calling == 0 || began.elapsed() > patience {
            return calls + calling;
        }
        pass(Duration::from_millis(500));
    }
}

fn is_kept(scene: &Scene, id: &str) -> bool {
    matches!(scene.daemon("GET", &format!("/v1/callbacks/{id}"), &[], ""), Some((200, _)))
}
