//! Scenarios: scripts and their expected transcripts.
//!
//! `docs/SCENARIOS.md` explains how to read and write them. `UPDATE_SCENARIOS=1` rewrites the transcripts and the titles
//! on that page.

mod agents;
mod campaigns;
mod desk;
mod expect;
mod lists;
mod meta;
mod operator;
mod pools;
mod requests;
mod roads;
mod runner;
mod setting;
mod told;
mod transcript;
mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use runner::Runner;

const FOLDER: &str = "tests/scenarios";

#[test]
fn every_scenario_gives_its_transcript() {
    let update = setting_of("UPDATE_SCENARIOS").is_some();
    let only = setting_of("SCENARIO").unwrap_or_default();
    let mut scripts: Vec<PathBuf> = fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .filter(|path| path.to_string_lossy().contains(&only))
        .collect();
    scripts.sort();
    let waiting = Mutex::new(scripts.iter());
    let faults = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(script) = waiting.lock().unwrap().next() else { return };
                    if let Err(fault) = check(script, update) {
                        faults.lock().unwrap().push(fault);
                    }
                }
            });
        }
    });
    let mut faults = faults.into_inner().unwrap();
    faults.sort();
    assert!(faults.is_empty(), "{} of {}:\n\n{}", faults.len(), scripts.len(), faults.join("\n"));
}

#[test]
fn every_transcript_has_a_script() {
    for entry in fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "out") {
            assert!(path.with_extension("txt").exists(), "{} has no script", path.display());
        }
    }
}

#[test]
fn the_page_about_scenarios_lists_every_one_with_its_title() {
    let mut page = fs::read_to_string("docs/SCENARIOS.md").unwrap();
    for entry in fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let script = fs::read_to_string(&path).unwrap();
        let title = script.lines().next().unwrap().trim_start_matches(['#', ' ']);
        let start = format!("- `{}`: ", path.display());
        let listed = page.lines().find(|line| line.starts_with(&start));
        let listed = listed.unwrap_or_else(|| panic!("docs/SCENARIOS.md has no line {start}")).to_owned();
        let expected = format!("{start}{title}");
        if setting_of("UPDATE_SCENARIOS").is_some() {
            page = page.replace(&listed, &expected);
            fs::write("docs/SCENARIOS.md", &page).unwrap();
        } else {
            assert_eq!(listed, expected, "UPDATE_SCENARIOS=1 corrects it");
        }
    }
}

#[test]
fn every_word_of_the_timeline_is_explained() {
    let page = fs::read_to_string("docs/API.md").unwrap();
    let mut found = 0;
    for entry in fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "out") {
            continue;
        }
        let transcript = fs::read_to_string(&path).unwrap();
        let lines = transcript.lines().filter_map(|line| line.split_once("  daemon ")?.1.split_once(": "));
        for word in lines.filter_map(|(_, line)| line.split_once(" - ")).map(|(word, _)| word) {
            assert!(page.contains(&format!("`{word}`")), "docs/API.md does not explain {word}");
            found += 1;
        }
    }
    assert!(found > 500, "the transcripts have only {found} lines of timelines");
}

/// Runs a script and compares its transcript. Returns the differences.
fn check(script: &Path, update: bool) -> Result<(), String> {
    let text = fs::read_to_string(script).expect("the script was found a moment ago");
    let (transcript, fault) = run(&text);
    let kept = script.with_extension("out");
    let name = script.display();
    if let Some(fault) = fault {
        return Err(format!("{name}: {fault}\n{transcript}"));
    }
    let expected = fs::read_to_string(&kept).unwrap_or_default();
    if expected == transcript {
        return Ok(());
    }
    if update {
        fs::write(&kept, transcript).expect("transcripts can be written");
        return Ok(());
    }
    Err(format!(
        "{name} gives another transcript (UPDATE_SCENARIOS=1 stores it):\n{}",
        diff(&expected, &transcript)
    ))
}

/// The transcript, and the fault that ended the scenario, if there was one.
fn run(script: &str) -> (String, Option<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut runner = Runner::default();
        for (index, line) in script.lines().enumerate() {
            if let Err(error) = runner.line(line).await {
                return (runner.transcript(), Some(format!("line {}: {line}\n  {error:#}", index + 1)));
            }
        }
        let fault = runner.end().await.err().map(|error| format!("at the end: {error:#}"));
        (runner.transcript(), fault)
    })
}

/// The removed and the added lines, with up to three lines before them.
fn diff(expected: &str, actual: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (expected.lines().collect(), actual.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = old[same..].iter().rev().zip(new[same..].iter().rev()).take_while(|(a, b)| a == b).count();
    let mut out = String::new();
    let mut add = |mark: &str, lines: &[&str]| {
        for line in lines {
            out.push_str(&format!("{mark} {line}\n"));
        }
    };
    add(" ", &old[same.saturating_sub(3)..same]);
    add("-", &old[same..old.len() - tail]);
    add("+", &new[same..new.len() - tail]);
    out
}

#[expect(clippy::disallowed_methods, reason = "this is a setting of the test, not of the daemon")]
fn setting_of(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
