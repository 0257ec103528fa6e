//! Passwords: argon2id off the async workers, a bounded number at the same time.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use super::SignIn;
use crate::http::ApiError;
use crate::http::error::FieldError;
use crate::store::PasswordHash;

/// The shortest password, in characters (NIST SP 800-63B-4, section 3.1.1.2, August 2025, for a password alone).
pub const PASSWORD_MIN: usize = 15;
/// The longest password, in bytes.
pub const PASSWORD_MAX: usize = 256;
/// 19 MiB, 2 passes, 1 lane: the second choice of OWASP's *Password Storage Cheat Sheet*, as of November 2026. The
/// parameters are in each hash, so that stronger ones later do not lock anybody out.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A password that cannot be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("expected {PASSWORD_MIN} characters or more, and {PASSWORD_MAX} bytes or fewer")]
    Length,
    #[error("the password cannot be hashed")]
    NotHashed,
}

/// Whether a password is long enough, and not too long.
///
/// # Errors
/// [`PasswordError::Length`].
pub fn is_fit(password: &str) -> Result<(), PasswordError> {
    let fits = password.chars().count() >= PASSWORD_MIN && password.len() <= PASSWORD_MAX;
    if fits { Ok(()) } else { Err(PasswordError::Length) }
}

/// Hashes a new password, which takes some 20 ms and 19 MiB.
///
/// # Errors
/// [`PasswordError`].
pub fn hash_password(password: &str, salt: [u8; 16]) -> Result<PasswordHash, PasswordError> {
    is_fit(password)?;
    let hashed = hasher().hash_password_with_salt(password.as_bytes(), &salt);
    hashed.map(|hash| PasswordHash(hash.to_string())).map_err(|_| PasswordError::NotHashed)
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// What the password of an unknown name is compared with, so that the answer takes as long as for a known one.
static NOBODY: LazyLock<PasswordHash> = LazyLock::new(|| {
    let hashed = hash_password("a password that opens nothing", [0; 16]);
    hashed.unwrap_or_else(|_| PasswordHash(String::new()))
});

impl SignIn {
    /// Whether the password is that of the hash. Without a hash it is wrong, after the same work.
    pub(super) async fn verify(
        &self,
        password: String,
        known: Option<PasswordHash>,
    ) -> Result<bool, ApiError> {
        let Ok(place) = Arc::clone(&self.hashing).acquire_owned().await else { return Ok(false) };
        let work = move || {
            // Kept until the work is done, also if the client has gone meanwhile.
            let _place = place;
            let is_known = known.is_some();
            let hash = known.unwrap_or_else(|| NOBODY.clone());
            let is_right = password.len() <= PASSWORD_MAX
                && hasher().verify_password(password.as_bytes(), &*hash.0).is_ok();
            is_right && is_known
        };
        tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// `person.invalid` if it is too short or too long.
    pub(in crate::http) async fn hash(
        &self,
        password: String,
        salt: [u8; 16],
    ) -> Result<PasswordHash, ApiError> {
        let refused = |error: PasswordError| {
            let fault =
                FieldError { field: "password".into(), code: "field.value", detail: error.to_string() };
            ApiError::fields("person.invalid", vec![fault])
        };
        is_fit(&password).map_err(refused)?;
        let place = Arc::clone(&self.hashing).acquire_owned().await.map_err(ApiError::internal)?;
        let work = move || {
            let _place = place;
            hash_password(&password, salt)
        };
        tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)?.map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_right_or_wrong_and_that_of_nobody_is_wrong() {
        let sign_in = SignIn::default();
        let hash = hash_password("correct horse battery", [1; 16]).unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        let verify =
            |text: &str, known: Option<&PasswordHash>| sign_in.verify(text.to_owned(), known.cloned());
        assert!(verify("correct horse battery", Some(&hash)).await.unwrap());
        assert!(!verify("correct horse batterz", Some(&hash)).await.unwrap());
        assert!(!verify("", Some(&hash)).await.unwrap());
        assert!(!verify("a password that opens nothing", None).await.unwrap());
        assert!(!verify("x", Some(&PasswordHash("x".into()))).await.unwrap());
    }

    #[test]
    fn a_password_has_fifteen_characters_or_more() {
        assert_eq!(is_fit(&"é".repeat(14)), Err(PasswordError::Length));
        assert_eq!(is_fit(&"é".repeat(15)), Ok(()));
        assert_eq!(is_fit(&"a".repeat(256)), Ok(()));
        assert_eq!(is_fit(&"a".repeat(257)), Err(PasswordError::Length));
    }

    #[test]
    fn the_work_for_nobody_is_that_for_somebody() {
        let params = |hash: &PasswordHash| hash.0.split('$').nth(3).map(str::to_owned);
        let known = hash_password("correct horse battery", [1; 16]).unwrap();
        assert_eq!(params(&NOBODY), params(&known));
    }
}
