//! The pools of agents on the page of senders: their seats, and figures by hand.

use axum::http::Method;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use crate::console::act_forms::{Filled, form};
use crate::console::acts::{Act, Field, Kind, Said, Then, entered};
use crate::console::asking::Asking;
use crate::console::blocks::{badge, cell, duration, nothing, table, text_if, until, when};
use crate::console::labels;

const HEADROOM: Field =
    Field::free("headroom", "Kept back", Kind::Number, "Seats for calls of consumers. Without it 1.");
const WRAP_UP: Field =
    Field::free("wrap_up_s", "Seconds held after a call", Kind::Number, "0 to 3,600. Without it 0.");
const VALID_FOR: Field = Field::needed(
    "valid_for",
    "Holds for so many seconds",
    Kind::Number,
    "1 to 120. After that the pool has no seat.",
);
const NAME: Field = Field::needed(
    "name",
    "Pool",
    Kind::Text,
    "1 to 64 letters, digits, \"-\", \"_\" and \".\". A new name makes a pool.",
);

pub const FEED: Act = Act {
    name: "feed-pool",
    method: Method::PUT,
    route: "/v1/pools/{name}",
    fields: &[
        NAME,
        Field::needed(
            "seats",
            "Seats",
            Kind::Number,
            "All of them. Those that our calls hold are subtracted.",
        ),
        VALID_FOR,
        HEADROOM,
        WRAP_UP,
    ],
    button: "Tell how many seats a pool has",
    hint: "",
    done: "The figure holds.",
    then: Then::Back,
};
pub const FEED_FREE: Act = Act {
    name: "feed-pool-free",
    method: Method::PUT,
    route: "/v1/pools/{name}",
    fields: &[
        NAME,
        Field::needed("free", "Free agents", Kind::Number, "How many were free at that moment."),
        Field::needed("as_of", "At", Kind::Moment, "Not in the future."),
        VALID_FOR,
        HEADROOM,
        WRAP_UP,
    ],
    button: "Tell how many agents were free",
    hint: "",
    done: "The figure holds.",
    then: Then::Back,
};
pub const REMOVE: Act = Act {
    name: "remove-pool",
    method: Method::DELETE,
    route: "/v1/pools/{name}",
    fields: &[Field::hidden("name")],
    button: "Remove",
    hint: "",
    done: "The pool is removed. Callbacks that need a seat of it wait.",
    then: Then::Back,
};

/// The pools, as the API tells them.
#[derive(Deserialize)]
pub struct Pools {
    pools: Vec<Pool>,
}

#[derive(Deserialize)]
struct Pool {
    name: String,
    state: String,
    seats: Option<u32>,
    free: Option<u32>,
    as_of: Timestamp,
    valid_until: Timestamp,
    headroom: u32,
    wrap_up_s: i64,
    in_calls: Option<u32>,
    in_wrap_up: Option<u32>,
    room: Option<u32>,
    by: String,
    fault: Option<String>,
}

/// The pools with their seats. On a page that only shows them, nobody may remove one.
#[must_use]
pub fn list(asking: &Asking, said: &Said, pools: &Pools) -> Markup {
    seats(asking, pools, |pool| form(asking, &REMOVE, &Filled::with([("name", pool.to_owned())]), said))
}

/// The pools with their seats, and what can be done with each.
#[must_use]
pub fn seats(asking: &Asking, pools: &Pools, act: impl Fn(&str) -> Markup) -> Markup {
    let count = |count: Option<u32>| text_if(count.map(|count| count.to_string()).as_deref());
    let row = |pool: &Pool| {
        let is_fed = pool.state == "fed";
        let figure = match (pool.seats, pool.free) {
            (Some(seats), _) => format!("{seats} seats"),
            (None, Some(free)) => format!("{free} free agents"),
            (None, None) => String::new(),
        };
        vec![
            html! { strong { (pool.name) } " " (if is_fed { badge("good", "fed") } else { badge("bad", "figure ended") }) },
            html! { strong { (count(pool.room)) } },
            cell(figure),
            count(pool.in_calls),
            count(pool.in_wrap_up),
            html! {
                (pool.headroom)
                @if pool.wrap_up_s > 0 { " " small { "held " (duration(pool.wrap_up_s)) " after a call" } }
            },
            html! {
                @if is_fed { (until(asking, pool.valid_until)) } @else { (when(asking, pool.valid_until)) }
                br; small { (labels::by(&pool.by)) ", " (when(asking, pool.as_of)) }
                @if let Some(fault) = &pool.fault { " " (badge("bad", fault)) }
            },
            act(&pool.name),
        ]
    };
    html! {
        @if pools.pools.is_empty() {
            (nothing("There is no pool. Nobody has told how many agents are there."))
        } @else {
            (table(
                "Pools",
                &["Pool", "Free now", "Figure", "In calls", "In wrap-up", "Kept back", "Valid until", ""],
                pools.pools.iter().map(row),
            ))
        }
    }
}

/// The forms for figures by hand.
#[must_use]
pub fn feed(asking: &Asking, said: &Said) -> Markup {
    let at = entered(asking.now, &asking.zone);
    let filled = || Filled::with([("valid_for", "120".to_owned()), ("as_of", at.clone())]);
    html! { (form(asking, &FEED, &filled(), said)) (form(asking, &FEED_FREE, &filled(), said)) }
}
