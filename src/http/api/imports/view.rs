//! The JSON shape of an import.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::settings::Settings;
use crate::http::{ApiError, App};
use crate::import::parts::{Format, Place};
use crate::store::{ImportFinding, ImportRecord, ImportState};

/// An import: how much of its list has arrived, and what became of its rows.
#[derive(Serialize, ToSchema)]
#[schema(as = Import)]
pub(super) struct View {
    #[schema(example = "imp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    id: String,
    name: String,
    /// `receiving`: parts are expected; `complete`: nothing follows.
    state: &'static str,
    /// The campaign that its rows get. A draft is not launched while one of its imports is not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<String>,
    /// The size of the list in bytes, if it was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// So many bytes have arrived. The next part begins here.
    received: u64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The name of the API token that created it.
    created_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<Timestamp>,
    #[serde(flatten)]
    list: Option<ListView>,
    /// Rows that were read and are not empty.
    rows: u64,
    /// Rows that are ordered.
    accepted: u64,
    /// Of these, those that an earlier import of this name has ordered.
    accepted_before: u64,
    /// Refused rows, by check and code. A row with several faults counts once for each code.
    refused: Vec<GroupView>,
    /// What was found about rows, by check and code: warnings, and rows that a suppression list refuses.
    findings: Vec<GroupView>,
}

/// How the list was understood.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportedList)]
struct ListView {
    /// `csv` or `ndjson`.
    format: &'static str,
    encoding: &'static str,
    /// Of CSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<String>,
    /// The numbers of the columns that are not used, from 1.
    unused_columns: Vec<usize>,
    /// Empty rows that were passed over.
    empty: u32,
}

/// Rows that have something.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportGroup)]
struct GroupView {
    check: String,
    code: String,
    count: u64,
    /// The numbers of the first, at most 20.
    rows: Vec<u32>,
}

impl View {
    pub(super) async fn of(app: &App, record: &ImportRecord) -> Result<Self, ApiError> {
        let found = app.store.import_findings(record.import.id).await?;
        let import = &record.import;
        Ok(Self {
            id: import.id.to_string(),
            name: import.name.clone(),
            state: record.state.as_str(),
            campaign: import.campaign.map(|id| id.to_string()),
            size: import.size,
            received: record.reached.received,
            created_at: import.at,
            created_by: import.by.clone(),
            completed_at: record.completed_at.filter(|_| record.state == ImportState::Complete),
            list: list(record)?,
            rows: record.rows,
            accepted: record.accepted,
            accepted_before: record.accepted_before,
            refused: groups(found.refused),
            findings: groups(found.found),
        })
    }
}

fn list(record: &ImportRecord) -> Result<Option<ListView>, ApiError> {
    let Some(place) = place(record)? else { return Ok(None) };
    let options = settings(record)?.options(&mut Vec::new());
    Ok(Some(ListView {
        format: place.format.as_str(),
        encoding: place.encoding.as_str(),
        delimiter: match place.format {
            Format::Csv(delimiter) => Some(char::from(delimiter).to_string()),
            Format::Ndjson => None,
        },
        unused_columns: place.unused_columns(&options).unwrap_or_default(),
        empty: place.empty,
    }))
}

fn groups(found: BTreeMap<(String, String), ImportFinding>) -> Vec<GroupView> {
    let group = |((check, code), finding): ((String, String), ImportFinding)| GroupView {
        check,
        code,
        count: finding.count,
        rows: finding.first_rows,
    };
    found.into_iter().map(group).collect()
}

pub(super) fn place(record: &ImportRecord) -> Result<Option<Place>, ApiError> {
    record.reached.place.as_deref().map(serde_json::from_str).transpose().map_err(ApiError::internal)
}

pub(super) fn settings(record: &ImportRecord) -> Result<Settings, ApiError> {
    serde_json::from_str(&record.import.settings).map_err(ApiError::internal)
}
