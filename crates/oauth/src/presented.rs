//! A token that is shown to a provider to ask about it or to end it, with the hint of what it is.

use mortise_domain::{AccessToken, RefreshToken};

/// A token to name in a request (RFC 7009 section 2.1, RFC 7662 section 2.1).
#[derive(Debug, Clone, Copy)]
pub enum PresentedToken<'a> {
    /// Ending it usually ends the access tokens of the grant too.
    Refresh(&'a RefreshToken),
    /// Ending it ends this one.
    Access(&'a AccessToken),
}

impl PresentedToken<'_> {
    /// The token, and its `token_type_hint`.
    pub(crate) fn text_and_hint(&self) -> (&str, &'static str) {
        match self {
            Self::Refresh(token) => (token.expose(), "refresh_token"),
            Self::Access(token) => (token.expose(), "access_token"),
        }
    }
}
