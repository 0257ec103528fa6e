//! Signatures of Twilio's own libraries, and the changes that must invalidate them.

use proptest::prelude::*;

use super::*;

const U: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
const P: &[(&str, &str)] = &[
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
];
const REASONS: &[(&str, &str)] = &[
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
    ("Reason", "Participant"),
    ("ReasonConferenceEnded", "test"),
];
const BODY: &[u8] = br#"{"property": "value", "boolean": true}"#;
const BODY_HASH: &str = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";

enum Carries {
    Form(&'static [(&'static str, &'static str)]),
    Json,
    Nothing,
}

use Carries::{Form, Json, Nothing};

/// URL, payload, and signature with the token `12345`.
const VECTORS: [(&str, Carries, &str); 23] = [
    (U, Form(P), "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    ("https://mycompany.com:443/myapp.php?foo=1&bar=2", Form(P), "kvajT1Ptam85bY51eRf/AJRuM3w="),
    ("http://mycompany.com:80/myapp.php?foo=1&bar=2", Form(P), "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", Form(P), "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    (
        U,
        Form(&[
            ("Sid", "CA123"),
            ("SidAccount", "AC123"),
            ("Digits", "5678"),
            ("Digits", "1234"),
            ("Digits", "1234"),
        ]),
        "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
    ),
    (
        "https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620",
        Json,
        "a9nBmqA0ju/hNViExpshrM61xv4=",
    ),
    (
        "https://mycompany.com/myapp.php?bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620",
        Json,
        "y77kIzt2vzLz71DgmJGsen2scGs=",
    ),
    (U, Nothing, "zYQTYrRWXE7LtzbG4PfP7/bkkGo="),
    ("https://mycompany.com/myapp.php", Form(P), "1xaxFBvyzXYvWplzNOSs28HWO94="),
    (
        "https://mycompany.com/myapp.php?foo=1&bar=2&type=thiswontbeusedinthesignaturegeneratorandsoshouldbeignored",
        Form(P),
        "hYkNsTBttoNGkyCS0p+wWmQoRTg=",
    ),
    (
        "https://mycompany.com/myapp.php?foo=hello%20world&bar=test%2Bvalue",
        Form(P),
        "er2tvAP1Wx+iuTTE2BPgvEaN1cs=",
    ),
    (
        U,
        Form(&[
            ("Message", "Hello & goodbye! @#$%^*()"),
            ("From", "+1 (415) 867-5309"),
            ("Special", "unicode: ñáéíóú"),
        ]),
        "dCPiR4WtQ6QFN6pJh81CtlCcWLQ=",
    ),
    (
        U,
        Form(&[("Digits", ""), ("CallSid", "CA1234567890ABCDE"), ("EmptyParam", "")]),
        "9HHp/OqQMEwdrVebHDdA/+tqjX8=",
    ),
    (
        U,
        Form(&[("Digits", ""), ("CallSid", "CA1234567890ABCDE"), ("NullParam", "")]),
        "L9lTTwIlxM1xGAtLRwhOSZggRhM=",
    ),
    (
        U,
        Form(&[("Zebra", "last"), ("Alpha", "first"), ("Beta", "second"), ("Gamma", "third")]),
        "enveUe73ZTVLAekHxez3Qx6JuuQ=",
    ),
    (
        U,
        Form(&[("callSid", "lowercase"), ("CallSid", "uppercase"), ("CALLSID", "allcaps")]),
        "jDK7WKT8wiNrwggd4ceTv4e1MJ4=",
    ),
    ("https://mycompany.com/webhook/España?año=2023", Form(P), "G/Hx6mqqnjUNlPAoi2Sp9bGst0g="),
    ("https://mycompany.com:443//myapp.php?foo=1&bar=2", Form(P), "A9lH3u16NjyiiM/+wylw5rirFUs="),
    ("https://user:pass@mycompany.com:443/myapp.php?foo=1&bar=2", Form(P), "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI="),
    ("https://user@mycompany.com:443/myapp.php?foo=1&bar=2", Form(P), "aZfj4hyX1MLZhSS6QIL18Vn2/RA="),
    (U, Form(REASONS), "vOEb5UThFn24KEfnOFLQY2AE5FY="),
    ("http://mycompany.com/myapp.php?foo=1&bar=2", Form(REASONS), "n2xBNyzSW7rfYStDtOFiFMv7qNo="),
    (U, Form(&[("property", "value"), ("boolean", "true")]), "NBdBDr/T/lgjI+tlgpXjKZQZs/k="),
];

fn token(text: &str) -> Key {
    Key::auth_token(&text.to_owned().into())
}

fn verifier() -> Verifier {
    Verifier::new(vec![token("12345")])
}

fn pairs<'a>(plain: &[(&'a str, &'a str)]) -> Vec<Pair<'a>> {
    plain.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn check(verifier: &Verifier, url: &str, carries: &Carries, signature: &str) -> Result<(), SignatureError> {
    let form = if let Form(plain) = carries { pairs(plain) } else { Vec::new() };
    let payload = match carries {
        Form(_) => Payload::Form(&form),
        Json => Payload::Raw(BODY),
        Nothing => Payload::None,
    };
    verifier.verify(&Signed { url, payload, signature: Some(signature), settings: None })
}

#[test]
fn every_published_signature_is_accepted_and_created() {
    for (url, carries, signature) in &VECTORS {
        assert_eq!(check(&verifier(), url, carries, signature), Ok(()), "{url} {signature}");
        let form = if let Form(plain) = carries { pairs(plain) } else { Vec::new() };
        assert_eq!(token("12345").sign(url, Payload::Form(&form)), *signature, "{url}");
    }
}

#[test]
fn a_signature_made_with_the_wrong_order_is_refused() {
    let wrong = "95+Bu0JVPi0r/SsESZCVf0dWAjw=";
    assert_eq!(check(&verifier(), U, &Form(REASONS), wrong), Err(SignatureError::Mismatch));
}

#[test]
fn the_port_may_be_signed_or_left_out() {
    for (received, signature) in [
        ("https://mycompany.com/myapp.php?foo=1&bar=2", "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("https://mycompany.com:443/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("https://mycompany.com:1234/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("http://mycompany.com/myapp.php?foo=1&bar=2", "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ] {
        assert_eq!(check(&verifier(), received, &Form(P), signature), Ok(()), "{received}");
    }
    let another_port = "http://mycompany.com:1235/myapp.php?foo=1&bar=2";
    let signed_1234 = "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=";
    assert_eq!(check(&verifier(), another_port, &Form(P), signed_1234), Err(SignatureError::Mismatch));
}

#[test]
fn the_port_of_a_url_is_found_after_user_names_and_brackets() {
    for (url, other) in [
        ("https://a.example/x:y", "https://a.example:443/x:y"),
        ("http://a.example?x=1", "http://a.example:80?x=1"),
        ("https://u:p@a.example/", "https://u:p@a.example:443/"),
        ("https://u:p@a.example:8443/", "https://u:p@a.example/"),
        ("https://[::1]/", "https://[::1]:443/"),
        ("https://[::1]:8443/", "https://[::1]/"),
    ] {
        assert_eq!(other_port(url).map(|pieces| pieces.concat()).as_deref(), Some(other));
    }
}

#[test]
fn a_fragment_is_not_signed() {
    let url = format!("{U}#rc=3&rp=ct,rt");
    assert_eq!(check(&verifier(), &url, &Form(P), "RSOYDt4T1cUTdK1PDd93/VVr8B8="), Ok(()));
}

#[test]
fn a_body_must_have_the_digest_in_its_url() {
    let key = token("12345");
    let verify = |url: &str, body: &[u8]| {
        let signature = key.sign(url, Payload::Raw(body));
        verifier().verify(&Signed {
            url,
            payload: Payload::Raw(body),
            signature: Some(&signature),
            settings: None,
        })
    };
    let url = with_body_digest(U, BODY);
    assert_eq!(url, format!("{U}&bodySHA256={BODY_HASH}"));
    assert_eq!(verify(&url, BODY), Ok(()));
    assert_eq!(verify(&url, b"{}"), Err(SignatureError::BodyMismatch));
    assert_eq!(verify(U, BODY), Err(SignatureError::BodyMismatch), "a body without a digest is not covered");
    assert_eq!(verify(&with_body_digest("https://a.example/x", b""), b""), Ok(()));
}

#[test]
fn the_old_and_the_new_token_are_both_accepted_during_a_rotation() {
    let both = Verifier::new(vec![token("new"), token("12345")]);
    assert_eq!(check(&both, U, &Form(P), "RSOYDt4T1cUTdK1PDd93/VVr8B8="), Ok(()));
    let new = Verifier::new(vec![token("new")]);
    assert_eq!(check(&new, U, &Form(P), "RSOYDt4T1cUTdK1PDd93/VVr8B8="), Err(SignatureError::Mismatch));
}

#[test]
fn a_shared_key_signs_with_its_own_secret_and_algorithm() {
    let shared = Key::shared(Some("webhooks_sharedkey_1".into()), &"s3cret".to_owned().into());
    let form = pairs(P);
    let signature = shared.sign(U, Payload::Form(&form));
    let settings = shared.settings();
    let verify = |keys: Vec<Key>, settings: Option<&str>| {
        let payload = Payload::Form(&form);
        Verifier::new(keys).verify(&Signed { url: U, payload, signature: Some(&signature), settings })
    };
    let both = vec![token("12345"), shared.clone()];
    assert_eq!(verify(both.clone(), settings.as_deref()), Ok(()));
    assert_eq!(
        verify(both.clone(), None),
        Err(SignatureError::Mismatch),
        "without the header the auth token signed"
    );
    assert_eq!(verify(vec![token("s3cret")], settings.as_deref()), Err(SignatureError::UnknownKey));
    let other = "key=webhooks_sharedkey_2,algorithm=HMAC_SHA256";
    assert_eq!(verify(both.clone(), Some(other)), Err(SignatureError::UnknownKey));
    let strange = "key=webhooks_sharedkey_1,algorithm=NONE";
    assert_eq!(verify(both, Some(strange)), Err(SignatureError::UnknownAlgorithm));
}

#[test]
fn an_absent_or_unreadable_signature_is_refused() {
    for (signature, error) in [
        (None, SignatureError::Missing),
        (Some(""), SignatureError::Missing),
        (Some("not base64"), SignatureError::Mismatch),
        (Some("RSOYDt4T"), SignatureError::Mismatch),
        (Some("RSOYDt4T1cUTdK1PDd93/VVr8B8"), SignatureError::Mismatch),
        (Some(&"A".repeat(1024)), SignatureError::Mismatch),
    ] {
        let form = pairs(P);
        let signed = Signed { url: U, payload: Payload::Form(&form), signature, settings: None };
        assert_eq!(verifier().verify(&signed), Err(error), "{signature:?}");
    }
}

proptest! {
    #[test]
    fn signed_parameters_are_accepted_in_any_order_and_nothing_else_is(
        plain in prop::collection::vec(("[A-Za-z]{1,8}", "[ -~é]{0,12}"), 1..12),
        path in "[a-z]{1,10}",
        at in any::<prop::sample::Index>(),
        rotated in any::<prop::sample::Index>(),
    ) {
        let url = format!("https://hooks.example.com/{path}");
        let form: Vec<Pair<'_>> =
            plain.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect();
        let signature = token("12345").sign(&url, Payload::Form(&form));
        let verify = |url: &str, form: &[Pair<'_>]| {
            let payload = Payload::Form(form);
            verifier().verify(&Signed { url, payload, signature: Some(&signature), settings: None }).is_ok()
        };
        let mut turned = form.clone();
        turned.rotate_left(rotated.index(form.len()));
        prop_assert!(verify(&url, &turned));
        let longer = format!("{url}x");
        prop_assert!(!verify(&longer, &form), "a changed address");

        let at = at.index(form.len());
        let mut changed = form.clone();
        changed[at].1 = format!("{}!", changed[at].1).into();
        prop_assert!(!verify(&url, &changed), "a changed value");
        let mut changed = form.clone();
        changed[at].0 = format!("_{}", changed[at].0).into();
        prop_assert!(!verify(&url, &changed), "a changed name");
        let mut changed = form;
        changed.push(("zzzzzzzzz".into(), "1".into()));
        prop_assert!(!verify(&url, &changed), "an added parameter");
    }
}
