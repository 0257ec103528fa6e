//! Tests each rule with documents that break it, with the line, and with documents that just meet it.

use super::*;

/// The faults of a document as `line rule`. No order names it, so it need not report whether a consumer was served.
fn faults(source: &str) -> Vec<String> {
    Document::parse("inbound-test", source)
        .map_or_else(|faults| faults, |document| document.warnings().to_vec())
        .iter()
        .map(|fault| {
            let severity = if fault.is_error() { "" } else { "warning " };
            format!("{} {severity}{}", fault.line, fault.rule)
        })
        .collect()
}

/// Checks the faults of verbs. The first verb is on line 2.
#[track_caller]
fn check(inside: &str, expected: &[&str]) {
    let source = response(inside);
    assert_eq!(faults(&source), expected, "{source}\n{:#?}", Document::parse("test", &source).err());
}

const LEG: &str = "statusCallback=\"{{leg_status_url}}\"";

#[test]
fn the_name_of_a_document_is_checked() {
    for name in ["a", "dial-client", "2nd"] {
        assert!(Document::parse(name, &response("<Hangup/>")).is_ok(), "{name}");
    }
    for name in ["", "Dial", "a_b", "a.b", "../a", "a/b", "é"] {
        let faults = Document::parse(name, &response("<Hangup/>")).unwrap_err();
        assert_eq!(faults[0].rule, Rule::DocumentName, "{name}");
    }
}

#[test]
fn a_document_is_at_most_64_kb() {
    let shell = response("<Say></Say>").len();
    let of = |size: usize| response(&format!("<Say>{}</Say>", "a".repeat(size - shell)));
    assert_eq!(of(SIZE_MAX).len(), SIZE_MAX);
    assert!(faults(&of(SIZE_MAX)).is_empty());
    assert_eq!(faults(&of(SIZE_MAX + 1)), ["1 size"]);
}

#[test]
fn broken_xml_is_refused_with_its_line() {
    check("<Say>a</Sya>", &["2 syntax"]);
    check("<Say>a & b</Say>", &["2 syntax"]);
    check("\n<Say>a ]]> b</Say>", &["3 syntax"]);
    check("<Hangup/>\n<!-- a -- b -->", &["3 syntax"]);
    check("<Say voice=alice>a</Say>", &["2 syntax"]);
    check("<Say voice>a</Say>", &["2 syntax"]);
    check("<Say voice=\"a\"language=\"b\">a</Say>", &["2 syntax"]);
    check("<Say\n voice=\"a<b\">a</Say>", &["3 syntax"]);
    check("<Say voice=\"a & b\">a</Say>", &["2 syntax"]);
    assert_eq!(faults("<Response>\n<Say>a</Say>\n<Say>"), ["3 syntax"]);
    assert_eq!(faults("<Response><Hangup/></Response></Response>"), ["1 syntax"]);
    assert_eq!(faults(" <?xml version=\"1.0\"?><Response><Hangup/></Response>"), ["1 syntax"]);
    assert_eq!(faults("<?xml version=\"1.1\"?><Response><Hangup/></Response>"), ["1 syntax"]);
    check("<Say voice='it\"s' language=\"en\" >a &lt; b &#38; c ]] > d</Say >\n<!-- a - b -->", &[]);
}

#[test]
fn documents_are_utf_8() {
    assert_eq!(
        faults("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Response><Hangup/></Response>"),
        ["1 encoding"]
    );
    assert!(
        faults("\u{FEFF}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Response><Hangup/></Response>")
            .is_empty()
    );
}

#[test]
fn characters_outside_xml_are_refused() {
    check("<Say>a\u{8}b</Say>", &["2 character"]);
    check("<Say>a\nb\u{FFFE}</Say>", &["3 character"]);
    check("<Say>&#0;&#8;</Say>", &["2 character", "2 character"]);
    check("<Say voice=\"&#x1F;\">a</Say>", &["2 character"]);
    check("<Say>&#55296;</Say>", &["2 character"]);
    check("<Say voice=\"&#x41;\">a\u{FFFD}&#9;&#x1F600;</Say>", &[]);
}

