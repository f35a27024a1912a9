//! Query strings, read as strictly as bodies.

use super::fault;
use crate::problem::{Code, Problem, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// No parameters at all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Whatever somebody's monitoring adds; none of it is looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct Anything {}

/// Reads `text`, where every parameter may stand once.
pub(crate) fn read<Q: DeserializeOwned>(text: &str) -> Result<Q> {
    let pairs = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let item = fault::item(error.path(), &error.inner().to_string());
        Problem::new(Code::InvalidRequest, Code::InvalidRequest.way_out()).with_errors(vec![item])
    })
}
