//! One callback: why it is as it is, everything else that hinders it, what happened, and what can be done.

use axum::extract::Path;
use axum::response::Response;
use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::callback_forms::actions;
use super::shown::{campaign, consumer, deadline, standing, time, told, zone_of};
use crate::console::ask::{Answer, Refused};
use crate::console::asking::segment;
use crate::console::fields::{Again, moments};
use crate::console::form::Form;
use crate::console::layout::{Page, problem};
use crate::console::numbers::reveal;
use crate::console::parts::{badge, facts, field, list, nothing, number, table, text};
use crate::console::times::{from_now, parsed};
use crate::console::visit::Visit;
use crate::console::words;
use crate::domain::Scope;

/// What the page shows of a callback.
pub(super) struct Seen {
    record: Value,
    explained: Answer,
    timeline: Answer,
    deliveries: Answer,
}

async fn seen(visit: &Visit, id: &str) -> Result<Seen, Refused> {
    let id = segment(id);
    Ok(Seen {
        record: visit.get(&format!("/v1/callbacks/{id}")).await?,
        explained: visit.get(&format!("/v1/callbacks/{id}/explain")).await,
        timeline: visit.get(&format!("/v1/callbacks/{id}/timeline")).await,
        deliveries: visit.get(&format!("/v1/callbacks/{id}/deliveries")).await,
    })
}

pub(super) async fn callback(Path(id): Path<String>, visit: Visit) -> Response {
    page(&visit, &id, None).await
}

/// The same page with complete numbers. It is recorded who looked.
pub(super) async fn revealed(Path(id): Path<String>, form: Form) -> Response {
    if !form.visit.may(Scope::Reveal) {
        let detail = "Your role shows numbers masked.";
        return form.visit.refused(&Refused::new(
            axum::http::StatusCode::FORBIDDEN,
            "Numbers stay masked",
            detail,
        ));
    }
    let visit = form.visit.revealing();
    page(&visit, &id, None).await
}

/// The page, after a form was refused with what is wrong.
async fn page(visit: &Visit, id: &str, again: Option<Again<'_>>) -> Response {
    let seen = match seen(visit, id).await {
        Ok(seen) => seen,
        Err(refused) => return visit.refused(&refused),
    };
    let dispositions = if visit.may(Scope::Work) { visit.get("/v1/dispositions").await.ok() } else { None };
    let record = &seen.record;
    let page = Page::new(&title(record))
        .head(html! { (reveal(visit, &format!("callbacks/{}/revealed", text(record, "id")))) })
        .live(shown(visit, &seen))
        .rest(actions(visit, record, dispositions.as_ref(), again));
    match again {
        Some(again) => visit.page_refused(again.refused, page),
        None => visit.page(page),
    }
}

fn title(record: &Value) -> String {
    let id = text(record, "id");
    let end = id.get(id.len().saturating_sub(6)..).unwrap_or(id);
    let noun = words::noun(text(record, "purpose"));
    let (first, rest) = noun.split_at(1);
    format!("{}{rest} …{end}", first.to_uppercase())
}

fn shown(visit: &Visit, seen: &Seen) -> Markup {
    let now = visit.now();
    html! {
        (verdict(visit, seen, now))
        (about(visit, &seen.record, now))
        @if let Ok(explained) = &seen.explained { (senders(visit, explained, now)) (ladder(explained)) }
        (calls(visit, &seen.record, now))
        (messages(visit, &seen.record, now))
        @match &seen.deliveries {
            Ok(found) => (deliveries(visit, &seen.record, found, now)),
            Err(refused) => { h2 { "Webhooks" } (problem(refused)) },
        }
        h2 { "What happened" }
        @match &seen.timeline {
            Ok(timeline) => (happened(visit, &seen.record, timeline, now)),
            Err(refused) => (problem(refused)),
        }
    }
}

/// The sentence with the rule that binds, and everything else that hinders.
fn verdict(visit: &Visit, seen: &Seen, now: Timestamp) -> Markup {
    let explained = match &seen.explained {
        Ok(explained) => explained,
        Err(refused) => return problem(refused),
    };
    let reasons = list(explained, "reasons");
    html! {
        div #verdict {
            (standing(&seen.record))
            @match reasons.first() {
                Some(first) => (reason(visit, &seen.record, first, now)),
                None => p.sentence { (told(visit, &seen.record, text(&seen.record, "reason.sentence"), now)) },
            }
            @if reasons.len() > 1 {
                h2 { "Also in the way" }
                ul { @for other in &reasons[1..] { li { (reason(visit, &seen.record, other, now)) } } }
            }
            (local(explained))
        }
    }
}

