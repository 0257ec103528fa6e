//! A register that answers a submitted list, as an operator asks it: export, import, and what is called then.

use std::os::unix::fs::PermissionsExt as _;

use ringmaster::clock::{Clock as _, SystemClock};
use serde_json::Value;

use crate::harness::process::{Answer, Program, Started, address, with_sandbox};

const NUMBERS: [&str; 3] = ["+5511987650101", "+5511987650102", "+5511987650103"];

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.out).unwrap_or_else(|error| panic!("{error}: {} {}", answer.out, answer.err))
}

/// A daemon whose register binds collections in Brazil, and a client whose token reveals numbers.
pub(crate) fn started() -> (Started, Started, Program) {
    let (sandbox, program) = with_sandbox();
    let config = std::fs::read_to_string(program.path().join("ringmaster.toml")).unwrap();
    let register = "\n[registers.dnc]\ncountries = [\"BR\"]\npurposes = [\"collections\"]\n\
                    [registers.many]\ncountries = [\"BR\", \"PT\"]\npurposes = [\"marketing\"]\n\
                    [registers.all]\npurposes = [\"marketing\"]\n";
    let program = program.file("ringmaster.toml", format!("{config}{register}"));
    let mut daemon = Started::of(program.command(&["serve"]));
    let address = address(&mut daemon.log());
    let scopes = "order,read,work,supervise,operate,reveal";
    let token = program.run(&["token", "create", "me", "--scope", scopes]).output();
    let program =
        program.with("RINGMASTER_URL", &format!("http://{address}")).with("RINGMASTER_TOKEN", token.trim());
    (sandbox, daemon, program)
}

#[test]
fn whom_a_register_binds_waits_for_its_answer() {
    let (_sandbox, _daemon, program) = started();
    let order = |number: &str, purpose: &str, reference: &str| {
        let order = [
            "enqueue",
            "--consumer",
            number,
            "--document",
            "message",
            "--var",
            "message=Hi",
            "--purpose",
            purpose,
            "--reference",
            reference,
        ];
        program.run(&order).output();
    };
    for (number, reference) in NUMBERS.iter().zip(["a", "b", "c"]) {
        order(number, "collections", reference);
    }
    order("+5511987650104", "service", "d");
    let reasons = |reference: &str| json(&program.run(&["explain", reference, "--json"])).to_string();
    assert!(reasons("a").contains("register.stale"), "{}", reasons("a"));
    assert!(!reasons("d").contains("register.stale"), "service is not bound");

    for (register, bound) in [("many", "BR, PT"), ("all", "all countries")] {
        let ambiguous = ["suppression", "register", "export", register, "many.txt", "--national"];
        let told = program.run(&ambiguous).error();
        assert!(told.contains(&format!("the register binds numbers of {bound}")), "{told}");
        assert!(!program.path().join("many.txt").exists());
    }
    assert!(
        program.run(&["suppression", "register", "export", "many", "many.txt"]).output().starts_with('0')
    );
    let known = json(&program.run(&["suppression", "register", "list", "--json"]));
    let dnc = known["registers"].as_array().unwrap().iter().find(|known| known["name"] == "dnc").unwrap();
    assert_eq!(dnc["stale"], true, "{known}");

    let export = ["suppression", "register", "export", "dnc", "submit.txt", "--national"];
    let told = program.run(&export).output();
    assert!(told.starts_with("3 numbers are in submit.txt"), "{told}");
    let file = program.path().join("submit.txt");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "11987650101\n11987650102\n11987650103\n");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(program.run(&export).code, Some(1), "a file that is there is not written over");

    for (name, numbers) in [("named.txt", "11987650102\n"), ("stray.txt", "11987650109\n")] {
        std::fs::write(program.path().join(name), numbers).unwrap();
    }
    let import_at = |file: &str, at: &str| {
        program.run(&[
            "suppression",
            "register",
            "import",
            "dnc",
            file,
            "--submitted",
            "submit.txt",
            "--checked-at",
            at,
            "--receipt",
            "r-1",
            "--default-country",
            "BR",
        ])
    };
    let import = |file: &str| import_at(file, "2026-11-01T00:00:00Z");
    let tomorrow = (SystemClock.now() + jiff::SignedDuration::from_hours(24)).to_string();
    let early = import_at("named.txt", &tomorrow).error();
    assert!(early.contains("--checked-at") && early.contains("is in the future"), "{early}");
    let stray = import("stray.txt").error();
    assert!(stray.starts_with("error: 1 numbers of stray.txt were not submitted"), "{stray}");
    let checked_at = SystemClock.now().to_string();
    let told = program
        .run(&[
            "suppression",
            "register",
            "import",
            "dnc",
            "named.txt",
            "--submitted",
            "submit.txt",
            "--checked-at",
            &checked_at,
            "--receipt",
            "r-2",
            "--default-country",
            "BR",
        ])
        .output();
    assert!(told.starts_with("3 people were checked, 1 of them are named and not called"), "{told}");
    assert!(!reasons("a").contains("register.stale"), "{}", reasons("a"));
    let shown = program.run(&["show", "b"]).output();
    assert!(shown.contains("declined"), "{shown}");
    let listed = program.run(&["suppression", "register", "list"]).output();
    assert!(listed.contains("dnc") && listed.contains("receipt r-2"), "{listed}");
}
