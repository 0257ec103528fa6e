//! The content that senders name.

use super::super::role::{Role, Unusable};
use super::super::{Held, Status};
use super::{ASK, INVITE, declared, held};

fn approved_ask() -> super::Declaration {
    declared(&ASK.replace("approval = \"none\"", "approval = \"whatsapp\"\ncategory = \"UTILITY\""))
}

#[test]
fn a_role_needs_its_action_and_outside_the_window_approval() {
    let (ask, invite) = (declared(ASK), declared(INVITE));
    assert_eq!(Role::Request.misfit(&ask), None);
    assert_eq!(Role::Invite.misfit(&invite), None);
    assert_eq!(Role::Template.misfit(&approved_ask()), None);
    assert!(Role::Template.misfit(&ask).unwrap().contains("approval"));
    assert!(Role::Invite.misfit(&ask).unwrap().contains("VOICE_CALL"));
    assert!(Role::Request.misfit(&invite).unwrap().contains("VOICE_CALL_REQUEST"));
    let free = declared(&INVITE.replace("\"whatsapp\"", "\"none\""));
    assert!(Role::Invite.misfit(&free).unwrap().contains("approval"));
}

#[test]
fn variables_are_doubted_where_their_samples_are_shown() {
    let variable = |source: &str, body: &str| {
        declared(&format!("{}\n[variables]\n1 = \"Ana\"", source.replace(body, "Dear {{1}}, call us")))
    };
    assert!(Role::Invite.doubt(&variable(INVITE, "Call us when it suits you.")).is_some());
    assert!(Role::Invite.doubt(&declared(INVITE)).is_none());
    assert!(Role::Request.doubt(&variable(ASK, "May we call you?")).is_none());
}

#[test]
fn each_state_of_a_review_may_be_sent_or_not() {
    let ask = approved_ask();
    let cases = [
        (Status::Unsubmitted, true, false),
        (Status::Received, true, false),
        (Status::Pending, true, false),
        (Status::Approved, true, true),
        (Status::Paused, true, true),
        (Status::Rejected, false, false),
        (Status::Disabled, false, false),
        (Status::Other("in_appeal".into()), true, false),
    ];
    for (status, in_the_window, at_any_time) in cases {
        let there = [held(&ask, '1', status.clone())];
        let may = |role: Role| role.choose("ask", Some(&ask), &there).is_ok();
        assert_eq!(may(Role::Request), in_the_window, "{status:?}");
        assert_eq!(may(Role::Template), at_any_time, "{status:?}");
    }
}

#[test]
fn the_declared_version_is_used_and_before_its_approval_the_last_good_one() {
    let (old, new) = (declared(INVITE), declared(&INVITE.replace("suits", "fits")));
    let was = held(&old, '1', Status::Approved);
    let choose = |held: &[Held]| Role::Invite.choose("invite", Some(&new), held);
    let is = held(&new, '2', Status::Approved);
    let chosen = choose(&[was.clone(), is.clone()]).unwrap();
    assert_eq!((chosen.sid, chosen.is_older), (is.sid, false));
    let waiting = held(&new, '2', Status::Pending);
    let chosen = choose(&[was.clone(), waiting.clone()]).unwrap();
    assert_eq!((chosen.sid.as_str(), chosen.is_older), (was.sid.as_str(), true));
    assert_eq!(choose(&[waiting]), Err(Unusable::InReview("pending".to_owned())));
    assert_eq!(choose(&[]), Err(Unusable::Missing));
    assert_eq!(choose(&[held(&new, '2', Status::Unsubmitted)]), Err(Unusable::Unsubmitted));
    let rejected = held(&new, '2', Status::Rejected);
    assert_eq!(choose(&[rejected]), Err(Unusable::Rejected("no reason given".to_owned())));
    // Content of others with the plain name is not ours.
    let mut foreign = held(&new, '3', Status::Approved);
    foreign.friendly_name = "invite".to_owned();
    assert_eq!(choose(&[foreign]), Err(Unusable::Missing));
}
