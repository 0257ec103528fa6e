//! The page of agents: offers with the time that is left, wrap-ups, and the seats of pools.

use axum::http::Method;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use super::pools::{self, Pools};
use crate::console::act_forms::{Filled, form, told};
use crate::console::acts::{Act, Field, Kind, Said, Then};
use crate::console::ask::Refused;
use crate::console::asking::{Asking, query, segment};
use crate::console::blocks::{cell, duration, nothing, section, table, text_if, when};
use crate::console::page_of::{PageOf, Place, Shown};
use crate::console::{labels, numbers, words};

const ACCEPT: Act = Act {
    name: "accept-offer",
    method: Method::POST,
    route: "/v1/offers/{id}/accept",
    fields: &[Field::hidden("id"), Field::hidden_if_given("agent")],
    button: "Accept",
    hint: "",
    done: "Accepted: the consumer is called now.",
    then: Then::Back,
};
const SKIP: Act = Act {
    name: "skip-offer",
    method: Method::POST,
    route: "/v1/offers/{id}/skip",
    fields: &[Field::hidden("id")],
    button: "Skip",
    hint: "",
    done: "Skipped: it may be offered again.",
    then: Then::Back,
};
const CLOSE: Act = Act {
    name: "close-offer",
    method: Method::POST,
    route: "/v1/offers/{id}/close",
    fields: &[Field::hidden("id")],
    button: "Do not call",
    hint: "",
    done: "Closed: the consumer is not called.",
    then: Then::Back,
};
const WRAP_UP: Act = Act {
    name: "wrap-up",
    method: Method::POST,
    route: "/v1/callbacks/{id}/wrap-up",
    fields: &[
        Field::needed("id", "Callback", Kind::Text, "Its id (cb_…) or your reference."),
        Field::needed("disposition", "What came of the call", Kind::Offered, ""),
        Field::free(
            "callback_at",
            "Call again at",
            Kind::Moment,
            "Only if the consumer is to be called again.",
        ),
        Field::free("note", "Note", Kind::Area, "Erased with the person."),
        Field::free("agent", "Agent", Kind::Text, ""),
    ],
    button: "Wrap up a call",
    hint: "",
    done: "The wrap-up is recorded.",
    then: Then::Back,
};

pub(super) const PAGE: PageOf = PageOf {
    path: "agents",
    acts: &[&ACCEPT, &SKIP, &CLOSE, &WRAP_UP],
    show: |asking, place, said| show(asking, place, said),
};

#[derive(Deserialize)]
struct Offers {
    now: Timestamp,
    offers: Vec<Offer>,
    #[serde(default)]
    incomplete: bool,
}

#[derive(Deserialize)]
struct Offer {
    id: String,
    until: Timestamp,
    number: u32,
    callback: Callback,
}

#[derive(Deserialize)]
struct Callback {
    id: String,
    consumer: String,
    senders: Vec<String>,
    priority: u64,
    campaign: Option<String>,
    purpose: String,
    reference: Option<String>,
    agent: Option<String>,
    assigned_agent: Option<String>,
    closed_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Dispositions {
    dispositions: Vec<Disposition>,
}

#[derive(Deserialize)]
struct Disposition {
    name: String,
    label: String,
    effect: String,
    list: Option<String>,
}

#[derive(Deserialize)]
struct Callbacks {
    callbacks: Vec<Callback>,
    #[serde(default)]
    next_cursor: Option<String>,
}

fn show<'a>(asking: &'a Asking, place: &'a Place, said: &'a Said) -> BoxFuture<'a, Shown> {
    Box::pin(async move {
        let agent = place.filter("agent").unwrap_or_default();
        let offers: Result<Offers, _> =
            asking.read(&format!("/v1/offers{}", query([("agent", agent)]))).await;
        let known: Result<Dispositions, _> = asking.read("/v1/dispositions").await;
        let missing: Result<Callbacks, _> = asking.read("/v1/callbacks?wrap_up=missing&limit=20").await;
        let pools: Result<Pools, _> = asking.read("/v1/pools").await;
        let head = html! { (told(said, PAGE.acts)) (filter(agent)) };
        let live = section("Offered now", &offers, |offers| rows(asking, offers, agent, said));
        let body = html! {
            (section("Calls without a wrap-up", &missing, |missing| without(asking, missing)))
            (wrap_up(asking, place, &known, said))
            (section("Seats", &pools, |pools| pools::seats(asking, pools, |_| html! {})))
        };
        Shown::new("Agents", body).with_live(head, live).about(&offers)
    })
}

