//! The client of a running daemon's HTTP API. Answers stay JSON; a problem becomes one line with hints.
//!
//! URLs with a query, bodies and the token are never printed.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{ClientBuilder, Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::failure::{Hint as _, refusal};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The timeout of a request; bulk orders are slow.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// A stream says something every 15 seconds.
const SILENCE: Duration = Duration::from_secs(60);
/// How often the state of a command is requested, each time for up to a second.
const COMMAND_POLLS: u32 = 30;
/// The maximum size of a token file, in bytes.
const TOKEN_FILE_MAX: u64 = 4096;

/// The daemon's URL and the token.
#[derive(Debug, Args)]
#[command(next_help_heading = "The daemon")]
pub(super) struct Target {
    /// The URL of the daemon
    #[arg(
        long,
        value_name = "URL",
        env = "RINGMASTER_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8080"
    )]
    url: Url,
    /// An API token; prefer RINGMASTER_TOKEN or a file, because other users can see flags
    #[arg(long, value_name = "TOKEN", env = "RINGMASTER_TOKEN", hide_env_values = true)]
    token: Option<Token>,
    /// A file with an API token and nothing else; it goes before RINGMASTER_TOKEN
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Send the token over plain http to another machine, where others can read it
    #[arg(long)]
    insecure: bool,
}

/// Prints as `***`.
#[derive(Clone)]
struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl From<&str> for Token {
    fn from(text: &str) -> Self {
        Self(text.trim().to_owned())
    }
}

/// The body of a request.
#[derive(Debug)]
pub(super) enum Body {
    None,
    Json(Value),
    /// Bytes of the given media type.
    Raw(&'static str, Vec<u8>),
}

/// A request, before it is sent.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub method: Method,
    /// The path below the daemon's URL, without a leading slash; never has a phone number.
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    pub body: Body,
    /// Makes the request safe to repeat after a lost answer.
    pub idempotency_key: Option<&'a str>,
    /// Whether the command line has a flag for the key, so that the whole command can be repeated with it.
    has_key_flag: bool,
}

impl<'a> Ask<'a> {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, Body::None)
    }

    pub(super) fn post(path: impl Into<String>, body: Body) -> Self {
        Self::new(Method::POST, path, body)
    }

    pub(super) fn put(path: impl Into<String>, body: Body) -> Self {
        Self::new(Method::PUT, path, body)
    }

    pub(super) fn with_query(mut self, name: &'static str, value: String) -> Self {
        self.query.push((name, value));
        self
    }

    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path, Body::None)
    }

    pub(super) fn with_key(self, key: &'a str) -> Self {
        Self { idempotency_key: Some(key), has_key_flag: true, ..self }
    }

    /// Gives it a key, unless the user gave one.
    fn or_with_key(self, key: &'a str) -> Self {
        Self { idempotency_key: self.idempotency_key.or(Some(key)), ..self }
    }

    fn new(method: Method, path: impl Into<String>, body: Body) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            body,
            idempotency_key: None,
            has_key_flag: false,
        }
    }
}

/// One order on each line.
pub(super) const NDJSON: &str = "application/x-ndjson";

impl Target {
    /// A daemon of this process.
    pub(super) fn at(url: Url, token: &str) -> Self {
        Self { url, token: Some(Token::from(token)), token_file: None, insecure: false }
    }

    /// Sends a request and waits for the whole answer.
    pub(super) fn ask(&self, ask: &Ask<'_>) -> anyhow::Result<Vec<u8>> {
        runtime()?.block_on(self.send(ask))
    }

    /// Sends a request, and returns the header of this name, if there is one, and the whole answer.
    pub(super) fn ask_with_header(
        &self,
        ask: &Ask<'_>,
        name: &str,
    ) -> anyhow::Result<(Option<String>, Vec<u8>)> {
        let (headers, body) = runtime()?.block_on(self.exchange(ask))?;
        Ok((text_of(&headers, name), body))
    }

    /// Sends a request and parses the JSON answer.
    pub(super) fn ask_json(&self, ask: &Ask<'_>) -> anyhow::Result<Value> {
        self.read(&self.ask(ask)?)
    }

    fn read(&self, bytes: &[u8]) -> anyhow::Result<Value> {
        serde_json::from_slice(bytes).with_context(|| {
            format!("the server at {} does not answer like a ringmaster daemon", self.shown())
        })
    }

