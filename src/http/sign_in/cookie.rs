//! The cookies of sessions and of a sign-in in progress (RFC 6265; prefixes as in its draft successor, section 4.1.3).

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

/// The longest cookie that is looked at, in bytes.
const VALUE_MAX: usize = 1024;

/// A cookie of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The token of a session, sent by our own pages only.
    Session,
    /// A sign-in at a provider in progress. It comes back from another site, so it is `Lax`, and it is short-lived.
    Redirect,
}

impl Cookie {
    /// With `__Host-` a browser takes the cookie from this host only, over https only.
    const fn name(self, is_secure: bool) -> &'static str {
        match (self, is_secure) {
            (Self::Session, true) => "__Host-ringmaster",
            (Self::Session, false) => "ringmaster",
            (Self::Redirect, true) => "__Host-ringmaster-oidc",
            (Self::Redirect, false) => "ringmaster-oidc",
        }
    }

    /// The value that a request has. `None` too if it has several: one of them may be another's.
    pub(super) fn read(self, headers: &HeaderMap, is_secure: bool) -> Option<&str> {
        let name = self.name(is_secure);
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
        let value = values.next().filter(|value| value.len() <= VALUE_MAX)?;
        values.next().is_none().then_some(value)
    }

    /// The header that sets the cookie. `value` is of letters, digits, `-`, `_` and `.` only.
    pub(super) fn set(self, value: &str, is_secure: bool, seconds: i64) -> HeaderValue {
        debug_assert!(value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
        let secure = if is_secure { "; Secure" } else { "" };
        let same_site = match self {
            Self::Session => "Strict",
            Self::Redirect => "Lax",
        };
        let name = self.name(is_secure);
        let text =
            format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly{secure}; SameSite={same_site}");
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    pub(super) fn clear(self, is_secure: bool) -> HeaderValue {
        self.set("", is_secure, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn a_cookie_is_read_by_its_name_and_not_if_it_is_there_twice() {
        let read =
            |lines: &[&'static str], secure| Cookie::Session.read(&headers(lines), secure).map(str::to_owned);
        assert_eq!(read(&["a=b; ringmaster=x"], false), Some("x".into()));
        assert_eq!(read(&["a=b", "ringmaster=x"], false), Some("x".into()));
        assert_eq!(read(&["ringmaster=x; ringmaster=y"], false), None);
        assert_eq!(read(&["ringmaster=x", "ringmaster=y"], false), None);
        assert_eq!(read(&["ringmaster=x"], true), None, "one without the prefix may be of another host");
        assert_eq!(read(&["__Host-ringmaster=x"], true), Some("x".into()));
    }

    #[test]
    fn a_session_is_strict_and_a_redirect_is_lax() {
        assert_eq!(
            Cookie::Session.set("x", true, 60),
            "__Host-ringmaster=x; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Strict"
        );
        assert_eq!(
            Cookie::Redirect.set("x", false, 60),
            "ringmaster-oidc=x; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"
        );
    }
}
