//! Checks the invariants of a whole store, and changes nothing: each callback and what hangs on it, the live attempts of
//! people, the order of deliveries, and all counters, which are counted again.

use std::collections::BTreeSet;
use std::path::Path;

use super::file::open_reader;
use super::rows::collect;
use super::sql::postgres::Reach;
use super::sql::{Access, Connection};
use super::{counts, database, report_recount};
use crate::store::{Error, Result, Told};

/// At most so many faults are told for each check.
pub const FAULTS_MAX: usize = 1_000;

/// An invariant that is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyFault {
    /// Which check found it: a stable name, such as `callback.calling`.
    pub check: &'static str,
    /// What it is about, as stored: an id in hexadecimal digits, or a name. No phone number.
    pub id: String,
    /// One sentence.
    pub what: &'static str,
    /// What is stored and what is there, for a counter.
    pub figures: Option<String>,
}

/// An invariant as a query for what breaks it: the id of each.
struct Rule {
    check: &'static str,
    what: &'static str,
    sql: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        check: "callback.calling",
        what: "It is calling, and its attempt is not live or not its own.",
        sql: "SELECT c.id FROM callbacks AS c WHERE c.state = 'calling' AND NOT EXISTS (SELECT 1 FROM attempts AS a \
              WHERE a.id = c.attempt AND a.callback = c.id AND a.live = 1)",
    },
    Rule {
        check: "callback.attempt",
        what: "It names an attempt, and is not calling.",
        sql: "SELECT id FROM callbacks WHERE attempt IS NOT NULL AND state <> 'calling'",
    },
    Rule {
        check: "callback.time",
        what: "It waits or is closed, and has no time for that.",
        sql: "SELECT id FROM callbacks WHERE at IS NULL AND state <> 'calling'",
    },
    Rule {
        check: "callback.gate",
        what: "It is at a gate, and does not wait.",
        sql: "SELECT id FROM callbacks WHERE gate IS NOT NULL AND state <> 'waiting'",
    },
    Rule {
        check: "callback.attempts",
        what: "It has another number of attempts than it has opened.",
        sql: "SELECT c.id FROM callbacks AS c WHERE c.attempts_opened <> \
              (SELECT count(*) FROM attempts AS a WHERE a.callback = c.id)",
    },
    Rule {
        check: "attempt.live",
        what: "It is marked as live and is over, or the other way round.",
        sql: "SELECT id FROM attempts WHERE live <> CASE WHEN ended_at IS NULL AND stage IN \
              ('intent', 'submitting', 'accepted', 'unknown') THEN 1 ELSE 0 END",
    },
    Rule {
        check: "attempt.callback",
        what: "Its callback is missing.",
        sql: "SELECT a.id FROM attempts AS a WHERE NOT EXISTS (SELECT 1 FROM callbacks AS c WHERE c.id = a.callback)",
    },
    Rule {
        check: "message.unsettled",
        what: "It is marked as unsettled and is settled, or the other way round.",
        sql: "SELECT id FROM messages WHERE unsettled <> CASE WHEN stage IN ('intent', 'submitting', 'unknown') \
              THEN 1 ELSE 0 END",
    },
    Rule {
        check: "message.callback",
        what: "Its callback is missing.",
        sql: "SELECT m.id FROM messages AS m WHERE m.callback IS NOT NULL AND NOT EXISTS \
              (SELECT 1 FROM callbacks AS c WHERE c.id = m.callback)",
    },
    Rule {
        check: "inbox.unfolded",
        what: "It is to be folded, and is missing.",
        sql: "SELECT u.seq FROM unfolded_reports AS u WHERE NOT EXISTS \
              (SELECT 1 FROM reports AS r WHERE r.seq = u.seq)",
    },
    Rule {
        check: "inbox.command",
        what: "The command has no text.",
        sql: "SELECT c.seq FROM commands AS c WHERE NOT EXISTS (SELECT 1 FROM reports AS r WHERE r.seq = c.seq)",
    },
    Rule {
        check: "inbox.unmatched",
        what: "It waits for its person, and is missing.",
        sql: "SELECT u.seq FROM unmatched_reports AS u WHERE NOT EXISTS (SELECT 1 FROM reports AS r WHERE r.seq = u.seq)",
    },
    Rule {
        check: "inbox.key",
        what: "Two reports have this key.",
        sql: "SELECT key FROM reports GROUP BY key HAVING count(*) > 1",
    },
    Rule {
        check: "outbox.closed",
        what: "Two deliveries tell the end of this callback.",
        sql: "SELECT subject FROM outbox WHERE what = 'callback.closed' GROUP BY subject HAVING count(*) > 1",
    },
    Rule {
        check: "outbox.settled",
        what: "The delivery is settled, and is due again.",
        sql: "SELECT id FROM outbox WHERE state <> 'waiting' AND due_at IS NOT NULL",
    },
    Rule {
        check: "outbox.stuck",
        what: "The deliveries of this subject wait, and none is due.",
        sql: "SELECT DISTINCT o.subject FROM outbox AS o WHERE o.state = 'waiting' AND NOT EXISTS \
              (SELECT 1 FROM outbox AS d WHERE d.subject = o.subject AND d.due_at IS NOT NULL)",
    },
    Rule {
        check: "outbox.order",
        what: "Two deliveries of one subject are due at once.",
        sql: "SELECT o.id FROM outbox AS o WHERE o.due_at IS NOT NULL AND EXISTS (SELECT 1 FROM outbox AS e \
              WHERE e.subject = o.subject AND e.seq < o.seq AND e.due_at IS NOT NULL)",
    },
    Rule {
        check: "seat.attempt",
        what: "A seat is held after a call that is not known.",
        sql: "SELECT s.attempt FROM seats_in_wrap_up AS s WHERE NOT EXISTS \
              (SELECT 1 FROM attempts AS a WHERE a.id = s.attempt)",
    },
    Rule {
        check: "wrap_up.callback",
        what: "The wrap-up is of a callback that is missing.",
        sql: "SELECT w.callback FROM wrap_ups AS w WHERE NOT EXISTS (SELECT 1 FROM callbacks AS c WHERE c.id = w.callback)",
    },
];

