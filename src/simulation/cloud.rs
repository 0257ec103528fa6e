//! A number at WhatsApp's Cloud API for a fixture: a `[meta]` section with its declared content, and the same number in
//! the world.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;

use super::Fixture;
use crate::config::{Config, Meta, Secret};
use crate::content::{Folder, canonical, template};
use crate::domain::person::PORTFOLIO_DEFAULT;
use crate::domain::{AccountAlias, Phone, Portfolio, RoadKind};
use crate::sim::world::{AppSetup, BusinessAccountSetup, NumberSetup, Setup, TemplateSetup};

/// What the daemon and the world know of it.
#[derive(Debug, Clone)]
pub struct Cloud {
    pub number: Phone,
    pub phone_number_id: String,
    pub business_account_id: String,
    pub app_id: String,
    /// The roads that the daemon has.
    pub roads: Vec<RoadKind>,
    /// Whether the template is approved in the world.
    pub is_approved: bool,
    /// Whether permission requests leave here, if the number is shared.
    pub asks: bool,
}

/// The alias of the section.
pub const CLOUD: &str = "cloud";

impl Cloud {
    /// A number with all roads of WhatsApp, the ids from Meta's pages, and an approved template.
    #[must_use]
    pub fn new(number: Phone) -> Self {
        Self {
            number,
            phone_number_id: "106540352242922".to_owned(),
            business_account_id: "102290129340398".to_owned(),
            app_id: "670843887433847".to_owned(),
            roads: ROADS.iter().map(|(kind, ..)| *kind).collect(),
            is_approved: true,
            asks: false,
        }
    }

    /// Adds the number to the configuration and to the world of a fixture. Its content is declared in `folder`, which is
    /// created.
    ///
    /// # Errors
    /// If the declarations cannot be written or read.
    pub fn add(
        &self,
        fixture: &Fixture,
        (config, setup): (&mut Config, &mut Setup),
        folder: &Path,
    ) -> anyhow::Result<()> {
        std::fs::create_dir_all(folder).context("cannot create the folder of declarations")?;
        for (_, name, declaration) in ROADS {
            std::fs::write(folder.join(format!("{name}.toml")), declaration)
                .context("cannot declare content")?;
        }
        std::fs::write(folder.join(format!("{ASK}.toml")), ASKS).context("cannot declare content")?;
        config.content.directory = folder.to_owned();
        // Credentials that are valid only in this process.
        let secret = |what: &str| format!("{what}-{:016x}", fixture.seed);
        let contents = ROADS.iter().filter(|(kind, ..)| self.roads.contains(kind));
        let contents = contents.filter_map(|(kind, name, _)| Some((*kind, name.parse().ok()?)));
        let shared_number = config.senders().any(|(_, sender)| sender.number == self.number);
        let meta = Meta {
            number: self.number,
            phone_number_id: self.phone_number_id.clone(),
            business_account_id: self.business_account_id.clone(),
            portfolio: Portfolio::from(PORTFOLIO_DEFAULT),
            token: Secret::new(&*secret("token")),
            app_secret: Secret::new(&*secret("app")),
            verify_token: Secret::new(&*secret("verify")),
            graph_version: "v25.0".to_owned(),
            graph_url: fixture.api_url.clone(),
            shared_number,
            requests_in_flight_max: 16,
            connect_timeout: std::time::Duration::from_secs(3),
            request_timeout: std::time::Duration::from_secs(15),
            permission_request: self.asks.then(|| ASK.parse().ok()).flatten(),
            contents: contents.collect::<BTreeMap<_, _>>(),
            template: None,
        };
        config.meta.insert(AccountAlias::from(CLOUD), meta);

        let mut account = BusinessAccountSetup::new(&*self.business_account_id, vec![self.number_setup()]);
        if self.is_approved {
            account.templates.extend(templates(&Folder::load(folder)?));
        }
        let mut app = AppSetup::new(&*self.app_id, secret("app"), secret("token"));
        let base = config.http.public_url.as_str().trim_end_matches('/');
        app.webhook_url = Some(format!("{base}/hooks/meta/{CLOUD}"));
        app.verify_token = secret("verify");
        app.business_accounts.push(account);
        setup.graph.apps.push(app);
        Ok(())
    }

    fn number_setup(&self) -> NumberSetup {
        NumberSetup::new(&*self.phone_number_id, self.number)
    }
}

/// The declared templates as Meta keeps them.
fn templates(folder: &Folder) -> impl Iterator<Item = TemplateSetup> + '_ {
    let declared =
        folder.declarations.iter().filter(|declared| declared.kind == crate::content::Kind::MetaTemplate);
    declared.map(|declared| TemplateSetup {
        name: canonical::template_name(declared),
        language: declared.language.clone(),
        category: "UTILITY".to_owned(),
        components: template::creation(declared)["components"].clone(),
    })
}

/// The name of the content that asks for the permission, and its declaration.
const ASK: &str = "ask_here";
const ASKS: &str = "name = \"ask_here\"\nlanguage = \"en\"\napproval = \"none\"\n\
                    type = \"meta/call_permission_request\"\nbody = \"May we call you?\"\n";

/// Each road with the name of its content and the declaration.
const ROADS: [(RoadKind, &str, &str); 4] = [
    (
        RoadKind::CallButton,
        "call_us",
        "name = \"call_us\"\nlanguage = \"en\"\napproval = \"none\"\ntype = \"meta/voice_call\"\n\
         body = \"Call us when it suits you.\"\n[[actions]]\ntype = \"VOICE_CALL\"\ntitle = \"Call now\"\n",
    ),
    (
        RoadKind::Template,
        "call_template",
        "name = \"call_template\"\nlanguage = \"en\"\ncategory = \"UTILITY\"\napproval = \"whatsapp\"\n\
         type = \"meta/template\"\nbody = \"Please call us about your request.\"\n\
         [[actions]]\ntype = \"VOICE_CALL\"\ntitle = \"Call now\"\n",
    ),
    (
        RoadKind::UrlButton,
        "see_us",
        "name = \"see_us\"\nlanguage = \"en\"\napproval = \"none\"\ntype = \"meta/cta_url\"\n\
         body = \"See when we are open.\"\n[[actions]]\ntype = \"URL\"\ntitle = \"Opening hours\"\n\
         url = \"https://shop.example/hours\"\n",
    ),
    (
        RoadKind::DeepLink,
        "call_link",
        "name = \"call_link\"\nlanguage = \"en\"\napproval = \"none\"\ntype = \"meta/text\"\n\
         body = \"Call us: {{link}}\"\n",
    ),
];