#[test]
fn doctypes_instructions_and_cdata_are_refused() {
    assert_eq!(
        faults("<!DOCTYPE Response [\n<!ENTITY a \"b\">]>\n<Response><Hangup/></Response>"),
        ["1 markup"]
    );
    check("<?php a ?>\n<Hangup/>", &["2 markup"]);
    check("<Say>a</Say>\n<Say>a<![CDATA[<Dial>]]></Say>", &["3 markup"]);
}

#[test]
fn only_the_five_entities_of_xml_are_known() {
    check("<Say>a&nbsp;b</Say>", &["2 entity"]);
    check("<Say voice=\"a\"\n language=\"&eacute;\">b</Say>", &["3 entity"]);
    check("<Say voice=\"&quot;\">&lt;&gt;&amp;&quot;&apos;</Say>", &[]);
}

#[test]
fn attributes_are_not_repeated() {
    check("<Say voice=\"a\" voice=\"b\">a</Say>", &["2 duplicate-attribute"]);
}

#[test]
fn there_is_exactly_one_response() {
    assert_eq!(faults(""), ["1 root"]);
    assert_eq!(faults("just text"), ["1 root", "1 root"]);
    assert_eq!(faults("\n<Say>a</Say>"), ["2 root"]);
    assert_eq!(faults("<response><Hangup/></response>"), ["1 root"]);
    assert_eq!(faults("<Response><Hangup/></Response>\n<Response><Hangup/></Response>"), ["2 root"]);
    assert_eq!(faults("<Response><Hangup/></Response>\ntail"), ["1 root"]);
    assert_eq!(faults("<Response><Hangup/></Response>\n&amp;"), ["2 root"]);
    assert_eq!(faults("<Response/>"), ["1 content"]);
    assert!(faults("<!-- a -->\n<Response><Hangup/></Response>\n<!-- b -->\n").is_empty());
}

#[test]
fn elements_nest_to_a_limit() {
    let nested = |depth: usize| {
        let inner = depth - 2;
        format!("<Say>{}a{}</Say>", "<prosody>".repeat(inner), "</prosody>".repeat(inner))
    };
    check(&nested(parse::DEPTH_MAX), &[]);
    check(&nested(parse::DEPTH_MAX + 1), &["2 depth"]);
    check(&"<Say>".repeat(5_000), &{
        let mut expected = vec!["2 depth"];
        expected.extend(["2 nesting"; parse::DEPTH_MAX - 1]);
        expected
    });
}

#[test]
fn unknown_elements_are_refused_with_the_nearest_name() {
    check("<say>a</say>\n<Hangup/>\n<Konnect/>", &["2 warning unknown-element", "4 warning unknown-element"]);
    let document = Document::parse("test", &response("<Hangupp/>")).unwrap();
    let message = &document.warnings()[0].message;
    assert!(message.ends_with("did you mean <Hangup>?"), "{message}");
    check("<Dial><Klient>a</Klient></Dial>", &["2 unknown-element"]);
    check("<{{verb}}/>", &["2 unknown-element"]);
}

#[test]
fn elements_are_allowed_only_where_twilio_allows_them() {
    check("<Client>a</Client>", &["2 nesting"]);
    check("<Dial><Client>a</Client>\n<Say>a</Say></Dial>", &["3 nesting"]);
    check("<Gather action=\"{{action_url}}\"><Hangup/></Gather>", &["2 nesting"]);
    check("<Say>a</Say><Response><Hangup/></Response>", &["2 nesting"]);
    check("<Dial><Conference>a</Conference><Client>b</Client></Dial>", &["2 nesting"]);
    check(
        "<Gather action=\"{{action_url}}\"><Say>a</Say><Play>https://a.example/b.mp3</Play><Pause/></Gather>",
        &[],
    );
}

