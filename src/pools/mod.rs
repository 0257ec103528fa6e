//! Where the figures of pools come from: their form (`figure`), a URL of the customer (`url`), and what asks a source again
//! and again (`feeder`).
//!
//! A figure becomes a command, which the scheduler folds. Nothing here decides about calls.

mod feeder;
mod figure;
mod url;

pub use feeder::{Course, Feeder};
pub use figure::{FigureFault, PoolFigure};
pub use url::UrlSource;
