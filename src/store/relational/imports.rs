//! The tables of imports. A step stores rows together with the place that the import has reached, so that no row is read
//! twice, whatever is killed.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::callbacks;
use super::rows::{Cells, collect, corrupt, first, limit, micros, micros_if};
use super::sql::{Connection, params};
use super::suppressions::Key;
use crate::domain::{CampaignId, ImportId, Tenant};
use crate::store::{
    Enqueue, Enqueued, ImportFault, ImportFinding, ImportFindings, ImportRecord, ImportRow, ImportState,
    ImportStep, ImportStepped, ImportedRow, MadeImport, NewImport, Reached, Result, StoredFault,
};

/// So many row numbers of a finding are kept.
const ROWS_SHOWN: usize = 20;
/// The tail of a list that needs none any more.
const NOTHING: [u8; 0] = [];

macro_rules! columns {
    () => {
        "id, tenant, name, campaign, owner, settings, size, sha256, created_at, created_by, state, completed_at, \
         received, place, rows, accepted, accepted_before"
    };
}

const ONE: &str =
    concat!("SELECT ", columns!(), ", tail, hash FROM imports WHERE id = ?1 AND state <> 'removed'");
pub const NAMED: &str = concat!(
    "SELECT ",
    columns!(),
    ", tail, hash FROM imports INDEXED BY imports_by_name WHERE tenant = ?1 AND name = ?2 AND state <> 'removed' \
     ORDER BY seq DESC LIMIT 1"
);
/// Without the bytes of what has arrived: a list shows none.
pub const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM imports INDEXED BY imports_of_tenants WHERE tenant = ?1 AND seq < ?2 AND state <> 'removed' \
     AND (campaign = ?4 OR ?4 IS NULL) ORDER BY seq DESC LIMIT ?3"
);
pub const UNFINISHED: &str = "SELECT name FROM imports INDEXED BY imports_of_campaigns \
     WHERE state = 'receiving' AND campaign IS NOT NULL AND campaign = ?1 AND tenant = ?2 LIMIT 1";
const SAVE_FAULT: &str = "INSERT INTO import_faults (import, row, fault, field, code, detail) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";

/// An import with the bytes of what has arrived.
fn read(cells: &mut Cells<'_>) -> Result<ImportRecord> {
    let mut record = listed(cells)?;
    (record.reached.tail, record.reached.hash) = (cells.take()?, cells.take()?);
    Ok(record)
}

/// An import without the bytes of what has arrived.
fn listed(cells: &mut Cells<'_>) -> Result<ImportRecord> {
    let import = NewImport {
        id: cells.id()?,
        tenant: cells.parsed()?,
        name: cells.take()?,
        campaign: cells.id_if()?,
        owner: cells.take()?,
        settings: cells.take()?,
        size: cells.take::<Option<i64>>()?.map(i64::cast_unsigned),
        sha256: cells.take()?,
        at: cells.moment()?,
        by: cells.take()?,
    };
    Ok(ImportRecord {
        import,
        state: cells.parsed()?,
        completed_at: cells.moment_if()?,
        reached: Reached {
            received: cells.version()?,
            tail: Vec::new(),
            place: cells.take()?,
            hash: Vec::new(),
        },
        rows: cells.version()?,
        accepted: cells.version()?,
        accepted_before: cells.version()?,
    })
}

pub fn one(db: &Connection, id: ImportId) -> Result<Option<ImportRecord>> {
    first(&mut db.prepare_cached(ONE)?, [id.bytes()], read)
}

pub fn named(db: &Connection, tenant: &Tenant, name: &str) -> Result<Option<ImportRecord>> {
    first(&mut db.prepare_cached(NAMED)?, [tenant.as_str(), name], read)
}

pub fn list(
    db: &Connection,
    tenant: &Tenant,
    campaign: Option<CampaignId>,
    before: Option<ImportId>,
    most: usize,
) -> Result<Vec<ImportRecord>> {
    let before = match before {
        None => i64::MAX,
        Some(id) => {
            let seek = "SELECT seq FROM imports WHERE id = ?1 AND tenant = ?2";
            let seq = first(&mut db.prepare_cached(seek)?, params![id.bytes(), tenant.as_str()], |cells| {
                cells.take::<i64>()
            })?;
            let Some(seq) = seq else { return Ok(Vec::new()) };
            seq
        }
    };
    collect(
        &mut db.prepare_cached(LIST)?,
        params![tenant.as_str(), before, limit(most), campaign.as_ref().map(CampaignId::bytes)],
        listed,
    )
}

