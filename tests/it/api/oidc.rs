//! Signing in at a provider of OpenID Connect, which runs here on the loopback address.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use ringmaster::domain::Role;
use ringmaster::http::sign_in::{Oidc, OidcSettings, SignInSettings};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::harness::Answer;
use super::people::{House, house_with};

/// What the provider was asked for and what it says.
struct Provider {
    issuer: String,
    key: EcdsaKeyPair,
    said: Mutex<Said>,
}

#[derive(Default, Clone)]
struct Said {
    challenge: String,
    claims: Value,
    /// Signs with a key that is not in the list.
    forges: bool,
}

fn key() -> EcdsaKeyPair {
    let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap()
}

async fn provider() -> Arc<Provider> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let provider = Arc::new(Provider { issuer, key: key(), said: Mutex::default() });
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(describe))
        .route("/keys", get(keys))
        .route("/token", post(token))
        .with_state(Arc::clone(&provider));
    tokio::spawn(async move { axum::serve(listener, router).await });
    provider
}

async fn describe(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let issuer = &provider.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
    }))
}

async fn keys(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let point = provider.key.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    Json(json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "1", "use": "sig", "x": x, "y": y}]}))
}

async fn token(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Result<Json<Value>, StatusCode> {
    let said = provider.said.lock().unwrap().clone();
    let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
    // "ringmaster:s3cret" in Base64.
    let is_client = headers["authorization"] == "Basic cmluZ21hc3RlcjpzM2NyZXQ=";
    if proof != said.challenge || form["code"] != "the-code" || !is_client {
        return Err(StatusCode::BAD_REQUEST);
    }
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": "ES256", "kid": "1"}).to_string());
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(said.claims.to_string()));
    let key = if said.forges { &key() } else { &provider.key };
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    Ok(Json(
        json!({"id_token": format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)), "token_type": "Bearer"}),
    ))
}

async fn house(provider: &Provider) -> House {
    let settings = OidcSettings {
        issuer: provider.issuer.clone(),
        client_id: "ringmaster".into(),
        client_secret: Some("s3cret".to_owned().into()),
        console_url: "https://calls.example.com/console/".parse().unwrap(),
        claim: "groups".into(),
        roles: vec!["floor=supervisor".parse().unwrap(), "all=viewer".parse().unwrap()],
    };
    house_with(SignInSettings::default(), Some(Oidc::new(settings).unwrap())).await
}

fn query(url: &str) -> BTreeMap<String, String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().into_owned().collect()
}

/// A sign-in up to the provider: what it was asked for, and the cookie of the browser.
async fn begun(house: &House, provider: &Provider, claims: Value) -> (BTreeMap<String, String>, String) {
    let begun = house.ask("192.0.2.1", Request::get("/console/sign-in/oidc?next=callbacks"), "").await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text);
    let set = begun.header("set-cookie");
    assert!(set.contains("SameSite=Lax") && set.contains("HttpOnly") && set.contains("Secure"), "{set}");
    let asked = query(begun.header("location"));
    assert_eq!(asked["code_challenge_method"], "S256");
    assert_eq!(asked["redirect_uri"], "https://calls.example.com/console/sign-in/oidc/back");
    let now = house.app.clock.now().as_second();
    let mut all = json!({
        "iss": provider.issuer, "sub": "17", "aud": "ringmaster", "iat": now, "exp": now + 300,
        "nonce": asked["nonce"], "preferred_username": "Ana", "groups": ["floor"],
    });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    let challenge = asked["code_challenge"].clone();
    *provider.said.lock().unwrap() = Said { challenge, claims: all, forges: false };
    (asked, set.split(';').next().unwrap().to_owned())
}

async fn back(house: &House, state: &str, code: &str, cookie: &str) -> Answer {
    let path = format!("/console/sign-in/oidc/back?state={state}&code={code}");
    house.ask("192.0.2.1", Request::get(path).header("cookie", cookie), "").await
}

fn session(answer: &Answer) -> Option<String> {
    let set = answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap());
    let mut sessions = set.filter_map(|line| line.strip_prefix("__Host-ringmaster="));
    sessions.next().and_then(|line| line.split(';').next()).map(str::to_owned)
}

