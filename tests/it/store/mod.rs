//! What every adapter of the ports of the store promises: one suite, each test over `&dyn Store`, run for each.
//!
//! A new adapter adds one line at the end, and nothing to the tests.
#![expect(
    clippy::unwrap_used,
    reason = "the functions of the suite are tests, though not by their attribute"
)]

mod customers;
mod deliveries;
mod hooks;
mod leaders;
mod people;
mod round_trips;
pub mod samples;
mod scheduler;
mod secrets;
mod set_aside;
mod sqlite;

use std::sync::Arc;

use ringmaster::store::Store;
use tempfile::TempDir;

/// An empty store for one test. The store is dropped before its directory.
pub struct Fresh {
    pub store: Arc<dyn Store>,
    pub _dir: Option<TempDir>,
}

macro_rules! each {
    ($fresh:path, $room:ident: $($test:ident)+) => {
        $(#[tokio::test]
        async fn $test() {
            let fresh = $fresh();
            super::$room::$test(fresh.store.as_ref()).await;
        })+
    };
}

macro_rules! conformance {
    ($adapter:ident, $fresh:path) => {
        mod $adapter {
            each!($fresh, customers:
                a_callback_is_found_as_it_was_enqueued
                an_order_repeated_with_its_key_gives_the_first_callback
                a_key_with_another_body_keeps_nothing
                a_key_counts_for_its_own_token_only
                a_key_repeated_within_one_command_is_recognised
                orders_are_kept_together_or_not_at_all
                many_enqueue_at_once_and_nothing_is_lost
                lists_are_newest_first_and_continue_where_a_page_ended
                lists_match_every_word_of_the_filter
                a_reference_names_the_open_ones_or_the_newest
                filters_that_contradict_each_other_match_nothing
                an_amendment_needs_the_version_before
                of_many_that_amend_the_same_version_one_succeeds
                an_unknown_callback_is_nothing
            );
            each!($fresh, hooks:
                a_report_is_kept_once_by_its_key
                a_report_repeated_within_one_command_is_kept_once
                a_folded_report_is_not_kept_again
                an_attempt_comes_with_its_callback
            );
            each!($fresh, scheduler:
                a_callback_is_due_at_its_moment_and_not_before
                the_longest_due_comes_first
                only_waiting_callbacks_are_due
                the_next_wake_is_the_earliest_of_those_that_wait
                a_gate_calls_up_the_urgent_and_then_whose_chance_ends_first
                gates_are_those_at_which_anybody_waits
                a_callback_at_a_gate_still_wakes_at_its_moment
                those_who_wait_for_a_consumer_are_found_whatever_the_sender
                unfolded_reports_come_in_order_of_arrival
                a_report_is_folded_once_only
                a_stale_callback_leaves_nothing_of_its_batch
                a_stale_pair_leaves_nothing_of_its_batch
                what_was_filed_before_a_batch_is_in_the_ground_of_what_leaves
                nothing_leaves_for_a_callback_that_was_changed
                a_report_folded_twice_leaves_nothing_of_its_batch
                a_batch_is_stored_whole
                a_failed_batch_does_not_harm_its_neighbours
                values_are_replaced_whole
                a_pair_is_new_once_only
                pairs_come_in_the_order_of_their_keys
                live_attempts_are_those_that_may_still_ring
                an_unanswered_request_awaits_its_reply_until_it_lapses
                unsettled_messages_are_those_nobody_answered_for
                attempts_are_found_by_the_name_of_their_call
                messages_are_found_by_the_name_the_platform_gave
                live_inbound_calls_are_found
                calls_that_left_lately_are_found_whether_or_not_they_are_over
                the_last_mark_of_the_clock_is_kept
                a_timeline_holds_what_its_pairs_came_to_while_it_was_open
                timelines_are_kept_in_the_order_of_recording
                what_is_not_stored_is_left_out
                an_empty_batch_is_no_fault
                the_census_counts_every_state
            );
            each!($fresh, people:
                a_person_is_found_as_it_was_written_with_all_pairs
                a_person_is_found_by_every_name_once
                those_who_may_be_the_same_person_are_found_too
                a_name_belongs_to_the_person_who_got_it_last
                a_stale_person_leaves_nothing_of_its_batch
                a_record_that_was_taken_in_is_gone_with_its_pairs
                a_report_of_nobody_is_kept_until_it_is_matched
                a_report_of_nobody_is_kept_for_thirty_days
            );
            each!($fresh, leaders:
                what_a_turn_refers_to_is_read_once_with_what_belongs_to_it
                a_turn_begins_with_what_was_filed_and_what_is_due
                what_is_decided_comes_with_people_and_budgets_that_are_not_known
                a_batch_of_a_leader_has_the_next_number
                a_leader_of_an_older_term_writes_nothing
                what_a_leader_publishes_is_read_as_it_was_written
                what_an_older_leader_publishes_replaces_nothing
            );
            each!($fresh, deliveries:
                a_row_is_due_from_its_moment_and_found_as_it_was_written
                a_cancel_and_what_is_told_of_it_are_kept_together_or_not_at_all
                a_later_row_of_a_callback_waits_for_the_earlier
                a_row_that_is_given_up_lets_the_next_go
                a_row_is_due_again_when_its_try_says_so
                a_claimed_row_is_nobody_elses_until_its_claim_ends
                voided_claims_make_rows_due_again
                a_callback_is_told_to_have_closed_once
                a_replay_begins_with_the_first_row
                a_replay_during_a_try_is_not_undone_by_its_end
                a_disabled_endpoint_leaves_all_that_waits_as_if_never_tried
                the_backlog_counts_what_waits_and_what_was_given_up
            );
            each!($fresh, round_trips:
                callbacks
                attempts
                messages
                pairs
                events
                entries
                moments_are_kept_to_the_microsecond
            );
            each!($fresh, set_aside:
                what_is_set_aside_is_found_as_it_was_written
                a_report_that_is_set_aside_comes_back_in_its_place_or_never
                a_command_that_is_set_aside_is_pending_until_it_is_retried_or_refused
                what_was_folded_is_not_set_aside_and_what_has_ended_does_not_end_again
                a_word_on_what_is_set_aside_is_a_command
            );
            each!($fresh, secrets:
                a_token_is_found_by_its_hash
                a_hash_is_kept_once
                tokens_are_listed_by_name_and_age
                a_token_that_is_taken_away_is_not_found_and_the_others_are
                the_first_address_key_stays
                ceilings_belong_to_the_name_and_stay_when_its_token_is_taken_away
            );
        }
    };
}

conformance!(sqlite_file, super::sqlite::in_file);
conformance!(sqlite_file_inline, super::sqlite::in_file_inline);
conformance!(sqlite_memory, super::sqlite::in_memory);
