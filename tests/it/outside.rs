//! A whole daemon on its two listeners, with nginx in front of it and a browser that shows its pages. Without nginx or
//! Chromium the tests print that and skip the part; `tests/run` installs both if possible.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use ringmaster::config::Config;
use ringmaster::daemon::{self, Running};
use ringmaster::http::auth;
use ringmaster::simulation::{Fixture, fixture};
use ringmaster::store::Token;
use ringmaster::twilio::signature::{Key, Payload};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A daemon with its public URL, its token and a folder.
struct Outside {
    config: Config,
    running: Running,
    shutdown: CancellationToken,
    token: String,
    folder: TempDir,
}

async fn started(public_url: &str) -> Outside {
    let folder = tempfile::tempdir().unwrap();
    let (mut config, _) = fixture(&Fixture { public_url: public_url.parse().unwrap(), ..Fixture::default() });
    config.store.path = folder.path().join("ringmaster.db");
    // Two addresses of this machine: with one address, everything would be on one port.
    config.http.listen = "127.0.0.1:0".parse().unwrap();
    config.http.hooks_listen = "127.0.0.2:0".parse().unwrap();
    config.http.requests_per_peer_per_second = 3;
    let shutdown = CancellationToken::new();
    let options = daemon::Options { shutdown: shutdown.clone(), ..daemon::Options::default() };
    let running = daemon::start(&config, options).await.unwrap();
    let (token, hash) = auth::new_token([7; 32]);
    let created_at = "2026-11-23T12:00:00Z".parse().unwrap();
    running.store.create_token(Token::new("test", hash, created_at)).await.unwrap();
    Outside { config, running, shutdown, token, folder }
}

impl Outside {
    /// Sends a message that the platform signed for `public` to `at`. Returns the status of the answer.
    async fn message(&self, public: &str, at: &str) -> u16 {
        let account = &self.config.accounts.values().next().unwrap();
        let form = [
            ("AccountSid", account.account_sid.as_str()),
            ("MessageSid", "SM0123456789abcdef0123456789abcdef"),
            ("From", "whatsapp:+5511987650001"),
            ("To", "whatsapp:+551140000001"),
            ("Body", "a b & c"),
        ];
        let pairs: Vec<_> = form.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let key = Key::auth_token(account.auth_token.as_ref().unwrap().as_secret());
        let signature = key.sign(public, Payload::Form(&pairs));
        let request = reqwest::Client::new().post(at).header("x-twilio-signature", signature).form(&form);
        request.send().await.unwrap().status().as_u16()
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.running.finished().await.unwrap();
    }
}

