//! The scheduler: applies events, asks `policy` for the next steps, commits them, and only then sends
//! requests.
//!
//! One scheduler owns the dialling of its accounts. It works in turns: a turn reads what is new and due,
//! decides everything in memory, commits it as one batch, and only then lets requests leave. Between turns it
//! sleeps until the next due time or until it is woken; there is no tick.
//!
//! It has no rules (they are in `policy`), no SQL and nothing specific to a platform.
//!
//! Reading order: [`run`] is the loop and [`round`] one turn; [`fold`], [`answers`] and [`settle`] apply events;
//! [`decide_all`] and [`decide`] record decisions; [`commit`] writes the batch and [`outbound`] sends requests;
//! [`recover`] is the start; [`containment`] handles panics.

mod answers;
mod attempt_commands;
mod breakers;
mod budgets;
mod calendars;
mod call_answers;
mod callers;
mod campaigns;
mod campaigns_ending;
mod cancellations;
mod ceilings;
mod clock_guard;
mod command;
mod commit;
mod containment;
mod counted;
mod counting;
mod current;
mod dates;
mod decide;
mod decide_all;
mod deleting;
mod deletions;
mod elsewhere;
mod erasing;
mod erasures;
mod failure;
mod fold;
mod follow_ups;
mod following;
mod gates;
mod ground;
mod hang_ups;
mod heard;
mod in_flight;
mod incoming;
mod leader;
mod lineage;
mod load;
mod lookups;
mod lost_span;
mod messages;
mod metrics;
mod missed_calls;
mod named;
mod new_rules;
mod offers;
mod order;
mod outbound;
mod overdue;
mod pace;
mod pages;
mod pauses;
mod people;
mod permission_log;
mod publication;
mod rate_limiter;
mod reached;
mod reconcile;
mod recordings;
mod recover;
mod reporting;
mod request;
mod resolve;
mod restrictions;
mod round;
mod rules_changed;
mod run;
mod seats;
mod set_aside;
mod settings;
mod settle;
mod spans;
mod standing;
mod state;
mod suppressions;
mod turn;
mod turns;
mod watch;
mod working_set;
mod wrap_ups;

pub use clock_guard::ClockGuard;
pub use reporting::told;
pub use round::Next;
pub use settings::Settings;
pub use state::{Account, Deps, Scheduler};
