//! The provider: its description, its keys, and the exchange of a code for an ID token.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use url::Url;

use super::claims::{self, Claimed, RoleOfClaim};
use super::token::{Keys, Wrong, verified};
use crate::http::ApiError;

/// The longest answer of a provider, in bytes.
const ANSWER_MAX: usize = 256 << 10;
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long the description and the keys are kept.
const KEPT: Duration = Duration::from_secs(600);
/// Keys are not asked for again within this time, whatever tokens say.
const NOT_AGAIN: Duration = Duration::from_secs(30);

/// A provider of `OpenID` Connect.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// Exactly as its tokens name it.
    pub issuer: String,
    pub client_id: String,
    /// Not for public clients.
    pub client_secret: Option<SecretString>,
    /// The address of the console for browsers, with a slash at its end.
    pub console_url: Url,
    /// The claim whose values give roles.
    pub claim: String,
    pub roles: Vec<RoleOfClaim>,
}

/// The provider, with what is known of it.
pub struct Oidc {
    settings: OidcSettings,
    client: reqwest::Client,
    known: Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    description: Description,
    keys: Keys,
    asked_at: Instant,
}

/// `OpenID` Connect Discovery 1.0, section 3.
#[derive(Debug, Clone, Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Granted {
    id_token: String,
}

impl Oidc {
    /// # Errors
    /// If the machine's certificates cannot be read.
    pub fn new(settings: OidcSettings) -> Result<Self, reqwest::Error> {
        // A second installation is refused and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .user_agent(concat!("ringmaster/", env!("CARGO_PKG_VERSION")))
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none());
        Ok(Self { settings, client: client.build()?, known: Mutex::new(None) })
    }

    fn redirect_uri(&self) -> String {
        format!("{}sign-in/oidc/back", self.settings.console_url)
    }

    /// Where the browser goes.
    pub(super) async fn authorization(
        &self,
        state: &str,
        nonce: &str,
        verifier: &str,
    ) -> Result<String, ApiError> {
        use base64::Engine as _;
        let challenge =
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let mut url = read(&self.known(false).await?.description.authorization_endpoint)?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.redirect_uri())
            .append_pair("scope", "openid profile email")
            .append_pair("state", state)
            .append_pair("nonce", nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// Whom the code stands for.
    pub(super) async fn exchange(
        &self,
        code: &str,
        verifier: &str,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Claimed, ApiError> {
        let known = self.known(false).await?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri()),
            ("client_id", &self.settings.client_id),
            ("code_verifier", verifier),
        ];
        let mut request = self.client.post(read(&known.description.token_endpoint)?).form(&form);
        if let Some(secret) = &self.settings.client_secret {
            // Encoded first (RFC 6749, section 2.3.1).
            let plain = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            request =
                request.basic_auth(plain(&self.settings.client_id), Some(plain(secret.expose_secret())));
        }
        let granted: Granted = answer(request).await?;
        let payload = match verified(&granted.id_token, &known.keys) {
            Err(Wrong::UnknownKey) => verified(&granted.id_token, &self.known(true).await?.keys),
            read => read,
        };
        let payload = payload.map_err(|_| {
            ApiError::new("sign_in.refused", "the ID token is not signed by a key of the provider")
        })?;
        claims::read(&self.settings, &payload, nonce, now)
    }

    /// The description and the keys, as they were asked for last.
    async fn known(&self, newer: bool) -> Result<Known, ApiError> {
        let mut kept = self.known.lock().await;
        let lasts = if newer { NOT_AGAIN } else { KEPT };
        if let Some(known) = kept.as_ref().filter(|known| known.asked_at.elapsed() < lasts) {
            return Ok(known.clone());
        }
        let issuer = self.settings.issuer.trim_end_matches('/');
        let asked = self.client.get(format!("{issuer}/.well-known/openid-configuration"));
        let description: Description = answer(asked).await?;
        if description.issuer != self.settings.issuer {
            return Err(unusable("it names another issuer than the configuration"));
        }
        read(&description.authorization_endpoint)?;
        read(&description.token_endpoint)?;
        let keys = answer(self.client.get(read(&description.jwks_uri)?)).await?;
        let known = Known { description, keys, asked_at: Instant::now() };
        *kept = Some(known.clone());
        Ok(known)
    }
}

fn unusable(detail: &str) -> ApiError {
    ApiError::new("sign_in.provider", detail.to_owned())
}

/// An address of the provider: https, except on this machine.
fn read(text: &str) -> Result<Url, ApiError> {
    let url = Url::parse(text).ok().filter(is_safe);
    url.ok_or_else(|| unusable("it has an address that is not https"))
}

fn is_safe(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_here)
}

/// A JSON answer of a bounded size.
async fn answer<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, ApiError> {
    // The error of the client would name the address, which may have the code in it.
    let gone = |error: reqwest::Error| {
        tracing::warn!(error = %error.without_url(), "the provider of sign-in did not answer");
        unusable("it cannot be reached")
    };
    let mut response = request.send().await.map_err(gone)?;
    if !response.status().is_success() {
        tracing::warn!(status = response.status().as_u16(), "the provider of sign-in refused a request");
        return Err(unusable("it refused the request"));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(gone)? {
        if body.len().saturating_add(chunk.len()) > ANSWER_MAX {
            return Err(unusable("its answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_| unusable("its answer cannot be read"))
}
