//! The start of a daemon whose number Meta does not know, or of which Meta says nothing.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use crate::harness::process::{Program, Started};

/// Answers every request with this status and body. Returns its address.
fn graph(status: u16, body: &'static str) -> String {
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
                "HTTP/1.1 {status} As told\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
                 connection: close\r\n\r\n{body}"
            );
        }
    });
    address
}

fn program(address: &str) -> Program {
    let configuration = format!(
        "[log]\nformat = \"json\"\n[http]\npublic_url = \"http://127.0.0.1:8081\"\nlisten = \"127.0.0.1:0\"\n\
         hooks_listen = \"127.0.0.1:0\"\n[meta.cloud]\nnumber = \"+551151991234\"\n\
         phone_number_id = \"106540352242922\"\nbusiness_account_id = \"102290129340398\"\n\
         graph_url = \"http://{address}\"\n"
    );
    Program::new()
        .file("ringmaster.toml", configuration)
        .with("RINGMASTER_CONFIG", "ringmaster.toml")
        .with("RINGMASTER_META__CLOUD__TOKEN", "token-of-the-number")
        .with("RINGMASTER_META__CLOUD__APP_SECRET", "secret-of-the-app")
        .with("RINGMASTER_META__CLOUD__VERIFY_TOKEN", "chosen-by-us")
}

#[test]
fn a_daemon_with_a_wrong_id_or_token_does_not_start() {
    for (status, body, key) in [
        (
            400,
            r#"{"error":{"code":100,"error_subcode":33,"message":"Unsupported get request."}}"#,
            "meta.cloud.phone_number_id: ",
        ),
        (401, r#"{"error":{"code":190,"message":"Invalid OAuth access token."}}"#, "meta.cloud.token: "),
    ] {
        let refused = program(&graph(status, body)).run(&["serve"]);
        assert!(refused.is_refused(), "{}", refused.err);
        assert!(refused.err.contains(key) && refused.err.contains("ringmaster doctor"), "{}", refused.err);
        assert!(!refused.err.contains("token-of-the-number"), "{}", refused.err);
    }
}

#[test]
fn a_daemon_starts_with_a_warning_if_meta_does_not_say() {
    let nobody = || "127.0.0.1:9".to_owned();
    let later = || graph(429, r#"{"error":{"code":4,"message":"Application request limit reached"}}"#);
    let down = || graph(503, "down");
    for address in [nobody(), later(), down()] {
        let program = program(&address);
        let mut daemon = Started::of(program.command(&["serve"]));
        let lines: Vec<_> = daemon.log().take_while(|line| line["message"] != "ready").collect();
        let is_told = |line: &serde_json::Value| {
            line["level"] == "WARN"
                && line["message"].as_str().is_some_and(|text| text.contains("meta.cloud.phone_number_id"))
        };
        assert!(lines.iter().any(is_told), "{address}: {lines:#?}");
        daemon.terminate();
    }
}
