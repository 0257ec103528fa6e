//! The pools of a scenario: a customer's system tells how many agents there are.

use anyhow::{Result, bail, ensure};
use jiff::SignedDuration;
use serde_json::json;

use super::runner::Runner;
use super::words;

impl Runner {
    /// `pool support has 3 seats for 60s [keeps 1] [wraps up 30s]`, `pool support has 2 free for 60s ...`,
    /// `pool support is removed`, `pool support is shown`.
    pub(super) async fn pool(&mut self, name: &str, words: &[&str]) -> Result<()> {
        let path = format!("/v1/pools/{name}");
        let (count, kind, span, mut rest) = match words {
            ["has", count, kind @ ("seats" | "free"), "for", span, rest @ ..] => (*count, *kind, *span, rest),
            ["is", "removed"] => {
                let (status, answer) = self.delete(&path).await?;
                ensure!(status == 200, "answered {status}: {answer}");
                return self.advance(SignedDuration::ZERO).await;
            }
            ["is", "shown"] => return self.show_pool(&path).await,
            _ => bail!("expected: pool NAME has COUNT seats for SPAN, or has COUNT free for SPAN"),
        };
        let mut body = json!({"valid_for": words::span(span)?.as_secs()});
        body[kind] = count.parse::<u32>()?.into();
        if kind == "free" {
            body["as_of"] = self.simulation_mut()?.daemon_now().to_string().into();
        }
        while !rest.is_empty() {
            rest = match rest {
                ["keeps", count, more @ ..] => {
                    body["headroom"] = count.parse::<u32>()?.into();
                    more
                }
                ["wraps", "up", span, more @ ..] => {
                    body["wrap_up_s"] = words::span(span)?.as_secs().into();
                    more
                }
                other => bail!("{:?} is nothing that a pool has", other.join(" ")),
            };
        }
        let (status, answer) = self.put(&path, &body).await?;
        ensure!(status == 200, "answered {status}: {answer}");
        self.advance(SignedDuration::ZERO).await
    }

    async fn show_pool(&mut self, path: &str) -> Result<()> {
        let pool = self.get(path).await?;
        self.transcript.remark(&format!(
            "{}: {} of its seats in calls, {} in wrap-up, room for {}",
            pool["state"].as_str().unwrap_or_default(),
            pool["in_calls"],
            pool["in_wrap_up"],
            pool["room"]
        ));
        Ok(())
    }
}
