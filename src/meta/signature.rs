//! The signature of Meta's webhooks: `X-Hub-Signature-256`, HMAC-SHA-256 over the raw body with the app secret.

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

pub const HEADER: &str = "X-Hub-Signature-256";
const PREFIX: &str = "sha256=";
const MAC: usize = 32;

/// Why a request is not Meta's, or not for our app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the header X-Hub-Signature-256 is missing")]
    Missing,
    #[error("the header is not \"sha256=\" and 64 hexadecimal digits")]
    Malformed,
    #[error("the signature is of another app secret or of another body")]
    Wrong,
}

/// # Errors
/// [`SignatureError`]. The comparison takes the same time for every signature.
pub fn verify(secret: &SecretString, header: Option<&str>, body: &[u8]) -> Result<(), SignatureError> {
    let given = header.ok_or(SignatureError::Missing)?;
    let given = given.strip_prefix(PREFIX).and_then(bytes).ok_or(SignatureError::Malformed)?;
    if bool::from(mac(secret, body).ct_eq(&given)) { Ok(()) } else { Err(SignatureError::Wrong) }
}

/// The value of the header for a body.
#[must_use]
pub fn sign(secret: &SecretString, body: &[u8]) -> String {
    let digits = mac(secret, body).map(|byte| format!("{byte:02x}"));
    format!("{PREFIX}{}", digits.concat())
}

fn mac(secret: &SecretString, body: &[u8]) -> [u8; MAC] {
    let key = secret.expose_secret().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(body);
    mac.finalize().into_bytes().into()
}

fn bytes(digits: &str) -> Option<[u8; MAC]> {
    let digits = digits.as_bytes();
    let mut bytes = [0; MAC];
    if digits.len() != MAC.saturating_mul(2) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    const RFC: &str = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    #[test]
    fn the_signature_is_that_of_the_standard() {
        let (key, data) = (SecretString::from("Jefe"), b"what do ya want for nothing?");
        assert_eq!(sign(&key, data), RFC);
        assert_eq!(verify(&key, Some(RFC), data), Ok(()));
        assert_eq!(verify(&key, Some(&RFC.to_uppercase().replace("SHA256", "sha256")), data), Ok(()));
        assert_eq!(verify(&key, Some(RFC), b"what do ya want for nothing!"), Err(SignatureError::Wrong));
        assert_eq!(verify(&SecretString::from("jefe"), Some(RFC), data), Err(SignatureError::Wrong));
        assert_eq!(verify(&key, None, data), Err(SignatureError::Missing));
        for header in
            ["", "sha256=", &RFC[7..], &RFC[..70], "sha1=00", &format!("{RFC}00"), &RFC.replace('5', "g")]
        {
            assert_eq!(verify(&key, Some(header), data), Err(SignatureError::Malformed), "{header}");
        }
    }
}
