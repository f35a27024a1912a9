//! Pages of a list.

use crate::{Error, Result};
use mortise_store::Page;
use uuid::Uuid;

/// Which page is asked for.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// 1 to 100; 20 where nothing is said.
    pub limit: Option<u64>,
    /// What the page before said.
    pub cursor: Option<String>,
}

/// A page.
#[derive(Debug)]
pub struct Listing<T> {
    /// At most `limit` items.
    pub items: Vec<T>,
    /// Asks for the next page; `None` on the last.
    pub next_cursor: Option<String>,
}

impl PageRequest {
    pub(crate) fn read(&self) -> Result<Page> {
        let limit = self.limit.unwrap_or(20);
        if !(1..=100).contains(&limit) {
            return Err(Error::invalid("/limit", "use a number from 1 to 100"));
        }
        let after = self.cursor.as_deref().map(read_cursor).transpose()?;
        Ok(Page { limit, after })
    }
}

impl<T> Listing<T> {
    pub(crate) fn of<Row>((rows, next): (Vec<Row>, Option<Uuid>), view: impl FnMut(Row) -> T) -> Self {
        Self { items: rows.into_iter().map(view).collect(), next_cursor: next.map(write_cursor) }
    }
}

/// A cursor is the last id of its page. It grants nothing: the query it goes into names the environment.
fn write_cursor(id: Uuid) -> String {
    format!("c{}", id.simple())
}

fn read_cursor(text: &str) -> Result<Uuid> {
    let digits = text.strip_prefix('c').filter(|digits| digits.len() == 32);
    let id = digits.and_then(|digits| Uuid::try_parse(digits).ok());
    id.ok_or_else(|| Error::invalid("/cursor", "use the `next_cursor` of the page before, unchanged"))
}
