//! Each law of invites, broken and kept.

use super::*;

fn with_token(mut said: Value, token: &str) -> Value {
    said["biz_opaque_callback_data"] = json!(token);
    said
}

fn laws(room: &Room) -> Vec<Law> {
    room.laws()
}

#[test]
fn a_person_is_invited_once_in_seven_days_by_whatever_road() {
    let mut room = room();
    room.writes(FOLLOWS);
    room.sent(FOLLOWS, &button(&json!({})));
    room.advance(hours(168) - seconds(601));
    room.sent(FOLLOWS, &template("call_us", &Value::Null));
    assert_eq!(laws(&room), [Law::InvitesPerPerson]);
    let mut room = self::room();
    room.writes(FOLLOWS);
    room.sent(FOLLOWS, &button(&json!({})));
    room.advance(hours(168));
    room.sent(FOLLOWS, &template("call_us", &Value::Null));
    assert_eq!(laws(&room), []);
}

#[test]
fn an_invite_that_cannot_arrive_does_not_count() {
    let mut room = room();
    room.world.set_client(phone(FOLLOWS), Client { has_no_buttons: true, ..Client::default() });
    room.writes(FOLLOWS);
    room.sent(FOLLOWS, &button(&json!({})));
    room.advance(seconds(60));
    room.sent(FOLLOWS, &text("https://wa.me/call/551140000009"));
    assert_eq!(laws(&room), []);
}

#[test]
fn a_free_invite_needs_the_window_that_the_daemon_knows() {
    let mut room = room();
    room.sent(FOLLOWS, &button(&json!({})));
    assert_eq!(laws(&room), [Law::InviteNeedsWindow]);
    let mut room = self::room();
    room.writes(FOLLOWS);
    room.advance(hours(24) + seconds(20));
    room.sent(FOLLOWS, &button(&json!({})));
    assert_eq!(laws(&room), [], "it may have been on its way");
    let mut room = self::room();
    room.writes(FOLLOWS);
    room.advance(hours(24) + seconds(60));
    room.sent(FOLLOWS, &button(&json!({})));
    assert_eq!(laws(&room), [Law::InviteNeedsWindow]);
    let mut room = self::room();
    room.sent(FOLLOWS, &text("just words"));
    assert_eq!(laws(&room), [], "not an invite");
}

#[test]
fn a_message_is_taken_once() {
    let mut room = room();
    room.writes(FOLLOWS);
    room.sent(FOLLOWS, &with_token(text("Hello"), "one"));
    room.advance(seconds(7));
    room.sent(FOLLOWS, &with_token(text("Hello"), "two"));
    assert_eq!(laws(&room), []);
    room.advance(seconds(7));
    room.sent(FOLLOWS, &with_token(text("Hello"), "one"));
    assert_eq!(laws(&room), [Law::OneMessagePerToken]);
}

#[test]
fn a_payload_is_for_one_person_and_shows_no_number() {
    let other = "+5511987650017";
    let mut room = room();
    room.writes(FOLLOWS);
    room.writes(other);
    room.sent(FOLLOWS, &button(&json!({"payload": "token"})));
    assert_eq!(laws(&room), []);
    room.sent(other, &button(&json!({"payload": "token"})));
    assert_eq!(laws(&room), [Law::TokenIsOwn]);
    let mut room = self::room();
    room.writes(FOLLOWS);
    room.sent(FOLLOWS, &button(&json!({"payload": format!("for {FOLLOWS}")})));
    assert_eq!(laws(&room), [Law::TokenIsOwn]);
}

#[test]
fn messages_to_one_consumer_are_six_seconds_apart() {
    let mut room = room();
    room.writes(FOLLOWS);
    room.sent(FOLLOWS, &text("Hello"));
    room.sent("+5511987650003", &template("call_us", &Value::Null));
    room.advance(seconds(5));
    room.sent(FOLLOWS, &text("Hello"));
    assert_eq!(laws(&room), []);
    room.advance(seconds(4));
    room.sent(FOLLOWS, &text("Hello"));
    assert_eq!(laws(&room), [Law::PairPace]);
}

