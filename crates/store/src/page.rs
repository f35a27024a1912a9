//! Pages of a list, by key: ids are time-ordered, so a page goes on where the one before ended whatever was added since.

use uuid::Uuid;

/// Which part of a list is wanted, in the order of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// At most this many, 1 to 100; what lies outside is taken as the nearest.
    pub limit: u64,
    /// Only what comes after this id: the key that the page before answered with.
    pub after: Option<Uuid>,
}

impl Page {
    /// The most that one page holds.
    pub const LARGEST: u64 = 100;

    /// One more than is wanted, to learn whether there is more.
    pub(crate) fn fetch(&self) -> u64 {
        self.limit.clamp(1, Self::LARGEST) + 1
    }

    /// Cuts the extra row off; the last id that is left is the next page's key.
    pub(crate) fn cut<T>(&self, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> (Vec<T>, Option<Uuid>) {
        let limit = usize::try_from(self.fetch() - 1).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(id);
        (rows, next)
    }
}
