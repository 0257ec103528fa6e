//! `[recordings]`: what holds for recordings of calls, which platforms keep.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::section::{Reading, Section};
use super::tree::{Origin, Value};
use super::value::{Setting, quoted};
use super::{Config, Retention};
use crate::domain::{Notice, RecordingRules};

const DAYS_MAX: u32 = 3_660;

/// Reads the section.
pub(super) fn read(section: &mut Section<'_>) -> RecordingRules {
    let days: Option<u32> = section.ask("keep_days").within(1, DAYS_MAX).optional();
    let notice: Option<Notice> = section.ask("notice").optional();
    let notices: BTreeMap<String, Notice> = section.section("documents", |section| {
        let read = section.each(|name, section| {
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if name.is_empty() || !name.bytes().all(is_plain) {
                section
                    .fault("", "is not the name of a document: expected small letters, digits and hyphens");
            }
            let notice: Option<Notice> =
                section.ask("notice").required("how people learn of the recording, such as \"spoken\"");
            Some((name.to_owned(), notice?))
        });
        read.into_iter().flatten().collect()
    });
    RecordingRules {
        keep: days.map(|days| SignedDuration::from_hours(i64::from(days).saturating_mul(24))),
        notice: notice.unwrap_or_default(),
        notices,
    }
}

/// Callbacks may not be forgotten before their recordings are deleted.
pub(super) fn check(config: &Config, reading: &mut Reading) {
    let Retention { callbacks, .. } = config.retention;
    if let (Some(keep), Some(callbacks)) = (config.recordings.keep, callbacks)
        && callbacks < keep.saturating_add(TRIES)
    {
        let days = keep.saturating_add(TRIES).as_hours() / 24;
        let problem = format!(
            "is shorter than recordings.keep_days and the days in which a deletion is tried: expected at least {days}d"
        );
        reading.fault(&Origin::Nowhere, "retention.callbacks", problem);
    }
}

/// How long a deletion without an answer is tried, and a day more.
const TRIES: SignedDuration = SignedDuration::from_hours(24 * 4);

impl Setting for Notice {
    const EXPECTED: &'static str = "one of \"spoken\", \"agent\", \"none\"";

    fn read(value: &Value) -> Result<Self, String> {
        match String::read(value)?.parse() {
            Ok(notice) if notice != Self::Unstated => Ok(notice),
            _ => Err("is not a known value".to_owned()),
        }
    }

    fn write(&self) -> String {
        quoted(self.as_str())
    }
}
