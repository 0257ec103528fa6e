//! `pool`: feeds pools of agents, shows their seats, and removes them.

use std::io::Write;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::remote::{Ask, Body, Target};
use super::table::{Rows, name, plain, second, standing};
use super::values::moment;
use crate::clock::{Clock as _, SystemClock};
use crate::domain::PoolName;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Tell how many seats a pool has, and for how long that holds
    ///
    /// Makes the pool if there is none. From the answer on the figure holds, and what waits for a seat is called. When it
    /// ends, the pool has no seat.
    #[command(after_long_help = "Examples:\n  ringmaster pool set support --seats 12 --valid-for 60\n  \
                           ringmaster pool set support --free 3 --as-of 2026-11-23T09:00:00-03:00 --valid-for 60")]
    Set(Set),
    /// Show a pool and its seats
    #[command(after_long_help = "Example:\n  ringmaster pool show support")]
    Show(One),
    /// List the pools
    #[command(after_long_help = "Example:\n  ringmaster pool list")]
    List(Flags),
    /// Remove a pool: its callbacks wait until it is fed again
    #[command(after_long_help = "Example:\n  ringmaster pool remove support")]
    Remove(One),
}

#[derive(Debug, Args)]
pub(super) struct Set {
    /// The pool, such as support
    #[arg(value_name = "POOL")]
    pool: PoolName,
    /// All seats of the pool; those that our calls hold are subtracted
    #[arg(long, value_name = "COUNT", required_unless_present = "free", conflicts_with = "free",
          value_parser = clap::value_parser!(u32).range(..=10_000))]
    seats: Option<u32>,
    /// The agents who are free, or were at --as-of
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(..=10_000))]
    free: Option<u32>,
    /// The moment of the figure [default: now]
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    as_of: Option<Timestamp>,
    /// For so many seconds the figure holds, 1 to 120
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=120))]
    valid_for: u32,
    /// Seats that are kept back for calls of consumers [default: 1]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(..=10_000))]
    headroom: Option<u32>,
    /// For so many seconds a seat is held after a call that the consumer answered, up to 3600 [default: 0]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(..=3_600))]
    wrap_up: Option<u32>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct One {
    /// The pool, such as support
    #[arg(value_name = "POOL")]
    pool: PoolName,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

impl Command {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let of = |pool: &PoolName| format!("v1/pools/{pool}");
        match self {
            Self::Set(set) => {
                let ask = Ask::put(of(&set.pool), Body::Json(set.body()));
                told(&set.flags, set.flags.daemon.command(ask)?, out)
            }
            Self::Show(one) => told(&one.flags, one.flags.daemon.ask_json(&Ask::get(of(&one.pool)))?, out),
            Self::List(flags) => {
                let answer = flags.daemon.ask_json(&Ask::get("v1/pools"))?;
                if flags.json {
                    return Ok(writeln!(out, "{answer:#}")?);
                }
                list(&serde_json::from_value(answer)?, out)
            }
            Self::Remove(one) => {
                let answer = one.flags.daemon.command(Ask::delete(of(&one.pool)))?;
                if one.flags.json {
                    return Ok(writeln!(out, "{answer:#}")?);
                }
                Ok(writeln!(out, "{}  removed", one.pool)?)
            }
        }
    }
}

impl Set {
    fn body(&self) -> Value {
        let as_of = self.as_of.or_else(|| self.free.map(|_| SystemClock.now()));
        let given: [(&str, Option<Value>); 6] = [
            ("seats", self.seats.map(Into::into)),
            ("free", self.free.map(Into::into)),
            ("as_of", as_of.map(|at| at.to_string().into())),
            ("valid_for", Some(self.valid_for.into())),
            ("headroom", self.headroom.map(Into::into)),
            ("wrap_up_s", self.wrap_up.map(Into::into)),
        ];
        let given = given.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?)));
        Value::Object(given.collect::<Map<_, _>>())
    }
}

