//! `expires_in` (RFC 6749 section 5.1) in the forms that providers send it in.

use super::Expiry;
use mortise_connectors::LifetimeUnit;
use mortise_domain::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// The longest life that is believed: ten years, in seconds.
pub(super) const LONGEST: f64 = 10.0 * 365.0 * 86_400.0;

/// What a reply told about the lifetime.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing.
    Nothing,
    /// A lifetime.
    Plainly(Duration),
    /// A number outside 1 second to 10 years, moved to the nearer end.
    OutOfRange(Duration),
    /// Something that is no number.
    Nonsense,
}

/// Reads an integer, a numeric text or a float; fractions are cut off.
pub(super) fn lifetime(value: Option<&Value>, unit: LifetimeUnit) -> Told {
    let number = match value {
        None | Some(Value::Null) => return Told::Nothing,
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) if text.trim().is_empty() => return Told::Nothing,
        Some(Value::String(text)) => text.trim().parse::<f64>().ok(),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => None,
    };
    let seconds = number.map(|number| match unit {
        LifetimeUnit::Seconds => number,
        LifetimeUnit::Milliseconds => number / 1000.0,
    });
    match seconds.filter(|seconds| !seconds.is_nan()) {
        None => Told::Nonsense,
        Some(seconds) if (1.0..=LONGEST).contains(&seconds) => Told::Plainly(Duration::from_secs(seconds as u64)),
        Some(seconds) => Told::OutOfRange(Duration::from_secs(seconds.clamp(1.0, LONGEST) as u64)),
    }
}

/// `refresh_token_expires_in` and its like: a refresh token that lives for nought seconds or for more than ten years is one
/// of which nothing is known, because providers say 0 or a huge number of tokens that have no end.
pub(super) fn refresh_lifetime(value: Option<&Value>, unit: LifetimeUnit) -> Option<Duration> {
    match lifetime(value, unit) {
        Told::Plainly(life) => Some(life),
        Told::Nothing | Told::OutOfRange(_) | Told::Nonsense => None,
    }
}

/// The instant of expiry that a reply tells: seconds after 1970, milliseconds where the number is too large for those, or
/// a date (RFC 3339); as a number or as a text.
pub(super) fn end(value: &Value) -> Option<Expiry> {
    /// The year 5138 in seconds, March 1973 in milliseconds.
    const TOO_LATE: f64 = 1e11;
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(number) => number,
            Err(_) => text.trim().parse::<Timestamp>().ok()?.timestamp_millis() as f64 / 1000.0,
        },
        _ => return None,
    };
    Some(Expiry { exp: if number >= TOO_LATE { number / 1000.0 } else { number }, iat: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_of_expires_in() {
        let plainly = |seconds| Told::Plainly(Duration::from_secs(seconds));
        let clamped = |seconds| Told::OutOfRange(Duration::from_secs(seconds));
        let table = [
            (json!(3600), plainly(3600)),
            (json!("3600"), plainly(3600)),
            (json!(" 3600 "), plainly(3600)),
            (json!(3600.0), plainly(3600)),
            (json!("3600.0"), plainly(3600)),
            (json!(3599.9), plainly(3599)),
            (json!(315_360_000), plainly(315_360_000)),
            (json!(0), clamped(1)),
            (json!(-1), clamped(1)),
            (json!("-3600"), clamped(1)),
            (json!(0.5), clamped(1)),
            (json!(315_360_001), clamped(315_360_000)),
            (json!(u64::MAX), clamped(315_360_000)),
            (json!(1e300), clamped(315_360_000)),
            (json!("inf"), clamped(315_360_000)),
            (json!("NaN"), Told::Nonsense),
            (json!("soon"), Told::Nonsense),
            (json!("0x10"), Told::Nonsense),
            (json!(true), Told::Nonsense),
            (json!([3600]), Told::Nonsense),
            (json!({"seconds": 3600}), Told::Nonsense),
            (json!(null), Told::Nothing),
            (json!(""), Told::Nothing),
        ];
        for (value, told) in table {
            assert_eq!(lifetime(Some(&value), LifetimeUnit::Seconds), told, "{value}");
        }
        assert_eq!(lifetime(None, LifetimeUnit::Seconds), Told::Nothing);
    }

    #[test]
    fn milliseconds_are_cut_to_whole_seconds() {
        let seconds = |value: Value| lifetime(Some(&value), LifetimeUnit::Milliseconds);
        assert_eq!(seconds(json!(3_600_999)), Told::Plainly(Duration::from_secs(3600)));
        assert_eq!(seconds(json!("3600000")), Told::Plainly(Duration::from_secs(3600)));
        assert_eq!(seconds(json!(999)), Told::OutOfRange(Duration::from_secs(1)));
        assert_eq!(seconds(json!("soon")), Told::Nonsense);
    }

    #[test]
    fn every_form_of_an_instant() {
        let table = [
            (json!(1_700_000_000), Some(1_700_000_000.0)),
            (json!("1700000000"), Some(1_700_000_000.0)),
            (json!(1_700_000_000_500_i64), Some(1_700_000_000.5)),
            (json!("2023-11-14T22:13:20Z"), Some(1_700_000_000.0)),
            (json!(" 2023-11-15T00:13:20+02:00 "), Some(1_700_000_000.0)),
            (json!("2023-11-14 22:13:20"), None), // of which zone?
            (json!("soon"), None),
            (json!(""), None),
            (json!(null), None),
            (json!([1]), None),
        ];
        for (value, expected) in table {
            assert_eq!(end(&value).map(|end| end.exp), expected, "{value}");
        }
    }

    #[test]
    fn a_refresh_tokens_life_is_told_or_not() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (value, told) in [
            (json!(15_811_200), seconds(15_811_200)),
            (json!("15811200"), seconds(15_811_200)),
            (json!(315_360_000), seconds(315_360_000)),
            (json!(315_360_001), None),
            (json!(0), None),
            (json!(-1), None),
            (json!("never"), None),
            (json!(null), None),
        ] {
            assert_eq!(refresh_lifetime(Some(&value), LifetimeUnit::Seconds), told, "{value}");
        }
        assert_eq!(refresh_lifetime(None, LifetimeUnit::Seconds), None);
    }
}
