//! TwiML applications: the document and the status callback of the calls that consumers place to a sender.

use jiff::Timestamp;
use serde::Deserialize;

use super::client::{Client, Page, Service, pair, with_query};
use super::json::{self, accepted, is_sid};
use super::outcome::{Created, Error};
use super::transport::Body;

/// A TwiML application at Twilio, without what concerns SMS.
#[derive(Debug, Clone, Deserialize)]
pub struct Application {
    pub sid: String,
    #[serde(default, deserialize_with = "json::word")]
    pub friendly_name: String,
    #[serde(default, deserialize_with = "json::word")]
    pub voice_url: String,
    #[serde(default, deserialize_with = "json::word")]
    pub voice_method: String,
    #[serde(default, deserialize_with = "json::word")]
    pub status_callback: String,
    #[serde(default, deserialize_with = "json::word")]
    pub status_callback_method: String,
    #[serde(default, deserialize_with = "json::date")]
    pub date_created: Option<Timestamp>,
}

/// A TwiML application to create. Both requests are POSTs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApplication {
    /// At most 64 characters.
    pub friendly_name: String,
    pub voice_url: String,
    pub status_callback: String,
}

/// The account itself.
#[derive(Debug, Clone, Deserialize)]
pub struct AccountState {
    /// `active`, `suspended` or `closed`.
    #[serde(default, deserialize_with = "json::word")]
    pub status: String,
    /// `Trial` or `Full`.
    #[serde(default, rename = "type", deserialize_with = "json::word")]
    pub kind: String,
}

impl Client {
    /// The account of the credentials.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the credentials are refused, among others.
    pub async fn fetch_account(&self) -> Result<AccountState, Error> {
        let path = format!("/2010-04-01/Accounts/{}.json", self.account_sid());
        self.read(Service::Api, &path).await
    }

    /// # Errors
    /// [`Error::NotFound`] among others.
    pub async fn fetch_application(&self, sid: &str) -> Result<Application, Error> {
        if !is_sid(sid, &["AP"]) {
            return Err(Error::NotFound);
        }
        self.read(Service::Api, &self.account_path(&format!("Applications/{sid}.json"))).await
    }

    /// The applications with exactly this name.
    ///
    /// # Errors
    /// [`Error`]; an incomplete list is an error.
    pub async fn applications_named(&self, name: &str) -> Result<Vec<Application>, Error> {
        let query = [("FriendlyName", name.to_owned()), ("PageSize", "1000".to_owned())];
        let path = with_query(&self.account_path("Applications.json"), &query);
        let named = |application: &Application| application.friendly_name == name;
        self.list::<ApplicationPage, Application>(Service::Api, path, |found| Some(found).filter(named)).await
    }

    /// Deletes an application. Twilio shows its SID at the senders that had it all the same.
    ///
    /// # Errors
    /// [`Error::NotFound`] among others.
    pub async fn delete_application(&self, sid: &str) -> Result<(), Error> {
        if !is_sid(sid, &["AP"]) {
            return Err(Error::NotFound);
        }
        self.remove(Service::Api, &self.account_path(&format!("Applications/{sid}.json"))).await
    }

    /// Creates an application, once. Twilio allows several with the same name.
    pub async fn create_application(&self, new: &NewApplication) -> Created<Application> {
        let form = vec![
            pair("FriendlyName", &*new.friendly_name),
            pair("VoiceUrl", &*new.voice_url),
            pair("VoiceMethod", "POST"),
            pair("StatusCallback", &*new.status_callback),
            pair("StatusCallbackMethod", "POST"),
        ];
        let path = self.account_path("Applications.json");
        self.create(Service::Api, &path, Body::Form(form), |body| accepted(body, &["AP"])).await
    }
}

#[derive(Deserialize)]
struct ApplicationPage {
    applications: Vec<Application>,
    #[serde(default)]
    next_page_uri: Option<String>,
}

impl Page for ApplicationPage {
    type Item = Application;

    fn split(self) -> (Vec<Application>, Option<String>) {
        (self.applications, self.next_page_uri)
    }
}
