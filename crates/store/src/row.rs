//! From what a row holds to what the program works with. A value that does not fit is an inconsistency with its place.

use crate::{Result, StoreError, time};
use mortise_domain::{ScopeSet, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use std::str::FromStr;
use uuid::Uuid;

/// The error for a value that cannot be.
pub(crate) const fn impossible(table: &'static str, column: &'static str, row: Uuid) -> StoreError {
    StoreError::Inconsistent { table, column, row }
}

/// Which row is being read, for errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) table: &'static str,
    pub(crate) row: Uuid,
}

impl Reading {
    fn bad(self, column: &'static str) -> StoreError {
        impossible(self.table, column, self.row)
    }

    pub(crate) fn time(self, column: &'static str, millis: i64) -> Result<Timestamp> {
        time::from_millis(millis).ok_or_else(|| self.bad(column))
    }

    pub(crate) fn some_time(self, column: &'static str, millis: Option<i64>) -> Result<Option<Timestamp>> {
        millis.map(|millis| self.time(column, millis)).transpose()
    }

    /// A name or a word of a closed list.
    pub(crate) fn word<T: FromStr>(self, column: &'static str, text: &str) -> Result<T> {
        text.parse().map_err(|_| self.bad(column))
    }

    pub(crate) fn json<T: DeserializeOwned>(self, column: &'static str, text: &str) -> Result<T> {
        serde_json::from_str(text).map_err(|_| self.bad(column))
    }

    pub(crate) fn digest(self, column: &'static str, bytes: Vec<u8>) -> Result<[u8; 32]> {
        bytes.try_into().map_err(|_| self.bad(column))
    }

    pub(crate) fn some_digest(self, column: &'static str, bytes: Option<Vec<u8>>) -> Result<Option<[u8; 32]>> {
        bytes.map(|bytes| self.digest(column, bytes)).transpose()
    }

    pub(crate) fn variables(self, column: &'static str, text: Option<&str>) -> Result<BTreeMap<String, String>> {
        text.map_or_else(|| Ok(BTreeMap::new()), |text| self.json(column, text))
    }

    /// An object; nothing stored is the empty one.
    pub(crate) fn object(self, column: &'static str, text: Option<&str>) -> Result<serde_json::Value> {
        let value = text.map_or_else(|| Ok(empty_object()), |text| self.json(column, text))?;
        if value.is_object() { Ok(value) } else { Err(self.bad(column)) }
    }
}

fn empty_object() -> serde_json::Value {
    serde_json::Value::Object(serde_json::Map::new())
}

/// Scopes hold no space (RFC 6749 section 3.3), so a space separates them.
pub(crate) fn read_scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text, " ")
}

pub(crate) fn write_scopes(scopes: &ScopeSet) -> String {
    scopes.join(" ")
}

pub(crate) fn write_json(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string(value)?)
}

/// Most connections have no variables: nothing is stored for none.
pub(crate) fn write_variables(variables: &BTreeMap<String, String>) -> Result<Option<String>> {
    if variables.is_empty() { Ok(None) } else { write_json(variables).map(Some) }
}

/// Nothing is stored for an empty object or null.
pub(crate) fn write_object(value: &serde_json::Value) -> Option<String> {
    let empty = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
    (!empty).then(|| value.to_string())
}

/// Cuts a text for people to a column's width, at a character.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(255).collect()
}
