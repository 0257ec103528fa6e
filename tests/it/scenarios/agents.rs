//! What agents do in a scenario: they say what came of a call, and callbacks are made by that or by missed calls.

use anyhow::{Context as _, Result, bail, ensure};
use jiff::SignedDuration;
use ringmaster::domain::OrderKind;
use serde_json::{Value, json};

use super::runner::Runner;
use super::setting::Window;
use super::words;

impl Runner {
    /// `wrap-up c1 as done`, `wrap-up c1 as call_again at DATE TIME, which is c2`, `maria may be called back before DATE
    /// TIME`, and `c1 is made by a call of maria`. Whether the line is one of these.
    pub(super) async fn by_agents(&mut self, line: &[&str]) -> Result<bool> {
        match line {
            ["wrap-up", name, "as", disposition] => {
                self.wrap_up(name, json!({"disposition": disposition})).await?;
            }
            ["wrap-up", name, "as", disposition, "at", date, time, "which", "is", next] => {
                let at = words::moment(date, time, &self.setting()?.zone)?;
                let said = json!({"disposition": disposition, "callback_at": at.to_string()});
                let answer = self.wrap_up(name, said).await?;
                let id = answer["wrap_up"]["follow_up"].as_str().context("it orders a callback")?.to_owned();
                self.knows(next, &id).await?;
            }
            [name, "may", "be", "called", "back", "before", date, time] => {
                let (consumer, sender) = (self.consumer_named(name)?, self.only_sender()?);
                let now = self.simulation()?.now();
                let latest = words::moment(date, time, &self.setting()?.zone)?;
                let callback = format!("a call of {name}");
                let window = Window { callback, sender, consumer, earliest: now, latest, hours: None };
                self.setting()?
                    .windows
                    .lock()
                    .expect("nothing panics while it holds the windows")
                    .push(window);
            }
            [name, "is", "made", "by", "a", "call", "of", consumer] => {
                let number = self.consumer_named(consumer)?.e164();
                let search = json!({"consumer": number, "limit": 1});
                let (status, page) = self.post("/v1/callbacks/search", &search).await?;
                ensure!(status == 200, "answered {status}: {page}");
                let found = &page["callbacks"][0];
                ensure!(found["by_missed_call"] == true, "no missed call made it: {found}");
                let id = found["id"].as_str().context("a callback has an id")?.to_owned();
                self.knows(name, &id).await?;
            }
            ["expect", count, "callbacks", "of", consumer] => {
                let number = self.consumer_named(consumer)?.e164();
                let (_, page) = self.post("/v1/callbacks/search", &json!({"consumer": number})).await?;
                let found = page["callbacks"].as_array().map_or(0, Vec::len);
                ensure!(found == count.parse::<usize>()?, "there are {found}");
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    async fn wrap_up(&mut self, name: &str, said: Value) -> Result<Value> {
        let path = format!("{}/wrap-up", self.path(name)?);
        let (status, answer) = self.post(&path, &said).await?;
        match status {
            200 => {}
            409 | 422 => {
                self.transcript
                    .remark(&format!("refused: {}", answer["detail"].as_str().unwrap_or_default()));
            }
            _ => bail!("answered {status}: {answer}"),
        }
        self.advance(SignedDuration::ZERO).await?;
        Ok(answer)
    }

    /// A callback that the daemon ordered has a name from now on, and its window is told to the oracle.
    async fn knows(&mut self, name: &str, id: &str) -> Result<()> {
        let read = OrderKind::Callback.read_id(id).map_err(|_| anyhow::anyhow!("no id: {id}"))?;
        self.callbacks.insert(name.to_owned(), read);
        let shown = self.get(&format!("/v1/callbacks/{id}")).await?;
        let time = |field: &str| -> Result<jiff::Timestamp> {
            Ok(shown[field].as_str().context("a callback has its times")?.parse()?)
        };
        let number = |value: &Value| -> Result<ringmaster::domain::Phone> {
            Ok(ringmaster::domain::Phone::parse(value.as_str().context("it has numbers")?)?)
        };
        let window = Window {
            callback: name.to_owned(),
            sender: number(&shown["senders"][0])?,
            consumer: number(&shown["consumer"])?,
            earliest: time("earliest")?,
            latest: time("latest")?,
            hours: None,
        };
        self.setting()?.windows.lock().expect("nothing panics while it holds the windows").push(window);
        Ok(())
    }
}
