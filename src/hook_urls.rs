//! Our public URLs for Twilio: documents to fetch, and webhooks.
//!
//! The path has an unguessable token: the id of an attempt or message, and a MAC over it. A token is verified
//! without a read from the store, and no URL has personal data.
//!
//! All of our own URLs and the patterns of their routes are made here, and read here.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::domain::{AttemptId, CallbackId, InviteToken, MessageId};

/// Path prefix of the URLs of an attempt, followed by `/{token}/` and a [`Purpose`].
const CALLS: &str = "/hooks/calls";
/// Path of the webhook for consumers' messages.
pub const MESSAGES: &str = "/hooks/messages";
/// The pattern of the route of our messages' status webhooks.
pub const MESSAGE_STATUS_ROUTE: &str = "/hooks/messages/{token}/status";
/// The pattern of the route of WhatsApp's Cloud API, for the account of an alias.
pub const META_ROUTE: &str = "/hooks/meta/{alias}";
/// The pattern of the route of Messenger, for the page of an alias.
pub const MESSENGER_ROUTE: &str = "/hooks/messenger/{alias}";

const ID: usize = 16;
const MAC: usize = 16;

/// Creates and recognises URLs below one public URL.
#[derive(Clone)]
pub struct HookUrls {
    base: String,
    key: Hmac<Sha256>,
}

/// The purpose of an attempt's URL, which is the last part of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Twilio fetches the attempt's TwiML document.
    Document,
    /// Twilio reports the status of the call that we placed.
    Status,
    /// Twilio reports the status of the leg that the document dialled.
    Leg,
    /// Twilio reports the end of the document's `<Dial>` or `<Enqueue>`.
    Action,
    /// Twilio reports the state of a recording, if the document asks for it.
    Recording,
}

impl Purpose {
    pub const ALL: [Self; 5] = [Self::Document, Self::Status, Self::Leg, Self::Action, Self::Recording];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Status => "status",
            Self::Leg => "leg",
            Self::Action => "action",
            Self::Recording => "recording",
        }
    }

    /// The pattern of the route.
    #[must_use]
    pub const fn route(self) -> &'static str {
        match self {
            Self::Document => "/hooks/calls/{token}/document",
            Self::Status => "/hooks/calls/{token}/status",
            Self::Leg => "/hooks/calls/{token}/leg",
            Self::Action => "/hooks/calls/{token}/action",
            Self::Recording => "/hooks/calls/{token}/recording",
        }
    }
}

/// The URLs that are configured for a sender at its platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderUrls {
    /// For the consumers' messages.
    pub messages: String,
    /// For the document of an inbound call.
    pub calls: String,
    pub call_status: String,
}

impl SenderUrls {
    /// `base` is the public URL.
    #[must_use]
    pub fn below(base: &str) -> Self {
        Self {
            messages: below(base, MESSAGES),
            calls: below(base, Inbound::Document.path()),
            call_status: below(base, Inbound::Status.path()),
        }
    }
}

/// The URL of a path below the public URL, whose spelling is kept.
#[must_use]
pub fn below(base: &str, path: &str) -> String {
    format!("{}{path}", base.trim_end_matches('/'))
}

/// Where the webhooks of a number at WhatsApp's Cloud API go.
#[must_use]
pub fn of_number(base: &str, alias: &str) -> String {
    below(base, &META_ROUTE.replace("{alias}", alias))
}

/// The purpose of a URL for inbound calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inbound {
    /// Twilio fetches the document for the caller.
    Document,
    /// Twilio reports the status of the call, and of the leg that its document dialled.
    Status,
    /// Twilio reports the end of the document's `<Dial>` or `<Enqueue>`.
    Action,
}

impl Inbound {
    /// The path below the public URL.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Document => "/hooks/inbound",
            Self::Status => "/hooks/inbound/status",
            Self::Action => "/hooks/inbound/action",
        }
    }
}

impl FromStr for Purpose {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == word).ok_or(())
    }
}

impl HookUrls {
    /// `base` is the public URL as it is written. `key` is kept in the store, so that URLs created
    /// before a restart stay valid.
    #[must_use]
    pub fn new(base: &str, key: &[u8; 32]) -> Self {
        let key = Hmac::new_from_slice(key).expect("HMAC takes a key of any length");
        Self { base: below(base, ""), key }
    }

    /// The public URL with which all URLs begin.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    #[must_use]
    pub fn attempt(&self, id: AttemptId, purpose: Purpose) -> String {
        format!("{}{CALLS}/{}/{}", self.base, self.token(b'a', id.uuid()), purpose.as_str())
    }

    #[must_use]
    pub fn message(&self, id: MessageId) -> String {
        format!("{}{MESSAGES}/{}/status", self.base, self.message_token(id))
    }

