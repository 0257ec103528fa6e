//! The error for a wrong command line: the flag, the fault and an example, in one line.

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command, Error};

/// Example values by the name of the flag or of its value. A flag with a default or possible values needs no example.
const EXAMPLES: [(&str, &str); 91] = [
    ("ATTEMPT", "at_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"),
    ("NODE", "calls-1"),
    ("NUMBER", "+5511987654321"),
    ("WHEN", "+2h"),
    ("LEVEL", "urgent"),
    ("PURPOSE", "service"),
    ("ACCOUNT=PSID", "shop=1234567890123456"),
    ("INVITE", "inv_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"),
    ("ORDER", "cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"),
    ("IMAGE", "link.png"),
    ("NAME=VALUE", "name=Ana"),
    ("JSON", "'{\"ticket\": 17}'"),
    ("KEY", "import-7"),
    ("IMPORT", "imp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"),
    ("EVENT", "0"),
    ("BULK", "bk_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"),
    ("CODE", "window.outside_hours"),
    ("LINE", "callback.closed"),
    ("FILE", "callbacks.ndjson"),
    ("URL", "https://calls.example.com"),
    ("DURATION", "30d"),
    ("CALLBACK", "cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"),
    ("ID", "at_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"),
    ("ITEM", "sa_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"),
    ("PAGE", "1234567890"),
    ("CAMPAIGN", "cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"),
    ("PAUSE", "ps_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"),
    ("ACCOUNT", "main"),
    ("CONTENT", "HX0123456789abcdef0123456789abcdef"),
    ("why", "'the agents are in a meeting'"),
    ("DOCUMENT", "message"),
    ("NAME", "crm"),
    ("PATH", "twiml/"),
    ("DIR", "twiml/"),
    ("SCOPE,...", "order,read"),
    ("mark", "5f2b8c01"),
    ("token", "rm_..."),
    ("COUNT", "3"),
    ("TURNS", "20"),
    ("FACTOR", "60"),
    ("COUNTRY", "BR"),
    ("REGISTER", "nao-me-perturbe"),
    ("PLAYS", "50"),
    ("receipt", "8812"),
    ("submitted", "submit.txt"),
    ("checked_at", "2026-11-24T09:00:00-03:00"),
    ("RULE", "close"),
    ("CALENDAR", "BR-SP"),
    ("DAY", "2026-12-24"),
    ("REPORT", "answer-rate"),
    ("ZONE", "America/Sao_Paulo"),
    ("BREAKDOWN", "day"),
    ("SENDER", "991234"),
    ("TOKEN_FILE", "token.txt"),
    ("SECONDS", "30"),
    ("SINCE", "2026-11-22T09:00:00-03:00"),
    ("DISPOSITION", "call_again"),
    ("AGENT", "alice"),
    ("PERSON", "ana"),
    ("ROLE", "supervisor"),
    ("BOUND", "campaign:spring"),
    ("WHO", "person/ana"),
    ("WHAT", "sign_in"),
    ("object", "cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"),
    ("FORMAT", "csv"),
    ("assigned_agent", "client:alice"),
    ("hours", "'mon-fri 9:00-18:00 @America/Sao_Paulo'"),
    ("agent", "client:alice"),
    ("pool", "support"),
    ("SECONDS", "60"),
    ("document", "dial-client"),
    ("campaign", "renewals"),
    ("reference", "ticket-17"),
    ("reason", "'she asked by mail'"),
    ("note", "'seen in the console'"),
    ("sid", "CA00000000000000000000000000000001"),
    ("callback", "cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"),
    ("config", "ringmaster.toml"),
    ("seed", "42"),
    ("seeds", "1000"),
    ("LIST", "imported:register"),
    ("mapping", "Contato=consumer"),
    ("default_country", "BR"),
    ("delimiter", "semicolon"),
    ("encoding", "utf-16le"),
    ("version", "2026-11"),
    ("source", "'the export of the register'"),
    ("user_id", "BR.1234567890"),
    ("consent_source", "'the web form'"),
    ("consent_text", "2026-07"),
    ("consent_at", "2026-11-02T09:30:00-03:00"),
];

/// The fault in one line. `words` is the command line without the program.
pub(super) fn one_line(error: &Error, root: &Command, words: &[String]) -> String {
    let (path, command) = named(root, words);
    if let Some(told) = refused_minus(error, command, words) {
        return told;
    }
    let fault = fault(&error.render().to_string());
    let example = example_of_flags(error, command).unwrap_or_else(|| example_of_command(command, &path));
    format!("{fault}; for example: {example}")
}

