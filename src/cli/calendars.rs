//! `calendars`: lists calendars, shows their closed days, and tries calling hours at a moment.

use std::io::Write;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::remote::{Ask, Body, Target};
use super::table::{Rows, name, plain, second, standing};
use super::values::moment;
use crate::domain::CalendarName;
use crate::domain::calendar::Mark;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the calendars that hours may name
    #[command(
        after_long_help = "Examples:\n  ringmaster calendars list\n  ringmaster calendars list --country BR"
    )]
    List(List),
    /// Show the closed and opened days of a calendar
    #[command(
        after_long_help = "Example:\n  ringmaster calendars show BR-SP --from 2026-12-01 --until 2027-01-31"
    )]
    Show(Show),
    /// Close days of a calendar
    ///
    /// From the answer on nothing leaves on these days for orders whose hours name the calendar. Calls in progress go on.
    #[command(
        after_long_help = "Example:\n  ringmaster calendars close BR-SP 2026-12-24 --last 2026-12-31 --why no-agents"
    )]
    Close(Days),
    /// Open days of a calendar that are holidays
    ///
    /// A day that the configuration closes stays closed. What waits for a day that is opened is looked at again at once.
    #[command(
        after_long_help = "Example:\n  ringmaster calendars open BR-SP 2026-11-20 --why the-agents-work"
    )]
    Open(Days),
    /// Let the calendar decide about days again that were closed or opened
    #[command(
        after_long_help = "Example:\n  ringmaster calendars reset BR-SP 2026-12-24 --why the-storm-is-over"
    )]
    Reset(Days),
    /// Try calling hours at a moment: whether they are open, and why not
    #[command(after_long_help = "Example:\n  ringmaster calendars simulate \
                                 \"mon-fri 09:00-18:00 @America/Sao_Paulo except BR-SP\" --at 2026-12-25T10:00:00-03:00")]
    Simulate(Simulate),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only the country with these two letters, and its regions
    #[arg(long, value_name = "COUNTRY")]
    country: Option<String>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The calendar, such as BR-SP
    #[arg(value_name = "CALENDAR", value_parser = calendar)]
    name: CalendarName,
    /// The first day, as YYYY-MM-DD [default: today]
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The last day, as YYYY-MM-DD [default: a year later]
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct Days {
    /// The calendar, such as BR-SP
    #[arg(value_name = "CALENDAR", value_parser = calendar)]
    name: CalendarName,
    /// The first day, as YYYY-MM-DD
    #[arg(value_name = "DAY")]
    first: String,
    /// The last day, as YYYY-MM-DD [default: the first]
    #[arg(long, value_name = "DAY")]
    last: Option<String>,
    /// Why, for the record; it is shown with the days
    #[arg(long)]
    why: String,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// Calling hours, such as "mon-fri 09:00-18:00 @America/Sao_Paulo except BR-SP"
    #[arg(value_name = "HOURS")]
    hours: String,
    /// The moment: with an offset, or from now, such as +2d [default: now]
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    at: Option<Timestamp>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

fn calendar(text: &str) -> Result<CalendarName, String> {
    text.parse().map_err(|_| "expected the name of a calendar, such as BR-SP".to_owned())
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::List(list) => {
            let ask = with_query(Ask::get("v1/calendars"), [("country", list.country.as_ref())]);
            answer(&list.flags, &ask, out, print_list)
        }
        Command::Show(show) => {
            let span = [("from", show.from.as_ref()), ("until", show.until.as_ref())];
            let ask = with_query(Ask::get(format!("v1/calendars/{}", show.name)), span);
            answer(&show.flags, &ask, out, print_days)
        }
        Command::Close(days) => mark(days, Mark::Closed, out),
        Command::Open(days) => mark(days, Mark::Open, out),
        Command::Reset(days) => mark(days, Mark::Default, out),
        Command::Simulate(simulate) => {
            let mut trial = json!({"hours": simulate.hours});
            if let Some(at) = simulate.at {
                trial["at"] = at.to_string().into();
            }
            let ask = Ask::post("v1/calendars/simulate", Body::Json(trial));
            answer(&simulate.flags, &ask, out, print_trial)
        }
    }
}

fn mark(days: &Days, mark: Mark, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut order = json!({"state": mark.as_str(), "first": days.first, "why": days.why});
    if let Some(last) = &days.last {
        order["last"] = last.clone().into();
    }
    let ask = Ask::post(format!("v1/calendars/{}/days", days.name), Body::Json(order));
    let answer = days.flags.daemon.command(ask)?;
    if days.flags.json {
        return Ok(writeln!(out, "{answer:#}")?);
    }
    print_marked(&serde_json::from_value(answer)?, out)
}

