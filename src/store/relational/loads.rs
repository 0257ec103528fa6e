//! The load that the leader published: one row, as JSON. Every writer writes all of it, and every reader wants all of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::rows::{corrupt, first, micros, micros_if, moment, span};
use super::sql::{Connection, params};
use crate::domain::held::Aside;
use crate::domain::{
    AccountAlias, AccountView, AttemptId, Calendars, CallbackId, CampaignId, ClockDoubt, Held, InUse, Loads,
    PersonId, Phone, PoolKey, Resource, Rest, Seat, SenderPart,
};
use crate::store::{Error, Lead, Result};

pub const WRITE: &str = "INSERT INTO loads (one, term, as_of, load) VALUES (1, coalesce(?1, 0), ?2, ?3) \
     ON CONFLICT (one) DO UPDATE SET term = coalesce(?1, loads.term), as_of = excluded.as_of, load = excluded.load \
     WHERE ?1 IS NULL OR ?1 >= loads.term";

/// Replaces what was published, unless a newer leader published it.
pub fn write(db: &Connection, lead: Option<Lead>, loads: &Loads) -> Result<()> {
    let as_of = loads.as_of.unwrap_or(Timestamp::UNIX_EPOCH);
    let text = serde_json::to_string(&Kept::of(loads)).map_err(|error| Error::Corrupt(error.to_string()))?;
    let term = lead.map(|lead| lead.term.cast_signed());
    db.prepare_cached(WRITE)?.write(params![term, micros(as_of), text])?;
    Ok(())
}

/// What was published last; nothing is in use before.
pub fn read(db: &Connection) -> Result<Loads> {
    let sql = "SELECT as_of, load FROM loads WHERE one = 1";
    let stored = first(&mut db.prepare_cached(sql)?, [], |cells| {
        let as_of = cells.moment()?;
        let kept: Kept = serde_json::from_str(cells.text()?).map_err(|_| corrupt("a load", "a text"))?;
        Ok(Loads { as_of: Some(as_of), ..kept.loads()? })
    })?;
    Ok(stored.unwrap_or_default())
}

/// Moments and spans are microseconds, phone numbers their digits.
#[derive(Serialize, Deserialize)]
struct Kept {
    in_use: BTreeMap<String, u32>,
    accounts: BTreeMap<String, KeptAccount>,
    paused_senders: BTreeMap<u64, KeptRest>,
    /// An older program published none.
    #[serde(default)]
    paused_parts: Vec<KeptPart>,
    /// The next call of campaigns that have a pace.
    #[serde(default)]
    campaign_paces: BTreeMap<String, i64>,
    /// The seats of pools that calls hold.
    #[serde(default)]
    seats: Vec<KeptSeat>,
    /// The offers to agents: the callback, what its call would take, and the end.
    #[serde(default)]
    offers: Vec<(String, String, i64)>,
    held: KeptHeld,
}