    /// The token that names a message, for platforms that return a text of ours with each report.
    #[must_use]
    pub fn message_token(&self, id: MessageId) -> String {
        self.token(b'm', id.uuid())
    }

    /// The text in the place of the token in an attempt's URL, valid or not; `None` for any other URL.
    #[must_use]
    pub fn token_in(url: &str) -> Option<&str> {
        let (_, rest) = url.split_once(CALLS)?;
        let token = rest.strip_prefix('/')?.split(['/', '?', '#']).next()?;
        (!token.is_empty()).then_some(token)
    }

    /// The URL that was requested, as the platform knows it. Behind a proxy the request does not have its scheme and
    /// host.
    #[must_use]
    pub fn requested(&self, path: &str, query: Option<&str>) -> String {
        let (mark, query) = query.map_or(("", ""), |query| ("?", query));
        [self.base.as_str(), path, mark, query].concat()
    }

    /// The URL for this purpose of an inbound call.
    #[must_use]
    pub fn inbound(&self, purpose: Inbound) -> String {
        format!("{}{}", self.base, purpose.path())
    }

    /// The attempt of a valid token; `None` for any other text.
    #[must_use]
    pub fn attempt_of(&self, token: &str) -> Option<AttemptId> {
        self.verify(b'a', token).map(AttemptId::new)
    }

    /// The message of a valid token; `None` for any other text.
    #[must_use]
    pub fn message_of(&self, token: &str) -> Option<MessageId> {
        self.verify(b'm', token).map(MessageId::new)
    }

    /// The text that stands for an invite in a payload: unguessable, without personal data, and good in a URL as it is.
    #[must_use]
    pub fn invite_token(&self, invite: InviteToken) -> String {
        match invite {
            InviteToken::Message(id) => format!("m{}", self.token(b'i', id.uuid())),
            InviteToken::Callback(id) => format!("c{}", self.token(b'l', id.uuid())),
        }
    }

    /// What a payload stands for, if it is one of ours.
    #[must_use]
    pub fn read_invite(&self, payload: &str) -> Option<InviteToken> {
        let token = payload.get(1..)?;
        match payload.as_bytes().first()? {
            b'm' => self.verify(b'i', token).map(|id| InviteToken::Message(MessageId::new(id))),
            b'c' => self.verify(b'l', token).map(|id| InviteToken::Callback(CallbackId::new(id))),
            _ => None,
        }
    }

