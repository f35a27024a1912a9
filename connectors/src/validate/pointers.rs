//! Where the token reply keeps what (RFC 6901), and what of it may be handed out.

use super::{Findings, escape};
use crate::TokenResponse;
use crate::diagnostic::Code;

const LONGEST: usize = 200;
const MOST_EXTRA: usize = 50;

pub(super) fn check(reply: &TokenResponse, found: &mut Findings) {
    let base = "/auth/token_response";
    let fixed = [
        ("access_token", &reply.access_token),
        ("token_type", &reply.token_type),
        ("refresh_token", &reply.refresh_token),
        ("expires_in", &reply.expires_in),
        ("scope", &reply.scope),
        ("error", &reply.error),
        ("refresh_expires_in", &reply.refresh_expires_in),
    ];
    let optional = [
        ("ok", &reply.ok),
        ("error_detail", &reply.error_detail),
        ("expires_at", &reply.expires_at),
        ("alternate", &reply.alternate),
    ];
    let optional = optional.into_iter().filter_map(|(name, pointer)| Some((name, pointer.as_ref()?)));
    for (name, pointer) in fixed.into_iter().chain(optional) {
        pointer_at(format!("{base}/{name}"), pointer, found);
    }
    if reply.ok_value.as_ref().is_some_and(|text| !is_value(text)) {
        let message = "give what `ok` holds in a success: 1 to 100 printable ASCII characters, as in \"ok\" or \"0\"";
        found.add(Code::BadText, format!("{base}/ok_value"), message);
    }
    if reply.ok_value.is_some() && reply.ok.is_none() {
        let message = "nothing says where to look for this: add `ok`, or remove it";
        found.add(Code::IgnoredMember, format!("{base}/ok_value"), message).at_name();
    }
    if reply.strip_prefix.as_ref().is_some_and(|text| !is_prefix(text)) {
        let message =
            "give the 1 to 100 printable ASCII characters before the reply's first brace, without a space at an end";
        found.add(Code::BadText, format!("{base}/strip_prefix"), message);
    }
    if reply.extra.len() > MOST_EXTRA {
        found.add(Code::TooMany, format!("{base}/extra"), format!("lift at most {MOST_EXTRA} fields"));
    }
    for (name, pointer) in &reply.extra {
        let path = format!("{base}/extra/{}", escape(name));
        field_name(path.as_str(), name, found);
        let holds =
            |token: &str| token.strip_prefix(pointer.as_str()).is_some_and(|r| r.is_empty() || r.starts_with('/'));
        let usual = TokenResponse::default();
        let tokens = [&reply.access_token, &reply.refresh_token, &usual.access_token, &usual.refresh_token];
        let inner = reply.alternate.as_ref().map(|alternate| reply.of_alternate(alternate));
        let inner = inner.as_ref().map(|inner| [&inner.access_token, &inner.refresh_token]);
        let further =
            reply.further.values().flat_map(|place| [&place.access_token].into_iter().chain(&place.refresh_token));
        let mut tokens = tokens.into_iter().chain(inner.into_iter().flatten()).chain(further);
        if !pointer.is_empty() && tokens.any(|token| holds(token)) {
            let message =
                "this holds a token, and tokens are never handed out as a field: point at a member without one";
            found.add(Code::ExposesToken, path.as_str(), message).about(base);
        }
        pointer_at(path, pointer, found);
    }
}

fn is_value(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|b| matches!(b, b' '..=b'~'))
}

/// A prefix that cannot be taken for the reply itself.
fn is_prefix(text: &str) -> bool {
    let plain = |b: u8| matches!(b, b' '..=b'~') && b != b'{';
    (1..=100).contains(&text.len()) && text.bytes().all(plain) && text.trim() == text
}

/// The name of a field that is handed out with the token.
pub(super) fn field_name(path: &str, name: &str, found: &mut Findings) {
    if !(1..=64).contains(&name.len()) || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        let message = "a lifted field's name is 1 to 64 letters, digits and - _ .";
        found.add(Code::BadParameter, path, message).at_name();
    }
}

pub(super) fn pointer_at(path: String, pointer: &str, found: &mut Findings) {
    let escaped = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if !pointer.starts_with('/') || pointer.len() > LONGEST || pointer.chars().any(char::is_control) || !escaped {
        let message = "use a JSON pointer from the top of the reply, such as /data/access_token";
        found.add(Code::BadPointer, path, message);
    }
}
