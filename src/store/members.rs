//! The port `Members`: the people who sign in, and their sessions.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{AuditEntry, Result};
use crate::domain::{Bounds, Role, Tenant, Way, is_name_of_person};

/// The people who sign in, and their sessions. Each change carries its entry of the audit log, which is written in the same
/// transaction, and only if something changed.
#[async_trait]
pub trait Members: Send + Sync {
    /// Stores a new person; `false` if there is one of that name. The name of a removed person can be used again, and
    /// nothing of the former one comes back.
    async fn add_member(&self, member: Member, entry: AuditEntry) -> Result<bool>;

    /// The people who may sign in, by name.
    async fn members(&self) -> Result<Vec<Member>>;

    async fn member(&self, name: &str) -> Result<Option<Member>>;

    /// The person of a subject at an issuer of `OpenID` Connect.
    async fn member_of_subject(&self, subject: &OidcSubject) -> Result<Option<Member>>;

    /// Changes a person. All sessions of the person end if the password or the rights change.
    async fn change_member(
        &self,
        name: &str,
        change: MemberChange,
        entry: AuditEntry,
    ) -> Result<MemberChanged>;

    /// Removes a person with all sessions. The name stays in the audit log.
    async fn remove_member(&self, name: &str, entry: AuditEntry) -> Result<MemberChanged>;

    /// Begins a session; the session with the hash `instead` ends. At most [`Session::MAX`] of a person are kept, so that
    /// the oldest one ends. `false` if the person was removed meanwhile.
    async fn begin_session(
        &self,
        session: Session,
        instead: Option<[u8; 32]>,
        entry: AuditEntry,
    ) -> Result<bool>;

    /// A session with its person, as they are stored after this call.
    async fn session(&self, hash: [u8; 32]) -> Result<Option<(Session, Member)>>;

    /// Notes that a session was used. The caller sees to it that this is rare.
    async fn session_used(&self, hash: [u8; 32], at: Timestamp) -> Result<()>;

    /// Ends a session; `false` if there was none.
    async fn end_session(&self, hash: [u8; 32], entry: AuditEntry) -> Result<bool>;
}

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    pub role: Role,
    /// The person sees the callbacks of this tenant only.
    pub tenant: Tenant,
    pub bounds: Bounds,
    pub password: Option<PasswordHash>,
    /// Who it is at a provider of `OpenID` Connect.
    pub subject: Option<OidcSubject>,
    pub created_at: Timestamp,
}

impl Member {
    /// A person of the default tenant who sees all of it and has no password.
    ///
    /// # Panics
    /// In debug builds, if the name cannot name a person.
    #[must_use]
    pub fn new(name: impl Into<String>, role: Role, created_at: Timestamp) -> Self {
        let name = name.into();
        debug_assert!(is_name_of_person(&name));
        Self {
            name,
            role,
            tenant: Tenant::default(),
            bounds: Bounds::default(),
            password: None,
            subject: None,
            created_at,
        }
    }

    /// The rights of the person as the audit log has them.
    #[must_use]
    pub fn told(&self, has_new_password: bool) -> String {
        let mut text = format!("role {}, tenant {}", self.role, self.tenant);
        for bound in self.bounds.lines() {
            text.push_str(", ");
            text.push_str(&bound);
        }
        if has_new_password {
            text.push_str(", new password");
        }
        text
    }
}

/// A password as argon2id hashed it, in the PHC string format. It is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Who a person is at a provider of `OpenID` Connect: the issuer, and the subject there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcSubject {
    pub issuer: String,
    pub subject: String,
}

/// What changes of a person; `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberChange {
    pub role: Option<Role>,
    pub tenant: Option<Tenant>,
    pub bounds: Option<Bounds>,
    pub password: Option<PasswordHash>,
}

impl MemberChange {
    /// The person after the change.
    #[must_use]
    pub fn of(self, member: Member) -> Member {
        Member {
            role: self.role.unwrap_or(member.role),
            tenant: self.tenant.unwrap_or(member.tenant),
            bounds: self.bounds.unwrap_or(member.bounds),
            password: self.password.or(member.password),
            ..member
        }
    }
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberChanged {
    Changed,
    /// Nobody has this name.
    Unknown,
    /// It would leave nobody with the role admin in the default tenant, so nothing changed.
    LastAdmin,
}

/// A session of a person. The token in the cookie is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the token in the cookie.
    pub hash: [u8; 32],
    pub name: String,
    pub way: Way,
    pub created_at: Timestamp,
    /// To within a minute.
    pub last_used_at: Timestamp,
    /// It ends then, however often it is used.
    pub ends_at: Timestamp,
}

impl Session {
    /// The most sessions of one person.
    pub const MAX: usize = 10;
}
