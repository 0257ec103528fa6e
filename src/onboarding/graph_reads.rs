//! Reads of the Graph API, bounded, and what their failures mean for an examination.

use std::collections::BTreeSet;

use serde_json::Value;

use super::examine::chain;
use crate::meta::graph::with_query;
use crate::meta::{Graph, GraphError};

/// How many pages of a list are read (our rule).
const PAGES_MAX: usize = 20;

/// Why something was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The token is not taken.
    Token(String),
    /// Meta cannot be reached, or has a failure.
    Unreachable(String),
    /// There is no such thing for this token.
    Refused(String),
}

impl Trouble {
    pub(super) fn told(self) -> String {
        match self {
            Self::Token(told) | Self::Unreachable(told) | Self::Refused(told) => told,
        }
    }
}

pub(super) fn trouble(error: &GraphError) -> Trouble {
    match error {
        GraphError::Rejected(refusal) if refusal.is_credentials() => Trouble::Token(refusal.to_string()),
        GraphError::Rejected(refusal) => Trouble::Refused(refusal.to_string()),
        GraphError::NotFound => Trouble::Refused(error.to_string()),
        GraphError::RateLimited { .. } | GraphError::Unreachable(_) | GraphError::Unexpected(_) => {
            Trouble::Unreachable(chain(error))
        }
    }
}

/// Some fields of one thing.
pub(super) async fn read(graph: &Graph, id: &str, fields: &str) -> Result<Value, GraphError> {
    graph.read(&with_query(id, &[("fields", fields)])).await
}

/// The ids of a list.
pub(super) async fn all_ids(graph: &Graph, path: &str) -> Result<BTreeSet<String>, GraphError> {
    let mut ids = BTreeSet::new();
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let mut pairs = vec![("fields", "id"), ("limit", "100")];
        pairs.extend(after.as_deref().map(|after| ("after", after)));
        let page: Value = graph.read(&with_query(path, &pairs)).await?;
        let listed = page["data"].as_array().map_or(&[][..], Vec::as_slice);
        ids.extend(listed.iter().map(|one| text(one, "id").to_owned()));
        let next = page["paging"]["cursors"]["after"].as_str().map(str::to_owned);
        if page["paging"]["next"].is_null() || next.is_none() || next == after {
            break;
        }
        after = next;
    }
    Ok(ids)
}

/// The text of a field; empty if there is none.
pub(super) fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}
