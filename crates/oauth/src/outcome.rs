//! From a reply to what it means: status and error code decide, a description never does.
//!
//! Invariant: a reply that is not understood is ambiguous, so that no token is given up because of it. Deliberately
//! absent: guesses from texts meant for people, which change without notice.

mod code;
mod renewal;

pub use renewal::{RefreshFailure, request_further_refresh, request_refresh};

use crate::response::{Document, Unreadable};
use crate::sending::{Answered, deliver};
use crate::{Failure, FailureClass, Outbound, Reply, Transport};
use code::{class_of, class_of_error, error_code};
use mortise_connectors::{Manifest, OAuth2, RefreshError, RefreshErrors, TokenResponse};
use mortise_domain::TokenGrant;
use serde_json::Value;
use zeroize::Zeroizing;

/// Sends a token request and reads what the provider gave (RFC 6749 section 5). For a token that is asked for the first
/// time; see [`request_refresh`] for the others.
///
/// # Errors
/// What went wrong, by how sure we are of what the provider did.
pub async fn request_token(
    transport: &dyn Transport,
    request: Outbound,
    manifest: &Manifest,
) -> Result<TokenGrant, Failure> {
    let Answered { reply, secrets, dpop_key } = deliver(transport, request).await?;
    let mut document = accepted(&reply, &spoken(manifest)?.token_response, &secrets)?;
    let grant = document.grant(manifest, None).map_err(|detail| malformed(&reply, detail))?;
    Ok(TokenGrant { dpop_key, ..grant })
}

/// Sends a revocation. Any success is the end of it, also for a token that the provider does not know (RFC 7009
/// section 2.2); its body means nothing.
///
/// # Errors
/// What went wrong, by how sure we are of what the provider did.
pub async fn request_revocation(transport: &dyn Transport, request: Outbound) -> Result<(), Failure> {
    let Answered { reply, secrets, .. } = deliver(transport, request).await?;
    if (200..300).contains(&reply.status) {
        return Ok(());
    }
    accepted(&reply, &TokenResponse::default(), &secrets).map(|_| ())
}

/// The document of a success by the codes of the protocol.
pub(crate) fn accepted(
    reply: &Reply,
    shape: &TokenResponse,
    secrets: &[Zeroizing<String>],
) -> Result<Document, Failure> {
    Judge { reply, shape, secrets, errors: None }.accept()
}

/// The same where the provider's own codes count too.
pub(crate) fn accepted_by(
    reply: &Reply,
    shape: &TokenResponse,
    secrets: &[Zeroizing<String>],
    errors: &RefreshErrors,
) -> Result<Document, Failure> {
    Judge { reply, shape, secrets, errors: Some(errors) }.accept()
}

/// Requests are built from such manifests only.
fn spoken(manifest: &Manifest) -> Result<&OAuth2, Failure> {
    let refused = || Failure::new(FailureClass::Unknown, None, "the connector does not speak OAuth 2");
    manifest.oauth2().ok_or_else(refused)
}

fn malformed(reply: &Reply, detail: &'static str) -> Failure {
    Failure::new(FailureClass::Ambiguous, Some(reply.status), detail)
}

/// A reply, where it keeps what, what must not come back, and what the provider's own codes mean.
struct Judge<'a> {
    reply: &'a Reply,
    shape: &'a TokenResponse,
    secrets: &'a [Zeroizing<String>],
    errors: Option<&'a RefreshErrors>,
}

