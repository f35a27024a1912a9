//! Authorization codes: single use, short-lived, tied to client, redirect URI and PKCE challenge.

use super::mint::{AFTERLIFE, draw};
use super::{Ended, FamilyId, Ledger, TokenId};
use crate::class::RecoveryClass;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mortise_domain::{AuthorizationCode, Entropy, ScopeSet};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a code stands for (RFC 6749 section 4.1.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CodeRecord {
    /// The provider that issued it.
    pub class: RecoveryClass,
    /// Who may exchange it.
    pub client_id: String,
    /// Who consented.
    pub subject: String,
    /// What was consented to.
    pub scopes: ScopeSet,
    /// The redirect URI of the authorization request, to the byte.
    pub redirect_uri: String,
    /// S256 of the verifier (RFC 7636 section 4.2).
    pub challenge: String,
    /// In unix milliseconds.
    pub expires_at: i64,
    /// Whether its client presented it already.
    pub presented: bool,
    /// The family that its exchange began.
    pub family: Option<FamilyId>,
}

/// Why a code was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeRefusal {
    /// Never issued here, or to another client or by another class.
    Unknown,
    /// Presented before; the family of the first exchange has been ended.
    Reused,
    /// Older than its lifetime.
    Expired,
    /// Not the redirect URI of the authorization request.
    RedirectUri,
    /// The verifier does not match the challenge, or is not well-formed.
    Verifier,
}

impl Ledger {
    /// Issues a code.
    pub fn issue_code(&mut self, record: CodeRecord, now: i64, entropy: &dyn Entropy) -> AuthorizationCode {
        self.codes.retain(|_, code| now < code.expires_at.saturating_add(AFTERLIFE));
        let (code, id) = draw("sbx_code_", entropy);
        self.codes.insert(id, record);
        AuthorizationCode::new(code)
    }

    /// Presents a code for exchange. It is spent whatever the outcome, once its own client presented it.
    pub fn redeem_code(
        &mut self,
        id: TokenId,
        class: RecoveryClass,
        client_id: &str,
        redirect_uri: Option<&str>,
        verifier: Option<&str>,
        now: i64,
    ) -> Result<CodeRecord, CodeRefusal> {
        let code = self
            .codes
            .get_mut(&id)
            .filter(|code| code.class == class && code.client_id == client_id)
            .ok_or(CodeRefusal::Unknown)?;
        if code.presented {
            if let Some(family) = code.family {
                self.end(family, Ended::CodeReused, now);
            }
            return Err(CodeRefusal::Reused);
        }
        code.presented = true;
        if now >= code.expires_at {
            return Err(CodeRefusal::Expired);
        }
        if redirect_uri != Some(code.redirect_uri.as_str()) {
            return Err(CodeRefusal::RedirectUri);
        }
        if !verifier.is_some_and(|verifier| verifies(verifier, &code.challenge)) {
            return Err(CodeRefusal::Verifier);
        }
        Ok(code.clone())
    }

    /// Remembers which family came of a code, to end it if the code comes again.
    pub fn bind_code(&mut self, id: TokenId, family: FamilyId) {
        if let Some(code) = self.codes.get_mut(&id) {
            code.family = Some(family);
        }
    }

    /// A code that was issued here, with whether it could still be exchanged.
    pub fn code(&self, id: TokenId, now: i64) -> Option<(&CodeRecord, bool)> {
        self.codes.get(&id).map(|code| (code, !code.presented && now < code.expires_at))
    }
}

/// RFC 7636 sections 4.1 and 4.6, S256 only.
fn verifies(verifier: &str, challenge: &str) -> bool {
    let well_formed = (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    well_formed && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_example_of_rfc_7636_verifies() {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(verifies("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", challenge));
        assert!(!verifies("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl", challenge));
    }

    #[test]
    fn a_short_or_strange_verifier_never_verifies() {
        for verifier in ["", "short", &"a".repeat(129), &"ä".repeat(40), &"a b".repeat(20)] {
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
            assert!(!verifies(verifier, &challenge), "{verifier}");
        }
    }
}
