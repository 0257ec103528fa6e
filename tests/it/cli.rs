//! The program as an operator runs it: help, errors, checks, tokens.

use std::io::Write as _;
use std::process::Stdio;

use jiff::Span;
use jiff::tz::TimeZone;
use ringmaster::clock::{Clock as _, SystemClock};

use crate::harness::process::{Answer, Program, Started, address, started};

/// An account with a sender; variables set its secrets.
const CONFIG: &str = r#"
[accounts.main]
account_sid = "AC00000000000000000000000000000001"
api_key_sid = "SK00000000000000000000000000000001"
[accounts.main.senders."+442079460000"]
permission_request_content_sid = "HX00000000000000000000000000000001"
"#;

fn configured(more: &str) -> Program {
    Program::new()
        .file("ringmaster.toml", format!("{more}\n{CONFIG}"))
        .with("RINGMASTER_CONFIG", "ringmaster.toml")
        .with("RINGMASTER_HTTP__PUBLIC_URL", "https://calls.example.com")
        .with("RINGMASTER_ACCOUNTS__MAIN__API_KEY_SECRET", "key-secret-0123456789")
        .with("RINGMASTER_ACCOUNTS__MAIN__AUTH_TOKEN", "auth-token-0123456789")
}

/// The commands in a help text.
fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // A long description goes on below its command, further to the right.
    let names = lines.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// The help of a command, and of every command below it.
fn help_of(program: &Program, command: &[String], all: &mut String) -> usize {
    let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
    arguments.push("--help");
    let help = program.run(&arguments).output();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    all.push_str(&format!("$ ringmaster {}\n{}\n\n", arguments.join(" "), lines.join("\n")));
    let inner = listed(&help).into_iter();
    1 + inner.map(|name| help_of(program, &[command, &[name]].concat(), all)).sum::<usize>()
}

/// The commands come from the program's help, so that the test covers new ones.
#[test]
fn the_help_of_every_command_is_as_recorded() {
    let mut all = String::new();
    let commands = help_of(&Program::new(), &[], &mut all);
    assert!(commands > 40, "only {commands} commands were found");
    insta::assert_snapshot!("help", all);
}

#[test]
fn a_secret_in_the_environment_is_not_in_the_help() {
    let program =
        Program::new().with("RINGMASTER_TOKEN", "rm_secret").with("RINGMASTER_URL", "http://h.example");
    let help = program.run(&["list", "--help"]).output();
    assert!(!help.contains("rm_secret") && !help.contains("h.example"), "{help}");
}

#[test]
fn wrong_arguments_exit_with_2() {
    let program = Program::new();
    let number = "447700900101";
    for arguments in [
        &["dial"][..],
        &[],
        &["show"],
        &["enqueue", "--consumer", number, "--document", "message"],
        &["enqueue", "--document", "message"],
        &["enqueue", "--file", "-", "--document", "message"],
        &["invite", "create"],
        &["invite", "create", "--consumer", "+447700900101", "--document", "message"],
        &["link"],
        &["link", "--sender", "+551151991234", "--format", "jpeg"],
        &["list", "--limit", "0"],
        &["list", "--status", "open"],
        &["sandbox", "--speed", "0"],
        &["demo", "--callbacks", "0"],
        &["token", "create", "two words"],
        &["limits", "--profile", "telegram"],
    ] {
        let answer = program.run(arguments);
        assert_eq!((answer.code, answer.out.as_str()), (Some(2), ""), "{arguments:?}");
    }
    let answer = program.run(&["list", "--consumer", number]);
    assert!(
        answer.err.contains("has no \"+\" with a country calling code") && !answer.err.contains("7700"),
        "{}",
        answer.err
    );
    let page = ["invite", "create", "--consumer", "+447700900101", "--messenger"];
    let answer = program.run(&[&page[..], &["shop=99887766554433O1"]].concat());
    assert!(answer.err.contains("page-scoped id") && !answer.err.contains("9988"), "{}", answer.err);
    let answer = program.run(&["lst"]);
    assert!(answer.err.starts_with("error: unrecognized subcommand 'lst'"), "{}", answer.err);
    assert!(answer.err.contains("'list'"), "{}", answer.err);
}

