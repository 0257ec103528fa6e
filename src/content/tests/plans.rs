//! What a plan says for each state of the platform, and what may be deleted.

use super::super::canonical::{hash, name_at_whatsapp, name_in, template_name, version};
use super::super::plan::{Plan, Step, Why};
use super::super::role::Role;
use super::super::unused::{Uses, unused};
use super::super::{Category, Declaration, Held, Status};
use super::{ASK, INVITE, declared, held};

fn step(declaration: &Declaration, held: &[Held]) -> Step {
    Plan::new([declaration], held).items.remove(0).step
}

fn changed() -> Declaration {
    declared(&INVITE.replace("suits you", "suits you best"))
}

#[test]
fn the_hash_depends_on_what_is_seen_and_on_nothing_else() {
    let invite = declared(INVITE);
    let same = [
        INVITE.replace("\"invite\"", "\"other\""),
        INVITE.replace("\"whatsapp\"", "\"none\""),
        format!("# a comment\nrevision = 1\n{INVITE}"),
    ];
    for source in same {
        assert_eq!(hash(&declared(&source)), hash(&invite), "{source}");
    }
    let other = [
        INVITE.replace("suits", "fits"),
        INVITE.replace("\"en\"", "\"en_GB\""),
        INVITE.replace("UTILITY", "MARKETING"),
        INVITE.replace("Call now", "Call us"),
        format!("revision = 2\n{INVITE}"),
    ];
    for source in other {
        assert_ne!(hash(&declared(&source)), hash(&invite), "{source}");
    }
    // Names at the platform must not change with a release.
    assert_eq!(version(&invite), "invite@bcd56f2f2c");
    assert_eq!(template_name(&invite), "invite_bcd56f2f2c");
    assert_eq!(name_in(&version(&invite)), Some("invite"));
    assert_eq!(name_at_whatsapp(&version(&invite)), template_name(&invite));
    assert_eq!(name_at_whatsapp("somebody@example"), "somebody@example");
    for foreign in ["invite", "invite@", "invite@0123", "@0123456789", "invite@0123456789a", "a@012345678G"] {
        assert_eq!(name_in(foreign), None, "{foreign}");
    }
}

#[test]
fn what_is_missing_is_created_and_what_was_not_submitted_is_submitted() {
    let (ask, invite) = (declared(ASK), declared(INVITE));
    assert_eq!(step(&invite, &[]), Step::Create);
    let there = held(&invite, '1', Status::Unsubmitted);
    assert_eq!(step(&invite, std::slice::from_ref(&there)), Step::Submit { sid: there.sid });
    let there = held(&ask, '2', Status::Unsubmitted);
    let keep = Step::Keep { sid: there.sid.clone(), status: Status::Unsubmitted, changed_category: None };
    assert_eq!(step(&ask, &[there]), keep);
}

#[test]
fn content_in_review_or_approved_is_kept_and_a_changed_category_is_told() {
    let invite = declared(INVITE);
    for status in
        [Status::Received, Status::Pending, Status::Approved, Status::Paused, Status::Other("x".into())]
    {
        let there = held(&invite, '1', status.clone());
        let keep = Step::Keep { sid: there.sid.clone(), status, changed_category: None };
        assert_eq!(step(&invite, &[there]), keep);
    }
    let mut there = held(&invite, '1', Status::Approved);
    there.review.category = Some("MARKETING".to_owned());
    let Step::Keep { changed_category, .. } = step(&invite, &[there]) else { panic!("not kept") };
    assert_eq!(changed_category.as_deref(), Some("MARKETING"));
}

#[test]
fn a_rejected_name_is_not_used_again() {
    let invite = declared(INVITE);
    let mut there = held(&invite, '1', Status::Rejected);
    there.review.reason = Some("too generic".to_owned());
    let blocked = Step::Blocked { sid: there.sid.clone(), why: Why::Rejected("too generic".to_owned()) };
    assert_eq!(step(&invite, std::slice::from_ref(&there)), blocked);
    // The same name at WhatsApp, from content with another friendly name.
    there.friendly_name = "made by hand".to_owned();
    assert_eq!(step(&invite, std::slice::from_ref(&there)), blocked);
    assert_eq!(step(&changed(), std::slice::from_ref(&there)), Step::Create);
    let again = declared(&format!("revision = 2\n{INVITE}"));
    assert_eq!(step(&again, &[there]), Step::Create);
    let there = held(&invite, '1', Status::Disabled);
    assert_eq!(
        step(&invite, std::slice::from_ref(&there)),
        Step::Blocked { sid: there.sid, why: Why::Disabled }
    );
}

