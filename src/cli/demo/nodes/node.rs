//! A node of the demo: `ringmaster serve` as a process of its own, which can be killed.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

/// The longest wait for an answer of a node.
const ANSWER: Duration = Duration::from_secs(2);

pub(super) struct Node {
    pub(super) name: String,
    pub(super) address: SocketAddr,
    folder: PathBuf,
    variables: Vec<(String, String)>,
    process: Option<Child>,
    client: reqwest::Client,
}

/// What a node answered to an order.
pub(super) enum Ordered {
    Accepted,
    /// No answer, or one that says that it may be repeated.
    Again,
    Refused(String),
}

impl Node {
    /// A node with this configuration, which is written into a folder of its own. It does not run yet.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn new(
        name: &str,
        address: SocketAddr,
        (folder, configuration): (&Path, &str),
        variables: Vec<(String, String)>,
    ) -> anyhow::Result<Self> {
        let folder = folder.join(name);
        std::fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        std::fs::write(folder.join("ringmaster.toml"), configuration)?;
        // Nodes are on this machine.
        let client = reqwest::Client::builder().no_proxy().timeout(ANSWER).build()?;
        Ok(Self { name: name.to_owned(), address, folder, variables, process: None, client })
    }

    /// # Errors
    /// If the program cannot be started again as another process.
    pub(super) fn start(&mut self) -> anyhow::Result<()> {
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let log = OpenOptions::new().create(true).append(true).open(self.folder.join("log"))?;
        let mut command = Command::new(program);
        // A configuration of the user's is not meant.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("RINGMASTER_") {
                command.env_remove(name);
            }
        }
        command
            .arg("serve")
            .current_dir(&self.folder)
            .env("RINGMASTER_CONFIG", "ringmaster.toml")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        self.process = Some(command.spawn().context("a node cannot be started")?);
        Ok(())
    }

    /// Ends it at once (SIGKILL).
    pub(super) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// # Errors
    /// If it has ended by itself, with the last line of its log.
    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        let Some(process) = &mut self.process else { return Ok(()) };
        if let Some(status) = process.try_wait()? {
            let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            anyhow::bail!(
                "{} ended ({status}): {}",
                self.name,
                log.lines().last().unwrap_or("its log is empty")
            );
        }
        Ok(())
    }

    /// Whether it leads; `None` if it does not answer.
    pub(super) async fn leads(&self) -> Option<bool> {
        self.process.as_ref()?;
        let answer = self.client.get(self.url("/healthz")).send().await.ok()?;
        let text = answer.text().await.ok()?;
        Some(text.lines().any(|line| line.starts_with("leader ")))
    }

    pub(super) async fn order(&self, token: &str, key: &str, order: &Value) -> Ordered {
        if self.process.is_none() {
            return Ordered::Again;
        }
        let request = self.client.post(self.url("/v1/callbacks")).bearer_auth(token);
        let Ok(answer) = request.header("idempotency-key", key).json(order).send().await else {
            return Ordered::Again;
        };
        match answer.status().as_u16() {
            202 => Ordered::Accepted,
            429 | 500.. => Ordered::Again,
            _ => Ordered::Refused(answer.text().await.unwrap_or_default()),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
