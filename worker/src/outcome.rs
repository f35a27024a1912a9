//! What an error of the broker means for a job: one map, beside the server's.

use mortise_broker::Error;

/// Why a run of a job stopped. The next tick tries again in any case; this decides what the log says.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The database is away: expected to come back.
    #[error("the database is away; the next tick tries again")]
    Snooze(#[source] Error),
    /// Something that more of the same will not mend.
    #[error("the job met something it cannot handle")]
    Stop(#[source] Error),
}

impl From<Error> for JobError {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(_) | Error::ProviderUnavailable { .. } | Error::ProviderThrottled { .. } => {
                Self::Snooze(error)
            }
            Error::NotFound(_)
            | Error::NotConnected { .. }
            | Error::Unauthorized
            | Error::ForbiddenScope(_)
            | Error::Invalid(_)
            | Error::InvalidManifest(_)
            | Error::Exists(_)
            | Error::InUse { .. }
            | Error::Stale(_)
            | Error::Ambiguous(_)
            | Error::Unusable(_)
            | Error::MinTtlUnavailable { .. }
            | Error::AppHeld { .. }
            | Error::GrantRefused { .. }
            | Error::Connect(_)
            | Error::Internal(_) => Self::Stop(error),
        }
    }
}
