//! Holds: what an admin switched off. A hold is a line here and a state of every connection that it reaches.
//!
//! Invariant: a connection that is held keeps its lease and its attempt, so that a reply on its way still finds its place
//! and nobody asks a second time before it is over; it is never due, and no token of it is served. Deliberately absent:
//! who may hold what.

mod switch;

use crate::entity::holds::{ActiveModel, Column, Entity, Model};
use crate::row::{Reading, short};
use crate::{Page, Result, Store, StoreError, time};
use mortise_domain::{
    ApiKeyId, AppKey, ConnectionId, ConnectorKey, CustomerKey, EnvironmentKey, HoldId, HoldScope, Timestamp,
};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
};
use uuid::Uuid;

pub use switch::{Switch, Waiting};

/// Which connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All of an environment.
    Environment(EnvironmentKey),
    /// All at the apps of a connector.
    Connector(ConnectorKey),
    /// All at an app.
    App(AppKey),
    /// Those at an app that were made with this version of its connector.
    Version(AppKey, i32),
    /// All of a customer.
    Customer(CustomerKey),
    /// One.
    Connection(ConnectionId),
}

/// A hold to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    /// Its id.
    pub id: HoldId,
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// What it reaches; a [`Reach::Version`] is no admin's business and counts as its app.
    pub reach: Reach,
    /// What that is called outside.
    pub name: String,
    /// Why, in the admin's words; cut at 255 characters.
    pub reason: String,
    /// By whom.
    pub by: ApiKeyId,
    /// When.
    pub at: Timestamp,
}

/// A hold, standing or lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// How much it switches off.
    pub scope: HoldScope,
    /// What it reaches.
    pub reach: Reach,
    /// What that is called outside.
    pub name: String,
    /// Why, in the admin's words.
    pub reason: String,
    /// By whom.
    pub held_by: ApiKeyId,
    /// Since when.
    pub held_at: Timestamp,
    /// Who lifted it.
    pub lifted_by: Option<ApiKeyId>,
    /// When; `None`: it stands.
    pub lifted_at: Option<Timestamp>,
}

impl Reach {
    const fn stored(self) -> (HoldScope, Uuid) {
        match self {
            Self::Environment(key) => (HoldScope::Environment, key.as_uuid()),
            Self::Connector(key) => (HoldScope::Connector, key.as_uuid()),
            Self::App(key) | Self::Version(key, _) => (HoldScope::App, key.as_uuid()),
            Self::Customer(key) => (HoldScope::Customer, key.as_uuid()),
            Self::Connection(id) => (HoldScope::Connection, id.as_uuid()),
        }
    }

    const fn read(scope: HoldScope, target: Uuid) -> Self {
        match scope {
            HoldScope::Environment => Self::Environment(EnvironmentKey::from_uuid(target)),
            HoldScope::Connector => Self::Connector(ConnectorKey::from_uuid(target)),
            HoldScope::App => Self::App(AppKey::from_uuid(target)),
            HoldScope::Customer => Self::Customer(CustomerKey::from_uuid(target)),
            HoldScope::Connection => Self::Connection(ConnectionId::from_uuid(target)),
        }
    }
}

impl TryFrom<Model> for Hold {
    type Error = StoreError;

    fn try_from(model: Model) -> Result<Self> {
        let reading = Reading { table: "holds", row: model.id };
        let scope = reading.word("scope", &model.scope)?;
        Ok(Self {
            id: HoldId::from_uuid(model.id),
            environment: EnvironmentKey::from_uuid(model.environment_id),
            scope,
            reach: Reach::read(scope, model.target_id),
            name: model.target_name,
            reason: model.reason,
            held_by: ApiKeyId::from_uuid(model.held_by),
            held_at: reading.time("held_at", model.held_at)?,
            lifted_by: model.lifted_by.map(ApiKeyId::from_uuid),
            lifted_at: reading.some_time("lifted_at", (model.lifted_at > 0).then_some(model.lifted_at))?,
        })
    }
}

impl Store {
    /// Writes a hold down; the connections are switched off by [`Store::connections_hold`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one of the same thing stands.
    pub async fn hold_insert(&self, hold: &NewHold) -> Result<Hold> {
        let (scope, target) = hold.reach.stored();
        let row = Model {
            id: hold.id.as_uuid(),
            environment_id: hold.environment.as_uuid(),
            scope: scope.as_str().to_owned(),
            target_id: target,
            target_name: short(&hold.name),
            reason: short(&hold.reason),
            held_by: hold.by.as_uuid(),
            held_at: time::to_millis(hold.at),
            lifted_by: None,
            lifted_at: 0,
        };
        let _writer = self.writer().await;
        let inserted = Entity::insert(ActiveModel::from(row.clone())).exec_without_returning(&self.db).await;
        inserted.map_err(StoreError::on_insert("hold"))?;
        row.try_into()
    }

    /// One hold, lifted ones too.
    pub async fn hold_get(&self, environment: EnvironmentKey, id: HoldId) -> Result<Option<Hold>> {
        let query = Entity::find_by_id(id.as_uuid()).filter(Column::EnvironmentId.eq(environment.as_uuid()));
        query.one(&self.db).await?.map(TryInto::try_into).transpose()
    }

    /// A page of an environment's holds, oldest first, lifted ones too.
    pub async fn hold_list(&self, environment: EnvironmentKey, page: Page) -> Result<(Vec<Hold>, Option<Uuid>)> {
        let rows = Entity::find()
            .filter(Column::EnvironmentId.eq(environment.as_uuid()))
            .apply_if(page.after, |query, after| query.filter(Column::Id.gt(after)))
            .order_by_asc(Column::Id)
            .limit(page.fetch())
            .all(&self.db)
            .await?;
        let (rows, next) = page.cut(rows, |row| row.id);
        Ok((rows.into_iter().map(TryInto::try_into).collect::<Result<_>>()?, next))
    }

    /// Lifts a hold; `false` when the environment has no such hold that stands. The connections are switched on by
    /// [`Store::connections_release`].
    pub async fn hold_lift(
        &self,
        environment: EnvironmentKey,
        id: HoldId,
        by: ApiKeyId,
        at: Timestamp,
    ) -> Result<bool> {
        let lifted = ActiveModel {
            lifted_by: Set(Some(by.as_uuid())),
            lifted_at: Set(time::to_millis(at)),
            ..Default::default()
        };
        let update = Entity::update_many()
            .set(lifted)
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::EnvironmentId.eq(environment.as_uuid()))
            .filter(Column::LiftedAt.eq(0))
            .build(self.dialect.backend());
        Ok(self.write(update).await?.rows_affected() == 1)
    }

    /// The holds of all environments that stand, and those lifted since then: whoever began with one may not have come to
    /// its end.
    pub async fn holds_at_work(&self, lifted_since: Timestamp) -> Result<Vec<Hold>> {
        let at_work =
            Condition::any().add(Column::LiftedAt.eq(0)).add(Column::LiftedAt.gte(time::to_millis(lifted_since)));
        let rows = Entity::find().filter(at_work).order_by_asc(Column::Id).all(&self.db).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}
