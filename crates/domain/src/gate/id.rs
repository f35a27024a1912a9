//! Which gates there are.

use crate::connection::worded;
use crate::{AppKey, ConnectorKey};
use uuid::Uuid;

worded! {
    /// What a gate stands before.
    GateKind as "gate" {
        /// A provider: all apps of a connector.
        Provider = "provider",
        /// One app.
        App = "app",
    }
}

/// Which gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GateId {
    /// Before the provider of a connector.
    Provider(ConnectorKey),
    /// Before an app.
    App(AppKey),
}

impl GateId {
    /// The gate of a kind with the key of what it stands before.
    pub const fn new(kind: GateKind, key: Uuid) -> Self {
        match kind {
            GateKind::Provider => Self::Provider(ConnectorKey::from_uuid(key)),
            GateKind::App => Self::App(AppKey::from_uuid(key)),
        }
    }

    /// Its kind.
    pub const fn kind(self) -> GateKind {
        match self {
            Self::Provider(_) => GateKind::Provider,
            Self::App(_) => GateKind::App,
        }
    }

    /// The key of what it stands before.
    pub const fn as_uuid(self) -> Uuid {
        match self {
            Self::Provider(key) => key.as_uuid(),
            Self::App(key) => key.as_uuid(),
        }
    }
}
