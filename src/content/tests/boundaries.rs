//! Each figure one step before it, at it and one step after; each rule kept and broken.

use super::super::Rule;
use super::{ASK, INVITE, breaks, faults};

fn text(length: usize) -> String {
    "x".repeat(length)
}

/// Asserts that a file is fine with the figure of the rule, and broken one step after.
fn at_most(rule: Rule, key: &str, source: impl Fn(usize) -> String) {
    let most = rule.figure();
    for (count, is_broken) in [(most - 1, false), (most, false), (most + 1, true)] {
        let source = source(count);
        assert_eq!(breaks(&source, key, rule), is_broken, "{} {count}: {:?}", rule.code(), faults(&source));
    }
}

#[test]
fn content_without_a_fault_has_none() {
    assert_eq!(faults(ASK), ["body request.text_not_shown?"]);
    assert!(faults(INVITE).is_empty());
}

#[test]
fn texts_have_their_lengths() {
    let ask = |length| ASK.replace("May we call you?", &text(length));
    at_most(Rule::BodyCallToAction, "body", ask);
    let card = |length| INVITE.replace("Call us when it suits you.", &text(length));
    at_most(Rule::BodyCard, "body", card);
    let plain = |length| {
        format!(
            "name = \"a\"\nlanguage = \"en\"\napproval = \"none\"\ntype = \"twilio/text\"\nbody = \"{}\"",
            text(length)
        )
    };
    at_most(Rule::BodyText, "body", plain);
    let with = |line: &'static str| {
        move |length| INVITE.replace("body = ", &format!("{line} = \"{}\"\nbody = ", text(length)))
    };
    at_most(Rule::Footer, "footer", with("footer"));
    at_most(Rule::HeaderText, "header_text", with("header_text"));
    let twilio = |title: String, subtitle: String| {
        let fields = format!("title = \"{title}\"\nsubtitle = \"{subtitle}\"");
        INVITE
            .replace("whatsapp/card", "twilio/card")
            .replace("body = \"Call us when it suits you.\"", &fields)
    };
    at_most(Rule::TitleOfCard, "title", |length| twilio(text(length), "x".into()));
    at_most(Rule::Subtitle, "subtitle", |length| twilio("x".into(), text(length)));
}

#[test]
fn lengths_are_counted_in_characters() {
    let umlauts = ASK.replace("May we call you?", &"ü".repeat(640));
    assert!(!breaks(&umlauts, "body", Rule::BodyCallToAction));
}

#[test]
fn titles_and_ids_of_actions_have_their_lengths() {
    at_most(Rule::ActionTitle, "actions[0].title", |length| ASK.replace("Call me", &text(length)));
    let quick = |id: usize, title: usize| {
        let action = format!("type = \"QUICK_REPLY\"\nid = \"{}\"\ntitle = \"{}\"", text(id), text(title));
        INVITE.replace("type = \"VOICE_CALL\"\ntitle = \"Call now\"", &action)
    };
    at_most(Rule::ActionId, "actions[0].id", |length| quick(length, 5));
    at_most(Rule::QuickReplyTitle, "actions[0].title", |length| quick(5, length));
}

#[test]
fn a_button_works_between_a_minute_and_thirty_days_and_approved_for_a_day_at_least() {
    let source = |minutes: i64, source: &str| {
        source.replace("title = \"Call now\"", &format!("title = \"Call now\"\nttl_minutes = {minutes}"))
    };
    let free = INVITE.replace("\"whatsapp\"", "\"none\"");
    for (minutes, is_broken) in [(-1, true), (0, true), (1, false), (43_200, false), (43_201, true)] {
        let key = "actions[0].ttl_minutes";
        assert_eq!(breaks(&source(minutes, &free), key, Rule::TtlMinutes), is_broken, "{minutes}");
    }
    for (minutes, is_broken) in [(1_439, true), (1_440, false), (43_200, false)] {
        let key = "actions[0].ttl_minutes";
        assert_eq!(breaks(&source(minutes, INVITE), key, Rule::TtlApproved), is_broken, "{minutes}");
    }
}

