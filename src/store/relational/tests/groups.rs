//! Group commit: what happens to one command is nothing to its neighbours, and nobody hears of success
//! before the commit.

use std::sync::mpsc::channel;

use futures_util::future::join_all;

use jiff::Timestamp;
use uuid::Uuid;

use super::super::rows::{Cells, collect};
use super::super::sql::Connection;
use super::super::writer::Writer;
use super::super::{Access, callbacks, counts, file};
use crate::domain::callback::Waiting;
use crate::domain::{Callback, CallbackId, Order, Phone, Reason, State};
use crate::store::{Enqueue, Enqueued, Error, IdempotencyKey, Result};

/// A writer over a table of numbers that are each kept once.
fn writer(dir: &tempfile::TempDir) -> Writer {
    let (_, db) = file::open(&dir.path().join("group.db"), Access::Beside).unwrap();
    db.execute_batch("CREATE TABLE numbers (n INTEGER PRIMARY KEY, filling BLOB) STRICT").unwrap();
    Writer::start(db, None, 512, None, std::sync::Arc::default()).unwrap()
}

fn keep(db: &Connection, n: i64) -> Result<()> {
    db.prepare_cached("INSERT INTO numbers (n) VALUES (?1)")?.execute([n])?;
    Ok(())
}

async fn kept(writer: &Writer) -> Vec<i64> {
    writer
        .run(|db| {
            collect(&mut db.prepare_cached("SELECT n FROM numbers ORDER BY n")?, [], |cells| cells.take())
        })
        .await
        .unwrap()
}

/// Holds the writer until all of the commands wait, so that they are one group.
async fn together<F>(writer: &Writer, commands: Vec<F>) -> Vec<Result<()>>
where
    F: FnMut(&Connection) -> Result<()> + Send + 'static,
{
    let (release, held) = channel::<()>();
    let gate = writer.run(move |_| {
        // Run again, it does not wait again: the other end is gone by then.
        let _ = held.recv();
        Ok(())
    });
    let asked = join_all(commands.into_iter().map(|command| writer.run(command)));
    // Polled in this order: the gate is asked first and opened last.
    let (_, answers, ()) =
        futures_util::future::join3(gate, asked, async move { release.send(()).unwrap() }).await;
    answers
}

#[tokio::test]
async fn a_command_that_fails_after_it_wrote_leaves_nothing_and_its_neighbours_stand() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(&dir);
    let commands: Vec<_> = (0..9_i64)
        .map(|n| {
            move |db: &Connection| {
                keep(db, n)?;
                if n % 3 == 0 { Err(Error::Conflict) } else { Ok(()) }
            }
        })
        .collect();
    let answers = together(&writer, commands).await;
    for (n, answer) in (0..).zip(answers) {
        assert_eq!(answer.is_err(), n % 3 == 0, "{n}: {answer:?}");
    }
    assert_eq!(kept(&writer).await, [1, 2, 4, 5, 7, 8]);
}

#[tokio::test]
async fn a_commit_that_fails_is_heard_by_the_one_at_fault() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(&dir);
    let commands: Vec<_> = (0..5_i64)
        .map(|n| {
            move |db: &Connection| {
                keep(db, n)?;
                if n == 2 {
                    // Nobody notices before the commit.
                    db.execute_batch("PRAGMA defer_foreign_keys = ON")?;
                    db.execute("INSERT INTO unfolded_reports (seq) VALUES (777)", [])?;
                }
                Ok(())
            }
        })
        .collect();
    let answers = together(&writer, commands).await;
    for (n, answer) in (0..).zip(answers) {
        assert_eq!(answer.is_err(), n == 2, "{n}: {answer:?}");
    }
    assert_eq!(kept(&writer).await, [0, 1, 3, 4]);
}

#[tokio::test]
async fn a_full_disk_is_told_to_all_and_over_when_there_is_space() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(&dir);
    let pages = |limit: i64| {
        writer.run(move |db| {
            let page_count: i64 = db.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            let sql = format!("PRAGMA max_page_count = {}", page_count + limit);
            Ok(db.query_row(&sql, [], |_| Ok(()))?)
        })
    };
    // Not even one of them has space, should the writer take the first one alone.
    pages(1).await.unwrap();
    let fill = |n: i64| {
        move |db: &Connection| {
            keep(db, n)?;
            db.execute("UPDATE numbers SET filling = zeroblob(9000) WHERE n = ?1", [n])?;
            Ok(())
        }
    };
    for answer in together(&writer, (0..5).map(fill).collect()).await {
        assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    }
    assert_eq!(kept(&writer).await, [0; 0]);
    pages(1_000).await.unwrap();
    for answer in together(&writer, (0..5).map(fill).collect()).await {
        answer.unwrap();
    }
    assert_eq!(kept(&writer).await, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn a_command_that_panics_does_not_stop_the_writer() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(&dir);
    let panics = writer
        .run(|db| {
            keep(db, 1)?;
            assert!(db.sqlite().unwrap().is_autocommit(), "a command runs inside a transaction");
            Ok(())
        })
        .await;
    assert!(matches!(panics, Err(Error::Panicked(_))), "{panics:?}");
    writer.run(|db| keep(db, 2)).await.unwrap();
    assert_eq!(kept(&writer).await, [2]);
}

