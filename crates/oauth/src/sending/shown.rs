//! The same to look at: a word stands where a signature would, and what is signed stands beside it.

use super::{Unsigned, htu};
use crate::{Header, Outbound};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

/// A signed part of a request that is shown, by the word that stands for it.
pub(crate) struct SignedPart {
    pub(crate) stands_as: String,
    pub(crate) claims: Map<String, Value>,
}

/// The request with stand-ins in it, and what each would say. Instants and random values are words too.
pub(crate) fn for_show(unsigned: &Unsigned, request: &Outbound) -> (Outbound, Vec<SignedPart>) {
    let (mut shown, mut parts) = (request.copy(), Vec::new());
    for (parameter, assertion) in &unsigned.assertions {
        let stands_as = parameter.to_ascii_uppercase();
        unsigned.add(&mut shown, parameter, &stands_as);
        let mut claims = assertion.claims.clone();
        claims.insert("iat".to_owned(), json!("NOW"));
        claims.insert("exp".to_owned(), json!(format!("NOW+{}", assertion.lifetime)));
        claims.insert("jti".to_owned(), json!("RANDOM"));
        parts.push(SignedPart { stands_as, claims });
    }
    if let Some(proof) = &unsigned.dpop {
        let stands_as = "DPOP_PROOF".to_owned();
        let mut claims = proof.claims(request.method, &htu(&request.url), None);
        claims.insert("iat".to_owned(), json!("NOW"));
        claims.insert("jti".to_owned(), json!("RANDOM"));
        shown.headers.push(Header { name: "dpop".to_owned(), value: Zeroizing::new(stands_as.clone()) });
        parts.push(SignedPart { stands_as, claims });
    }
    (shown, parts)
}