fn with_actions(kind: &str, approval: &str, actions: &[&str]) -> String {
    let mut source = format!(
        "name = \"a\"\nlanguage = \"en\"\ncategory = \"UTILITY\"\napproval = \"{approval}\"\ntype = \"{kind}\"\n\
         {} = \"Some text\"\n",
        if kind == "twilio/card" { "title" } else { "body" }
    );
    for action in actions {
        let more = match *action {
            "URL" => "url = \"https://shop.example/a\"",
            "PHONE_NUMBER" => "phone = \"+14155552671\"",
            "COPY_CODE" => "code = \"AB12\"",
            _ => "",
        };
        source += &format!("[[actions]]\ntype = \"{action}\"\ntitle = \"Do it\"\n{more}\n");
    }
    source
}

#[test]
fn actions_go_together_as_they_are_documented() {
    let cases: &[(&str, &str, &[&str], &[&str])] = &[
        ("twilio/call-to-action", "whatsapp", &["URL", "PHONE_NUMBER"], &[]),
        ("twilio/call-to-action", "whatsapp", &["URL", "VOICE_CALL"], &[]),
        ("twilio/call-to-action", "whatsapp", &["COPY_CODE", "URL"], &[]),
        ("twilio/call-to-action", "whatsapp", &["VOICE_CALL_REQUEST"], &[]),
        ("twilio/call-to-action", "whatsapp", &["URL", "URL"], &["actions actions.one_url"]),
        (
            "twilio/call-to-action",
            "whatsapp",
            &["PHONE_NUMBER", "PHONE_NUMBER"],
            &["actions actions.one_phone_number"],
        ),
        ("twilio/call-to-action", "whatsapp", &["PHONE_NUMBER", "VOICE_CALL"], &["actions actions.one_call"]),
        ("twilio/call-to-action", "whatsapp", &["VOICE_CALL", "VOICE_CALL"], &["actions actions.one_call"]),
        (
            "twilio/call-to-action",
            "whatsapp",
            &["URL", "PHONE_NUMBER", "COPY_CODE"],
            &["actions actions.call_to_action_count"],
        ),
        ("twilio/call-to-action", "whatsapp", &[], &["actions actions.required"]),
        ("twilio/call-to-action", "whatsapp", &["QUICK_REPLY"], &["actions[0].type action.type"]),
        (
            "twilio/call-to-action",
            "whatsapp",
            &["URL", "VOICE_CALL_REQUEST"],
            &["actions[1].type action.alone"],
        ),
        (
            "twilio/call-to-action",
            "whatsapp",
            &["VOICE_CALL_REQUEST", "VOICE_CALL_REQUEST"],
            &["actions[0].type action.alone"],
        ),
        ("whatsapp/card", "whatsapp", &["VOICE_CALL_REQUEST"], &["actions[0].type action.type"]),
        ("whatsapp/card", "whatsapp", &["VOICE_CALL", "URL", "QUICK_REPLY"], &[]),
        ("twilio/card", "whatsapp", &["PHONE_NUMBER", "URL", "URL"], &[]),
        ("twilio/card", "whatsapp", &["URL", "URL", "URL"], &["actions actions.urls"]),
        ("twilio/text", "whatsapp", &["URL"], &["actions field.other"]),
        ("whatsapp/card", "none", &["VOICE_CALL"], &[]),
        ("whatsapp/card", "none", &["QUICK_REPLY", "QUICK_REPLY", "QUICK_REPLY"], &[]),
        (
            "whatsapp/card",
            "none",
            &["QUICK_REPLY", "QUICK_REPLY", "QUICK_REPLY", "QUICK_REPLY"],
            &["actions session.buttons"],
        ),
        ("whatsapp/card", "none", &["PHONE_NUMBER"], &["actions[0].type session.action"]),
        ("twilio/call-to-action", "none", &["COPY_CODE"], &["actions[0].type session.action"]),
        ("twilio/card", "none", &["URL", "VOICE_CALL"], &["actions session.mixed"]),
        ("twilio/card", "none", &["URL", "URL"], &["actions session.one_url"]),
    ];
    for (kind, approval, actions, expected) in cases {
        assert_eq!(
            faults(&with_actions(kind, approval, actions)),
            *expected,
            "{kind} {approval} {actions:?}"
        );
    }
    for (count, is_broken) in [(9, false), (10, false), (11, true)] {
        let source = with_actions("whatsapp/card", "whatsapp", &vec!["QUICK_REPLY"; count]);
        assert_eq!(breaks(&source, "actions", Rule::ActionsQuickReplies), is_broken, "{count}");
        assert_eq!(breaks(&source, "actions", Rule::ActionsCard), is_broken, "{count}");
    }
}

