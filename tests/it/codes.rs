//! Generates and checks `docs/CODES.md`, the page of the error codes.

use std::fmt::Write as _;

use jiff::SignedDuration;
use ringmaster::domain::{ErrorCode, Issuer};
use ringmaster::policy::errors::{self, Reaction, Source, Span, tables};
use ringmaster::twilio::words::error_code;

/// The columns *again* and *what changes* for a reaction.
fn words(reaction: Reaction) -> (String, &'static str) {
    let after = |pause: SignedDuration| format!("after {pause:#}");
    match reaction {
        Reaction::NoPermission => ("when the consumer allows calls".into(), "permission: none"),
        Reaction::AlreadyPermanent => ("at once".into(), "permission: permanent"),
        Reaction::OptedOut => {
            ("when the consumer opts in again".into(), "person: opted out, callback declined")
        }
        Reaction::Uncallable => {
            ("when the consumer writes, calls, or after 30 days".into(), "pair: uncallable")
        }
        Reaction::WindowClosed => {
            ("with a template, or after a message".into(), "pair: service window closed")
        }
        Reaction::PausePair(pause) => (after(pause), "pair paused"),
        Reaction::ConnectedUsedUp => {
            ("when the oldest connected call leaves the window".into(), "pair paused")
        }
        Reaction::RequestsUsedUp => ("when the oldest request leaves the window".into(), "pair paused"),
        Reaction::PauseSender(pause) => (after(pause) + ", longer if it repeats", "sender paused"),
        Reaction::PauseAccount(pause) => (after(pause) + ", longer if it repeats", "account paused"),
        Reaction::PauseContent(pause) => (after(pause), "content paused; the next road where there is one"),
        Reaction::Never => ("never".into(), "callback failed"),
        Reaction::Inconclusive => ("as after no answer".into(), "counts as connected and as missed"),
        Reaction::TryAgain => ("after the usual delay".into(), "nothing"),
        Reaction::RepeatOnce(pause) => (after(pause) + ", once", "nothing; the second time callback failed"),
        Reaction::Unknown => ("after the usual delay, once".into(), "nothing; then callback failed"),
    }
}

/// The same for messages of a page, which has no pair: most failures end the road for the callback, not the callback
/// (`scheduler/messages.rs`).
fn words_of_page(reaction: Reaction) -> (String, &'static str) {
    let after = |pause: SignedDuration| format!("after {pause:#}, longer if it repeats");
    match reaction {
        Reaction::PauseSender(pause) | Reaction::PauseAccount(pause) => (after(pause), "page paused"),
        Reaction::WindowClosed => ("when the person writes to the page".into(), "window of the page closed"),
        Reaction::OptedOut => words(reaction),
        Reaction::Never => ("never".into(), "the next road; without one, callback failed"),
        _ => ("not by this road".into(), "the next road"),
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Error codes\n\nWhat ringmaster does about the error codes of the platforms.\n\
         This page is made from `src/policy/errors/`; change it there and run the tests with `UPDATE_CODES=1`.\n\
         *Fault* is whose fault it is, *tell* is who can do something about it.\n\
         Meanings come from the sources. The other columns are our conclusions, which no platform publishes.\n\n\
         A code in no table is repeated once, after the usual delay, and shown as unknown.\n\
         The same one at three different consumers of a sender within ten minutes is not a fault of theirs: the sender (on \
         Messenger the page) is paused for an hour, longer if it repeats.\n\
         A create that is answered with 408, 425 or 5xx is never repeated before a lookup.\n",
    );
    for issuer in Issuer::ALL {
        let name = match issuer {
            Issuer::Twilio => "Twilio",
            Issuer::Meta => "Meta (WhatsApp)",
            Issuer::Messenger => "Meta (Messenger)",
        };
        write!(page, "\n## {name}\n\n| code | meaning | fault | again | what changes | tell | what the operator does | source |\n|---|---|---|---|---|---|---|---|\n").unwrap();
        let mut rows: Vec<_> = tables(issuer).iter().copied().flatten().collect();
        rows.sort_by_key(|row| row.codes[0].first);
        for row in rows {
            let code = |span: &Span| match span.first == span.last {
                true => span.first.to_string(),
                false => format!("{}–{}", span.first, span.last),
            };
            let codes: Vec<_> = row.codes.iter().map(code).collect();
            let of_page = issuer == Issuer::Messenger;
            let (again, changes) = if of_page { words_of_page(row.reaction) } else { words(row.reaction) };
            let Source { title, as_of } = row.source;
            writeln!(
                page,
                "| {} | {} | {} | {again} | {changes} | {} | {} | {title}, {as_of} |",
                codes.join(", "),
                row.meaning.replace('<', "&lt;"),
                row.fault.as_str(),
                row.tell.as_str(),
                row.advice,
            )
            .unwrap();
        }
    }
    page
}

#[test]
fn the_page_of_codes_equals_the_tables() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/CODES.md");
    let page = page();
    if std::env::var_os("UPDATE_CODES").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page, "docs/CODES.md differs from the tables; run this test with UPDATE_CODES=1");
}

fn code(answer: &serde_json::Value) -> ErrorCode {
    error_code(u32::try_from(answer["code"].as_u64().unwrap()).unwrap())
}

/// Answers to creates from the field: a fault of the configuration belongs to the operator, is tried once, and has a
/// meaning for the timeline.
#[test]
fn answers_from_the_field_are_understood() {
    let answers: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../cases/11-error-codes-unknown/answers.json")).unwrap();
    for answer in answers {
        let code = code(&answer);
        assert_eq!(errors::reaction_to_code(code), Reaction::Never, "{code}");
        assert!(errors::is_for_operator(code) && errors::meaning(code).is_some(), "{code}");
    }
    let stopped: serde_json::Value =
        serde_json::from_str(include_str!("../cases/05-opt-out-21610/answer-400.json")).unwrap();
    assert_eq!(errors::reaction_to_code(code(&stopped)), Reaction::OptedOut);
}
