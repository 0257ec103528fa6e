//! How tables are shown, and the rules of single numbers.

use jiff::tz::TimeZone;

use super::funnel::within;
use super::*;
use crate::domain::reporting::{Counts, SPEED_STEPS_S};

fn table(first: &str, cell: Cell) -> Table {
    let day = day("2026-11-23").unwrap();
    Table {
        report: Report::AnswerRate,
        by: By::Campaign,
        span: Some(Span { first: day, last: day, zone: TimeZone::UTC }),
        columns: vec![
            Column { name: "campaign", unit: Unit::Text },
            Column { name: "answered_percent", unit: Unit::Percent },
        ],
        rows: vec![vec![Cell::Text(first.to_owned()), cell]],
        total: None,
        corrections: None,
        notes: Vec::new(),
        is_cut: false,
        plotted: 1,
    }
}

#[test]
fn a_cell_of_csv_is_never_computed() {
    for (name, written) in [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM", "'@SUM"),
        ("spring", "spring"),
        ("a,b", "\"a,b\""),
    ] {
        let csv = csv(&table(name, Cell::share(-1, 2)), false).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        assert_eq!(csv, format!("campaign,answered_percent\n{written},-50.0\n"));
    }
}

#[test]
fn a_share_of_nothing_is_null_and_an_empty_cell() {
    let nothing = table("spring", Cell::share(0, 0));
    assert_eq!(json(&nothing, "USD", false)["rows"][0]["answered_percent"], serde_json::Value::Null);
    assert_eq!(csv(&nothing, false).unwrap(), b"campaign,answered_percent\nspring,\n");
    assert!(svg(&nothing, false).contains(">none<"));
}

#[test]
fn json_has_numbers_and_the_days() {
    let json = json(&table("spring", Cell::share(1, 3)), "USD", false);
    assert_eq!(json["rows"][0]["answered_percent"], serde_json::json!(33.3));
    assert_eq!((&json["from"], &json["zone"]), (&"2026-11-23".into(), &"UTC".into()));
    assert_eq!(json["closes_at"], "2026-11-26T00:00:00Z");
    assert!(json.get("currency").is_none());
}

#[test]
fn a_plot_has_text_for_each_bar_and_no_script() {
    let plot = svg(&table("<script>&\"'", Cell::share(1, 2)), false);
    assert!(plot.contains("&lt;script&gt;&amp;&quot;&#39;") && plot.contains("50.0 %"));
    assert!(!plot.contains("<script") && plot.contains("prefers-color-scheme:dark"));
    assert!(plot.contains("width=\"245\" height=\"14\""), "half of the whole width");
    let mut long = table("x", Cell::share(1, 2));
    long.rows = vec![long.rows[0].clone(); 201];
    let plot = svg(&long, false);
    assert_eq!(plot.matches("class=\"bar\"").count(), 200);
    assert!(plot.contains("The first 200 of 201 rows."));
    long.rows.clear();
    assert!(svg(&long, false).contains("There are no rows."));
}

#[test]
fn a_table_has_at_most_10000_rows_and_says_so() {
    let mut long = table("x", Cell::None);
    long.rows = vec![long.rows[0].clone(); Table::ROWS_MAX];
    assert_eq!(long.clone().bounded().notes, Vec::<String>::new());
    long.rows.push(long.rows[0].clone());
    let cut = long.bounded();
    assert_eq!((cut.rows.len(), cut.notes.len(), cut.is_cut), (Table::ROWS_MAX, 1, true));
}

#[test]
fn percentiles_are_the_upper_ends_of_steps() {
    let mut steps = Counts::default();
    assert_eq!(within(&steps, 50), Cell::None);
    steps[0] = 1;
    assert_eq!(within(&steps, 50), Cell::Seconds(SPEED_STEPS_S[0]));
    (steps[0], steps[3]) = (5, 5);
    assert_eq!((within(&steps, 50), within(&steps, 51)), (Cell::Seconds(30), Cell::Seconds(300)));
    steps[11] = 2;
    assert_eq!(within(&steps, 90), Cell::Seconds(86_400), "a number, also above the last step");
}

#[test]
fn the_rate_of_a_day_is_the_newest_one_of_its_code() {
    let rate = |prefix: Option<&str>, from: &str, per_minute| Rate {
        prefix: prefix.map(str::to_owned),
        from: day(from).unwrap(),
        per_minute,
        per_call: 0,
        per_message: 0,
    };
    let rates = Rates {
        currency: "USD".into(),
        cards: vec![
            rate(Some("55"), "2026-01-01", 1),
            rate(Some("55"), "2026-07-01", 2),
            rate(None, "2026-03-01", 9),
        ],
    };
    let on = |code: &str, on: &str| rates.on(code, day(on).unwrap()).map(|rate| rate.per_minute);
    assert_eq!(on("55", "2025-12-31"), None);
    assert_eq!((on("55", "2026-06-30"), on("55", "2026-07-01")), (Some(1), Some(2)));
    assert_eq!((on("44", "2026-02-28"), on("44", "2026-03-01")), (None, Some(9)));
}

#[test]
fn notes_are_a_bounded_text_of_a_header() {
    let mut noted = table("spring", Cell::None);
    assert_eq!(notes(&noted), None);
    noted.notes = vec!["Some calls\nhave no rate.".into(), "Só uma parte.".into()];
    assert_eq!(notes(&noted).unwrap(), "Some calls?have no rate. S? uma parte.");
    noted.notes = vec!["x".repeat(NOTES_MAX + 1)];
    assert_eq!(notes(&noted).unwrap().len(), NOTES_MAX);
}
