//! The egress policy: which URLs and addresses a request may go to.
//!
//! Invariant: every address is refused that is not an ordinary public host, unless the operator opened its range; plain
//! HTTP goes only into opened ranges. The same policy judges a manifest when it is registered and each connection when it
//! is made. Deliberately absent: a switch that turns it off.

use crate::ip_policy::{embedded_v4, special_purpose, unmapped};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// Why a request may not go where it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressRefusal {
    /// Neither `https` nor `http`.
    #[error("the scheme `{scheme}` is not allowed: use `https`")]
    Scheme {
        /// The scheme of the URL.
        scheme: String,
    },
    /// Plain HTTP to a host that is not in an opened range.
    #[error("plain `http` to `{host}` is only allowed into a network that egress allows")]
    PlainHttp {
        /// The host of the URL.
        host: String,
    },
    /// The URL has no host.
    #[error("the URL names no host")]
    NoHost,
    /// `user:password@` in the URL.
    #[error("the URL carries user information before `@`: remove it")]
    UserInfo,
    /// A name that means a host of this machine's own network.
    #[error("`{host}` is a name of a local network")]
    LocalName {
        /// The host of the URL.
        host: String,
    },
    /// A header that could end its line early, or is no header at all.
    #[error("the header `{name}` holds characters that no header may hold")]
    Header {
        /// The header's name.
        name: String,
    },
    /// A URL that cannot be written as a request.
    #[error("the URL cannot be requested")]
    Url,
    /// The host is, or resolves to, an address that is no ordinary public host.
    #[error("`{host}` leads to {address}, which is {what}")]
    Address {
        /// The host of the URL.
        host: String,
        /// The address, with IPv4-mapped forms unfolded.
        address: IpAddr,
        /// What the address is.
        what: &'static str,
    },
}

/// What egress allows.
#[derive(Debug, Clone, Default)]
pub struct EgressPolicy {
    /// Networks opened beside the public internet, such as `127.0.0.0/8` for a provider on this machine.
    pub allow: Vec<IpNet>,
}

impl EgressPolicy {
    /// Judges what can be judged without a lookup: scheme, user information, and a host that is an address.
    ///
    /// # Errors
    /// Says what is refused and how to allow it.
    pub fn check_url(&self, url: &Url) -> Result<(), EgressRefusal> {
        let plain = match url.scheme() {
            "https" => false,
            "http" => true,
            other => return Err(EgressRefusal::Scheme { scheme: other.to_owned() }),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressRefusal::UserInfo);
        }
        let refuse_plain = |host: &str| EgressRefusal::PlainHttp { host: host.to_owned() };
        let address = match url.host().ok_or(EgressRefusal::NoHost)? {
            Host::Domain("") => return Err(EgressRefusal::NoHost),
            Host::Domain(name) => {
                let open = !plain || is_localhost(name) && self.opens_loopback();
                return if open { Ok(()) } else { Err(refuse_plain(name)) };
            }
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
        };
        let host = address.to_string();
        self.check_address(&host, address)?;
        if plain && !self.opens(unmapped(address)) { Err(refuse_plain(&host)) } else { Ok(()) }
    }

    /// Judges the host of a URL that somebody else may call: one that a provider tells, or one that a customer fills in.
    /// Beside addresses, names are refused that no public host has.
    ///
    /// # Errors
    /// As [`EgressPolicy::check_url`], without a word on the scheme.
    pub fn check_told(&self, url: &Url) -> Result<(), EgressRefusal> {
        match url.host().ok_or(EgressRefusal::NoHost)? {
            Host::Domain(name) if is_localhost(name) && self.opens_loopback() => Ok(()),
            Host::Domain(name) if is_local(name) && !self.opens_a_network() => {
                Err(EgressRefusal::LocalName { host: name.to_owned() })
            }
            Host::Domain(_) => Ok(()),
            Host::Ipv4(address) => self.check_address(&address.to_string(), address.into()),
            Host::Ipv6(address) => self.check_address(&address.to_string(), address.into()),
        }
    }

    /// Judges one address of `host`. A name that means this machine (RFC 6761 section 6.3) may only lead to it.
    ///
    /// # Errors
    /// [`EgressRefusal::Address`].
    pub fn check_address(&self, host: &str, address: IpAddr) -> Result<(), EgressRefusal> {
        let address = unmapped(address);
        let refused = |what| Err(EgressRefusal::Address { host: host.to_owned(), address, what });
        if is_localhost(host) && !address.is_loopback() {
            return refused("not this machine, which the name stands for");
        }
        if let Some(what) = special_purpose(address).filter(|_| !self.opens(address)) {
            return refused(what);
        }
        // A range that translates or tunnels leads to another host, which has to be allowed on its own.
        match embedded_v4(address).map(IpAddr::V4) {
            Some(inner) if !self.opens(inner) => special_purpose(inner).map_or(Ok(()), refused),
            _ => Ok(()),
        }
    }

    fn opens(&self, address: IpAddr) -> bool {
        self.allow.iter().any(|net| net.contains(&address))
    }

    /// Whether the operator has hosts of their own, whose names are nobody else's to judge.
    fn opens_a_network(&self) -> bool {
        self.allow.iter().any(|net| !net.addr().is_loopback())
    }

    fn opens_loopback(&self) -> bool {
        let usual = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        usual.iter().any(|address| self.opens(*address)) || self.allow.iter().any(|net| net.addr().is_loopback())
    }
}

/// A name without a dot, or under an end that is for local networks (RFC 6761, 6762, 8375, and `internal`).
fn is_local(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let ends = |end: &str| name.strip_suffix(end).is_some_and(|front| front.ends_with('.'));
    !name.contains('.') || ["localhost", "local", "internal", "localdomain", "home.arpa"].into_iter().any(ends)
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("localhost"))
}

#[cfg(test)]
mod tests;
