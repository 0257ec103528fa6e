//! A URL of the customer that answers with a figure in the form of `PUT /v1/pools/{name}`.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::PoolFigure;
use crate::clock::Clock;
use crate::domain::PoolKey;
use crate::platform::seats::{SeatSource, Told, Unread};
use crate::webhooks::HttpReader;

/// The figure of one pool at a URL.
pub struct UrlSource {
    pub pool: PoolKey,
    pub reader: HttpReader,
    /// Whether the figure is of the future is judged by when it has arrived.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl SeatSource for UrlSource {
    async fn read(&self, _asked_at: Timestamp) -> Result<Told, Unread> {
        let body = self.reader.read().await.map_err(Unread::because)?;
        figure(&self.pool, self.clock.now(), &body)
    }
}

/// The figure in a body that has arrived at `now`.
fn figure(pool: &PoolKey, now: Timestamp, body: &[u8]) -> Result<Told, Unread> {
    let figure: PoolFigure = serde_json::from_slice(body)
        .map_err(|_| Unread::because("its answer is no figure of a pool in JSON"))?;
    let checked = figure.checked(pool.clone(), "url", now, true);
    let pool = checked.map_err(|faults| {
        // Without the moment in the text, which is another one each time.
        let told = |detail: &str| detail.split(": ").next().unwrap_or_default().to_owned();
        let first = faults.first().map(|fault| format!("its field {} {}", fault.field, told(&fault.detail)));
        Unread::because(first.unwrap_or_else(|| "its figure is wrong".to_owned()))
    })?;
    Ok(Told {
        figure: pool.figure,
        as_of: pool.as_of,
        valid_until: pool.valid_until,
        headroom: figure.headroom.map(|_| pool.headroom),
        wrap_up: figure.wrap_up_s.map(|_| pool.wrap_up),
    })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::Figure;

    const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

    fn told(body: &str) -> Result<Told, String> {
        let pool = "default/support".parse().unwrap();
        figure(&pool, NOW, body.as_bytes()).map_err(|unread| unread.to_string())
    }

    #[test]
    fn a_figure_of_a_url_is_that_of_the_api() {
        let seconds = SignedDuration::from_secs;
        let seats = told(r#"{"seats": 4, "valid_for": 30}"#).unwrap();
        let plain = Told {
            figure: Figure::Seats(4),
            as_of: NOW,
            valid_until: NOW + seconds(30),
            headroom: None,
            wrap_up: None,
        };
        assert_eq!(seats, plain);
        let as_of = NOW - seconds(10);
        let text =
            format!(r#"{{"free": 0, "as_of": "{as_of}", "valid_for": 30, "headroom": 2, "wrap_up_s": 15}}"#);
        let free = Told {
            figure: Figure::Free(0),
            as_of,
            valid_until: NOW + seconds(20),
            headroom: Some(2),
            wrap_up: Some(seconds(15)),
        };
        assert_eq!(told(&text).unwrap(), free);
    }

    #[test]
    fn whatever_is_wrong_is_no_figure() {
        for (body, why) in [
            ("", "no figure"),
            ("[]", "no figure"),
            (r#"{"seats": 4, "valid_for": 30, "agents": 3}"#, "no figure"),
            (r#"{"seats": 4}"#, "valid_for"),
            (r#"{"seats": 4, "valid_for": 121}"#, "valid_for"),
            (r#"{"free": 4, "valid_for": 30, "as_of": "2099-01-01T00:00:00Z"}"#, "as_of"),
        ] {
            let unread = told(body).unwrap_err();
            assert!(unread.contains(why), "{body}: {unread}");
        }
    }
}
