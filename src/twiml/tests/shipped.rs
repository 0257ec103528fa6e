//! The documents in `twiml/` and their exact renderings, and loading a folder.

use std::fs;
use std::path::Path;

use super::library::SHIPPED;
use super::*;
use crate::domain::{Noun, NounKind, Part};

const ACTION: &str = "https://ring.example/t/tok/action?a=1&amp;b=2";
const LEG: &str = "https://ring.example/t/tok/leg";

#[track_caller]
fn check(name: &str, variables: &[(&str, &str)], agent: Option<&str>, expected: &str) {
    let library = Library::embedded();
    let document = library.document(name).unwrap();
    assert_eq!(
        document.variables().iter().map(String::as_str).collect::<Vec<_>>(),
        variables.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
    );
    assert_eq!(document.needs_agent(), agent.is_some());
    assert_eq!(inside(&filled_for(document, variables, agent).unwrap()), expected);
}

#[test]
fn agent_first_dials_the_consumer_on_whatsapp() {
    check(
        "agent-first",
        &[],
        Some("client:alice"),
        &format!(
            "<Say>Calling the consumer.</Say><Dial callerId=\"whatsapp:+551133334444\" answerOnBridge=\"true\" \
             timeout=\"45\" action=\"{ACTION}\"><WhatsApp statusCallback=\"{LEG}\" statusCallbackEvent=\"initiated \
             ringing answered completed\">+5511987654321</WhatsApp></Dial>"
        ),
    );
}

#[test]
fn enqueue_hands_the_call_to_a_workflow() {
    check(
        "enqueue",
        &[("workflow", WORKFLOW)],
        None,
        &format!(
            "<Say>Hello, this is the call that you asked for. Please hold while we connect you.</Say><Enqueue \
             workflowSid=\"{WORKFLOW}\" action=\"{ACTION}\"><Task>{{&quot;type&quot;:&quot;callback&quot;,\
             &quot;callback&quot;:&quot;cb_1&quot;,&quot;attempt&quot;:&quot;at_1&quot;,&quot;reference&quot;:\
             &quot;order &lt;7&gt;&quot;,&quot;sender&quot;:&quot;+551133334444&quot;,&quot;consumer&quot;:\
             &quot;+5511987654321&quot;}}</Task></Enqueue>"
        ),
    );
}

#[test]
fn dial_client_rings_an_agent_in_a_browser() {
    check(
        "dial-client",
        &[],
        Some("client:alice"),
        &format!(
            "<Say>Hello, this is the call that you asked for. We are connecting you now.</Say><Dial \
             action=\"{ACTION}\" timeout=\"30\"><Client statusCallback=\"{LEG}\" statusCallbackEvent=\"initiated \
             ringing answered completed\"><Identity>alice</Identity><Parameter name=\"callback\" \
             value=\"cb_1\"/><Parameter name=\"reference\" value=\"order &lt;7&gt;\"/></Client></Dial>"
        ),
    );
}

#[test]
fn dial_sip_rings_an_agent_over_sip() {
    check(
        "dial-sip",
        &[],
        Some("sip:alice@pbx.example"),
        &format!(
            "<Say>Hello, this is the call that you asked for. We are connecting you now.</Say><Dial \
             action=\"{ACTION}\" timeout=\"30\"><Sip statusCallback=\"{LEG}\" statusCallbackEvent=\"initiated \
             ringing answered completed\">sip:alice@pbx.example</Sip></Dial>"
        ),
    );
}

#[test]
fn conference_opens_a_room_for_the_callback() {
    check(
        "conference",
        &[],
        None,
        &format!(
            "<Say>Hello, this is the call that you asked for. Please hold while we connect you.</Say><Dial \
             action=\"{ACTION}\"><Conference endConferenceOnExit=\"true\" beep=\"false\" \
             participantLabel=\"consumer\">cb_1</Conference></Dial>"
        ),
    );
}

