//! The rules of content for WhatsApp's Cloud API, each at its boundary.

use super::super::Rule;
use super::{breaks, declared, faults};

fn message(kind: &str, rest: &str) -> String {
    format!("name = \"a\"\nlanguage = \"en\"\napproval = \"none\"\ntype = \"{kind}\"\n{rest}")
}

fn call(body: &str, button: &str) -> String {
    message("meta/voice_call", &format!("body = \"{body}\"\n[[actions]]\ntype = \"VOICE_CALL\"\n{button}"))
}

fn page(fields: &str, button: &str) -> String {
    message("meta/cta_url", &format!("{fields}\n[[actions]]\ntype = \"URL\"\n{button}"))
}

const SEE: &str = "title = \"See dates\"\nurl = \"https://shop.example/dates\"";

fn template(fields: &str, buttons: &str, samples: &str) -> String {
    format!(
        "name = \"a\"\nlanguage = \"en\"\ncategory = \"UTILITY\"\napproval = \"whatsapp\"\ntype = \
         \"meta/template\"\n{fields}\n{buttons}\n[variables]\n{samples}"
    )
}

const CALL: &str = "[[actions]]\ntype = \"VOICE_CALL\"\ntitle = \"Call now\"";

fn at_most(rule: Rule, key: &str, source: impl Fn(usize) -> String) {
    let most = rule.figure();
    for (count, is_broken) in [(most - 1, false), (most, false), (most + 1, true)] {
        let source = source(count);
        assert_eq!(breaks(&source, key, rule), is_broken, "{} {count}: {:?}", rule.code(), faults(&source));
    }
}

fn text(length: usize) -> String {
    "x".repeat(length)
}

#[test]
fn content_of_every_type_can_be_without_a_fault() {
    for source in [
        call("Call us", ""),
        call("Call us, {{name}}", "title = \"Call\"\nttl_minutes = 100\n[variables]\nname = \"Ana\""),
        page("body = \"Tap below\"\nfooter = \"Bye\"\nheader_text = \"Dates\"", SEE),
        page("body = \"Tap below\"\nheader_image = \"https://shop.example/a.png\"", SEE),
        page("body = \"Tap below\"", "title = \"Call\"\nurl = \"{{link}}\""),
        message("meta/text", "body = \"Call us: {{link}}\""),
        message("meta/call_permission_request", ""),
        message("meta/call_permission_request", "body = \"May we call?\""),
        template("body = \"Call us\"", CALL, ""),
        template(
            "body = \"Hi {{1}}, call us\"\nheader_text = \"Hello\"\nfooter = \"Bye\"",
            CALL,
            "1 = \"Ana\"",
        ),
    ] {
        assert!(faults(&source).is_empty(), "{:?}\n{source}", faults(&source));
    }
}

#[test]
fn texts_have_their_lengths() {
    at_most(Rule::MetaBody, "body", |length| call(&text(length), ""));
    at_most(Rule::MetaBody, "body", |length| page(&format!("body = \"{}\"", text(length)), SEE));
    at_most(Rule::MetaBody, "body", |length| {
        message("meta/call_permission_request", &format!("body = \"{}\"", text(length)))
    });
    at_most(Rule::MetaBody, "body", |length| template(&format!("body = \"{}\"", text(length)), CALL, ""));
    at_most(Rule::MetaHeader, "header_text", |length| {
        page(&format!("body = \"b\"\nheader_text = \"{}\"", text(length)), SEE)
    });
    at_most(Rule::MetaFooter, "footer", |length| {
        page(&format!("body = \"b\"\nfooter = \"{}\"", text(length)), SEE)
    });
    at_most(Rule::MetaButton, "actions[0].title", |length| {
        call("b", &format!("title = \"{}\"", text(length)))
    });
    at_most(Rule::MetaButton, "actions[0].title", |length| {
        page("body = \"b\"", &format!("title = \"{}\"\nurl = \"https://shop.example/\"", text(length)))
    });
    // The longest link has 111 characters.
    at_most(Rule::MetaText, "body", |length| {
        message("meta/text", &format!("body = \"{}{{{{link}}}}\"", text(length - 111)))
    });
    // A sample counts, and a name does not.
    at_most(Rule::MetaBody, "body", |length| {
        call("a {{name}} b", &format!("[variables]\nname = \"{}\"", text(length - 4)))
    });
}

#[test]
fn a_call_button_works_between_a_minute_and_thirty_days_and_in_a_template_for_a_day_at_least() {
    let key = "actions[0].ttl_minutes";
    for (minutes, is_broken) in [(-1, true), (0, true), (1, false), (43_200, false), (43_201, true)] {
        let source = call("b", &format!("ttl_minutes = {minutes}"));
        assert_eq!(breaks(&source, key, Rule::MetaTtl), is_broken, "{minutes}");
    }
    for (minutes, rule, is_broken) in [
        (0, Rule::MetaTtl, true),
        (1_439, Rule::TtlApproved, true),
        (1_440, Rule::TtlApproved, false),
        (43_200, Rule::MetaTtl, false),
        (43_201, Rule::MetaTtl, true),
    ] {
        let source = template("body = \"b\"", &format!("{CALL}\nttl_minutes = {minutes}"), "");
        assert_eq!(breaks(&source, key, rule), is_broken, "{minutes}");
    }
}

#[test]
fn a_payload_has_a_length_and_is_ours() {
    let key = "actions[0].payload";
    for (length, rule) in [(1, Rule::MetaPayloadOurs), (512, Rule::MetaPayloadOurs), (513, Rule::MetaPayload)]
    {
        let source = call("b", &format!("payload = \"{}\"", text(length)));
        assert_eq!(faults(&source), [format!("{key} {}", rule.code())], "{length}");
    }
}

