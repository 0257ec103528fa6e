//! The pages of calendars: which there are, the days of one, marking days, and a test of calling hours at a moment.

use std::collections::BTreeMap;

use axum::http::Method;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use crate::console::act_forms::{Filled, form, told};
use crate::console::acts::{Act, Field, Kind, Said, Then, moment};
use crate::console::ask::Refused;
use crate::console::asking::{Asking, query, segment};
use crate::console::blocks::{
    badge, cell, facts, not_read, nothing, section, table, text_if, until, when_if,
};
use crate::console::labels;
use crate::console::page_of::{PageOf, Place, Shown};

const MARK: Act = Act {
    name: "mark-days",
    method: Method::POST,
    route: "/v1/calendars/{name}/days",
    fields: &[
        Field::hidden("name"),
        Field::needed(
            "state",
            "These days are",
            Kind::Choice(&[("closed", "closed"), ("open", "open"), ("default", "as the calendar has them")]),
            "",
        ),
        Field::needed("first", "First day", Kind::Date, ""),
        Field::free("last", "Last day", Kind::Date, "Without it one day."),
        Field::needed("why", "Why", Kind::Text, "It is shown with the days."),
    ],
    button: "Close or open days",
    hint: "From then on nothing leaves on a closed day for orders whose hours name this calendar.",
    done: "The days are marked.",
    then: Then::Back,
};

pub(super) const LIST: PageOf =
    PageOf { path: "calendars", acts: &[], show: |asking, place, _| list(asking, place) };
pub(super) const ONE: PageOf =
    PageOf { path: "calendars/{id}", acts: &[&MARK], show: |asking, place, said| one(asking, place, said) };

#[derive(Deserialize)]
struct Calendars {
    holidays: Holidays,
    calendars: Vec<Row>,
}

#[derive(Deserialize)]
struct Holidays {
    source: String,
    version: String,
    last_day: String,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    origin: String,
    holidays: Option<String>,
}

#[derive(Deserialize)]
struct Trial {
    local: String,
    hours: String,
    open: bool,
    day: Day,
    reason: Option<String>,
    opens_at: Option<Timestamp>,
    closes_at: Option<Timestamp>,
}

/// A day of a calendar, as the API tells it.
#[derive(Deserialize)]
struct Day {
    day: String,
    state: String,
    by: Option<String>,
    holiday: Option<String>,
    why: Option<String>,
    who: Option<String>,
}

fn list<'a>(asking: &'a Asking, place: &'a Place) -> BoxFuture<'a, Shown> {
    Box::pin(async move {
        let country = place.filter("country").unwrap_or_default();
        let read: Result<Calendars, _> =
            asking.read(&format!("/v1/calendars{}", query([("country", country)]))).await;
        let trial = match place.filter("hours") {
            Some(hours) => Some(try_hours(asking, hours, place.filter("at")).await),
            None => None,
        };
        let body = html! {
            (simulation(asking, place, trial.as_ref()))
            (section("Calendars", &read, |read| rows(read, country)))
        };
        Shown::new("Calendars", body).about(&read)
    })
}

async fn try_hours(asking: &Asking, hours: &str, at: Option<&str>) -> Result<Trial, Refused> {
    let mut trial = json!({"hours": hours});
    if let Some(at) = at {
        let read = moment(at, &asking.zone).map_err(|detail| {
            let errors = vec![("at".to_owned(), detail.to_owned())];
            let status = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
            Refused { errors, ..Refused::new(status, "The moment cannot be read", detail) }
        })?;
        trial["at"] = read.to_string().into();
    }
    asking.look_up("/v1/calendars/simulate", &trial).await
}

fn simulation(asking: &Asking, place: &Place, trial: Option<&Result<Trial, Refused>>) -> Markup {
    let refused = trial.and_then(|trial| trial.as_ref().err());
    let fault = |name: &str| refused.and_then(|refused| refused.of_field(name));
    html! {
        section {
            h2 { "Test calling hours" }
            form method="get" class="filters" {
                @for (name, label, kind, hint) in [
                    ("hours", "Calling hours", "text", "Such as mon-fri 09:00-18:00 @America/Sao_Paulo except BR-SP."),
                    ("at", "At", "datetime-local", "Without it now."),
                ] {
                    @let told = format!("trial-{name}-told");
                    div class="field" {
                        label for=(format!("trial-{name}")) { (label) }
                        input id=(format!("trial-{name}")) type=(kind) name=(name) value=(place.filter(name).unwrap_or_default())
                            required[name == "hours"] aria-invalid=[fault(name).map(|_| "true")] aria-describedby=(told);
                        @match fault(name) {
                            Some(fault) => span class="fault" id=(told) { (label) " " (fault) },
                            None => span class="hint" id=(told) { (hint) },
                        }
                    }
                }
                button type="submit" { "Test" }
            }
            @match trial {
                None => {}
                Some(Err(refused)) if !refused.errors.is_empty() => {}
                Some(Err(refused)) => (not_read(refused)),
                Some(Ok(trial)) => (tried(asking, trial)),
            }
        }
    }
}

