//! A plot of a report: a bar for each row, as SVG. It has classes and a style, no script and nothing from elsewhere, and is
//! readable on light and on dark paper. Each bar is named and has its number as text.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{Cell, Table, Unit};

/// The most bars. The other rows are left out, and the plot says so.
const BARS_MAX: usize = 200;
/// In units of the plot.
const WIDTH: i64 = 960;
const NAMES: i64 = 330;
const BARS: i64 = 490;
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
    let shown = fitting(&name, NAMES - 20);
    let length = i128::from(BARS) * i128::from(size.min(most)) / i128::from(most);
    let middle = y + 15;
    let value = row.get(plotted).map(|cell| cell.text(reveals)).filter(|text| !text.is_empty());
    let value = match (value, unit) {
        (None, _) => "none".to_owned(),
        (Some(text), Unit::Percent) => format!("{text} %"),
        (Some(text), Unit::Seconds) => format!("{text} s"),
        (Some(text), _) => text,
    };
    // A name that is cut is shown whole where the pointer rests.
    let whole = if shown == name { String::new() } else { format!("<title>{}</title>", escaped(&name)) };
    let (name, value) = (escaped(&shown), escaped(&value));
    _ = write!(
        out,
        "<text class=\"text name\" x=\"{}\" y=\"{middle}\">{whole}{name}</text>\
         <rect class=\"bar\" x=\"{NAMES}\" y=\"{}\" width=\"{length}\" height=\"14\" rx=\"2\"/>\
         <text class=\"text\" x=\"{}\" y=\"{middle}\">{value}</text>",
        NAMES - 10,
        y + 4,
        i128::from(NAMES) + length + 8
    );
}

/// So much of a text as fits into a width, with an ellipsis for the rest. The width of a character is estimated for the font
/// of the plot, from above.
fn fitting(text: &str, width: i64) -> Cow<'_, str> {
    let of = |c: char| match c {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | ' ' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | '(' | ')'
        | '-' => 5,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 13,
        c if c.is_ascii_uppercase() => 10,
        c if u32::from(c) < 0x250 => 8,
        _ => 14,
    };
    let (mut used, mut fits) = (0, 0);
    for (at, c) in text.char_indices() {
        used += of(c);
        if used + of('…') <= width {
            fits = at + c.len_utf8();
        }
        if used > width {
            return Cow::Owned(format!("{}…", text[..fits].trim_end()));
        }
    }
    Cow::Borrowed(text)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_fit_is_shortened() {
        assert_eq!(fitting("client:ana", 310), "client:ana");
        let id = "cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f";
        assert_eq!(fitting(id, 310), id, "an id of ours fits");
        let long = fitting("Natal e Ano Novo: clientes de São Paulo e Rio", 310);
        assert!(long.starts_with("Natal e Ano Novo: ") && long.ends_with('…'), "{long}");
        assert_eq!(fitting(&"漢".repeat(30), 310), format!("{}…", "漢".repeat(21)));
        assert_eq!(fitting("W", 3), "…");
    }
}
