//! What can be done with campaigns, and in which state.

use axum::http::Method;

use crate::console::acts::{Act, Field, Kind, Then};

const NOTE: Field = Field::free("note", "Note", Kind::Text, "For the record.");
const CALLS: Field = Field::free(
    "concurrent_calls_max",
    "Calls at once",
    Kind::NumberOrNull,
    "1 to 100,000. Empty: no limit.",
);
const PACE: Field = Field::free(
    "calls_per_minute",
    "Calls begun in a minute",
    Kind::NumberOrNull,
    "1 to 6,000. Empty: no limit.",
);
const WEIGHT: Field =
    Field::free("weight", "Turns among campaigns of equal priority", Kind::Number, "1 to 100. Usual is 10.");
const ABANDONED: Field = Field::free(
    "breaker.abandoned_percent_max",
    "Pause if more percent of the answered calls reach nobody",
    Kind::NumberOrNull,
    "Of 24 hours. Empty: never.",
);
const FAILED: Field = Field::free(
    "breaker.failed_percent_max",
    "Pause if more percent of the calls fail",
    Kind::NumberOrNull,
    "Empty: never.",
);
const WARNING: Field =
    Field::free("breaker.on_quality_warning", "Pause on a quality warning of WhatsApp", Kind::Flag, "");

pub(super) const CREATE: Act = Act {
    name: "create-campaign",
    method: Method::POST,
    route: "/v1/campaigns",
    fields: &[
        Field::needed("name", "Name", Kind::Text, "For people."),
        Field::free("defaults.sender", "Sender", Kind::Offered, "For contacts that name none."),
        Field::free(
            "defaults.document",
            "Document",
            Kind::Text,
            "What an answered call does, such as message.",
        ),
        Field::free(
            "defaults.variables",
            "Variables of the document",
            Kind::Pairs,
            "One in each line: name = value.",
        ),
        Field::free(
            "defaults.hours",
            "Calling hours",
            Kind::Text,
            "Such as mon-fri 09:00-18:00 @America/Sao_Paulo except BR-SP.",
        ),
        Field::free("defaults.earliest", "Not before", Kind::Moment, ""),
        Field::free("defaults.latest", "Not after", Kind::Moment, ""),
        Field::free("defaults.attempts_max", "Attempts at most", Kind::Number, ""),
        Field::free(
            "defaults.priority",
            "Priority",
            Kind::Level(&[("2", "bulk"), ("5", "normal"), ("9", "urgent")]),
            "",
        ),
        Field::free(
            "defaults.purpose",
            "Purpose",
            Kind::Choice(&[
                ("service", "service"),
                ("requested", "the consumer asked for it"),
                ("marketing", "marketing"),
                ("collections", "collections"),
            ]),
            "Marketing needs the consent of each contact.",
        ),
        Field::free("concurrent_calls_max", "Calls at once", Kind::Number, "1 to 100,000. Empty: no limit."),
        Field::free(
            "calls_per_minute",
            "Calls begun in a minute",
            Kind::Number,
            "1 to 6,000. Empty: no limit.",
        ),
        NOTE,
    ],
    button: "New campaign",
    hint: "It begins as a draft. Nothing is sent before it is launched.",
    done: "The campaign is made.",
    then: Then::Open,
};

macro_rules! act {
    ($act:ident, $name:literal, $route:literal, $button:literal, $hint:literal, $done:literal, [$($field:expr),*]) => {
        pub(super) const $act: Act = Act {
            name: $name,
            method: Method::POST,
            route: $route,
            fields: &[Field::hidden("id"), $($field),*],
            button: $button,
            hint: $hint,
            done: $done,
            then: Then::Back,
        };
    };
}

