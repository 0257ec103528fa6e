//! What the claims of an ID token say of a person, and which role they give.

use std::str::FromStr;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::OidcSettings;
use crate::domain::{Role, Tenant, is_name_of_person};
use crate::http::ApiError;

/// How far our clock and that of the provider may differ, in seconds.
const SKEW_S: i64 = 60;
/// The longest subject (`OpenID` Connect Core 1.0, section 2).
const SUBJECT_MAX: usize = 255;

/// A value of the claim and the role that it gives: `VALUE=ROLE`, or `VALUE=ROLE@TENANT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleOfClaim {
    pub value: String,
    pub role: Role,
    pub tenant: Tenant,
}

impl FromStr for RoleOfClaim {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected VALUE=ROLE or VALUE=ROLE@TENANT, such as \"floor=supervisor\"".to_owned();
        let (value, role) =
            text.rsplit_once('=').filter(|(value, _)| !value.is_empty()).ok_or_else(expected)?;
        let (role, tenant) = role.split_once('@').unwrap_or((role, Tenant::DEFAULT));
        Ok(Self {
            value: value.to_owned(),
            role: role.parse().map_err(|_| expected())?,
            tenant: tenant.parse().map_err(|_| expected())?,
        })
    }
}

/// Whom an ID token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub issuer: String,
    pub subject: String,
    /// The name as it may be used here, before it is known whether another has it.
    pub name: String,
    /// The strongest role of the claim's values; `None` if none of them is configured.
    pub role: Option<RoleOfClaim>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Value,
    #[serde(default)]
    azp: Option<String>,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nonce: String,
    #[serde(default)]
    preferred_username: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    email_verified: Option<Value>,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

/// Reads the claims of a token whose signature is right (`OpenID` Connect Core 1.0, section 3.1.3.7).
pub(super) fn read(
    settings: &OidcSettings,
    payload: &[u8],
    nonce: &str,
    now: Timestamp,
) -> Result<Claimed, ApiError> {
    let refused = |detail: &str| ApiError::new("sign_in.refused", format!("the ID token {detail}"));
    let claims: Claims =
        serde_json::from_slice(payload).map_err(|_| refused("has not the claims that it must have"))?;
    if claims.iss != settings.issuer {
        return Err(refused("is of another issuer"));
    }
    let audience: Vec<&str> = strings(&claims.aud);
    let is_ours = audience.contains(&settings.client_id.as_str())
        && claims.azp.as_ref().map_or(audience.len() == 1, |party| *party == settings.client_id);
    if !is_ours {
        return Err(refused("is for another client"));
    }
    let now = now.as_second();
    if claims.exp.saturating_add(SKEW_S) <= now || claims.iat.saturating_sub(SKEW_S) > now {
        return Err(refused("has expired, or is of the future"));
    }
    if claims.nonce != nonce {
        return Err(refused("belongs to another sign-in"));
    }
    if claims.sub.is_empty() || claims.sub.len() > SUBJECT_MAX {
        return Err(refused("names no subject"));
    }
    let values = match settings.claim.as_str() {
        "sub" => vec![claims.sub.as_str()],
        // Anybody can write another's address into an account; only one that the provider verified gives a role.
        "email" => {
            claims.email.as_deref().filter(|_| is_true(claims.email_verified.as_ref())).into_iter().collect()
        }
        other => claims.others.get(other).map(strings).unwrap_or_default(),
    };
    let given = settings.roles.iter().filter(|of| values.contains(&of.value.as_str()));
    let role = given.max_by_key(|of| of.role).cloned();
    let name = claims.preferred_username.or(claims.email).unwrap_or_default().to_lowercase();
    let name = if is_name_of_person(&name) { name } else { "-".to_owned() };
    Ok(Claimed { issuer: claims.iss, subject: claims.sub, name, role })
}

/// Some providers write it as a text.
fn is_true(value: Option<&Value>) -> bool {
    value.is_some_and(|value| value.as_bool() == Some(true) || value.as_str() == Some("true"))
}

fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings() -> OidcSettings {
        OidcSettings {
            issuer: "https://id.example".into(),
            client_id: "ringmaster".into(),
            client_secret: None,
            console_url: "https://calls.example/console/".parse().unwrap(),
            claim: "groups".into(),
            roles: ["floor=supervisor", "all=viewer", "shop=admin@shop"]
                .map(|text| text.parse().unwrap())
                .into(),
        }
    }

    fn of(change: impl FnOnce(&mut Value)) -> Result<Claimed, &'static str> {
        let mut claims = json!({
            "iss": "https://id.example", "sub": "17", "aud": "ringmaster", "exp": 1000, "iat": 900, "nonce": "n",
            "preferred_username": "Ana", "groups": ["all", "floor", "else"],
        });
        change(&mut claims);
        let now = Timestamp::from_second(950).unwrap();
        read(&settings(), claims.to_string().as_bytes(), "n", now).map_err(|error| error.code())
    }

    #[test]
    fn the_strongest_role_of_the_claim_counts_and_an_unknown_value_gives_none() {
        let claimed = of(|_| {}).unwrap();
        assert_eq!((claimed.name.as_str(), claimed.role.unwrap().role), ("ana", Role::Supervisor));
        assert_eq!(of(|claims| claims["groups"] = json!("all")).unwrap().role.unwrap().role, Role::Viewer);
        let shop = of(|claims| claims["groups"] = json!(["shop"])).unwrap().role.unwrap();
        assert_eq!((shop.role, shop.tenant.as_str()), (Role::Admin, "shop"));
        for none in [json!(["else"]), json!([]), json!({"floor": true}), json!(null), json!(7)] {
            assert_eq!(of(|claims| claims["groups"] = none.clone()).unwrap().role, None, "{none}");
        }
    }

    #[test]
    fn an_address_gives_a_role_only_if_the_provider_verified_it() {
        let settings = OidcSettings {
            claim: "email".into(),
            roles: vec!["ana@example.com=admin".parse().unwrap()],
            ..settings()
        };
        let role = |verified: Value| {
            let claims = json!({
                "iss": "https://id.example", "sub": "17", "aud": "ringmaster", "exp": 1000, "iat": 900, "nonce": "n",
                "email": "ana@example.com", "email_verified": verified,
            });
            let now = Timestamp::from_second(950).unwrap();
            read(&settings, claims.to_string().as_bytes(), "n", now).unwrap().role.map(|of| of.role)
        };
        assert_eq!(role(json!(true)), Some(Role::Admin));
        assert_eq!(role(json!("true")), Some(Role::Admin));
        for unverified in [json!(false), json!(null), json!("false"), json!(1)] {
            assert_eq!(role(unverified.clone()), None, "{unverified}");
        }
    }

    #[test]
    fn a_token_of_another_issuer_client_time_or_sign_in_is_refused() {
        let refused = |field: &str, value: Value| {
            assert_eq!(of(|claims| claims[field] = value.clone()), Err("sign_in.refused"), "{field} {value}");
        };
        refused("iss", json!("https://id.example/"));
        refused("aud", json!("other"));
        refused("aud", json!(["ringmaster", "other"]));
        refused("azp", json!("other"));
        refused("nonce", json!("m"));
        refused("exp", json!(890));
        refused("iat", json!(1011));
        refused("sub", json!(""));
        refused("sub", json!("a".repeat(256)));
        refused("exp", json!("soon"));
        assert!(of(|claims| claims["exp"] = json!(891)).is_ok());
        assert!(of(|claims| claims["iat"] = json!(1010)).is_ok());
        let with_party = of(|claims| {
            claims["aud"] = json!(["ringmaster", "other"]);
            claims["azp"] = json!("ringmaster");
        });
        assert!(with_party.is_ok());
    }

    #[test]
    fn a_role_of_a_claim_is_written_with_its_tenant() {
        let of: RoleOfClaim = "cn=floor,dc=x=supervisor".parse().unwrap();
        assert_eq!((of.value.as_str(), of.role), ("cn=floor,dc=x", Role::Supervisor));
        for wrong in ["floor", "=admin", "floor=king", "floor=admin@a b"] {
            assert!(wrong.parse::<RoleOfClaim>().is_err(), "{wrong}");
        }
    }
}
