//! What is asked of content for WhatsApp's approval, and of its variables.

use super::super::Rule;
use super::{INVITE, breaks, faults};

fn with(body: &str, samples: &str) -> String {
    let source = INVITE.replace("Call us when it suits you.", body);
    format!("{source}\n[variables]\n{samples}")
}

#[test]
fn a_variable_at_an_end_needs_a_sample_and_is_doubted_with_one() {
    for body in ["{{1}}, call us", "Call us, {{1}}", "Call us, {{1}}!"] {
        assert!(breaks(&with(body, ""), "body", Rule::BodyEdge), "{body}");
        assert_eq!(faults(&with(body, "1 = \"Ana\"")), ["body text.variable_at_end?"], "{body}");
        let free = with(body, "").replace("\"whatsapp\"", "\"none\"");
        assert!(faults(&free).is_empty(), "{body}: {:?}", faults(&free));
    }
    assert!(faults(&with("Dear {{1}}, call us", "1 = \"Ana\"")).is_empty());
}

#[test]
fn two_variables_next_to_each_other_need_samples_and_are_doubted_with_them() {
    for body in ["Dear {{1}} {{2}}, call us", "Dear {{1}}{{2}}, call us"] {
        assert!(breaks(&with(body, "1 = \"Ana\""), "body", Rule::BodyAdjacent), "{body}");
        let both = with(body, "1 = \"Ana\"\n2 = \"Lima\"");
        assert_eq!(faults(&both), ["body text.variables_adjacent?"], "{body}");
    }
    assert!(faults(&with("Dear {{1}} of {{2}}, call us", "1 = \"Ana\"\n2 = \"Rio\"")).is_empty());
}

#[test]
fn every_variable_has_a_sample_and_every_sample_a_variable() {
    assert_eq!(faults(&with("Dear {{1}}, call us", "")), ["body variable.sample"]);
    assert_eq!(faults(&with("Call us now", "1 = \"Ana\"")), ["variables.1 variable.unused"]);
    let free = with("Dear {{1}}, call us", "").replace("\"whatsapp\"", "\"none\"");
    assert!(faults(&free).is_empty());
}

#[test]
fn variables_are_numbered_from_one_without_a_gap() {
    let samples = "1 = \"a\"\n2 = \"b\"\n3 = \"c\"";
    let body = |body: &str, samples: &str| breaks(&with(body, samples), "body", Rule::VariableSequence);
    assert!(!body("A {{3}} b {{1}} c {{2}} d", samples));
    assert!(body("A {{1}} b {{3}} c", "1 = \"a\"\n3 = \"c\""));
    assert!(body("A {{2}} b", "2 = \"a\""));
    assert!(!body("A {{name}} b", "name = \"a\""));
}

#[test]
fn names_and_samples_of_variables_have_their_lengths() {
    for (length, is_broken) in [(15, false), (16, false), (17, true)] {
        let name = "x".repeat(length);
        let source = with(&format!("Dear {{{{{name}}}}}, call us"), &format!("{name} = \"Ana\""));
        assert_eq!(breaks(&source, "body", Rule::VariableName), is_broken, "{length}");
    }
    for name in ["a b", "a_b", ""] {
        let source = with(&format!("Dear {{{{{name}}}}}, call us"), "");
        assert!(breaks(&source, "body", Rule::VariableName), "{name}");
    }
    for (length, is_broken) in [(1_599, false), (1_600, false), (1_601, true)] {
        let source = with("Dear {{1}}, call us", &format!("1 = \"{}\"", "x".repeat(length)));
        assert_eq!(breaks(&source, "variables.1", Rule::VariableValue), is_broken, "{length}");
    }
    assert!(breaks(&with("Dear {{1}}, call us", "1 = \"\""), "variables.1", Rule::VariableValue));
}

#[test]
fn a_sample_is_one_line_with_few_blanks() {
    for (sample, is_broken) in
        [("a    b", false), ("a     b", true), ("a\\nb", true), ("a\\tb", true), ("a b", false)]
    {
        let source = with("Dear {{1}}, call us", &format!("1 = \"{sample}\""));
        assert_eq!(breaks(&source, "variables.1", Rule::SampleBlanks), is_broken, "{sample:?}");
    }
}

#[test]
fn the_text_with_its_samples_has_a_length_too() {
    for (length, is_broken) in [(1_019, false), (1_020, false), (1_021, true)] {
        // "a " and " b" around the sample.
        let source = with("a {{1}} b", &format!("1 = \"{}\"", "x".repeat(length)));
        assert_eq!(breaks(&source, "body", Rule::ApprovedText), is_broken, "{length}");
    }
}

#[test]
fn a_hundred_variables_are_the_most() {
    for (count, is_broken) in [(99, false), (100, false), (101, true)] {
        let body: Vec<String> = (1..=count).map(|n| format!("a {{{{{n}}}}}")).collect();
        let samples: Vec<String> = (1..=count).map(|n| format!("{n} = \"s\"")).collect();
        let source = with(&format!("{} b", body.join(" ")), &samples.join("\n"));
        assert_eq!(breaks(&source, "variables", Rule::VariablesMax), is_broken, "{count}");
    }
}

#[test]
fn a_header_for_approval_has_one_variable_and_a_footer_none() {
    let with_header = |header: &str| {
        let source = INVITE.replace("body = ", &format!("header_text = \"{header}\"\nbody = "));
        format!("{source}\n[variables]\n1 = \"a\"\n2 = \"b\"")
    };
    let key = "header_text";
    assert!(!breaks(&with_header("Hello {{1}} there"), key, Rule::HeaderVariables));
    assert!(breaks(&with_header("Hello {{1}} and {{2}}"), key, Rule::HeaderVariables));
    let footer = INVITE.replace("body = ", "footer = \"By {{1}} now\"\nbody = ");
    let footer = format!("{footer}\n[variables]\n1 = \"a\"");
    assert_eq!(faults(&footer), ["footer variable.unsupported"]);
}

#[test]
fn approval_needs_a_category_and_quick_replies_without_variables() {
    assert_eq!(faults(&INVITE.replace("category = \"UTILITY\"", "")), ["category category.required"]);
    let reply = |approval: &str| {
        let action = "type = \"QUICK_REPLY\"\ntitle = \"Yes {{1}}\"";
        let source = INVITE.replace("type = \"VOICE_CALL\"\ntitle = \"Call now\"", action);
        format!("{source}\n[variables]\n1 = \"please\"").replace("\"whatsapp\"", &format!("\"{approval}\""))
    };
    assert_eq!(faults(&reply("whatsapp")), ["actions[0].title action.title_variable"]);
    assert!(faults(&reply("none")).is_empty());
}

#[test]
fn texts_have_no_blank_ends() {
    for body in ["", "  ", " Call us", "Call us\\n"] {
        assert!(breaks(&with(body, ""), "body", Rule::White), "{body:?}");
    }
}
