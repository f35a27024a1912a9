//! The kill switch: an admin switches off a connection, or all of an app, a customer, a connector or the environment. Nothing
//! is sent for what is off and no token of it is served; a reply that was on its way is kept.
//!
//! Invariant: the hold is written down before the first connection is switched, so that whoever goes on with it after a crash,
//! and every grant that comes later, finds it. A lift spreads what is due again.

use crate::refresh::USUAL_RATE;
use crate::{Broker, Caller, Error, Listing, PageRequest, Result};
use mortise_domain::{
    ApiKeyId, ApiScope, AppId, ConnectionId, ConnectorId, CustomerId, EventId, HoldId, HoldScope, StateReason,
    Timestamp, smear,
};
use mortise_store::{Hold, NewHold, Reach, Switch, Waiting};
use serde_json::json;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// For how long somebody else finishes a lift that was interrupted.
const FINISHED_WITHIN: Duration = Duration::from_secs(3600);

/// What shall be switched off.
#[derive(Debug, Clone)]
pub struct HoldInput {
    /// How much.
    pub scope: HoldScope,
    /// Its id, of the kind that the scope has; for the environment its name.
    pub id: String,
    /// Why, for whoever finds it off.
    pub reason: String,
}

/// A hold as it is shown.
#[derive(Debug, Clone)]
pub struct HoldView {
    /// Its id.
    pub id: HoldId,
    /// How much is off.
    pub scope: HoldScope,
    /// What.
    pub target: String,
    /// Why.
    pub reason: String,
    /// The API key that switched it off.
    pub held_by: ApiKeyId,
    /// When.
    pub held_at: Timestamp,
    /// The API key that switched it on again.
    pub lifted_by: Option<ApiKeyId>,
    /// When.
    pub lifted_at: Option<Timestamp>,
}

impl From<Hold> for HoldView {
    fn from(hold: Hold) -> Self {
        let Hold { id, scope, name: target, reason, held_by, held_at, lifted_by, lifted_at, .. } = hold;
        Self { id, scope, target, reason, held_by, held_at, lifted_by, lifted_at }
    }
}

impl Broker {
    /// Switches off. When this answers, every connection that is reached is off, on every replica.
    pub async fn create_hold(&self, caller: &Caller, input: HoldInput) -> Result<HoldView> {
        caller.require(ApiScope::HoldsWrite)?;
        let reason = input.reason.trim();
        if !(1..=255).contains(&reason.chars().count()) || reason.chars().any(char::is_control) {
            return Err(Error::invalid("/reason", "use 1 to 255 characters without control characters"));
        }
        let reach = self.reach(caller, input.scope, &input.id).await?;
        let new = NewHold {
            id: HoldId::generate(&*self.clock, &*self.entropy),
            environment: caller.environment,
            reach,
            name: input.id.clone(),
            reason: reason.to_owned(),
            by: caller.key,
            at: self.clock.now(),
        };
        let hold = self.store.hold_insert(&new).await?;
        let held = self.apply(&hold).await?;
        tracing::warn!(hold = %hold.id, scope = %hold.scope, target = hold.name, by = %hold.held_by, held, "switched off");
        Ok(hold.into())
    }

    /// One hold.
    pub async fn hold(&self, caller: &Caller, id: HoldId) -> Result<HoldView> {
        caller.require(ApiScope::HoldsRead)?;
        Ok(self.hold_row(caller, id).await?.into())
    }

    /// The environment's holds, oldest first, lifted ones too.
    pub async fn list_holds(&self, caller: &Caller, page: &PageRequest) -> Result<Listing<HoldView>> {
        caller.require(ApiScope::HoldsRead)?;
        Ok(Listing::of(self.store.hold_list(caller.environment, page.read()?).await?, HoldView::from))
    }

    /// Switches on again what no other hold reaches. Lifting it once more changes nothing.
    pub async fn lift_hold(&self, caller: &Caller, id: HoldId) -> Result<()> {
        caller.require(ApiScope::HoldsWrite)?;
        let hold = self.hold_row(caller, id).await?;
        if self.store.hold_lift(caller.environment, id, caller.key, self.clock.now()).await? {
            tracing::warn!(hold = %id, scope = %hold.scope, target = hold.name, by = %caller.key, "switched on again");
        }
        self.finish(&hold).await.map(drop)
    }

