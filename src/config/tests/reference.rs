//! The reference, `default.toml`: it has every key, the defaults in force and the published limits.

use super::*;

/// The reference with its optional keys enabled, and secret files in `directory`.
fn uncommented(directory: &Path) -> String {
    let text = crate::config::uncommented();
    let webhook_key = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    for name in [
        "api_key_secret",
        "auth_token",
        "auth_token_next",
        "shared_key",
        "meta_token",
        "meta_app_secret",
        "meta_verify_token",
        "page_token",
        "page_app_secret",
        "page_verify_token",
        "pool_secret",
        "suppression_key",
        "store_password",
        "oidc",
    ] {
        // A page and a number may not share their tokens.
        std::fs::write(directory.join(name), format!("{name}-of-the-reference\n")).unwrap();
    }
    std::fs::write(directory.join("tracing_headers"), "x-api-key=of-the-reference\n").unwrap();
    for name in ["webhook_secret", "webhook_secret_next"] {
        std::fs::write(directory.join(name), webhook_key).unwrap();
    }
    text.replace("/run/secrets", directory.to_str().unwrap())
        .replace("http://127.0.0.1:8081", "https://calls.example.com")
}

#[test]
fn the_reference_has_every_key_and_its_examples_are_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let text = uncommented(directory.path());
    let (_, reading) = Config::parse(&text, Path::new("default.toml"), std::iter::empty());
    // Content is given by its SID or by its name, a pool has one of two sources, and the store one of two places; the
    // reference shows both.
    let (twice, faults): (Vec<_>, Vec<_>) =
        reading.faults.iter().cloned().partition(|fault| fault.problem.contains("is given beside"));
    assert_eq!(faults, [], "{}", ConfigErrors(faults.clone()));
    assert_eq!(twice.len(), 5, "{twice:?}");
    let missing: Vec<_> = reading.answers.iter().filter(|answer| answer.origin == Origin::Nowhere).collect();
    assert!(missing.is_empty(), "keys that the reference does not name: {missing:?}");
}

#[test]
fn the_reference_has_the_defaults_in_force() {
    let answers = |text: &str| {
        let (_, reading) = parse(text, &[("HTTP__PUBLIC_URL", "")]);
        let answers = reading.answers.into_iter();
        answers.filter_map(|a| Some(((a.section, a.key), a.value?))).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(answers(Config::default_toml()), answers(""));
    let directory = tempfile::tempdir().unwrap();
    let (_, reading) =
        Config::parse(&uncommented(directory.path()), Path::new("default.toml"), std::iter::empty());
    let told: BTreeMap<_, _> =
        reading.answers.into_iter().filter_map(|a| Some(((a.section, a.key), a.value?))).collect();
    let (_, reading) = parse("", &[("HTTP__PUBLIC_URL", "https://calls.example.com")]);
    for answer in reading.answers.into_iter().filter(|answer| answer.origin == Origin::Nowhere) {
        if let Some(value) = answer.value {
            let key = (answer.section, answer.key);
            assert_eq!(told.get(&key), Some(&value), "{key:?}");
        }
    }
}

#[test]
fn the_reference_shows_the_limits_that_twilio_publishes() {
    let directory = tempfile::tempdir().unwrap();
    let (config, _) = Config::parse(&uncommented(directory.path()), Path::new(""), std::iter::empty());
    let published = Limits::of(Profile::Twilio);
    let shown = config.limits;
    assert_eq!(shown.permission_requests_short_max, Some(published.requests_short.max));
    assert_eq!(shown.permission_requests_short_window, Some(published.requests_short.window));
    assert_eq!(shown.permission_requests_long_max, Some(published.requests_long.max));
    assert_eq!(shown.permission_requests_long_window, Some(published.requests_long.window));
    assert_eq!(shown.permission_lifetime, Some(published.permission_lifetime));
    assert_eq!(shown.request_lifetime, Some(published.request_lifetime));
    assert_eq!(shown.connected_calls_max, Some(published.connected_calls.max));
    assert_eq!(shown.connected_calls_window, Some(published.connected_calls.window));
    assert_eq!(shown.concurrent_calls_per_sender_max, Some(published.concurrent_calls_max));
    assert_eq!(shown.misses_before_nudge, Some(published.misses_before_nudge));
    assert_eq!(shown.misses_before_revocation, Some(published.misses_before_revocation));
    assert_eq!(shown.service_window, Some(published.service_window));
    assert_eq!(shown.message_gap, Some(published.message_gap));
    assert_eq!(shown.page_window, Some(published.page_window));
    assert_eq!(shown.call_button_lifetime, Some(published.call_button_lifetime));
    assert_eq!(shown.page_button_lifetime, Some(published.page_button_lifetime));
    let listed = EXCLUSIONS.iter().filter(|exclusion| exclusion.is_by(Platform::Twilio));
    assert_eq!(shown.sender_countries_refused, Some(listed.map(|exclusion| exclusion.country).collect()));
    let barred = BARRED_DESTINATIONS.iter().map(|barred| barred.prefix).collect();
    assert_eq!(shown.destinations_refused, Some(barred));
}
