//! Commands about pools as JSON, for the inbox. Renaming a field here would make stored commands unreadable.

use std::sync::Arc;

use jiff::fmt::serde::timestamp::microsecond;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::fields::{id, micros, shared};
use crate::domain::{Figure, PoolAct, PoolCommand, PoolKey};

#[derive(Serialize, Deserialize)]
#[serde(remote = "PoolCommand")]
pub(super) struct PoolShape {
    #[serde(with = "id")]
    pool: PoolKey,
    #[serde(with = "shared")]
    by: Arc<str>,
    #[serde(with = "ActShape")]
    act: PoolAct,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PoolAct", rename_all = "snake_case")]
enum ActShape {
    Feed {
        #[serde(with = "FigureShape")]
        figure: Figure,
        #[serde(with = "microsecond::required")]
        as_of: Timestamp,
        #[serde(with = "microsecond::required")]
        valid_until: Timestamp,
        headroom: u32,
        #[serde(with = "micros")]
        wrap_up: SignedDuration,
    },
    Fail {
        #[serde(with = "shared")]
        why: Arc<str>,
    },
    Remove,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Figure", rename_all = "snake_case")]
enum FigureShape {
    Seats(u32),
    Free(u32),
}
