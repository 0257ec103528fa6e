//! What a scenario has at Meta: numbers at WhatsApp's Cloud API that only invite, and a page of Messenger.

use anyhow::{Context as _, Result, bail, ensure};
use ringmaster::domain::{Phone, RoadKind};
use ringmaster::simulation::{AtMessenger, Cloud, Fixture};
use tempfile::TempDir;

use super::setting::Setting;

/// The parts that a script names.
#[derive(Default)]
pub(super) struct AtMeta {
    pub(super) number: Option<(Phone, Cloud)>,
    pub(super) page: Option<AtMessenger>,
    /// The declarations, which a restart reads again.
    declared: Option<TempDir>,
}

impl Setting {
    /// `number beta by call-button template`: a number that invites by these roads and places no calls.
    pub(super) fn number(&mut self, name: &str, roads: &[&str]) -> Result<()> {
        ensure!(self.meta.number.is_none(), "a scenario has one number at the Cloud API at most");
        let number = self.next_number()?;
        let mut cloud = Cloud::new(number);
        let (roads, approved) = match roads {
            [roads @ .., "without", "approval"] => (roads, false),
            roads => (roads, true),
        };
        cloud.roads = roads.iter().map(|road| road_of(road)).collect::<Result<_>>()?;
        cloud.is_approved = approved;
        self.declare(|fixture, parts, folder| cloud.add(fixture, parts, folder))?;
        self.senders.push((name.to_owned(), number));
        self.meta.number = Some((number, cloud));
        Ok(())
    }

    /// `page`: a page of Messenger, by which every sender invites.
    pub(super) fn page(&mut self) -> Result<()> {
        ensure!(self.meta.page.is_none(), "a scenario has one page at most");
        let page = AtMessenger::default();
        self.declare(|fixture, parts, folder| page.add(fixture, parts, folder))?;
        self.meta.page = Some(page);
        Ok(())
    }

    /// Adds a part to the daemon and to the world.
    fn declare(
        &mut self,
        add: impl FnOnce(
            &Fixture,
            (&mut ringmaster::config::Config, &mut ringmaster::sim::world::Setup),
            &std::path::Path,
        ) -> Result<()>,
    ) -> Result<()> {
        let folder = match self.meta.declared.take() {
            Some(folder) => folder,
            None => tempfile::tempdir().context("a folder for declarations")?,
        };
        let fixture = Fixture::default();
        let added = add(&fixture, (&mut self.config, &mut self.setup), folder.path());
        self.meta.declared = Some(folder);
        added
    }
}

/// A road by its name in scripts: that of the API, with hyphens.
fn road_of(word: &str) -> Result<RoadKind> {
    let found = RoadKind::ALL.into_iter().find(|kind| kind.as_str().replace('_', "-") == word);
    match found {
        Some(RoadKind::Messenger) => bail!("the page is a line of its own"),
        Some(kind) => Ok(kind),
        None => bail!("{word:?} is not a road"),
    }
}