/// A value that begins with a minus sign, which the parser takes for a flag.
fn refused_minus(error: &Error, command: &Command, words: &[String]) -> Option<String> {
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else { return None };
    let is_number = unknown.strip_prefix('-')?.starts_with(|c: char| c.is_ascii_digit());
    let (flag, value) =
        words.iter().zip(words.iter().skip(1)).find(|(_, value)| value.starts_with(unknown.as_str()))?;
    let example = example_of(flag, command).filter(|_| is_number && flag.starts_with("--"))?;
    Some(format!("invalid value '{value}' for '{flag}': it is below zero; for example: {example}"))
}

/// The innermost command that the words name, with its path.
fn named<'a>(root: &'a Command, words: &[String]) -> (String, &'a Command) {
    let (mut path, mut command) = (root.get_name().to_owned(), root);
    for word in words {
        let Some(inner) = command.find_subcommand(word) else { break };
        path = format!("{path} {}", inner.get_name());
        command = inner;
    }
    (path, command)
}

/// The parser's message up to the usage, on one line.
fn fault(rendered: &str) -> String {
    let mut said = String::new();
    let mut is_list = false;
    for line in rendered.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        if line.is_empty() {
            is_list = false;
            continue;
        }
        let line = line.trim_start_matches("error: ").trim_start_matches("tip: ");
        said.push_str(match said.chars().last() {
            None => "",
            Some(':') => " ",
            Some(_) if is_list => ", ",
            Some(_) if line.starts_with('[') => " ",
            Some(_) => "; ",
        });
        is_list |= said.ends_with(": ");
        said.push_str(line);
    }
    said.replace("invalid digit found in string", "expected a whole number")
        .replace("number too large to fit in target type", "the number is too large")
        .replace("number too small to fit in target type", "the number is too small")
        .replace("cannot parse integer from empty string", "expected a whole number")
}

/// The flags of the error, each with an accepted value.
fn example_of_flags(error: &Error, command: &Command) -> Option<String> {
    let flags: Vec<&str> = match error.get(ContextKind::InvalidArg)? {
        ContextValue::String(flag) => vec![flag],
        ContextValue::Strings(flags) => flags.iter().map(String::as_str).collect(),
        _ => return None,
    };
    let examples: Option<Vec<String>> = flags.into_iter().map(|flag| example_of(flag, command)).collect();
    examples.filter(|examples| !examples.is_empty()).map(|examples| examples.join(" "))
}

fn example_of(shown: &str, command: &Command) -> Option<String> {
    let arg = command.get_arguments().find(|arg| {
        let is_flag = shown
            .split([' ', '='])
            .next()
            .is_some_and(|flag| arg.get_long().is_some_and(|long| flag == format!("--{long}")));
        is_flag || (arg.is_positional() && shown.trim_matches(['<', '>', '[', ']', '.']) == value_name(arg))
    })?;
    let value = value_of(arg)?;
    Some(arg.get_long().map_or_else(|| value.clone(), |long| format!("--{long} {value}")))
}

fn value_name(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    names.first().map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string)
}

/// An accepted value of the flag, if one is known.
fn value_of(arg: &Arg) -> Option<String> {
    if !arg.get_action().takes_values() {
        return None;
    }
    let default = arg.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
    let possible = || arg.get_possible_values().first().map(|value| value.get_name().to_owned());
    let by =
        |name: &str| EXAMPLES.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    default.or_else(possible).or_else(|| by(arg.get_id().as_str())).or_else(|| by(&value_name(arg)))
}

