//! Parts that pages are made of: times, sections that may have failed, and lists of facts.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, Render, html};

use super::ask::Refused;
use super::asking::Asking;
use super::{charts, parts, times};

pub use super::parts::{badge, facts, nothing};
pub use super::words::thousands;

/// A moment in the zone of the console.
#[must_use]
pub fn when(asking: &Asking, at: Timestamp) -> Markup {
    times::moment(at, asking.now, &[&asking.zone])
}

/// A moment, or a dash.
#[must_use]
pub fn when_if(asking: &Asking, at: Option<Timestamp>) -> Markup {
    html! { @match at { Some(at) => (when(asking, at)), None => (none()) } }
}

/// A moment to come, with the time until it.
#[must_use]
pub fn until(asking: &Asking, at: Timestamp) -> Markup {
    html! { (when(asking, at)) " " small { "(" (times::from_now(at, asking.now)) ")" } }
}

/// A duration in seconds.
#[must_use]
pub fn duration(seconds: i64) -> String {
    times::lasting(SignedDuration::from_secs(seconds))
}

/// A dash for what is not there, which a screen reader names.
#[must_use]
pub fn none() -> Markup {
    html! { span class="none" aria-label="none" { "–" } }
}

/// A text, or a dash.
#[must_use]
pub fn text_if(text: Option<&str>) -> Markup {
    html! { @match text { Some(text) if !text.is_empty() => (text), _ => (none()) } }
}

/// A section of a page whose data may not have been read. What was not read is never shown as nothing.
#[must_use]
pub fn section<T>(title: &str, read: &Result<T, Refused>, show: impl FnOnce(&T) -> Markup) -> Markup {
    html! {
        section {
            h2 { (title) }
            @match read {
                Ok(data) => (show(data)),
                Err(error) => (not_read(error)),
            }
        }
    }
}

/// Why a part of a page is not shown.
#[must_use]
pub fn not_read(error: &Refused) -> Markup {
    html! {
        @if matches!(error.code.as_str(), "auth.scope" | "auth.tenant" | "auth.bounds") {
            p class="nothing" { "Your role does not include this part." }
        } @else {
            p class="problem" role="alert" {
                strong { "This could not be read." } " " (error.title) ": " (error.detail)
                ". It is not shown, which does not mean that there is nothing. " code { (error.code) }
            }
        }
    }
}

/// A table. Its cells may come from an iterator.
#[must_use]
pub fn table(caption: &str, heads: &[&str], rows: impl IntoIterator<Item = Vec<Markup>>) -> Markup {
    parts::table(caption, heads, &Vec::from_iter(rows))
}

/// A number of a whole, as a bar with its share in words.
#[must_use]
pub fn bar(part: u64, all: u64) -> Markup {
    let percent = if all == 0 { 0 } else { u128::from(part) * 100 / u128::from(all) };
    charts::meter(&format!("{percent} percent"), part, all)
}

/// Any value as markup.
#[must_use]
pub fn cell(value: impl Render) -> Markup {
    html! { (value) }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    fn refused(code: &str) -> Refused {
        Refused {
            code: code.to_owned(),
            ..Refused::new(StatusCode::SERVICE_UNAVAILABLE, "Too many reads", "wait")
        }
    }

    #[test]
    fn a_failed_read_is_not_shown_as_nothing() {
        let failed: Result<u8, _> = Err(refused("read.busy"));
        let shown = section("Calls", &failed, |_| html! { "data" }).into_string();
        assert!(shown.contains("could not be read") && shown.contains("read.busy"), "{shown}");
        let refused: Result<u8, _> = Err(refused("auth.scope"));
        let shown = section("Calls", &refused, |_| html! { "data" }).into_string();
        assert!(shown.contains("Your role does not include") && !shown.contains("alert"), "{shown}");
    }
}
