//! The text of calling hours, written once for orders that have the same.

use crate::domain::CallingHours;

/// The text of the hours of the order before, because orders that come together often have the same.
#[derive(Default)]
pub(super) struct HoursText<'a>(Option<(&'a CallingHours, String)>);

impl<'a> HoursText<'a> {
    pub(super) fn of(&mut self, hours: &'a CallingHours) -> &str {
        if self.0.as_ref().is_none_or(|(known, _)| *known != hours) {
            self.0 = Some((hours, hours.to_string()));
        }
        self.0.as_ref().map_or("", |(_, text)| text)
    }
}
