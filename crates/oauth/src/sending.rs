//! What is signed as a request is sent: assertions (RFC 7523) and proofs of possession (RFC 9449).
//!
//! Invariant: every sending has an `iat`, `exp` and `jti` of its own, so nothing that was signed goes out twice. A request is
//! sent a second time only where the provider answered that it looked at nothing for want of a nonce (RFC 9449 section 8).
//! A request that was built to be shown is never sent.

mod shown;
mod signer;

pub(crate) use shown::for_show;
pub use signer::Signer;

use crate::dpop::DpopProof;
use crate::{Failure, FailureClass, Header, Outbound, Reply, SigningKey, Transport};
use jsonwebtoken::errors::Error as JwtError;
use mortise_connectors::TokenBody;
use mortise_domain::DpopKey;
use serde_json::{Map, Value};
use url::Url;
use zeroize::Zeroizing;

/// A JWT among the parameters, but for what only the moment of sending knows.
pub(crate) struct Assertion {
    /// `None`: a request to be shown.
    pub(crate) key: Option<SigningKey>,
    /// The header member `kid`; `None`: what the key itself says.
    pub(crate) key_id: Option<String>,
    /// All claims but `iat`, `exp` and `jti`.
    pub(crate) claims: Map<String, Value>,
    /// Seconds from `iat` to `exp`.
    pub(crate) lifetime: u32,
}

/// What of a request is still to be signed.
pub(crate) struct Unsigned {
    /// `None`: a request to be shown.
    pub(crate) signer: Option<Signer>,
    /// By the names of their parameters.
    pub(crate) assertions: Vec<(String, Assertion)>,
    pub(crate) dpop: Option<DpopProof>,
    /// Where the parameters stand.
    pub(crate) body: TokenBody,
}

/// A reply with what its reader needs to know of the request.
pub(crate) struct Answered {
    pub(crate) reply: Reply,
    /// What must not come back.
    pub(crate) secrets: Vec<Zeroizing<String>>,
    /// What the tokens in the reply are bound to.
    pub(crate) dpop_key: Option<DpopKey>,
}

/// Signs what is to be signed, and sends.
pub(crate) async fn deliver(transport: &dyn Transport, mut request: Outbound) -> Result<Answered, Failure> {
    let Some(unsigned) = request.unsigned.take() else {
        let secrets = std::mem::take(&mut request.secrets);
        return Ok(Answered { reply: transport.send(request).await?, secrets, dpop_key: None });
    };
    let signer = unsigned.signer.as_ref().ok_or_else(|| unsendable("the request was built to be shown"))?;
    let until = signer.monotonic() + request.deadline;
    let mut nonce = unsigned.dpop.as_ref().and_then(|_| signer.nonce_for(&request.url));
    let mut is_second = false;
    loop {
        let mut signed = unsigned.sign(&request, signer, nonce.as_deref())?;
        let secrets = std::mem::take(&mut signed.secrets);
        let reply = transport.send(signed).await?;
        let fresh = unsigned.dpop.as_ref().and_then(|_| reply.dpop_nonce.clone());
        if let Some(fresh) = &fresh {
            signer.remember_nonce(&request.url, fresh);
        }
        let left = until.saturating_sub(signer.monotonic());
        // The nonce that was just told is not refused for being unknown; if it is, nothing better will come.
        let again = fresh.filter(|fresh| nonce.as_ref() != Some(fresh) && wants_nonce(&reply) && !left.is_zero());
        let dpop_key = unsigned.dpop.as_ref().map(DpopProof::key);
        if again.is_none() || is_second {
            return Ok(Answered { reply, secrets, dpop_key });
        }
        (nonce, request.deadline, is_second) = (again, left, true);
    }
}

/// RFC 9449 sections 8 and 9.
fn wants_nonce(reply: &Reply) -> bool {
    const WORD: &str = "use_dpop_nonce";
    let in_body = || serde_json::from_slice::<Value>(&reply.body).is_ok_and(|body| body["error"] == WORD);
    match reply.status {
        400 => in_body(),
        401 => reply.www_authenticate.as_ref().is_some_and(|line| line.contains(WORD)) || in_body(),
        _ => false,
    }
}

fn unsendable(detail: &'static str) -> Failure {
    Failure::new(FailureClass::NotSent, None, detail)
}

impl Unsigned {
    /// The request as it goes out now.
    fn sign(&self, request: &Outbound, signer: &Signer, nonce: Option<&str>) -> Result<Outbound, Failure> {
        self.signed(request, signer, nonce).map_err(|_| unsendable("the request could not be signed"))
    }

    fn signed(&self, request: &Outbound, signer: &Signer, nonce: Option<&str>) -> Result<Outbound, JwtError> {
        let mut signed = request.copy();
        for (parameter, assertion) in &self.assertions {
            // No error code is as long as it is, so that it cannot come back in one.
            let jwt = signer.assertion(assertion)?;
            self.add(&mut signed, parameter, &jwt);
        }
        if let Some(proof) = &self.dpop {
            let value = signer.proof(proof, request, nonce)?;
            signed.headers.push(Header { name: "dpop".to_owned(), value });
        }
        Ok(signed)
    }

    /// One more parameter. No character of a JWT needs an escape in any form (RFC 7515 section 2).
    fn add(&self, request: &mut Outbound, name: &str, value: &str) {
        match self.body {
            TokenBody::Form => {
                let pair = Zeroizing::new(format!("{}={value}", encoded(name)));
                request.body = joined(&request.body, if request.body.is_empty() { "" } else { "&" }, &pair, "");
            }
            TokenBody::Json => {
                let inside = request.body.strip_suffix(b"}").unwrap_or(&request.body);
                let comma = if inside == b"{" { "" } else { "," };
                let pair = Zeroizing::new(format!("{}:\"{value}\"", Value::from(name)));
                request.body = joined(inside, comma, &pair, "}");
            }
            TokenBody::Query => {
                let pair = Zeroizing::new(format!("{}={value}", encoded(name)));
                let query = match request.url.query().filter(|given| !given.is_empty()) {
                    Some(given) => Zeroizing::new(format!("{given}&{}", *pair)),
                    None => pair,
                };
                request.url.set_query(Some(&query));
            }
        }
    }
}

/// One buffer, large enough at once.
fn joined(front: &[u8], between: &str, pair: &str, end: &str) -> Zeroizing<Vec<u8>> {
    let mut whole = Zeroizing::new(Vec::with_capacity(front.len() + between.len() + pair.len() + end.len()));
    whole.extend_from_slice(front);
    for part in [between, pair, end] {
        whole.extend_from_slice(part.as_bytes());
    }
    whole
}

fn encoded(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect()
}

/// What a proof says of where it goes: no query, no fragment (RFC 9449 section 4.2).
pub(crate) fn htu(url: &Url) -> String {
    let mut target = url.clone();
    target.set_query(None);
    target.set_fragment(None);
    target.into()
}

#[cfg(test)]
mod tests;
