//! Agents by the names that the platform knows them by, and the groups that a document rings.

use std::fmt;
use std::sync::Arc;

use super::AgentTarget;

/// The ports of SIP without and with TLS (RFC 3261, section 19.1.2).
const USUAL_PORTS: [&str; 2] = [":5060", ":5061"];

/// One agent: the identity of a Twilio client, or a SIP address. Two spellings of one address are one agent.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Agent(Arc<str>);

impl Agent {
    /// The client of this identity, with or without `client:` before it. `None` if the identity is empty.
    #[must_use]
    pub fn client(identity: &str) -> Option<Self> {
        let identity = identity.trim();
        let identity = identity.strip_prefix("client:").unwrap_or(identity);
        (!identity.is_empty()).then(|| Self(format!("client:{}", plain(identity)).into()))
    }

    /// The agent at a SIP address. Scheme, password, capitals of the host, a dot at its end, a usual port, and parameters
    /// such as `;transport=tls` make no other agent. `None` if it is no address.
    #[must_use]
    pub fn sip(address: &str) -> Option<Self> {
        let address = address.trim();
        let rest = address.strip_prefix("sip:").or_else(|| address.strip_prefix("sips:"))?;
        let (user, host) = rest.split_once('@')?;
        let user = user.split([';', ':']).next().unwrap_or(user);
        let host = host.split([';', '?']).next().unwrap_or(host).to_ascii_lowercase();
        let host = USUAL_PORTS.iter().find_map(|port| host.strip_suffix(port)).unwrap_or(&host);
        let host = host.strip_suffix('.').unwrap_or(host);
        (!user.is_empty() && !host.is_empty()).then(|| Self(plain(&format!("sip:{user}@{host}")).into()))
    }

    #[must_use]
    pub fn of(target: &AgentTarget) -> Option<Self> {
        match target {
            AgentTarget::Client(identity) => Self::client(identity),
            AgentTarget::Sip(address) => Self::sip(address),
        }
    }
}

/// Without white space, which separates agents in the stored form, and without control characters.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_whitespace() || c.is_control() { '_' } else { c }).collect()
}

impl fmt::Display for Agent {
    /// The stored form. It must not be logged, because it may be a person's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Agent {
    /// The kind and the first character only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = self.0.split_once(':').unwrap_or(("", ""));
        write!(f, "{kind}:{}…", name.chars().next().unwrap_or('?'))
    }
}

/// The agents that one document rings; any of them may answer. Never empty, each agent once, in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Agents(Arc<[Agent]>);

impl Agents {
    /// `None` if there are none.
    #[must_use]
    pub fn new(agents: impl IntoIterator<Item = Agent>) -> Option<Self> {
        let mut all: Vec<Agent> = agents.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        (!all.is_empty()).then(|| Self(all.into()))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Agent> {
        self.0.iter()
    }

    /// The only one, if there is one only.
    #[must_use]
    pub fn alone(&self) -> Option<&Agent> {
        match &*self.0 {
            [agent] => Some(agent),
            _ => None,
        }
    }

    /// Whether an agent belongs to both.
    #[must_use]
    pub fn meet(&self, other: &Self) -> bool {
        self.iter().any(|agent| other.0.contains(agent))
    }

    /// The agents of the stored form.
    pub(super) fn from_stored(text: &str) -> Option<Self> {
        Self::new(text.split(' ').filter(|name| !name.is_empty()).map(|name| Agent(name.into())))
    }
}

impl fmt::Display for Agents {
    /// The stored form; see [`Agent`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, agent) in self.iter().enumerate() {
            let before = if index == 0 { "" } else { " " };
            write!(f, "{before}{agent}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_one_agent() {
        let desk = Agent::sip("sip:desk@example.com");
        for same in [
            "sips:desk@example.com",
            "sip:desk@EXAMPLE.com;transport=tls",
            " sip:desk@example.com?x=1 ",
            "sip:desk@example.com:5060",
            "sip:desk@example.com.:5061;transport=tls",
            "sip:desk:secret@example.com",
        ] {
            assert_eq!(Agent::sip(same), desk, "{same}");
        }
        for other in ["sip:Desk@example.com", "sip:desk@example.com:5062", "sip:desk2@example.com"] {
            assert_ne!(Agent::sip(other), desk, "{other}");
        }
        assert_eq!(Agent::client("client:alice"), Agent::client(" alice "));
        assert_ne!(Agent::client("alice"), Agent::client("Alice"));
    }

    #[test]
    fn what_names_nobody_is_no_agent() {
        for text in ["", "  ", "client:"] {
            assert_eq!(Agent::client(text), None, "{text:?}");
        }
        for text in ["", "desk@example.com", "sip:", "sip:@example.com", "sip:desk@", "sip:desk"] {
            assert_eq!(Agent::sip(text), None, "{text:?}");
        }
    }

    #[test]
    fn agents_read_back_what_they_write() {
        let agents = Agents::new([
            Agent::sip("sip:desk@example.com").unwrap(),
            Agent::client("Ann\n Lee").unwrap(),
            Agent::client("Ann\n Lee").unwrap(),
        ]);
        let agents = agents.unwrap();
        assert_eq!(agents.to_string(), "client:Ann__Lee sip:desk@example.com");
        assert_eq!(Agents::from_stored(&agents.to_string()), Some(agents.clone()));
        assert_eq!((Agents::from_stored(""), Agents::new([])), (None, None));
        assert_eq!(agents.alone(), None);
        let one = Agents::new(Agent::client("bob")).unwrap();
        assert_eq!(one.alone(), Agent::client("bob").as_ref());
        assert!(one.meet(&one) && !one.meet(&agents));
    }

    #[test]
    fn the_name_of_an_agent_is_not_logged() {
        assert_eq!(format!("{:?}", Agent::client("alice").unwrap()), "client:a…");
        assert_eq!(format!("{:?}", Agent::sip("sip:desk@example.com").unwrap()), "sip:d…");
    }
}
