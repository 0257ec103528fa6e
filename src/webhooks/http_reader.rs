//! Reads a short answer from a URL of the customer, at an address that the guard allows. No redirects, no proxies, no
//! retries.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use url::Url;

use super::guard::Guard;
use super::http_sender::{client, literal, word};

/// The longest answer that is read.
const BODY_BYTES_MAX: usize = 16 << 10;

/// What is read, and how.
pub struct ReaderConfig {
    pub url: Url,
    /// Sent as `Authorization: Bearer`.
    pub secret: Option<secrecy::SecretString>,
    pub guard: Guard,
    /// Of the whole request.
    pub timeout: Duration,
}

/// Reads one URL.
pub struct HttpReader {
    client: reqwest::Client,
    url: Url,
    secret: Option<HeaderValue>,
    guard: Arc<Guard>,
}

impl std::fmt::Debug for HttpReader {
    /// Without the URL, which may have a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpReader").finish_non_exhaustive()
    }
}

impl HttpReader {
    /// # Errors
    /// If TLS cannot be set up on this machine, or if the secret does not fit into a header.
    pub fn new(config: ReaderConfig) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        use secrecy::ExposeSecret as _;
        let guard = Arc::new(config.guard);
        let client = client(&guard, config.timeout, config.timeout)?;
        let secret = config.secret.map(|secret| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", secret.expose_secret()))?;
            value.set_sensitive(true);
            Ok::<_, http::header::InvalidHeaderValue>(value)
        });
        Ok(Self { client, url: config.url, secret: secret.transpose()?, guard })
    }

    /// The body of a success.
    ///
    /// # Errors
    /// A fixed sentence, because the text of an error may contain the URL.
    pub async fn read(&self) -> Result<Vec<u8>, String> {
        // The resolver is not called for IP addresses.
        if literal(&self.url).is_some_and(|address| !self.guard.permits(address)) {
            return Err(cause("address_refused").to_owned());
        }
        let mut request = self.client.get(self.url.clone()).header(ACCEPT, "application/json");
        if let Some(secret) = &self.secret {
            request = request.header(AUTHORIZATION, secret.clone());
        }
        let mut answer = request.send().await.map_err(|error| cause(word(&error)).to_owned())?;
        let status = answer.status();
        if !status.is_success() {
            return Err(format!("the URL answered with status {}", status.as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| cause(word(&error)).to_owned())? {
            if body.len().saturating_add(chunk.len()) > BODY_BYTES_MAX {
                return Err(format!("the URL answered with more than {BODY_BYTES_MAX} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn cause(word: &str) -> &'static str {
    match word {
        "address_refused" => "the URL leads to an address that is not public and not among webhooks.allow",
        "timeout" => "the URL did not answer in time",
        "unreachable" => "the URL cannot be reached",
        _ => "the connection to the URL was lost",
    }
}
