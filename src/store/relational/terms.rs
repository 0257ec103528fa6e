//! The rarer fields of an order and what became of them, as JSON in their columns.

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::microsecond;
use serde::{Deserialize, Serialize};

use crate::domain::{
    AgentTarget, Assigned, CallbackId, Handling, Offer, Origin, Preview, PreviewElse, Taken, Terms,
};
use crate::store::{Error, Result};

#[derive(Default, Serialize, Deserialize)]
struct TermsShape {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
    exclusive_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
    promised_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
    in_line_since: Option<Timestamp>,
    /// Seconds, times, and what follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preview: Option<(u32, u32, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    follows: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    missed_call: bool,
    /// As the header `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traced: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
struct HandlingShape {
    #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
    first_rang_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    offers: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
    offered_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
    taken_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taken_by: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    wrapped_up: bool,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
    not_today_until: Option<Timestamp>,
}

pub fn text(terms: &Terms) -> Result<String> {
    let (follows, missed_call) = match terms.origin {
        Some(Origin::FollowUp(id)) => (Some(id.to_string()), false),
        Some(Origin::MissedCall) => (None, true),
        None => (None, false),
    };
    write(&TermsShape {
        agent: terms.assigned.as_ref().map(|assigned| assigned.agent.to_string()),
        exclusive_until: terms.assigned.as_ref().map(|assigned| assigned.until),
        promised_at: terms.promised_at,
        in_line_since: terms.in_line_since,
        preview: terms
            .preview
            .map(|preview| (preview.seconds, preview.times, preview.otherwise.as_str().to_owned())),
        follows,
        missed_call,
        traced: terms.traced.as_ref().map(ToString::to_string),
    })
}

pub fn read(text: &str) -> Result<Terms> {
    let shape: TermsShape = parse(text)?;
    let origin = match &shape.follows {
        Some(id) => Some(Origin::FollowUp(id.parse::<CallbackId>().map_err(|_| corrupt())?)),
        None => shape.missed_call.then_some(Origin::MissedCall),
    };
    let preview = match shape.preview {
        Some((seconds, times, otherwise)) => {
            let otherwise: PreviewElse = otherwise.parse().map_err(|_| corrupt())?;
            Some(Preview { seconds, times, otherwise })
        }
        None => None,
    };
    Ok(Terms {
        assigned: shape
            .agent
            .zip(shape.exclusive_until)
            .map(|(agent, until)| Assigned { agent: agent_of(&agent), until }),
        promised_at: shape.promised_at,
        in_line_since: shape.in_line_since,
        preview,
        origin,
        traced: shape.traced.map(|text| text.parse()).transpose().map_err(|_| corrupt())?,
    })
}

pub fn handling_text(handling: &Handling) -> Result<String> {
    let offer = &handling.offer;
    write(&HandlingShape {
        first_rang_at: handling.first_rang_at,
        offers: (offer.times > 0).then_some(offer.times),
        offered_until: offer.until,
        taken_at: offer.taken.as_ref().map(|taken| taken.at),
        taken_by: offer.taken.as_ref().and_then(|taken| taken.agent.as_ref()).map(ToString::to_string),
        wrapped_up: handling.is_wrapped_up,
        not_today_until: handling.not_today_until,
    })
}

pub fn read_handling(text: &str) -> Result<Handling> {
    let shape: HandlingShape = parse(text)?;
    let agent = shape.taken_by.as_deref().map(agent_of);
    Ok(Handling {
        first_rang_at: shape.first_rang_at,
        offer: Offer {
            times: shape.offers.unwrap_or(0),
            until: shape.offered_until,
            taken: shape.taken_at.map(|at| Taken { agent, at }),
        },
        is_wrapped_up: shape.wrapped_up,
        not_today_until: shape.not_today_until,
    })
}

/// As it was stored. An address that is refused today stays what it was.
pub fn agent_of(text: &str) -> AgentTarget {
    match text.strip_prefix("client:") {
        Some(name) => AgentTarget::Client(name.to_owned()),
        None => AgentTarget::Sip(text.to_owned()),
    }
}

fn write(shape: &impl Serialize) -> Result<String> {
    serde_json::to_string(shape).map_err(|error| Error::Corrupt(error.to_string()))
}

fn parse<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| corrupt())
}

fn corrupt() -> Error {
    Error::Corrupt("a callback has terms that are none".into())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn terms_read_back_what_they_write() {
        let at = Timestamp::constant(1_790_000_000, 1000);
        let agent = AgentTarget::Sip("sip:desk@example.com".into());
        let preview = Preview { seconds: 30, times: 3, otherwise: PreviewElse::Dial };
        let full = Terms {
            assigned: Some(Assigned { agent, until: at }),
            promised_at: Some(at),
            in_line_since: Some(at),
            preview: Some(preview),
            origin: Some(Origin::FollowUp(CallbackId::new(Uuid::from_u128(7)))),
            traced: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().ok(),
        };
        assert!(full.traced.is_some());
        let missed = Terms { origin: Some(Origin::MissedCall), ..Terms::default() };
        for terms in [full, missed, Terms::default()] {
            assert_eq!(read(&text(&terms).unwrap()).unwrap(), terms);
        }
    }

    #[test]
    fn handling_reads_back_what_it_writes() {
        let at = Timestamp::constant(1_790_000_000, 0);
        let taken = Taken { agent: Some(AgentTarget::Client("alice".into())), at };
        let offer = Offer { times: 2, until: Some(at), taken: Some(taken) };
        for handling in [
            Handling { first_rang_at: Some(at), offer, is_wrapped_up: true, not_today_until: Some(at) },
            Handling::default(),
        ] {
            assert_eq!(read_handling(&handling_text(&handling).unwrap()).unwrap(), handling);
        }
        assert!(read_handling("{\"offers\":-1}").is_err());
    }
}
