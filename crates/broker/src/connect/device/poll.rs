//! Asking the provider what became of a user code, at the provider's pace.

use super::super::brought::Brought;
use super::super::exchange::GrantTarget;
use super::held::Held;
use crate::loaded::LoadedApp;
use crate::refresh::Apps as _;
use crate::{Broker, ConnectFault, Error, Result};
use mortise_domain::{FinisherCheck, Sealed, StateReason, Timestamp, TokenGrant};
use mortise_oauth::{DeviceAnswer, Failure, FailureClass, device_token, request_device_token};
use mortise_store::{Attempt, ClaimedPoll, ConnectSession, SessionStatus};
use std::time::Duration;

/// How many flows are asked about at once.
const AT_ONCE: u32 = 32;
/// How long a claimed flow is nobody else's: a request with its deadline, and what is stored after it.
const LEASE: Duration = Duration::from_secs(90);
/// No provider that is silent is asked less often (seconds).
const SLOWEST: u32 = 60;
/// What is noted where the provider gives no error code of its own.
const NO_CODE: &str = "no_error_code";
/// What is noted where a repair brought another account.
const OTHER_ACCOUNT: &str = "account_mismatch";

impl Broker {
    /// Asks about every user code whose time has come, once; answers how many there were. What nobody confirmed in time is
    /// revoked.
    pub async fn poll_devices(&self) -> Result<usize> {
        let claimed = self.store.device_claim(AT_ONCE, LEASE).await?;
        let polls = claimed.iter().map(|flow| async move {
            if let Err(error) = self.poll_device(flow).await {
                tracing::error!(attempt = %flow.attempt.id, error = ?error, "a device flow could not be asked about");
            }
        });
        futures_util::future::join_all(polls).await;
        let abandoned = self.store.device_grants_abandoned(AT_ONCE).await?;
        for (attempt, sealed) in &abandoned {
            // Nobody asks for it again: what cannot be given back keeps no other one from it.
            if let Err(error) = self.give_back_held(attempt, sealed).await {
                tracing::error!(attempt = %attempt.id, error = ?error, "a grant that nobody confirmed could not be given back");
            }
        }
        Ok(claimed.len() + abandoned.len())
    }

    /// Revokes a grant that waited to be confirmed.
    pub(in super::super) async fn give_back_held(&self, attempt: &Attempt, sealed: &Sealed) -> Result<()> {
        let app = self.apps.load(attempt.app, attempt.connector_version).await?;
        let code = self.secrets.open_code(attempt.environment, attempt.id, sealed).await?;
        self.give_back(&app, &attempt.variables, &Held::open(&code)?.0).await;
        Ok(())
    }

    async fn poll_device(&self, flow: &ClaimedPoll) -> Result<()> {
        let attempt = &flow.attempt;
        if attempt.consumed_at.is_some() || attempt.expires_at <= self.clock.now() {
            return self.end_poll(flow, Some("expired_token")).await;
        }
        let app = self.apps.load(attempt.app, attempt.connector_version).await?;
        let code = &self.device_code(attempt).await?;
        let sent_at = self.clock.now();
        let (provider, manifest) = (&app.provider(&attempt.variables), &app.manifest);
        let answer = app.as_client(|client| async move {
            let request = device_token(provider, &client, code)?;
            Ok(request_device_token(&*self.transport, request, manifest).await)
        });
        match answer.await? {
            Ok(DeviceAnswer::Pending) => self.poll_again(flow, flow.poll.interval).await,
            Ok(DeviceAnswer::SlowDown(more)) => self.poll_again(flow, flow.poll.interval.saturating_add(more)).await,
            Ok(DeviceAnswer::Denied) => self.end_poll(flow, Some("access_denied")).await,
            Ok(DeviceAnswer::Expired) => self.end_poll(flow, Some("expired_token")).await,
            Ok(DeviceAnswer::Granted(grant)) => self.device_granted(flow, &app, *grant, sent_at).await,
            Err(failure) => self.poll_failed(flow, &failure).await,
        }
    }

