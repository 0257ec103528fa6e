//! Reading of files: lines, keys, types, and the bounds of a folder.

use std::fs;

use super::super::fault::FileFaults;
use super::super::folder::{Folder, LoadError};
use super::super::read::read;
use super::super::{Approval, Category, Kind, Rule};
use super::{ASK, INVITE, declared, faults};

#[test]
fn a_file_is_read_as_it_is_written() {
    let declaration = declared(INVITE);
    assert_eq!(declaration.name, "invite");
    assert_eq!((declaration.kind, declaration.approval), (Kind::WhatsappCard, Approval::Whatsapp));
    assert_eq!((declaration.category, declaration.revision), (Some(Category::Utility), 1));
    assert_eq!(declaration.actions[0].title.as_deref(), Some("Call now"));
    assert_eq!(declared(&format!("\u{feff}{INVITE}")), declaration);
}

#[test]
fn a_fault_has_its_line_its_key_and_its_rule_with_the_source() {
    let source = ASK.replace("Call me", "Call me, please, right now");
    let (read, _) = read(&source);
    let faults = super::check(&read.unwrap());
    let title = faults.iter().find(|fault| fault.key == "actions[0].title").unwrap();
    assert_eq!(
        title.to_string(),
        "10: actions[0].title: has 26 characters: at most 20 (action.title_length; Twilio, twilio/card, WhatsApp \
         (other places of the page say 25))"
    );
}

#[test]
fn unknown_keys_wrong_types_and_wrong_words_are_told_all_at_once() {
    let source = r#"
        name = 7
        langauge = "en"
        approval = "yes"
        type = "twilio/media"
        actions = "none"
        variables = []
    "#;
    assert_eq!(
        faults(source),
        [
            "actions key.type",
            "approval key.value",
            "langauge key.unknown",
            "language key.required",
            "name key.type",
            "type key.value",
            "variables key.type",
        ]
    );
    assert_eq!(faults("name = "), [" file.syntax"]);
    let large = |number: &str| {
        let (_, faults) = read(&INVITE.replacen("name =", &format!("revision = {number}\nname ="), 1));
        faults.into_iter().find(|fault| fault.key == "revision").map(|fault| fault.message)
    };
    assert_eq!(large("9223372036854775807"), None);
    assert!(large("9223372036854775808").unwrap().contains("is outside of what a whole number can be"));
    assert!(large("\"2\"").unwrap().contains("expected a whole number"));
    assert_eq!(faults("").len(), 4);
}

#[test]
fn every_file_of_a_folder_is_checked_and_names_are_unique() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    assert!(matches!(Folder::load(folder.path()), Err(LoadError::Empty(_))));
    write("a.toml", ASK);
    write("b.toml", INVITE);
    write("notes.md", "not a declaration");
    write(".hidden.toml", "not = a declaration");
    let loaded = Folder::load(folder.path()).unwrap();
    let names: Vec<_> = loaded.declarations.iter().map(|declaration| declaration.name.as_str()).collect();
    assert_eq!(names, ["ask", "invite"]);
    assert_eq!(loaded.warnings.len(), 1);
    write("c.toml", ASK);
    write("d.toml", "\u{7f}");
    let Err(LoadError::Faults(FileFaults(found))) = Folder::load(folder.path()) else { panic!("no faults") };
    let rules: Vec<_> =
        found.iter().filter(|(_, fault)| fault.is_error()).map(|(_, fault)| fault.rule).collect();
    assert_eq!(rules, [Rule::NameRepeated, Rule::FileSyntax]);
}

#[test]
fn a_file_has_at_most_64_kib_and_is_a_regular_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    let most = Rule::FileSize.figure();
    for (length, is_broken) in [(most, false), (most + 1, true)] {
        fs::write(&path, format!("{ASK}#{}", "x".repeat(length - ASK.len() - 1))).unwrap();
        assert_eq!(Folder::load(folder.path()).is_err(), is_broken, "{length}");
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let Err(LoadError::Faults(FileFaults(found))) = Folder::load(folder.path()) else { panic!("no faults") };
    assert_eq!(found[0].1.rule, Rule::FileType);
}

#[test]
fn a_link_to_nothing_is_a_fault_beside_those_of_other_files() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("a.toml")).unwrap();
    fs::write(folder.path().join("b.toml"), "name = ").unwrap();
    let Err(LoadError::Faults(FileFaults(found))) = Folder::load(folder.path()) else { panic!("no faults") };
    let rules: Vec<_> = found.iter().map(|(_, fault)| fault.rule).collect();
    assert_eq!(rules, [Rule::FileType, Rule::FileSyntax]);
}

#[test]
fn a_folder_has_at_most_500_declarations() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..=Rule::FileNumber.figure() {
        let text = ASK.replace("\"ask\"", &format!("\"ask{number}\""));
        fs::write(folder.path().join(format!("{number:03}.toml")), text).unwrap();
        if number + 1 == Rule::FileNumber.figure() {
            assert!(Folder::load(folder.path()).is_ok());
        }
    }
    let Err(LoadError::Faults(FileFaults(found))) = Folder::load(folder.path()) else { panic!("no faults") };
    assert!(found.iter().any(|(_, fault)| fault.rule == Rule::FileNumber));
}

#[test]
fn what_can_be_judged_beside_a_value_that_cannot_be_read_is_told_in_the_same_round() {
    // A word of `type` that is not known hides the rules of types and no other.
    let broken = ASK.replace("twilio/call-to-action", "twilio/media").replace("\"en\"", "\"English\"");
    assert_eq!(faults(&broken), ["language language.code", "type key.value"]);
    // An unknown approval.
    let broken = ASK.replace("\"none\"", "\"maybe\"").replace("Call me", "Call me, please, right now");
    assert_eq!(faults(&broken), ["actions[0].title action.title_length", "approval key.value"]);
    // A missing name, and a missing action type beside another action.
    let broken = INVITE.replace("name = \"invite\"", "").replace("Call now", "");
    assert_eq!(faults(&broken), ["actions[0].title action.title_required", "name key.required"]);
    let broken = ASK.replace("VOICE_CALL_REQUEST", "PHONE").replace("May we call you?", " ");
    assert_eq!(faults(&broken), ["actions[0].type action.type", "body text.blank_ends"]);
    // What a sample of the wrong type would say is not known, and nothing is told of its absence.
    let broken = INVITE.replace("when it suits you.", "{{1}} now.") + "[variables]\n1 = 7\n2 = \"x\"\n";
    assert_eq!(faults(&broken), ["variables.1 key.type", "variables.2 variable.unused"]);
    let broken = INVITE.replace("when it suits you.", "{{1}} now.").replace("body", "variables = 1\nbody");
    assert_eq!(faults(&broken), ["variables key.type"]);
    // The text is unread: it is not told to be missing.
    let broken = ASK.replace("\"May we call you?\"", "7");
    assert_eq!(faults(&broken), ["body key.type"]);
}

#[test]
fn both_faults_of_one_url_are_told() {
    let source = INVITE.to_owned()
        + "[[actions]]\ntype = \"URL\"\ntitle = \"See\"\nurl = \"https://localhost/{{1}}/x\"\n[variables]\n1 = \"a\"\n";
    assert_eq!(faults(&source), ["actions[1].url action.url", "actions[1].url action.url_variable"]);
}
