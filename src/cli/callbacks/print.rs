//! Prints callbacks. Times are in the consumer's time and in UTC, or in UTC alone if the order has no hours. Numbers
//! are complete if the token may see them.

use std::io::Write;

use anstyle::Style;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::views::{
    Attempt, Callback, Explanation, Hours, Message, Page, Reason, Replay, Rung, Timeline, WrapUp,
};
use crate::cli::table::{Rows, in_zone, name, plain, standing};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::{reason, zones};

const HEADING: Style = Style::new().bold();

pub(in crate::cli) fn json(value: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    Ok(writeln!(out)?)
}

/// One callback in one line: its state and reason.
pub(in crate::cli) fn line(callback: &Callback, out: &mut dyn Write) -> anyhow::Result<()> {
    let is_unneeded = callback.cancel_requested_at.is_some() || callback.reached_late_at.is_some();
    let note =
        if is_unneeded && callback.outcome.is_none() { " It closes when the attempt has ended." } else { "" };
    let sentence = sentence(&callback.reason, callback.time_zone().as_ref());
    writeln!(out, "{}  {}  {sentence}{note}", callback.id, callback.standing())?;
    for warning in &callback.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(())
}

pub(super) fn replayed(replay: &Replay, out: &mut dyn Write) -> anyhow::Result<()> {
    let Replay { id, deliveries } = replay;
    match deliveries {
        0 => Ok(writeln!(out, "{id}  has no webhooks to deliver")?),
        1 => Ok(writeln!(out, "{id}  1 webhook is delivered again")?),
        many => Ok(writeln!(out, "{id}  {many} webhooks are delivered again")?),
    }
}

pub(super) fn page(page: &Page, out: &mut dyn Write) -> anyhow::Result<()> {
    if page.callbacks.is_empty() {
        writeln!(out, "no callbacks{}", if page.incomplete { " so far" } else { "" })?;
        return further(page, out);
    }
    let mut rows = Rows::new(&[
        "callback",
        "reference",
        "status",
        "consumer",
        "sender",
        "campaign",
        "priority",
        "attempts",
        "deadline",
        "why",
    ]);
    for callback in &page.callbacks {
        let zone = callback.time_zone();
        rows.push([
            name(&callback.id),
            plain(callback.reference.as_deref().unwrap_or_default()),
            standing(callback.standing()),
            plain(&callback.consumer),
            plain(callback.senders.join(" ")),
            plain(callback.campaign.as_deref().unwrap_or_default()),
            plain(callback.priority),
            plain(format!("{}/{}", callback.attempts_made, callback.attempts_max)),
            plain(at(callback.latest, zone.as_ref())),
            plain(sentence(&callback.reason, zone.as_ref())),
        ]);
    }
    rows.write(out)?;
    further(page, out)
}

/// How to get the next page.
pub(in crate::cli) fn further(page: &Page, out: &mut dyn Write) -> anyhow::Result<()> {
    match &page.next_cursor {
        Some(cursor) if page.incomplete => writeln!(out, "few match; to continue: --cursor {cursor}")?,
        Some(cursor) => writeln!(out, "more: --cursor {cursor}")?,
        None => {}
    }
    Ok(())
}

