//! Percentiles of latencies.

use std::time::Duration;

/// The latency in milliseconds at this quantile.
pub fn percentile(values: &mut [Duration], share: f64) -> f64 {
    values.sort_unstable();
    let index = (values.len() as f64 * share) as usize;
    values.get(index.min(values.len().saturating_sub(1))).map_or(f64::NAN, |value| value.as_secs_f64() * 1e3)
}
