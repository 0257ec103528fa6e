//! `[registers.<name>]`: registers that answer a submitted list.

use jiff::SignedDuration;

use super::section::Section;
use crate::domain::{ListName, Purpose, Register};

/// The age of an answer, in hours.
const AGE_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Reads one register.
pub(super) fn read(name: &str, section: &mut Section<'_>) -> Option<Register> {
    let list = format!("imported:{name}").parse::<ListName>();
    // The name is a segment of a path in the API.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if list.is_err() || matches!(name, "." | "..") || !name.bytes().all(is_plain) {
        let expected =
            "expected 1 to 100 letters, digits, \"-\", \"_\" and \".\", but not \".\" or \"..\" alone";
        section.fault("", format!("is not the name of a register: {expected}"));
    }
    let age = section.ask("age").within(SignedDuration::from_hours(1), AGE_MAX).or(Register::AGE);
    let countries = section.ask("countries").or(Vec::new());
    let words: Vec<String> = section.ask("purposes").or(vec![Purpose::Marketing.as_str().to_owned()]);
    let mut purposes = Vec::new();
    for word in words {
        match word.parse() {
            Ok(purpose) => purposes.push(purpose),
            Err(_) => {
                let all = Purpose::ALL.map(Purpose::as_str);
                section.fault("purposes", format!("has no such purpose: expected {}", all.join(", ")));
            }
        }
    }
    let required = section.ask("required").or(true);
    Some(Register { list: list.ok()?, age, countries, purposes, required })
}
