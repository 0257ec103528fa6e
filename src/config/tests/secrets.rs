//! Secrets: where they may be, and that they are never repeated.

use super::*;

#[test]
fn a_secret_in_the_file_is_refused_without_being_repeated() {
    let text = "[accounts.main]\nauth_token_next = \"hunter2hunter2\"\n";
    let found = faults(text, &[]);
    assert_eq!(
        faults(text, &[("ACCOUNTS__MAIN__AUTH_TOKEN_NEXT", "other")]),
        found,
        "a variable hides nothing"
    );
    assert_eq!(
        found,
        [
            "ringmaster.toml:2: accounts.main.auth_token_next: is a secret, and secrets are not taken from the \
          configuration file: set RINGMASTER_ACCOUNTS__MAIN__AUTH_TOKEN_NEXT or name a file with \
          auth_token_next_file"
        ]
    );
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let text = "[http]\nlisten = \"hunter2\"\n[accounts.main]\naccount_sid = \"hunter2\"\napi_url = \"hunter2\"\n\
                calls_per_second = \"hunter2\"\nhunter = \"hunter2\"\n";
    let told = faults(text, &[("ACCOUNTS__MAIN__ACCOUNT_SID", "")]).join("\n");
    assert!(!told.contains("hunter2"), "{told}");
    let told = faults("[http]\nlisten = \"hunter2\n", &[]).join("\n");
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn a_secret_is_read_from_its_file_without_one_line_end() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    let with = |contents: &str| {
        std::fs::write(&file, contents).unwrap();
        parse("", &[("ACCOUNTS__MAIN__AUTH_TOKEN_NEXT_FILE", file.to_str().unwrap())])
    };
    for contents in ["true", "true\n", "true\r\n"] {
        let (config, reading) = with(contents);
        assert_eq!(reading.faults, []);
        assert_eq!(config.accounts["main"].auth_token_next.as_ref().unwrap().expose(), "true");
    }
    for (contents, rule) in
        [("", "is empty"), ("\n", "is empty"), ("true\n\n", "white space"), (" a", "white space")]
    {
        let (_, reading) = with(contents);
        let [fault] = reading.faults.as_slice() else { panic!("{contents:?}") };
        assert_eq!(fault.key, "accounts.main.auth_token_next");
        assert!(fault.problem.contains(rule), "{fault}");
    }
}

#[test]
fn a_secret_file_that_cannot_be_read_or_a_secret_given_twice_is_refused() {
    let found = faults("[accounts.main]\nauth_token_next_file = \"/nowhere/token\"\n", &[]);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with(
            "ringmaster.toml:2: accounts.main.auth_token_next: the file /nowhere/token cannot be read: "
        ),
        "{}",
        found[0]
    );
    let found = faults("[accounts.main]\nauth_token_file = \"/nowhere/token\"\n", &[]);
    assert_eq!(
        found,
        [
            "RINGMASTER_ACCOUNTS__MAIN__AUTH_TOKEN: accounts.main.auth_token: is given twice: set either it or \
          auth_token_file"
        ]
    );
}

#[test]
fn a_shared_key_may_replace_the_auth_token() {
    let id = "webhooks_sharedkey_01K9";
    let key = [
        ("ACCOUNTS__MAIN__AUTH_TOKEN", ""),
        ("ACCOUNTS__MAIN__SHARED_KEYS__CURRENT__ID", id),
        ("ACCOUNTS__MAIN__SHARED_KEYS__CURRENT__SECRET", "shared-secret"),
    ];
    let config = accepted("", &key);
    assert_eq!(config.accounts["main"].shared_keys[id].expose(), "shared-secret");
    assert!(config.accounts["main"].auth_token.is_none());
    let found = faults("", &key[..1]);
    assert_eq!(
        found,
        ["accounts.main.auth_token: is required: Twilio signs with it, or with one of shared_keys; set \
          RINGMASTER_ACCOUNTS__MAIN__AUTH_TOKEN or name a file with auth_token_file"]
    );
}

#[test]
fn no_print_holds_a_secret() {
    let config = accepted("", &[]);
    for printed in [config.to_masked_string().to_owned(), format!("{config:?}")] {
        assert!(printed.contains("***"), "{printed}");
        assert!(!printed.contains("key-secret-value") && !printed.contains("00123456"), "{printed}");
    }
    assert!(!format!("{config:?}").contains("5511987654321"), "the whole number is for the operator only");
}

#[test]
fn a_key_of_the_suppression_lists_has_at_least_32_characters() {
    let (long, short) = ("k".repeat(32), "k".repeat(31));
    let config = accepted("", &[("SUPPRESSION__KEY", &long)]);
    assert_eq!(config.suppression.key.as_ref().map(Secret::expose), Some(&*long));
    assert!(accepted("", &[]).suppression.key.is_none());
    let found = faults("", &[("SUPPRESSION__KEY", &short)]);
    assert!(found.len() == 1 && found[0].contains("suppression.key: has 31 characters"), "{found:?}");
    assert!(!found[0].contains(&short));
}