#[test]
fn a_missing_file_is_named_in_one_line() {
    let program = Program::new();
    let cause = "No such file or directory (os error 2)";
    assert_eq!(
        program.run(&["twiml", "check", "none.xml"]).error(),
        format!("error: cannot read none.xml: {cause}\n")
    );
    assert_eq!(
        program.run(&["enqueue", "--file", "none.ndjson"]).error(),
        format!("error: cannot read none.ndjson: {cause}\n")
    );
    assert_eq!(
        program.run(&["list", "--token-file", "none"]).error(),
        format!("error: the token file none cannot be read: {cause}\n")
    );
    let error = program.run(&["serve", "--config", "none.toml"]).error();
    assert!(error.starts_with("error: the configuration is refused: none.toml: cannot be read"), "{error}");
    assert!(error.contains("\nhint: "), "{error}");
}

#[test]
fn a_missing_daemon_is_an_error_with_a_hint() {
    // Nothing listens at this port, which was ours before.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let program = Program::new().with("RINGMASTER_URL", &url).with("RINGMASTER_TOKEN", "rm_secret");
    let id = "cb_00000000000000000000000000000001";
    let consumer = "+447700900101";
    for arguments in [
        &["list", "--consumer", consumer][..],
        &["show", id],
        &["explain", id],
        &["cancel", id],
        &["reschedule", id, "--priority", "1"],
        &["enqueue", "--consumer", consumer, "--document", "conference"],
    ] {
        let error = program.run(arguments).error();
        let expected =
            format!("error: no daemon answers at {url}: Connection refused (os error 111)\nhint: ");
        assert!(error.starts_with(&expected), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 2, "{error}");
        assert!(!error.contains("rm_secret") && !error.contains("447700900101"), "{error}");
    }
}

#[test]
fn every_fault_of_a_configuration_is_a_line_that_names_its_key() {
    let program = configured("[http]\nlisten = 8080\n[calling]\nattempts_max = -1\nretrys = 2");
    let answer = program.run(&["config", "check"]);
    assert_eq!(answer.code, Some(1));
    let lines: Vec<&str> = answer.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", answer.out);
    for (key, line) in [("http.listen", 2), ("calling.attempts_max", 4), ("calling.retrys", 5)] {
        let named = format!("ringmaster.toml:{line}: {key}: ");
        assert!(lines.iter().any(|line| line.starts_with(&named)), "{named}: {}", answer.out);
    }
    assert!(
        answer.err.starts_with("error: the configuration is refused for 3 faults\nhint: "),
        "{}",
        answer.err
    );

    let error = program.run(&["serve"]).error();
    assert!(error.starts_with("error: the configuration is refused for 3 faults\n"), "{error}");
    assert!(error.contains("hint: ringmaster.toml:2: http.listen: "), "{error}");
}

#[test]
fn a_checked_configuration_is_shown_without_its_secrets() {
    let output = configured("[http]\nlisten = \"127.0.0.1:9000\"").run(&["config", "check"]).output();
    assert!(output.contains("listen = \"127.0.0.1:9000\"  # ringmaster.toml:2"), "{output}");
    assert!(
        output.contains("# api_key_secret = ***  # RINGMASTER_ACCOUNTS__MAIN__API_KEY_SECRET"),
        "{output}"
    );
    assert!(!output.contains("0123456789"), "{output}");
}

#[test]
fn the_default_configuration_is_accepted_with_an_account_below_it() {
    let reference = Program::new().run(&["config", "default"]).output();
    configured(&reference).run(&["config", "check"]).output();
}

#[test]
fn variables_of_the_command_line_are_not_keys() {
    let program =
        configured("").with("RINGMASTER_URL", "http://h.example").with("RINGMASTER_TOKEN", "rm_secret");
    let output = program.run(&["config", "check"]).output();
    assert!(!output.contains("rm_secret"), "{output}");
}

