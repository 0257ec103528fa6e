//! The setting of a scenario: its lines before the first action.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, bail};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ringmaster::config::{Campaign, Config};
use ringmaster::domain::{CallbackPermission, CallingHours, Notice, Phone};
use ringmaster::sim::world::{Callable, Setup, Span, Timing};
use ringmaster::simulation::{Fixture, fixture};

use super::meta::AtMeta;
use super::words;

/// The windows of the callbacks, for the oracle. It compares local times, so that it shares no code with the rules
/// that it checks.
pub(super) type Windows = Arc<Mutex<Vec<Window>>>;

pub(super) struct Window {
    pub(super) callback: String,
    pub(super) sender: Phone,
    pub(super) consumer: Phone,
    pub(super) earliest: Timestamp,
    pub(super) latest: Timestamp,
    pub(super) hours: Option<CallingHours>,
}

impl Window {
    fn is_open(&self, now: Timestamp) -> bool {
        let in_hours = self.hours.as_ref().is_none_or(|hours| {
            let local = now.to_zoned(TimeZone::get(&hours.zone).expect("calling hours name a zone"));
            hours.spans.iter().any(|span| {
                span.days.contains(local.weekday()) && span.from <= local.time() && local.time() < span.to
            })
        });
        in_hours && (self.earliest..self.latest).contains(&now)
    }
}

/// The configuration, the world and the senders of a scenario.
pub(super) struct Setting {
    pub(super) config: Config,
    pub(super) setup: Setup,
    pub(super) start: Timestamp,
    pub(super) zone: TimeZone,
    pub(super) windows: Windows,
    /// The senders, by their names in the script.
    pub(super) senders: Vec<(String, Phone)>,
    documents: Option<tempfile::TempDir>,
    /// The numbers at WhatsApp's Cloud API and the page of Messenger.
    pub(super) meta: AtMeta,
}

impl Setting {
    pub(super) fn new(date: &str, time: &str, zone: &str) -> Result<Self> {
        let zone = TimeZone::get(zone)?;
        let (mut config, mut setup) = fixture(&Fixture { invites: true, ..Fixture::default() });
        account(&mut config).senders.clear();
        setup.accounts[0].senders.clear();
        // Fixed delays in whole seconds keep the transcript readable and stable.
        let always = |seconds: u64| Span(seconds * 1000, seconds * 1000);
        setup.timing = Timing {
            dialing: always(2),
            consumer_answers: always(8),
            agent_answers: always(3),
            talk: always(90),
            speech: 1.0,
            message_step: always(1),
            reply: always(120),
            second_thought: always(2 * 3600),
            call_in: always(300),
            review_ms: 60_000,
            review_long_ms: 3_600_000,
            sender_update_ms: 0,
            batch_ms: 0,
        };
        setup.behaviour.read_of_ten = 0;
        let windows = Windows::default();
        let judged = windows.clone();
        setup.callable = Some(Callable(Arc::new(move |sender, consumer, now| {
            let windows = judged.lock().expect("nothing panics while it holds the windows");
            let mut of_pair =
                windows.iter().filter(|window| window.sender == sender && window.consumer == consumer);
            of_pair.any(|window| window.is_open(now))
        })));
        let start = words::moment(date, time, &zone)?;
        let (senders, documents, meta) = (Vec::new(), None, AtMeta::default());
        Ok(Self { config, setup, start, zone, windows, senders, documents, meta })
    }

