//! Reads that serving a token needs, on connections of their own: however many commits wait for a lock or for a slow disk,
//! a token that is there is found.
//!
//! Invariant: nothing that is read so writes or opens a transaction, and therefore each read may be asked again.
//! Deliberately absent: reads of the administration and of the worker, which can wait.

use crate::StoreError;

/// The most dead connections that a read passes over.
const DEAD_CONNECTIONS: u32 = 64;

/// Reads with an expression over the connections for serving: `serve!(store, db, query.one(db))`. A macro and not a function
/// for the reason that [`transact`](crate::transaction::transact) is one.
macro_rules! serve {
    ($store:expr, $db:ident, $read:expr) => {{
        let mut dead = 0;
        let $db = &$store.reads;
        loop {
            match $read.await.map_err($crate::StoreError::from) {
                Err(error) if $crate::serving::pass_over(&error, &mut dead) => {}
                read => break read,
            }
        }
    }};
}
pub(crate) use serve;

/// After a restart of the database, or of a pooler before it, every connection that was kept is dead, and each says so when
/// it is used: the next one is asked instead.
pub(crate) fn pass_over(error: &StoreError, dead: &mut u32) -> bool {
    *dead += 1;
    *dead <= DEAD_CONNECTIONS && error.lost_its_connection()
}
