//! A driver without seams: executes effects against a [`World`], writes down when each began, and watches their order.

use super::worlds::{Database, Opened, Reply, World, after, is_answering};
use super::*;

/// What a driver did.
#[derive(Debug)]
pub(super) struct Trace {
    /// The effects, with the milliseconds from the claim to their beginning.
    pub(super) effects: Vec<(u64, Effect)>,
    /// How it ended.
    pub(super) end: End,
}

impl Trace {
    pub(super) fn count(&self, which: impl Fn(&Effect) -> bool) -> usize {
        self.effects.iter().filter(|(_, effect)| which(effect)).count()
    }

    pub(super) fn first(&self, which: impl Fn(&Effect) -> bool) -> Option<usize> {
        self.effects.iter().position(|(_, effect)| which(effect))
    }
}

/// Runs an attempt to its end.
pub(super) fn drive(attempt: &Attempt, world: &World) -> Trace {
    let mut driver = Driver { world, clock: world.before, opens: 0, sends: 0, commits: 0, effects: Vec::new() };
    let (mut state, mut event) = (State::Claimed, Event::Begin);
    for _ in 0..10_000 {
        let (next, effects) = step(attempt, state, after(driver.clock, world.fraction), event);
        event = Event::Faulted;
        for effect in effects {
            if let Some(answer) = driver.execute(effect) {
                event = answer;
            }
        }
        state = next;
        if let State::Ended(end) = state {
            return Trace { effects: driver.effects, end };
        }
    }
    panic!("an attempt that does not end: {state:?}");
}

struct Driver<'a> {
    world: &'a World,
    clock: u64,
    opens: usize,
    sends: usize,
    commits: usize,
    effects: Vec<(u64, Effect)>,
}

impl Driver<'_> {
    fn execute(&mut self, effect: Effect) -> Option<Event> {
        let (began, answers) = (self.clock, is_answering(&effect));
        let (took, event) = match &effect {
            Effect::Open(_) => self.open(),
            Effect::Send { .. } => self.send(began),
            Effect::Spill(_) => {
                (self.world.spilled.0, if self.world.spilled.1 { Event::Spilled } else { Event::SpillFailed })
            }
            Effect::LookAtApp => self.look(),
            Effect::Commit(_) => self.commit(),
            Effect::RevokePair | Effect::Record(_) | Effect::GiveUp { .. } | Effect::Quarantine => self.record(),
            Effect::Wait(pause) => (u64::try_from(pause.as_millis()).expect("a pause"), Event::Faulted),
            Effect::Report(_)
            | Effect::SettleSpill
            | Effect::WarnOfDoubleRefresh
            | Effect::HoldApp
            | Effect::Astray => (0, Event::Faulted),
        };
        self.effects.push((began, effect));
        self.clock += took;
        answers.then_some(event)
    }

    fn open(&mut self) -> (u64, Event) {
        let (took, opened) = self.world.opened[self.opens];
        self.opens += 1;
        (
            took,
            match opened {
                Opened::Well => Event::Opened,
                Opened::Broken => Event::Unreadable,
                Opened::NoKey => Event::DatabaseAway,
                Opened::NoReason => Event::Faulted,
            },
        )
    }

    fn send(&mut self, began: u64) -> (u64, Event) {
        let (took, reply) = &self.world.replies[self.sends];
        self.sends += 1;
        (
            *took,
            match reply {
                Reply::Tokens(granted) => Event::Granted(asked_at(granted, began)),
                Reply::Without(refusal) => Event::Refused(refusal.clone()),
                Reply::Alone(refusal, deadlines) => Event::RefusedWithToken(refusal.clone(), *deadlines),
                Reply::NoReason => Event::Faulted,
            },
        )
    }

    fn commit(&mut self) -> (u64, Event) {
        let committed = &self.world.committed;
        let (took, answer) = committed[self.commits.min(committed.len() - 1)];
        self.commits += 1;
        (
            took,
            match answer {
                Database::Answers(outcome) => Event::Committed(outcome),
                Database::Away => Event::DatabaseAway,
                Database::NoReason => Event::Faulted,
            },
        )
    }

    fn look(&self) -> (u64, Event) {
        let (took, answer) = self.world.held;
        (
            took,
            match answer {
                Database::Answers(held) => Event::AppHeld(held),
                Database::Away => Event::DatabaseAway,
                Database::NoReason => Event::Faulted,
            },
        )
    }

    fn record(&self) -> (u64, Event) {
        let (took, answer) = self.world.recorded;
        (
            took,
            match answer {
                Database::Answers(true) => Event::Recorded,
                Database::Answers(false) => Event::Outrun,
                Database::Away => Event::DatabaseAway,
                Database::NoReason => Event::Faulted,
            },
        )
    }
}

/// Tokens of a world, as if they had been asked for so many milliseconds after the claim.
pub(super) fn asked_at(granted: &Granted, millis: u64) -> Granted {
    let later = Duration::from_millis(millis);
    let deadlines = Deadlines {
        grant_expires_at: granted.deadlines.grant_expires_at.map(|end| end + later),
        refresh_idle_at: granted.deadlines.refresh_idle_at.map(|end| end + later),
    };
    Granted { asked_at: granted.asked_at + later, deadlines, ..*granted }
}
