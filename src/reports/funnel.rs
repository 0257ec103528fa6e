//! The reports of the way to a conversation: permissions, attempts, and the time from a permission to the ringing.

use super::calls::correction;
use super::compute::{Asked, cut_note};
use super::rows::{Key, Sum, Sums, by_label, by_time};
use super::table::columns;
use super::{By, Cell, Report, Table, Unit};
use crate::domain::reporting::{Contents, Counts, Family, PLACES, Promises, REACH_MOST, SPEED_STEPS_S};
use crate::store::{self, ApiStore, LabelsWanted};

/// What came of the permission requests.
pub(super) async fn permissions(store: &dyn ApiStore, asked: &Asked) -> store::Result<Table> {
    const STEPS: [usize; 8] = [
        Contents::ASKED,
        Contents::DELIVERED,
        Contents::READ,
        Contents::FAILED,
        Contents::ANSWERED,
        Contents::GRANTED,
        Contents::CALLED,
        Contents::CONNECTED,
    ];
    let family = if asked.by == By::Purpose { Family::Purpose } else { Family::Content };
    let sums = one_family(store, asked, family, |label| Key::Text(label.to_owned())).await?;
    let line = |first: Cell, sum: &Sum| {
        let mut cells = vec![first];
        cells.extend(STEPS.map(|place| Cell::Count(sum.of(place))));
        cells.push(Cell::share(sum.of(Contents::GRANTED), sum.of(Contents::ASKED)));
        cells
    };
    let total = sums.total();
    let mut notes = vec![
        "Requests are counted on the day on which they were sent, also what came of them later; calls on the day of the call."
            .to_owned(),
    ];
    notes.extend(cut_note(sums.is_cut));
    Ok(Table {
        report: Report::Permissions,
        by: asked.by,
        span: Some(asked.span.clone()),
        columns: columns(
            asked.by.as_str(),
            &[
                ("asked", Unit::Count),
                ("delivered", Unit::Count),
                ("read", Unit::Count),
                ("not_delivered", Unit::Count),
                ("answered", Unit::Count),
                ("granted", Unit::Count),
                ("called", Unit::Count),
                ("connected", Unit::Count),
                ("granted_percent", Unit::Percent),
            ],
        ),
        rows: sums.shown().map(|(key, sum)| line(key.cell(), sum)).collect(),
        total: Some(line(Cell::None, &total)),
        corrections: correction(&total, |late| line(Cell::None, late)),
        notes,
        is_cut: sums.is_cut,
        plotted: 9,
    })
}

/// The sums of a family by label or by time.
async fn one_family(
    store: &dyn ApiStore,
    asked: &Asked,
    family: Family,
    key: impl Fn(&str) -> Key,
) -> store::Result<Sums> {
    let labels = asked.campaign.clone().map_or(LabelsWanted::All, LabelsWanted::One);
    if matches!(asked.by, By::Time | By::Weekday | By::Day) {
        return by_time(store, &asked.tenant, family, labels, &asked.span, asked.by).await;
    }
    let read = by_label(store, &asked.tenant, family, labels, &asked.span).await?;
    let mut sums = Sums { is_cut: read.is_cut, ..Sums::default() };
    for sum in &read.sums {
        sums.add(key(&sum.label), &sum.all, &sum.late);
    }
    Ok(sums)
}

pub(super) fn campaign_key(label: &str) -> Key {
    Key::Text(if label.is_empty() { "(none)" } else { label }.to_owned())
}

/// With how many attempts the consumers were reached.
pub(super) async fn attempts(store: &dyn ApiStore, asked: &Asked) -> store::Result<Table> {
    let sums = one_family(store, asked, Family::Reach, campaign_key).await?;
    let total = sums.total();
    if asked.by == By::Campaign {
        return Ok(attempts_by_campaign(asked, &sums, &total));
    }
    let all = total.all.iter().copied().fold(0, i64::saturating_add);
    let mut so_far = 0_i64;
    let mut rows = Vec::new();
    for place in 0..PLACES {
        so_far = so_far.saturating_add(total.of(place));
        if total.of(place) == 0 {
            continue;
        }
        let name = if place == REACH_MOST { format!("{place} or more") } else { place.to_string() };
        let count = Cell::Count(total.of(place));
        rows.push(vec![Cell::Text(name), count, Cell::share(total.of(place), all), Cell::share(so_far, all)]);
    }
    let mut notes = vec!["0 attempts: the consumer called, and was answered.".to_owned()];
    notes.extend(cut_note(sums.is_cut));
    let line = |sum: &Sum| {
        let all = sum.all.iter().copied().fold(0, i64::saturating_add);
        vec![Cell::None, Cell::Count(all), Cell::None, Cell::None]
    };
    Ok(Table {
        report: Report::Attempts,
        by: By::Attempt,
        span: Some(asked.span.clone()),
        columns: columns(
            "attempts",
            &[("reached", Unit::Count), ("percent", Unit::Percent), ("percent_so_far", Unit::Percent)],
        ),
        rows,
        total: Some(line(&total)),
        corrections: correction(&total, line),
        notes,
        is_cut: sums.is_cut,
        plotted: 1,
    })
}

