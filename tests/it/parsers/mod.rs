//! Every parser with arbitrary input: short versions of the fuzz targets, and the stored inputs of fuzzing.

#[path = "checks.rs"]
mod checks;

use std::fs;
use std::panic;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;

/// Bytes with a meaning for a parser, mixed with others.
fn near(words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        6 => proptest::sample::select(words).prop_map(|word| word.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..6),
    ];
    vec(word, 0..24).prop_map(|words| words.concat())
}

const FORM: &[&str] = &[
    "CallSid=CA00000000000000000000000000000001",
    "CallStatus=ringing",
    "CallStatus=",
    "&",
    "=",
    "%",
    "%2B",
    "ParentCallSid=CA00000000000000000000000000000002",
    "From=whatsapp%3A%2B5511987650001",
    "To=",
    "CallDuration=12",
    "DialCallStatus=completed",
    "QueueResult=bridged",
    "ButtonPayload=ACCEPTED",
    "MessageStatus=read",
    "Timestamp=",
    "Body=VOICE_CALL_REQUEST",
    "MessageSid=SM00000000000000000000000000000001",
    "Sun, 22 Nov 2026 00:00:00 +0000",
];
const ROW: &[&str] = &[
    "{",
    "}",
    "\"consumer\"",
    "\"+5511987650001\"",
    ":",
    ",",
    "[",
    "]",
    "\"document\"",
    "\"message\"",
    "\n",
    "\"senders\"",
    "\"variables\"",
    "\"hours\"",
    "\"daily 09:00-18:00 @UTC\"",
    "null",
    "1e999",
    "-1",
    "\"earliest\"",
    "{\"consumer\":\"+5511987650001\",\"sender\":\"+551140000001\",\"document\":\"message\",\"variables\":{\"message\":\"Hi\"}}",
];
const PHONE: &[&str] = &[
    "+",
    "55",
    "11",
    "98765",
    "0001",
    "1",
    "00",
    " ",
    "-",
    "whatsapp:",
    "daily",
    "mon-fri",
    " 09:00-18:00",
    ",",
    " @America/Sao_Paulo",
    " @UTC",
    "24:00",
    "sat+sun",
];
const DOCUMENT: &[&str] = &[
    "<Response>",
    "</Response>",
    "<Dial>",
    "</Dial>",
    "<Say>",
    "</Say>",
    "<WhatsApp>",
    "</WhatsApp>",
    "<Hangup/>",
    "{{consumer}}",
    "{{",
    "}}",
    "<!--",
    "-->",
    "<?xml version=\"1.0\"?>",
    "&amp;",
    "&",
    "<Gather timeout=\"5\">",
    "</Gather>",
    "hello",
    "<Enqueue workflowSid=\"{{workflow}}\"/>",
    "<![CDATA[",
    "]]>",
    "<Number>+15551230000</Number>",
];
const TEXT: &[&str] = &[
    "\u{FEFF}",
    "{",
    "}",
    "[",
    "]",
    "\"a\": 1",
    ",",
    ";",
    "\t",
    "\r\n",
    "\n",
    "<html>",
    "PK\x03\x04",
    "\0",
    "\x1f",
    "\u{1b}[31m",
    "\u{9b}",
    "\u{202e}",
    "\u{200b}",
    "\u{200d}",
    "consumer,document",
    "+447700900213",
    "a",
    "é",
];
const NUMBER: &[&str] = &[
    "+55", "+52", "+52 1", "+54", "+54 9", "+229", "+229 01", "+44", "11", "15", "9", "98765", "8765",
    "0145", "5550", "1", "0",
];
const HEADER: &[&str] = &[
    "Sun, ",
    "Mon",
    "22 Nov 2026 ",
    "00:00:00",
    " GMT",
    " +0000",
    "60",
    "-1",
    "99999999999999999999",
    "1e9",
    ",",
    " ",
];
const CONFIG: &[&str] = &[
    "[http]\n",
    "[accounts.main]\n",
    "listen = ",
    "\"127.0.0.1:0\"\n",
    "[limits]\n",
    "permission_lifetime = ",
    "\"7d\"\n",
    "true\n",
    "12\n",
    "= ",
    "\"",
    "\n",
    "[accounts.main.senders.\"+442079460000\"]\n",
    "calls_per_second = 1e400\n",
    "account_sid = \"AC00000000000000000000000000000001\"\n",
    "[[",
    "]]",
    "'''",
];

proptest! {
    #[test]
    fn any_form_is_read_or_refused(bytes in near(FORM)) {
        checks::forms(&bytes);
    }

    #[test]
    fn only_signed_content_is_accepted(bytes in vec(any::<u8>(), 0..200)) {
        checks::signature(&bytes);
    }

    #[test]
    fn a_number_that_is_read_prints_and_reads_the_same(bytes in near(PHONE)) {
        checks::phone(&bytes);
    }

    #[test]
    fn any_document_is_read_or_refused(bytes in near(DOCUMENT)) {
        checks::document(&bytes);
    }

    #[test]
    fn shown_text_cannot_control_a_terminal(bytes in near(TEXT)) {
        checks::text(&bytes);
    }

    #[test]
    fn spellings_are_spellings_of_each_other(bytes in near(NUMBER)) {
        checks::spelling(&bytes);
    }

    #[test]
    fn headers_with_times_are_read_or_ignored(bytes in near(HEADER)) {
        checks::headers(&bytes);
    }

    #[test]
    fn any_configuration_is_read_or_refused(bytes in near(CONFIG)) {
        checks::configuration(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_order_is_accepted_or_refused(bytes in near(ROW)) {
        checks::rows(&bytes);
    }
}

/// Checks the stored inputs of a target, which must be small.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    for input in inputs {
        let bytes = fs::read(&input).unwrap();
        assert!(bytes.len() <= 2048, "{} is too large for the corpus", input.display());
        assert!(panic::catch_unwind(|| check(&bytes)).is_ok(), "{} violates a property", input.display());
    }
}

#[test]
fn the_forms_of_the_corpus_are_read_or_refused() {
    replay("forms", checks::forms);
}

#[test]
fn only_the_signed_webhooks_of_the_corpus_are_accepted() {
    replay("signature", checks::signature);
}

#[test]
fn the_numbers_of_the_corpus_print_and_read_the_same() {
    replay("phone", checks::phone);
}

#[test]
fn the_documents_of_the_corpus_are_read_or_refused() {
    replay("document", checks::document);
}

#[test]
fn the_configurations_of_the_corpus_are_read_or_refused() {
    replay("configuration", checks::configuration);
}

#[test]
fn the_orders_of_the_corpus_are_accepted_or_refused() {
    replay("rows", checks::rows);
}

#[test]
fn the_texts_of_the_corpus_cannot_control_a_terminal() {
    replay("text", checks::text);
}

#[test]
fn the_numbers_of_the_corpus_have_spellings() {
    replay("spelling", checks::spelling);
}

#[test]
fn the_headers_of_the_corpus_are_read_or_ignored() {
    replay("headers", checks::headers);
}
