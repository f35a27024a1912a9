//! Templates as they look with what the provider knows of a customer, and as they look with anything.

use super::wanted::Want;
use super::{Registered, Unplayable};
use mortise_connectors::{Piece, TemplateError, Values, pieces};
use std::collections::BTreeMap;

/// What templates may name.
#[derive(Clone, Default)]
pub(super) struct Known(BTreeMap<String, String>);

impl Known {
    /// Variables, what the customer has, and the client's id where neither is called so.
    pub(super) fn of(values: &Values, registered: &Registered) -> Self {
        let mut known = values.clone();
        known.extend(registered.credentials.iter().map(|(name, value)| (name.clone(), value.clone())));
        known.entry("client_id".to_owned()).or_insert_with(|| registered.client_id.clone());
        Self(known)
    }

    /// The same with more.
    pub(super) fn and(mut self, more: &BTreeMap<String, String>) -> Self {
        self.0.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
        self
    }

    /// The template with everything in its place.
    pub(super) fn whole(&self, template: &str) -> Result<String, Unplayable> {
        self.written(template, str::to_owned)
    }

    /// The same with each value written by `write`.
    pub(super) fn written(&self, template: &str, write: impl Fn(&str) -> String) -> Result<String, Unplayable> {
        let mut whole = String::new();
        for piece in pieces(template)? {
            match piece {
                Piece::Literal(text) => whole.push_str(text),
                Piece::Name(name) => {
                    let value = self.0.get(name).ok_or_else(|| TemplateError::NoValue(name.to_owned()))?;
                    whole.push_str(&write(value));
                }
            }
        }
        Ok(whole)
    }

    /// What has to stand where the template stands.
    pub(super) fn want(&self, template: &str) -> Result<Want, Unplayable> {
        let whole = self.whole(template)?;
        around(template, whole)
    }
}

/// `whole`, or something that begins and ends as the template does.
pub(super) fn around(template: &str, whole: String) -> Result<Want, Unplayable> {
    let pieces = pieces(template)?;
    let literal = |piece: Option<&Piece<'_>>| match piece {
        Some(Piece::Literal(text)) => (*text).to_owned(),
        Some(Piece::Name(_)) | None => String::new(),
    };
    Ok(match pieces.as_slice() {
        [Piece::Literal(_)] => Want::Exactly(whole),
        pieces => Want::Filled { whole, start: literal(pieces.first()), end: literal(pieces.last()) },
    })
}
