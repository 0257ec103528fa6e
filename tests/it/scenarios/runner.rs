//! Runs one scenario, line by line.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};
use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::number_zones::Narrowed;
use ringmaster::domain::{CallbackId, CallingHours, InviteId, OrderKind, PairKey, Phone, WrittenHours};
use ringmaster::http::auth;
use ringmaster::sim::world::{Answer, Behaviour, Faults};
use ringmaster::simulation::Simulation;
use ringmaster::store::Token;
use serde_json::{Map, Value, json};

use super::setting::{Setting, Window};
use super::transcript::Transcript;
use super::words;
use crate::harness::{OnDatabase, fresh_store};

/// The state of a running scenario, with its callbacks and consumers.
#[derive(Default)]
pub(super) struct Runner {
    pub(super) transcript: Transcript,
    titled: bool,
    setting: Option<Setting>,
    pub(super) simulation: Option<Simulation>,
    pub(super) token: String,
    /// The orders, by their names in the script.
    pub(super) callbacks: BTreeMap<String, CallbackId>,
    /// Those that are only invites.
    pub(super) invites: BTreeSet<String>,
    pub(super) consumers: Vec<(String, Phone)>,
    seen: BTreeMap<String, usize>,
    /// The ids of the last pauses, by their scopes.
    pub(super) pauses: BTreeMap<String, String>,
    /// The ids of the campaigns, by their names in the script.
    pub(super) campaigns: BTreeMap<String, String>,
    /// The lists of callbacks, as files, by their names in the script.
    pub(super) lists: BTreeMap<String, String>,
    lost: u64,
    pub(super) violations_expected: u64,
    /// Dropped after the simulation.
    database: OnDatabase,
}

impl Runner {
    pub(super) fn transcript(&self) -> String {
        self.transcript.text().to_owned()
    }

