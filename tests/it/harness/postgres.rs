//! A PostgreSQL server of the tests' own. It begins with the first test and ends a moment after the last one.
//!
//! Each test is a process, so the server is shared by a file that each of them locks. PostgreSQL refuses to run as root:
//! then it runs as `nobody`.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use ringmaster::store::relational::{Options, Reach, SqlStore};
use tokio_postgres::NoTls;
use uuid::Uuid;

/// Where the programs of the server are, unless `RINGMASTER_TEST_POSTGRESQL` says otherwise.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
/// Nobody else uses the server, and its data is of no worth.
const SETTINGS: &str = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=400 \
     -c listen_addresses= -c shared_buffers=64MB -c autovacuum=off";
/// Who may come in: the user `locked` with a password, all others without.
const ACCESS: &str = "local all locked scram-sha-256\nlocal all all trust\n";
/// Has the schema; each database is a copy.
const TEMPLATE: &str = "ringmaster_template";

/// An empty database for one test, which is dropped with it.
pub(crate) struct Database {
    folder: PathBuf,
    name: String,
    /// Whether it is emptied for the next test of this process, instead of dropped.
    is_kept: bool,
    _use: File,
}

/// Databases of this process that nobody uses. They end with the server.
static FREE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Makes a database as it was when it was copied.
const EMPTY: &str = "SET session_replication_role = replica; \
    DO $$ DECLARE of regclass; BEGIN \
    FOR of IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') \
    AND NOT relispartition AND relname <> 'ringmaster' LOOP EXECUTE format('DELETE FROM %s', of); END LOOP; \
    FOR of IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S' \
    LOOP PERFORM setval(of, 1, false); END LOOP; END $$; \
    INSERT INTO term VALUES (1, 0, 0, 0)";

impl Database {
    /// With the schema.
    pub(crate) fn new() -> Self {
        Self::of(&format!("TEMPLATE {TEMPLATE}"))
    }

    /// Without any table.
    pub(crate) fn bare() -> Self {
        Self::of("ENCODING 'UTF8' TEMPLATE template0")
    }

    /// With the schema, for a test that opens many of them and changes only rows: one that was used before, if there is one.
    pub(crate) fn emptied() -> Self {
        let free = FREE.lock().unwrap().pop();
        let Some(name) = free else {
            let mut made = Self::new();
            made.is_kept = true;
            return made;
        };
        let (folder, held) = server();
        Self { folder, name, is_kept: true, _use: held }
    }

    fn of(how: &str) -> Self {
        let (folder, held) = server();
        let name = format!("t{}", Uuid::new_v4().simple());
        admin(&folder, &format!("CREATE DATABASE {name} {how}"));
        Self { folder, name, is_kept: false, _use: held }
    }

    /// As `postgres`, who may do everything.
    pub(crate) fn url(&self) -> String {
        self.url_as("postgres")
    }

    pub(crate) fn url_as(&self, user: &str) -> String {
        url(&self.folder, &self.name, user)
    }

    pub(crate) fn reach(&self) -> Reach {
        Reach::new(&self.url(), None, None).unwrap()
    }

    pub(crate) fn store(&self) -> SqlStore {
        self.store_with(&Options::default())
    }

    pub(crate) fn store_with(&self, options: &Options) -> SqlStore {
        SqlStore::connect(self.reach(), options).unwrap()
    }

    /// Runs statements beside the store.
    pub(crate) fn run(&self, sql: &str) {
        run(&self.url(), sql).unwrap();
    }

    /// The texts in the first column of the last statement.
    pub(crate) fn ask(&self, sql: &str) -> Vec<String> {
        run(&self.url(), sql).unwrap()
    }

    /// Runs statements in the database of the server.
    pub(crate) fn admin(&self, sql: &str) {
        admin(&self.folder, sql);
    }

    /// Ends all connections to the database but those of this call.
    pub(crate) fn cut(&self) {
        let name = &self.name;
        self.admin(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ));
    }

    /// Lets nobody in any more, and ends what is open.
    pub(crate) fn close(&self) {
        self.admin(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name));
        self.cut();
    }

    pub(crate) fn open(&self) {
        self.admin(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name));
    }

    /// Where the server listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.is_kept && run(&self.url(), EMPTY).is_ok() {
            let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
            return free.push(std::mem::take(&mut self.name));
        }
        // A failed test says more than this.
        let _ = run(
            &url(&self.folder, "postgres", "postgres"),
            &format!("DROP DATABASE {} WITH (FORCE)", self.name),
        );
    }
}