#[test]
fn a_wrong_document_is_reported_as_file_line_rule_and_message() {
    let wrong =
        "<Response>\n  <Say>Hello</Say>\n  <Dial><Number>+442079460001</Number></Dial>\n</Response>\n";
    let fine = "<Response><Say>Hello</Say><Redirect>{{action_url}}</Redirect></Response>";
    let silent = "<Response>\n  <Dial><Client>ana</Client></Dial></Response>";
    let program = Program::new().file("wrong.xml", wrong).file("fine.xml", fine).file("silent.xml", silent);
    for path in [".", "wrong.xml"] {
        let answer = program.run(&["twiml", "check", path]);
        assert_eq!(answer.code, Some(1));
        assert!(answer.out.contains("wrong.xml:3: pstn: "), "{}", answer.out);
        assert!(answer.err.contains("in the TwiML documents\nhint: docs/TWIML.md"), "{}", answer.err);
    }
    let answer = program.run(&["twiml", "check", "wrong.xml", "--json"]);
    let faults: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!((&faults[0]["line"], &faults[0]["rule"]), (&3.into(), &"pstn".into()), "{faults}");
    assert_eq!(program.run(&["twiml", "check", "fine.xml"]).output(), "1 document without a fault\n");
    let warned = program.run(&["twiml", "check", "silent.xml"]).output();
    assert!(warned.starts_with("silent.xml:2: warning: unproved: "), "{warned}");
}

#[test]
fn the_built_in_documents_are_listed_checked_and_filled() {
    let program = Program::new();
    assert_eq!(program.run(&["twiml", "check"]).output(), "11 built-in documents without a fault\n");
    insta::assert_snapshot!("twiml_list", program.run(&["twiml", "list"]).output());
    let filled = program.run(&["twiml", "render", "message", "--var", "message=A & B"]).output();
    assert!(filled.contains("A &amp; B") && filled.starts_with("<?xml"), "{filled}");
    assert_eq!(
        program.run(&["twiml", "render", "message"]).error(),
        "error: the document \"message\" cannot be filled: the callback supplies no value for \"message\"\n\
         hint: it needs --var message=VALUE\n"
    );
    let error = program.run(&["twiml", "render", "massage"]).error();
    assert!(
        error.starts_with("error: there is no document named \"massage\"\nhint: the documents are"),
        "{error}"
    );
}

#[test]
fn the_limits_in_force_are_the_profiles_or_the_configured_ones() {
    let value = |program: &Program, arguments: &[&str]| {
        let output = program.run(&[&["limits", "--json"], arguments].concat()).output();
        let limits: serde_json::Value = serde_json::from_str(&output).unwrap();
        let named = |limit: &&serde_json::Value| limit["name"] == "connected_calls_max";
        let limit = limits.as_array().unwrap().iter().find(named).unwrap().clone();
        (limit["value"].as_i64().unwrap(), limit["overridden"].as_bool().unwrap())
    };
    let bare = Program::new();
    assert_eq!(value(&bare, &[]), (5, false));
    assert_eq!(value(&bare, &["--profile", "meta"]), (100, false));
    assert_eq!(value(&configured("[calling]\nlimit_profile = \"meta\""), &[]), (100, false));
    assert_eq!(value(&configured("[limits]\nconnected_calls_max = 4"), &[]), (4, true));
    insta::assert_snapshot!("limits", bare.run(&["limits"]).output());
    let chosen = "[calling]\nmisses = [\"busy\"]\n[campaigns.parcels]\nconcurrent_calls_max = 2\n\
                  [limits]\ndestinations_refused = [\"+53\"]";
    let output = configured(chosen).run(&["limits"]).output();
    let rules = output.split("our own rules").nth(1).unwrap();
    let rule = |key: &str| {
        let line =
            rules.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("{key}: {rules}"));
        line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(rule("calling.misses"), "[\"busy\"] ringmaster.toml:2");
    assert_eq!(rule("campaigns.parcels.concurrent_calls_max"), "2 ringmaster.toml:4");
    assert_eq!(rule("limits.destinations_refused"), "[\"+53\"] ringmaster.toml:6");
    assert!(rule("calling.pull_forward").ends_with(" default"));
}

