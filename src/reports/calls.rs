//! The reports of calls: the answer rate, and what came of them.

use std::collections::BTreeMap;

use super::compute::{Asked, cut_note};
use super::rows::{Key, Sum, Sums, by_label, by_time};
use super::table::columns;
use super::{By, Cell, Report, Span, Table, Unit};
use crate::domain::Phone;
use crate::domain::reporting::{Calls, Family, Words};
use crate::store::{self, ApiStore, LabelsWanted};

/// The sums of calls by the rows that are wanted.
pub(super) async fn sums(store: &dyn ApiStore, asked: &Asked, span: &Span) -> store::Result<Sums> {
    let (family, labels) = match (&asked.campaign, asked.sender) {
        (Some(campaign), Some(sender)) => {
            (Family::Campaign, LabelsWanted::One(Family::pair(campaign, &sender.digits().to_string())))
        }
        (Some(campaign), None) => (Family::Campaign, LabelsWanted::Of(campaign.clone())),
        (None, Some(sender)) if asked.by != By::Campaign => {
            (Family::Sender, LabelsWanted::One(sender.digits().to_string()))
        }
        _ if asked.by == By::Campaign => (Family::Campaign, LabelsWanted::All),
        _ => (Family::Sender, LabelsWanted::All),
    };
    if matches!(asked.by, By::Time | By::Weekday | By::Day) {
        return by_time(store, &asked.tenant, family, labels, span, asked.by).await;
    }
    let read = by_label(store, &asked.tenant, family, labels, span).await?;
    let mut sums = Sums { is_cut: read.is_cut, ..Sums::default() };
    let wanted = asked.sender.map(|sender| sender.digits().to_string());
    for sum in &read.sums {
        let (campaign, sender) = match family {
            Family::Campaign => Family::parts(&sum.label),
            _ => ("", &*sum.label),
        };
        if wanted.as_ref().is_some_and(|wanted| wanted != sender) {
            continue;
        }
        let key = match asked.by {
            By::Campaign if campaign.is_empty() => Key::Text("(none)".to_owned()),
            By::Campaign => Key::Text(campaign.to_owned()),
            _ => Key::Sender(Phone::from_stored(sender.parse().unwrap_or_default())),
        };
        sums.add(key, &sum.all, &sum.late);
    }
    Ok(sums)
}

/// How many calls were answered, and how many in the same days of the weeks before.
pub(super) async fn answer_rate(store: &dyn ApiStore, asked: &Asked) -> store::Result<Table> {
    let now = sums(store, asked, &asked.span).await?;
    let earlier = sums(store, asked, &asked.span.before()).await?;
    let shifted: BTreeMap<Key, Sum> =
        earlier.rows.iter().map(|(key, sum)| (shift(key, &asked.span), *sum)).collect();
    let rate = |sum: &Sum| Cell::share(sum.of(Calls::ANSWERED), sum.of(Calls::PLACED));
    let line = |first: Cell, sum: &Sum, before: Option<&Sum>| {
        let counts =
            [Calls::PLACED, Calls::ANSWERED, Calls::NO_ANSWER, Calls::BUSY, Calls::FAILED, Calls::CANCELED];
        let mut cells = vec![first];
        cells.extend(counts.map(|place| Cell::Count(sum.of(place))));
        cells.extend([rate(sum), before.map_or(Cell::None, rate)]);
        cells
    };
    let total = now.total();
    let rows = now.shown().map(|(key, sum)| line(key.cell(), sum, shifted.get(key))).collect();
    let corrections = correction(&total, |late| line(Cell::None, late, None));
    let mut notes = vec![format!(
        "answered_percent_before is of {} to {}: the same days of the week.",
        asked.span.before().first,
        asked.span.before().last
    )];
    let is_cut = now.is_cut || earlier.is_cut;
    notes.extend(cut_note(is_cut));
    Ok(Table {
        report: Report::AnswerRate,
        by: asked.by,
        span: Some(asked.span.clone()),
        columns: columns(
            asked.by.as_str(),
            &[
                ("placed", Unit::Count),
                ("answered", Unit::Count),
                ("no_answer", Unit::Count),
                ("busy", Unit::Count),
                ("failed", Unit::Count),
                ("hung_up", Unit::Count),
                ("answered_percent", Unit::Percent),
                ("answered_percent_before", Unit::Percent),
            ],
        ),
        rows,
        total: Some(line(Cell::None, &total, Some(&earlier.total()))),
        corrections,
        notes,
        is_cut,
        plotted: 7,
    })
}

