//! What would become of the rows of a list, before it is imported: the list is read here, and the API checks its rows.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::import_report::{Group, groups};
use crate::console::acts::Posted;
use crate::console::ask::Refused;
use crate::console::asking::Asking;
use crate::console::blocks::{bar, cell, facts, nothing, thousands};
use crate::domain::Country;
use crate::import::{ListError, Mapping, Options, Report, Rows};

/// What a list says, row by row, before the API has seen it.
struct Listed {
    /// One order on each line.
    body: Vec<u8>,
    /// The row of each line.
    numbers: Vec<u32>,
    report: Report,
}

/// What the API says of the orders. Its rows are lines.
#[derive(Deserialize)]
struct Checked {
    good: u64,
    refused: Vec<Fault>,
    findings: Vec<Group>,
}

#[derive(Deserialize)]
struct Fault {
    row: usize,
    code: String,
}

/// Checks a list for a campaign; nothing is stored.
pub(super) async fn check(
    asking: &Asking,
    campaign: &str,
    entered: &Posted,
    file: Bytes,
) -> Result<Markup, Refused> {
    let options = options(campaign, entered)?;
    let listed = tokio::task::spawn_blocking(move || read(&file, options));
    let listed = listed.await.map_err(|_| unreadable("the list cannot be read"))?;
    let mut listed = listed.map_err(|error| unreadable(&error.to_string()))?;
    if !listed.numbers.is_empty() {
        let checked: Checked = asking.check_rows(std::mem::take(&mut listed.body).into()).await?;
        merge(&mut listed, &checked);
    }
    Ok(told(&listed.report))
}

fn unreadable(detail: &str) -> Refused {
    let errors = vec![("file".to_owned(), detail.to_owned())];
    Refused { errors, ..Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "The list cannot be read", detail) }
}

fn options(campaign: &str, entered: &Posted) -> Result<Options, Refused> {
    let wrong = |field: &str, detail: &str| {
        let errors = vec![(field.to_owned(), detail.to_owned())];
        Refused {
            errors,
            ..Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "The form cannot be sent", detail)
        }
    };
    let country = entered.get("default_country").map(str::trim).filter(|text| !text.is_empty());
    let default_country = country.map(|text| {
        let known = Country::parse(&text.to_ascii_uppercase()).filter(|country| country.is_known());
        known.ok_or_else(|| wrong("default_country", "expected two letters of ISO 3166, such as BR"))
    });
    let lines = entered.get("mapping").unwrap_or_default().lines().map(str::trim);
    let mapping = lines.filter(|line| !line.is_empty()).map(|line| {
        let (column, field) = line.split_once('=').unwrap_or((line, ""));
        let text = format!("{}={}", column.trim(), field.trim());
        text.parse::<Mapping>().map_err(|what| wrong("mapping", &what))
    });
    Ok(Options {
        mapping: mapping.collect::<Result<_, _>>()?,
        default_country: default_country.transpose()?,
        defaults: Map::from_iter([("campaign".to_owned(), Value::from(campaign))]),
        ..Options::default()
    })
}

fn read(file: &[u8], options: Options) -> Result<Listed, ListError> {
    let mut listed = Listed { body: Vec::new(), numbers: Vec::new(), report: Report::default() };
    for row in Rows::open(file, options)? {
        let row = row?;
        match row.order {
            Ok(order) => {
                listed.body.extend_from_slice(order.as_bytes());
                listed.body.push(b'\n');
                listed.numbers.push(row.number);
            }
            Err(faults) => {
                listed.report.refuse("list", row.number, faults.iter().map(|fault| &*fault.code));
            }
        }
    }
    Ok(listed)
}

/// Adds what the API found, with the rows of the list in place of lines.
fn merge(listed: &mut Listed, checked: &Checked) {
    let row_of = |line: usize| line.checked_sub(1).and_then(|line| listed.numbers.get(line)).copied();
    let mut refused: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for fault in &checked.refused {
        refused.entry(row_of(fault.row).unwrap_or_default()).or_default().push(&fault.code);
    }
    for (row, codes) in refused {
        listed.report.refuse("order", row, codes);
    }
    for _ in 0..checked.good {
        listed.report.accept();
    }
    for found in &checked.findings {
        let rows: Vec<u32> = found.rows.iter().filter_map(|line| row_of(*line as usize)).collect();
        listed.report.find(&found.check, &found.code, found.count, &rows);
    }
}

fn told(report: &Report) -> Markup {
    let list = |found: &BTreeMap<(String, String), crate::import::report::Group>| -> Vec<Group> {
        let group = |((check, code), group): (&(String, String), &crate::import::report::Group)| Group {
            check: check.clone(),
            code: code.clone(),
            count: group.count,
            rows: group.rows.clone(),
        };
        found.iter().map(group).collect()
    };
    let refused = report.rows.saturating_sub(report.good);
    html! {
        section id="preflight" {
            h2 { "Check: nothing is imported yet" }
            (facts(&[
                ("Rows", cell(thousands(report.rows))),
                ("Would be accepted", html! { (thousands(report.good)) " " (bar(report.good, report.rows)) }),
                ("Would be refused", cell(thousands(refused))),
            ]))
            h3 { "Rows that would be refused" }
            @if report.refused.is_empty() { (nothing("None.")) } @else { (groups("Refused rows", &list(&report.refused))) }
            h3 { "What would become of the others" }
            @if report.findings.is_empty() { (nothing("Nothing was found about them.")) } @else { (groups("Findings", &list(&report.findings))) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(pairs: &[(&str, &str)]) -> Posted {
        Posted(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn lines_of_the_api_become_rows_of_the_list() {
        let list = b"phone,reference\n+5521987650101,a\n=1,b\n+5521987650102,c\n+5521987650103,d\n";
        let mut listed = read(list, options("cmp_1", &Posted::default()).unwrap()).unwrap();
        assert_eq!((&listed.numbers[..], listed.report.refused_rows()), (&[2, 4, 5][..], 1));
        let checked: Checked = serde_json::from_value(serde_json::json!({
            "rows": 3, "good": 2,
            "refused": [{"row": 2, "field": "priority", "code": "priority.out_of_range", "detail": "x"}],
            "findings": [{"check": "permission", "code": "must_ask", "count": 2, "rows": [1, 3]}],
        }))
        .unwrap();
        merge(&mut listed, &checked);
        let report = &listed.report;
        assert_eq!((report.rows, report.good), (4, 2));
        let rows =
            |found: &BTreeMap<(String, String), crate::import::report::Group>, check: &str, code: &str| {
                found[&(check.to_owned(), code.to_owned())].rows.clone()
            };
        assert_eq!(rows(&report.refused, "order", "priority.out_of_range"), [4]);
        assert_eq!(rows(&report.findings, "permission", "must_ask"), [2, 5]);
    }

    #[test]
    fn a_wrong_column_or_country_is_named_by_its_field() {
        for (pair, field) in [
            (("mapping", "Telefone = number"), "mapping"),
            (("mapping", "x"), "mapping"),
            (("default_country", "brazil"), "default_country"),
        ] {
            let refused = options("cmp_1", &posted(&[pair])).unwrap_err();
            assert_eq!(refused.errors[0].0, field, "{pair:?}");
        }
        assert!(
            options("cmp_1", &posted(&[("mapping", "Telefone = consumer"), ("default_country", "br")]))
                .is_ok()
        );
    }
}
