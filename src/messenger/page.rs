//! What a page may do: whether calling is switched on for it, and what it may ask of one person.
//!
//! Sources: Meta, *Messenger Calling* (20 Apr 2026) and *Check permissions* (6 Apr 2026). Copies of the two differ in the
//! names of some fields, so both are read.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::Psid;
use crate::meta::graph::with_query;
use crate::meta::{Graph, GraphError};
use crate::transport::date::seconds;

const CALLING: &str = "messenger_api_calling";

/// Whether a page may use calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Eligibility {
    Eligible,
    /// The word of the platform.
    NotEligible(String),
    /// The answer does not name the feature.
    Untold,
}

/// What a page may do with one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permission {
    /// Whether the page may call the person. We never do; this tells that the person knows the page.
    pub is_granted: bool,
    pub expires_at: Option<Timestamp>,
}

/// Asks whether calling is available to the page. May be repeated.
///
/// # Errors
/// [`GraphError`].
pub async fn eligibility(graph: &Graph, page_id: &str) -> Result<Eligibility, GraphError> {
    let body = json!({"features": [{"feature": CALLING}]});
    let path = format!("{page_id}/business_messaging_feature_status");
    let answer: Value = graph.change(&path, &body).await?;
    Ok(read_eligibility(&answer))
}

pub(super) fn read_eligibility(answer: &Value) -> Eligibility {
    let lists = [&answer["features"], &answer["data"], answer];
    let mut features = lists.into_iter().filter_map(Value::as_array).flatten();
    let named =
        |feature: &&Value| feature["feature"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(CALLING));
    let Some(status) = features.find(named).and_then(|feature| feature["status"].as_str()) else {
        return Eligibility::Untold;
    };
    match status.to_ascii_lowercase().as_str() {
        "eligible" | "enabled" | "available" | "active" => Eligibility::Eligible,
        other => Eligibility::NotEligible(other.chars().take(64).collect()),
    }
}

/// Reads what the page may do with a person. May be repeated.
///
/// # Errors
/// [`GraphError`].
pub async fn permission(graph: &Graph, page_id: &str, psid: &Psid) -> Result<Permission, GraphError> {
    let path = with_query(&format!("{page_id}/messenger_call_permissions"), &[("psid", psid.as_str())]);
    let answer: Value = graph.read(&path).await?;
    Ok(read_permission(&answer))
}

pub(super) fn read_permission(answer: &Value) -> Permission {
    let permission = &answer["permission"];
    let status = permission["status"].as_str().unwrap_or_default();
    let expires_at = match &permission["expiration_time"] {
        Value::Number(number) => seconds(&number.to_string()),
        Value::String(text) => seconds(text),
        _ => None,
    };
    Permission { is_granted: status.eq_ignore_ascii_case("has_permission"), expires_at }
}
