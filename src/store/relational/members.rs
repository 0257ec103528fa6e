//! The people who sign in, and their sessions.

use super::sql::{Connection, params};
use async_trait::async_trait;
use jiff::Timestamp;

use super::rows::{Cells, collect, first, limit, micros};
use super::{SqlStore, audits};
use crate::domain::Role;
use crate::store::{
    AuditEntry, Member, MemberChange, MemberChanged, Members, OidcSubject, PasswordHash, Result, Session,
};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT name, role, tenant, bounds, password, issuer, subject, created_at FROM members ",
            $rest
        )
    };
}

pub fn add(db: &Connection, member: &Member, entry: &AuditEntry) -> Result<bool> {
    let subject = member.subject.as_ref();
    let new = db
        .prepare_cached(
            "INSERT INTO members (name, role, tenant, bounds, password, issuer, subject, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            member.name,
            member.role.as_str(),
            member.tenant.as_str(),
            member.bounds.to_string(),
            member.password.as_ref().map(|hash| &hash.0),
            subject.map(|known| &known.issuer),
            subject.map(|known| &known.subject),
            micros(member.created_at),
        ])?;
    if new == 1 {
        audits::append(db, entry)?;
    }
    Ok(new == 1)
}

fn read(cells: &mut Cells<'_>) -> Result<Member> {
    let (name, role, tenant, bounds) = (cells.take()?, cells.parsed()?, cells.parsed()?, cells.parsed()?);
    let password = cells.take::<Option<String>>()?.map(PasswordHash);
    let (issuer, subject): (Option<String>, Option<String>) = (cells.take()?, cells.take()?);
    let subject = issuer.zip(subject).map(|(issuer, subject)| OidcSubject { issuer, subject });
    Ok(Member { name, role, tenant, bounds, password, subject, created_at: cells.moment()? })
}

pub fn all(db: &Connection) -> Result<Vec<Member>> {
    collect(&mut db.prepare_cached(select!("ORDER BY name"))?, [], read)
}

pub fn one(db: &Connection, name: &str) -> Result<Option<Member>> {
    first(&mut db.prepare_cached(select!("WHERE name = ?1"))?, [name], read)
}

pub fn of_subject(db: &Connection, subject: &OidcSubject) -> Result<Option<Member>> {
    let sql = select!("WHERE issuer = ?1 AND subject = ?2");
    first(&mut db.prepare_cached(sql)?, params![subject.issuer, subject.subject], read)
}

pub fn change(
    db: &Connection,
    name: &str,
    change: &MemberChange,
    entry: &AuditEntry,
) -> Result<MemberChanged> {
    let Some(before) = one(db, name)? else { return Ok(MemberChanged::Unknown) };
    let member = change.clone().of(before.clone());
    if is_full_admin(&before) && !is_full_admin(&member) && full_admins(db)? < 2 {
        return Ok(MemberChanged::LastAdmin);
    }
    db.prepare_cached(
        "UPDATE members SET role = ?2, tenant = ?3, bounds = ?4, password = ?5 WHERE name = ?1",
    )?
    .execute(params![
        name,
        member.role.as_str(),
        member.tenant.as_str(),
        member.bounds.to_string(),
        member.password.as_ref().map(|hash| &hash.0),
    ])?;
    if member != before {
        db.prepare_cached("DELETE FROM sessions WHERE name = ?1")?.execute([name])?;
    }
    audits::append(db, entry)?;
    Ok(MemberChanged::Changed)
}

pub fn remove(db: &Connection, name: &str, entry: &AuditEntry) -> Result<MemberChanged> {
    let Some(member) = one(db, name)? else { return Ok(MemberChanged::Unknown) };
    if is_full_admin(&member) && full_admins(db)? < 2 {
        return Ok(MemberChanged::LastAdmin);
    }
    db.prepare_cached("DELETE FROM sessions WHERE name = ?1")?.execute([name])?;
    db.prepare_cached("DELETE FROM members WHERE name = ?1")?.execute([name])?;
    audits::append(db, entry)?;
    Ok(MemberChanged::Changed)
}

/// Whether the person manages everybody.
fn is_full_admin(member: &Member) -> bool {
    member.role == Role::Admin && member.tenant == Default::default() && member.bounds.is_all()
}

fn full_admins(db: &Connection) -> Result<usize> {
    Ok(all(db)?.iter().filter(|member| is_full_admin(member)).count())
}

