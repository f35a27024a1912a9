//! A signed request as it came, and whether its signature is right (RFC 5849 section 3.2).

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::percent_decode_str;
use sha1::Sha1;
use sha2::Sha256;
use url::Url;
use url::form_urlencoded;

/// A request with all its parameters (section 3.4.1.3.1).
pub struct Signed {
    pub consumer: String,
    method: String,
    address: String,
    /// Decoded, but for the signature and the realm.
    params: Vec<(String, String)>,
    signature: String,
}

impl Signed {
    /// Reads a request. `None`: it is not signed, or says something twice.
    pub fn read(request: &HttpRequest, url: &str, body: &[u8]) -> Option<Self> {
        let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
        let announced = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self::of(request.method().as_str(), header, announced, url, body)
    }

    /// The same, by its parts: the method, `Authorization`, `Content-Type`, the URL and the body.
    pub fn of(method: &str, header: &str, announced: &str, url: &str, body: &[u8]) -> Option<Self> {
        let (scheme, rest) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("OAuth") {
            return None;
        }
        let decode = |text: &str| percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned());
        let mut params = Vec::new();
        for part in rest.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            params.push((decode(name)?, decode(value)?));
        }
        let names: std::collections::BTreeSet<_> = params.iter().map(|(name, _)| name.clone()).collect();
        if names.len() != params.len() {
            return None;
        }
        let take = |params: &mut Vec<(String, String)>, name: &str| {
            let at = params.iter().position(|(known, _)| known == name)?;
            Some(params.remove(at).1)
        };
        take(&mut params, "realm");
        let signature = take(&mut params, "oauth_signature")?;
        let consumer = params.iter().find(|(name, _)| name == "oauth_consumer_key").map(|(_, value)| value.clone())?;
        let url = Url::parse(url).ok()?;
        params.extend(url.query_pairs().into_owned());
        if announced.starts_with("application/x-www-form-urlencoded") {
            params.extend(form_urlencoded::parse(body).into_owned());
        }
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let address = format!("{}://{}{port}{}", url.scheme(), url.host_str()?, url.path());
        Some(Self { consumer, method: method.to_owned(), address, params, signature })
    }

    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether whoever signed knows both secrets.
    pub fn is_right(&self, consumer_secret: &str, token_secret: &str) -> bool {
        let key = format!("{}&{}", encoded(consumer_secret), encoded(token_secret));
        let mut pairs: Vec<_> = self.params.iter().map(|(name, value)| (encoded(name), encoded(value))).collect();
        pairs.sort();
        let joined: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let text = format!("{}&{}&{}", self.method, encoded(&self.address), encoded(&joined.join("&")));
        match self.get("oauth_signature_method") {
            Some("PLAINTEXT") => self.signature == key,
            Some("HMAC-SHA1") => {
                let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else { return false };
                mac.update(text.as_bytes());
                STANDARD.decode(&self.signature).is_ok_and(|tag| mac.verify_slice(&tag).is_ok())
            }
            Some("HMAC-SHA256") => {
                let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return false };
                mac.update(text.as_bytes());
                STANDARD.decode(&self.signature).is_ok_and(|tag| mac.verify_slice(&tag).is_ok())
            }
            _ => false,
        }
    }
}

/// Section 3.6, letter by letter.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