    /// Sends a command and waits until the daemon has applied it. Then the same request with the same key gives the
    /// answer.
    pub(super) fn command(&self, ask: Ask<'_>) -> anyhow::Result<Value> {
        runtime()?.block_on(self.carry_out(ask))
    }

    /// As [`Target::command`], inside a runtime.
    pub(super) async fn carry_out(&self, ask: Ask<'_>) -> anyhow::Result<Value> {
        let key = uuid::Uuid::new_v4().simple().to_string();
        let ask = ask.or_with_key(&key);
        let (headers, body) = self.exchange(&ask).await?;
        let address = text_of(&headers, LOCATION.as_str()).filter(|path| path.starts_with("/v1/commands/"));
        let Some(address) = address else { return self.read(&body) };
        for _ in 0..COMMAND_POLLS {
            // Each answer waits for up to a second.
            let command = self.send(&Ask::get(address.trim_start_matches('/'))).await?;
            if self.read(&command)?["status"] != "pending" {
                return self.read(&self.send(&ask).await?);
            }
        }
        refusal(
            "the daemon has stored the command and not yet applied it",
            [
                "it will apply it; \"ringmaster show\" shows the result",
                "if it cannot write to its store, its log says so",
            ],
        )
    }

    /// As [`Target::ask`], inside a runtime.
    pub(super) async fn send(&self, ask: &Ask<'_>) -> anyhow::Result<Vec<u8>> {
        Ok(self.exchange(ask).await?.1)
    }

    /// The headers and the body.
    async fn exchange(&self, ask: &Ask<'_>) -> anyhow::Result<(HeaderMap, Vec<u8>)> {
        let answer = self.request(ask)?.send().await.map_err(|error| self.unanswered(error, ask))?;
        let status = answer.status();
        let headers = answer.headers().clone();
        let body = answer.bytes().await.map_err(|error| self.unanswered(error, ask))?;
        if status.is_success() { Ok((headers, body.to_vec())) } else { self.refused(status, &body) }
    }

    /// Opens an answer that has no end, such as a stream of events. Without a byte for a minute it ends.
    pub(super) async fn open(&self, ask: &Ask<'_>) -> anyhow::Result<Opened> {
        let client = reqwest::Client::builder().read_timeout(SILENCE);
        let request = self.request_by(client, ask)?;
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Ok(Opened::Unavailable(self.unanswered(error, ask))),
        };
        let status = answer.status();
        if status.is_success() {
            return Ok(Opened::Stream(answer));
        }
        let may_pass = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        let refused = match answer.bytes().await {
            Ok(body) => self.refused(status, &body),
            Err(error) => return Ok(Opened::Unavailable(self.unanswered(error, ask))),
        };
        if may_pass { refused.or_else(|error| Ok(Opened::Unavailable(error))) } else { refused }
    }

    fn request(&self, ask: &Ask<'_>) -> anyhow::Result<RequestBuilder> {
        self.request_by(reqwest::Client::builder().timeout(ANSWER_TIMEOUT), ask)
    }

    fn request_by(&self, client: ClientBuilder, ask: &Ask<'_>) -> anyhow::Result<RequestBuilder> {
        let mut client = client
            .connect_timeout(CONNECT_TIMEOUT)
            // The token must not be sent to another server.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("ringmaster/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&self.url) {
            client = client.no_proxy();
        }
        let client = client.build().context("the HTTP client cannot be created")?;
        let mut request = client.request(ask.method.clone(), self.address(&ask.path)?).query(&ask.query);
        if let Some(token) = self.token()? {
            self.check_encrypted()?;
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.0))
                .map_err(|_| anyhow::anyhow!("the API token has invalid characters"))
                .hint("a token is rm_ and 43 letters and digits")?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(key) = ask.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        Ok(match &ask.body {
            Body::None => request,
            Body::Json(value) => request.json(value),
            Body::Raw(media, bytes) => request.header(CONTENT_TYPE, *media).body(bytes.clone()),
        })
    }

    fn address(&self, path: &str) -> anyhow::Result<Url> {
        if !matches!(self.url.scheme(), "http" | "https") || self.url.password().is_some() {
            return refusal(
                "--url is not the URL of a daemon",
                ["expected http or https, a host and no password, such as http://127.0.0.1:8080"],
            );
        }
        let mut base = self.url.clone();
        base.set_path(&format!("{}/{path}", self.url.path().trim_end_matches('/')));
        base.set_query(None);
        base.set_fragment(None);
        Ok(base)
    }

    /// Refuses to send the token over plain http, except to this machine.
    fn check_encrypted(&self) -> anyhow::Result<()> {
        if self.url.scheme() == "https" || is_loopback(&self.url) || self.insecure {
            return Ok(());
        }
        refusal(
            format!("the token is not sent to {} over plain http", self.shown()),
            ["give the https URL with --url or RINGMASTER_URL", "or add --insecure if you trust the network"],
        )
    }

    fn token(&self) -> anyhow::Result<Option<Token>> {
        match &self.token_file {
            Some(path) => read_token(path).map(Some),
            None => Ok(self.token.clone().filter(|token| !token.0.is_empty())),
        }
    }

    fn shown(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    fn unanswered(&self, error: reqwest::Error, ask: &Ask<'_>) -> anyhow::Error {
        // The error's URL could contain what was searched for.
        let error = error.without_url();
        let told: anyhow::Result<()> = if error.is_connect() {
            let cause = root_cause(&error);
            let hint =
                "start one with \"ringmaster serve\", or give another URL with --url or RINGMASTER_URL";
            refusal(format!("no daemon answers at {}: {cause}", self.shown()), [hint])
        } else {
            let what = if error.is_timeout() { "did not answer in time" } else { "ended its answer early" };
            refusal(format!("the daemon at {} {what}", self.shown()), repeatable(ask))
        };
        told.expect_err("both are refusals")
    }

    fn refused<T>(&self, status: StatusCode, body: &[u8]) -> anyhow::Result<T> {
        let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
            return refusal(
                format!("{} answered {status} and is not a ringmaster daemon", self.shown()),
                ["give the daemon's own URL with --url or RINGMASTER_URL"],
            );
        };
        problem.refuse()
    }
}

