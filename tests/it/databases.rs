//! A whole daemon whose store is a PostgreSQL database: it serves, goes on without the database, and shares it with the
//! command line.

use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::clock::{Clock as _, SystemClock};
use ringmaster::config::Config;
use ringmaster::daemon::{self, Running, WitnessFile, watch_lineage};
use ringmaster::domain::GroupName;
use ringmaster::domain::lease::RunId;
use ringmaster::http::auth;
use ringmaster::simulation::{Fixture, NoMutation, Trouble, fixture, run_seed_on};
use ringmaster::store::relational::{Options, SqlStore};
use ringmaster::store::{Batch, Beat, Claim, Error, NewNode, Nodes as _, Token, Turns as _};
use ringmaster::twilio::signature::{Key, Payload};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::harness::postgres::Database;
use crate::harness::process::Program;
use crate::harness::silent::Silent;

struct Served {
    config: Config,
    running: Running,
    shutdown: CancellationToken,
    token: String,
    client: reqwest::Client,
}

/// The configuration of a daemon on the database.
fn configured(database: &Database) -> Config {
    let (mut config, _) = fixture(&Fixture::default());
    config.store.url = Some(database.url());
    config.http.listen = "127.0.0.1:0".parse().unwrap();
    config.http.hooks_listen = "127.0.0.1:0".parse().unwrap();
    config
}

impl Served {
    async fn start(database: &Database) -> Self {
        Self::start_at(database, database.url()).await
    }

