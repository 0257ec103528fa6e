//! The output of a running demo: a table that is redrawn in place on a terminal, and a line for each change
//! elsewhere.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;

use crate::cli::table::second;

/// One callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub id: String,
    /// The number, with the middle masked.
    pub consumer: String,
    /// The outcome of a closed callback, the status of others.
    pub standing: &'static str,
    pub attempts: u32,
    /// The sentence of its reason.
    pub why: String,
}

/// The size of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub columns: usize,
    /// The maximum number of rows; the last one may be the number of further ones.
    pub rows: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self { columns: 110, rows: 20 }
    }
}

const CLEAR_LINE: &str = "\u{1b}[K";
const CLEAR_BELOW: &str = "\u{1b}[J";
/// The width of the columns before the reasons.
const BEFORE_WHY: usize = 18 + 11 + 7;

/// The lines of the screen, without cursor movements.
#[must_use]
pub fn screen(now: Timestamp, rows: &[Row], size: Size) -> Vec<String> {
    let mut lines = vec![headline(now, rows)];
    let dim = Style::new().dimmed();
    lines.push(format!("{dim}{:<18}{:<11}{:<7}why{dim:#}", "consumer", "status", "calls"));
    let shown = if rows.len() > size.rows { size.rows.saturating_sub(1) } else { rows.len() };
    let mut order: Vec<&Row> = rows.iter().collect();
    if shown < rows.len() {
        // Open callbacks first.
        order.sort_by_key(|row| rank(row.standing));
    }
    lines.extend(order[..shown].iter().map(|row| line(row, size.columns)));
    if shown < rows.len() {
        lines.push(format!("{dim}and {} more{dim:#}", rows.len() - shown));
    }
    lines
}

fn headline(now: Timestamp, rows: &[Row]) -> String {
    let mut counts: BTreeMap<(u8, &str), usize> = BTreeMap::new();
    for row in rows {
        *counts.entry((rank(row.standing), row.standing)).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|((_, word), count)| format!("{count} {word}")).collect();
    let bold = Style::new().bold();
    format!("{bold}{}{bold:#}  {}", second(now), counts.join(", "))
}

fn line(row: &Row, columns: usize) -> String {
    let style = style(row.standing);
    let why = cut(&row.why, columns.saturating_sub(BEFORE_WHY));
    format!("{:<18}{style}{:<11}{style:#}{:<7}{why}", row.consumer, row.standing, row.attempts)
}

const fn rank(standing: &str) -> u8 {
    match standing.as_bytes() {
        b"calling" => 0,
        b"waiting" => 1,
        _ => 2,
    }
}

fn style(standing: &str) -> Style {
    match standing {
        "calling" => AnsiColor::Cyan.on_default().bold(),
        "waiting" => Style::new(),
        "reached" => AnsiColor::Green.on_default(),
        "failed" => AnsiColor::Red.on_default(),
        _ => AnsiColor::Yellow.on_default(),
    }
}

fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(columns.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

/// Shows the rows repeatedly.
#[derive(Debug)]
pub struct Live<W: Write> {
    out: W,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Has the number of lines on the screen.
    Terminal { size: Size, lines: usize },
    /// Has the last line about each callback.
    Lines { told: BTreeMap<String, (&'static str, String)> },
}

impl<W: Write> Live<W> {
    /// Redraws in place, for a terminal with ANSI sequences.
    pub const fn on_terminal(out: W, size: Size) -> Self {
        Self { out, kind: Kind::Terminal { size, lines: 0 } }
    }

    /// Writes a line for each change, for files, pipes and logs.
    pub const fn as_lines(out: W) -> Self {
        Self { out, kind: Kind::Lines { told: BTreeMap::new() } }
    }

    /// # Errors
    /// If it cannot be written.
    pub fn show(&mut self, now: Timestamp, rows: &[Row]) -> io::Result<()> {
        let mut text = String::new();
        match &mut self.kind {
            Kind::Terminal { size, lines } => {
                let screen = screen(now, rows, *size);
                if *lines > 0 {
                    let _ = write!(text, "\u{1b}[{lines}A");
                }
                for line in &screen {
                    let _ = writeln!(text, "{line}{CLEAR_LINE}");
                }
                text.push_str(CLEAR_BELOW);
                *lines = screen.len();
            }
            Kind::Lines { told } => {
                for row in rows {
                    let news = (row.standing, row.why.clone());
                    if told.get(&row.id) != Some(&news) {
                        let at = second(now);
                        let _ = writeln!(text, "{at} {} {:<9} {}", row.consumer, row.standing, row.why);
                        told.insert(row.id.clone(), news);
                    }
                }
            }
        }
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// The writer, for the output below the table.
    pub fn into_inner(self) -> W {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u32, standing: &'static str, why: &str) -> Row {
        let (consumer, why) = (format!("+44********{number:02}"), why.to_owned());
        Row { id: format!("cb_{number}"), consumer, standing, attempts: 1, why }
    }

    fn now() -> Timestamp {
        "2026-11-21T12:00:00.7Z".parse().unwrap()
    }

    fn plain(lines: &[String]) -> Vec<String> {
        lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect()
    }

    #[test]
    fn the_screen_counts_the_callbacks_and_keeps_the_order() {
        let rows =
            [row(1, "reached", "Spoken to."), row(2, "waiting", "Asked."), row(3, "calling", "Rings.")];
        let lines = plain(&screen(now(), &rows, Size::default()));
        assert_eq!(
            lines,
            [
                "2026-11-21T12:00:00Z  1 calling, 1 waiting, 1 reached",
                "consumer          status     calls  why",
                "+44********01     reached    1      Spoken to.",
                "+44********02     waiting    1      Asked.",
                "+44********03     calling    1      Rings.",
            ]
        );
    }

    #[test]
    fn a_small_screen_shows_calls_first_and_counts_the_rest() {
        let rows: Vec<Row> =
            (1..=5).map(|number| row(number, if number == 5 { "calling" } else { "reached" }, "x")).collect();
        let lines = plain(&screen(now(), &rows, Size { columns: 80, rows: 3 }));
        assert_eq!(lines.len(), 2 + 3);
        assert!(lines[2].contains("calling"), "{lines:?}");
        assert_eq!(lines[4], "and 3 more");
    }

    #[test]
    fn a_long_reason_is_cut_at_the_edge() {
        let lines = plain(&screen(now(), &[row(1, "waiting", "äöü is long")], Size { columns: 41, rows: 9 }));
        assert_eq!(lines[2].chars().count(), 41);
        assert!(lines[2].ends_with("äöü …"), "{lines:?}");
    }

    #[test]
    fn a_terminal_is_redrawn_in_place() {
        let mut live = Live::on_terminal(Vec::new(), Size::default());
        live.show(now(), &[row(1, "waiting", "a"), row(2, "waiting", "b")]).unwrap();
        live.show(now(), &[row(1, "waiting", "a")]).unwrap();
        let text = String::from_utf8(live.into_inner()).unwrap();
        assert!(!text.starts_with("\u{1b}[4A"));
        assert_eq!(text.matches("\u{1b}[4A").count(), 1);
        assert!(text.ends_with(CLEAR_BELOW));
    }

    #[test]
    fn other_outputs_get_only_changes() {
        let mut live = Live::as_lines(Vec::new());
        live.show(now(), &[row(1, "waiting", "Asked."), row(2, "waiting", "Asked.")]).unwrap();
        live.show(now(), &[row(1, "waiting", "Asked."), row(2, "calling", "Rings.")]).unwrap();
        let text = String::from_utf8(live.into_inner()).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(text.ends_with("+44********02 calling   Rings.\n") && !text.contains('\u{1b}'), "{text}");
    }
}
