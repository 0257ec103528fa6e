//! The sandbox and the daemon of a soak, as separate processes.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The public URL, which the hooks are signed for. It is never resolved: the sandbox knows the daemon's real address.
pub const PUBLIC_URL: &str = "http://127.0.0.1:18081";
const API: &str = "127.0.0.1:18080";
const HOOKS: &str = "127.0.0.1:18081";

pub struct Processes {
    pub api: SocketAddr,
    pub hooks: SocketAddr,
    pub token: String,
    pub auth_token: String,
    sandbox_url: String,
    daemon: Killed,
    _sandbox: Killed,
    _folder: tempfile::TempDir,
}

/// Ends with this value.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The sender of this index, below 100.
pub fn sender(index: usize) -> String {
    format!("+4420794600{index:02}")
}

impl Processes {
    /// # Errors
    /// If one of the two does not start.
    pub fn start(calls_per_second: usize, senders: usize) -> Result<Self> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let command = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_ringmaster"));
            command.args(arguments).current_dir(folder.path()).stdin(Stdio::null());
            command
        };
        let rate = calls_per_second.to_string();
        let sandbox = ["sandbox", "--listen", "127.0.0.1:0", "--haste", "20", "--daemon", PUBLIC_URL];
        let count = senders;
        let senders: Vec<_> = (0..count).map(sender).collect();
        let senders: Vec<_> = senders.iter().flat_map(|number| ["--sender", number]).collect();
        let mut sandbox = command(&[&sandbox[..], &["--calls-per-second", &rate], &senders].concat())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = sandbox.stdout.take().ok_or("the sandbox has no output")?;
        let mut printed = String::new();
        let mut lines = BufReader::new(out).lines();
        // The last line of each sender.
        while printed.matches("invite_content_sid").count() < count {
            printed.push_str(&lines.next().ok_or("the sandbox ended")??);
            printed.push('\n');
        }
        let exports: Vec<_> = printed
            .lines()
            .filter_map(|line| line.strip_prefix("# export ")?.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let auth_token = exports.iter().find(|(name, _)| name.ends_with("AUTH_TOKEN"));
        let auth_token = auth_token.ok_or("the sandbox does not print the auth token")?.1.clone();
        let sandbox_url = printed
            .split("api_url = \"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .ok_or("the sandbox does not print its address")?
            .to_owned();
        let settings = format!(
            "[http]\nlisten = \"{API}\"\nhooks_listen = \"{HOOKS}\"\npublic_url = \"{PUBLIC_URL}\"\n\
             [log]\nfilter = \"warn,ringmaster=info\"\nformat = \"json\"\n{printed}"
        );
        std::fs::write(folder.path().join("ringmaster.toml"), settings)?;
        let configured = |arguments: &[&str]| {
            let mut command = command(arguments);
            command.env("RINGMASTER_CONFIG", "ringmaster.toml");
            command.envs(exports.iter().map(|(name, value)| (name, value)));
            command
        };
        let token = configured(&["token", "create", "soak"]).output()?;
        let token = String::from_utf8(token.stdout)?.trim().to_owned();
        let mut daemon = configured(&["serve"]).stderr(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(daemon.stderr.take().ok_or("the daemon has no log")?).lines();
        let is_ready = lines.by_ref().map_while(|line| line.ok()).any(|line| line.contains("\"ready\""));
        if !is_ready {
            return Err("the daemon does not start".into());
        }
        // Read on, or the daemon would block when the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self {
            api: API.parse()?,
            hooks: HOOKS.parse()?,
            token,
            auth_token,
            sandbox_url,
            daemon: Killed(daemon),
            _sandbox: Killed(sandbox),
            _folder: folder,
        })
    }

    /// The resident memory of the daemon's process.
    pub fn memory_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.daemon.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib / 1024.0)
    }

    pub async fn daemon(&self, path: &str) -> Result<Value> {
        let url = format!("http://{}{path}", self.api);
        Ok(reqwest::Client::new().get(url).bearer_auth(&self.token).send().await?.json().await?)
    }

    pub async fn report(&self) -> Result<Value> {
        Ok(reqwest::get(format!("{}/sandbox/report", self.sandbox_url)).await?.json().await?)
    }
}