#[test]
fn attributes_are_those_of_the_element() {
    check("<Hangup reason=\"a\"/>", &["2 warning unknown-attribute"]);
    check("<Dial callerid=\"a\">\n<Client>a</Client></Dial>", &["2 warning unknown-attribute"]);
    check("<Say {{a}}=\"b\">c</Say>", &["2 unknown-attribute"]);
    check("<Say xmlns=\"u\">c</Say>", &["2 unknown-attribute"]);
    check("<Say xmlns=\"\">c</Say>", &["2 warning unknown-attribute"]);
    check("<Say xmlns:a=\"u\">c</Say>", &["2 unknown-attribute"]);
    check("<Gather/>\n<Record/>", &["2 missing-attribute", "3 missing-attribute"]);
    check("<Connect>\n<ConversationRelay/></Connect>", &["3 missing-attribute"]);
    check("<Start>\n<Stream name=\"a\"/></Start>", &["3 missing-attribute"]);
    check("<Stop><Stream name=\"a\"/></Stop>", &[]);
}

#[test]
fn unknown_verbs_and_attributes_are_sent_as_written() {
    let source = response("<Translate to=\"pt &amp; es\">a &lt; b</Translate><Say mood=\"calm\">a</Say>");
    let document = Document::parse("inbound-test", &source).unwrap();
    assert_eq!(document.warnings().len(), 2);
    let text = &document.program.text;
    assert!(text.contains("<Translate to=\"pt &amp; es\">a &lt; b</Translate>"), "{text}");
    assert!(text.contains("<Say mood=\"calm\">a</Say>"), "{text}");
}

#[test]
fn unknown_verbs_cannot_reach_the_telephone_network() {
    check("<Ring>+55 (11) 98765-4321</Ring>", &["2 warning unknown-element", "2 pstn"]);
    check("<Ring>1234567</Ring>", &["2 warning unknown-element", "2 pstn"]);
    check("<Ring>123456</Ring>", &["2 warning unknown-element"]);
    check("<Ring>tel:911</Ring>", &["2 warning unknown-element", "2 pstn"]);
    check("<Ring>{{consumer}}</Ring>", &["2 warning unknown-element", "2 placeholder"]);
    check("<Ring><Number>1</Number></Ring>", &["2 warning unknown-element", "2 unknown-element"]);
    check("<Ring referUrl=\"https://a.example\"/>", &["2 warning unknown-element", "2 unchecked-document"]);
    check("<Say mood=\"{{mood}}\">a</Say>", &["2 warning unknown-attribute", "2 placeholder"]);
}

#[test]
fn values_are_those_that_twilio_documents() {
    for (good, bad) in [
        ("<Say loop=\"1000\">a</Say>", "<Say loop=\"1001\">a</Say>"),
        ("<Say loop=\"0\">a</Say>", "<Say loop=\"-1\">a</Say>"),
        ("<Pause length=\"1\"/>", "<Pause length=\"0\"/>"),
        ("<Pause length=\"10\"/>", "<Pause length=\"+1\"/>"),
        ("<Reject reason=\"busy\"/>", "<Reject reason=\"Busy\"/>"),
        (
            "<Dial timeout=\"600\"><Client>a</Client></Dial>",
            "<Dial timeout=\"601\"><Client>a</Client></Dial>",
        ),
        (
            "<Dial record=\"record-from-answer\"><Client>a</Client></Dial>",
            "<Dial record=\"yes\"><Client>a</Client></Dial>",
        ),
        ("<Dial method=\"GET\"><Client>a</Client></Dial>", "<Dial method=\"get\"><Client>a</Client></Dial>"),
        (
            "<Dial answerOnBridge=\"true\"><Client>a</Client></Dial>",
            "<Dial answerOnBridge=\"1\"><Client>a</Client></Dial>",
        ),
        (
            "<Dial><Client statusCallbackEvent=\"ringing completed\">a</Client></Dial>",
            "<Dial><Client statusCallbackEvent=\"ringing,completed\">a</Client></Dial>",
        ),
        (
            "<Dial><Client statusCallbackEvent=\"answered\">a</Client></Dial>",
            "<Dial><Client statusCallbackEvent=\"\">a</Client></Dial>",
        ),
        (
            "<Gather action=\"{{action_url}}\" speechTimeout=\"auto\"/>",
            "<Gather action=\"{{action_url}}\" speechTimeout=\"soon\"/>",
        ),
        ("<Say loop=\"{{times}}\">a</Say>", "<Say loop=\"1{{times}}\">a</Say>"),
        ("<Say loop=\"{{times}}\">a</Say>", "<Say loop=\"{{sender}}\">a</Say>"),
        (
            "<Enqueue workflowSid=\"WW0123456789abcdef0123456789abcdef\"/>",
            "<Enqueue workflowSid=\"WW0123456789abcdef0123456789abcde\"/>",
        ),
    ] {
        check(good, &[]);
        check(bad, &["2 value"]);
    }
}