async fn status(url: String) -> u16 {
    reqwest::get(url).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn each_listener_serves_its_own_paths_and_the_hooks_are_at_both_paths() {
    let base = "https://calls.example.com/ring/master";
    let outside = started(base).await;
    let (api, hooks) = (outside.running.address, outside.running.hooks_address);
    let public = format!("{base}/hooks/messages");
    for path in ["/hooks/messages", "/ring/master/hooks/messages"] {
        assert_eq!(outside.message(&public, &format!("http://{hooks}{path}")).await, 200, "{path}");
        assert_eq!(outside.message(&public, &format!("http://{api}{path}")).await, 404, "{path}");
    }
    // The signature is not valid for another path or another public URL.
    assert_eq!(outside.message(&public, &format!("http://{hooks}/ring/hooks/messages")).await, 404);
    let other = "https://calls.example.com/hooks/messages";
    assert_eq!(outside.message(other, &format!("http://{hooks}/hooks/messages")).await, 403);
    for (path, at_api, at_hooks) in [("/healthz", 200, 200), ("/metrics", 200, 404), ("/v1/status", 401, 404)]
    {
        assert_eq!(status(format!("http://{api}{path}")).await, at_api, "{path}");
        assert_eq!(status(format!("http://{hooks}{path}")).await, at_hooks, "{path}");
    }
    outside.stop().await;
}

/// nginx with the example of the docs; ends when it is dropped.
struct Nginx {
    child: std::process::Child,
    address: SocketAddr,
}

impl Nginx {
    /// Starts nginx with the example after `change`. Returns `None` if nginx is not installed.
    async fn start(outside: &Outside, folder: &Path, change: impl Fn(String) -> String) -> Option<Self> {
        // The ports are bound and released, because nginx cannot take over a socket.
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let example = std::fs::read_to_string("docs/examples/nginx.conf").unwrap();
        let site: String =
            example.lines().filter(|line| !line.contains("ssl_")).map(|line| format!("{line}\n")).collect();
        let site = site
            .replace("443 ssl", &address.to_string())
            .replace("127.0.0.1:8081", &outside.running.hooks_address.to_string())
            .replace("127.0.0.1:8080", &outside.running.address.to_string());
        let folder = folder.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
            .concat();
        let whole = format!(
            "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n\
             http {{\naccess_log off;\n{temporary}{}\n}}\n",
            change(site)
        );
        std::fs::write(format!("{folder}/nginx.conf"), whole).unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program = std::env::split_paths(&path)
            .chain(["/usr/sbin".into()])
            .map(|folder| folder.join("nginx"))
            .find(|program| program.exists())?;
        let mut command = Command::new(program);
        command.args(["-e", "stderr", "-c", &format!("{folder}/nginx.conf")]).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(child.try_wait().unwrap().is_none(), "nginx does not start with the example");
        }
        Some(Self { child, address })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_nginx_example_forwards_the_public_paths_and_no_others() {
    let outside = started("https://calls.example.com").await;
    let Some(nginx) = Nginx::start(&outside, outside.folder.path(), |site| site).await else {
        return eprintln!("nginx is not installed: the test does nothing");
    };
    let at = |path: &str| format!("http://{}{path}", nginx.address);
    let public = |path: &str| format!("https://calls.example.com{path}");
    assert_eq!(outside.message(&public("/hooks/messages"), &at("/hooks/messages")).await, 200);
    // The signed URL arrives unchanged.
    let odd = "/hooks/messages?a=%2f%7E&b=+%20";
    assert_eq!(outside.message(&public(odd), &at(odd)).await, 200);
    assert_eq!(outside.message(&public("/hooks/other"), &at("/hooks/messages")).await, 403);
    for (path, expected) in [("/metrics", 404), ("/healthz", 404), ("/v1/status", 401), ("/docs/", 200)] {
        assert_eq!(status(at(path)).await, expected, "{path}");
    }
    // The daemon trusts the header of nginx, and nginx ignores the client's. The client is on this machine, which has no
    // limit. Without nginx, the daemon reads the same header as that of a proxy.
    let client = reqwest::Client::new();
    let ask = async |url: String| {
        let asked = client.get(url).bearer_auth(&outside.token).header("x-forwarded-for", "192.0.2.1");
        asked.send().await.unwrap().status().as_u16()
    };
    let direct = format!("http://{}/v1/status", outside.running.address);
    let mut asked = 0;
    while ask(direct.clone()).await == 200 {
        asked += 1;
        assert!(asked < 1000, "one client is not limited");
    }
    for _ in 0..6 {
        assert_eq!(ask(at("/v1/status")).await, 200);
    }
    drop(nginx);
    outside.stop().await;
}

#[tokio::test]
async fn nginx_may_keep_or_remove_the_path_of_the_public_url() {
    let outside = started("https://calls.example.com/ringmaster").await;
    for pass in ["http://ringmaster_hooks;", "http://ringmaster_hooks/hooks/;"] {
        let change = |site: String| {
            site.replace("location /hooks/", "location /ringmaster/hooks/")
                .replace("http://ringmaster_hooks;", pass)
        };
        let folder = tempfile::tempdir().unwrap();
        let Some(nginx) = Nginx::start(&outside, folder.path(), change).await else {
            return eprintln!("nginx is not installed: the test does nothing");
        };
        let path = "/ringmaster/hooks/messages";
        let status = outside
            .message(&format!("https://calls.example.com{path}"), &format!("http://{}{path}", nginx.address))
            .await;
        assert_eq!(status, 200, "{pass}");
    }
    outside.stop().await;
}

/// The DOM of a page in Chromium and its error messages; `None` if Chromium is not installed.
fn shown(url: &str, profile: &Path) -> Option<(String, String)> {
    let program = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|program| {
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
    })?;
    let output = Command::new(program)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--enable-logging=stderr", "--virtual-time-budget=10000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(url)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Some((text(output.stdout), text(output.stderr)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_shows_the_description_of_the_api_within_its_policy() {
    let outside = started("https://calls.example.com").await;
    let base = format!("http://{}", outside.running.address);
    let profile = outside.folder.path().join("chromium");
    let page = format!("{base}/docs/");
    let Some((dom, complaints)) = tokio::task::spawn_blocking(move || shown(&page, &profile)).await.unwrap()
    else {
        return eprintln!("Chromium is not installed: the test does nothing");
    };
    assert!(dom.contains("operations-callbacks-create_callback"), "the page is empty: {dom:.2000}");
    let complaint = complaints.lines().find(|line| line.contains("Content Security Policy"));
    assert_eq!(complaint, None);
    outside.stop().await;
}
