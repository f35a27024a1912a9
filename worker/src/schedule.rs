//! The table of jobs.

use std::time::Duration;

/// A job, by its name in logs and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Job {
    /// Sends the refreshes that are due.
    RefreshDue,
    /// Asks what became of user codes.
    PollDevices,
    /// Tries the clients that a provider refused.
    ProbeHeldApps,
    /// Makes holds reach what appeared since, and finishes what was interrupted.
    ApplyHolds,
    /// Moves connections to other versions of their connectors, and takes back what fails there.
    MoveConnections,
    /// Tells providers of ended grants.
    RevokeDue,
    /// Stores grants that an interrupted process left on disk.
    ReplaySpill,
    /// Writes down which connections are in use.
    WriteUses,
    /// Warns of grants that are about to end.
    WarnOfEnds,
    /// Measures the backlog for whoever watches.
    Measure,
    /// Clears away what is a day old.
    Sweep,
}

/// Every job with when it is poked: seconds, minutes, hours, day of month, month, day of week.
pub const JOBS: &[(Job, &str)] = &[
    (Job::RefreshDue, "* * * * * *"),
    (Job::RevokeDue, "* * * * * *"),
    (Job::PollDevices, "* * * * * *"),
    (Job::ProbeHeldApps, "*/5 * * * * *"),
    (Job::ApplyHolds, "*/5 * * * * *"),
    (Job::MoveConnections, "*/5 * * * * *"),
    (Job::ReplaySpill, "*/10 * * * * *"),
    (Job::WriteUses, "*/5 * * * * *"),
    (Job::Measure, "*/15 * * * * *"),
    (Job::WarnOfEnds, "0 11 * * * *"),
    (Job::Sweep, "0 17 * * * *"),
];

impl Job {
    /// How long a poke may stay away before it is made up for. Cron goes by the time of day, which somebody may set back.
    pub const fn patience(self) -> Duration {
        Duration::from_secs(match self {
            Self::RefreshDue | Self::RevokeDue | Self::PollDevices => 3,
            Self::ProbeHeldApps | Self::ApplyHolds | Self::MoveConnections | Self::WriteUses => 10,
            Self::ReplaySpill | Self::Measure => 30,
            Self::WarnOfEnds | Self::Sweep => 2 * 3600,
        })
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RefreshDue => "refresh_due",
            Self::PollDevices => "poll_devices",
            Self::ProbeHeldApps => "probe_held_apps",
            Self::ApplyHolds => "apply_holds",
            Self::MoveConnections => "move_connections",
            Self::RevokeDue => "revoke_due",
            Self::ReplaySpill => "replay_spill",
            Self::WriteUses => "write_uses",
            Self::WarnOfEnds => "warn_of_ends",
            Self::Measure => "measure",
            Self::Sweep => "sweep",
        }
    }
}
