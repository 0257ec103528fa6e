//! What platforms restrict, for the next leader. A row goes when its restriction has ended.

use jiff::Timestamp;

use super::rows::{Cells, collect, digits, micros, micros_if};
use super::sql::{Connection, params};
use crate::domain::{Phone, Restriction};
use crate::store::Result;

/// The latest ends, and then the restrictions that have not ended at `now`.
pub fn open(db: &Connection, now: Timestamp) -> Result<Vec<Restriction>> {
    let ends = "SELECT account, sender, 'everything', NULL, NULL, told_at FROM restriction_ends ORDER BY account, sender";
    let mut all = collect(&mut db.prepare_cached(ends)?, [], read)?;
    let sql = "SELECT account, sender, what, why, until, told_at FROM restrictions \
         WHERE until IS NULL OR until > ?1 ORDER BY account, sender, what";
    all.extend(collect(&mut db.prepare_cached(sql)?, [micros(now)], read)?);
    Ok(all)
}

fn read(cells: &mut Cells<'_>) -> Result<Restriction> {
    Ok(Restriction {
        account: cells.account()?,
        sender: Some(cells.phone()?).filter(|sender: &Phone| sender.digits() != 0),
        what: cells.parsed()?,
        why: cells.text_if()?.map(Into::into),
        until: cells.moment_if()?,
        told_at: cells.moment_if()?,
    })
}

/// Replaces the restriction of the same account, sender and part; or ends all restrictions of the account or the sender
/// that were not told later than the end.
pub fn write(db: &Connection, restrictions: &[Restriction]) -> Result<()> {
    for restriction in restrictions {
        let sender = restriction.sender.map_or(0, digits);
        match &restriction.why {
            Some(why) => db
                .prepare_cached(
                    "INSERT INTO restrictions (account, sender, what, why, until, told_at) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (account, sender, what) \
                     DO UPDATE SET why = excluded.why, until = excluded.until, told_at = excluded.told_at",
                )?
                .execute(params![
                    &*restriction.account,
                    sender,
                    restriction.what.as_str(),
                    &**why,
                    micros_if(restriction.until),
                    micros_if(restriction.told_at)
                ])?,
            None => end(db, restriction)?,
        };
    }
    Ok(())
}

fn end(db: &Connection, restriction: &Restriction) -> Result<usize> {
    let of = (&*restriction.account, restriction.sender.map_or(0, digits), micros_if(restriction.told_at));
    if restriction.told_at.is_some() {
        db.prepare_cached(
            "INSERT INTO restriction_ends (account, sender, told_at) VALUES (?1, ?2, ?3) \
             ON CONFLICT (account, sender) DO UPDATE SET told_at = excluded.told_at \
             WHERE excluded.told_at > restriction_ends.told_at",
        )?
        .write(of)?;
    }
    let sql = "DELETE FROM restrictions WHERE account = ?1 AND sender = ?2 \
         AND (told_at IS NULL OR CAST(?3 AS BIGINT) IS NULL OR told_at <= ?3)";
    Ok(db.prepare_cached(sql)?.execute(of)?)
}
