//! The public URL: it is kept as it is written, and warnings about it.

use super::*;

#[test]
fn a_public_url_that_twilio_cannot_reach_is_refused() {
    let found = faults("", &[("HTTP__PUBLIC_URL", "")]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("http.public_url: is an address of this machine"), "{}", found[0]);
    let here = "http://127.0.0.1:4010";
    accepted("", &[("HTTP__PUBLIC_URL", "http://localhost:8080"), ("ACCOUNTS__MAIN__API_URL", here)]);
}

#[test]
fn a_url_that_may_not_match_signatures_is_warned_about() {
    let doubts = |url| accepted("", &[("HTTP__PUBLIC_URL", url)]).doubts();
    for plain in [
        "https://x.test",
        "https://x.test/",
        "https://x.test:8443",
        "https://x.test/ring",
        "https://[2001:db8::1]",
    ] {
        assert_eq!(doubts(plain), Vec::<String>::new(), "{plain}");
    }
    for (url, told) in [
        ("https://X.test", "capital letters"),
        ("HTTPS://x.test", "capital letters"),
        ("https://x.test:443", "usual port"),
        ("https://my_host.test", "underscore"),
        ("https://10.0.0.7", "private address"),
        ("https://[fd00::7]", "private address"),
    ] {
        let found = doubts(url);
        assert!(
            found.len() == 1 && found[0].starts_with("http.public_url") && found[0].contains(told),
            "{found:?}"
        );
    }
    for (url, problem) in [
        ("https://x.test/a/../b", "plain segments"),
        ("https://x.test/a\tb", "has a space"),
        ("https://b\u{fc}cher.test", "outside of ASCII"),
    ] {
        let found = faults("", &[("HTTP__PUBLIC_URL", url)]);
        assert!(found[0].contains(problem), "{found:?}");
    }
}

#[test]
fn the_public_url_may_have_a_path_before_ours_and_keeps_its_spelling() {
    for url in [
        "https://x.test",
        "https://x.test/",
        "https://x.test:8443/ring",
        "https://x.test/ring/",
        "https://X.Test",
        "https://x.test:443/Ring",
        "HTTPS://x.test",
    ] {
        assert_eq!(accepted("", &[("HTTP__PUBLIC_URL", url)]).http.public_url.as_str(), url);
    }
}
