//! The dialling groups of open callbacks, and of what only one group may use: a pool, a campaign or an agent with a ceiling is
//! of the group that used it first.

use std::collections::BTreeMap;

use super::order_texts::read_senders;
use super::rows::{Cells, collect, digits, first};
use super::sql::{Connection, params};
use crate::domain::campaign::campaign_id;
use crate::domain::{CallbackId, CampaignId, GroupName, Phone, Resource};
use crate::store::{OtherGroup, Regrouped, Result};

const OF: &str = "SELECT group_name FROM group_uses WHERE resource = ?1";
const CLAIM: &str =
    "INSERT INTO group_uses (resource, group_name) VALUES (?1, ?2) ON CONFLICT (resource) DO NOTHING";
const FOLLOW: &str = "INSERT INTO group_uses (resource, group_name) SELECT ?1, group_name FROM group_uses WHERE resource = ?2 \
     ON CONFLICT (resource) DO NOTHING";
const SENDERS: &str = "SELECT sender, group_name FROM grouped_senders ORDER BY sender";
const PARTITIONS: &str =
    "SELECT partition_no FROM waiting_by_partition WHERE callbacks > 0 ORDER BY partition_no";
/// A partition has 65,536 callbacks.
pub const WAITING: &str = "SELECT id, senders, group_name, tenant, pool, campaign FROM callbacks NOT INDEXED \
     WHERE seq > ?1 AND seq <= ?2 AND state = 'waiting' ORDER BY seq";
pub const CALLING: &str = "SELECT c.id, c.senders, c.group_name, c.tenant, c.pool, c.campaign \
     FROM attempts AS a INDEXED BY attempts_live CROSS JOIN callbacks AS c ON c.id = a.callback \
     WHERE a.live = 1 AND c.state = 'calling'";
/// A decision that was made with the group before is refused.
const MOVE: &str = "UPDATE callbacks SET group_name = ?2, version = version + 1 WHERE id = ?1";

/// What is known of uses while some orders are stored.
#[derive(Default)]
pub struct Uses(BTreeMap<Resource, GroupName>);

impl Uses {
    /// The first of these that is of another group. Without one, all of them are of this group from now on.
    pub fn refuses(
        &mut self,
        db: &Connection,
        uses: &[Resource],
        group: &GroupName,
    ) -> Result<Option<OtherGroup>> {
        for resource in uses {
            if let Some(own) = self.group_of(db, resource)?
                && own != *group
            {
                return Ok(Some(OtherGroup { of: resource.clone(), group: own }));
            }
        }
        for resource in uses {
            if self.0.contains_key(resource) {
                continue;
            }
            let own = claim(db, resource, group)?;
            self.0.insert(resource.clone(), own.clone());
            if own != *group {
                return Ok(Some(OtherGroup { of: resource.clone(), group: own }));
            }
        }
        Ok(None)
    }

    fn group_of(&mut self, db: &Connection, resource: &Resource) -> Result<Option<GroupName>> {
        if let Some(known) = self.0.get(resource) {
            return Ok(Some(known.clone()));
        }
        let stored = group_of(db, resource)?;
        if let Some(group) = &stored {
            self.0.insert(resource.clone(), group.clone());
        }
        Ok(stored)
    }
}

/// The groups of those that an order has used.
pub fn groups_of(db: &Connection, uses: &[Resource]) -> Result<Vec<(Resource, GroupName)>> {
    let mut found = Vec::new();
    for resource in uses {
        if let Some(group) = group_of(db, resource)? {
            found.push((resource.clone(), group));
        }
    }
    Ok(found)
}

fn group_of(db: &Connection, resource: &Resource) -> Result<Option<GroupName>> {
    first(&mut db.prepare_cached(OF)?, [resource.to_string()], |cells| cells.parsed())
}

/// The group of a resource: this one, unless another process was faster.
fn claim(db: &Connection, resource: &Resource, group: &GroupName) -> Result<GroupName> {
    let claimed = db.prepare_cached(CLAIM)?.execute(params![resource.to_string(), group.as_str()])?;
    if claimed == 1 {
        return Ok(group.clone());
    }
    Ok(group_of(db, resource)?.unwrap_or_else(|| group.clone()))
}

