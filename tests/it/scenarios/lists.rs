//! Lists of a scenario, which are checked and imported into campaigns, and people who are erased.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail, ensure};
use axum::body::Body;
use http::Request;
use jiff::SignedDuration;
use ringmaster::domain::{Country, Scope, Scopes};
use ringmaster::http::auth;
use ringmaster::import::{Options, Rows};
use ringmaster::store::Token;
use serde_json::{Map, Value, json};

use super::runner::Runner;
use super::words;

/// The country of numbers without a calling code.
const COUNTRY: &str = "BR";

impl Runner {
    /// `list spring has "phone;reference"`, `list spring is checked for campaign spring before DATE TIME`, `list spring is
    /// imported into campaign spring before DATE TIME`; `maria is erased`, `maria is exported`.
    /// Whether the line is one of these.
    pub(super) async fn on_a_list(&mut self, line: &[&str]) -> Result<bool> {
        match line {
            ["list", name, "has", row] => {
                let row = self.with_numbers(row);
                let list = self.lists.entry((*name).to_owned()).or_default();
                writeln!(list, "{row}")?;
            }
            ["list", name, "is", "checked", "for", "campaign", campaign, "before", date, time] => {
                self.check_list(name, campaign, (date, time)).await?;
            }
            ["list", name, "is", "imported", "into", "campaign", campaign, "before", date, time] => {
                self.import(name, campaign, (date, time)).await?;
            }
            [name, "is", "erased"] => self.erase(name).await?,
            [name, "is", "exported"] => self.export(name).await?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The row with the number of each consumer that it names: `{ana}`, or `{local ana}` without the calling code.
    fn with_numbers(&self, row: &str) -> String {
        self.consumers.iter().fold(row.to_owned(), |row, (name, number)| {
            let whole = number.e164();
            let local = whole.trim_start_matches("+55").to_owned();
            row.replace(&format!("{{{name}}}"), &whole).replace(&format!("{{local {name}}}"), &local)
        })
    }

    fn list_named(&self, name: &str) -> Result<String> {
        self.lists.get(name).cloned().with_context(|| format!("there is no list {name}"))
    }

    /// What all orders of a list have.
    fn defaults(&self, campaign: &str, (date, time): (&str, &str)) -> Result<Map<String, Value>> {
        let latest = words::moment(date, time, &self.setting()?.zone)?;
        let defaults = json!({
            "campaign": self.campaign_named(campaign)?, "senders": [self.only_sender()?.e164()],
            "latest": latest.to_string(), "document": "message",
            "variables": {"message": "Your contract ends in May."},
        });
        Ok(defaults.as_object().context("an object")?.clone())
    }

    /// Reads the list as `ringmaster import --dry-run` does, and tells what would become of its rows.
    async fn check_list(&mut self, name: &str, campaign: &str, before: (&str, &str)) -> Result<()> {
        let list = self.list_named(name)?;
        let defaults = self.defaults(campaign, before)?;
        let options = Options { default_country: Country::parse(COUNTRY), defaults, ..Options::default() };
        let (mut orders, mut rows, mut refused) = (String::new(), Vec::new(), Vec::new());
        for row in Rows::open(list.as_bytes(), options)? {
            let row = row?;
            match row.order {
                Ok(order) => {
                    writeln!(orders, "{order}")?;
                    rows.push(row.number);
                }
                Err(faults) => {
                    let codes = faults.into_iter().map(|fault| fault.code.to_string());
                    refused.extend(codes.map(|code| (row.number, code)));
                }
            }
        }
        let (status, found) = self.send("/v1/imports/check", "application/x-ndjson", orders).await?;
        ensure!(status == 200, "answered {status}: {found}");
        // The check numbers the orders that it got.
        let row_of = |number: &Value| {
            let place = number.as_u64().and_then(|number| usize::try_from(number).ok())?.checked_sub(1)?;
            rows.get(place).copied()
        };
        let total = rows.len() + refused.len();
        for fault in found["refused"].as_array().into_iter().flatten() {
            let row = row_of(&fault["row"]).context("a row of the list")?;
            refused.push((row, fault["code"].as_str().unwrap_or_default().to_owned()));
        }
        refused.sort();
        self.transcript.remark(&format!("{} of {total} rows would be ordered", found["good"]));
        for (row, code) in refused {
            self.transcript.remark(&format!("row {row} is refused: {code}"));
        }
        for finding in found["findings"].as_array().into_iter().flatten() {
            let of = finding["rows"].as_array().into_iter().flatten().filter_map(row_of);
            let of: Vec<String> = of.map(|row| row.to_string()).collect();
            let (check, code) = (&finding["check"], &finding["code"]);
            let [check, code] = [check, code].map(|word| word.as_str().unwrap_or_default().to_owned());
            self.transcript.remark(&format!("{check} {code}: rows {}", of.join(", ")));
        }
        Ok(())
    }

    /// Sends the list in two parts, and names its callbacks after the list and the consumer.
    async fn import(&mut self, name: &str, campaign: &str, before: (&str, &str)) -> Result<()> {
        let list = self.list_named(name)?;
        let mut defaults = self.defaults(campaign, before)?;
        let campaign_id = defaults.remove("campaign").context("a campaign")?;
        let begin = json!({"name": name, "campaign": campaign_id, "default_country": COUNTRY,
            "defaults": defaults, "size": list.len()});
        let (status, begun) = self.post("/v1/imports", &begin).await?;
        ensure!(matches!(status, 200 | 201), "answered {status}: {begun}");
        let done = match begun["state"].as_str() {
            Some("complete") => {
                self.transcript.remark("it is imported already");
                begun
            }
            _ => self.send_list(begun["id"].as_str().context("an import has an id")?, &list).await?,
        };
        self.transcript.remark(&format!("{} of {} rows are ordered", done["accepted"], done["rows"]));
        for fault in done["refused"].as_array().into_iter().flatten() {
            let rows: Vec<String> =
                fault["rows"].as_array().into_iter().flatten().map(Value::to_string).collect();
            let code = fault["code"].as_str().unwrap_or_default();
            self.transcript.remark(&format!("refused: {code}, rows {}", rows.join(", ")));
        }
        let id = campaign_id.as_str().unwrap_or_default().to_owned();
        let listed = self.get(&format!("/v1/callbacks?campaign={id}")).await?;
        for row in listed["callbacks"].as_array().into_iter().flatten() {
            self.takes_over(name, row)?;
        }
        self.advance(SignedDuration::ZERO).await
    }

    /// Sends a list in two parts, the first of which ends within a row.
    async fn send_list(&mut self, id: &str, list: &str) -> Result<Value> {
        let middle = list.len() / 2;
        for (offset, part) in [(0, &list[..middle]), (middle, &list[middle..])] {
            let path = format!("/v1/imports/{id}/parts?offset={offset}");
            let (status, answer) = self.send_part(&path, part.to_owned()).await?;
            ensure!(status == 200, "answered {status}: {answer}");
        }
        let (status, done) = self.post(&format!("/v1/imports/{id}/complete"), &json!({})).await?;
        ensure!(status == 200, "answered {status}: {done}");
        Ok(done)
    }

    async fn erase(&mut self, name: &str) -> Result<()> {
        let body = json!({"consumer": self.consumer_named(name)?.e164(), "why": "asked by letter"});
        let (status, begun) = self.as_admin("/v1/consumers/erase", &body).await?;
        ensure!(matches!(status, 200 | 202), "answered {status}: {begun}");
        self.advance(SignedDuration::from_secs(10)).await?;
        let id = begun["id"].as_str().context("an erasure has an id")?;
        let done = self.get(&format!("/v1/erasures/{id}")).await?;
        let erased = done["erased"].as_object().context("an erasure tells what it erased")?;
        let is_some = |count: &Value| count.as_u64().is_some_and(|count| count > 0);
        let counts = erased.iter().filter(|(_, count)| is_some(count));
        let counts: Vec<String> = counts.map(|(what, count)| format!("{what} {count}")).collect();
        let state = done["state"].as_str().unwrap_or_default();
        self.transcript.remark(&format!("it is {state}; erased are {}", counts.join(", ")));
        let held = &done["held_elsewhere"]["total"];
        self.transcript.remark(&format!("the platform has held {held} calls and messages"));
        Ok(())
    }

    /// Tells what is known of a person.
    async fn export(&mut self, name: &str) -> Result<()> {
        let body = json!({"consumer": self.consumer_named(name)?.e164()});
        let (status, record) = self.as_admin("/v1/consumers/export", &body).await?;
        match status {
            200 => {}
            404 => {
                self.transcript.remark("nothing is known of the person");
                return Ok(());
            }
            _ => bail!("answered {status}: {record}"),
        }
        let count = |what: &str| record[what].as_array().map_or(0, Vec::len);
        let lists = record["suppression"].as_array().into_iter().flatten();
        let lists: Vec<&str> = lists.filter_map(|entry| entry["list"].as_str()).collect();
        self.transcript.remark(&format!(
            "{} orders and {} permissions are known; lists: {}",
            count("orders"),
            count("permissions"),
            if lists.is_empty() { "none".to_owned() } else { lists.join(", ") }
        ));
        Ok(())
    }

    /// Sends a request with a token that may erase and export people.
    async fn as_admin(&mut self, path: &str, body: &Value) -> Result<(u16, Value)> {
        let (secret, hash) = auth::new_token([8; 32]);
        let scopes = Scopes::from_iter([Scope::Admin, Scope::Supervise, Scope::Reveal]);
        let simulation = self.simulation()?;
        let token = Token { scopes, ..Token::new("privacy", hash, simulation.now()) };
        // It may be there from an earlier line.
        _ = simulation.store.create_token(token).await;
        let usual = std::mem::replace(&mut self.token, secret);
        let answer = self.post(path, body).await;
        self.token = usual;
        answer
    }

    async fn send(&mut self, path: &str, kind: &str, body: String) -> Result<(u16, Value)> {
        self.tell(Request::post(path).header("content-type", kind), Body::from(body)).await
    }

    async fn send_part(&mut self, path: &str, body: String) -> Result<(u16, Value)> {
        self.tell(Request::put(path).header("content-type", "application/octet-stream"), Body::from(body))
            .await
    }
}