pub(super) fn record(callback: &Callback, out: &mut dyn Write) -> anyhow::Result<()> {
    let zone = callback.time_zone();
    let second = |moment| in_zone(moment, zone.as_ref());
    let mut rows = Rows::new(&[]);
    rows.push([name("callback"), plain(&callback.id)]);
    rows.push([name("status"), standing(callback.standing())]);
    let mut say = |what: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            rows.push([name(what), plain(value)]);
        }
    };
    say("why", Some(why(sentence(&callback.reason, zone.as_ref()), &callback.reason, zone.as_ref())));
    say("next look", callback.next_look_at.map(second));
    say("consumer", Some(callback.consumer.clone()));
    say("senders", Some(callback.senders.join(", ")));
    say("document", Some(callback.document.clone()));
    say("agent", callback.agent.clone());
    say("pool", callback.pool.clone());
    say("assigned agent", assigned(callback, &second));
    say("promised", promised(callback, &second));
    say("in line since", callback.place_in_line_since.map(second));
    say("earliest", callback.earliest.map(second));
    say("latest", callback.latest.map(second));
    say("hours", callback.hours.as_ref().map(hours));
    say("priority", Some(callback.priority.to_string()));
    say("attempts", Some(format!("{} of {}", callback.attempts_made, callback.attempts_max)));
    say("retry", callback.retry_at.map(second));
    say("abandoned", callback.abandoned_at.map(second));
    say("invited", callback.invited_at.map(second));
    say("cancel asked", callback.cancel_requested_at.map(second));
    say("reached late", callback.reached_late_at.map(second));
    say("campaign", callback.campaign.clone());
    say("purpose", Some(callback.purpose.clone()).filter(|purpose| purpose != "service"));
    say("gap", callback.waive_gap.then(|| "waived".to_owned()));
    say("separate", callback.separate.then(|| "yes".to_owned()));
    say("missed hours", callback.missed_window.clone());
    say("reference", callback.reference.clone());
    say("follows", callback.follows.clone());
    say("made by", callback.by_missed_call.then(|| "a missed call".to_owned()));
    say("created", callback.created_at.map(second));
    say("closed", callback.closed_at.map(second));
    say("wrap-up", callback.wrap_up.as_ref().map(wrap_up));
    rows.write(out)?;
    attempts(callback, out)?;
    messages(callback, out)
}

fn assigned(callback: &Callback, second: &impl Fn(Timestamp) -> String) -> Option<String> {
    let agent = callback.assigned_agent.as_ref()?;
    Some(format!("{agent} until {}", second(callback.exclusive_until?)))
}

/// The promised time, and how late the first ring was.
fn promised(callback: &Callback, second: &impl Fn(Timestamp) -> String) -> Option<String> {
    let at = second(callback.promised_at?);
    Some(match callback.late_s {
        None => at,
        Some(late) if late < 0 => format!("{at}, rang {} s before", late.unsigned_abs()),
        Some(late) => format!("{at}, rang {late} s after"),
    })
}

fn wrap_up(said: &WrapUp) -> String {
    let who = said.agent.as_ref().unwrap_or(&said.by);
    let note = said.note.as_ref().map_or_else(String::new, |note| format!(": {}", note.replace('\n', " ")));
    let next = said.follow_up.as_ref().map_or_else(String::new, |next| format!("; next: {next}"));
    format!("{} (by {who}){note}{next}", said.disposition)
}

/// How far an attempt is. The state is that of its call, so it says something once the platform has the call.
fn stands(attempt: &Attempt) -> &str {
    match attempt.stage.as_str() {
        "intent" => "not sent yet",
        "submitting" => "being sent",
        "unknown" => "checking with the platform whether the call was placed",
        stage => attempt.state.as_deref().unwrap_or(stage),
    }
}

