//! The processes of the kill loop: one sandbox, and a daemon that is started again after each crash.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

use crate::loopback;
use crate::postgres::Database;

pub const SENDERS: [&str; 3] = ["+442079460000", "+442079460001", "+442079460002"];

const CALLS_PER_SECOND: &str = "40";

/// Short timeouts, so that everything closes soon after the last crash.
const SETTINGS: &str = r#"
[log]
format = "json"
[calling]
ring_timeout = "5s"
[calling.silence]
unknown = "1s"
ringing = "1s"
in_progress = "2s"
horizon = "5s"
[webhooks]
allow = ["127.0.0.0/8"]
"#;

/// Faults of the platform. Answers are delayed, so that crashes happen while requests are in flight, and
/// webhooks arrive early, late, twice or never.
const FAULTS: &str = r#"{
    "delay_answer": 0.4, "answer_delay_ms": 80, "webhook_before_answer": 0.2,
    "duplicate_webhook": 0.05, "delay_webhook": 0.2, "webhook_delay_ms": 300, "lose_webhook": 0.02
}"#;

const WEBHOOK_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A running process, which is killed on drop.
pub struct Program(pub Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One process of the daemon.
pub struct Life {
    pub program: Program,
    pub began: Instant,
    /// When the daemon reported that it is ready.
    pub ready: Arc<Mutex<Option<Instant>>>,
}

pub struct Setting {
    folder: TempDir,
    /// `None` if the store is a file.
    database: Option<Database>,
    variables: Vec<(String, String)>,
    address: String,
    sandbox_address: String,
    token: String,
    /// The first account of the sandbox, and its secret for signatures.
    pub account: String,
    pub auth_token: String,
    /// Unexpected log lines of the daemons.
    pub complaints: Arc<Mutex<Vec<String>>>,
}

impl Setting {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringmaster"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts the sandbox, and writes the configuration of a daemon that uses it and sends webhooks to
    /// `listener`.
    pub fn begin(seed: u64, listener: &TcpListener, database: Option<Database>) -> (Self, Program) {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut setting = Self {
            folder: TempDir::new().unwrap(),
            database,
            variables: vec![
                ("RINGMASTER_CONFIG".into(), "ringmaster.toml".into()),
                ("RINGMASTER_WEBHOOKS__SECRET".into(), WEBHOOK_SECRET.into()),
            ],
            address: format!("127.0.0.1:{port}"),
            sandbox_address: String::new(),
            token: String::new(),
            account: String::new(),
            auth_token: String::new(),
            complaints: Arc::default(),
        };
        let seed = seed.to_string();
        let daemon = format!("http://{}", setting.address);
        let mut arguments = vec!["sandbox", "--listen", "127.0.0.1:0", "--seed", &seed, "--daemon", &daemon];
        arguments.extend(["--calls-per-second", CALLS_PER_SECOND, "--haste", "200"]);
        arguments.extend(SENDERS.iter().flat_map(|sender| ["--sender", sender]));
        let mut child = setting.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
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
        setting.sandbox_address =
            first.split("http://").nth(1).unwrap().split(['.', ' ']).collect::<Vec<_>>()[..4].join(".");
        let set = loopback::ask(&setting.sandbox_address, "POST", "/sandbox/faults", &[], FAULTS);
        assert_eq!(set.unwrap(), (204, Value::Null), "the sandbox refuses its faults");
        let exports = printed.lines().filter_map(|line| line.strip_prefix("# export ")?.split_once('='));
        setting.variables.extend(exports.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let news = listener.local_addr().unwrap();
        setting.account = value_after(&printed, "account_sid = ");
        setting.auth_token = value_after(&printed, "__AUTH_TOKEN=");
        let store =
            setting.database.as_ref().map(|database| format!("[store]\nurl = \"{}\"\n", database.url()));
        let config = format!(
            "{1}[http]\nlisten = \"{0}\"\nhooks_listen = \"{0}\"\npublic_url = \"{daemon}\"\n{SETTINGS}url = \"http://{news}/\"\n{printed}",
            setting.address,
            store.unwrap_or_default(),
        );
        std::fs::write(setting.folder.path().join("ringmaster.toml"), config).unwrap();
        let token = setting.command(&["token", "create", "loop"]).output().unwrap();
        assert!(token.status.success(), "{}", String::from_utf8_lossy(&token.stderr));
        setting.token = String::from_utf8(token.stdout).unwrap().trim().to_owned();
        (setting, Program(child))
    }

    /// Starts the daemon, with a failpoint at which it aborts and one at which it panics once, if they are given.
    pub fn serve(&self, die_at: Option<&str>, panic_at: Option<&str>) -> Life {
        let mut arguments = vec!["serve"];
        arguments.extend(die_at.iter().flat_map(|place| ["--die-at", place]));
        arguments.extend(panic_at.iter().flat_map(|place| ["--panic-at", place]));
        let may_fail = panic_at.is_some();
        let began = Instant::now();
        let mut command = self.command(&arguments);
        if self.is_shared() {
            // The name of a node that was killed is taken for a while.
            command.env("RINGMASTER_NODE__NAME", format!("node-{}", fastrand::u32(..)));
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = Arc::<Mutex<Option<Instant>>>::default();
        let (seen, complaints) = (ready.clone(), self.complaints.clone());
        // Read its output, or the process blocks when the pipe is full.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if line.contains("\"ready\"") {
                    *seen.lock().unwrap() = Some(Instant::now());
                } else if may_fail && line.contains("it is set aside") {
                } else if line.contains("\"ERROR\"") || line.contains("panicked") || !line.starts_with('{') {
                    complaints.lock().unwrap().push(line);
                }
            }
        });
        Life { program: Program(child), began, ready }
    }

    pub fn daemon(&self, method: &str, path: &str, key: Option<&str>, body: &str) -> Option<(u16, Value)> {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        loopback::ask(&self.address, method, path, &headers, body).ok()
    }

    /// Sends a webhook to the daemon; its status, if it lives.
    pub fn hook(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Option<u16> {
        loopback::exchange(&self.address, "POST", path, headers, body).ok().map(|(status, _)| status)
    }

    /// A public URL of the daemon.
    pub fn public(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn report(&self) -> Value {
        loopback::ask(&self.sandbox_address, "GET", "/sandbox/report", &[], "").unwrap().1
    }

    /// Whether several daemons could open the store, so that a killed one keeps the lease for a while.
    pub const fn is_shared(&self) -> bool {
        self.database.is_some()
    }

    /// The first column of a query that no daemon disturbs, as texts.
    pub fn ask(&self, sql: &str) -> Vec<String> {
        if let Some(database) = &self.database {
            return database.ask(sql);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let file = Connection::open_with_flags(self.folder.path().join("ringmaster.db"), flags).unwrap();
        let mut statement = file.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| {
            Ok(match row.get_ref(0)? {
                ValueRef::Integer(number) => number.to_string(),
                text => text.as_str()?.to_owned(),
            })
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Whether the file is not damaged, or the database has no row that breaks an invariant.
    pub fn is_whole(&self) -> bool {
        if !self.is_shared() {
            return self.ask("PRAGMA integrity_check") == ["ok"];
        }
        let verified = self.command(&["store", "verify"]).output().unwrap();
        if !verified.status.success() {
            self.complaints.lock().unwrap().push(String::from_utf8_lossy(&verified.stdout).into_owned());
        }
        verified.status.success()
    }
}

fn value_after(printed: &str, name: &str) -> String {
    let (_, rest) = printed.split_once(name).unwrap();
    rest.lines().next().unwrap().trim_matches('"').to_owned()
}