/// A resource is of no group until it is used again.
pub fn release(db: &Connection, resource: &Resource) -> Result<()> {
    db.prepare_cached("DELETE FROM group_uses WHERE resource = ?1")?.execute([resource.to_string()])?;
    Ok(())
}

/// A campaign that takes over the callbacks of another one is of the same group.
pub fn follow(db: &Connection, of: CampaignId, by: CampaignId) -> Result<()> {
    let [of, by] = [of, by].map(|id| Resource::campaign(&id.to_string()).to_string());
    db.prepare_cached(FOLLOW)?.execute(params![by, of])?;
    Ok(())
}

/// Puts the open callbacks into the groups of their senders. If a sender is in another group than before, what open callbacks
/// use is of their groups then, and all other uses are forgotten. While all senders are in `main`, nothing is read.
pub fn regroup(db: &Connection, senders: &BTreeMap<Phone, GroupName>) -> Result<Regrouped> {
    let own: BTreeMap<Phone, GroupName> = senders
        .iter()
        .filter(|(_, group)| !group.is_main())
        .map(|(sender, group)| (*sender, group.clone()))
        .collect();
    let before =
        collect(&mut db.prepare_cached(SENDERS)?, [], |cells| Ok((cells.phone()?, cells.parsed()?)))?;
    if own.is_empty() && before.is_empty() {
        return Ok(Regrouped::default());
    }
    if !own.iter().eq(before.iter().map(|(sender, group)| (sender, group))) {
        db.execute("DELETE FROM grouped_senders", [])?;
        db.execute("DELETE FROM group_uses", [])?;
        for (sender, group) in &own {
            let sql = "INSERT INTO grouped_senders (sender, group_name) VALUES (?1, ?2)";
            db.prepare_cached(sql)?.write(params![digits(*sender), group.as_str()])?;
        }
    }
    let (mut uses, mut regrouped) = (Uses::default(), Regrouped::default());
    for open in collect(&mut db.prepare_cached(CALLING)?, [], read)? {
        regroup_one(db, senders, open, &mut uses, &mut regrouped)?;
    }
    for partition in collect(&mut db.prepare_cached(PARTITIONS)?, [], |cells| cells.take::<i64>())? {
        let range = params![partition << 16, (partition + 1) << 16];
        for open in collect(&mut db.prepare_cached(WAITING)?, range, read)? {
            regroup_one(db, senders, open, &mut uses, &mut regrouped)?;
        }
    }
    Ok(regrouped)
}

/// What the group of an open callback is found by.
struct Open {
    id: CallbackId,
    senders: Vec<Phone>,
    group: GroupName,
    /// Its pool and its campaign.
    uses: Vec<Resource>,
}

fn read(cells: &mut Cells<'_>) -> Result<Open> {
    let (id, senders) = (cells.id()?, read_senders(cells.text()?)?);
    let group = cells.parsed_if()?.unwrap_or_default();
    let (tenant, pool, campaign) = (cells.text()?, cells.text_if()?, cells.text_if()?);
    let pool = pool.and_then(|name| format!("pool:{tenant}/{name}").parse().ok());
    let campaign = campaign.filter(|text| campaign_id(text).is_some()).map(Resource::campaign);
    Ok(Open { id, senders, group, uses: pool.into_iter().chain(campaign).collect() })
}

fn regroup_one(
    db: &Connection,
    senders: &BTreeMap<Phone, GroupName>,
    open: Open,
    uses: &mut Uses,
    regrouped: &mut Regrouped,
) -> Result<()> {
    let theirs: Vec<&GroupName> = open.senders.iter().filter_map(|sender| senders.get(sender)).collect();
    let group = theirs.first().map_or_else(GroupName::default, |group| (*group).clone());
    let mut is_divided = theirs.iter().any(|other| **other != group);
    if group != open.group {
        let name = (!group.is_main()).then(|| group.as_str());
        db.prepare_cached(MOVE)?.write(params![open.id.bytes(), name])?;
        regrouped.moved += 1;
    }
    for resource in open.uses {
        let of = match uses.group_of(db, &resource)? {
            Some(of) => of,
            None => claim(db, &resource, &group)?,
        };
        is_divided |= of != group;
        uses.0.insert(resource, of);
    }
    regrouped.divided += u64::from(is_divided);
    Ok(())
}
