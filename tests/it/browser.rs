//! The console in a browser: a demo runs, and Chromium drives its pages.
//!
//! `tests/console/install.sh` installs what is needed. Where it cannot, this test fails and says so. It runs in real time.

#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::harness::process::{Started, address, with_sandbox};

struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A demo that goes on, and the address of its console.
fn demo() -> (Demo, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ringmaster"))
        .args(["demo", "--speed", "20", "--callbacks", "200"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let demo = Demo(child);
    let told = lines.find_map(|line| Some(line.ok()?.strip_prefix("Watch it in a browser: ")?.to_owned()));
    // What follows is read, so that the demo does not wait for room.
    std::thread::spawn(move || lines.for_each(drop));
    (demo, told.expect("the address of the console"))
}

#[test]
fn every_page_works_in_a_browser() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/console");
    let installed = Command::new(folder.join("install.sh")).output().unwrap();
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    let (_demo, address) = demo();
    let ran = Command::new("node").arg(folder.join("check.mjs")).arg(&address).output().unwrap();
    let told = [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(ran.status.success(), "{told}");
}

/// Two ports of this machine that were free a moment ago.
fn ports() -> [u16; 2] {
    let free = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    free.map(|listener| listener.local_addr().unwrap().port())
}

#[test]
fn people_sign_in_in_a_browser_in_each_way() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/console");
    let installed = Command::new(folder.join("install.sh")).output().unwrap();
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    let [port, provider] = ports();
    let (_sandbox, program) = with_sandbox();
    let written = std::fs::read_to_string(program.path().join("ringmaster.toml")).unwrap();
    let listening =
        written.replacen("listen = \"127.0.0.1:0\"", &format!("listen = \"127.0.0.1:{port}\""), 1);
    let ways = format!(
        "[sign_in]\npassword = true\nproxy_header = \"X-Remote-User\"\n\
         [sign_in.oidc]\nissuer = \"http://127.0.0.1:{provider}\"\nclient_id = \"ringmaster\"\n\
         console_url = \"http://127.0.0.1:{port}/console/\"\nroles = [\"floor=supervisor\"]\n"
    );
    let program = program.file("ringmaster.toml", format!("{listening}\n{ways}"));
    let mut daemon = Started::of(program.command(&["serve"]));
    let mut log = daemon.log();
    address(&mut log);
    // What follows is read, so that the daemon does not wait for room.
    std::thread::spawn(move || log.for_each(drop));
    let added = program.run(&["person", "add", "ana", "--role", "admin", "--password"]).output();
    let password = added.trim();
    let root = format!("http://127.0.0.1:{port}/console/");
    let ran = Command::new("node")
        .arg(folder.join("people.mjs"))
        .args([&root, &provider.to_string(), password])
        .output()
        .unwrap();
    let told = [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(ran.status.success(), "{told}");
}
