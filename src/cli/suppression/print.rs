//! The daemon's answers about suppression, for a terminal.

use std::io::Write;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::cli::table::{Rows, name, plain, second, standing};

#[derive(Deserialize)]
struct Added {
    list: String,
    scope: String,
    added: Option<u64>,
    known: Option<u64>,
    withdrawn: Option<Withdrawn>,
}

#[derive(Deserialize)]
pub(super) struct Withdrawn {
    pub(super) count: u64,
    pub(super) at_least: bool,
}

impl std::fmt::Display for Withdrawn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", if self.at_least { "at least " } else { "" }, self.count)
    }
}

#[derive(Deserialize)]
struct Found {
    suppressed: bool,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    list: String,
    scope: String,
    purposes: Vec<String>,
    added_at: Timestamp,
    expires_at: Option<Timestamp>,
    why: Option<String>,
    in_force: bool,
}

#[derive(Deserialize)]
struct Page {
    lists: Vec<List>,
}

#[derive(Deserialize)]
struct List {
    list: String,
    #[serde(default)]
    version: String,
    purposes: Vec<String>,
    entries: u64,
    valid_until: Option<Timestamp>,
    past_its_term: bool,
    complete_at: Option<Timestamp>,
}

pub(super) fn added(answer: Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let Added { list, scope, added, known, withdrawn } = serde_json::from_value(answer)?;
    let mut rows = Rows::new(&[]);
    rows.push([name("list"), plain(format!("{list} ({scope})"))]);
    if let (Some(added), Some(known)) = (added, known) {
        rows.push([name("added"), plain(format!("{added}, and {known} were there already"))]);
    }
    if let Some(withdrawn) = withdrawn {
        rows.push([name("withdrawn"), plain(format!("{withdrawn} waiting orders"))]);
    }
    Ok(rows.write(out)?)
}

pub(super) fn removed(answer: Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let list = answer["list"].as_str().unwrap_or_default();
    match answer["removed"].as_u64() {
        Some(count) => writeln!(out, "{count} entries of {list} removed")?,
        None => writeln!(out, "removed from {list}")?,
    }
    Ok(())
}

pub(super) fn found(answer: Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let Found { suppressed, entries } = serde_json::from_value(answer)?;
    writeln!(out, "{}", if suppressed { "suppressed" } else { "not suppressed" })?;
    if entries.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new(&["list", "scope", "purposes", "added", "ends", "why"]);
    for entry in entries {
        let ends = match (entry.expires_at, entry.in_force) {
            (None, _) => "-".to_owned(),
            (Some(at), true) => second(at),
            (Some(at), false) => format!("{} (ended)", second(at)),
        };
        rows.push([
            name(entry.list),
            standing(&entry.scope),
            plain(all_or(&entry.purposes)),
            plain(second(entry.added_at)),
            plain(ends),
            plain(entry.why.unwrap_or_else(|| "-".to_owned())),
        ]);
    }
    Ok(rows.write(out)?)
}

pub(super) fn lists(answer: Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let Page { lists } = serde_json::from_value(answer)?;
    if lists.is_empty() {
        return Ok(writeln!(out, "nobody is suppressed")?);
    }
    let mut rows = Rows::new(&["list", "version", "entries", "purposes", "valid until", "state"]);
    for list in lists {
        let state = match (list.past_its_term, list.complete_at, list.version.is_empty()) {
            (true, ..) => "past its term",
            (false, None, false) => "incomplete",
            _ => "in force",
        };
        rows.push([
            name(list.list),
            plain(if list.version.is_empty() { "-" } else { &list.version }),
            plain(list.entries),
            plain(all_or(&list.purposes)),
            plain(list.valid_until.map_or_else(|| "-".to_owned(), second)),
            standing(state),
        ]);
    }
    Ok(rows.write(out)?)
}

fn all_or(purposes: &[String]) -> String {
    if purposes.is_empty() { "all".to_owned() } else { purposes.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(print: fn(Value, &mut dyn Write) -> anyhow::Result<()>, answer: Value) -> String {
        let mut out = Vec::new();
        print(answer, &mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn what_was_added_is_told_with_what_is_withdrawn() {
        let mut answer = json!({"list": "house", "scope": "all", "added": 2, "known": 1,
            "withdrawn": {"count": 3, "at_least": false}});
        insta::assert_snapshot!(shown(added, answer.clone()), @r"
        list       house (all)
        added      2, and 1 were there already
        withdrawn  3 waiting orders
        ");
        answer["withdrawn"] = json!({"count": 10_000, "at_least": true});
        assert!(shown(added, answer.clone()).contains("at least 10000 waiting orders"));
        answer["withdrawn"] = Value::Null;
        assert!(!shown(added, answer).contains("withdrawn"));
        assert_eq!(shown(removed, json!({"list": "house", "removed": 2})), "2 entries of house removed\n");
        assert_eq!(shown(removed, json!({"list": "house"})), "removed from house\n");
    }

    #[test]
    fn a_check_tells_each_entry_and_whether_it_has_ended() {
        assert_eq!(shown(found, json!({"suppressed": false, "entries": []})), "not suppressed\n");
        let entry = |list: &str, more: Value| {
            let mut entry = json!({"list": list, "scope": "all", "purposes": [], "added_at": "2026-11-23T12:00:00Z",
                "in_force": true});
            entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            entry
        };
        let entries = json!([
            entry("house", json!({"why": "asked", "expires_at": "2026-11-22T12:00:00Z", "in_force": false})),
            entry("imported:register", json!({"purposes": ["marketing"]})),
        ]);
        insta::assert_snapshot!(shown(found, json!({"suppressed": true, "entries": entries})), @r"
        suppressed
        list               scope  purposes   added                 ends                          why
        house              all    all        2026-11-23T12:00:00Z  2026-11-22T12:00:00Z (ended)  asked
        imported:register  all    marketing  2026-11-23T12:00:00Z  -                             -
        ");
    }

    #[test]
    fn lists_show_their_term_and_whether_they_are_whole() {
        assert_eq!(shown(lists, json!({"lists": []})), "nobody is suppressed\n");
        let list = |version: &str, past, complete: Value| {
            json!({"list": "imported:register", "version": version, "purposes": ["marketing"], "entries": 7,
                "past_its_term": past, "valid_until": "2026-12-01T00:00:00Z", "complete_at": complete})
        };
        let house = json!({"list": "house", "purposes": [], "entries": 2, "past_its_term": false});
        let whole = json!("2026-11-01T00:00:00Z");
        let all = json!([
            house,
            list("1", true, whole.clone()),
            list("2", false, Value::Null),
            list("3", false, whole)
        ]);
        insta::assert_snapshot!(shown(lists, json!({"lists": all})), @r"
        list               version  entries  purposes   valid until           state
        house              -        2        all        -                     in force
        imported:register  1        7        marketing  2026-12-01T00:00:00Z  past its term
        imported:register  2        7        marketing  2026-12-01T00:00:00Z  incomplete
        imported:register  3        7        marketing  2026-12-01T00:00:00Z  in force
        ");
    }
}
