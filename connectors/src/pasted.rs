//! What a customer pastes, whichever mode asks for it: one view of both, and the check of a single value.
//!
//! Invariant: no value is kept or repeated here, and patterns run in linear time. Deliberately absent: putting values into
//! templates, because whoever holds them has to wipe the result.

use crate::manifest::{Auth, Credential, CredentialKind, Verification};
use crate::template::{Parts, TemplateError, parts};
use regex_lite::{Regex, RegexBuilder};
use std::collections::BTreeMap;

/// No credential is longer (bytes): keys in the form of a certificate are not pasted into a field.
const LONGEST: usize = 8 * 1024;
/// No document is longer (bytes).
const LONGEST_DOCUMENT: usize = 32 * 1024;
/// What a compiled pattern may take (bytes).
const PATTERN_SIZE: usize = 64 * 1024;

/// A mode in which the customer pastes.
#[derive(Debug, Clone, Copy)]
pub struct Pasted<'a> {
    /// The fields of the form.
    pub credentials: &'a BTreeMap<String, Credential>,
    /// The call that tries them out.
    pub verification: Option<&'a Verification>,
    /// How calls carry them, beside what the manifest's `api` says.
    pub scheme: Scheme<'a>,
}

/// How calls carry what was pasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme<'a> {
    /// As `api.headers` and `api.query` say; this credential is the key itself.
    ApiKey {
        /// The name of a credential.
        key: &'a str,
    },
    /// RFC 7617, out of two templates.
    Basic {
        /// The user name.
        username: &'a str,
        /// The password.
        password: &'a str,
    },
}

impl Auth {
    /// The call that tells whether what customers give is good, where the manifest has one.
    pub fn verification(&self) -> Option<&Verification> {
        match self {
            Self::SignedJwt(auth) => auth.verification.as_ref(),
            Self::Oauth2(_) | Self::Oauth1(_) | Self::TwoStep(_) | Self::ApiKey(_) | Self::Basic(_) => {
                self.pasted().and_then(|pasted| pasted.verification)
            }
        }
    }

    /// The fields to paste into, if that is how this provider is connected.
    pub fn pasted(&self) -> Option<Pasted<'_>> {
        match self {
            Self::Oauth2(_) | Self::Oauth1(_) | Self::TwoStep(_) | Self::SignedJwt(_) => None,
            Self::ApiKey(auth) => {
                let only = || secrets(&auth.credentials).next();
                let key = auth.key.as_deref().or_else(only).unwrap_or_default();
                let (credentials, verification) = (&auth.credentials, auth.verification.as_ref());
                Some(Pasted { credentials, verification, scheme: Scheme::ApiKey { key } })
            }
            Self::Basic(auth) => Some(Pasted {
                credentials: &auth.credentials,
                verification: auth.verification.as_ref(),
                scheme: Scheme::Basic { username: &auth.username, password: &auth.password },
            }),
        }
    }
}

impl Credential {
    /// Whether `value` may be pasted here; if not, what is allowed. The value is not repeated.
    ///
    /// # Errors
    /// What to paste instead, for a person.
    pub fn check(&self, value: &str) -> Result<(), String> {
        let looks = || self.example.as_ref().map(|example| format!(", such as {example}")).unwrap_or_default();
        if value.trim().is_empty() {
            return Err(format!("fill this in{}", looks()));
        }
        if self.kind == CredentialKind::Document {
            return document(value);
        }
        if value.len() > LONGEST || !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) || value.trim() != value {
            return Err(format!(
                "use 1 to {LONGEST} printable ASCII characters, without spaces around them: check that it was copied whole"
            ));
        }
        match self.pattern.as_deref().map(whole) {
            Some(Ok(pattern)) if !pattern.is_match(value) => {
                Err(format!("this does not look right: check that it was copied whole{}", looks()))
            }
            // A pattern that does not compile was refused with its manifest.
            Some(Ok(_) | Err(_)) | None => Ok(()),
        }
    }
}

/// A text of several lines, as it was copied out of a file.
fn document(value: &str) -> Result<(), String> {
    let strange = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if value.len() > LONGEST_DOCUMENT || value.chars().any(strange) {
        return Err(format!("use at most {LONGEST_DOCUMENT} bytes of text: check that the right file was copied"));
    }
    Ok(())
}

/// The names of the secrets.
pub(crate) fn secrets(credentials: &BTreeMap<String, Credential>) -> impl Iterator<Item = &str> {
    credentials.iter().filter(|(_, c)| c.kind != CredentialKind::Text).map(|(name, _)| name.as_str())
}

/// A pattern for the whole value.
pub(crate) fn whole(pattern: &str) -> Result<Regex, regex_lite::Error> {
    RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(PATTERN_SIZE).nest_limit(20).build()
}

/// A piece of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text as it stands.
    Literal(&'a str),
    /// A credential or a variable, by its name.
    Name(&'a str),
}

/// A template in pieces, in their order.
///
/// # Errors
/// A brace without its partner.
pub fn pieces(template: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let Parts { literals, names } = parts(template)?;
    let mut names = names.into_iter();
    Ok(literals
        .into_iter()
        .flat_map(|literal| [Some(Piece::Literal(literal)), names.next().map(Piece::Name)])
        .flatten()
        .collect())
}

#[cfg(test)]
mod tests;
