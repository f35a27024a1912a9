//! What several resources have in common on the wire: times, words, pages, lists.

use mortise_broker::{Listing, PageRequest};
use mortise_domain::{
    ApiScope, AppState, ConnectionState, EventKind, FinisherCheck, HoldScope, MoveReason, MoveStage, MoveState,
    StateReason, Timestamp,
};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};
use utoipa::{IntoParams, PartialSchema, ToSchema};

/// An instant: RFC 3339, sent in UTC with milliseconds.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.format("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String);
        text.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).into()
    }
}

impl ToSchema for Time {
    fn name() -> Cow<'static, str> {
        "Time".into()
    }
}

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident of $domain:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(pub(crate) $domain);

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words = $domain::ALL.iter().map(|word| word.as_str());
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

words! {
    /// What a connection is.
    State of ConnectionState;
    /// Why.
    Reason of StateReason;
    /// Whether an app's client is accepted.
    ClientState of AppState;
    /// What happened to a connection.
    Happened of EventKind;
    /// How much a hold switches off.
    Extent of HoldScope;
    /// What an API key may do.
    KeyScope of ApiScope;
    /// Where a move is.
    Progress of MoveState;
    /// How far a move has come.
    Phase of MoveStage;
    /// Why a move is paused or was taken back.
    Trouble of MoveReason;
}

/// Whether the backend has to confirm who came back.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Finisher {
    /// `POST /v1/connect-sessions/{id}/complete` has to name the customer before the provider's code is exchanged.
    Required,
    /// The callback exchanges the code at once. A link handed to somebody else then connects *their* account.
    Off,
}

impl From<FinisherCheck> for Finisher {
    fn from(check: FinisherCheck) -> Self {
        match check {
            FinisherCheck::Required => Self::Required,
            FinisherCheck::Off => Self::Off,
        }
    }
}

impl From<Finisher> for FinisherCheck {
    fn from(check: Finisher) -> Self {
        match check {
            Finisher::Required => Self::Required,
            Finisher::Off => Self::Off,
        }
    }
}

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// How many items at most: 1 to 100, 20 where nothing is said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// `next_cursor` of the page before, unchanged.
    cursor: Option<String>,
}

impl From<PageQuery> for PageRequest {
    fn from(PageQuery { limit, cursor }: PageQuery) -> Self {
        Self { limit, cursor }
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items of this page.
    items: Vec<T>,
    /// Asks for the next page; `null` on the last.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The page of a listing, item by item.
    pub(crate) fn of<V>(listing: Listing<V>) -> Self
    where
        T: From<V>,
    {
        Self { items: listing.items.into_iter().map(T::from).collect(), next_cursor: listing.next_cursor }
    }

    /// All there is.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }
}
