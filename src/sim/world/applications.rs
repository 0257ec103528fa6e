//! Voice applications: the document and the status callback of consumers' calls.

use serde_json::{Value, json};

use super::World;
use super::listing::Page;
use super::rest::{Asked, Served};
use super::state::Application;
use super::wire::{ApiResponse, Refusal, rfc2822};

impl World {
    pub(super) fn keep_application(&mut self, application: Application) -> usize {
        let id = self.applications.len();
        self.accounts[application.account].applications.push(id);
        self.applications.push(application);
        id
    }

    pub(super) fn create_application(&mut self, asked: &Asked<'_>) -> ApiResponse {
        let text = |name| asked.form.value(name).map(ToOwned::to_owned);
        let application = Application {
            sid: self.sid("AP"),
            account: asked.account,
            friendly_name: text("FriendlyName").unwrap_or_default(),
            voice_url: text("VoiceUrl"),
            status_callback: text("StatusCallback"),
            created: self.now,
            deleted: false,
        };
        let id = self.keep_application(application);
        ApiResponse::json(201, &self.application_resource(id))
    }

    pub(super) fn list_applications(&self, asked: &Asked<'_>) -> ApiResponse {
        let own = &self.accounts[asked.account].applications;
        let mut page = Page::asked(&asked.query, 50, own.len());
        let named = asked.query.value("FriendlyName");
        let picked = page.pick(own, |id| {
            let application = &self.applications[id];
            !application.deleted && named.is_none_or(|name| application.friendly_name == name)
        });
        let items = picked.into_iter().map(|id| self.application_resource(id)).collect();
        page.v2010(asked, "applications", items)
    }

    pub(super) fn fetch_application(&self, asked: &Asked<'_>, sid: &str) -> Served {
        Ok(ApiResponse::json(200, &self.application_resource(self.own_application(asked, sid)?)))
    }

    pub(super) fn update_application(&mut self, asked: &Asked<'_>, sid: &str) -> Served {
        let id = self.own_application(asked, sid)?;
        for (name, value) in asked.form.pairs() {
            let text = Some(value.clone()).filter(|value| !value.is_empty());
            let application = &mut self.applications[id];
            match name.as_str() {
                "FriendlyName" => application.friendly_name = text.unwrap_or_default(),
                "VoiceUrl" => application.voice_url = text,
                "StatusCallback" => application.status_callback = text,
                _ => {}
            }
        }
        Ok(ApiResponse::json(200, &self.application_resource(id)))
    }

    /// Its SID stays on the senders that have it.
    pub(super) fn delete_application(&mut self, asked: &Asked<'_>, sid: &str) -> Served {
        let id = self.own_application(asked, sid)?;
        self.applications[id].deleted = true;
        Ok(ApiResponse::empty(204))
    }

    fn own_application(&self, asked: &Asked<'_>, sid: &str) -> Result<usize, Refusal> {
        let own = &self.accounts[asked.account].applications;
        let mut own = own.iter().copied();
        own.find(|&id| self.applications[id].sid == sid && !self.applications[id].deleted)
            .ok_or_else(|| asked.not_found())
    }

    fn application_resource(&self, id: usize) -> Value {
        let application = &self.applications[id];
        let account = &self.accounts[application.account].sid;
        json!({
            "sid": application.sid,
            "account_sid": account,
            "friendly_name": application.friendly_name,
            "api_version": "2010-04-01",
            "voice_url": application.voice_url,
            "voice_method": "POST",
            "voice_fallback_url": null,
            "voice_fallback_method": "POST",
            "voice_caller_id_lookup": false,
            "status_callback": application.status_callback,
            "status_callback_method": "POST",
            "sms_url": null,
            "sms_method": "POST",
            "sms_fallback_url": null,
            "sms_fallback_method": "POST",
            "sms_status_callback": null,
            "message_status_callback": null,
            "public_application_connect_enabled": false,
            "date_created": rfc2822(application.created),
            "date_updated": rfc2822(application.created),
            "uri": format!("/2010-04-01/Accounts/{account}/Applications/{}.json", application.sid),
        })
    }
}
