//! Bodies: at most 1 MiB, of a type that the route reads, and strict JSON.

use super::{Object, fault};
use crate::problem::{Code, Item, Problem, Result};
use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt as _;
use serde::de::{Deserialize as _, DeserializeOwned};

/// No request of the API is larger.
pub(crate) const LARGEST_BODY: usize = 1024 * 1024;
const JSON: &str = "application/json";

/// What a route reads from its body.
pub(crate) trait Body: Sized + 'static {
    /// The types that it reads; none: the body is not looked at.
    const TYPES: &'static [&'static str];
    /// Whether there need not be one.
    const OPTIONAL: bool = false;

    /// Reads a body of one of these types.
    fn read(kind: &str, bytes: &[u8]) -> Result<Self>;
}

impl Body for () {
    const TYPES: &'static [&'static str] = &[];

    fn read(_: &str, _: &[u8]) -> Result<Self> {
        Ok(())
    }
}

/// A JSON object.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> Body for Json<T> {
    const TYPES: &'static [&'static str] = &[JSON];

    fn read(_: &str, bytes: &[u8]) -> Result<Self> {
        json(bytes).map(Self)
    }
}

/// A JSON object, or no body, which is the same as `{}`.
pub(crate) struct OrEmpty<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> Body for OrEmpty<T> {
    const TYPES: &'static [&'static str] = &[JSON];
    const OPTIONAL: bool = true;

    fn read(_: &str, bytes: &[u8]) -> Result<Self> {
        json(if bytes.is_empty() { b"{}" } else { bytes }).map(Self)
    }
}

/// Reads JSON, duplicates and unknown members refused.
fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let mut track = serde_path_to_error::Track::new();
    let value = Object::<T>::deserialize(serde_path_to_error::Deserializer::new(&mut reader, &mut track));
    match value.and_then(|value| reader.end().map(|()| value)) {
        Ok(Object(value)) => Ok(value),
        Err(error) if error.is_data() => {
            let item = fault::item(&track.path(), &error.to_string());
            Err(Problem::new(Code::InvalidRequest, Code::InvalidRequest.way_out()).with_errors(vec![item]))
        }
        Err(error) => {
            let position = |number: usize| u32::try_from(number).ok();
            let text = error.to_string();
            let detail = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text).to_owned();
            let (line, column) = (position(error.line()), position(error.column()));
            let item = Item { detail, line, column, ..Item::default() };
            Err(Problem::new(Code::MalformedRequest, "The body is not JSON.").with_errors(vec![item]))
        }
    }
}

/// Reads the body's bytes and says of what type they are.
pub(crate) async fn bytes<B: Body>(request: &HttpRequest, mut payload: Payload) -> Result<(&'static str, Bytes)> {
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > LARGEST_BODY) {
        return Err(too_large());
    }
    let mut body = BytesMut::with_capacity(declared.unwrap_or_default());
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::new(Code::MalformedRequest, "The body ends before its time."))?;
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    if body.is_empty() && B::OPTIONAL {
        return Ok((JSON, body.freeze()));
    }
    Ok((kind::<B>(request)?, body.freeze()))
}

fn kind<B: Body>(request: &HttpRequest) -> Result<&'static str> {
    let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let plain = text(CONTENT_ENCODING).is_none_or(|encoding| encoding.eq_ignore_ascii_case("identity"));
    let declared = text(CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let found = B::TYPES.iter().find(|kind| kind.eq_ignore_ascii_case(declared)).filter(|_| plain);
    found.copied().ok_or_else(|| {
        let types = B::TYPES.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(" or ");
        Problem::new(Code::UnsupportedMediaType, format!("Send {types}, without a content encoding."))
    })
}

fn too_large() -> Problem {
    Problem::new(Code::PayloadTooLarge, Code::PayloadTooLarge.way_out())
}
