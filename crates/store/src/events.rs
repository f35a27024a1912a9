//! Timelines: what happened to a connection, newest first.

use crate::entity::events::{ActiveModel, Column, Entity, Model};
use crate::row::{Reading, write_object};
use crate::{Page, Result, Store, StoreError, time};
use mortise_domain::{ConnectionId, EnvironmentKey, EventId, EventKind, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::QueryTrait as _;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id, in the order of time.
    pub id: EventId,
    /// Whose timeline.
    pub connection: ConnectionId,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// More of it: an object without secrets.
    pub detail: serde_json::Value,
}

/// A line to be; the method that takes it knows whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id, in the order of time.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// More of it: an object without secrets; null for nothing.
    pub detail: serde_json::Value,
}

impl NewEvent {
    pub(crate) fn row(&self, connection: ConnectionId) -> ActiveModel {
        ActiveModel {
            connection_id: Set(connection.as_uuid()),
            id: Set(self.id.as_uuid()),
            kind: Set(self.kind.as_str().to_owned()),
            at: Set(time::to_millis(self.at)),
            detail: Set(write_object(&self.detail)),
        }
    }
}

/// Writes lines inside whoever's transaction.
pub(crate) async fn append(db: &impl ConnectionTrait, rows: Vec<ActiveModel>) -> Result<()> {
    Entity::insert_many(rows).exec_without_returning(db).await.map(drop).map_err(StoreError::on_insert("event"))
}

/// Writes the lines that have gathered, if any.
pub(crate) async fn append_all(db: &impl ConnectionTrait, gathered: &mut Vec<ActiveModel>) -> Result<()> {
    if gathered.is_empty() { Ok(()) } else { append(db, std::mem::take(gathered)).await }
}

impl TryFrom<Model> for Event {
    type Error = StoreError;

    fn try_from(model: Model) -> Result<Self> {
        let reading = Reading { table: "events", row: model.id };
        Ok(Self {
            id: EventId::from_uuid(model.id),
            connection: ConnectionId::from_uuid(model.connection_id),
            kind: reading.word("kind", &model.kind)?,
            at: reading.time("at", model.at)?,
            detail: reading.object("detail", model.detail.as_deref())?,
        })
    }
}

impl Store {
    /// Adds a line to a timeline.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such connection, [`StoreError::Conflict`] when the id is taken.
    pub async fn event_append(&self, connection: ConnectionId, event: &NewEvent) -> Result<()> {
        let _writer = self.writer().await;
        append(&self.db, vec![event.row(connection)]).await
    }

    /// A page of a timeline, newest first; `page.after` is the oldest line of the page before. Empty when the
    /// environment has no such connection.
    pub async fn event_list(
        &self,
        environment: EnvironmentKey,
        connection: ConnectionId,
        page: Page,
    ) -> Result<(Vec<Event>, Option<Uuid>)> {
        if !self.connection_exists(environment, connection).await? {
            return Ok((Vec::new(), None));
        }
        let rows = Entity::find()
            .filter(Column::ConnectionId.eq(connection.as_uuid()))
            .apply_if(page.after, |query, after| query.filter(Column::Id.lt(after)))
            .order_by_desc(Column::Id)
            .limit(page.fetch())
            .all(&self.db)
            .await?;
        let (rows, next) = page.cut(rows, |row| row.id);
        Ok((rows.into_iter().map(TryInto::try_into).collect::<Result<_>>()?, next))
    }
}