    /// The id in a token, whose origin is not verified.
    #[must_use]
    pub fn unverified_id(token: &str) -> Option<Uuid> {
        let mut bytes = [0; ID + MAC];
        let length = URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).ok()?;
        Uuid::from_slice(bytes.get(..length)?.get(..ID)?).ok()
    }

    fn token(&self, kind: u8, id: Uuid) -> String {
        let mut token = [0; ID + MAC];
        token[..ID].copy_from_slice(id.as_bytes());
        token[ID..].copy_from_slice(&self.mac(kind, id.as_bytes()));
        URL_SAFE_NO_PAD.encode(token)
    }

    fn verify(&self, kind: u8, token: &str) -> Option<Uuid> {
        let mut bytes = [0; ID + MAC];
        let length = URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).ok()?;
        let (id, mac) = bytes.split_at(ID);
        let genuine = length == bytes.len() && bool::from(self.mac(kind, id).ct_eq(mac));
        genuine.then(|| Uuid::from_slice(id).ok()).flatten()
    }

    fn mac(&self, kind: u8, id: &[u8]) -> [u8; MAC] {
        let mut mac = self.key.clone();
        mac.update(&[kind]);
        mac.update(id);
        let full = mac.finalize().into_bytes();
        std::array::from_fn(|index| full[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses() -> HookUrls {
        HookUrls::new("https://calls.example.com/ring/", &[7; 32])
    }

    fn token_in(address: &str) -> &str {
        HookUrls::token_in(address).unwrap()
    }

    #[test]
    fn a_token_is_read_from_addresses_of_attempts_only() {
        let id = AttemptId::new(Uuid::from_u128(99));
        for purpose in Purpose::ALL {
            let address = addresses().attempt(id, purpose);
            for end in ["", "?CallSid=CA1", "#rc=3"] {
                let token = HookUrls::token_in(&format!("{address}{end}")).map(str::to_owned);
                assert_eq!(token.and_then(|token| addresses().attempt_of(&token)), Some(id));
            }
        }
        let message = addresses().message(MessageId::new(Uuid::from_u128(99)));
        let inbound = addresses().inbound(Inbound::Status);
        assert_eq!(inbound, "https://calls.example.com/ring/hooks/inbound/status");
        for other in
            [&*message, &inbound, "", "https://x.example/hooks/calls", "https://x.example/hooks/calls/"]
        {
            assert_eq!(HookUrls::token_in(other), None, "{other}");
        }
        assert_eq!(HookUrls::token_in("https://x.example/hooks/calls/forged"), Some("forged"));
    }

    #[test]
    fn every_url_matches_the_pattern_of_its_route() {
        let (attempt, message) = (AttemptId::new(Uuid::from_u128(1)), MessageId::new(Uuid::from_u128(2)));
        let pattern = |url: &str, id: Uuid| {
            let path = url.strip_prefix("https://calls.example.com/ring").unwrap();
            let segments = path.split('/').map(|segment| match HookUrls::unverified_id(segment) {
                Some(found) => {
                    assert_eq!(found, id);
                    "{token}"
                }
                None => segment,
            });
            segments.collect::<Vec<_>>().join("/")
        };
        for purpose in Purpose::ALL {
            assert_eq!(pattern(&addresses().attempt(attempt, purpose), attempt.uuid()), purpose.route());
        }
        assert_eq!(pattern(&addresses().message(message), message.uuid()), MESSAGE_STATUS_ROUTE);
    }

    #[test]
    fn the_spelling_of_the_public_url_is_kept() {
        for (base, url) in [
            ("https://x.test", "https://x.test/hooks/messages"),
            ("https://x.test/", "https://x.test/hooks/messages"),
            ("https://x.test:8443/ring", "https://x.test:8443/ring/hooks/messages"),
            ("https://x.test/ring/", "https://x.test/ring/hooks/messages"),
            ("https://X.Test", "https://X.Test/hooks/messages"),
            ("https://x.test:443/Ring", "https://x.test:443/Ring/hooks/messages"),
            ("HTTPS://x.test", "HTTPS://x.test/hooks/messages"),
        ] {
            assert_eq!(SenderUrls::below(base).messages, url);
            let urls = HookUrls::new(base, &[7; 32]);
            assert_eq!(urls.requested(MESSAGES, None), url);
            assert_eq!(urls.requested(MESSAGES, Some("a=b&c")), format!("{url}?a=b&c"));
            assert_eq!(urls.requested(MESSAGES, Some("")), format!("{url}?"));
        }
    }

    #[test]
    fn a_token_names_its_attempt() {
        let id = AttemptId::new(Uuid::from_u128(99));
        let address = addresses().attempt(id, Purpose::Document);
        assert!(address.starts_with("https://calls.example.com/ring/hooks/calls/"));
        assert!(address.ends_with("/document"));
        assert_eq!(addresses().attempt_of(token_in(&address)), Some(id));
    }

    #[test]
    fn a_token_of_another_kind_or_house_is_worthless() {
        let id = Uuid::from_u128(99);
        let ours = addresses();
        let attempt = ours.attempt(AttemptId::new(id), Purpose::Status);
        assert_eq!(ours.message_of(token_in(&attempt)), None);
        let theirs = HookUrls::new("https://calls.example.com", &[8; 32]);
        assert_eq!(theirs.attempt_of(token_in(&attempt)), None);
    }

    #[test]
    fn a_payload_stands_for_its_invite_and_no_other_text_does() {
        let id = Uuid::from_u128(99);
        let ours = addresses();
        let invites = [InviteToken::Message(MessageId::new(id)), InviteToken::Callback(CallbackId::new(id))];
        for invite in invites {
            let payload = ours.invite_token(invite);
            assert!(
                payload.len() <= 64
                    && payload.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
            );
            assert_eq!(ours.read_invite(&payload), Some(invite));
            let theirs = HookUrls::new("https://calls.example.com", &[8; 32]);
            assert_eq!(theirs.read_invite(&payload), None, "of another key");
            assert_eq!(ours.message_of(&payload[1..]), None, "a payload is no URL's token");
        }
        let [message, callback] = invites.map(|invite| ours.invite_token(invite));
        for text in
            ["", "m", "é", &message[1..], &format!("c{}", &message[1..]), &format!("m{}", &callback[1..])]
        {
            assert_eq!(ours.read_invite(text), None, "{text}");
        }
    }

    #[test]
    fn no_altered_token_passes() {
        let address = addresses().attempt(AttemptId::new(Uuid::from_u128(99)), Purpose::Leg);
        let token = token_in(&address);
        for index in 0..token.len() {
            let mut altered = token.as_bytes().to_vec();
            altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
            assert_eq!(addresses().attempt_of(std::str::from_utf8(&altered).unwrap()), None);
        }
        for text in ["", "x", &token[1..], &format!("{token}A"), "../../etc"] {
            assert_eq!(addresses().attempt_of(text), None);
        }
    }
}
