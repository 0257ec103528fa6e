//! Writes each report of each closed day as CSV, once. The scheduler does not know of it: a full disk stops no call.
//!
//! A day is written when a file of it is missing, so that a start writes what was missed. Days that closed more than a week
//! ago are not looked at.

use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Daily;
use crate::reports::{Asked, By, DailyState, Rates, Report, Span, compute, csv};
use crate::store::ApiStore;

/// So many closed days are looked at.
const DAYS: i64 = 7;
/// A failure is tried again after this time.
const RETRY: SignedDuration = SignedDuration::from_mins(5);
/// The clock may be set, so the sleep until the next files is at most this long.
const SLEEP_MAX: SignedDuration = SignedDuration::from_hours(1);

/// Writes the files.
#[derive(Clone)]
pub(super) struct DailyReports {
    pub(super) daily: Daily,
    pub(super) reports: Vec<Report>,
    pub(super) rates: Rates,
    pub(super) store: Arc<dyn ApiStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) state: Arc<DailyState>,
}

/// Refuses files in a directory that is not there.
pub(super) fn check_directory(daily: &Daily) -> anyhow::Result<()> {
    let directory = &daily.directory;
    anyhow::ensure!(directory.is_dir(), "reports.daily.directory: {} is no directory", directory.display());
    Ok(())
}

/// The reports of these names.
///
/// # Errors
/// If there is no report of a name, or it tells what is now: it has no days, so no day of it is ever closed.
pub(super) fn named(names: &[String]) -> anyhow::Result<Vec<Report>> {
    let mut reports = Vec::new();
    for name in names {
        let known = Report::all().filter(|report| !report.is_of_now()).map(Report::as_str);
        let known = || known.collect::<Vec<_>>().join(", ");
        match name.parse::<Report>() {
            Err(_) => {
                anyhow::bail!("reports.daily.names: {name:?} is no report: expected some of {}", known())
            }
            Ok(report) if report.is_of_now() => anyhow::bail!(
                "reports.daily.names: {name:?} tells what is now and has no days: expected some of {}",
                known()
            ),
            Ok(report) => reports.push(report),
        }
    }
    Ok(reports)
}

