//! A person changes the own password, and what a proxy on this machine may say.

use super::*;

#[tokio::test]
async fn a_name_that_leads_to_a_proxy_on_this_machine_names_nobody() {
    let settings = SignInSettings {
        proxy_header: Some("x-remote-user".parse().unwrap()),
        proxy_hosts: vec!["calls.example.com".to_owned()],
        trusted_proxies: TrustedProxies::new(["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()]),
        ..SignInSettings::default()
    };
    let house = house(settings).await;
    house.add("ana", Role::Admin, |_| {}).await;
    let by = async |peer: &str, host: &str| {
        let request = Request::get("/v1/limits").header("host", host).header("x-remote-user", "ana");
        house.ask(peer, request, "").await.status
    };
    for host in ["calls.example.com", "calls.example.com:8443", "127.0.0.1:8080", "localhost"] {
        assert_eq!(by("127.0.0.1", host).await, StatusCode::OK, "{host}");
    }
    for host in
        ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "calls.example.com.evil.example"]
    {
        assert_eq!(by("127.0.0.1", host).await, StatusCode::UNAUTHORIZED, "{host}");
    }
    // A browser does not reach us over another machine's proxy.
    assert_eq!(by("10.0.0.1", "any.example").await, StatusCode::OK);
}

#[tokio::test]
async fn a_person_changes_the_own_password_with_the_old_one_and_all_other_sessions_end() {
    const NEW: &str = "another horse battery";
    let house = house(by_password()).await;
    house.add("ana", Role::Viewer, |ana| ana.password = hash_password(PASSWORD, [1; 16]).ok()).await;
    let (here, elsewhere) = (house.session("ana").await, house.session("ana").await);
    let change = async |session: &str, old: &str, new: &str, repeated: &str, csrf: &str| {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("csrf", csrf), ("old", old), ("new", new), ("repeated", repeated)])
            .finish();
        let request = Request::post("/console/password")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-length", form.len())
            .header("sec-fetch-site", "same-origin")
            .header("cookie", format!("__Host-ringmaster={session}"));
        house.ask(ELSEWHERE, request, form).await
    };
    let csrf = house.app.sign_in.csrf(&here);
    assert_eq!(change(&here, PASSWORD, NEW, NEW, "x").await.status, StatusCode::FORBIDDEN, "no token");
    for (old, new, repeated, told) in [
        (PASSWORD, NEW, "yet another horse", "not the same both times"),
        (PASSWORD, PASSWORD, PASSWORD, "is the old one"),
        (PASSWORD, "too short", "too short", "15 characters"),
    ] {
        let answer = change(&here, old, new, repeated, &csrf).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text.contains(told) && !answer.text.contains(new), "{}", answer.text);
    }
    let wrong = change(&here, "not the old password", NEW, NEW, &csrf).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    let log = house.audit().await;
    assert_eq!((&*log[0].what, log[0].outcome), ("person.own_password", AuditOutcome::Failed));
    let done = change(&here, PASSWORD, NEW, NEW, &csrf).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    assert!(done.header("set-cookie").starts_with("__Host-ringmaster="), "{:?}", done.header("set-cookie"));
    for session in [&here, &elsewhere] {
        let limits = house.by(session, "GET", "/v1/limits", &Value::Null).await;
        assert_eq!(limits.status, StatusCode::UNAUTHORIZED, "an old session");
    }
    assert_eq!(house.sign_in("ana", PASSWORD, "", "").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(house.sign_in("ana", NEW, "", "").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_old_password_is_guessed_at_no_faster_than_at_the_sign_in() {
    let house = house(by_password()).await;
    house.add("ana", Role::Viewer, |ana| ana.password = hash_password(PASSWORD, [1; 16]).ok()).await;
    let session = house.session("ana").await;
    let guess = async || {
        let form = format!(
            "csrf={}&old=wrong&new=another+horse+battery&repeated=another+horse+battery",
            house.app.sign_in.csrf(&session)
        );
        let request = Request::post("/console/password")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-length", form.len())
            .header("cookie", format!("__Host-ringmaster={session}"));
        house.ask(ELSEWHERE, request, form).await.status
    };
    for _ in 0..5 {
        assert_eq!(guess().await, StatusCode::FORBIDDEN);
    }
    assert_eq!(guess().await, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn somebody_whom_a_provider_signs_in_has_no_password_to_change() {
    let settings = SignInSettings {
        proxy_header: Some("x-remote-user".parse().unwrap()),
        trusted_proxies: TrustedProxies::new(["10.0.0.0/8".parse().unwrap()]),
        ..SignInSettings::default()
    };
    let house = house(settings).await;
    house.add("ana", Role::Viewer, |_| {}).await;
    let page = Request::get("/console/password").header("x-remote-user", "ana");
    assert_eq!(house.ask("10.0.0.1", page, "").await.status, StatusCode::NOT_FOUND);
}
