//! Whether calling is switched on for a page.
//!
//! Source: Meta, *Messenger Calling* (20 Apr 2026), of which copies differ in the shape of the answer, so all are read. What
//! a page may do with one person is not asked: it is about calls that the page places, and we place none there.

use serde_json::{Value, json};

use crate::meta::{Graph, GraphError};

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