#[tokio::test]
async fn somebody_signs_in_at_the_provider_with_the_role_of_the_claim() {
    let provider = provider().await;
    let house = house(&provider).await;
    let (asked, cookie) = begun(&house, &provider, json!({})).await;
    let entered = back(&house, &asked["state"], "the-code", &cookie).await;
    assert_eq!(entered.status, StatusCode::OK, "{}", entered.text);
    assert!(entered.text.contains("../.././callbacks"), "{}", entered.text);
    let session = session(&entered).unwrap();
    assert_eq!(house.by(&session, "GET", "/v1/limits", &Value::Null).await.status, StatusCode::OK);
    let ana = house.app.store.member("ana").await.unwrap().unwrap();
    assert_eq!((ana.role, ana.subject.unwrap().subject.as_str()), (Role::Supervisor, "17"));
    // The role follows the claim, and the old session ends with it.
    let (asked, cookie) = begun(&house, &provider, json!({"groups": ["all"]})).await;
    assert_eq!(back(&house, &asked["state"], "the-code", &cookie).await.status, StatusCode::OK);
    assert_eq!(house.app.store.member("ana").await.unwrap().unwrap().role, Role::Viewer);
    assert_eq!(house.by(&session, "GET", "/v1/limits", &Value::Null).await.status, StatusCode::UNAUTHORIZED);
    // Another subject of the same name is another person.
    let (asked, cookie) = begun(&house, &provider, json!({"sub": "18"})).await;
    assert_eq!(back(&house, &asked["state"], "the-code", &cookie).await.status, StatusCode::OK);
    assert_eq!(house.app.store.members().await.unwrap().len(), 2);
    assert_eq!(house.app.store.member("ana").await.unwrap().unwrap().role, Role::Viewer);
    // Somebody without a name that can be used here gets one.
    let (asked, cookie) = begun(&house, &provider, json!({"sub": "19", "preferred_username": "A B"})).await;
    assert_eq!(back(&house, &asked["state"], "the-code", &cookie).await.status, StatusCode::OK);
    assert!(house.app.store.member("-").await.unwrap().is_none());
    assert_eq!(house.app.store.members().await.unwrap().len(), 3);
}

#[tokio::test]
async fn an_unknown_claim_and_a_forged_answer_let_nobody_in() {
    let provider = provider().await;
    let house = house(&provider).await;
    for claims in [
        json!({"groups": ["else"]}),
        json!({"groups": []}),
        json!({"nonce": "another"}),
        json!({"aud": "another"}),
        json!({"iss": "https://evil.example"}),
        json!({"exp": 0}),
    ] {
        let (asked, cookie) = begun(&house, &provider, claims.clone()).await;
        let refused = back(&house, &asked["state"], "the-code", &cookie).await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::FORBIDDEN, "sign_in.refused".into()),
            "{claims}"
        );
        assert_eq!(session(&refused), None);
        assert_eq!(house.audit().await[0].outcome.to_string(), "failed", "{claims}");
    }
    let (asked, cookie) = begun(&house, &provider, json!({})).await;
    let state = asked["state"].clone();
    assert_eq!(back(&house, "another", "the-code", &cookie).await.code(), "sign_in.refused");
    assert_eq!(back(&house, &state, "the-code", "").await.code(), "sign_in.refused", "another browser");
    let changed = cookie.replacen("=rm_", "=rm_A", 1);
    assert_eq!(back(&house, &state, "the-code", &changed).await.code(), "sign_in.refused");
    assert_eq!(back(&house, &state, "another-code", &cookie).await.code(), "sign_in.provider");
    provider.said.lock().unwrap().forges = true;
    assert_eq!(back(&house, &state, "the-code", &cookie).await.code(), "sign_in.refused");
    provider.said.lock().unwrap().forges = false;
    house.api.clock.advance(jiff::SignedDuration::from_mins(10));
    assert_eq!(back(&house, &state, "the-code", &cookie).await.code(), "sign_in.refused", "too late");
    assert!(house.app.store.members().await.unwrap().is_empty());
}
