//! The transcript: the events of the daemon and of the world, in order, in local time and with names.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ringmaster::domain::Phone;
use ringmaster::domain::timeline::Entry;
use ringmaster::simulation::ReceivedWebhook;

use super::told;

/// The transcript so far, and the format of people and times.
#[derive(Default)]
pub(super) struct Transcript {
    out: String,
    zone: Option<TimeZone>,
    day: Option<Date>,
    names: Vec<(Phone, String)>,
    /// The ids by which the page knows consumers, with their names.
    at_page: Vec<(String, String)>,
}

impl Transcript {
    pub(super) fn text(&self) -> &str {
        &self.out
    }

    pub(super) fn set_zone(&mut self, zone: TimeZone) {
        self.zone = Some(zone);
    }

    pub(super) fn name(&mut self, number: Phone, name: &str) {
        self.names.push((number, name.to_owned()));
    }

    pub(super) fn name_at_page(&mut self, id: String, name: &str) {
        self.at_page.push((id, name.to_owned()));
    }

    pub(super) fn title(&mut self, title: &str) {
        _ = writeln!(self.out, "{title}");
    }

    pub(super) fn command(&mut self, line: &str) {
        _ = writeln!(self.out, "\n> {line}");
    }

    pub(super) fn remark(&mut self, text: &str) {
        _ = writeln!(self.out, "    {}", self.local(text));
    }

    /// Writes one event.
    fn happened(&mut self, at: Timestamp, who: &str, what: &str) {
        let Some(zone) = self.zone.clone() else { return };
        let local = at.to_zoned(zone);
        if self.day != Some(local.date()) {
            self.day = Some(local.date());
            _ = writeln!(self.out, "  {}", local.strftime("%A %Y-%m-%d"));
        }
        _ = writeln!(self.out, "    {}  {who:<6} {what}", local.strftime("%H:%M:%S"));
    }

    pub(super) fn entry(&mut self, subject: &str, entry: &Entry) {
        if entry.what == "attempt.submitting" {
            return;
        }
        let why = self.local(&entry.why);
        let dash = if why.is_empty() { "" } else { " - " };
        self.happened(entry.at, "daemon", &format!("{subject}: {}{dash}{why}", entry.what));
    }

    pub(super) fn lost(&mut self, now: Timestamp, count: u64) {
        let reports =
            if count == 1 { "a report is lost".to_owned() } else { format!("{count} reports are lost") };
        self.happened(now, "world", &reports);
    }

    pub(super) fn heard(&mut self, heard: &ReceivedWebhook) {
        let told = match heard.json.as_str() {
            "" => Vec::from_iter(self.said(heard)),
            json => told::by_meta(json, |id| self.at_meta(id)),
        };
        for what in told {
            let refused =
                if heard.status < 300 { String::new() } else { format!(" (answered {})", heard.status) };
            self.happened(heard.at, "world", &format!("{what}{refused}"));
        }
    }

    /// A line for a webhook, if it needs one.
    fn said(&self, heard: &ReceivedWebhook) -> Option<String> {
        let get = |name: &str| {
            heard.params.iter().find(|(param, _)| param == name).map_or("", |(_, value)| value.as_str())
        };
        let (to, from) = (self.party(get("To")), self.party(get("From")));
        let code = match get("ErrorCode") {
            "" => String::new(),
            code => format!(", code {code}"),
        };
        if heard.path.starts_with("/hooks/inbound") {
            return match (heard.path.ends_with("/status"), get("CallStatus")) {
                (false, "ringing") => Some(format!("{from} calls {to}")),
                (true, "completed") => Some(format!("the call of {from} to {to} was taken and is over")),
                (true, end) => Some(format!("the call of {from} to {to} was not taken ({end})")),
                _ => None,
            };
        }
        match (get("ButtonPayload"), get("MessageStatus"), get("DialCallStatus"), get("CallStatus")) {
            ("ACCEPTED", ..) => Some(format!("{from} allows calls from {to}")),
            ("REJECTED", ..) => Some(format!("{from} does not allow calls from {to}")),
            (_, "delivered", ..) => Some(format!("the message to {to} is delivered")),
            (_, "failed", ..) => Some(format!("the message to {to} failed{code}")),
            (_, "", "", "ringing") => Some(format!("the phone of {to} rings")),
            (_, "", "", "in-progress") if heard.path.ends_with("/document") => None,
            (_, "", "", "in-progress") if heard.path.ends_with("/action") => {
                Some(format!("{to} has heard the document to its end"))
            }
            (_, "", "", "in-progress") => Some(format!("{to} answers")),
            (_, "", "", "completed") => Some(format!("the call with {to} is over")),
            (_, "", "", "busy") => Some(format!("{to} is busy, or declines")),
            (_, "", "", "no-answer") => Some(format!("{to} does not answer")),
            (_, "", "", "failed") => Some(format!("the call to {to} failed{code}")),
            (_, "", "", "canceled") => Some(format!("the call to {to} is hung up before an answer")),
            ("", "", "", "") if get("SmsStatus") == "received" => Some(format!("{from} writes to {to}")),
            _ => None,
        }
    }

    fn party(&self, address: &str) -> String {
        let number = address.strip_prefix("whatsapp:").and_then(|number| Phone::parse(number).ok());
        let name = number
            .and_then(|number| self.names.iter().find(|(known, _)| *known == number))
            .map(|(_, name)| name.clone());
        name.unwrap_or_else(|| address.trim_start_matches("client:").to_owned())
    }

    /// The name of whom Meta names by the digits of a number, or by the id at the page.
    fn at_meta(&self, id: &str) -> Option<String> {
        let number = Phone::parse(&format!("+{id}")).ok();
        let by_number = self.names.iter().find(|(known, _)| Some(*known) == number);
        let by_id = self.at_page.iter().find(|(known, _)| known == id).map(|(_, name)| name);
        by_number.map(|(_, name)| name).or(by_id).cloned()
    }

    /// Times as local time, and masked numbers as names.
    pub(super) fn local(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (number, name) in &self.names {
            text = text.replace(&number.to_string(), name);
        }
        let word = |word: &str| {
            let bare = word.trim_end_matches(['.', ',', ';', ':']);
            let at: Option<Timestamp> = bare.parse().ok();
            at.zip(self.zone.clone()).map_or_else(
                || word.to_owned(),
                |(at, zone)| {
                    let local = at.to_zoned(zone);
                    let day = if self.day == Some(local.date()) { "" } else { "%a %Y-%m-%d " };
                    let local = local.strftime(&format!("{day}%H:%M:%S")).to_string();
                    format!("{local}{}", &word[bare.len()..])
                },
            )
        };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }
}
