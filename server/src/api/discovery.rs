//! What providers publish about themselves, compared with what is pinned.

use crate::access::ConnectorsWrite;
use crate::call::Call;
use crate::input::Id;
use crate::problem::{Code, Result};
use crate::reply::{self, Reply};
use crate::routes::Routes;
use mortise_broker::{Change, Rediscovered, Rediscovery};
use mortise_domain::ConnectorId;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

pub(super) fn add(routes: &mut Routes) {
    routes.add(__path_rediscover_connector, rediscover_connector, &[Code::InvalidRequest]);
}

/// What asking a provider again has told.
#[derive(Debug, Serialize, ToSchema)]
struct Comparison {
    /// The version that it was compared with: the newest.
    version: i32,
    /// `same`, `differs`, or `failed` where nothing was published that could be believed.
    #[schema(pattern = "^(same|differs|failed)$")]
    outcome: &'static str,
    /// What went wrong.
    #[schema(required = true)]
    detail: Option<String>,
    /// What a new version would change, the gravest first. Nothing has moved.
    changes: Vec<Difference>,
}

/// A member that differs.
#[derive(Debug, Serialize, ToSchema)]
struct Difference {
    /// Its JSON pointer in the manifest.
    path: String,
    /// What is pinned.
    #[schema(required = true)]
    before: Option<String>,
    /// What the provider publishes by now.
    #[schema(required = true)]
    after: Option<String>,
    /// What that means for running connections, in a word.
    effect: &'static str,
    /// The same as a sentence.
    meaning: &'static str,
}

impl From<Change> for Difference {
    fn from(Change { path, before, after, effect }: Change) -> Self {
        let shown = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let (before, after) = (before.map(shown), after.map(shown));
        Self { path, before, after, effect: effect.as_str(), meaning: effect.meaning() }
    }
}

impl From<Rediscovery> for Comparison {
    fn from(Rediscovery { version, outcome }: Rediscovery) -> Self {
        let (outcome, detail, changes) = match outcome {
            Rediscovered::Same => ("same", None, Vec::new()),
            Rediscovered::Differs(changes) => ("differs", None, changes),
            Rediscovered::Failed(detail) => ("failed", Some(detail), Vec::new()),
        };
        Self { version, outcome, detail, changes: changes.into_iter().map(Difference::from).collect() }
    }
}

/// Compare a connector with what its provider publishes
///
/// Fetches the metadata that `auth.discovery` names again and says what differs from the newest version. Nothing moves:
/// register a new version to take a difference over.
#[utoipa::path(
    post, path = "/v1/connectors/{id}/discover", tag = "connectors",
    params(("id" = String, Path, description = "The connector.")),
    responses((status = 200, description = "What differs.", body = Comparison)),
)]
async fn rediscover_connector(call: Call<ConnectorsWrite, Id<ConnectorId>>) -> Result<Reply> {
    reply::ok(&Comparison::from(call.broker().rediscover(&call.caller, &call.path.0).await?))
}
