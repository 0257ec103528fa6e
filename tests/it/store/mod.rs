//! The conformance suite of the store's ports. Each test takes a `&dyn Store` and runs for every adapter.
//!
//! A new adapter adds one line at the end.
#![expect(
    clippy::unwrap_used,
    reason = "the functions of the suite are tests, though not by their attribute"
)]

mod calendars;
mod campaigns;
mod customers;
mod deliveries;
mod erasures;
mod groups;
mod hooks;
mod lanes;
mod leaders;
mod months;
mod nodes;
mod pages;
mod pauses;
mod people;
mod pools;
mod postgres;
mod recordings;
mod round_trips;
mod round_trips_of_events;
pub mod samples;
mod scheduler;
mod secrets;
mod set_aside;
mod sqlite;
mod suppressions;

use std::sync::Arc;

use ringmaster::store::Store;
use tempfile::TempDir;

use crate::harness::postgres::Database;

/// An empty store for one test. The store is dropped before its directory.
pub struct Fresh {
    pub store: Arc<dyn Store>,
    pub _dir: Option<TempDir>,
    pub _database: Option<Database>,
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
                a_key_with_another_body_stores_nothing
                a_key_belongs_to_its_own_token
                a_key_repeated_within_one_command_is_recognised
                orders_are_stored_together_or_not_at_all
                simultaneous_orders_are_all_stored
                lists_are_newest_first_and_continue_where_a_page_ended
                lists_match_every_field_of_the_filter
                a_reference_finds_the_open_callbacks_or_the_newest_one
                callbacks_and_invites_are_listed_counted_and_named_apart
                open_orders_are_those_of_their_tenant_and_kind
                filters_that_contradict_each_other_match_nothing
                a_change_needs_the_previous_version
                only_one_of_many_changes_of_a_version_succeeds
                an_unknown_callback_is_not_found
            );
            each!($fresh, erasures:
                rows_lose_the_person_in_steps_and_stay
                a_search_finds_reports_commands_and_keys_in_parts
                an_erased_name_is_known_by_its_hash_only
                so_many_erasures_are_open_and_no_more
            );
            each!($fresh, groups:
                what_an_order_uses_is_of_the_group_that_used_it_first
                a_refused_order_takes_nothing_for_its_group
                a_repeated_order_is_the_first_one_whoever_uses_its_pool_now
                a_campaign_that_follows_another_is_of_its_group
                open_callbacks_follow_their_senders_into_another_group
            );
            each!($fresh, hooks:
                a_report_is_stored_once_for_its_key
                a_report_repeated_within_one_command_is_stored_once
                a_folded_report_is_not_stored_again
                an_attempt_is_read_with_its_callback
            );
            each!($fresh, recordings:
                recordings_are_due_at_their_time_and_not_before
            );
            each!($fresh, scheduler:
                a_callback_is_due_at_its_time_and_not_before
                the_longest_due_comes_first
                only_waiting_callbacks_are_due
                the_next_wake_is_the_earliest_of_the_waiting_callbacks
                a_gate_gives_callbacks_by_priority_and_then_by_the_end_of_their_window
                the_gates_are_those_with_waiting_callbacks
                a_callback_at_a_gate_is_still_due_at_its_time
                waiting_callbacks_to_a_consumer_are_found_for_every_sender
                unfolded_reports_are_read_in_order_of_arrival
                a_report_is_folded_once
                a_stale_callback_makes_its_batch_a_conflict
                a_stale_pair_makes_its_batch_a_conflict
                reports_stored_before_a_batch_are_in_its_ground
                a_changed_callback_is_in_the_ground_of_a_batch
                a_report_folded_twice_makes_its_batch_a_conflict
                a_batch_is_stored_whole
                a_failed_batch_does_not_affect_others_in_its_group
                values_are_replaced_whole
                a_pair_is_new_once_only
                pairs_are_read_in_the_order_of_their_keys
                live_attempts_are_those_whose_call_may_exist
                an_unanswered_request_awaits_its_reply_until_it_lapses
                unsettled_messages_are_those_without_an_answer
                attempts_are_found_by_the_sid_of_their_call
                messages_are_found_by_their_sid
                live_inbound_calls_are_found
                recently_sent_calls_are_found_even_if_they_are_over
                the_last_reading_of_the_clock_is_stored
                a_timeline_has_the_lines_of_its_pairs_while_the_callback_was_open
                timelines_are_in_the_order_of_recording
                missing_values_are_left_out
                an_empty_batch_is_no_fault
                the_census_counts_every_state
            );
            each!($fresh, lanes:
                campaigns_take_turns_at_a_gate
            );
            each!($fresh, pools:
                a_pool_is_read_as_it_was_fed_last
                a_wrap_up_is_found_until_its_end_or_until_it_is_ended
            );
            each!($fresh, people:
                a_person_reads_as_it_was_written_with_all_pairs
                a_person_is_found_by_every_name_once
                people_who_may_be_the_same_are_found_too
                a_name_belongs_to_the_person_who_got_it_last
                a_stale_person_makes_its_batch_a_conflict
                a_merged_record_is_gone_with_its_pairs
                an_unmatched_report_is_kept_until_it_is_matched
                an_unmatched_report_is_kept_for_thirty_days
            );
            each!($fresh, campaigns:
                a_campaign_reads_as_it_was_written_with_its_acts
                the_breaker_of_a_campaign_is_kept
                calls_of_campaigns_are_added_up_and_forgotten
                open_campaigns_and_those_of_a_tenant_are_listed
                an_order_of_a_draft_is_stored_at_the_gate_of_its_launch
                an_order_is_taken_only_by_an_open_campaign_of_its_tenant
                an_open_order_is_told_with_its_campaign_and_whether_that_is_launched
                a_repeated_order_has_its_first_answer_also_when_its_campaign_is_closed
                what_waits_for_a_launch_is_counted_apart
                the_callbacks_of_a_campaign_are_counted_and_found_in_parts
                a_tenant_learns_of_its_own_calls_and_requests
            );
            each!($fresh, pauses:
                a_pause_is_found_until_it_ends_or_is_lifted
                a_pause_is_set_and_lifted_once
                what_a_pause_holds_is_counted
                nothing_leaves_after_a_pause_was_acknowledged
            );
            each!($fresh, suppressions:
                an_entry_is_found_by_every_spelling_and_for_somebody_without_a_record
                an_entry_by_any_name_holds_for_the_person
                entries_and_their_command_are_stored_together_and_once
                an_order_for_somebody_on_a_list_is_not_stored
                an_entry_ends_by_a_batch_and_is_counted
                a_complete_version_replaces_the_older_ones
                entries_need_the_key_that_they_were_hashed_with
            );
            each!($fresh, calendars:
                a_marked_day_is_found_from_its_day_on
                the_last_mark_of_a_day_counts
                nothing_leaves_after_a_day_was_closed
            );
            each!($fresh, pages:
                a_contact_is_found_by_its_page_and_id
                a_stale_contact_makes_its_batch_a_conflict
                contacts_are_read_with_the_callbacks_that_name_them
                a_restriction_holds_until_it_ends
                the_end_of_restrictions_is_kept_with_its_time
            );
            each!($fresh, nodes:
                one_node_has_the_lease_until_it_resigns
                the_name_of_a_node_is_taken_until_it_leaves
                a_node_is_asked_to_resign_until_it_has
            );
            each!($fresh, leaders:
                waiting_callbacks_are_read_part_by_part
                the_digest_of_the_rules_is_kept
                related_values_of_a_turn_are_read_once
                a_turn_begins_with_what_was_filed_and_what_is_due
                what_is_decided_comes_with_people_and_budgets_that_are_not_known
                a_batch_of_a_leader_has_the_next_number
                a_leader_of_an_older_term_writes_nothing
                what_a_leader_publishes_is_read_as_it_was_written
                what_an_older_leader_publishes_replaces_nothing
            );
            each!($fresh, deliveries:
                a_row_is_due_at_its_time_and_reads_as_it_was_written
                a_cancellation_and_its_webhook_are_stored_together_or_not_at_all
                a_later_row_of_a_callback_waits_for_the_earlier
                a_given_up_row_frees_the_next_one
                a_failed_row_is_due_again_at_its_retry_time
                a_claimed_row_cannot_be_claimed_until_its_claim_ends
                voided_claims_make_rows_due_again
                the_end_of_a_callback_has_one_webhook
                a_replay_begins_with_the_first_row
                a_replay_during_a_try_is_not_undone_by_its_end
                a_disabled_endpoint_resets_the_tries_of_waiting_rows
                the_backlog_counts_waiting_and_given_up_rows
                the_rows_of_a_callback_are_listed_with_their_last_error
            );
            each!($fresh, round_trips:
                callbacks
                attempts
                messages
                pairs
                entries
                times_are_stored_to_the_microsecond
            );
            each!($fresh, round_trips_of_events: events);
            each!($fresh, set_aside:
                a_set_aside_item_reads_as_it_was_written
                a_set_aside_report_returns_to_its_place_or_is_dropped
                a_set_aside_command_is_pending_until_it_is_retried_or_refused
                a_folded_report_is_not_set_aside_and_an_ended_item_does_not_end_again
                a_retry_or_drop_of_an_item_is_a_command
            );
            each!($fresh, secrets:
                a_token_is_found_by_its_hash
                a_hash_is_kept_once
                tokens_are_listed_by_name_and_age
                only_a_removed_token_is_not_found
                the_first_address_key_stays
                ceilings_belong_to_the_name_and_stay_when_its_token_is_removed
            );
        }
    };
}

conformance!(sqlite_file, super::sqlite::in_file);
conformance!(sqlite_file_inline, super::sqlite::in_file_inline);
conformance!(sqlite_memory, super::sqlite::in_memory);
conformance!(postgresql, super::postgres::in_database);
