//! A page: where it is, what can be done on it, and the function from data to markup.

use axum::http::StatusCode;
use futures_util::future::BoxFuture;
use maud::{Markup, html};

use super::acts::{Act, Posted, Said};
use super::ask::Refused;
use super::asking::Asking;

/// A page of the console.
pub struct PageOf {
    /// Below `/console`, as the router writes it.
    pub path: &'static str,
    pub acts: &'static [&'static Act],
    pub show: for<'a> fn(&'a Asking, &'a Place, &'a Said) -> BoxFuture<'a, Shown>,
}

/// Which page is looked at.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The part of the path that names a thing, decoded; empty on pages of lists.
    pub id: String,
    pub query: Posted,
}

impl Place {
    /// A filter of the page; `None` if it is empty.
    #[must_use]
    pub fn filter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// The query of the page with one filter changed, without what was said of an act.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> String {
        let kept = self.query.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let kept = kept.filter(|(known, _)| !matches!(*known, "done" | "stored") && *known != name);
        let text = super::asking::query(kept.chain([(name, value)]));
        if text.is_empty() { "?".to_owned() } else { text }
    }
}

/// What is shown.
pub struct Shown {
    pub status: StatusCode,
    pub title: String,
    /// Before the live part.
    pub head: Markup,
    /// What changes while one looks.
    pub live: Option<Markup>,
    pub body: Markup,
}

impl Shown {
    #[must_use]
    pub fn new(title: impl Into<String>, body: Markup) -> Self {
        Self { status: StatusCode::OK, title: title.into(), head: html! {}, live: None, body }
    }

    /// With a part that changes while one looks, and what is before it.
    #[must_use]
    pub fn with_live(self, head: Markup, live: Markup) -> Self {
        Self { head, live: Some(live), ..self }
    }

    /// With the status of what the page is about, if that was not read.
    #[must_use]
    pub fn about<T>(self, read: &Result<T, Refused>) -> Self {
        Self { status: read.as_ref().map_or_else(|refused| refused.status, |_| self.status), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_changed_and_the_others_stay() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let query = Posted(vec![pair("state", "granted"), pair("done", "pause"), pair("after", "9")]);
        let place = Place { id: String::new(), query };
        assert_eq!(place.with("after", "20"), "?state=granted&after=20");
        assert_eq!(place.with("after", ""), "?state=granted");
        assert_eq!(Place::default().with("after", ""), "?");
        assert_eq!(place.filter("state"), Some("granted"));
        assert_eq!(place.filter("sender"), None);
    }
}
