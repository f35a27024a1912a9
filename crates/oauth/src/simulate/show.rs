//! Simulated requests as text.

use super::{SimulatedRequest, Step};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

impl Step {
    /// What happens, for a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Register => "register: the app registers its client, where nobody enters one",
            Self::Push => "push: the authorization request is left with the provider",
            Self::Device => "device: a user code is asked for, which the customer enters at the provider",
            Self::RequestToken => "request_token: temporary credentials are asked for",
            Self::Authorize => "authorize: where the customer's browser is sent",
            Self::Token => "token: the first token is asked for",
            Self::LongLived => "long-lived: the token is changed for one that lives longer",
            Self::Identity => "identity: the provider is asked whose grant it is",
            Self::Verify => "verify: what the customer pasted is tried out",
            Self::Call => "call: what calls of the API carry",
            Self::Refresh => "refresh: the token is renewed",
            Self::Introspect => "introspect: asked where nothing else tells the token's lifetime",
            Self::Revoke => "revoke: a token is ended",
        }
    }
}

/// As HTTP writes it, with the whole URL in the first line; what is encoded in a header stands behind it in parentheses.
impl fmt::Display for SimulatedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# {}", self.step.title())?;
        writeln!(f, "{} {}", self.method, self.url)?;
        for header in &self.headers {
            write!(f, "{}: {}", header.name, header.value)?;
            match &header.decoded {
                Some(decoded) => writeln!(f, "  ({decoded})")?,
                None => writeln!(f)?,
            }
        }
        if self.client_certificate {
            writeln!(f, "(with the client's certificate)")?;
        }
        if let Some(body) = &self.body {
            writeln!(f, "\n{body}")?;
        }
        for (word, claims) in &self.signed {
            writeln!(f, "({word} is signed: {})", serde_json::Value::Object(claims.clone()))?;
        }
        Ok(())
    }
}

/// What is encoded in HTTP Basic (RFC 7617 section 2).
pub(super) fn basic(value: &str) -> Option<String> {
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    String::from_utf8(decoded).ok()
}
