//! What operators see of a daemon: metrics with their alerts and dashboard, health checks, and traces.

mod collector;
mod health;
mod measured;
mod monitoring;
mod tracing;