#[test]
fn nothing_is_sent_during_a_restriction_that_was_acknowledged() {
    let restricted = |until: Option<i64>| {
        let mut room = room();
        room.writes(FOLLOWS);
        let until = until.map(|after| room.now + hours(after));
        let kind = "RESTRICTED_BIZ_INITIATED_MESSAGING".to_owned();
        room.world.restrict(room.now, ACCOUNT, Restriction { kind, until });
        room
    };
    let mut room = restricted(None);
    room.sent(FOLLOWS, &text("Hello"));
    assert_eq!(laws(&room), [], "it was not told yet");
    room.advance(hours(1));
    room.sent(FOLLOWS, &text("Hello"));
    assert_eq!(laws(&room), [Law::RestrictionIsKept]);
    let mut room = restricted(Some(1));
    room.advance(hours(1));
    room.sent(FOLLOWS, &text("Hello"));
    assert_eq!(laws(&room), [], "it is over");
    let mut room = restricted(None);
    room.advance(seconds(1));
    room.world.reinstate(room.now, ACCOUNT);
    room.sent(FOLLOWS, &text("Hello"));
    assert_eq!(laws(&room), [], "it was ended");
}

#[test]
fn a_restriction_of_calls_stops_what_is_for_them_and_nothing_else() {
    let broken = |kind: &str, body: &Value| {
        let mut room = room();
        room.writes(FOLLOWS);
        let kind = kind.to_owned();
        room.world.restrict(room.now, ACCOUNT, Restriction { kind, until: None });
        room.advance(hours(1));
        room.sent(FOLLOWS, body);
        laws(&room) == [Law::RestrictionIsKept]
    };
    let (business, users, both) = (
        "RESTRICTED_BUSINESS_INITIATED_CALLING",
        "RESTRICTED_USER_INITIATED_CALLING",
        "RESTRICTED_BIZ_INITIATED_AND_USER_INITIATED_CALLING",
    );
    for (kind, body, expected) in [
        (business, text("Hello"), false),
        (business, button(&json!({})), false),
        (users, text("Hello"), false),
        (users, button(&json!({})), true),
        (both, text("Hello"), false),
        (both, button(&json!({})), true),
    ] {
        assert_eq!(broken(kind, &body), expected, "{kind} {body}");
    }
}

#[test]
fn who_said_no_is_not_invited() {
    let mut room = room();
    room.world.consumer_writes(room.now, phone(NUMBER), phone(FOLLOWS), "stop");
    room.sent(FOLLOWS, &button(&json!({})));
    assert_eq!(laws(&room), [], "it was not told yet");
    let mut room = self::room();
    room.world.consumer_writes(room.now, phone(NUMBER), phone(FOLLOWS), "stop");
    room.advance(seconds(1));
    room.sent(FOLLOWS, &template("call_us", &Value::Null));
    assert_eq!(laws(&room), [Law::NoIsKept]);
}

#[test]
fn a_no_under_a_user_id_counts_once_the_daemon_can_know_whose_it_is() {
    let mut room = room();
    room.world.set_habit(phone(FOLLOWS), Habit::Talks);
    room.world.set_client(phone(FOLLOWS), Client { hides_number: true, ..Client::default() });
    room.world.consumer_writes(room.now, phone(NUMBER), phone(FOLLOWS), "stop");
    room.advance(hours(1));
    room.sent(FOLLOWS, &template("call_us", &Value::Null));
    assert_eq!(laws(&room), [], "nobody knows whose id it is");
    room.advance(hours(8 * 24));
    room.sent(FOLLOWS, &template("call_us", &Value::Null));
    assert_eq!(laws(&room), [Law::NoIsKept], "the status of the first message told it");
}
