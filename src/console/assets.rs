//! The files of the console: one style sheet, one script, one icon. They are in the program, and their names have their
//! hash, so that browsers keep them for a year.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

/// A file of the console.
pub struct Asset {
    name: &'static str,
    end: &'static str,
    kind: &'static str,
    text: &'static str,
    hash: LazyLock<String>,
}

pub static STYLE: Asset = Asset {
    name: "console",
    end: "css",
    kind: "text/css; charset=utf-8",
    text: include_str!("assets/console.css"),
    hash: LazyLock::new(|| hash(include_str!("assets/console.css"))),
};

pub static SCRIPT: Asset = Asset {
    name: "console",
    end: "js",
    kind: "text/javascript; charset=utf-8",
    text: include_str!("assets/console.js"),
    hash: LazyLock::new(|| hash(include_str!("assets/console.js"))),
};

pub static ICON: Asset = Asset {
    name: "icon",
    end: "svg",
    kind: "image/svg+xml",
    text: include_str!("assets/icon.svg"),
    hash: LazyLock::new(|| hash(include_str!("assets/icon.svg"))),
};

impl Asset {
    /// Below the console's first page.
    #[must_use]
    pub fn path(&self) -> String {
        format!("assets/{}", self.file())
    }

    fn file(&self) -> String {
        format!("{}.{}.{}", self.name, *self.hash, self.end)
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn router() -> Router {
    Router::new().route("/console/assets/{file}", get(file))
}

async fn file(Path(file): Path<String>) -> Response {
    // Pages without a person are made by the sign-in, which does not know the hash.
    if file == "console.css" {
        return ([(CONTENT_TYPE, STYLE.kind), (CACHE_CONTROL, "public, max-age=300")], STYLE.text)
            .into_response();
    }
    let Some(asset) = [&STYLE, &SCRIPT, &ICON].into_iter().find(|asset| asset.file() == file) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, asset.text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_hash_in_its_name_and_nothing_from_elsewhere() {
        assert_eq!(STYLE.path().len(), "assets/console.0123456789abcdef.css".len());
        for asset in [&STYLE, &SCRIPT] {
            assert!(!asset.text.contains("://"), "{} names another host", asset.name);
        }
        assert!(STYLE.text.len() + SCRIPT.text.len() < 60_000);
    }
}
