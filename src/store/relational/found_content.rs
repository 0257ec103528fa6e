//! The content that senders name, as it was last found at the platform.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::rows::{Cells, collect, corrupt, digits, micros};
use super::sql::{Connection, params};
use crate::domain::{AccountAlias, ContentRef, Phone};
use crate::store::Result;

/// One content of a sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundContent {
    pub account: AccountAlias,
    pub sender: Phone,
    /// The key that names it.
    pub role: String,
    /// Its declared name.
    pub name: String,
    pub content: ContentRef,
    /// The names of its variables.
    pub variables: BTreeSet<String>,
    pub found_at: Timestamp,
}

/// Keeps what was found for an account, in place of what was found before.
pub fn keep(db: &Connection, account: &AccountAlias, found: &[FoundContent]) -> Result<()> {
    db.prepare_cached("DELETE FROM found_content WHERE account = ?1")?.write([&**account])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO found_content (account, sender, role, name, sid, variables, found_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for one in found {
        let variables = serde_json::to_string(&one.variables).expect("a set of strings is JSON");
        insert.write(params![
            &**account,
            digits(one.sender),
            one.role,
            one.name,
            one.content.as_str(),
            variables,
            micros(one.found_at),
        ])?;
    }
    Ok(())
}

pub fn all(db: &Connection) -> Result<Vec<FoundContent>> {
    let sql = "SELECT account, sender, role, name, sid, variables, found_at FROM found_content \
               ORDER BY account, sender, role";
    collect(&mut db.prepare_cached(sql)?, [], found)
}

fn found(cells: &mut Cells<'_>) -> Result<FoundContent> {
    Ok(FoundContent {
        account: cells.account()?,
        sender: cells.phone()?,
        role: cells.text()?.to_owned(),
        name: cells.text()?.to_owned(),
        content: cells.parsed()?,
        variables: {
            let text = cells.text()?;
            serde_json::from_str(text).map_err(|_| corrupt("the variables of content", text))?
        },
        found_at: cells.moment()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::relational::SqlStore;

    #[tokio::test]
    async fn what_was_found_last_for_an_account_replaces_what_was_found_before() {
        let store = SqlStore::in_memory().unwrap();
        let one = |account: &str, sid: &str| FoundContent {
            account: account.into(),
            sender: Phone::parse("+551151991234").unwrap(),
            role: "invite_content".to_owned(),
            name: "invite".to_owned(),
            content: sid.parse().unwrap(),
            variables: ["1".to_owned()].into(),
            found_at: Timestamp::constant(1_790_000_000, 0),
        };
        let (main, other) = (one("main", "HX1"), one("other", "HX2"));
        for found in [&main, &other] {
            store.keep_found_content(&found.account, vec![found.clone()]).await.unwrap();
        }
        assert_eq!(store.found_content().await.unwrap(), [main.clone(), other.clone()]);
        let newer = one("main", "HX3");
        store.keep_found_content(&main.account, vec![newer.clone()]).await.unwrap();
        assert_eq!(store.found_content().await.unwrap(), [newer, other]);
    }
}
