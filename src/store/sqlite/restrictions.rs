//! What platforms restrict, for the next leader. A row goes when its restriction has ended.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::rows::{Cells, collect, digits, micros, micros_if};
use crate::domain::{Phone, Restriction};
use crate::store::Result;

/// Those that have not ended at `now`.
pub fn open(db: &Connection, now: Timestamp) -> Result<Vec<Restriction>> {
    let sql = "SELECT account, sender, what, why, until FROM restrictions WHERE until IS NULL OR until > ?1 \
         ORDER BY account, sender, what";
    collect(&mut db.prepare_cached(sql)?, [micros(now)], read)
}

fn read(cells: &mut Cells<'_>) -> Result<Restriction> {
    Ok(Restriction {
        account: cells.account()?,
        sender: Some(cells.phone()?).filter(|sender: &Phone| sender.digits() != 0),
        what: cells.parsed()?,
        why: cells.text_if()?.map(Into::into),
        until: cells.moment_if()?,
    })
}

/// Replaces the restriction of the same account, sender and part; or ends all restrictions of the account or the sender.
pub fn write(db: &Connection, restrictions: &[Restriction]) -> Result<()> {
    for restriction in restrictions {
        let sender = restriction.sender.map_or(0, digits);
        match &restriction.why {
            Some(why) => db
                .prepare_cached(
                    "INSERT INTO restrictions (account, sender, what, why, until) VALUES (?1, ?2, ?3, ?4, ?5) \
                     ON CONFLICT (account, sender, what) DO UPDATE SET why = excluded.why, until = excluded.until",
                )?
                .execute(params![
                    &*restriction.account,
                    sender,
                    restriction.what.as_str(),
                    &**why,
                    micros_if(restriction.until)
                ])?,
            None => db
                .prepare_cached("DELETE FROM restrictions WHERE account = ?1 AND sender = ?2")?
                .execute(params![&*restriction.account, sender])?,
        };
    }
    Ok(())
}
