//! The signature of an ID token (RFC 7515, RFC 7518). Only RS256 and ES256 are taken, which providers sign with; the
//! algorithm has to fit the key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

/// The keys of a provider (RFC 7517).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Keys {
    keys: Vec<Key>,
}

#[derive(Debug, Clone, Deserialize)]
struct Key {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    r#use: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// Extensions that must be understood; none are.
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Malformed,
    /// None of the keys is that of the token. They may have changed.
    UnknownKey,
    Signature,
}

/// The payload of a token, if one of the keys signed it.
pub(super) fn verified(token: &str, keys: &Keys) -> Result<Vec<u8>, Wrong> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Wrong::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(Wrong::Malformed)?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Wrong::Malformed);
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Wrong::Malformed)?;
    let (payload, signature) = (decode(payload)?, decode(signature)?);
    if header.crit.is_some() {
        return Err(Wrong::Malformed);
    }
    let fits = |key: &&Key| {
        key.r#use.as_deref().is_none_or(|purpose| purpose == "sig")
            && (header.kid.is_none() || key.kid == header.kid)
            && key.kty == if header.alg == "ES256" { "EC" } else { "RSA" }
    };
    let mut known = keys.keys.iter().filter(fits);
    let key = known.next().ok_or(Wrong::UnknownKey)?;
    if known.next().is_some() {
        return Err(Wrong::UnknownKey);
    }
    let is_right = match header.alg.as_str() {
        "RS256" => is_rs256(key, signed.as_bytes(), &signature),
        "ES256" => is_es256(key, signed.as_bytes(), &signature),
        _ => return Err(Wrong::Malformed),
    };
    if is_right.unwrap_or(false) { Ok(payload) } else { Err(Wrong::Signature) }
}

fn number(text: Option<&String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?).ok()
}

fn is_rs256(key: &Key, signed: &[u8], signature: &[u8]) -> Option<bool> {
    let (n, e) = (number(key.n.as_ref())?, number(key.e.as_ref())?);
    let key = RsaPublicKeyComponents { n, e };
    Some(key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok())
}

fn is_es256(key: &Key, signed: &[u8], signature: &[u8]) -> Option<bool> {
    let (x, y) = (number(key.x.as_ref())?, number(key.y.as_ref())?);
    if key.crv.as_deref() != Some("P-256") || x.len() != 32 || y.len() != 32 {
        return None;
    }
    let point = [&[4_u8][..], &x, &y].concat();
    Some(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature).is_ok())
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use serde_json::json;

    use super::*;

    fn key() -> (EcdsaKeyPair, Keys) {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        let point = pair.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "1", "use": "sig", "x": x, "y": y}]});
        (pair, serde_json::from_value(keys).unwrap())
    }

    fn token(pair: &EcdsaKeyPair, header: &serde_json::Value) -> String {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(r#"{"sub":"17"}"#)
        );
        let signature = pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn only_what_a_known_key_signed_is_read() {
        let (pair, keys) = key();
        let (_, others) = key();
        let right = token(&pair, &json!({"alg": "ES256", "kid": "1"}));
        assert_eq!(verified(&right, &keys), Ok(br#"{"sub":"17"}"#.to_vec()));
        assert_eq!(verified(&right, &others), Err(Wrong::Signature));
        let other_kid = token(&pair, &json!({"alg": "ES256", "kid": "2"}));
        assert_eq!(verified(&other_kid, &keys), Err(Wrong::UnknownKey));
    }

    #[test]
    fn another_algorithm_than_that_of_the_key_is_refused() {
        let (pair, keys) = key();
        for alg in ["none", "HS256", "RS256", "ES384", ""] {
            let given = token(&pair, &json!({"alg": alg, "kid": "1"}));
            assert!(verified(&given, &keys).is_err(), "{alg}");
        }
        let critical = token(&pair, &json!({"alg": "ES256", "kid": "1", "crit": ["b64"]}));
        assert_eq!(verified(&critical, &keys), Err(Wrong::Malformed));
    }

    #[test]
    fn a_changed_payload_or_a_missing_signature_is_refused() {
        let (pair, keys) = key();
        let right = token(&pair, &json!({"alg": "ES256", "kid": "1"}));
        let parts: Vec<&str> = right.split('.').collect();
        let other = URL_SAFE_NO_PAD.encode(r#"{"sub":"18"}"#);
        assert_eq!(verified(&format!("{}.{other}.{}", parts[0], parts[2]), &keys), Err(Wrong::Signature));
        assert_eq!(verified(&format!("{}.{}.", parts[0], parts[1]), &keys), Err(Wrong::Signature));
        for malformed in ["", ".", "..", "a.b", "a.b.c"] {
            assert_eq!(verified(malformed, &keys), Err(Wrong::Malformed), "{malformed}");
        }
    }
}