    pub(super) async fn line(&mut self, line: &str) -> Result<()> {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            if !self.titled {
                self.titled = true;
                self.transcript.title(comment.trim());
            }
            return Ok(());
        }
        let line = line.split(" #").next().unwrap_or(line).trim();
        let owned = words::words(line);
        let words: Vec<&str> = owned.iter().map(String::as_str).collect();
        if words.is_empty() {
            return Ok(());
        }
        ensure!(self.titled, "a scenario begins with a comment that is its title");
        self.transcript.command(line);
        if let ["start", date, time, zone] = *words {
            let setting = Setting::new(date, time, zone)?;
            self.transcript.set_zone(setting.zone.clone());
            self.setting = Some(setting);
            return Ok(());
        }
        let setting = self.setting.as_mut().context("a scenario begins with: start DATE TIME ZONE")?;
        if self.simulation.is_none() {
            if setting.line(&words)? {
                return Ok(());
            }
            self.begin().await?;
        }
        let done = self.by_agents(&words).await?
            || self.at_the_desk(&words).await?
            || self.on_a_list(&words).await?
            || self.on_a_road(&words).await?;
        if !done {
            self.perform(&words).await?;
        }
        self.simulation()?.publish().await?;
        self.catch_up().await?;
        self.check_reasons().await
    }

    async fn begin(&mut self) -> Result<()> {
        let setting = self.setting()?;
        ensure!(!setting.senders.is_empty(), "a scenario needs a sender");
        let (store, database) = fresh_store();
        let setup = setting.setup.clone();
        let simulation = Simulation::begin_on(&setting.config, setup, setting.start, store).await?;
        let (token, hash) = auth::new_token([7; 32]);
        let kept = Token::new("scenario", hash, setting.start);
        simulation.store.create_token(kept).await?;
        for (name, number) in setting.senders.clone() {
            self.transcript.name(number, &name);
        }
        self.simulation = Some(simulation);
        self.database = database;
        self.token = token;
        Ok(())
    }

    async fn perform(&mut self, words: &[&str]) -> Result<()> {
        match words {
            ["consumer", name, habit @ ..] => self.consumer(name, habit),
            ["callback", name, order @ ..] => self.order(name, OrderKind::Callback, order).await,
            ["advance", "to", date, time] => {
                let until = words::moment(date, time, &self.setting()?.zone)?;
                let by = until.duration_since(self.simulation()?.now());
                ensure!(by.is_positive(), "{date} {time} is not later");
                self.advance(by).await
            }
            ["advance", by] => self.advance(words::span(by)?).await,
            ["clock", "back", by] => self.step_clock(-words::span(by)?).await,
            ["clock", "forward", by] => self.step_clock(words::span(by)?).await,
            ["faults", faults @ ..] => self.faults(faults),
            ["platform", "refuses", "messages", "with", "code", code] => {
                let code = code.parse()?;
                self.behave(|behaviour| behaviour.refuse_messages = Some(code))
            }
            ["platform", "refuses", "calls", "with", "code", code] => {
                let code = code.parse()?;
                self.behave(|behaviour| behaviour.refuse_calls = Some(code))
            }
            ["platform", "fails", "messages", "with", "code", code] => {
                let code = code.parse()?;
                self.behave(|behaviour| behaviour.fail_messages = Some(code))
            }
            ["platform", "works", "again"] => self.behave(|behaviour| {
                (behaviour.refuse_messages, behaviour.refuse_calls, behaviour.fail_messages) =
                    (None, None, None);
            }),
            ["agents", "answer"] => self.behave(|behaviour| behaviour.agents_answer_of_ten = 10),
            ["agents", "do", "not", "answer"] => self.behave(|behaviour| behaviour.agents_answer_of_ten = 0),
            ["platform", "holds", "connections"] => {
                self.simulation()?.world().hold_connections();
                Ok(())
            }
            ["platform", "sends", "connections"] => {
                let simulation = self.simulation()?;
                simulation.world().send_connections(simulation.now());
                self.advance(SignedDuration::ZERO).await
            }
            ["platform", "does", "not", "report", "profile", "changes"] => {
                self.behave(|behaviour| behaviour.forward_unasked_replies = false)
            }
            ["credentials", "are", "refused"] => self.credentials("another secret"),
            ["credentials", "are", "accepted"] => {
                let secret = self.setting()?.setup.accounts[0].api_keys[0].1.clone();
                self.credentials(&secret)
            }
            ["restart"] => {
                let config = self.setting()?.config.clone();
                self.simulation_mut()?.restart_with(&config).await
            }
            ["restart", "with", "rule", rule @ ..] => {
                let setting =
                    self.setting.as_mut().context("a scenario begins with: start DATE TIME ZONE")?;
                setting.rule(rule)?;
                let config = setting.config.clone();
                self.simulation_mut()?.restart_with(&config).await
            }
            ["cancel", name] => {
                let path = format!("{}/cancel", self.path(name)?);
                let (status, answer) = self.post(&path, &json!({})).await?;
                let is_closed = status == 200 && answer["status"] == "closed";
                self.transcript.remark(match status {
                    200 if is_closed => "canceled at once",
                    200 => "canceled when the attempt has ended",
                    409 => "refused: it is closed already",
                    _ => bail!("answered {status}"),
                });
                self.forget_window(name, is_closed)
            }
            ["reschedule", name, order @ ..] => self.reschedule(name, order).await,
            ["resolve", name, outcome] => self.resolve(name, outcome).await,
            ["calendar", name, what @ ..] => self.calendar(name, what).await,
            ["pause", scope @ ..] => self.pause(scope).await,
            ["resume", scope @ ..] => self.resume(scope).await,
            ["campaign", name, what @ ..] => self.campaign(name, what).await,
            ["pool", name, what @ ..] => self.pool(name, what).await,
            ["explain", name] => self.explain(name).await,
            ["show", name] => self.show(name).await,
            ["expect", what @ ..] => self.expect(what).await,
            [name, rest @ ..] => self.consumer_acts(name, rest).await,
            [] => Ok(()),
        }
    }

    fn consumer(&mut self, name: &str, habit: &[&str]) -> Result<()> {
        let number = Phone::parse(&format!("+55119876500{:02}", self.consumers.len() + 20))?;
        self.consumers.push((name.to_owned(), number));
        self.transcript.name(number, name);
        self.simulation()?.world().set_habit(number, words::habit(habit)?);
        if let Some(psid) = self.psid_of(number)? {
            self.transcript.name_at_page(psid, name);
        }
        Ok(())
    }

    /// An action of a consumer.
    async fn consumer_acts(&mut self, name: &str, act: &[&str]) -> Result<()> {
        let consumer = self.consumer_named(name)?;
        let now = self.simulation()?.now();
        if let ["now", habit @ ..] = act {
            self.simulation()?.world().set_habit(consumer, words::habit(habit)?);
            return Ok(());
        }
        if let ["writes", text, "to", sender] = act {
            let sender = self.sender_named(sender)?;
            let done = self.simulation()?.world().consumer_writes(now, sender, consumer, text);
            ensure!(done, "the world does not have this sender");
            return self.advance(SignedDuration::ZERO).await;
        }
        let (verb, sender) = match act {
            [verb @ ("calls" | "writes"), "to", sender] | [verb @ "calls", sender] => {
                (*verb, self.sender_named(sender)?)
            }
            ["accepts", "permanently"] => ("accepts permanently", self.only_sender()?),
            [verb @ ("accepts" | "declines" | "revokes")] => (*verb, self.only_sender()?),
            [verb @ ("accepts" | "declines" | "revokes"), _, sender] => (*verb, self.sender_named(sender)?),
            _ => bail!("unknown action of a consumer"),
        };
        let world = || self.simulation().map(Simulation::world);
        let done = match verb {
            "calls" => world()?.consumer_calls(now, sender, consumer),
            "writes" => world()?.consumer_writes(now, sender, consumer, "hello"),
            "accepts" => world()?.consumer_answers(now, sender, consumer, Answer::Accept),
            "accepts permanently" => {
                world()?.consumer_answers(now, sender, consumer, Answer::AcceptPermanently)
            }
            _ => world()?.consumer_answers(now, sender, consumer, Answer::Reject),
        };
        ensure!(done, "the world does not have this sender");
        self.advance(SignedDuration::ZERO).await
    }

    pub(super) async fn order(&mut self, name: &str, kind: OrderKind, order: &[&str]) -> Result<()> {
        let ["to", consumer, rest @ ..] = order else {
            bail!("expected: callback NAME to CONSUMER from SENDER ...");
        };
        let consumer_number = self.consumer_named(consumer)?;
        let (senders, mut rest) = match rest {
            ["from", sender, rest @ ..] => (vec![self.sender_named(sender)?], rest),
            rest => (vec![self.only_sender()?], rest),
        };
        let mut senders = senders;
        while let ["or", sender, more @ ..] = rest {
            senders.push(self.sender_named(sender)?);
            rest = more;
        }
        let mut body = Map::new();
        body.insert("consumer".into(), json!(consumer_number.e164()));
        body.insert("senders".into(), json!(senders.iter().map(|s| s.e164()).collect::<Vec<_>>()));
        if kind == OrderKind::Callback {
            body.insert("document".into(), json!("message"));
        }
        let rest = self.psids(rest, consumer_number, &mut body)?;
        self.options(rest, &mut body)?;
        match body.get("document").and_then(Value::as_str) {
            Some("message") => {
                body.insert("variables".into(), json!({"message": "Your parcel is at the door."}));
            }
            Some("conversation-relay") => {
                let variables = json!({"relay_url": "wss://bot.example.com", "greeting": "Hello."});
                body.insert("variables".into(), variables);
            }
            _ => {}
        }
        // Register the window with the oracle before anything can be sent.
        for sender in senders {
            self.note_window(name, sender, consumer_number, &body)?;
        }
        let path = if kind == OrderKind::Invite { "/v1/invites" } else { "/v1/callbacks" };
        let (status, answer) = self.post(path, &Value::Object(body)).await?;
        ensure!(status == 202, "answered {status}: {answer}");
        let id = answer["id"].as_str().context("an order has an id")?;
        let id = kind.read_id(id).map_err(|_| anyhow::anyhow!("no id: {id}"))?;
        self.callbacks.insert(name.to_owned(), id);
        if kind == OrderKind::Invite {
            self.invites.insert(name.to_owned());
        }
        self.advance(SignedDuration::ZERO).await
    }

    fn options(&self, mut rest: &[&str], body: &mut Map<String, Value>) -> Result<()> {
        let zone = &self.setting()?.zone;
        loop {
            let (key, value, more) = match rest {
                [] => return Ok(()),
                ["before", date, time, more @ ..] => {
                    ("latest", json!(words::moment(date, time, zone)?), more)
                }
                ["earliest", date, time, more @ ..] => {
                    ("earliest", json!(words::moment(date, time, zone)?), more)
                }
                ["hours", hours, more @ ..] => ("hours", json!(hours), more),
                ["priority", level, more @ ..] => ("priority", json!(level.parse::<u8>()?), more),
                ["attempts", count, more @ ..] => ("attempts_max", json!(count.parse::<u32>()?), more),
                ["purpose", purpose, more @ ..] => ("purpose", json!(purpose), more),
                ["missed", "hours", rule, more @ ..] => ("missed_window", json!(rule), more),
                ["without", "gap", more @ ..] => ("waive_gap", json!(true), more),
                ["separate", more @ ..] => ("separate", json!(true), more),
                ["campaign", campaign, more @ ..] => {
                    let id = self.campaigns.get(*campaign).map_or(*campaign, String::as_str);
                    ("campaign", json!(id), more)
                }
                ["pool", pool, more @ ..] => ("pool", json!(pool), more),
                ["document", document, more @ ..] => ("document", json!(document), more),
                ["agent", agent, more @ ..] => ("agent", json!(agent), more),
                other => match self.option_of_agents(other)? {
                    Some(option) => option,
                    None => bail!("{:?} is not a part of a callback", other.join(" ")),
                },
            };
            body.insert(key.into(), value);
            rest = more;
        }
    }

    async fn reschedule(&mut self, name: &str, order: &[&str]) -> Result<()> {
        let mut body = Map::new();
        self.options(order, &mut body)?;
        let path = format!("{}/reschedule", self.path(name)?);
        let (status, answer) = self.post(&path, &Value::Object(body)).await?;
        if status == 409 {
            self.transcript.remark("refused: it does not wait");
            return Ok(());
        }
        ensure!(status == 200, "answered {status}: {answer}");
        let setting = self.setting()?;
        for window in setting
            .windows
            .lock()
            .expect("nothing panics while it holds the windows")
            .iter_mut()
            .filter(|window| window.callback == name)
        {
            (window.earliest, window.latest) = (at(&answer, "earliest")?, at(&answer, "latest")?);
            window.hours = hours(&answer)?;
        }
        Ok(())
    }

    /// Resolves the last attempt or message of a callback.
    async fn resolve(&mut self, name: &str, outcome: &str) -> Result<()> {
        let noun = if matches!(outcome, "sent" | "not_sent") { "messages" } else { "attempts" };
        let path = self.path(name)?;
        let shown = self.get(&path).await?;
        let last =
            shown[noun].as_array().and_then(|of| of.last()).context("the callback has nothing to resolve")?;
        let id = last["id"].as_str().context("everything has an id")?;
        let word = json!({"outcome": outcome, "note": "seen in the console"});
        let (status, answer) = self.post(&format!("/v1/{noun}/{id}/resolve"), &word).await?;
        let detail = answer["detail"].as_str().unwrap_or_default();
        self.transcript.remark(&match status {
            200 => "resolved".to_owned(),
            409 => format!("refused: {detail}"),
            _ => bail!("answered {status}: {answer}"),
        });
        Ok(())
    }

    pub(super) fn note_window(
        &self,
        name: &str,
        sender: Phone,
        consumer: Phone,
        body: &Map<String, Value>,
    ) -> Result<()> {
        let time = |field: &str| body.get(field).and_then(Value::as_str).map(str::parse).transpose();
        let hours = body.get("hours").and_then(Value::as_str).map(str::parse::<WrittenHours>).transpose()?;
        let hours = hours.map(|hours| hours.of(consumer, &Narrowed::default())).transpose()?;
        let now = self.simulation()?.now();
        let window = Window {
            callback: name.to_owned(),
            sender,
            consumer,
            earliest: time("earliest")?.unwrap_or(now),
            latest: time("latest")?.context("a callback in a scenario has a deadline: before DATE TIME")?,
            hours,
        };
        self.setting()?.windows.lock().expect("nothing panics while it holds the windows").push(window);
        Ok(())
    }

    fn forget_window(&self, name: &str, done: bool) -> Result<()> {
        if done {
            self.setting()?
                .windows
                .lock()
                .expect("nothing panics while it holds the windows")
                .retain(|window| window.callback != name);
        }
        Ok(())
    }

    fn faults(&mut self, faults: &[&str]) -> Result<()> {
        let now = self.simulation()?.now();
        let faults = match faults {
            ["none"] => Faults::default(),
            ["lose", "webhooks"] => Faults { lose_webhook: 1.0, ..Faults::default() },
            ["drop", "answers"] => Faults { drop_answer: 1.0, ..Faults::default() },
            ["drop", "answers", "and", "lose", "webhooks"] => {
                Faults { drop_answer: 1.0, lose_webhook: 1.0, ..Faults::default() }
            }
            ["throttle"] => Faults { throttle: 1.0, ..Faults::default() },
            ["delay", "answers", "by", span] => {
                let delay = u32::try_from(words::span(span)?.as_millis())?;
                Faults { delay_answer: 1.0, answer_delay_ms: delay, ..Faults::default() }
            }
            ["outage", "for", span] => Faults {
                outage_from: Some(now),
                outage_until: Some(now + words::span(span)?),
                ..Faults::default()
            },
            other => bail!("{:?} is not a fault", other.join(" ")),
        };
        self.simulation()?.world().set_faults(faults);
        Ok(())
    }

    pub(super) fn behave(&mut self, change: impl FnOnce(&mut Behaviour)) -> Result<()> {
        self.simulation()?.world().set_behaviour(change);
        Ok(())
    }

    fn credentials(&mut self, secret: &str) -> Result<()> {
        let key = self.setting()?.setup.accounts[0].api_keys[0].0.clone();
        ensure!(self.simulation()?.world().set_key_secret(&key, secret), "the key is gone");
        Ok(())
    }

    async fn step_clock(&mut self, by: SignedDuration) -> Result<()> {
        self.simulation_mut()?.step_clock(by).await
    }

    pub(super) async fn advance(&mut self, by: SignedDuration) -> Result<()> {
        let until = self.simulation()?.now() + by;
        loop {
            // Run everything that is due now, then move the clock.
            let now = self.simulation()?.now();
            let more = self.simulation_mut()?.step(until).await?;
            self.catch_up_at(now).await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Writes what happened since the last call.
    async fn catch_up(&mut self) -> Result<()> {
        let Some(now) = self.simulation.as_ref().map(Simulation::now) else { return Ok(()) };
        self.catch_up_at(now).await
    }

    async fn catch_up_at(&mut self, now: Timestamp) -> Result<()> {
        let Some(simulation) = &mut self.simulation else { return Ok(()) };
        for heard in simulation.take_received() {
            self.transcript.heard(&heard);
        }
        let lost = simulation.world().report().counts.webhooks_lost;
        if lost > self.lost {
            self.transcript.lost(now, lost - self.lost);
            self.lost = lost;
        }
        let setting = self.setting.as_ref().context("there is a setting")?;
        for (sender_name, sender) in &setting.senders {
            for (consumer_name, consumer) in &self.consumers {
                let key = PairKey::of(*sender, *consumer);
                let entries = simulation.store.pair_timeline(key).await?;
                let name = format!("{sender_name} and {consumer_name}");
                let seen = self.seen.entry(name.clone()).or_default();
                *seen = entries.len().min(*seen);
                let of_pair = entries[*seen..].iter().filter(|entry| entry.callback.is_none());
                of_pair.for_each(|entry| self.transcript.entry(&name, entry));
                *seen = entries.len();
            }
        }
        for (name, id) in &self.callbacks {
            let mut entries = simulation.store.timeline(*id).await?;
            entries.retain(|entry| entry.callback == Some(*id));
            let seen = self.seen.entry(name.clone()).or_default();
            *seen = entries.len().min(*seen);
            entries[*seen..].iter().for_each(|entry| self.transcript.entry(name, entry));
            *seen = entries.len();
        }
        Ok(())
    }

    pub(super) fn simulation(&self) -> Result<&Simulation> {
        self.simulation.as_ref().context("nothing has begun")
    }

    pub(super) fn simulation_mut(&mut self) -> Result<&mut Simulation> {
        self.simulation.as_mut().context("nothing has begun")
    }

    pub(super) fn setting(&self) -> Result<&Setting> {
        self.setting.as_ref().context("there is no setting")
    }

    pub(super) fn consumer_named(&self, name: &str) -> Result<Phone> {
        let found = self.consumers.iter().find(|(known, _)| known == name);
        found
            .map(|(_, number)| *number)
            .with_context(|| format!("{name:?} is not a consumer of this scenario"))
    }

    pub(super) fn sender_named(&self, name: &str) -> Result<Phone> {
        let found = self.setting()?.senders.iter().find(|(known, _)| known == name);
        found.map(|(_, number)| *number).with_context(|| format!("{name:?} is not a sender of this scenario"))
    }

    pub(super) fn only_sender(&self) -> Result<Phone> {
        match &*self.setting()?.senders {
            [(_, number)] => Ok(*number),
            _ => bail!("the scenario has several senders: name one"),
        }
    }

    /// Every sender with every consumer, by their names.
    pub(super) fn pairs(&self) -> Result<Vec<(String, PairKey)>> {
        let senders = &self.setting()?.senders;
        let with = |(name, sender): &(String, Phone)| {
            let (name, sender) = (name.clone(), *sender);
            self.consumers.iter().map(move |(consumer_name, consumer)| {
                (format!("{name} and {consumer_name}"), PairKey::of(sender, *consumer))
            })
        };
        Ok(senders.iter().flat_map(with).collect())
    }

    pub(super) fn path(&self, name: &str) -> Result<String> {
        let id = self
            .callbacks
            .get(name)
            .with_context(|| format!("{name:?} is not a callback of this scenario"))?;
        Ok(match self.invites.contains(name) {
            true => format!("/v1/invites/{}", InviteId::from(*id)),
            false => format!("/v1/callbacks/{id}"),
        })
    }
}

fn at(answer: &Value, field: &str) -> Result<Timestamp> {
    Ok(answer[field].as_str().context("a callback has its times")?.parse()?)
}

/// The hours as the API shows them, read back.
fn hours(answer: &Value) -> Result<Option<CallingHours>> {
    let Some(hours) = answer.get("hours") else { return Ok(None) };
    let word = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let spans = hours["spans"].as_array().context("hours have spans")?;
    let spans: Vec<_> = spans
        .iter()
        .map(|span| format!("{} {}-{}", word(span, "days"), word(span, "from"), word(span, "to")))
        .collect();
    let calendar = hours["calendar"].as_str().map(|name| format!(" except {name}")).unwrap_or_default();
    let also: Vec<_> = hours["also"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let also: String = also.iter().map(|zone| format!(" and {zone}")).collect();
    Ok(Some(format!("{} @{}{also}{calendar}", spans.join(", "), word(hours, "zone")).parse()?))
}
