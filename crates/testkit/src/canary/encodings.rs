//! The ways in which a secret is usually written down.

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Every distinct way, raw first.
pub(super) fn encodings(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = vec![("as it is", secret.to_vec())];
    // Inside longer data, such as `id:secret` of an Authorization header, base64 depends on how many bytes precede.
    for before in 0..3 {
        all.push(("base64", base64_within(&STANDARD_NO_PAD, secret, before)));
        all.push(("base64url", base64_within(&URL_SAFE_NO_PAD, secret, before)));
    }
    all.push(("hex", hex(secret, false)));
    all.push(("HEX", hex(secret, true)));
    all.push(("URL-encoded", percent_encode(secret, RESERVED).to_string().into_bytes()));
    all.push(("URL-encoded to the last", percent_encode(secret, NON_ALPHANUMERIC).to_string().into_bytes()));
    all.push(("form-encoded", form(secret)));
    let text = String::from_utf8_lossy(secret);
    all.push(("escaped", text.escape_debug().to_string().into_bytes()));
    all.push(("escaped for HTML", html(&text).into_bytes()));
    let numbers: Vec<_> = secret.iter().map(u8::to_string).collect();
    all.push(("a list of numbers", numbers.join(", ").into_bytes()));
    all.push(("a JSON list of numbers", numbers.join(",").into_bytes()));
    all.push(("UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect()));
    all.push(("reversed", secret.iter().rev().copied().collect()));

    let mut distinct: Vec<(&'static str, Vec<u8>)> = Vec::new();
    for (name, bytes) in all {
        if !distinct.iter().any(|(_, known)| *known == bytes) {
            distinct.push((name, bytes));
        }
    }
    distinct
}

/// The characters that depend on the secret alone, when `before` bytes of something else precede it in its group.
fn base64_within(engine: &GeneralPurpose, secret: &[u8], before: usize) -> Vec<u8> {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(secret);
    let first = (before * 8).div_ceil(6);
    let last = bytes.len() * 8 / 6;
    engine.encode(&bytes).into_bytes()[first..last].to_vec()
}

fn hex(bytes: &[u8], upper: bool) -> Vec<u8> {
    let text = if upper { hex::encode_upper(bytes) } else { hex::encode(bytes) };
    text.into_bytes()
}

fn form(secret: &[u8]) -> Vec<u8> {
    url::form_urlencoded::byte_serialize(secret).collect::<String>().into_bytes()
}

fn html(text: &str) -> String {
    let quoted = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    quoted.replace('"', "&quot;").replace('\'', "&#39;")
}