#[test]
fn a_token_is_printed_once_and_stored_only_as_a_hash() {
    let program = configured("[store]\npath = \"kept.db\"");
    let token = program.run(&["token", "create", "crm"]).output();
    let token = token.strip_suffix('\n').unwrap();
    assert!(token.starts_with("rm_") && token.len() == 46 && !token.contains('\n'), "{token}");
    let other = program.run(&["token", "create", "crm"]).output();
    assert_ne!(other.trim_end(), token);
    for file in std::fs::read_dir(program.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
    }
}

#[test]
fn a_store_that_cannot_be_opened_is_named() {
    let program = configured("[store]\npath = \"none/kept.db\"");
    let error = program.run(&["token", "create", "crm"]).error();
    assert!(error.starts_with("error: the token cannot be stored: "), "{error}");
    assert!(error.contains("none/kept.db") && error.contains("\nhint: "), "{error}");
}

#[test]
fn the_description_of_the_api_is_printed() {
    let output = Program::new().run(&["openapi"]).output();
    let document: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert!(document["paths"]["/v1/callbacks"]["post"].is_object(), "{output}");
}

#[test]
fn a_reader_that_disconnects_is_not_a_failure() {
    let mut child = Program::new()
        .command(&["config", "default"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let answer = Answer::of(child.wait_with_output().unwrap());
    assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""));
}

#[test]
fn colours_are_for_terminals_only() {
    let program = Program::new();
    let answer = program.run(&["show", "nonsense"]);
    assert!(!answer.err.contains('\u{1b}'), "{}", answer.err);
    assert!(!program.run(&["limits"]).output().contains('\u{1b}'));
}

#[test]
fn a_demo_ends_with_every_callback_closed_and_no_rule_broken() {
    let flags = ["demo", "--exit-when-idle", "--speed", "100", "--callbacks", "1"];
    let Answer { code, out: output, .. } = Program::new().run(&flags);
    assert_eq!(code, Some(0), "{output}");
    for line in
        ["outcomes             1 reached", "permission requests  1 sent, 1 granted", "rules broken         0"]
    {
        assert!(output.lines().any(|written| written == line), "{line}: {output}");
    }
}

#[test]
fn a_demo_of_a_campaign_checks_its_list_is_paused_and_ends_with_its_figures() {
    let flags = ["demo", "--campaign", "--exit-when-idle", "--speed", "600", "--callbacks", "4"];
    let Answer { code, out: output, .. } = Program::new().run(&flags);
    assert_eq!(code, Some(0), "{output}");
    for part in [
        "Preflight of 7 rows: 4 would be ordered.",
        "refused by the check of the list",
        "state          finished",
        "callbacks      4, of which 0 are open",
        "rules broken         0",
    ] {
        assert!(output.contains(part), "{part}: {output}");
    }
}

