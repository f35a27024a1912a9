//! The resolver that the client connects through: it hands over vetted addresses only, so that nothing is looked up again
//! between the check and the connection. It is never asked about hosts that are addresses; those are checked before.

use crate::{EgressPolicy, EgressRefusal};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;

/// The system's resolver under a policy.
pub(super) struct Guard {
    policy: EgressPolicy,
}

impl Guard {
    pub(super) fn new(policy: EgressPolicy) -> Self {
        Self { policy }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let vetted = vet(&policy, name.as_str(), found)?;
            Ok(Box::new(vetted.into_iter()) as Addrs)
        })
    }
}

/// The addresses that may be connected to; the first refusal if there is none among those found.
fn vet(policy: &EgressPolicy, host: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, EgressRefusal> {
    let mut vetted = Vec::with_capacity(found.len());
    let mut first_refusal = None;
    for address in found {
        match policy.check_address(host, address.ip()) {
            Ok(()) => vetted.push(address),
            Err(refusal) => {
                tracing::debug!(%refusal, "an address of a provider's host was left out");
                first_refusal.get_or_insert(refusal);
            }
        }
    }
    match first_refusal.filter(|_| vetted.is_empty()) {
        Some(refusal) => Err(refusal),
        None => Ok(vetted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| SocketAddr::new(text.parse().expect("an address"), 0)).collect()
    }

    #[test]
    fn every_address_of_a_name_is_vetted() {
        let policy = EgressPolicy::default();
        let found =
            addresses(&["10.0.0.1", "93.184.215.14", "::ffff:127.0.0.1", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]);
        let vetted = vet(&policy, "example.com", found).expect("two are public");
        assert_eq!(vetted, addresses(&["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]));
    }

    #[test]
    fn a_name_with_no_public_address_is_refused_with_the_reason() {
        let found = addresses(&["169.254.169.254", "fd00:ec2::254"]);
        let refusal = vet(&EgressPolicy::default(), "metadata.example", found).expect_err("neither is public");
        assert!(
            matches!(refusal, EgressRefusal::Address { ref address, .. } if address.to_string() == "169.254.169.254")
        );
    }

    #[test]
    fn localhost_leads_to_this_machine_or_nowhere() {
        let policy = EgressPolicy { allow: vec!["127.0.0.0/8".parse().expect("a network")] };
        assert!(vet(&policy, "localhost", addresses(&["93.184.215.14"])).is_err());
        assert_eq!(vet(&policy, "localhost", addresses(&["::1", "127.0.0.1"])), Ok(addresses(&["127.0.0.1"])));
    }
}