/// The command's own example, or how to see all of them.
fn example_of_command(command: &Command, path: &str) -> String {
    let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let example = help.lines().map(str::trim).find(|line| line.starts_with("ringmaster "));
    example.map_or_else(|| format!("{path} --help"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;
    use clap::{CommandFactory as _, Parser as _};

    use super::super::Cli;
    use super::*;

    fn told(words: &[&str]) -> String {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        let line = std::iter::once("ringmaster".to_owned()).chain(words.iter().cloned());
        one_line(&Cli::try_parse_from(line).unwrap_err(), &Cli::command(), &words)
    }

    #[test]
    fn the_flag_the_fault_and_an_example_are_in_one_line() {
        for (words, expected) in [
            (
                &["list", "--limit", "0"][..],
                "invalid value '0' for '--limit <COUNT>': 0 is not in 1..=500; for example: --limit 50",
            ),
            (
                &["list", "--limit", "abc"],
                "invalid value 'abc' for '--limit <COUNT>': expected a whole number; for example: --limit 50",
            ),
            (
                &["token", "create", "crm", "--expires", "-1d"],
                "invalid value '-1d' for '--expires': it is below zero; for example: --expires +2h",
            ),
            (
                &["list", "--status", "open"],
                "invalid value 'open' for '--status <STATUS>' [possible values: waiting, calling, closed]; for \
                 example: --status waiting",
            ),
            (
                &["reschedule", "cb_1", "--latest", "tomorrow"],
                "invalid value 'tomorrow' for '--latest <WHEN>': expected a time with its offset, such as \
                 2026-11-22T09:00:00-03:00, or a duration from now, such as +2h; for example: --latest +2h",
            ),
            (
                &["enqueue"],
                "the following required arguments were not provided: --consumer <NUMBER>, --document <NAME>; for \
                 example: --consumer +5511987654321 --document dial-client",
            ),
            (
                &["lst"],
                "unrecognized subcommand 'lst'; a similar subcommand exists: 'list'; for example: ringmaster --help",
            ),
            (
                &["list", "--statsu", "x"],
                "unexpected argument '--statsu' found; a similar argument exists: '--status'; for example: \
                 ringmaster list --status waiting",
            ),
        ] {
            assert_eq!(told(words), expected, "{words:?}");
        }
    }

    /// Tries every command with one fault at a time: the error has the fault and an example in one line.
    #[test]
    fn every_fault_of_every_command_is_named_with_an_example() {
        let mut root = Cli::command();
        root.build();
        let mut without = Vec::new();
        let faults = visit(&root, &[], &mut without);
        assert!(without.is_empty(), "without an example: {without:#?}");
        assert!(faults > 300, "only {faults} faults were tried");
    }

    fn visit(command: &Command, path: &[&str], without: &mut Vec<String>) -> usize {
        check(path, &["--no-such-flag"], "--no-such-flag");
        let commands = command.get_subcommands().filter(|inner| inner.get_name() != "help");
        let mut faults = 1;
        for inner in commands {
            // There it is a file.
            if path != ["import"] {
                check(path, &["no-such-command"], "no-such-command");
            }
            faults += 1 + visit(inner, &[path, &[inner.get_name()]].concat(), without);
        }
        for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values() && !arg.is_hide_set())
        {
            faults += check_value(arg, command, path, without);
        }
        if let Err(error) = Cli::try_parse_from(std::iter::once("ringmaster").chain(path.iter().copied()))
            && error.kind() == ErrorKind::MissingRequiredArgument
        {
            let missing = command.get_arguments().filter(|arg| arg.is_required_set());
            missing.for_each(|arg| {
                check(path, &[], &arg.get_long().map_or_else(|| value_name(arg), |long| format!("--{long}")));
            });
        }
        faults
    }

    /// Whether the error has the fault and an example.
    fn check(path: &[&str], more: &[&str], named: &str) {
        let told = told(&[path, more].concat());
        assert!(told.contains(named) && !told.contains('\n'), "{path:?} {more:?}: {told}");
        let (_, example) = told.split_once("; for example: ").unwrap_or_else(|| panic!("{path:?}: {told}"));
        assert!(!example.is_empty() && !example.contains("; for example: "), "{told}");
    }

    /// Tries a flag without its value and with an invalid one, and checks that its example is accepted.
    fn check_value(arg: &Arg, command: &Command, path: &[&str], missing: &mut Vec<String>) -> usize {
        let Some(example) = value_of(arg) else {
            missing.push(format!("{path:?} {:?}", arg.get_id()));
            return 0;
        };
        let flag = arg.get_long().map(|long| format!("--{long}"));
        let value = example.trim_matches('\'');
        // A positional argument follows those before it.
        let before: Vec<String> = command
            .get_positionals()
            .take_while(|other| flag.is_none() && other.get_id() != arg.get_id())
            .filter_map(value_of)
            .collect();
        let before = before.iter().map(|value| value.trim_matches('\''));
        let line: Vec<&str> =
            path.iter().copied().chain(before).chain(flag.as_deref()).chain([value]).collect();
        if let Err(error) = Cli::try_parse_from(std::iter::once("ringmaster").chain(line)) {
            let wrong = matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue);
            assert!(!wrong, "the example of {path:?} {:?} is refused: {error}", arg.get_id());
        }
        let Some(flag) = flag else { return 0 };
        check(path, &[&flag], &flag);
        let wrong = [path, &[&flag, "\u{1}"]].concat();
        match Cli::try_parse_from(std::iter::once("ringmaster").chain(wrong)) {
            Err(error) if matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) => {
                check(path, &[&flag, "\u{1}"], &flag);
                2
            }
            // The flag accepts any text.
            _ => 1,
        }
    }
}
