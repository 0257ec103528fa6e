//! The address of a database, and how the way to it is protected.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection over which nothing comes back is given up after this time.
const UNANSWERED: Duration = Duration::from_secs(10);

/// Everything that is needed to connect.
#[derive(Clone)]
pub struct Reach {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    /// For messages: host and database, without user and password.
    name: String,
    /// How often a connection was given up because nothing came back over it. Those that are older are of no use either.
    silences: Arc<AtomicU64>,
}

impl Reach {
    /// From `postgres://user@host:port/database?sslmode=require`. The password may stand beside it. `ca` is a file with the
    /// certificates that the server's certificate is checked with; without it those of the system are used.
    ///
    /// # Errors
    /// What is wrong with the address or the file, without the address.
    pub fn new(url: &str, password: Option<&str>, ca: Option<&Path>) -> Result<Self, String> {
        let mut parsed = Url::parse(url).map_err(|error| format!("is no address: {error}"))?;
        if !["postgres", "postgresql"].contains(&parsed.scheme()) {
            return Err("does not begin with postgres://".to_owned());
        }
        let pairs: Vec<(String, String)> = parsed.query_pairs().into_owned().collect();
        let ssl_mode = pairs.iter().find(|(key, _)| key == "sslmode").map(|(_, mode)| mode.clone());
        let others = pairs.iter().filter(|(key, _)| key != "sslmode");
        let query: Vec<String> = others.map(|(key, value)| format!("{key}={}", percent(value))).collect();
        parsed.set_query(Some(&query.join("&")).filter(|query| !query.is_empty()).map(String::as_str));
        let mut config: Config =
            parsed.as_str().parse().map_err(|error| format!("is no address of a database: {error}"))?;
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err("names no database: expected postgres://user@host/database".to_owned());
        }
        if config.get_hosts().is_empty() {
            return Err("names no host: expected postgres://user@host/database".to_owned());
        }
        if let Some(password) = password {
            config.password(password);
        }
        let mode = mode(ssl_mode.as_deref(), is_near(&config))?;
        config.ssl_mode(mode);
        config.application_name("ringmaster");
        config.target_session_attrs(TargetSessionAttrs::Any);
        config.connect_timeout(config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT));
        config.tcp_user_timeout(UNANSWERED);
        config.keepalives_idle(UNANSWERED);
        let tls = if mode == SslMode::Disable { None } else { Some(tls(ca)?) };
        let name = name(&config);
        Ok(Self { config, tls, name, silences: Arc::default() })
    }

    pub const fn config(&self) -> &Config {
        &self.config
    }

    pub fn tls(&self) -> Option<MakeRustlsConnect> {
        self.tls.clone()
    }

    /// The age of a connection that is made now.
    pub fn age(&self) -> u64 {
        self.silences.load(Ordering::Relaxed)
    }

    /// Nothing came back over a connection of this age: the network or the server may have forgotten all of them.
    pub fn is_silent(&self, age: u64) {
        // Of several that were made together, the first one tells.
        let next = age.saturating_add(1);
        let _ = self.silences.compare_exchange(age, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Host and database.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The mode that is asked for. Without one, only a connection within the machine is not encrypted.
fn mode(asked: Option<&str>, is_near: bool) -> Result<SslMode, String> {
    match asked {
        None if is_near => Ok(SslMode::Disable),
        // The certificate and its name are always checked.
        None | Some("require" | "verify-ca" | "verify-full") => Ok(SslMode::Require),
        Some("disable") => Ok(SslMode::Disable),
        Some("prefer") => Ok(SslMode::Prefer),
        Some(other) => {
            Err(format!("has sslmode={other}: expected disable, prefer, require, verify-ca or verify-full"))
        }
    }
}

fn is_near(config: &Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
    })
}

