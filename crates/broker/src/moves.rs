//! Moving an app's connections to another version of its connector: a few first, then the others in batches, and everything
//! back by itself when those that were moved fail more often than those that were not.
//!
//! Invariant: what a move may do is decided before it begins: the same kind of grant, the same issuer, and no secret or
//! token to a host that whoever begins it has not named. Deliberately absent: a choice of connections; it is all of an app's.

mod check;
mod drive;

use crate::hosts::Reached;
use crate::refresh::Apps as _;
use crate::{Broker, Caller, Error, Fault, Listing, PageRequest, Result};
use mortise_connectors::Manifest;
use mortise_domain::{
    ApiKeyId, ApiScope, AppId, AppState, ClientSecret, ConnectorId, MoveEvidence, MoveId, MoveReason, MoveStage,
    MoveState, MoveTerms, Timestamp,
};
use mortise_store::{App, Move, NewMove, StoreError};
use std::collections::BTreeSet;

/// A move to be.
#[derive(Debug)]
pub struct MoveInput {
    /// Whose connections.
    pub app: AppId,
    /// Where to; `None`: the newest version that is not retired.
    pub to_version: Option<i32>,
    /// How.
    pub terms: MoveTerms,
    /// The app's secret once more, where it would go to a host that it was not entered for.
    pub client_secret: Option<ClientSecret>,
    /// Hosts that the new version reaches and the one before does not.
    pub accept_hosts: BTreeSet<String>,
}

/// A move as it is shown.
#[derive(Debug, Clone)]
pub struct MoveView {
    /// Its id.
    pub id: MoveId,
    /// Whose connections.
    pub app: AppId,
    /// Between versions of this connector.
    pub connector: ConnectorId,
    /// What the app was pinned to when it began.
    pub from_version: i32,
    /// Where to.
    pub to_version: i32,
    /// Where it is.
    pub state: MoveState,
    /// How far it has come.
    pub stage: MoveStage,
    /// Why it is paused, or was taken back.
    pub reason: Option<MoveReason>,
    /// How.
    pub terms: MoveTerms,
    /// How many go first.
    pub canary: u64,
    /// What is known of its connections: now, or when it ended.
    pub known: MoveEvidence,
    /// The API key that began it.
    pub begun_by: ApiKeyId,
    /// When.
    pub begun_at: Timestamp,
    /// When its stage began.
    pub stage_since: Timestamp,
    /// When it ended; `None`: it stands.
    pub finished_at: Option<Timestamp>,
}

/// What an admin may say of a move that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveOrder {
    /// Move nothing on, and watch what was moved.
    Pause,
    /// Go on. Where too little was known to go on by itself, that is decided hereby.
    Resume,
    /// Take everything back.
    RollBack,
}

impl Broker {
    /// Begins a move. Nothing is moved yet when this answers.
    pub async fn create_move(&self, caller: &Caller, input: MoveInput) -> Result<MoveView> {
        caller.require(ApiScope::AppsWrite)?;
        check_terms(&input.terms)?;
        let found = self.store.app_get(caller.environment, &input.app).await?;
        let mut app =
            found.ok_or_else(|| Error::invalid("/app", "no app of this id is registered in this environment"))?;
        if app.state == AppState::Held {
            let why = "the provider refuses the app's client, so nothing could be told from a renewal: mend that first";
            return Err(Error::InUse { what: "app", why });
        }
        let version = match input.to_version {
            Some(version) => version,
            None => self.newest_usable(caller, &app.connector_id).await?,
        };
        self.check_move(&app, version, &input).await?;
        if input.client_secret.is_some() && app.previous_secret.is_some() {
            // The one before was never entered for the new hosts.
            (app.previous_secret, app.previous_secret_expires_at) = (None, None);
            app = self.store.app_update(app.revision, &app).await?;
            self.apps.forget(&app).await;
        }
        let new = NewMove {
            id: MoveId::generate(&*self.clock, &*self.entropy),
            environment: caller.environment,
            app: app.key,
            to_version: version,
            terms: input.terms,
            by: caller.key,
        };
        let begun = self.store.move_begin(&new).await.map_err(not_begun)?;
        tracing::info!(moving = %begun.id, app = %app.id, to = version, by = %caller.key, "a move began");
        self.move_view(begun).await
    }

    /// One move.
    pub async fn get_move(&self, caller: &Caller, id: MoveId) -> Result<MoveView> {
        caller.require(ApiScope::AppsRead)?;
        let row = self.move_row(caller, id).await?;
        self.move_view(row).await
    }