#[test]
fn conversation_relay_connects_a_bot() {
    check(
        "conversation-relay",
        &[("greeting", "Hi, I'm Bo"), ("relay_url", "wss://bot.example/r?a=1&b=2")],
        None,
        &format!(
            "<Connect action=\"{ACTION}\"><ConversationRelay url=\"wss://bot.example/r?a=1&amp;b=2\" \
             welcomeGreeting=\"Hi, I&apos;m Bo\"><Parameter name=\"callback\" value=\"cb_1\"/><Parameter \
             name=\"attempt\" value=\"at_1\"/><Parameter name=\"reference\" value=\"order \
             &lt;7&gt;\"/></ConversationRelay></Connect>"
        ),
    );
}

#[test]
fn message_says_its_text_and_reports_its_end() {
    check(
        "message",
        &[("message", "Your order <7> is ready.")],
        None,
        "<Pause length=\"1\"/><Say>Your order &lt;7&gt; is ready.</Say><Redirect>https://ring.example/t/tok/action?a=1&amp;b=2</Redirect>",
    );
}

#[test]
fn inbound_documents_need_no_values() {
    check(
        "inbound",
        &[],
        None,
        "<Say>Thank you for calling. Please hold while we connect you.</Say><Enqueue>inbound</Enqueue>",
    );
    check(
        "inbound-message",
        &[],
        None,
        "<Say>Thank you for calling. Nobody can take your call right now. We will call you back.</Say><Hangup/>",
    );
}

#[test]
fn canceled_says_goodbye_and_needs_no_values() {
    check(
        CANCELED,
        &[],
        None,
        "<Pause length=\"1\"/><Say>Hello. The call that was planned here has been canceled. There is nothing for you \
         to do. Goodbye.</Say><Hangup/>",
    );
    check(
        APOLOGY,
        &[],
        None,
        "<Say>We are sorry. Nobody is free to speak with you at this moment. We will call you again soon. \
         Goodbye.</Say><Hangup/>",
    );
    assert!(Library::embedded().document(CANCELED).unwrap().needs_nothing());
    assert!(Library::embedded().document(APOLOGY).unwrap().needs_nothing());
    for (needs_nothing, name) in
        [(false, "message"), (false, "dial-client"), (false, "agent-first"), (true, "inbound")]
    {
        assert_eq!(Library::embedded().document(name).unwrap().needs_nothing(), needs_nothing, "{name}");
    }
}

#[test]
fn a_folder_without_a_document_canceled_gets_the_built_in_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("one.xml"), response("<Hangup/>")).unwrap();
    let goodbye = |library: &Library| filled(library.document(CANCELED).unwrap(), &[]).unwrap();
    let library = Library::load(folder.path()).unwrap();
    assert_eq!(library.names().collect::<Vec<_>>(), [APOLOGY, CANCELED, "one"]);
    assert_eq!(goodbye(&library), goodbye(&Library::embedded()));
    fs::write(folder.path().join("canceled.xml"), response("<Hangup/>")).unwrap();
    assert_eq!(goodbye(&Library::load(folder.path()).unwrap()), hangup());
}

#[test]
fn every_built_in_document_for_orders_reports_whether_the_consumer_was_served() {
    for (name, proof) in [
        ("agent-first", Proof::Answer),
        ("conference", Proof::Bridge),
        ("conversation-relay", Proof::Bot),
        ("dial-client", Proof::Bridge),
        ("dial-sip", Proof::Bridge),
        ("enqueue", Proof::Bridge),
        ("message", Proof::Playback),
    ] {
        assert_eq!(Library::embedded().document(name).unwrap().script().proof, proof, "{name}");
    }
    let library = Library::embedded();
    assert_eq!(library.warnings().collect::<Vec<_>>(), []);
}

