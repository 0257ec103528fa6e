//! The reports of people: what waits, agents, how far lists are worked off, permissions that end, suppression lists.

use std::collections::BTreeMap;

use jiff::ToSpan as _;

use super::compute::{Asked, cut_note};
use super::rows::{Key, Sum, Sums, by_label, by_time};
use super::table::columns;
use super::{By, Cell, Report, Table, Unit};
use crate::domain::Outcome;
use crate::domain::campaign::campaign_id;
use crate::domain::reporting::{Family, Hours, Quarter};
use crate::store::{self, ApiStore, CampaignRecord, LabelsWanted};

/// How many reasons have a row. There are fewer.
const REASONS_MAX: usize = 500;
/// How many permissions are looked at.
const EXPIRING_MAX: usize = 100_000;
/// The days in which permissions end.
const EXPIRING_DAYS: i64 = 7;
/// How many campaigns have a row.
const CAMPAIGNS_MAX: usize = 100;

/// What waits now.
pub(super) async fn waiting(store: &dyn ApiStore, asked: &Asked) -> store::Result<Table> {
    let read = store
        .waiting_by_reason(&asked.tenant, asked.campaign.as_deref().and_then(campaign_id), REASONS_MAX)
        .await?;
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let all = read.reasons.iter().fold(0, |all: i64, (_, n)| all.saturating_add(count(*n)));
    let line = |first: Cell, n: i64| vec![first, Cell::Count(n), Cell::share(n, all)];
    let rows = read.reasons.into_iter().map(|(code, n)| line(Cell::Text(code), count(n))).collect();
    let notes = read
        .is_cut
        .then(|| format!("There are more reasons: these are the {REASONS_MAX} with the most callbacks."));
    Ok(Table {
        report: Report::Waiting,
        by: By::Reason,
        span: None,
        columns: columns("reason", &[("callbacks", Unit::Count), ("percent", Unit::Percent)]),
        rows,
        total: Some(line(Cell::None, all)),
        corrections: None,
        notes: Vec::from_iter(notes),
        is_cut: read.is_cut,
        plotted: 1,
    })
}

/// How long agents talked.
pub(super) async fn agents(store: &dyn ApiStore, asked: &Asked) -> store::Result<Table> {
    let by_quarter = |labels| by_time(store, &asked.tenant, Family::Agent, labels, &asked.span, By::Day);
    let mut sums = Sums::default();
    if asked.by == By::Day {
        sums = by_quarter(LabelsWanted::All).await?;
    } else {
        let read = by_label(store, &asked.tenant, Family::Agent, LabelsWanted::All, &asked.span).await?;
        sums.is_cut = read.is_cut;
        read.sums.iter().for_each(|sum| sums.add(Key::Text(sum.label.clone()), &sum.all, &sum.late));
    }
    let line = |first: Cell, sum: &Sum| {
        let quarters_s = sum.of(Hours::QUARTERS).saturating_mul(Quarter::LENGTH_S);
        vec![
            first,
            Cell::Count(sum.of(Hours::HANDLED)),
            Cell::Seconds(sum.of(Hours::BUSY_S)),
            Cell::mean(sum.of(Hours::BUSY_S), sum.of(Hours::HANDLED), Cell::Seconds),
            Cell::share(sum.of(Hours::BUSY_S), quarters_s),
        ]
    };
    let total = sums.total();
    let mut notes = vec![
        "occupancy_percent is the time in conversations, of the quarters of an hour in which they were, one for each conversation."
            .to_owned(),
    ];
    notes.extend(cut_note(sums.is_cut));
    Ok(Table {
        report: Report::Agents,
        by: asked.by,
        span: Some(asked.span.clone()),
        columns: columns(
            asked.by.as_str(),
            &[
                ("handled", Unit::Count),
                ("busy_s", Unit::Seconds),
                ("handle_mean_s", Unit::Seconds),
                ("occupancy_percent", Unit::Percent),
            ],
        ),
        rows: sums.shown().map(|(key, sum)| line(key.cell(), sum)).collect(),
        total: Some(line(Cell::None, &total)),
        corrections: super::calls::correction(&total, |late| line(Cell::None, late)),
        notes,
        is_cut: sums.is_cut,
        plotted: 2,
    })
}

/// How far the lists of campaigns are worked off.
pub(super) async fn penetration(store: &dyn ApiStore, asked: &Asked) -> store::Result<Table> {
    let ids = match &asked.campaign {
        Some(name) => Vec::from_iter(campaign_id(name)),
        None => {
            let listed = store.list_campaigns(&asked.tenant, None, CAMPAIGNS_MAX).await?;
            listed.into_iter().map(|campaign| campaign.id).collect()
        }
    };
    let mut rows = Vec::new();
    for id in ids {
        let Some(record) = store.campaign(id).await?.filter(|it| it.campaign.tenant == asked.tenant) else {
            continue;
        };
        let wanted = store::CellsWanted {
            tenant: asked.tenant.clone(),
            family: Family::List,
            labels: LabelsWanted::One(id.to_string()),
            quarters: Quarter(i64::MIN)..Quarter(i64::MAX),
            by: store::SumBy::Label,
        };
        let read = store.cells(wanted).await?;
        let attempted = read.sums.iter().fold(0, |all: i64, sum| all.saturating_add(sum.all[0]));
        rows.push(worked_off(&record, attempted));
    }
    let mut named = vec![
        ("state", Unit::Text),
        ("total", Unit::Count),
        ("open", Unit::Count),
        ("attempted", Unit::Count),
        ("attempted_percent", Unit::Percent),
    ];
    named.extend(Outcome::ALL.map(|outcome| (outcome.as_str(), Unit::Count)));
    named.push(("reached_percent", Unit::Percent));
    let is_cut = rows.len() == CAMPAIGNS_MAX;
    let notes = is_cut.then(|| format!("Only the newest {CAMPAIGNS_MAX} campaigns are shown."));
    Ok(Table {
        report: Report::Penetration,
        by: By::Campaign,
        span: None,
        columns: columns("campaign", &named),
        rows,
        total: None,
        corrections: None,
        notes: Vec::from_iter(notes),
        is_cut,
        plotted: 5,
    })
}