fn name(config: &Config) -> String {
    let ports = config.get_ports();
    let host = |(at, host): (usize, &Host)| {
        let port = ports.get(at).or_else(|| ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Unix(path) => path.display().to_string(),
            Host::Tcp(name) => format!("{name}:{port}"),
        }
    };
    let hosts: Vec<String> = config.get_hosts().iter().enumerate().map(host).collect();
    format!("{}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
}

fn tls(ca: Option<&Path>) -> Result<MakeRustlsConnect, String> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            let cannot =
                |error: &dyn fmt::Display| format!("store.ca: {} cannot be read: {error}", path.display());
            let certificates = CertificateDer::pem_file_iter(path).map_err(|error| cannot(&error))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| cannot(&error))?;
                roots.add(certificate).map_err(|error| cannot(&error))?;
            }
            if roots.is_empty() {
                return Err(format!("store.ca: {} has no certificate", path.display()));
            }
        }
        None => {
            // One that cannot be read is left out; a server that needs it is refused.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(MakeRustlsConnect::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

fn percent(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        Reach::new(url, Some("opensesame"), None).unwrap_err()
    }

    #[test]
    fn an_address_is_read_with_the_password_beside_it() {
        let reach =
            Reach::new("postgres://ringmaster@127.0.0.1:5433/calls", Some("opensesame"), None).unwrap();
        assert_eq!(reach.name(), "127.0.0.1:5433/calls");
        assert_eq!(reach.config().get_user(), Some("ringmaster"));
        assert_eq!(reach.config().get_password(), Some(&b"opensesame"[..]));
        assert_eq!(format!("{reach:?}"), "Reach { name: \"127.0.0.1:5433/calls\", .. }");
        let socket =
            Reach::new("postgres:///calls?host=/run/postgresql&user=ringmaster", None, None).unwrap();
        assert_eq!(socket.name(), "/run/postgresql/calls");
        assert_eq!(socket.config().get_user(), Some("ringmaster"));
    }

    #[test]
    fn only_a_connection_within_the_machine_is_not_encrypted_by_default() {
        let ssl_mode = |url: &str| Reach::new(url, None, None).unwrap().config().get_ssl_mode();
        assert_eq!(ssl_mode("postgres://r@localhost/calls"), SslMode::Disable);
        assert_eq!(ssl_mode("postgres://r@127.0.0.1/calls"), SslMode::Disable);
        assert_eq!(ssl_mode("postgres://r@10.0.0.1/calls"), SslMode::Require);
        assert_eq!(ssl_mode("postgres://r@10.0.0.1/calls?sslmode=disable"), SslMode::Disable);
        assert_eq!(ssl_mode("postgres://r@db.example/calls?sslmode=verify-full"), SslMode::Require);
        assert_eq!(ssl_mode("postgres://r@localhost/calls?sslmode=prefer"), SslMode::Prefer);
    }

    #[test]
    fn a_silent_connection_makes_those_of_its_age_old() {
        let reach = Reach::new("postgres://r@localhost/calls", None, None).unwrap();
        let age = reach.age();
        reach.is_silent(age);
        let next = reach.age();
        assert_ne!(age, next);
        reach.is_silent(age);
        assert_eq!(reach.age(), next, "another one that was made with it says nothing new");
    }

    #[test]
    fn a_wrong_address_is_refused_without_showing_it() {
        for (url, why) in [
            ("ringmaster.db", "is no address"),
            ("mysql://r:geheim@localhost/calls", "does not begin with postgres://"),
            ("postgres://r:geheim@localhost", "names no database"),
            ("postgres://r:geheim@localhost/calls?sslmode=maybe", "has sslmode=maybe"),
            ("postgres://r:geheim@localhost/calls?colour=blue", "is no address of a database"),
        ] {
            let refused = refused(url);
            assert!(refused.contains(why) && !refused.contains("geheim"), "{url}: {refused}");
        }
        let missing = Reach::new("postgres://r@10.0.0.1/c", None, Some(Path::new("/none.pem"))).unwrap_err();
        assert!(missing.contains("store.ca: /none.pem cannot be read"), "{missing}");
    }
}