/// What came of a request for a stream that the daemon did not refuse.
pub(super) enum Opened {
    Stream(reqwest::Response),
    /// It may be there again later.
    Unavailable(anyhow::Error),
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("the runtime cannot be started")
}

/// How to repeat an order. With the times that were sent, because a time from now is another one in the next command.
fn repeatable(ask: &Ask<'_>) -> Option<String> {
    let key = ask.idempotency_key?;
    if !ask.has_key_flag {
        return Some(
            "it may have been accepted: look at the result before you repeat the command".to_owned(),
        );
    }
    let time = |name: &str| match &ask.body {
        Body::Json(order) => order[name].as_str().map(|at| format!(" --{name} {at}")),
        _ => None,
    };
    let times: String = ["earliest", "latest"].into_iter().filter_map(time).collect();
    Some(format!(
        "it may have been accepted; it is safe to repeat the command with --idempotency-key {key}{times}"
    ))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn read_token(path: &Path) -> anyhow::Result<Token> {
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(TOKEN_FILE_MAX).read_to_string(&mut text))
        .with_context(|| format!("the token file {} cannot be read", path.display()))?;
    if text.trim().is_empty() {
        return refusal(format!("the token file {} is empty", path.display()), [MAKE_A_TOKEN]);
    }
    Ok(Token::from(text.trim_start_matches('\u{FEFF}')))
}

const MAKE_A_TOKEN: &str =
    "create a token with \"ringmaster token create NAME\" and set RINGMASTER_TOKEN or --token-file";

/// A refusal of the API (RFC 9457).
#[derive(Debug, Deserialize)]
struct Problem {
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    errors: Vec<FieldError>,
}

/// One wrong field.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct FieldError {
    #[serde(default)]
    pub field: String,
    #[serde(default)]
    pub code: String,
    pub detail: String,
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.detail)
    }
}

impl Problem {
    fn refuse<T>(self) -> anyhow::Result<T> {
        let mut title = self.title;
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        if self.errors.is_empty() {
            let hint = match self.code.as_str() {
                "auth.missing" | "auth.unknown" => Some(MAKE_A_TOKEN),
                "attempt.not_found" => Some("\"ringmaster attempts\" shows the attempts in progress"),
                "message.not_found" => {
                    Some("\"ringmaster messages\" shows the messages that wait for a confirmation or a reply")
                }
                "calendar.not_found" => Some("\"ringmaster calendars list\" shows the calendars"),
                "campaign.not_found" => Some("\"ringmaster campaign list\" shows the campaigns"),
                "pause.not_found" => Some("\"ringmaster pauses\" shows the pauses in force"),
                "invite.not_found" => Some("\"ringmaster invite list\" shows the invites"),
                "callback.not_found" => Some("\"ringmaster list\" shows the callbacks"),
                "store.unavailable" | "callback.contended" => Some("try again in a moment"),
                _ => None,
            };
            return refusal(format!("{title}: {}", self.detail), hint);
        }
        refusal(title, self.errors.iter().map(ToString::to_string))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target { url: url.parse().unwrap(), token: None, token_file: None, insecure: false }
    }

