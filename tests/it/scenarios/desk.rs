//! What is previewed, suppressed and reported in a scenario.

use anyhow::{Context as _, Result, bail, ensure};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::runner::Runner;
use super::words;

impl Runner {
    /// `offer c1 is accepted by client:alice`, `offer c1 is skipped`, `offer c1 is closed`, `offers are shown`; `maria is on
    /// the list house`, `maria is off the list house`; `report outcomes by day is shown`.
    /// Whether the line is one of these.
    pub(super) async fn at_the_desk(&mut self, line: &[&str]) -> Result<bool> {
        match line {
            ["offer", name, "is", "accepted", "by", agent] => {
                self.answer_offer(name, "accept", json!({"agent": agent})).await?;
            }
            ["offer", name, "is", "skipped"] => self.answer_offer(name, "skip", json!({})).await?,
            ["offer", name, "is", "closed"] => self.answer_offer(name, "close", json!({})).await?,
            ["offers", "are", "shown"] => self.show_offers().await?,
            [name, "is", "on", "the", "list", list] => {
                self.suppress("/v1/suppression", name, list).await?;
            }
            [name, "is", "off", "the", "list", list] => {
                self.suppress("/v1/suppression/remove", name, list).await?;
            }
            ["report", report, "by", breakdown, "is", "shown"] => {
                let table = self.get(&format!("/v1/reports/{report}?by={breakdown}")).await?;
                self.show_table(&table);
            }
            ["report", report, "by", breakdown, "of", "campaign", campaign, "is", "shown"] => {
                let id = self.campaign_named(campaign)?;
                let table = self.get(&format!("/v1/reports/{report}?by={breakdown}&campaign={id}")).await?;
                self.show_table(&table);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The words of an order about agents and consent: the field, its value, and the words behind it.
    pub(super) fn option_of_agents<'r, 'w>(
        &self,
        rest: &'r [&'w str],
    ) -> Result<Option<(&'static str, Value, &'r [&'w str])>> {
        let zone = &self.setting()?.zone;
        Ok(Some(match rest {
            ["previewed", more @ ..] => ("preview", json!(true), more),
            ["offered", "for", span, more @ ..] => ("preview_s", json!(words::span(span)?.as_secs()), more),
            ["offered", count, "times", more @ ..] => ("preview_times", json!(count.parse::<u32>()?), more),
            ["else", what, more @ ..] => ("preview_else", json!(what), more),
            ["assigned", agent, more @ ..] => ("assigned_agent", json!(agent), more),
            ["exclusive", "until", date, time, more @ ..] => {
                ("exclusive_until", json!(words::moment(date, time, zone)?), more)
            }
            ["promised", date, time, more @ ..] => {
                ("promised_at", json!(words::moment(date, time, zone)?), more)
            }
            ["consent", "of", date, time, "until", end, end_time, more @ ..] => {
                let (at, ends) = (words::moment(date, time, zone)?, words::moment(end, end_time, zone)?);
                ("consent", json!({"source": "web form", "at": at, "expires_at": ends}), more)
            }
            _ => return Ok(None),
        }))
    }

    async fn answer_offer(&mut self, name: &str, verb: &str, body: Value) -> Result<()> {
        let id = self.callbacks.get(name).with_context(|| format!("there is no callback {name}"))?;
        let (status, answer) = self.post(&format!("/v1/offers/{id}/{verb}"), &body).await?;
        match status {
            200 => {}
            409 => {
                self.transcript.remark(&format!("refused: {}", answer["detail"].as_str().unwrap_or_default()))
            }
            _ => bail!("answered {status}: {answer}"),
        }
        self.advance(SignedDuration::ZERO).await
    }

    async fn show_offers(&mut self) -> Result<()> {
        let page = self.get("/v1/offers").await?;
        let offers = page["offers"].as_array().context("a page has offers")?.clone();
        if offers.is_empty() {
            self.transcript.remark("nothing is offered");
        }
        for offer in offers {
            let id = offer["id"].as_str().unwrap_or_default();
            let known = self.callbacks.iter().find(|(_, known)| known.to_string() == id);
            let name = known.map_or("another callback", |(name, _)| name.as_str()).to_owned();
            self.transcript.remark(&format!(
                "{name} is offered for {} s more, the {}. time",
                offer["left_s"], offer["number"]
            ));
        }
        Ok(())
    }

    async fn suppress(&mut self, path: &str, name: &str, list: &str) -> Result<()> {
        let number = self.consumer_named(name)?.e164();
        let body = match path {
            "/v1/suppression" => json!({"list": list, "consumers": [number], "why": "asked by letter"}),
            _ => json!({"list": list, "consumer": number, "why": "she changed her mind"}),
        };
        let (status, answer) = self.post(path, &body).await?;
        ensure!(status == 200, "answered {status}: {answer}");
        self.advance(SignedDuration::ZERO).await
    }

    /// The rows of a report, without columns that are empty or zero in all of them.
    fn show_table(&mut self, table: &Value) {
        let columns: Vec<String> = table["columns"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|column| column["name"].as_str().map(str::to_owned))
            .collect();
        let says = |row: &Value, column: &String| {
            let value = &row[column.as_str()];
            !value.is_null() && *value != json!(0) && *value != json!(0.0)
        };
        for row in table["rows"].as_array().into_iter().flatten() {
            let of = |column: &String| format!("{column} {}", text(&row[column.as_str()]));
            let told: Vec<String> = columns.iter().filter(|column| says(row, column)).map(of).collect();
            self.transcript.remark(&told.join(", "));
        }
        if table["rows"].as_array().is_none_or(Vec::is_empty) {
            self.transcript.remark("the report has no rows");
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
