//! The content of a permission request, with a clock that differs from the platform's.

use super::*;

/// Meta, Calling API pricing (2 Mar 2026): 24 h from the consumer's last message or call.
#[test]
fn the_margin_closes_the_service_window_early() {
    let case = || {
        unasked().with(|case| {
            case.pair.inbound_at = Some(at(-DAY + 100));
            case.rules.margin = SignedDuration::from_secs(30);
        })
    };
    case().now(69).check(&Ask("HXfree".into()));
    case().now(70).check(&template());
    case().now(71).check(&template());
}

#[test]
fn misses_that_revoke_hold_a_call_back_as_long_as_the_permission_lives() {
    let missed = |permission| {
        ready().with(move |case| {
            case.pair.misses = 4;
            case.pair.permission = permission;
        })
    };
    let held = Finish(Outcome::Exhausted, "limit.streak_guard");
    missed(CallPermission::Permanent).check(&held);
    missed(CallPermission::Temporary { expires_at: at(DAY) }).check(&held);
    missed(CallPermission::RevokedAutomatically).check(&template());
    missed(CallPermission::None).check(&template());
}
