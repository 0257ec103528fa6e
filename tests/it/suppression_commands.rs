//! The commands about suppression lists, as an operator runs them against a daemon.

use crate::harness::process::started;

const LISTED: &str = "+447700900104";

#[test]
fn a_person_is_added_checked_and_removed() {
    let (_sandbox, _daemon, program) = started();
    let order = ["enqueue", "--consumer", LISTED, "--document", "conference", "--earliest", "+1h"];
    let waiting = program.run(&order).output();
    let added = program.run(&["suppression", "add", LISTED, "--why", "asked-by-mail"]).output();
    assert!(added.contains("1, and 0 were there already") && added.contains("1 waiting orders"), "{added}");
    let shown = program.run(&["show", waiting.split(' ').next().unwrap()]).output();
    assert!(shown.contains("declined") && shown.contains("suppression list"), "{shown}");
    let error = program.run(&order).error();
    assert!(error.starts_with("error: the consumer is on a suppression list: "), "{error}");
    assert!(program.run(&["suppression", "check", LISTED]).output().starts_with("suppressed\n"));
    let removed = program.run(&["suppression", "remove", LISTED, "--why", "a-mistake"]).output();
    assert_eq!(removed, "1 entries of house removed\n");
    assert!(program.run(&["suppression", "check", LISTED]).output().starts_with("not suppressed"));
    program.run(&order).output();
}

#[test]
fn an_import_with_a_wrong_line_is_mended_and_repeated_by_the_same_command() {
    let (_sandbox, _daemon, program) = started();
    let import = [
        "suppression",
        "import",
        "register.csv",
        "--list",
        "imported:register",
        "--version",
        "2026-11",
        "--purpose",
        "marketing",
        "--valid-until",
        "+30d",
    ];
    let program = program.file("register.csv", format!("number;name\n{LISTED};Ana\n447700900105;no plus\n"));
    let refused = program.run(&import);
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    assert!(
        refused.err.starts_with("error: 1 of 3 lines were not imported\nhint: line 3: "),
        "{}",
        refused.err
    );
    assert!(!format!("{}{}", refused.out, refused.err).contains("447700900105"));
    let lists = program.run(&["suppression", "list"]).output();
    assert!(lists.contains("imported:register") && lists.contains("incomplete"), "{lists}");
    let program = program.file("register.csv", format!("number;name\n{LISTED};Ana\n+447700900105;mended\n"));
    // The term counts from now, so it is another one in each run.
    let mended = program.run(&import);
    assert_eq!(mended.code, Some(0), "{}", mended.err);
    assert!(mended.err.starts_with("the version is there already, and stays valid until "), "{}", mended.err);
    assert!(mended.out.contains("1 people added, 1 were there already"), "{}", mended.out);
    let lists = program.run(&["suppression", "list"]).output();
    assert!(!lists.contains("incomplete"), "{lists}");
}

#[test]
fn a_file_without_anybody_does_not_replace_a_list() {
    let (_sandbox, _daemon, program) = started();
    let import =
        |version| ["suppression", "import", "dnc.csv", "--list", "imported:dnc", "--version", version];
    let mut program = program.file("dnc.csv", format!("{LISTED}\n"));
    assert!(program.run(&import("1")).output().contains("1 people added"));
    for nobody in ["", "number;name\n", "\n\n"] {
        program = program.file("dnc.csv", nobody);
        let refused = program.run(&import("2"));
        assert_eq!(refused.code, Some(1), "{}", refused.out);
        assert!(refused.err.starts_with("error: nobody is in the file"), "{}", refused.err);
        assert!(program.run(&["suppression", "check", LISTED]).output().starts_with("suppressed\n"));
    }
    let mut meant = import("2").to_vec();
    meant.push("--empty");
    program.run(&meant).output();
    assert!(program.run(&["suppression", "check", LISTED]).output().starts_with("not suppressed"));
}
