//! Types of keys: each is read from TOML or from the text of a variable, and written as TOML.
//!
//! A fault names the type that was found, not the text, which may be a misplaced secret.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use url::Url;

use super::secret::Secret;
use super::tree::Value;

pub(super) trait Setting: Sized + Clone {
    /// The text that completes "expected …".
    const EXPECTED: &'static str;
    /// The name of the type in `docs/CONFIGURATION.md`.
    const KIND: &'static str = Self::EXPECTED;
    const IS_SECRET: bool = false;

    fn read(value: &Value) -> Result<Self, String>;

    fn write(&self) -> String;
}

/// Writes a text as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn found(value: &Value) -> String {
    let kind = match value {
        Value::Untyped(_) => return "cannot be read".into(),
        Value::Text(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::List(_) => "a list",
        Value::Other(kind) => kind,
    };
    format!("is {kind}")
}

fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::Text(text) | Value::Untyped(text) if !text.is_empty() => Ok(text),
        Value::Text(_) | Value::Untyped(_) => Err("is empty".into()),
        other => Err(found(other)),
    }
}

impl Setting for String {
    const EXPECTED: &'static str = "a text in quotes";
    const KIND: &'static str = "text";

    fn read(value: &Value) -> Result<Self, String> {
        text(value).map(str::to_owned)
    }

    fn write(&self) -> String {
        quoted(self)
    }
}

impl Setting for Secret {
    const EXPECTED: &'static str = "a secret";
    const KIND: &'static str = "secret";
    const IS_SECRET: bool = true;

    fn read(value: &Value) -> Result<Self, String> {
        text(value).map(Self::new)
    }

    fn write(&self) -> String {
        "***".into()
    }
}

impl Setting for PathBuf {
    const EXPECTED: &'static str = "a path in quotes";
    const KIND: &'static str = "path";

    fn read(value: &Value) -> Result<Self, String> {
        text(value).map(Self::from)
    }

    fn write(&self) -> String {
        quoted(&self.display().to_string())
    }
}

impl Setting for bool {
    const EXPECTED: &'static str = "true or false, without quotes";
    const KIND: &'static str = "true or false";

    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Boolean(boolean) => Ok(*boolean),
            Value::Untyped(text) => text.parse().map_err(|_| found(value)),
            other => Err(found(other)),
        }
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Setting for u32 {
    const EXPECTED: &'static str = "a whole number, not negative, without quotes";
    const KIND: &'static str = "whole number";

    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Integer(integer) => {
                Self::try_from(*integer).map_err(|_| "is negative or too large".to_owned())
            }
            Value::Untyped(text) => text.parse().map_err(|_| found(value)),
            other => Err(found(other)),
        }
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Setting for f64 {
    const EXPECTED: &'static str = "a number without quotes, such as 1.0";
    const KIND: &'static str = "number";

    #[expect(clippy::cast_precision_loss, reason = "numbers of this kind are small")]
    fn read(value: &Value) -> Result<Self, String> {
        let number = match value {
            Value::Float(float) => *float,
            Value::Integer(integer) => *integer as Self,
            Value::Untyped(text) => text.parse().map_err(|_| found(value))?,
            other => return Err(found(other)),
        };
        if number.is_finite() { Ok(number) } else { Err("is not finite".into()) }
    }

    fn write(&self) -> String {
        format!("{self:?}")
    }
}

impl Setting for SignedDuration {
    const EXPECTED: &'static str =
        "a duration in quotes with its unit, such as \"90s\", \"15m\", \"24h\" or \"7d\"";
    const KIND: &'static str = "duration";

    fn read(value: &Value) -> Result<Self, String> {
        text(value)?
            .parse::<Span>()
            .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
            .map_err(|_| "is not a duration".to_owned())
    }

    fn write(&self) -> String {
        let spelled = format!("{self:#}");
        quoted(&spelled.replace(' ', ""))
    }
}

impl Setting for Duration {
    const EXPECTED: &'static str = SignedDuration::EXPECTED;
    const KIND: &'static str = "duration";

    fn read(value: &Value) -> Result<Self, String> {
        SignedDuration::read(value)?.try_into().map_err(|_| "is negative".to_owned())
    }

    fn write(&self) -> String {
        SignedDuration::try_from(*self).unwrap_or(SignedDuration::MAX).write()
    }
}

impl Setting for SocketAddr {
    const EXPECTED: &'static str =
        "an address and a port in quotes, such as \"127.0.0.1:8080\" or \"[::]:8080\"";
    const KIND: &'static str = "address and port";

    fn read(value: &Value) -> Result<Self, String> {
        text(value)?.parse().map_err(|_| "is not a socket address".to_owned())
    }

    fn write(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Setting for Url {
    const EXPECTED: &'static str = "an absolute URL in quotes, such as \"https://example.com\"";
    const KIND: &'static str = "URL";

    fn read(value: &Value) -> Result<Self, String> {
        Self::parse(text(value)?).map_err(|error| format!("is not a URL ({error})"))
    }

    fn write(&self) -> String {
        quoted(self.as_str().trim_end_matches('/'))
    }
}

impl Setting for Vec<String> {
    const EXPECTED: &'static str =
        "a list of texts, such as [\"a\", \"b\"]; in a variable, texts with commas between";
    const KIND: &'static str = "list of texts";

    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::List(items) => items.iter().map(String::read).collect(),
            Value::Untyped(text) => Ok(text.split(',').map(|item| item.trim().to_owned()).collect()),
            other => Err(found(other)),
        }
    }

    fn write(&self) -> String {
        let items: Vec<String> = self.iter().map(|item| quoted(item)).collect();
        format!("[{}]", items.join(", "))
    }
}
