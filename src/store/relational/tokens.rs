//! API tokens by their hashes, and our own secrets.

use jiff::Timestamp;

use super::ceilings;
use super::order_texts::{read_senders, senders};
use super::rows::{Cells, collect, corrupt, first, micros, micros_if};
use super::sql::{Connection, params};
use crate::domain::TokenLimits;
use crate::store::{Error, Result, Token};

macro_rules! columns {
    () => {
        "hash, name, created_at, tenant, scopes, expires_at, last_used_at, senders, documents, \
         requests_per_second, orders_per_day"
    };
}

/// With the ceilings of its name.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            ", calls_per_day, requests_per_day FROM tokens LEFT JOIN token_ceilings USING (tenant, name) ",
            $rest
        )
    };
}

const INSERT: &str =
    concat!("INSERT INTO tokens (", columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");

pub fn create(db: &Connection, token: &Token) -> Result<()> {
    let documents =
        serde_json::to_string(&token.documents).map_err(|error| Error::Corrupt(error.to_string()))?;
    db.prepare_cached(INSERT)?.write(params![
        token.hash,
        token.name,
        micros(token.created_at),
        token.tenant.as_str(),
        token.scopes.to_string(),
        micros_if(token.expires_at),
        micros_if(token.last_used_at),
        senders(&token.senders),
        documents,
        token.limits.requests_per_second,
        token.limits.orders_per_day,
    ])?;
    ceilings::set(db, token)
}

fn read(cells: &mut Cells<'_>) -> Result<Token> {
    Ok(Token {
        hash: cells.take()?,
        name: cells.take()?,
        created_at: cells.moment()?,
        tenant: cells.parsed()?,
        scopes: cells.parsed()?,
        expires_at: cells.moment_if()?,
        last_used_at: cells.moment_if()?,
        senders: read_senders(cells.text()?)?,
        documents: serde_json::from_str(cells.text()?)
            .map_err(|_| Error::Corrupt("the documents of a token are not an array of names".into()))?,
        limits: TokenLimits {
            requests_per_second: cells.take()?,
            orders_per_day: cells.take()?,
            calls_per_day: cells.take()?,
            requests_per_day: cells.take()?,
        },
    })
}

pub fn all(db: &Connection) -> Result<Vec<Token>> {
    let sql = select!("ORDER BY tenant, name, created_at, hash");
    collect(&mut db.prepare_cached(sql)?, [], read)
}

pub fn revoke(db: &Connection, hash: [u8; 32]) -> Result<bool> {
    db.prepare_cached("DELETE FROM orders_by_minute WHERE token = ?1")?.write([hash])?;
    Ok(db.prepare_cached("DELETE FROM tokens WHERE hash = ?1")?.execute([hash])? == 1)
}

pub fn by_hash(db: &Connection, hash: [u8; 32]) -> Result<Option<Token>> {
    let sql = select!("WHERE hash = ?1");
    first(&mut db.prepare_cached(sql)?, [hash], read)
}

pub fn used(db: &Connection, hash: [u8; 32], at: Timestamp) -> Result<()> {
    db.prepare_cached("UPDATE tokens SET last_used_at = ?2 WHERE hash = ?1")?
        .write(params![hash, micros(at)])?;
    Ok(())
}

pub fn rules_digest(db: &Connection) -> Result<Option<[u8; 32]>> {
    first(&mut db.prepare_cached("SELECT value FROM keys WHERE name = 'rules'")?, [], |cells| cells.take())
}

pub fn keep_rules_digest(db: &Connection, digest: [u8; 32]) -> Result<()> {
    let sql = "INSERT INTO keys (name, value) VALUES ('rules', ?1) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    db.prepare_cached(sql)?.write([digest])?;
    Ok(())
}

pub fn address_key(db: &Connection, fresh: [u8; 32]) -> Result<[u8; 32]> {
    db.prepare_cached("INSERT INTO keys (name, value) VALUES ('address', ?1) ON CONFLICT (name) DO NOTHING")?
        .write([fresh])?;
    let mut statement = db.prepare_cached("SELECT value FROM keys WHERE name = 'address'")?;
    first(&mut statement, [], |cells| cells.take())?.ok_or_else(|| corrupt("a kept key", "nothing"))
}
