//! The scheduler's questions are seeks, however much is stored.

use super::super::sql::Connection;
use super::super::{
    agents, attempts, audits, callbacks, campaigns, commands, counts, erasures, facts, file, gates, grouping,
    held_back, imports, list, messages, open_orders, outbox, pairs, pauses, references, report_reads,
    reports, set_aside, suppressions, timeline, traces, waiting,
};

fn plan(db: &Connection, sql: &str) -> String {
    let mut statement = db.sqlite().unwrap().prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
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
    let of_lane = "SEARCH callbacks USING INDEX callbacks_by_gate (gate=? AND <expr>=? AND <expr><?)";
    assert_plan(&db, callbacks::AT_GATE, &[of_lane]);
    let after_class = "INDEX callbacks_by_gate (gate=? AND <expr>=? AND <expr>>?)";
    assert_plan(&db, gates::NEXT_CLASS, &["SEARCH", after_class]);
    assert_plan(&db, gates::NEXT_GATE, &["SEARCH", "COVERING INDEX callbacks_by_gate (gate>?)"]);
    assert_plan(&db, gates::FIRST_LANE, &["SEARCH", "INDEX callbacks_by_gate (gate=?)"]);
    assert_plan(&db, gates::NEXT_LANE, &["SEARCH", "INDEX callbacks_by_gate (gate=? AND <expr>>?)"]);
    assert_plan(&db, reports::UNFOLDED, &["SCAN u", "SEARCH r USING INTEGER PRIMARY KEY"]);
    assert_plan(
        &db,
        commands::PENDING,
        &["USING INDEX commands_pending", "SEARCH r USING INTEGER PRIMARY KEY"],
    );
    assert_plan(&db, set_aside::OPEN, &["USING INDEX set_aside_open"]);
    assert_plan(
        &db,
        pauses::OPEN,
        &["USING INDEX pauses_open (until=?)", "USING INDEX pauses_open (until>?)"],
    );
    assert_plan(&db, campaigns::OPEN, &["USING INDEX campaigns_open"]);
    assert_plan(
        &db,
        grouping::WAITING,
        &["SEARCH callbacks USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"],
    );
    assert_plan(&db, grouping::CALLING, &["USING INDEX attempts_live"]);
    assert_plan(
        &db,
        campaigns::UNLAUNCHED,
        &["SCAN o USING INDEX campaigns_open", "SEARCH c USING PRIMARY KEY (campaign=?)"],
    );
    assert_plan(
        &db,
        campaigns::LIST,
        &["SEARCH campaigns USING INDEX campaigns_by_tenant (tenant=? AND seq<?)"],
    );
    assert_plan(
        &db,
        campaigns::ROWS,
        &["SEARCH callbacks USING INDEX callbacks_of_campaigns (campaign=? AND rowid>?)"],
    );
    assert_plan(
        &db,
        facts::ENDS,
        &["SEARCH callbacks USING COVERING INDEX callbacks_of_campaigns (campaign=?)"],
    );
    assert_plan(
        &db,
        facts::FROM,
        &["SEARCH callbacks USING INDEX callbacks_of_campaigns (campaign=? AND rowid>?)"],
    );
    let by_rowid = "USING INTEGER PRIMARY KEY (rowid>?)";
    assert_plan(
        &db,
        facts::CALLS,
        &[&format!("SEARCH a {by_rowid}"), "SEARCH c USING INDEX sqlite_autoindex_callbacks_1"],
    );
    assert_plan(&db, facts::REQUESTS, &[&format!("SEARCH messages {by_rowid}")]);
    assert_plan(&db, facts::GRANTS, &[&format!("SEARCH timeline {by_rowid}")]);
    let keys = "SEARCH pairs USING PRIMARY KEY";
    assert_plan(&db, pairs::PAGE, &[keys]);
    assert_plan(&db, pairs::PAGE_OF_SENDER, &["SEARCH pairs USING PRIMARY KEY (sender=? AND person>?)"]);
    assert_plan(&db, imports::NAMED, &["SEARCH imports USING INDEX imports_by_name (tenant=? AND name=?)"]);
    assert_plan(&db, imports::LIST, &["SEARCH imports USING INDEX imports_of_tenants (tenant=? AND seq<?)"]);
    assert_plan(&db, imports::UNFINISHED, &["SEARCH imports USING INDEX imports_of_campaigns (campaign=?)"]);
    assert_plan(&db, attempts::LIVE, &["USING INDEX attempts_live"]);
    assert_plan(&db, messages::UNSETTLED, &["USING INDEX messages_unsettled"]);
    assert_plan(&db, messages::ASKED, &["SEARCH p USING COVERING INDEX pairs_asked", "SEARCH m USING"]);
    assert_plan(&db, attempts::SUBMITTED_SINCE, &["SCAN attempts"]);
    assert_plan(&db, pairs::WITH_LIVE_INBOUND, &["pairs_with_live_inbound"]);
    assert_plan(&db, timeline::OF_CALLBACK, &["SEARCH timeline USING INDEX timeline_by_callback"]);
    assert_plan(&db, timeline::OF_PAIR, &["SEARCH timeline USING INDEX timeline_by_pair"]);
    assert_plan(&db, timeline::OF_PAIR_BETWEEN, &["SEARCH timeline USING INDEX timeline_by_pair"]);
    assert_plan(
        &db,
        timeline::AFTER,
        &[
            "SEARCH t USING INTEGER PRIMARY KEY",
            "SEARCH c USING INDEX sqlite_autoindex_callbacks_1 (id=?)",
            "SEARCH m USING INDEX sqlite_autoindex_messages_1 (id=?)",
        ],
    );
    assert_plan(&db, outbox::CLAIM, &["outbox_by_due (due_at<?)"]);
    assert_plan(&db, outbox::VOID_CLAIMS, &["outbox_claimed"]);
    assert_plan(&db, outbox::NEXT_AFTER, &["SEARCH outbox USING COVERING INDEX outbox_by_due (due_at>?)"]);
    assert_plan(&db, outbox::RELEASE, &["outbox_by_subject (subject=?)"]);
    assert_plan(&db, outbox::BACKLOG, &["COVERING INDEX outbox_waiting"]);
    assert_plan(&db, outbox::GIVEN_UP, &["COVERING INDEX outbox_given_up"]);
    assert_plan(&db, agents::MISSING, &["INDEX wrap_ups_missing (due_at<?)"]);
    let of_tenant = "INDEX wrap_ups_missing_of_tenant (tenant=? AND callback<?)";
    assert_plan(&db, agents::MISSING_OF_TENANT, &[of_tenant]);
    assert_plan(&db, agents::ALL_OFFERED, &["USING INDEX callbacks_offered"]);
    assert_plan(&db, agents::OFFERED, &["INDEX callbacks_offered (tenant=? AND offered_until>?)"]);
    assert_plan(
        &db,
        references::REFERENCED,
        &[
            "SEARCH callbacks USING INDEX callbacks_by_reference (partition_no=? AND tenant=? AND reference=?)",
        ],
    );
}

