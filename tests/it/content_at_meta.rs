//! Content that `[meta]` names, at a Graph API that answers with one list of templates.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use ringmaster::content::canonical::template_name;
use ringmaster::content::read::read;
use ringmaster::content::template::creation;
use serde_json::{Value, json};

use crate::harness::process::{Program, Started};

const TEMPLATE: &str = "name = \"invite\"\nlanguage = \"en\"\ncategory = \"UTILITY\"\napproval = \"whatsapp\"\n\
    type = \"meta/template\"\nbody = \"Call us, {{who}}, when it suits you.\"\n[[actions]]\ntype = \"VOICE_CALL\"\n\
    title = \"Call now\"\n[variables]\nwho = \"Ana\"\n";

/// The declaration as Meta shows it.
fn shown(source: &str, id: &str, status: &str) -> Value {
    let declaration = read(source).0.unwrap().declaration;
    let mut shown = creation(&declaration);
    shown["id"] = json!(id);
    shown["status"] = json!(status);
    shown
}

/// Answers every request with the declared template, approved. Returns its address.
fn graph() -> String {
    graph_with(&json!([shown(TEMPLATE, "1", "APPROVED")]))
}

/// The text of the next version.
fn changed() -> String {
    TEMPLATE.replace("suits you", "suits you best")
}

fn graph_with(templates: &Value) -> String {
    let body = json!({"data": templates});
    let body = body.to_string();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let head = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            head.take_while(|line| !line.is_empty()).for_each(drop);
            let length = body.len();
            _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
                 connection: close\r\n\r\n{body}"
            );
        }
    });
    address
}

fn configuration(address: &str) -> String {
    format!(
        "[log]\nformat = \"json\"\n[http]\npublic_url = \"http://127.0.0.1:8081\"\nlisten = \"127.0.0.1:0\"\n\
         hooks_listen = \"127.0.0.1:0\"\n[meta.cloud]\nnumber = \"+551151991234\"\n\
         phone_number_id = \"106540352242922\"\nbusiness_account_id = \"102290129340398\"\n\
         graph_url = \"http://{address}\"\ninvite_template = \"invite\"\n"
    )
}

fn program(address: &str) -> Program {
    let program = Program::new();
    std::fs::create_dir(program.path().join("content")).unwrap();
    program
        .file("ringmaster.toml", configuration(address))
        .file("content/invite.toml", TEMPLATE)
        .with("RINGMASTER_CONFIG", "ringmaster.toml")
        .with("RINGMASTER_META__CLOUD__TOKEN", "token-of-the-number")
        .with("RINGMASTER_META__CLOUD__APP_SECRET", "secret-of-the-app")
        .with("RINGMASTER_META__CLOUD__VERIFY_TOKEN", "chosen-by-us")
}

#[test]
fn a_daemon_with_a_template_starts_without_meta_once_it_was_found() {
    let nobody = "127.0.0.1:9";
    // Never found.
    let program = program(nobody);
    let refused = program.run(&["serve"]).err;
    assert!(refused.contains("the template that it names cannot be looked up"), "{refused}");
    // Found.
    let program = program.file("ringmaster.toml", configuration(&graph()));
    let mut daemon = Started::of(program.command(&["serve"]));
    assert!(daemon.log().any(|line| line["message"] == "ready"));
    daemon.terminate();
    // Found before.
    let program = program.file("ringmaster.toml", configuration(nobody));
    let mut daemon = Started::of(program.command(&["serve"]));
    let lines: Vec<_> = daemon.log().take_while(|line| line["message"] != "ready").collect();
    let is_told =
        |line: &Value| line["message"].as_str().is_some_and(|text| text.contains("what was found at"));
    assert!(lines.iter().any(is_told), "{lines:?}");
    daemon.terminate();
    // Another version was never found, but what was found fits.
    let program = program.file("content/invite.toml", changed());
    assert!(warned(&program, "what was found at"));
    // Nothing fits.
    let program = program.file("content/invite.toml", TEMPLATE.replace("who", "name"));
    let refused = program.run(&["serve"]).err;
    assert!(refused.contains("cannot be looked up"), "{refused}");
}

/// Whether the daemon starts and warns of this.
fn warned(program: &Program, text: &str) -> bool {
    let mut daemon = Started::of(program.command(&["serve"]));
    let lines: Vec<_> = daemon.log().take_while(|line| line["message"] != "ready").collect();
    daemon.terminate();
    let is_it = |line: &Value| line["message"].as_str().is_some_and(|told| told.contains(text));
    assert!(lines.iter().all(|line| line["level"] != "ERROR"), "{lines:#?}");
    lines.iter().any(|line| line["level"] == "WARN" && is_it(line))
}

