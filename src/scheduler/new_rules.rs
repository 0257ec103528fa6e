//! How far the callbacks that wait are decided again after a change of the configuration.

/// How far the waiting callbacks are decided again.
#[derive(Debug, Default)]
pub(super) struct NewRules {
    /// The position of the last that was; `None` if there is nothing to do.
    pub(super) after: Option<i64>,
}

impl NewRules {
    /// The turn that decided those up to here was committed.
    pub(super) fn committed(&mut self, last: Option<i64>) {
        if last.is_some() {
            self.after = last;
        }
    }
}