fn worked_off(record: &CampaignRecord, attempted: i64) -> Vec<Cell> {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let of = |state: &str| count(record.counts.get(state).copied().unwrap_or(0));
    let total = count(record.total());
    let mut cells = vec![
        Cell::Text(record.campaign.id.to_string()),
        Cell::Text(record.campaign.state.as_str().to_owned()),
        Cell::Count(total),
        Cell::Count(count(record.open())),
        Cell::Count(attempted),
        Cell::share(attempted, total),
    ];
    cells.extend(Outcome::ALL.map(|outcome| Cell::Count(of(outcome.as_str()))));
    cells.push(Cell::share(of(Outcome::Reached.as_str()), total));
    cells
}

/// The permissions that end soon.
pub(super) async fn expiring(store: &dyn ApiStore, asked: &Asked) -> store::Result<Table> {
    let until = asked.now.checked_add((24 * EXPIRING_DAYS).hours()).unwrap_or(asked.now);
    let most = if asked.by == By::Consumer { Table::ROWS_MAX } else { EXPIRING_MAX };
    let read = store.expiring(asked.now, until, most).await?;
    let is_cut = read.len() == most;
    let notes = is_cut.then(|| format!("There may be more: these are the first {most} that end."));
    let table = |columns, rows, total| Table {
        report: Report::Expiring,
        by: asked.by,
        span: None,
        columns,
        rows,
        total,
        corrections: None,
        notes: Vec::from_iter(notes.clone()),
        is_cut,
        plotted: 1,
    };
    if asked.by == By::Consumer {
        let rows = read.into_iter().map(|it| {
            vec![Cell::Consumer(it.numbers.consumer), Cell::Sender(it.numbers.sender), Cell::Moment(it.until)]
        });
        let columns = columns("consumer", &[("sender", Unit::Text), ("ends_at", Unit::Moment)]);
        return Ok(table(columns, rows.collect(), None));
    }
    let mut counts: BTreeMap<Key, i64> = BTreeMap::new();
    for it in &read {
        let key = match asked.by {
            By::Sender => Key::Sender(it.numbers.sender),
            _ => Key::Day(it.until.to_zoned(asked.span.zone.clone()).date()),
        };
        *counts.entry(key).or_default() += 1;
    }
    let all = i64::try_from(read.len()).unwrap_or(i64::MAX);
    let rows = counts.iter().map(|(key, count)| vec![key.cell(), Cell::Count(*count)]).collect();
    let columns = columns(asked.by.as_str(), &[("permissions", Unit::Count)]);
    Ok(table(columns, rows, Some(vec![Cell::None, Cell::Count(all)])))
}

/// The entries of the suppression lists.
pub(super) async fn suppressed(store: &dyn ApiStore, asked: &Asked) -> store::Result<Table> {
    let lists = store.suppression_lists().await?;
    let count = |entries: u64| i64::try_from(entries).unwrap_or(i64::MAX);
    let all = lists.iter().fold(0, |all: i64, list| all.saturating_add(count(list.entries)));
    let rows = lists.iter().map(|list| {
        let purposes: Vec<&str> = list.purposes.iter().map(|purpose| purpose.as_str()).collect();
        let is_over = list.valid_until.is_some_and(|until| until <= asked.now);
        vec![
            Cell::Text(list.name.to_string()),
            Cell::Text(list.version.clone()),
            Cell::Count(count(list.entries)),
            Cell::Text(if purposes.is_empty() { "all".to_owned() } else { purposes.join(" ") }),
            list.valid_until.map_or(Cell::None, Cell::Moment),
            Cell::Text(if is_over { "yes" } else { "no" }.to_owned()),
        ]
    });
    Ok(Table {
        report: Report::Suppressed,
        by: By::List,
        span: None,
        columns: columns(
            "list",
            &[
                ("version", Unit::Text),
                ("entries", Unit::Count),
                ("purposes", Unit::Text),
                ("valid_until", Unit::Moment),
                ("past_its_term", Unit::Text),
            ],
        ),
        rows: rows.collect(),
        total: Some(vec![Cell::None, Cell::None, Cell::Count(all), Cell::None, Cell::None, Cell::None]),
        corrections: None,
        notes: Vec::new(),
        is_cut: false,
        plotted: 2,
    })
}