#[test]
fn a_changed_template_in_review_leaves_the_daemon_with_the_version_before() {
    let was = shown(TEMPLATE, "1", "APPROVED");
    let mut program = program("127.0.0.1:9").file("content/invite.toml", changed());
    for now in [json!([was]), json!([was, shown(&changed(), "2", "PENDING")])] {
        program = program.file("ringmaster.toml", configuration(&graph_with(&now)));
        assert!(warned(&program, "the older version invite_"), "{now}");
        let found: Value = serde_json::from_str(&program.run(&["doctor", "--json"]).out).unwrap();
        let codes = found["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]);
        assert!(codes.clone().any(|code| code == "content.older"), "{found:#}");
        assert!(codes.clone().all(|code| code != "content.in_review"), "{found:#}");
    }
    // A message for the changed one would not fit.
    let other = TEMPLATE.replace("who", "name");
    let program = program.file("content/invite.toml", &other);
    let both = json!([was, shown(&other, "2", "PENDING")]);
    let program = program.file("ringmaster.toml", configuration(&graph_with(&both)));
    let refused = program.run(&["serve"]).err;
    assert!(refused.contains("is not approved yet") && refused.contains("other variables"), "{refused}");
}

#[test]
fn a_paused_template_is_warned_of_and_rests() {
    let paused = json!([shown(TEMPLATE, "1", "PAUSED")]);
    let program = program(&graph_with(&paused));
    let mut daemon = Started::of(program.command(&["serve"]));
    let lines: Vec<_> = daemon
        .log()
        .take_while(|line| line["message"] != "the platform does not send this content")
        .collect();
    let is_told =
        |line: &Value| line["message"].as_str().is_some_and(|told| told.contains("WhatsApp has paused"));
    assert!(lines.iter().any(is_told), "{lines:#?}");
    daemon.terminate();
}

#[test]
fn faults_of_declarations_are_told_with_those_of_the_names() {
    let program = program("127.0.0.1:9").file("content/other.toml", "name = \"other\"\nlanguage = \"en\"\n");
    let program = program.file(
        "ringmaster.toml",
        configuration("127.0.0.1:9")
            + "invite_call_button = \"invite\"\ninvite_deep_link = \"nothing\"\ninvite_url_button = \"other\"\n",
    );
    let checked = program.run(&["config", "check"]);
    assert!(checked.is_refused());
    let lines: Vec<&str> = checked.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", checked.out);
    assert!(lines[0].contains("content/other.toml:1: type: is missing"), "{}", lines[0]);
    assert!(lines[1].contains("content/other.toml:1: approval: is missing"), "{}", lines[1]);
    assert!(checked.out.contains("meta.cloud.invite_call_button: \"invite\" is of the type meta/template"));
    assert!(checked.out.contains("meta.cloud.invite_deep_link: \"nothing\" is not declared"));
}

#[test]
fn doctor_examines_a_configuration_without_an_account_at_twilio() {
    let program = program(&graph());
    let examined = program.run(&["doctor", "--json"]);
    assert_eq!(examined.code, Some(2), "{}", examined.err);
    let found: serde_json::Value = serde_json::from_str(&examined.out).unwrap();
    let codes: Vec<&str> =
        found["findings"].as_array().unwrap().iter().filter_map(|finding| finding["code"].as_str()).collect();
    assert_eq!(
        codes,
        ["meta.account", "meta.webhook_unknown", "meta.calls_off", "meta.fields"],
        "{}",
        examined.out
    );
    assert!(!examined.out.contains("token-of-the-number"));
    let nobody = program.run(&["doctor", "--account", "other"]).error();
    assert!(nobody.contains("the accounts are cloud"), "{nobody}");
}

#[test]
fn prune_shows_a_template_by_its_name_at_whatsapp() {
    let both = json!([shown(TEMPLATE, "1", "APPROVED"), shown(&changed(), "2", "APPROVED")]);
    let program = program(&graph_with(&both));
    let name = template_name(&read(&changed()).0.unwrap().declaration);
    let told = program.run(&["content", "prune"]).out;
    assert!(told.contains(&name) && !told.contains('@'), "{told}");
}
