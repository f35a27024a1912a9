//! How long a token lives whose provider tells only when it is asked (RFC 7662).
//!
//! Invariant: nobody is asked about a token before its pair is stored, because asking may count as using it; and what goes
//! wrong changes nothing: a token without a known end is served until somebody says that it fails.

use super::Engine;
use super::core::{At, Granted, Pair, Rules, Standing, first, renewed};
use crate::Result;
use crate::loaded::LoadedApp;
use crate::timeline::told;
use mortise_connectors::Values;
use mortise_domain::{AccessToken, ConnectionId, EnvironmentKey, EventKind};
use mortise_oauth::{PresentedToken, introspection, request_introspection};
use mortise_store::LifetimeLearned;
use serde_json::json;
use std::sync::Arc;

/// A stored token whose end nobody knows.
pub(crate) struct Lesson {
    pub(crate) app: Arc<LoadedApp>,
    pub(crate) token: AccessToken,
    pub(crate) of: Stored,
}

/// Where it is stored, and what is known of it.
pub(crate) struct Stored {
    pub(crate) environment: EnvironmentKey,
    pub(crate) connection: ConnectionId,
    pub(crate) family: i32,
    pub(crate) generation: i64,
    pub(crate) variables: Values,
    pub(crate) granted: Granted,
    pub(crate) came: Came,
}

/// What the token came with, as far as its plan depends on it.
pub(crate) enum Came {
    /// A refresh of a connection that stood like this.
    Refreshed(Box<Standing>),
    /// A new grant.
    First { renewable: bool, imported: bool },
}

impl Engine {
    /// Asks, and writes down what was told, on a tracked task: nobody waits for it.
    pub(crate) fn learn_later(self: &Arc<Self>, lesson: Lesson) {
        let engine = self.clone();
        self.tasks.spawn_on(async move { engine.learn(lesson).await }, &self.runtime);
    }

    /// Asks once, and writes down what was told.
    pub(crate) async fn learn(&self, lesson: Lesson) {
        let connection = lesson.of.connection;
        if let Err(error) = self.noted(self.learnt(lesson).await) {
            tracing::warn!(%connection, error = ?error, "it could not be learnt when a token ends");
        }
    }

    async fn learnt(&self, lesson: Lesson) -> Result<()> {
        let (app, of, clock) = (&lesson.app, &lesson.of, &self.seams.clock);
        let (provider, token) = (app.provider(&of.variables), PresentedToken::Access(&lesson.token));
        let (asked_at, begun) = (clock.now(), clock.monotonic());
        let (provider, transport) = (&provider, &*self.seams.transport);
        let asked = app.as_client(|client| async move {
            match introspection(provider, &client, token)? {
                Some(request) => Ok(request_introspection(transport, request).await.map(Some)),
                None => Ok(Ok(None)),
            }
        });
        let life = match asked.await? {
            Ok(told) => told.and_then(|told| told.lifetime(asked_at)),
            Err(failure) => {
                tracing::warn!(connection = %of.connection, %failure, "a provider did not tell when a token ends");
                None
            }
        };
        let Some(life) = life else { return Ok(()) };
        let now = self.seams.ledger.database_now().await?;
        // It lives so long from the question on.
        let granted = Granted { asked_at: now - (clock.monotonic() - begun), lifetime: Some(life), ..of.granted };
        let pair = of.came.plan(app, At { now, elapsed: begun, fraction: self.seams.entropy.fraction() }, &granted);
        let learned = LifetimeLearned {
            environment: of.environment,
            id: of.connection,
            family: of.family,
            generation: of.generation,
            expires_at: granted.asked_at + life,
            next_refresh_at: pair.next_refresh_at,
        };
        let detail = json!({
            "token_generation": of.generation,
            "expires_in": life.as_secs(),
            "next_refresh_at": pair.next_refresh_at.map(told),
            "decided": pair.why,
        });
        self.seams
            .ledger
            .connection_lifetime_learned(&learned, self.event_at(now, EventKind::LifetimeLearned, detail))
            .await?;
        Ok(())
    }
}

impl Came {
    fn plan(&self, app: &LoadedApp, at: At, granted: &Granted) -> Pair {
        let rules = Rules::from(&app.manifest.auth);
        match self {
            Self::Refreshed(standing) => renewed(&rules, standing, at, granted),
            Self::First { renewable, imported } => first(&rules, granted, *renewable, *imported, at.fraction),
        }
    }
}
