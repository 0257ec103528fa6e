//! Case 10: files of various programs, sent to the API and with the command line.

use crate::harness::process::started;

const MARKED: &str = include_str!("../../cases/10-bom-ndjson/mark.ndjson");

/// The content of the case's file in other forms, each with its number of rows.
fn readable() -> Vec<(&'static str, String, u32)> {
    let row = MARKED.trim_start_matches('\u{FEFF}').trim_end();
    let value: serde_json::Value = serde_json::from_str(row).unwrap();
    vec![
        ("lines with a mark and CRLF", MARKED.to_owned(), 1),
        ("two such files, joined", MARKED.repeat(2), 2),
        ("an array with a mark", format!("\u{FEFF}[{row}, {row}]"), 2),
        ("an object over several lines with a mark", format!("\u{FEFF}{value:#}"), 1),
    ]
}

#[test]
fn a_file_with_a_byte_order_mark_is_accepted_and_another_format_is_refused_with_one_sentence() {
    assert!(MARKED.starts_with('\u{FEFF}') && MARKED.ends_with("\r\n"));
    let (_sandbox, _daemon, mut program) = started();
    for (what, text, count) in readable() {
        program = program.file("rows", text);
        let told = program.run(&["enqueue", "--file", "rows"]).output();
        let accepted =
            told.lines().filter(|line| !line.starts_with("warning: row 2: orders the same as row 1"));
        assert_eq!(
            accepted.collect::<Vec<_>>(),
            [format!("{count} of {count} callbacks accepted")],
            "{what}"
        );
    }
    let utf16: Vec<u8> = MARKED.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (found, bytes) in [
        ("UTF-16", utf16),
        ("CSV", b"consumer;document\r\n+447700900213;message\r\n+447700900214;message\r\n".to_vec()),
    ] {
        program = program.file("rows", bytes);
        let told = program.run(&["enqueue", "--file", "rows"]).error();
        assert!(told.starts_with("error: rows: expected JSON") && told.contains(found), "{told}");
        assert_eq!(told.matches("error:").count(), 1, "{told}");
        assert!(!told.contains("row 1"), "{told}");
    }
}
