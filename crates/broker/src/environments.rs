//! Environments and their settings.

use crate::{Broker, Caller, Error, Result};
use mortise_domain::{ApiScope, EnvironmentKey, EnvironmentName, EnvironmentSettings, FinisherCheck, Timestamp};
use mortise_store::Environment;

/// What of an environment can be changed; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentInput {
    /// Who asks, as the consent page says it: 1 to 80 characters.
    pub display_name: Option<String>,
    /// See [`FinisherCheck`].
    pub finisher_check: Option<FinisherCheck>,
}

/// An environment as it is shown.
#[derive(Debug, Clone)]
pub struct EnvironmentView {
    /// Its name.
    pub name: EnvironmentName,
    /// Its settings.
    pub settings: EnvironmentSettings,
    /// When it was made.
    pub created_at: Timestamp,
}

impl From<Environment> for EnvironmentView {
    fn from(row: Environment) -> Self {
        Self { name: row.name, settings: row.settings, created_at: row.created_at }
    }
}

impl Broker {
    /// Makes an environment. Nothing in it can be reached by a key of another one.
    pub async fn create_environment(&self, name: &EnvironmentName, input: EnvironmentInput) -> Result<EnvironmentView> {
        let settings = apply(EnvironmentSettings::initial(name.as_str()), input)?;
        let key = EnvironmentKey::generate(&*self.clock, &*self.entropy);
        let row = Environment { key, name: name.clone(), settings, created_at: self.clock.now() };
        self.store.environment_insert(&row).await?;
        Ok(row.into())
    }

    /// All environments, for the command line.
    pub async fn list_environments(&self) -> Result<Vec<EnvironmentView>> {
        Ok(self.store.environment_list().await?.into_iter().map(EnvironmentView::from).collect())
    }

    /// The environment of the caller's key.
    pub async fn own_environment(&self, caller: &Caller) -> Result<EnvironmentView> {
        caller.require(ApiScope::EnvironmentsRead)?;
        Ok(self.environment(caller.environment).await?.into())
    }

    /// Changes the environment of the caller's key.
    pub async fn update_own_environment(&self, caller: &Caller, input: EnvironmentInput) -> Result<EnvironmentView> {
        caller.require(ApiScope::EnvironmentsWrite)?;
        self.set_environment(self.environment(caller.environment).await?, input).await
    }

    /// Changes any environment, for the command line.
    pub async fn update_environment(&self, name: &EnvironmentName, input: EnvironmentInput) -> Result<EnvironmentView> {
        let row = self.store.environment_by_name(name).await?.ok_or(Error::NotFound("environment"))?;
        self.set_environment(row, input).await
    }

    async fn set_environment(&self, mut row: Environment, input: EnvironmentInput) -> Result<EnvironmentView> {
        let before = row.settings.finisher_check;
        row.settings = apply(row.settings, input)?;
        self.store.environment_set_settings(row.key, &row.settings).await?;
        if row.settings.finisher_check != before {
            tracing::warn!(environment = %row.name, finisher_check = ?row.settings.finisher_check, "finisher check changed");
        }
        Ok(row.into())
    }

    pub(crate) async fn environment(&self, key: EnvironmentKey) -> Result<Environment> {
        self.store.environment_by_key(key).await?.ok_or(Error::NotFound("environment"))
    }
}

fn apply(mut settings: EnvironmentSettings, input: EnvironmentInput) -> Result<EnvironmentSettings> {
    if let Some(name) = input.display_name {
        if !(1..=80).contains(&name.trim().chars().count()) || name.chars().any(char::is_control) {
            return Err(Error::invalid("/display_name", "use 1 to 80 characters without control characters"));
        }
        settings.display_name = name;
    }
    settings.finisher_check = input.finisher_check.unwrap_or(settings.finisher_check);
    Ok(settings)
}
