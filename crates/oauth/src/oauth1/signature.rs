//! Signatures of OAuth 1.0 (RFC 5849 section 3).
//!
//! Invariant: what is signed is what is sent: the parameters of the query and of a form among them, decoded once and encoded
//! in the one way that the RFC has. Buffers that hold a secret are wiped.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mortise_connectors::SignatureMethod;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;
use zeroize::Zeroizing;

/// Section 3.6: all but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What makes a request unlike every other (section 3.3).
#[derive(Debug, Clone)]
pub struct Once {
    /// Seconds after 1970.
    pub timestamp: String,
    /// A word that is used once: letters and digits.
    pub nonce: String,
}

/// Who signs: the client, and the token that it holds, where it holds one.
pub(super) struct Signer<'a> {
    pub(super) method: SignatureMethod,
    pub(super) realm: Option<&'a str>,
    pub(super) consumer_key: &'a str,
    pub(super) consumer_secret: &'a str,
    /// The token and its secret.
    pub(super) token: Option<(&'a str, &'a str)>,
}

impl Signer<'_> {
    /// The value of the header `Authorization` (section 3.5.1) for a request with `form` as its body. `own` are further
    /// parameters of the protocol, such as `oauth_verifier`.
    pub(super) fn authorization(
        &self,
        http_method: &str,
        url: &Url,
        form: &[(&str, &str)],
        own: &[(&str, &str)],
        once: &Once,
    ) -> Zeroizing<String> {
        let mut protocol = vec![("oauth_consumer_key", self.consumer_key)];
        protocol.extend(self.token.map(|(token, _)| ("oauth_token", token)));
        protocol.push(("oauth_signature_method", self.method.as_str()));
        // Section 3.1: PLAINTEXT needs neither.
        if self.method != SignatureMethod::Plaintext {
            protocol.extend([("oauth_timestamp", once.timestamp.as_str()), ("oauth_nonce", once.nonce.as_str())]);
        }
        protocol.push(("oauth_version", "1.0"));
        protocol.extend_from_slice(own);
        let base = base_string(http_method, url, protocol.iter().chain(form).copied());
        let signature = self.sign(&base);
        protocol.push(("oauth_signature", &signature));
        let most = 64 + protocol.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 5).sum::<usize>();
        let mut header = Zeroizing::new(String::with_capacity(most + self.realm.map_or(0, str::len)));
        header.push_str("OAuth ");
        if let Some(realm) = self.realm {
            header.push_str("realm=\"");
            header.push_str(realm);
            header.push_str("\", ");
        }
        for (index, (name, value)) in protocol.iter().enumerate() {
            header.push_str(if index > 0 { ", " } else { "" });
            header.extend(utf8_percent_encode(name, ENCODED));
            header.push_str("=\"");
            header.extend(utf8_percent_encode(value, ENCODED));
            header.push('"');
        }
        header
    }

    /// Section 3.4.2 and 3.4.4.
    fn sign(&self, base: &str) -> Zeroizing<String> {
        let token_secret = self.token.map_or("", |(_, secret)| secret);
        let mut key = Zeroizing::new(String::with_capacity(3 * (self.consumer_secret.len() + token_secret.len()) + 1));
        key.extend(utf8_percent_encode(self.consumer_secret, ENCODED));
        key.push('&');
        key.extend(utf8_percent_encode(token_secret, ENCODED));
        let algorithm = match self.method {
            SignatureMethod::HmacSha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            SignatureMethod::HmacSha256 => hmac::HMAC_SHA256,
            SignatureMethod::Plaintext => return key,
        };
        let tag = hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), base.as_bytes());
        Zeroizing::new(STANDARD.encode(tag.as_ref()))
    }
}

/// The signature base string (section 3.4.1).
fn base_string<'a>(
    http_method: &str,
    url: &Url,
    params: impl Iterator<Item = (&'a str, &'a str)>,
) -> Zeroizing<String> {
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let query = url.query_pairs().map(|(name, value)| (encode(&name), encode(&value)));
    let mut pairs: Vec<(String, String)> =
        params.map(|(name, value)| (encode(name), encode(value))).chain(query).collect();
    pairs.sort();
    let joined: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let joined = Zeroizing::new(joined.join("&"));
    // `Url` keeps scheme and host in lower case and leaves a usual port out, as section 3.4.1.2 wants.
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let address = format!("{}://{host}{port}{}", url.scheme(), url.path());
    Zeroizing::new(format!("{}&{}&{}", http_method.to_ascii_uppercase(), encode(&address), encode(&joined)))
}

#[cfg(test)]
mod tests;
