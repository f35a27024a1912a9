//! Which addresses are ordinary hosts of the public internet, and which are something else.
//!
//! Invariant: an address that is in no list and outside the one global unicast block of IPv6 is something else. IPv4
//! addresses inside IPv6 ones are judged too. Deliberately absent: names, ports, and what an operator opens (that is
//! [`EgressPolicy`](crate::EgressPolicy)).

use ipnet::{Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, d: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), prefix)
}

/// The IANA special-purpose registry of IPv4, and one address by which a cloud serves its guests.
const SPECIAL_V4: &[(Ipv4Net, &str)] = &[
    (v4(0, 0, 0, 0, 8), "\"this network\" (RFC 791)"),
    (v4(10, 0, 0, 0, 8), "private (RFC 1918)"),
    (v4(100, 64, 0, 0, 10), "shared by carriers (RFC 6598)"),
    (v4(127, 0, 0, 0, 8), "loopback (RFC 1122)"),
    (v4(168, 63, 129, 16, 32), "a cloud's own service for its guests"),
    (v4(169, 254, 0, 0, 16), "link-local, where clouds keep metadata (RFC 3927)"),
    (v4(172, 16, 0, 0, 12), "private (RFC 1918)"),
    (v4(192, 0, 0, 0, 24), "reserved for protocols (RFC 6890)"),
    (v4(192, 0, 2, 0, 24), "documentation (RFC 5737)"),
    (v4(192, 31, 196, 0, 24), "AS112 (RFC 7535)"),
    (v4(192, 52, 193, 0, 24), "AMT (RFC 7450)"),
    (v4(192, 88, 99, 0, 24), "6to4 relays (RFC 7526)"),
    (v4(192, 168, 0, 0, 16), "private (RFC 1918)"),
    (v4(192, 175, 48, 0, 24), "AS112 (RFC 7534)"),
    (v4(198, 18, 0, 0, 15), "benchmarking (RFC 2544)"),
    (v4(198, 51, 100, 0, 24), "documentation (RFC 5737)"),
    (v4(203, 0, 113, 0, 24), "documentation (RFC 5737)"),
    (v4(224, 0, 0, 0, 4), "multicast (RFC 1112)"),
    (v4(255, 255, 255, 255, 32), "broadcast (RFC 919)"),
    (v4(240, 0, 0, 0, 4), "reserved (RFC 1112)"),
];

const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 0, 96);
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 0, 16);
const TEREDO: Ipv6Net = v6(0x2001, 0, 0, 0, 32);

/// The IANA special-purpose registry of IPv6.
const SPECIAL_V6: &[(Ipv6Net, &str)] = &[
    (v6(0, 0, 0, 0, 128), "unspecified (RFC 4291)"),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "loopback (RFC 4291)"),
    (v6(0, 0, 0, 0, 96), "IPv4-compatible (RFC 4291)"),
    (NAT64, "NAT64 (RFC 6052)"),
    (v6(0x64, 0xff9b, 1, 0, 48), "local NAT64 (RFC 8215)"),
    (v6(0x100, 0, 0, 0, 64), "discard-only (RFC 6666)"),
    (v6(0x100, 0, 0, 1, 64), "dummy prefix (RFC 9780)"),
    (TEREDO, "Teredo (RFC 4380)"),
    (v6(0x2001, 2, 0, 0, 48), "benchmarking (RFC 5180)"),
    (v6(0x2001, 0, 0, 0, 23), "reserved for protocols (RFC 2928)"),
    (v6(0x2001, 0xdb8, 0, 0, 32), "documentation (RFC 3849)"),
    (SIX_TO_FOUR, "6to4 (RFC 3056)"),
    (v6(0x2620, 0x4f, 0x8000, 0, 48), "AS112 (RFC 7534)"),
    (v6(0x3fff, 0, 0, 0, 20), "documentation (RFC 9637)"),
    (v6(0x5f00, 0, 0, 0, 16), "segment routing (RFC 9602)"),
    (v6(0xfc00, 0, 0, 0, 7), "unique local (RFC 4193)"),
    (v6(0xfe80, 0, 0, 0, 10), "link-local (RFC 4291)"),
    (v6(0xfec0, 0, 0, 0, 10), "site-local (RFC 3879)"),
    (v6(0xff00, 0, 0, 0, 8), "multicast (RFC 4291)"),
];

const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 0, 3);

/// What `address` is if it is no ordinary public host, in words for a person. `None`: it is one.
pub fn special_purpose(address: IpAddr) -> Option<&'static str> {
    match unmapped(address) {
        IpAddr::V4(address) => SPECIAL_V4.iter().find(|(net, _)| net.contains(&address)).map(|(_, what)| *what),
        IpAddr::V6(address) => SPECIAL_V6
            .iter()
            .find(|(net, _)| net.contains(&address))
            .map(|(_, what)| *what)
            .or_else(|| (!GLOBAL_UNICAST.contains(&address)).then_some("unallocated (RFC 4291)")),
    }
}

/// The IPv4 address behind an IPv4-mapped one (`::ffff:a.b.c.d`), which is where the system would connect to.
pub fn unmapped(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The IPv4 host at the far end of a translated or tunnelled address, for whoever opens such a range.
pub fn embedded_v4(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = unmapped(address) else { return None };
    let [.., a, b, c, d] = address.octets();
    if SIX_TO_FOUR.contains(&address) {
        let [_, _, a, b, c, d, ..] = address.octets();
        return Some(Ipv4Addr::new(a, b, c, d));
    }
    if TEREDO.contains(&address) {
        return Some(Ipv4Addr::new(!a, !b, !c, !d));
    }
    let translated = NAT64.contains(&address) || v6(0, 0, 0, 0, 96).contains(&address) && address.segments()[6] != 0;
    translated.then(|| Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests;
