//! `openapi`: the description of the HTTP API, generated from its handlers.

use std::io::Write;

use anyhow::Context as _;

use crate::http::api::openapi;

pub(super) fn run(out: &mut dyn Write) -> anyhow::Result<()> {
    let text = openapi().to_pretty_json().context("the description cannot be written")?;
    Ok(writeln!(out, "{text}")?)
}
