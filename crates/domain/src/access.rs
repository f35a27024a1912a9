//! What an API key may do: scopes, one or two a resource, default deny.

use crate::connection::worded;

/// Why a text is not a scope of the API.
pub type UnknownApiScope = crate::UnknownState;

worded! {
    /// A permission of an API key. Reading credentials is a scope of its own.
    ApiScope as "API scope" {
        /// See connectors, their versions and the catalogue.
        ConnectorsRead = "connectors:read",
        /// Register, change and delete connectors.
        ConnectorsWrite = "connectors:write",
        /// See apps, without their secrets.
        AppsRead = "apps:read",
        /// Register, change and delete apps.
        AppsWrite = "apps:write",
        /// See customers.
        CustomersRead = "customers:read",
        /// Create, change and delete customers.
        CustomersWrite = "customers:write",
        /// See connect sessions.
        ConnectSessionsRead = "connect_sessions:read",
        /// Make connect links and complete them.
        ConnectSessionsWrite = "connect_sessions:write",
        /// See connections and their timelines.
        ConnectionsRead = "connections:read",
        /// Import, change, refresh and delete connections.
        ConnectionsWrite = "connections:write",
        /// Read access tokens.
        TokensRead = "tokens:read",
        /// See API keys, without their secrets.
        ApiKeysRead = "api_keys:read",
        /// Make and revoke API keys.
        ApiKeysWrite = "api_keys:write",
        /// See what is switched off.
        HoldsRead = "holds:read",
        /// Switch off and on again.
        HoldsWrite = "holds:write",
        /// See environments.
        EnvironmentsRead = "environments:read",
        /// Make environments and change one's own.
        EnvironmentsWrite = "environments:write",
    }
}