/// How many checks there are, for the progress.
pub const VERIFY_CHECKS: usize = RULES.len() + 4;

/// Checks a store at one moment, also while a daemon runs. `begins` is called with the name of each check before it.
/// Memory does not grow with the store, but with its faults and with what reports count apart.
///
/// # Errors
/// If the store cannot be read.
pub fn verify(store: &Path, told: Told, begins: &mut dyn FnMut(&'static str)) -> Result<Vec<VerifyFault>> {
    check(&open_reader(store)?, told, begins)
}

/// Checks a PostgreSQL database, as [`verify`].
///
/// # Errors
/// If the database cannot be used or read.
pub fn verify_database(reach: Reach, told: Told, begins: TellCheck<'_>) -> Result<Vec<VerifyFault>> {
    database::apart(|| check(&database::open_alone(reach)?.0, told, begins))
}

/// Is called with the name of each check before it.
pub type TellCheck<'t> = &'t mut (dyn FnMut(&'static str) + Send);

fn check(db: &Connection, told: Told, begins: &mut dyn FnMut(&'static str)) -> Result<Vec<VerifyFault>> {
    db.begin(Access::Survey)?;
    if db.postgres().is_some() {
        // No month is dropped meanwhile.
        db.execute_batch("LOCK TABLE timeline, reports, outbox, audit IN ACCESS SHARE MODE")?;
    }
    let mut faults = Vec::new();
    begins("file");
    let lines = match db.sqlite() {
        Some(_) => {
            collect(&mut db.prepare_cached("PRAGMA quick_check(100)")?, [], |cells| cells.take::<String>())?
        }
        None => Vec::new(),
    };
    let what = "SQLite finds the file damaged.";
    faults.extend(lines.into_iter().filter(|line| line != "ok").map(|line| VerifyFault {
        check: "file",
        id: "file".to_owned(),
        what,
        figures: Some(line),
    }));
    for Rule { check, what, sql } in RULES {
        begins(check);
        let sql = format!("{sql} LIMIT {FAULTS_MAX}");
        let ids = collect(&mut db.prepare_cached(&sql)?, [], |cells| cells.shown())?;
        faults.extend(ids.into_iter().map(|id| VerifyFault { check, id, what, figures: None }));
    }
    begins("person.live");
    faults.extend(live_of_people(db)?);
    begins("counts");
    let wrong = counts::wrong(db);
    faults.extend(counters("counts", "A counter has another number than there is.", wrong)?);
    begins("reports");
    let wrong = report_recount::wrong(db, told);
    faults.extend(counters("reports", "A cell of the reports has another number than there is.", wrong)?);
    db.roll_back()?;
    Ok(faults)
}

/// A row that cannot be read is a fault too, and keeps the counters from being counted again.
fn counters(check: &'static str, what: &'static str, wrong: Result<Vec<String>>) -> Result<Vec<VerifyFault>> {
    let wrong = match wrong {
        Err(Error::Corrupt(cause)) => {
            let (id, what) = ("unreadable".to_owned(), "A row cannot be read, so nothing was counted again.");
            return Ok(vec![VerifyFault { check, id, what, figures: Some(cause) }]);
        }
        wrong => wrong?,
    };
    let fault = |line: String| {
        let (id, figures) = line.rsplit_once(": ").unwrap_or((&line, ""));
        VerifyFault { check, id: id.to_owned(), what, figures: Some(figures.to_owned()) }
    };
    Ok(wrong.into_iter().take(FAULTS_MAX).map(fault).collect())
}

/// What is live of people are live attempts, and each live attempt is one of a person.
fn live_of_people(db: &Connection) -> Result<Vec<VerifyFault>> {
    let sql = "SELECT id FROM attempts WHERE live = 1";
    let live = collect(&mut db.prepare_cached(sql)?, [], |cells| cells.shown())?;
    let live: BTreeSet<String> = live.into_iter().collect();
    let mut of_people = BTreeSet::new();
    let sql = "SELECT live FROM persons WHERE live IS NOT NULL";
    for text in collect(&mut db.prepare_cached(sql)?, [], |cells| cells.take::<String>())? {
        of_people.extend(text.split(' ').filter(|id| !id.is_empty()).map(str::to_owned));
    }
    let fault =
        |what| move |id: &String| VerifyFault { check: "person.live", id: id.clone(), what, figures: None };
    let over = of_people.difference(&live).map(fault("A person has it as live, and it is over or missing."));
    let nobodys = live.difference(&of_people).map(fault("It is live, and no person has it as live."));
    Ok(over.chain(nobodys).take(FAULTS_MAX).collect())
}
