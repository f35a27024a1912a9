//! The table of jobs.

/// A job, by its name in logs and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Job {
    /// Sends the refreshes that are due.
    RefreshDue,
    /// Tries the clients that a provider refused.
    ProbeHeldApps,
    /// Tells providers of ended grants.
    RevokeDue,
    /// Stores grants that an interrupted process left on disk.
    ReplaySpill,
    /// Clears away what is a day old.
    Sweep,
}

/// Every job with when it is poked: seconds, minutes, hours, day of month, month, day of week.
pub const JOBS: &[(Job, &str)] = &[
    (Job::RefreshDue, "* * * * * *"),
    (Job::RevokeDue, "* * * * * *"),
    (Job::ProbeHeldApps, "*/5 * * * * *"),
    (Job::ReplaySpill, "*/10 * * * * *"),
    (Job::Sweep, "0 17 * * * *"),
];

impl Job {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RefreshDue => "refresh_due",
            Self::ProbeHeldApps => "probe_held_apps",
            Self::RevokeDue => "revoke_due",
            Self::ReplaySpill => "replay_spill",
            Self::Sweep => "sweep",
        }
    }
}