#[test]
fn waiting_callbacks_to_a_consumer_are_sought_partition_by_partition() {
    let db = file::open_memory().unwrap();
    let seek = "SEARCH callbacks USING INDEX callbacks_by_consumer (partition_no=? AND consumer=?)";
    assert_plan(&db, callbacks::WAITING_TO, &["SCAN w", seek]);
    assert_plan(&db, waiting::AFTER, &["SEARCH callbacks USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]);
    assert_plan(&db, open_orders::WAITS_FOR, &["SCAN w", seek]);
    let in_calls = "SEARCH callbacks USING INDEX callbacks_by_state (kind=? AND tenant=? AND state=?)";
    assert_plan(&db, open_orders::IN_CALLS, &[in_calls]);
    assert_plan(&db, open_orders::NOT_LAUNCHED, &["SCAN campaigns USING INDEX campaigns_open"]);
}

#[test]
fn a_page_is_sought_in_an_index_and_nothing_is_sorted() {
    let db = file::open_memory().unwrap();
    for (sql, expected) in [
        (list::IN_STATE, "COVERING INDEX callbacks_by_state (kind=? AND tenant=? AND state=? AND id<?)"),
        (list::ABANDONED_IN_STATE, "USING INDEX callbacks_abandoned (tenant=? AND state=? AND id<?)"),
        (
            list::IN_CAMPAIGN,
            "COVERING INDEX callbacks_by_campaign (kind=? AND tenant=? AND campaign=? AND id<?)",
        ),
        (list::WITH_REFERENCE, "INDEX callbacks_by_reference (partition_no=? AND tenant=? AND reference=?)"),
        (list::TO_CONSUMER, "INDEX callbacks_by_consumer (partition_no=? AND consumer=?)"),
        (list::LOOK, "SEARCH callbacks USING INDEX sqlite_autoindex_callbacks_1 (id=?)"),
    ] {
        assert_plan(&db, sql, &[expected]);
    }
}

#[test]
fn what_a_pause_holds_back_is_sought_and_has_an_end() {
    let db = file::open_memory().unwrap();
    for (sql, expected) in [
        (held_back::WAITING, "USING INDEX callbacks_by_wake"),
        (held_back::WAITING_FOR, "USING INDEX callbacks_by_consumer (partition_no=? AND consumer=?)"),
        (
            held_back::PERMITTED,
            "COVERING INDEX pairs_permission_ends (permission_until>? AND permission_until<?)",
        ),
        (held_back::PERMITTED_TO, "USING INDEX pairs_by_person (person=?)"),
        (held_back::OF_CAMPAIGN, "USING INDEX callbacks_by_campaign (kind=? AND tenant=? AND campaign=?)"),
        (held_back::PERMITTED_PAIR, "(sender=? AND person=?)"),
    ] {
        assert_plan(&db, sql, &[expected]);
        assert!(sql.contains("LIMIT"), "counts without an end: {sql}");
    }
}

#[test]
fn a_report_seeks_the_cells_of_each_label() {
    let db = file::open_memory().unwrap();
    let seek = "SEARCH report_cells USING PRIMARY KEY (tenant=? AND family=? AND label=? AND quarter>? AND quarter<?)";
    assert!(plan(&db, report_reads::BY_LABEL).contains(seek), "two groups at most are sorted");
    for (sql, expected) in [
        (report_reads::NEXT_LABEL, "USING PRIMARY KEY (tenant=? AND family=? AND label>?)"),
        (report_reads::BY_QUARTER, seek),
        (report_reads::EXPIRING, "INDEX pairs_permission_ends (permission_until>? AND permission_until<?)"),
    ] {
        assert_plan(&db, sql, &[expected]);
    }
    let waiting = plan(&db, report_reads::WAITING);
    assert!(waiting.contains("COVERING INDEX waiting_by_reason_now (tenant=?)"), "{waiting}");
    assert!(report_reads::WAITING.contains("LIMIT"), "what waits has no end");
}

#[test]
fn an_entry_of_a_suppression_list_is_sought_by_its_hash() {
    let db = file::open_memory().unwrap();
    let seek = "SEARCH s USING PRIMARY KEY (hash=?)";
    assert_plan(&db, suppressions::BY_HASH, &[seek, "SEARCH l USING INTEGER PRIMARY KEY (rowid=?)"]);
    let waiting = "USING INDEX callbacks_by_consumer (partition_no=? AND consumer=?)";
    assert_plan(&db, suppressions::WAITING, &[waiting]);
}

#[test]
fn counts_are_read_and_not_counted() {
    let db = file::open_memory().unwrap();
    for sql in [counts::ALL, counts::UNFOLDED, counts::UNMATCHED] {
        let plan = plan(&db, sql);
        assert!(!plan.contains("callbacks_by") && !plan.contains("SCAN callbacks"), "{plan} of {sql}");
    }
    for sql in [counts::UNFOLDED, counts::UNMATCHED] {
        assert!(sql.contains("LIMIT"), "counts without an end: {sql}");
    }
}

#[test]
fn an_erasure_seeks_and_searches_in_parts() {
    let db = file::open_memory().unwrap();
    for (sql, expected) in [
        (erasures::OPEN, "USING INDEX erasures_open"),
        (erasures::LIVE, "USING INDEX attempts_live"),
        (erasures::UNSETTLED, "USING INDEX messages_unsettled"),
        (erasures::INBOUND, "pairs_with_live_inbound"),
        (traces::REPORTS, "SEARCH reports USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (traces::COMMANDS, "SEARCH m USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (traces::KEYS, "SEARCH i USING PRIMARY KEY ((token,key)>(?,?))"),
    ] {
        assert_plan(&db, sql, &[expected]);
    }
}

#[test]
fn each_filter_of_the_audit_log_has_its_index() {
    let db = file::open_memory().unwrap();
    for (sql, index) in [
        (audits::PAGE_OF_OBJECT, "audit_by_object (object=?"),
        (audits::PAGE_OF_WHO, "audit_by_who (who=?"),
        (audits::PAGE_OF_WHAT, "audit_by_what (what=?"),
        (audits::PAGE_OF_OUTCOME, "audit_by_outcome (outcome=?"),
        (audits::PAGE_OF_TENANT, "audit_by_tenant (tenant=?"),
        (audits::PAGE, "INTEGER PRIMARY KEY (rowid>? AND rowid<?"),
    ] {
        assert_plan(&db, sql, &[index]);
    }
}

#[test]
fn a_gate_is_counted_by_its_index() {
    let db = file::open_memory().unwrap();
    assert_plan(&db, gates::AT_ONE, &["callbacks_by_gate (gate=?"]);
    assert_plan(&db, outbox::OF_SUBJECT, &["outbox_by_subject (subject=?"]);
}