/// A line of the corrections, if there are any.
pub(super) fn correction(total: &Sum, line: impl FnOnce(&Sum) -> Vec<Cell>) -> Option<Vec<Cell>> {
    total.is_corrected().then(|| {
        let cells = line(&Sum { all: total.late, late: total.late }).into_iter();
        // A share of corrections means nothing, nor does a mean.
        let is_ratio = |cell: &Cell| matches!(cell, Cell::Share(_) | Cell::Tenths(_));
        cells.map(|cell| if is_ratio(&cell) { Cell::None } else { cell }).collect()
    })
}

/// The key in these days of one in the days before.
fn shift(key: &Key, span: &Span) -> Key {
    match key {
        Key::Day(day) => {
            let back = jiff::Span::new().days(span.days_back());
            Key::Day(day.checked_add(back).unwrap_or(*day))
        }
        other => other.clone(),
    }
}

/// What came of the calls.
pub(super) async fn outcomes(store: &dyn ApiStore, asked: &Asked) -> store::Result<Table> {
    if asked.by == By::Disposition {
        return wrap_ups(store, asked).await;
    }
    let sums = sums(store, asked, &asked.span).await?;
    let line = |first: Cell, sum: &Sum| {
        vec![
            first,
            Cell::Count(sum.of(Calls::PLACED)),
            Cell::Count(sum.of(Calls::REFUSED)),
            Cell::Count(sum.of(Calls::ANSWERED)),
            Cell::Count(sum.of(Calls::SERVED)),
            Cell::share(sum.of(Calls::SERVED), sum.of(Calls::PLACED)),
            Cell::Count(sum.of(Calls::ABANDONED)),
            Cell::share(sum.of(Calls::ABANDONED), sum.of(Calls::ANSWERED)),
            Cell::mean(sum.of(Calls::TALK_S), sum.of(Calls::ANSWERED), Cell::Seconds),
            Cell::Seconds(sum.of(Calls::AGENTS_WAITED_S)),
        ]
    };
    let total = sums.total();
    Ok(Table {
        report: Report::Outcomes,
        by: asked.by,
        span: Some(asked.span.clone()),
        columns: columns(
            asked.by.as_str(),
            &[
                ("placed", Unit::Count),
                ("refused", Unit::Count),
                ("answered", Unit::Count),
                ("served", Unit::Count),
                ("served_percent", Unit::Percent),
                ("abandoned", Unit::Count),
                ("abandoned_percent", Unit::Percent),
                ("talk_mean_s", Unit::Seconds),
                ("agents_waited_s", Unit::Seconds),
            ],
        ),
        rows: sums.shown().map(|(key, sum)| line(key.cell(), sum)).collect(),
        total: Some(line(Cell::None, &total)),
        corrections: correction(&total, |late| line(Cell::None, late)),
        notes: cut_note(sums.is_cut),
        is_cut: sums.is_cut,
        plotted: 4,
    })
}

/// What agents noted after their conversations.
async fn wrap_ups(store: &dyn ApiStore, asked: &Asked) -> store::Result<Table> {
    let labels = asked.campaign.clone().map_or(LabelsWanted::All, LabelsWanted::Of);
    let read = by_label(store, &asked.tenant, Family::WrapUp, labels, &asked.span).await?;
    let mut sums = Sums { is_cut: read.is_cut, ..Sums::default() };
    for sum in &read.sums {
        let (_, disposition) = Family::parts(&sum.label);
        sums.add(Key::Text(disposition.to_owned()), &sum.all, &sum.late);
    }
    let total = sums.total();
    let all = total.of(Words::SAID);
    let line = |first: Cell, sum: &Sum| {
        let said = sum.of(Words::SAID);
        vec![first, Cell::Count(said), Cell::share(said, all), Cell::Count(sum.of(Words::RIGHT_PARTY))]
    };
    let said = sums.rows.iter().filter(|(_, sum)| sum.of(Words::SAID) != 0);
    Ok(Table {
        report: Report::Outcomes,
        by: By::Disposition,
        span: Some(asked.span.clone()),
        columns: columns(
            "disposition",
            &[("conversations", Unit::Count), ("percent", Unit::Percent), ("right_party", Unit::Count)],
        ),
        // A disposition that was corrected, and not said of another call, is not shown.
        rows: said.map(|(key, sum)| line(key.cell(), sum)).collect(),
        total: Some(line(Cell::None, &total)),
        corrections: correction(&total, |late| line(Cell::None, late)),
        notes: cut_note(sums.is_cut),
        is_cut: sums.is_cut,
        plotted: 1,
    })
}
