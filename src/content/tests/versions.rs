//! Which version of a template of `[meta]` is sent.

use std::collections::BTreeSet;

use super::super::canonical::{template_name, types, version};
use super::super::held::{Held, Review, Status};
use super::super::role::Unusable;
use super::super::unused::{Uses, unused};
use super::super::version::{choose, declared_fills, substitutes};
use super::{Declaration, declared};

fn template(body: &str, more: &str) -> Declaration {
    declared(&format!(
        "name = \"call_us\"\nlanguage = \"en\"\ncategory = \"UTILITY\"\napproval = \"whatsapp\"\n\
         type = \"meta/template\"\nbody = \"{body}\"\n[[actions]]\ntype = \"VOICE_CALL\"\n{more}"
    ))
}

fn held(declared: &Declaration, sid: &str, status: Status) -> Held {
    Held {
        sid: sid.to_owned(),
        friendly_name: version(declared),
        language: declared.language.clone(),
        types: types(declared),
        variables: std::collections::BTreeMap::new(),
        fills: declared_fills(declared),
        created_at: None,
        review: Review { status, name: template_name(declared), category: None, reason: None },
    }
}

/// The ids of three older versions are 9, 10 and 11.
fn three() -> [Declaration; 3] {
    ["Call us soon.", "Call us now.", "Call us today."].map(|body| template(body, ""))
}

#[test]
fn the_declared_version_goes_first_and_an_older_one_only_while_it_cannot_be_sent() {
    let own = template("Call us.", "");
    let [one, ..] = three();
    let older = || held(&one, "9", Status::Approved);
    for (status, is_older) in [
        (Status::Approved, false),
        (Status::Paused, false),
        (Status::Pending, true),
        (Status::Received, true),
        (Status::Rejected, true),
        (Status::Disabled, true),
        (Status::Unsubmitted, true),
    ] {
        let chosen = choose(&own, &[older(), held(&own, "1", status.clone())], None).unwrap();
        let expected = if is_older { &one } else { &own };
        assert_eq!(
            (chosen.name, chosen.instead.is_some()),
            (template_name(expected), is_older),
            "{status:?}"
        );
    }
    // It was changed, and not applied yet.
    let chosen = choose(&own, &[older()], None).unwrap();
    assert_eq!((chosen.name, chosen.instead), (template_name(&one), Some(Unusable::Missing)));
}

#[test]
fn of_several_older_ones_the_last_used_goes_first_then_an_approved_one_then_the_highest_id() {
    let own = template("Call us.", "");
    let [one, two, three] = three();
    let name = |held: &[Held], last: Option<&str>| choose(&own, held, last).unwrap().name;
    let all = |of_two: Status, of_three: Status| {
        [held(&one, "9", Status::Approved), held(&two, "10", of_two), held(&three, "11", of_three)]
    };
    let approved = all(Status::Approved, Status::Approved);
    assert_eq!(name(&approved, None), template_name(&three));
    assert_eq!(name(&approved, Some(&template_name(&one))), template_name(&one));
    assert_eq!(name(&approved, Some("call_us_0000000000")), template_name(&three));
    assert_eq!(name(&all(Status::Approved, Status::Paused), None), template_name(&two));
    assert_eq!(name(&all(Status::Rejected, Status::Disabled), None), template_name(&one));
    let paused = [held(&two, "10", Status::Paused)];
    assert!(choose(&own, &paused, None).unwrap().is_paused);
}

#[test]
fn a_version_with_other_variables_buttons_or_language_is_not_sent() {
    let own = template("Dear {{1}} of {{2}}, call us.", "[variables]\n1 = \"Ana\"\n2 = \"X\"");
    let fits = |other: &Declaration| choose(&own, &[held(other, "1", Status::Approved)], None).is_ok();
    let samples = "[variables]\n1 = \"Ana\"\n2 = \"X\"";
    assert!(fits(&template("Good morning {{1}} of {{2}}, call us.", samples)));
    assert!(!fits(&template("Dear {{2}} of {{1}}, call us.", samples)), "the values would change places");
    assert!(!fits(&template("Dear {{1}}, call us.", "[variables]\n1 = \"Ana\"")));
    assert!(!fits(&template("Dear {{one}} of {{two}}, call us.", "[variables]\none = \"Ana\"\ntwo = \"X\"")));
    let url = "[[actions]]\ntype = \"URL\"\ntitle = \"See it\"\nurl = \"https://shop.example/\"\n";
    assert!(
        fits(&template("Dear {{1}} of {{2}}, call now.", &format!("{url}{samples}"))),
        "nothing is filled in"
    );
    let german = Declaration { language: "de".to_owned(), ..template("Dear {{1}} of {{2}}, call.", samples) };
    assert!(!fits(&german));
    let refused = choose(&own, &[held(&german, "1", Status::Approved)], None).unwrap_err();
    assert!(refused.to_string().contains("the older versions have another language"), "{refused}");
    assert!(!choose(&own, &[], None).unwrap_err().misfit);
}

#[test]
fn samples_tell_numbered_variables_apart_only_where_there_are_several() {
    let fills =
        |body: &str, samples: &str| declared_fills(&template(body, &format!("[variables]\n{samples}")));
    let of = |body: &str, sample: &str| fills(body, &format!("1 = \"{sample}\""));
    assert_eq!(of("Dear {{1}}, call us.", "Ana"), of("Hello {{1}}, call.", "Eva"));
    let expected = ["body 0 as Ana", "body 1 as X", "call button", "language en"].map(str::to_owned);
    assert_eq!(fills("Dear {{1}} of {{2}}, call.", "1 = \"Ana\"\n2 = \"X\""), BTreeSet::from(expected));
    let expected = ["body who", "call button", "language en"].map(str::to_owned);
    assert_eq!(fills("Dear {{who}}, call.", "who = \"Ana\""), BTreeSet::from(expected));
    let url = "Dear {{1}}, call.";
    let more = "[[actions]]\ntype = \"URL\"\ntitle = \"See it\"\nurl = \"https://shop.example/{{2}}\"\n";
    let url = template(url, &format!("{more}[variables]\n1 = \"Ana\"\n2 = \"x\""));
    let expected = ["body 0 as Ana", "url 1 as x", "call button", "language en"].map(str::to_owned);
    assert_eq!(declared_fills(&url), BTreeSet::from(expected));
}

#[test]
fn no_version_that_may_be_sent_in_its_place_is_pruned() {
    let own = template("Call us.", "");
    let [one, two, three] = three();
    let older = |status: Status| {
        [held(&one, "9", Status::Approved), held(&two, "10", Status::Paused), held(&three, "11", status)]
    };
    let pruned = |own_status: Status| {
        let mut all = older(Status::Rejected).to_vec();
        all.push(held(&own, "12", own_status));
        let stale = unused(&all, std::slice::from_ref(&own), &Uses::default());
        stale.iter().map(|held| held.sid.clone()).collect::<Vec<_>>()
    };
    assert_eq!(pruned(Status::Pending), ["11"]);
    assert_eq!(pruned(Status::Approved), ["9", "10", "11"]);
    assert_eq!(substitutes(&own, &older(Status::Approved)).len(), 3);
}
