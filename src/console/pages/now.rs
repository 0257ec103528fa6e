//! The first page: what goes on now.

use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use crate::console::layout::Page;
use crate::console::parts::{number, tile};
use crate::console::visit::Visit;
use crate::console::words::thousands;

pub(super) async fn now(visit: Visit) -> Response {
    match visit.get("/v1/status").await {
        Ok(status) => visit.page(Page::new("Now").live(shown(&status))),
        Err(refused) => visit.refused(&refused),
    }
}

fn shown(status: &Value) -> Markup {
    html! {
        div.tiles {
            (tile("waiting", thousands(number(status, "callbacks.waiting")), "", Some("callbacks?status=waiting")))
            (tile("calling", thousands(number(status, "callbacks.calling")), "", Some("calls")))
        }
    }
}
