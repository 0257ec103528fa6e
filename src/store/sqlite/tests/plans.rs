//! The scheduler's questions are seeks, however much is stored.

use rusqlite::Connection;

use super::super::{
    attempts, callbacks, commands, file, list, messages, outbox, pairs, reports, set_aside, timeline,
};
use crate::domain::{CallbackId, Outcome, Phone};
use crate::store::{Filter, Page, Status};

fn plan(db: &Connection, sql: &str) -> String {
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = statement.raw_query();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        lines.push(row.get::<_, String>(3).unwrap());
    }
    lines.join("; ")
}

#[track_caller]
fn assert_plan(db: &Connection, sql: &str, expected: &[&str]) {
    let plan = plan(db, sql);
    for part in expected {
        assert!(plan.contains(part), "no {part:?} in the plan {plan:?} of {sql}");
    }
    assert!(!plan.contains("TEMP B-TREE"), "sorts: {plan:?} of {sql}");
    assert!(!plan.contains("AUTOMATIC"), "builds an index: {plan:?} of {sql}");
}

#[test]
fn the_scheduler_seeks_and_never_sorts() {
    let db = file::open_memory().unwrap();
    assert_plan(&db, callbacks::NEXT_WAKE, &["COVERING INDEX callbacks_by_wake"]);
    assert_plan(&db, callbacks::DUE, &["SEARCH callbacks USING INDEX callbacks_by_wake (at<?)"]);
    assert_plan(&db, callbacks::AT_GATE, &["SEARCH callbacks USING INDEX callbacks_by_gate (gate=?)"]);
    assert_plan(&db, callbacks::NEXT_GATE, &["SEARCH", "COVERING INDEX callbacks_by_gate (gate>?)"]);
    assert_plan(&db, reports::UNFOLDED, &["SCAN u", "SEARCH r USING INTEGER PRIMARY KEY"]);
    assert_plan(
        &db,
        commands::PENDING,
        &["USING INDEX commands_pending", "SEARCH r USING INTEGER PRIMARY KEY"],
    );
    assert_plan(&db, set_aside::OPEN, &["USING INDEX set_aside_open"]);
    assert_plan(&db, attempts::LIVE, &["USING INDEX attempts_live"]);
    assert_plan(&db, messages::UNSETTLED, &["USING INDEX messages_unsettled"]);
    assert_plan(&db, attempts::SUBMITTED_SINCE, &["SCAN attempts"]);
    assert_plan(&db, pairs::WITH_LIVE_INBOUND, &["pairs_with_live_inbound"]);
    assert_plan(&db, timeline::OF_CALLBACK, &["SEARCH timeline USING INDEX timeline_by_callback"]);
    assert_plan(&db, timeline::OF_PAIR, &["SEARCH timeline USING INDEX timeline_by_pair"]);
    assert_plan(&db, timeline::OF_PAIR_BETWEEN, &["SEARCH timeline USING INDEX timeline_by_pair"]);
    assert_plan(&db, outbox::CLAIM, &["outbox_by_due (due_at<?)"]);
    assert_plan(&db, outbox::VOID_CLAIMS, &["outbox_claimed"]);
    assert_plan(&db, outbox::NEXT_AFTER, &["SEARCH outbox USING COVERING INDEX outbox_by_due (due_at>?)"]);
    assert_plan(&db, outbox::RELEASE, &["outbox_by_callback (callback=?)"]);
    assert_plan(&db, outbox::BACKLOG, &["COVERING INDEX outbox_waiting"]);
    assert_plan(&db, outbox::GIVEN_UP, &["COVERING INDEX outbox_given_up"]);
    assert_plan(
        &db,
        callbacks::REFERENCED,
        &["SEARCH callbacks USING INDEX callbacks_by_reference (shelf=? AND tenant=? AND reference=?)"],
    );
    assert_plan(&db, callbacks::COUNT_BY_STATE, &["COVERING INDEX callbacks_by_state"]);
}

#[test]
fn a_consumer_is_sought_shelf_by_shelf() {
    let db = file::open_memory().unwrap();
    let plan = plan(&db, callbacks::WAITING_TO);
    let seek = "SEARCH callbacks USING INDEX callbacks_by_consumer (shelf=? AND consumer=?)";
    assert!(plan.contains(seek), "{plan}");
    assert!(!plan.contains("SCAN callbacks;"), "{plan}");
}

#[test]
fn a_page_is_sought_by_the_narrowest_condition() {
    let db = file::open_memory().unwrap();
    let page = Page { before: Some(CallbackId::new(uuid::Uuid::max())), limit: 50 };
    let campaign = || Some("renewals".to_owned());
    let consumer = Some(Phone::from_stored(5_511_900_000_000));
    let all = Filter::default;
    let checks = [
        (all(), "callbacks_by_state (tenant=? AND state=? AND id<?)"),
        (
            Filter { status: Some(Status::Waiting), ..all() },
            "callbacks_by_state (tenant=? AND state=? AND id<?)",
        ),
        (
            Filter { outcome: Some(Outcome::Reached), ..all() },
            "callbacks_by_state (tenant=? AND state=? AND id<?)",
        ),
        (
            Filter { status: Some(Status::Closed), ..all() },
            "callbacks_by_state (tenant=? AND state=? AND id<?)",
        ),
        (
            Filter { campaign: campaign(), status: Some(Status::Waiting), ..all() },
            "callbacks_by_campaign (tenant=? AND campaign=? AND id<?)",
        ),
        (
            Filter { consumer, campaign: campaign(), outcome: Some(Outcome::Reached), ..all() },
            "callbacks_by_consumer (shelf=? AND consumer=?)",
        ),
        (
            Filter { reference: campaign(), consumer, status: Some(Status::Closed), ..all() },
            "callbacks_by_reference (shelf=? AND tenant=? AND reference=?)",
        ),
    ];
    for (filter, expected) in checks {
        let (sql, _) = list::query(&filter, &page);
        let plan = plan(&db, &sql);
        assert!(plan.contains(expected), "no {expected:?} in the plan {plan:?} of {sql}");
        assert!(!plan.contains("SCAN callbacks"), "walks over all callbacks: {plan:?} of {sql}");
    }
}
