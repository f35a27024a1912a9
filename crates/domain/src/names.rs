//! Names that people choose: what may stand in a path, a log line and a database key without surprise.

use std::fmt;

/// Why a text cannot be a name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NameError {
    /// Not kebab-case.
    #[error("use 1 to 64 characters of a-z, 0-9 and single hyphens between them, such as `acme-sandbox`")]
    NotKebab,
    /// Not a usable customer id.
    #[error("use 1 to 128 characters, none of them a control character, `/` or white space at either end")]
    NotCustomerId,
}

fn is_kebab(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

fn is_customer_id(text: &str) -> bool {
    (1..=128).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(|c| c.is_control() || c == '/')
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $check:ident or $error:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                if $check(text) { Ok(Self(text.to_owned())) } else { Err(NameError::$error) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

names! {
    /// A connector's id, chosen in its manifest.
    ConnectorId: is_kebab or NotKebab;
    /// An app's id, chosen by the admin.
    AppId: is_kebab or NotKebab;
    /// An environment's name: `dev`, `prod`, ….
    EnvironmentName: is_kebab or NotKebab;
    /// A customer's id in the systems of the people who run the broker.
    CustomerId: is_customer_id or NotCustomerId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kebab_names() {
        for good in ["a", "acme", "acme-2", "0-a"] {
            assert!(good.parse::<AppId>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a--b", "A", "a_b", "a b", &"x".repeat(65)] {
            assert_eq!(bad.parse::<AppId>(), Err(NameError::NotKebab), "{bad}");
        }
    }

    #[test]
    fn customer_ids_are_theirs_to_choose_within_reason() {
        for good in ["42", "Kundin Größe", "user@example.com", "a:b|c"] {
            assert!(good.parse::<CustomerId>().is_ok(), "{good}");
        }
        for bad in ["", " a", "a\n", "a/b", "a\u{0}b", &"x".repeat(129)] {
            assert_eq!(bad.parse::<CustomerId>(), Err(NameError::NotCustomerId), "{bad:?}");
        }
    }
}
