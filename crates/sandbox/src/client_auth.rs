//! How a client proves itself (RFC 6749 section 2.3): HTTP Basic with form-encoded parts, or id and secret in the body.

use crate::params::Params;
use crate::reply::OAuthError;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

/// Who a client says it is, with its proof.
pub struct Credentials {
    /// The client's id.
    pub client_id: String,
    /// Absent for public clients.
    pub client_secret: Option<String>,
    /// Whether they came in the `Authorization` header.
    pub basic: bool,
}

/// Reads the credentials of a request.
pub fn credentials(headers: &HeaderMap, params: &Params) -> Result<Credentials, OAuthError> {
    let posted = params.get("client_id");
    let Some(header) = headers.get(AUTHORIZATION) else {
        return posted.map_or(Err(OAuthError::invalid_client("the request names no client", false)), |client_id| {
            Ok(Credentials {
                client_id: client_id.to_owned(),
                client_secret: params.get("client_secret").map(str::to_owned),
                basic: false,
            })
        });
    };
    let (client_id, client_secret) = header
        .to_str()
        .ok()
        .and_then(read_basic)
        .ok_or_else(|| OAuthError::invalid_client("the Authorization header is not HTTP Basic", true))?;
    if params.get("client_secret").is_some() || posted.is_some_and(|posted| posted != client_id) {
        return Err(OAuthError::invalid_request("the client authenticates in two ways at once"));
    }
    Ok(Credentials { client_id, client_secret: Some(client_secret), basic: true })
}

fn read_basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decode(id)?, form_decode(secret)?))
}

fn form_decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(|decoded| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_parts_are_form_decoded() {
        let header = format!("Basic {}", STANDARD.encode("my%3Aid:p%25s+s%2Bw%C3%B6rd"));
        assert_eq!(read_basic(&header), Some(("my:id".to_owned(), "p%s s+wörd".to_owned())));
    }

    #[test]
    fn what_is_not_basic_is_refused() {
        let no_colon = format!("Basic {}", STANDARD.encode("nothing"));
        let not_text = format!("Basic {}", STANDARD.encode([0xff, b':', 0xfe]));
        for header in ["", "Basic", "Basic !!!", "Bearer abc", &no_colon, &not_text] {
            assert_eq!(read_basic(header), None, "{header}");
        }
    }
}
