//! The operator of a scenario, who pauses and resumes.

use anyhow::{Context as _, Result, bail, ensure};
use jiff::SignedDuration;
use ringmaster::sim::world::Stop;
use serde_json::{Value, json};

use super::runner::Runner;
use super::words;

impl Runner {
    /// `pause all because "..." until DATE TIME`, `pause sender alpha ...`, `pause person maria ...`.
    pub(super) async fn pause(&mut self, words: &[&str]) -> Result<()> {
        let (name, mut order, rest) = self.scope(words)?;
        let ["because", why, rest @ ..] = rest else { bail!("expected: pause SCOPE because \"...\"") };
        order["why"] = (*why).into();
        let until = match rest {
            [] => None,
            ["until", date, time] => Some(words::moment(date, time, &self.setting()?.zone)?),
            _ => bail!("expected: until DATE TIME"),
        };
        if let Some(until) = until {
            order["until"] = until.to_string().into();
        }
        let (status, answer) = self.post("/v1/pauses", &order).await?;
        ensure!(status == 200, "answered {status}: {answer}");
        let id = answer["pause"]["id"].as_str().context("a pause has an id")?.to_owned();
        let number = |field: &str| order[field].as_str().map(ringmaster::domain::Phone::parse).transpose();
        let (senders, consumer) = (number("sender")?.map(|sender| vec![sender]), number("consumer")?);
        let now = self.simulation()?.now();
        let stop = Stop { from: now, until, senders, consumer };
        self.simulation()?.world().oracle_mut().paused(&id, stop);
        let count = |what: &str| answer["holds"][what]["count"].as_u64().unwrap_or_default();
        self.transcript.remark(&format!(
            "it holds {} callbacks; {} deadlines pass and {} permissions end meanwhile",
            count("callbacks"),
            count("deadlines"),
            count("permissions")
        ));
        self.pauses.insert(name, id);
        Ok(())
    }

    /// `resume all`, `resume sender alpha`, `resume person maria`.
    pub(super) async fn resume(&mut self, words: &[&str]) -> Result<()> {
        let (name, _, rest) = self.scope(words)?;
        ensure!(rest.is_empty(), "expected: resume SCOPE");
        let id = self.pauses.get(&name).cloned().with_context(|| format!("{name} is not paused"))?;
        self.simulation()?.world().oracle_mut().resumed(&id);
        let (status, answer) = self.delete(&format!("/v1/pauses/{id}")).await?;
        self.transcript.remark(match status {
            200 => "it is lifted",
            404 => "refused: it is not in force",
            _ => bail!("answered {status}: {answer}"),
        });
        self.advance(SignedDuration::ZERO).await
    }

    /// `calendar BR closes 2026-11-24 because "..."`, `opens`, `decides`.
    pub(super) async fn calendar(&mut self, name: &str, words: &[&str]) -> Result<()> {
        let [verb, day, "because", why] = words else {
            bail!("expected: calendar NAME closes DAY because \"...\"")
        };
        let state = match *verb {
            "closes" => "closed",
            "opens" => "open",
            "decides" => "default",
            other => bail!("{other} is not what a calendar does: closes, opens or decides"),
        };
        let order = json!({"state": state, "first": day, "why": why});
        let (status, answer) = self.post(&format!("/v1/calendars/{name}/days"), &order).await?;
        ensure!(status == 200, "answered {status}: {answer}");
        self.advance(SignedDuration::ZERO).await
    }

    /// The scope as text and for the API, and the words behind it.
    fn scope<'w>(&self, words: &'w [&'w str]) -> Result<(String, Value, &'w [&'w str])> {
        Ok(match words {
            ["all", rest @ ..] => ("all".to_owned(), json!({"scope": "all"}), rest),
            ["sender", name, rest @ ..] => {
                let number = self.sender_named(name)?.e164();
                (format!("sender {name}"), json!({"scope": "sender", "sender": number}), rest)
            }
            ["person", name, rest @ ..] => {
                let number = self.consumer_named(name)?.e164();
                (format!("person {name}"), json!({"scope": "person", "consumer": number}), rest)
            }
            _ => bail!("expected: all, sender NAME or person NAME"),
        })
    }
}
