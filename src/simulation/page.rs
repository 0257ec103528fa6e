//! A page of Messenger for a fixture: a `[messenger]` section with its declared content, and the same page in the world.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;

use super::Fixture;
use crate::config::{Config, Messenger, Secret};
use crate::domain::AccountAlias;
use crate::sim::world::{AppSetup, PageSetup, Setup};

/// What the daemon and the world know of it.
#[derive(Debug, Clone)]
pub struct AtMessenger {
    pub page_id: String,
    pub app_id: String,
}

/// The alias of the section.
pub const PAGE: &str = "page";

const INVITE: &str = "call_the_page";
const DECLARATION: &str = "name = \"call_the_page\"\nlanguage = \"en\"\napproval = \"none\"\n\
    type = \"messenger/button\"\nbody = \"Call us when it suits you.\"\n\
    [[actions]]\ntype = \"AUDIO_CALL\"\ntitle = \"Call now\"\n";

impl Default for AtMessenger {
    fn default() -> Self {
        Self { page_id: "1234567890".to_owned(), app_id: "670843887433848".to_owned() }
    }
}

impl AtMessenger {
    /// Adds the page to the configuration and to the world of a fixture, for every sender. Its content is declared in
    /// `folder`, which is created.
    ///
    /// # Errors
    /// If the declaration cannot be written.
    pub fn add(
        &self,
        fixture: &Fixture,
        (config, setup): (&mut Config, &mut Setup),
        folder: &Path,
    ) -> anyhow::Result<()> {
        std::fs::create_dir_all(folder).context("cannot create the folder of declarations")?;
        std::fs::write(folder.join(format!("{INVITE}.toml")), DECLARATION)
            .context("cannot declare content")?;
        config.content.directory = folder.to_owned();
        // Credentials that are valid only in this process.
        let secret = |what: &str| format!("page-{what}-{:016x}", fixture.seed);
        let page = Messenger {
            page_id: self.page_id.clone(),
            token: Secret::new(&*secret("token")),
            app_secret: Secret::new(&*secret("app")),
            verify_token: Secret::new(&*secret("verify")),
            graph_version: "v25.0".to_owned(),
            graph_url: fixture.api_url.clone(),
            senders: BTreeSet::new(),
            requests_in_flight_max: 16,
            connect_timeout: std::time::Duration::from_secs(3),
            request_timeout: std::time::Duration::from_secs(15),
            invite: INVITE.parse().ok(),
        };
        config.messenger.insert(AccountAlias::from(PAGE), page);

        let mut app = AppSetup::new(&*self.app_id, secret("app"), secret("user"));
        let base = config.http.public_url.as_str().trim_end_matches('/');
        app.webhook_url = Some(format!("{base}/hooks/messenger/{PAGE}"));
        app.verify_token = secret("verify");
        app.pages.push(PageSetup::new(&*self.page_id, secret("token")));
        setup.graph.apps.push(app);
        Ok(())
    }
}