#[test]
fn a_header_is_one_of_four() {
    let media = |keys: &[&str]| {
        let lines: Vec<_> = keys.iter().map(|key| format!("{key} = \"https://shop.example/a\"")).collect();
        page(&format!("body = \"b\"\n{}", lines.join("\n")), SEE)
    };
    for key in ["header_image", "header_video", "header_document"] {
        assert!(faults(&media(&[key])).is_empty());
        assert!(breaks(&media(&["header_text", key]), key, Rule::MetaHeaderOne));
    }
    let two = media(&["header_image", "header_video"]);
    assert_eq!(faults(&two), ["header_video meta.header_one"]);
    for url in ["ftp://shop.example/a", "https://localhost/a", "https://192.168.0.1/a", "a.png", "https://"] {
        let source = page(&format!("body = \"b\"\nheader_image = \"{url}\""), SEE);
        assert_eq!(faults(&source), ["header_image meta.header_url"], "{url}");
    }
    let source = call("b", "").replace("body", "header_image = \"https://shop.example/a\"\nbody");
    assert_eq!(faults(&source), ["header_image field.other"]);
}

#[test]
fn a_variable_is_a_link_a_payload_or_one_with_a_sample() {
    for (body, is_broken) in [
        ("Call {{link}}", false),
        ("Call {{payload}}", false),
        ("Call {{name}}", true),
        ("{{link}} {{x}}", true),
    ] {
        assert_eq!(breaks(&call(body, ""), "body", Rule::VariableUnknown), is_broken, "{body}");
        let known = call(body, "[variables]\nname = \"Ana\"\nx = \"y\"");
        assert!(!breaks(&known, "body", Rule::VariableUnknown), "{body}");
    }
    assert!(breaks(&message("meta/text", "body = \"Call us\""), "body", Rule::MetaTextLink));
}

#[test]
fn each_type_has_its_own_buttons() {
    let two = format!("{}\n{CALL}", call("b", ""));
    assert_eq!(faults(&two), ["actions meta.actions"]);
    assert!(breaks(&message("meta/voice_call", "body = \"b\""), "actions", Rule::MetaActions));
    let url = format!("[[actions]]\ntype = \"URL\"\n{SEE}");
    for (buttons, is_broken) in [
        (String::new(), true),
        (CALL.to_owned(), false),
        (url.clone(), false),
        (format!("{CALL}\n{url}"), false),
        (format!("{CALL}\n{CALL}"), true),
        (format!("{url}\n{url}"), true),
        (format!("{CALL}\n{url}\n{url}"), true),
    ] {
        let source = template("body = \"b\"", &buttons, "");
        assert_eq!(breaks(&source, "actions", Rule::MetaActions), is_broken, "{buttons}");
    }
    let reply = template("body = \"b\"", &format!("{CALL}\n[[actions]]\ntype = \"QUICK_REPLY\""), "");
    assert!(breaks(&reply, "actions[1].type", Rule::MetaActions));
    assert!(breaks(
        &page("body = \"b\"", "url = \"https://shop.example\""),
        "actions[0].title",
        Rule::MetaButtonRequired
    ));
    assert!(breaks(&page("body = \"b\"", "title = \"a\""), "actions[0].url", Rule::MetaUrl));
}

#[test]
fn only_a_template_seeks_approval() {
    let kept = template("body = \"b\"", CALL, "");
    assert!(faults(&kept).is_empty());
    assert_eq!(faults(&kept.replace("\"whatsapp\"", "\"none\"")), ["approval approval.of_type"]);
    let free = call("b", "").replace("\"none\"", "\"whatsapp\"\ncategory = \"UTILITY\"");
    assert_eq!(faults(&free), ["approval approval.of_type"]);
}

#[test]
fn a_template_numbers_its_variables_or_names_them() {
    let with = |body: &str, samples: &str| faults(&template(&format!("body = \"{body}\""), CALL, samples));
    assert!(with("Hi {{1}} and {{2}}, call", "1 = \"a\"\n2 = \"b\"").is_empty());
    assert!(with("Hi {{first}} and {{last}}, call", "first = \"a\"\nlast = \"b\"").is_empty());
    let mixed = with("Hi {{1}} and {{last}}, call", "1 = \"a\"\nlast = \"b\"");
    assert_eq!(mixed, ["body meta.variable_names"]);
    assert_eq!(with("Hi {{Name}}, call", "Name = \"a\""), ["body meta.variable_names"]);
    assert_eq!(with("Hi {{1}}, call", ""), ["body variable.sample"]);
}

#[test]
fn the_url_of_a_template_has_one_variable_at_its_end() {
    let with = |url: &str, samples: &str| {
        let button = format!("[[actions]]\ntype = \"URL\"\ntitle = \"See\"\nurl = \"{url}\"");
        faults(&template("body = \"b\"", &button, samples))
    };
    assert!(with("https://shop.example/{{1}}", "1 = \"a\"").is_empty());
    let key = "actions[0].url";
    assert_eq!(with("https://shop.example/{{1}}", ""), [format!("{key} variable.sample")]);
    for url in ["https://shop.example/{{1}}/x", "https://shop.example/{{1}}{{2}}"] {
        assert_eq!(with(url, "1 = \"a\"\n2 = \"b\"")[0], format!("{key} meta.url_variable"), "{url}");
    }
    assert_eq!(with("{{link}}", "link = \"a\""), [format!("{key} meta.url")]);
}

#[test]
fn a_key_of_another_type_is_refused() {
    let source = call("b", "expires_in_days = 3");
    assert_eq!(faults(&source), ["actions[0].expires_in_days action.key"]);
    assert_eq!(declared(&call("b", "ttl_minutes = 5")).actions[0].ttl_minutes, Some(5));
}
