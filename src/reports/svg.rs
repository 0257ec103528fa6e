//! A plot of a report: a bar for each row, as SVG. It has classes and a style, no script and nothing from elsewhere, and is
//! readable on light and on dark paper. Each bar is named and has its number as text.

use std::fmt::Write as _;

use super::{Cell, Table, Unit};

/// The most bars. The other rows are left out, and the plot says so.
const BARS_MAX: usize = 200;
/// The longest name of a bar, in characters.
const NAME_MAX: usize = 40;
/// In units of the plot.
const WIDTH: i64 = 900;
const NAMES: i64 = 250;
const BARS: i64 = 520;
const LINE: i64 = 22;
const TOP: i64 = 70;

const STYLE: &str = "\
.paper{fill:#ffffff}.text{fill:#1a1a1a;font:13px system-ui,sans-serif}.title{font-weight:600;font-size:16px}\
.note{fill:#555555}.bar{fill:#2f6f9f}.name{text-anchor:end}\
@media (prefers-color-scheme:dark){.paper{fill:#16191d}.text{fill:#e8e8e8}.note{fill:#aaaaaa}.bar{fill:#6fb1de}}";

/// The plot of the table's column.
#[must_use]
pub fn svg(table: &Table, reveals: bool) -> String {
    let column = table.columns.get(table.plotted).or(table.columns.last());
    let unit = column.map_or(Unit::Count, |column| column.unit);
    let shown = table.rows.get(..BARS_MAX).unwrap_or(&table.rows);
    let size = |row: &Vec<Cell>| row.get(table.plotted).and_then(Cell::size).unwrap_or(0).max(0);
    // A whole share is the whole width, so that plots can be compared.
    let most = match unit {
        Unit::Percent => 1_000,
        _ => shown.iter().map(size).max().unwrap_or(0).max(1),
    };
    let lines = i64::try_from(shown.len()).unwrap_or(0).max(1);
    let height = TOP + lines * LINE + 30;
    let title = title(table, column.map_or("", |column| column.name));
    let mut out = String::new();
    _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" aria-label=\"{}\"><style>{STYLE}</style><rect class=\"paper\" width=\"100%\" height=\"100%\"/>",
        escaped(&title)
    );
    _ = write!(out, "<text class=\"text title\" x=\"20\" y=\"30\">{}</text>", escaped(&title));
    _ = write!(out, "<text class=\"text note\" x=\"20\" y=\"52\">{}</text>", escaped(table.report.about()));
    for (place, row) in (0_i64..).zip(shown) {
        bar(&mut out, TOP + place * LINE, row, table.plotted, (size(row), most), (unit, reveals));
    }
    let foot = match (table.rows.len(), shown.len()) {
        (0, _) => "There are no rows.".to_owned(),
        (all, shown) if all > shown => format!("The first {shown} of {all} rows."),
        _ => String::new(),
    };
    _ = write!(
        out,
        "<text class=\"text note\" x=\"20\" y=\"{}\">{}</text></svg>",
        height - 12,
        escaped(&foot)
    );
    out
}

fn title(table: &Table, column: &str) -> String {
    let what = format!("{}: {column} by {}", table.report.as_str(), table.by.as_str());
    match &table.span {
        Some(span) => {
            format!("{what}, {} to {} ({})", span.first, span.last, span.zone.iana_name().unwrap_or("UTC"))
        }
        None => format!("{what}, now"),
    }
}

fn bar(
    out: &mut String,
    y: i64,
    row: &[Cell],
    plotted: usize,
    (size, most): (i64, i64),
    (unit, reveals): (Unit, bool),
) {
    let name: String = row.first().map(|cell| cell.text(reveals)).unwrap_or_default();
    let cut = if name.chars().count() > NAME_MAX { "…" } else { "" };
    let name: String = name.chars().take(NAME_MAX).collect();
    let length = i128::from(BARS) * i128::from(size.min(most)) / i128::from(most);
    let middle = y + 15;
    let value = row.get(plotted).map(|cell| cell.text(reveals)).filter(|text| !text.is_empty());
    let value = match (value, unit) {
        (None, _) => "none".to_owned(),
        (Some(text), Unit::Percent) => format!("{text} %"),
        (Some(text), Unit::Seconds) => format!("{text} s"),
        (Some(text), _) => text,
    };
    let (name, value) = (escaped(&name), escaped(&value));
    _ = write!(
        out,
        "<text class=\"text name\" x=\"{}\" y=\"{middle}\">{name}{cut}</text>\
         <rect class=\"bar\" x=\"{NAMES}\" y=\"{}\" width=\"{length}\" height=\"14\" rx=\"2\"/>\
         <text class=\"text\" x=\"{}\" y=\"{middle}\">{value}</text>",
        NAMES - 10,
        y + 4,
        i128::from(NAMES) + length + 8
    );
}

/// As text of XML. Characters that XML does not have are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {}
            c => out.push(c),
        }
    }
    out
}
