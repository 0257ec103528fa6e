//! `ringmaster import` as an operator runs it: a list from a spreadsheet, checked, ordered, corrected, and repeated after
//! a kill.

use serde_json::Value;

use crate::harness::process::{Answer, Program, Started, address, started};

const LIST: &[u8] = include_bytes!("../cases/24-csv-import/lista.csv");

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.out).unwrap_or_else(|error| panic!("{error}: {} {}", answer.out, answer.err))
}

fn groups(report: &Value, of: &str) -> Vec<(String, u64)> {
    let groups = report[of].as_array().unwrap().iter();
    let group =
        |group: &Value| (group["code"].as_str().unwrap().to_owned(), group["count"].as_u64().unwrap());
    groups.map(group).collect()
}

fn count(program: &Program) -> usize {
    let listed = json(&program.run(&["list", "--json", "--limit", "100"]));
    listed["callbacks"].as_array().map_or(0, Vec::len)
}

const MESSAGE: [&str; 4] = ["--document", "message", "--var", "message=Hello"];

#[test]
fn a_list_is_checked_ordered_once_over_a_kill_and_corrected() {
    let (_sandbox, daemon, program) = started();
    let program = program.file("lista.csv", LIST);
    let import = |program: &Program, more: &[&str]| {
        program.run(&[&["import", "lista.csv", "--default-country", "BR"], &MESSAGE[..], more].concat())
    };

    let dry = import(&program, &["--dry-run", "--refused", "refused.csv", "--json"]);
    assert_eq!(dry.code, Some(1), "rows are refused");
    let report = json(&dry);
    assert_eq!((&report["rows"], &report["good"], &report["empty"]), (&11.into(), &7.into(), &1.into()));
    let refused = [("cell.formula", 1), ("phone.lost_by_spreadsheet", 1), ("row.double", 2)];
    assert_eq!(groups(&report, "refused"), refused.map(|(code, count)| (code.to_owned(), count)));
    assert!(groups(&report, "findings").contains(&("must_ask".to_owned(), 7)), "{report}");
    let written = std::fs::read_to_string(program.path().join("refused.csv")).unwrap();
    assert!(written.starts_with("row,field,code,detail\n4,consumer,phone.lost_by_spreadsheet,"), "{written}");
    assert!(written.contains("\n13,consumer,row.double,calls the same person as row 2\n"), "{written}");
    assert!(!written.contains("98765") && !dry.out.contains("98765") && !dry.err.contains("98765"));
    assert_eq!(count(&program), 0, "a dry run orders nothing");

    let first = json(&import(&program, &["--name", "leads", "--part-rows", "2", "--json"]));
    assert_eq!((&first["good"], &first["accepted_before"]), (&7.into(), &0.into()));
    daemon.signal("KILL");
    assert_eq!(daemon.ended(), None);
    let mut daemon = Started::of(program.command(&["serve"]));
    let program = program.with("RINGMASTER_URL", &format!("http://{}", address(&mut daemon.log())));
    let again = json(&import(&program, &["--name", "leads", "--json"]));
    assert_eq!((&again["good"], &again["accepted_before"]), (&7.into(), &7.into()));
    assert_eq!(count(&program), 7);

    let corrected = String::from_utf8(LIST.to_vec()).unwrap().replace("5,51199E+12", "+5511987650103");
    let program = program.file("lista.csv", corrected);
    let told = import(&program, &["--name", "leads"]).out;
    assert!(
        told.contains("8 of 11 rows are ordered, 7 of them by an earlier command; the import is leads"),
        "{told}"
    );
    assert_eq!(count(&program), 8);
}

/// A daemon dies at commits in the middle of a list, and the command is repeated each time.
#[cfg(feature = "failpoints")]
#[test]
fn a_list_goes_on_where_a_killed_daemon_was_and_each_row_is_kept_once() {
    let (_sandbox, daemon, program) = started();
    let rows: String = (0..5_000).map(|row| format!("+55119876{row:05}\n")).collect();
    let program = program.file("long.csv", format!("phone\n{rows}"));
    let defaults = r#"{"document":"message","variables":{"message":"Hello"}}"#;
    let made = json(&program.run(&["campaign", "create", "Leads", "--defaults", defaults, "--json"]));
    let id = made["id"].as_str().unwrap().to_owned();
    daemon.signal("KILL");
    assert_eq!(daemon.ended(), None);
    let import = |url: &str| {
        let list = ["import", "long.csv", "--json", "--campaign", &id, "--part-bytes", "3000", "--url", url];
        program.run(&list)
    };
    let mut stopped = 0;
    for passing in 4..16 {
        let at = format!("group.{}={passing}", if passing % 2 == 0 { "committed" } else { "uncommitted" });
        let mut daemon = Started::of(program.command(&["serve", "--die-at", &at]));
        let Some(ready) = daemon.log().find(|line| line["message"] == "ready") else { continue };
        let url = format!("http://{}", ready["address"].as_str().unwrap());
        let answer = import(&url);
        stopped += u32::from(answer.code == Some(1));
        daemon.signal("KILL");
        daemon.ended();
    }
    assert!(stopped > 3, "the list was stopped {stopped} times");
    let mut daemon = Started::of(program.command(&["serve"]));
    let url = format!("http://{}", address(&mut daemon.log()));
    let last = json(&import(&url));
    assert_eq!((&last["rows"], &last["good"]), (&5_000.into(), &5_000.into()), "{last}");
    let callbacks = json(&program.run(&["status", "--json", "--url", &url]))["callbacks"].clone();
    assert_eq!(callbacks["unlaunched"], 5_000, "{callbacks}");
}

