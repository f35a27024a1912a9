use super::*;
use crate::fixture::signer;

/// RFC 7638: what a server says that a token is bound to.
fn thumbprint(key: &DpopKey) -> String {
    let jwk: Jwk = serde_json::from_str(key.expose()).expect("a JWK");
    jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).expect("a thumbprint")
}

#[test]
fn a_new_key_holds_together_and_no_two_are_the_same() {
    let signer = signer();
    let keys: Vec<_> = (0..20).map(|_| new_key(&signer).expect("a key")).collect();
    let seen: std::collections::BTreeSet<_> = keys.iter().map(thumbprint).collect();
    assert_eq!(seen.len(), keys.len());
    for key in &keys {
        // Reading checks that the public half is the private one's.
        SigningKey::read(key.expose(), Some(mortise_connectors::SigningAlgorithm::Es256)).expect("a sound key");
    }
}

#[test]
fn a_key_that_is_none_makes_no_proof() {
    let (signer, key) = (signer(), DpopKey::new("{}"));
    assert!(matches!(DpopProof::with(Some(&key), Some(&signer)), Err(ProtocolError::DpopKey(_))));
}
