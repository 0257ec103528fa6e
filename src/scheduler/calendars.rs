//! Folds the days that operators close, open, or give back to their calendar. From the end of this turn they hold.
//! Callbacks that wait for a day of that calendar are called up if one may have opened; no other callback is touched.

use jiff::Timestamp;

use super::state::Scheduler;
use super::turn::Turn;
use crate::domain::CommandOutcome;
use crate::domain::calendar::{CalendarMark, Calendars, MarkedDay, oldest_marked};
use crate::store;

/// An operator marks days of a calendar.
pub(super) fn mark(turn: &mut Turn<'_>, at: Timestamp, order: &CalendarMark) -> CommandOutcome {
    let calendars = &mut turn.loads.calendars;
    if !calendars.knows(&order.calendar) {
        return CommandOutcome::Refused("calendar.not_found".into());
    }
    calendars.forget_before(oldest_marked(turn.now));
    let days: Vec<MarkedDay> = order.days(at).collect();
    if calendars.count_marks().saturating_add(days.len()) > Calendars::MARKS_MOST {
        return CommandOutcome::Refused("calendar.too_many_days".into());
    }
    for day in &days {
        calendars.mark(day.clone());
    }
    turn.work.marked_days.extend(days);
    tracing::info!(
        calendar = %order.calendar, first = %order.first, last = %order.last, mark = order.mark.as_str(),
        token = &*order.who, "an operator changed days of a calendar"
    );
    CommandOutcome::Applied
}

impl Scheduler {
    /// Reads the days that operators marked.
    pub(super) async fn read_calendars(&mut self) -> store::Result<()> {
        let marked = self.deps.store.marked_days(oldest_marked(self.deps.clock.now())).await?;
        self.loads.calendars = self.deps.calendars.marked(marked);
        Ok(())
    }
}
