//! Typed ids: time-ordered UUIDs (version 7) shown as a prefix and 32 hexadecimal digits, `con_0192…`.
//!
//! One type a kind, so that a connection's id cannot be passed where a session's is meant. Ids ending in `Key` never
//! leave the program: their rows are known outside by the names of [`crate::names`].

use crate::{Clock, Entropy, Timestamp};
use uuid::Uuid;

/// Why a text is not an id of the expected kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected an id of the form `{prefix}_` and 32 hexadecimal digits")]
pub struct IdError {
    /// The prefix that this kind of id carries.
    pub prefix: &'static str,
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// What stands before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id: 48 bits of `clock`'s milliseconds, 12 of the fraction of one, so that what one process makes stays
            /// in order, and 62 bits of `entropy` (RFC 9562 sections 5.7 and 6.2, method 3).
            pub fn generate(clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
                Self::generate_at(clock.now(), entropy)
            }

            /// The same by a clock of the caller's choice: where several processes write, the one that they share.
            pub fn generate_at(now: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(time_ordered(now, entropy))
            }

            /// The id with the same chance in it, as if it had been made at `now`. One of that very millisecond stays what
            /// it is: its fraction knows more.
            pub fn moved_to(self, now: Timestamp) -> Self {
                if millis(now).to_be_bytes()[2..] == self.0.as_bytes()[..6] {
                    return self;
                }
                let mut random = [0_u8; 10];
                random.copy_from_slice(&self.0.as_bytes()[6..]);
                Self(stamped(now, random))
            }

            /// The id behind a value read from the database.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The value to store.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}_{}", Self::PREFIX, self.0.simple())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .filter(|digits| digits.len() == 32 && !digits.bytes().any(|b| b.is_ascii_uppercase()))
                    .and_then(|digits| Uuid::try_parse(digits).ok())
                    .map(Self)
                    .ok_or(IdError { prefix: $prefix })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

typed_ids! {
    /// One customer's grant at one app.
    ConnectionId = "con";
    /// A short-lived link with which a customer's browser may make or repair connections.
    ConnectSessionId = "cs";
    /// One round trip to a provider: an authorization flow or a refresh.
    AttemptId = "att";
    /// An API key; the part of the key that may be shown.
    ApiKeyId = "key";
    /// One line of a connection's timeline.
    EventId = "evt";
    /// A data key, wrapped by a key-encryption key.
    DataKeyId = "dek";
    /// A queued revocation of a deleted connection's tokens.
    RevocationId = "rev";
    /// What an admin switched off.
    HoldId = "hold";
    /// A move of an app's connections to another version of its connector.
    MoveId = "mov";
    /// A request to the API, in its answer and in the log.
    RequestId = "req";
    /// A running process, as the holder of leases.
    LeaseOwner = "own";
    /// An environment's row.
    EnvironmentKey = "env";
    /// A customer's row.
    CustomerKey = "cus";
    /// An app's row; also the context of its callback path.
    AppKey = "app";
    /// A connector's row.
    ConnectorKey = "ctr";
}

fn time_ordered(now: Timestamp, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0_u8; 10];
    entropy.fill(&mut random);
    stamped(now, random)
}

/// Version and variant, and the fraction of the millisecond, go over what is random at their places.
fn stamped(now: Timestamp, mut random: [u8; 10]) -> Uuid {
    let fraction = u16::try_from(now.timestamp_subsec_nanos() % 1_000_000 * 4096 / 1_000_000).unwrap_or_default();
    random[..2].copy_from_slice(&fraction.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(millis(now), &random).into_uuid()
}

fn millis(now: Timestamp) -> u64 {
    u64::try_from(now.timestamp_millis()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
