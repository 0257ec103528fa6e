//! The exporter of traces, if a collector is configured.

use std::sync::Arc;

use anyhow::Context as _;

use crate::config::Tracing;
use crate::metrics::Metrics;
use crate::traces::{Exporter, ExporterConfig, Traces};

/// Where the parts send their spans, and who sends them on.
///
/// # Errors
/// If TLS cannot be set up.
pub(super) fn collector(
    tracing: &Tracing,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<(Traces, Option<Exporter>)> {
    let Some(endpoint) = tracing.endpoint.clone() else { return Ok((Traces::default(), None)) };
    let (traces, spans) = Traces::new(tracing.sample_ratio, tracing.queue_max as usize, metrics.clone());
    let config = ExporterConfig {
        endpoint,
        headers: tracing.headers(),
        timeout: tracing.timeout,
        service: tracing.service_name.clone(),
    };
    let exporter = Exporter::new(config, spans, metrics.clone()).context("cannot set up TLS")?;
    Ok((traces, Some(exporter)))
}
