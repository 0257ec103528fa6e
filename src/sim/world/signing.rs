//! The headers of webhooks: each platform signs its own.

use std::borrow::Cow;

use secrecy::SecretString;

use super::World;
use super::wire::{Method, Origin, Webhook};
use crate::meta::signature;
use crate::twilio::signature::{Key, Payload};

impl World {
    /// The headers that the platform sends with this webhook, the signature among them. Meta does not sign the check of
    /// a URL.
    #[must_use]
    pub fn headers(&self, webhook: &Webhook) -> Vec<(&'static str, String)> {
        match webhook.origin {
            Origin::Twilio => self.twilios_headers(webhook),
            Origin::Meta => {
                let mut headers = vec![("user-agent", "facebookexternalua".to_owned())];
                if webhook.method == Method::Post {
                    let secret = self.graph.secret(&webhook.account).unwrap_or_default();
                    let signed = signature::sign(&SecretString::from(secret), webhook.json.as_bytes());
                    headers.push(("x-hub-signature-256", signed));
                }
                headers
            }
        }
    }

    fn twilios_headers(&self, webhook: &Webhook) -> Vec<(&'static str, String)> {
        let account = self.account_ids.get(&webhook.account);
        let token = account.map_or("", |&id| self.accounts[id].auth_token.as_str());
        let form: Vec<_> = webhook.params.iter().map(|(k, v)| (Cow::from(k), Cow::from(v))).collect();
        let payload = if form.is_empty() { Payload::None } else { Payload::Form(&form) };
        vec![
            ("x-twilio-signature", Key::auth_token(&SecretString::from(token)).sign(&webhook.url, payload)),
            ("i-twilio-idempotency-token", webhook.idempotency_token.clone()),
            ("x-home-region", "us1".to_owned()),
            ("user-agent", "TwilioProxy/1.1".to_owned()),
            ("accept", "*/*".to_owned()),
        ]
    }
}
