//! The campaigns of a scenario, which are created, launched, paused and ended.

use anyhow::{Context as _, Result, bail, ensure};
use jiff::SignedDuration;
use ringmaster::domain::Phone;
use serde_json::{Value, json};

use super::runner::Runner;
use super::words;

impl Runner {
    /// `campaign spring is created [calls at once COUNT]`, `... [calls per minute COUNT]`, `... [weight COUNT]`, `... [abandoning at most 3 percent of 100]`,
    /// `... [failing at most 50 percent of 20]`, `... is launched`, `... is declared ready`,
    /// `... is paused because "..." [until DATE TIME]`, `... is resumed`, `... drains`, `... is canceled`.
    pub(super) async fn campaign(&mut self, name: &str, words: &[&str]) -> Result<()> {
        if let ["is", "created", more @ ..] = words {
            let mut body = json!({"name": name});
            match more {
                [] => {}
                ["calls", "at", "once", count] => body["concurrent_calls_max"] = count.parse::<u32>()?.into(),
                ["weight", weight] => body["weight"] = weight.parse::<u32>()?.into(),
                ["calls", "per", "minute", count] => body["calls_per_minute"] = count.parse::<u32>()?.into(),
                ["abandoning", "at", "most", percent, "percent", "of", least] => {
                    let (percent, least) = (percent.parse::<u8>()?, least.parse::<u32>()?);
                    body["breaker"] = json!({"abandoned_percent_max": percent, "abandoned_of_min": least});
                }
                ["failing", "at", "most", percent, "percent", "of", least] => {
                    let (percent, least) = (percent.parse::<u8>()?, least.parse::<u32>()?);
                    body["breaker"] = json!({"failed_percent_max": percent, "failed_of_min": least});
                }
                _ => bail!(
                    "expected: calls at once COUNT, or abandoning or failing at most P percent of COUNT"
                ),
            }
            let (status, answer) = self.post("/v1/campaigns", &body).await?;
            ensure!(status == 200, "answered {status}: {answer}");
            let id = answer["id"].as_str().context("a campaign has an id")?.to_owned();
            self.campaigns.insert(name.to_owned(), id);
            return Ok(());
        }
        if let ["follows", first, "before", date, time] = words {
            return self.follow(name, first, (date, time)).await;
        }
        let (act, body) = match words {
            ["has", "weight", weight] => ("change", json!({"weight": weight.parse::<u32>()?})),
            ["is", "launched"] => ("launch", json!({})),
            ["is", "declared", "ready"] => ("ready", json!({})),
            ["is", "paused", "because", why] => ("pause", json!({"why": why})),
            ["is", "paused", "because", why, "until", date, time] => {
                let until = words::moment(date, time, &self.setting()?.zone)?;
                ("pause", json!({"why": why, "until": until.to_string()}))
            }
            ["is", "resumed"] => ("resume", json!({})),
            ["drains"] => ("drain", json!({})),
            ["is", "canceled"] => ("cancel", json!({})),
            _ => bail!("{:?} is nothing that a campaign does", words.join(" ")),
        };
        let path = format!("/v1/campaigns/{}/{act}", self.campaign_named(name)?);
        let (status, answer) = self.post(&path, &body).await?;
        self.transcript.remark(&match status {
            200 => format!("it is {}", answer["state"].as_str().unwrap_or_default()),
            409 => format!("refused: {}", answer["detail"].as_str().unwrap_or_default()),
            _ => bail!("answered {status}: {answer}"),
        });
        self.advance(SignedDuration::ZERO).await
    }

    /// `campaign again follows spring before DATE TIME`.
    async fn follow(&mut self, name: &str, first: &str, (date, time): (&str, &str)) -> Result<()> {
        let latest = words::moment(date, time, &self.setting()?.zone)?;
        let path = format!("/v1/campaigns/{}/follow-up", self.campaign_named(first)?);
        let (status, answer) = self.post(&path, &json!({"latest": latest.to_string(), "name": name})).await?;
        ensure!(status == 200, "answered {status}: {answer}");
        let id = answer["id"].as_str().context("a campaign has an id")?.to_owned();
        self.advance(SignedDuration::ZERO).await?;
        let shown = self.get(&format!("/v1/campaigns/{id}")).await?;
        let follow_up = &shown["follow_up"];
        self.transcript
            .remark(&format!("{} are taken over, {} left out", follow_up["made"], follow_up["left_out"]));
        // Its callbacks are named after the first ones.
        let listed = self.get(&format!("/v1/callbacks?campaign={id}")).await?;
        for row in listed["callbacks"].as_array().into_iter().flatten() {
            self.takes_over(name, row)?;
        }
        self.campaigns.insert(name.to_owned(), id);
        Ok(())
    }

    /// Names a callback that a campaign took over by the campaign and the consumer, and registers its window.
    pub(super) fn takes_over(&mut self, campaign: &str, row: &Value) -> Result<()> {
        let number = Phone::parse(row["consumer"].as_str().context("a consumer")?)?;
        let known = self.consumers.iter().find(|(_, phone)| *phone == number);
        let name = format!("{campaign}-{}", known.context("a consumer of the script")?.0);
        let body = row.as_object().context("a callback")?.clone();
        for sender in row["senders"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.note_window(&name, Phone::parse(sender)?, number, &body)?;
        }
        self.callbacks.insert(name, row["id"].as_str().context("an id")?.parse()?);
        Ok(())
    }

    /// `expect campaign spring running with 3 open`.
    pub(super) async fn expect_campaign(&mut self, name: &str, state: &str, open: &str) -> Result<()> {
        let path = format!("/v1/campaigns/{}", self.campaign_named(name)?);
        let shown = self.get(&path).await?;
        let found = (shown["state"].as_str().unwrap_or_default(), shown["open"].as_u64());
        ensure!(found == (state, Some(open.parse()?)), "{name} is {shown}");
        Ok(())
    }

    pub(super) fn campaign_named(&self, name: &str) -> Result<String> {
        self.campaigns.get(name).cloned().with_context(|| format!("there is no campaign {name}"))
    }
}
