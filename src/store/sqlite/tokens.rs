//! API tokens by their hashes, and the secrets of our own.

use rusqlite::{Connection, params};

use super::rows::{collect, corrupt, first, micros};
use crate::store::{Result, Token};

pub fn create(db: &Connection, token: &Token) -> Result<()> {
    db.prepare_cached("INSERT INTO tokens (hash, name, created_at) VALUES (?1, ?2, ?3)")?
        .execute(params![token.hash, token.name, micros(token.created_at)])?;
    Ok(())
}

pub fn all(db: &Connection) -> Result<Vec<Token>> {
    let sql = "SELECT name, hash, created_at FROM tokens ORDER BY name, created_at, hash";
    collect(&mut db.prepare_cached(sql)?, [], |cells| {
        Ok(Token { name: cells.take()?, hash: cells.take()?, created_at: cells.moment()? })
    })
}

pub fn revoke(db: &Connection, hash: [u8; 32]) -> Result<bool> {
    Ok(db.prepare_cached("DELETE FROM tokens WHERE hash = ?1")?.execute([hash])? == 1)
}

pub fn by_hash(db: &Connection, hash: [u8; 32]) -> Result<Option<Token>> {
    let mut statement = db.prepare_cached("SELECT name, created_at FROM tokens WHERE hash = ?1")?;
    first(&mut statement, [hash], |cells| {
        Ok(Token { name: cells.take()?, hash, created_at: cells.moment()? })
    })
}

pub fn address_key(db: &Connection, fresh: [u8; 32]) -> Result<[u8; 32]> {
    db.prepare_cached("INSERT INTO keys (name, value) VALUES ('address', ?1) ON CONFLICT (name) DO NOTHING")?
        .execute([fresh])?;
    let mut statement = db.prepare_cached("SELECT value FROM keys WHERE name = 'address'")?;
    first(&mut statement, [], |cells| cells.take())?.ok_or_else(|| corrupt("a kept key", "nothing"))
}