pub fn begin_session(
    db: &Connection,
    session: &Session,
    instead: Option<[u8; 32]>,
    entry: &AuditEntry,
) -> Result<bool> {
    if one(db, &session.name)?.is_none() {
        return Ok(false);
    }
    db.prepare_cached("DELETE FROM sessions WHERE ends_at <= ?1")?.execute([micros(session.created_at)])?;
    if let Some(instead) = instead {
        db.prepare_cached("DELETE FROM sessions WHERE hash = ?1")?.execute([instead])?;
    }
    let kept = limit(Session::MAX.saturating_sub(1));
    let sql = "DELETE FROM sessions WHERE name = ?1 AND hash NOT IN \
         (SELECT hash FROM sessions WHERE name = ?1 ORDER BY created_at DESC LIMIT ?2)";
    db.prepare_cached(sql)?.execute(params![session.name, kept])?;
    db.prepare_cached(
        "INSERT INTO sessions (hash, name, way, created_at, last_used_at, ends_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        session.hash,
        session.name,
        session.way.as_str(),
        micros(session.created_at),
        micros(session.last_used_at),
        micros(session.ends_at),
    ])?;
    audits::append(db, entry)?;
    Ok(true)
}

pub fn session(db: &Connection, hash: [u8; 32]) -> Result<Option<(Session, Member)>> {
    let sql = "SELECT hash, name, way, created_at, last_used_at, ends_at FROM sessions WHERE hash = ?1";
    let found = first(&mut db.prepare_cached(sql)?, [hash], |cells| {
        Ok(Session {
            hash: cells.take()?,
            name: cells.take()?,
            way: cells.parsed()?,
            created_at: cells.moment()?,
            last_used_at: cells.moment()?,
            ends_at: cells.moment()?,
        })
    })?;
    let Some(found) = found else { return Ok(None) };
    Ok(one(db, &found.name)?.map(|member| (found, member)))
}

pub fn session_used(db: &Connection, hash: [u8; 32], at: Timestamp) -> Result<()> {
    db.prepare_cached("UPDATE sessions SET last_used_at = ?2 WHERE hash = ?1")?
        .execute(params![hash, micros(at)])?;
    Ok(())
}

pub fn end_session(db: &Connection, hash: [u8; 32], entry: &AuditEntry) -> Result<bool> {
    let ended = db.prepare_cached("DELETE FROM sessions WHERE hash = ?1")?.execute([hash])? == 1;
    if ended {
        audits::append(db, entry)?;
    }
    Ok(ended)
}

#[async_trait]
impl Members for SqlStore {
    async fn add_member(&self, member: Member, entry: AuditEntry) -> Result<bool> {
        self.write(move |db| add(db, &member, &entry)).await
    }

    async fn members(&self) -> Result<Vec<Member>> {
        self.read(all).await
    }

    async fn member(&self, name: &str) -> Result<Option<Member>> {
        let name = name.to_owned();
        self.read(move |db| one(db, &name)).await
    }

    async fn member_of_subject(&self, subject: &OidcSubject) -> Result<Option<Member>> {
        let subject = subject.clone();
        self.read(move |db| of_subject(db, &subject)).await
    }

    async fn change_member(&self, name: &str, new: MemberChange, entry: AuditEntry) -> Result<MemberChanged> {
        let name = name.to_owned();
        self.write(move |db| change(db, &name, &new, &entry)).await
    }

    async fn remove_member(&self, name: &str, entry: AuditEntry) -> Result<MemberChanged> {
        let name = name.to_owned();
        self.write(move |db| remove(db, &name, &entry)).await
    }

    async fn begin_session(
        &self,
        session: Session,
        instead: Option<[u8; 32]>,
        entry: AuditEntry,
    ) -> Result<bool> {
        self.write(move |db| begin_session(db, &session, instead, &entry)).await
    }

    async fn session(&self, hash: [u8; 32]) -> Result<Option<(Session, Member)>> {
        self.read(move |db| session(db, hash)).await
    }

    async fn session_used(&self, hash: [u8; 32], at: Timestamp) -> Result<()> {
        self.write(move |db| session_used(db, hash, at)).await
    }

    async fn end_session(&self, hash: [u8; 32], entry: AuditEntry) -> Result<bool> {
        self.write(move |db| end_session(db, hash, &entry)).await
    }
}