#[derive(Serialize, Deserialize)]
struct KeptSeat {
    pool: String,
    attempt: String,
    taken_at: i64,
    busy_since: Option<i64>,
    until: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct KeptAccount {
    paused: Option<KeptRest>,
    /// `None` at once.
    next_call_at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct KeptRest {
    until: i64,
    why: String,
}

#[derive(Serialize, Deserialize)]
struct KeptPart {
    sender: u64,
    part: String,
    rest: KeptRest,
}

#[derive(Serialize, Deserialize)]
struct KeptHeld {
    people: Vec<u64>,
    numbers: Vec<u64>,
    callbacks: Vec<String>,
    count: usize,
    stopped_since: Option<i64>,
    clock_in_doubt_since: Option<i64>,
    clock_jumped_by: Option<i64>,
    // An older program wrote none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lineage_since: Option<i64>,
}

impl Kept {
    fn of(loads: &Loads) -> Self {
        // Pauses of operators, campaigns and pools are stored by themselves.
        let Loads {
            in_use,
            accounts,
            paused_senders,
            paused_parts,
            held,
            pauses: _,
            calendars: _,
            campaigns: _,
            campaign_paces,
            pools: _,
            seats,
            offers,
            list_terms: _,
            as_of: _,
        } = loads;
        let account = |account: &AccountView| KeptAccount {
            paused: account.paused.as_ref().map(KeptRest::of),
            next_call_at: Some(account.next_call_at).filter(|at| *at > Timestamp::MIN).map(micros),
        };
        let senders = paused_senders.iter();
        let offer = |(id, resource, until): (CallbackId, &Resource, Timestamp)| {
            (id.to_string(), resource.to_string(), micros(until))
        };
        Self {
            in_use: in_use.iter().map(|(resource, live)| (resource.to_string(), live)).collect(),
            accounts: accounts.iter().map(|(alias, it)| (alias.to_string(), account(it))).collect(),
            paused_senders: senders.map(|(number, it)| (number.digits(), KeptRest::of(it))).collect(),
            paused_parts: paused_parts.iter().map(KeptPart::of).collect(),
            campaign_paces: campaign_paces.iter().map(|(id, next)| (id.to_string(), micros(next))).collect(),
            seats: seats.iter().map(KeptSeat::of).collect(),
            offers: offers.iter().map(offer).collect(),
            held: KeptHeld::of(held),
        }
    }

    fn loads(self) -> Result<Loads> {
        let in_use: Result<InUse> = self
            .in_use
            .into_iter()
            .map(|(name, live)| {
                Ok((name.parse::<Resource>().map_err(|_| corrupt("a resource", "a text"))?, live))
            })
            .collect();
        let account = |(alias, kept): (String, KeptAccount)| {
            let paused = kept.paused.map(KeptRest::rest).transpose()?;
            let next_call_at = kept.next_call_at.map_or(Ok(Timestamp::MIN), moment)?;
            Ok((AccountAlias::from(alias), AccountView { paused, next_call_at }))
        };
        let pace = |(id, next): (String, i64)| {
            Ok((id.parse::<CampaignId>().map_err(|_| corrupt("the id of a campaign", &id))?, moment(next)?))
        };
        let offer = |(id, resource, until): (String, String, i64)| {
            let resource = resource.parse::<Resource>().map_err(|_| corrupt("a resource", "a text"))?;
            Ok((callback(&id)?, resource, moment(until)?))
        };
        let sender = |(digits, kept): (u64, KeptRest)| Ok((Phone::from_stored(digits), kept.rest()?));
        Ok(Loads {
            in_use: in_use?,
            accounts: self.accounts.into_iter().map(account).collect::<Result<_>>()?,
            paused_senders: self.paused_senders.into_iter().map(sender).collect::<Result<_>>()?,
            paused_parts: self.paused_parts.into_iter().map(KeptPart::part).collect::<Result<_>>()?,
            held: self.held.held()?,
            pauses: Arc::default(),
            calendars: Calendars::default(),
            campaigns: Arc::default(),
            campaign_paces: self.campaign_paces.into_iter().map(pace).collect::<Result<_>>()?,
            pools: Arc::default(),
            list_terms: Arc::default(),
            seats: self.seats.into_iter().map(KeptSeat::seat).collect::<Result<_>>()?,
            offers: self.offers.into_iter().map(offer).collect::<Result<_>>()?,
            as_of: None,
        })
    }
}

impl KeptRest {
    fn of((until, why): &Rest) -> Self {
        Self { until: micros(*until), why: why.to_string() }
    }

    fn rest(self) -> Result<Rest> {
        Ok((moment(self.until)?, self.why.into()))
    }
}

impl KeptSeat {
    fn of((pool, attempt, seat): (&PoolKey, AttemptId, Seat)) -> Self {
        Self {
            pool: pool.to_string(),
            attempt: attempt.to_string(),
            taken_at: micros(seat.taken_at),
            busy_since: micros_if(seat.busy_since),
            until: micros_if(seat.until),
        }
    }

    fn seat(self) -> Result<(PoolKey, AttemptId, Seat)> {
        let pool = self.pool.parse().map_err(|_| corrupt("a pool", &self.pool))?;
        let attempt = self.attempt.parse().map_err(|_| corrupt("the id of an attempt", &self.attempt))?;
        let moment_if = |at: Option<i64>| at.map(moment).transpose();
        let (busy_since, until) = (moment_if(self.busy_since)?, moment_if(self.until)?);
        Ok((pool, attempt, Seat { taken_at: moment(self.taken_at)?, busy_since, until }))
    }
}

impl KeptPart {
    fn of(((sender, part), rest): (&(Phone, SenderPart), &Rest)) -> Self {
        Self { sender: sender.digits(), part: part.as_str().to_owned(), rest: KeptRest::of(rest) }
    }

    fn part(self) -> Result<((Phone, SenderPart), Rest)> {
        let part = self.part.parse().map_err(|_| corrupt("a part of a sender", &self.part))?;
        Ok(((Phone::from_stored(self.sender), part), self.rest.rest()?))
    }
}

impl KeptHeld {
    fn of(held: &Held) -> Self {
        // A leader that is deposed publishes nothing more; each daemon finds out for itself.
        let Held { aside, stopped_since, clock_in_doubt, lineage_since, deposed_since: _ } = held;
        Self {
            people: aside.people.iter().map(|id| id.number().digits()).collect(),
            numbers: aside.numbers.iter().map(|number| number.digits()).collect(),
            callbacks: aside.callbacks.iter().map(ToString::to_string).collect(),
            count: aside.count,
            stopped_since: micros_if(*stopped_since),
            clock_in_doubt_since: clock_in_doubt.map(|doubt| micros(doubt.since)),
            clock_jumped_by: clock_in_doubt.map(|doubt| span(doubt.by)),
            lineage_since: micros_if(*lineage_since),
        }
    }

    fn held(self) -> Result<Held> {
        let since = self.clock_in_doubt_since.map(moment).transpose()?;
        let by = self.clock_jumped_by.map(SignedDuration::from_micros);
        let aside = Aside {
            people: self
                .people
                .into_iter()
                .map(|digits| PersonId::from_stored(Phone::from_stored(digits)))
                .collect(),
            numbers: self.numbers.into_iter().map(Phone::from_stored).collect(),
            callbacks: self.callbacks.iter().map(|id| callback(id)).collect::<Result<_>>()?,
            count: self.count,
        };
        Ok(Held {
            aside: Arc::new(aside),
            stopped_since: self.stopped_since.map(moment).transpose()?,
            deposed_since: None,
            clock_in_doubt: since.zip(by).map(|(since, by)| ClockDoubt { since, by }),
            lineage_since: self.lineage_since.map(moment).transpose()?,
        })
    }
}

fn callback(id: &str) -> Result<CallbackId> {
    id.parse().map_err(|_| corrupt("the id of a callback", id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::relational::file;

    #[test]
    fn a_row_of_a_newer_term_stays() {
        let db = file::open_memory().unwrap();
        let lead = |term| Some(Lead { term, number: 1 });
        let at = |second| Loads { as_of: Timestamp::from_second(second).ok(), ..Loads::default() };
        for (term, second, kept) in [(2, 10, 10), (1, 20, 10), (2, 5, 5), (3, 30, 30)] {
            write(&db, lead(term), &at(second)).unwrap();
            assert_eq!(read(&db).unwrap(), at(kept), "of term {term}");
        }
        // What nobody leads is written, and the term stays.
        write(&db, None, &at(40)).unwrap();
        write(&db, lead(2), &at(50)).unwrap();
        assert_eq!(read(&db).unwrap(), at(40));
    }
}
