//! Somebody at a browser gets a refusal as a page; a script and a program get the problem document.

use axum::extract::Request;
use axum::http::header::ACCEPT;
use axum::response::Response;

use super::enter::CONSOLE;
use super::page;
use crate::http::ApiError;

/// Whether somebody looks at what is answered, and the way from there to the console's first page.
pub(super) struct AtBrowser(Option<String>);

impl AtBrowser {
    pub(super) fn of(request: &Request) -> Self {
        let accepted = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
        Self(accepted.contains("text/html").then(|| up(request)))
    }

    /// The answer as it is, or the page that says why there is none.
    pub(super) fn shown(self, mut response: Response) -> Response {
        let Some(root) = self.0 else { return response };
        match response.extensions_mut().remove::<ApiError>() {
            // Its cause is logged by the layer around.
            Some(error) if error.logged_cause().is_some() => {
                response.extensions_mut().insert(error);
                response
            }
            Some(error) => page::refused(&root, &response, &error),
            None => response,
        }
    }
}

/// The way to the console's first page: relative, so that it is right if the public URL has a path.
pub(super) fn up(request: &Request) -> String {
    "../".repeat(request.uri().path().strip_prefix(CONSOLE).unwrap_or("").matches('/').count())
}