fn attempts_by_campaign(asked: &Asked, sums: &Sums, total: &Sum) -> Table {
    let line = |first: Cell, sum: &Sum| {
        let all = sum.all.iter().copied().fold(0, i64::saturating_add);
        let made = sum.all.iter().zip(0_i64..).map(|(count, made)| count.saturating_mul(made));
        let made = made.fold(0, i64::saturating_add);
        // In tenths.
        let mean = Cell::mean(made.saturating_mul(10), all, Cell::Tenths);
        vec![first, Cell::Count(all), Cell::share(sum.of(1), all), mean]
    };
    Table {
        report: Report::Attempts,
        by: By::Campaign,
        span: Some(asked.span.clone()),
        columns: columns(
            "campaign",
            &[
                ("reached", Unit::Count),
                ("with_the_first_percent", Unit::Percent),
                ("attempts_mean", Unit::Number),
            ],
        ),
        rows: sums.shown().map(|(key, sum)| line(key.cell(), sum)).collect(),
        total: Some(line(Cell::None, total)),
        corrections: correction(total, |late| line(Cell::None, late)),
        notes: cut_note(sums.is_cut),
        is_cut: sums.is_cut,
        plotted: 1,
    }
}

/// How long it took from a permission to the ringing, and which promises were kept.
pub(super) async fn speed(store: &dyn ApiStore, asked: &Asked) -> store::Result<Table> {
    let rings = one_family(store, asked, Family::Speed, campaign_key).await?;
    let promises = one_family(store, asked, Family::Promise, campaign_key).await?;
    let mut keys: Vec<&Key> = rings.shown().chain(promises.shown()).map(|(key, _)| key).collect();
    keys.sort();
    keys.dedup();
    let line = |first: Cell, ring: &Sum, promise: &Sum| {
        vec![
            first,
            Cell::Count(ring.all.iter().copied().fold(0, i64::saturating_add)),
            within(&ring.all, 50),
            within(&ring.all, 90),
            within(&ring.all, 95),
            Cell::Count(promise.of(Promises::PROMISED)),
            Cell::Count(promise.of(Promises::KEPT)),
            Cell::share(promise.of(Promises::KEPT), promise.of(Promises::PROMISED)),
        ]
    };
    let of = |sums: &Sums, key: &Key| sums.rows.get(key).copied().unwrap_or_default();
    let rows = keys.iter().map(|key| line(key.cell(), &of(&rings, key), &of(&promises, key))).collect();
    let last = SPEED_STEPS_S.last().copied().unwrap_or_default();
    let mut notes = vec![format!(
        "p50_s, p90_s and p95_s are the upper ends of steps of 30 s to a day: so many percent of the calls rang within this \
         time. {last} stands for longer times too.",
    )];
    let is_cut = rings.is_cut || promises.is_cut;
    notes.extend(cut_note(is_cut));
    Ok(Table {
        report: Report::Speed,
        by: asked.by,
        span: Some(asked.span.clone()),
        columns: columns(
            asked.by.as_str(),
            &[
                ("rang", Unit::Count),
                ("p50_s", Unit::Seconds),
                ("p90_s", Unit::Seconds),
                ("p95_s", Unit::Seconds),
                ("promised", Unit::Count),
                ("kept", Unit::Count),
                ("kept_percent", Unit::Percent),
            ],
        ),
        rows,
        total: Some(line(Cell::None, &rings.total(), &promises.total())),
        corrections: None,
        notes,
        is_cut,
        plotted: 3,
    })
}

/// The upper end of the step within which so many percent of the calls rang; that of the last step for longer times.
pub(super) fn within(steps: &Counts, percent: i64) -> Cell {
    let all = steps.iter().copied().fold(0, i64::saturating_add);
    if all <= 0 {
        return Cell::None;
    }
    let mut so_far = 0_i64;
    for (step, count) in steps.iter().enumerate() {
        so_far = so_far.saturating_add(*count);
        if so_far.saturating_mul(100) >= all.saturating_mul(percent) {
            let last = SPEED_STEPS_S.last().copied().unwrap_or_default();
            return Cell::Seconds(SPEED_STEPS_S.get(step).copied().unwrap_or(last));
        }
    }
    Cell::None
}
