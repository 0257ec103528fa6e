//! Allowed destinations of webhooks: public addresses, and those that the operator allows.
//!
//! A name is resolved, the address is checked, and the connection goes to that address. This prevents
//! server-side request forgery by a name that points into our network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses with the same first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    address: IpAddr,
    bits: u8,
}

/// Allows public addresses, these subnets, and for these hosts also private addresses.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    allowed: Vec<Subnet>,
    /// In lower case, without a trailing dot.
    hosts: Vec<String>,
}

/// Addresses that an allowed host may also resolve to: loopback, private, shared (CGNAT) and unique local ones. Not
/// link-local addresses and not metadata addresses of clouds.
const PRIVATE_V4: &[(Ipv4Addr, u8)] = &[
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
];
const PRIVATE_V6: &[(Ipv6Addr, u8)] =
    &[(Ipv6Addr::LOCALHOST, 128), (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7)];
/// Metadata addresses of clouds, by the clouds' own pages (read November 2026). A name never leads there, and a subnet
/// allows one only if it has no other address.
const METADATA: [(IpAddr, &str); 10] = [
    (v4([169, 254, 169, 254]), "Amazon, Azure, Google, Oracle, DigitalOcean, Hetzner and others"),
    (v4([169, 254, 170, 2]), "Amazon ECS, credentials of tasks"),
    (v4([169, 254, 170, 23]), "Amazon EKS, credentials of pods"),
    (v4([169, 254, 42, 42]), "Scaleway"),
    (v4([100, 100, 100, 200]), "Alibaba"),
    (v4([192, 0, 0, 192]), "Oracle, older machines"),
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]), "Amazon"),
    (v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]), "Google"),
    (v6([0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe]), "Oracle"),
    (v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42]), "Scaleway"),
];

const fn v4([a, b, c, d]: [u8; 4]) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h))
}

fn is_metadata(address: IpAddr) -> bool {
    METADATA.iter().any(|(metadata, _)| *metadata == address)
}

/// IPv4 addresses that are not public: the special-purpose registry of IANA (RFC 6890), multicast, reserved addresses,
/// and the one metadata address of a cloud that is public (Azure's 168.63.129.16). Other clouds use link-local
/// (169.254.169.254), CGNAT (100.100.100.200) and protocol addresses (192.0.0.192).
const REFUSED_V4: &[(Ipv4Addr, u8)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The subnet of all public IPv6 addresses. Loopback, unique local, link-local, multicast, IPv4-mapped and NAT64
/// addresses are outside.
const PUBLIC_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Subnets inside it that are not public: protocol assignments with Teredo, documentation, 6to4. Teredo and 6to4
/// addresses contain any IPv4 address.
const REFUSED_V6: &[(Ipv6Addr, u8)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

impl Subnet {
    /// A subnet with more bits than its address has contains that address alone.
    #[must_use]
    pub const fn new(address: IpAddr, bits: u8) -> Self {
        Self { address, bits }
    }

    fn is_single(&self) -> bool {
        self.bits >= if self.address.is_ipv4() { 32 } else { 128 }
    }

    /// Never contains an address of the other family, also not a mapped one.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(subnet), IpAddr::V4(address)) => starts_v4((subnet, self.bits), address),
            (IpAddr::V6(subnet), IpAddr::V6(address)) => starts_v6((subnet, self.bits), address),
            _ => false,
        }
    }
}

fn starts_v4((subnet, bits): (Ipv4Addr, u8), address: Ipv4Addr) -> bool {
    let differ = subnet.to_bits() ^ address.to_bits();
    differ.leading_zeros() >= u32::from(bits.min(32))
}

fn starts_v6((subnet, bits): (Ipv6Addr, u8), address: Ipv6Addr) -> bool {
    let differ = subnet.to_bits() ^ address.to_bits();
    differ.leading_zeros() >= u32::from(bits.min(128))
}

impl Guard {
    #[must_use]
    pub fn new(allowed: impl IntoIterator<Item = Subnet>) -> Self {
        Self { allowed: allowed.into_iter().collect(), hosts: Vec::new() }
    }

    /// Allows private addresses for these hosts.
    #[must_use]
    pub fn with_hosts(self, hosts: impl IntoIterator<Item = String>) -> Self {
        Self { hosts: hosts.into_iter().map(|host| plain(&host)).collect(), ..self }
    }

    /// Whether this address is allowed for this host.
    #[must_use]
    pub fn permits_host(&self, host: &str, address: IpAddr) -> bool {
        self.permits(address) || is_private(address) && self.hosts.contains(&plain(host))
    }

    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        is_public(address)
            || self
                .allowed
                .iter()
                .any(|subnet| subnet.contains(address) && (!is_metadata(address) || subnet.is_single()))
    }
}

