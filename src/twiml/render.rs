//! Renders a compiled document for one attempt, in one pass over its slots.

use std::borrow::Cow;
use std::fmt;

use crate::domain::{AgentTarget, AllowedHosts, Phone};

use super::SIZE_MAX;
use super::compile::{Program, Slot};
use super::escape;
use super::kind::{Fit, Kind, is_sip_part};
use super::placeholder::{Builtin, Name};

/// The values for a document.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    pub sender: Phone,
    /// `None` if the platform does not report it, as for a caller with a username.
    pub consumer: Option<Phone>,
    pub agent: Option<&'a AgentTarget>,
    /// The id as text.
    pub callback: &'a str,
    /// The id as text.
    pub attempt: &'a str,
    pub reference: Option<&'a str>,
    /// Our URL, so it is trusted.
    pub action_url: &'a str,
    /// Our URL, so it is trusted.
    pub leg_status_url: &'a str,
    /// Our URL, so it is trusted.
    pub recording_url: &'a str,
    /// Variables of the callback.
    pub variables: &'a dyn Fn(&str) -> Option<&'a str>,
    /// Whether a number is one of our senders.
    pub is_our_sender: &'a dyn Fn(Phone) -> bool,
}

impl fmt::Debug for Values<'_> {
    /// Prints no number, URL or value, because these must not be logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values")
            .field("sender", &self.sender)
            .field("consumer", &self.consumer)
            .field("callback", &self.callback)
            .finish_non_exhaustive()
    }
}

/// Why a document cannot be rendered. Has names of placeholders, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    #[error("the callback supplies no value for {name:?}")]
    MissingVariable { name: String },
    #[error("the document needs the consumer's number, which the platform did not report")]
    NoConsumer,
    #[error("the document needs an agent, and the callback names none")]
    MissingAgent,
    #[error("the value of {name:?} has a character that XML does not allow")]
    Character { name: String },
    #[error("the value of {name:?} does not fit: expected {expected}")]
    Unfit { name: String, expected: String },
    #[error("the value of {name:?} leads to a host that {list} does not list")]
    Host { name: String, list: &'static str },
    #[error("the document dials a number that is not the consumer of the attempt")]
    OtherConsumer,
    #[error("the document calls from a number that is not the sender of the attempt")]
    OtherSender,
    #[error("the document calls from a number that is not one of our senders")]
    UnknownSender,
    #[error("the document is {size} bytes when filled; Twilio takes at most {SIZE_MAX}")]
    TooLarge { size: usize },
}

pub(super) fn render(
    program: &Program,
    hosts: &AllowedHosts,
    values: &Values<'_>,
) -> Result<String, RenderError> {
    check_numbers(program, values)?;
    check_agent(program, hosts, values)?;
    let mut out = String::with_capacity(program.text.len() + 80 * program.slots.len());
    let mut at = 0;
    for slot in &program.slots {
        out.push_str(&program.text[at..slot.at]);
        at = slot.at;
        write(slot, hosts, values, &mut out)?;
    }
    out.push_str(&program.text[at..]);
    check_size(out.len())?;
    Ok(out)
}

/// All refusals, each once.
pub(super) fn check(program: &Program, hosts: &AllowedHosts, values: &Values<'_>) -> Vec<RenderError> {
    let checked = [check_numbers(program, values), check_agent(program, hosts, values)];
    let mut refusals: Vec<RenderError> = checked.into_iter().filter_map(Result::err).collect();
    let mut filled = String::new();
    for slot in &program.slots {
        if let Err(refusal) = write(slot, hosts, values, &mut filled)
            && !refusals.contains(&refusal)
        {
            refusals.push(refusal);
        }
    }
    refusals.extend(check_size(program.text.len() + filled.len()).err());
    refusals
}

/// The document may call only the attempt's consumer from its sender: permission and limits were checked only
/// for this pair.
fn check_numbers(program: &Program, values: &Values<'_>) -> Result<(), RenderError> {
    if !program.dials_consumer {
        return Ok(());
    }
    if program.consumer.is_some() && program.consumer != values.consumer {
        return Err(RenderError::OtherConsumer);
    }
    if program.sender.is_some_and(|sender| sender != values.sender) {
        return Err(RenderError::OtherSender);
    }
    if !(values.is_our_sender)(values.sender) {
        return Err(RenderError::UnknownSender);
    }
    Ok(())
}

/// In an agent-first document the agent is called at this address.
fn check_agent(program: &Program, hosts: &AllowedHosts, values: &Values<'_>) -> Result<(), RenderError> {
    match values.agent {
        Some(AgentTarget::Sip(address)) if program.dials_consumer && !hosts.takes_sip(address) => {
            Err(RenderError::Host { name: Builtin::Agent.name().to_owned(), list: SIP_HOSTS })
        }
        _ => Ok(()),
    }
}

