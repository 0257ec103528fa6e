//! The doors.

pub mod hooks;