#[derive(Deserialize)]
struct Marked {
    calendar: String,
    state: String,
    first: String,
    last: String,
}

fn print_marked(Marked { calendar, state, first, last }: &Marked, out: &mut dyn Write) -> anyhow::Result<()> {
    let days = if first == last { first.clone() } else { format!("{first} to {last}") };
    let state = if state == "default" { "as the calendar says" } else { state };
    Ok(writeln!(out, "{calendar}  {days}  {state}")?)
}

/// The same with the parameters that are given.
fn with_query<'a, const N: usize>(mut ask: Ask<'a>, given: [(&'static str, Option<&String>); N]) -> Ask<'a> {
    let given = given.into_iter().filter_map(|(name, value)| Some((name, value?.clone())));
    ask.query.extend(given);
    ask
}

/// Asks the daemon, and prints its answer.
fn answer<T: for<'de> Deserialize<'de>>(
    flags: &Flags,
    ask: &Ask<'_>,
    out: &mut dyn Write,
    print: impl FnOnce(&T, &mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let answer: Value = flags.daemon.ask_json(ask)?;
    if flags.json {
        return Ok(writeln!(out, "{answer:#}")?);
    }
    print(&serde_json::from_value(answer)?, out)
}

#[derive(Deserialize)]
struct Page {
    holidays: Data,
    calendars: Vec<Row>,
}

#[derive(Deserialize)]
struct Data {
    source: String,
    version: String,
    first_day: String,
    last_day: String,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    origin: String,
    holidays: Option<String>,
}

fn print_list(page: &Page, out: &mut dyn Write) -> anyhow::Result<()> {
    let data = &page.holidays;
    let mut rows = Rows::new(&["calendar", "origin", "holidays of"]);
    for row in &page.calendars {
        let holidays = row.holidays.as_deref();
        let of = holidays.unwrap_or(if row.origin == "program" { &row.name } else { "-" });
        rows.push([name(&row.name), standing(&row.origin), plain(of)]);
    }
    rows.write(out)?;
    let Data { source, version, first_day, last_day } = data;
    Ok(writeln!(out, "\npublic holidays of {source}, version {version}: {first_day} to {last_day}")?)
}

#[derive(Deserialize)]
struct DayList {
    name: String,
    from: String,
    until: String,
    days: Vec<Day>,
    holidays_known_until: Option<String>,
}

#[derive(Deserialize)]
struct Day {
    day: String,
    state: String,
    by: Option<String>,
    holiday: Option<String>,
    who: Option<String>,
    why: Option<String>,
}

impl Day {
    /// The holiday, or the operator's reason with the token's name.
    fn cause(&self) -> String {
        match (&self.holiday, &self.why, &self.who) {
            (Some(holiday), ..) => holiday.clone(),
            (None, Some(why), Some(who)) => format!("{why} ({who})"),
            _ => "-".to_owned(),
        }
    }
}

fn print_days(list: &DayList, out: &mut dyn Write) -> anyhow::Result<()> {
    let DayList { name: calendar, from, until, days, .. } = list;
    if days.is_empty() {
        writeln!(out, "{calendar} is open on every day from {from} to {until}")?;
    } else {
        let mut rows = Rows::new(&["day", "state", "by", "why"]);
        for day in days {
            let by = day.by.as_deref().unwrap_or("-");
            rows.push([name(&day.day), standing(&day.state), plain(by), plain(day.cause())]);
        }
        rows.write(out)?;
    }
    if let Some(last) = &list.holidays_known_until {
        writeln!(out, "\nno holiday is known after {last}: a newer program has later years")?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Trial {
    at: Timestamp,
    local: String,
    hours: String,
    open: bool,
    day: Day,
    reason: Option<String>,
    opens_at: Option<Timestamp>,
    closes_at: Option<Timestamp>,
}

fn print_trial(trial: &Trial, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut rows = Rows::new(&[]);
    let state = match &trial.reason {
        Some(reason) => format!("closed ({reason})"),
        None if trial.open => "open".to_owned(),
        None => "closed".to_owned(),
    };
    rows.push([name("hours"), plain(&trial.hours)]);
    rows.push([name("at"), plain(format!("{} ({})", trial.local, second(trial.at)))]);
    rows.push([name("calling"), plain(state)]);
    let by = trial.day.by.as_ref().map(|by| format!(" by {by}: {}", trial.day.cause()));
    rows.push([
        name("day"),
        plain(format!("{} {}{}", trial.day.day, trial.day.state, by.unwrap_or_default())),
    ]);
    match (trial.open, trial.opens_at, trial.closes_at) {
        (true, _, Some(at)) => rows.push([name("closes"), plain(second(at))]),
        (true, _, None) => {}
        (false, Some(at), _) => rows.push([name("opens"), plain(second(at))]),
        (false, None, _) => rows.push([name("opens"), plain("not within 366 days")]),
    }
    Ok(rows.write(out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<T: for<'de> Deserialize<'de>>(
        print: impl FnOnce(&T, &mut dyn Write) -> anyhow::Result<()>,
        answer: Value,
    ) -> String {
        let mut out = Vec::new();
        print(&serde_json::from_value(answer).unwrap(), &mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn a_list_shows_where_a_calendar_is_from_and_where_the_data_ends() {
        let answer = json!({
            "holidays": {"source": "a package", "version": "1", "first_day": "2025-01-01", "last_day": "2030-12-31"},
            "calendars": [{"name": "office", "origin": "configuration", "holidays": "BR-SP"},
                {"name": "bare", "origin": "configuration"}, {"name": "BR", "origin": "program"}],
        });
        insta::assert_snapshot!(shown(print_list, answer), @r"
        calendar  origin         holidays of
        office    configuration  BR-SP
        bare      configuration  -
        BR        program        BR

        public holidays of a package, version 1: 2025-01-01 to 2030-12-31
        ");
    }

    #[test]
    fn days_show_why_they_are_closed() {
        let answer = json!({"name": "office", "from": "2026-12-01", "until": "2031-01-01", "days": [
            {"day": "2026-12-24", "state": "closed", "by": "configuration"},
            {"day": "2026-12-25", "state": "closed", "by": "holiday", "holiday": "Christmas Day"},
            {"day": "2026-12-26", "state": "open", "by": "operator", "who": "ops", "why": "many calls"},
        ], "holidays_known_until": "2030-12-31"});
        insta::assert_snapshot!(shown(print_days, answer), @r"
        day         state   by             why
        2026-12-24  closed  configuration  -
        2026-12-25  closed  holiday        Christmas Day
        2026-12-26  open    operator       many calls (ops)

        no holiday is known after 2030-12-31: a newer program has later years
        ");
        let nothing = json!({"name": "bare", "from": "2026-12-01", "until": "2026-12-02", "days": []});
        let nothing = shown(print_days, nothing);
        assert_eq!(nothing, "bare is open on every day from 2026-12-01 to 2026-12-02\n");
    }

    #[test]
    fn marked_days_are_told_in_one_line() {
        let marked = |state: &str, last: &str| {
            shown(
                print_marked,
                json!({"calendar": "BR", "state": state, "first": "2026-12-24", "last": last}),
            )
        };
        assert_eq!(marked("closed", "2026-12-31"), "BR  2026-12-24 to 2026-12-31  closed\n");
        assert_eq!(marked("default", "2026-12-24"), "BR  2026-12-24  as the calendar says\n");
    }

    #[test]
    fn a_trial_shows_the_next_opening_or_the_close() {
        let mut answer = json!({"at": "2026-12-25T13:00:00Z", "local": "2026-12-25T10:00:00-03:00",
            "hours": "daily 09:00-18:00 @America/Sao_Paulo except BR", "open": false,
            "day": {"day": "2026-12-25", "state": "closed", "by": "holiday", "holiday": "Christmas Day"},
            "reason": "calendar.closed", "opens_at": "2026-12-26T12:00:00Z"});
        insta::assert_snapshot!(shown(print_trial, answer.clone()), @r"
        hours    daily 09:00-18:00 @America/Sao_Paulo except BR
        at       2026-12-25T10:00:00-03:00 (2026-12-25T13:00:00Z)
        calling  closed (calendar.closed)
        day      2026-12-25 closed by holiday: Christmas Day
        opens    2026-12-26T12:00:00Z
        ");
        answer["opens_at"] = Value::Null;
        assert!(shown(print_trial, answer).ends_with("opens    not within 366 days\n"));
        let open = json!({"at": "2026-12-28T13:00:00Z", "local": "2026-12-28T10:00:00-03:00",
            "hours": "daily 09:00-18:00 @America/Sao_Paulo", "open": true,
            "day": {"day": "2026-12-28", "state": "open"}, "closes_at": "2026-12-28T21:00:00Z"});
        assert!(shown(print_trial, open).ends_with("closes   2026-12-28T21:00:00Z\n"));
    }
}