#[test]
fn the_parts_of_an_action_are_required_and_no_others_are_taken() {
    let with = |kind: &str, rest: &str| {
        let action = format!("type = \"{kind}\"\n{rest}");
        INVITE.replace("type = \"VOICE_CALL\"\ntitle = \"Call now\"", &action)
    };
    let cases: &[(&str, &str, &[&str])] = &[
        ("VOICE_CALL", "", &["actions[0].title action.title_required"]),
        ("VOICE_CALL", "title = \" \"", &["actions[0].title action.title_required"]),
        (
            "VOICE_CALL",
            "title = \"Go {{1}}\"",
            &["actions[0].title variable.sample", "actions[0].title variable.unsupported"],
        ),
        ("VOICE_CALL", "title = \"x\"\nurl = \"https://a.example/\"", &["actions[0].url action.key"]),
        ("VOICE_CALL", "title = \"x\"\npayload = \"y\"", &["actions[0].payload action.key"]),
        ("URL", "title = \"x\"", &["actions[0].url action.url"]),
        ("PHONE_NUMBER", "title = \"x\"", &["actions[0].phone action.phone"]),
        ("COPY_CODE", "title = \"x\"", &["actions[0].code action.code"]),
        ("COPY_CODE", "title = \"x\"\ncode = \"\"", &["actions[0].code action.code"]),
        ("AUDIO_CALL", "title = \"x\"", &["actions[0].type action.type"]),
    ];
    for (kind, rest, expected) in cases {
        // An action that is not known leaves the card without one.
        let mut found = faults(&with(kind, rest));
        found.retain(|fault| fault != "type card.more");
        assert_eq!(found, *expected, "{kind} {rest}");
    }
}

#[test]
fn a_phone_number_is_e_164() {
    for (number, is_number) in [
        ("+14155552671", true),
        ("+1234567", true),
        ("+123456", false),
        ("+123456789012345", true),
        ("+1234567890123456", false),
        ("+04155552671", false),
        ("14155552671", false),
        ("+1 415 555 2671", false),
        ("+{{1}}", false),
    ] {
        let source =
            with_actions("twilio/card", "whatsapp", &["PHONE_NUMBER"]).replace("+14155552671", number);
        assert_eq!(breaks(&source, "actions[0].phone", Rule::ActionPhone), !is_number, "{number}");
    }
}

#[test]
fn a_url_is_public_and_its_variable_stands_at_its_end_with_a_sample_path() {
    let source = |url: &str, samples: &str| {
        let base = with_actions("twilio/call-to-action", "none", &["URL"]);
        format!("{}\n[variables]\n{samples}", base.replace("https://shop.example/a", url))
    };
    let fine = ["https://shop.example", "http://shop.example/a?b=c#d", "https://1.1.1.1/x"];
    for url in fine {
        assert!(faults(&source(url, "")).is_empty(), "{url}: {:?}", faults(&source(url, "")));
    }
    for url in [
        "shop.example",
        "ftp://shop.example/",
        "https://",
        "https://localhost/a",
        "https://intranet/a",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://u:p@shop.example/",
        "https://shop.example/a b",
        "https://{{1}}.example/",
        "https://shop.example{{1}}",
        "javascript://shop.example/",
    ] {
        assert!(breaks(&source(url, "1 = \"x\""), "actions[0].url", Rule::ActionUrl), "{url}");
    }
    let docs = "https://shop.example/{{1}}";
    assert!(faults(&source(docs, "1 = \"docs\"")).is_empty());
    assert!(faults(&source("https://shop.example/a?id={{1}}", "1 = \"docs\"")).is_empty());
    for samples in ["", "1 = \"\"", "1 = \"/docs\"", "1 = \"https://b.example/\"", "1 = \"a b\""] {
        assert!(breaks(&source(docs, samples), "actions[0].url", Rule::ActionUrlSample), "{samples}");
    }
    for url in ["https://shop.example/{{1}}/b", "https://shop.example/{{1}}{{2}}"] {
        assert!(breaks(&source(url, "1 = \"x\""), "actions[0].url", Rule::ActionUrlVariable), "{url}");
    }
}