#[test]
fn literal_urls_are_absolute() {
    let play = |url: &str| format!("<Play>{url}</Play>");
    for good in [
        "https://a.example/b.mp3",
        "http://a.example/b?c=d&amp;e=f",
        "{{media}}",
        "https://a.example/{{language}}/b.mp3?who={{reference}}",
    ] {
        check(&play(good), &[]);
    }
    for bad in [
        "b.mp3",
        "/b.mp3",
        "ftp://a.example/b",
        "javascript:alert(1)",
        "https://",
        "https://a_b.example/c",
        "https://a.example/b c",
        "https://{{host}}/b.mp3",
        "https:///{{host}}/b.mp3",
        "https://\\/{{host}}/b.mp3",
        "https:{{host}}/b.mp3",
        "https://a.example@{{host}}/",
        "https://a.example:8{{port}}/",
        "https://a.example{{rest}}",
        "{{scheme}}://a.example/b",
        "{{base}}/b.mp3",
        "{{consumer}}",
    ] {
        check(&play(bad), &["2 url"]);
    }
    check("<Connect><Stream url=\"wss://a.example/b\"/></Connect>", &[]);
    check("<Connect><Stream url=\"https://a.example/b\"/></Connect>", &["2 url"]);
    check("<Dial><Conference waitUrl=\"\">a</Conference></Dial>", &[]);
}

#[test]
fn text_is_allowed_only_where_twilio_reads_it() {
    check("loose", &["2 text"]);
    check("<Pause>\n\na</Pause>", &["4 text"]);
    check("<Gather action=\"{{action_url}}\">{{a}}</Gather>", &["2 text"]);
}

#[test]
fn every_element_has_its_required_content() {
    for bad in [
        "<Say/>",
        "<Say></Say>",
        "<Play/>",
        "<Play digits=\"1\">https://a.example/b</Play>",
        "<Dial/>",
        "<Dial><Client/></Dial>",
        "<Dial><Client>a<Identity>b</Identity></Client></Dial>",
        "<Dial><Client>a<Parameter name=\"b\" value=\"c\"/></Client></Dial>",
        "<Dial><Client>sip:a@b.example</Client></Dial>",
        "<Dial><Sip>a@b.example</Sip></Dial>",
        "<Dial><Sip>sip:alice@{{host}}</Sip></Dial>",
        "<Dial><Sip>sip:{{user}}@{{sub}}.example</Sip></Dial>",
        "<Dial><Sip/></Dial>",
        "<Dial><Conference> </Conference></Dial>",
        "<Dial><Queue/></Dial>",
        "<Connect/>",
        "<Connect><Room>a</Room><Room>b</Room></Connect>",
        "<Start/>",
        "<Enqueue/>",
        "<Enqueue workflowSid=\"{{workflow}}\">support</Enqueue>",
        "<Enqueue>support<Task>{}</Task></Enqueue>",
        "<Enqueue workflowSid=\"{{workflow}}\"><Task/></Enqueue>",
    ] {
        check(bad, &["2 content"]);
    }
    for good in [
        "<Say>{{a}}</Say>",
        "<Say><break time=\"1s\"/></Say>",
        "<Play digits=\"ww12\"/>",
        "<Dial><Client>alice</Client><Client><Identity>{{agent}}</Identity></Client></Dial>",
        "<Dial><Sip>sip:{{agent}}@pbx.example</Sip></Dial>",
        "<Dial><Queue>{{queue}}</Queue></Dial>",
        "<Enqueue>support</Enqueue>",
        "<Start><Stream url=\"wss://a.example/\"/><Transcription/></Start>",
        "<Say>It is <say-as interpret-as=\"date\" format=\"dmy\">1.2.2026</say-as>, <lang xml:lang=\"fr-FR\">oui</lang></Say>",
        "<Pay paymentConnector=\"a\"><Prompt for=\"security-code\" attempt=\"1 2\"><Say>a</Say></Prompt></Pay>",
    ] {
        check(good, &[]);
    }
}

