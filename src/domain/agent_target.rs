//! The address of an agent: a browser or app client, or a SIP address.

use std::fmt;
use std::str::FromStr;

use super::sip::{self, SipAddress};

/// The agent with whom the consumer is connected.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AgentTarget {
    /// A browser or app client, `client:alice`.
    Client(String),
    /// A SIP address, `sip:desk@example.com`.
    Sip(String),
}

/// A text that is not an agent's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    #[error(
        "expected \"client:\" and a name of 1 to 121 letters, digits, _ . @ or -, or \"sip:user@host\"; phone numbers are not possible, WhatsApp calls never meet the telephone network"
    )]
    Shape,
    #[error("names the machine itself (localhost or a loopback address), where Twilio finds nobody")]
    Loopback,
}

impl AgentTarget {
    /// The text of `<Client>` or `<Sip>` in a document.
    #[must_use]
    pub fn noun(&self) -> &str {
        match self {
            Self::Client(name) => name,
            Self::Sip(address) => address,
        }
    }

    /// Whether its address has seven or more digits in a row, which could be a phone number: then no URL may have it.
    #[must_use]
    pub fn may_be_a_number(&self) -> bool {
        self.noun().split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() >= 7)
    }
}

impl fmt::Display for AgentTarget {
    /// The address to which a call to the agent is placed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(name) => write!(f, "client:{name}"),
            Self::Sip(address) => f.write_str(address),
        }
    }
}

impl FromStr for AgentTarget {
    type Err = AgentError;

    fn from_str(text: &str) -> Result<Self, AgentError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.@-".contains(c);
        if let Some(name) = text.strip_prefix("client:")
            && (1..=121).contains(&name.len())
            && name.chars().all(plain)
        {
            return Ok(Self::Client(name.to_owned()));
        }
        if let Some(address) = text.strip_prefix("sip:").or_else(|| text.strip_prefix("sips:"))
            && address.len() <= 250
            && address.chars().all(|c| plain(c) || ":;=+".contains(c))
            && let Some(parts) = SipAddress::parse(text)
        {
            let is_loopback = sip::is_loopback(parts.host);
            return if is_loopback { Err(AgentError::Loopback) } else { Ok(Self::Sip(text.to_owned())) };
        }
        Err(AgentError::Shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_digits_in_a_row_may_be_a_number() {
        for (text, may_be) in [
            ("client:agent-123456", false),
            ("client:agent-1234567", true),
            ("client:123456-654321", false),
            ("sip:+5511987654321@pbx.example.com", true),
            ("sip:desk@pbx.example.com:5061", false),
        ] {
            assert_eq!(text.parse::<AgentTarget>().unwrap().may_be_a_number(), may_be, "{text}");
        }
    }

    #[test]
    fn an_agent_is_a_client_or_a_sip_address_and_never_a_phone_number() {
        assert_eq!("client:alice".parse(), Ok(AgentTarget::Client("alice".into())));
        assert_eq!(
            "sip:desk@example.com".parse::<AgentTarget>().map(|a| a.to_string()).as_deref(),
            Ok("sip:desk@example.com")
        );
        for text in [
            "+5511987654321",
            "tel:+5511987654321",
            "client:",
            "client:a b",
            "sip:desk",
            "sip:@host",
            "sip:desk@",
            "alice",
            "sip:desk@a@b",
            "sip:desk@pbx.example:0",
        ] {
            assert_eq!(text.parse::<AgentTarget>(), Err(AgentError::Shape), "{text}");
        }
        for text in ["sip:a@localhost", "sips:a@LOCALHOST:5061;transport=tls", "sip:a@127.0.0.1"] {
            assert_eq!(text.parse::<AgentTarget>(), Err(AgentError::Loopback), "{text}");
        }
    }

    #[test]
    fn the_name_and_the_address_of_an_agent_have_a_greatest_length() {
        let parses = |text: String| text.parse::<AgentTarget>().is_ok();
        assert!(parses(format!("client:{}", "a".repeat(121))));
        assert!(!parses(format!("client:{}", "a".repeat(122))));
        // "desk@" and 245 characters, as labels of at most 63.
        let host = format!("{}{}", "a.".repeat(100), "a".repeat(45));
        assert!(parses(format!("sip:desk@{host}")));
        assert!(!parses(format!("sips:desk@{host}a")));
    }

    #[test]
    fn a_document_names_a_client_without_its_prefix_and_a_sip_address_with_it() {
        assert_eq!(AgentTarget::Client("alice".into()).noun(), "alice");
        assert_eq!(AgentTarget::Sip("sip:desk@example.com".into()).noun(), "sip:desk@example.com");
    }
}