#[test]
fn one_medium_with_its_file_type_and_never_beside_a_header() {
    let source = |media: &str| INVITE.replace("body = ", &format!("media = {media}\nbody = "));
    assert!(faults(&source("[\"https://cdn.example/a/logo.png\"]")).is_empty());
    let two = source("[\"https://cdn.example/a.png\", \"https://cdn.example/b.png\"]");
    assert_eq!(faults(&two), ["media media.count"]);
    for url in
        ["https://cdn.example/logo", "https://cdn.example/.png", "https://cdn.example/", "cdn.example/a.png"]
    {
        assert_eq!(faults(&source(&format!("[\"{url}\"]"))), ["media[0] media.url"], "{url}");
    }
    let variable = source("[\"https://cdn.example/{{1}}\"]");
    assert_eq!(faults(&variable), ["media[0] media.sample"]);
    assert!(faults(&format!("{variable}\n[variables]\n1 = \"a/logo.png\"")).is_empty());
    assert_eq!(faults(&format!("{variable}\n[variables]\n1 = \"logo\"")), ["media[0] media.url"]);
    let beside = source("[\"https://cdn.example/a.png\"]\nheader_text = \"Hello\"");
    assert_eq!(faults(&beside), ["header_text header.one"]);
}

#[test]
fn a_card_needs_its_text_and_something_more() {
    let only = INVITE.split("[[actions]]").next().unwrap();
    assert_eq!(faults(only), ["type card.more"]);
    assert!(faults(&only.replace("body", "footer = \"x\"\nbody")).is_empty());
    assert_eq!(faults(&INVITE.replace("body = \"Call us when it suits you.\"", "")), ["body body.required"]);
    let twilio = INVITE.replace("whatsapp/card", "twilio/card");
    assert_eq!(faults(&twilio), ["body body.of_card", "title title.required"]);
    assert_eq!(
        faults(&ASK.replace("body", "title = \"x\"\nbody")),
        ["body request.text_not_shown?", "title field.other"]
    );
}

#[test]
fn names_languages_and_revisions_have_their_form() {
    let name = |name: &str| ASK.replace("\"ask\"", &format!("\"{name}\""));
    for good in ["a", "a1_b", &text(64)] {
        assert!(!breaks(&name(good), "name", Rule::Name), "{good}");
    }
    for bad in ["", "A", "1a", "_a", "a-b", "a b", "a@b", "ä", &text(65)] {
        assert!(breaks(&name(bad), "name", Rule::Name), "{bad}");
    }
    let language = |code: &str| ASK.replace("\"en\"", &format!("\"{code}\""));
    for good in ["en", "fil", "pt_BR", "zh_HK", "es_419"] {
        assert!(!breaks(&language(good), "language", Rule::Language), "{good}");
    }
    for bad in ["", "e", "EN", "en-US", "en_us", "en_", "english", "en_USAX"] {
        assert!(breaks(&language(bad), "language", Rule::Language), "{bad}");
    }
    for (revision, is_broken) in [(-1, true), (0, true), (1, false), (999, false), (1000, true)] {
        let source = format!("revision = {revision}\n{ASK}");
        assert_eq!(breaks(&source, "revision", Rule::Revision), is_broken, "{revision}");
    }
}