fn reason(visit: &Visit, record: &Value, reason: &Value, now: Timestamp) -> Markup {
    html! {
        p.sentence { (told(visit, record, text(reason, "sentence"), now)) }
        p.more {
            (words::reason(text(reason, "code")))
            @if let Some(at) = parsed(text(reason, "lifts_at")) {
                " · ends " (from_now(at, now)) ", " (time(visit, record, text(reason, "lifts_at"), now))
            } @else if !text(reason, "lifted_by").is_empty() { " · " (text(reason, "lifted_by")) }
        }
    }
}

fn local(explained: &Value) -> Markup {
    let Some(local) = field(explained, "local") else { return html! {} };
    let is_open = field(local, "open") == Some(&Value::Bool(true));
    html! {
        p { "It is " (text(local, "time")) " for the consumer (" (text(local, "zone")) "), "
            @if is_open { "within the calling hours." } @else { "outside the calling hours." } }
    }
}

fn about(visit: &Visit, record: &Value, now: Timestamp) -> Markup {
    let senders: Vec<&str> = list(record, "senders").iter().filter_map(Value::as_str).collect();
    let at = |name: &str| time(visit, record, text(record, name), now);
    let mut facts_told = vec![
        ("consumer", consumer(record)),
        ("senders", html! { (senders.join(", ")) }),
        ("not before", at("earliest")),
        ("until", deadline(visit, record, now)),
        ("next look", at("next_look_at")),
        ("calls", html! { (number(record, "attempts_made")) " of " (number(record, "attempts_max")) }),
        (
            "urgency",
            html! { (words::priority(number(record, "priority"))) " (" (number(record, "priority")) ")" },
        ),
        ("document", html! { (text(record, "document")) }),
    ];
    if !text(record, "campaign").is_empty() {
        facts_told.push(("campaign", campaign(visit, text(record, "campaign"))));
    }
    for name in ["agent", "pool", "reference"] {
        if !text(record, name).is_empty() {
            facts_told.push((name, html! { (text(record, name)) }));
        }
    }
    if !text(record, "ordered_by").is_empty() {
        facts_told.push(("ordered by", html! { (words::by(text(record, "ordered_by"))) }));
    }
    if let Some(said) = field(record, "wrap_up") {
        facts_told.push((
            "wrap-up",
            html! { (text(said, "disposition")) " " span.second { (text(said, "note")) } },
        ));
    }
    facts(&facts_told)
}

/// The ledger: what each sender may do with this consumer.
fn senders(visit: &Visit, explained: &Value, now: Timestamp) -> Markup {
    let rows: Vec<_> = list(explained, "senders")
        .iter()
        .map(|sender| {
            let until = time(visit, explained, text(sender, "permission_until"), now);
            vec![
                html! { (text(sender, "number")) },
                html! { (text(sender, "permission").replace('_', " ")) },
                until,
                html! { (number(sender, "misses")) },
                html! { (number(sender, "live_calls")) },
            ]
        })
        .collect();
    html! {
        @if !rows.is_empty() {
            h2 { "Permissions" }
            (table("Each sender with this consumer", &["sender", "permission", "until", "missed in a row", "calls now"], &rows))
        }
    }
}

/// By which roads the consumer could be invited to call.
fn ladder(explained: &Value) -> Markup {
    let rows: Vec<_> = list(explained, "ladder")
        .iter()
        .map(|rung| {
            let word = text(rung, "standing").replace('_', " ");
            let kind = match text(rung, "standing") {
                "invited" | "next" => "good",
                "resting" | "unknown" => "warn",
                _ => "plain",
            };
            vec![
                html! { (text(rung, "road").replace('_', " ")) },
                html! { (text(rung, "sender")) },
                badge(kind, &word),
                html! { (text(rung, "reason.sentence")) },
            ]
        })
        .collect();
    html! {
        @if !rows.is_empty() {
            h2 { "Ways to invite" }
            (table("In their order", &["way", "sender", "state", "why"], &rows))
        }
    }
}

