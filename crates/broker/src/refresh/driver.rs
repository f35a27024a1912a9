//! One attempt: executes what the core decides, and tells it what came of it.

mod exchange;
mod keep;
mod scopes;
mod several;
mod tell;

use super::core::{At, Attempt, Effect, End, Event, Granted, Rules, Standing, State, step};
use super::{Came, Cause, Ended, Engine, Lesson, Reason, Stored};
use crate::loaded::LoadedApp;
use crate::refresh::trust::UnderWay;
use crate::sealing::{Place, blames_the_row};
use crate::spill::{SpilledRefresh, Ticket};
use crate::{Error, Internal, Renewal, Result};
use mortise_domain::{RefreshToken, TokenGrant};
use mortise_oauth::Failure;
use mortise_store::Claimed;
use several::Several;
use std::sync::Arc;
use std::time::Duration;

/// A claimed attempt with what it holds in its hands.
pub(super) struct Drive<'a> {
    engine: &'a Engine,
    claimed: &'a Claimed,
    under_way: &'a UnderWay,
    app: Arc<LoadedApp>,
    cause: Cause,
    /// Monotonic time before the claim: what is sent until when counts from here.
    claimed_at: Duration,
    /// Monotonic time after the claim: the database's time is carried on from here, so that tokens end early rather than
    /// late where the claim took long.
    answered_at: Duration,
    /// What is presented; `None`: the client's own credentials.
    credential: Option<Renewal>,
    /// How long the last request took.
    took: Option<Duration>,
    grant: Option<TokenGrant>,
    /// What of the answer decisions depend on.
    granted: Option<Granted>,
    /// The connection's tokens, where it has several.
    several: Several,
    /// A refresh token that came without an access token.
    alone: Option<RefreshToken>,
    failure: Option<Failure>,
    /// Until when a key is waited for with a grant in hand: once for all that needs one, because the lease has room for no
    /// more.
    patience: Option<Duration>,
    pair: Option<SpilledRefresh>,
    ticket: Option<Ticket>,
}

impl Engine {
    /// Runs a claimed attempt to its end. Never fails: what goes wrong is an outcome, and what nobody foresaw is logged
    /// and left for the lease to end. With it comes what is to be learnt of the new token.
    pub(super) async fn run(
        &self,
        claimed: Claimed,
        cause: Cause,
        claimed_at: Duration,
        under_way: &UnderWay,
    ) -> (Ended, Option<Lesson>) {
        let answered_at = self.seams.clock.monotonic();
        known_bad!(WallClockLease => crate::known_bad::compare_clocks(self.owner, &claimed, &*self.seams.clock));
        let row = &claimed.connection;
        let app = match self.noted(self.seams.apps.load(row.app, row.connector_version).await) {
            Ok(app) => app,
            Err(error) => {
                tracing::error!(connection = %row.id, attempt = %claimed.attempt, error = ?error, "a refresh was interrupted");
                return (Ended::Interrupted, None);
            }
        };
        let drive = Drive {
            engine: self,
            claimed: &claimed,
            under_way,
            app,
            cause,
            claimed_at,
            answered_at,
            credential: None,
            took: None,
            grant: None,
            granted: None,
            several: Several::default(),
            alone: None,
            failure: None,
            pair: None,
            patience: None,
            ticket: None,
        };
        drive.drive_on().await
    }
}

