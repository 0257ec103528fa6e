//! Checks the licences, bans and sources of `deny.toml` for all crates of the program, also without `cargo deny`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The texts of a list in `deny.toml`. For a list of tables, the values of `crate`.
fn list(section: &str, key: &str) -> BTreeSet<String> {
    let text = read("deny.toml");
    let table = DeTable::parse(&text).unwrap();
    let section = table.get_ref().get(section).and_then(|section| section.get_ref().as_table()).unwrap();
    let list = section.get(key).and_then(|list| list.get_ref().as_array()).unwrap();
    let word = |value: &DeValue<'_>| match value {
        DeValue::Table(table) => table["crate"].get_ref().as_str().unwrap().to_owned(),
        other => other.as_str().unwrap().to_owned(),
    };
    list.iter().map(|item| word(item.get_ref())).collect()
}

/// The crates that cargo builds for this machine.
fn packages() -> Vec<Value> {
    let version = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1", "--all-features"])
        .args(["--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let metadata: Value = serde_json::from_slice(&told.stdout).unwrap();
    let in_use: BTreeSet<&str> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["id"].as_str().unwrap())
        .collect();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages.filter(|package| in_use.contains(package["id"].as_str().unwrap())).cloned().collect()
}

/// Whether an SPDX expression is satisfied by these licences. Older crates write `/` for `OR`.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let holds = any(&words, &mut at, allowed);
    assert_eq!(at, words.len(), "{expression}");
    holds
}

fn any(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut holds = all(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        holds |= all(words, at, allowed);
    }
    holds
}

fn all(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut holds = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        holds &= one(words, at, allowed);
    }
    holds
}

fn one(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    if words[*at] == "(" {
        *at += 1;
        let holds = any(words, at, allowed);
        assert_eq!(words[*at], ")");
        *at += 1;
        return holds;
    }
    let mut name = words[*at].to_owned();
    *at += 1;
    if words.get(*at) == Some(&"WITH") {
        name = format!("{name} WITH {}", words[*at + 1]);
        *at += 2;
    }
    allowed.contains(&name)
}

#[test]
fn licence_expressions_are_evaluated() {
    let allowed = BTreeSet::from(["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned));
    for (expression, holds) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("MIT/GPL-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("MIT AND (GPL-3.0 OR ISC)", true),
        ("(MIT OR GPL-3.0) AND GPL-3.0", false),
        ("GPL-3.0 OR MIT AND ISC", true),
        ("Apache-2.0", false),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
    ] {
        assert_eq!(is_allowed(expression, &allowed), holds, "{expression}");
    }
}

#[test]
fn every_crate_has_an_allowed_licence() {
    let allowed = list("licenses", "allow");
    let packages = packages();
    assert!(packages.len() > 100, "cargo told of {} crates", packages.len());
    let faults: Vec<_> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(|license| is_allowed(license, &allowed)))
        .map(|package| format!("{}: {}", package["name"], package["license"]))
        .collect();
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn no_crate_is_banned() {
    let refused = list("bans", "deny");
    assert!(!refused.is_empty());
    let lock = read("Cargo.lock");
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    assert_eq!(names.filter(|name| refused.contains(*name)).collect::<Vec<_>>(), Vec::<&str>::new());
}

/// The whole lock file, for every machine.
#[test]
fn every_crate_comes_from_an_allowed_source_with_a_checksum() {
    let registries = list("sources", "allow-registry");
    let lock = read("Cargo.lock");
    let foreign: Vec<_> = lock
        .lines()
        .filter_map(|line| line.strip_prefix("source = \"")?.strip_suffix('"'))
        .filter(|source| !source.strip_prefix("registry+").is_some_and(|url| registries.contains(url)))
        .collect();
    assert_eq!(foreign, Vec::<&str>::new());
    let count = |start: &str| lock.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(count("source = "), count("checksum = "));
    // Only our own crate has no source.
    assert_eq!(count("name = "), count("source = ") + 1);
}
