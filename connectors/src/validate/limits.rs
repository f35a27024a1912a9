//! How long things last, how much a provider allows, and what its own error codes mean.

use super::Findings;
use crate::diagnostic::Code;
use crate::{OAuth2, Rate, RecoveryClass, RefreshErrors, TwoStep};
use std::collections::BTreeMap;

/// Ten years, the longest time that anybody means (seconds).
const LONGEST: u32 = 10 * 365 * 86_400;
/// The most of anything that is counted at once.
const MOST_LIVE: u32 = 100_000;
/// The most requests that a rate allows, and the longest time over which they are counted (seconds).
const MOST_REQUESTS: u32 = 1_000_000;
const LONGEST_PERIOD: u32 = 86_400;
const MOST_CODES: usize = 100;

/// What these mean is fixed: the one ends a grant and the other never does, whoever says so.
const FIXED_CODES: [&str; 2] = ["invalid_grant", "invalid_client"];

pub(super) fn check(auth: &OAuth2, found: &mut Findings) {
    times(auth, found);
    clashes(auth, found);
    counts([("max_live", auth.max_live), ("concurrency", auth.concurrency)], found);
    rates([("mint_rate", auth.mint_rate), ("rate_limit", auth.rate_limit)], found);
    codes(&auth.refresh_errors, found);
}

pub(super) fn of_two_step(auth: &TwoStep, found: &mut Findings) {
    for (name, number) in [("default_lifetime", auth.default_lifetime), ("refresh_margin", auth.refresh_margin)] {
        if number.is_some_and(|n| !(1..=LONGEST).contains(&n)) {
            let message = format!("use 1 to {LONGEST} seconds (ten years)");
            found.add(Code::OutOfRange, format!("/auth/{name}"), message);
        }
    }
    margin_fits(auth.default_lifetime, auth.refresh_margin, found);
    counts([("concurrency", auth.concurrency)], found);
    rates([("mint_rate", auth.mint_rate), ("rate_limit", auth.rate_limit)], found);
    codes(&auth.refresh_errors, found);
}

fn counts<const N: usize>(counts: [(&str, Option<u32>); N], found: &mut Findings) {
    for (name, count) in counts {
        if count.is_some_and(|n| !(1..=MOST_LIVE).contains(&n)) {
            found.add(Code::BadCount, format!("/auth/{name}"), format!("use 1 to {MOST_LIVE}"));
        }
    }
}

fn rates<const N: usize>(rates: [(&str, Option<Rate>); N], found: &mut Findings) {
    for (name, rate) in rates {
        let Some(Rate { requests, seconds }) = rate else { continue };
        if !(1..=MOST_REQUESTS).contains(&requests) {
            found.add(Code::BadRate, format!("/auth/{name}/requests"), format!("use 1 to {MOST_REQUESTS} requests"));
        }
        if !(1..=LONGEST_PERIOD).contains(&seconds) {
            let message = format!("use 1 to {LONGEST_PERIOD} seconds (a day), with as many requests as that allows");
            found.add(Code::BadRate, format!("/auth/{name}/seconds"), message);
        }
    }
}

fn margin_fits(lifetime: Option<u32>, margin: Option<u32>, found: &mut Findings) {
    if let (Some(life), Some(margin)) = (lifetime, margin)
        && margin > life / 2
    {
        let message = "no refresh starts before half of the lifetime is over, so this margin is cut to that";
        found.add(Code::MarginTooLong, "/auth/refresh_margin", message).warning().about("/auth/default_lifetime");
    }
}

fn times(auth: &OAuth2, found: &mut Findings) {
    let numbers = [
        ("default_lifetime", 1, auth.default_lifetime),
        ("refresh_margin", 1, auth.refresh_margin),
        ("grace", 1, auth.grace),
        ("refresh_window", 0, auth.refresh_window),
        ("idle_limit", 1, auth.idle_limit),
        ("absolute_limit", 1, auth.absolute_limit),
    ];
    for (name, least, number) in numbers {
        if number.is_some_and(|n| !(least..=LONGEST).contains(&n)) {
            let message = format!("use {least} to {LONGEST} seconds (ten years)");
            found.add(Code::OutOfRange, format!("/auth/{name}"), message);
        }
    }
}

/// Members that do not go together.
fn clashes(auth: &OAuth2, found: &mut Findings) {
    let class = "/auth/recovery_class";
    if auth.recovery_class != RecoveryClass::G && auth.grace.is_some() {
        let message = "only recovery class G has a `grace`: remove it, or set `recovery_class: G`";
        found.add(Code::IgnoredMember, "/auth/grace", message).at_name().about(class);
    }
    if matches!(auth.recovery_class, RecoveryClass::N | RecoveryClass::M) && auth.reuse_penalty {
        let message =
            "refresh tokens of the recovery classes N and M may be used again: remove it, or set another class";
        found.add(Code::IgnoredMember, "/auth/reuse_penalty", message).at_name().about(class);
    }
    margin_fits(auth.default_lifetime, auth.refresh_margin, found);
    if let (Some(window), Some(margin)) = (auth.refresh_window, auth.refresh_margin)
        && margin > window
    {
        let message = format!("this asks for a refresh before the provider accepts one: use at most {window} seconds");
        found.add(Code::OutsideWindow, "/auth/refresh_margin", message).about("/auth/refresh_window");
    }
    if let (Some(idle), Some(absolute)) = (auth.idle_limit, auth.absolute_limit)
        && idle >= absolute
    {
        let message = "the whole grant ends before this is over, whatever happens: it is never reached";
        found.add(Code::IdleTooLong, "/auth/idle_limit", message).warning().about("/auth/absolute_limit");
    }
}

fn codes(errors: &RefreshErrors, found: &mut Findings) {
    let mut seen = BTreeMap::new();
    for (name, _, codes) in errors.lists() {
        let list = format!("/auth/refresh_errors/{name}");
        if codes.len() > MOST_CODES {
            let message = format!("{} codes: list at most {MOST_CODES}", codes.len());
            found.add(Code::TooMany, list.as_str(), message);
        }
        for (index, code) in codes.iter().enumerate() {
            let item = format!("{list}/{index}");
            if !is_code(code) {
                let message = "an error code is 1 to 64 of a-z, 0-9 and _ . -, compared without regard to case";
                found.add(Code::BadError, item, message);
            } else if FIXED_CODES.contains(&code.as_str()) && !(code == "invalid_grant" && name == "permanent") {
                let message = format!("`{code}` means the same at every provider: remove it");
                found.add(Code::BadError, item, message);
            } else if let Some(first) = seen.insert(code, name) {
                let message = format!("`{code}` is listed in `{first}` already: keep one");
                found.add(Code::BadError, item, message);
            }
        }
    }
}

fn is_code(code: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-');
    (1..=64).contains(&code.len()) && code.bytes().all(plain)
}

#[cfg(test)]
mod tests;
