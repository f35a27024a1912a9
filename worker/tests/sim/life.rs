//! The life of one process: whether it runs, stands still, or is dead.
//!
//! Invariant: whatever a dead process still has under way comes to nothing: no call of a seam returns to it, and none that
//! it had not made before has an effect. Its tasks stay where they are until the world ends, as if they were gone.

use crate::dice::Dice;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// A process.
#[derive(Debug)]
pub struct Life {
    /// Counts from 1 over all processes of the world.
    pub number: usize,
    dead: AtomicBool,
    death: Notify,
    thaws_at: Mutex<Option<Instant>>,
    /// The share of calls at which it dies, just before they take effect or just after.
    frailty: Mutex<f64>,
    dice: Dice,
}

impl Life {
    /// A process that runs.
    pub fn new(number: usize, dice: Dice) -> Arc<Self> {
        Arc::new(Self {
            number,
            dead: AtomicBool::new(false),
            death: Notify::new(),
            thaws_at: Mutex::default(),
            frailty: Mutex::default(),
            dice,
        })
    }

    /// Whether it is dead.
    pub fn is_over(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Kills it.
    pub fn end(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.death.notify_waiters();
        self.death.notify_one();
    }

    /// Returns when it is dead.
    pub async fn ended(&self) {
        while !self.is_over() {
            self.death.notified().await;
        }
        // For the next who waits.
        self.death.notify_one();
    }

    /// Stops it until then; timers of its own go on, but whatever it waits for stays away.
    pub fn freeze_until(&self, at: Instant) {
        *self.thaws_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }

    /// Lets it die at this share of its calls from now on.
    pub fn set_frailty(&self, share: f64) {
        *self.frailty.lock().unwrap_or_else(PoisonError::into_inner) = share;
    }

    /// Waits out a freeze, and for ever once it is dead.
    pub async fn go_on(&self) {
        loop {
            if self.is_over() {
                return std::future::pending().await;
            }
            let thaws_at = *self.thaws_at.lock().unwrap_or_else(PoisonError::into_inner);
            match thaws_at.filter(|at| *at > Instant::now()) {
                Some(at) => tokio::time::sleep_until(at).await,
                None => return,
            }
        }
    }

    /// A moment at which it may die.
    pub async fn risk(&self) {
        let share = *self.frailty.lock().unwrap_or_else(PoisonError::into_inner);
        if self.dice.chance(share) {
            self.end();
        }
        self.go_on().await;
    }
}
