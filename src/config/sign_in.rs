//! `[sign_in]`: how people sign in to the console and to the API.

use std::time::Duration;

use url::Url;

use super::http::base;
use super::secret::Secret;
use super::section::Section;

/// The ways in which people sign in. Without any, the console answers on this machine only.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// Whether people sign in with a password.
    pub password: bool,
    /// The header in which a trusted proxy names the person.
    pub proxy_header: Option<String>,
    /// The names by which browsers reach the console through a proxy on this machine.
    pub proxy_hosts: Vec<String>,
    pub idle: Duration,
    pub longest: Duration,
    pub oidc: Option<OpenId>,
}

/// `[sign_in.oidc]`: a provider of `OpenID` Connect.
#[derive(Debug, Clone)]
pub struct OpenId {
    /// Exactly as the provider writes it.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Option<Secret>,
    /// With a slash at its end.
    pub console_url: Url,
    pub claim: String,
    /// `VALUE=ROLE` or `VALUE=ROLE@TENANT`. Whether the roles exist is checked by who knows them.
    pub roles: Vec<String>,
}

impl SignIn {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let minutes = Duration::from_mins;
        let password = section.ask("password").value();
        let proxy_header = section.ask("proxy_header").rule(|name: &String| header(name)).optional();
        let proxy_hosts = section.ask("proxy_hosts").rule(|names: &Vec<String>| hosts(names)).value();
        let idle = section.ask("idle").within(minutes(1), minutes(24 * 60)).value();
        let longest = section.ask("longest").within(minutes(5), minutes(30 * 24 * 60)).value();
        let oidc = section.section("oidc", OpenId::read);
        Self { password, proxy_header, proxy_hosts, idle, longest, oidc }
    }
}

impl OpenId {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let issuer: Option<String> = section.ask("issuer").rule(|text: &String| issuer(text)).optional();
        let client_id: Option<String> = section.ask("client_id").optional();
        let client_secret = section.secret("client_secret").optional();
        let console_url: Option<Url> = section.ask("console_url").rule(base).optional();
        let claim = section.ask("claim").value();
        let roles = section.ask("roles").value();
        let issuer = issuer?;
        if client_id.is_none() {
            section.fault("client_id", "is missing: the provider gives it");
        }
        if console_url.is_none() {
            section.fault("console_url", "is missing: the address of the console for browsers");
        }
        let mut console_url = console_url?;
        if !console_url.path().ends_with('/') {
            let path = format!("{}/", console_url.path());
            console_url.set_path(&path);
        }
        Some(Self { issuer, client_id: client_id?, client_secret, console_url, claim, roles })
    }
}

fn issuer(text: &str) -> Result<(), String> {
    let url = Url::parse(text).map_err(|error| format!("is no URL: {error}"))?;
    base(&url)
}

/// Names of hosts as browsers send them, without a port.
fn hosts(names: &[String]) -> Result<(), String> {
    let is_host = |name: &String| {
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.[]:".contains(&b))
            && url::Host::parse(name).is_ok_and(|host| host.to_string().eq_ignore_ascii_case(name))
    };
    match names.iter().find(|name| !is_host(name)) {
        Some(name) => Err(format!(
            "{name:?} is no name of a host: expected one such as \"calls.example.com\", without a port"
        )),
        None => Ok(()),
    }
}

/// A header that the client itself could not be thought to set.
fn header(name: &str) -> Result<(), String> {
    const TAKEN: [&str; 8] = [
        "authorization",
        "cookie",
        "host",
        "origin",
        "forwarded",
        "x-forwarded-for",
        "x-csrf-token",
        "x-request-id",
    ];
    let name = name.to_ascii_lowercase();
    if http::HeaderName::try_from(&*name).is_err() {
        return Err("is no name of a header: expected one such as \"X-Remote-User\"".into());
    }
    if TAKEN.contains(&&*name) || name.starts_with("sec-") {
        return Err(
            "has another meaning: expected a header of the proxy's own, such as \"X-Remote-User\"".into()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_no_port_and_no_scheme() {
        assert_eq!(hosts(&["calls.example.com".to_owned(), "Calls".to_owned()]), Ok(()));
        for wrong in ["", "calls.example.com:8443", "https://calls.example.com", "a b", "*"] {
            assert!(hosts(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_header_of_another_meaning_names_nobody() {
        assert_eq!(header("X-Remote-User"), Ok(()));
        for wrong in ["", "a b", "Cookie", "Host", "Sec-Fetch-Site", "X-Forwarded-For"] {
            assert!(header(wrong).is_err(), "{wrong}");
        }
    }
}