#[test]
fn the_agents_and_bots_of_a_document_are_known_before_the_call() {
    let library = Library::embedded();
    let script = |name: &str| library.document(name).unwrap().script().clone();
    let agent = |kind| [vec![Noun { kind, parts: vec![Part::Agent] }]];
    assert_eq!(*script("dial-client").dials, agent(NounKind::Client));
    assert_eq!(*script("dial-sip").dials, agent(NounKind::Sip));
    for name in ["agent-first", "conference", "conversation-relay", "enqueue", "message"] {
        assert!(script(name).dials.is_empty(), "{name}");
    }
    let bots: Vec<&str> = library.all().filter(|it| it.script().has_bot).map(Document::name).collect();
    assert_eq!(bots, ["conversation-relay"]);
}

#[test]
fn only_agent_first_is_agent_first() {
    for document in Library::embedded().all() {
        let expected =
            if document.name() == "agent-first" { LegOrder::AgentFirst } else { LegOrder::ConsumerFirst };
        assert_eq!(document.order(), expected, "{}", document.name());
    }
}

#[test]
fn the_folder_and_the_program_have_the_same_documents() {
    let folder = Library::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("twiml")).unwrap();
    assert!(folder.names().eq(Library::embedded().names()));
    assert!(folder.names().eq(SHIPPED.iter().map(|&(name, _)| name).collect::<BTreeSet<_>>()));
}

#[test]
fn every_built_in_document_starts_with_its_purpose() {
    let manual = include_str!("../../../docs/TWIML.md");
    for (name, source) in SHIPPED {
        assert!(source.lines().nth(1).unwrap().starts_with("<!-- "), "{name}");
        assert!(manual.contains(&format!("| `{name}` |")), "{name}");
        for variable in Library::embedded().document(name).unwrap().variables() {
            assert!(source.split("-->").next().unwrap().contains(variable.as_str()), "{name}: {variable}");
        }
    }
}

#[test]
fn the_hang_up_document_is_valid() {
    assert_eq!(filled(&Document::parse("hangup", hangup()).unwrap(), &[]).unwrap(), hangup());
}

#[test]
fn a_folder_with_faults_names_every_one_of_every_file() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
    write("good.xml", response("<Hangup/>").as_bytes());
    write("bad.xml", response("<Dial>1</Dial>\n<Pause length=\"0\"/>").as_bytes());
    write("Worse.xml", b"<Response>\n<Say>\xFF</Say></Response>");
    write("notes.txt", b"not a document");
    let Err(LoadError::Faults(faults)) = Library::load(folder.path()) else { panic!("expected faults") };
    let shown: Vec<_> = faults
        .0
        .iter()
        .map(|(path, fault)| format!("{} {} {}", path.file_name().unwrap().display(), fault.line, fault.rule))
        .collect();
    assert_eq!(shown, ["Worse.xml 2 encoding", "bad.xml 2 pstn", "bad.xml 3 value"]);
    assert_eq!(faults.to_string().lines().count(), 3);
    assert!(faults.to_string().contains("bad.xml:2: pstn: text in <Dial>"), "{faults}");
}

#[test]
fn a_folder_without_documents_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Library::load(folder.path()), Err(LoadError::Empty(_))));
    assert!(matches!(Library::load(&folder.path().join("none")), Err(LoadError::Read { .. })));
}

#[test]
fn a_document_that_is_not_there_is_told_and_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("good.xml"), response("<Hangup/>")).unwrap();
    // The mark of an editor that has the file open.
    std::os::unix::fs::symlink("user@host.1", at(".#good.xml")).unwrap();
    assert!(Library::load(folder.path()).is_ok());
    let unread = |what: &str| match Library::load(folder.path()) {
        Err(LoadError::Read { path, .. }) => assert!(path.ends_with(what), "{}", path.display()),
        other => panic!("{what}: {other:?}"),
    };
    std::os::unix::fs::symlink("nowhere.xml", at("dangling.xml")).unwrap();
    unread("dangling.xml");
    fs::remove_file(at("dangling.xml")).unwrap();
    fs::create_dir(at("folder.xml")).unwrap();
    unread("folder.xml");
}
