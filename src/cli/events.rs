//! `events`: what happens, line by line, as the daemon records it.

use std::io::Write;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;

use super::failure::refusal;
use super::remote::{Ask, Opened, Target};

/// The most bytes of one event. The daemon's are far smaller.
const EVENT_MAX: usize = 64 << 10;
/// Before the stream is opened again after it ended.
const COME_BACK: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct Events {
    /// Begin after this id; 0 for everything. Without it, what happens from now on
    #[arg(long, value_name = "EVENT", value_parser = clap::value_parser!(i64).range(0..))]
    after: Option<i64>,
    /// Only lines whose code begins so, such as "attempt." or "callback.closed"
    #[arg(long, value_name = "LINE")]
    what: Option<String>,
    /// Print each event as a line of JSON, with its id
    #[arg(long)]
    json: bool,
    /// End with the stream, instead of opening it again
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    daemon: Target,
}

/// What is shown of an event.
#[derive(Debug, Deserialize)]
struct Data {
    #[serde(default)]
    at: Option<jiff::Timestamp>,
    why: String,
    callback: Option<String>,
    invite: Option<String>,
    attempt: Option<String>,
    message: Option<String>,
    sender: Option<String>,
}

/// An event of the stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    id: Option<i64>,
    name: String,
    data: String,
}

impl Events {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.context("the runtime cannot be started")?.block_on(self.follow(out))
    }

    async fn follow(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut last = self.after;
        let mut was_open = false;
        loop {
            let mut ask = Ask::get("v1/events");
            ask.query.extend(last.map(|id| ("after", id.to_string())));
            ask.query.extend(self.what.clone().map(|what| ("what", what)));
            match self.daemon.open(&ask).await? {
                Opened::Stream(mut stream) => {
                    was_open = true;
                    let mut events = Parser::default();
                    while let Ok(Some(bytes)) = stream.chunk().await {
                        for event in events.feed(&bytes)? {
                            last = event.id.or(last);
                            self.print(&event, out)?;
                        }
                        out.flush()?;
                    }
                }
                // The daemon may be starting again.
                Opened::Unavailable(error) if !was_open => return Err(error),
                Opened::Unavailable(_) => {}
            }
            if self.once {
                return Ok(());
            }
            tokio::time::sleep(COME_BACK).await;
        }
    }

    fn print(&self, event: &Event, out: &mut dyn Write) -> anyhow::Result<()> {
        if event.data.is_empty() {
            return Ok(());
        }
        if self.json {
            let data: serde_json::Value = serde_json::from_str(&event.data)?;
            let line = serde_json::json!({ "id": event.id, "event": event.name, "data": data });
            return Ok(writeln!(out, "{line}")?);
        }
        let data: Data = serde_json::from_str(&event.data)?;
        let subjects = [&data.callback, &data.invite, &data.attempt, &data.message];
        let subject = subjects.into_iter().flatten().next().or(data.sender.as_ref());
        let at = data.at.map(|at| at.round(jiff::Unit::Second).unwrap_or(at).to_string());
        let (at, subject) = (at.as_deref().unwrap_or("-"), subject.map_or("-", String::as_str));
        Ok(writeln!(out, "{at}  {subject}  {}: {}", event.name, data.why)?)
    }
}

/// Puts events together from the bytes of a stream.
#[derive(Debug, Default)]
struct Parser {
    bytes: Vec<u8>,
}

impl Parser {
    /// The events that are complete now.
    fn feed(&mut self, bytes: &[u8]) -> anyhow::Result<Vec<Event>> {
        self.bytes.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.bytes.windows(2).position(|pair| pair == b"\n\n") {
            let block: Vec<u8> = self.bytes.drain(..end + 2).collect();
            events.extend(event(&String::from_utf8_lossy(&block)));
        }
        if self.bytes.len() > EVENT_MAX {
            return refusal("the server does not send events like a ringmaster daemon", [] as [&str; 0]);
        }
        Ok(events)
    }
}

/// The event of a block; `None` if it has only comments.
fn event(block: &str) -> Option<Event> {
    let mut event = Event::default();
    for line in block.lines() {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => event.id = value.parse().ok(),
            "event" => event.name = value.to_owned(),
            "data" => event.data.push_str(value),
            _ => {}
        }
    }
    (event != Event::default()).then_some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_put_together_from_pieces_of_any_size() {
        let text = ": comment\n\nid: 7\nevent: callback.closed\ndata: {\"why\":\"a: b\"}\n\nid: 9\n\n";
        let whole = Parser::default().feed(text.as_bytes()).unwrap();
        let closed = Event { id: Some(7), name: "callback.closed".into(), data: "{\"why\":\"a: b\"}".into() };
        let position = Event { id: Some(9), ..Event::default() };
        assert_eq!(whole, [closed, position]);
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let pieces = text.as_bytes().chunks(size).flat_map(|piece| parser.feed(piece).unwrap());
            assert_eq!(pieces.collect::<Vec<_>>(), whole, "in pieces of {size}");
        }
    }

    #[test]
    fn an_event_without_an_end_is_refused() {
        let mut parser = Parser::default();
        assert!(parser.feed(&vec![b'x'; EVENT_MAX]).is_ok());
        assert!(parser.feed(b"x").is_err());
    }
}