fn plain(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

fn is_private(address: IpAddr) -> bool {
    let private = match address {
        IpAddr::V4(address) => PRIVATE_V4.iter().any(|subnet| starts_v4(*subnet, address)),
        IpAddr::V6(address) => PRIVATE_V6.iter().any(|subnet| starts_v6(*subnet, address)),
    };
    private && !is_metadata(address)
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !REFUSED_V4.iter().any(|subnet| starts_v4(*subnet, address)),
        IpAddr::V6(address) => {
            starts_v6(PUBLIC_V6, address) && !REFUSED_V6.iter().any(|subnet| starts_v6(*subnet, address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_judged(guard: &Guard, permitted: bool, addresses: &[&str]) {
        for address in addresses {
            assert_eq!(guard.permits(address.parse().unwrap()), permitted, "{address}");
        }
    }

    #[test]
    fn public_addresses_are_allowed_up_to_the_boundaries_of_others() {
        let public = "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
                      168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 \
                      192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 \
                      198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 \
                      223.255.255.255 2000:: 2001:200:: 2001:db7::1 2001:db9::1 2003::1 2606:4700::1111 \
                      3ffe:ffff::1 3fff:1000::";
        assert_judged(&Guard::default(), true, &public.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn addresses_that_are_not_public_are_refused_from_boundary_to_boundary() {
        let refused = "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 \
                       100.100.100.200 127.0.0.0 127.0.0.1 127.255.255.255 168.63.129.16 169.254.0.0 \
                       169.254.169.254 169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.192 \
                       192.0.2.255 192.88.99.1 192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 \
                       198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.255 240.0.0.0 255.255.255.255 \
                       :: ::1 ::2 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:1.1.1.1 ::ffff:0:127.0.0.1 \
                       64:ff9b::7f00:1 64:ff9b:1::1 100::1 1fff:ffff::1 2001::1 2001:0:7f00:1:: 2001:1ff::1 \
                       2001:db8::1 2002:7f00:1::1 2002:a00:1:: 3fff::1 3fff:fff::1 4000:: 5f00::1 fc00::1 \
                       fd00:ec2::254 fdff::1 fe80::1 febf::1 fec0::1 ff02::1";
        assert_judged(&Guard::default(), false, &refused.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn only_what_the_operator_lists_is_allowed_in_addition() {
        let subnet = |address: &str, bits| Subnet::new(address.parse().unwrap(), bits);
        let guard = Guard::new([subnet("127.0.0.1", 32), subnet("10.1.2.0", 23), subnet("fd00:12::", 32)]);
        assert_judged(&guard, true, &["127.0.0.1", "10.1.2.0", "10.1.3.255", "fd00:12:ffff::1", "1.1.1.1"]);
        assert_judged(
            &guard,
            false,
            &["127.0.0.2", "10.1.1.255", "10.1.4.0", "fd00:13::", "::ffff:127.0.0.1", "::1"],
        );
        // A metadata address is allowed only by its own address.
        let wide = Guard::new([subnet("169.254.0.0", 16), subnet("fd00::", 8)]);
        assert_judged(&wide, true, &["169.254.169.253", "fd20:ce::253"]);
        let metadata = "169.254.169.254 169.254.170.2 169.254.42.42 fd20:ce::254 fd00:ec2::254 \
                        fd00:c1::a9fe:a9fe fd00:42::42";
        assert_judged(&wide, false, &metadata.split_whitespace().collect::<Vec<_>>());
        assert_judged(&Guard::new([subnet("fd20:ce::254", 128)]), true, &["fd20:ce::254"]);
        let all = Guard::new([subnet("0.0.0.0", 0)]);
        assert_judged(&all, true, &["127.0.0.1", "255.255.255.255"]);
        assert_judged(&all, false, &["::1"]);
    }

    #[test]
    fn only_a_host_that_the_operator_lists_may_resolve_to_private_addresses() {
        let guard = Guard::default().with_hosts(["CRM.internal.test.".to_owned()]);
        let permits = |host, address: &str| guard.permits_host(host, address.parse().unwrap());
        let private = "10.0.0.1 172.31.255.255 192.168.1.1 100.64.0.1 127.0.0.1 ::1 fd12::1 1.1.1.1";
        for address in private.split_whitespace() {
            assert!(
                permits("crm.internal.test", address) && permits("Crm.Internal.Test.", address),
                "{address}"
            );
            let public = address == "1.1.1.1";
            for other in ["internal.test", "x.crm.internal.test", "crm.internal.test.evil.test"] {
                assert_eq!(permits(other, address), public, "{other} {address}");
            }
        }
        let never = "169.254.169.254 100.100.100.200 168.63.129.16 192.0.0.192 0.0.0.0 224.0.0.1 \
                     255.255.255.255 fe80::1 fd00:ec2::254 fd20:ce::254 fd00:c1::a9fe:a9fe fd00:42::42 ff02::1 :: ::ffff:10.0.0.1";
        for address in never.split_whitespace() {
            assert!(!permits("crm.internal.test", address), "{address}");
        }
    }
}