pub fn make(db: &Connection, new: &NewImport) -> Result<MadeImport> {
    if let Some(known) = named(db, &new.tenant, &new.name)?.filter(|it| it.state == ImportState::Receiving) {
        return Ok(MadeImport::Unfinished(known.import.id));
    }
    let count = "SELECT count(*) FROM imports INDEXED BY imports_by_name WHERE tenant = ?1";
    let count: u32 = db.prepare_cached(count)?.query_row([new.tenant.as_str()], |row| row.get(0))?;
    if count >= NewImport::MAX {
        return Ok(MadeImport::TooMany);
    }
    db.prepare_cached(
        "INSERT INTO imports (id, tenant, name, state, campaign, owner, settings, size, sha256, created_at, created_by) \
         VALUES (?1, ?2, ?3, 'receiving', ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .write(params![
        new.id.bytes(),
        new.tenant.as_str(),
        new.name,
        new.campaign.as_ref().map(CampaignId::bytes),
        new.owner,
        new.settings,
        new.size.map(u64::cast_signed),
        new.sha256,
        micros(new.at),
        new.by
    ])?;
    Ok(MadeImport::New)
}

/// What rows of a step add to the counts.
#[derive(Default)]
struct Added {
    rows: u64,
    accepted: u64,
    before: u64,
    new: u64,
    /// By whether they are refused, subject and code.
    findings: BTreeMap<(bool, String, String), ImportFinding>,
}

impl Added {
    fn find(&mut self, refused: bool, subject: &str, code: &str, row: u32) {
        let finding = self.findings.entry((refused, subject.to_owned(), code.to_owned())).or_default();
        finding.count += 1;
        if finding.first_rows.len() < ROWS_SHOWN && finding.first_rows.last() != Some(&row) {
            finding.first_rows.push(row);
        }
    }

    fn accept(&mut self, row: &ImportRow, warnings: &[&'static str]) {
        self.rows += 1;
        self.accepted += 1;
        for code in warnings {
            self.find(false, "warning", code, row.number);
        }
    }
}

pub fn step(db: &Connection, step: &ImportStep, key: &Key) -> Result<ImportStepped> {
    let at = "SELECT seq, received, state FROM imports WHERE id = ?1";
    let found = first(&mut db.prepare_cached(at)?, [step.import.bytes()], |cells| {
        Ok((cells.take::<i64>()?, cells.version()?, cells.text()? == "receiving"))
    })?;
    let Some((seq, _, _)) = found.filter(|(_, received, receives)| *receives && *received == step.from)
    else {
        return Ok(ImportStepped::Moved);
    };
    let doubles = doubles(db, seq, &step.rows)?;
    let orders = step.rows.iter().zip(&doubles).filter_map(|(row, double)| match &row.became {
        ImportedRow::Order(order, _) if double.is_none() => Some(&**order),
        _ => None,
    });
    let mut answers = callbacks::enqueue(db, orders.collect::<Vec<&Enqueue>>(), key)?.into_iter();
    let mut added = Added::default();
    for (row, double) in step.rows.iter().zip(doubles) {
        if let Some(fault) = double {
            refuse(db, seq, &mut added, row.number, "list", &[fault])?;
            continue;
        }
        match &row.became {
            ImportedRow::Refused { subject, faults } => {
                refuse(db, seq, &mut added, row.number, subject, faults)?;
            }
            ImportedRow::Order(_, warnings) => {
                let answer = answers.next().ok_or_else(|| corrupt("an answer to a row", "nothing"))?;
                answered(db, seq, &mut added, row, warnings, answer)?;
            }
        }
    }
    add_findings(db, seq, &added)?;
    let Reached { received, tail, place, hash } = &step.reached;
    db.prepare_cached(
        "UPDATE imports SET received = ?2, tail = ?3, place = ?4, hash = ?5, rows = rows + ?6, \
         accepted = accepted + ?7, accepted_before = accepted_before + ?8 WHERE seq = ?1",
    )?
    .write(params![
        seq,
        received.cast_signed(),
        tail,
        place,
        hash,
        added.rows.cast_signed(),
        added.accepted.cast_signed(),
        added.before.cast_signed()
    ])?;
    Ok(ImportStepped::Done { new: added.new })
}

/// For each row the fault that an earlier row calls the same person. The first row of a person is remembered.
fn doubles(db: &Connection, seq: i64, rows: &[ImportRow]) -> Result<Vec<Option<ImportFault>>> {
    let sql = "INSERT INTO import_people (import, person, row) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    let mut remember = db.prepare_cached(sql)?;
    let mut seek = db.prepare_cached("SELECT row FROM import_people WHERE import = ?1 AND person = ?2")?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let is_first = match &row.person {
            Some(person) => remember.execute(params![seq, person, row.number])? == 1,
            None => true,
        };
        found.push(match &row.person {
            Some(person) if !is_first => {
                let earlier: u32 = seek.query_row(params![seq, person], |row| row.get(0))?;
                Some(fault("consumer", "row.double", format!("calls the same person as row {earlier}")))
            }
            _ => None,
        });
    }
    Ok(found)
}

