//! Parameters of a request: flat, each at most once (RFC 6749 sections 3.1 and 3.2).

use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use url::form_urlencoded;

/// Why a request's parameters cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// Neither a form nor JSON.
    #[error("the body must be application/x-www-form-urlencoded or application/json")]
    ContentType,
    /// Not a flat object of strings.
    #[error("the JSON body must be an object whose members are strings")]
    Json,
    /// The same name twice.
    #[error("a parameter is repeated")]
    Repeated,
}

/// A request's parameters. Empty values count as absent (RFC 6749 section 3.1).
#[derive(Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads the part after the `?`.
    pub fn from_query(query: &str) -> Result<Self, ParamsError> {
        Self::from_pairs(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// Reads a form, or JSON for the clients that send it.
    pub fn from_body(headers: &HeaderMap, body: &[u8]) -> Result<Self, ParamsError> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media_type.as_str() {
            "application/x-www-form-urlencoded" => {
                Self::from_pairs(form_urlencoded::parse(body).into_owned().collect())
            }
            "application/json" => {
                let members: std::collections::BTreeMap<String, String> =
                    serde_json::from_slice(body).map_err(|_| ParamsError::Json)?;
                Self::from_pairs(members.into_iter().collect())
            }
            _ => Err(ParamsError::ContentType),
        }
    }

    fn from_pairs(mut pairs: Vec<(String, String)>) -> Result<Self, ParamsError> {
        pairs.retain(|(_, value)| !value.is_empty());
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        if pairs.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(ParamsError::Repeated);
        }
        Ok(Self(pairs))
    }

    /// The value of `name`, if it was given and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_parameters_are_refused_and_empty_ones_absent() {
        assert_eq!(Params::from_query("a=1&a=2").err(), Some(ParamsError::Repeated));
        let params = Params::from_query("a=&b=x%26y+z").unwrap();
        assert_eq!((params.get("a"), params.get("b")), (None, Some("x&y z")));
    }

    #[test]
    fn bodies_of_other_kinds_are_refused() {
        let mut headers = HeaderMap::new();
        assert_eq!(Params::from_body(&headers, b"a=1").err(), Some(ParamsError::ContentType));
        headers.insert(CONTENT_TYPE, "application/json; charset=utf-8".parse().unwrap());
        assert_eq!(Params::from_body(&headers, br#"{"a":1}"#).err(), Some(ParamsError::Json));
        assert_eq!(Params::from_body(&headers, br#"{"a":"1"}"#).unwrap().get("a"), Some("1"));
    }
}