    /// Applies a line of the setting. Returns `false` if the line is not one.
    pub(super) fn line(&mut self, line: &[&str]) -> Result<bool> {
        match line {
            ["sender", name, options @ ..] => self.sender(name, options)?,
            ["number", name, "by", roads @ ..] => self.number(name, roads)?,
            ["page"] => self.page()?,
            ["account", "calls", "per", "second", count] => {
                self.setup.accounts[0].calls_per_second = count.parse()?;
                account(&mut self.config).calls_per_second = count.parse()?;
            }
            ["account", "requests", "at", "once", count] => {
                account(&mut self.config).requests_in_flight_max = count.parse()?;
            }
            ["rule", rule @ ..] => self.rule(rule)?,
            ["platform", "revokes", "after", count, "misses"] => {
                self.setup.limits.misses_before_revocation = count.parse()?;
            }
            ["platform", "lets", "a", "sender", "start", count, "calls", "a", "day"] => {
                self.setup.limits.calls_started_per_sender_and_day = count.parse()?;
            }
            ["campaign", name, "calls", "at", "once", count] => {
                let campaign = Campaign { concurrent_calls_max: count.parse()? };
                self.config.campaigns.insert((*name).to_owned(), campaign);
            }
            ["platform", "has", "not", "approved", "the", "template"] => {
                self.setup.accounts[0].contents[1].approved = false;
            }
            ["platform", "has", "not", "approved", "the", "invite"] => {
                self.setup.accounts[0].contents[2].approved = false;
            }
            ["platform", "refuses", "calls", "at", "creation"] => {
                self.setup.behaviour.refuse_at_creation = true;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn sender(&mut self, name: &str, options: &[&str]) -> Result<()> {
        let number = self.next_number()?;
        let (config, setup) = fixture(&Fixture { invites: true, ..Fixture::default() });
        let known = config.accounts["main"].senders.values().next().context("a fixture has senders")?;
        let mut sender = known.clone();
        let mut there = setup.accounts[0].senders[0].clone();
        (sender.number, there.number) = (number, number);
        sender.invite = None;
        let mut rest = options;
        loop {
            rest = match rest {
                [] => break,
                ["with", "invite", rest @ ..] => {
                    sender.invite = config.accounts["main"].senders.values().find_map(|s| s.invite.clone());
                    rest
                }
                ["without", "template", rest @ ..] => {
                    sender.permission_template = None;
                    rest
                }
                ["callback", "permission", "missed", "and", "answered", rest @ ..] => {
                    sender.callback_permission = CallbackPermission::MissedAndAnswered;
                    there.callback_permission = true;
                    rest
                }
                ["callback", "permission", "missed", rest @ ..] => {
                    sender.callback_permission = CallbackPermission::Missed;
                    there.callback_permission = true;
                    rest
                }
                ["calls", "at", "once", count, rest @ ..] => {
                    sender.concurrent_calls_max = Some(count.parse()?);
                    rest
                }
                ["takes", "no", "calls", rest @ ..] => {
                    self.load_documents()?;
                    sender.inbound_document = Some("closed".into());
                    rest
                }
                other => bail!("{:?} is not a property of a sender", other.join(" ")),
            }
        }
        self.setup.accounts[0].senders.push(there);
        account(&mut self.config).senders.insert(number, sender);
        self.senders.push((name.to_owned(), number));
        Ok(())
    }

    /// The number of the next sender.
    pub(super) fn next_number(&self) -> Result<Phone> {
        Ok(Phone::parse(&format!("+55114000000{}", self.senders.len() + 1))?)
    }

    pub(super) fn rule(&mut self, rule: &[&str]) -> Result<()> {
        let (calling, limits) = (&mut self.config.calling, &mut self.config.limits);
        match rule {
            ["resting", "roads", "are", word] => {
                self.config.inviting.resting_road = words::resting_road(word)?;
            }
            ["no", "URL", "outside", "hours"] => self.config.inviting.url_outside_hours = false,
            ["retry", "after", "no", "answer", span] => calling.retry.no_answer = words::span(span)?,
            ["retry", "in", "another", "part", "of", "the", "day"] => calling.retry.shift = true,
            ["reserve", percent, "percent", "for", "urgent", "callbacks"] => {
                calling.queueing.urgent_share = percent.parse()?;
            }
            ["an", "older", "callback", "rises", "each", span] => {
                calling.queueing.ageing_step = words::span(span)?;
            }
            ["retry", "after", "busy", span] => calling.retry.busy = words::span(span)?,
            ["calls", "last", "at", "most", span] => calling.call_time_limit = words::span(span)?,
            ["agent", "calls", "at", "once", count] => {
                calling.agent_calls_max = count.parse()?;
                self.setup.limits.calls_per_agent = count.parse()?;
            }
            ["bot", "calls", "at", "once", count] => calling.bot_calls_max = count.parse()?,
            ["ask", "ahead", span] => calling.permission_request_lead = words::span(span)?,
            ["calls", "to", "a", "person", count, "a", "day"] => {
                calling.people.caps.per_day = count.parse()?
            }
            ["calls", "to", "a", "person", count, "in", "seven", "days"] => {
                calling.people.caps.per_week = count.parse()?;
            }
            ["missed", "calls", "make", document, "for", agent] => {
                self.config.missed_calls.document = Some((*document).to_owned());
                self.config.missed_calls.agent = Some(agent.parse()?);
            }
            ["recordings", "are", "kept", days, "days"] => {
                self.config.recordings.keep = Some(SignedDuration::from_hours(24 * days.parse::<i64>()?));
                self.config.recordings.notice = Notice::Spoken;
                self.load_documents()?;
            }
            ["misses", "before", "nudge", count] => limits.misses_before_nudge = Some(count.parse()?),
            other => bail!("{:?} is not a rule", other.join(" ")),
        }
        Ok(())
    }

    /// The built-in documents, and those of the scenarios.
    fn load_documents(&mut self) -> Result<()> {
        if self.documents.is_none() {
            let folder = tempfile::tempdir()?;
            for from in ["twiml", "tests/scenarios/twiml"] {
                for entry in fs::read_dir(Path::new(from))? {
                    let path = entry?.path();
                    fs::copy(&path, folder.path().join(path.file_name().context("a file has a name")?))?;
                }
            }
            self.config.twiml.directory = Some(folder.path().to_owned());
            self.documents = Some(folder);
        }
        Ok(())
    }
}

fn account(config: &mut Config) -> &mut ringmaster::config::Account {
    config.accounts.get_mut("main").expect("a fixture has this account")
}
