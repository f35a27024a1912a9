//! What the builds that are wrong on purpose do; `mortise_store` names them and chooses one.
//!
//! Invariant: without the feature `known-bad` there is nothing here, and [`known_bad!`] is no code at all.

/// What the build called `$variant` does wrong, in front of what is right.
macro_rules! known_bad {
    ($variant:ident => $wrong:expr) => {
        #[cfg(feature = "known-bad")]
        if mortise_store::KnownBad::$variant.is_built() {
            $wrong
        }
    };
}

#[cfg(feature = "known-bad")]
pub(crate) use wrong::{by_wall_clock, compare_clocks, forgiven, store_later, ten_seconds};

#[cfg(feature = "known-bad")]
mod wrong {
    use crate::connect::GrantTarget;
    use crate::loaded::LoadedApp;
    use crate::refresh::core::{Event, Refusal};
    use crate::{Broker, ConnectFault, Result};
    use mortise_domain::{AuthorizationCode, Clock, ConnectionId, LeaseOwner, StateReason};
    use mortise_oauth::{FailureClass, code_exchange, request_token};
    use mortise_store::{Attempt, ClaimTerms, Claimed, CommitOutcome, Doubt, Ledger, NewEvent, RefreshResult};
    use std::cell::Cell;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio_util::task::TaskTracker;

    thread_local! {
        /// How far, in milliseconds, somebody's clock was ahead of the database's at the last claim.
        static AHEAD: Cell<Option<(LeaseOwner, i64)>> = const { Cell::new(None) };
    }

    pub(crate) fn ten_seconds(right: ClaimTerms) -> ClaimTerms {
        ClaimTerms { lease: Duration::from_secs(10), attempt: Duration::from_secs(9), ..right }
    }

    pub(crate) fn compare_clocks(owner: LeaseOwner, claimed: &Claimed, clock: &dyn Clock) {
        AHEAD.set(Some((owner, (clock.now() - claimed.now).num_milliseconds())));
    }

    /// The terms after which the lease ends when the claimer's own clock says so.
    pub(crate) fn by_wall_clock(right: ClaimTerms) -> ClaimTerms {
        let ahead = AHEAD.get().filter(|(owner, _)| *owner == right.owner).map_or(0, |(_, ahead)| ahead);
        let shifted = |right: Duration| {
            let millis = i64::try_from(right.as_millis()).unwrap_or(i64::MAX).saturating_add(ahead);
            Duration::from_millis(u64::try_from(millis).unwrap_or_default())
        };
        ClaimTerms { lease: shifted(right.lease), attempt: shifted(right.attempt), owner: right.owner }
    }

    /// Says that a pair is stored, and stores it.
    pub(crate) fn store_later(ledger: &Arc<dyn Ledger>, result: RefreshResult, event: NewEvent) -> Event {
        let ledger = ledger.clone();
        TaskTracker::new().spawn(async move {
            if let Err(error) = ledger.refresh_commit(&result, event).await {
                tracing::error!(%error, "a pair that was told of is not stored");
            }
        });
        Event::Committed(CommitOutcome::Committed)
    }

    /// As if a request that broke off had ended at the provider, too.
    pub(crate) fn forgiven(refusal: &Refusal, unresolved: bool) -> Doubt {
        if refusal.class == FailureClass::Ambiguous || unresolved { Doubt::Processed } else { Doubt::None }
    }

    impl Broker {
        /// Sends a code a second time.
        pub(crate) async fn exchange_again(
            &self,
            app: &LoadedApp,
            attempt: &Attempt,
            code: &AuthorizationCode,
            target: GrantTarget<'_>,
        ) -> Result<ConnectionId> {
            let verifier = self.secrets.open_verifier(attempt.environment, attempt.id, &attempt.verifier).await?;
            let request = code_exchange(&app.provider(target.values), &app.client(), code, &verifier)?;
            let sent_at = self.clock.now();
            let grant = request_token(&*self.transport, request, &app.manifest).await;
            let grant =
                grant.map_err(|failure| ConnectFault::Exchange { class: failure.class, code: failure.error })?;
            self.store_grant(app, target, grant, StateReason::Consented, sent_at).await
        }
    }
}
