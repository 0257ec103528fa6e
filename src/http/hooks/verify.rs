//! Verifies that a request is from Twilio, and for which account. The parameters are decoded once, for the
//! signature and for the handler.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use http_body_util::LengthLimitError;
use serde_json::Value;

use super::Hooks;
use super::alarm::Alarm;
use super::claim::{Claim, Subject};
use crate::domain::{AccountAlias, AttemptId, Event, MessageId, Phone};
use crate::store::{self, Report};
use crate::twilio::forms::{self, Form, FormError};
use crate::twilio::signature::{
    Key, Payload, SETTINGS_HEADER, SIGNATURE_HEADER, SignatureError, Signed, Verifier,
};

/// The longest body. Twilio's forms are much shorter: the longest message has 1600 characters.
const BODY_MAX: usize = 64 << 10;

/// How long the body may take to arrive. Twilio gives up after 15 s.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The signing secrets of each account.
#[derive(Default)]
pub struct HookKeys {
    signers: HashMap<String, Signer>,
    pub(super) alarm: Alarm,
}

struct Signer {
    /// Has one name, unless the operator configured an account twice.
    aliases: Vec<AccountAlias>,
    verifier: Verifier,
}

impl HookKeys {
    /// Accounts by SID, each with its name and keys.
    #[must_use]
    pub fn new(accounts: impl IntoIterator<Item = (String, AccountAlias, Vec<Key>)>) -> Self {
        let mut collected: BTreeMap<String, (Vec<AccountAlias>, Vec<Key>)> = BTreeMap::new();
        for (sid, alias, keys) in accounts {
            let (aliases, all) = collected.entry(sid).or_default();
            aliases.push(alias);
            all.extend(keys);
        }
        let signers = collected
            .into_iter()
            .map(|(sid, (aliases, keys))| (sid, Signer { aliases, verifier: Verifier::new(keys) }));
        Self { signers: signers.collect(), alarm: Alarm::default() }
    }
}

/// Why a request is refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The body is incomplete.
    Cut,
    TooLarge,
    /// The body did not arrive in time.
    TooSlow,
    /// Neither a form nor JSON.
    MediaType,
    Signature(SignatureError),
    /// The account is not configured.
    UnknownAccount,
    /// The token in the URL is not valid.
    UnknownToken,
    /// The sender is not configured, or belongs to another account.
    ForeignSender,
    /// The request is about another call or message than its URL.
    ForeignCall,
    /// The request is from Twilio and cannot be understood.
    Unreadable(FormError),
    Store(store::Error),
}

impl Refusal {
    /// The label for metrics.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::MediaType => "media_type",
            Self::Signature(SignatureError::Missing) => "unsigned",
            Self::Signature(_) => "signature",
            Self::UnknownAccount => "account",
            Self::UnknownToken => "token",
            Self::ForeignSender => "sender",
            Self::ForeignCall => "call",
            Self::Unreadable(_) => "unreadable",
            Self::Store(_) => "store",
        }
    }

    /// Whether the signature was valid, so that the request is from Twilio.
    pub(super) const fn is_signed(&self) -> bool {
        matches!(
            self,
            Self::UnknownToken
                | Self::ForeignSender
                | Self::ForeignCall
                | Self::Unreadable(_)
                | Self::Store(_)
        )
    }

    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::Cut | Self::Signature(SignatureError::Missing) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Signature(_) | Self::UnknownAccount | Self::ForeignSender | Self::ForeignCall => {
                StatusCode::FORBIDDEN
            }
            Self::UnknownToken => StatusCode::NOT_FOUND,
            Self::Unreadable(_) => StatusCode::NO_CONTENT,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<FormError> for Refusal {
    fn from(fault: FormError) -> Self {
        Self::Unreadable(fault)
    }
}

