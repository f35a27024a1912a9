//! Timelines: lines by connection and id, their details as text, which is what proves a commit.

use super::books::{Books, whole};
use crate::events::NewEvent;
use crate::row::{Reading, write_object};
use crate::{Event, Page, Result, StoreError};
use mortise_domain::{AttemptId, ConnectionId, EnvironmentKey, EventId, EventKind, Timestamp};
use uuid::Uuid;

/// One line.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) kind: EventKind,
    pub(super) at: Timestamp,
    detail: Option<String>,
}

impl Line {
    fn read(&self, connection: ConnectionId, id: EventId) -> Result<Event> {
        let reading = Reading { table: "events", row: id.as_uuid() };
        let detail = reading.object("detail", self.detail.as_deref())?;
        Ok(Event { id, connection, kind: self.kind, at: self.at, detail })
    }
}

impl Books {
    /// Whether an event's id is not taken.
    pub(super) fn is_free(&self, connection: ConnectionId, event: EventId) -> Result<()> {
        let taken = self.timelines.get(&connection).is_some_and(|lines| lines.contains_key(&event));
        if taken { Err(StoreError::Conflict("event")) } else { Ok(()) }
    }

    /// Adds a line whose id was found free.
    pub(super) fn append(&mut self, connection: ConnectionId, event: &NewEvent) {
        let line = Line { kind: event.kind, at: whole(event.at), detail: write_object(&event.detail) };
        self.timelines.entry(connection).or_default().insert(event.id, line);
    }

    pub(super) fn timeline(&self, connection: ConnectionId) -> Result<Vec<Event>> {
        let lines = self.timelines.get(&connection).into_iter().flatten();
        lines.map(|(id, line)| line.read(connection, *id)).collect()
    }

    pub(super) fn event_list(
        &self,
        environment: EnvironmentKey,
        connection: ConnectionId,
        page: Page,
    ) -> Result<(Vec<Event>, Option<Uuid>)> {
        if self.row_in(environment, connection).is_none() {
            return Ok((Vec::new(), None));
        }
        let lines = self.timelines.get(&connection).into_iter().flatten().rev();
        let wanted = lines.filter(|(id, _)| page.after.is_none_or(|after| id.as_uuid() < after));
        let most = usize::try_from(page.fetch()).unwrap_or(usize::MAX);
        let (rows, next) = page.cut(wanted.take(most).collect(), |(id, _)| id.as_uuid());
        let read = rows.into_iter().map(|(id, line)| line.read(connection, *id));
        Ok((read.collect::<Result<_>>()?, next))
    }

    /// Whether an attempt's pair was ever committed.
    pub(super) fn is_proven(&self, connection: ConnectionId, attempt: AttemptId) -> bool {
        let proof = format!("\"attempt\":\"{attempt}\"");
        self.timelines.get(&connection).into_iter().flatten().any(|(_, line)| {
            matches!(line.kind, EventKind::Refreshed | EventKind::Recovered)
                && line.detail.as_ref().is_some_and(|detail| detail.contains(&proof))
        })
    }
}