const SIP_HOSTS: &str = "twiml.sip_hosts";
const BOT_HOSTS: &str = "twiml.bot_hosts";

const fn check_size(size: usize) -> Result<(), RenderError> {
    if size > SIZE_MAX { Err(RenderError::TooLarge { size }) } else { Ok(()) }
}

fn write(
    slot: &Slot,
    hosts: &AllowedHosts,
    values: &Values<'_>,
    out: &mut String,
) -> Result<(), RenderError> {
    let value = value(&slot.name, values)?;
    if let Fit::Whole(kind) = slot.fit
        && !kind.leads_to(hosts, &value)
        && kind.accepts(&value)
    {
        let list = if kind == Kind::Sip { SIP_HOSTS } else { BOT_HOSTS };
        return Err(RenderError::Host { name: slot.name.as_str().to_owned(), list });
    }
    let ours = matches!(slot.name, Name::Builtin(builtin) if builtin.is_url());
    let unfit = |expected: String| RenderError::Unfit { name: slot.name.as_str().to_owned(), expected };
    let fitted: Cow<'_, str> = match slot.fit {
        Fit::Part => value,
        Fit::Whole(_) if ours => value,
        Fit::Whole(kind @ (Kind::Client | Kind::Sip)) if slot.name == Name::Builtin(Builtin::Agent) => {
            if !matches!(
                (kind, values.agent),
                (Kind::Client, Some(AgentTarget::Client(_))) | (Kind::Sip, Some(AgentTarget::Sip(_)))
            ) || !kind.accepts(&value)
            {
                return Err(unfit(kind.expected()));
            }
            value
        }
        Fit::Whole(Kind::Consumer) => {
            match Phone::parse(&value) {
                Ok(phone) if Some(phone) == values.consumer => {}
                Ok(_) => return Err(RenderError::OtherConsumer),
                Err(_) => return Err(unfit(Kind::Consumer.expected())),
            }
            value
        }
        Fit::Whole(kind) if !kind.accepts(&value) => return Err(unfit(kind.expected())),
        // The Calls API needs `client:`; the noun has only the name.
        Fit::Whole(Kind::Client) => match value.strip_prefix("client:") {
            Some(name) => Cow::Owned(name.to_owned()),
            None => value,
        },
        Fit::Whole(_) => value,
        Fit::UrlPart => match &*value {
            // Percent-encoding would hide characters that are refused everywhere else.
            hidden if !hidden.chars().all(escape::is_xml_char) => {
                return Err(RenderError::Character { name: slot.name.as_str().to_owned() });
            }
            "." | ".." => return Err(unfit("a part of a URL path that is not \".\" or \"..\"".to_owned())),
            _ => Cow::Owned(escape::percent_encode(&value)),
        },
        Fit::SipPart => {
            if !is_sip_part(&value) {
                return Err(unfit("letters, digits and - _ . + ~ only".to_owned()));
            }
            value
        }
    };
    escape::push(out, &fitted, slot.escape)
        .then_some(())
        .ok_or_else(|| RenderError::Character { name: slot.name.as_str().to_owned() })
}

fn value<'a>(name: &Name, values: &Values<'a>) -> Result<Cow<'a, str>, RenderError> {
    Ok(match name {
        Name::Variable(name) => Cow::Borrowed(
            (values.variables)(name)
                .ok_or_else(|| RenderError::MissingVariable { name: name.to_string() })?,
        ),
        Name::Builtin(Builtin::Sender) => Cow::Owned(values.sender.e164()),
        Name::Builtin(Builtin::Consumer) => {
            Cow::Owned(values.consumer.ok_or(RenderError::NoConsumer)?.e164())
        }
        Name::Builtin(Builtin::Agent) => Cow::Borrowed(values.agent.ok_or(RenderError::MissingAgent)?.noun()),
        Name::Builtin(Builtin::Callback) => Cow::Borrowed(values.callback),
        Name::Builtin(Builtin::Attempt) => Cow::Borrowed(values.attempt),
        Name::Builtin(Builtin::Reference) => Cow::Borrowed(values.reference.unwrap_or_default()),
        Name::Builtin(Builtin::ActionUrl) => Cow::Borrowed(values.action_url),
        Name::Builtin(Builtin::LegStatusUrl) => Cow::Borrowed(values.leg_status_url),
        Name::Builtin(Builtin::RecordingUrl) => Cow::Borrowed(values.recording_url),
    })
}
