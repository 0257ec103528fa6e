//! The hosts to which calls may be connected beside the platform's own: agents' SIP addresses and bots.

use super::sip::SipAddress;

/// Hosts that documents, senders and orders may name. An empty list allows every host.
///
/// An entry is a host name or an IP address, or `*.` before a name for all names below it. Case does not count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowedHosts {
    sip: Vec<String>,
    bots: Vec<String>,
    /// SIDs of Studio flows. An empty list allows none.
    flows: Vec<String>,
}

impl AllowedHosts {
    #[must_use]
    pub fn new(sip: &[String], bots: &[String]) -> Self {
        let small = |list: &[String]| {
            let of = |host: &String| host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
            list.iter().map(of).collect()
        };
        Self { sip: small(sip), bots: small(bots), flows: Vec::new() }
    }

    /// Allows a hand-over to these Studio flows, and to no other.
    #[must_use]
    pub fn with_flows(self, flows: &[String]) -> Self {
        Self { flows: flows.to_vec(), ..self }
    }

    /// Whether an inbound call may be handed over to the flow.
    #[must_use]
    pub fn takes_flow(&self, sid: &str) -> bool {
        self.flows.iter().any(|flow| flow == sid)
    }

    /// Whether a text is an identifier with this prefix: the prefix and 32 hexadecimal digits.
    #[must_use]
    pub fn is_sid(prefix: &str, text: &str) -> bool {
        let digits = text.strip_prefix(prefix).unwrap_or_default();
        digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }

    /// Whether a `sip:` or `sips:` address leads to an allowed host. Where there is a list, an address may have no
    /// headers and no `maddr`, because these can lead elsewhere.
    #[must_use]
    pub fn takes_sip(&self, address: &str) -> bool {
        self.sip.is_empty()
            || SipAddress::parse(&address.to_ascii_lowercase())
                .is_some_and(|address| !address.may_lead_elsewhere() && listed(&self.sip, address.host))
    }

    /// Whether bots at this host are allowed.
    #[must_use]
    pub fn takes_bot(&self, host: &str) -> bool {
        self.bots.is_empty() || listed(&self.bots, &host.to_ascii_lowercase())
    }

    /// Whether a text can be an entry of a list.
    #[must_use]
    pub fn is_entry(text: &str) -> bool {
        let name = text.strip_prefix("*.").unwrap_or(text);
        let name = name.strip_suffix('.').unwrap_or(name);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
        let is_name = !name.is_empty() && name.chars().all(plain) && !name.split('.').any(str::is_empty);
        let is_ipv6 = text.contains(':') && text.chars().all(|c| c.is_ascii_hexdigit() || ":.".contains(c));
        name.len() <= 253 && (is_name || is_ipv6)
    }
}

fn listed(list: &[String], host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    list.iter().any(|entry| match entry.strip_prefix("*.") {
        Some(above) => host.strip_suffix(above).is_some_and(|below| below.len() > 1 && below.ends_with('.')),
        None => entry == host,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(sip: &[&str]) -> AllowedHosts {
        AllowedHosts::new(&Vec::from_iter(sip.iter().map(ToString::to_string)), &["bot.example".to_owned()])
    }

    #[test]
    fn an_empty_list_allows_all() {
        let all = AllowedHosts::default();
        assert!(all.takes_sip("sip:desk@evil.example;maddr=10.0.0.1") && all.takes_bot("evil.example"));
    }

    #[test]
    fn a_listed_host_is_taken_in_every_spelling_and_no_other() {
        let hosts = hosts(&["pbx.example", "*.desk.example", "2001:db8::1"]);
        for taken in [
            "sip:ana@pbx.example",
            "sips:ana@PBX.example:5061;transport=tls",
            "sip:ana@pbx.example.",
            "sip:ana@a.desk.example",
            "sip:ana@a.b.desk.example",
            "sip:ana@[2001:db8::1]:5060",
        ] {
            assert!(hosts.takes_sip(taken), "{taken}");
        }
        for refused in [
            "sip:ana@evil.example",
            "sip:ana@pbx.example.evil.example",
            "sip:ana@evilpbx.example",
            "sip:ana@desk.example",
            "sip:ana@.desk.example",
            "sip:ana@evildesk.example",
            "sip:ana@pbx.example@evil.example",
            "sip:ana@pbx.example;maddr=evil.example",
            "sip:ana@pbx.example;transport=udp;MADDR=evil.example",
            "sip:ana@pbx.example?Route=evil.example",
            "sip:ana@",
            "pbx.example",
        ] {
            assert!(!hosts.takes_sip(refused), "{refused}");
        }
        assert!(hosts.takes_bot("BOT.example") && !hosts.takes_bot("bot.example.evil"));
    }

    #[test]
    fn an_entry_is_a_name_or_an_address_without_port() {
        for entry in ["pbx.example", "PBX.example.", "*.example", "10.0.0.1", "2001:db8::1", "localhost"] {
            assert!(AllowedHosts::is_entry(entry), "{entry}");
        }
        for other in
            ["", ".", "*", "*.", "a..b", "a.b..", "pbx.example:5060", "sip:pbx.example", "a b", "https://a.b"]
        {
            assert!(!AllowedHosts::is_entry(other), "{other}");
        }
    }
}
