//! Monitor alerts: they have the error code of a call if its status callback had none.

use jiff::Timestamp;
use serde::Deserialize;

use super::client::{Client, Meta, Page, Service, with_query};
use super::json;
use super::outcome::Error;

/// One error or warning, without its text, which is an encoded form that can have phone numbers.
#[derive(Debug, Clone, Deserialize)]
pub struct Alert {
    #[serde(default, deserialize_with = "json::text")]
    pub sid: Option<String>,
    /// The SID of its call or message.
    #[serde(default, deserialize_with = "json::text")]
    pub resource_sid: Option<String>,
    #[serde(default, deserialize_with = "json::number")]
    pub error_code: Option<u32>,
    /// `error`, `warning`, `notice` or `debug`.
    #[serde(default, deserialize_with = "json::text")]
    pub log_level: Option<String>,
    #[serde(default, deserialize_with = "json::date")]
    pub date_created: Option<Timestamp>,
}

impl Client {
    /// The alerts about one call or message. Twilio cannot filter by it, so the time limits the work. Twilio stores
    /// alerts for 30 days.
    ///
    /// # Errors
    /// [`Error`]; an incomplete list is an error.
    pub async fn alerts_about(
        &self,
        resource_sid: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Alert>, Error> {
        let about = |alert: &Alert| alert.resource_sid.as_deref() == Some(resource_sid);
        let path = between(from, until);
        self.list::<AlertPage, Alert>(Service::Monitor, path, |alert| Some(alert).filter(about)).await
    }

    /// All alerts of a time. Twilio stores them for 30 days.
    ///
    /// # Errors
    /// [`Error`]; an incomplete list is an error.
    pub async fn alerts_between(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Alert>, Error> {
        self.list::<AlertPage, Alert>(Service::Monitor, between(from, until), Some).await
    }
}

fn between(from: Timestamp, until: Timestamp) -> String {
    let date = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let query = [("StartDate", date(from)), ("EndDate", date(until)), ("PageSize", "1000".to_owned())];
    with_query("/v1/Alerts", &query)
}

#[derive(Deserialize)]
struct AlertPage {
    alerts: Vec<Alert>,
    #[serde(default)]
    meta: Meta,
}

impl Page for AlertPage {
    type Item = Alert;

    fn split(self) -> (Vec<Alert>, Option<String>) {
        (self.alerts, self.meta.next_page_url)
    }
}