#[tokio::test]
async fn a_command_that_panics_does_not_harm_its_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(&dir);
    let (release, held) = channel::<()>();
    let mut gate = Box::pin(writer.run(move |_| {
        let _ = held.recv();
        Ok(())
    }));
    let mut before = Box::pin(writer.run(|db| keep(db, 1)));
    let mut panics = Box::pin(writer.run(|_| -> Result<()> { panic!("as ordered") }));
    let mut after = Box::pin(writer.run(|db| keep(db, 2)));
    for command in [&mut gate as &mut (dyn Future<Output = Result<()>> + Unpin), &mut before, &mut panics] {
        assert!(futures_util::poll!(command).is_pending());
    }
    assert!(futures_util::poll!(&mut after).is_pending());
    drop(release);
    gate.await.unwrap();
    assert!(matches!(panics.await, Err(Error::Panicked(_))));
    before.await.unwrap();
    after.await.unwrap();
    assert_eq!(kept(&writer).await, [1, 2]);
}

#[tokio::test]
async fn a_caller_that_has_gone_stops_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(&dir);
    let (release, held) = channel::<()>();
    let mut gate = Box::pin(writer.run(move |_| {
        // Run again, it does not wait again: the other end is gone by then.
        let _ = held.recv();
        Ok(())
    }));
    let mut forgotten = Box::pin(writer.run(|db| keep(db, 1)));
    assert!(futures_util::poll!(&mut gate).is_pending());
    assert!(futures_util::poll!(&mut forgotten).is_pending());
    drop(forgotten);
    release.send(()).unwrap();
    drop(release);
    gate.await.unwrap();
    writer.run(|db| keep(db, 2)).await.unwrap();
    assert_eq!(kept(&writer).await, [1, 2]);
}

fn order(id: u128) -> Enqueue {
    let at = Timestamp::constant(1_790_000_000, 0);
    let note = Reason::BeforeEarliest { earliest: at }.note();
    let order = Order::new(Phone::from_stored(5_511_900_000_001), Vec::new(), "message", at, at);
    let waiting = State::Waiting(Waiting { wake_at: at, place: None, note });
    let callback = Callback::new(CallbackId::new(Uuid::from_u128(id)), at, order, waiting);
    Enqueue { callback, idempotency: None, ceiling: None, of_one_group: Vec::new() }
}

fn with_key(id: u128, key: &str) -> Enqueue {
    let key = IdempotencyKey { token: "crm".into(), key: key.into(), body: [2; 32] };
    Enqueue { idempotency: Some(key), ..order(id) }
}

fn id(id: u128) -> CallbackId {
    CallbackId::new(Uuid::from_u128(id))
}

/// Holds the writer until the orders of all callers wait, so that they are one command.
async fn order_together(writer: &Writer, of_callers: Vec<Vec<Enqueue>>) -> Vec<Result<Vec<Enqueued>>> {
    let (release, held) = channel::<()>();
    let gate = writer.run(move |_| {
        let _ = held.recv();
        Ok(())
    });
    let asked = join_all(of_callers.into_iter().map(|orders| writer.order(orders, None)));
    let opened = async move { release.send(()).unwrap() };
    let (_, answers, ()) = futures_util::future::join3(gate, asked, opened).await;
    answers
}

/// How many callbacks are stored, and what is counted wrongly.
async fn stored(writer: &Writer) -> (i64, Vec<String>) {
    writer
        .run(|db| {
            let all = db.query_row("SELECT count(*) FROM callbacks", [], |row| row.get(0))?;
            Ok((all, counts::wrong(db)?))
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn each_caller_is_told_of_its_own_orders() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(&dir);
    // More than one statement inserts, fewer than two do.
    let first = vec![order(1), with_key(2, "a"), order(3)];
    let second = vec![with_key(4, "a"), order(5), order(6)];
    let answers = order_together(&writer, vec![first, Vec::new(), second]).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let new = |n| Enqueued::New(id(n));
    let expected = [vec![new(1), new(2), new(3)], vec![], vec![Enqueued::Repeated(id(2)), new(5), new(6)]];
    assert_eq!(answers, expected);
    assert_eq!(stored(&writer).await, (5, Vec::new()));
}

#[tokio::test]
async fn orders_that_cannot_be_stored_cost_only_their_caller() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(&dir);
    let answers =
        order_together(&writer, vec![vec![order(1)], vec![order(2), order(1)], vec![order(3)]]).await;
    let kept: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(kept, [true, false, true], "{answers:?}");
    assert_eq!(stored(&writer).await, (2, Vec::new()));
    let found = writer.run(|db| callbacks::one(db, id(2))).await.unwrap();
    assert_eq!(found, None, "nothing is half stored");
}

#[tokio::test]
async fn rows_of_a_statement_get_the_partition_of_their_number() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(&dir);
    writer.order(vec![order(1)], None).await.unwrap();
    let before = "UPDATE callbacks SET seq = 65533 WHERE seq = 1";
    writer.run(move |db| Ok(db.execute(before, [])?)).await.unwrap();
    writer.order((2..9).map(order).collect(), None).await.unwrap();
    let partitions = writer
        .run(|db| {
            let sql = "SELECT seq, partition_no FROM callbacks ORDER BY seq";
            let read = |cells: &mut Cells<'_>| Ok((cells.take::<i64>()?, cells.take::<i64>()?));
            collect(&mut db.prepare_cached(sql)?, [], read)
        })
        .await
        .unwrap();
    let expected: Vec<_> = (65_533..65_541).map(|seq| (seq, (seq - 1) >> 16)).collect();
    assert_eq!(partitions, expected, "a partition begins with the row after its first number");
    assert_eq!(stored(&writer).await.1, Vec::<String>::new());
    let waiting =
        writer.run(|db| callbacks::waiting_to(db, vec![Phone::from_stored(5_511_900_000_001)])).await;
    assert_eq!(waiting.unwrap().len(), 8, "in both partitions");
}