    /// On the database by another way.
    async fn start_at(database: &Database, url: String) -> Self {
        let mut config = configured(database);
        config.store.url = Some(url);
        let shutdown = CancellationToken::new();
        let options = daemon::Options { shutdown: shutdown.clone(), ..daemon::Options::default() };
        let running = daemon::start(&config, options).await.unwrap();
        let (token, hash) = auth::new_token([7; 32]);
        let created_at = "2026-11-23T12:00:00Z".parse().unwrap();
        // The next daemon on the database knows it already.
        match running.store.create_token(Token::new("test", hash, created_at)).await {
            Ok(()) | Err(Error::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
        Self { config, running, shutdown, token, client: reqwest::Client::new() }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address)
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.client.post(self.url(path)).bearer_auth(&self.token).json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.client.get(self.url(path)).bearer_auth(&self.token).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// A message of the consumer, as the platform reports it.
    async fn message(&self, sid: u8) -> u16 {
        let account = &self.config.accounts.values().next().unwrap();
        let sid = format!("SM{sid:032x}");
        let form = [
            ("AccountSid", account.account_sid.as_str()),
            ("MessageSid", sid.as_str()),
            ("From", "whatsapp:+5511987650001"),
            ("To", "whatsapp:+551140000001"),
            ("Body", "hello"),
        ];
        let pairs: Vec<_> = form.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let key = Key::auth_token(account.auth_token.as_ref().unwrap().as_secret());
        let public = ringmaster::hook_urls::below(self.config.http.public_url.as_str(), "/hooks/messages");
        let signature = key.sign(&public, Payload::Form(&pairs));
        let at = format!("http://{}/hooks/messages", self.running.hooks_address);
        let request = self.client.post(at).header("x-twilio-signature", signature).form(&form);
        request.send().await.unwrap().status().as_u16()
    }

    async fn stop(self) {
        drop(self.client);
        self.shutdown.cancel();
        self.running.finished().await.unwrap();
    }
}

fn far_order() -> Value {
    let day = |days: i64| (SystemClock.now() + SignedDuration::from_hours(24 * days)).to_string();
    json!({
        "consumer": "+5511987650001", "sender": "+551140000001", "document": "message",
        "variables": {"message": "Your parcel is at the door."},
        "earliest": day(1), "latest": day(2),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_and_commands_are_answered_and_found_by_the_next_daemon() {
    let database = Database::bare();
    let served = Served::start(&database).await;
    let (status, order) = served.post("/v1/callbacks", &far_order()).await;
    assert_eq!(status, 202, "{order}");
    let path = format!("/v1/callbacks/{}", order["id"].as_str().unwrap());
    // A command is answered when the scheduler has folded it.
    let (status, canceled) = served.post(&format!("{path}/cancel"), &json!({})).await;
    assert_eq!((status, &canceled["outcome"]), (200, &json!("canceled")), "{canceled}");
    served.stop().await;

    let served = Served::start(&database).await;
    let (status, found) = served.get(&path).await;
    assert_eq!((status, &found["outcome"]), (200, &json!("canceled")), "{found}");
    let (status, list) = served.get("/v1/callbacks").await;
    assert_eq!((status, list["callbacks"].as_array().map(Vec::len)), (200, Some(1)), "{list}");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_a_daemon_answers_503_and_goes_on_when_it_is_back() {
    let database = Database::new();
    let served = Served::start(&database).await;
    assert_eq!(served.message(1).await, 200);
    database.close();
    for sid in 2..6 {
        assert_eq!(served.message(sid).await, 503);
        assert_eq!(served.post("/v1/callbacks", &far_order()).await.0, 503);
    }
    assert!(!served.shutdown.is_cancelled());
    database.open();
    while served.message(2).await != 200 {}
    while served.get("/v1/callbacks").await.0 != 200 {}
    let (status, order) = served.post("/v1/callbacks", &far_order()).await;
    assert_eq!(status, 202, "{order}");
    assert_eq!(database.ask("SELECT count(*) FROM reports"), ["2"], "each report that was answered with 200");
    served.stop().await;
}

/// A server that is stopped accepts connections and says nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_its_database_says_nothing_a_daemon_answers_503_in_time_and_says_so() {
    let database = Database::new();
    let silent = Silent::before(&database.socket()).await;
    let served = Served::start_at(&database, silent.url(database.name())).await;
    assert_eq!(served.message(1).await, 200);
    assert_eq!(served.get("/v1/callbacks").await.0, 200);
    silent.stop();
    let bound = std::time::Duration::from_secs(20);
    for path in ["/v1/callbacks", "/v1/status", "/v1/senders"] {
        let (status, problem) = tokio::time::timeout(bound, served.get(path)).await.unwrap();
        assert_eq!(status, 503, "{path}: {problem}");
        assert!(problem["code"].is_string(), "{path}: {problem}");
    }
    assert_eq!(tokio::time::timeout(bound, served.message(2)).await.unwrap(), 503);
    let (status, problem) =
        tokio::time::timeout(bound, served.post("/v1/callbacks", &far_order())).await.unwrap();
    assert_eq!(status, 503, "{problem}");
    let health = served.client.get(served.url("/healthz")).send();
    let health = tokio::time::timeout(bound, health).await.unwrap().unwrap();
    let (status, text) = (health.status().as_u16(), health.text().await.unwrap());
    assert!(status == 503 && text.contains("store"), "{status} {text}");
    assert!(!served.shutdown.is_cancelled());
    silent.go_on();
    while served.message(2).await != 200 {}
    while served.get("/v1/callbacks").await.0 != 200 {}
    served.stop().await;
}

#[tokio::test]
async fn seeds_of_the_simulation_find_no_problem_on_a_database() {
    for seed in [0, 200, 300] {
        let (database, trouble) = (Database::emptied(), Trouble { faults: seed == 300, deaths: seed > 0 });
        let store = Arc::new(SqlStore::connect_inline(database.reach()).unwrap());
        let run = run_seed_on(seed, trouble, store, Arc::new(NoMutation), Arc::default()).await.unwrap();
        assert!(run.problems.is_empty(), "seed {seed}: {:#?}", run.problems);
    }
}

/// The program with a configuration that names this database.
fn program(url: &str) -> Program {
    let account = r#"
[accounts.main]
account_sid = "AC00000000000000000000000000000001"
api_key_sid = "SK00000000000000000000000000000001"
[accounts.main.senders."+442079460000"]
permission_request_content_sid = "HX00000000000000000000000000000001"
"#;
    let toml = format!("[store]\nurl = \"{url}\"\n{account}");
    Program::new()
        .file("ringmaster.toml", toml)
        .with("RINGMASTER_CONFIG", "ringmaster.toml")
        .with("RINGMASTER_HTTP__PUBLIC_URL", "https://calls.example.com")
        .with("RINGMASTER_ACCOUNTS__MAIN__API_KEY_SECRET", "key-secret-0123456789")
        .with("RINGMASTER_ACCOUNTS__MAIN__AUTH_TOKEN", "auth-token-0123456789")
}

#[test]
fn the_command_line_creates_the_schema_and_makes_tokens_in_it() {
    let database = Database::bare();
    let program = program(&database.url());
    let migrated = program.run(&["migrate"]).output();
    assert!(migrated.starts_with("created schema "), "{migrated}");
    let again = program.run(&["migrate"]).output();
    assert!(again.contains("nothing was changed"), "{again}");
    let token = program.run(&["token", "create", "shop"]).output();
    assert!(token.starts_with("rm_"), "{token}");
    assert_eq!(database.ask("SELECT name FROM tokens"), ["shop"]);
    program.run(&["person", "add", "ana", "--role", "admin"]).output();
    assert_eq!(database.ask("SELECT name FROM members"), ["ana"]);
    assert!(program.run(&["person", "list"]).output().contains("ana"));
    assert!(program.run(&["audit"]).output().contains("person.add"));
    let refused = program.run(&["store", "backup", "copy.db"]).error();
    assert!(refused.contains("the store is a PostgreSQL database"), "{refused}");
}

#[test]
fn a_refused_database_is_one_line_with_what_helps() {
    let database = Database::bare();
    database.run("CREATE TABLE invoices (id BIGINT)");
    let refused = program(&database.url()).run(&["migrate"]).error();
    assert!(refused.contains("is the database of another program; give Ringmaster"), "{refused}");
    assert_eq!(database.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), ["1"]);
    let refused = program("postgres://r@127.0.0.1:1/none").run(&["migrate"]).error();
    assert!(refused.contains("cannot be reached"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_in_a_file_is_copied_into_a_database_and_goes_on_there() {
    let database = Database::bare();
    let program = program(&database.url());
    let file = program.path().join("a.db");
    let began = ringmaster::store::relational::SqlStore::open_inline(&file).unwrap();
    let created_at = "2026-11-23T12:00:00Z".parse().unwrap();
    let (token, hash) = auth::new_token([7; 32]);
    let tokens: &dyn ringmaster::store::Tokens = &began;
    tokens.create_token(Token::new("test", hash, created_at)).await.unwrap();
    drop(began);
    // The partitions of waiting callbacks are counted from 0.
    let db = rusqlite::Connection::open(&file).unwrap();
    db.execute("INSERT INTO waiting_by_partition (partition_no, callbacks) VALUES (0, 0)", []).unwrap();
    let march = "2025-03-31T23:59:59Z".parse::<jiff::Timestamp>().unwrap().as_microsecond();
    db.execute("INSERT INTO timeline (at, what, why) VALUES (?1, 'x', '')", [march]).unwrap();
    drop(db);
    let arguments = ["store", "copy", "--from", "a.db", "--to", &database.url(), "--json"];
    let copied: Value = serde_json::from_str(&program.run(&arguments).output()).unwrap();
    let rows = copied["tables"].as_array().unwrap().iter().find(|table| table["name"] == "tokens").unwrap();
    assert_eq!(rows["rows"], 1, "{copied}");
    assert_eq!(database.ask("SELECT count(*) FROM timeline_2025_03"), ["1"], "it is in its month");
    let again = program.run(&arguments).error();
    assert!(again.contains("has data in"), "{again}");

    let config = configured(&database);
    let shutdown = CancellationToken::new();
    let options = daemon::Options { shutdown: shutdown.clone(), ..daemon::Options::default() };
    let running = daemon::start(&config, options).await.unwrap();
    let served = Served { config, running, shutdown, token, client: reqwest::Client::new() };
    let (status, order) = served.post("/v1/callbacks", &far_order()).await;
    assert_eq!(status, 202, "{order}");
    assert_eq!(served.get("/v1/lineage").await.1["state"], "known");
    let verified = tokio::task::block_in_place(|| program.run(&["store", "verify"]).output());
    assert!(verified.contains("checks, no fault"), "{verified}");
    let refused = tokio::task::block_in_place(|| program.run(&["store", "recount"]).error());
    assert!(
        refused.contains("runs on the database") && refused.contains("stop all nodes first"),
        "{refused}"
    );
    served.stop().await;
    let counted = tokio::task::block_in_place(|| program.run(&["store", "recount"]).output());
    assert!(counted.contains("of which 0 had other numbers"), "{counted}");
    database.ask(
        "WITH c AS (UPDATE callback_counts SET callbacks = callbacks + 1 RETURNING 1) SELECT count(*) FROM c",
    );
    let verified = tokio::task::block_in_place(|| program.run(&["store", "verify"]));
    assert_eq!(verified.code, Some(1), "{}", verified.err);
    assert!(verified.out.contains("A counter has another number than there is."), "{}", verified.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_comes_to_a_database_from_which_another_one_dials_does_not_hold_it() {
    let (database, folder) = (Database::bare(), tempfile::tempdir().unwrap());
    let clock: Arc<dyn ringmaster::clock::Clock> = Arc::new(SystemClock);
    let path = |name: &str| folder.path().join(format!("{name}.witness"));
    let is_held = async |store: &SqlStore| store.own_lineage().await.unwrap().is_held;

    let one = SqlStore::connect(database.reach(), &Options::default()).unwrap();
    let watched = watch_lineage(&one, path("one"), false, Arc::clone(&clock)).await.unwrap();
    let lead = one.lead(None).await.unwrap();
    let identity = one.own_lineage().await.unwrap().identity;
    let published = Some(ringmaster::domain::Loads::default());
    one.record(Batch { lead: Some(lead.next()), published, ..Batch::default() }).await.unwrap();
    watched.begin(&one).await.unwrap();
    assert!(one.own_lineage().await.unwrap().position.batch > 0, "it has a history");
    let run = RunId([1; 16]);
    let claim = Claim { group: GroupName::default(), ttl: SignedDuration::from_secs(15), takes_over: false };
    let now = SystemClock.now();
    let node = NewNode {
        name: "one".into(),
        run,
        version: "1.0.0".into(),
        url: None,
        told_at: now,
        gone_after: SignedDuration::from_secs(60),
        takes_over: false,
    };
    one.join(node).await.unwrap();
    let beat =
        Beat { name: "one".into(), run, told_at: now, clock_ahead: SignedDuration::ZERO, claim: Some(claim) };
    let term = one.beat(beat).await.unwrap().lease.unwrap().term;

    let other = SqlStore::connect(database.reach(), &Options::default()).unwrap();
    let joined = watch_lineage(&other, path("other"), false, Arc::clone(&clock)).await.unwrap();
    joined.begin(&other).await.unwrap();
    assert!(!is_held(&other).await);
    assert_eq!(other.own_lineage().await.unwrap().identity, identity, "the first one knows it after that");
    assert_eq!(WitnessFile::read(&path("other")).unwrap().map(|witness| witness.identity), identity);
    let adopted = SqlStore::connect(database.reach(), &Options::default()).unwrap();
    watch_lineage(&adopted, path("adopted"), true, Arc::clone(&clock)).await.unwrap();
    assert_eq!(adopted.own_lineage().await.unwrap().identity, identity);

    one.resign(GroupName::default(), run, term, now).await.unwrap();
    let last = SqlStore::connect(database.reach(), &Options::default()).unwrap();
    watch_lineage(&last, path("last"), false, clock).await.unwrap();
    assert!(is_held(&last).await, "nobody dials, so nobody says that it is the right one");
}
