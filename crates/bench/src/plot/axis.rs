//! From values to places, and the round numbers beside an axis.

/// Values between two, drawn between two places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) values: (f64, f64),
    places: (f64, f64),
}

impl Scale {
    pub(super) fn new(values: (f64, f64), places: (f64, f64)) -> Self {
        let values = if values.1 > values.0 { values } else { (values.0, values.0 + 1.0) };
        Self { values, places }
    }

    pub(super) fn place(&self, value: f64) -> f64 {
        let share = (value - self.values.0) / (self.values.1 - self.values.0);
        self.places.0 + share.clamp(0.0, 1.0) * (self.places.1 - self.places.0)
    }
}

/// The distance between ticks: 1, 2 or 5 times a power of ten, so that there are five or six.
fn step(span: f64) -> f64 {
    let raw = (span / 5.0).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= raw * 0.999).unwrap_or(10.0);
    factor * power
}

/// Where an axis ends that has to show `most`: at a tick.
pub(super) fn top(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let step = step(most);
    (most * 1.02 / step).ceil() * step
}

/// Ticks with their labels.
pub(super) fn ticks(values: (f64, f64)) -> Vec<(f64, String)> {
    let step = step(values.1 - values.0);
    let (first, last) = ((values.0 / step).ceil() as i64, (values.1 / step + 1e-9).floor() as i64);
    (first..=last).map(|at| (at as f64 * step, number(at as f64 * step))).collect()
}

/// A number as short as it can be: thousands with a thin space, fractions without zeroes at their end.
pub(super) fn number(value: f64) -> String {
    let decimals = if value.abs() >= 100.0 || value.fract() == 0.0 { 0 } else { 3 };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{dot}{fraction}")
}
