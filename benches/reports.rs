//! Duration of the reports of a month beside so many counted calls. Prints one table.
//!
//! `cargo bench --bench reports --profile quick`. The cells are those of ten million calls: 20 senders and 50 campaigns that
//! call in every quarter of an hour of the day, for three months.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ringmaster::domain::Tenant;
use ringmaster::domain::reporting::{Calls, CellKey, Cells, Counts, Family, Quarter};
use ringmaster::reports::{Asked, By, Rates, Report, Span, compute, day};
use ringmaster::store::relational::{Access, SqlStore};
use ringmaster::store::{Batch, ReportChange, Turns as _};

const SENDERS: i64 = 20;
const CAMPAIGNS: i64 = 50;
const DAYS: i64 = 90;
/// The hours in which calls are placed.
const HOURS: std::ops::Range<i64> = 9..20;
const TRIES: u32 = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure())
}

async fn measure() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let store = SqlStore::open(&dir.path().join("bench.db"), Access::Exclusive)?;
    let first: Timestamp = "2026-09-01T00:00:00Z".parse()?;
    let (mut calls, mut cells) = (0, 0);
    let began = Instant::now();
    for number in 0..DAYS {
        let (counted, change) = one_day(first, number);
        calls += counted;
        cells += change.cells.len();
        store.record(Batch { reported: change, ..Batch::default() }).await?;
    }
    println!(
        "{calls} calls in {cells} cells, written in {:?}; {TRIES} tries each: shortest, longest",
        began.elapsed()
    );
    for (report, by, campaign) in [
        (Report::AnswerRate, By::Time, None),
        (Report::AnswerRate, By::Weekday, None),
        (Report::AnswerRate, By::Sender, None),
        (Report::AnswerRate, By::Campaign, None),
        (Report::AnswerRate, By::Time, Some("campaign 7")),
        (Report::Outcomes, By::Day, None),
        (Report::Outcomes, By::Day, Some("campaign 7")),
    ] {
        let asked = Asked {
            tenant: Tenant::default(),
            report,
            by,
            now: "2026-12-01T00:00:00Z".parse()?,
            span: Span::new(
                day("2026-11-01").unwrap_or_default(),
                day("2026-11-29").unwrap_or_default(),
                TimeZone::get("America/Sao_Paulo")?,
            )?,
            campaign: campaign.map(str::to_owned),
            sender: None,
            rates: Rates::default(),
        };
        let mut took = Vec::new();
        for _ in 0..TRIES {
            let began = Instant::now();
            compute(&store, &asked).await?;
            took.push(began.elapsed());
        }
        let what =
            format!("{} by {}{}", report.as_str(), by.as_str(), campaign.map_or("", |_| ", of a campaign"));
        let least = took.iter().min().copied().unwrap_or(Duration::ZERO);
        let most = took.iter().max().copied().unwrap_or(Duration::ZERO);
        println!("{what:<45} {least:>10.1?} {most:>10.1?}");
    }
    Ok(())
}

/// The cells of a day, and how many calls they have.
fn one_day(first: Timestamp, number: i64) -> (i64, ReportChange) {
    let (mut calls, mut change) = (0, ReportChange::default());
    let begin = Quarter::of(first).0 + number * 96;
    for quarter in HOURS.start * 4..HOURS.end * 4 {
        let quarter = Quarter(begin + quarter);
        for sender in 0..SENDERS {
            let mut counts = Counts::default();
            (counts[Calls::PLACED], counts[Calls::ANSWERED]) = (126, 60);
            calls += 126;
            let label = (551_130_000_000 + sender).to_string();
            for campaign in 0..CAMPAIGNS {
                // Each sender calls for a part of the campaigns.
                if (campaign + sender) % 10 == 0 {
                    let label = Family::pair(&format!("campaign {campaign}"), &label);
                    add(&mut change.cells, Family::Campaign, label, quarter, &counts);
                }
            }
            add(&mut change.cells, Family::Sender, label, quarter, &counts);
        }
    }
    (calls, change)
}

fn add(cells: &mut Cells, family: Family, label: String, quarter: Quarter, counts: &Counts) {
    let key = CellKey { tenant: Tenant::default(), family, label, quarter, is_late: false };
    cells.add(key, counts);
}
