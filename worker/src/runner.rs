//! The runner: ticks in, jobs out, one at a time each, and a stop that waits.

use crate::{JOBS, Job, JobError, jobs};
use mortise_broker::Broker;
use mortise_domain::Clock;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio_cron_scheduler::{Job as CronJob, JobScheduler, JobSchedulerError};
use tokio_util::task::TaskTracker;

/// Why the worker could not start or stop its ticker.
#[derive(Debug, thiserror::Error)]
#[error("the scheduler")]
pub struct WorkerError(#[from] JobSchedulerError);

/// What a tick did.
#[derive(Debug)]
pub enum Ticked {
    /// The job is still at the tick before.
    Busy,
    /// The worker is stopping.
    Stopping,
    /// The job ran: how much there was to do, or why it stopped.
    Ran(Result<usize, JobError>),
}

/// How often the ticker is watched.
const WATCH: Duration = Duration::from_millis(250);

/// The jobs of one process.
pub struct Runner {
    broker: Arc<Broker>,
    clock: Arc<dyn Clock>,
    turns: HashMap<Job, Turns>,
    stopping: AtomicBool,
    runs: TaskTracker,
}

/// Whether a job is running, and how often it has come to its end.
#[derive(Default)]
struct Turns {
    busy: AtomicBool,
    completed: AtomicU64,
    /// Monotonic milliseconds at the last poke.
    poked: AtomicU64,
}

/// Frees the job even if its run panics.
struct Turn<'a>(&'a AtomicBool);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Runner {
    /// A runner that has not started.
    pub fn new(broker: Arc<Broker>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let turns = JOBS.iter().map(|(job, _)| (*job, Turns::default())).collect();
        Arc::new(Self { broker, clock, turns, stopping: AtomicBool::new(false), runs: TaskTracker::new() })
    }

    /// Runs a job now, unless it is running already.
    pub async fn tick(&self, job: Job) -> Ticked {
        if self.stopping.load(Ordering::SeqCst) {
            return Ticked::Stopping;
        }
        let Some(turns) = self.turns.get(&job) else { return Ticked::Stopping };
        turns.poked.store(self.millis(), Ordering::SeqCst);
        if turns.busy.swap(true, Ordering::SeqCst) {
            return Ticked::Busy;
        }
        let _turn = Turn(&turns.busy);
        let ran = jobs::run(job, &self.broker).await;
        match &ran {
            Ok(0) => tracing::trace!(job = job.name(), "nothing to do"),
            Ok(done) => tracing::debug!(job = job.name(), done, "a job ran"),
            Err(error @ JobError::Snooze(_)) => tracing::warn!(job = job.name(), error = ?error, "a job snoozes"),
            Err(error @ JobError::Stop(_)) => tracing::error!(job = job.name(), error = ?error, "a job stopped"),
        }
        metrics::counter!("mortise_job_runs_total", "job" => job.name(), "ok" => ok(&ran)).increment(1);
        if ran.is_ok() {
            turns.completed.fetch_add(1, Ordering::SeqCst);
            metrics::gauge!("mortise_job_last_completed_seconds", "job" => job.name())
                .set(self.clock.now().timestamp() as f64);
        }
        Ticked::Ran(ran)
    }

    /// How often a job has come to a good end since the start: a number that stops growing is a ticker that stopped.
    pub fn completed(&self, job: Job) -> u64 {
        self.turns.get(&job).map_or(0, |turns| turns.completed.load(Ordering::SeqCst))
    }

    /// Starts the ticker. Ticks run on tracked tasks, so that [`Runner::stop`] can wait for them.
    pub async fn start(self: &Arc<Self>) -> Result<JobScheduler, WorkerError> {
        let scheduler = JobScheduler::new().await?;
        for (job, cron) in JOBS {
            let runner = self.clone();
            let job = *job;
            let poke = CronJob::new_async(*cron, move |_, _| {
                let (runner, runs) = (runner.clone(), runner.runs.clone());
                Box::pin(async move {
                    runs.spawn(async move { runner.tick(job).await });
                })
            })?;
            scheduler.add(poke).await?;
        }
        scheduler.start().await?;
        let runner = self.clone();
        self.runs.spawn(async move { runner.watch().await });
        Ok(scheduler)
    }

    /// Pokes what cron has forgotten, by a clock that nobody sets.
    async fn watch(self: Arc<Self>) {
        while !self.stopping.load(Ordering::SeqCst) {
            tokio::time::sleep(WATCH).await;
            let now = self.millis();
            for (job, turns) in &self.turns {
                let silent = Duration::from_millis(now.saturating_sub(turns.poked.load(Ordering::SeqCst)));
                if silent > job.patience() {
                    tracing::warn!(job = job.name(), "the clock went back, or the ticker stopped: poked without it");
                    let (runner, job) = (self.clone(), *job);
                    self.runs.spawn(async move { runner.tick(job).await });
                }
            }
        }
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.clock.monotonic().as_millis()).unwrap_or(u64::MAX)
    }

    /// Stops: no tick begins a job any more, running jobs come to their end, and every refresh in flight is answered and
    /// stored before this returns.
    pub async fn stop(&self, mut scheduler: JobScheduler) -> Result<(), WorkerError> {
        self.stopping.store(true, Ordering::SeqCst);
        scheduler.shutdown().await?;
        self.broker.begin_drain();
        self.runs.close();
        self.runs.wait().await;
        self.broker.drain().await;
        Ok(())
    }
}

fn ok(ran: &Result<usize, JobError>) -> &'static str {
    if ran.is_ok() { "true" } else { "false" }
}
