//! What a manifest says of itself: the kinds of provider it belongs to, and the evidence for its endpoints.

use super::Findings;
use crate::diagnostic::Code;
use crate::{Confidence, Manifest, Provenance};
use std::collections::BTreeSet;

const MOST_CATEGORIES: usize = 10;
const SOURCES: &str = "/provenance/sources";
const CONFIDENCE: &str = "/provenance/confidence";

pub(super) fn check(manifest: &Manifest, found: &mut Findings) {
    categories(&manifest.categories, found);
    if let Some(provenance) = &manifest.provenance {
        evidence(provenance, found);
        if provenance.confidence == Confidence::Documented && manifest.docs_url.is_none() {
            let message = "`documented` means read in the provider's documentation: say where it is with `docs_url`";
            found.add(Code::BadProvenance, CONFIDENCE, message).about("/docs_url");
        }
    }
}

fn categories(words: &[String], found: &mut Findings) {
    if words.len() > MOST_CATEGORIES {
        let message = format!("{} categories: name at most {MOST_CATEGORIES}", words.len());
        found.add(Code::TooMany, "/categories", message);
    }
    let mut seen = BTreeSet::new();
    for (index, word) in words.iter().enumerate() {
        let path = format!("/categories/{index}");
        if !is_category(word) {
            let message = "a category is 1 to 40 characters of a-z, 0-9 and single hyphens between them, such as crm";
            found.add(Code::BadCategory, path, message);
        } else if !seen.insert(word) {
            found.add(Code::BadCategory, path, format!("`{word}` is listed twice: keep one"));
        }
    }
}

fn evidence(provenance: &Provenance, found: &mut Findings) {
    match (provenance.confidence, provenance.sources) {
        (_, 0 | 1001..) => {
            found.add(Code::BadProvenance, SOURCES, "give the number of sources, 1 to 1000");
        }
        (Confidence::Agreed, 1) => {
            let message = "one source has nobody to agree with: use confidence: single, or count the others";
            found.add(Code::BadProvenance, CONFIDENCE, message).about(SOURCES);
        }
        (Confidence::Single, 2..) => {
            let message = "with more than one source use confidence: agreed";
            found.add(Code::BadProvenance, CONFIDENCE, message).about(SOURCES);
        }
        (Confidence::Documented | Confidence::Agreed | Confidence::Single, _) => {}
    }
    if !is_date(&provenance.checked) {
        let message = "use a date that exists, in quotes or not, such as 2026-11-21";
        found.add(Code::BadProvenance, "/provenance/checked", message);
    }
}

fn is_category(word: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    word.len() <= 40 && word.split('-').all(part)
}

/// A day of the Gregorian calendar as RFC 3339 writes it (`full-date`).
fn is_date(text: &str) -> bool {
    let digits = |part: &str, length: usize| {
        (part.len() == length && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<u32>().ok()).flatten()
    };
    let mut parts = text.split('-');
    let mut next = |length| parts.next().and_then(|part| digits(part, length));
    let (Some(year), Some(month), Some(day)) = (next(4), next(2), next(2)) else { return false };
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    parts.next().is_none() && (1..=last).contains(&day)
}

#[cfg(test)]
mod tests;