#[test]
fn the_name_of_a_queue_has_at_most_64_characters() {
    let queue = |length: usize| format!("<Enqueue>{}</Enqueue>", "é".repeat(length));
    check(&queue(64), &[]);
    check(&queue(65), &["2 content"]);
}

#[test]
fn a_task_is_a_json_object_with_its_placeholders_in_strings() {
    let task =
        |json: &str| format!("<Enqueue workflowSid=\"{{{{workflow}}}}\">\n<Task>{json}</Task></Enqueue>");
    check(&task("{\"a\": \"{{a}}\", \"b\": [1, \"x{{b}}y\"]}"), &[]);
    check(&task("{&quot;a&quot;: 1}"), &[]);
    check(&task("{\"a\":\n{{a}}}"), &["4 json"]);
    check(&task("{\"a\": \"{{a}}\",}"), &["3 json"]);
    check(&task("\n{\n\"a\": x}"), &["5 json"]);
    check(&task("[1]"), &["3 json"]);
    check(&task("plain"), &["3 json"]);
}

#[test]
fn placeholders_must_be_closed_and_have_valid_names() {
    check("<Say>a\n{{b</Say>", &["3 placeholder"]);
    check("<Say>{{ a }}\n{{B}}\n{{a-b}}</Say>", &["2 placeholder", "3 placeholder", "4 placeholder"]);
    check("<Say\n voice=\"{{1}}\">a</Say>", &["3 placeholder"]);
    check("<!-- {{ anything }} {{ -->\n<Say>a } } }} {b</Say>", &[]);
}

#[test]
fn the_caller_of_a_whatsapp_leg_is_a_sender() {
    let dial = |caller: &str| format!("<Dial {caller}>\n<WhatsApp {LEG}>{{{{consumer}}}}</WhatsApp></Dial>");
    for good in ["whatsapp:{{sender}}", "whatsapp:+551133334444"] {
        check(&dial(&format!("callerId=\"{good}\"")), &[]);
    }
    check(&dial(""), &["2 caller-id"]);
    for bad in [
        "{{sender}}",
        "+551133334444",
        "whatsapp:551133334444",
        "whatsapp:+5511",
        "whatsapp:{{other}}",
        "whatsapp:{{consumer}}",
        "WhatsApp:{{sender}}",
    ] {
        check(&dial(&format!("callerId=\"{bad}\"")), &["2 caller-id"]);
    }
}

#[test]
fn a_document_calls_one_consumer_once_and_reports_the_result() {
    let dial = |nouns: &str| format!("<Dial callerId=\"whatsapp:{{{{sender}}}}\">{nouns}</Dial>");
    let leg = |number: &str| format!("<WhatsApp {LEG}>{number}</WhatsApp>");
    for good in ["{{consumer}}", "\n +5511987654321\n", "{{number}}"] {
        check(&dial(&leg(good)), &[]);
    }
    for bad in [
        "whatsapp:{{consumer}}",
        "5511987654321",
        "+55 11 98765-4321",
        "+{{consumer}}",
        "{{consumer}}{{consumer}}",
        "{{agent}}",
    ] {
        check(&dial(&leg(bad)), &["2 whatsapp"]);
    }
    check(&dial(&leg("")), &["2 content"]);
    check(&dial(&leg("{{consumer}}").repeat(2)), &["2 whatsapp"]);
    check(&format!("{0}\n{0}", dial(&leg("{{consumer}}"))), &["3 whatsapp"]);
    check(&dial(&format!("{}\n<Client>a</Client>", leg("{{consumer}}"))), &["2 whatsapp"]);
    check(&dial("<WhatsApp>{{consumer}}</WhatsApp>"), &["2 missing-attribute"]);
    check(&dial("<WhatsApp statusCallback=\"https://a.example/\">{{consumer}}</WhatsApp>"), &["2 whatsapp"]);
    check(
        &dial(&format!(
            "<WhatsApp {LEG} url=\"{{{{action_url}}}}\" method=\"GET\" statusCallbackMethod=\"POST\" \
             statusCallbackEvent=\"initiated ringing answered completed\">{{{{consumer}}}}</WhatsApp>"
        )),
        &[],
    );
    check(
        &dial(&format!("<WhatsApp {LEG} sendDigits=\"1\">{{{{consumer}}}}</WhatsApp>")),
        &["2 warning unknown-attribute"],
    );
}

