//! A reply body that tells when it was handed over, and that can drip or break off.
//!
//! A broken one ends with an error: actix-web then closes the connection. If that happens before the first byte of the
//! body was asked for twice, not even the head has left; so a cut inside the body waits a moment for the head to leave.

use crate::arrival::Arrival;
use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;

/// Long enough for what was handed over to leave, on loopback.
const FLUSH: Duration = Duration::from_millis(30);

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// As announced.
    Whole,
    /// The connection closes after what there is.
    Cut,
    /// The connection closes without a byte, head included.
    Vanish,
}

/// The break that a script asked for.
#[derive(Debug, thiserror::Error)]
#[error("a script broke this reply off")]
pub struct Broken;

/// See the module's head.
pub struct ReplyBody {
    rest: Bytes,
    announced: u64,
    drip: Option<Duration>,
    ending: Ending,
    pause: Option<Pin<Box<Sleep>>>,
    flushed: bool,
    arrival: Arrival,
}

impl ReplyBody {
    /// A body of `rest` that was announced as `announced` bytes.
    pub fn new(rest: Bytes, announced: usize, drip: Option<Duration>, ending: Ending, mut arrival: Arrival) -> Self {
        if ending == Ending::Whole && rest.is_empty() {
            arrival.replied();
        }
        // An empty body is never asked for, so a break needs at least one announced byte.
        let announced = if ending == Ending::Whole { announced } else { announced.max(1) };
        let announced = u64::try_from(announced).unwrap_or(u64::MAX);
        Self { rest, announced, drip, ending, pause: None, flushed: false, arrival }
    }
}

impl MessageBody for ReplyBody {
    type Error = Broken;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.announced)
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        let this = self.get_mut();
        if let Some(pause) = &mut this.pause {
            if pause.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            this.pause = None;
        }
        if !this.rest.is_empty() {
            let chunk = this.rest.split_to(if this.drip.is_some() { 1 } else { this.rest.len() });
            this.arrival.delivered(chunk.len());
            if this.rest.is_empty() && this.ending == Ending::Whole {
                this.arrival.replied();
            }
            this.pause = this.drip.map(|gap| Box::pin(tokio::time::sleep(gap)));
            return Poll::Ready(Some(Ok(chunk)));
        }
        match this.ending {
            Ending::Whole => Poll::Ready(None),
            Ending::Cut if !this.flushed => {
                this.flushed = true;
                let mut pause = Box::pin(tokio::time::sleep(FLUSH));
                // Polled once, so that the timer knows whom to wake.
                let pending = pause.as_mut().poll(cx).is_pending();
                this.pause = pending.then_some(pause);
                if pending { Poll::Pending } else { Poll::Ready(Some(Err(Broken))) }
            }
            Ending::Cut | Ending::Vanish => Poll::Ready(Some(Err(Broken))),
        }
    }
}