act!(
    READY,
    "ready-campaign",
    "/v1/campaigns/{id}/ready",
    "Mark as ready",
    "It takes no more contacts until it is launched.",
    "The campaign is ready.",
    []
);
act!(
    LAUNCH,
    "launch-campaign",
    "/v1/campaigns/{id}/launch",
    "Launch",
    "Calls and permission requests begin at once, as the rules allow.",
    "The campaign is launched.",
    [Field::needed(
        "note",
        "Consent",
        Kind::Text,
        "Who confirms that these people may be called, and where that is written. It is kept with your name."
    )]
);
act!(
    PAUSE,
    "pause-campaign",
    "/v1/campaigns/{id}/pause",
    "Pause",
    "Calls in progress go on, and deadlines pass.",
    "The campaign is paused.",
    [
        Field::needed("why", "Why", Kind::Text, "It is shown wherever the pause is a reason."),
        Field::free("until", "Until", Kind::Moment, "Without a time somebody has to resume it.")
    ]
);
act!(RESUME, "resume-campaign", "/v1/campaigns/{id}/resume", "Resume", "", "The campaign goes on.", []);
act!(
    DRAIN,
    "drain-campaign",
    "/v1/campaigns/{id}/drain",
    "Run out",
    "It takes no more contacts. Those that it has are called.",
    "The campaign runs out.",
    [NOTE]
);
act!(
    CANCEL,
    "cancel-campaign",
    "/v1/campaigns/{id}/cancel",
    "Cancel",
    "All its open contacts are cancelled. This cannot be undone.",
    "The campaign is cancelled.",
    [Field::needed("note", "Why", Kind::Text, "For the record.")]
);
act!(
    CHANGE,
    "change-campaign",
    "/v1/campaigns/{id}/change",
    "Change",
    "It holds for the next call.",
    "The campaign is changed.",
    [Field::needed("name", "Name", Kind::Text, ""), CALLS, PACE, WEIGHT, ABANDONED, FAILED, WARNING, NOTE]
);

pub(super) const FOLLOW_UP: Act = Act {
    name: "follow-up",
    method: Method::POST,
    route: "/v1/campaigns/{id}/follow-up",
    fields: &[
        Field::hidden("id"),
        Field::free("name", "Name", Kind::Text, "Without it that of this campaign."),
        Field::free(
            "outcomes",
            "Which contacts",
            Kind::Lines,
            "One in each line: exhausted (not reached after all attempts), expired (time ran out), failed, canceled.",
        ),
        Field::free("earliest", "Not before", Kind::Moment, ""),
        Field::needed("latest", "Not after", Kind::Moment, ""),
        NOTE,
    ],
    button: "Follow up those who were not reached",
    hint: "It makes a new draft. People who declined or were reached are not in it.",
    done: "The follow-up is made.",
    then: Then::Open,
};

/// All of one campaign.
pub(super) const OF_ONE: &[&Act] = &[&READY, &LAUNCH, &PAUSE, &RESUME, &DRAIN, &CANCEL, &CHANGE, &FOLLOW_UP];

/// Those that a campaign in this state allows. The API decides; this only leaves out buttons that cannot work.
pub(super) fn of_state(state: &str) -> &'static [&'static Act] {
    match state {
        "draft" => &[&LAUNCH, &READY, &CHANGE, &CANCEL],
        "ready" => &[&LAUNCH, &CHANGE, &CANCEL],
        "running" => &[&PAUSE, &DRAIN, &CHANGE, &CANCEL, &FOLLOW_UP],
        "paused" => &[&RESUME, &PAUSE, &DRAIN, &CHANGE, &CANCEL, &FOLLOW_UP],
        "draining" => &[&PAUSE, &RESUME, &CHANGE, &CANCEL, &FOLLOW_UP],
        _ => &[&FOLLOW_UP],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_is_launched_before_it_runs_and_resumed_only_if_it_may_be_paused() {
        let has = |state: &str, act: &Act| of_state(state).iter().any(|own| own.name == act.name);
        for state in ["draft", "ready"] {
            assert!(has(state, &LAUNCH) && !has(state, &PAUSE) && !has(state, &FOLLOW_UP));
        }
        assert!(has("paused", &RESUME) && has("draining", &RESUME) && !has("running", &RESUME));
        for state in ["finished", "canceled"] {
            assert_eq!(of_state(state).len(), 1);
        }
    }
}
