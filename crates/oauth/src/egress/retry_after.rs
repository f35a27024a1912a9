//! `Retry-After` (RFC 9110 section 10.2.3) in both forms.
//!
//! A date is measured against the reply's own `Date`, so that neither clock has to be right. Without `Date` it tells
//! nothing and is ignored.

use std::time::Duration;

const LEAST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// The wait that `value` asks for, between 1 second and 24 hours; `None` if it cannot be read.
pub(super) fn parse(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        value.parse().map_or(MOST, Duration::from_secs)
    } else {
        let until = httpdate::parse_http_date(value).ok()?;
        let now = httpdate::parse_http_date(date?.trim()).ok()?;
        until.duration_since(now).unwrap_or_default()
    };
    Some(wait.clamp(LEAST, MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_within_bounds() {
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
            assert_eq!(parse(value, date), seconds.map(Duration::from_secs), "{value:?} {date:?}");
        }
    }
}