impl DailyReports {
    /// Runs until the daemon stops.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let mut due = Timestamp::MIN;
        loop {
            let now = self.clock.now();
            if now >= due {
                due = self.look(now).await;
            }
            let left = due.duration_since(now).clamp(SignedDuration::from_secs(1), SLEEP_MAX);
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(left.unsigned_abs()) => {}
            }
        }
    }

    /// Writes what is missing at `now`, and returns when to look again. A failure is told and tried again.
    pub(super) async fn look(&self, now: Timestamp) -> Timestamp {
        match self.write_missing(now).await {
            Ok(()) => {
                self.state.succeeded();
                next_time(now, &self.daily)
            }
            Err(error) => {
                let why = format!("{error:#}");
                if self.state.failed(now, &why) {
                    tracing::error!("the daily reports cannot be written: {why}");
                }
                now.checked_add(RETRY).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// A report that does not fit in its bounds gets no file, because a reader would take it for the whole. The others are
    /// written.
    async fn write_missing(&self, now: Timestamp) -> anyhow::Result<()> {
        let mut cut = None;
        for day in closed_days(now, &self.daily) {
            let mut is_whole = true;
            for report in &self.reports {
                let file = self.daily.directory.join(file_name(*report, day));
                if file.try_exists().context("the directory cannot be read")? {
                    continue;
                }
                let span = Span { first: day, last: day, zone: self.daily.zone.clone() };
                let asked = Asked {
                    tenant: self.daily.tenant.clone(),
                    report: *report,
                    by: report.by().first().copied().unwrap_or(By::Day),
                    now,
                    span,
                    campaign: None,
                    sender: None,
                    rates: self.rates.clone(),
                };
                let table = compute(&*self.store, &asked).await.context("the store cannot be read")?;
                if table.is_cut {
                    is_whole = false;
                    cut.get_or_insert_with(|| {
                        let notes = table.notes.join(" ");
                        format!("{} is not written, because rows would be missing: {notes}", file.display())
                    });
                    continue;
                }
                let text = csv(&table, false)?;
                write(&file, &text).with_context(|| format!("{} cannot be written", file.display()))?;
            }
            if is_whole {
                self.state.wrote(day);
            }
        }
        cut.map_or(Ok(()), |why| Err(anyhow::Error::msg(why)))
    }
}

fn file_name(report: Report, day: Date) -> String {
    format!("{}-{day}.csv", report.as_str())
}

/// The days that are due at `now`, oldest first: closed ones, from the time of day on at which files are written.
fn closed_days(now: Timestamp, daily: &Daily) -> Vec<Date> {
    let local = now.to_zoned(daily.zone.clone());
    // Of today's files, the last day is the one that closed last.
    let written_on = match local.time() >= daily.at {
        true => Some(local.date()),
        false => local.date().yesterday().ok(),
    };
    let Some(written_on) = written_on else { return Vec::new() };
    let days = (0..DAYS).rev().filter_map(|back| written_on.checked_sub((3 + back).days()).ok());
    let is_closed = |day: &Date| {
        let span = Span { first: *day, last: *day, zone: daily.zone.clone() };
        span.closes_at() <= now
    };
    days.filter(is_closed).collect()
}

/// When files are written next.
fn next_time(now: Timestamp, daily: &Daily) -> Timestamp {
    let local = now.to_zoned(daily.zone.clone());
    let day = match local.time() < daily.at {
        true => Some(local.date()),
        false => local.date().tomorrow().ok(),
    };
    let at = day.and_then(|day| day.to_datetime(daily.at).to_zoned(daily.zone.clone()).ok());
    at.map_or(Timestamp::MAX, |at| at.timestamp())
}

/// Writes the whole file, or nothing under its name.
fn write(file: &Path, text: &[u8]) -> io::Result<()> {
    let new = file.with_extension("csv.new");
    let mut options = std::fs::OpenOptions::new();
    let mut out = options.create(true).truncate(true).write(true).mode(0o640).open(&new)?;
    out.write_all(text)?;
    out.sync_all()?;
    drop(out);
    std::fs::rename(&new, file)?;
    // The name lasts as the file does.
    file.parent().map_or(Ok(()), |directory| std::fs::File::open(directory)?.sync_all())
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::reporting::{CellKey, Cells, Family, PLACES, Quarter};
    use crate::domain::zones;
    use crate::store::relational::SqlStore;
    use crate::store::{Batch, CellSums, ReportChange, Turns as _};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn daily(directory: &Path) -> Daily {
        Daily {
            directory: directory.to_owned(),
            at: time(6, 0, 0, 0),
            zone: zones::zone("America/Sao_Paulo").unwrap(),
            names: Vec::new(),
            tenant: crate::domain::Tenant::default(),
        }
    }

    fn writer(daily: Daily, now: &str) -> DailyReports {
        DailyReports {
            daily,
            reports: vec![Report::Outcomes, Report::AnswerRate],
            rates: Rates::default(),
            store: Arc::new(SqlStore::in_memory().unwrap()),
            clock: Arc::new(ManualClock::new(at(now))),
            state: Arc::default(),
        }
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_day_is_due_at_the_first_time_of_day_after_it_closed() {
        let daily = daily(Path::new("/tmp"));
        let last = |now: &str| closed_days(at(now), &daily).last().copied().map(|day| day.to_string());
        // The 23rd ends at 03:00Z of the 24th, and is closed at 03:00Z of the 26th.
        assert_eq!(last("2026-11-26T08:59:59Z").as_deref(), Some("2026-11-22"));
        assert_eq!(last("2026-11-26T09:00:00Z").as_deref(), Some("2026-11-23"));
        assert_eq!(last("2026-11-27T08:59:59Z").as_deref(), Some("2026-11-23"));
        assert_eq!(closed_days(at("2026-11-26T09:00:00Z"), &daily).len(), 7);
        assert_eq!(next_time(at("2026-11-26T08:59:59Z"), &daily), at("2026-11-26T09:00:00Z"));
        assert_eq!(next_time(at("2026-11-26T09:00:00Z"), &daily), at("2026-11-27T09:00:00Z"));
    }

    #[tokio::test]
    async fn what_is_missing_is_written_once_and_whole() {
        let directory = tempfile::tempdir().unwrap();
        let writer = writer(daily(directory.path()), "2026-11-26T09:00:00Z");
        let next = writer.look(at("2026-11-26T09:00:00Z")).await;
        assert_eq!(next, at("2026-11-27T09:00:00Z"));
        let written = names(directory.path());
        assert_eq!(written.len(), 14, "{written:?}");
        assert_eq!(written[0], "answer-rate-2026-11-17.csv");
        assert_eq!(writer.state.now().written.unwrap().to_string(), "2026-11-23");
        let file = directory.path().join("outcomes-2026-11-23.csv");
        assert!(std::fs::read_to_string(&file).unwrap().starts_with("day,placed,"));
        std::fs::write(&file, "mine").unwrap();
        std::fs::remove_file(directory.path().join("outcomes-2026-11-22.csv")).unwrap();
        writer.look(at("2026-11-26T09:00:00Z")).await;
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine", "one that is there stays");
        assert_eq!(names(directory.path()), written);
    }

    #[tokio::test]
    async fn a_failure_is_shown_and_tried_again() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing");
        let writer = writer(daily(&missing), "2026-11-26T09:00:00Z");
        let now = at("2026-11-26T09:00:00Z");
        assert_eq!(writer.look(now).await, now + RETRY);
        assert!(
            writer.state.now().failed.is_some_and(|(since, why)| since == now && why.contains("outcomes-"))
        );
        std::fs::create_dir(&missing).unwrap();
        writer.look(now + RETRY).await;
        assert_eq!(writer.state.now().failed, None);
        assert_eq!(names(&missing).len(), 14);
    }

    #[test]
    fn reports_of_now_and_unknown_ones_are_refused_with_those_that_have_days() {
        let names = |names: &[&str]| named(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&["outcomes", "cost"]).unwrap(), [Report::Outcomes, Report::Cost]);
        for name in ["waiting", "penetration", "expiring", "suppressed"] {
            let told = names(&["outcomes", name]).unwrap_err().to_string();
            assert!(told.contains(&format!("{name:?} tells what is now and has no days")), "{told}");
            assert!(
                told.ends_with("answer-rate, permissions, attempts, speed, outcomes, agents, cost"),
                "{told}"
            );
        }
        assert!(names(&["outcome"]).unwrap_err().to_string().contains("is no report"));
    }

    #[tokio::test]
    async fn a_report_that_does_not_fit_gets_no_file_and_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = writer(daily(directory.path()), "2026-11-26T09:00:00Z");
        let store = SqlStore::in_memory().unwrap();
        let mut cells = Cells::default();
        for number in 0..=CellSums::LABELS_MAX {
            let key = CellKey {
                tenant: writer.daily.tenant.clone(),
                family: Family::Agent,
                label: format!("client:{number}"),
                quarter: Quarter::of(at("2026-11-23T12:00:00Z")),
                is_late: false,
            };
            cells.add(key, &[1; PLACES]);
        }
        let reported = ReportChange { cells, ..ReportChange::default() };
        store.record(Batch { reported, ..Batch::default() }).await.unwrap();
        (writer.store, writer.reports) = (Arc::new(store), vec![Report::Agents, Report::AnswerRate]);
        let now = at("2026-11-26T09:00:00Z");
        assert_eq!(writer.look(now).await, now + RETRY);
        let written = names(directory.path());
        assert_eq!(written.len(), 13, "{written:?}");
        assert!(!written.contains(&"agents-2026-11-23.csv".to_owned()), "the others are: {written:?}");
        let (since, why) = writer.state.now().failed.unwrap();
        assert!(since == now && why.contains("agents-2026-11-23.csv is not written"), "{why}");
        assert!(why.contains("more than 5000 names"), "{why}");
        writer.look(now + RETRY).await;
        assert_eq!(writer.state.now().failed.unwrap(), (now, why), "the same failure goes on");
    }
}