impl Drive<'_> {
    async fn drive_on(mut self) -> (Ended, Option<Lesson>) {
        let mut attempt = Attempt {
            rules: Rules::from(&self.app.manifest.auth),
            standing: Standing::of(self.claimed, &self.app.manifest.auth),
            send_until: self.claimed_at + self.engine.config.attempt(),
            clients: self.app.clients().len(),
            probe: self.is_probe(),
        };
        let (mut state, mut event) = (State::Claimed, Event::Begin);
        loop {
            let (next, effects) = step(&attempt, state, self.moment(), event);
            event = Event::Faulted;
            for effect in effects {
                if let Some(answer) = self.execute(effect).await {
                    event = answer;
                }
            }
            state = next;
            // Only now it is known what there is to renew with.
            if matches!((&event, &self.credential), (Event::Opened, Some(Renewal::Credentials(_)))) {
                attempt.rules = attempt.rules.of_minting();
            }
            if let State::Ended(end) = state {
                let lesson = if end == End::Refreshed { self.lesson(attempt.standing) } else { None };
                return (self.ended(end), lesson);
            }
        }
    }

    /// The database's time, carried on by a clock that nobody sets.
    fn moment(&self) -> At {
        let seams = &self.engine.seams;
        let elapsed = seams.clock.monotonic();
        At { now: self.claimed.now + (elapsed - self.answered_at), elapsed, fraction: seams.entropy.fraction() }
    }

    async fn execute(&mut self, effect: Effect) -> Option<Event> {
        let done = match effect {
            Effect::Open(credential) => self.open(credential).await,
            Effect::Send { client, deadline, .. } => self.send(client, deadline).await,
            Effect::LookAtApp => self.look_at_app().await,
            Effect::Spill(pair) => self.spill(pair).await,
            Effect::Commit(_) => self.commit().await,
            Effect::RevokePair => self.revoke_pair().await,
            Effect::Record(plan) => self.record(plan).await,
            Effect::GiveUp { reason, why } => self.give_up(reason, why).await,
            Effect::Quarantine => self.quarantine().await,
            Effect::Report(class) => {
                self.report(class).await;
                return None;
            }
            Effect::HoldApp => self.hold_app().await.map(|()| None),
            Effect::Wait(pause) => {
                tokio::time::sleep(pause).await;
                return None;
            }
            Effect::SettleSpill => {
                self.settle().await;
                return None;
            }
            Effect::WarnOfDoubleRefresh => {
                let (id, attempt) = (self.claimed.connection.id, self.claimed.attempt);
                tracing::error!(connection = %id, %attempt, "double refresh: a later generation is stored");
                metrics::counter!("mortise_double_refreshes_total").increment(1);
                return None;
            }
            Effect::Astray => {
                tracing::error!(connection = %self.claimed.connection.id, "the refresh engine contradicted itself");
                return None;
            }
        };
        self.heard(done)
    }

    /// What a failed effect means to the core.
    fn heard(&self, done: Result<Option<Event>>) -> Option<Event> {
        match self.engine.noted(done) {
            Ok(event) => event,
            Err(Error::Unavailable(error)) => {
                tracing::warn!(connection = %self.claimed.connection.id, %error, "the database is away during a refresh");
                Some(Event::DatabaseAway)
            }
            Err(Error::Internal(Internal::Vault(error))) if blames_the_row(&error) => Some(Event::Unreadable),
            Err(error) => {
                let (id, attempt) = (self.claimed.connection.id, self.claimed.attempt);
                tracing::error!(connection = %id, %attempt, error = ?error, "a refresh was interrupted");
                Some(Event::Faulted)
            }
        }
    }

    fn is_probe(&self) -> bool {
        self.cause.reason == Reason::Probe
    }

    fn place(&self, generation: i64) -> Place {
        let row = &self.claimed.connection;
        Place { environment: row.environment, connection: row.id, generation }
    }

    /// What the provider is to be asked about a token that is stored now: its end, where nobody said.
    fn lesson(&mut self, standing: Standing) -> Option<Lesson> {
        self.app.manifest.oauth2()?.introspection_url.as_ref()?;
        let (row, granted) = (&self.claimed.connection, self.granted?);
        if self.pair.as_ref()?.expires_at.is_some() {
            return None;
        }
        Some(Lesson {
            app: self.app.clone(),
            token: self.grant.take()?.access_token,
            of: Stored {
                environment: row.environment,
                connection: row.id,
                family: row.family,
                generation: row.generation + 1,
                variables: row.variables.clone(),
                granted,
                came: Came::Refreshed(Box::new(standing)),
            },
        })
    }

    fn ended(self, end: End) -> Ended {
        if end == End::Interrupted {
            self.count_what_is_lost();
        }
        match (end, self.failure) {
            (End::Refreshed, _) => Ended::Refreshed,
            (End::Moved, _) => Ended::Moved,
            (End::Unusable, _) => Ended::Unusable,
            (End::Failed, Some(failure)) => Ended::Failed(Arc::new(failure)),
            (End::Failed, None) => Ended::Failed(Arc::new(Failure::deadline_before_sending())),
            (End::Interrupted, _) => Ended::Interrupted,
        }
    }
}
