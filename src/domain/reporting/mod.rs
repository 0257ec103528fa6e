//! What reports count: cells of counts, each for a tenant, a family, a label and a quarter of an hour.
//!
//! What an attempt, a message or a callback counts as is computed from its stored row and its order alone. So the writer
//! adds the difference that a change makes, and a recount finds the same numbers in the rows.
//! How a report shows them is not decided here.

mod cells;
mod counted;
mod labels;

pub use cells::{CellKey, Cells, Counts, Family, PLACES, Quarter};
pub use counted::{
    Calls, Contents, Counted, Facts, Hours, Lines, Promises, REACH_MOST, SPEED_STEPS_S, Words, of_attempt,
    of_callback, of_message, of_wrap_up, seconds_step,
};
pub use labels::{LabelKind, Labels, NewLabel, OTHER};