fn tried(asking: &Asking, trial: &Trial) -> Markup {
    html! {
        p role="status" {
            @if trial.open { (badge("good", "open")) } @else { (badge("bad", "closed")) }
            " at " (trial.local) "."
            @if let Some(reason) = &trial.reason { " " (labels::plain(reason).replace('.', ", ")) "." }
        }
        (facts(&[
            ("Hours, as they are understood", cell(&trial.hours)),
            ("The calendar says of that day", html! { (labels::plain(&trial.day.state)) " " (about(&trial.day)) }),
            ("Opens", match trial.opens_at { Some(at) => until(asking, at), None => when_if(asking, None) }),
            ("Closes", match trial.closes_at { Some(at) => until(asking, at), None => when_if(asking, None) }),
        ]))
    }
}

fn about(day: &Day) -> Markup {
    html! {
        @match (&day.holiday, day.by.as_deref()) {
            (Some(holiday), _) => (holiday),
            (None, Some("configuration")) => "by the configuration",
            (None, Some("unknown")) => "there is no such calendar",
            _ => {}
        }
        @if let Some(why) = &day.why { " " (why) }
        @if let Some(who) = &day.who { " " small { (labels::by(who)) } }
    }
}

fn rows(read: &Calendars, country: &str) -> Markup {
    let link = |name: &str| html! { a href={ "calendars/" (segment(name)) } { (name) } };
    let own = read.calendars.iter().filter(|row| row.origin == "configuration");
    let own = own.map(|row| vec![link(&row.name), text_if(row.holidays.as_deref())]).collect::<Vec<_>>();
    // There are hundreds: one row for each country, with its regions.
    let mut countries: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in read.calendars.iter().filter(|row| row.origin != "configuration") {
        let country = row.name.get(..2).unwrap_or(&row.name);
        countries.entry(country).or_default().push(&row.name);
    }
    let public = countries.iter().map(|(country, names)| {
        let regions = names.iter().filter(|name| *name != country);
        vec![link(country), html! { @for name in regions { (link(name)) " " } }]
    });
    html! {
        form method="get" class="filters" {
            div class="field" {
                label for="country" { "Country" }
                input id="country" name="country" value=(country) maxlength="2" size="4" placeholder="BR";
            }
            button type="submit" { "Show" } " " a href="?" { "All" }
        }
        @if !own.is_empty() { (table("Of the configuration", &["Calendar", "Holidays of"], own)) }
        (table("Public holidays", &["Country", "Regions"], public))
        p class="second" {
            "Public holidays: " (read.holidays.source) " " (read.holidays.version) ", known until " (read.holidays.last_day) "."
        }
    }
}

#[derive(Deserialize)]
struct Days {
    name: String,
    from: String,
    until: String,
    days: Vec<Day>,
    holidays_known_until: Option<String>,
}

fn one<'a>(asking: &'a Asking, place: &'a Place, said: &'a Said) -> BoxFuture<'a, Shown> {
    Box::pin(async move {
        let period = query(["from", "until"].map(|name| (name, place.filter(name).unwrap_or_default())));
        let read: Result<Days, _> =
            asking.read(&format!("/v1/calendars/{}{period}", segment(&place.id))).await;
        let title =
            read.as_ref().map_or_else(|_| "Calendar".to_owned(), |days| format!("Calendar {}", days.name));
        let body = html! {
            (told(said, ONE.acts))
            p { a href="../calendars" { "All calendars" } }
            @match &read {
                Err(error) => (not_read(error)),
                Ok(days) => (of_days(days)),
            }
            (form(asking, &MARK, &Filled::with([("name", place.id.clone())]), said))
        };
        Shown::new(title, body).about(&read)
    })
}

fn of_days(days: &Days) -> Markup {
    let row = |day: &Day| vec![cell(&day.day), cell(labels::plain(&day.state)), about(day)];
    html! {
        form method="get" class="filters" {
            @for (name, label, value) in [("from", "From", &days.from), ("until", "Until", &days.until)] {
                div class="field" {
                    label for=(name) { (label) }
                    input id=(name) type="date" name=(name) value=(value);
                }
            }
            button type="submit" { "Show" }
        }
        @if days.days.is_empty() {
            (nothing("All days of this time are ordinary."))
        } @else {
            (table("Days that are not ordinary", &["Day", "State", "Why"], days.days.iter().map(row)))
        }
        @if let Some(day) = &days.holidays_known_until { p class="second" { "Holidays are known until " (day) " only." } }
    }
}