#[test]
fn a_fault_never_shows_a_number() {
    let source = response(
        "<Dial callerId=\"whatsapp:+551133\"><WhatsApp>+55119876543</WhatsApp></Dial>\
         <Dial><Sip>sip:+55119876543</Sip></Dial><Pause length=\"55119876543\"/><Dial>+55119876543</Dial>",
    );
    for fault in Document::parse("test", &source).unwrap_err() {
        assert!(!fault.message.contains("551133") && !fault.message.contains("55119876543"), "{fault}");
    }
}

#[test]
fn no_document_reaches_the_telephone_network() {
    for bad in [
        "<Dial>+14155552671</Dial>",
        "<Dial>{{number}}</Dial>",
        "<Dial><Number>+14155552671</Number></Dial>",
        "<Dial><Number>{{number}}</Number></Dial>",
        "<Dial><Sim>DE0123456789abcdef0123456789abcdef</Sim></Dial>",
        "<Refer><Sip>sip:a@b.example</Sip></Refer>",
        "<Dial><Sip>sip:+14155552671@trunk.pstn.twilio.com</Sip></Dial>",
        "<Dial><Sip>sip:{{user}}@trunk.PSTN.ashburn.twilio.com;edge=a</Sip></Dial>",
        "<Sms to=\"+14155552671\">a</Sms>",
    ] {
        check(bad, &["2 pstn"]);
    }
    check("<Dial><Client>a</Client>\n<Number>+14155552671</Number></Dial>", &["3 pstn"]);
    let faults = Document::parse("test", &response("<Dial>1</Dial>")).unwrap_err();
    assert!(faults[0].message.contains("Twilio rejects a WhatsApp leg"), "{}", faults[0].message);
}

#[test]
fn no_document_leads_to_an_unchecked_document() {
    for bad in [
        "<Redirect>https://a.example/b.xml</Redirect>",
        "<Redirect>{{next}}</Redirect>",
        "<Redirect>{{action_url}}x</Redirect>",
        "<Redirect>{{leg_status_url}}</Redirect>",
        "<Dial action=\"https://a.example/\"><Client>a</Client></Dial>",
        "<Dial referUrl=\"{{action_url}}\"><Client>a</Client></Dial>",
        "<Dial><Client url=\"https://a.example/\">a</Client></Dial>",
        "<Dial><Application>a</Application></Dial>",
        "<Gather action=\"/next\"/>",
        "<Connect action=\"\"><Room>a</Room></Connect>",
    ] {
        check(bad, &["2 unchecked-document"]);
    }
    check("<Redirect method=\"POST\">{{action_url}}</Redirect>", &[]);
    check("<Enqueue waitUrl=\"https://a.example/music.xml\">a</Enqueue>", &[]);
}

#[test]
fn all_faults_are_reported_in_order_of_lines() {
    check(
        "<Dial>1</Dial>\n<Say loop=\"x\"\n vioce=\"y\">{{</Say>\n<Pause length=\"0\">a</Pause>\n<Say>",
        &[
            "2 pstn",
            "3 value",
            "4 warning unknown-attribute",
            "4 placeholder",
            "5 value",
            "5 text",
            "7 syntax",
        ],
    );
}

#[test]
fn every_rule_has_its_own_code_and_is_documented() {
    let manual = include_str!("../../../docs/TWIML.md");
    let mut codes: Vec<&str> = Rule::ALL.iter().map(|rule| rule.code()).collect();
    for code in &codes {
        assert!(manual.contains(&format!("| `{code}` |")), "{code}");
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Rule::ALL.len());
    for (_, name, _) in BUILTINS {
        assert!(manual.contains(&format!("| `{name}` |")), "{name}");
    }
}
