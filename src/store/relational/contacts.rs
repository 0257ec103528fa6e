//! Whom the pages of Messenger know, by the page's account and its id of the person.

use super::rows::{Cells, corrupt, digits, first, micros_if};
use super::sql::{Connection, params};
use crate::domain::{Contact, ContactKey, Numbers, Phone};
use crate::store::{Error, Result};

pub const BY_KEY: &str = "SELECT account, psid, version, sender, consumer, others, wrote_at, stopped_at \
     FROM messenger_contacts WHERE account = ?1 AND psid = ?2";

/// Those of the keys that are stored.
pub fn known<'a>(db: &Connection, keys: impl IntoIterator<Item = &'a ContactKey>) -> Result<Vec<Contact>> {
    let mut statement = db.prepare_cached(BY_KEY)?;
    let one = |(account, psid): &ContactKey| first(&mut statement, params![&**account, psid.as_str()], read);
    keys.into_iter().map(one).filter_map(Result::transpose).collect()
}

fn read(cells: &mut Cells<'_>) -> Result<Contact> {
    let (account, psid, version) = (cells.account()?, cells.parsed()?, cells.version()?);
    let phone = |digits: Option<i64>| digits.map(|digits| Phone::from_stored(digits.cast_unsigned()));
    let (sender, consumer) = (phone(cells.take()?), phone(cells.take()?));
    let first = sender.zip(consumer).map(|(sender, consumer)| Numbers { sender, consumer });
    let others = others(cells.text_if()?)?;
    Ok(Contact {
        account,
        psid,
        version,
        numbers: first.into_iter().chain(others).collect(),
        wrote_at: cells.moment_if()?,
        stopped_at: cells.moment_if()?,
    })
}

fn others(json: Option<&str>) -> Result<Vec<Numbers>> {
    let Some(json) = json else { return Ok(Vec::new()) };
    let pairs: Vec<(u64, u64)> =
        serde_json::from_str(json).map_err(|_| corrupt("the consumers of a page", "a cell"))?;
    let numbers = |(sender, consumer)| Numbers {
        sender: Phone::from_stored(sender),
        consumer: Phone::from_stored(consumer),
    };
    Ok(pairs.into_iter().map(numbers).collect())
}

/// Conflicts if the stored version of any of them is not the one before.
pub fn write(db: &Connection, contacts: &[Contact]) -> Result<()> {
    for contact in contacts {
        let sql = match contact.version {
            1 => {
                "INSERT INTO messenger_contacts (account, psid, version, sender, consumer, wrote_at, stopped_at, others) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (account, psid) DO NOTHING"
            }
            _ => {
                "UPDATE messenger_contacts SET version = ?3, sender = ?4, consumer = ?5, wrote_at = ?6, \
                 stopped_at = ?7, others = ?8 WHERE account = ?1 AND psid = ?2 AND version = ?3 - 1"
            }
        };
        let (first, others) = match contact.numbers.split_first() {
            Some((first, others)) => (Some(first), others),
            None => (None, &[][..]),
        };
        let others: Vec<(i64, i64)> =
            others.iter().map(|numbers| (digits(numbers.sender), digits(numbers.consumer))).collect();
        let others =
            (!others.is_empty()).then(|| serde_json::to_string(&others).expect("a list of numbers is JSON"));
        let changed = db.prepare_cached(sql)?.execute(params![
            &*contact.account,
            contact.psid.as_str(),
            contact.version.cast_signed(),
            first.map(|numbers| digits(numbers.sender)),
            first.map(|numbers| digits(numbers.consumer)),
            micros_if(contact.wrote_at),
            micros_if(contact.stopped_at),
            others,
        ])?;
        if changed == 0 {
            return Err(Error::Conflict);
        }
    }
    Ok(())
}