#[test]
fn rows_on_standard_input_are_read_before_the_request_is_sent() {
    let mut child = Program::new()
        .command(&["enqueue", "--file", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b" \n").unwrap();
    let error = Answer::of(child.wait_with_output().unwrap()).error();
    assert!(error.starts_with("error: - has no callbacks\nhint: "), "{error}");
}

#[test]
fn a_daemon_works_with_the_sandboxs_configuration_until_it_is_terminated() {
    let (sandbox, daemon, program) = started();
    let order = ["enqueue", "--consumer", "+447700900101", "--document", "conference", "--earliest", "+1h"];
    let key = ["--idempotency-key", "order-1"];
    let first = program.run(&[&order[..5], &key[..]].concat()).output();
    let again = program.run(&[&order[..5], &key[..]].concat()).output();
    let id = first.split(' ').next().unwrap();
    assert!(again.starts_with(id), "{again}");
    let other = program.run(&order).output();
    let other = other.split(' ').next().unwrap();
    assert!(program.run(&["explain", other]).output().starts_with(&format!("{other} ")));
    let canceled = program.run(&["cancel", other]).output();
    assert!(canceled.starts_with(&format!("{other}  canceled  ")), "{canceled}");
    let error = program.run(&["reschedule", other, "--priority", "1"]).error();
    assert_eq!(error, "error: the callback is closed: it ended with the outcome \"canceled\"\n");
    let list = program.run(&["list", "--consumer", "+447700900101", "--json"]).output();
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["callbacks"].as_array().map(Vec::len), Some(2), "{list}");
    let shown = program.run(&["show", other, "--timeline"]).output();
    assert!(shown.contains("callback.closed"), "{shown}");
    let error = program.run(&["enqueue", "--consumer", "+447700900101", "--document", "message"]).error();
    assert!(
        error.starts_with("error: the callback cannot be accepted\nhint: variables.message: "),
        "{error}"
    );
    let nobody = program.with("RINGMASTER_TOKEN", "");
    let error = nobody.run(&["list"]).error();
    assert!(
        error.starts_with("error: a token is needed: ") && error.contains("\nhint: create a token"),
        "{error}"
    );

    assert_eq!(daemon.terminate(), Some(0));
    assert_eq!(sandbox.terminate(), Some(0));
}

#[test]
fn an_invite_is_ordered_once_over_a_kill_and_linked_until_it_is_canceled() {
    let (_sandbox, daemon, program) = started();
    let create = ["invite", "create", "--consumer", "+447700900101", "--json"];
    let json = |answer: Answer| serde_json::from_str::<serde_json::Value>(&answer.output()).unwrap();
    let first = json(program.run(&[&create[..], &["--earliest", "+1h"]].concat()));
    let earliest = first["earliest"].as_str().unwrap();
    let order = [&create[..], &["--earliest", earliest, "--idempotency-key", "order-1"]].concat();
    let kept = json(program.run(&order));
    daemon.signal("KILL");
    assert_eq!(daemon.ended(), None);

    let mut daemon = Started::of(program.command(&["serve"]));
    let listening = address(&mut daemon.log());
    let program = program.with("RINGMASTER_URL", &format!("http://{listening}"));
    assert_eq!(json(program.run(&order)), kept, "what was acknowledged before the kill");
    let id = kept["id"].as_str().unwrap();
    let listed = json(program.run(&["invite", "list", "--json"]));
    assert_eq!(listed["invites"].as_array().map(Vec::len), Some(2), "{listed}");
    assert_eq!(program.run(&["list"]).output(), "no callbacks\n");
    assert!(program.run(&["invite", "explain", id]).output().starts_with(&format!("{id} ")));

    let link = program.run(&["link", id]).output();
    assert!(link.starts_with("https://wa.me/call/") && link.contains("?biz_payload=c"), "{link}");
    assert_eq!(program.run(&["link", id, "--output", "link.png"]).output(), "");
    assert!(std::fs::read(program.path().join("link.png")).unwrap().starts_with(b"\x89PNG"));
    let code = program.run(&["link", id, "--format", "qr"]).output();
    assert!(code.lines().count() > 20 && code.contains('▀'), "{code}");

    let canceled = program.run(&["invite", "cancel", id]).output();
    assert!(canceled.starts_with(&format!("{id}  canceled  ")), "{canceled}");
    let error = program.run(&["link", id]).error();
    assert_eq!(error, "error: the invite is closed: it ended with the outcome \"canceled\"\n");
    let shown = program.run(&["invite", "show", id, "--timeline"]).output();
    assert!(shown.contains("invite.ordered") && shown.contains("invite.closed"), "{shown}");
    let error = program.run(&["invite", "show", "nothing"]).error();
    assert_eq!(
        error,
        "error: the invite does not exist: no invite has this reference\n\
         hint: \"ringmaster invite list\" shows the invites\n"
    );
    let status = program.run(&["status"]).output();
    assert!(status.contains("invites") && status.contains("1 waiting, 1 canceled"), "{status}");
}