    /// The environment's moves, or those of one app, oldest first.
    pub async fn list_moves(
        &self,
        caller: &Caller,
        app: Option<&AppId>,
        page: &PageRequest,
    ) -> Result<Listing<MoveView>> {
        caller.require(ApiScope::AppsRead)?;
        let app = match app {
            Some(id) => match self.store.app_get(caller.environment, id).await? {
                Some(row) => Some(row.key),
                None => return Ok(Listing { items: Vec::new(), next_cursor: None }),
            },
            None => None,
        };
        let (rows, next) = self.store.move_list(caller.environment, app, page.read()?).await?;
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            views.push(self.move_view(row).await?);
        }
        Ok(Listing::of((views, next), |view| view))
    }

    /// The environment's moves that have not ended.
    pub async fn standing_moves(&self, caller: &Caller) -> Result<Vec<MoveView>> {
        caller.require(ApiScope::AppsRead)?;
        let standing = self.store.moves_at_work().await?.into_iter();
        let mut views = Vec::new();
        for row in standing.filter(|row| row.environment == caller.environment) {
            views.push(self.move_view(row).await?);
        }
        Ok(views)
    }

    /// Pauses, resumes or takes back. What is so already stays so; what has ended cannot be changed.
    pub async fn order_move(&self, caller: &Caller, id: MoveId, order: MoveOrder) -> Result<MoveView> {
        caller.require(ApiScope::AppsWrite)?;
        let row = self.move_row(caller, id).await?;
        let (state, stage, reason) = match (order, row.state) {
            (_, MoveState::Completed | MoveState::RolledBack) => {
                let why = "it has ended: begin another one";
                return Err(Error::InUse { what: "move", why });
            }
            (MoveOrder::Pause | MoveOrder::Resume, MoveState::RollingBack) => {
                return Err(Error::InUse { what: "move", why: "it is being taken back: wait for its end" });
            }
            (MoveOrder::RollBack, MoveState::RollingBack)
            | (MoveOrder::Pause, MoveState::Paused)
            | (MoveOrder::Resume, MoveState::Running) => return self.move_view(row).await,
            (MoveOrder::Pause, MoveState::Running) => (MoveState::Paused, row.stage, Some(MoveReason::Requested)),
            (MoveOrder::Resume, MoveState::Paused) => (MoveState::Running, resumed(&row), None),
            (MoveOrder::RollBack, MoveState::Running | MoveState::Paused) => {
                (MoveState::RollingBack, row.stage, Some(MoveReason::Requested))
            }
        };
        if !self.store.move_change(&row, state, stage, reason).await? {
            return Err(Error::Stale("move"));
        }
        tracing::info!(moving = %id, state = state.as_str(), by = %caller.key, "a move was told what to do");
        let row = self.move_row(caller, id).await?;
        self.move_view(row).await
    }

    async fn move_row(&self, caller: &Caller, id: MoveId) -> Result<Move> {
        self.store.move_get(caller.environment, id).await?.ok_or(Error::NotFound("move"))
    }

    async fn move_view(&self, row: Move) -> Result<MoveView> {
        let app = self.store.app_by_key(row.app).await?.ok_or_else(|| Error::missing("the app of a move"))?;
        let known = match row.outcome {
            Some(known) => known,
            None => self.store.move_evidence(&row).await?,
        };
        Ok(MoveView {
            id: row.id,
            app: app.id,
            connector: app.connector_id,
            from_version: row.from_version,
            to_version: row.to_version,
            state: row.state,
            stage: row.stage,
            reason: row.reason,
            terms: row.terms,
            canary: row.canary,
            known,
            begun_by: row.begun_by,
            begun_at: row.begun_at,
            stage_since: row.stage_since,
            finished_at: row.finished_at,
        })
    }

    /// Everything that would make connections fail for sure, or send what they hold to somebody who does not have it yet.
    async fn check_move(&self, app: &App, version: i32, input: &MoveInput) -> Result<()> {
        if self.store.connector_by_key(app.connector, version).await?.is_none() {
            return Err(Error::invalid("/to_version", "the app's connector has no such version"));
        }
        let to = self.apps.manifest(app, version).await?;
        let mut spoken = self.store.versions_spoken(app.key).await?;
        if app.connector_version == version && spoken.iter().all(|spoken| *spoken == version) {
            return Err(Error::invalid("/to_version", "the app and all of its connections speak this version already"));
        }
        spoken.insert(app.connector_version);
        spoken.remove(&version);
        let fixed = &app.settings.variables;
        let reached = Reached::of(&to, fixed);
        let (mut new_hosts, mut for_the_secret) = (BTreeSet::new(), false);
        for version in spoken {
            let from = self.apps.manifest(app, version).await?;
            check::check(&from, &to, fixed)?;
            let before = Reached::of(&from, fixed);
            new_hosts.extend(reached.beyond(&before));
            for_the_secret |= !reached.beyond_secret(&before).is_empty();
        }
        self.check_proof(app, &to).await?;
        refuse_unnamed(&new_hosts, &input.accept_hosts)?;
        if for_the_secret && app.secret.is_some() {
            self.same_secret(app, input.client_secret.as_ref()).await?;
        } else if input.client_secret.is_some() {
            let why = "no secret would go to a host that it was not entered for: leave it out";
            return Err(Error::invalid("/client_secret", why));
        }
        Ok(())
    }

    /// The app's secret has to prove its client in the new version too, and one that only signs must not be sent there.
    async fn check_proof(&self, app: &App, to: &Manifest) -> Result<()> {
        if to.auth.proves_client() && app.secret.is_none() {
            let why =
                "its clients prove themselves by a secret, and the app has none: replace the app with one that has";
            return Err(Error::invalid("/to_version", why));
        }
        self.refuse_other_proof(app, to).await.map_err(|error| match error {
            Error::Invalid(faults) => {
                let of_version = |fault: Fault| Fault {
                    pointer: "/to_version".into(),
                    detail: format!(
                        "its clients prove themselves by something else than the app's secret: {}",
                        fault.detail
                    ),
                };
                Error::Invalid(faults.into_iter().map(of_version).collect())
            }
            error => error,
        })
    }

    /// Whoever sends a secret somewhere new knows it.
    async fn same_secret(&self, app: &App, given: Option<&ClientSecret>) -> Result<()> {
        let why = "the app's secret would go to a host that it was not entered for: send it once more. To change it, \
                   replace the app first";
        let wrong = || Error::invalid("/client_secret", why);
        let given = given.ok_or_else(wrong)?;
        let Some(sealed) = &app.secret else { return Ok(()) };
        let same = self.secrets.is_client_secret(app.environment, app.key, sealed, given).await?;
        if same { Ok(()) } else { Err(wrong()) }
    }

    pub(crate) async fn newest_usable(&self, caller: &Caller, connector: &ConnectorId) -> Result<i32> {
        let newest = self.store.newest_usable(caller.environment, connector).await?;
        newest.ok_or_else(|| Error::invalid("/connector", "no version of this connector is in use: all are retired"))
    }

    /// Whether an app of connections that hold tokens would reach other hosts with another manifest.
    pub(crate) async fn moves_hosts(
        &self,
        app: &App,
        to: &Manifest,
        settings: &mortise_store::AppSettings,
    ) -> Result<bool> {
        let from = self.apps.manifest(app, app.connector_version).await?;
        let before = Reached::of(&from, &app.settings.variables);
        Ok(!Reached::of(to, &settings.variables).beyond_secret(&before).is_empty())
    }
}