#[test]
fn a_list_is_imported_into_a_draft_that_is_launched_and_canceled_over_kills() {
    let (_sandbox, daemon, program) = started();
    let program = program.file("lista.csv", LIST);
    let defaults = r#"{"document":"message","variables":{"message":"Hello"},"priority":3}"#;
    let made = json(&program.run(&["campaign", "create", "Leads", "--defaults", defaults, "--json"]));
    let id = made["id"].as_str().unwrap().to_owned();
    let import = |program: &Program, campaign: &str, more: &[&str]| {
        let list = ["import", "lista.csv", "--default-country", "BR", "--json", "--campaign", campaign];
        json(&program.run(&[&list[..], more].concat()))
    };
    let waits = |program: &Program| {
        let callbacks = json(&program.run(&["status", "--json"]))["callbacks"].clone();
        let count = |state: &str| callbacks[state].as_u64().unwrap();
        (count("waiting"), count("unlaunched"))
    };
    let campaign = |program: &Program, act: &str| json(&program.run(&["campaign", act, &id, "--json"]));

    let unknown = import(&program, "cmp_00000000000000000000000000000007", &["--dry-run"]);
    assert!(groups(&unknown, "refused").contains(&("campaign.unknown".to_owned(), 7)), "{unknown}");
    let dry = import(&program, &id, &["--dry-run"]);
    assert_eq!(dry["good"], 7, "the campaign gives the document: {dry}");
    assert!(groups(&dry, "findings").contains(&("campaign.not_launched".to_owned(), 7)), "{dry}");
    assert_eq!(import(&program, &id, &["--name", "leads"])["good"], 7);
    let open = |program: &Program, campaign: &str| {
        let findings = groups(&import(program, campaign, &["--dry-run"]), "findings");
        let codes = ["already_open", "in_a_draft", "in_this_campaign"];
        findings.into_iter().filter(|(code, _)| codes.contains(&code.as_str())).collect::<Vec<_>>()
    };
    assert_eq!(open(&program, &id), [("in_this_campaign".to_owned(), 7)]);
    let other = ["campaign", "create", "Others", "--defaults", defaults, "--json"];
    let other = json(&program.run(&other))["id"].as_str().unwrap().to_owned();
    assert_eq!(open(&program, &other), [("in_a_draft".to_owned(), 7)]);
    assert_eq!(waits(&program), (0, 7));
    let listed = json(&program.run(&["list", "--json"]));
    assert!(listed["callbacks"].as_array().unwrap().iter().all(|row| row["priority"] == 3), "{listed}");
    let told = program.run(&["status"]).output();
    assert!(told.lines().any(|line| line.starts_with("not launched") && line.ends_with('7')), "{told}");

    let again = |daemon: Started, program: Program| {
        daemon.signal("KILL");
        assert_eq!(daemon.ended(), None);
        let mut daemon = Started::of(program.command(&["serve"]));
        let program = program.with("RINGMASTER_URL", &format!("http://{}", address(&mut daemon.log())));
        (daemon, program)
    };
    let (daemon, program) = again(daemon, program);
    assert_eq!((waits(&program), &campaign(&program, "show")["state"]), ((0, 7), &"draft".into()));
    assert_eq!(campaign(&program, "launch")["state"], "running");
    assert_eq!(open(&program, &other), [("already_open".to_owned(), 7)]);
    let (daemon, program) = again(daemon, program);
    assert_eq!((waits(&program).1, &campaign(&program, "show")["state"]), (0, &"running".into()));
    assert_eq!(campaign(&program, "cancel")["state"], "canceled");
    let (_daemon, program) = again(daemon, program);
    // A turn that folds a command has closed a part of what is canceled.
    program.run(&["campaign", "create", "Another"]).output();
    let ended = campaign(&program, "show");
    assert_eq!((&ended["state"], &ended["open"]), (&"canceled".into(), &0.into()), "{ended}");
    let list = ["import", "lista.csv", "--default-country", "BR", "--campaign", &id, "--name", "late"];
    let refused = program.run(&list).error();
    assert!(
        refused.contains("campaign: is not an open campaign of this tenant"),
        "it takes no more: {refused}"
    );
}

