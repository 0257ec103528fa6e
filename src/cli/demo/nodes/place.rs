//! The PostgreSQL of the demo of several nodes: a server of its own in a temporary folder, or a schema of its own in a
//! database of the user's. Both are removed at the end.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use url::Url;
use uuid::Uuid;

use crate::cli::failure::{Hint as _, refusal};
use crate::store::relational::{Reach, create_schema, drop_schema};

/// Where packages put the programs of the server, beside the folders of `PATH`.
const FOLDERS: [&str; 3] = ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt"];
/// The oldest version that is tested.
const OLDEST: u32 = 15;
const USER: &str = "ringmaster";
/// PostgreSQL refuses to run as root.
const AS_NOBODY: [&str; 4] = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"];

pub(super) enum Place {
    Server(Server),
    Schema(Box<Schema>),
}

/// A server that ends with this value.
pub(super) struct Server {
    programs: PathBuf,
    folder: PathBuf,
    url: String,
}

/// A schema that is dropped with this value.
pub(super) struct Schema {
    reach: Reach,
    name: String,
    url: String,
}

impl Place {
    /// # Errors
    /// If there is no PostgreSQL, or it cannot be used. The text says what helps.
    pub(super) fn find(store: Option<&str>, password: Option<&str>, folder: &Path) -> anyhow::Result<Self> {
        let Some(store) = store else { return Server::start(folder).map(Self::Server) };
        if !store.starts_with("postgres://") && !store.starts_with("postgresql://") {
            return refusal(
                "several nodes need a PostgreSQL database: a lock keeps a second daemon away from a SQLite file",
                ["give --store postgres://user@host/database, or no --store for a server of the demo's own"],
            );
        }
        Schema::create(store, password).map(|schema| Self::Schema(Box::new(schema)))
    }

    pub(super) fn url(&self) -> &str {
        match self {
            Self::Server(server) => &server.url,
            Self::Schema(schema) => &schema.url,
        }
    }

    /// What it is, for the reader.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Server(server) => format!("a server of the demo's own, by {}", server.programs.display()),
            Self::Schema(schema) => {
                format!("the schema {} of {}, until the end", schema.name, schema.reach.name())
            }
        }
    }
}

impl Server {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let Some(programs) = programs() else {
            return refusal(
                "no PostgreSQL 15 or newer is installed on this machine, and several nodes need one",
                [
                    "install it (Debian: apt-get install postgresql)",
                    "or give the address of a database with --store postgres://user@host/database",
                ],
            );
        };
        let above = folder;
        let folder = folder.join("postgresql");
        std::fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        if is_root() {
            // The user of the server passes through the folder of the demo, and reads nothing in it.
            std::fs::set_permissions(above, Permissions::from_mode(0o711))?;
            run(Command::new("chown").arg("nobody:nogroup").arg(&folder))?;
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let url = format!("postgres://{USER}@127.0.0.1:{port}/postgres");
        let server = Self { programs, folder, url };
        let data = server.folder.join("data");
        run(server.program("initdb").arg("-D").arg(&data).args(["-U", USER, "-A", "trust", "-E", "UTF8"]))?;
        let options = format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=");
        let log = server.folder.join("log");
        let mut start = server.program("pg_ctl");
        run(start.arg("-D").arg(&data).args(["-o", &options, "-w", "-l"]).arg(log).arg("start"))?;
        Ok(server)
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new(AS_NOBODY[0]);
            command.args(&AS_NOBODY[1..]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(&self.folder);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        // Its folder is removed next.
        let _ = run(self.program("pg_ctl").arg("-D").arg(data).args(["-m", "immediate", "-w", "stop"]));
    }
}

impl Schema {
    fn create(store: &str, password: Option<&str>) -> anyhow::Result<Self> {
        let reach = Reach::new(store, password, None).map_err(|fault| anyhow::anyhow!("--store {fault}"))?;
        let name = format!("ringmaster_demo_{}", Uuid::new_v4().simple());
        let mut url = Url::parse(store).context("--store is no address")?;
        if url.query_pairs().any(|(key, _)| key == "options") {
            return refusal("--store has options, and the demo needs its own", ["leave them out"]);
        }
        // A space is not written as `+` there.
        let others = url.query().map(|query| format!("{query}&")).unwrap_or_default();
        url.set_query(Some(&format!("{others}options=-c%20search_path%3D{name}")));
        create_schema(reach.clone(), &name).hint("the user of --store needs the right to create a schema")?;
        Ok(Self { reach, name, url: url.into() })
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if let Err(error) = drop_schema(self.reach.clone(), &self.name) {
            let name = &self.name;
            tracing::error!(error = &error as &dyn std::error::Error, schema = %name, "the schema of the demo remains");
        }
    }
}

/// The folder with the newest server that is new enough.
fn programs() -> Option<PathBuf> {
    let below = |folder: &str| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().join("bin")).collect::<Vec<_>>()
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = FOLDERS.iter().flat_map(|folder| below(folder)).chain(std::env::split_paths(&path));
    let versions = all.filter_map(|folder| Some((version(&folder)?, folder)));
    versions.filter(|(version, _)| *version >= OLDEST).max().map(|(_, folder)| folder)
}

/// The version of the server in a folder: `postgres (PostgreSQL) 15.18`.
fn version(folder: &Path) -> Option<u32> {
    if !["postgres", "initdb", "pg_ctl"].iter().all(|name| folder.join(name).is_file()) {
        return None;
    }
    let said = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    said.split_whitespace().nth(2)?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = format!("{:?}", command.get_program());
    // The server would keep a pipe open.
    let done = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let done = done.with_context(|| format!("{name} cannot be run"))?;
    anyhow::ensure!(done.success(), "{name} failed: a PostgreSQL server for the demo cannot be started");
    Ok(())
}