#[test]
fn an_operator_records_permissions_and_extra_attempts() {
    let (_sandbox, _daemon, program) = started();
    let order = ["enqueue", "--consumer", "+447700900103", "--document", "conference", "--earliest", "+1h"];
    let ordered = program.run(&order).output();
    let id = ordered.split(' ').next().unwrap();

    let allowed = program.run(&["allow-attempt", id, "--reason", "asked-by-mail", "--json"]).output();
    let allowed: serde_json::Value = serde_json::from_str(&allowed).unwrap();
    assert!(allowed["attempt_allowed_at"].is_string(), "{allowed}");
    let shown = program.run(&["show", id, "--timeline"]).output();
    assert!(shown.contains("by the token \"me\", allowed one more attempt: asked-by-mail."), "{shown}");
    let answer = program.run(&["allow-attempt", id]);
    assert_eq!(answer.code, Some(2), "a reason is needed: {}", answer.out);

    let listed = program.run(&["list", "--json"]).output();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let sender = listed["callbacks"][0]["senders"][0].as_str().unwrap().to_owned();
    let pair = ["--sender", &sender, "--consumer", "+447700900103"];
    let permission =
        |verb: &str, more: &[&str]| program.run(&[&["permission", verb], &pair[..], more].concat());
    let granted = permission("grant", &["--kind", "permanent", "--reason", "seen-in-the-profile"]).output();
    assert_eq!(granted, "granted\n");
    let shown =
        until(|| permission("show", &[]).output(), |shown| shown.starts_with("permission: permanent\n"));
    assert!(shown.contains("recorded a permanent permission: seen-in-the-profile."), "{shown}");
    assert!(shown.contains("\nmisses in a row: 0; revoked at 4\n"), "{shown}");
    assert_eq!(permission("revoke", &["--reason", "asked-by-mail"]).output(), "revoked\n");
    until(
        || permission("show", &[]).output(),
        |shown| {
            shown
                .starts_with(&format!("permission: revoked_by_consumer\nrefused: operator to {} at ", sender))
        },
    );

    assert_eq!(program.run(&["attempts", "--unknown"]).output(), "no attempts\n");
    assert_eq!(program.run(&["messages", "--unknown"]).output(), "no messages\n");
    let nobody = "at_00000000000000000000000000000001";
    let error = program.run(&["resolve", nobody, "not_placed"]).error();
    assert!(
        error.starts_with("error: the attempt does not exist: ") && error.contains("\nhint: "),
        "{error}"
    );
    assert_eq!(program.run(&["resolve", "cb_1", "not_placed"]).code, Some(2));

    let webhooks = program.run(&["webhooks", "show"]).output();
    assert!(webhooks.starts_with("endpoint  off\n"), "{webhooks}");
    let error = program.run(&["webhooks", "enable"]).error();
    assert!(error.starts_with("error: no webhook is configured: "), "{error}");
}

#[test]
fn an_operator_closes_a_day_and_tries_hours() {
    let (_sandbox, _daemon, program) = started();
    let brazil = program.run(&["calendars", "list", "--country", "BR"]).output();
    assert!(brazil.lines().filter(|line| line.contains(" program ")).all(|line| line.starts_with("BR")));
    assert!(brazil.contains("\nBR-SP "), "{brazil}");
    let days = ["--from", "2026-12-25", "--until", "2026-12-26"];
    let shown = program.run(&[&["calendars", "show", "BR-SP"], &days[..]].concat()).output();
    assert!(shown.contains("2026-12-25") && !shown.contains("2026-12-26"), "{shown}");

    let today = SystemClock.now().to_zoned(TimeZone::UTC).date();
    let day = today.checked_add(Span::new().days(10)).unwrap().to_string();
    let closed = program.run(&["calendars", "close", "BR-SP", &day, "--why", "no-agents"]).output();
    assert_eq!(closed, format!("BR-SP  {day}  closed\n"));
    let (hours, noon) =
        ("daily 09:00-18:00 @America/Sao_Paulo except BR-SP", format!("{day}T12:00:00-03:00"));
    let tried = program.run(&["calendars", "simulate", hours, "--at", &noon]).output();
    assert!(tried.contains("closed (calendar.closed)"), "{tried}");
    let error = program.run(&["calendars", "show", "nowhere"]).error();
    assert!(error.starts_with("error: the calendar does not exist: "), "{error}");

    let order = ["enqueue", "--consumer", "+447700900103", "--document", "conference", "--earliest", "+1h"];
    let ask = ["--hours", "daily 09:00-18:00", "--missed-window", "ask", "--json"];
    let kept: serde_json::Value =
        serde_json::from_str(&program.run(&[&order[..], &ask].concat()).output()).unwrap();
    assert_eq!((&kept["hours"]["zone"], &kept["missed_window"]), (&"Europe/London".into(), &"ask".into()));
    let error = program.run(&[&order[..], &["--missed-window", "close"]].concat()).error();
    assert!(error.contains("missed_window"), "{error}");
}

