//! SIP addresses: the parts that decide where a call goes (RFC 3261, section 19.1.1).

use core::net::{IpAddr, Ipv6Addr};

/// A `sip:` or `sips:` address in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SipAddress<'a> {
    pub user: &'a str,
    /// A name, an IPv4 address, or an IPv6 address without its brackets.
    pub host: &'a str,
    /// With their `;`, or empty.
    pub parameters: &'a str,
    /// Without their `?`.
    pub headers: Option<&'a str>,
}

impl<'a> SipAddress<'a> {
    /// `None` for what is no address, and for one that two readers could read differently.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let rest = text.strip_prefix("sip:").or_else(|| text.strip_prefix("sips:"))?;
        let (user, rest) = rest.split_once('@')?;
        let (rest, headers) =
            rest.split_once('?').map_or((rest, None), |(rest, headers)| (rest, Some(headers)));
        let (place, parameters) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
        let (host, port) = match place.strip_prefix('[') {
            Some(ipv6) => ipv6.split_once(']').filter(|(host, _)| host.parse::<Ipv6Addr>().is_ok())?,
            None => {
                let (host, port) = place.split_at(place.find(':').unwrap_or(place.len()));
                (is_name(host).then_some(host)?, port)
            }
        };
        let parts_fit = is_port(port)
            && parameters.split(';').skip(1).all(is_parameter)
            && !headers.is_some_and(|headers| headers.is_empty() || headers.contains(['?', '@']));
        (!user.is_empty() && parts_fit).then_some(Self { user, host, parameters, headers })
    }

    /// Whether a parameter or a header can send the call to another host than the address names.
    #[must_use]
    pub fn may_lead_elsewhere(&self) -> bool {
        let is_maddr = |parameter: &str| {
            parameter.split('=').next().is_some_and(|name| name.eq_ignore_ascii_case("maddr"))
        };
        self.headers.is_some() || self.parameters.split(';').any(is_maddr)
    }
}

/// Whether a host is the machine that asks for it, so that a platform would call itself: `localhost` and the names below
/// it (RFC 6761, section 6.3), loopback addresses and the unspecified address.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_own = |address: IpAddr| {
        let address = address.to_canonical();
        address.is_loopback() || address.is_unspecified()
    };
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(is_own)
}

/// A host name or an IPv4 address; a dot at the end is allowed.
fn is_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

/// Nothing, or `:` and a number from 1 to 65,535.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || text.strip_prefix(':').is_some_and(|digits| {
            digits.bytes().all(|byte| byte.is_ascii_digit())
                && digits.parse::<u16>().is_ok_and(|port| port > 0)
        })
}

/// `name` or `name=value`.
fn is_parameter(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()[]/:&+$%".contains(&byte))
    };
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    is_part(name) && value.is_none_or(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_user_a_host_and_perhaps_more() {
        for (text, host) in [
            ("sip:ana@pbx.example", "pbx.example"),
            ("sips:ana@pbx.example:5061;transport=tls", "pbx.example"),
            ("sip:ana@pbx.example.", "pbx.example."),
            ("sip:ana@10.0.0.1:1", "10.0.0.1"),
            ("sip:ana@pbx:65535", "pbx"),
            ("sip:ana@[2001:db8::1]:5060;lr", "2001:db8::1"),
            ("sip:ana;x=1@pbx_2.example?x-ticket=17", "pbx_2.example"),
        ] {
            assert_eq!(SipAddress::parse(text).map(|address| address.host), Some(host), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_reached_or_can_be_read_in_two_ways_is_no_address() {
        for text in [
            "",
            "pbx.example",
            "sip:pbx.example",
            "sip:@pbx.example",
            "sip:ana@",
            "sip:ana@pbx.example:",
            "sip:ana@pbx.example:0",
            "sip:ana@pbx.example:65536",
            "sip:ana@pbx.example:+5",
            "sip:ana@pbx.example:5060:x",
            "sip:ana@..desk.example",
            "sip:ana@-.desk.example",
            "sip:ana@.example",
            "sip:ana@pbx..example",
            "sip:ana@pbx.example;",
            "sip:ana@pbx.example;tr;",
            "sip:ana@pbx.example;=x",
            "sip:ana@pbx.example;a=b=c",
            "sip:ana@pbx.example?",
            "sip:ana@pbx.example@evil.example",
            "sip:ana@p%62x.example",
            "sip:ana@[2001:db8::1",
            "sip:ana@[pbx.example]",
            "sip:ana@pbx。example",
            "sip:a na@pbx.example",
        ] {
            assert_eq!(SipAddress::parse(text), None, "{text}");
        }
        let long = format!("sip:ana@{}", "a".repeat(64));
        assert_eq!(SipAddress::parse(&long), None);
        assert!(SipAddress::parse(&long[..long.len() - 1]).is_some());
    }

    #[test]
    fn maddr_and_headers_may_lead_elsewhere() {
        for (text, elsewhere) in [
            ("sip:ana@pbx.example;transport=tls;lr", false),
            ("sip:ana@pbx.example;MADDR=10.0.0.1", true),
            ("sip:ana@pbx.example;maddr", true),
            ("sip:ana@pbx.example?Route=x", true),
            ("sip:maddr=1@pbx.example", false),
        ] {
            let address = SipAddress::parse(text).map(|address| address.may_lead_elsewhere());
            assert_eq!(address, Some(elsewhere), "{text}");
        }
    }

    #[test]
    fn a_host_that_is_the_machine_itself_is_known() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "::1",
            "[::1]",
            "::",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["localhost.example", "mylocalhost", "126.0.0.1", "128.0.0.1", "10.0.0.1", "::2", "pbx", ""]
        {
            assert!(!is_loopback(host), "{host}");
        }
        assert!(is_loopback("::ffff:127.0.0.1"), "as IPv6 writes it");
    }
}