impl Judge<'_> {
    /// The document of a success, which may still turn out to hold no tokens.
    fn accept(&self) -> Result<Document, Failure> {
        let read = Document::read(self.reply, self.shape.strip_prefix.as_deref());
        match self.reply.status {
            200..300 => match read {
                Ok(document) => self.success(document),
                Err(unreadable) => Err(self.failure(FailureClass::Ambiguous, None, unreadable.detail())),
            },
            429 => Err(self.by_status(FailureClass::Throttled, &read, "the provider asks for fewer requests")),
            503 if self.reply.retry_after.is_some() => {
                Err(self.by_status(FailureClass::Throttled, &read, "the provider asks to come back later"))
            }
            408 | 425 | 500.. => {
                Err(self.by_status(FailureClass::Ambiguous, &read, "the provider failed to answer the request"))
            }
            400.. => Err(self.refusal(read)),
            _ => {
                Err(self.failure(FailureClass::Ambiguous, None, "the provider sent a redirect, which is not followed"))
            }
        }
    }

    fn success(&self, document: Document) -> Result<Document, Failure> {
        let flag = self.shape.ok.as_deref().map(|pointer| self.shape.says_ok(document.get(pointer)?));
        match (self.says_error(&document), flag) {
            (true, _) | (false, Some(Some(false))) => {
                Err(self.by_code(&document, FailureClass::Unknown, "the provider refused without an error code"))
            }
            (false, None | Some(Some(true))) => Ok(document),
            (false, Some(None)) => {
                let detail = "the reply lacks the member that tells success from failure";
                Err(self.failure(FailureClass::Ambiguous, None, detail))
            }
        }
    }

    fn refusal(&self, read: Result<Document, Unreadable>) -> Failure {
        let (class, detail) = match self.reply.status {
            401 => (FailureClass::AppMisconfigured, "the provider does not accept the client, and gives no error code"),
            _ => (FailureClass::Unknown, "the provider refused without an error code"),
        };
        match read {
            Ok(document) => self.by_code(&document, class, detail),
            Err(Unreadable::Empty) => self.failure(class, None, detail),
            Err(_) if self.reply.status == 401 => self.failure(class, None, detail),
            Err(unreadable) => self.failure(FailureClass::Ambiguous, None, unreadable.detail()),
        }
    }

    /// The class that the error code stands for; `otherwise` where there is none.
    fn by_code(&self, document: &Document, otherwise: FailureClass, detail: &'static str) -> Failure {
        if let Some((error, code)) = self.own_error(document) {
            let (class, detail) = class_of_error(error);
            return self.failure(class, Some(code), detail);
        }
        match self.code_in(document) {
            None => self.failure(otherwise, None, detail),
            Some(Ok(code)) => {
                let (class, detail) = class_of(&code);
                self.failure(class, Some(code), detail)
            }
            Some(Err(detail)) => self.failure(FailureClass::Unknown, None, detail),
        }
    }

    /// What the manifest says about the finer code of the reply, or else about its code. Such a code stands in the
    /// manifest, so it is no leak.
    fn own_error(&self, document: &Document) -> Option<(RefreshError, String)> {
        let pointers = [self.shape.error_detail.as_ref(), Some(&self.shape.error)];
        pointers.into_iter().flatten().find_map(|pointer| {
            let code = match document.get(pointer)? {
                Value::String(text) => text.to_ascii_lowercase(),
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            Some((self.errors?.meaning(&code)?, code))
        })
    }

    /// The class that the status stands for, with the error code only to be shown.
    fn by_status(&self, class: FailureClass, read: &Result<Document, Unreadable>, detail: &'static str) -> Failure {
        let code = read.as_ref().ok().and_then(|document| self.code_in(document)).and_then(Result::ok);
        self.failure(class, code, detail)
    }

    fn failure(&self, class: FailureClass, error: Option<String>, detail: &'static str) -> Failure {
        let retry_after = self.reply.retry_after;
        Failure { error, retry_after, ..Failure::new(class, Some(self.reply.status), detail) }
    }

    fn code_in(&self, document: &Document) -> Option<Result<String, &'static str>> {
        match document.get(&self.shape.error)? {
            Value::String(text) if !text.is_empty() => Some(error_code(text, self.secrets)),
            Value::Number(number) if number.as_f64() != Some(0.0) => {
                Some(error_code(&number.to_string(), self.secrets))
            }
            _ => None,
        }
    }

    /// Whether the member for errors says anything; providers with numeric codes say 0 in a success.
    fn says_error(&self, document: &Document) -> bool {
        match document.get(&self.shape.error) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Bool(true)) => true,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(members)) => !members.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests;
