//! The finisher check: the backend confirms that the customer who came back is the one that it sent.

use super::brought::Brought;
use super::device::Held;
use super::exchange::GrantTarget;
use crate::pasted::of_text;
use crate::refresh::Apps as _;
use crate::{Broker, Caller, ConnectFault, ConnectionView, Error, Result};
use mortise_connectors::Grant;
use mortise_domain::{ApiScope, CompletionCode, ConnectSessionId, CustomerId, StateReason};
use mortise_store::{Attempt, SessionStatus};
use mortise_vault::{same, sha256};

/// What the backend confirms.
#[derive(Debug)]
pub struct Completion {
    /// The `code` that the browser brought to the return URL.
    pub code: CompletionCode,
    /// The customer whose browser brought it, by the backend's own login.
    pub customer: CustomerId,
}

impl Broker {
    /// Exchanges the provider's code if the right customer came back. A wrong answer ends the flow: nobody gets a second
    /// guess.
    pub async fn complete_session(
        &self,
        caller: &Caller,
        id: ConnectSessionId,
        completion: Completion,
    ) -> Result<ConnectionView> {
        caller.require(ApiScope::ConnectSessionsWrite)?;
        let session =
            self.store.connect_session_get(caller.environment, id).await?.ok_or(Error::NotFound("connect session"))?;
        if session.status != SessionStatus::AwaitingCompletion {
            return Err(ConnectFault::LinkUsed.into());
        }
        let attempt = self.store.attempt_awaiting(session.id).await?.ok_or(ConnectFault::StaleState)?;
        // Taken before it is judged: of two confirmations only one gets any further.
        if !self.store.attempt_take_code(attempt.id).await? {
            return Err(ConnectFault::StaleState.into());
        }
        let customer = self.store.customer_by_key(session.customer).await?.ok_or(Error::NotFound("customer"))?;
        let right_code = attempt.completion_digest.is_some_and(|d| same(&d, &sha256(completion.code.expose())));
        let in_time = attempt.code_expires_at.is_some_and(|end| end > self.clock.now());
        let fault = match (right_code && customer.id == completion.customer, in_time) {
            (true, true) => None,
            (true, false) => Some(ConnectFault::StaleState),
            (false, _) => Some(ConnectFault::WrongFinisher),
        };
        if let Some(fault) = fault {
            self.fail_session(id, &fault).await?;
            self.give_back_unconfirmed(&attempt).await?;
            return Err(fault.into());
        }
        let sealed = attempt.code.as_ref().ok_or_else(|| Error::missing("a held code"))?;
        let code = self.secrets.open_code(attempt.environment, attempt.id, sealed).await?;
        let app = self.apps.load(attempt.app, attempt.connector_version).await?;
        let target = GrantTarget::of(&session, &attempt);
        let stored = if app.manifest.auth.asks().is_some() {
            let given = of_text(code.expose())?;
            self.store_given(&app, target, &given, StateReason::Consented).await
        } else if app.manifest.oauth2().is_some_and(|auth| auth.grant == Grant::DeviceCode) {
            let (grant, sent_at) = Held::open(&code)?;
            let grant = self.with_fields(&app, &target, &Brought::nothing(), grant).await?;
            self.store_grant(&app, target, grant, StateReason::Consented, sent_at).await
        } else {
            let brought = Brought::of_held(code, &app.manifest)?;
            self.exchange_code(&app, &attempt, &brought, target).await
        };
        match stored {
            Ok(connection) => self.connection_view(caller.environment, connection).await,
            Err(Error::Connect(fault)) => {
                self.fail_session(id, &fault).await?;
                Err(fault.into())
            }
            Err(error) => Err(error),
        }
    }

    /// A code that is not exchanged ends by itself; a grant that waited in its place has to be revoked.
    async fn give_back_unconfirmed(&self, attempt: &Attempt) -> Result<()> {
        let app = self.apps.load(attempt.app, attempt.connector_version).await?;
        let grant = app.manifest.oauth2().map(|auth| auth.grant);
        if let (Some(Grant::DeviceCode), Some(sealed)) = (grant, &attempt.code) {
            self.give_back_held(attempt, sealed).await?;
        }
        Ok(())
    }

    async fn fail_session(&self, id: ConnectSessionId, fault: &ConnectFault) -> Result<()> {
        let (from, to) = ([SessionStatus::AwaitingCompletion], SessionStatus::Failed);
        let changed = self.store.connect_session_set_status(id, &from, to, Some(&fault.to_string())).await?;
        if !changed {
            tracing::info!(session = %id, "a failed session had ended already");
        }
        Ok(())
    }
}
