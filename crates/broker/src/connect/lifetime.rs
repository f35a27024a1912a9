//! The end of a new grant's first token, where nobody told: the provider is asked once the grant is stored.

use crate::Broker;
use crate::loaded::LoadedApp;
use crate::refresh::core::{Granted, Others};
use crate::refresh::{Apps as _, Came, Lesson, Stored};
use crate::spill::SpilledGrant;
use mortise_domain::{AccessToken, Deadlines, StateReason};

/// What there is to learn of a grant: nothing where its token's end is known.
pub(super) fn endless(grant: &SpilledGrant) -> Option<Stored> {
    if grant.expires_at.is_some() {
        return None;
    }
    let deadlines = Deadlines { grant_expires_at: grant.grant_expires_at, refresh_idle_at: grant.refresh_idle_at };
    let rotated = grant.refresh.is_some();
    Some(Stored {
        environment: grant.environment,
        connection: grant.connection,
        family: grant.replaces_family.map_or(1, |family| family + 1),
        generation: grant.generation,
        variables: grant.variables.clone(),
        granted: Granted {
            asked_at: grant.sent_at,
            lifetime: None,
            deadlines,
            rotated,
            unchanged: false,
            others: Others::default(),
        },
        came: Came::First {
            renewable: rotated || grant.reason == StateReason::ClientCredentials,
            imported: grant.reason == StateReason::Imported,
        },
    })
}

impl Broker {
    /// Has the provider asked, if it offers a way. The grant is stored whatever comes of it.
    pub(super) async fn learn_end(&self, app: &LoadedApp, of: Stored, token: AccessToken) {
        if app.manifest.oauth2().is_none_or(|auth| auth.introspection_url.is_none()) {
            return;
        }
        match self.apps.load(app.app.key, app.app.connector_version).await {
            Ok(app) => self.engine.learn_later(Lesson { app, token, of }),
            Err(error) => {
                tracing::warn!(connection = %of.connection, error = ?error, "nobody is asked when a token ends");
            }
        }
    }
}