fn url(folder: &Path, database: &str, user: &str) -> String {
    format!("postgres:///{database}?host={}&user={user}", folder.display())
}

fn admin(folder: &Path, sql: &str) {
    run(&url(folder, "postgres", "postgres"), sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// On a thread of its own, because a test may run tasks on this one.
fn run(url: &str, sql: &str) -> Result<Vec<String>, String> {
    let ask = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(told)?;
            tokio::spawn(connection);
            let mut texts = Vec::new();
            for message in client.simple_query(sql).await.map_err(told)? {
                match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => {
                        texts.push(row.get(0).unwrap_or_default().to_owned());
                    }
                    tokio_postgres::SimpleQueryMessage::RowDescription(_) => texts.clear(),
                    _ => {}
                }
            }
            Ok(texts)
        })
    };
    std::thread::scope(|scope| scope.spawn(ask).join().unwrap())
}

fn told(error: tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}

/// The folder of the running server, and the lock that keeps it running.
fn server() -> (PathBuf, File) {
    let user = fs::metadata(env!("CARGO_MANIFEST_DIR")).unwrap().uid();
    // Each version of the server has a folder of its own.
    let place: u32 = format!("{}{}", env!("CARGO_MANIFEST_DIR"), programs())
        .bytes()
        .fold(5381, |hash: u32, byte| hash.wrapping_mul(33) ^ u32::from(byte));
    let folder = std::env::temp_dir().join(format!("ringmaster-postgres-{user}-{place:08x}"));
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let open = |name: &str| {
        OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(name)).unwrap()
    };
    // Waits while the server is ended.
    let held = open("in_use");
    held.lock_shared().unwrap();
    let starting = open("starting");
    starting.lock().unwrap();
    if run(&url(&folder, TEMPLATE, "postgres"), "SELECT 1").is_err() {
        start(&folder);
    }
    (folder, held)
}

fn programs() -> String {
    let named = std::env::var_os("RINGMASTER_TEST_POSTGRESQL");
    named.and_then(|named| named.into_string().ok()).unwrap_or_else(|| PROGRAMS.to_owned())
}

#[expect(clippy::zombie_processes, reason = "what ends the server outlives this process")]
fn start(folder: &Path) {
    let programs = programs();
    let data = folder.join("data");
    program(folder, &format!("rm -rf {}", data.display()));
    program(
        folder,
        &format!(
            "{programs}/initdb -D {} -A trust -U postgres -E UTF8 --no-locale --no-sync",
            data.display()
        ),
    );
    program(folder, &format!("printf '{}' > {}/pg_hba.conf", ACCESS.replace('\n', "\\n"), data.display()));
    let options = format!("-k {} {SETTINGS}", folder.display());
    program(
        folder,
        &format!(
            "{programs}/pg_ctl -D {} -o '{options}' -l {}/log -w start",
            data.display(),
            folder.display()
        ),
    );
    admin(folder, &format!("CREATE DATABASE {TEMPLATE} ENCODING 'UTF8' TEMPLATE template0"));
    let reach = Reach::new(&url(folder, TEMPLATE, "postgres"), None, None).unwrap();
    ringmaster::store::relational::migrate(reach).unwrap();
    // Ends the server when no test has used it for a moment.
    let last = format!(
        "cd {0} && while :; do sleep 3; flock --exclusive --nonblock in_use \
         {programs}/pg_ctl -D {0}/data -m immediate stop && exit; done",
        folder.display()
    );
    apart(&last).spawn().unwrap();
}

/// Runs a line of the shell as a user that PostgreSQL accepts.
fn program(folder: &Path, line: &str) {
    let log = File::create(folder.join("setup.log")).unwrap();
    let mut command = apart(line);
    let done = command.stdout(log.try_clone().unwrap()).stderr(log).status().unwrap();
    let said = fs::read_to_string(folder.join("setup.log")).unwrap_or_default();
    assert!(done.success(), "{line}: {said}; the tests need PostgreSQL 15 in {}", programs());
}

fn apart(line: &str) -> Command {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = Command::new("setsid");
    if is_root {
        command.args(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
    }
    command.args(["sh", "-c", line]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}
