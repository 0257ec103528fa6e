//! What waits at gates: the lanes, and the callbacks that are called up.

use super::callbacks::{self, AT_GATE, read_gate};
use super::rows::{collect, corrupt, first, limit};
use super::sql::{Connection, params};
use crate::domain::lane::{Found, Wanted};
use crate::domain::{Callback, Gate, Lane};
use crate::store::{CallUp, CalledUp, Result};

/// The class of the first callback of a lane after a class.
pub const NEXT_CLASS: &str = "SELECT ifnull(aged, -priority) FROM callbacks INDEXED BY callbacks_by_gate \
     WHERE state = 'waiting' AND gate = ?1 AND ifnull(lane, '') = ?2 AND ifnull(aged, -priority) > ?3 \
     ORDER BY ifnull(aged, -priority) LIMIT 1";
/// Seeks from gate to gate and from lane to lane, without reading the callbacks in each.
pub const NEXT_GATE: &str = "SELECT gate FROM callbacks INDEXED BY callbacks_by_gate WHERE state = 'waiting' AND gate > ?1 ORDER BY gate LIMIT 1";
pub const FIRST_LANE: &str = "SELECT ifnull(lane, '') FROM callbacks INDEXED BY callbacks_by_gate \
     WHERE state = 'waiting' AND gate = ?1 ORDER BY ifnull(lane, '') LIMIT 1";
pub const NEXT_LANE: &str = "SELECT ifnull(lane, '') FROM callbacks INDEXED BY callbacks_by_gate \
     WHERE state = 'waiting' AND gate = ?1 AND ifnull(lane, '') > ?2 ORDER BY ifnull(lane, '') LIMIT 1";
/// Counts no further than a number.
pub const AT_ONE: &str = "SELECT count(*) FROM (SELECT 1 AS one FROM callbacks INDEXED BY callbacks_by_gate \
     WHERE state = 'waiting' AND gate = ?1 LIMIT ?2) AS r";

/// Reads as many callbacks from a gate as it has room for.
pub fn call_up(
    db: &Connection,
    CallUp { gate, room, mut lanes, paid, campaigns }: CallUp,
) -> Result<CalledUp> {
    let gate = gate.to_string();
    let weight = |campaign| campaigns.weight(campaign);
    let callbacks = lanes.call_up(room, paid, weight, |wanted| read(db, &gate, wanted))?;
    Ok(CalledUp { callbacks, lanes })
}

fn read(db: &Connection, gate: &str, Wanted { lane, class, after, most }: Wanted) -> Result<Found<Callback>> {
    let lane = lane.to_string();
    let mut callbacks = Vec::new();
    if most > 0 {
        let params = params![gate, lane, class, limit(most), limit(after)];
        callbacks = collect(&mut db.prepare_cached(AT_GATE)?, params, callbacks::read)?;
    }
    let has_run_out = callbacks.len() < most.max(1);
    // No class is higher than the highest.
    let next = match has_run_out && class < i64::MAX {
        true => first(&mut db.prepare_cached(NEXT_CLASS)?, params![gate, lane, class], |cells| cells.take())?,
        false => None,
    };
    Ok(Found { callbacks, next })
}

/// How many callbacks wait at each gate, up to `each_most`, of the first `gates_most` gates.
pub fn counted(db: &Connection, gates_most: usize, each_most: u32) -> Result<Vec<(Gate, u64)>> {
    let mut next_gate = db.prepare_cached(NEXT_GATE)?;
    let mut at_one = db.prepare_cached(AT_ONE)?;
    let (mut last, mut all) = (String::new(), Vec::new());
    while all.len() < gates_most
        && let Some(text) = first(&mut next_gate, [&last], |cells| cells.take::<String>())?
    {
        let count = first(&mut at_one, params![text, each_most], |cells| cells.version())?;
        all.push((read_gate(&text)?, count.unwrap_or(0)));
        last = text;
    }
    Ok(all)
}

/// The gates at which callbacks wait, with the lanes in which they do.
pub fn all(db: &Connection) -> Result<Vec<(Gate, Lane)>> {
    let mut next_gate = db.prepare_cached(NEXT_GATE)?;
    let mut first_lane = db.prepare_cached(FIRST_LANE)?;
    let mut next_lane = db.prepare_cached(NEXT_LANE)?;
    let mut last = String::new();
    let mut all = Vec::new();
    while let Some(text) = first(&mut next_gate, [&last], |cells| cells.take::<String>())? {
        let gate = read_gate(&text)?;
        let mut lane = first(&mut first_lane, [&text], |cells| cells.take::<String>())?;
        while let Some(known) = lane {
            let parsed = known.parse().map_err(|()| corrupt("a lane at a gate", &known))?;
            all.push((gate.clone(), parsed));
            lane = first(&mut next_lane, [&text, &known], |cells| cells.take::<String>())?;
        }
        last = text;
    }
    Ok(all)
}
