//! Content on its road and on another.

use super::super::road::Use;
use super::super::role::Role;
use super::super::{Kind, Provider, canonical};
use super::{ASK, INVITE, declared};

fn of(kind: &str, rest: &str) -> String {
    format!("name = \"a\"\nlanguage = \"en\"\napproval = \"none\"\ntype = \"{kind}\"\n{rest}")
}

#[test]
fn each_road_takes_its_types_and_no_others() {
    let call = declared(&of("meta/voice_call", "body = \"Call us\"\n[[actions]]\ntype = \"VOICE_CALL\""));
    assert_eq!(Use::CallButton.misfit(&call), None);
    let why = Use::DeepLink.misfit(&call).unwrap();
    assert_eq!(
        why,
        "is of the type meta/voice_call, and invite_deep_link sends meta/text (type.road; Ringmaster's own rule)"
    );
    let why = Use::Messenger.misfit(&call).unwrap();
    assert_eq!(
        why,
        "is of the type meta/voice_call, which [meta] sends and [messenger] does not (type.road; Ringmaster's own rule)"
    );
    for using in Use::ALL {
        for source in [ASK, INVITE] {
            assert!(using.misfit(&declared(source)).unwrap().contains("which [accounts] sends"), "{using:?}");
        }
    }
    for role in Role::ALL {
        assert!(role.misfit(&call).unwrap().contains("which [meta] sends and [accounts] does not"));
    }
}

#[test]
fn every_type_but_those_of_twilio_has_one_road() {
    for kind in Kind::ALL {
        let roads = Use::ALL.into_iter().filter(|using| using.kinds().contains(&kind));
        let expected = usize::from(kind.provider() != Provider::Twilio);
        assert_eq!(roads.clone().count(), expected, "{kind:?}");
        for road in roads {
            assert_eq!(road.provider(), kind.provider());
        }
    }
}

#[test]
fn the_version_is_read_from_the_name_of_a_template() {
    let declared = declared(INVITE);
    let template = canonical::template_name(&declared);
    assert_eq!(canonical::version_in(&template), Some(canonical::version(&declared)));
    for name in
        ["invite", "invite_", "_0123456789", "invite_012345678", "invite_0123456789a", "invite_012345678X"]
    {
        assert_eq!(canonical::version_in(name), None, "{name}");
    }
}