/// A pool in an answer of the daemon.
#[derive(Deserialize)]
struct Row {
    name: String,
    state: String,
    seats: Option<u32>,
    free: Option<u32>,
    as_of: Timestamp,
    valid_until: Timestamp,
    headroom: u32,
    wrap_up_s: i64,
    in_calls: u32,
    in_wrap_up: u32,
    room: u32,
    by: String,
    fault: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    pools: Vec<Row>,
}

impl Row {
    fn figure(&self) -> String {
        match (self.seats, self.free) {
            (Some(seats), _) => format!("{seats} seats"),
            (None, free) => format!("{} free", free.unwrap_or_default()),
        }
    }
}

fn told(flags: &Flags, answer: Value, out: &mut dyn Write) -> anyhow::Result<()> {
    if flags.json {
        return Ok(writeln!(out, "{answer:#}")?);
    }
    one(&serde_json::from_value(answer)?, out)
}

fn one(pool: &Row, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut rows = Rows::new(&[]);
    rows.push([name("pool"), plain(&pool.name)]);
    rows.push([name("state"), plain(&pool.state)]);
    rows.push([name("figure"), plain(format!("{} at {}", pool.figure(), second(pool.as_of)))]);
    rows.push([name("holds until"), plain(second(pool.valid_until))]);
    rows.push([name("kept back"), plain(pool.headroom.to_string())]);
    rows.push([name("in calls"), plain(pool.in_calls.to_string())]);
    rows.push([name("in wrap-up"), plain(format!("{} (each {} s)", pool.in_wrap_up, pool.wrap_up_s))]);
    rows.push([name("room"), plain(pool.room.to_string())]);
    rows.push([name("fed by"), plain(&pool.by)]);
    if let Some(fault) = &pool.fault {
        rows.push([name("fault"), plain(fault)]);
    }
    Ok(rows.write(out)?)
}

fn list(page: &Page, out: &mut dyn Write) -> anyhow::Result<()> {
    if page.pools.is_empty() {
        return Ok(writeln!(out, "no pool is fed; \"ringmaster pool set\" feeds one")?);
    }
    let heading = ["pool", "state", "figure", "holds until", "in calls", "in wrap-up", "room", "fed by"];
    let mut rows = Rows::new(&heading);
    for pool in &page.pools {
        rows.push([
            name(&pool.name),
            standing(&pool.state),
            plain(pool.figure()),
            plain(second(pool.valid_until)),
            plain(pool.in_calls.to_string()),
            plain(pool.in_wrap_up.to_string()),
            plain(pool.room.to_string()),
            plain(&pool.by),
        ]);
    }
    Ok(rows.write(out)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(print: impl FnOnce(&mut Vec<u8>) -> anyhow::Result<()>) -> String {
        let mut out = Vec::new();
        print(&mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    fn pool() -> Value {
        json!({"name": "support", "state": "fed", "free": 3, "as_of": "2026-11-23T12:00:00.4Z",
            "valid_until": "2026-11-23T12:01:00.4Z", "headroom": 1, "wrap_up_s": 30, "in_calls": 1,
            "in_wrap_up": 1, "room": 1, "by": "acd"})
    }

    #[test]
    fn a_pool_shows_its_figure_and_its_seats() {
        let mut failed = pool();
        failed["fault"] = "the URL answered with status 500".into();
        insta::assert_snapshot!(shown(|out| one(&serde_json::from_value(failed).unwrap(), out)), @r"
        pool         support
        state        fed
        figure       3 free at 2026-11-23T12:00:00Z
        holds until  2026-11-23T12:01:00Z
        kept back    1
        in calls     1
        in wrap-up   1 (each 30 s)
        room         1
        fed by       acd
        fault        the URL answered with status 500
        ");
        let page = json!({"pools": [pool()]});
        insta::assert_snapshot!(shown(|out| list(&serde_json::from_value(page).unwrap(), out)), @r"
        pool     state  figure  holds until           in calls  in wrap-up  room  fed by
        support  fed    3 free  2026-11-23T12:01:00Z  1         1           1     acd
        ");
        let nothing = shown(|out| list(&Page { pools: Vec::new() }, out));
        assert!(nothing.contains("ringmaster pool set"), "{nothing}");
    }
}