#[test]
fn a_changed_declaration_is_the_next_version_beside_the_old_one() {
    let old = held(&declared(INVITE), '1', Status::Approved);
    let plan = Plan::new([&changed()], std::slice::from_ref(&old));
    assert_eq!((&plan.items[0].step, &plan.items[0].others), (&Step::Create, &vec![old.sid]));
    assert!(!plan.is_done());
}

#[test]
fn content_that_shows_something_else_is_not_taken_for_the_declaration() {
    let invite = declared(INVITE);
    let altered = |change: fn(&mut Held)| {
        let mut there = held(&invite, '1', Status::Approved);
        change(&mut there);
        matches!(step(&invite, &[there]), Step::Blocked { why: Why::Altered, .. })
    };
    assert!(altered(|held| held.types["whatsapp/card"]["body"] = "Other".into()));
    assert!(altered(|held| held.types["whatsapp/card"]["actions"] = serde_json::json!([])));
    assert!(altered(|held| held.language = "de".to_owned()));
    assert!(altered(|held| held.types = serde_json::json!({"twilio/text": {"body": "x"}})));
    // What the platform adds or does not show is no change.
    assert!(!altered(|held| held.types["whatsapp/card"]["media"] = serde_json::Value::Null));
    assert!(!altered(|held| held.types["whatsapp/card"]["actions"][0]["id"] = serde_json::Value::Null));
    assert!(!altered(|held| held.types["whatsapp/card"]["actions"][0]["title"] = serde_json::Value::Null));
}

#[test]
fn of_twins_the_one_that_is_furthest_counts_and_then_the_oldest() {
    let invite = declared(INVITE);
    let new = held(&invite, '1', Status::Unsubmitted);
    let rejected = held(&invite, '2', Status::Rejected);
    let approved = held(&invite, '4', Status::Approved);
    let younger = held(&invite, '5', Status::Approved);
    let plan = Plan::new([&invite], &[younger.clone(), new.clone(), approved.clone(), rejected.clone()]);
    assert_eq!(plan.items[0].sid(), Some(approved.sid.as_str()));
    assert_eq!(plan.items[0].twins, [younger.sid, rejected.sid.clone(), new.sid.clone()]);
    assert!(matches!(step(&invite, &[new, rejected]), Step::Blocked { .. }));
}

#[test]
fn only_what_nothing_uses_may_be_deleted() {
    let (old, current) = (declared(INVITE), changed());
    let declarations = [current.clone()];
    let sids = |held: &[Held], uses: &Uses| {
        unused(held, &declarations, uses).into_iter().map(|held| held.sid.clone()).collect::<Vec<_>>()
    };
    let was = held(&old, '1', Status::Approved);
    let is = held(&current, '2', Status::Approved);
    let twin = held(&current, '3', Status::Unsubmitted);
    let mut foreign = held(&old, '4', Status::Approved);
    foreign.friendly_name = "invite".to_owned();
    let gone = held(&declared(&ASK.replace("\"ask\"", "\"gone\"")), '5', Status::Unsubmitted);
    let all = [was.clone(), is.clone(), twin.clone(), foreign, gone.clone()];
    assert_eq!(sids(&all, &Uses::default()), [was.sid.clone(), twin.sid.clone(), gone.sid.clone()]);
    // A sender names it by its identifier, or by a name that is not declared any more.
    let uses = Uses { sids: [was.sid.clone()].into(), names: [(Role::Request, "gone".to_owned())].into() };
    assert_eq!(sids(&all, &uses), [twin.sid]);
    // While the declared version is in review, the last approved one is in use.
    let waiting = held(&current, '2', Status::Pending);
    assert!(sids(&[was.clone(), waiting], &Uses::default()).is_empty());
    let rejected = held(&current, '2', Status::Rejected);
    assert!(sids(&[was, rejected], &Uses::default()).is_empty());
}

#[test]
fn a_category_is_compared_only_where_one_is_declared() {
    let mut ask = declared(ASK);
    let mut there = held(&ask, '1', Status::Approved);
    there.review.category = Some("MARKETING".to_owned());
    assert_eq!(there.review.changed_category(&ask), None);
    ask.category = Some(Category::Utility);
    assert_eq!(there.review.changed_category(&ask), Some("MARKETING"));
    there.review.category = Some("utility".to_owned());
    assert_eq!(there.review.changed_category(&ask), None);
}
