//! The commands as a whole: help, examples, and what each command line is understood as.

use clap::CommandFactory as _;

use super::*;

#[test]
fn the_definition_of_the_commands_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_has_a_purpose_and_an_example() {
    fn visit(command: &clap::Command, path: &str) {
        assert!(command.get_about().is_some(), "{path} has no purpose");
        if command.has_subcommands() {
            for inner in command.get_subcommands() {
                visit(inner, &format!("{path} {}", inner.get_name()));
            }
        } else {
            let example = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            assert!(example.contains(path), "{path} has no example of itself");
        }
    }
    visit(&Cli::command(), "ringmaster");
}

#[test]
fn the_page_about_the_command_line_names_every_command_and_no_other() {
    fn visit(command: &clap::Command, path: &str, names: &mut Vec<String>) {
        if command.has_subcommands() {
            for inner in command.get_subcommands() {
                visit(inner, &format!("{path} {}", inner.get_name()), names);
            }
        }
        // Such a command does something without a command below it too.
        if !command.has_subcommands() || path == "ringmaster import" {
            names.push(path.to_owned());
        }
    }
    let page = include_str!("../../docs/CLI.md");
    let mut names = Vec::new();
    visit(&Cli::command(), "ringmaster", &mut names);
    let rows: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    for name in &names {
        assert!(rows.iter().any(|row| row.starts_with(name.as_str())), "{name} is not on the page");
    }
    assert_eq!(rows.len(), names.len(), "{rows:?}");
}

#[test]
fn every_example_is_understood() {
    fn visit(command: &clap::Command, examples: &mut Vec<String>) {
        let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        examples.extend(
            help.lines().filter_map(|line| line.trim().strip_prefix("ringmaster ").map(str::to_owned)),
        );
        command.get_subcommands().for_each(|inner| visit(inner, examples));
    }
    let mut examples = Vec::new();
    visit(&Cli::command(), &mut examples);
    examples.extend(
        include_str!("../../docs/CLI.md")
            .lines()
            .filter_map(|line| line.strip_prefix("ringmaster ").map(str::to_owned)),
    );
    assert!(examples.len() > 20, "{examples:?}");
    for example in examples {
        let line = example.split(" > ").next().unwrap().replace("'Your parcel has arrived.'", "x");
        let line = line.replace('\'', "");
        let line = line.replace("\"mon-fri 09:00-18:00 @America/Sao_Paulo except BR-SP\"", "x");
        let words = std::iter::once("ringmaster").chain(line.split_whitespace());
        let parsed = Cli::try_parse_from(words);
        assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
    }
}
