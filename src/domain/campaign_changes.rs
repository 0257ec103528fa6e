//! What an act changed of a campaign: the fields that have other values after it.

use std::sync::Arc;

use super::Campaign;

/// A field with its values before and after a change; `None` is no value, such as no ceiling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// As in the API, such as `concurrent_calls_max` or `breaker.failed_of_min`.
    pub field: Arc<str>,
    pub before: Option<Arc<str>>,
    pub after: Option<Arc<str>>,
}

/// What is different after a change, in the order of the API.
#[must_use]
pub fn changes(before: &Campaign, after: &Campaign) -> Vec<FieldChange> {
    let differs = |((field, before), (_, after)): ((&'static str, Value), (&'static str, Value))| {
        (before != after).then(|| FieldChange {
            field: field.into(),
            before: before.map(Into::into),
            after: after.map(Into::into),
        })
    };
    fields(before).into_iter().zip(fields(after)).filter_map(differs).collect()
}

type Value = Option<String>;

/// The fields that can change.
fn fields(campaign: &Campaign) -> [(&'static str, Value); 11] {
    let Campaign { name, state, concurrent_calls_max, calls_per_minute, weight, breaker, .. } = campaign;
    fn text<T: ToString>(value: Option<T>) -> Value {
        value.map(|value| value.to_string())
    }
    [
        ("name", Some(name.to_string())),
        ("state", Some(state.as_str().to_owned())),
        ("concurrent_calls_max", text(*concurrent_calls_max)),
        ("calls_per_minute", text(*calls_per_minute)),
        ("weight", Some(weight.to_string())),
        ("breaker.abandoned_percent_max", text(breaker.abandoned_percent_max)),
        ("breaker.abandoned_of_min", Some(breaker.abandoned_of_min.to_string())),
        ("breaker.failed_percent_max", text(breaker.failed_percent_max)),
        ("breaker.failed_of_min", Some(breaker.failed_of_min.to_string())),
        ("breaker.failed_window_minutes", Some(breaker.failed_window_minutes.to_string())),
        ("breaker.on_quality_warning", Some(breaker.on_quality_warning.to_string())),
    ]
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Breaker, CampaignId, CampaignState, Tenant};

    fn campaign() -> Campaign {
        Campaign {
            id: CampaignId::new(Uuid::from_u128(1)),
            version: 1,
            tenant: Tenant::default(),
            name: "Spring".into(),
            state: CampaignState::Draft,
            defaults: "{}".into(),
            concurrent_calls_max: Some(20),
            calls_per_minute: None,
            weight: Campaign::WEIGHT,
            breaker: Breaker::default(),
            follow_up: None,
            created_at: Timestamp::UNIX_EPOCH,
            created_by: "crm".into(),
            ended_at: None,
        }
    }

    #[test]
    fn each_field_that_differs_is_told_with_both_values() {
        assert_eq!(changes(&campaign(), &Campaign { version: 2, ..campaign() }), []);
        let after = Campaign {
            state: CampaignState::Running,
            concurrent_calls_max: None,
            calls_per_minute: Some(5),
            breaker: Breaker { failed_percent_max: None, on_quality_warning: false, ..Breaker::default() },
            ..campaign()
        };
        let told: Vec<_> = changes(&campaign(), &after)
            .iter()
            .map(|it| format!("{} {:?} {:?}", it.field, it.before.as_deref(), it.after.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                r#"state Some("draft") Some("running")"#,
                r#"concurrent_calls_max Some("20") None"#,
                r#"calls_per_minute None Some("5")"#,
                r#"breaker.failed_percent_max Some("50") None"#,
                r#"breaker.on_quality_warning Some("true") Some("false")"#,
            ]
        );
    }
}
