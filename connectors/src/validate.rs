//! The rules beyond types: what has to fit together, and what is never allowed.
//!
//! Invariant: every rule looks at the whole manifest and reports all it finds. Deliberately absent: whether a host may be
//! called, which the egress policy decides when it is known.

mod client;
mod discovery;
mod extras;
mod flows;
mod further;
mod grant;
mod grants;
mod limits;
mod oauth1;
mod pasted;
mod pointers;
mod provenance;
mod signed_jwt;
mod stand_ins;
mod texts;
mod told;
mod two_step;
mod urls;
mod variables;
mod wire;

pub(crate) use urls::plain_url;

use crate::diagnostic::Code;
use crate::template::parts;
use crate::{Auth, Manifest, Severity};

/// Which part of a member a finding points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spot {
    Name,
    Value,
}

/// A finding before it has a place.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) code: Code,
    pub(crate) path: String,
    pub(crate) spot: Spot,
    pub(crate) message: String,
    /// JSON pointers of the other members that the finding rests on.
    pub(crate) about: Vec<String>,
}

impl Finding {
    /// Whether one of the `broken` members may be the only reason for this finding.
    pub(crate) fn rests_on(&self, broken: &[String]) -> bool {
        let at_or_above = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        broken.iter().any(|broken| {
            at_or_above(broken, &self.path)
                || self.about.iter().any(|about| at_or_above(broken, about) || at_or_above(about, broken))
        })
    }

    /// Says on which other member the finding rests.
    fn about(&mut self, path: impl Into<String>) -> &mut Self {
        self.about.push(path.into());
        self
    }

    /// Points at the member's name.
    fn at_name(&mut self) -> &mut Self {
        self.spot = Spot::Name;
        self
    }

    fn warning(&mut self) -> &mut Self {
        self.severity = Severity::Warning;
        self
    }
}

/// Collects findings.
struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a finding, an error at the member's value if nothing else is said.
    fn add(&mut self, code: Code, path: impl Into<String>, message: impl Into<String>) -> &mut Finding {
        self.0.push(Finding {
            severity: Severity::Error,
            code,
            path: path.into(),
            spot: Spot::Value,
            message: message.into(),
            about: Vec::new(),
        });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// Braces pair up around declared variables.
    fn template(&mut self, manifest: &Manifest, path: &str, text: &str) {
        match parts(text) {
            Err(error) => {
                let way_out = stand_ins::meant(text).unwrap_or_else(|| "variables look like {subdomain}".to_owned());
                self.add(Code::BadTemplate, path, format!("{error}: {way_out}"));
            }
            Ok(parts) => {
                for name in parts.names.iter().filter(|name| !manifest.variables.contains_key(**name)) {
                    let message =
                        format!("`{{{name}}}` has no entry in `variables`: add one with its `type` and `title`");
                    self.add(Code::UnknownVariable, path, message).about("/variables");
                }
            }
        }
    }
}

/// Every broken rule.
pub(crate) fn validate(manifest: &Manifest) -> Vec<Finding> {
    let mut found = Findings(Vec::new());
    texts::check(manifest, &mut found);
    provenance::check(manifest, &mut found);
    variables::check(manifest, &mut found);
    urls::check(manifest, &mut found);
    told::check(manifest, &mut found);
    match &manifest.auth {
        Auth::Oauth2(auth) => {
            grant::check(auth, &mut found);
            discovery::check(auth, &mut found);
            grants::check(manifest, auth, &mut found);
            limits::check(auth, &mut found);
            extras::check(manifest, auth, &mut found);
            pointers::check(&auth.token_response, &mut found);
            further::check(auth, &mut found);
            wire::check(manifest, auth, &mut found);
            client::check(manifest, auth, &mut found);
            nothing_to_carry(manifest, &mut found);
        }
        Auth::Oauth1(auth) => {
            oauth1::check(manifest, auth, &mut found);
            nothing_to_carry(manifest, &mut found);
        }
        Auth::TwoStep(auth) => two_step::check(manifest, auth, &mut found),
        Auth::SignedJwt(auth) => signed_jwt::check(manifest, auth, &mut found),
        Auth::ApiKey(_) | Auth::Basic(_) => {
            if let Some(pasted) = manifest.auth.pasted() {
                pasted::check(manifest, &pasted, &mut found);
            }
        }
    }
    found.0
}

/// An access token is handed out and carried by whoever asked for it.
fn nothing_to_carry(manifest: &Manifest, found: &mut Findings) {
    let Some(api) = &manifest.api else { return };
    for (member, given) in [("headers", !api.headers.is_empty()), ("query", !api.query.is_empty())] {
        if given {
            let message = format!(
                "`{member}` say how pasted credentials are carried, and with `type: oauth2` there are none: remove it"
            );
            found.add(Code::IgnoredMember, format!("/api/{member}"), message).at_name().about("/auth/type");
        }
    }
}

/// A member's name inside a JSON pointer (RFC 6901 section 3).
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A line that people read: 1 to `most` characters, none that would not be seen or would reorder the others.
fn is_line(text: &str, most: usize) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    !text.trim().is_empty() && text.chars().count() <= most && !text.chars().any(hidden)
}

#[cfg(test)]
mod tests;
