//! Phone numbers on pages: masked as the API masks them, with a button that reveals them.

use maud::{Markup, html};

use super::visit::Visit;
use crate::domain::Scope;

/// A number as the API gave it.
#[must_use]
pub fn number(shown: &str) -> Markup {
    html! {
        @if shown.contains("***") { span.masked title="masked" { "+•••" } } @else { span.number { (shown) } }
    }
}

/// The button that shows complete numbers on the page at `path`, for those who may see them. It is recorded.
#[must_use]
pub fn reveal(visit: &Visit, path: &str) -> Markup {
    html! {
        @if visit.may(Scope::Reveal) && !visit.reveals() {
            form.inline method="post" action={ (visit.root()) (path) } {
                (visit.csrf())
                button.quiet type="submit" { "Show number" }
            }
        }
    }
}