fn calls(visit: &Visit, record: &Value, now: Timestamp) -> Markup {
    let rows: Vec<_> = list(record, "attempts")
        .iter()
        .map(|attempt| {
            let ended = match text(attempt, "disposition") {
                "" if text(attempt, "stage") == "unknown" => "checking with Twilio".to_owned(),
                "" => text(attempt, "state").replace('_', " "),
                ended => ended.replace('_', " "),
            };
            let seconds = field(attempt, "duration_s").and_then(Value::as_u64);
            vec![
                html! { (number(attempt, "number")) },
                time(visit, record, text(attempt, "created_at"), now),
                html! { (text(attempt, "sender")) },
                html! { (ended) },
                html! { @if let Some(seconds) = seconds { (seconds) " s" } },
                recordings(visit, record, attempt, now),
                fault(attempt),
            ]
        })
        .collect();
    html! {
        h2 { "Calls" }
        @if rows.is_empty() { (nothing("No call yet.")) }
        @else { (table("In their order", &["number", "placed", "sender", "end", "talked", "recorded", "error"], &rows)) }
    }
}

/// What the platform recorded of a call. A link leads to the platform, where one has to be signed in.
fn recordings(visit: &Visit, record: &Value, attempt: &Value, now: Timestamp) -> Markup {
    html! {
        @for recording in list(attempt, "recordings") {
            @let (link, state) = (text(recording, "link"), text(recording, "state"));
            @let delete_at = text(recording, "delete_at");
            div {
                @if state == "kept" && link.starts_with("http") {
                    a href=(link) rel="noreferrer noopener" target="_blank" { "at the platform" }
                } @else { (state.replace('_', " ")) }
                @if let Some(seconds) = field(recording, "duration_s").and_then(Value::as_u64) { ", " (seconds) " s" }
                ", " (notice(text(recording, "notice")))
                @if state == "kept" {
                    @if delete_at.is_empty() { ", kept until deleted there" }
                    @else { ", deleted by " (time(visit, record, delete_at, now)) }
                }
            }
        }
    }
}

const fn notice(word: &str) -> &'static str {
    match word.as_bytes() {
        b"spoken" => "notice spoken",
        b"agent" => "notice by the agent",
        b"none" => "no notice",
        _ => "notice not stated",
    }
}

fn messages(visit: &Visit, record: &Value, now: Timestamp) -> Markup {
    let rows: Vec<_> = list(record, "messages")
        .iter()
        .map(|message| {
            vec![
                html! { (text(message, "purpose").replace('_', " ")) },
                time(visit, record, text(message, "created_at"), now),
                html! { (text(message, "sender")) },
                html! { (text(message, "state")) },
                fault(message),
            ]
        })
        .collect();
    html! {
        @if !rows.is_empty() {
            h2 { "Messages" }
            (table("In their order", &["what", "sent", "sender", "state", "error"], &rows))
        }
    }
}

/// What your system was told of it, and how far that is.
fn deliveries(visit: &Visit, record: &Value, found: &Value, now: Timestamp) -> Markup {
    let rows: Vec<_> = list(found, "deliveries")
        .iter()
        .map(|sent| {
            let at = |name: &str| time(visit, record, text(sent, name), now);
            let state = match text(sent, "state") {
                "waiting" if !text(sent, "due_at").is_empty() => html! { "next try " (at("due_at")) },
                "waiting" => html! { "waits for the one before" },
                "given_up" => html! { (badge("bad", "given up")) " " (at("settled_at")) },
                _ => html! { "delivered " (at("settled_at")) },
            };
            vec![
                html! { (text(sent, "type")) },
                at("created_at"),
                state,
                html! { (number(sent, "tries")) },
                html! { (text(sent, "last_error")) },
            ]
        })
        .collect();
    html! {
        @if !rows.is_empty() {
            h2 { "Webhooks" }
            (table("What your system was told, in its order", &["event", "written", "state", "tries", "last error"], &rows))
        }
    }
}

fn fault(sent: &Value) -> Markup {
    let Some(error) = field(sent, "error") else { return html! {} };
    html! { (text(error, "issuer")) " " (number(error, "code")) " " span.second { (text(error, "meaning")) } }
}

fn happened(visit: &Visit, record: &Value, timeline: &Value, now: Timestamp) -> Markup {
    let record = zone_of(record).map_or(timeline, |_| record);
    html! {
        ol.timeline {
            @for entry in list(timeline, "entries") {
                li {
                    (time(visit, record, text(entry, "at"), now)) " · " (told(visit, record, without_code(text(entry, "why")), now))
                    @if !text(entry, "by").is_empty() { " " span.second { (told_by(text(entry, "what"), text(entry, "by"))) } }
                }
            }
        }
    }
}