#[test]
fn a_list_that_cannot_be_read_to_its_end_orders_nothing() {
    let (_sandbox, _daemon, program) = started();
    let mut broken = "phone\n".to_owned();
    for row in 0..10 {
        broken.push_str(&format!("+44770090010{row}\n"));
    }
    broken.push('"');
    broken.push_str(&"+447700900199\n".repeat(30_000));
    let program = program.file("broken.csv", broken).file("none.csv", "a;b\n1;2\n").file("empty.csv", "");
    for (file, error) in [
        ("broken.csv", "error: broken.csv cannot be imported: row 12 has more than 262144 bytes"),
        ("none.csv", "error: none.csv cannot be imported: none of the 2 columns has a name that means"),
        ("empty.csv", "error: empty.csv cannot be imported: the list is empty\n"),
        ("missing.csv", "error: cannot read missing.csv"),
    ] {
        let told = program.run(&[&["import", file], &MESSAGE[..]].concat()).error();
        assert!(told.starts_with(error), "{told}");
    }
    assert_eq!(count(&program), 0);
}

#[test]
fn wrong_arguments_of_an_import_are_told_before_anything_is_read() {
    let program = Program::new();
    for arguments in [
        &["--map", "x=y"][..],
        &["--default-country", "Brazil"],
        &["--delimiter", "|"],
        &["--encoding", "latin1"],
        &["--name", "5511987650101"],
        &["--part-rows", "0"],
    ] {
        let answer = program.run(&[&["import", "lista.csv"], arguments].concat());
        assert_eq!((answer.code, answer.out.as_str()), (Some(2), ""), "{arguments:?}");
    }
}

#[test]
fn the_same_list_is_ordered_for_each_campaign() {
    let (_sandbox, _daemon, program) = started();
    let program = program.file("lista.csv", LIST);
    let campaign = |name: &str| {
        let made = program.run(&["campaign", "create", name, "--json"]);
        json(&made)["id"].as_str().unwrap().to_owned()
    };
    let mut names = Vec::new();
    for id in [campaign("spring"), campaign("autumn")] {
        let more = ["--default-country", "BR", "--campaign", &id, "--json"];
        let done = json(&program.run(&[&["import", "lista.csv"], &MESSAGE[..], &more].concat()));
        assert_eq!((&done["good"], &done["accepted_before"]), (&7.into(), &0.into()), "{done}");
        names.push(done["import"].as_str().unwrap().to_owned());
    }
    assert_eq!(count(&program), 14);
    let listed = program.run(&["import", "list"]).output();
    assert!(names.iter().all(|name| listed.contains(name.as_str())), "{listed}");
    let shown = program.run(&["import", "show", &names[0]]).output();
    assert!(shown.contains("  ordered  7\n") && shown.contains("cell.formula"), "{shown}");
    let refused = program.run(&["import", "delete", &names[0]]);
    assert_eq!(refused.code, Some(2), "only an id is deleted: {}", refused.err);
    let all = json(&program.run(&["import", "list", "--json"]));
    let id = all["imports"][0]["id"].as_str().unwrap();
    assert!(program.run(&["import", "delete", id]).output().contains("is deleted"));
    assert_eq!(json(&program.run(&["import", "list", "--json"]))["imports"].as_array().unwrap().len(), 1);
}

#[test]
fn a_dry_run_tells_what_is_twice_and_another_encoding_is_read_if_it_is_named() {
    let (_sandbox, _daemon, program) = started();
    let list = b"phone;reference;var.message\n+5511987650101;r-1;Ol\xE1\n\n+5511987650102;r-2;Hi\n+5511987650103;r-2;Hi\n";
    let program = program.file("list.csv", list);
    let dry =
        |more: &[&str]| {
            json(&program.run(
                &[&["import", "list.csv", "--document", "message", "--dry-run", "--json"], more].concat(),
            ))
        };
    let rows = |report: &Value, code: &str| {
        let groups = report["refused"].as_array().unwrap().iter();
        groups
            .filter(|group| group["code"] == code)
            .map(|group| group["rows"].to_string())
            .collect::<String>()
    };
    let report = dry(&[]);
    assert_eq!(
        (rows(&report, "cell.not_utf8"), rows(&report, "reference.twice")),
        ("[2]".into(), "[5]".into())
    );
    let report = dry(&["--encoding", "windows-1252"]);
    assert_eq!((&report["good"], &report["encoding"]), (&2.into(), &"windows-1252".into()), "{report}");
}
