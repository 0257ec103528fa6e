//! Errors of commands: one line with the error, and hints about what to do.

use std::fmt::Display;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// An error with its hints. Its causes are in the same line.
#[derive(Debug, thiserror::Error)]
#[error("{error:#}")]
struct Hinted {
    error: anyhow::Error,
    hints: Vec<String>,
}

/// Adds what the operator can do about an error.
pub(super) trait Hint<T> {
    fn hint<H: Into<String>>(self, hint: H) -> anyhow::Result<T>;
    fn hints<I: IntoIterator<Item = String>>(self, hints: I) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> Hint<T> for Result<T, E> {
    fn hint<H: Into<String>>(self, hint: H) -> anyhow::Result<T> {
        self.map_err(|error| hinted(error.into(), vec![hint.into()]))
    }

    fn hints<I: IntoIterator<Item = String>>(self, hints: I) -> anyhow::Result<T> {
        self.map_err(|error| hinted(error.into(), hints.into_iter().collect()))
    }
}

/// An error with hints, without a cause.
pub(super) fn refusal<T>(
    what: impl Display,
    hints: impl IntoIterator<Item = impl Into<String>>,
) -> anyhow::Result<T> {
    Err(hinted(anyhow::anyhow!("{what}"), hints.into_iter().map(Into::into).collect()))
}

fn hinted(error: anyhow::Error, hints: Vec<String>) -> anyhow::Error {
    anyhow::Error::new(Hinted { error, hints })
}

/// An error with an exit code of its own.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(super) struct Exit {
    pub(super) what: String,
    pub(super) code: u8,
}

/// The exit code of a command that ended with this error.
pub(super) fn exit_code(error: &anyhow::Error) -> u8 {
    error.downcast_ref::<Exit>().map_or(1, |exit| exit.code)
}

/// Whether the reader of the output is gone, as with `| head`.
pub(super) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Writes `error: ...`, and a line `hint: ...` for each hint.
pub(super) fn write(error: &anyhow::Error, out: &mut dyn Write) -> io::Result<()> {
    let hints = error.downcast_ref::<Hinted>().map(|hinted| hinted.hints.as_slice()).unwrap_or_default();
    writeln!(out, "{ERROR}error:{ERROR:#} {}", one_line(&without_echo(&format!("{error:#}"))))?;
    hints.iter().try_for_each(|hint| writeln!(out, "{HINT}hint:{HINT:#} {}", one_line(hint)))
}

/// A cause that begins with the sentence before it says that sentence once.
fn without_echo(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut parts = text.split(": ").peekable();
    while let Some(part) = parts.next() {
        let echo =
            parts.peek().and_then(|next| next.get(..part.len()).map(|start| (start, &next[part.len()..])));
        if echo.is_some_and(|(start, rest)| {
            start.eq_ignore_ascii_case(part) && !rest.starts_with(char::is_alphanumeric)
        }) {
            continue;
        }
        if !kept.is_empty() {
            kept.push_str(": ");
        }
        kept.push_str(part);
    }
    kept
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    fn written(error: &anyhow::Error) -> String {
        let mut out = Vec::new();
        write(error, &mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn an_error_is_one_line_with_its_causes() {
        let error = anyhow::anyhow!("disk\n  full").context("the file cannot be written");
        assert_eq!(written(&error), "error: the file cannot be written: disk; full\n");
    }

    #[test]
    fn a_sentence_that_its_cause_repeats_is_told_once() {
        let told = |title: &str, detail: &str| written(&anyhow::anyhow!("{title}: {detail}"));
        let several = "several open callbacks have this reference";
        assert_eq!(
            told(several, &format!("{several}; give the id")),
            format!("error: {several}; give the id\n")
        );
        assert_eq!(told("the store", "The store"), "error: The store\n");
        assert_eq!(told("the store", "the stored row"), "error: the store: the stored row\n");
        assert_eq!(told("rm.db: line 2", "line 21"), "error: rm.db: line 2: line 21\n");
    }

    #[test]
    fn hints_survive_a_context_that_is_added_later() {
        let error = refusal::<()>("no such row", ["look again"]).context("the list").unwrap_err();
        assert_eq!(written(&error), "error: the list: no such row\nhint: look again\n");
    }

    #[test]
    fn a_closed_pipe_is_found_below_hints_and_contexts() {
        let broken = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(&anyhow::Error::new(broken).context("written")));
        assert!(!is_closed_pipe(&anyhow::anyhow!("other")));
    }
}