#[test]
fn a_backup_is_whole_and_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_sandbox, _daemon, program) = started();
    let order = ["enqueue", "--consumer", "+447700900101", "--document", "conference", "--earliest", "+1h"];
    program.run(&order).output();
    let copied = program.run(&["store", "backup", "copy.db"]).output();
    assert!(copied.starts_with("copied ringmaster.db into copy.db ("), "{copied}");
    let copy = program.path().join("copy.db");
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let db = rusqlite::Connection::open(&copy).unwrap();
    let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((count("SELECT count(*) FROM callbacks"), count("SELECT count(*) FROM tokens")), (1, 1));
    let before = std::fs::read(&copy).unwrap();
    let error = program.run(&["store", "backup", "copy.db"]).error();
    assert!(error.starts_with("error: copy.db cannot be written: File exists"), "{error}");
    assert_eq!(std::fs::read(&copy).unwrap(), before, "it is as it was");
    let error = program.run(&["store", "backup", "nowhere/copy.db"]).error();
    assert!(error.starts_with("error: nowhere/copy.db cannot be written: No such file"), "{error}");
}

#[test]
fn a_revoked_token_is_refused() {
    let (_sandbox, _daemon, program) = started();
    let second = program.run(&["token", "create", "me"]).output();
    let listed = program.run(&["token", "list", "--json"]).output();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let marks: Vec<&str> =
        listed.as_array().unwrap().iter().map(|token| token["mark"].as_str().unwrap()).collect();
    assert_eq!(marks.len(), 2, "{listed}");
    assert_eq!(program.run(&["list"]).output(), "no callbacks\n");

    let error = program.run(&["token", "create", "x", "--document", "nope"]).error();
    assert!(error.starts_with("error: --document: there is no document \"nope\""), "{error}");
    let error = program.run(&["token", "revoke", "me"]).error();
    assert!(error.starts_with("error: there are 2 tokens of that name\nhint: --mark "), "{error}");
    let revoked = program.run(&["token", "revoke", "me", "--mark", marks[0]]).output();
    assert_eq!(revoked, format!("me {} is revoked\n", marks[0]));
    let error = program.run(&["list"]).error();
    assert!(error.starts_with("error: the token is unknown: "), "{error}");

    let program = program.with("RINGMASTER_TOKEN", second.trim());
    assert_eq!(program.run(&["list"]).output(), "no callbacks\n");
    program.run(&["token", "revoke", "me"]).output();
    assert_eq!(program.run(&["token", "list"]).output(), "no tokens\n");
    let error = program.run(&["token", "revoke", "me"]).error();
    assert!(error.starts_with("error: the token does not exist\nhint: "), "{error}");
}

/// Repeats a request until the answer is the expected one, because a daemon folds a report after it has stored it.
#[track_caller]
fn until(ask: impl Fn() -> String, is_so: impl Fn(&str) -> bool) -> String {
    for _ in 0..100 {
        let answer = ask();
        if is_so(&answer) {
            return answer;
        }
    }
    panic!("the expected answer never came: {}", ask())
}