/// Where too little was known, going on is going on with all.
fn resumed(row: &Move) -> MoveStage {
    if row.reason == Some(MoveReason::TooLittleEvidence) { MoveStage::Rest } else { row.stage }
}

fn refuse_unnamed(new: &BTreeSet<String>, named: &BTreeSet<String>) -> Result<()> {
    let fault = |detail: String| Fault { pointer: "/accept_hosts".into(), detail };
    let unnamed = new.difference(named).map(|host| {
        fault(format!("the new version reaches `{host}`, which the connections did not: name it, if it may be trusted"))
    });
    let needless = named.difference(new).map(|host| fault(format!("the new version does not reach `{host}` anew")));
    let faults: Vec<_> = unnamed.chain(needless).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

fn check_terms(terms: &MoveTerms) -> Result<()> {
    let MoveTerms { canary_percent, minimum_sample, tolerance_percent, batch_size, batch_interval, .. } = *terms;
    let limits = [
        ("canary_percent", canary_percent, 1, 100),
        ("minimum_sample", minimum_sample, 1, 10_000),
        ("tolerance_percent", tolerance_percent, 0, 50),
        ("batch_size", batch_size, 1, 500),
        ("batch_interval", batch_interval, 0, 86_400),
    ];
    let wrong = limits.iter().filter(|(_, value, least, most)| !(least..=most).contains(&value));
    let fault = |(name, _, least, most): &(&str, u32, u32, u32)| Fault {
        pointer: format!("/{name}"),
        detail: format!("use a number from {least} to {most}"),
    };
    let faults: Vec<_> = wrong.map(fault).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

fn not_begun(error: StoreError) -> Error {
    match error {
        StoreError::Conflict(_) => Error::InUse {
            what: "app",
            why: "its connections are being moved already: wait for the end, or take that back",
        },
        StoreError::InUse(_) => Error::invalid("/to_version", "this version is retired"),
        StoreError::Missing(_) => Error::Stale("app"),
        error => error.into(),
    }
}
