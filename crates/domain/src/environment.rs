//! An environment's settings.

use serde::{Deserialize, Serialize};

/// Whether the backend must confirm who came back before the provider's code is exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinisherCheck {
    /// The default: `POST /v1/connect-sessions/{id}/complete` has to name the customer.
    Required,
    /// The callback exchanges the code at once. A link handed to somebody else then connects *their* account.
    Off,
}

/// What an environment lets its admin set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentSettings {
    /// See [`FinisherCheck`].
    pub finisher_check: FinisherCheck,
    /// Who asks, as the consent page says it.
    pub display_name: String,
}

impl EnvironmentSettings {
    /// The settings that an environment of this name starts with: only `dev` does without the finisher check.
    pub fn initial(environment: &str) -> Self {
        let finisher_check = if environment == "dev" { FinisherCheck::Off } else { FinisherCheck::Required };
        Self { finisher_check, display_name: format!("Mortise ({environment})") }
    }
}
