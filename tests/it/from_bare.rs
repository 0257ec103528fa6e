//! The walk of docs/DOCTOR.md "from a bare Twilio account to the first call", with the commands of the page.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

use ringmaster::clock::SystemClock;
use ringmaster::domain::Phone;
use ringmaster::sim::world::{AccountSetup, SenderSetup, Setup};
use ringmaster::sim::{Sandbox, World};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::harness::process::{Answer, Program, Started, address};

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const KEY: &str = "SK00000000000000000000000000000001";
const SENDER: &str = "+442079460000";

/// The fenced blocks of the walk: their language and their text.
fn blocks() -> Vec<(String, String)> {
    let page = std::fs::read_to_string("docs/DOCTOR.md").unwrap();
    let (_, rest) = page.split_once("## The walk\n").unwrap();
    let (walk, _) = rest.split_once("\n## ").unwrap();
    let mut blocks = Vec::new();
    let mut parts = walk.split("```");
    parts.next();
    while let (Some(block), Some(_)) = (parts.next(), parts.next()) {
        let (language, text) = block.split_once('\n').unwrap();
        blocks.push((language.to_owned(), text.to_owned()));
    }
    blocks
}

/// What `ringmaster sandbox --bare` serves, in this process, so that the test hears of the first call.
struct Bare {
    address: String,
    shutdown: CancellationToken,
    called: Receiver<()>,
}

fn bare() -> Bare {
    let shutdown = CancellationToken::new();
    let (tell, told) = mpsc::channel();
    let (tell_call, called) = mpsc::channel();
    let ends = shutdown.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut account = AccountSetup::new(ACCOUNT, "sandbox");
            account.api_keys.push((KEY.to_owned(), "sandbox".to_owned()));
            let number = Phone::parse(SENDER).unwrap();
            account.senders.push(SenderSetup { is_voice_on: false, ..SenderSetup::new(number) });
            let mut setup = Setup::new(5, vec![account]);
            setup.timing = setup.timing.hastened(1_000.0);
            setup.limits.pace_tolerance_ms = 500;
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap().to_string()).unwrap();
            let sandbox = Sandbox::new(World::new(setup), Arc::new(SystemClock), ends);
            let served = sandbox.clone();
            let watch = async move {
                served.until(|report| report.counts.calls_served > 0).await;
                assert_eq!(served.report().violations_total, 0, "{:#?}", served.report().violations);
                let _ = tell_call.send(());
            };
            let (done, ()) = tokio::join!(sandbox.serve(listener), watch);
            done.unwrap();
        });
    });
    Bare { address: told.recv().unwrap(), shutdown, called }
}

/// A shell in the folder of the walk, with the variables that were exported so far.
struct Shell {
    program: Program,
    exported: String,
    /// The block of the sandbox, with the test's own addresses.
    addresses: String,
}

impl Shell {
    fn command(&self, script: &str) -> Command {
        let binary = Path::new(env!("CARGO_BIN_EXE_ringmaster")).parent().unwrap();
        let others = std::env::var_os("PATH").unwrap_or_default();
        let path = format!("{}:{}", binary.display(), others.to_string_lossy());
        let mut shell = Command::new("sh");
        shell.arg("-ec").arg(format!("{}{}{script}", self.exported, self.addresses));
        shell.current_dir(self.program.path()).stdin(Stdio::null());
        // Without the variables of this process that configure the program.
        for (name, value) in self.program.command(&[]).get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell.env("PATH", path);
        shell
    }

    fn run(&self, script: &str) -> Answer {
        Answer::of(self.command(script).output().unwrap())
    }
}

/// A port that nobody listens on now. The daemon's URL has to be known before the daemon runs.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn the_walk_of_the_page_leads_from_a_bare_account_to_the_first_call() {
    let blocks = blocks();
    let bare = bare();
    let (api, hooks) = (free_port(), free_port());
    let (_, last) = blocks.last().unwrap();
    let addresses = last
        .replace("127.0.0.1:4010", &bare.address)
        .replace("http://127.0.0.1:8081", &format!("http://127.0.0.1:{hooks}"));
    let ports = format!(
        "export RINGMASTER_HTTP__LISTEN=127.0.0.1:{api} RINGMASTER_HTTP__HOOKS_LISTEN=127.0.0.1:{hooks}\n\
         export RINGMASTER_URL=http://127.0.0.1:{api} RINGMASTER_LOG__FORMAT=json\n"
    );
    let program = Program::new();
    std::fs::create_dir(program.path().join("content")).unwrap();
    let mut shell = Shell { program, exported: String::new(), addresses: format!("{addresses}{ports}") };
    let (mut doctors, mut daemon) = (0, None);
    for (language, text) in &blocks[..blocks.len() - 1] {
        if language == "toml" {
            let (name, _) = text.strip_prefix("# ").unwrap().split_once('\n').unwrap();
            std::fs::write(shell.program.path().join(name), text).unwrap();
            continue;
        }
        match text.trim() {
            "ringmaster doctor" => {
                doctors += 1;
                let found = shell.run(text);
                let said = format!("{}{}", found.out, found.err);
                let expected = if doctors == 1 { 2 } else { 0 };
                assert_eq!(found.code, Some(expected), "{said}");
                for code in ["messages.unset", "voice.off", "content.missing"] {
                    assert_eq!(said.contains(&format!(": {code}: ")), doctors == 1, "{code}: {said}");
                }
            }
            "ringmaster serve" => {
                let mut started = Started::of(shell.command(&format!("exec {text}")));
                address(&mut started.log());
                daemon = Some(started);
            }
            exports if exports.lines().all(|line| line.starts_with("export ") && !line.contains("$(")) => {
                shell.exported.push_str(text);
            }
            _ => {
                let answer = shell.run(text);
                assert_eq!(answer.code, Some(0), "{text}: {}{}", answer.out, answer.err);
            }
        }
    }
    assert_eq!(doctors, 2, "the walk asks before and after");
    bare.called.recv().unwrap();
    drop(daemon);
    bare.shutdown.cancel();
}

#[test]
fn a_bare_sandbox_prints_a_configuration_with_which_doctor_finds_the_same() {
    let (sandbox, program) =
        crate::harness::process::with_sandbox_of(&["--bare"], |line| line.contains(".senders."));
    let found = program.run(&["doctor"]);
    let said = format!("{}{}", found.out, found.err);
    assert_eq!(found.code, Some(2), "{said}");
    for code in ["messages.unset", "voice.off", "content.none"] {
        assert!(said.contains(&format!(": {code}: ")), "{code}: {said}");
    }
    drop(sandbox);
}
