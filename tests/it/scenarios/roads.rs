//! The lines about roads: orders that are only invites, and what consumers and Meta do at the Cloud API and at a page.

use anyhow::{Context as _, Result, bail, ensure};
use jiff::SignedDuration;
use ringmaster::domain::{OrderKind, Phone};
use ringmaster::sim::world::Restriction;
use ringmaster::simulation::{PAGE, Simulation};
use serde_json::{Map, Value, json};

use super::runner::Runner;
use super::words;

impl Runner {
    /// Performs a line about roads. Returns `false` if the line is about something else.
    pub(super) async fn on_a_road(&mut self, line: &[&str]) -> Result<bool> {
        match line {
            ["invite", name, order @ ..] => self.order(name, OrderKind::Invite, order).await?,
            ["client", "of", name, client @ ..] => {
                let consumer = self.consumer_named(name)?;
                self.simulation()?.world().set_client(consumer, words::client(client)?);
            }
            ["roads", "of", name] => self.roads(name).await?,
            ["numbers", "answer"] => self.behave(|behaviour| behaviour.numbers_answer_of_ten = 10)?,
            ["numbers", "do", "not", "answer"] => {
                self.behave(|behaviour| behaviour.numbers_answer_of_ten = 0)?;
            }
            ["Meta", deed @ ..] => self.meta_does(deed).await?,
            [name, "taps", sender] => {
                let (consumer, sender) = (self.consumer_named(name)?, self.sender_named(sender)?);
                self.does("has no button to tap", |world, now| world.consumer_taps(now, sender, consumer))
                    .await?;
            }
            [name, "opens", "the", "link", "of", order] => {
                let consumer = self.consumer_named(name)?;
                self.opens_link(consumer, order).await?;
            }
            [name, deed @ .., "the", "page"] if self.page_id().is_ok() => {
                let consumer = self.consumer_named(name)?;
                self.at_the_page(consumer, deed).await?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `Meta restricts messages until DATE TIME` (or `calls`, or `the page`), `Meta reinstates`, `Meta refuses messages with code 131009`, `Meta fails
    /// messages with code 131026`, `Meta works again`.
    async fn meta_does(&mut self, deed: &[&str]) -> Result<()> {
        let account = || {
            let (_, cloud) = self.setting()?.meta.number.as_ref().context("no number is at the Cloud API")?;
            Ok::<_, anyhow::Error>(cloud.business_account_id.clone())
        };
        match deed {
            ["restricts", what, "until", date, time] => {
                let kind = match *what {
                    "messages" => "RESTRICTED_BIZ_INITIATED_MESSAGING",
                    "calls" => "RESTRICTED_BUSINESS_INITIATED_CALLING",
                    other => bail!("{other:?} is neither messages nor calls"),
                };
                let until = Some(words::moment(date, time, &self.setting()?.zone)?);
                let (account, restriction) = (account()?, Restriction { kind: kind.to_owned(), until });
                self.does("has no account", |world, now| world.restrict(now, &account, restriction)).await
            }
            ["restricts", "the", "page", "until", date, time] => {
                let until = Some(words::moment(date, time, &self.setting()?.zone)?);
                let (page, restriction) = (self.page_id()?, Restriction { kind: "PAGE".to_owned(), until });
                self.does("has no page", |world, now| world.restrict(now, &page, restriction)).await
            }
            ["reinstates"] => {
                let account = account()?;
                self.does("has no account", |world, now| world.reinstate(now, &account)).await
            }
            ["refuses", "messages", "with", "code", code] => {
                let code = code.parse()?;
                self.behave(|behaviour| behaviour.refuse_posts = Some(code))
            }
            ["fails", "messages", "with", "code", code] => {
                let code = code.parse()?;
                self.behave(|behaviour| behaviour.fail_posts = Some(code))
            }
            ["works", "again"] => {
                self.behave(|behaviour| (behaviour.refuse_posts, behaviour.fail_posts) = (None, None))
            }
            other => bail!("Meta does not {:?}", other.join(" ")),
        }
    }

    /// What a consumer does at the page: `writes to`, `writes STOP to`, `calls`, `taps`, `blocks`.
    async fn at_the_page(&mut self, consumer: Phone, deed: &[&str]) -> Result<()> {
        let page = self.page_id()?;
        let deed: Vec<String> = deed.iter().map(|&word| word.to_owned()).collect();
        self.does("cannot do this at the page", move |world, now| {
            let words: Vec<&str> = deed.iter().map(String::as_str).collect();
            match words.as_slice() {
                ["writes", "to"] => world.consumer_writes_to_page(now, &page, consumer, "hello"),
                ["writes", text, "to"] => world.consumer_writes_to_page(now, &page, consumer, text),
                ["calls"] => world.consumer_calls_page(now, &page, consumer),
                ["taps"] => world.consumer_taps_at_page(now, &page, consumer),
                ["blocks"] => world.consumer_blocks_page(now, &page, consumer),
                _ => false,
            }
        })
        .await
    }

    /// The consumer opens the calling link of an order, which may be another consumer's.
    async fn opens_link(&mut self, consumer: Phone, order: &str) -> Result<()> {
        let path = format!("{}/link", self.path(order)?);
        let shown = self.get(&path).await?;
        let link = shown["link"].as_str().context("an open order has a link")?;
        let (number, payload) = link
            .strip_prefix("https://wa.me/call/")
            .and_then(|rest| rest.split_once("?biz_payload="))
            .with_context(|| format!("{link} is not a calling link with a payload"))?;
        let (sender, payload) = (Phone::parse(&format!("+{number}"))?, payload.to_owned());
        self.does("cannot open it", |world, now| world.consumer_opens(now, sender, consumer, Some(&payload)))
            .await
    }

    /// Does something in the world, and runs what is due then.
    async fn does(
        &mut self,
        fault: &str,
        deed: impl FnOnce(&mut ringmaster::sim::World, jiff::Timestamp) -> bool,
    ) -> Result<()> {
        let now = self.simulation()?.now();
        let done = deed(&mut self.simulation()?.world(), now);
        ensure!(done, "the world {fault}");
        self.advance(SignedDuration::ZERO).await
    }

    /// Prints every road of an order with its standing.
    async fn roads(&mut self, name: &str) -> Result<()> {
        let path = format!("{}/explain", self.path(name)?);
        let explained = self.get(&path).await?;
        let roads = explained["ladder"].as_array().context("only an order that waits has roads")?;
        for road in roads {
            let word = |field: &str| road[field].as_str().unwrap_or_default().to_owned();
            let sender = Phone::parse(&word("sender"))?;
            let reason = &road["reason"];
            let why = match reason["code"].as_str() {
                Some(code) => format!(" - {code}: {}", reason["sentence"].as_str().unwrap_or_default()),
                None => String::new(),
            };
            self.transcript.remark(&format!("{sender} by {}: {}{why}", word("road"), word("standing")));
        }
        Ok(())
    }

    /// Takes `known at the page` from the options of an order.
    pub(super) fn psids<'w, 'l>(
        &self,
        options: &'w [&'l str],
        consumer: Phone,
        body: &mut Map<String, Value>,
    ) -> Result<&'w [&'l str]> {
        let ["known", "at", "the", "page", rest @ ..] = options else { return Ok(options) };
        let psid = self.psid_of(consumer)?.context("the scenario has no page")?;
        body.insert("messenger".into(), json!({PAGE: psid}));
        Ok(rest)
    }

    /// The id by which the page knows a consumer; `None` without a page.
    pub(super) fn psid_of(&self, consumer: Phone) -> Result<Option<String>> {
        let Ok(page) = self.page_id() else { return Ok(None) };
        Ok(self.simulation().map(Simulation::world)?.psid(&page, consumer))
    }

    fn page_id(&self) -> Result<String> {
        let page = self.setting()?.meta.page.as_ref().context("the scenario has no page")?;
        Ok(page.page_id.clone())
    }
}
