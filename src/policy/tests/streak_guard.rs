//! The streak guard: an invite before the third call, an operator's permission before the fourth.

use super::*;

/// Meta, Obtain user call permissions: two misses cause the nudge, four revoke.
#[test]
fn the_third_miss_in_a_row_needs_an_invite_first() {
    let missed = |misses| ready().with(move |case| case.pair.misses = misses);
    missed(1).check(&Call);
    missed(2).check(&Finish(Outcome::Exhausted, "limit.streak_guard"));
    let inviting = || missed(2).with(|case| case.sender.invite = "HXinvite".parse().ok());
    inviting().check(&Invite("limit.streak_guard"));
    let intended = || inviting().with(|case| case.callback.invited_at = Some(at(-60)));
    // An invite counts only when the platform has accepted it.
    intended().check(&Wait("invite.awaiting_call", 10 * DAY, false));
    intended().with(|case| case.pair.invited_at = Some(at(-60))).check(&Call);
}

#[test]
fn the_miss_that_would_revoke_is_never_risked() {
    let case = || {
        ready().with(|case| {
            case.pair.misses = 3;
            case.sender.invite = "HXinvite".parse().ok();
        })
    };
    case().check(&Invite("limit.streak_guard"));
    case().with(|case| case.callback.invited_at = Some(at(-60))).check(&Wait(
        "invite.awaiting_call",
        10 * DAY,
        false,
    ));
}

/// The answer could not be used, and a request is one of two in a week.
#[test]
fn nobody_is_asked_for_a_permission_that_the_guard_keeps_from_use() {
    let missed = |misses| unasked().with(move |case| case.pair.misses = misses);
    missed(1).check(&template());
    for misses in [2, 3] {
        missed(misses).check(&Finish(Outcome::Exhausted, "limit.streak_guard"));
        missed(misses).with(|case| case.callback.attempt_allowed_at = Some(at(-1))).check(&template());
    }
    missed(2).with(|case| case.pair.invited_at = Some(at(-60))).check(&template());
    // The platform revoked the permission; a new one resets the misses.
    missed(4).with(|case| case.pair.permission = CallPermission::RevokedAutomatically).check(&template());
}

#[test]
fn an_operators_word_is_the_only_way_past_the_streak_guard() {
    for misses in [2, 3] {
        let case = || ready().with(move |case| case.pair.misses = misses);
        case().check(&Finish(Outcome::Exhausted, "limit.streak_guard"));
        case().with(|case| case.callback.attempt_allowed_at = Some(at(-1))).check(&Call);
    }
}
