//! Inputs from the field (`tests/cases`), each sent to a whole daemon.

mod answers;
mod hours;
mod people;
mod texts;
mod uncallable;
mod urls;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::harness::{SENDER, TestDaemon};

/// A form of a case with the daemon's own account and sender, and with these values.
fn form(daemon: &TestDaemon, text: &str, values: &[(&str, &str)]) -> Vec<(String, String)> {
    let theirs = format!("whatsapp:{SENDER}");
    let own: BTreeMap<&str, &str> =
        values.iter().copied().chain([("AccountSid", daemon.account_sid())]).collect();
    form_urlencoded::parse(text.trim_end().as_bytes())
        .map(|(name, value)| {
            let value = match own.get(&*name) {
                Some(value) => (*value).to_owned(),
                None if value == "whatsapp:+442079460000" => theirs.clone(),
                None => value.into_owned(),
            };
            (name.into_owned(), value)
        })
        .collect()
}

/// The rows of a table without its comments, as cells.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split('|').map(str::trim).collect())
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path.display().to_string()) }
    }
    found
}

#[test]
fn every_case_has_its_row_and_every_input_is_read_by_a_test() {
    let readme = fs::read_to_string("tests/cases/README.md").unwrap();
    let tests: String = ["tests/it", "src"]
        .iter()
        .flat_map(|folder| files(Path::new(folder)))
        .filter(|file| file.ends_with(".rs"))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let mut faults = Vec::new();
    for entry in fs::read_dir("tests/cases").unwrap() {
        let path = entry.unwrap().path();
        let case = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !path.is_dir() {
            continue;
        }
        if !readme.contains(&format!("\n| `{case}` |")) {
            faults.push(format!("{case} has no row"));
        }
        let inputs = files(&path);
        if inputs.is_empty() {
            faults.push(format!("{case} has no input"));
        }
        let unread = inputs.iter().filter(|input| {
            let name = input.trim_start_matches("tests/");
            !tests.contains(name)
        });
        faults.extend(unread.map(|input| format!("no test reads {input}")));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