    /// RFC 8628 section 3.5: a provider that does not answer is asked less and less often; one that refuses, never again.
    async fn poll_failed(&self, flow: &ClaimedPoll, failure: &Failure) -> Result<()> {
        match failure.class {
            FailureClass::NotSent | FailureClass::Ambiguous | FailureClass::Throttled => {
                let asked = failure.retry_after.map_or(0, |wait| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX));
                let slower = flow.poll.interval.saturating_mul(2).min(SLOWEST.max(flow.poll.interval));
                tracing::info!(attempt = %flow.attempt.id, %failure, "a device flow is asked about less often");
                self.poll_again(flow, slower.max(asked)).await
            }
            FailureClass::AppMisconfigured | FailureClass::GrantRejected | FailureClass::Unknown => {
                tracing::warn!(attempt = %flow.attempt.id, %failure, "a device flow was refused");
                self.end_poll(flow, Some(failure.error.as_deref().unwrap_or(NO_CODE))).await
            }
        }
    }

    async fn poll_again(&self, flow: &ClaimedPoll, interval: u32) -> Result<()> {
        Ok(self.store.device_poll_again(flow, interval).await.map(drop)?)
    }

    async fn end_poll(&self, flow: &ClaimedPoll, failure: Option<&str>) -> Result<()> {
        Ok(self.store.device_poll_end(flow, failure).await.map(drop)?)
    }

    /// Stores the grant, or keeps it until the backend has confirmed who came back. What came too late is given back.
    async fn device_granted(
        &self,
        flow: &ClaimedPoll,
        app: &LoadedApp,
        grant: TokenGrant,
        sent_at: Timestamp,
    ) -> Result<()> {
        let attempt = &flow.attempt;
        let session = self.store.connect_session_get(attempt.environment, attempt.session).await?;
        let open = session.filter(|session| session.status == SessionStatus::Open);
        let consumed = open.is_some() && self.store.attempt_consume(attempt.id, self.clock.now()).await?;
        let Some(session) = open.filter(|_| consumed) else {
            self.give_back(app, &attempt.variables, &grant).await;
            return self.end_poll(flow, Some("expired_token")).await;
        };
        let environment = self.environment(session.environment).await?;
        if environment.settings.finisher_check == FinisherCheck::Required {
            self.hold_grant(flow, app, &session, grant, sent_at).await?;
        } else {
            let target = GrantTarget::of(&session, attempt);
            let grant = self.with_fields(app, &target, &Brought::nothing(), grant).await?;
            match self.store_grant(app, target, grant, StateReason::Consented, sent_at).await {
                Err(Error::Connect(ConnectFault::OtherAccount)) => {
                    return self.end_poll(flow, Some(OTHER_ACCOUNT)).await;
                }
                stored => drop(stored?),
            }
        }
        self.end_poll(flow, None).await
    }

    async fn hold_grant(
        &self,
        flow: &ClaimedPoll,
        app: &LoadedApp,
        session: &ConnectSession,
        grant: TokenGrant,
        sent_at: Timestamp,
    ) -> Result<()> {
        let attempt = &flow.attempt;
        let held = Held::seal(&grant, sent_at)?;
        let sealed = self.secrets.seal_code(attempt.environment, attempt.id, &held).await?;
        self.store.attempt_hold_code(attempt.id, &sealed, &flow.poll.completion_digest, attempt.expires_at).await?;
        let (open, waiting) = ([SessionStatus::Open], SessionStatus::AwaitingCompletion);
        if !self.store.connect_session_set_status(session.id, &open, waiting, None).await?
            && self.store.attempt_take_code(attempt.id).await?
        {
            self.give_back(app, &attempt.variables, &grant).await;
        }
        Ok(())
    }
}
