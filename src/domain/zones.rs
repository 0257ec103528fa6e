//! Time zones by their names, from the zone data that counts.

use std::sync::OnceLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Where the zone data in use is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneOrigin {
    Machine,
    Program,
}

impl ZoneOrigin {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Program => "program",
        }
    }
}

/// Zone data: where it is from, and the version of the time zone database, such as `2026a`, if it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneData {
    pub origin: ZoneOrigin,
    pub version: Option<String>,
}

static CHOSEN: OnceLock<TimeZoneDatabase> = OnceLock::new();

/// Decides once, at the start of the process, which data counts. Without a decision it is the machine's.
pub fn choose(data: TimeZoneDatabase) {
    // A second call changes nothing, because a name must mean the same zone in the whole process.
    _ = CHOSEN.set(data);
}

/// The zone of this name, in any case of its letters.
///
/// # Errors
/// If there is none.
pub fn zone(name: &str) -> Result<TimeZone, jiff::Error> {
    data().get(name)
}

/// Whether a zone says what time it is somewhere. `Factory` (time zone database) and `Etc/Unknown` (Unicode CLDR) mean
/// "not set", `localtime` and `posixrules` are the machine's own, and `right/` counts leap seconds.
#[must_use]
pub fn is_of_a_place(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !matches!(&*name, "factory" | "etc/unknown" | "localtime" | "posixrules")
        && !name.starts_with("right/")
        && !name.starts_with("posix/")
}

/// The names of all zones.
pub fn names() -> impl Iterator<Item = String> {
    data().available().map(|name| name.as_str().to_owned())
}

fn data() -> &'static TimeZoneDatabase {
    CHOSEN.get().unwrap_or_else(|| jiff::tz::db())
}
