//! `[tracing]`: the collector of traces.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;

use super::http::is_loopback;
use super::secret::Secret;
use super::section::Section;

/// The collector of traces.
#[derive(Debug, Clone)]
pub struct Tracing {
    /// `None` switches traces off.
    pub endpoint: Option<Url>,
    /// As they were given; [`Tracing::headers`] reads them.
    headers: Option<Secret>,
    /// From 0 to 1.
    pub sample_ratio: f64,
    pub queue_max: u32,
    pub timeout: Duration,
    pub service_name: String,
}

/// The longest name of a service (our rule).
const SERVICE_NAME_MAX: usize = 100;
/// The most headers (our rule).
const HEADERS_MAX: usize = 16;

impl Tracing {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let seconds = Duration::from_secs;
        let tracing = Self {
            endpoint: section.ask("endpoint").rule(collector).optional(),
            headers: section
                .secret("headers")
                .rule(|headers: &Secret| read_headers(headers.expose()).map(drop))
                .optional(),
            sample_ratio: section.ask("sample_ratio").within(0.0, 1.0).value(),
            queue_max: section.ask("queue_max").within(64, 1_000_000).value(),
            timeout: section.ask("timeout").within(seconds(1), seconds(60)).value(),
            service_name: section.ask("service_name").rule(|name: &String| service_name(name)).value(),
        };
        let is_open = |url: &Url| url.scheme() == "http" && !is_loopback(url);
        if tracing.headers.is_some() && tracing.endpoint.as_ref().is_some_and(is_open) {
            section.fault(
                "endpoint",
                "is not https: the headers are a secret, and are sent by https or on this machine",
            );
        }
        tracing
    }

    /// The headers of each request, marked as secret.
    #[must_use]
    pub fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let headers = self.headers.as_ref().map(|headers| read_headers(headers.expose()));
        headers.and_then(Result::ok).unwrap_or_default()
    }
}

/// The collector may be a host of the own network, so http is taken.
fn collector(url: &Url) -> Result<(), String> {
    if !["http", "https"].contains(&url.scheme()) || url.host().is_none() {
        Err("is not a URL of http or https".into())
    } else if !url.username().is_empty() || url.password().is_some() {
        Err("has a user name or a password: set tracing.headers".into())
    } else if url.query().is_some() || url.fragment().is_some() {
        Err("has a query or a fragment: the path /v1/traces is added to it".into())
    } else {
        Ok(())
    }
}

fn service_name(name: &str) -> Result<(), String> {
    let plain = name.bytes().all(|byte| byte.is_ascii_graphic());
    if plain && name.len() <= SERVICE_NAME_MAX {
        Ok(())
    } else {
        Err(format!("is no name: expected up to {SERVICE_NAME_MAX} visible ASCII characters"))
    }
}

/// Reads "name=value" with commas between. A fault does not repeat the text.
fn read_headers(text: &str) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let read = |(place, pair): (usize, &str)| {
        let place = place.saturating_add(1);
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            format!("has no \"=\" in its part {place}: expected name=value, and commas between")
        })?;
        let name: HeaderName =
            name.trim().parse().map_err(|_| format!("has no name of a header in its part {place}"))?;
        let mut value: HeaderValue = value
            .trim()
            .parse()
            .map_err(|_| format!("has a value in its part {place} that no header can have"))?;
        value.set_sensitive(true);
        Ok::<_, String>((name, value))
    };
    let headers: Vec<_> = text.split(',').enumerate().map(read).collect::<Result<_, String>>()?;
    match headers.len() {
        0..=HEADERS_MAX => Ok(headers),
        more => Err(format!("has {more} headers: expected at most {HEADERS_MAX} (our rule)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_pairs_with_commas_between() {
        let read = read_headers("x-api-key=a=b, x-other = c").unwrap();
        let read: Vec<_> =
            read.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(read, [("x-api-key", "a=b"), ("x-other", "c")]);
        let all = |count: usize| vec!["a=b"; count].join(",");
        assert!(read_headers(&all(HEADERS_MAX)).is_ok() && read_headers(&all(HEADERS_MAX + 1)).is_err());
    }

    #[test]
    fn a_fault_of_a_header_has_its_place_and_not_its_text() {
        for (text, told) in
            [("a=b,hush", "part 2"), ("hu sh=b", "part 1"), ("a=hush\u{7f}", "part 1"), ("", "part 1")]
        {
            let fault = read_headers(text).unwrap_err();
            assert!(fault.contains(told) && !fault.contains("hush") && !fault.contains("hu sh"), "{fault}");
        }
    }
}
