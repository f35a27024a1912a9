//! Runs, cases, and what is told of several runs of one case.

use crate::load::{self, Load};
use crate::processor::{Meter, Span, resident_megabytes};
use anyhow::Result;

/// More than this of others, in percent of one core, and a run counts as disturbed.
pub(crate) const QUIET: f64 = 15.0;

/// Who is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) process: u32,
    /// The database server, where it is a process of its own.
    pub(crate) database: Option<u32>,
}

/// The figures of one run. Shares of processors are in percent of one core.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// A second.
    pub(crate) rate: f64,
    /// Answers, or refreshes.
    pub(crate) count: u64,
    pub(crate) seconds: f64,
    /// Median and 99th percentile of the latency in milliseconds, where somebody waited.
    pub(crate) latency: Option<(f64, f64)>,
    pub(crate) server: f64,
    pub(crate) database: Option<f64>,
    pub(crate) others: f64,
    pub(crate) megabytes: f64,
}

impl Run {
    /// What the processors did for `count` things in a span.
    pub(crate) fn of(span: &Span, measured: Measured, count: u64) -> Result<Self> {
        Ok(Self {
            rate: count as f64 / span.seconds,
            count,
            seconds: span.seconds,
            latency: None,
            server: span.percent_of(measured.process),
            database: measured.database.map(|process| span.percent_of(process)),
            others: span.percent_of_others(),
            megabytes: resident_megabytes(measured.process)?,
        })
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.others <= QUIET
    }

    /// Microseconds of a core that one of `count` cost the server, and the database.
    pub(crate) fn cost(&self) -> (f64, f64) {
        let each = |percent: f64| percent / 100.0 * self.seconds * 1e6 / self.count as f64;
        (each(self.server), each(self.database.unwrap_or_default()))
    }
}

/// Load on somebody, once.
pub(crate) async fn run(meter: &Meter, measured: Measured, load: Load<'_>) -> Result<Run> {
    let begin = meter.now()?;
    let loaded = load::send(load).await?;
    let span = meter.since(begin)?;
    let milliseconds = |microseconds: u64| microseconds as f64 / 1e3;
    let latency = Some((milliseconds(loaded.p50), milliseconds(loaded.p99)));
    // wrk's own time is the right one for a rate: the span holds its start too.
    Ok(Run { rate: loaded.rate(), latency, ..Run::of(&span, measured, loaded.requests)? })
}

/// Runs of the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) runs: Vec<Run>,
}

impl Case {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), runs: Vec::new() }
    }

    /// Whether it takes another run: there are to be `runs` quiet ones, and no more than `again` in vain.
    pub(crate) fn wants_more(&self, runs: usize, again: usize) -> bool {
        self.quiet() < runs && self.runs.len() < runs + again
    }

    pub(crate) fn quiet(&self) -> usize {
        self.runs.iter().filter(|run| run.is_quiet()).count()
    }

    /// The median over the quiet runs, or over all when none was quiet.
    pub(crate) fn median(&self, figure: impl Fn(&Run) -> f64) -> f64 {
        let none = self.quiet() == 0;
        median(self.runs.iter().filter(|run| none || run.is_quiet()).map(figure))
    }

    pub(crate) fn rate(&self) -> f64 {
        self.median(|run| run.rate)
    }
}

/// The middle one; of an even number, the lower of the two in the middle. Zero of none.
pub(crate) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(rate: f64, others: f64) -> Run {
        let (count, seconds, server) = (1_000, 2.0, 50.0);
        Run { rate, count, seconds, latency: None, server, database: Some(100.0), others, megabytes: 1.0 }
    }

    #[test]
    fn disturbed_runs_count_only_when_there_are_no_others() {
        let mut case = Case { name: String::new(), runs: vec![run(1.0, 80.0), run(2.0, 90.0), run(3.0, 100.0)] };
        assert_eq!((case.quiet(), case.rate()), (0, 2.0));
        assert!(case.wants_more(3, 1) && !case.wants_more(3, 0));
        case.runs.push(run(9.0, 3.0));
        assert_eq!((case.quiet(), case.rate()), (1, 9.0));
        assert!(case.wants_more(3, 2) && !case.wants_more(1, 9));
    }

    #[test]
    fn what_one_answer_costs_is_the_share_of_the_core_over_their_number() {
        assert_eq!(run(1.0, 0.0).cost(), (1_000.0, 2_000.0));
    }

    #[test]
    fn the_median_of_an_even_number_is_one_that_was_seen() {
        assert_eq!(median([4.0, 1.0, 3.0, 2.0].into_iter()), 2.0);
        assert_eq!(median(std::iter::empty()), 0.0);
    }
}
