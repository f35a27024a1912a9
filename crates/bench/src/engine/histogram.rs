//! How evenly things come: counts by the second.

/// Counts in whole seconds from a beginning.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Histogram {
    pub(super) counts: Vec<u64>,
}

impl Histogram {
    /// Of instants in microseconds, counted from `from`; earlier ones are left out.
    pub(super) fn of(from: u64, instants: impl IntoIterator<Item = u64>) -> Self {
        let mut counts = Vec::new();
        for instant in instants {
            let Some(second) = instant.checked_sub(from).map(|since| (since / 1_000_000) as usize) else { continue };
            if counts.len() <= second {
                counts.resize(second + 1, 0);
            }
            counts[second] += 1;
        }
        Self { counts }
    }

    /// In how many seconds that part of all had come.
    pub(super) fn reaches(&self, part: f64) -> usize {
        let wanted = self.counts.iter().sum::<u64>() as f64 * part;
        let mut sum = 0;
        let found = self.counts.iter().position(|count| {
            sum += count;
            sum as f64 >= wanted
        });
        found.map_or(0, |second| second + 1)
    }

    /// The same without the seconds that only the last few took: until 99 % had come. A last second that is not a whole
    /// one would make everything look less even than it was.
    pub(super) fn without_tail(&self) -> Self {
        Self { counts: self.counts[..self.reaches(0.99)].to_vec() }
    }

    pub(super) fn most(&self) -> u64 {
        self.counts.iter().copied().max().unwrap_or_default()
    }

    pub(super) fn mean(&self) -> f64 {
        self.counts.iter().sum::<u64>() as f64 / self.counts.len().max(1) as f64
    }

    /// The busiest second over the mean one.
    pub(super) fn peak(&self) -> f64 {
        self.most() as f64 / self.mean()
    }

    /// The most in any so many seconds on end.
    pub(super) fn most_in(&self, seconds: usize) -> u64 {
        let windows = self.counts.windows(seconds.clamp(1, self.counts.len().max(1)));
        windows.map(|window| window.iter().sum()).max().unwrap_or_default()
    }

    /// As points of a plot, at the middle of each second.
    pub(super) fn points(&self) -> Vec<(f64, f64)> {
        self.counts.iter().enumerate().map(|(second, count)| (second as f64 + 0.5, *count as f64)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_the_second_from_the_beginning_on() {
        let seen = Histogram::of(1_000_000, [999_999, 1_000_000, 1_999_999, 2_000_000, 4_500_000]);
        assert_eq!(seen.counts, [2, 1, 0, 1]);
        assert_eq!((seen.most(), seen.mean(), seen.peak()), (2, 1.0, 2.0));
        assert_eq!((seen.most_in(2), seen.most_in(9), seen.reaches(0.5), seen.reaches(1.0)), (3, 4, 1, 4));
        assert_eq!(seen.points()[1], (1.5, 1.0));
    }

    #[test]
    fn a_long_tail_of_a_few_is_left_out_and_a_long_middle_is_not() {
        let mut counts = vec![100; 10];
        counts.extend([0, 0, 0, 1]);
        assert_eq!(Histogram { counts }.without_tail().counts, vec![100; 10]);
        assert_eq!(Histogram { counts: vec![50, 0, 0, 50] }.without_tail().counts.len(), 4);
        let none = Histogram::of(0, []);
        assert_eq!((none.without_tail().counts.len(), none.most(), none.mean(), none.most_in(3)), (0, 0, 0.0, 0));
    }
}
