//! Secrets as types that cannot be printed, compared, cloned or serialised, and that wipe their memory when dropped.
//!
//! The one way out is [`expose`](AccessToken::expose), a word to grep for: a test lists the files that may say it.

use zeroize::Zeroizing;

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// Takes a secret in.
            pub fn new(text: impl Into<String>) -> Self {
                Self(Zeroizing::new(text.into()))
            }

            /// Lets the secret out, to be sent, sealed or digested.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer).map(Self::new)
            }
        }
    )*};
}

secrets! {
    /// RFC 6749 section 1.4.
    AccessToken;
    /// RFC 6749 section 1.5.
    RefreshToken;
    /// RFC 6749 section 1.3.1.
    AuthorizationCode;
    /// RFC 6749 section 2.3.1.
    ClientSecret;
    /// A credential that a customer pastes, or a part of a call that carries it.
    PastedSecret;
    /// RFC 9449: the private key of a connection, as a JWK.
    DpopKey;
    /// RFC 8628 section 3.2.
    DeviceCode;
    /// RFC 7636 section 4.1: 43 characters of 256 random bits.
    PkceVerifier;
    /// RFC 6749 section 10.12: ties the callback to the flow that began it.
    StateToken;
    /// An API key as its holder presents it.
    ApiKeySecret;
    /// The secret part of a connect link.
    ConnectToken;
    /// The cookie that ties the callback to the browser that began the flow.
    FlowCookie;
    /// Handed to the browser after consent; the backend confirms with it who came back.
    CompletionCode;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_kind_and_nothing_else() {
        let token = AccessToken::new("canary-8d1f");
        assert_eq!(format!("{token:?}"), "AccessToken(…)");
        assert_eq!(token.expose(), "canary-8d1f");
    }
}
