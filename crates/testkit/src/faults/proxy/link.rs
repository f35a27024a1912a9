//! One connection through the wire: two pumps, each under the flow of its way, and the knife above both.

use super::flow::{End, Flow, Rules, Way};
use super::{Shared, hang_up};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

/// Why a connection is over before both sides are done.
enum Over {
    /// A rule says so.
    Cut(End),
    /// One side is gone without a word.
    Broken,
}

impl From<io::Error> for Over {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}

/// Carries one connection to its end.
pub(super) async fn run(mut near: TcpStream, cuts: u64, shared: Arc<Shared>) {
    let rules = shared.rules.subscribe();
    let Ok(mut far) = TcpStream::connect(shared.target).await else {
        // Nobody is there: to the program it looks as if the server had gone right after accepting.
        drop(hang_up(near, End::Reset));
        return;
    };
    shared.seen().open += 1;
    let over = {
        let ((near_in, near_out), (far_in, far_out)) = (near.split(), far.split());
        let up = pump(near_in, far_out, Way::Up, rules.clone(), &shared);
        let down = pump(far_in, near_out, Way::Down, rules.clone(), &shared);
        tokio::select! {
            biased;
            end = cut(rules, cuts) => Over::Cut(end),
            ended = async { tokio::try_join!(up, down) } => match ended {
                Ok(_) => Over::Cut(End::Close),
                Err(over) => over,
            },
        }
    };
    shared.seen().open -= 1;
    let end = match over {
        Over::Cut(end) => end,
        Over::Broken => End::Reset,
    };
    for stream in [near, far] {
        // A side that is gone already cannot be told.
        drop(hang_up(stream, end));
    }
}

/// Waits for the next cut after so many.
async fn cut(mut rules: watch::Receiver<Rules>, before: u64) -> End {
    match rules.wait_for(|rules| rules.cuts > before).await {
        Ok(rules) => rules.end,
        Err(_) => End::Close,
    }
}

async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    way: Way,
    mut rules: watch::Receiver<Rules>,
    shared: &Shared,
) -> Result<(), Over> {
    let mut buffer = vec![0; 16 * 1024];
    let mut flow = rules.borrow_and_update().flow(way);
    let mut arrived = 0;
    loop {
        match flow {
            Flow::Hang => {
                next(&mut rules, way, &mut flow).await;
                continue;
            }
            Flow::HalfClose => {
                to.shutdown().await?;
                return Ok(());
            }
            Flow::Pass | Flow::Swallow | Flow::Delay(_) | Flow::Limit(..) => {}
        }
        let read = tokio::select! {
            biased;
            () = next(&mut rules, way, &mut flow) => {
                arrived = 0;
                continue;
            }
            read = from.read(&mut buffer) => read?,
        };
        let portion = &buffer[..read];
        if read == 0 {
            // The other side reads the end too.
            to.shutdown().await?;
            return Ok(());
        }
        match flow {
            Flow::Swallow => {}
            Flow::Limit(most, end) => {
                let left = usize::try_from(most.saturating_sub(arrived)).unwrap_or(usize::MAX);
                let portion = &portion[..read.min(left)];
                send(&mut to, portion, way, shared).await?;
                arrived += portion.len() as u64;
                if portion.len() < read {
                    return Err(Over::Cut(end));
                }
            }
            Flow::Delay(pause) => {
                tokio::time::sleep(pause).await;
                send(&mut to, portion, way, shared).await?;
            }
            // Neither is met here: they read nothing.
            Flow::Pass | Flow::Hang | Flow::HalfClose => send(&mut to, portion, way, shared).await?,
        }
    }
}

/// Waits until this way's flow is set to another.
async fn next(rules: &mut watch::Receiver<Rules>, way: Way, flow: &mut Flow) {
    let before = *flow;
    let changed = rules.wait_for(|rules| rules.flow(way) != before).await.map(|rules| rules.flow(way));
    match changed {
        Ok(next) => *flow = next,
        // The wire's value is gone, and with it whoever could change anything.
        Err(_) => std::future::pending().await,
    }
}

async fn send(to: &mut WriteHalf<'_>, portion: &[u8], way: Way, shared: &Shared) -> io::Result<()> {
    if portion.is_empty() {
        return Ok(());
    }
    // Noted first: whoever sees the effect of a byte finds it counted.
    {
        let mut seen = shared.seen();
        match way {
            Way::Up => seen.up += portion.len() as u64,
            Way::Down => seen.down += portion.len() as u64,
        }
        if let Some(kept) = &mut seen.kept {
            // A line break between what one side says and what the other says next.
            kept.extend(portion.iter().chain(b"\n"));
        }
    }
    to.write_all(portion).await
}
