//! The program as a separate process, alone or with a sandbox.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// The program in a temporary directory, without `RINGMASTER_` variables.
pub(crate) struct Program {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Program {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), variables: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringmaster"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("RINGMASTER_") {
                command.env_remove(name);
            }
        }
        command.env_remove("COLUMNS").envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        Answer::of(self.command(arguments).output().unwrap())
    }
}

impl Answer {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Whether the command failed.
    pub(crate) fn is_refused(&self) -> bool {
        self.code != Some(0)
    }

    /// The standard error of a command that failed without printing anything.
    #[track_caller]
    pub(crate) fn error(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (Some(1), ""), "{}", self.err);
        self.err
    }

    /// The output of a command that succeeded.
    #[track_caller]
    pub(crate) fn output(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{}", self.out);
        self.out
    }
}

/// A running program, which is killed on drop.
pub(crate) struct Started(Child);

impl Started {
    pub(crate) fn of(mut command: Command) -> Self {
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Terminates the program.
    pub(crate) fn terminate(self) -> Option<i32> {
        self.signal("TERM");
        self.ended()
    }

    pub(crate) fn signal(&self, name: &str) {
        let arguments = [format!("-{name}"), self.0.id().to_string()];
        assert!(Command::new("kill").args(arguments).status().unwrap().success());
    }

    /// The exit code when it has ended; `None` if a signal killed it.
    pub(crate) fn ended(mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }

    /// Its log, to the end.
    pub(crate) fn log(&mut self) -> impl Iterator<Item = serde_json::Value> + use<> {
        let lines = BufReader::new(self.0.stderr.take().unwrap()).lines();
        lines.map_while(Result::ok).map(|line| serde_json::from_str(&line).unwrap())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A sandbox, and the program with the configuration that it printed.
pub(crate) fn with_sandbox() -> (Started, Program) {
    with_sandbox_of(&[], |line| line.starts_with("invite_content_sid"))
}

/// The same with more flags, and the last line of the configuration.
pub(crate) fn with_sandbox_of(flags: &[&str], is_last: impl Fn(&str) -> bool) -> (Started, Program) {
    let program = Program::new();
    let flags = [&["sandbox", "--listen", "127.0.0.1:0"], flags].concat();
    let mut sandbox = Started::of(program.command(&flags));
    let mut printed = String::new();
    for line in BufReader::new(sandbox.0.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        printed.push_str(&format!("{line}\n"));
        if is_last(&line) {
            break;
        }
    }
    let mut program = program
        .file(
            "ringmaster.toml",
            format!("[http]\nlisten = \"127.0.0.1:0\"\nhooks_listen = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\n{printed}"),
        )
        .with("RINGMASTER_CONFIG", "ringmaster.toml");
    for (name, value) in printed.lines().filter_map(|line| line.strip_prefix("# export ")?.split_once('=')) {
        program = program.with(name, value);
    }

    (sandbox, program)
}

/// The address of the API, from the log.
pub(crate) fn address(log: &mut impl Iterator<Item = serde_json::Value>) -> String {
    let ready = log.find(|line| line["message"] == "ready").unwrap();
    ready["address"].as_str().unwrap().to_owned()
}

/// A sandbox, a daemon with the configuration that it printed, and a client with a token.
pub(crate) fn started() -> (Started, Started, Program) {
    let (sandbox, program) = with_sandbox();
    let mut daemon = Started::of(program.command(&["serve"]));
    let address = address(&mut daemon.log());
    let token = program.run(&["token", "create", "me"]).output();
    let program =
        program.with("RINGMASTER_URL", &format!("http://{address}")).with("RINGMASTER_TOKEN", token.trim());
    (sandbox, daemon, program)
}