    fn refused(status: u16, body: &str) -> String {
        let status = StatusCode::from_u16(status).unwrap();
        let error = target("http://127.0.0.1:8080").refused::<()>(status, body.as_bytes()).unwrap_err();
        let mut out = Vec::new();
        super::super::failure::write(&error, &mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn an_order_is_repeated_with_its_key_and_its_times() {
        let order = serde_json::json!({"consumer": "+5511987654321", "latest": "2026-11-24T18:00:00.5Z"});
        let ask = Ask::post("v1/callbacks", Body::Json(order)).with_key("k-1");
        let hint = repeatable(&ask).unwrap();
        assert!(hint.ends_with(" --idempotency-key k-1 --latest 2026-11-24T18:00:00.5Z"), "{hint}");
        assert_eq!(repeatable(&Ask::get("v1/callbacks")), None);
        let command = Ask { idempotency_key: Some("k-2"), ..Ask::post("v1/pauses", Body::None) };
        let hint = repeatable(&command).unwrap();
        assert!(hint.contains("look at the result") && !hint.contains("k-2"), "{hint}");
    }

    #[test]
    fn a_command_keeps_the_key_of_its_user() {
        let ask = || Ask::post("v1/campaigns", Body::None);
        assert_eq!(ask().or_with_key("made").idempotency_key, Some("made"));
        assert_eq!(ask().with_key("launch-1").or_with_key("made").idempotency_key, Some("launch-1"));
    }

    #[test]
    fn every_wrong_field_has_its_own_hint() {
        let body = r#"{"title": "The callback cannot be accepted", "status": 422,
            "detail": "2 fields are wrong; see errors", "code": "callback.invalid",
            "errors": [{"field": "consumer", "code": "phone.invalid", "detail": "is not E.164"},
                       {"field": "latest", "code": "x", "detail": "is over"}]}"#;
        let lines =
            "error: the callback cannot be accepted\nhint: consumer: is not E.164\nhint: latest: is over\n";
        assert_eq!(refused(422, body), lines);
    }

    #[test]
    fn a_missing_token_is_explained() {
        let body = r#"{"title": "A token is needed", "detail": "expected a header", "code": "auth.missing"}"#;
        let text = refused(401, body);
        assert!(
            text.starts_with("error: a token is needed: expected a header\nhint: create a token"),
            "{text}"
        );
    }

    #[test]
    fn another_server_at_the_url_is_recognised() {
        let text = refused(502, "<html>Bad Gateway</html>");
        assert!(text.contains("answered 502 Bad Gateway and is not a ringmaster daemon"), "{text}");
    }

    #[test]
    fn the_url_keeps_its_path_and_loses_its_query() {
        let address = |url| target(url).address("v1/callbacks").map(|url| url.to_string()).ok();
        assert_eq!(address("http://h:1").as_deref(), Some("http://h:1/v1/callbacks"));
        assert_eq!(address("https://h/base/?x=1").as_deref(), Some("https://h/base/v1/callbacks"));
        assert_eq!(address("ftp://h"), None);
        assert_eq!(address("http://u:p@h"), None);
    }

    #[test]
    fn a_token_is_sent_only_over_https_or_to_this_machine() {
        let sent = |url: &str, insecure| {
            let target = Target { insecure, ..target(url) };
            target.check_encrypted().is_ok()
        };
        for url in
            ["https://calls.example.com", "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost"]
        {
            assert!(sent(url, false), "{url}");
        }
        for url in
            ["http://calls.example.com", "http://10.0.0.1", "http://localhost.example.com", "http://0.0.0.0"]
        {
            assert!(!sent(url, false) && sent(url, true), "{url}");
        }
    }

    #[test]
    fn the_token_does_not_print() {
        assert_eq!(format!("{:?}", Token::from("rm_secret")), "***");
    }
}