fn attempts(callback: &Callback, out: &mut dyn Write) -> anyhow::Result<()> {
    if callback.attempts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{HEADING}attempts{HEADING:#}")?;
    let zone = callback.time_zone();
    let mut rows = Rows::new(&["no", "at", "sender", "came to", "talked", "error", "call"]);
    for attempt in &callback.attempts {
        let end = attempt.disposition.as_deref().unwrap_or_else(|| stands(attempt));
        rows.push([
            plain(attempt.number),
            plain(at(attempt.created_at, zone.as_ref())),
            plain(&attempt.sender),
            standing(end),
            plain(attempt.duration_s.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds}s"))),
            plain(or_dash(attempt.error.as_ref())),
            plain(or_dash(attempt.sid.as_ref())),
        ]);
    }
    Ok(rows.write(out)?)
}

pub(in crate::cli) fn messages(callback: &Callback, out: &mut dyn Write) -> anyhow::Result<()> {
    if callback.messages.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{HEADING}messages{HEADING:#}")?;
    let zone = callback.time_zone();
    let mut rows = Rows::new(&["for", "at", "sender", "came to", "error", "message"]);
    for message in &callback.messages {
        let end = if message.stage == "accepted" { &message.state } else { &message.stage };
        rows.push([
            plain(purpose(message)),
            plain(at(message.created_at, zone.as_ref())),
            plain(&message.sender),
            standing(end),
            plain(or_dash(message.error.as_ref())),
            plain(or_dash(message.sid.as_ref())),
        ]);
    }
    Ok(rows.write(out)?)
}

/// What a message is for, and how it invites.
fn purpose(message: &Message) -> String {
    let purpose = message.purpose.replace('_', " ");
    match &message.road {
        Some(road) => format!("{purpose} ({})", road.replace('_', " ")),
        None => purpose,
    }
}

/// The timeline, with times in this time zone.
pub(in crate::cli) fn timeline(
    timeline: &Timeline,
    zone: Option<&TimeZone>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    writeln!(out, "\n{HEADING}timeline{HEADING:#}")?;
    let mut rows = Rows::new(&["at", "what", "why"]);
    for entry in &timeline.entries {
        rows.push([plain(at(entry.at, zone)), name(&entry.what), plain(localized(&entry.why, zone))]);
    }
    Ok(rows.write(out)?)
}

pub(in crate::cli) fn explanation(view: &Explanation, out: &mut dyn Write) -> anyhow::Result<()> {
    let zone = view.local.as_ref().and_then(|local| zones::zone(&local.zone).ok());
    let second = |moment| in_zone(moment, zone.as_ref());
    writeln!(out, "{} {}", view.id, verdict(view))?;
    for reason in &view.reasons {
        // The daemon's times are in the consumer's time already.
        writeln!(out, "  {}: {}", reason.code, why(reason.sentence.clone(), reason, zone.as_ref()))?;
    }
    if let Some(at) = view.next_look_at {
        writeln!(out, "  next decision at {} at the latest", second(at))?;
    }
    if let Some(local) = &view.local {
        let open = match (local.open, local.opens_at) {
            (true, _) => "within the calling hours".to_owned(),
            (false, Some(at)) => format!("outside the calling hours, which open at {}", second(at)),
            (false, None) => "outside the calling hours, which do not open again".to_owned(),
        };
        writeln!(out, "  local time of the consumer: {} ({}), {open}", local.time, local.zone)?;
    }
    if let Some(attempt) = &view.attempt {
        writeln!(out, "  attempt {} from {}: {}", attempt.number, attempt.sender, stands(attempt))?;
    }
    if view.senders.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let mut rows = Rows::new(&["sender", "call permission", "until", "misses in a row", "live calls"]);
    for sender in &view.senders {
        let missing = if sender.configured { "" } else { " (not in the configuration)" };
        rows.push([
            name(format!("{}{missing}", sender.number)),
            plain(sender.permission.replace('_', " ")),
            plain(at(sender.permission_until, zone.as_ref())),
            plain(sender.misses),
            plain(sender.live_calls),
        ]);
    }
    rows.write(out)?;
    ladder(&view.ladder, zone.as_ref(), out)
}

/// The roads by which the consumer could be invited to call, in their order.
fn ladder(rungs: &[Rung], zone: Option<&TimeZone>, out: &mut dyn Write) -> anyhow::Result<()> {
    if rungs.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{HEADING}roads of an invite{HEADING:#}")?;
    let mut rows = Rows::new(&["sender", "road", "account", "standing", "why"]);
    for rung in rungs {
        // The daemon's sentences are in the consumer's time already.
        let told = rung.reason.as_ref().map(|reason| why(reason.sentence.clone(), reason, zone));
        rows.push([
            name(&rung.sender),
            plain(rung.road.replace('_', " ")),
            plain(&rung.account),
            plain(rung.standing.replace('_', " ")),
            plain(told.unwrap_or_default()),
        ]);
    }
    Ok(rows.write(out)?)
}

/// The state of a callback, and its next step.
fn verdict(view: &Explanation) -> String {
    let by = view.sender.as_ref().map_or_else(String::new, |sender| format!(" from {sender}"));
    match (view.outcome.as_deref(), view.status.as_str(), view.step.as_deref()) {
        (Some(outcome), ..) => format!("is closed: {outcome}"),
        (None, "calling", _) => "is calling".to_owned(),
        (None, _, Some("place_call")) => format!("places a call{by} now"),
        (None, _, Some("request_permission")) => format!("asks for the call permission{by} now"),
        (None, _, Some("invite")) => format!("invites the consumer to call{by} now"),
        (None, _, Some("finish")) => "closes now".to_owned(),
        (None, status, _) => format!("is {status}"),
    }
}

/// The sentence of a reason, and when or how it ends.
pub(in crate::cli) fn why(sentence: String, reason: &Reason, zone: Option<&TimeZone>) -> String {
    let until = reason.lifts_at.map(|at| format!(" (until {})", in_zone(at, zone)));
    let by = reason.lifted_by.as_ref().map(|by| format!(" (lifted by: {by})"));
    format!("{sentence}{}", until.or(by).unwrap_or_default())
}

pub(in crate::cli) fn sentence(reason: &Reason, zone: Option<&TimeZone>) -> String {
    localized(&reason.sentence, zone)
}

/// A sentence with its times in the consumer's time.
fn localized(sentence: &str, zone: Option<&TimeZone>) -> String {
    match zone {
        Some(zone) => reason::in_zone(sentence, zone, SystemClock.now()),
        None => sentence.to_owned(),
    }
}

pub(in crate::cli) fn hours(hours: &Hours) -> String {
    let span = |span: &super::views::Span| format!("{} {}-{}", span.days, span.from, span.to);
    let spans: Vec<String> = hours.spans.iter().map(span).collect();
    let calendar = hours.calendar.as_ref().map(|name| format!(" except {name}"));
    let also: String = hours.also.iter().map(|zone| format!(" and {zone}")).collect();
    format!("{} @{}{also}{}", spans.join(", "), hours.zone, calendar.unwrap_or_default())
}

pub(in crate::cli) fn at(moment: Option<Timestamp>, zone: Option<&TimeZone>) -> String {
    moment.map_or_else(|| "-".to_owned(), |moment| in_zone(moment, zone))
}

fn or_dash<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;
    use crate::cli::callbacks::views::read;

    fn printed<T: DeserializeOwned>(
        print: impl Fn(&T, &mut dyn Write) -> anyhow::Result<()>,
        answer: Value,
    ) -> String {
        let mut out = Vec::new();
        print(&read(answer).unwrap(), &mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn the_known_fields_of_another_versions_answer_are_printed() {
        let text = printed(
            line,
            json!({"id": "cb_1", "status": "waiting", "new": [1], "reason": {"sentence": "So."}}),
        );
        assert_eq!(text, "cb_1  waiting  So.\n");
    }

    #[test]
    fn a_callback_is_shown_with_its_attempts_messages_and_reasons() {
        let text = printed(
            record,
            json!({
                "id": "cb_1", "status": "closed", "outcome": "exhausted", "consumer": "+447700900105",
                "senders": ["+442079460000"], "attempts_made": 1, "attempts_max": 1, "document": "message",
                "priority": 5, "latest": "2026-11-21T12:00:00.4Z",
                "reason": {"code": "attempts_used_up", "sentence": "All attempts are made."},
                "attempts": [{"number": 1, "sender": "+442079460000", "stage": "accepted", "state": "ended",
                    "disposition": "no_answer", "created_at": "2026-11-20T12:00:00Z", "sid": "CA1"}],
                "messages": [{"purpose": "permission_request", "stage": "rejected", "state": "queued",
                    "error": {"code": 63032, "meaning": "refused"}}],
            }),
        );
        insta::assert_snapshot!(text, @r"
        callback  cb_1
        status    exhausted
        why       All attempts are made.
        consumer  +447700900105
        senders   +442079460000
        document  message
        latest    2026-11-21T12:00:00Z
        priority  5
        attempts  1 of 1

        attempts
        no  at                    sender         came to    talked  error  call
        1   2026-11-20T12:00:00Z  +442079460000  no_answer  -       -      CA1

        messages
        for                 at  sender  came to   error            message
        permission request  -           rejected  63032 (refused)  -
        ");
    }

    #[test]
    fn an_explanation_has_all_obstacles_and_their_ends() {
        let text = printed(
            explanation,
            json!({
                "id": "cb_1", "status": "waiting", "step": "wait", "next_look_at": "2026-11-21T14:00:00Z",
                "reasons": [{"code": "outside_hours", "sentence": "It is night.", "lifts_at": "2026-11-22T08:00:00Z"}],
                "local": {"zone": "Asia/Kolkata", "time": "03:00", "open": false, "opens_at": "2026-11-22T08:00:00Z"},
                "senders": [{"number": "+442079460000", "configured": true, "permission": "revoked_by_consumer"}],
            }),
        );
        insta::assert_snapshot!(text, @r"
        cb_1 is waiting
          outside_hours: It is night. (until 2026-11-22T13:30:00+05:30 (2026-11-22T08:00:00Z))
          next decision at 2026-11-21T19:30:00+05:30 (2026-11-21T14:00:00Z) at the latest
          local time of the consumer: 03:00 (Asia/Kolkata), outside the calling hours, which open at 2026-11-22T13:30:00+05:30 (2026-11-22T08:00:00Z)

        sender         call permission      until  misses in a row  live calls
        +442079460000  revoked by consumer  -      0                0
        ");
    }

    #[test]
    fn an_explanation_has_the_roads_of_an_invite_in_their_order() {
        let text = printed(
            explanation,
            json!({
                "id": "inv_1", "status": "waiting", "step": "invite", "sender": "+442079460000",
                "senders": [{"number": "+442079460000", "configured": true, "permission": "none"}],
                "ladder": [
                    {"sender": "+442079460000", "road": "call_button", "account": "cloud", "standing": "passed_over",
                     "reason": {"code": "x", "sentence": "The service window is closed."}},
                    {"sender": "+442079460000", "road": "template", "account": "cloud", "standing": "next"},
                    {"sender": "+442079460000", "road": "messenger", "account": "page", "standing": "later",
                     "reason": {"code": "y", "sentence": "It is night.", "lifts_at": "2026-11-22T08:00:00Z"}},
                ],
            }),
        );
        insta::assert_snapshot!(text, @r"
        inv_1 invites the consumer to call from +442079460000 now

        sender         call permission  until  misses in a row  live calls
        +442079460000  none             -      0                0

        roads of an invite
        sender         road         account  standing     why
        +442079460000  call button  cloud    passed over  The service window is closed.
        +442079460000  template     cloud    next
        +442079460000  messenger    page     later        It is night. (until 2026-11-22T08:00:00Z)
        ");
    }

    #[test]
    fn times_are_printed_in_the_consumers_time_and_in_utc() {
        let hours =
            json!({"zone": "Asia/Kolkata", "spans": [{"days": "daily", "from": "09:00", "to": "18:00"}]});
        let callback = json!({
            "id": "cb_1", "status": "waiting", "consumer": "+447700900101", "attempts_max": 3, "hours": hours,
            "reason": {"sentence": "The earliest time is 2020-11-21T12:00:00Z.", "lifts_at": "2020-11-21T12:00:00Z"},
            "latest": "2020-11-22T12:00:00Z",
        });
        let sentence =
            "The earliest time is Sat 21 Nov 2020, 17:30 in the consumer's time (2020-11-21T12:00:00Z).";
        let latest = "2020-11-22T17:30:00+05:30 (2020-11-22T12:00:00Z)";
        let shown = printed(record, callback.clone());
        let until = "(until 2020-11-21T17:30:00+05:30 (2020-11-21T12:00:00Z))";
        assert!(shown.contains(&format!("{sentence} {until}")) && shown.contains(latest), "{shown}");
        let listed = printed(page, json!({"callbacks": [callback.clone()]}));
        assert!(listed.contains(sentence) && listed.contains(latest), "{listed}");
        assert!(printed(line, callback).contains(sentence));
        let entries = json!({"entries": [{"at": "2020-11-22T12:00:00Z", "what": "x", "why": "At 2020-11-21T12:00:00Z."}]});
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let told = printed(|entries, out| timeline(entries, Some(&zone), out), entries);
        assert!(told.contains(latest) && told.contains("At Sat 21 Nov 2020, 17:30 in the"), "{told}");
    }

    #[test]
    fn a_page_ends_with_how_to_continue() {
        let text = printed(
            page,
            json!({
                "callbacks": [{"id": "cb_2", "status": "calling", "consumer": "+447700900101", "attempts_max": 3,
                    "reason": {"sentence": "A call is in progress."}, "latest": "2026-11-21T12:00:00Z"}],
                "next_cursor": "cb_2",
            }),
        );
        insta::assert_snapshot!(text, @r"
        callback  reference  status   consumer       sender  campaign  priority  attempts  deadline              why
        cb_2                 calling  +447700900101                    0         0/3       2026-11-21T12:00:00Z  A call is in progress.
        more: --cursor cb_2
        ");
        assert_eq!(printed(page, json!({"callbacks": []})), "no callbacks\n");
        let cut = json!({"callbacks": [], "next_cursor": "cb_2", "incomplete": true});
        assert_eq!(printed(page, cut), "no callbacks so far\nfew match; to continue: --cursor cb_2\n");
    }
}
