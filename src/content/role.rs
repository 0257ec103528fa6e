//! The content that a sender names: what it must be for its role, and which version of it is used.

use strum::IntoStaticStr;

use super::canonical::{name_in, version};
use super::declaration::{ActionKind, Declaration, Provider};
use super::held::{Held, Status};
use super::plan::versions;
use super::road::misplaced;

/// What a sender uses content for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr)]
pub enum Role {
    /// Asks for the call permission inside the service window.
    #[strum(serialize = "permission_request_content")]
    Request,
    /// Asks for it at any time.
    #[strum(serialize = "permission_request_template")]
    Template,
    /// Invites the consumer to call, at any time.
    #[strum(serialize = "invite_content")]
    Invite,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Request, Self::Template, Self::Invite];

    /// The key of a sender that names the content.
    #[must_use]
    pub fn key(self) -> &'static str {
        self.into()
    }

    /// Unapproved content leaves in the service window only.
    #[must_use]
    pub const fn needs_approval(self) -> bool {
        match self {
            Self::Request => false,
            Self::Template | Self::Invite => true,
        }
    }

    const fn action(self) -> ActionKind {
        match self {
            Self::Request | Self::Template => ActionKind::VoiceCallRequest,
            Self::Invite => ActionKind::VoiceCall,
        }
    }

    /// Why a declaration does not fit the role, without a subject.
    #[must_use]
    pub fn misfit(self, declaration: &Declaration) -> Option<String> {
        if let Some(why) = misplaced(declaration, Provider::Twilio) {
            return Some(why);
        }
        if !declaration.has(self.action()) {
            return Some(format!("has no {} action", self.action().as_str()));
        }
        if self.needs_approval() && !declaration.seeks_approval() {
            return Some(
                "is sent outside the service window too and needs approval = \"whatsapp\"".to_owned(),
            );
        }
        None
    }

    /// What is allowed and probably not meant.
    #[must_use]
    pub fn doubt(self, declaration: &Declaration) -> Option<String> {
        let is_shown = self != Self::Request || declaration.seeks_approval();
        (is_shown && !declaration.variables.is_empty())
            .then(|| "has variables, so every order has to give their values".to_owned())
    }

    /// The content to use for a name: the declared version if it may be sent, else the newest other version that may.
    /// Without a declaration every version counts.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn choose(
        self,
        name: &str,
        declared: Option<&Declaration>,
        held: &[Held],
    ) -> Result<Chosen, Unusable> {
        let current: Vec<&Held> =
            declared.map(|declared| versions(held, &version(declared))).unwrap_or_default();
        if let Some(found) = current.iter().find(|held| self.may_send(held)) {
            return Ok(Chosen::new(found, false));
        }
        let mut others: Vec<&Held> =
            held.iter().filter(|held| name_in(&held.friendly_name) == Some(name)).collect();
        others.sort_by_key(|held| (held.created_at, held.sid.clone()));
        if let Some(found) = others.iter().rev().find(|held| self.may_send(held)) {
            return Ok(Chosen::new(found, declared.is_some()));
        }
        let shown = current.first().or(others.last());
        Err(shown.map_or(Unusable::Missing, |held| Unusable::of(held)))
    }

    fn may_send(self, held: &Held) -> bool {
        match held.review.status {
            Status::Approved | Status::Paused => true,
            Status::Rejected | Status::Disabled => false,
            Status::Unsubmitted | Status::Received | Status::Pending | Status::Other(_) => {
                !self.needs_approval()
            }
        }
    }
}

/// The content that a sender uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    pub sid: String,
    /// Its friendly name.
    pub version: String,
    /// The declared version cannot be sent yet.
    pub is_older: bool,
    /// WhatsApp has paused it for some hours.
    pub is_paused: bool,
}

impl Chosen {
    fn new(held: &Held, is_older: bool) -> Self {
        Self {
            sid: held.sid.clone(),
            version: held.friendly_name.clone(),
            is_older,
            is_paused: held.review.status == Status::Paused,
        }
    }
}

/// Why no version of a name can be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("is not there: ringmaster content apply creates it")]
    Missing,
    #[error("was rejected by WhatsApp: {0}")]
    Rejected(String),
    #[error("was disabled by WhatsApp")]
    Disabled,
    #[error("was not submitted for approval: ringmaster content apply submits it")]
    Unsubmitted,
    #[error("is not approved yet (it is {0}): ringmaster content status --wait follows it")]
    InReview(String),
    #[error("shows something else than the declaration: somebody else changed it")]
    Altered,
}

impl Unusable {
    fn of(held: &Held) -> Self {
        match &held.review.status {
            Status::Rejected => {
                Self::Rejected(held.review.reason.clone().unwrap_or_else(|| "no reason given".to_owned()))
            }
            Status::Disabled => Self::Disabled,
            Status::Unsubmitted => Self::Unsubmitted,
            other => Self::InReview(other.as_str().to_owned()),
        }
    }
}