/// What happened, without the code of a reason before its sentence.
fn without_code(why: &str) -> &str {
    let is_code =
        |code: &&str| code.contains('.') && code.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_' | b'.'));
    match why.split_once(": ") {
        Some((code, sentence)) if is_code(&code) => sentence,
        _ => why,
    }
}

fn told_by(what: &str, by: &str) -> String {
    if what.ends_with("canceled") {
        format!("cancelled by {}", words::by(by))
    } else {
        format!("by {}", words::by(by))
    }
}

/// Sends the fields of a form to a route of this callback, and shows the page again with what is wrong.
async fn act(form: &Form, id: &str, verb: &str, body: Result<Value, Refused>, done: &str) -> Response {
    let visit = &form.visit;
    let sent = match body {
        Ok(body) => visit.post(&format!("/v1/callbacks/{}/{verb}", segment(id)), &body).await,
        Err(refused) => Err(refused),
    };
    match sent {
        Ok(_) => visit.go(&format!("callbacks/{id}"), done),
        Err(refused) => page(visit, id, Some(Again::new(verb, form, &refused))).await,
    }
}

/// The given fields of a form as JSON.
fn given(form: &Form, names: &[&str]) -> Map<String, Value> {
    let found = names.iter().filter_map(|name| Some(((*name).to_owned(), form.given(name)?.into())));
    found.collect()
}

pub(super) async fn cancel(Path(id): Path<String>, form: Form) -> Response {
    act(&form, &id, "cancel", Ok(json!({})), "canceled").await
}

pub(super) async fn reschedule(Path(id): Path<String>, form: Form) -> Response {
    let mut body = given(&form, &["reason"]);
    if let Some(priority) = form.given("priority") {
        // What is no number is sent as it is, so that the API names the fault.
        body.insert(
            "priority".to_owned(),
            priority.parse::<u64>().map_or_else(|_| priority.into(), Value::from),
        );
    }
    let read = moments(&form, &["earliest", "latest"], &form.visit.app().reports.zone, &mut body);
    act(&form, &id, "reschedule", read.map(|()| body.into()), "rescheduled").await
}

pub(super) async fn allow_attempt(Path(id): Path<String>, form: Form) -> Response {
    let body = given(&form, &["reason"]);
    act(&form, &id, "allow-attempt", Ok(body.into()), "attempt-allowed").await
}

pub(super) async fn not_today(Path(id): Path<String>, form: Form) -> Response {
    let body = given(&form, &["reason"]);
    act(&form, &id, "not-today", Ok(body.into()), "not-today").await
}

pub(super) async fn wrap_up(Path(id): Path<String>, form: Form) -> Response {
    let mut body = given(&form, &["disposition", "note", "agent"]);
    let read = moments(&form, &["callback_at"], &form.visit.app().reports.zone, &mut body);
    act(&form, &id, "wrap-up", read.map(|()| body.into()), "wrapped-up").await
}

pub(super) async fn replay(Path(id): Path<String>, form: Form) -> Response {
    act(&form, &id, "replay", Ok(json!({})), "replayed").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_row_is_a_contact_and_a_wish_a_callback() {
        let record = |purpose: &str| json!({"id": "cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f", "purpose": purpose});
        assert_eq!(title(&record("requested")), "Callback …8d9e0f");
        assert_eq!(title(&record("marketing")), "Contact …8d9e0f");
    }

    #[test]
    fn the_code_before_a_sentence_is_not_shown() {
        assert_eq!(without_code("retry.not_before: The next is due."), "The next is due.");
        for same in ["reached: The consumer answered.", "It is: so", "a.b", ""] {
            assert_eq!(without_code(same), same);
        }
    }

    #[test]
    fn who_cancelled_is_told_by_name() {
        assert_eq!(told_by("callback.canceled", "crm"), "cancelled by token crm");
        assert_eq!(told_by("callback.rescheduled", "crm"), "by token crm");
    }

    #[test]
    fn the_ways_to_invite_and_errors_are_shown_with_their_reasons() {
        let explained = json!({"ladder": [{"road": "call_button", "sender": "+551151991234", "standing": "passed_over",
            "reason": {"sentence": "Its window <is> closed."}}]});
        let shown = ladder(&explained).into_string();
        assert!(shown.contains("call button") && shown.contains("Its window &lt;is&gt; closed."), "{shown}");
        assert!(ladder(&json!({})).into_string().is_empty());
        let error = json!({"error": {"issuer": "twilio", "code": 63016, "meaning": "no window"}});
        assert!(fault(&error).into_string().contains("twilio 63016"));
    }
}