fn filter(agent: &str) -> Markup {
    html! {
        form method="get" class="filters" {
            div class="field" {
                label for="agent" { "Only what this agent may take" }
                input id="agent" name="agent" value=(agent) placeholder="client:name" autocomplete="off";
            }
            button type="submit" { "Show" } " " a href="?" { "All" }
        }
    }
}

fn rows(asking: &Asking, offers: &Offers, agent: &str, said: &Said) -> Markup {
    let row = |offer: &Offer| {
        let callback = &offer.callback;
        let left = offer.until.duration_since(offers.now).as_secs().max(0);
        let given = || Filled::with([("id", offer.id.clone()), ("agent", agent.to_owned())]);
        vec![
            html! {
                a href={ "callbacks/" (segment(&offer.id)) } { (numbers::number(&callback.consumer)) }
                br; small { (words::noun(&callback.purpose)) ", " (words::priority(callback.priority)) }
            },
            html! { strong { (duration(left)) } " " small { "until " (when(asking, offer.until)) } },
            html! {
                (text_if(callback.campaign.as_deref()))
                @if let Some(reference) = &callback.reference { br; small { (reference) } }
            },
            html! {
                (text_if(callback.assigned_agent.as_deref().or(callback.agent.as_deref())))
                br; small { "from " (callback.senders.join(", ")) }
            },
            cell(offer.number.to_string()),
            html! {
                div class="actions" {
                    (form(asking, &ACCEPT, &given(), said)) (form(asking, &SKIP, &given(), said)) (form(asking, &CLOSE, &given(), said))
                }
            },
        ]
    };
    html! {
        @if offers.offers.is_empty() {
            (nothing("Nothing is offered now."))
        } @else {
            (table("Offers", &["Consumer", "Time left", "Campaign", "Agent", "Offer", "Answer"], offers.offers.iter().map(row)))
        }
        @if offers.incomplete { p class="second" { "There are more offers than are shown." } }
    }
}

fn without(asking: &Asking, callbacks: &Callbacks) -> Markup {
    let row = |callback: &Callback| {
        vec![
            html! { a href={ "callbacks/" (segment(&callback.id)) } { (numbers::number(&callback.consumer)) } },
            text_if(callback.agent.as_deref()),
            crate::console::blocks::when_if(asking, callback.closed_at),
            html! { a href={ "?callback=" (segment(&callback.id)) "#wrap-up" } { "Wrap up" } },
        ]
    };
    html! {
        @if callbacks.callbacks.is_empty() {
            (nothing("Every call has its wrap-up."))
        } @else {
            (table("Calls without a wrap-up", &["Consumer", "Agent", "Closed", ""], callbacks.callbacks.iter().map(row)))
        }
        @if callbacks.next_cursor.is_some() { p class="second" { "There are more; these are the newest." } }
    }
}

fn wrap_up(asking: &Asking, place: &Place, known: &Result<Dispositions, Refused>, said: &Said) -> Markup {
    let offered = known.as_ref().map_or_else(
        |_| Vec::new(),
        |known| known.dispositions.iter().map(|known| (known.name.clone(), meaning(known))).collect(),
    );
    let callback = place.filter("callback").unwrap_or_default().to_owned();
    let filled = Filled::with([("id", callback)]).offering("disposition", offered);
    html! { div id="wrap-up" { (form(asking, &WRAP_UP, &filled, said)) } }
}

/// The label of a disposition, with what follows from it.
fn meaning(known: &Disposition) -> String {
    let effect = match (known.effect.as_str(), &known.list) {
        ("callback_at", _) => "calls again at a time".to_owned(),
        ("suppress", Some(list)) => format!("adds to the list {list}"),
        ("wrong_person", _) => "ends the use of the number".to_owned(),
        ("none", _) => return known.label.clone(),
        (other, _) => labels::plain(other),
    };
    format!("{} ({effect})", known.label)
}