    /// Makes holds reach what slipped through, and ends what was interrupted; answers how many connections were switched.
    pub async fn apply_holds(&self) -> Result<usize> {
        let mut switched = 0;
        for hold in self.store.holds_at_work(self.clock.now() - FINISHED_WITHIN).await? {
            switched += match hold.lifted_at {
                None => self.apply(&hold).await?,
                Some(_) => self.finish(&hold).await?,
            };
        }
        Ok(usize::try_from(switched).unwrap_or(usize::MAX))
    }

    async fn hold_row(&self, caller: &Caller, id: HoldId) -> Result<Hold> {
        self.store.hold_get(caller.environment, id).await?.ok_or(Error::NotFound("hold"))
    }

    async fn apply(&self, hold: &Hold) -> Result<u64> {
        Ok(self.store.connections_hold(&switch(hold), |at| self.event_id_at(at)).await?)
    }

    async fn finish(&self, hold: &Hold) -> Result<u64> {
        self.release(&switch(hold)).await
    }

    /// Switches on again what is held for a reason, spread over time as after an outage.
    pub(crate) async fn release(&self, switch: &Switch) -> Result<u64> {
        let waiting = self.store.connections_held(switch.reach, switch.reason).await?;
        let drain = Duration::from_secs(waiting / USUAL_RATE);
        let place = |waiting: Waiting| due(waiting, drain, self.entropy.fraction());
        Ok(self.store.connections_release(switch, place, |at| self.event_id_at(at)).await?)
    }

    pub(crate) fn event_id_at(&self, at: Timestamp) -> EventId {
        EventId::generate_at(at, &*self.entropy)
    }

    async fn reach(&self, caller: &Caller, scope: HoldScope, id: &str) -> Result<Reach> {
        let environment = caller.environment;
        let unknown = || Error::invalid("/id", "there is no such thing of this scope in this environment");
        let found = match scope {
            HoldScope::Environment => {
                let row = self.store.environment_by_key(environment).await?;
                row.filter(|row| row.name.as_str() == id).map(|row| Reach::Environment(row.key))
            }
            HoldScope::Connector => {
                let row = self.store.connector_get(environment, &named::<ConnectorId>(id)?, None).await?;
                row.map(|row| Reach::Connector(row.key))
            }
            HoldScope::App => {
                self.store.app_get(environment, &named::<AppId>(id)?).await?.map(|row| Reach::App(row.key))
            }
            HoldScope::Customer => {
                let row = self.store.customer_get(environment, &named::<CustomerId>(id)?).await?;
                row.map(|row| Reach::Customer(row.key))
            }
            HoldScope::Connection => {
                let row = self.store.connection_get(environment, named::<ConnectionId>(id)?).await?;
                row.map(|row| Reach::Connection(row.id))
            }
        };
        found.ok_or_else(unknown)
    }
}

fn switch(hold: &Hold) -> Switch {
    let detail = json!({"hold": hold.id, "scope": hold.scope, "reason": hold.reason});
    Switch { reach: hold.reach, reason: StateReason::HeldByAdmin, detail }
}

fn named<T: FromStr<Err: Display>>(id: &str) -> Result<T> {
    id.parse().map_err(|error: T::Err| Error::invalid("/id", error.to_string()))
}

/// When a connection that is switched on again is due: some time before what it holds ends. Without a refresh token nothing
/// can be done before the end; and where no end is known, nothing is due.
fn due(waiting: Waiting, drain: Duration, fraction: f64) -> Option<Timestamp> {
    if !waiting.refreshable {
        return waiting.expires_at;
    }
    let end = [waiting.expires_at, waiting.refresh_idle_at].into_iter().flatten().min()?;
    let remaining = (end - waiting.now).to_std().unwrap_or_default();
    Some(smear(waiting.now, remaining, drain, fraction))
}
