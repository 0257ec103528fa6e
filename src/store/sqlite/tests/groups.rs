//! Group commit: what happens to one command is nothing to its neighbours, and nobody hears of success
//! before the commit.

use std::sync::mpsc::channel;

use futures_util::future::join_all;
use rusqlite::Connection;

use super::super::Access;
use super::super::file;
use super::super::writer::Writer;
use crate::store::{Error, Result};

/// A writer over a table of numbers that are each kept once.
fn writer(dir: &tempfile::TempDir) -> Writer {
    let (_, db) = file::open(&dir.path().join("group.db"), Access::Beside).unwrap();
    db.execute_batch("CREATE TABLE numbers (n INTEGER PRIMARY KEY, filling BLOB) STRICT").unwrap();
    Writer::start(db, None, 512, None).unwrap()
}

fn keep(db: &Connection, n: i64) -> Result<()> {
    db.prepare_cached("INSERT INTO numbers (n) VALUES (?1)")?.execute([n])?;
    Ok(())
}

async fn kept(writer: &Writer) -> Vec<i64> {
    writer
        .run(|db| {
            let mut statement = db.prepare("SELECT n FROM numbers ORDER BY n")?;
            let rows = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>();
            Ok(rows?)
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
    pages(3).await.unwrap();
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
            assert!(db.is_autocommit(), "a command runs inside a transaction");
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