fn fault(field: &str, code: &str, detail: String) -> ImportFault {
    ImportFault { field: field.to_owned(), code: code.to_owned(), detail }
}

/// Counts a row by the store's answer to its order.
fn answered(
    db: &Connection,
    seq: i64,
    added: &mut Added,
    row: &ImportRow,
    warnings: &[&'static str],
    answer: Enqueued,
) -> Result<()> {
    let refusal = match answer {
        Enqueued::New(_) => {
            added.new += 1;
            added.accept(row, warnings);
            return Ok(());
        }
        Enqueued::Repeated(_) => {
            added.before += 1;
            added.accept(row, warnings);
            return Ok(());
        }
        Enqueued::KeyReused => {
            let detail = "an import of this name has accepted another order with this reference, or of this person; \
                          change or cancel that callback instead";
            fault("", "import.row_changed", detail.to_owned())
        }
        Enqueued::OverCeiling { lifts_at } => {
            let detail =
                format!("the token has used its orders of 24 hours; the next one is possible at {lifts_at}");
            fault("", "token.orders_per_day", detail)
        }
        Enqueued::Suppressed { list, scope } => {
            added.find(false, "suppressed", &list.to_string(), row.number);
            let detail = format!("is on the suppression list {:?} ({})", list.to_string(), scope.as_str());
            fault("consumer", "consumer.suppressed", detail)
        }
        Enqueued::WrongNumber => {
            let detail = "a wrap-up said that this number is not that of the person with this reference";
            fault("consumer", "consumer.wrong_number", detail.to_owned())
        }
        Enqueued::OtherGroup(other) => fault(other.field(), other.code(), other.to_string()),
        Enqueued::CampaignClosed => {
            let detail = "takes no orders: only a draft or a running campaign does";
            fault("campaign", "campaign.closed", detail.to_owned())
        }
    };
    refuse(db, seq, added, row.number, "order", &[refusal])
}

fn refuse(
    db: &Connection,
    seq: i64,
    added: &mut Added,
    row: u32,
    subject: &str,
    faults: &[ImportFault],
) -> Result<()> {
    added.rows += 1;
    let mut save = db.prepare_cached(SAVE_FAULT)?;
    let mut seen: Vec<&str> = Vec::new();
    for (number, ImportFault { field, code, detail }) in faults.iter().enumerate() {
        save.write(params![seq, row, limit(number), field, code, detail])?;
        if !seen.contains(&code.as_str()) {
            seen.push(code);
            added.find(true, subject, code, row);
        }
    }
    Ok(())
}

fn add_findings(db: &Connection, seq: i64, added: &Added) -> Result<()> {
    let seek = "SELECT first_rows FROM import_findings WHERE import = ?1 AND refused = ?2 AND subject = ?3 AND code = ?4";
    for ((refused, subject, code), finding) in &added.findings {
        let known = params![seq, refused, subject, code];
        let before = first(&mut db.prepare_cached(seek)?, known, |cells| numbers(cells.text()?))?;
        let mut rows = before.unwrap_or_default();
        let room = ROWS_SHOWN.saturating_sub(rows.len());
        rows.extend(finding.first_rows.iter().take(room));
        let rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
        db.prepare_cached(
            "INSERT INTO import_findings (import, refused, subject, code, count, first_rows) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (import, refused, subject, code) DO UPDATE \
             SET count = import_findings.count + excluded.count, first_rows = excluded.first_rows",
        )?
        .write(params![seq, refused, subject, code, finding.count.cast_signed(), rows.join(" ")])?;
    }
    Ok(())
}

fn numbers(text: &str) -> Result<Vec<u32>> {
    text.split_ascii_whitespace().map(super::rows::parse).collect()
}

pub fn complete(db: &Connection, id: ImportId, received: u64, at: Timestamp) -> Result<bool> {
    let changed = db
        .prepare_cached(
            "UPDATE imports SET state = 'complete', completed_at = ?3, tail = ?4 \
             WHERE id = ?1 AND state = 'receiving' AND received = ?2",
        )?
        .execute(params![id.bytes(), received.cast_signed(), micros_if(Some(at)), NOTHING])?;
    Ok(changed == 1)
}

pub fn findings(db: &Connection, id: ImportId) -> Result<ImportFindings> {
    let sql = "SELECT f.refused, f.subject, f.code, f.count, f.first_rows FROM imports AS i \
         CROSS JOIN import_findings AS f ON f.import = i.seq WHERE i.id = ?1";
    let rows = collect(&mut db.prepare_cached(sql)?, [id.bytes()], |cells| {
        let (refused, key) = (cells.take::<bool>()?, (cells.take()?, cells.take()?));
        Ok((refused, key, ImportFinding { count: cells.version()?, first_rows: numbers(cells.text()?)? }))
    })?;
    let mut findings = ImportFindings::default();
    for (refused, key, finding) in rows {
        let of = if refused { &mut findings.refused } else { &mut findings.found };
        of.insert(key, finding);
    }
    Ok(findings)
}

pub fn faults(
    db: &Connection,
    id: ImportId,
    (row, number): (u32, u32),
    most: usize,
) -> Result<Vec<StoredFault>> {
    let sql = "SELECT f.row, f.fault, f.field, f.code, f.detail FROM imports AS i \
         CROSS JOIN import_faults AS f ON f.import = i.seq \
         WHERE i.id = ?1 AND (f.row, f.fault) > (?2, ?3) ORDER BY f.row, f.fault LIMIT ?4";
    collect(&mut db.prepare_cached(sql)?, params![id.bytes(), row, number, limit(most)], |cells| {
        Ok(StoredFault {
            row: cells.take()?,
            number: cells.take()?,
            fault: ImportFault { field: cells.take()?, code: cells.take()?, detail: cells.take()? },
        })
    })
}

pub fn unfinished(db: &Connection, tenant: &Tenant, campaign: CampaignId) -> Result<Option<String>> {
    let theirs = params![campaign.bytes(), tenant.as_str()];
    first(&mut db.prepare_cached(UNFINISHED)?, theirs, |cells| cells.take())
}

pub fn remove(db: &Connection, id: ImportId, most: usize) -> Result<bool> {
    let seq = "SELECT seq FROM imports WHERE id = ?1";
    let found: Option<i64> = first(&mut db.prepare_cached(seq)?, [id.bytes()], |cells| cells.take())?;
    let Some(seq) = found else { return Ok(true) };
    db.prepare_cached(
        "UPDATE imports SET state = 'removed', tail = ?2 WHERE seq = ?1 AND state <> 'removed'",
    )?
    .write(params![seq, NOTHING])?;
    if !forget(db, seq, most)? {
        return Ok(false);
    }
    let sql = "DELETE FROM import_faults WHERE import = ?1 AND (row, fault) IN \
         (SELECT row, fault FROM import_faults WHERE import = ?1 LIMIT ?2)";
    if db.prepare_cached(sql)?.execute(params![seq, limit(most)])? == most {
        return Ok(false);
    }
    db.prepare_cached("DELETE FROM import_findings WHERE import = ?1")?.write([seq])?;
    db.prepare_cached("DELETE FROM imports WHERE seq = ?1")?.write([seq])?;
    Ok(true)
}

pub fn forget_people(db: &Connection, id: ImportId, most: usize) -> Result<bool> {
    let seq = "SELECT seq FROM imports WHERE id = ?1 AND state = 'complete'";
    let found: Option<i64> = first(&mut db.prepare_cached(seq)?, [id.bytes()], |cells| cells.take())?;
    found.map_or(Ok(true), |seq| forget(db, seq, most))
}

fn forget(db: &Connection, seq: i64, most: usize) -> Result<bool> {
    let sql = "DELETE FROM import_people WHERE import = ?1 AND person IN \
         (SELECT person FROM import_people WHERE import = ?1 LIMIT ?2)";
    Ok(db.prepare_cached(sql)?.execute(params![seq, limit(most)])? < most)
}
