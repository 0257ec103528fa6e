//! Checks that each attack of `docs/SECURITY.md` has a test, and that the tests in its table exist. This file also has
//! the tests of attacks that belong to no other topic.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::process::with_sandbox;

/// The number of attacks.
const COUNT: u32 = 22;

/// Attacks without a defence. The page marks them as `open`.
const OPEN: &[u32] = &[];

/// The rows of the table of attacks: the number of the attack, and the names of its tests.
fn table(page: &str) -> BTreeMap<u32, Vec<String>> {
    let (_, table) = page.split_once("| # | attack | tests |\n").expect("a table of attacks");
    let mut rows = BTreeMap::new();
    for row in table.lines().skip(1).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [number, _, tests] = cells[..] else { panic!("a row without three cells: {row}") };
        let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let number = number.parse().unwrap_or_else(|_| panic!("a row without a number: {row}"));
        assert!(rows.insert(number, tests).is_none(), "two rows {number}");
    }
    rows
}

/// The names of all functions with a test attribute in a source.
fn tests_in(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
            names.extend(rest.split('(').next().map(str::to_owned));
            is_test = false;
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            is_test = false;
        }
    }
    names
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The faults of a table of attacks, given the tests that exist.
fn faults(rows: &BTreeMap<u32, Vec<String>>, known: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let numbers: BTreeSet<u32> = (1..=COUNT).chain(rows.keys().copied()).collect();
    for number in numbers {
        let Some(tests) = rows.get(&number).filter(|_| number <= COUNT) else {
            faults.push(format!("attack {number}: expected one row for each of 1 to {COUNT}"));
            continue;
        };
        if tests.is_empty() != OPEN.contains(&number) {
            faults.push(format!("attack {number}: has a test, or is one of {OPEN:?}"));
        }
        for test in tests.iter().filter(|test| !known.contains(*test)) {
            faults.push(format!("attack {number}: there is no test {test}"));
        }
    }
    faults
}

#[test]
fn every_attack_has_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rows = table(&fs::read_to_string(root.join("docs/SECURITY.md")).unwrap());
    let mut files = Vec::new();
    ["src", "tests"].iter().for_each(|folder| sources(&root.join(folder), &mut files));
    let known = files.iter().flat_map(|file| tests_in(&fs::read_to_string(file).unwrap())).collect();
    let faults = faults(&rows, &known);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_row_without_an_existing_test_is_found() {
    let source = "#[test]\nfn here() {}\n#[tokio::test(start_paused = true)]\n/// Says.\nasync fn there() {}\nfn no_test() {}";
    let known = tests_in(source);
    assert_eq!(known, ["here", "there"].map(str::to_owned).into());
    let head = "| # | attack | tests |\n|---|---|---|\n";
    let row = |number: u32| match OPEN.contains(&number) {
        true => format!("| {number} | this | open |\n"),
        false => format!("| {number} | this | `here`, `there` |\n"),
    };
    let page: String = head.to_owned() + &(1..=COUNT).map(row).collect::<String>();
    let found = |page: &str| faults(&table(page), &known);
    assert_eq!(found(&page), Vec::<String>::new());
    assert_eq!(found(&page.replace("| 3 | this | `here`", "| 3 | this | `no_test`")).len(), 1);
    assert_eq!(found(&page.replace("| 3 | this | `here`, `there` |", "| 3 | this | none |")).len(), 1);
    assert_eq!(found(&page.replace(&row(3), "")).len(), 1);
    assert_eq!(found(&(page.clone() + &row(COUNT + 1))).len(), 1);
}

/// Attack 8: `token create` may be the command that creates the store.
#[test]
fn a_command_that_creates_the_store_makes_it_private() {
    let (_sandbox, program) = with_sandbox();
    let create = program.command(&["token", "create", "me"]);
    let mut lax = Command::new("sh");
    lax.args(["-c", "umask 022 && exec \"$0\" token create me"]).arg(create.get_program());
    let folder = create.get_current_dir().unwrap().to_owned();
    lax.current_dir(&folder);
    lax.envs(create.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = lax.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let of_store: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("ringmaster.db"))
        .collect();
    assert!(!of_store.is_empty());
    for path in of_store {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
}
