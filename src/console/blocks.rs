//! Parts that pages are made of: times, sections that may have failed, and lists of facts.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, Render, html};

use super::ask::Refused;
use super::asking::Asking;
use super::times;

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

/// A whole number with spaces between its thousands.
#[must_use]
pub fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            // Narrow, and no place to break a line.
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
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
        @if matches!(error.code.as_str(), "auth.scope" | "auth.tenant") {
            p class="muted" { "Your role does not include this part." }
        } @else {
            p class="failed" role="alert" {
                strong { "This could not be read." } " " (error.title) ": " (error.detail)
                ". It is not shown, which does not mean that there is nothing. " code { (error.code) }
            }
        }
    }
}

/// What a list says if it has no rows.
#[must_use]
pub fn empty(text: &str) -> Markup {
    html! { p class="empty" { (text) } }
}

/// Facts: a name and a value each.
#[must_use]
pub fn facts(rows: &[(&str, Markup)]) -> Markup {
    html! {
        dl class="facts" {
            @for (name, value) in rows { div { dt { (name) } dd { (value) } } }
        }
    }
}

/// A table that scrolls by itself on a narrow screen. It can be reached and moved with the keyboard.
#[must_use]
pub fn table(caption: &str, heads: &[&str], rows: impl IntoIterator<Item = Vec<Markup>>) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(caption) {
            table {
                caption class="unseen" { (caption) }
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
            }
        }
    }
}

/// A word for a state, with a class of its own.
#[must_use]
pub fn state(class: &str, words: &str) -> Markup {
    html! { span class={ "state " (class) } { (words) } }
}

/// A bar of one share of a whole, with its number in words beside it.
#[must_use]
pub fn bar(part: u64, all: u64) -> Markup {
    let percent = if all == 0 { 0 } else { u128::from(part) * 100 / u128::from(all) };
    let width = percent.min(100).to_string();
    html! {
        svg class="share" viewBox="0 0 100 8" width="100" height="8" role="img" aria-label=(format!("{percent} percent")) {
            rect class="track" width="100" height="8" rx="2" {}
            rect class="part" width=(width) height="8" rx="2" {}
        }
    }
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

    #[test]
    fn numbers_have_spaces_between_their_thousands() {
        for (count, expected) in
            [(0, "0"), (999, "999"), (1_000, "1 000"), (1_234_567, "1 234 567"), (10_000_000, "10 000 000")]
        {
            assert_eq!(number(count).replace('\u{202f}', " "), expected);
        }
    }

    fn refused(code: &str) -> Refused {
        Refused { code: code.to_owned(), ..Refused::new(StatusCode::SERVICE_UNAVAILABLE, "Too many reads", "wait") }
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

    #[test]
    fn a_bar_never_leaves_its_track() {
        assert!(bar(5, 0).into_string().contains("class=\"part\" width=\"0\""));
        assert!(bar(9, 3).into_string().contains("class=\"part\" width=\"100\""));
        assert!(bar(1, 3).into_string().contains("33 percent"));
    }
}