/// A request with its body.
pub(super) struct Delivery {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Delivery {
    pub(super) async fn receive(request: Request) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        // Do not wait for the body of an unsigned request.
        if !parts.headers.contains_key(SIGNATURE_HEADER) {
            return Err(Refusal::Signature(SignatureError::Missing));
        }
        // Nor for a body that is longer than it may be.
        let declared =
            parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length: u64| length > BODY_MAX as u64) {
            return Err(Refusal::TooLarge);
        }
        let read = tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, BODY_MAX));
        let body = read.await.map_err(|_elapsed| Refusal::TooSlow)?.map_err(|error| {
            let too_large = error.into_inner().downcast_ref::<LengthLimitError>().is_some();
            if too_large { Refusal::TooLarge } else { Refusal::Cut }
        })?;
        Ok(Self { method: parts.method, uri: parts.uri, headers: parts.headers, body })
    }

    /// The request is verified with the keys of the account that it names.
    pub(super) fn verify<'a>(&'a self, hooks: &'a Hooks) -> Result<Verified<'a>, Refusal> {
        let query = self.uri.query().unwrap_or_default();
        let kind = self.payload_kind()?;
        let form = match kind {
            PayloadKind::Query => Form::parse(query.as_bytes()),
            PayloadKind::Form => Form::parse(&self.body),
            PayloadKind::Json => json(&self.body),
        };
        let signer = form.get("AccountSid").and_then(|sid| hooks.keys.signers.get(sid));
        let signer = signer.ok_or(Refusal::UnknownAccount)?;
        let url = hooks.hook_urls.requested(self.uri.path(), self.uri.query());
        let signed = Signed {
            url: &url,
            payload: match kind {
                PayloadKind::Query => Payload::None,
                PayloadKind::Form => Payload::Form(form.pairs()),
                PayloadKind::Json => Payload::Raw(&self.body),
            },
            signature: self.header(SIGNATURE_HEADER),
            settings: self.header(SETTINGS_HEADER),
        };
        signer.verifier.verify(&signed).map_err(Refusal::Signature)?;
        Ok(Verified { hooks, delivery: self, signer, form })
    }

    fn payload_kind(&self) -> Result<PayloadKind, Refusal> {
        if self.method != Method::POST || self.body.is_empty() {
            return Ok(PayloadKind::Query);
        }
        let media_type = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Ok(PayloadKind::Form)
        } else if media_type.eq_ignore_ascii_case("application/json") {
            Ok(PayloadKind::Json)
        } else {
            Err(Refusal::MediaType)
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

#[derive(Clone, Copy)]
enum PayloadKind {
    /// The parameters are in the URL.
    Query,
    Form,
    Json,
}

/// The parameters of a JSON body: the strings and numbers of its object. No webhook is documented to have
/// one, but Twilio's signatures support it.
fn json(body: &[u8]) -> Form<'_> {
    let object: BTreeMap<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    let pairs = object.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((Cow::Owned(name), Cow::Owned(text))),
        Value::Number(number) => Some((Cow::Owned(name), Cow::Owned(number.to_string()))),
        _ => None,
    });
    pairs.collect()
}

/// A request with a valid signature of a configured account.
pub(super) struct Verified<'a> {
    hooks: &'a Hooks,
    delivery: &'a Delivery,
    signer: &'a Signer,
    pub(super) form: Form<'a>,
}

impl Verified<'_> {
    pub(super) fn report(&self, event: Event) -> Report {
        Report {
            key: forms::dedupe_key(self.delivery.uri.path(), &event, &self.form),
            received_at: self.hooks.clock.now(),
            event,
        }
    }

    pub(super) fn attempt(&self, token: &str) -> Result<AttemptId, Refusal> {
        self.check_ends()?;
        self.hooks.hook_urls.attempt_of(token).ok_or(Refusal::UnknownToken)
    }

    pub(super) fn message(&self, token: &str) -> Result<MessageId, Refusal> {
        self.check_ends()?;
        self.hooks.hook_urls.message_of(token).ok_or(Refusal::UnknownToken)
    }

    /// For requests that are not about an attempt or message of ours.
    pub(super) fn check_sender(&self, number: Phone) -> Result<(), Refusal> {
        match self.hooks.directory.sender(number) {
            Some(sender) if self.signed_by(&sender.account) => Ok(()),
            _ => Err(Refusal::ForeignSender),
        }
    }

    pub(super) fn signed_by(&self, account: &AccountAlias) -> bool {
        self.signer.aliases.contains(account)
    }

    /// The call or message that the request names, to be compared with the record.
    pub(super) fn claim(&self, subject: Subject) -> Claim {
        Claim { subject, signed_by: self.signer.aliases.clone() }
    }

    /// The call that we placed for the attempt: the parent, if the request is about the leg that it dialled.
    pub(super) fn call_of(&self, attempt: AttemptId) -> Subject {
        let sid = self.form.get("ParentCallSid").or_else(|| self.form.get("CallSid")).unwrap_or_default();
        Subject::Call { attempt, sid: sid.to_owned() }
    }

    /// The SID that the request is about, which may be logged.
    pub(super) fn about(&self) -> &str {
        let sid = self.form.get("CallSid").or_else(|| self.form.get("MessageSid")).unwrap_or_default();
        let digits = sid.get(2..).unwrap_or_default();
        let known = digits.len() == 32 && sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if known { sid } else { "unnamed" }
    }

    /// Checks that every sender at either end belongs to the signing account, and that one end is a sender. A
    /// leg to an agent has a client or a SIP address at one end and may have no sender.
    fn check_ends(&self) -> Result<(), Refusal> {
        let (mut ours, mut strangers) = (false, 0_u8);
        for end in ["From", "To"] {
            let Some(number) = forms::address(&self.form, end).and_then(|address| address.phone()) else {
                continue;
            };
            match self.hooks.directory.sender(number) {
                Some(sender) if self.signed_by(&sender.account) => ours = true,
                Some(_) => return Err(Refusal::ForeignSender),
                None => strangers = strangers.saturating_add(1),
            }
        }
        if ours || strangers < 2 { Ok(()) } else { Err(Refusal::ForeignSender) }
    }
}
