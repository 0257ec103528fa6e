//! Where the figures of pools come from: their form, and the sources of the configuration.
//!
//! A figure becomes a command, which the scheduler folds. Nothing here decides about calls.

mod figure;

pub use figure::{FigureFault, PoolFigure};
