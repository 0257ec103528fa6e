//! How people sign in, as it is configured.

use anyhow::Context as _;
use jiff::SignedDuration;

use crate::config::{self, Config};
use crate::http::SignIn;
use crate::http::peers::TrustedProxies;
use crate::http::sign_in::{Oidc, OidcSettings, RoleOfClaim, SignInSettings};

/// # Errors
/// If a role of a claim does not exist, or TLS cannot be set up.
pub(super) fn sign_in(config: &Config, key: &[u8; 32]) -> anyhow::Result<SignIn> {
    let config::SignIn { password, proxy_header, proxy_hosts, idle, longest, oidc } = &config.sign_in;
    let settings = SignInSettings {
        password: *password,
        proxy_header: proxy_header.as_ref().and_then(|name| name.to_ascii_lowercase().parse().ok()),
        proxy_hosts: proxy_hosts.clone(),
        trusted_proxies: TrustedProxies::new(config.http.trusted_proxies.iter().copied()),
        idle: SignedDuration::try_from(*idle)?,
        longest: SignedDuration::try_from(*longest)?,
    };
    let oidc = oidc.as_ref().map(provider).transpose()?;
    Ok(SignIn::new(settings, oidc, key))
}

fn provider(oidc: &config::OpenId) -> anyhow::Result<Oidc> {
    let read = |text: &String| {
        text.parse::<RoleOfClaim>().map_err(|error| anyhow::anyhow!("sign_in.oidc.roles: {text:?}: {error}"))
    };
    let settings = OidcSettings {
        issuer: oidc.issuer.clone(),
        client_id: oidc.client_id.clone(),
        client_secret: oidc.client_secret.as_ref().map(|secret| secret.as_secret().clone()),
        console_url: oidc.console_url.clone(),
        claim: oidc.claim.clone(),
        roles: oidc.roles.iter().map(read).collect::<anyhow::Result<_>>()?,
    };
    Oidc::new(settings).context("sign_in.oidc: TLS cannot be set up on this machine")
}
