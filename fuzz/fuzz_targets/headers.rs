//! Fuzz target for the properties in `checks::headers`.
#![no_main]
#![expect(dead_code, reason = "each target uses one of the checks")]

#[path = "../../tests/it/parsers/checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::headers(bytes));
