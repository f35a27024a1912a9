//! `Retry-After` (RFC 9110 section 10.2.3) in both forms, and the headers that some providers have instead.
//!
//! A date is measured against the reply's own `Date`, so that neither clock has to be right. Without `Date` it tells
//! nothing and is ignored.

use mortise_connectors::RetryUnit;
use std::time::{Duration, SystemTime};

const LEAST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// The wait that `value` asks for, between 1 second and 24 hours; `None` if it cannot be read.
pub(super) fn parse(value: &str, date: Option<SystemTime>) -> Option<Duration> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        value.parse().map_or(MOST, Duration::from_secs)
    } else {
        instant(value)?.duration_since(date?).unwrap_or_default()
    };
    Some(wait.clamp(LEAST, MOST))
}

/// The wait that a header of the provider's own asks for, within the same bounds.
pub(super) fn hinted(value: &str, unit: RetryUnit, date: Option<SystemTime>) -> Option<Duration> {
    let number: f64 = value.trim().parse().ok().filter(|number| *number >= 0.0)?;
    let seconds = match unit {
        RetryUnit::Seconds => number,
        RetryUnit::Milliseconds => number / 1000.0,
        RetryUnit::UnixSeconds => number - date?.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs_f64(),
    };
    Some(Duration::from_secs(seconds.ceil().clamp(LEAST.as_secs_f64(), MOST.as_secs_f64()) as u64))
}

/// An instant as headers write it (RFC 9110 section 5.6.7).
pub(super) fn instant(value: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(value.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t09_both_forms_within_bounds() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let table = [
            ("120", None, Some(120)),
            (" 7 ", None, Some(7)),
            ("0", None, Some(1)),
            ("86401", None, Some(86_400)),
            ("99999999999999999999999", None, Some(86_400)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", date, Some(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", date, Some(60)),
            ("Sun Nov  6 08:50:37 1994", date, Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", date, Some(1)),
            ("Fri, 06 Nov 2026 08:49:37 GMT", date, Some(86_400)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", None, None),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some("yesterday"), None),
            ("", None, None),
            ("-1", None, None),
            ("1.5", None, None),
            ("soon", date, None),
        ];
        for (value, date, seconds) in table {
            let date = date.and_then(instant);
            assert_eq!(parse(value, date), seconds.map(Duration::from_secs), "{value:?} {date:?}");
        }
    }

    #[test]
    fn hints_of_every_unit_within_bounds() {
        use RetryUnit::{Milliseconds, Seconds, UnixSeconds};
        let date = instant("Sun, 06 Nov 1994 08:49:37 GMT");
        let table = [
            ("30", Seconds, None, Some(30)),
            (" 1.5 ", Seconds, None, Some(2)),
            ("0", Seconds, None, Some(1)),
            ("1e9", Seconds, None, Some(86_400)),
            ("1500", Milliseconds, None, Some(2)),
            ("784111837", UnixSeconds, date, Some(60)),
            ("784111700", UnixSeconds, date, Some(1)),
            ("784111837", UnixSeconds, None, None),
            ("-1", Seconds, None, None),
            ("NaN", Seconds, None, None),
            ("soon", Seconds, None, None),
            ("", Seconds, None, None),
        ];
        for (value, unit, date, seconds) in table {
            assert_eq!(hinted(value, unit, date), seconds.map(Duration::from_secs), "{value:?} {unit:?}");
        }
    }
}
