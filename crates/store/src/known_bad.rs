//! Builds that are wrong on purpose: faults that brokers have had, put into this one, to see that the tests notice.
//!
//! Invariant: without the feature `known-bad` there is nothing here, and [`known_bad!`] is no code at all. With it the code
//! is right, too, until a test chooses a fault for its own thread. Deliberately absent: a way to choose one from outside.

/// What the build called `$variant` does wrong, in front of what is right.
macro_rules! known_bad {
    ($variant:ident => $wrong:expr) => {
        #[cfg(feature = "known-bad")]
        if $crate::KnownBad::$variant.is_built() {
            $wrong
        }
    };
}

#[cfg(feature = "known-bad")]
pub use variants::{Built, KnownBad};

#[cfg(feature = "known-bad")]
mod variants {
    use std::cell::Cell;

    thread_local! {
        static BUILT: Cell<Option<KnownBad>> = const { Cell::new(None) };
    }

    /// A fault.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum KnownBad {
        /// A claim holds a connection for ten seconds, however long its refresh may take.
        TenSecondLock,
        /// Whoever is done with a connection releases it, whoever has claimed it since.
        ReleaseWithoutOwner,
        /// Callers hear of a pair before it is stored.
        PublishBeforePersist,
        /// A pair is stored if its attempt still has the lease, and not if the pair before it is still the one in store.
        CasOnLease,
        /// An attempt without an outcome is repeated while its request may still be under way.
        RetryInsideDeadline,
        /// Leases end by the clock of the machine that took them.
        WallClockLease,
        /// The first `invalid_grant` is the end of a connection.
        DeadAtFirstRefusal,
        /// A pair is stored whatever is in store.
        UnconditionalOverwrite,
        /// A provider that asks for quiet is heard for the one connection only.
        BackoffPerRow,
        /// Connections are refreshed though they are quarantined.
        QuarantinedIsRefreshed,
        /// Pairs do not go to the disk on their way into the database.
        NoSpill,
        /// A code goes to the token endpoint again when no answer came.
        CodeExchangeRetry,
    }

    /// The present thread's build, until this is dropped.
    #[derive(Debug)]
    pub struct Built(Option<KnownBad>);

    impl KnownBad {
        /// All of them.
        pub const ALL: [Self; 12] = [
            Self::TenSecondLock,
            Self::ReleaseWithoutOwner,
            Self::PublishBeforePersist,
            Self::CasOnLease,
            Self::RetryInsideDeadline,
            Self::WallClockLease,
            Self::DeadAtFirstRefusal,
            Self::UnconditionalOverwrite,
            Self::BackoffPerRow,
            Self::QuarantinedIsRefreshed,
            Self::NoSpill,
            Self::CodeExchangeRetry,
        ];

        /// Makes this the build that the present thread runs.
        #[must_use = "the build is right again when this is dropped"]
        pub fn build(self) -> Built {
            Built(BUILT.replace(Some(self)))
        }

        /// Whether it is the build that the present thread runs.
        pub fn is_built(self) -> bool {
            BUILT.get() == Some(self)
        }
    }

    impl Drop for Built {
        fn drop(&mut self) {
            BUILT.set(self.0);
        }
    }
}
