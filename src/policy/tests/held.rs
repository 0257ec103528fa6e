//! A set-aside callback waits, and the person of a set-aside report is neither asked nor called.

use super::*;

fn held(reason: Reason) -> Case {
    ready().with(|case| case.held = Some(reason))
}

fn set_aside(item: SetAsideItem, consumer: Option<Phone>, callback: Option<CallbackId>) -> SetAside {
    let id = SetAsideId::new(Uuid::from_u128(1));
    SetAside { id, item, consumer, callback, at: at(0), kind: "call".into(), place: None, end: None }
}

#[test]
fn a_report_that_is_set_aside_holds_its_person_back_until_the_deadline() {
    held(Reason::ReportSetAside).check(&Wait("report.set_aside", 10 * DAY, false));
    let unasked = || held(Reason::ReportSetAside).with(|case| case.pair.permission = CallPermission::None);
    unasked().check(&Wait("report.set_aside", 10 * DAY, false));
    let over = held(Reason::ReportSetAside).with(|case| case.now = 10 * DAY);
    over.check(&Finish(Outcome::Expired, "deadline.passed"));
}

#[test]
fn what_else_it_waits_for_stays_listed() {
    let case = held(Reason::DiallingStopped { since: at(0) }).with(|case| case.live_calls = 1_000_000);
    let assessment = assess(at(0), &situation(&case.callback, [&case]), &case.rules);
    let codes: Vec<_> = assessment.binding.iter().map(Reason::code).collect();
    assert_eq!(codes, ["dialling.stopped", "sender.concurrency"]);
}

#[test]
fn a_callback_that_is_set_aside_is_not_decided_even_at_its_deadline() {
    held(Reason::CallbackSetAside).check(&Wait("callback.set_aside", 10 * DAY, false));
    held(Reason::CallbackSetAside).with(|case| case.now = 11 * DAY).check(&Wait(
        "callback.set_aside",
        10 * DAY,
        false,
    ));
}

#[test]
fn only_those_are_held_back_whom_it_concerns() {
    let mine = ready().callback;
    let mut other = ready().callback;
    (other.id, other.order.consumer) = (CallbackId::new(Uuid::from_u128(2)), sender_number());
    let reasons = |held: &Held| {
        [&mine, &other].map(|callback| {
            let person = PersonId::of(callback.order.consumer);
            held.reason(callback, person).map(|reason| reason.code())
        })
    };
    let report = set_aside(SetAsideItem::Report(1), Some(mine.order.consumer), None);
    assert_eq!(reasons(&Held::new([&report], &[], None)), [Some("report.set_aside"), None]);
    let command = set_aside(SetAsideItem::Command(1), None, Some(mine.id));
    assert_eq!(reasons(&Held::new([&command], &[], None)), [Some("callback.set_aside"), None]);
    let nobody = set_aside(SetAsideItem::Report(1), None, None);
    assert_eq!(
        (reasons(&Held::new([&nobody], &[], None)), Held::new([&nobody], &[], None).count()),
        ([None, None], 1)
    );
    let stopped = Held::new([&command], &[], Some(at(0)));
    assert_eq!(reasons(&stopped), [Some("callback.set_aside"), Some("dialling.stopped")]);
}

#[test]
fn a_report_holds_back_its_person_under_every_name() {
    let told = Phone::parse("+551187654321").unwrap();
    let report = set_aside(SetAsideItem::Report(1), Some(told), None);
    let reason = |held: &Held, consumer: Phone| {
        let mut callback = ready().callback;
        callback.order.consumer = consumer;
        held.reason(&callback, PersonId::of(consumer)).map(|reason| reason.code())
    };
    let nobody = Held::new([&report], &[], None);
    assert_eq!(
        reason(&nobody, Phone::parse("+5511987654321").unwrap()),
        Some("report.set_aside"),
        "9 digits"
    );
    let other = Phone::parse("+447700900123").unwrap();
    assert_eq!(reason(&nobody, other), None);
    let mut person = Person::unknown(PersonId::of(told));
    person.names.insert(crate::domain::Name::Number(other));
    assert_eq!(reason(&Held::new([&report], &[person], None), other), Some("report.set_aside"));
}
