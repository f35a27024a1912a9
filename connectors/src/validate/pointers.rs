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
    let optional = [("ok", &reply.ok), ("error_detail", &reply.error_detail)];
    let optional = optional.into_iter().filter_map(|(name, pointer)| Some((name, pointer.as_ref()?)));
    for (name, pointer) in fixed.into_iter().chain(optional) {
        pointer_at(format!("{base}/{name}"), pointer, found);
    }
    if reply.extra.len() > MOST_EXTRA {
        found.add(Code::TooMany, format!("{base}/extra"), format!("lift at most {MOST_EXTRA} fields"));
    }
    for (name, pointer) in &reply.extra {
        let path = format!("{base}/extra/{}", escape(name));
        if !(1..=64).contains(&name.len()) || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
            let message = "a lifted field's name is 1 to 64 letters, digits and - _ .";
            found.add(Code::BadParameter, path.as_str(), message).at_name();
        }
        let holds =
            |token: &str| token.strip_prefix(pointer.as_str()).is_some_and(|r| r.is_empty() || r.starts_with('/'));
        let usual = TokenResponse::default();
        let tokens = [&reply.access_token, &reply.refresh_token, &usual.access_token, &usual.refresh_token];
        if !pointer.is_empty() && tokens.into_iter().any(|token| holds(token)) {
            let message =
                "this holds a token, and tokens are never handed out as a field: point at a member without one";
            found.add(Code::ExposesToken, path.as_str(), message).about(base);
        }
        pointer_at(path, pointer, found);
    }
}

fn pointer_at(path: String, pointer: &str, found: &mut Findings) {
    let escaped = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if !pointer.starts_with('/') || pointer.len() > LONGEST || pointer.chars().any(char::is_control) || !escaped {
        let message = "use a JSON pointer from the top of the reply, such as /data/access_token";
        found.add(Code::BadPointer, path, message);
    }
}
